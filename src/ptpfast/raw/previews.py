"""The preview of a RAW file: the largest JPEG in it that programs can show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from . import boxes, orientation, tiff
from .orientation import AS_STORED
from .ranges import Ranges, Read, TooMuch

RAF_MAGIC = b"FUJIFILMCCD-RAW "
RAF_JPEG = 84  # of Fujifilm's header: place and size of the JPEG (ExifTool)
START = b"\xff\xd8\xff"
LEAST = 512  # bytes; a smaller picture is none
LOSSLESS = 0xC3  # the frame of a JPEG that holds RAW values
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
MOST_SEGMENTS = 100


class Preview(NamedTuple):
    """The place of a JPEG in a file.

    Attributes:
        offset: its first byte.
        size: its bytes.
        orientation: how the file says that it is turned, as in EXIF: 1 to 8.
    """

    offset: int
    size: int
    orientation: int = AS_STORED


def find_preview(read: Read, size: int) -> Preview | None:
    """Return the largest preview of a RAW file; None if there is none, or the format is unknown.

    Args:
        read: returns bytes [offset, offset + size) of the file; asked for blocks of 64 KiB.
        size: bytes of the file.
    """
    file = Ranges(read, size)
    found: set[Preview] = set()
    try:
        for offset, length in _candidates(file):
            if length >= LEAST and offset > 0 and offset + length <= size:
                found.add(Preview(offset, length))
    except TooMuch:  # what was found before is still a picture
        pass
    for each in sorted(found, key=lambda preview: -preview.size):
        try:
            if _is_shown(file, each):
                return each._replace(orientation=orientation.of_raw(file))
        except TooMuch:
            return None
    return None


def _candidates(file: Ranges) -> Iterator[tuple[int, int]]:
    yield from tiff.candidates(file)
    yield from boxes.candidates(file)
    head = file.at(0, RAF_JPEG + 8)
    if head.startswith(RAF_MAGIC) and len(head) == RAF_JPEG + 8:
        place, length = head[RAF_JPEG : RAF_JPEG + 4], head[RAF_JPEG + 4 :]
        yield int.from_bytes(place, "big"), int.from_bytes(length, "big")


def _is_shown(file: Ranges, preview: Preview) -> bool:
    """Whether a JPEG begins there that is no lossless one: those are the RAW data of some files."""
    if file.at(preview.offset, len(START)) != START:
        return False
    at, end = preview.offset + 2, preview.offset + preview.size
    for _ in range(MOST_SEGMENTS):
        head = file.at(at, 4)
        if len(head) < 4 or head[0] != 0xFF or at >= end:
            return False
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker in _FRAMES:
            return marker != LOSSLESS
        at += 2 + length
    return False
