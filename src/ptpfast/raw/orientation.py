"""The orientation of a picture: as the RAW file says, and as the JPEG in it says.

A camera that is held upright stores the pixels lying, with a tag. The JPEG inside a RAW file mostly
lacks the tag, because the RAW file has it.

Source: Exif 2.3 (tag 0x112; the segment APP1), and Clévy's description of CR3 for CMT1.
"""

from __future__ import annotations

from collections.abc import Callable

from . import boxes, tiff
from .ranges import Ranges, TooMuch

AS_STORED = 1
ORIENTATIONS = range(1, 9)
EXIF = b"Exif\0\0"
APP1, SOS = 0xE1, 0xDA
MOST_SEGMENTS = 100


class _Part:
    """A file in a file."""

    def __init__(self, at: Callable[[int, int], bytes], start: int, end: int) -> None:
        self._at = at
        self._start, self._end = start, end

    def at(self, offset: int, size: int) -> bytes:
        start = self._start + offset
        return self._at(start, min(size, max(0, self._end - start)))


def of_raw(file: Ranges) -> int:
    """Return the orientation that a RAW file gives its picture, 1 to 8; 1 if it gives none.

    Args:
        file: the file.
    """
    try:
        if (place := boxes.metadata(file)) is not None:
            return _of_tiff(_Part(file.at, *place)) or AS_STORED
        return _of_tiff(file) or AS_STORED
    except TooMuch:
        return AS_STORED


def of_jpeg(content: bytes) -> int | None:
    """Return the orientation in a JPEG, 1 to 8; None if it has none."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        head = content[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] == SOS:
            return None
        length = int.from_bytes(head[2:], "big")
        start, end = at + 4, min(at + 2 + length, len(content))
        if head[1] == APP1 and content[start : start + len(EXIF)] == EXIF:
            inside = _Part(lambda place, size: content[place : place + size], start + 6, end)
            if (found := _of_tiff(inside)) is not None:
                return found
        at += 2 + length
    return None


def with_orientation(content: bytes, orientation: int) -> bytes:
    """Return a JPEG that says how it is turned, if it does not say so already.

    Args:
        content: the JPEG. Its own orientation stays.
        orientation: 1 to 8; with 1 nothing is added.
    """
    if orientation == AS_STORED or of_jpeg(content) is not None:
        return content
    entry = b"".join(each.to_bytes(size, "big") for each, size in _entry(orientation))
    body = EXIF + b"MM\0*\0\0\0\x08" + b"\0\x01" + entry + bytes(4)
    segment = bytes([0xFF, APP1]) + (len(body) + 2).to_bytes(2, "big") + body
    return content[:2] + segment + content[2:]


def _entry(orientation: int) -> list[tuple[int, int]]:
    """Return the fields of the tag, with their sizes: a short stands left in its four bytes."""
    return [(tiff.ORIENTATION, 2), (3, 2), (1, 4), (orientation, 2), (0, 2)]


def _of_tiff(file: tiff.Readable) -> int | None:
    values = tiff.first_values(file, tiff.ORIENTATION)
    return values[0] if values and values[0] in ORIENTATIONS else None
