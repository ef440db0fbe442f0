"""Previews in files that are built as TIFF: NEF, ARW, DNG, CR2, PEF, RW2 and others.

Source: TIFF 6.0, TIFF/EP (ISO 12234-2), DNG 1.7 (SubIFDs); ExifTool's tag tables for JpgFromRaw of
RW2 (tag 0x2E).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

from .ranges import Ranges

Order = Literal["little", "big"]
ORDERS: dict[bytes, Order] = {b"II": "little", b"MM": "big"}
MAGICS = (42, 0x55, 0x4F52, 0x5352)  # TIFF; RW2; ORF, in two forms
MOST_IFDS, MOST_ENTRIES = 64, 1000
ENTRY = 12
# Tags.
COMPRESSION, STRIP_OFFSETS, STRIP_SIZES = 0x103, 0x111, 0x117
ORIENTATION = 0x112
SUB_IFDS, JPEG_OFFSET, JPEG_SIZE = 0x14A, 0x201, 0x202
RW2_JPEG = 0x2E
JPEGS = (6, 7)  # values of Compression
_WIDTHS = {1: 1, 3: 2, 4: 4, 13: 4}  # bytes of a value by its type, if that is a whole number
MOST_VALUES = 64  # of one entry; a list of strips is longer, and no preview


class Readable(Protocol):
    """Bytes at an offset, fewer where the file ends."""

    def at(self, offset: int, size: int) -> bytes:
        """Return bytes [offset, offset + size)."""


class _Entry(NamedTuple):
    size: int  # of its values, as many as the file says
    place: int  # of the first one
    values: tuple[int, ...]


def candidates(file: Ranges) -> Iterator[tuple[int, int]]:
    """Yield (offset, size) of everything that may be a JPEG.

    Args:
        file: the file.
    """
    if (begin := _begin(file)) is None:
        return
    order, first = begin
    todo = [first]
    seen: set[int] = set()
    while todo and len(seen) < MOST_IFDS:
        place = todo.pop(0)
        if place in seen or not place:
            continue
        seen.add(place)
        entries, following = _directory(file, order, place)
        yield from _pictures(entries)
        todo += [*_values(entries, SUB_IFDS), following]


def first_values(file: Readable, tag: int) -> tuple[int, ...]:
    """Return the values of a tag in the first directory; () if it is not there.

    Args:
        file: the file.
        tag: the number of the tag.
    """
    if (begin := _begin(file)) is None:
        return ()
    return _values(_directory(file, *begin)[0], tag)


def _begin(file: Readable) -> tuple[Order, int] | None:
    """Return the byte order, and the place of the first directory; None if this is no TIFF."""
    head = file.at(0, 8)
    order = ORDERS.get(head[:2])
    if order is None or len(head) < 8 or _number(head[2:4], order) not in MAGICS:
        return None
    return order, _number(head[4:8], order)


def _directory(file: Readable, order: Order, place: int) -> tuple[dict[int, _Entry], int]:
    """Return the entries of a directory, and the place of the next one; 0 at the end."""
    count = _number(file.at(place, 2), order)
    if not 0 < count <= MOST_ENTRIES:
        return {}, 0
    raw = file.at(place + 2, count * ENTRY)
    entries = {}
    for start in range(0, len(raw) - ENTRY + 1, ENTRY):
        row = raw[start : start + ENTRY]
        tag, kind, many = (_number(row[a:b], order) for a, b in ((0, 2), (2, 4), (4, 8)))
        entries[tag] = _entry(file, order, kind, many, place + 2 + start + 8)
    return entries, _number(file.at(place + 2 + count * ENTRY, 4), order)


def _entry(file: Readable, order: Order, kind: int, count: int, at: int) -> _Entry:
    """Return an entry. Its values stand in it, or elsewhere if they take more than 4 bytes."""
    width = _WIDTHS.get(kind, 0)
    size = count * (width or 1)
    place = at if size <= 4 else _number(file.at(at, 4), order)
    if not width or count > MOST_VALUES:
        return _Entry(count, place, ())
    raw = file.at(place, size)
    values = [_number(raw[start : start + width], order) for start in range(0, len(raw), width)]
    return _Entry(count, place, tuple(values) if len(raw) == size else ())


def _pictures(entries: dict[int, _Entry]) -> Iterator[tuple[int, int]]:
    pairs = [(JPEG_OFFSET, JPEG_SIZE)]
    if _values(entries, COMPRESSION)[:1] in [(each,) for each in JPEGS]:
        pairs.append((STRIP_OFFSETS, STRIP_SIZES))
    for offsets, sizes in pairs:
        places, lengths = _values(entries, offsets), _values(entries, sizes)
        if len(places) == len(lengths) == 1:
            yield places[0], lengths[0]
    if (inside := entries.get(RW2_JPEG)) is not None:
        yield inside.place, inside.size


def _values(entries: dict[int, _Entry], tag: int) -> tuple[int, ...]:
    entry = entries.get(tag)
    return () if entry is None else entry.values


def _number(raw: bytes, order: Order) -> int:
    """Return a number; 0 if the file ends before it."""
    return int.from_bytes(raw, order)
