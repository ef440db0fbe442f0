"""The packets of a connection, as far as a trace looks at them: where each begins, and its payload.

Both framings begin a packet with its length, u32. See `engine.framing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..engine.containers import parse as parse_container
from ..engine.wire import ContainerKind, OperationRequest, PacketType, parse
from ..ptp.errors import ProtocolError
from ..vendors.fujifilm.transport import PORT as CONTAINER_PORT

HEAD_SIZE = 12  # of a packet with payload
_PREFIX = 8


@dataclass(frozen=True)
class Asked:
    """A request: its operation and parameters."""

    operation: int
    transaction_id: int
    parameters: tuple[int, ...] = ()


def has_containers(port: int) -> bool:
    """Return whether the packets at a camera's port are containers, or PTP/IP's."""
    return port in (CONTAINER_PORT, CONTAINER_PORT + 1)


def packets(stream: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each packet; what is cut at the end, too."""
    at = 0
    while at < len(stream):
        length = int.from_bytes(stream[at : at + 4], "little")
        end = min(at + length, len(stream)) if length >= _PREFIX else len(stream)
        yield at, end
        at = end


def kind_of(packet: bytes, *, containers: bool) -> int:
    """Return the type of a PTP/IP packet, or the kind of a container; 0 if it is cut."""
    if len(packet) < _PREFIX:
        return 0
    return int.from_bytes(packet[4 : 6 if containers else 8], "little")


def has_payload(packet: bytes, *, containers: bool) -> bool:
    """Return whether a packet carries payload behind a head of 12 bytes."""
    kind = kind_of(packet, containers=containers)
    if containers:
        return kind == ContainerKind.DATA_CONTAINER
    return kind in (PacketType.DATA, PacketType.END_DATA)


def request_in(packet: bytes, *, containers: bool) -> Asked | None:
    """Return the request of a packet; None if it is another packet, or cut."""
    kind = kind_of(packet, containers=containers)
    try:
        if containers:
            if kind != ContainerKind.COMMAND_CONTAINER:
                return None
            command = parse_container(packet)
            asked = Asked(command.code, command.transaction_id, command.parameters)
            return asked if asked.operation else None  # else Fujifilm's Init Command Request
        if kind != PacketType.OPERATION_REQUEST:
            return None
        request = parse(packet)
    except ProtocolError:
        return None
    assert isinstance(request, OperationRequest)
    return Asked(request.code, request.transaction_id, tuple(request.parameters))
