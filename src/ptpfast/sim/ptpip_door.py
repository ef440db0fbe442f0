"""The transport PTP/IP of the simulated camera: handshake, probes, cancels and packets.

It runs in the threads of the connections.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

from ..engine.wire import (
    Cancel,
    Data,
    EndData,
    Event,
    InitCommandAck,
    InitCommandRequest,
    InitEventAck,
    InitEventRequest,
    InitFail,
    OperationRequest,
    OperationResponse,
    Packet,
    PacketType,
    ProbeRequest,
    ProbeResponse,
    pack,
    parse,
)
from ..ptp.codes import PROTOCOL_VERSION, FailReason
from ..ptp.errors import ProtocolError
from ..vendors.body import Later
from .body import Body
from .content import Content
from .counters import Counters
from .data_in import DataIn, Framing
from .effects.data import DataPlan
from .effects.handshake import Greeting
from .faults import FaultTable
from .outlet import PeerLeftError, Writes
from .pairing import Pairing
from .peer import PacketReader, Peer
from .settings import Sending

_KNOWN_TYPES = frozenset(int(kind) for kind in PacketType)
_PAUSE_INSTEAD_OF_PROBE_S = 1.0
_LARGEST_DATA_OUT = 64 << 20
_DECISION_S = 0.05  # how often the owner of the camera is looked at


class PtpIpDoor:
    """A `Door` for PTP/IP. Raises ValueError if GUID and name do not fit into a packet."""

    def __init__(
        self,
        identity: tuple[bytes, str],
        sending: Sending,
        framing: Framing,
        pending_s: float,
        pairing: Pairing,
        faults: FaultTable,
        counters: Counters,
        body: Body,
    ) -> None:
        self.guid: bytes = identity[0]
        self.name: str = identity[1]
        self._sending = sending
        self._writes = Writes(sending.writes)
        self._framing = framing
        self._pending_s = pending_s
        self._pairing = pairing
        self._faults = faults
        self._counters = counters
        self._body = body
        self.deafen: Callable[[float], object] = lambda _: None  # refuse connections for so long
        self._init_command_ack(0, Greeting())

    def admit(self, sock: socket.socket, serve: Callable[[Peer], None]) -> None:
        """Read the first packet, which says which of the two connections this one is."""
        reader = PacketReader(sock)
        sock.settimeout(self._pending_s)
        packet = reader.read()
        sock.settimeout(None)
        match _parse_known(packet) if packet else None:
            case InitCommandRequest() as request:
                self._admit_command(sock, reader, (request.guid, request.name), serve)
            case InitEventRequest() as request:
                self._admit_event(sock, reader, request)

    def requests(self, peer: Peer, idle_s: float) -> Iterator[OperationRequest]:
        """Yield requests, and answer the probes between them."""
        while peer.reader.comes_within(idle_s) and (packet := peer.reader.read()):
            request = self._request(peer, packet)
            if request is not None:
                yield request

    def early_requests(self, peer: Peer, within_s: float) -> list[OperationRequest]:
        """Return the requests among the packets of one receive, and answer its probes."""
        found = [self._request(peer, packet) for packet in peer.reader.waiting(within_s)]
        return [request for request in found if request is not None]

    def is_awake(self, peer: Peer) -> bool:
        """Return whether a Probe Request or a pause came after Init Event Ack (airmtp)."""
        if peer.unprobed_since is None:
            return True
        return time.monotonic() - peer.unprobed_since >= _PAUSE_INSTEAD_OF_PROBE_S

    def receive_data(self, peer: Peer) -> bytes | None:
        """Return the joined packets of a data-out phase.

        Raises:
            ProtocolError: a request comes in between, or the payload is too large.
        """
        payload = bytearray()
        while packet := peer.reader.read():
            match _parse_known(packet):
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

    def plan_data(self, request: OperationRequest, size: int) -> DataPlan:
        """Plan a data phase with the total that the camera's framing announces."""
        announced = self._framing.announce_total
        return DataPlan.of(request.transaction_id, size, announce_total=announced)

    def send_data(self, peer: Peer, plan: DataPlan, content: Content, offset: int) -> None:
        """Send all but the last flush, so that the response can leave with the last bytes."""
        phase = DataIn(peer, plan, content, offset, self._framing)
        try:
            phase.send()
        finally:
            plan.sent = phase.sent

    def respond(self, peer: Peer, response: OperationResponse) -> None:
        """Send a response, and what the data phase left unflushed."""
        packet = pack(response)
        peer.outlet.put(packet, len(packet))
        peer.outlet.flush()

    def send_event(self, event: Event) -> None:
        """Send an event on the Event connection."""
        peer = self._pairing.peer
        if peer is not None:
            peer.send_event(pack(event))

    def _admit_command(
        self,
        sock: socket.socket,
        reader: PacketReader,
        initiator: tuple[bytes, str],
        serve: Callable[[Peer], None],
    ) -> None:
        greeting = self._greeting(on_event=False)
        if greeting.closes:
            return
        if greeting.silent:
            _wait_for_end(reader)
            return
        if greeting.refusal is not None:
            self._refuse(sock, greeting.refusal)
            return
        peer = self._pair(sock, reader, initiator, greeting)
        if peer is None:
            self._refuse(sock, FailReason.BUSY)
            return
        try:
            if (refusal := self._decision(peer)) is not None:
                self._refuse(sock, refusal)
                return
            if deaf_s := self._body.habits.deaf_s:
                self.deafen(deaf_s)
            sock.sendall(self._init_command_ack(peer.number, greeting))
            if self._is_complete(peer):
                serve(peer)
        finally:
            # With `drop_command` the other connection stays, until the Initiator closes it.
            if peer.dropped is not sock:
                self._pairing.part(peer)

    def _pair(
        self,
        sock: socket.socket,
        reader: PacketReader,
        initiator: tuple[bytes, str],
        greeting: Greeting,
    ) -> Peer | None:
        """Return half a pair, which waits for its Event connection; None while there is another."""

        def make(number: int) -> Peer:
            with self._counters.changing():
                self._counters.connections += 1
                self._counters.initiators.append(initiator)
            usual = self._body.habits.connection_number
            number = number if usual is None else usual
            peer = Peer(
                number if greeting.number is None else greeting.number,
                sock,
                reader,
                bytes_per_s=self._sending.bytes_per_s,
                fragment=self._sending.max_bytes_per_send,
                writes=self._writes,
            )
            peer.initiator = initiator
            return peer

        return self._pairing.admit(make)

    def _decision(self, peer: Peer) -> int | None:
        """Return the reason to refuse a computer; None to accept it. Waits for the owner.

        Raises:
            PeerLeftError: the computer left before the owner decided.
        """
        while (decision := self._body.admit(*peer.initiator)) is Later.LATER:
            peer.wait(_DECISION_S)
        return decision

    def _is_complete(self, peer: Peer) -> bool:
        """Return whether the Event connection comes in time."""
        return self._pairing.is_complete(peer, self._pending_s)

    def _refuse(self, sock: socket.socket, reason: int) -> None:
        sock.sendall(self._refusal(reason))

    def _refusal(self, reason: int) -> bytes:
        return pack(InitFail(reason))

    def _admit_event(
        self, sock: socket.socket, reader: PacketReader, request: InitEventRequest
    ) -> None:
        greeting = self._greeting(on_event=True)
        if greeting.silent:
            _wait_for_end(reader)
            return
        peer = self._pairing.pending(request.connection_number)
        if peer is None or greeting.refusal is not None:
            rejected = FailReason.REJECTED_INITIATOR
            self._refuse(sock, rejected if greeting.refusal is None else greeting.refusal)
            if peer is not None:
                self._pairing.part(peer)
            return
        try:
            if greeting.late_s is not None:
                peer.wait(greeting.late_s)
            self._pairing.attach(peer, lambda: peer.attach_event(sock, pack(InitEventAck())))
            self._listen(peer, reader, drops_at_probe=greeting.drops_at_probe)
        finally:
            if peer.dropped is not sock:
                self._pairing.part(peer)

    def _listen(self, peer: Peer, reader: PacketReader, *, drops_at_probe: bool) -> None:
        while packet := reader.read():
            match _parse_known(packet):
                case ProbeRequest() if drops_at_probe:
                    return
                case Cancel() if not self._body.habits.cancels:
                    return
                case Cancel(transaction_id):
                    peer.cancelled = transaction_id
                case other:
                    self._answer_probe(peer, other)

    def _request(self, peer: Peer, raw: bytes) -> OperationRequest | None:
        packet = _parse_known(raw)
        if isinstance(packet, OperationRequest):
            return packet
        self._answer_probe(peer, packet)
        return None

    def _answer_probe(self, peer: Peer, packet: Packet | None) -> None:
        if isinstance(packet, ProbeRequest):
            # Answers go on the Event connection, whichever asked (malc0mn, after CIPA).
            peer.unprobed_since = None
            peer.send_event(pack(ProbeResponse()))
        elif isinstance(packet, ProbeResponse):
            with self._counters.changing():
                self._counters.probe_responses += 1

    def _greeting(self, *, on_event: bool) -> Greeting:
        greeting = Greeting()
        for fault in self._faults.due_at_init(on_event=on_event):
            fault.strike(greeting)
        return greeting

    def _init_command_ack(self, number: int, greeting: Greeting) -> bytes:
        packet = greeting.ack(pack(InitCommandAck(number, self.guid, self.name, PROTOCOL_VERSION)))
        return len(packet).to_bytes(4, "little") + packet[4:]


def _parse_known(packet: bytes) -> Packet | None:
    """Parse a packet; None for a type that PTP/IP does not define."""
    if int.from_bytes(packet[4:8], "little") not in _KNOWN_TYPES:
        return None
    return parse(packet)


def _wait_for_end(reader: PacketReader) -> None:
    while reader.read():
        pass
