"""Open a PTP/IP connection: the Init handshake on both TCP connections, and the probe.

Sources: CIPA DC-005 as in malc0mn/ptp-ip; libgphoto2 (ptpip.c) and airmtp (mtpwifi.py) for what
cameras really do; each constant names its own.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

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
from .contract import Address, Opened
from .identity import Identity
from .tapping import Recorder
from .timeouts import Timeouts

log: logging.Logger = logging.getLogger("ptpfast")

MAX_NAME_UNITS = 39  # and a NUL: the only explicit limit in any source is 40 (sequoia-ptpy)
EVENT_CONNECT_RETRY_S = 0.1  # the Ricoh Theta listens late; libgphoto2 pauses as long
MAX_EARLY = 1000  # packets that come before the probe's answer; a camera sends none or one
# Not an option for users: tests and benchmarks switch it off to show its effect.
QUICK_ACKS = True
# Between a camera's dropping us and the next Init (zcine: sooner wedges some bodies).
AFTER_DROP_S = 1.2
# A camera that does not ask its owner answers at once; a busy one within a second or two.
CONFIRM_AFTER_S = 3.0
LOOK_S = 0.1  # how often `Identity.look` is called
PROBE_ANSWER_S = 1.0  # airmtp waits that long; no answer is no error (SX730: shezi/airmtp#2)


def acknowledges_at_once() -> bool:
    """Return whether the kernel lets ptpfast acknowledge received bytes without delay."""
    return QUICK_ACKS and hasattr(socket, "TCP_QUICKACK")


def shake_hands(
    address: Address,
    identity: Identity,
    timeouts: Timeouts,
    *,
    probes: bool = True,
    number: int | None = None,
) -> Opened:
    """Connect and complete the handshake on both connections.

    Args:
        address: the camera's address.
        identity: the identity of this computer.
        timeouts: the timeouts.
        probes: send a Probe Request at the end. If the camera drops the connection then, connect
            once more without one (`Opened.probes`).
        number: the connection number of Init Event Request; by default the camera's.

    Raises:
        ConnectFailed: nothing answers, or no camera.
        InitFailed: the camera refuses.
    """
    knock = partial(_shake_hands, address, identity.filled(), timeouts, number)
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
    address: Address,
    identity: Identity,
    timeouts: Timeouts,
    number: int | None,
    deadline: float,
    *,
    probes: bool,
) -> Opened:
    recorder = identity.recorder
    command = open_channel(address, deadline, recorder=recorder)
    try:
        with raise_connect_failed(address, "handshake"):
            ack = _init_command(command, identity, deadline, address, timeouts.approval)
        deadline = max(deadline, time.monotonic() + timeouts.connect)  # the owner took a while
        opened = Opened(command, None, ack.connection_number, ack.guid, ack.name, probes)
        _open_event(opened, address, deadline, number, recorder)
    except BaseException:
        command.close()
        raise
    return opened


def _open_event(
    opened: Opened,
    address: Address,
    deadline: float,
    number: int | None,
    recorder: Recorder | None,
) -> None:
    """Open the Event connection of a camera that has answered."""
    who = f"{opened.name or 'a camera'} answered at {address}"
    try:
        opened.event = event = open_channel(
            address, deadline, patient=True, who=who, recorder=recorder
        )
        try:
            with raise_connect_failed(address, "second handshake", who):
                _init_event(event, opened.number if number is None else number, deadline, address)
            _show_life(event, opened, who)
        except BaseException:
            event.close()
            raise
    except ConnectFailed as error:
        error.answered = True
        raise


class _DroppedAtProbeError(ConnectFailed):
    """The camera closed the Event connection when it was probed."""


def open_channel(
    address: Address,
    deadline: float,
    *,
    patient: bool = False,
    who: str = "",
    recorder: Recorder | None = None,
    usual_port: int = DEFAULT_PORT,
) -> Channel:
    """Open a TCP connection.

    Args:
        address: where to connect to.
        deadline: give up then, by time.monotonic.
        patient: retry a refused connection until the deadline.
        who: the camera that has answered already, for messages.
        recorder: what records the connection.
        usual_port: the port of real cameras for such a connection, by which a recorder knows what
            its packets are.

    Raises:
        ConnectFailed: nothing answers; NothingListens if the host refuses.
    """
    while True:
        left = deadline - time.monotonic()
        try:
            sock = socket.create_connection(address, timeout=max(left, 0.05))
        except ConnectionRefusedError as error:
            if patient and left > EVENT_CONNECT_RETRY_S:
                time.sleep(EVENT_CONNECT_RETRY_S)
                continue
            raise _refused(address, who) from error
        except TimeoutError as error:
            if who:
                raise ConnectFailed(
                    f"{who} and then did not answer the second connection", hint=_RESTART
                ) from error
            raise ConnectFailed(f"no answer from {address}") from error
        except OSError as error:
            if (limit := LimitReached.of(error)) is not None:
                raise limit from error
            reason = error.strerror or str(error)
            kind = NameUnknown if isinstance(error, socket.gaierror) else ConnectFailed
            raise kind(f"cannot reach {address}: {reason}") from error
        try:
            # Requests are small and must leave at once: Nagle and delayed ACK cost 40 ms each. The
            # Channel sees to it that the camera does not wait for our acknowledgements either.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            channel = Channel(sock, quick_acks=QUICK_ACKS)
        except OSError as error:  # macOS says so of a connection that is reset already
            sock.close()
            if (limit := LimitReached.of(error)) is not None:
                raise limit from error
            raise ConnectFailed(f"{address} closed the connection at once") from error
        return channel if recorder is None else recorder.tapped(channel, address.host, usual_port)


class NothingListens(ConnectFailed):
    """The camera's host refused the first connection."""

    hint = "start the remote or 'connect to PC' mode in the camera's Wi-Fi menu, and check the port"


