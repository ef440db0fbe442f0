"""One Operation Request after the other, as the Command/Data connection brings them.

Reads the request and its data-out phase, checks session and transaction id, lets the operation's
handler answer, sends the data phase and the response. Runs in the thread of the Command/Data
connection; knows nothing of what operations do.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..engine.wire import (
    Cancel,
    Data,
    EndData,
    OperationRequest,
    OperationResponse,
    ProbeRequest,
    ProbeResponse,
    pack,
)
from ..ptp.codes import ROOT_OBJECTS, OperationCode, ResponseCode
from ..ptp.datasets import encode_array
from ..ptp.errors import ProtocolError
from ..vendors.body import ObjectRange, Reply
from .card import SlowContent
from .content import BytesContent
from .corruption import corrupt
from .data_in import DataIn, Source, strike
from .faults import Fault
from .kinds import Stage
from .peer import Peer, PeerLeftError, parse_known
from .temperament import in_turn

if TYPE_CHECKING:
    from .responder import SimulatedCamera

DATA_OUT = 2  # data phase info of an Operation Request
PAUSE_INSTEAD_OF_PROBE_S = 1.0
_LAST_TRANSACTION_ID = 0xFFFFFFFE
_LARGEST_DATA_OUT = 64 << 20
_SILENCE = Reply(0)  # no response at all


class Transaction(NamedTuple):
    """A line of the simulated camera's log; `response` is None when none was sent."""

    operation: int
    transaction_id: int
    parameters: tuple[int, ...]
    response: int | None
    payload: int  # bytes of the data-in phase


@dataclass
class _Running:
    """The transaction being served, until it is in the log: before its response leaves, so that
    whoever has the response finds it there."""

    camera: SimulatedCamera
    request: OperationRequest
    payload: int = 0
    _ended: bool = False

    def end(self, response: int | None) -> None:
        """Log it, the first time; `response` is None when none is sent."""
        if self._ended:
            return
        self._ended = True
        _, code, transaction_id, parameters = self.request
        self.camera.end_operation(
            Transaction(code, transaction_id, parameters, response, self.payload)
        )


def serve_transactions(camera: SimulatedCamera, peer: Peer) -> None:
    """Until the stream ends or the pair of connections does."""
    idle_s = camera.body.habits.idle_s
    while peer.reader.comes_within(idle_s) and (packet := peer.reader.read()):
        for turn in in_turn(camera, peer, parse_known(packet)):
            match turn:
                case OperationRequest() as request:
                    _serve(camera, peer, request)
                case ProbeRequest():
                    # Answers go on the Event connection, whichever asked (malc0mn, after CIPA).
                    peer.probed = True
                    peer.send_event(ProbeResponse())
                case ProbeResponse():
                    camera.count("probe_responses")


def _serve(camera: SimulatedCamera, peer: Peer, request: OperationRequest) -> None:
    running = _Running(camera, request)
    camera.begin_operation(request.code)
    try:
        with camera.events_held(request.transaction_id):
            _answer(camera, peer, request, running)
    finally:
        peer.payload_sent += running.payload
        running.end(None)


def _answer(
    camera: SimulatedCamera, peer: Peer, request: OperationRequest, running: _Running
) -> None:
    if _hangs(camera, peer):
        peer.wait(None)
    data = _receive_data(peer) if request.data_phase == DATA_OUT else b""
    if pause := camera.pause():
        peer.wait(pause)
    handle = _object_of(request)
    refusal = _refusal(camera, peer, request)
    reply = _strike_before(camera, peer, request, handle) or refusal
    if reply is None and data is None:
        reply = Reply(ResponseCode.TransactionCancelled)
    if reply is None:
        reply = _perform(camera, peer, request, data or b"")
    if reply is not _SILENCE:
        _send(camera, peer, request, reply, handle, running)


def _hangs(camera: SimulatedCamera, peer: Peer) -> bool:
    """Some bodies do when asked right after Init Event Ack with no Probe Request (airmtp)."""
    if not camera.body.habits.needs_probe or peer.probed or peer.event_acknowledged_at is None:
        return False
    return time.monotonic() - peer.event_acknowledged_at < PAUSE_INSTEAD_OF_PROBE_S


def _receive_data(peer: Peer) -> bytes | None:
    """The payload of a data-out phase; None when it was cancelled."""
    payload = bytearray()
    while packet := peer.reader.read():
        match parse_known(packet):
            case Data(_, piece):
                payload += piece
            case EndData(_, piece):
                payload += piece
                return bytes(payload)
            case Cancel():
                return None
            case OperationRequest():
                raise ProtocolError("an Operation Request inside a data-out phase")
        if len(payload) > _LARGEST_DATA_OUT:
            raise ProtocolError(f"a data-out phase of more than {_LARGEST_DATA_OUT} bytes")
    raise PeerLeftError("in a data-out phase")


def _object_of(request: OperationRequest) -> int:
    """The object an operation is about, as `Fault.handle` means it."""
    index = 2 if request.code == OperationCode.GetObjectHandles else 0
    return request.parameters[index] if index < len(request.parameters) else 0


def _refusal(camera: SimulatedCamera, peer: Peer, request: OperationRequest) -> Reply | None:
    """The answer to a request that may not be made now."""
    outside = request.code in (OperationCode.GetDeviceInfo, OperationCode.OpenSession)
    if not peer.session_id:
        return None if outside else Reply(ResponseCode.SessionNotOpen)
    if request.code == OperationCode.OpenSession:
        return None
    last, new = peer.last_transaction_id, request.transaction_id
    follows = last < new <= _LAST_TRANSACTION_ID or (last == _LAST_TRANSACTION_ID and new == 1)
    if camera.body.habits.strict_tid and not follows:
        return Reply(ResponseCode.InvalidTransactionID)
    peer.last_transaction_id = new
    return None


