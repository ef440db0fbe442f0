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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _wire
from ._engine import Channel
from ._wire import pack, parse
from .codes import PROTOCOL_VERSION
from .errors import ConnectFailed, ConnectionLost, InitFailed, ProtocolError, Timeout

if TYPE_CHECKING:
    from ._wire import Packet

log = logging.getLogger("ptpfast")

MAX_NAME_UNITS = 39  # and a NUL: the only explicit limit in any source is 40 (sequoia-ptpy)
EVENT_CONNECT_RETRY_S = 0.1  # the Ricoh Theta listens late; libgphoto2 pauses as long
MAX_EARLY = 1000  # packets that come before the probe's answer; a camera sends none or one
# Not an option for users: tests and benchmarks switch it off to show what it is for.
QUICK_ACKS = True
PROBE_ANSWER_S = 1.0  # airmtp waits that long; no answer is no error (SX730: shezi/airmtp#2)


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
    packets that came on the Event connection before it was over."""

    command: Channel
    event: Channel
    connection_number: int = 0
    guid: bytes = b""
    name: str = ""
    early: list[Packet] = field(default_factory=list)


def shake_hands(
    host: str, port: int, guid: bytes | None, name: str | None, timeouts: Timeouts
) -> Handshake:
    """Connects and shakes hands on both connections. ConnectFailed, InitFailed."""
    deadline = time.monotonic() + timeouts.connect
    where = f"{host}:{port}"
    command = _connect(host, port, deadline)
    try:
        with _stranger_is_not_a_camera(where):
            ack = _init_command(command, guid or default_guid(), name, deadline, where)
        event = _connect(host, port, deadline, patient=True)
        done = Handshake(command, event, ack.connection_number, ack.guid, ack.name)
        try:
            with _stranger_is_not_a_camera(where):
                _init_event(done, deadline, where)
        except BaseException:
            event.close()
            raise
    except BaseException:
        command.close()
        raise
    return done


def _connect(host: str, port: int, deadline: float, *, patient: bool = False) -> Channel:
    """A TCP connection; `patient` tries a refused one again until the deadline."""
    where = f"{host}:{port}"
    while True:
        left = deadline - time.monotonic()
        try:
            sock = socket.create_connection((host, port), timeout=max(left, 0.05))
        except ConnectionRefusedError as error:
            if patient and left > EVENT_CONNECT_RETRY_S:
                time.sleep(EVENT_CONNECT_RETRY_S)
                continue
            raise ConnectFailed(f"nothing listens at {where}") from error
        except TimeoutError as error:
            raise ConnectFailed(f"no answer from {where}") from error
        except OSError as error:
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
            raise ConnectFailed(f"{where} closed the connection at once") from error


@contextmanager
def _stranger_is_not_a_camera(where: str) -> Iterator[None]:
    """During the handshake, what breaks the protocol or says nothing is no camera."""
    hint = "check the address: this may be a router or another device, or a camera that hangs"
    try:
        yield
    except ProtocolError as error:
        text = f"something answers at {where}, but not as a PTP/IP camera does"
        raise ConnectFailed(text, hint=hint) from error
    except Timeout as error:
        text = f"{where} accepts connections but does not answer"
        raise ConnectFailed(text, hint=f"{hint}; switch its Wi-Fi off and on") from error
    except ConnectionLost as error:
        text = f"{where} closed the connection at once"
        raise ConnectFailed(text, hint=f"{hint}; another computer may be connected") from error


def _answer(channel: Channel, expected: type[Any], deadline: float, where: str) -> Any:
    while True:
        raw = channel.receive_packet(timeout_s=max(deadline - time.monotonic(), 0.05))
        packet = parse(raw)
        if not isinstance(packet, (_wire.Event, _wire.ProbeRequest, _wire.ProbeResponse)):
            break  # a hasty camera's are not the answer
        if time.monotonic() >= deadline:
            raise Timeout("events and probes came, but no answer")
    if isinstance(packet, _wire.InitFail):
        raise InitFailed(packet.reason, where=f"the camera at {where}")
    if not isinstance(packet, expected):
        raise ProtocolError(f"{type(packet).__name__} came, {expected.__name__} was expected")
    return packet


def _init_command(
    command: Channel, guid: bytes, name: str | None, deadline: float, where: str
) -> _wire.InitCommandAck:
    encoded = (name or default_name()).encode("utf-16-le", "replace")[: 2 * MAX_NAME_UNITS]
    units = encoded.decode("utf-16-le", "ignore")
    command.send(pack(_wire.InitCommandRequest(guid, units, PROTOCOL_VERSION)))
    ack: _wire.InitCommandAck = _answer(command, _wire.InitCommandAck, deadline, where)
    return ack


def _init_event(done: Handshake, deadline: float, where: str) -> None:
    done.event.send(pack(_wire.InitEventRequest(done.connection_number)))
    _answer(done.event, _wire.InitEventAck, deadline, where)
    # Without this probe, or a second of silence, some bodies hang on the first operation (airmtp).
    done.event.send(pack(_wire.ProbeRequest()))
    until = time.monotonic() + PROBE_ANSWER_S
    try:
        while (left := until - time.monotonic()) > 0:
            raw = done.event.receive_packet(timeout_s=left)
            try:
                packet = parse(raw)
            except ProtocolError as error:  # unknown packets are to be stepped over
                log.debug("ignored on the Event connection: %s", error)
                continue
            if isinstance(packet, _wire.ProbeResponse):
                return
            if len(done.early) < MAX_EARLY:
                done.early.append(packet)
    except Timeout:
        log.debug("%s does not answer probes", where)
