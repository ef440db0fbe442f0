"""The packets of the simulated cameras' connections: PTP/IP's, containers, live view frames.

A change of `mutations` treats all of them alike: a `Form` says where the fields are.
"""

from __future__ import annotations

import random
from typing import NamedTuple, Protocol

from ptpfast.engine import containers
from ptpfast.engine import wire as wire
from ptpfast.engine.wire import ContainerKind

from .targets import text_of

HEAD = 12  # of packets with payload, in both transports; the payload is behind it
SMALL = (0, 1, 7, 8, 9, 11, 12, 13, 14, 20, 255, 256, 65_535, 65_536, 65_537)
NUMBERS = (*SMALL, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 2, (1 << 32) - 1)
EVENTS = (0x4002, 0x4003, 0x4008, 0x400D, 0xC101, 0xC201, 0xC203, 0xC222, 0xC186)
RESPONSES = (0x2001, 0x2019, 0x2002)


class Request(NamedTuple):
    """An operation that the Initiator has asked for."""

    code: int
    transaction_id: int
    parameters: tuple[int, ...]


class Form(Protocol):
    """Where the fields of a connection's packets are.

    Attributes:
        kind_size: Bytes of the type, which is behind the length.
        code_at: Where a response has its code; its id is behind it.
        splits: Whether a data phase may have several packets with payload.
    """

    kind_size: int
    code_at: int
    splits: bool

    def starts(self, raw: bytes) -> bool:
        """Return whether a packet begins a data phase."""
        ...

    def has_payload(self, raw: bytes) -> bool:
        """Return whether a packet has payload of a data phase."""
        ...

    def responds(self, raw: bytes) -> bool:
        """Return whether a packet is a response."""
        ...

    def id_at(self, raw: bytes) -> int:
        """Return where the transaction id is."""
        ...

    def request(self, raw: bytes) -> Request | None:
        """Return the operation that a packet of the Initiator asks for."""
        ...

    def data_phase(self, request: Request, payload: bytes) -> list[bytes]:
        """Return the packets of a data phase."""
        ...

    def foreign(self, chance: random.Random, number: int, some: bytes) -> bytes:
        """Return a valid packet that nobody has asked for, with a transaction id or payload."""
        ...


def kind_of(form: Form, raw: bytes) -> int:
    """Return the type of a packet."""
    return int.from_bytes(raw[4 : 4 + form.kind_size], "little")


def _event(chance: random.Random) -> wire.Event:
    parameters = tuple(chance.choice(NUMBERS) for _ in range(chance.randint(0, 9)))
    return wire.Event(chance.choice(EVENTS), 0, parameters)


class PacketForm:
    """PTP/IP."""

    kind_size, code_at, splits = 4, 8, True

    def starts(self, raw: bytes) -> bool:
        return kind_of(self, raw) == wire.PacketType.START_DATA

    def has_payload(self, raw: bytes) -> bool:
        return kind_of(self, raw) in (wire.PacketType.DATA, wire.PacketType.END_DATA)

    def responds(self, raw: bytes) -> bool:
        return kind_of(self, raw) == wire.PacketType.OPERATION_RESPONSE

    def id_at(self, raw: bytes) -> int:
        return 10 if self.responds(raw) or kind_of(self, raw) == wire.PacketType.EVENT else 8

    def request(self, raw: bytes) -> Request | None:
        packet = wire.parse(raw)
        if not isinstance(packet, wire.OperationRequest):
            return None
        return Request(packet.code, packet.transaction_id, packet.parameters)

    def data_phase(self, request: Request, payload: bytes) -> list[bytes]:
        number = request.transaction_id
        start, end = wire.StartData(number, len(payload)), wire.EndData(number, payload)
        return [wire.pack(start), wire.pack(end)]

    def foreign(self, chance: random.Random, number: int, some: bytes) -> bytes:
        name = text_of(some[:3])[:60]
        packet = chance.choice(
            (
                _event(chance),
                wire.ProbeRequest(),
                wire.ProbeResponse(),
                wire.InitFail(chance.choice(NUMBERS)),
                wire.InitEventAck(),
                wire.InitCommandAck(chance.choice(NUMBERS), bytes(16), name, 1),
                wire.Cancel(number),
                wire.StartData(number, chance.choice((None, *NUMBERS))),
                wire.Data(number, some),
                wire.EndData(number, some),
                wire.OperationResponse(chance.choice(RESPONSES), number),
                wire.OperationRequest(1, 0x1001, number),
            )
        )
        return wire.pack(packet)


class ContainerForm:
    """Containers, after a handshake in packets that have their length and type, too."""

    kind_size, code_at, splits = 2, 6, False

    def starts(self, raw: bytes) -> bool:
        return self.has_payload(raw)

    def has_payload(self, raw: bytes) -> bool:
        # The camera's answer to a handshake has this number, and 32 bits of it.
        return kind_of(self, raw) == ContainerKind.DATA_CONTAINER and any(raw[6:8])

    def responds(self, raw: bytes) -> bool:
        return kind_of(self, raw) == ContainerKind.RESPONSE_CONTAINER and len(raw) >= HEAD

    def id_at(self, raw: bytes) -> int:
        return 8

    def request(self, raw: bytes) -> Request | None:
        is_command = kind_of(self, raw) == ContainerKind.COMMAND_CONTAINER and any(raw[6:8])
        if not is_command:
            return None
        container = containers.parse(raw)
        return Request(container.code, container.transaction_id, container.parameters)

    def data_phase(self, request: Request, payload: bytes) -> list[bytes]:
        kind, number = ContainerKind.DATA_CONTAINER, request.transaction_id
        return [containers.pack(kind, request.code, number, payload=payload)]

    def foreign(self, chance: random.Random, number: int, some: bytes) -> bytes:
        event = _event(chance)
        response, data = ContainerKind.RESPONSE_CONTAINER, ContainerKind.DATA_CONTAINER
        return chance.choice(
            (
                containers.pack(ContainerKind.EVENT_CONTAINER, event.code, 1, event.parameters),
                containers.pack(ContainerKind.COMMAND_CONTAINER, 0x1001, number),
                containers.pack(response, chance.choice(RESPONSES), number),
                containers.pack(data, 0x1009, number, payload=some),
                wire.pack(wire.InitFail(chance.choice(NUMBERS))),
            )
        )


class FrameForm(PacketForm):
    """Live view frames: a length, and bytes."""

    def starts(self, raw: bytes) -> bool:
        return False

    def has_payload(self, raw: bytes) -> bool:
        return False

    def responds(self, raw: bytes) -> bool:
        return False

    def id_at(self, raw: bytes) -> int:
        return 8

    def request(self, raw: bytes) -> Request | None:
        return None


PACKETS, CONTAINERS, FRAMES = PacketForm(), ContainerForm(), FrameForm()
