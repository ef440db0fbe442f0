"""A session with a camera: what the PTP operations mean, under the names people use.

The session is thread-safe: one transaction runs at a time, others wait for it. After a
ConnectionLost or a broken packet it is over (`usable` is False): connect again. After a Timeout the
next operation first waits for the end of the last one; after a ResponseError, SinkError,
TransferError or Cancelled it simply goes on. A callback may not use the session it is called from
(RuntimeError).
Sources: ISO 15740; libgphoto2 (library.c) and airmtp for the opening and closing order.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..engine.sink import MemorySink, Sink
from ..engine.wire import Builder
from ..link.answers import Response, response_of
from ..link.camera import Camera
from ..link.describing import describe_one
from ..link.events import Event
from ..link.habits import Habits
from ..link.link import Link
from ..link.opening import MAX_STRUCTURE
from ..link.patience import Patience
from ..link.pipelining import Request
from ..ptp.codes import OperationCode
from ..ptp.datasets import (
    DeviceInfo,
    DevicePropDesc,
    StorageInfo,
    decode,
    decode_prop_desc,
    write_value,
)
from ..ptp.errors import PTPError
from ..ptp.objects import ObjectInfo, ObjectTable, handle_of, handles_of
from ..transfer import Download, DownloadOptions, Progress, Transfer
from ..transfer.memory import read, read_into
from ..transfer.stream import ObjectFile, stream
from ..transport.timeouts import Timeouts
from ..vendors import Vendor
from .capture import capture, poll

if TYPE_CHECKING:  # imported where they are used: `import ptpfast` is not to wait for them
    from ..listing import Formats, Listing, ListingProgress
    from ..state.index import Index

log = logging.getLogger("ptpfast")


class Session:
    """An open session. Made by `ptpfast.connect`; ends with `close` or the `with` block.

    A façade: `link` is the camera's connection and its transactions, `habits` what has been learnt
    of how to ask it, `camera` its objects as this session knows them.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.camera = Camera(link)
        self._events = link.hub.subscribe()

    @property
    def habits(self) -> Habits:
        """How to ask this camera: requests ahead, chunks, what it refuses."""
        return self.link.habits

    @property
    def device_info(self) -> DeviceInfo:
        """What the camera says of itself: maker, model, serial number, operations it lists."""
        return self.link.device_info

    @property
    def vendor(self) -> Vendor:
        """The vendor it was recognised as, or the one that was asked for."""
        return self.link.vendor

    @property
    def timeouts(self) -> Timeouts:
        """How long is waited for what."""
        return self.link.timeouts

    @property
    def index(self) -> Index | None:
        """What is kept of this camera between sessions; None keeps and uses nothing."""
        return self.camera.index

    @index.setter
    def index(self, index: Index | None) -> None:
        self.camera.index = index

    @property
    def usable(self) -> bool:
        """Whether operations can still be tried."""
        return self.link.usable

    def close(self) -> None:
        """Ends the session in order: CloseSession, then both connections. Never raises for a camera
        that does not answer; safe to call twice. Takes at most about the close timeout, plus the
        pause some cameras need. In a forked child only its copies of the descriptors are closed."""
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def supports(self, operation: int) -> bool:
        """Whether the camera lists the operation."""
        return self.link.supports(operation)

    def cancel(self) -> None:
        """Makes the transaction that runs now raise Cancelled, in its thread. From any thread."""
        self.link.cancel()

    # Storages and objects

    def storage_ids(self) -> list[int]:
        """Storages with a card in them (a slot without one has a low half of zero)."""
        from ..listing import storages_of

        return storages_of(self.link)[0]

    def storage_info(self, storage_id: int) -> StorageInfo:
        """Capacity and free space (bytes) and names of a storage."""
        payload = self.link.fetch(OperationCode.GetStorageInfo, storage_id, limit=MAX_STRUCTURE)
        return decode(StorageInfo, payload)

    def objects(
        self,
        storage: int | None = None,
        parent: int | None = None,
        formats: Formats | None = None,
        progress: ListingProgress | None = None,
    ) -> ObjectTable:
        """The files on the card, folders opened up. An object the camera cannot describe is in the
        table's `failures` and ends nothing.

        storage: one storage id (default all). parent: only what lies directly in this folder
        handle.
        formats: one or several format codes and kinds (`raw`, `jpeg`, `video`).
        progress(done, total) is called as objects are described. What an earlier session has learnt
        of the card and still holds is not asked for again (see `connect`); such an object is
        `remembered`, and compared with the camera when it is read or deleted.
        """
        return self.listing(storage, parent, progress).table(formats)

    def listing(
        self,
        storage: int | None = None,
        parent: int | None = None,
        progress: ListingProgress | None = None,
    ) -> Listing:
        """The same as `objects`, to be taken a piece at a time: `listing().pieces(64)` has tables
        of what 64 handles are, as soon as they are described. Asks for the handles alone."""
        from ..listing import Listing

        storages = None if storage is None else [storage]
        return Listing(self.link, storages, parent or 0, index=self.index, progress=progress)

    def handles(self, storage: int | None = None, parent: int | None = None) -> list[int]:
        """Handles of all objects, folders too; storage and parent as in `objects`. One round trip a
        storage."""
        return self.listing(storage, parent).handles

    def describe(
        self,
        handles: Iterable[int] | int,
        formats: Formats | None = None,
        progress: ListingProgress | None = None,
    ) -> ObjectTable:
        """The files among these handles, in order, each asked for; as `objects` otherwise."""
        from ..listing import Listing

        handles = handles_of(handles)
        return Listing(self.link, (), handles=handles, progress=progress).table(formats)

    def object_info(self, handle: int) -> ObjectInfo:
        """One object: name, path, true size, dates."""
        from ..listing import Folders

        return Folders(self.link).object_info(handle, describe_one(self.link, handle))

    def thumbnail(self, object_or_handle: ObjectInfo | int) -> bytes:
        """The object's thumbnail, as a rule a JPEG of 160 x 120. NoThumbnailPresent if it has none,
        TransferError when nothing came."""
        from ..listing import thumbnail

        return thumbnail(self.link, handle_of(object_or_handle))

    def thumbnails(
        self, objects_or_handles: Iterable[ObjectInfo | int] | ObjectInfo | int
    ) -> Iterator[tuple[int, bytes | PTPError]]:
        """Each object's handle with its thumbnail, in order; an error (NoThumbnailPresent, …) in
        place of one ends nothing. Requests are sent ahead as the camera copes with (`connect`),
        and no more objects are taken from what is given than are soon asked for. Raises
        NetworkError after what has come; the session may be used between two of them."""
        from ..listing import thumbnails

        return thumbnails(self.link, handles_of(objects_or_handles))

    def delete(self, object_or_handle: ObjectInfo | int, *, busy_s: float | None = None) -> None:
        """Deletes an object on the camera; a busy one is asked again for `busy_s` (10 s by
        default). ObjectWriteProtected, StoreReadOnly, …; TransferError as in `download`."""
        if isinstance(object_or_handle, ObjectInfo):
            self.camera.compare(object_or_handle)
        self.link.command(OperationCode.DeleteObject, handle_of(object_or_handle), busy_s=busy_s)

    # Reading

    def reconnect(self, patience: Patience | None = None) -> None:
        """Connects again to the same camera and opens a session. What is known of its objects is
        compared with the camera before they are read: the card may be another one.

        Tried until `patience` (default: the connect timeout) is used up, because a camera may hold
        the old session for a while. ConnectFailed, also when another camera answers; InitFailed.
        """
        self.link.reconnect(patience)

    def _info(self, object_or_handle: ObjectInfo | int) -> ObjectInfo:
        if not isinstance(object_or_handle, ObjectInfo):
            return self.object_info(object_or_handle)
        self.camera.compare(object_or_handle)
        return object_or_handle

    def changed(self, objects: Iterable[ObjectInfo], *, again: bool = False) -> list[ObjectInfo]:
        """Those of the objects that the camera does not describe as they are known from an earlier
        session, or from before the connection was lost. Each is asked for once, unless `again`;
        before it is read that happens anyway, one by one. ResponseError when the camera cannot
        describe one."""
        return self.camera.changed(objects, again=again)

    def read(self, object_or_handle: ObjectInfo | int) -> bytearray:
        """A whole object in memory."""
        return read(self.camera, self._info(object_or_handle))

    def read_into(
        self,
        object_or_handle: ObjectInfo | int,
        buffer: Any,
        *,
        offset: int = 0,
        size: int | None = None,
    ) -> int:
        """Bytes [offset, offset + size) of an object into `buffer`; how many were read.

        buffer: any writable C-contiguous buffer (bytearray, memoryview, mmap, numpy array of
        numbers), at least as large as what is read; it is filled from its start. size: bytes,
        default to the object's end. Fewer are read only at its end. ValueError if it does not fit;
        after an error the buffer holds `error.received` bytes of the last request and all before.
        """
        return read_into(self.camera, self._info(object_or_handle), buffer, offset, size)

    def stream(
        self, object_or_handle: ObjectInfo | int, chunk_size: int = 1 << 20
    ) -> Iterator[memoryview]:
        """An object as memoryviews of `chunk_size` bytes (the last may be shorter), in order. Their
        memory is used again once nobody holds them, so it does not grow with the object."""
        return stream(self.camera, self._info(object_or_handle), chunk_size)

    def open(self, object_or_handle: ObjectInfo | int) -> io.RawIOBase:
        """An object as a read-only, seekable raw file; each read is a partial read. Wrap it in an
        `io.BufferedReader` for small reads."""
        return ObjectFile(self.camera, self._info(object_or_handle))

    def download(
        self,
        object_or_handle: ObjectInfo | int,
        path: str | os.PathLike[str],
        *,
        resume: bool = True,
        verify: str = "size",
        algorithm: str | None = None,
        progress: Progress | None = None,
        chunk: int | None = None,
        overwrite: bool = False,
    ) -> Transfer:
        """An object into the file `path`, which appears whole or not at all.

        Until then the bytes are in `path`.part, and a later download continues there (`resume`).
        verify: `size`; `hash`: the digest of what arrived is that of the file read back; `disk`:
        also from the disk itself (not on macOS); `reread`: and of what the camera sends once more.
        algorithm: of the digests, `sha256` (by default), or `xxh3`: faster, known to fewer, from
        the package xxhash. Given, it implies at least `hash`.
        progress(received, size or None) is called about ten times a second. chunk: bytes for each
        partial read, None as tuned or adaptive, 0 the whole object at once.
        Raises FileExistsError unless `overwrite`, SinkError, TransferError (also for an object that
        is not any more what an earlier session has learnt, or was when it was begun), and whatever
        ends the reading; the part file then stays.
        """
        options = DownloadOptions(
            resume=resume, verify=verify, algorithm=algorithm, chunk=chunk, overwrite=overwrite
        )
        info = object_or_handle
        if not isinstance(info, ObjectInfo):
            info = self.object_info(info)
        return Download(self.camera, info, Path(path), options, progress=progress).run()

    # The camera

    def property_desc(self, code: int) -> DevicePropDesc:
        """A device property with its type, current and allowed values."""
        payload = self.link.fetch(OperationCode.GetDevicePropDesc, code, limit=MAX_STRUCTURE)
        return decode_prop_desc(payload)

    def property(self, code: int) -> Any:
        """A device property's value: an int, a str, or a list of ints."""
        return self.property_desc(code).current

    def set_property(self, code: int, value: Any) -> None:
        """Sets a device property; its type is asked first. ValueError if the value does not fit."""
        builder = Builder()
        write_value(builder, self.property_desc(code).data_type, value)
        self.link.command(OperationCode.SetDevicePropValue, code, data=bytes(builder))

    def capture(self) -> ObjectInfo | None:
        """Takes a picture and returns the new object, the RAW of a RAW and JPEG pair.

        The handles on the card are listed before; if events do not tell of the picture, it is found
        among those that were not there. None when there is no new object (it may have gone into the
        camera's memory only)."""
        return capture(self.link)

    def transaction(
        self, operation: int, *parameters: int, data: Any = None, sink: Sink | None = None
    ) -> Response:
        """Any operation, vendors' too. data: bytes-like for a data-out phase. sink: where the
        payload of a data-in phase goes; without one it is in the Response. ResponseError unless
        OK."""
        own = MemorySink() if sink is None else None
        phase = self.link.transact(Request(operation, parameters, sink or own, data=data))
        response = response_of(phase)
        payload = own.finish() if own is not None and phase.started else None
        return Response(response.code, response.parameters, payload, phase.received)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """The camera's events, from the connection on, each once. Ends after `timeout` seconds
        without one (None: never), or when the session is over."""
        while (event := poll(self.link, self._events, timeout)) is not None:
            yield event
