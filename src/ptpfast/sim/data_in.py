"""The data phase of PTP/IP from the simulated camera to the client: Start Data, Data, End Data.

It cuts a payload into packets as its plan says, and passes headers and payload to the outlet
without copying. The meaning of the payload, and the response, are not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from ..engine.wire import Cancel, Data, PacketType, StartData, pack
from ..engine.wire import EndData as EndDataPacket
from ..ptp.codes import ResponseCode
from .content import Content
from .effects.data import DataPlan
from .outlet import PeerLeftError, Writes
from .peer import Peer

_HEAD = 12  # length, type, transaction id
# A packet's length is a u32: an End Data that cannot hold everything is preceded by Data of this
# size.
_LARGEST_PAYLOAD = 1 << 30
_LARGEST_END_DATA = 0xFFFFFFFF - _HEAD


class EndData(Enum):
    """The payload of End Data."""

    EMPTY = "empty"  # nothing: all payload is in Data packets
    LAST = "last"  # the last piece
    WHOLE = "whole"  # everything, and there are no Data packets


@dataclass(frozen=True)
class Framing:
    """The packets of a payload; `packet_size` is the payload of one Data packet."""

    packet_size: int = 65536
    end_data: EndData = EndData.EMPTY
    announce_total: bool = True

    def packets(self, size: int) -> Iterator[tuple[PacketType, int]]:
        """Yield type and payload size of each packet after Start Data."""
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
    """One data phase, from `offset` of `content`. `send` runs it once, as `plan` says."""

    def __init__(
        self, peer: Peer, plan: DataPlan, content: Content, offset: int, framing: Framing
    ) -> None:
        self.sent: int = 0  # payload bytes
        self._peer = peer
        self._plan = plan
        self._framing = framing
        # Events at a place: breaks at that byte, foreign packets between packets.
        self._breaks = list(plan.breaks)
        self._foreign = list(plan.foreign)
        spans = content.spans(offset, plan.size)
        self._spans = chain(spans, (memoryview(bytes(plan.extra)),)) if plan.extra else spans
        self._span = memoryview(b"")
        self._used = 0
        self._cancelled = False

    def send(self) -> None:
        """Send everything but the last flush, so that the response leaves with the last bytes.

        Raises:
            PeerLeftError: the pair of connections has ended.
        """
        plan, outlet = self._plan, self._peer.outlet
        put, writes = outlet.put, outlet.writes
        transaction_id, head_id = plan.transaction_id, plan.data_id
        self._put(*plan.first, *self._start_data())
        heads: dict[tuple[PacketType, int], bytes] = {}
        for packet in self._framing.packets(plan.size + plan.extra):
            if self._foreign:
                self._send_foreign()
            kind, size = packet
            self._cancelled |= self._peer.cancelled == transaction_id
            if self._cancelled:
                # No more bytes will come: an empty End Data says so.
                self._put(_head(PacketType.END_DATA, head_id, 0))
                plan.code = ResponseCode.TransactionCancelled
                break
            if kind is PacketType.END_DATA and not plan.ends:
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
        if plan.ends_again:
            self._put(_head(PacketType.END_DATA, head_id, 0))
        self._send_foreign(everything=True)
        self._strike_breaks(everything=True)

    def _start_data(self) -> tuple[bytes, ...]:
        packet = pack(StartData(self._plan.transaction_id, self._plan.total))
        size = self._plan.start_size
        if size is None:
            return (packet,)
        return (size.to_bytes(4, "little") + packet[4:size],) if size else ()

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
                    piece = min(piece, self._breaks[0].place - self.sent)
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
            self._cancelled |= self._peer.reader.take_out(pack(Cancel(self._plan.transaction_id)))
        span = next(self._spans, None)
        if span is None:
            raise PeerLeftError("the object's file has shrunk: the packet begun cannot be finished")
        self._span, self._used = span, 0

    def _strike_breaks(self, *, everything: bool = False) -> None:
        while self._breaks and (everything or self._breaks[0].place <= self.sent):
            self._peer.outlet.flush()
            self._breaks.pop(0).strike(self._peer)

    def _send_foreign(self, *, everything: bool = False) -> None:
        while self._foreign and (everything or self._foreign[0].place <= self.sent):
            foreign = self._foreign.pop(0)
            self._put(*map(self._said, foreign.packets))
            for event in foreign.events:
                self._peer.send_event(self._said(event))

    def _said(self, packet: bytes) -> bytes:
        """Return a packet of a fault, written as PTP/IP's, as this transport sends it."""
        return packet


def _head(kind: PacketType, transaction_id: int, size: int) -> bytes:
    empty = (
        Data(transaction_id, b"") if kind is PacketType.DATA else EndDataPacket(transaction_id, b"")
    )
    return (_HEAD + size).to_bytes(4, "little") + pack(empty)[4:]
