"""One file on its way to a destination, written by a thread while the camera sends the rest.

The parts of all files wait in a bounded memory. Where a filesystem takes a file in parts
(multipart), a part that fails is sent again; where it does not, the file must be sent again.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any

from ...engine.errors import LimitReached
from ...link.patience import go_on
from .failures import TargetLost, failure
from .place import RemotePath
from .target import Target

_POLL_S = 0.1  # how often a wait looks whether the run is to end


class _GivenUp(BaseException):
    """The file is not to be completed. No package takes it for an error of its own."""


class Upload:
    """An upload, begun when it is made. Call its methods from one thread at a time."""

    def __init__(
        self,
        target: Target,
        path: RemotePath,
        size: int | None,
        *,
        sums_parts: bool = False,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        """Start the thread.

        Args:
            target: the destination.
            path: the name to write under; something else of that name is replaced.
            size: bytes of the file; None if they are not known.
            sums_parts: whether to compute the ETag that S3 gives the file.
            before: called in the thread before the first byte is written.
        """
        self.part_size: int = target.part_size(size)
        self._target = target
        self._path = path
        self._size = size
        self._before = before
        self._sums: list[bytes] | None = [] if sums_parts else None
        self._is_small = True  # sent in one request, not in parts
        self._parts: deque[bytearray] = deque()
        self._changed = threading.Condition()
        self._is_complete = self._is_given_up = False
        self._error: BaseException | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ptpfast upload")
        try:
            self._thread.start()
        except RuntimeError as error:
            raise LimitReached.of(error) or error from error

    def put(self, part: bytearray) -> None:
        """Add a part of `part_size` bytes, or the last one; wait while the memory is full.

        Raises:
            SinkError, FileExistsError: what ended the upload.
            Cancelled: the run is to end.
        """
        while not self._target.budget.acquire(timeout=_POLL_S):
            self.check()
            go_on()
        with self._changed:
            if self._done.is_set():
                self._target.budget.release()
            else:
                self._parts.append(part)
                self._changed.notify()
        self.check()

    def check(self) -> None:
        """Raise what ended the upload, if anything did."""
        if self._error is not None:
            raise self._error

    def complete(self) -> None:
        """Say that no part follows."""
        with self._changed:
            self._is_complete = True
            self._changed.notify()

    def finish(self) -> None:
        """Wait until the file is complete there. Raises what ended the upload."""
        self._done.wait()
        self._thread.join()
        self.check()

    def give_up(self) -> None:
        """End the upload. What it has written under a temporary name stays. Never raises."""
        with self._changed:
            self._is_given_up = True
            self._changed.notify()
        self._done.wait()
        self._thread.join()

    @property
    def etag(self) -> str | None:
        """The ETag that S3 computes of a complete file; None if it was not asked for."""
        if self._sums is None:
            return None
        if self._is_small:
            return (self._sums or [hashlib.md5(b"", usedforsecurity=False).digest()])[0].hex()
        whole = hashlib.md5(b"".join(self._sums), usedforsecurity=False).hexdigest()
        return f"{whole}-{len(self._sums)}"

    def _run(self) -> None:
        parts = self._given()
        try:
            self._before()
            self._target.write(self._path, lambda fs: self._write(fs, parts))
        except _GivenUp:
            pass
        except BaseException as error:  # noqa: BLE001  raised by `put` and `finish`
            self._error = error
        finally:
            parts.close()
            with self._changed:
                self._done.set()
                for _ in self._parts:
                    self._target.budget.release()
                self._parts.clear()

    def _given(self) -> Generator[bytearray, None, None]:
        """Yield the parts; the memory of one is free when the next is asked for."""
        while (part := self._next()) is not None:
            try:
                if self._sums is not None:
                    self._sums.append(hashlib.md5(part, usedforsecurity=False).digest())
                    self._is_small = len(self._sums) == 1 and len(part) < self.part_size
                yield part
            finally:
                self._target.budget.release()

    def _next(self) -> bytearray | None:
        with self._changed:
            while not (self._parts or self._is_complete or self._is_given_up):
                self._changed.wait()
            if self._is_given_up:
                raise _GivenUp
            return self._parts.popleft() if self._parts else None

    def _write(self, filesystem: Any, parts: Iterator[bytearray]) -> None:
        path = self._target.inner(self._path)
        if self._target.kind.is_webdav:
            file = _Stream(parts)
            # One request has the whole file; its length is said where it is known.
            filesystem.client.upload_fileobj(file, path, overwrite=True, size=self._size)
            return
        # asyncssh would send that much in one packet.
        more = {} if self._target.kind.is_sftp else {"block_size": self.part_size}
        file = filesystem.open(path, "wb", **more)
        try:
            for part in parts:
                self._write_part(file, part)
            file.close()
        except BaseException:
            _discard(file)
            raise

    def _write_part(self, file: Any, part: bytearray) -> None:
        try:
            file.write(part)
            return
        except Exception as error:
            lost = failure(error, f"write {self._path}")
            # What has no upload of parts, or none that has begun, must be sent from the beginning.
            has_begun = getattr(file, "offset", None) is not None and not file.closed
            if not isinstance(lost, TargetLost) or not has_begun:
                raise
        patience = self._target.patience()
        while True:
            patience.wait(lost)
            try:
                file.flush()
                return
            except Exception as error:
                again = failure(error, f"write {self._path}")
                if not isinstance(again, TargetLost):
                    raise
                lost = again


class _Stream(io.RawIOBase):
    """A file whose bytes are the parts, for a client that reads what it sends."""

    def __init__(self, parts: Iterator[bytearray]) -> None:
        super().__init__()
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes: at most `size`, and b"" at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._parts, b""))
        size = len(self._rest) if size is None or size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


def _discard(file: Any) -> None:
    """Drop an unfinished file. A file of fsspec would complete itself when it is collected."""
    if hasattr(file, "discard") and hasattr(file, "autocommit"):
        with suppress(Exception):
            file.discard()
        file.closed = True
    else:
        with suppress(Exception):
            file.close()
