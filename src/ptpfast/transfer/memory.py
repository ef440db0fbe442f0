"""An object, or a part of one, in memory."""

from __future__ import annotations

from typing import Any

from ..engine.sink import MemorySink
from ..link.camera import Camera
from ..ptp.objects import ObjectInfo
from .ends import may_end_elsewhere
from .reading import ObjectReader


def read(camera: Camera, info: ObjectInfo) -> bytearray:
    """Return a whole object."""
    own = MemorySink()  # it grows with what arrives: a size is only the camera's word
    with camera.link.dialect.reading(info):
        reader_to_end(camera, info).read(own)
    content = own.finish() or bytearray()
    camera.link.dialect.stored(info.handle)
    return content


def read_into(camera: Camera, info: ObjectInfo, buffer: Any, offset: int, size: int | None) -> int:
    """Read bytes [offset, offset + size) of an object into a buffer; return how many.

    Raises:
        ValueError: they do not fit.
    """
    if offset < 0 or (size is not None and size < 0):
        raise ValueError("offset and size must not be negative")
    room = memoryview(buffer).nbytes
    # A range that ends before the described end needs no look there.
    within = size is not None and offset + size <= (info.size or 0)
    reader = ObjectReader(camera, info) if within else reader_to_end(camera, info)
    wanted = size
    if reader.size is not None:
        left = max(reader.size - offset, 0)
        wanted = left if size is None else min(size, left)
    if wanted is not None and wanted > room:
        raise ValueError(f"{wanted:,} bytes do not fit into a buffer of {room:,}")
    sink = MemorySink(buffer)
    try:
        whole = offset == 0 and wanted in (None, reader.size)
        dialect = camera.link.dialect
        with dialect.reading(info) if whole else dialect.reading_part(info):
            count = reader.read(sink, offset, None if whole else wanted)
        if whole:
            dialect.stored(info.handle)
        return count
    finally:
        sink.abandon()


def reader_to_end(camera: Camera, info: ObjectInfo, *, chunk: int | None = None) -> ObjectReader:
    """Return a reader that knows the end of the object, even if the description is wrong."""
    reader = ObjectReader(camera, info, chunk=chunk)
    if may_end_elsewhere(info):
        reader.find_end()
    return reader