def _perform(camera: SimulatedCamera, peer: Peer, request: OperationRequest, data: bytes) -> Reply:
    """Sessions are a matter of the connection; all else is the body's."""
    match request.code:
        case OperationCode.OpenSession:
            session_id = request.parameters[0] if request.parameters else 0
            if not session_id:
                return Reply(ResponseCode.InvalidParameter)
            if peer.session_id:
                return Reply(ResponseCode.SessionAlreadyOpened, (peer.session_id,))
            peer.session_id = session_id
            peer.last_transaction_id = request.transaction_id
            peer.cancelled = None
            camera.body.take_events()  # those of before are nobody's
            camera.count("sessions_opened")
            return Reply()
        case OperationCode.CloseSession:
            peer.session_id = 0
            camera.count("sessions_closed")
            return Reply()
    return camera.body.perform(request, data)


def _strike_before(
    camera: SimulatedCamera, peer: Peer, request: OperationRequest, handle: int
) -> Reply | None:
    """Lets the faults strike that come before the operation; the answer, where one gives it."""
    reply = None
    for fault in camera.faults.due_before(request.code, handle):
        match fault.kind:
            case "delay":
                peer.wait(float(fault.value or 0))
            case "busy":
                reply = Reply(ResponseCode.DeviceBusy)
            case "respond":
                reply = Reply(fault.number)
            case "ok_without_data":
                reply = Reply()
            case "delete_instead" | "delete_too":
                if camera.store.get(fault.number) is not None:
                    camera.store.delete(fault.number)
                reply = Reply() if fault.kind == "delete_instead" else reply
            case "no_answer":
                reply = _SILENCE
            case "sleep":
                code = ResponseCode.StoreNotAvailable
                _put(peer, OperationResponse(code, request.transaction_id))
                peer.outlet.flush()
                peer.leave()
                raise PeerLeftError(str(fault))
            case _:
                strike(peer, fault)
    return reply


def _send(
    camera: SimulatedCamera,
    peer: Peer,
    request: OperationRequest,
    reply: Reply,
    handle: int,
    running: _Running,
) -> None:
    source = _source(camera, peer, reply)
    if reply.data is not None and source is None:
        # The object has been deleted since the handler looked.
        reply = Reply(ResponseCode.InvalidObjectHandle)
    size = source[2] if source else None
    about_object = camera.store.get(handle) is not None
    faults = camera.faults.due_during(
        request.code,
        handle,
        size,
        peer.payload_sent,
        about_object=about_object,
        dataset=isinstance(reply.data, bytes),
    )
    code = reply.code
    if source is None:
        _strike_after(peer, faults)
    else:
        if isinstance(reply.data, bytes):
            source = _corrupted(camera, request, reply.data, faults)
        phase = DataIn(peer, request.transaction_id, source, camera.framing, faults)
        try:
            phase.send()
        finally:
            running.payload = phase.sent
        code = phase.code or code
        if any(fault.kind == "vanish" for _, fault in faults):
            with suppress(KeyError):  # somebody else has just deleted it
                camera.store.delete(handle)
    response = OperationResponse(code, request.transaction_id, reply.parameters)
    _respond(peer, response, faults, running)


def _source(camera: SimulatedCamera, peer: Peer, reply: Reply) -> Source | None:
    """Where a reply's payload comes from: content, offset, size."""
    data, link = reply.data, camera.link
    if isinstance(data, ObjectRange):
        stored = camera.store.get(data.handle)
        if stored is None or stored.content is None:
            return None
        if link.card is None:
            return stored.content, data.offset, data.size
        slow = SlowContent(stored.content, link.card, link.card_block, peer.wait)
        return slow, data.offset, data.size
    return None if data is None else (BytesContent(data), 0, len(data))


def _corrupted(
    camera: SimulatedCamera,
    request: OperationRequest,
    dataset: bytes,
    faults: list[tuple[int, Fault]],
) -> Source:
    handle = _object_of(request)
    for _, fault in faults:
        if fault.kind == "root_only" and not handle:
            root = camera.store.handles(request.parameters[0], 0, ROOT_OBJECTS)
            dataset = encode_array(root)
        elif fault.stage is Stage.DATASET:
            dataset = corrupt(fault, dataset, handle)
    return BytesContent(dataset), 0, len(dataset)


def _respond(
    peer: Peer,
    response: OperationResponse,
    faults: list[tuple[int, Fault]],
    running: _Running,
) -> None:
    for _, fault in faults:
        match fault.kind:
            case "response_wrong_tid":
                other = (response.transaction_id + 1) & 0xFFFFFFFF
                response = response._replace(transaction_id=other)
            case "response_tid_zero":
                response = response._replace(transaction_id=0)
            case "extra_parameters":
                more = (0,) * fault.number
                response = response._replace(parameters=response.parameters + more)
            case "no_response":
                peer.outlet.flush()
                return
    running.end(response.code)
    _put(peer, response)
    peer.outlet.flush()


def _put(peer: Peer, response: OperationResponse) -> None:
    packet = pack(response)
    peer.outlet.put(packet, len(packet))


def _strike_after(peer: Peer, faults: list[tuple[int, Fault]]) -> None:
    """The faults that break connections, for an operation without a data phase."""
    for _, fault in faults:
        if fault.stage is Stage.BREAK:
            strike(peer, fault)
