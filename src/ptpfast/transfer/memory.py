"""An object, or a part of one, in memory."""

from __future__ import annotations

from typing import Any

from ..engine.sink import MemorySink
from ..link.camera import Camera
from ..link.pipelining import Overfull
from ..ptp.errors import TransferError
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
        ValueError: the buffer is too small for what the camera lists, or for `size`.
        TransferError: the camera has more than it lists, and the buffer is too small for that.
    """
    if offset < 0 or (size is not None and size < 0):
        raise ValueError("offset and size must not be negative")
    room = memoryview(buffer).nbytes
    listed = _wanted(info.size or None, offset, size)
    if listed is not None and listed > room:
        raise ValueError(f"{listed:,} bytes do not fit into a buffer of {room:,}")
    # A range that ends before the described end needs no look there.
    within = size is not None and offset + size <= (info.size or 0)
    reader = ObjectReader(camera, info) if within else reader_to_end(camera, info)
    wanted = _wanted(reader.size, offset, size)
    if wanted is not None and wanted > room:
        raise TransferError(
            f"{reader.label()} has {reader.size:,} bytes, but the camera lists {info.size:,}; "
            f"the buffer has room for {room:,}",
            hint=f"use a buffer of {wanted:,} bytes",
        )
    sink = MemorySink(buffer)
    try:
        whole = offset == 0 and wanted in (None, reader.size)
        dialect = camera.link.dialect
        with dialect.reading(info) if whole else dialect.reading_part(info):
            count = reader.read(sink, offset, None if whole else wanted)
        if whole:
            dialect.stored(info.handle)
        return count
    except Overfull as error:
        if reader.size is not None:
            raise
        raise TransferError(
            f"{reader.label()} does not fit into a buffer of {room:,} bytes; its size is not known",
            hint="use `stream`, which needs no buffer of its size",
            received=error.received,
        ) from error
    finally:
        sink.abandon()


def _wanted(whole: int | None, offset: int, size: int | None) -> int | None:
    """Return how many bytes [offset, offset + size) has of an object of `whole` bytes."""
    if whole is None:
        return size
    left = max(whole - offset, 0)
    return left if size is None else min(size, left)


def reader_to_end(camera: Camera, info: ObjectInfo, *, chunk: int | None = None) -> ObjectReader:
    """Return a reader that knows the end of the object, even if the description is wrong."""
    reader = ObjectReader(camera, info, chunk=chunk)
    if may_end_elsewhere(info):
        reader.find_end()
    return reader
