"""The transactions of a client, one after the other.

It checks session and transaction id, runs the operation and the faults, and tells the door to send
the data phase and the response. It runs in the thread of the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..engine.wire import OperationRequest, OperationResponse
from ..ptp.codes import OperationCode, ResponseCode
from ..vendors.body import CrashError, Later, ObjectRange, Reply
from .body import Body
from .call import Call
from .content import BytesContent, Content
from .counters import Counters, Transaction
from .door import Door
from .effects.data import Break
from .events import Events
from .faults import Fault, FaultTable
from .kinds import Stage
from .outlet import PeerLeftError
from .pace import Pace
from .peer import Peer
from .temperament import Temperament, in_turn

DATA_OUT = 2  # data phase info of an Operation Request
_LAST_TRANSACTION_ID = 0xFFFFFFFE
_DECISION_S = 0.05  # how often the owner of the camera is looked at

Source = tuple[Content, int, int]  # where a payload comes from: content, offset, size
Due = list[tuple[int, Fault]]  # faults of a data phase and its response, by their places


class Transactions:
    """Server of the clients of one camera, each in a separate thread."""

    def __init__(
        self,
        door: Door,
        body: Body,
        events: Events,
        faults: FaultTable,
        counters: Counters,
        pace: Pace,
        temperament: Temperament,
    ) -> None:
        self.temperament = temperament
        self._door = door
        self._body = body
        self._events = events
        self._faults = faults
        self._counters = counters
        self._pace = pace

    def serve(self, peer: Peer) -> None:
        """Serve a pair of connections until the stream ends or the pair does."""
        door, counters = self._door, self._counters
        for first in door.requests(peer, self._body.habits.idle_s):
            if self.temperament is Temperament.QUEUE:
                self._serve_request(peer, first)
                continue
            for request in in_turn(self.temperament, door, peer, counters, first):
                self._serve_request(peer, request)

    def _serve_request(self, peer: Peer, request: OperationRequest) -> None:
        running = _Running(request, self._counters.end_operation)
        self._counters.begin_operation(request.code)
        try:
            with self._events.held(request.transaction_id):
                self._answer(peer, request, running)
        finally:
            peer.payload_sent += running.payload
            running.end(None)

    def _answer(self, peer: Peer, request: OperationRequest, running: _Running) -> None:
        door, body = self._door, self._body
        if body.habits.needs_probe and not door.is_awake(peer):
            peer.wait(None)
        data = door.receive_data(peer) if request.data_phase == DATA_OUT else b""
        if pause := self._pace.pause():
            peer.wait(pause)

        def respond(code: int) -> None:
            door.respond(peer, OperationResponse(code, request.transaction_id))

        call = Call(peer, request, body.store, respond)
        refusal = self._refusal(peer, request)
        reply = self._strike_before(call) or refusal
        if reply is None and data is None:
            reply = Reply(ResponseCode.TransactionCancelled)
        if reply is None:
            reply = self._perform(peer, request, data or b"")
        if reply.code:
            self._send(call, reply, running)

    def _refusal(self, peer: Peer, request: OperationRequest) -> Reply | None:
        """Return the answer to a request that is not allowed now; None if it is."""
        opens = request.code in self._body.openings
        outside = opens or request.code == OperationCode.GetDeviceInfo
        if not peer.session_id:
            return None if outside else Reply(ResponseCode.SessionNotOpen)
        if opens:
            return None
        last, new = peer.last_transaction_id, request.transaction_id
        follows = last < new <= _LAST_TRANSACTION_ID or (last == _LAST_TRANSACTION_ID and new == 1)
        if self._body.habits.strict_tid and not follows:
            return Reply(ResponseCode.InvalidTransactionID)
        peer.last_transaction_id = new
        return None

    def _strike_before(self, call: Call) -> Reply | None:
        """Run the faults that come before the operation; return their reply, if any."""
        reply = None
        for fault in self._faults.due_before(call.request.code, call.handle):
            if fault.stage is Stage.BREAK:
                fault.strike(call.peer)
            else:
                reply = fault.strike(call) or reply
        return reply

    def _perform(self, peer: Peer, request: OperationRequest, data: bytes) -> Reply:
        """Run an operation: sessions belong to the connection, all else to the body."""
        match request.code:
            case code if code in self._body.openings:
                session_id = request.parameters[0] if request.parameters else 0
                only = self._body.habits.session_id
                if not session_id or only not in (None, session_id):
                    return Reply(ResponseCode.InvalidParameter)
                if peer.session_id:
                    return Reply(ResponseCode.SessionAlreadyOpened, (peer.session_id,))
                peer.session_id = session_id
                peer.last_transaction_id = request.transaction_id
                peer.cancelled = None
                self._body.take_events()  # those from before belong to no session
                self._body.begin_session(peer.initiator, request)
                with self._counters.changing():
                    self._counters.sessions_opened += 1
                return Reply()
            case OperationCode.CloseSession:
                peer.session_id = 0
                self._body.end_session(orderly=True)
                with self._counters.changing():
                    self._counters.sessions_closed += 1
                return Reply()
        try:
            while isinstance(reply := self._body.perform(request, data), Later):
                peer.wait(_DECISION_S)
            return reply
        except CrashError as crash:
            peer.leave()
            raise PeerLeftError("crash") from crash

    def _send(self, call: Call, reply: Reply, running: _Running) -> None:
        peer, request = call.peer, call.request
        source = self._source(peer, reply)
        if reply.data is not None and source is None:
            # The object has been deleted since the handler looked.
            reply = Reply(ResponseCode.InvalidObjectHandle)
        due = self._faults.due_during(
            request.code,
            call.handle,
            source[2] if source else None,
            peer.payload_sent,
            about_object=self._body.store.get(call.handle) is not None,
            dataset=isinstance(reply.data, bytes),
        )
        code = reply.code
        if source is None:
            for fault in _of_stage(Stage.BREAK, due):
                fault.strike(peer)
        else:
            if due and isinstance(reply.data, bytes):
                source = _source_of_dataset(reply.data, call, due)
            code = self._send_data(call, source, due, running) or code
        if not reply.ends:
            peer.outlet.flush()
            return
        self._respond(
            peer, OperationResponse(code, request.transaction_id, reply.parameters), due, running
        )

    def _source(self, peer: Peer, reply: Reply) -> Source | None:
        data = reply.data
        if not isinstance(data, ObjectRange):
            return None if data is None else (BytesContent(data), 0, len(data))
        stored = self._body.store.get(data.handle)
        if stored is None or stored.content is None:
            return None
        return self._pace.from_card(stored.content, peer.wait), data.offset, data.size

    def _send_data(self, call: Call, source: Source, due: Due, running: _Running) -> int | None:
        """Send the data phase; return the response code if it decides it."""
        content, offset, size = source
        plan = self._door.plan_data(call.request, size)
        for place, fault in due:
            if fault.stage is Stage.DATA:
                fault.strike(plan, place)
            elif fault.stage is Stage.BREAK:
                plan.breaks += (Break(place, fault.strike),)
        try:
            self._door.send_data(call.peer, plan, content, offset)
        finally:
            running.payload = plan.sent
        if plan.vanishes:
            with suppress(KeyError):  # it has just been deleted by other means
                self._body.store.delete(call.handle)
        return plan.code

    def _respond(
        self, peer: Peer, response: OperationResponse, due: Due, running: _Running
    ) -> None:
        for fault in _of_stage(Stage.RESPONSE, due):
            changed: OperationResponse | None = fault.strike(response)
            if changed is None:
                peer.outlet.flush()
                return
            response = changed
        running.end(response.code)
        self._door.respond(peer, response)


class _Running:
    """The running transaction. It is logged before its response leaves.

    So a client that has the response finds it in the log.
    """

    def __init__(self, request: OperationRequest, log: Callable[[Transaction], None]) -> None:
        self.payload = 0
        self._request = request
        self._log = log
        self._ended = False

    def end(self, response: int | None) -> None:
        """Log the transaction once; `response` is None when none is sent."""
        if self._ended:
            return
        self._ended = True
        _, code, transaction_id, parameters = self._request
        self._log(Transaction(code, transaction_id, parameters, response, self.payload))


def _of_stage(stage: Stage, due: Due) -> list[Fault]:
    return [fault for _, fault in due if fault.stage is stage]


def _source_of_dataset(dataset: bytes, call: Call, due: Due) -> Source:
    for fault in _of_stage(Stage.DATASET, due):
        dataset = fault.strike(dataset, call)
    return BytesContent(dataset), 0, len(dataset)
