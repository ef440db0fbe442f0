"""How two TCP connections become a PTP/IP connection: Init packets, reasons for a refusal, the
probe.

Sources: CIPA DC-005 as in malc0mn/ptp-ip; libgphoto2 (ptpip.c) and airmtp (mtpwifi.py) for what
cameras really do; each constant names its own.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..engine import wire
from ..engine.channel import Channel
from ..engine.wire import pack, parse
from ..ptp.codes import DEFAULT_PORT, PROTOCOL_VERSION, FailReason
from ..ptp.errors import (
    ConnectFailed,
    ConnectionLost,
    InitFailed,
    LimitReached,
    ProtocolError,
    Timeout,
)

if TYPE_CHECKING:
    from ..engine.wire import Packet

log = logging.getLogger("ptpfast")

MAX_NAME_UNITS = 39  # and a NUL: the only explicit limit in any source is 40 (sequoia-ptpy)
EVENT_CONNECT_RETRY_S = 0.1  # the Ricoh Theta listens late; libgphoto2 pauses as long
MAX_EARLY = 1000  # packets that come before the probe's answer; a camera sends none or one
# Not an option for users: tests and benchmarks switch it off to show what it is for.
QUICK_ACKS = True
# Between a camera's dropping us and the next Init (zcine: sooner wedges some bodies).
AFTER_DROP_S = 1.2
PROBE_ANSWER_S = 1.0  # airmtp waits that long; no answer is no error (SX730: shezi/airmtp#2)


class Brand(NamedTuple):
    """Cameras that do not listen at the usual port, or not yet."""

    who: str
    hint: str


# Sources: fudge and libgphoto2 for Fujifilm, webptz for Panasonic.
BRAND_PORTS = {
    55740: Brand(
        "Fujifilm cameras",
        "Fujifilm's dialect of PTP/IP is not supported yet",
    ),
    60606: Brand(
        "Panasonic cameras",
        "they open the port for pictures only after a registration, which is not supported yet",
    ),
}
LOOK_S = 0.3  # for one of these ports, on the host that was asked for


def acknowledges_at_once() -> bool:
    """Whether the kernel lets us acknowledge without delay what a camera sends."""
    return QUICK_ACKS and hasattr(socket, "TCP_QUICKACK")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for a TCP connection and its handshake (`connect`), for the answer to an
    operation (`operation`), for the first byte of data if it has any (`first_byte`, by default as
    long), for each next byte (`idle`), for everything at the end (`close`); for the bytes of one
    object altogether (`total`, by default as long as they come); and for a camera that still holds
    an earlier session, where that is waited for (`held`)."""

    connect: float = 10.0
    operation: float = 30.0
    idle: float = 30.0
    close: float = 2.0
    first_byte: float | None = None
    total: float | None = None
    held: float = 45.0  # half a minute and more, as seen after an unclean end


def default_guid() -> bytes:
    """This computer's GUID, the same in every run: cameras tie pairing to it.

    Ten bytes from the machine's id (its name where it has none), six zero bytes: Sony bodies take a
    GUID that ends so from any host, others do not care (airmtp).
    """
    import hashlib  # only here: it would be a good part of `import ptpfast`

    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine = ""
    seed = f"ptpfast {machine or socket.gethostname()}"
    return hashlib.sha256(seed.encode(errors="surrogateescape")).digest()[:10] + bytes(6)


def default_name() -> str:
    """This computer's name, as the camera may show it."""
    return socket.gethostname() or "ptpfast"


@dataclass
class Handshake:
    """What a successful handshake has given. `guid` and `name` are the Responder's; `early` are
    packets that came on the Event connection before it was over; `probes`: whether it was
    probed."""

    command: Channel
    event: Channel
    connection_number: int = 0
    guid: bytes = b""
    name: str = ""
    probes: bool = True
    early: list[Packet] = field(default_factory=list)


