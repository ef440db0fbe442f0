"""The write rate of the disk at the destination. Nothing is left there.

The file has no name from the moment it is opened, so even a killed run leaves none.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ..engine.sink import CallbackSink, FileSink
from ..ownership import files
from ..ptp.errors import disk_error

FIRST_BLOCK = 1 << 20
LARGEST_BLOCK = 64 << 20
MOST_BYTES = 1 << 30
AnySink = FileSink | CallbackSink
_ELSEWHERE = "give another folder with --into"
_SHARE_OF_FREE = 4  # at most one in so many of the free bytes is used


@dataclass(frozen=True, slots=True)
class DiskSpeed:
    """`bytes` written in `seconds`, each stretch flushed to the disk (fsync) before the next.

    Attributes:
        flush_ms: The time of a flush after a small write.
    """

    bytes: int
    seconds: float
    flush_ms: float

    @property
    def mb_per_s(self) -> float:
        return self.bytes / self.seconds / 1e6 if self.seconds else 0.0


class Destination:
    """A folder for test files; use it in a `with`.

    A test replaces `write`, `sync` and `open`.

    Raises:
        SinkError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._renew()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _renew(self) -> IO[bytes]:
        """Replace the file with an empty one."""
        if self._file is not None:
            self._file.close()
        try:
            self._file = files.nameless(self.folder)
        except OSError as error:
            raise disk_error("write in", self.folder, error, hint=_ELSEWHERE) from error
        return self._file

    def room(self) -> int:
        """Return how many bytes may be written at a time."""
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return MOST_BYTES
        return min(MOST_BYTES, free // _SHARE_OF_FREE)

    def open(self, size: int) -> AnySink:
        """Return a sink for `size` bytes of an object; its `finish` flushes them."""
        file = self._renew()
        return FileSink(self.folder / "measured", size=size, descriptor=file.fileno())

    def write(self, block: bytes) -> None:
        """Append to the file."""
        assert self._file is not None
        view = memoryview(block)
        while view:
            view = view[self._file.write(view) :]

    def sync(self) -> None:
        """Flush the file to the disk."""
        assert self._file is not None
        os.fsync(self._file.fileno())

    def measure(self, seconds: float) -> DiskSpeed:
        """Measure the disk for about `seconds`. Raises SinkError when it is full or gone."""
        self._renew()
        try:
            return self._measure(seconds)
        except OSError as error:
            raise disk_error("write in", self.folder, error, hint=_ELSEWHERE) from error

    def _measure(self, seconds: float) -> DiskSpeed:
        # Random, so that no disk or filesystem can compress it.
        block = os.urandom(FIRST_BLOCK)
        began = time.monotonic()
        self.write(block[:1])
        self.sync()
        flush_s = time.monotonic() - began
        room, stretch, written, spent = self.room(), FIRST_BLOCK, 0, 0.0
        # Longer and longer stretches: a slow disk is found out by the first, a fast one is
        # measured by the long ones, whose flush counts for little.
        while spent < seconds and written + stretch <= room:
            began = time.monotonic()
            for _ in range(stretch // FIRST_BLOCK):
                self.write(block)
            self.sync()
            took = time.monotonic() - began
            written, spent = written + stretch, spent + took
            if took < seconds / 8:
                stretch = min(2 * stretch, LARGEST_BLOCK)
        return DiskSpeed(written, spent, 1e3 * flush_s)
