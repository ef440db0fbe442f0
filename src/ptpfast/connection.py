"""The two TCP connections to a camera: handshake, transactions one at a time, events, an orderly
end.

What an operation means is not known here, nor what a vendor needs; see `session`.
Sources: CIPA DC-005 as in malc0mn/ptp-ip; libgphoto2 (ptpip.c) and airmtp (mtpwifi.py) for what
cameras really do; each constant names its own.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _wire
from ._engine import Channel, DataPhase, Timeline
from ._sink import Sink
from ._wire import OperationResponse, pack, parse
from .codes import DEFAULT_PORT, PROTOCOL_VERSION
from .errors import (
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    InitFailed,
    NetworkError,
    ProtocolError,
    SinkError,
    Timeout,
)
from .events import Event, EventHub

if TYPE_CHECKING:
    from ._wire import Packet

log = logging.getLogger("ptpfast")

MAX_NAME_UNITS = 39  # and a NUL: the only explicit limit in any source is 40 (sequoia-ptpy)
EVENT_CONNECT_RETRY_S = 0.1  # the Ricoh Theta listens late; libgphoto2 pauses as long
PROBE_ANSWER_S = 1.0  # airmtp waits that long; no answer is no error (SX730: shezi/airmtp#2)
LAST_TRANSACTION_ID = 0xFFFFFFFE  # 0 and all ones are reserved (ISO 15740)
PAUSE_S = 0.1  # how often a long transaction reports
# After an error in mid-phase: this much is read and dropped to keep the connection usable.
DRAIN_SIZE = 64 << 20


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for a TCP connection and its handshake (`connect`), for the first byte of an
    answer (`operation`), for each next byte (`idle`), for everything at the end (`close`)."""

    connect: float = 10.0
    operation: float = 30.0
    idle: float = 30.0
    close: float = 2.0


def default_guid() -> bytes:
    """This computer's GUID, the same in every run: cameras tie pairing to it.

    Ten bytes from the machine's id (its name where it has none), six zero bytes: Sony bodies take a
    GUID that ends so from any host, others do not care (airmtp).
    """
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine = ""
    seed = f"ptpfast {machine or platform.node()}"
    return hashlib.sha256(seed.encode()).digest()[:10] + bytes(6)


def default_name() -> str:
    """This computer's name, as the camera may show it."""
    return platform.node() or "ptpfast"


