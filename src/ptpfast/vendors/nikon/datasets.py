"""Parsers for the answers to Nikon's operations."""

from __future__ import annotations

from ...engine.wire import Cursor
from ...ptp.errors import ProtocolError
from ..dialect import PolledEvent


def parse_events(payload: bytes | bytearray) -> list[PolledEvent]:
    """Parse GetEvent's dataset: u16 count, then u16 code and u32 parameter each (libgphoto2)."""
    cursor = Cursor(payload, "GetEvent")
    if not cursor.remaining:
        return []
    count = cursor.u16()
    events: list[PolledEvent] = [(cursor.u16(), (cursor.u32(),)) for _ in range(count)]
    cursor.finish()
    return events


def parse_events_ex(payload: bytes | bytearray) -> list[PolledEvent]:
    """Parse GetEventEx: u32 count, then u16 code, u16 n, n × u32 each (zcine, libgphoto2)."""
    cursor = Cursor(payload, "GetEventEx")
    if not cursor.remaining:
        return []
    count = cursor.u32()
    if count > cursor.remaining // 4:
        raise ProtocolError(f"GetEventEx: {count} events in {cursor.remaining} bytes")
    events = [
        (cursor.u16(), tuple(cursor.u32() for _ in range(cursor.u16()))) for _ in range(count)
    ]
    cursor.finish()
    return events


def parse_object_size(payload: bytes | bytearray) -> int:
    """Parse GetObjectSize: u64 (libgphoto2 ptp.h)."""
    cursor = Cursor(payload, "GetObjectSize")
    size = cursor.u64()
    cursor.finish()
    return size


def low_high(value: int) -> tuple[int, int]:
    """Return a number of 64 bits as two parameters, the low half first (libgphoto2 ptp.c)."""
    return value & 0xFFFFFFFF, value >> 32
