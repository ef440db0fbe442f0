"""Fujifilm's handshake and events: a PTP/IP Init of its own, then containers.

Sources: fudge (lib/fuji.c), vcam (src/fuji/fuji.c), malc0mn/ptp-ip (packets_fuji.go), libgphoto2
(fujiptpip.c).
"""

from __future__ import annotations

from typing import NamedTuple

from ...engine import containers
from ...engine.wire import Builder, ContainerKind, Cursor, Event, InitFail, PacketType, pack
from ...ptp.errors import ProtocolError
from ...transport.identity import GUID_BYTES

PROTOCOL_VERSION = 0x8F53E4F2
HELLO_SIZE = 0x52
WELCOME_SIZE = 0x44
NAME_UNITS = 26  # and a NUL: 54 bytes of the request
_HEAD = 8
_GUID_AT = 12
_NAME_AT = _GUID_AT + GUID_BYTES
# An event has "amount 1" where a container has its transaction id, and the id twice behind.
_AMOUNT = 1
_EVENT_PARAMETERS = 4


class Hello(NamedTuple):
    """The first packet of a client, or the camera's answer.

    Attributes:
        number: The protocol's version in a request, the camera's own number in an answer.
    """

    number: int
    guid: bytes
    name: str


def pack_hello(guid: bytes, name: str) -> bytes:
    """Return the Init Command Request: 0x52 bytes, the name cut to 26 units of UTF-16."""
    cut = name.encode("utf-16-le", "replace")[: 2 * NAME_UNITS]
    encoded = cut.decode("utf-16-le", "ignore").encode("utf-16-le")  # without half a pair
    return _pack(PacketType.INIT_COMMAND_REQUEST, PROTOCOL_VERSION, guid, encoded, HELLO_SIZE)


def pack_welcome(number: int, guid: bytes, name: str) -> bytes:
    """Return the Init Command Ack: 0x44 bytes. ValueError for a name that does not fit."""
    encoded = name.encode("utf-16-le")
    if _NAME_AT + len(encoded) + 2 > WELCOME_SIZE:
        raise ValueError(f"{name!r} is too long for Fujifilm's Init Command Ack")
    return _pack(PacketType.INIT_COMMAND_ACK, number, guid, encoded, WELCOME_SIZE)


def pack_refusal(reason: int) -> bytes:
    """Return an Init Fail, which is PTP/IP's."""
    return pack(InitFail(reason))


def _pack(kind: PacketType, number: int, guid: bytes, name: bytes, size: int) -> bytes:
    builder = Builder()
    builder.u32(size)
    builder.u32(kind)
    builder.u32(number)
    builder.guid(guid)
    builder.payload(name.ljust(size - _NAME_AT, b"\0"))
    return bytes(builder)


def parse_hello(packet: bytes) -> Hello:
    """Parse an Init Command Request, whose name may end with the packet (libgphoto2).

    Raises:
        ProtocolError: it is another packet, or cut.
    """
    return _parse(packet, PacketType.INIT_COMMAND_REQUEST)


def parse_welcome(packet: bytes) -> Hello:
    """Parse an Init Command Ack.

    Raises:
        ProtocolError: it is another packet, or cut.
    """
    return _parse(packet, PacketType.INIT_COMMAND_ACK)


def _parse(packet: bytes, expected: PacketType) -> Hello:
    cursor = Cursor(packet, "Fujifilm's Init packet")
    length, kind = cursor.u32(), cursor.u32()
    if length != len(packet) or kind != expected:
        raise ProtocolError(f"a packet of type {kind} came, type {int(expected)} was expected")
    number, guid = cursor.u32(), cursor.guid()
    units = bytes(cursor.payload())
    for at in range(0, len(units) - 1, 2):
        if units[at : at + 2] == b"\0\0":
            units = units[:at]
            break
    return Hello(number, guid, units[: len(units) // 2 * 2].decode("utf-16-le", "replace"))


def refusal_of(packet: bytes) -> int | None:
    """Return the reason of an Init Fail; None for another packet."""
    cursor = Cursor(packet, "Init Fail")
    cursor.u32()
    if cursor.u32() != PacketType.INIT_FAIL:
        return None
    return cursor.u32() if cursor.remaining >= 4 else 0


def parse_event(packet: bytes) -> Event | None:
    """Parse a packet of the Event connection; None for a container that is no event.

    Raises:
        ProtocolError: the container is cut.
    """
    container = containers.parse(packet)
    if container.kind != ContainerKind.EVENT_CONTAINER:
        return None
    parameters = container.parameters
    if len(parameters) == _EVENT_PARAMETERS:
        transaction_id, _, *values = parameters
        return Event(container.code, transaction_id, tuple(values[:1]))
    return Event(container.code, container.transaction_id, parameters)


def pack_event(event: Event) -> bytes:
    """Return an event of 28 bytes; the inverse of `parse_event` for its first parameter."""
    value = event.parameters[0] if event.parameters else 0
    transaction_id = event.transaction_id
    return containers.pack(
        ContainerKind.EVENT_CONTAINER,
        event.code,
        _AMOUNT,
        (transaction_id, transaction_id, value, 0),
    )


# A live view frame: its length (counting itself), 14 bytes, then a JPEG (libgphoto2 fujiptpip.c).
FRAME_HEAD = 14
LARGEST_FRAME = 4 << 20
_JPEG = b"\xff\xd8"


def picture_of(frame: bytes) -> bytes:
    """Return the JPEG of a live view frame, given without its length. Raises ProtocolError."""
    if frame[FRAME_HEAD : FRAME_HEAD + len(_JPEG)] != _JPEG:
        raise ProtocolError("a live view frame has no JPEG behind its head")
    return frame[FRAME_HEAD:]


def pack_frame(number: int, jpeg: bytes) -> bytes:
    """Return a live view frame as it is sent. What its head means is not known: a number here."""
    body = (number & 0xFFFFFFFF).to_bytes(4, "little").ljust(FRAME_HEAD, b"\0") + jpeg
    return (4 + len(body)).to_bytes(4, "little") + body
