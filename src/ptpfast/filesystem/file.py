"""A file on the card, open for reading."""

from __future__ import annotations

import os
from concurrent.futures import Future
from typing import Any

from fsspec.spec import AbstractBufferedFile

from ..ptp.arguments import whole
from .blocks import LARGEST_BLOCK, Blocks
from .queue import Range, RangeQueue
from .target import Target


class PtpIpFile(AbstractBufferedFile):  # type: ignore[misc]
    """A file on the card, open for reading in any order. `PtpIpFileSystem.open` makes it.

    Args:
        fs: the filesystem.
        path: the path.
        mode: `rb`.
        block_size: bytes of each request. By default small for a first or random read, and up to
            the chunk size of the session, 8 MiB at most, for reads in order.
        autocommit: has no meaning for a file that is read.
        cache_type: `ptpip` reads ahead in blocks; also the names of fsspec's caches.
        cache_options: for fsspec's caches.
        size: has no meaning: the camera is asked.
        kwargs: kept for `fsspec`.

    Notes:
        A camera that cannot send parts of an object, or not tell its size, sends all of it into a
            temporary file when the file is first read.
    """

    def __init__(
        self,
        fs: Any,
        path: str,
        mode: str = "rb",
        block_size: int | str | None = None,
        autocommit: bool = True,
        cache_type: str = Blocks.name,
        cache_options: dict[str, Any] | None = None,
        size: int | None = None,
        **kwargs: Any,
    ) -> None:
        fixed = None
        if block_size not in (None, "default"):
            fixed = whole("block_size", block_size, "a number of bytes", 1)
        self._process = os.getpid()
        self._target: Target = fs.target(path)
        true_size = self._target.size(fs.camera())
        own = cache_type == Blocks.name
        super().__init__(
            fs,
            path,
            mode,
            fixed or LARGEST_BLOCK,
            autocommit,
            "none" if own else cache_type,
            cache_options,
            true_size,
            **kwargs,
        )
        self.cache: Any
        if own:
            self.cache = Blocks(self._request, self._largest, true_size, fixed)

    def read(self, length: int | None = -1) -> bytes:
        """Read bytes; all that are left by default."""
        self._leave_to_parent()
        return bytes(super().read(length))

    def readinto(self, b: Any) -> int:
        """Read into a buffer and return the number of bytes."""
        if self.closed:
            raise ValueError("the file is closed")
        self._leave_to_parent()
        if not isinstance(self.cache, Blocks):
            return int(super().readinto(b))
        count: int = self.cache.read_into(self.loc, b)
        self.loc += count
        return count

    def close(self) -> None:
        """Close the file: what was requested ahead is not needed any more."""
        super().close()
        if (target := getattr(self, "_target", None)) is not None:
            target.close()

    def _leave_to_parent(self) -> None:
        """Begin again in a forked child: the requests, their thread and the place in a temporary
        file are the parent's."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._target = Target(self._target.info)
            if isinstance(self.cache, Blocks):
                self.cache.forget()

    def _queue(self) -> RangeQueue:
        queue: RangeQueue = self.fs.queue()
        return queue

    def _request(self, start: int, size: int, memory: bytearray | None = None) -> Future[Any]:
        wanted = Range(self._target, start, size, memory)
        self._queue().add([wanted])
        return wanted.future

    def _largest(self) -> int:
        return min(self._queue().camera.session.habits.chunks.size, LARGEST_BLOCK)

    def _fetch_range(self, start: int, end: int) -> bytes:
        """Read a range, as fsspec's caches ask for it."""
        return bytes(self._request(start, end - start).result())