def shake_hands(
    host: str,
    port: int,
    guid: bytes | None,
    name: str | None,
    timeouts: Timeouts,
    *,
    probes: bool = True,
) -> Handshake:
    """Connects and shakes hands on both connections. ConnectFailed, InitFailed.

    probes: whether the camera is asked for a sign of life at the end; one that drops the connection
    at that is connected to once more, without (`Handshake.probes`).
    """
    knock = partial(_shake_hands, host, port, guid or default_guid(), name)
    try:
        return knock(time.monotonic() + timeouts.connect, probes=probes)
    except _DroppedAtProbeError as error:
        log.info("%s; connecting again without a probe", error)
    time.sleep(AFTER_DROP_S)
    deadline = time.monotonic() + timeouts.connect
    while True:
        try:
            return knock(deadline, probes=False)
        except InitFailed as error:
            # It may still hold the connection that it has just dropped.
            if error.reason != FailReason.BUSY or time.monotonic() + AFTER_DROP_S > deadline:
                raise
        time.sleep(AFTER_DROP_S)


def _shake_hands(
    host: str, port: int, guid: bytes, name: str | None, deadline: float, *, probes: bool
) -> Handshake:
    where = bracketed(host, port)
    command = _connect(host, port, deadline)
    try:
        with _explained(where, "Init Command Request"):
            ack = _init_command(command, guid, name, deadline, where)
        who = f"{ack.name} answered at {where}" if ack.name else f"a camera answered at {where}"
        event = _connect(host, port, deadline, patient=True, who=who)
        done = Handshake(command, event, ack.connection_number, ack.guid, ack.name, probes)
        try:
            with _explained(where, "Init Event Request", who):
                _init_event(done, deadline, where)
            _show_life(done, who)
        except BaseException:
            event.close()
            raise
    except BaseException:
        command.close()
        raise
    return done


class _DroppedAtProbeError(ConnectFailed):
    """The camera closed the Event connection when it was probed."""


def _connect(
    host: str, port: int, deadline: float, *, patient: bool = False, who: str = ""
) -> Channel:
    """A TCP connection; `patient` tries a refused one again until the deadline."""
    where = bracketed(host, port)
    while True:
        left = deadline - time.monotonic()
        try:
            sock = socket.create_connection((host, port), timeout=max(left, 0.05))
        except ConnectionRefusedError as error:
            if patient and left > EVENT_CONNECT_RETRY_S:
                time.sleep(EVENT_CONNECT_RETRY_S)
                continue
            raise _refused(host, port, who) from error
        except TimeoutError as error:
            if who:
                raise ConnectFailed(
                    f"{who} and then stopped answering: no second (Event) connection", hint=_RESTART
                ) from error
            raise ConnectFailed(f"no answer from {where}") from error
        except OSError as error:
            if (limit := LimitReached.of(error)) is not None:
                raise limit from error
            reason = error.strerror or str(error)
            raise ConnectFailed(f"cannot reach {where}: {reason}") from error
        try:
            # Requests are small and must leave at once: Nagle and delayed ACK cost 40 ms each. The
            # Channel sees to it that the camera does not wait for our acknowledgements either.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return Channel(sock, quick_acks=QUICK_ACKS)
        except OSError as error:  # macOS says so of a connection that is reset already
            sock.close()
            if (limit := LimitReached.of(error)) is not None:
                raise limit from error
            raise ConnectFailed(f"{where} closed the connection at once") from error


