"""The data phase of a transport of containers: one container with all of the payload."""

from __future__ import annotations

from collections.abc import Callable

from ..engine import containers
from ..engine.wire import ContainerKind, Event, OperationResponse, Packet, StartData, parse
from ..engine.wire import EndData as EndDataPacket
from ..ptp.errors import ProtocolError
from .content import Content
from .data_in import DataIn, Framing
from .effects.data import DataPlan
from .peer import Peer

_UNKNOWN_TOTAL = _LARGEST_LENGTH = 0xFFFFFFFF
_KIND_AT, _REST_AT = 4, 8  # of a packet of PTP/IP


class ContainerData(DataIn):
    """One data phase in a container, as `plan` says.

    A fault of a packet that containers do not have changes its counterpart: without End Data there
    is no data container. Start Data that is missing or says no total, and a second End Data, have
    none.
    """

    def __init__(
        self,
        peer: Peer,
        plan: DataPlan,
        content: Content,
        offset: int,
        event: Callable[[Event], bytes],
    ) -> None:
        super().__init__(peer, plan, content, offset, Framing())
        self._event = event

    def send(self) -> None:
        """Send everything but the last flush. Raises PeerLeftError."""
        plan, outlet = self._plan, self._peer.outlet
        self._put(*map(self._said, plan.first))
        self._send_foreign()
        size = plan.size + plan.extra
        if plan.ends:
            self._strike_breaks()
            head = self._head(ContainerKind.DATA_CONTAINER, plan.data_id)
            outlet.put(_with_length(head, self._length(size)), len(head))
            self._put_payload(size)
            outlet.end_of_packet()
        self._send_foreign(everything=True)
        self._strike_breaks(everything=True)

    def _length(self, size: int) -> int:
        plan = self._plan
        lies = plan.total not in (None, plan.announced, _UNKNOWN_TOTAL)
        claimed = plan.total if lies and plan.total is not None else size
        return min(containers.HEAD_SIZE + claimed, _LARGEST_LENGTH)

    def _head(self, kind: int, transaction_id: int) -> bytes:
        return containers.pack(kind, self._plan.operation, transaction_id)

    def _said(self, packet: bytes) -> bytes:
        """Return the container that stands for a packet of PTP/IP; empty if none does."""
        try:
            parsed: Packet = parse(packet)
        except ProtocolError:  # wrong on purpose: in its length, or its type
            kind = int.from_bytes(packet[_KIND_AT:_REST_AT], "little")
            head = self._head(kind & 0xFFFF, self._plan.transaction_id)
            return _with_length(head, int.from_bytes(packet[:_KIND_AT], "little"))
        match parsed:
            case StartData():
                return b""  # of an old transaction: its End Data has all
            case EndDataPacket(transaction_id, payload):
                operation, kind = self._plan.operation, ContainerKind.DATA_CONTAINER
                data = bytes(payload)
                return containers.pack(kind, operation, transaction_id, payload=data)
            case OperationResponse():
                return response(parsed)
            case Event():
                return self._event(parsed)
        return b""


def response(answer: OperationResponse) -> bytes:
    """Return the container of a response."""
    kind = ContainerKind.RESPONSE_CONTAINER
    return containers.pack(kind, answer.code, answer.transaction_id, answer.parameters)


def _with_length(head: bytes, length: int) -> bytes:
    return length.to_bytes(4, "little") + head[4:]
