"""The connection class of mmattes/ptpip: a queue of commands in front of a session.

It runs commands in order in the user's thread (`communication_thread`). Each command receives its
result. The session does the rest.

Source: mmattes/ptpip (ptpip/ptpip.py, README.md, samples/take_picture.py) for names and behaviour.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from types import TracebackType
from typing import Any, Self

from ..engine import wire
from ..engine.sink import MemorySink
from ..link.answers import response_of
from ..link.events import QUEUE_SIZE, Event, EventHub, Source, Subscription
from ..link.pipelining import Request
from ..ptp.codes import DEFAULT_PORT, PROTOCOL_VERSION, OperationCode
from ..ptp.errors import (
    ConnectionLost,
    DeviceBusy,
    PTPError,
    ResponseError,
    TransferError,
)
from ..session.connecting import connect
from ..session.session import Session
from .packets import (
    PtpIpCmdRequest,
    PtpIpCmdResponse,
    PtpIpDataObject,
    PtpIpEvent,
    PtpIpEventFactory,
    PtpIpEventReq,
    PtpIpInitCmdReq,
    PtpIpPacket,
    PtpIpPing,
    body,
)
from .queues import CommandQueue, SharedList

log: logging.Logger = logging.getLogger("ptpfast")

DEFAULT_HOST = "192.168.1.1"  # the seed's camera, where it is its own access point
GET_EVENT, DEVICE_READY = 0x90C7, 0x90C8  # vendor operations that the seed itself knows
# The seed asked every second. Cameras of its kind drop a connection that is idle for 30 s.
KEEP_ALIVE_S = 5.0


class PtpIpConnection:
    """A connection to a camera.

    `open` it, run `communication_thread` in a thread, queue requests, then `close` it. It also
    works in a `with`. The last three attributes are None before `open`.

    Attributes:
        cmd_queue: Requests that have not begun.
        event_queue: Events, each once: those that 0x90C7 fetched, and those of the Event
            connection.
        object_queue: Objects that 0x1009 fetched.
        session: The `ptpfast.Session`.
        session_events: A subscription to its events.
        session_id: The connection number.
    """

    def __init__(self) -> None:
        self.session: Session | None = None
        self.session_events: Subscription | None = None
        self.session_id: int | None = None
        self.cmd_queue: CommandQueue = CommandQueue()
        self.event_queue: SharedList[PtpIpEvent] = SharedList()
        self.object_queue: SharedList[PtpIpDataObject] = SharedList()
        self._running = 0  # commands being run; guarded by cmd_queue.changed
        # Packets for `recieve_data`, by the session they were sent to.
        self._answers: defaultdict[Any, deque[bytes]] = defaultdict(deque)

    # Opening and closing

    def open(self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, **options: Any) -> None:
        """Connect and open a session.

        Args:
            host: the camera.
            port: its TCP port.
            options: those of `ptpfast.connect`.

        Raises:
            ConnectFailed, InitFailed, ResponseError: there is no session.
        """
        if self.session is not None:
            self.session.close()
        session = self.connect(host, port, **options)
        with self.cmd_queue.changed:
            self.session = session
            self.session_id = session.link.connection.number
            self.session_events = self._subscribe(session.link.hub)
            self._answers.clear()
            self.cmd_queue.closed = False
            self.cmd_queue.changed.notify_all()

    def connect(
        self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, **options: Any
    ) -> Session:
        """Return a separate session with the camera at this address."""
        return connect(host, port=port, **options)

    def _subscribe(self, hub: EventHub) -> Subscription:
        """Fill `event_queue` from now on, including events that came while connecting."""
        queue = _Queueing(hub, self)
        with hub.changed:
            for earlier in hub.subscriptions:
                while (event := earlier.get(0)) is not None:
                    queue.put(event)
            hub.subscriptions.append(queue)
        return hub.subscribe()

    def close(self) -> None:
        """End the session. Waiting requests and the running one get Cancelled as their error.

        `communication_thread` returns. Safe to call twice; `open` may follow.
        """
        self.cmd_queue.close()
        if self.session is None:
            return
        with self.cmd_queue.changed:
            if self._running:
                self.session.cancel()
            self.cmd_queue.changed.wait_for(
                lambda: not self._running, self.session.link.connection.timeouts.close
            )
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Commands in the background

    def send_ptpip_cmd(self, ptpip_packet: PtpIpCmdRequest) -> None:
        """Queue a request; `ptpip_packet.result()` waits for its outcome."""
        self.cmd_queue.append(ptpip_packet)

    def communication_thread(self) -> None:
        """Send the queued requests in order, until `close`. Run it in a thread.

        An error does not end it: the request and the log have it. Keep-alive requests stop an idle
        camera from disconnecting.
        """
        queue = self.cmd_queue
        while True:
            with queue.changed:
                queue.changed.wait_for(
                    lambda: queue.closed or (queue and self.session is not None), KEEP_ALIVE_S
                )
                if queue.closed:
                    return
                session = self.session
                request = queue.pop(0) if queue and session is not None else None
            if request is None:
                self._keep_alive(session)
                continue
            try:
                self._run(request, session)
            except Exception:  # noqa: BLE001  any error is the request's result
                pass
            if request.error is not None:
                log.debug("a command has failed: %s", request.error)

    def _keep_alive(self, session: Session | None) -> None:
        if session is None or not session.usable:
            return
        asked = DEVICE_READY if session.link.supports(DEVICE_READY) else OperationCode.GetDeviceInfo
        try:
            session.link.command(asked, busy_s=0.0)
        except ResponseError:
            pass  # it lives
        except PTPError as error:
            log.warning("the camera is gone: %s", error)

    # One command

    def send_recieve_ptpip_packet(self, ptpip_packet: PtpIpPacket, session: Any) -> Any:
        """Send a packet and return the last packet of the answer; for a request a PtpIpCmdResponse.

        Raises:
            NetworkError, ProtocolError: no response came.
        """
        if isinstance(ptpip_packet, PtpIpCmdRequest):
            ptpip_packet.begin()
            return self._run(ptpip_packet, session)
        self._ask(ptpip_packet, session)
        return PtpIpPacket().factory(self.recieve_data(session))

    def _run(self, request: PtpIpCmdRequest, session: Session | None) -> PtpIpCmdResponse:
        """Run one request to its end and store the outcome in it.

        Raises:
            PTPError: the request failed; a ResponseError is not raised.
        """
        if session is None:
            request.finish(RuntimeError("not connected: call open() first"))
            return request.result()
        self._count(1)
        error: BaseException | None = None
        try:
            self._transact(request, session)
            self._deliver(request, session)
        except ResponseError as refusal:
            error = refusal
            answer = (refusal.code, refusal.transaction_id or 0, refusal.parameters)
            request.response = _response(*answer)
        except BaseException as other:
            error = other
            raise
        finally:
            self._count(-1)
            request.finish(error)
        assert request.response is not None
        return request.response

    def _count(self, more: int) -> None:
        with self.cmd_queue.changed:
            self._running += more
            self.cmd_queue.changed.notify_all()

    def _transact(self, request: PtpIpCmdRequest, session: Session) -> None:
        sink = MemorySink()

        def ask(busy_s: float | None) -> None:
            code, given, data = request.ptp_cmd, request.args, request.data_out
            phase = session.link.transact(Request(code, given, sink=sink, data=data), busy_s=busy_s)
            response = response_of(phase)
            request.transaction_id = phase.transaction_id
            request.response = _response(*response)
            request.data_in = (sink.finish() or bytearray()) if phase.started else None

        try:
            ask(0.0)
        except DeviceBusy as busy:
            if busy.received:
                raise
            self._wait_ready(session)
            ask(None)

    def _wait_ready(self, session: Session) -> None:
        """Ask the camera whether it is ready; some bodies stay busy until then."""
        if session.link.supports(DEVICE_READY):
            try:
                session.link.command(DEVICE_READY)
            except ResponseError:
                pass  # its last task failed, which does not concern the next command

    def _deliver(self, request: PtpIpCmdRequest, session: Session) -> None:
        if request.ptp_cmd == GET_EVENT:
            for event in PtpIpEventFactory(request.data_in or b"").get_events():
                given = (event.event_parameter,)
                session.link.hub.publish(Event(event.event_code, given, source=Source.POLL))
        elif request.ptp_cmd == OperationCode.GetObject:
            if request.data_in is None:
                raise TransferError("GetObject: the camera reported success but sent no data")
            handle = request.args[0] if request.args else 0
            self.object_queue.append(PtpIpDataObject(handle, request.data_in))

    # Packet by packet

    def send_ptpip_event_req(self, ptpip_packet: PtpIpEventReq, session: Any) -> None:
        """Send an Init Event Request. A missing connection number is filled in."""
        self._ask(ptpip_packet, session)

    def send_data(self, data: Any, session: Any) -> None:
        """Do what a packet asks for (its bytes after the length field).

        `recieve_data` then returns the packets of the answer. Packets of the handshake get the
        answers that the camera gave in `open`.
        """
        self._ask(PtpIpPacket().factory(data), session)

    def _ask(self, packet: Any, session: Any) -> None:
        answers = self._answers[session]
        if isinstance(packet, PtpIpEventReq):
            if packet.session_id is None:
                packet.session_id = self.session_id
            answers.append(body(wire.InitEventAck()))
        elif isinstance(packet, PtpIpInitCmdReq):
            there = session.link.connection
            self.session_id = number = there.number
            ack = wire.InitCommandAck(number, there.guid, there.name, PROTOCOL_VERSION)
            answers.append(body(ack))
        elif isinstance(packet, PtpIpPing):
            self._keep_alive(session)
            answers.append(body(wire.ProbeResponse()))
        elif isinstance(packet, PtpIpCmdRequest):
            response, payload = self._run(packet, session), packet.data_in
            number = packet.transaction_id
            if payload is not None:
                answers.append(body(wire.StartData(number, len(payload))))
                answers.append(body(wire.EndData(number, payload)))
            code = response.ptp_response_code
            answers.append(body(wire.OperationResponse(code, number, response.args)))
        else:
            raise TypeError(f"a {type(packet).__name__} cannot be sent to a camera")

    def recieve_data(self, session: Any) -> bytes:
        """Return the next packet without its length field: of an answer, or the next event.

        Raises:
            ConnectionLost: the Event connection has ended.
        """
        answers = self._answers[session]
        if answers:
            return answers.popleft()
        if not isinstance(session, Subscription):
            raise RuntimeError("no packet was sent, so no answer will come")
        event = session.get()
        if event is None:
            raise ConnectionLost("the Event connection has ended")
        return body(wire.Event(event.code, event.transaction_id, event.parameters))


class _Queueing(Subscription):
    """A subscription that appends to `event_queue`."""

    def __init__(self, hub: EventHub, connection: PtpIpConnection) -> None:
        super().__init__(hub)
        self._connection = connection

    def put(self, event: Event) -> None:
        parameter = event.parameters[0] if event.parameters else 0
        queue = self._connection.event_queue
        queue.append(PtpIpEvent(event.code, parameter))
        if len(queue) > QUEUE_SIZE:  # nothing takes them, and a camera may never stop sending
            del queue[0]


def _response(code: int, transaction_id: int, parameters: tuple[int, ...]) -> PtpIpCmdResponse:
    response = PtpIpCmdResponse()
    response.ptp_response_code, response.transaction_id = code, transaction_id
    response.args = parameters
    return response