def bracketed(host: str, port: int) -> str:
    """Host and port as people write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refused(host: str, port: int, who: str) -> ConnectFailed:
    """Nothing listens there; perhaps another brand's camera does, at the brand's own port."""
    where = bracketed(host, port)
    if who:
        return ConnectFailed(f"{who} and then refused the second (Event) connection", hint=_RESTART)
    text = f"nothing listens at {where}"
    if port != DEFAULT_PORT:
        return ConnectFailed(text)
    for other, brand in BRAND_PORTS.items():
        with suppress(OSError), socket.create_connection((host, other), timeout=LOOK_S):
            return ConnectFailed(
                f"{text}, but port {other} is open, which {brand.who} use",
                hint=brand.hint,
            )
    brands = "; ".join(f"{brand.who} use port {other}" for other, brand in BRAND_PORTS.items())
    return ConnectFailed(text, hint=f"{ConnectFailed.hint}; {brands}")


_STRANGER = "check the address: this may be a router or another device, or a camera that hangs"
_RESTART = "switch the camera's Wi-Fi off and on, and try again"


@contextmanager
def _explained(where: str, step: str, who: str = "") -> Iterator[None]:
    """During the handshake, what breaks the protocol or says nothing is no camera; unless it has
    said `who` it is."""
    try:
        yield
    except ProtocolError as error:
        text = f"something answers at {where}, but not as a PTP/IP camera does"
        if who:
            text = f"{who} and then broke the protocol ({step})"
        raise ConnectFailed(text, hint=_RESTART if who else _STRANGER) from error
    except Timeout as error:
        text = f"{where} accepts connections but does not answer ({step})"
        if who:
            text = f"{who} and then stopped answering ({step})"
        hint = _RESTART if who else f"{_STRANGER}; switch its Wi-Fi off and on"
        raise ConnectFailed(text, hint=hint) from error
    except ConnectionLost as error:
        text = f"{where} closed the connection at once"
        if who:
            text = f"{who} and then closed the connection ({step})"
        hint = _RESTART if who else _STRANGER
        raise ConnectFailed(text, hint=f"{hint}; another computer may be connected") from error


def _answer(channel: Channel, expected: type[Any], deadline: float, where: str) -> Any:
    while True:
        raw = channel.receive_packet(timeout_s=max(deadline - time.monotonic(), 0.05))
        packet = parse(raw)
        if not isinstance(packet, (wire.Event, wire.ProbeRequest, wire.ProbeResponse)):
            break  # a hasty camera's are not the answer
        if time.monotonic() >= deadline:
            raise Timeout("events and probes came, but no answer")
    if isinstance(packet, wire.InitFail):
        raise InitFailed(packet.reason, where=f"the camera at {where}")
    if not isinstance(packet, expected):
        raise ProtocolError(f"{type(packet).__name__} came, {expected.__name__} was expected")
    return packet


def _init_command(
    command: Channel, guid: bytes, name: str | None, deadline: float, where: str
) -> wire.InitCommandAck:
    encoded = (name or default_name()).encode("utf-16-le", "replace")[: 2 * MAX_NAME_UNITS]
    units = encoded.decode("utf-16-le", "ignore")
    command.send(pack(wire.InitCommandRequest(guid, units, PROTOCOL_VERSION)))
    ack: wire.InitCommandAck = _answer(command, wire.InitCommandAck, deadline, where)
    return ack


def _init_event(done: Handshake, deadline: float, where: str) -> None:
    done.event.send(pack(wire.InitEventRequest(done.connection_number)))
    _answer(done.event, wire.InitEventAck, deadline, where)


def _show_life(done: Handshake, who: str) -> None:
    """Without a probe, or a second of silence, some bodies hang on the first operation (airmtp)."""
    until = time.monotonic() + PROBE_ANSWER_S
    try:
        if done.probes:
            done.event.send(pack(wire.ProbeRequest()))
        while (left := until - time.monotonic()) > 0:
            raw = done.event.receive_packet(timeout_s=left)
            try:
                packet = parse(raw)
            except ProtocolError as error:  # unknown packets are to be stepped over
                log.debug("ignored on the Event connection: %s", error)
                continue
            if isinstance(packet, wire.ProbeResponse):
                return
            if len(done.early) < MAX_EARLY:
                done.early.append(packet)
    except Timeout:
        log.debug("%s: no answer to a probe", who)
    except ConnectionLost as error:
        if done.probes:
            raise _DroppedAtProbeError(f"{who} and closed the connection when probed") from error
        text = f"{who} and then closed the connection, before the first operation"
        raise ConnectFailed(text, hint=f"{_RESTART}; another computer may be connected") from error
