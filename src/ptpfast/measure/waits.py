"""Time connections and small operations. Nothing on the camera is changed."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..engine.channel import Channel
from ..engine.wire import ProbeRequest, ProbeResponse, pack, parse
from ..link.connection import Connection
from ..link.courtesy import connect_when_free, honour_reconnect_pause
from ..link.link import Link
from ..link.pipelining import Request
from ..ptp.codes import OperationCode
from ..ptp.errors import PTPError, ResponseError
from ..ptp.objects import ObjectInfo
from ..session.session import Session
from ..transfer import ObjectReader
from ..transport.contract import Address
from ..transport.identity import Identity
from ..transport.ptpip import PTP_IP
from ..transport.timeouts import Timeouts
from .result import Latency
from .samples import Spread

CONNECTING = "connecting"  # the step that a busy camera makes long
SMALL = 1024  # bytes of the smallest read whose latency is measured
PINGS = 10  # of each handshake
PING_S = 1.0
MOST_TURNS = 1000  # of the small operations
MOST = 1 << 20  # bytes of their answers


def connected(
    address: Address,
    identity: Identity,
    timeouts: Timeouts,
    waiting: Callable[[PTPError], object] | None = None,
) -> tuple[Session, list[Latency]]:
    """Return an open session, as `ptpfast.connect` makes it, and the time of its two steps.

    If a busy camera was asked again, the time is that of the last attempt.
    """
    began = 0.0

    def knock() -> Connection:
        nonlocal began
        began = time.monotonic()
        return Connection.open(address, identity, timeouts)

    honour_reconnect_pause(address)
    connection = connect_when_free(knock, address, timeouts.held, waiting)
    shaken = time.monotonic()
    try:
        session = Session(Link(connection))
    except BaseException:
        connection.close()
        raise
    opened = time.monotonic()
    took = [("handshake", shaken - began), ("open session", opened - shaken)]
    return session, [Latency(what, Spread.of([1e3 * seconds])) for what, seconds in took]


def handshakes(
    address: Address, identity: Identity, timeouts: Timeouts, count: int, until_s: float
) -> tuple[list[float], list[float], str]:
    """Open and close connections without a session.

    Returns:
        ms of each handshake, ms of each ping (a Probe Request), and the error that ended it early.
    """
    took: list[float] = []
    pings: list[float] = []
    for _ in range(count):
        began = time.monotonic()
        if began > until_s:
            break
        try:
            opened = PTP_IP.open(address, identity, timeouts, probes=True)
        except PTPError as error:
            return took, pings, error.message
        took.append(1e3 * (time.monotonic() - began))
        try:
            # One that does not answer costs a second, and the same again for each other one.
            for _ in range(PINGS):
                _ping(opened.event, pings)
        except PTPError as error:
            return took, pings, f"no answer to a probe: {error.message}"
        finally:
            opened.close()
    return took, pings, ""


def _ping(event: Channel | None, took: list[float]) -> None:
    """Send one Probe Request; add the milliseconds until its answer. Raises Timeout."""
    began = time.monotonic()
    if event is not None:
        event.send(pack(ProbeRequest()))
        while not isinstance(parse(event.receive_packet(timeout_s=PING_S)), ProbeResponse):
            pass
        took.append(1e3 * (time.monotonic() - began))


def latencies(
    session: Session,
    handles: list[int],
    info: ObjectInfo,
    until: float,
    took: dict[str, list[float]],
) -> None:
    """Time small operations in turn until `until` (`time.monotonic`), each at least once.

    They alternate so that a change of the link affects all alike. `took` receives milliseconds by
    operation name. Refused operations are left out, and so are objects at which the camera closes
    the connection.
    """
    link, aside = session.link, session.link.losses.set_aside

    def ask(operation: int, *parameters: int, limit: int = MOST) -> None:
        link.transact(Request(operation, parameters, limit=limit))

    handles = [one for one in handles if aside(OperationCode.GetObjectInfo, one) is None]
    turns: dict[str, Callable[[int], object]] = {
        "GetStorageIDs": lambda _: ask(OperationCode.GetStorageIDs),
        "GetObjectInfo": lambda handle: ask(OperationCode.GetObjectInfo, handle),
    }
    if link.supports(OperationCode.GetNumObjects):  # no data: the answer is one segment
        turns["GetNumObjects"] = lambda _: ask(OperationCode.GetNumObjects, 0xFFFFFFFF, limit=0)
    if link.supports(OperationCode.GetThumb):
        turns["GetThumb"] = lambda handle: ask(OperationCode.GetThumb, handle)
    partial = ObjectReader(session.camera, info).partial(SMALL)
    if partial is not None and (info.size or 0) >= SMALL:
        small = partial.parameters(info.handle, 0, SMALL)
        turns["reading 1 kB"] = lambda _: ask(partial.operation, *small, limit=SMALL)
    turn = 0
    while turns and (not turn or (time.monotonic() < until and turn < MOST_TURNS)):
        for what, run in list(turns.items()):
            began = time.monotonic()
            try:
                run(handles[turn % len(handles)])
            except ResponseError:
                del turns[what]
                continue
            took.setdefault(what, []).append(1e3 * (time.monotonic() - began))
        turn += 1
