"""The comparison of some bytes of a part file with the camera before it is resumed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from ..engine.sink import MemorySink
from ..link.camera import Camera
from ..ptp.errors import ResponseError, TransferError
from ..ptp.objects import ObjectInfo
from .part import PartFile
from .reading import ObjectReader

log: logging.Logger = logging.getLogger("ptpfast")

OVERLAP = 1 << 14  # bytes before the seam
# Of an object that could be another one with the same description, so many places of so many bytes
# besides: its beginning, and between there and the seam.
PLACES, PLACE_SIZE = 7, 1 << 12
SAMPLE = 1 << 13  # bytes from the middle of an object, by which it is told from another


def is_seamless(
    reader: ObjectReader, part: PartFile, length: int, *, own: bool
) -> tuple[bool, int]:
    """Compare the first `length` bytes of a part file with the camera, where it tells most.

    The beginning is compared for bytes of another process, and more places for a weak description.

    Returns:
        Whether they are equal, and how many bytes were received for it.

    Raises:
        PTPError: the session has ended.
    """
    received = 0
    for start, end in _places(reader, length, own):
        # A camera that will not this once has not another object: all there is hangs on it.
        sent = _sent(reader, start, end) or _sent(reader, start, end)
        received += len(sent)
        if not sent:
            return False, received
        try:
            kept = os.pread(part.fd, end - start, start)
        except OSError:
            return False, received
        if kept != sent:
            log.warning("%s differs from the camera's object; starting over", part.path)
            return False, received
    return True, received


def sample(camera: Camera, info: ObjectInfo) -> bytes:
    """Return some bytes from the middle of an object; nothing if the camera reads no parts.

    Raises:
        PTPError: the session has ended.
    """
    reader = ObjectReader(camera, info)
    if reader.partial() is None or not info.size:
        return b""
    start = max(0, (info.size - SAMPLE) // 2)
    return _sent(reader, start, min(info.size, start + SAMPLE))


def _places(reader: ObjectReader, length: int, own: bool) -> Iterator[tuple[int, int]]:
    """Return the ranges to compare.

    The seam tells most. A camera may have changed the beginning since (a rating, a rotation). If
    the description lacks a date or a serial number, another object may have the same bytes at the
    seam.
    """
    yield max(0, length - OVERLAP), length
    serial_number = reader.camera.link.device_info.serial_number.strip(" 0")
    is_weak = not (reader.info.captured and serial_number)
    if own and not is_weak:
        return
    for place in range(PLACES if is_weak else 1):
        start = length * place // PLACES
        yield start, min(start + PLACE_SIZE, length)


def _sent(reader: ObjectReader, start: int, end: int) -> bytes:
    """Return the camera's bytes in a range; nothing if it refuses."""
    sink = MemorySink()
    try:
        reader.another().read(sink, start, end - start)
    except (ResponseError, TransferError) as error:
        log.debug("%s at %d cannot be read again: %s", reader.info.name, start, error)
        return b""
    return bytes(sink.finish() or b"")
