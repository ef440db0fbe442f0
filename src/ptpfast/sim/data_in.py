"""The data phase from the simulated camera to the Initiator: Start Data, Data, End Data.

Cuts a payload into packets of the shape asked for and hands headers and payload to the outlet
without copying them; the faults of the data phase strike on the way. Knows packets and positions;
what the payload means, and which response follows, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from ..engine.wire import Data, OperationResponse, PacketType, ProbeRequest, StartData, pack
from ..engine.wire import EndData as EndDataPacket
from ..engine.wire import Event as EventPacket
from ..ptp.codes import EventCode, ResponseCode
from .content import Content
from .faults import Fault
from .kinds import Stage
from .peer import Peer, PeerLeftError, Writes

_HEAD = 12  # length, type, transaction id
# A packet's length is a u32: an End Data that cannot hold everything is preceded by Data of this
# size.
_LARGEST_PAYLOAD = 1 << 30
_LARGEST_END_DATA = 0xFFFFFFFF - _HEAD

Source = tuple[Content, int, int]  # where a payload comes from: content, offset, size


class EndData(Enum):
    """What End Data carries."""

    EMPTY = "empty"  # nothing: all payload is in Data packets
    LAST = "last"  # the last piece
    WHOLE = "whole"  # everything, and there are no Data packets


@dataclass(frozen=True)
class Framing:
    """How a Responder cuts its payload; `packet_size` is the payload of one Data packet."""

    packet_size: int = 65536
    end_data: EndData = EndData.EMPTY
    announce_total: bool = True

    def packets(self, size: int) -> Iterator[tuple[PacketType, int]]:
        """The type and payload size of each packet after Start Data."""
        piece, in_end = self.packet_size, 0
        if self.end_data is EndData.WHOLE:
            piece = _LARGEST_PAYLOAD
            in_end = size if size <= _LARGEST_END_DATA else size % piece
        elif self.end_data is EndData.LAST:
            in_end = min(size, size % piece or piece)
        left = size - in_end
        while left >= piece:
            yield PacketType.DATA, piece
            left -= piece
        if left:
            yield PacketType.DATA, left
        yield PacketType.END_DATA, in_end


class DataIn:
    """One data phase. `send` does it, once.

    `faults` are those of `FaultTable.due_during`. After `send`, `code` is what the response must
    say where the data phase decides it (a fault, a Cancel), and `sent` counts payload bytes.
    """

    def __init__(
        self,
        peer: Peer,
        transaction_id: int,
        source: Source,
        framing: Framing,
        faults: list[tuple[int, Fault]],
    ) -> None:
        content, offset, size = source
        self.code: int | None = None
        self.sent = 0
        self._peer = peer
        self._transaction_id = transaction_id
        self._framing = framing
        self._announced = size
        self._kinds = {fault.kind: (place, fault) for place, fault in faults}
        # What happens at a place: breaks at that very byte, foreign packets between packets.
        self._breaks = [row for row in faults if row[1].stage is Stage.BREAK]
        self._foreign = [row for row in faults if row[1].kind in FOREIGN]
        size, extra = self._decide_size(size)
        self._size = size + extra
        spans = content.spans(offset, size)
        self._spans = chain(spans, (memoryview(bytes(extra)),)) if extra else spans
        self._span = memoryview(b"")
        self._used = 0
        self._cancelled = False

    def send(self) -> None:
        """Sends it all but the last flush, so that the response can leave with the last bytes.

        PeerLeftError when the pair ended meanwhile.
        """
        outlet = self._peer.outlet
        put, writes = outlet.put, outlet.writes
        transaction_id = self._transaction_id
        if "stale" in self._kinds:
            self._put(*_stale_packets(max(1, transaction_id) - 1))
        if "response_first" in self._kinds:
            self._put(pack(OperationResponse(ResponseCode.OK, transaction_id)))
        if "no_start" not in self._kinds:
            self._put(self._start_data())
        head_id = (
            (transaction_id + 1) & 0xFFFFFFFF if "wrong_tid" in self._kinds else transaction_id
        )
        heads: dict[tuple[PacketType, int], bytes] = {}
        for packet in self._framing.packets(self._size):
            if self._foreign:
                self._send_foreign()
            kind, size = packet
            self._cancelled |= self._peer.cancelled == transaction_id
            if self._cancelled:
                # What has been sent is all there will be: an empty End Data says so.
                self._put(_head(PacketType.END_DATA, head_id, 0))
                self.code = ResponseCode.TransactionCancelled
                break
            if kind is PacketType.END_DATA and "no_end" in self._kinds:
                break
            head = heads.get(packet)
            if head is None:
                head = heads[packet] = _head(kind, head_id, size)
            if self._breaks:
                self._strike_breaks()
            put(head, _HEAD)
            if writes is Writes.PIECES:
                outlet.flush()
            self._put_payload(size)
            if writes is not Writes.WHOLE:
                outlet.flush()
        self._finish(head_id)

    def _finish(self, head_id: int) -> None:
        if "repeat_end" in self._kinds:
            self._put(_head(PacketType.END_DATA, head_id, 0))
        self._send_foreign(everything=True)
        self._strike_breaks(everything=True)

    def _decide_size(self, size: int) -> tuple[int, int]:
        """How many bytes of the content will be sent, and how many more that it does not have."""
        for kind, code in (
            ("short_data", None),
            ("vanish", ResponseCode.InvalidObjectHandle),
            ("error_after", None),
        ):
            if kind in self._kinds:
                place, fault = self._kinds[kind]
                size = min(place, size)
                self.code = fault.number if kind == "error_after" else code
        return size, self._kinds["overrun"][1].number if "overrun" in self._kinds else 0

    def _start_data(self) -> bytes:
        total: int | None = self._announced if self._framing.announce_total else None
        if "announce" in self._kinds:
            total = _total(str(self._kinds["announce"][1].value), self._announced)
        packet = pack(StartData(self._transaction_id, total))
        if "start16" in self._kinds:
            return (16).to_bytes(4, "little") + packet[4:16]
        return packet

    def _put(self, *packets: bytes) -> None:
        for packet in packets:
            self._peer.outlet.put(packet, len(packet))
            self._peer.outlet.end_of_packet()

    def _put_payload(self, size: int) -> None:
        put = self._peer.outlet.put
        while size:
            left = len(self._span) - self._used
            if not left:
                self._next_span()
                continue
            piece = min(size, left)
            if self._breaks:
                self._strike_breaks()
                if self._breaks:
                    piece = min(piece, self._breaks[0][0] - self.sent)
            end = self._used + piece
            put(self._span[self._used : end], piece)
            self._used = end
            self.sent += piece
            size -= piece

    def _next_span(self) -> None:
        if self._used:
            # The span may be a buffer that the next one overwrites.
            self._peer.outlet.flush()
            # A small payload is sent at once: a Cancel could not come in time.
            self._cancelled |= self._peer.reader.drop_cancel(self._transaction_id)
        span = next(self._spans, None)
        if span is None:
            raise PeerLeftError("the object's file has shrunk: the packet begun cannot be finished")
        self._span, self._used = span, 0

    def _strike_breaks(self, *, everything: bool = False) -> None:
        while self._breaks and (everything or self._breaks[0][0] <= self.sent):
            self._peer.outlet.flush()
            strike(self._peer, self._breaks.pop(0)[1])

    def _send_foreign(self, *, everything: bool = False) -> None:
        while self._foreign and (everything or self._foreign[0][0] <= self.sent):
            fault = self._foreign.pop(0)[1]
            FOREIGN[fault.kind](self, fault)

    def _foreign_length(self, fault: Fault) -> None:
        head = pack(Data(self._transaction_id, b""))
        self._put(fault.number.to_bytes(4, "little") + head[4:])

    def _foreign_type(self, fault: Fault) -> None:
        self._put((12).to_bytes(4, "little") + fault.number.to_bytes(4, "little") + bytes(4))

    def _foreign_event(self, fault: Fault) -> None:
        self._put(pack(EventPacket(EventCode.UnreportedStatus, 0xFFFFFFFF)))

    def _event_burst(self, fault: Fault) -> None:
        for _ in range(fault.number):
            self._peer.send_event(EventPacket(EventCode.UnreportedStatus, 0xFFFFFFFF))

    def _probe(self, fault: Fault) -> None:
        self._put(pack(ProbeRequest()))
        self._peer.send_event(ProbeRequest())


FOREIGN = {
    "length": DataIn._foreign_length,
    "unknown_packet": DataIn._foreign_type,
    "event_on_command": DataIn._foreign_event,
    "event_burst": DataIn._event_burst,
    "probe": DataIn._probe,
}


def strike(peer: Peer, fault: Fault) -> None:
    """Does what a fault of stage BREAK says. PeerLeftError when nothing can follow it."""
    match fault.kind:
        case "drop":
            peer.leave()
        case "reset":
            peer.leave(reset=True)
        case "stall":
            peer.wait(float(fault.value or 0) or None)
            return
        case "black_hole":
            peer.silent = True
            peer.wait(None)
        case "drip":
            peer.outlet.flush()
            peer.outlet.drip_s = float(fault.value or 0)
            return
        case "drop_event":
            peer.drop(peer.event)
            return
        case "drop_command":
            peer.drop(peer.command)
    raise PeerLeftError(str(fault))


def _head(kind: PacketType, transaction_id: int, size: int) -> bytes:
    empty = (
        Data(transaction_id, b"") if kind is PacketType.DATA else EndDataPacket(transaction_id, b"")
    )
    return (_HEAD + size).to_bytes(4, "little") + pack(empty)[4:]


def _stale_packets(transaction_id: int) -> tuple[bytes, ...]:
    return (
        pack(StartData(transaction_id, 3)),
        pack(EndDataPacket(transaction_id, b"old")),
        pack(OperationResponse(ResponseCode.OK, transaction_id)),
    )


def _total(text: str, total: int) -> int | None:
    if text == "unknown":
        return None
    if text == "unknown32":
        return 0xFFFFFFFF
    number = int(text, 0) + (total if text[0] in "+-" else 0)
    return max(0, min(number, 0xFFFFFFFFFFFFFFFE))
