"""Iterators, listings and files of a session, whose steps run in the session's thread."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from ..ptp.errors import ConnectionLost
from .worker import Worker

if TYPE_CHECKING:
    from .. import listing as sync
    from ..listing import Formats, ListingProgress
    from ..ptp.objects import ObjectInfo, ObjectTable

T = TypeVar("T")


class _Steps(Generic[T]):
    """A sync iterator that is made when it is first used, in the thread."""

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        self._make = make
        self._made: Iterator[T] | None = None
        self._is_over = False

    def next(self) -> list[T]:
        """Return the next item in a list; an empty one at the end."""
        if self._is_over:
            return []
        if self._made is None:
            self._made = self._make()
        for item in self._made:
            return [item]
        self._is_over = True
        return []

    def close(self) -> None:
        """Close the sync iterator."""
        self._is_over = True
        if (close := getattr(self._made, "close", None)) is not None:
            close()


class Items(AsyncIterator[T]):
    """An async iterator over items that come from the camera.

    Use it in an `async for`. If you leave the loop early, call `aclose`, or use the iterator in an
    `async with`, which does that.
    """

    def __init__(self, worker: Worker, make: Callable[[], Iterator[T]]) -> None:
        self._worker = worker
        self._steps = _Steps(make)
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._is_over:
            try:
                for item in await self._worker.do(self._steps.next):
                    return item
            except BaseException:
                self._is_over = True
                raise
            self._is_over = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the iteration, also if the task is cancelled. The session can do other work then."""
        self._is_over = True
        with suppress(ConnectionLost):  # the session has been closed, which ends it too
            await self._worker.do_anyway(self._steps.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class Listing:
    """A listing that can be taken in pieces; see `ptpfast.Listing`, which is `sync`."""

    def __init__(self, worker: Worker, listing: sync.Listing) -> None:
        self.sync = listing
        self._worker = worker

    @property
    def handles(self) -> list[int]:
        """All handles of files and folders."""
        return self.sync.handles

    @property
    def complete(self) -> bool:
        """Whether each handle was in a table."""
        return self.sync.complete

    def pieces(self, size: int | None = None) -> Items[ObjectTable]:
        """Yield tables of `size` handles each; one of all by default."""
        return Items(self._worker, lambda: self.sync.pieces(size))

    async def next(self, size: int | None = None) -> ObjectTable | None:
        """Return a table of the next `size` handles; None at the end."""
        return await self._worker.do(partial(self.sync.next, size))

    async def table(self, formats: Formats | None = None) -> ObjectTable:
        """Return all files that were in no table yet."""
        return await self._worker.do(partial(self.sync.table, formats))

    async def confirm(
        self, objects: list[ObjectInfo], progress: ListingProgress | None = None
    ) -> ObjectTable:
        """Return these objects as the camera describes them now."""
        return await self._worker.do(partial(self.sync.confirm, objects, progress))

    async def aclose(self) -> None:
        """Store in the index what is known so far."""
        await self._worker.do(self.sync.close)


class ObjectFile:
    """An object as a read-only, seekable file; each read is one partial read."""

    def __init__(self, worker: Worker, file: io.RawIOBase) -> None:
        self._file = file
        self._worker = worker

    async def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; the rest of the object by default."""
        return await self._worker.do(lambda: self._file.read(size) or b"")

    async def readinto(self, buffer: Any) -> int:
        """Read into a writable buffer, and return the number of bytes; 0 at the end."""
        return await self._worker.do(lambda: self._file.readinto(buffer) or 0)

    async def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another position, and return it."""
        return await self._worker.do(partial(self._file.seek, offset, whence))

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    async def aclose(self) -> None:
        """Close the file. The session stays open."""
        self._file.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
