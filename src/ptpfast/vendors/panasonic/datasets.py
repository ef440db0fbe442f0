"""Parsers and encoders of Panasonic's datasets.

Sources: libgphoto2 (ptp.c, library.c, the report of a GH5); the parts that it does not explain are
kept as bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...engine.wire import Builder, Cursor
from ...ptp.errors import ProtocolError

_JPEG = b"\xff\xd8"
_SIZE_OF_HEAD = 20  # of a record
_ROW = 8  # of the sizes of live view, at least


class Record(NamedTuple):
    """A record of GetSizes and ListProperty: a code, a head of 20 bytes, and maybe data.

    Attributes:
        parts: How many parts the data has.
        size: The bytes of the data, which GetSizes leaves out.
    """

    code: int
    head: bytes
    data: bytes

    @property
    def parts(self) -> int:
        return int.from_bytes(self.head[12:16], "little")

    @property
    def size(self) -> int:
        return int.from_bytes(self.head[16:20], "little")


def parse_values(payload: bytes | bytearray) -> list[tuple[int, bytes]]:
    """Parse GetProperty: u32 code, u32 size and that many bytes, any number of times.

    Raises:
        ProtocolError: a value is cut.
    """
    cursor = Cursor(payload, "Panasonic's property values")
    values = []
    while cursor.remaining:
        code, size = cursor.u32(), cursor.u32()
        values.append((code, bytes(cursor.take(size))))
    return values


def pack_values(values: Iterable[tuple[int, bytes]]) -> bytes:
    """Encode property values; the inverse of `parse_values`, and the data of SetProperty."""
    builder = Builder()
    for code, value in values:
        builder.u32(code)
        builder.u32(len(value))
        builder.payload(value)
    return bytes(builder)


def parse_records(payload: bytes | bytearray, *, with_data: bool) -> list[Record]:
    """Parse GetSizes (without data), or ListProperty (one record with data).

    Raises:
        ProtocolError: a record is cut, or has a head of another size.
    """
    cursor = Cursor(payload, "Panasonic's property list")
    records = []
    while cursor.remaining:
        code, length = cursor.u32(), cursor.u32()
        if length != _SIZE_OF_HEAD:
            raise ProtocolError(f"a record with a head of {length} bytes")
        record = Record(code, bytes(cursor.take(length)), b"")
        if with_data:
            record = record._replace(data=bytes(cursor.take(record.size)))
        records.append(record)
    return records


def pack_records(records: Iterable[Record]) -> bytes:
    """Encode records; the inverse of `parse_records`."""
    builder = Builder()
    for record in records:
        builder.u32(record.code)
        builder.u32(len(record.head))
        builder.payload(record.head)
        builder.payload(record.data)
    return bytes(builder)


class LiveViewSize(NamedTuple):
    """A size in which a body can send live view, and its frames each second."""

    height: int
    width: int
    unknown: int
    hertz: int


def parse_live_view_sizes(payload: bytes | bytearray) -> list[LiveViewSize]:
    """Parse GetLiveViewParameters: code, size, count, bytes of a row, rows (libgphoto2 ptp.c).

    Raises:
        ProtocolError: the rows do not fit.
    """
    cursor = Cursor(payload, "Panasonic's live view sizes")
    cursor.u32()
    body = Cursor(cursor.take(cursor.u32()), "Panasonic's live view sizes")
    count, length = body.u16(), body.u16()
    if length < _ROW:
        raise ProtocolError(f"a live view size of {length} bytes")
    found = []
    for _ in range(count):
        row = Cursor(body.take(length), "a live view size")
        found.append(LiveViewSize(row.u16(), row.u16(), row.u16(), row.u16()))
    return found


def picture_of(payload: bytes | bytearray) -> bytes:
    """Return the JPEG in the answer to LiveViewImage, behind a head (libgphoto2 library.c).

    Raises:
        ProtocolError: there is none.
    """
    at = payload.find(_JPEG)
    if at < 0:
        raise ProtocolError("a live view image without a JPEG")
    return bytes(payload[at:])
