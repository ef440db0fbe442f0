"""Parsers and encoders of Fujifilm's datasets.

Sources: fudge (PtpFujiEvents), malc0mn/ptp-ip (a mock of an X-T1), vcam (fuji.c).
"""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.wire import Builder, Cursor
from ...ptp.datasets import DevicePropDesc, decode_prop_desc, encode_prop_desc
from ...ptp.errors import ProtocolError

News = list[tuple[int, int]]  # property and value
_LENGTH = 4
_SIZES = (1, 2, 4)


def parse_news(payload: bytes | bytearray) -> News:
    """Parse the property 0xD212: u16 count, then u16 property and u32 value each.

    Raises:
        ProtocolError: it is cut.
    """
    cursor = Cursor(payload, "Fujifilm's list of changes")
    if not cursor.remaining:
        return []
    news = [(cursor.u16(), cursor.u32()) for _ in range(cursor.u16())]
    cursor.finish()
    return news


def pack_news(news: Iterable[tuple[int, int]]) -> bytes:
    """Encode 0xD212; the inverse of `parse_news`."""
    rows = list(news)
    builder = Builder()
    builder.u16(len(rows))
    for code, value in rows:
        builder.u16(code)
        builder.u32(value)
    return bytes(builder)


def parse_number(payload: bytes | bytearray) -> int | None:
    """Parse a property's value of one, two or four bytes; None for a property that is absent.

    A body answers OK with no data for a property that it does not have (vcam).

    Raises:
        ProtocolError: the value has another size.
    """
    if not payload:
        return None
    if len(payload) not in _SIZES:
        raise ProtocolError(f"a property's value of {len(payload)} bytes")
    return int.from_bytes(payload, "little")


def parse_descriptions(payload: bytes | bytearray) -> list[DevicePropDesc]:
    """Parse the answer to 0x902B: u32 count, then a length (counting itself) and a DevicePropDesc.

    Raises:
        ProtocolError: a length or a description does not fit.
    """
    cursor = Cursor(payload, "Fujifilm's property descriptions")
    if not cursor.remaining:
        return []
    count = cursor.u32()
    if count > cursor.remaining // _LENGTH:
        raise ProtocolError(f"{count} property descriptions in {cursor.remaining} bytes")
    found = []
    for _ in range(count):
        length = cursor.u32()
        if length < _LENGTH:
            raise ProtocolError(f"a property description of length {length}")
        found.append(decode_prop_desc(cursor.take(length - _LENGTH)))
    cursor.finish()
    return found


def pack_descriptions(descriptions: Iterable[DevicePropDesc]) -> bytes:
    """Encode the answer to 0x902B; the inverse of `parse_descriptions`."""
    packed = [encode_prop_desc(each) for each in descriptions]
    builder = Builder()
    builder.u32(len(packed))
    for each in packed:
        builder.u32(_LENGTH + len(each))
        builder.payload(each)
    return bytes(builder)
