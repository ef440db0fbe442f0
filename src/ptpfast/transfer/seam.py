"""Whether a part file and the camera's object are of one piece: some bytes are read again and
compared before a download goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from ..engine.sink import MemorySink
from ..ptp.errors import ResponseError, TransferError
from .part import PartFile
from .reading import ObjectReader

log = logging.getLogger("ptpfast")

OVERLAP = 1 << 14  # bytes before the seam
# Of an object that could be another one with the same description, so many places of so many bytes
# besides: its beginning, and between there and the seam.
PLACES, PLACE_SIZE = 7, 1 << 12


def is_seamless(
    reader: ObjectReader, part: PartFile, length: int, *, own: bool
) -> tuple[bool, int]:
    """Compares the first `length` bytes of a part file with the object of `reader`: at the seam, at
    the beginning for bytes of another process, and for a weak description elsewhere.

    Returns whether they are equal, and how many bytes were received for it. What ends the
    connection is raised.
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
            log.warning("%s differs from the camera's object; starting anew", part.path)
            return False, received
    return True, received


def _places(reader: ObjectReader, length: int, own: bool) -> Iterator[tuple[int, int]]:
    """The bytes at the seam tell most. A camera may since have written into the beginning (a
    rating, a rotation); and where the description leaves out when an object was made, or the camera
    which it is, another object may have those at the seam, too."""
    yield max(0, length - OVERLAP), length
    serial_number = reader.camera.link.device_info.serial_number.strip(" 0")
    is_weak = not (reader.info.captured and serial_number)
    if own and not is_weak:
        return
    for place in range(PLACES if is_weak else 1):
        start = length * place // PLACES
        yield start, min(start + PLACE_SIZE, length)


def _sent(reader: ObjectReader, start: int, end: int) -> bytes:
    """The camera's bytes there; nothing when it will not send them."""
    sink = MemorySink()
    try:
        reader.another().read(sink, start, end - start)
    except (ResponseError, TransferError) as error:
        log.debug("%s at %d cannot be read again: %s", reader.info.name, start, error)
        return b""
    return bytes(sink.finish() or b"")
