"""A session with a camera: the operations of PTP under familiar names.

The session is thread-safe: it runs one transaction at a time. It has ended (`usable` is False)
after ConnectionLost and after a broken packet, and continues after every other error. A callback
may not use the session that calls it (RuntimeError). This file is over 400 lines because its
docstrings are the reference of the public API.

Sources: ISO 15740; libgphoto2 (library.c) and airmtp for the order of opening and closing.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Generator, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..engine.sink import MemorySink, Sink
from ..engine.text import printable
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
from ..ptp.arguments import callback, code_of, path_of, seconds, whole
from ..ptp.codes import DataType, OperationCode
from ..ptp.datasets import (
    DeviceInfo,
    DevicePropDesc,
    StorageInfo,
    decode,
    decode_prop_desc,
    write_value,
)
from ..ptp.errors import PTPError, Unsupported
from ..ptp.objects import LARGEST_OBJECT, ObjectInfo, ObjectTable, handle_of, handles_of
from ..ptp.properties import code_of_property, name_of_property
from ..transport.timeouts import Timeouts
from ..vendors import Vendor
from .capture import capture, poll
from .live import Frame, timed

if TYPE_CHECKING:  # imported where they are used: `import ptpfast` is not to wait for them
    from ..listing import Formats, Listing, ListingProgress
    from ..state.index import Index
    from ..trace import Trace
    from ..transfer import Algorithm, Progress, Transfer, Verify

log: logging.Logger = logging.getLogger("ptpfast")

MOST_PARAMETERS = 5  # of an operation (ISO 15740)


class Session:
    """An open session. `ptpfast.connect` makes it; `close` or the `with` block ends it.

    Notes:
        The public methods are here. `link` runs the transactions, `habits` remembers what was
            learned about the camera, and `camera` knows its objects.
    """

    def __init__(self, link: Link, trace: Trace | None = None) -> None:
        self.link = link
        self.camera: Camera = Camera(link)
        self._events = link.hub.subscribe()
        self.trace = trace  # closed with the session

    @property
    def habits(self) -> Habits:
        """The learned behaviour of the camera: pipeline depth, chunk sizes, refused operations."""
        return self.link.habits

    @property
    def device_info(self) -> DeviceInfo:
        """The camera's report about itself: maker, model, serial number, operations."""
        return self.link.device_info

    @property
    def vendor(self) -> Vendor:
        """The vendor that was recognised, or that was passed to `connect`."""
        return self.link.vendor

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts of this session, in seconds."""
        return self.link.timeouts

    @property
    def index(self) -> Index | None:
        """The index of this camera; None if no index is used or kept."""
        return self.camera.index

    @index.setter
    def index(self, index: Index | None) -> None:
        self.camera.index = index

    @property
    def usable(self) -> bool:
        """True while operations can be tried."""
        return self.link.usable

    def close(self) -> None:
        """End the session: CloseSession, then both connections.

        Notes:
            Safe to call twice. Never raises, even if the camera does not answer. Takes about
            `Timeouts.close` seconds at most, plus the pause that some cameras need. In a forked
            child it closes the child's descriptors only.
        """
        try:
            self.link.close()
        finally:
            if self.trace is not None:
                self.trace.close()

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
        """Return whether the camera lists an operation.

        Args:
            operation: an operation code.
        """
        return self.link.supports(code_of("operation", operation))

    def cancel(self) -> None:
        """Cancel the running transaction: it raises Cancelled in its own thread.

        Notes:
            May be called from any thread and from a signal handler.
        """
        self.link.cancel()

    def __repr__(self) -> str:
        device = self.link.device_info
        model = f"{device.manufacturer} {device.model}".strip() or "a camera"
        state = "" if self.link.usable else ", ended"
        return printable(f"<Session with {model} at {self.link.connection.address}{state}>")

    # Storages and objects

    def storage_ids(self) -> list[int]:
        """Return the ids of the storages that have a card.

        Raises:
            PTPError: the camera cannot be asked.
        """
        from ..listing import storages_of

        return storages_of(self.link)[0]

    def storage_info(self, storage_id: int) -> StorageInfo:
        """Return capacity, free space (bytes) and names of a storage.

        Args:
            storage_id: one of `storage_ids`.

        Raises:
            ResponseError: there is no such storage.
        """
        storage_id = code_of("storage_id", storage_id)
        payload = self.link.fetch(OperationCode.GetStorageInfo, storage_id, limit=MAX_STRUCTURE)
        return decode(StorageInfo, payload)

    def objects(
        self,
        storage: int | None = None,
        parent: int | None = None,
        formats: Formats | None = None,
        progress: ListingProgress | None = None,
    ) -> ObjectTable:
        """List the files on the card, including those in folders.

        Args:
            storage: a storage id; all storages by default.
            parent: the handle of a folder: list only its direct contents.
            formats: format codes or kinds (`raw`, `jpeg`, `heif`, `video`, `audio`,
                `other`), one or several.
            progress: called with (described objects, all objects).

        Returns:
            A table of `ObjectInfo` with numpy columns. Objects that the camera cannot describe are
            in its `failures`.

        Raises:
            StoreNotAvailable: there is no card.
            PTPError: the session has ended.

        Notes:
            With an index (see `connect`) the camera is asked for new objects only. An object from
            the index is `remembered`, and is compared with the camera before it is read or deleted.
        """
        from ..listing import wanted_formats

        formats = wanted_formats(formats)  # refused before the camera is asked
        return self.listing(storage, parent, progress).table(formats)

    def listing(
        self,
        storage: int | None = None,
        parent: int | None = None,
        progress: ListingProgress | None = None,
    ) -> Listing:
        """Start a listing that can be taken in pieces.

        Args:
            storage: as in `objects`.
            parent: as in `objects`.
            progress: as in `objects`.

        Returns:
            A `Listing` that has asked for the handles only. `listing().pieces(64)` yields a table
            for every 64 handles.

        Example:
            for table in session.listing().pieces(64):
                print(len(table))
        """
        from ..listing import Listing

        storages = None if storage is None else [code_of("storage", storage)]
        folder = 0 if parent is None else code_of("parent", parent)
        callback("progress", progress)
        return Listing(self.link, storages, folder, index=self.index, progress=progress)

    def handles(self, storage: int | None = None, parent: int | None = None) -> list[int]:
        """Return the handles of all objects, including folders. One round trip for each storage.

        Args:
            storage: as in `objects`.
            parent: as in `objects`.
        """
        return self.listing(storage, parent).handles

    def describe(
        self,
        handles: Iterable[int] | int,
        formats: Formats | None = None,
        progress: ListingProgress | None = None,
    ) -> ObjectTable:
        """Ask the camera to describe some handles.

        Args:
            handles: one handle or several.
            formats: as in `objects`.
            progress: as in `objects`.

        Returns:
            A table of those that are files, in the given order.
        """
        from ..listing import Listing, wanted_formats

        formats = wanted_formats(formats)
        handles = handles_of(handles)
        callback("progress", progress)
        return Listing(self.link, (), handles=handles, progress=progress).table(formats)

    def object_info(self, handle: int) -> ObjectInfo:
        """Describe one object: name, path, true size in bytes, dates.

        Args:
            handle: the object's handle.

        Raises:
            InvalidObjectHandle: there is no such object.
        """
        from ..listing import Folders

        handle = handle_of(handle)
        connection = self.link.connection.token
        described = describe_one(self.link, handle)
        return Folders(self.link).object_info(handle, described, connection=connection)

    def thumbnail(self, object_or_handle: ObjectInfo | int) -> bytes:
        """Return the thumbnail of an object, usually a JPEG of 160 × 120 pixels.

        Args:
            object_or_handle: the object, or its handle.

        Raises:
            ResponseError: the object has no thumbnail (NoThumbnailPresent).
            TransferError: the camera sent no data.
        """
        from ..listing import thumbnail

        return thumbnail(self.link, handle_of(object_or_handle))

    def thumbnails(
        self, objects_or_handles: Iterable[ObjectInfo | int] | ObjectInfo | int
    ) -> Iterator[tuple[int, bytes | PTPError]]:
        """Yield (handle, thumbnail) for many objects, in order, with pipelined requests.

        Args:
            objects_or_handles: one object or handle, or several. An iterator is read little by
                little.

        Yields:
            The handle with the bytes of the thumbnail, or with the error for this object.

        Raises:
            NetworkError: the connection was lost.

        Notes:
            You may use the session between two thumbnails.
        """
        from ..listing import thumbnails

        return thumbnails(self.link, handles_of(objects_or_handles))

    def delete(self, object_or_handle: ObjectInfo | int, *, busy_s: float | None = None) -> None:
        """Delete an object on the camera.

        Args:
            object_or_handle: the object, or its handle.
            busy_s: how long to retry while the camera is busy, in seconds; 10 by default.

        Raises:
            ResponseError: the camera refuses (ObjectWriteProtected, StoreReadOnly, …).
            TransferError: the handle belongs to another object now.
        """
        handle = handle_of(object_or_handle)
        if busy_s is not None:
            busy_s = seconds("busy_s", busy_s)
        if isinstance(object_or_handle, ObjectInfo):
            self.camera.compare(object_or_handle)
        self.link.dialect.delete(handle, busy_s)

    # Reading

    def reconnect(self, patience: Patience | None = None) -> None:
        """Connect to the same camera again and open a session.

        Args:
            patience: how long and how often to try; by default `Timeouts.connect` seconds.

        Raises:
            ConnectFailed: the camera does not answer, or another camera does.
            InitFailed: the camera refuses.

        Notes:
            Known objects are compared with the camera before they are read: the card may have
            changed.
        """
        self.link.reconnect(patience)

    def _info(self, object_or_handle: ObjectInfo | int) -> ObjectInfo:
        if not isinstance(object_or_handle, ObjectInfo):
            return self.object_info(object_or_handle)
        self.camera.compare(object_or_handle)
        return object_or_handle

    def changed(self, objects: Iterable[ObjectInfo], *, again: bool = False) -> list[ObjectInfo]:
        """Return those objects that the camera describes differently now.

        Args:
            objects: objects from the index, or from before a reconnect.
            again: ask even for objects that were compared before.

        Raises:
            ResponseError: the camera cannot describe one of them.
        """
        return self.camera.changed(objects, again=again)

    def read(self, object_or_handle: ObjectInfo | int) -> bytearray:
        """Return a whole object in memory.

        Args:
            object_or_handle: the object, or its handle.

        Raises:
            ConnectionLost, Timeout: the session has ended. It is not reconnected here: call
                `reconnect` and read again. `pull` reconnects.
        """
        from ..transfer.memory import read

        return read(self.camera, self._info(object_or_handle))

    def read_into(
        self,
        object_or_handle: ObjectInfo | int,
        buffer: Any,
        *,
        offset: int = 0,
        size: int | None = None,
    ) -> int:
        """Read bytes [offset, offset + size) of an object into your memory.

        Args:
            object_or_handle: the object, or its handle.
            buffer: any writable C-contiguous buffer of numbers (bytearray, memoryview, mmap, numpy
                array). It is filled from its start.
            offset: first byte of the object.
            size: number of bytes; to the end of the object by default.

        Returns:
            The number of bytes read. It is less than `size` only at the end of the object.

        Raises:
            ValueError: the buffer is too small for `size`, or for what the camera lists.
            TransferError: the object is larger than the camera lists, and than the buffer.
            ConnectionLost, Timeout: the session has ended. It is not reconnected here: call
                `reconnect`, then read the rest from `offset` + the bytes that you have.
            PTPError: `error.received` bytes of the last request are in the buffer, and all before.
        """
        from ..transfer.memory import read_into

        offset = whole("offset", offset, "a number of bytes")
        if size is not None:
            size = whole("size", size, "a number of bytes")
        return read_into(self.camera, self._info(object_or_handle), buffer, offset, size)

    def preview(self, object_or_handle: ObjectInfo | int) -> bytes:
        """Return the preview of a picture: the largest JPEG in a RAW file, or a whole JPEG file.

        A RAW file is not read for it: 64 to 200 KiB of its header, then the preview.

        Args:
            object_or_handle: the object, or its handle.

        Returns:
            The bytes of a JPEG. In most RAW files it is as large as the picture itself, or some
            1,600 pixels wide. If only the RAW file says how the picture is turned, an EXIF segment
            with its orientation is added.

        Raises:
            Unsupported: no preview is found, or the format is not known. CR2, CR3, DNG, NEF, ARW,
                PEF, RAF and RW2 are.
        """
        from ..transfer.preview import preview

        return preview(self.camera, self._info(object_or_handle))

    def stream(
        self, object_or_handle: ObjectInfo | int, chunk_size: int = 1 << 20
    ) -> Iterator[memoryview]:
        """Yield an object in pieces, in constant memory.

        Args:
            object_or_handle: the object, or its handle.
            chunk_size: bytes of each piece; the last may be shorter.

        Yields:
            Memoryviews. Their memory is reused as soon as you release them.

        Raises:
            ConnectionLost, Timeout: the session has ended. It is not reconnected here: call
                `reconnect`, then read the rest with `read_into` or `open`. `pull` reconnects.
        """
        from ..transfer.stream import stream

        chunk_size = whole("chunk_size", chunk_size, "a number of bytes", 1, LARGEST_OBJECT)
        return stream(self.camera, self._info(object_or_handle), chunk_size)

    def open(self, object_or_handle: ObjectInfo | int) -> io.RawIOBase:
        """Open an object as a read-only, seekable raw file.

        Args:
            object_or_handle: the object, or its handle.

        Notes:
            Each read is one partial read. Wrap it in `io.BufferedReader` for small reads.
        """
        from ..transfer.stream import ObjectFile

        return ObjectFile(self.camera, self._info(object_or_handle))

    def download(
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
        """Download an object into a file.

        The bytes go into `path`.part. The file gets its final name when it is complete.

        Args:
            object_or_handle: The object, or its handle.
            path: The final name.
            resume: Continue a partial file from an earlier download.
            verify: `size` compares the size. `hash` reads the file back and compares its hash with
                the received bytes. `disk` reads from the disk itself (not on macOS). `reread` also
                reads the object from the camera a second time.
            algorithm: `sha256` (default) or `xxh3` (package xxhash); implies at least `hash`.
            progress: Called about ten times a second with (received bytes, size or None).
            chunk: Bytes of each partial read; 0 reads the whole object at once; None is adaptive.
            overwrite: Replace an existing file.

        Returns:
            A `Transfer`: path, sizes, seconds and hashes.

        Raises:
            FileExistsError: the file exists and `overwrite` is False.
            SinkError: the disk failed.
            TransferError: the object is not what it was listed as, or failed to verify.
            ConnectionLost, Timeout: the session has ended. It is not reconnected here: call
                `reconnect` and `download` again, which resumes. `pull` reconnects.
            PTPError: the transfer ended early; the partial file stays and can be resumed.
        """
        from ..transfer import Download, DownloadOptions

        options = DownloadOptions(
            resume=resume, verify=verify, algorithm=algorithm, chunk=chunk, overwrite=overwrite
        )
        path = path_of("path", path)
        callback("progress", progress)
        info = object_or_handle
        if not isinstance(info, ObjectInfo):
            info = self.object_info(info)
        return Download(self.camera, info, path, options, progress=progress).run()

    # The camera

    def property_desc(self, code: int | str) -> DevicePropDesc:
        """Return type, current value and allowed values of a device property.

        Args:
            code: the code of the property, or its name: `0x500D`, `exposure-time`.

        Raises:
            ValueError: there is no such name.
            ResponseError: the camera has no such property.
        """
        code = self._property_code(code)
        if (own := self.link.dialect.property_desc(code)) is not None:
            return own
        payload = self.link.fetch(OperationCode.GetDevicePropDesc, code, limit=MAX_STRUCTURE)
        return decode_prop_desc(payload)

    def property_codes(self) -> list[int]:
        """Return the codes of the camera's device properties."""
        return self.link.dialect.properties()

    def property_name(self, code: int) -> str:
        """Return the name of a device property: `exposure-time`, or `0xD10B` if it has none.

        Args:
            code: the code of the property.
        """
        return name_of_property(code_of("code", code), self.vendor.properties)

    def property(self, code: int | str) -> Any:
        """Return the value of a device property: an int, a str, or a list of ints.

        Args:
            code: the code of the property, or its name: `0x500D`, `exposure-time`.

        Notes:
            `property_desc(code).words` is the value in words: `1/125 s`.
        """
        return self.property_desc(code).current

    def set_property(self, code: int | str, value: Any) -> None:
        """Set a device property. Asks for its type first.

        Args:
            code: the code of the property, or its name: `0x500D`, `exposure-time`.
            value: an int, a str, or a list of ints; or a str in words, such as `1/125` or
                `daylight`, which is looked for in the values that the camera allows.

        Raises:
            ValueError: the value does not fit the type, or the words are none of its values.
            ResponseError: the camera refuses the value.
        """
        code = self._property_code(code)
        desc = self.property_desc(code)
        if isinstance(value, str) and desc.data_type != DataType.STR:
            value = desc.parse(value)
        builder = Builder()
        write_value(builder, desc.data_type, value)  # refused before the camera is asked
        if self.link.dialect.set_property(desc, value):
            return
        self.link.command(OperationCode.SetDevicePropValue, code, data=bytes(builder))

    def _property_code(self, given: int | str) -> int:
        if isinstance(given, str):
            return code_of_property(given, self.vendor.properties)
        return code_of("code", given)

    def marked(self) -> list[int]:
        """Return the handles of the objects that the camera's owner has marked for transfer.

        Returns:
            The handles. A camera that sends its pictures one after the other has one at a time:
            `unmark` it when it is safe, and ask again. `pull` does so.

        Raises:
            Unsupported: the camera has no such list.
        """
        if (handles := self.link.dialect.marked()) is None:
            raise Unsupported(
                "this camera has no list of objects to transfer", hint="select in another way"
            )
        return handles

    def unmark(self, object_or_handle: ObjectInfo | int) -> None:
        """Remove an object from the camera's list of objects to transfer.

        Args:
            object_or_handle: the object, or its handle. Its bytes should be safe: the camera shows
                it as transferred.
        """
        self.link.dialect.unmark(handle_of(object_or_handle))

    def capture(self) -> ObjectInfo | None:
        """Take a picture.

        Returns:
            The new object; the RAW file if the camera made a RAW and JPEG pair. None if there is no
            new object, for example because it went into the camera's memory only.

        Notes:
            If no event names the picture, it is found by comparing the handles before and after.
            A Sony camera takes no picture while another one is in its memory. So `capture` first
            receives that one, which is then in this process only: read or download each picture
            before the session ends. A warning names those that are lost.
        """
        return capture(self.link)

    def live_view(self) -> Generator[Frame]:
        """Yield live view frames as they come. Closing the iterator ends live view.

        Yields:
            A JPEG each, with the time at which it was complete here. A reader that is slower than
            the camera misses frames, and gets the newest one each time.

        Raises:
            Unsupported: the camera has no live view, or not in this session's role.

        Example:
            with contextlib.closing(session.live_view()) as frames:
                first = next(frames)
        """
        return timed(self.link.dialect.live_view())

    def transaction(
        self, operation: int, *parameters: int, data: Any = None, sink: Sink | None = None
    ) -> Response:
        """Run any operation, including those of a vendor.

        Args:
            operation: the operation code.
            parameters: up to five numbers of 32 bits.
            data: bytes-like; sent in a data-out phase.
            sink: where the payload of a data-in phase goes; into the `Response` by default.

        Raises:
            ResponseError: the camera did not answer OK.
        """
        own = MemorySink() if sink is None else None
        operation = code_of("operation", operation)
        if len(parameters) > MOST_PARAMETERS:
            raise ValueError(f"an operation has up to five parameters, not {len(parameters)}")
        parameters = tuple(code_of("parameters", each) for each in parameters)
        phase = self.link.transact(Request(operation, parameters, sink or own, data=data))
        response = response_of(phase)
        payload = own.finish() if own is not None and phase.started else None
        return Response(response.code, response.parameters, payload, phase.received)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield the events of the camera since it was connected, each once.

        Args:
            timeout: stop after so many seconds without an event; None waits until the session ends.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout)
        while (event := poll(self.link, self._events, timeout)) is not None:
            yield event
