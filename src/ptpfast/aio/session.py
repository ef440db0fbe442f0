"""The session for tasks: the methods of `ptpfast.Session`, in a thread of the session's own.

What the arguments mean, and what is returned and raised, is said there. A test compares the
signatures.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..ptp.arguments import seconds
from .events import Events
from .iterators import Items, Listing, ObjectFile
from .worker import Worker

if TYPE_CHECKING:
    from ..engine.sink import Sink
    from ..link.answers import Response
    from ..link.habits import Habits
    from ..link.patience import Patience
    from ..listing import Formats, ListingProgress
    from ..ptp.datasets import DeviceInfo, DevicePropDesc, StorageInfo
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo, ObjectTable
    from ..session.live import Frame
    from ..session.session import Session as SyncSession
    from ..state.index import Index
    from ..transfer import Algorithm, Progress, Transfer, Verify
    from ..transport.timeouts import Timeouts
    from ..vendors import Vendor


class Session:
    """An open session for tasks of asyncio or trio. `ptpfast.aio.connect` makes it.

    Its methods are those of `ptpfast.Session`, which is `sync`. They run one at a time in a thread
    of the session. Callbacks are called in that thread.

    If a task is cancelled in a method, the transaction is cancelled, and the task waits for its
    end, at most 5 seconds. The session can be used afterwards, unless more than 64 MiB of the
    answer are still to come: then `usable` is False, and `reconnect` helps. A part file is kept.
    """

    def __init__(self, session: SyncSession, worker: Worker) -> None:
        self.sync = session
        self.worker = worker
        worker.interrupt = session.cancel
        worker.calm = lambda: session.link.connection.forget_cancel()
        weakref.finalize(self, worker.end)  # the thread of a session that was forgotten

    @property
    def habits(self) -> Habits:
        """The learned behaviour of the camera: pipeline depth, chunk sizes, refused operations."""
        return self.sync.habits

    @property
    def device_info(self) -> DeviceInfo:
        """The camera's report about itself: maker, model, serial number, operations."""
        return self.sync.device_info

    @property
    def vendor(self) -> Vendor:
        """The vendor that was recognised, or that was passed to `connect`."""
        return self.sync.vendor

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts of this session, in seconds."""
        return self.sync.timeouts

    @property
    def index(self) -> Index | None:
        """The index of this camera; None if no index is used or kept."""
        return self.sync.index

    @index.setter
    def index(self, index: Index | None) -> None:
        self.sync.index = index

    @property
    def usable(self) -> bool:
        """True while operations can be tried."""
        return self.sync.usable

    async def close(self) -> None:
        """End the session in order, also if the task is cancelled. Safe to call twice.

        A running operation of another task raises Cancelled, and those that wait ConnectionLost.
        """
        await self.worker.finish(self.sync.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def supports(self, operation: int) -> bool:
        """Return whether the camera lists an operation."""
        return self.sync.supports(operation)

    def cancel(self) -> None:
        """Cancel the running operation: it raises Cancelled in its own task."""
        self.worker.cancel()

    def __repr__(self) -> str:
        return f"<aio.{repr(self.sync)[1:]}"

    # Storages and objects

    async def storage_ids(self) -> list[int]:
        """Return the ids of the storages that have a card."""
        return await self.worker.do(self.sync.storage_ids)

    async def storage_info(self, storage_id: int) -> StorageInfo:
        """Return capacity, free space (bytes) and names of a storage."""
        return await self.worker.do(partial(self.sync.storage_info, storage_id))

    async def objects(
        self,
        storage: int | None = None,
        parent: int | None = None,
        formats: Formats | None = None,
        progress: ListingProgress | None = None,
    ) -> ObjectTable:
        """List the files on the card, including those in folders."""
        return await self.worker.do(partial(self.sync.objects, storage, parent, formats, progress))

    async def listing(
        self,
        storage: int | None = None,
        parent: int | None = None,
        progress: ListingProgress | None = None,
    ) -> Listing:
        """Start a listing that can be taken in pieces.

        Example:
            listing = await session.listing()
            async for table in listing.pieces(64):
                print(len(table))
        """
        listing = await self.worker.do(partial(self.sync.listing, storage, parent, progress))
        return Listing(self.worker, listing)

    async def handles(self, storage: int | None = None, parent: int | None = None) -> list[int]:
        """Return the handles of all objects, including folders."""
        return await self.worker.do(partial(self.sync.handles, storage, parent))

    async def describe(
        self,
        handles: Iterable[int] | int,
        formats: Formats | None = None,
        progress: ListingProgress | None = None,
    ) -> ObjectTable:
        """Ask the camera to describe some handles."""
        return await self.worker.do(partial(self.sync.describe, handles, formats, progress))

    async def object_info(self, handle: int) -> ObjectInfo:
        """Describe one object: name, path, true size in bytes, dates."""
        return await self.worker.do(partial(self.sync.object_info, handle))

    async def thumbnail(self, object_or_handle: ObjectInfo | int) -> bytes:
        """Return the thumbnail of an object, usually a JPEG of 160 × 120 pixels."""
        return await self.worker.do(partial(self.sync.thumbnail, object_or_handle))

    def thumbnails(
        self, objects_or_handles: Iterable[ObjectInfo | int] | ObjectInfo | int
    ) -> Items[tuple[int, bytes | PTPError]]:
        """Yield (handle, thumbnail) for many objects, in order, with pipelined requests."""
        return Items(self.worker, partial(self.sync.thumbnails, objects_or_handles))

    async def delete(
        self, object_or_handle: ObjectInfo | int, *, busy_s: float | None = None
    ) -> None:
        """Delete an object on the camera. After a cancellation it may be there or gone."""
        await self.worker.do(partial(self.sync.delete, object_or_handle, busy_s=busy_s))

    # Reading

    async def reconnect(self, patience: Patience | None = None) -> None:
        """Connect to the same camera again and open a session."""
        await self.worker.do(partial(self.sync.reconnect, patience))

    async def changed(
        self, objects: Iterable[ObjectInfo], *, again: bool = False
    ) -> list[ObjectInfo]:
        """Return those objects that the camera describes differently now."""
        return await self.worker.do(partial(self.sync.changed, objects, again=again))

    async def read(self, object_or_handle: ObjectInfo | int) -> bytearray:
        """Return a whole object in memory."""
        return await self.worker.do(partial(self.sync.read, object_or_handle))

    async def read_into(
        self,
        object_or_handle: ObjectInfo | int,
        buffer: Any,
        *,
        offset: int = 0,
        size: int | None = None,
    ) -> int:
        """Read bytes [offset, offset + size) of an object into your memory."""
        read = partial(self.sync.read_into, object_or_handle, buffer, offset=offset, size=size)
        return await self.worker.do(read)

    async def preview(self, object_or_handle: ObjectInfo | int) -> bytes:
        """Return the largest JPEG in a RAW file, or a whole JPEG file."""
        return await self.worker.do(partial(self.sync.preview, object_or_handle))

    def stream(
        self, object_or_handle: ObjectInfo | int, chunk_size: int = 1 << 20
    ) -> Items[memoryview]:
        """Yield an object in pieces, in constant memory."""
        return Items(self.worker, partial(self.sync.stream, object_or_handle, chunk_size))

    async def open(self, object_or_handle: ObjectInfo | int) -> ObjectFile:
        """Open an object as a read-only, seekable file."""
        file = await self.worker.do(partial(self.sync.open, object_or_handle))
        return ObjectFile(self.worker, file)

    async def download(
        self,
        object_or_handle: ObjectInfo | int,
        path: str | os.PathLike[str],
        *,
        resume: bool = True,
        verify: Verify = "size",
        algorithm: Algorithm | None = None,
        progress: Progress | None = None,
        chunk: int | None = None,
        overwrite: bool = False,
    ) -> Transfer:
        """Download an object into a file. After a cancellation the next download resumes."""
        work = partial(
            self.sync.download,
            object_or_handle,
            path,
            resume=resume,
            verify=verify,
            algorithm=algorithm,
            progress=progress,
            chunk=chunk,
            overwrite=overwrite,
        )
        return await self.worker.do(work)

    # The camera

    async def property_desc(self, code: int | str) -> DevicePropDesc:
        """Return type, current value and allowed values of a device property."""
        return await self.worker.do(partial(self.sync.property_desc, code))

    async def property_codes(self) -> list[int]:
        """Return the codes of the camera's device properties."""
        return await self.worker.do(self.sync.property_codes)

    async def property_name(self, code: int) -> str:
        """Return the name of a device property: `exposure-time`, or `0xD10B` if it has none."""
        return await self.worker.do(partial(self.sync.property_name, code))

    async def property(self, code: int | str) -> Any:
        """Return the value of a device property: an int, a str, or a list of ints."""
        return await self.worker.do(partial(self.sync.property, code))

    async def set_property(self, code: int | str, value: Any) -> None:
        """Set a device property. Asks for its type first."""
        await self.worker.do(partial(self.sync.set_property, code, value))

    async def marked(self) -> list[int]:
        """Return the handles of the objects that the camera's owner has marked for transfer."""
        return await self.worker.do(self.sync.marked)

    async def unmark(self, object_or_handle: ObjectInfo | int) -> None:
        """Remove an object from the camera's list of objects to transfer."""
        await self.worker.do(partial(self.sync.unmark, object_or_handle))

    async def capture(self) -> ObjectInfo | None:
        """Take a picture. After a cancellation the camera may have taken it."""
        return await self.worker.do(self.sync.capture)

    def live_view(self) -> Items[Frame]:
        """Yield live view frames as they come. `aclose` ends live view.

        Example:
            async with session.live_view() as frames:
                first = await anext(frames)
        """
        return Items(self.worker, self.sync.live_view)

    async def transaction(
        self, operation: int, *parameters: int, data: Any = None, sink: Sink | None = None
    ) -> Response:
        """Run any operation, including those of a vendor."""
        work = partial(self.sync.transaction, operation, *parameters, data=data, sink=sink)
        return await self.worker.do(work)

    def events(self, timeout: float | None = None) -> Events:
        """Yield the events of the camera since it was connected, each once.

        No thread waits for them: other tasks can use the session.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout)
        return Events(self.worker, self.sync, timeout)
