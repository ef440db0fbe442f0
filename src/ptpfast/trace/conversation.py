"""What a camera and a computer said, as a trace has it: requests with their answers, and events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..engine import containers
from ..engine.tap import CAMERA, US
from ..engine.wire import (
    ContainerKind,
    Event,
    InitCommandAck,
    OperationResponse,
    PacketType,
    StartData,
    parse,
)
from ..ptp.errors import ProtocolError
from ..transport.contract import Transport
from ..transport.ptpip import PTP_IP
from ..vendors.fujifilm.packets import parse_welcome
from ..vendors.fujifilm.transport import FUJIFILM_IP
from .packets import HEAD_SIZE, has_containers, has_payload, kind_of, request_in
from .reading import Segment, TraceError, segments

Piece = bytes | int  # bytes, or the number of those that were cut
MOST_DATA = 1 << 30  # bytes of one packet that are kept in memory
_LEAST = 8  # bytes of a packet


@dataclass
class Exchange:
    """A request and its answer.

    Attributes:
        pieces: the payload; None if there was no data phase.
        code: of the response; 0 if there is none in the trace.
    """

    operation: int
    parameters: tuple[int, ...]
    pieces: list[Piece] | None = None
    code: int = 0
    answer: tuple[int, ...] = ()


class Told(NamedTuple):
    """An event, and how many requests had been answered before it."""

    after: int
    code: int
    parameters: tuple[int, ...]


@dataclass
class Conversation:
    """All that one camera said.

    Attributes:
        containers: whether its packets are containers, or PTP/IP's.
        guid, name: its identity in the handshake, or what they were replaced by.
    """

    containers: bool = False
    guid: bytes = bytes(16)
    name: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)


def conversation(path: str | os.PathLike[str]) -> Conversation:
    """Read the conversation with the first camera of a trace.

    Raises:
        TraceError: the file is no trace, is damaged, or has no connection to a camera.
        OSError: it cannot be read.
    """
    told = Conversation()
    listener: _Listener | None = None
    host = None
    streams: dict[tuple[tuple[int, bytes, int], int], _Stream] = {}
    for segment in segments(path):
        host = segment.connection[1] if host is None else host
        if segment.connection[1] != host:
            continue
        if segment.opens:
            told.containers = has_containers(segment.connection[2])
            for side in (US, CAMERA):
                streams[segment.connection, side] = _Stream(containers=told.containers)
            listener = listener or _Listener(told)
            continue
        stream = streams.get((segment.connection, segment.side))
        if stream is None or listener is None:
            raise TraceError("a connection has no beginning")
        for packet in stream.feed(segment):
            listener.hear(segment.side, packet)
    if listener is None:
        raise TraceError("no connection to a camera is in the trace")
    return told


class Packet(NamedTuple):
    """A packet: its head, or all of one without payload, and its payload."""

    head: bytes
    pieces: list[Piece]


class _Stream:
    """The packets of one side of a connection."""

    def __init__(self, *, containers: bool) -> None:
        self._containers = containers
        self._buffer = bytearray()
        self._head = b""
        self._pieces: list[Piece] = []
        self._left = 0  # bytes of the payload that is being cut

    def feed(self, segment: Segment) -> Iterator[Packet]:
        if len(segment.kept) == segment.size:
            yield from self._whole(segment.kept)
        else:
            yield from self._cut(segment.kept, segment.size)

    def _whole(self, data: bytes) -> Iterator[Packet]:
        if self._left:  # a packet that was cut so far
            part = data[: self._left]
            self._pieces.append(part)
            self._left -= len(part)
            data = data[len(part) :]
            if not self._left:
                yield Packet(self._head, self._pieces)
        self._buffer += data
        while len(self._buffer) >= _LEAST:
            length = int.from_bytes(self._buffer[:4], "little")
            if not _LEAST <= length <= MOST_DATA:
                raise TraceError(f"a packet claims a length of {length}")
            if len(self._buffer) < length:
                return
            packet = bytes(self._buffer[:length])
            del self._buffer[:length]
            if has_payload(packet, containers=self._containers) and length >= HEAD_SIZE:
                yield Packet(packet[:HEAD_SIZE], [packet[HEAD_SIZE:]])
            else:
                yield Packet(packet, [])

    def _cut(self, kept: bytes, size: int) -> Iterator[Packet]:
        if self._buffer:
            raise TraceError("a packet is cut within its head")
        if self._left:
            part = min(size, self._left)
            self._pieces.append(part)
            self._left -= part
            size -= part
            if not self._left:
                yield Packet(self._head, self._pieces)
            if not size:
                return
        if len(kept) < HEAD_SIZE or not has_payload(kept, containers=self._containers):
            raise TraceError("a packet is cut within its head")
        length = int.from_bytes(kept[:4], "little")
        if length < HEAD_SIZE:
            raise TraceError(f"a packet claims a length of {length}")
        count = size // length  # those that share a segment have the same length
        if count:
            yield Packet(kept[:HEAD_SIZE], [count * (length - HEAD_SIZE)])
        size -= count * length
        if size:
            self._head, self._left = kept[:HEAD_SIZE], length - size
            self._pieces = [max(size - HEAD_SIZE, 0)]


class _Listener:
    """It sorts packets into requests, answers and events."""

    def __init__(self, told: Conversation) -> None:
        self._told = told
        self._open: dict[int, Exchange] = {}  # by transaction id
        self._answered = 0

    def hear(self, side: int, packet: Packet) -> None:
        containers_ = self._told.containers
        if side == US:
            asked = request_in(packet.head, containers=containers_)
            if asked is not None:
                exchange = Exchange(asked.operation, asked.parameters)
                self._open[asked.transaction_id] = exchange
                self._told.exchanges.append(exchange)
            return
        try:
            if containers_:
                self._hear_container(packet)
            else:
                self._hear_packet(packet)
        except ProtocolError:
            return  # the camera broke the protocol; nothing can be made of it

    def _hear_packet(self, packet: Packet) -> None:
        kind = kind_of(packet.head, containers=False)
        if kind in (PacketType.DATA, PacketType.END_DATA):
            self._add_payload(packet)
            return
        match parse(packet.head):
            case InitCommandAck() as ack:
                self._told.guid, self._told.name = ack.guid, ack.name
            case StartData(transaction_id):
                self._begin_data(transaction_id)
            case OperationResponse(code, transaction_id, parameters):
                self._end(transaction_id, code, parameters)
            case Event():
                self._event(packet.head, PTP_IP)

    def _hear_container(self, packet: Packet) -> None:
        kind = kind_of(packet.head, containers=True)
        if int.from_bytes(packet.head[4:8], "little") == PacketType.INIT_COMMAND_ACK:
            whole = packet.head + b"".join(e for e in packet.pieces if isinstance(e, bytes))
            welcome = parse_welcome(whole)
            self._told.guid, self._told.name = welcome.guid, welcome.name
        elif kind == ContainerKind.DATA_CONTAINER:
            self._add_payload(packet)
        elif kind == ContainerKind.RESPONSE_CONTAINER:
            response = containers.parse(packet.head)
            self._end(response.transaction_id, response.code, response.parameters)
        elif kind == ContainerKind.EVENT_CONTAINER:
            self._event(packet.head, FUJIFILM_IP)

    def _begin_data(self, transaction_id: int) -> None:
        exchange = self._open.get(transaction_id)
        if exchange is not None and exchange.pieces is None:
            exchange.pieces = []

    def _add_payload(self, packet: Packet) -> None:
        transaction_id = int.from_bytes(packet.head[8:12], "little")
        self._begin_data(transaction_id)
        exchange = self._open.get(transaction_id)
        if exchange is not None and exchange.pieces is not None:
            exchange.pieces += [piece for piece in packet.pieces if piece]

    def _end(self, transaction_id: int, code: int, answer: tuple[int, ...]) -> None:
        exchange = self._open.pop(transaction_id, None)
        if exchange is None and len(self._open) == 1:  # some answer CloseSession with 0
            _, exchange = self._open.popitem()
        if exchange is not None:
            exchange.code, exchange.answer = code, tuple(answer)
            self._answered += 1

    def _event(self, packet: bytes, transport: Transport) -> None:
        event = transport.hear(packet).event
        if event is not None:
            self._told.events.append(Told(self._answered, event.code, tuple(event.parameters)))
