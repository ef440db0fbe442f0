"""An object in pieces: an iterator of memoryviews, or a raw file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..engine.buffers import renewed
from ..engine.sink import MemorySink
from ..link.camera import Camera
from ..link.pieces import pieces
from ..link.pipelining import Request
from ..ptp.errors import TransferError
from ..ptp.objects import ObjectInfo
from .chunks import read_label, whole_read
from .memory import reader_to_end
from .reading import ObjectReader


def stream(camera: Camera, info: ObjectInfo, chunk_size: int) -> Iterator[memoryview]:
    """Yield memoryviews of `chunk_size` bytes, from partial reads or one GetObject."""
    if chunk_size < 1:
        raise ValueError("chunk_size must be at least 1")
    return _pieces(camera, info, chunk_size)


def _pieces(camera: Camera, info: ObjectInfo, chunk_size: int) -> Iterator[memoryview]:
    reader = reader_to_end(camera, info, chunk=chunk_size)
    held = camera.link.dialect.held(info.handle)
    if held is not None:
        reader.check_whole(len(held))
        for offset in range(0, len(held), chunk_size):
            yield memoryview(held)[offset : offset + chunk_size]
    elif reader.size is None or reader.partial() is None:
        yield from whole_pieces(camera, reader, chunk_size)
    else:
        yield from _partial(reader, reader.size, chunk_size)


def _partial(reader: ObjectReader, size: int, chunk_size: int) -> Iterator[memoryview]:
    """Each piece is asked for before the one in front of it is handed out: the camera is at work
    while the caller is."""
    buffer = bytearray(min(chunk_size, size))

    def piece(offset: int) -> tuple[int, int]:
        return offset, min(chunk_size, size - offset)

    for offset, want in map(piece, range(0, size, chunk_size)):
        behind = offset + want
        following = partial(reader.requests, *piece(behind)) if behind < size else None
        buffer = renewed(buffer)
        sink = MemorySink(buffer)
        try:
            with reader.camera.link.plan(following):
                got = reader.read(sink, offset, want)
        finally:
            sink.abandon()
        if got != want:
            raise TransferError(f"{got:,} of {want:,} bytes came at {offset:,}", received=offset)
        yield memoryview(buffer)[:got]


def whole_pieces(camera: Camera, reader: ObjectReader, chunk_size: int) -> Iterator[memoryview]:
    """For cameras without partial reads, or objects of unknown size: one GetObject."""
    received = 0
    whole = whole_read(camera)
    request = Request(
        whole.operation,
        whole.parameters(reader.info.handle),
        limit=reader.size,
        label=read_label(reader.info),
    )
    for piece in pieces(camera.link, request, chunk_size):
        received += len(piece)
        yield piece
    reader.check_whole(received)


class ObjectFile(io.RawIOBase):
    """A read-only, seekable file over an object. Not thread-safe, like all raw files."""

    def __init__(self, camera: Camera, info: ObjectInfo) -> None:
        super().__init__()
        if not info.size:
            raise io.UnsupportedOperation(f"the size of {info.name} is not known")
        reader = reader_to_end(camera, info)
        if reader.size is None:
            raise io.UnsupportedOperation(f"no partial read reaches the end of {info.name}")
        self.name: str = info.name
        self._size = reader.size
        self._reader = reader
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("seek before the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readall(self) -> bytes:
        """Return the rest, with as few partial reads as possible."""
        if self.closed:
            raise ValueError("the file is closed")
        sink = MemorySink()  # it grows with what arrives: a size is only the camera's word
        want = max(self._size - self._position, 0)
        self._position += self._reader.another().read(sink, self._position, want)
        return bytes(sink.finish() or b"")

    def readinto(self, buffer: Any) -> int:
        if self.closed:
            raise ValueError("the file is closed")
        sink = MemorySink(buffer)
        try:
            want = min(memoryview(buffer).nbytes, self._size - self._position)
            if want <= 0:
                return 0
            got = self._reader.another().read(sink, self._position, want)
        finally:
            sink.abandon()
        self._position += got
        return got