class Connection:
    """The Command/Data connection and the Event connection to one Responder.

    Made by `open`. `guid` and `name` afterwards are the Responder's. One transaction runs at a
    time; `transact` may be called from several threads. Events and probes are served by a thread of
    its own for as long as the connection stands. When a NetworkError or ProtocolError comes out, it
    is over.
    """

    def __init__(self, host: str, port: int, timeouts: Timeouts) -> None:
        self.host = host
        self.port = port
        self.timeouts = timeouts
        self.events = EventHub()
        self.guid = b""
        self.name = ""
        self.connection_number = 0
        self._command: Channel
        self._event: Channel
        self._reader: threading.Thread | None = None
        self._lock = threading.RLock()
        self._last_id = 0
        self._pending: DataPhase | None = None  # interrupted; must be read to its end first
        self._closed = False

    @classmethod
    def open(
        cls,
        host: str,
        port: int = DEFAULT_PORT,
        *,
        guid: bytes | None = None,
        name: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> Connection:
        """Connects and shakes hands. ConnectFailed, InitFailed."""
        self = cls(host, port, timeouts or Timeouts())
        deadline = time.monotonic() + self.timeouts.connect
        self._command = self._connect(deadline)
        try:
            with self._stranger_is_not_a_camera():
                self._init_command(guid or default_guid(), name or default_name(), deadline)
            self._event = self._connect(deadline, patient=True)
            try:
                with self._stranger_is_not_a_camera():
                    self._init_event(deadline)
            except BaseException:
                self._event.close()
                raise
        except BaseException:
            self._command.close()
            raise
        self._reader = threading.Thread(
            target=self._read_events, name=f"ptpfast events {host}", daemon=True
        )
        self._reader.start()
        return self

    def _where(self) -> str:
        return f"{self.host}:{self.port}"

    def _connect(self, deadline: float, *, patient: bool = False) -> Channel:
        """A TCP connection; `patient` tries a refused one again until the deadline."""
        while True:
            left = deadline - time.monotonic()
            try:
                sock = socket.create_connection((self.host, self.port), timeout=max(left, 0.05))
            except ConnectionRefusedError as error:
                if patient and left > EVENT_CONNECT_RETRY_S:
                    time.sleep(EVENT_CONNECT_RETRY_S)
                    continue
                raise ConnectFailed(f"nothing listens at {self._where()}") from error
            except TimeoutError as error:
                raise ConnectFailed(f"no answer from {self._where()}") from error
            except OSError as error:
                reason = error.strerror or str(error)
                raise ConnectFailed(f"cannot reach {self._where()}: {reason}") from error
            # Requests are small and must leave at once: Nagle and delayed ACK cost 40 ms each.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return Channel(sock)

    @contextmanager
    def _stranger_is_not_a_camera(self) -> Iterator[None]:
        """During the handshake, what breaks the protocol or says nothing is no camera."""
        hint = "check the address: this may be a router or another device, or a camera that hangs"
        try:
            yield
        except ProtocolError as error:
            text = f"something answers at {self._where()}, but not as a PTP/IP camera does"
            raise ConnectFailed(text, hint=hint) from error
        except Timeout as error:
            text = f"{self._where()} accepts connections but does not answer"
            raise ConnectFailed(text, hint=f"{hint}; switch its Wi-Fi off and on") from error
        except ConnectionLost as error:
            text = f"{self._where()} closed the connection at once"
            raise ConnectFailed(text, hint=f"{hint}; another computer may be connected") from error

    def _answer(self, channel: Channel, expected: type[Any], deadline: float) -> Any:
        raw = channel.receive_packet(timeout_s=max(deadline - time.monotonic(), 0.05))
        packet = parse(raw)
        if isinstance(packet, _wire.InitFail):
            raise InitFailed(packet.reason, where=f"the camera at {self._where()}")
        if not isinstance(packet, expected):
            raise ProtocolError(f"{type(packet).__name__} came, {expected.__name__} was expected")
        return packet

    def _init_command(self, guid: bytes, name: str, deadline: float) -> None:
        units = name.encode("utf-16-le")[: 2 * MAX_NAME_UNITS].decode("utf-16-le", "ignore")
        request = _wire.InitCommandRequest(guid, units, PROTOCOL_VERSION)
        self._command.send(pack(request), timeout_s=self.timeouts.connect)
        ack = self._answer(self._command, _wire.InitCommandAck, deadline)
        self.connection_number, self.guid, self.name = ack.connection_number, ack.guid, ack.name

    def _init_event(self, deadline: float) -> None:
        timeout_s = self.timeouts.connect
        self._event.send(pack(_wire.InitEventRequest(self.connection_number)), timeout_s=timeout_s)
        self._answer(self._event, _wire.InitEventAck, deadline)
        # Without this probe, or a second of silence, some bodies hang on the first operation
        # (airmtp).
        self._event.send(pack(_wire.ProbeRequest()), timeout_s=timeout_s)
        until = time.monotonic() + PROBE_ANSWER_S
        try:
            while (left := until - time.monotonic()) > 0:
                packet = parse(self._event.receive_packet(timeout_s=left))
                if isinstance(packet, _wire.ProbeResponse):
                    return
                self._event_packet(packet)
        except Timeout:
            log.debug("%s does not answer probes", self._where())

    def _event_packet(self, packet: Packet) -> None:
        if isinstance(packet, _wire.ProbeRequest):
            self._event.send(pack(_wire.ProbeResponse()))
        elif isinstance(packet, _wire.Event):
            self.events.publish(Event(packet.code, packet.parameters, packet.transaction_id))

    def _read_events(self) -> None:
        try:
            while True:
                raw = self._event.receive_packet(timeout_s=None)
                try:
                    packet = parse(raw)
                except ProtocolError as error:  # one strange packet is no reason to go deaf
                    log.warning("ignored on the Event connection: %s", error)
                    continue
                self._event_packet(packet)
        except (NetworkError, Cancelled, ProtocolError) as error:
            if not self._closed:
                log.warning("the Event connection to %s ended: %s", self._where(), error)
        finally:
            self.events.close()

    def next_transaction_id(self) -> int:
        """1 after OpenSession, then one more each; wraps before the reserved value."""
        self._last_id = self._last_id % LAST_TRANSACTION_ID + 1
        return self._last_id

    def transact(
        self,
        operation: int,
        parameters: tuple[int, ...] = (),
        *,
        data: Any = None,
        sink: Sink | None = None,
        limit: int | None = None,
        in_session: bool = True,
        any_transaction_id: bool = False,
        label: str = "operation",
        on_pause: Callable[[DataPhase], None] | None = None,
        timeline: Timeline | None = None,
    ) -> DataPhase:
        """One transaction: request, data phase out or in if any, response. Returns the finished
        phase.

        data: bytes-like for a data-out phase. sink: where a data-in phase goes (None drops it).
        limit: payload bytes that were asked for. on_pause: called every 100 ms while bytes come,
        and when the sink is full (`phase.sink_full`): it must then set another one.
        Raises NetworkError, ProtocolError, SinkError, Cancelled; the response code is not looked
        at.
        """
        with self._lock:
            self._settle(self.timeouts.operation)
            transaction_id = self.next_transaction_id() if in_session else 0
            request = pack(
                _wire.OperationRequest(
                    1 if data is None else 2, operation, transaction_id, parameters
                )
            )
            if data is not None:
                request += pack(_wire.StartData(transaction_id, len(data)))
                request += pack(_wire.EndData(transaction_id, data))
            phase = DataPhase(
                transaction_id,
                sink,
                limit=limit,
                any_transaction_id=any_transaction_id,
                label=label,
            )
            self._command.send(request, timeout_s=self.timeouts.operation)
            self._pending = phase
            self._drive(phase, on_pause, timeline)
            self._pending = None
            self._take_strays(phase)
            return phase

    def _drive(
        self,
        phase: DataPhase,
        on_pause: Callable[[DataPhase], None] | None,
        timeline: Timeline | None,
    ) -> None:
        wait_s = self.timeouts.operation
        try:
            while not self._command.receive(
                phase,
                first_s=wait_s,
                idle_s=self.timeouts.idle,
                slice_s=None if on_pause is None else PAUSE_S,
                timeline=timeline,
            ):
                if on_pause is not None:
                    on_pause(phase)
                if phase.sink_full:
                    raise ProtocolError(
                        f"{phase.label}: more data than fits", received=phase.received
                    )
                wait_s = self.timeouts.idle
        except SinkError:
            # Our disk's fault, not the camera's: keep the connection if that is cheap.
            left = phase.total - phase.received if phase.total is not None else DRAIN_SIZE
            if left < DRAIN_SIZE:
                self._settle(self.timeouts.close)
            raise
        except (ConnectionLost, ProtocolError):
            self._broken()
            raise

    def _settle(self, timeout_s: float) -> None:
        """Reads an interrupted transaction to its end and drops what comes."""
        phase, self._pending = self._pending, None
        if phase is None or phase.done:
            return
        phase.sink = None
        until = time.monotonic() + timeout_s
        try:
            self._command.resume()
            while not phase.done:
                left = until - time.monotonic()
                if left <= 0:
                    raise Timeout(f"{phase.label}: its interrupted answer does not end")
                self._command.receive(phase, first_s=left, idle_s=left)
        except (NetworkError, ProtocolError, Cancelled):
            self._broken()
            raise

    def _take_strays(self, phase: DataPhase) -> None:
        for raw in phase.strays:
            try:
                packet = parse(raw)
            except ProtocolError as error:
                log.debug("ignored on the Command/Data connection: %s", error)
                continue
            if isinstance(packet, _wire.Event):
                self._event_packet(packet)

    def _broken(self) -> None:
        """Out of step or lost: nothing can be sent any more."""
        self._pending = None
        self._command.close()

    @property
    def usable(self) -> bool:
        """Whether another transaction can be tried."""
        return not self._closed and not self._command.closed

    def cancel(self) -> None:
        """Makes the running transaction raise Cancelled. From any thread."""
        self._command.cancel()

    def settle(self, timeout_s: float) -> bool:
        """Brings an interrupted transaction to an end; whether the connection is still usable."""
        try:
            with self._lock:
                self._settle(timeout_s)
        except (NetworkError, ProtocolError, Cancelled) as error:
            log.debug("gave up an interrupted transaction: %s", error)
        return self.usable

    def response(self, phase: DataPhase) -> OperationResponse:
        """The response of a finished phase (mypy cannot know it is there)."""
        assert phase.response is not None
        return phase.response

    def close(self) -> None:
        """Ends both connections, the Event connection first. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._event.close()
        self._command.close()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(self.timeouts.close)
        self.events.close()