class NameUnknown(ConnectFailed):
    """The name of the camera's host has no address."""

    hint = (
        "no host and no paired camera has this name: 'ptpfast discover' shows the addresses of "
        "cameras, 'ptpfast pair --list' the names of paired ones"
    )


def _refused(address: Address, who: str) -> ConnectFailed:
    if who:
        return ConnectFailed(f"{who} and then refused the second connection", hint=_RESTART)
    return NothingListens(f"nothing listens at {address}")


_STRANGER = "check the address: this may be a router or another device, or a camera that hangs"
_RESTART = "switch the camera's Wi-Fi off and on, and try again"


@contextmanager
def raise_connect_failed(address: Address, step: str, who: str = "") -> Iterator[None]:
    """Raise ConnectFailed for a peer that breaks the protocol or is silent during the handshake.

    The message says that it is no camera, unless it has told its name (`who`).
    """
    try:
        yield
    except ProtocolError as error:
        text = f"something answers at {address}, but not as a PTP/IP camera does"
        if who:
            text = f"{who} and then broke the protocol in the {step}"
        raise ConnectFailed(text, hint=_RESTART if who else _STRANGER) from error
    except Timeout as error:
        text = f"{address} accepts connections but does not answer the {step}"
        if who:
            text = f"{who} and then stopped answering in the {step}"
        hint = (
            _RESTART if who else f"{_STRANGER}, or asks on its display; switch its Wi-Fi off and on"
        )
        raise ConnectFailed(text, hint=hint) from error
    except ConnectionLost as error:
        text = f"{address} closed the connection at once"
        if who:
            text = f"{who} and then closed the connection in the {step}"
        hint = _RESTART if who else _STRANGER
        raise ConnectFailed(text, hint=f"{hint}; another computer may be connected") from error


def _answer(channel: Channel, expected: type[Any], deadline: float, address: Address) -> Any:
    while True:
        raw = channel.receive_packet(timeout_s=max(deadline - time.monotonic(), 0.05))
        packet = parse(raw)
        if not isinstance(packet, (wire.Event, wire.ProbeRequest, wire.ProbeResponse)):
            break  # a hasty camera's are not the answer
        if time.monotonic() >= deadline:
            raise Timeout("events and probes came, but no answer")
    if isinstance(packet, wire.InitFail):
        raise InitFailed(packet.reason, where=f"the camera at {address}")
    if not isinstance(packet, expected):
        raise ProtocolError(f"{type(packet).__name__} came, {expected.__name__} was expected")
    return packet


def _init_command(
    command: Channel, identity: Identity, deadline: float, address: Address, approval_s: float
) -> wire.InitCommandAck:
    """Introduce this computer; return the camera's answer.

    Some bodies answer a computer that they do not know after their owner has accepted it (Sony's
    reference: wait a minute). They show it for as long as the connection stands.
    """
    encoded = (identity.name or "").encode("utf-16-le", "replace")[: 2 * MAX_NAME_UNITS]
    units = encoded.decode("utf-16-le", "ignore")
    request = wire.InitCommandRequest(identity.guid or bytes(16), units, PROTOCOL_VERSION)
    command.send(pack(request))
    if identity.confirm is not None:
        try:
            soon = min(deadline, time.monotonic() + CONFIRM_AFTER_S)
            return _init_ack(command, identity, soon, address)
        except Timeout:
            identity.confirm(
                f"the camera at {address} has not answered yet: "
                f"if it shows this computer ({units}), accept it there"
            )
            deadline = max(deadline, time.monotonic() + approval_s)
    return _init_ack(command, identity, deadline, address)


def _init_ack(
    command: Channel, identity: Identity, deadline: float, address: Address
) -> wire.InitCommandAck:
    """Wait for the camera's answer, and look meanwhile whether it is still wanted."""
    ack: wire.InitCommandAck
    while True:
        until = deadline if identity.look is None else min(deadline, time.monotonic() + LOOK_S)
        try:
            ack = _answer(command, wire.InitCommandAck, until, address)
        except Timeout:
            if identity.look is None or until >= deadline:
                raise
            identity.look()
        else:
            return ack


def _init_event(event: Channel, number: int, deadline: float, address: Address) -> None:
    event.send(pack(wire.InitEventRequest(number)))
    _answer(event, wire.InitEventAck, deadline, address)


def _show_life(event: Channel, opened: Opened, who: str) -> None:
    """Send a probe, or pause for a second: some bodies hang at the first operation without
    (airmtp)."""
    until = time.monotonic() + PROBE_ANSWER_S
    try:
        if opened.probes:
            event.send(pack(wire.ProbeRequest()))
        while (left := until - time.monotonic()) > 0:
            raw = event.receive_packet(timeout_s=left)
            try:
                packet = parse(raw)
            except ProtocolError as error:  # unknown packets are skipped
                log.debug("ignored on the Event connection: %s", error)
                continue
            if isinstance(packet, wire.ProbeResponse):
                return
            if len(opened.early) < MAX_EARLY:
                opened.early.append(raw)
    except Timeout:
        log.debug("%s: no answer to a probe", who)
    except ConnectionLost as error:
        if opened.probes:
            raise _DroppedAtProbeError(f"{who} and closed the connection when probed") from error
        text = f"{who} and then closed the connection, before the first operation"
        raise ConnectFailed(text, hint=f"{_RESTART}; another computer may be connected") from error
