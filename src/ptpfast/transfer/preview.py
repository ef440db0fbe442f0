"""The preview of a picture, long before the whole picture."""

from __future__ import annotations

from ..link.camera import Camera
from ..ptp.errors import Unsupported
from ..ptp.objects import ObjectInfo
from ..raw import find_preview, with_orientation
from .memory import read, read_into

LARGEST_PREVIEW = 256 << 20  # bytes; the file says how many there are, and the camera sent the file


def preview(camera: Camera, info: ObjectInfo) -> bytes:
    """Return the largest JPEG in a RAW file, or a whole JPEG file.

    A JPEG in a RAW file that does not say how it is turned gets the orientation of the RAW file.

    Raises:
        Unsupported: no preview is found in the object.
    """
    if info.kind == "jpeg":
        return bytes(read(camera, info))

    def part(offset: int, size: int) -> bytes:
        buffer = bytearray(size)
        return bytes(memoryview(buffer)[: read_into(camera, info, buffer, offset, size)])

    place = find_preview(part, info.size or 0)
    if place is None:
        raise Unsupported(
            f"{info.name} has no preview that ptpfast can find",
            hint="its thumbnail is smaller: session.thumbnail",
        )
    if place.size > LARGEST_PREVIEW:
        raise Unsupported(f"{info.name} has a preview of {place.size:,} bytes, which is none")
    return with_orientation(part(place.offset, place.size), place.orientation)
