"""Previews in files that are built of boxes: CR3.

Source: ISO 14496-12 (boxes, sample tables); ExifTool and Laurent Clévy's description of CR3 for the
JPEG in the first track and the preview box.
"""

from __future__ import annotations

from collections.abc import Iterator

from .ranges import Ranges

MOST_BOXES = 500
HEAD, LARGE_HEAD = 8, 16
PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
PREVIEW_UUID = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
METADATA_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
PREVIEW_HEAD = 24  # of the PRVW box, behind it the JPEG


def candidates(file: Ranges) -> Iterator[tuple[int, int]]:
    """Yield (offset, size) of everything that may be a JPEG.

    Args:
        file: the file.
    """
    if file.at(4, 4) != b"ftyp":
        return
    sizes: dict[int, int] = {}
    places: dict[int, int] = {}
    track = 0
    for kind, start, end in _boxes(file, 0, file.size, [MOST_BOXES]):
        if kind == b"trak":
            track += 1
        elif kind == b"stsz":
            sizes[track] = _sample_size(file.at(start, 16))
        elif kind == b"co64" and len(raw := file.at(start, 16)) == 16:
            places[track] = _number(raw[8:])
        elif kind == b"uuid" and file.at(start, 16) == PREVIEW_UUID:
            yield from _preview(file, start + 16, end)
    for number, place in places.items():
        yield place, sizes.get(number, 0)


def metadata(file: Ranges) -> tuple[int, int] | None:
    """Return start and end of the TIFF that describes the picture (CMT1); None without one.

    Args:
        file: the file.
    """
    if file.at(4, 4) != b"ftyp":
        return None
    left = [MOST_BOXES]
    for kind, start, end in _boxes(file, 0, file.size, left):
        if kind == b"uuid" and file.at(start, 16) == METADATA_UUID:
            for inner, first, stop in _boxes(file, start + 16, end, left):
                if inner == b"CMT1":
                    return first, stop
    return None


def _boxes(file: Ranges, start: int, end: int, left: list[int]) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start and end of its content) of each box, and of the boxes in it."""
    while start + HEAD <= end and left[0]:
        left[0] -= 1
        head = file.at(start, LARGE_HEAD)
        if len(head) < HEAD:
            return
        size, kind = _number(head[:4]), head[4:HEAD]
        content = start + HEAD
        if size == 1 and len(head) == LARGE_HEAD:
            size = _number(head[HEAD:])
            content = start + LARGE_HEAD
        stop = end if size == 0 else min(start + size, end)
        if stop < content:
            return
        yield kind, content, stop
        if kind in PARENTS:
            yield from _boxes(file, content, stop, left)
        start = stop


def _sample_size(raw: bytes) -> int:
    """Return the size of a track's only sample; 0 if there are several."""
    if len(raw) < 12:
        return 0
    size, count = _number(raw[4:8]), _number(raw[8:12])
    if count != 1:
        return 0
    if size == 0 and len(raw) == 16:
        size = _number(raw[12:])
    return size


def _preview(file: Ranges, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the JPEG of a preview box, which begins 8 bytes behind its identifier."""
    for skipped in (8, 0):
        head = file.at(start + skipped, PREVIEW_HEAD)
        if head[4:8] == b"PRVW" and len(head) == PREVIEW_HEAD:
            size = _number(head[20:24])
            yield start + skipped + PREVIEW_HEAD, min(size, end - start)
            return


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")
