"""The bytes of the simulated camera's objects, and checks of copies.

This module knows offsets and sizes only.

A synthetic object is a window that slides over one page of pseudo-random bytes made from the seed.
So it costs no disk and no memory, however large it is. The page's length is a prime. So a copy that
is off by a power of two, or by a sum of usual chunk and packet sizes, differs almost everywhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from ..engine.sink import Descriptor

PAGE_SIZE = 1_048_583  # the first prime above 1 MiB
SPAN = 1 << 20  # largest piece handed out; at most PAGE_SIZE
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # it may have been swapped
_STRIDE = 6_700_417  # between the windows of neighbouring objects; prime to PAGE_SIZE

Copy = Any  # a path, or a C-contiguous buffer


class Content(Protocol):
    """The bytes of one object. `size` is in bytes; offsets count from the object's first byte."""

    size: int

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        """Yield a range in pieces of at most `SPAN` bytes, each valid until the next.

        Ends early if the source does (a file that shrank).
        """
        ...


class Page:
    """The pseudo-random page of one seed; any number of objects share it."""

    def __init__(self, seed: int | str = 0) -> None:
        page = hashlib.shake_128(f"ptpfast content {seed}".encode()).digest(PAGE_SIZE)
        # Twice over, so that a window that begins anywhere in it is contiguous.
        self.view: memoryview = memoryview(page + page)

    def content(self, number: int, size: int) -> SyntheticContent:
        """Return the object of this number; different numbers give different bytes."""
        return SyntheticContent(self, number * _STRIDE % PAGE_SIZE, size)


class SyntheticContent:
    """An object whose bytes are a function of (seed, number, offset)."""

    def __init__(self, page: Page, start: int, size: int) -> None:
        self.size = size
        self._view = page.view
        self._start = start

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        end = offset + size
        while offset < end:
            here = (self._start + offset) % PAGE_SIZE
            piece = min(SPAN, end - offset)
            yield self._view[here : here + piece]
            offset += piece


class BytesContent:
    """An object held in memory."""

    def __init__(self, data: bytes) -> None:
        self.size: int = len(data)
        self._view = memoryview(data)

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        for start in range(offset, min(offset + size, self.size), SPAN):
            yield self._view[start : min(start + SPAN, offset + size)]


class FileContent:
    """A real file, opened when its bytes are requested; `size` is its size when listed."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(SPAN, size)))
        with Descriptor(self.path, _FLAGS) as held:
            if not stat.S_ISREG(os.fstat(held.number).st_mode):
                raise OSError(errno.EINVAL, "not a regular file", str(self.path))
            while size:
                # readv, not mmap: if the file is truncated, mmap kills the process (SIGBUS).
                got = os.preadv(held.number, [buffer[: min(len(buffer), size)]], offset)
                if not got:
                    return
                yield buffer[:got]
                offset, size = offset + got, size - got


def first_difference(content: Content, copy: Copy, offset: int = 0) -> int | None:
    """Return the offset in the object where a copy of a range differs; None if it is equal.

    Args:
        content: the object.
        copy: a path or a C-contiguous buffer with the range. Bytes beyond the object's end differ.
        offset: the offset in the object at which the copy begins.
    """
    if isinstance(copy, str | os.PathLike):
        with open(copy, "rb", buffering=0) as file:
            return _compare(content, _FileCopy(file), offset)
    return _compare(content, _BufferCopy(memoryview(copy).cast("B")), offset)


def check(content: Content, copy: Copy, offset: int = 0, size: int | None = None) -> bool:
    """Return whether a copy equals the `size` bytes at `offset`; by default all from there on."""
    expected = content.size - offset if size is None else size
    if isinstance(copy, str | os.PathLike):
        length = os.stat(copy).st_size
    else:
        length = memoryview(copy).nbytes
    return length == expected and first_difference(content, copy, offset) is None


def read(content: Content, offset: int = 0, size: int | None = None) -> bytes:
    """Return a range as bytes, for small objects."""
    return b"".join(content.spans(offset, content.size - offset if size is None else size))


class _BufferCopy:
    def __init__(self, view: memoryview) -> None:
        self.size = len(view)
        self._view = view
        self._next = 0

    def take(self, size: int) -> memoryview:
        start, self._next = self._next, self._next + size
        return self._view[start : self._next]


class _FileCopy:
    def __init__(self, file: IO[bytes]) -> None:
        self.size = os.fstat(file.fileno()).st_size
        self._file = file
        self._buffer = memoryview(bytearray(SPAN))

    def take(self, size: int) -> memoryview:
        """Fewer bytes than asked when the file has just been cut."""
        got = 0
        while got < size:
            more = os.readv(self._file.fileno(), [self._buffer[got:size]])
            if not more:
                break
            got += more
        return self._buffer[:got]


def _compare(content: Content, copy: _BufferCopy | _FileCopy, offset: int) -> int | None:
    end = offset + copy.size
    for span in content.spans(offset, max(0, min(end, content.size) - offset)):
        piece = copy.take(len(span))
        if len(piece) < len(span):
            return offset + len(piece)
        ours = np.frombuffer(span, np.uint8)
        theirs = np.frombuffer(piece, np.uint8)
        if not np.array_equal(ours, theirs):
            return offset + int(np.argmax(ours != theirs))
        offset += len(span)
    return offset if offset < end else None
