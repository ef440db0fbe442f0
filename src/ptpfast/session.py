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
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from . import listing
from ._sink import MemorySink
from ._wire import Builder
from .capture import capture, poll
from .codes import DEFAULT_PORT, OperationCode
from .connection import Connection
from .datasets import (
    DevicePropDesc,
    StorageInfo,
    decode,
    decode_array,
    decode_prop_desc,
    write_value,
)
from .events import Event
from .handshake import Timeouts
from .lifetime import Lifetime, wait_until_welcome
from .objects import ObjectInfo, ObjectTable
from .transfer import (
    Download,
    ObjectReader,
    Progress,
    Transfer,
)
from .transfer.stream import ObjectFile, stream
from .vendors import Vendor

log = logging.getLogger("ptpfast")


TRUSTED_SIZE = 1 << 30  # `read` allocates this much on the camera's word alone


def connect(
    host: str,
    *,
    port: int = DEFAULT_PORT,
    name: str | None = None,
    guid: bytes | None = None,
    vendor: Vendor | None = None,
    timeouts: Timeouts | None = None,
    depth: int | None = None,
) -> Session:
    """Connects to a camera and opens a session; use it in a `with`.

    name: what the camera may call this computer (39 characters are kept). guid: 16 bytes it is
    known by, the same in every run by default. vendor: instead of choosing by the camera's answer.
    depth: how many requests may be outstanding at a time where many are made (listings, chunks of
    an object); by default what `ptpfast tune` found for this model, else 1, because no
    specification promises that a camera copes with more. One that does not is connected to again
    and asked one at a time from then on.
    Raises ConnectFailed (nobody, or no camera, answers), InitFailed (it refuses us), ResponseError.
    """
    wait_until_welcome(host, port)
    connection = Connection.open(host, port, guid=guid, name=name, timeouts=timeouts)
    try:
        session = Session(connection, vendor)
        if depth is not None:
            session.pipeline_depth = max(1, depth)
        return session
    except BaseException:
        connection.close()
        raise


class Session(Lifetime):
    """An open session. Made by `ptpfast.connect`; ends with `close` or the `with` block."""

    # Storages and objects

    def storage_ids(self) -> list[int]:
        """Storages with a card in them (a slot without one has a low half of zero)."""
        ids = decode_array(self.fetch(OperationCode.GetStorageIDs), "u32", "GetStorageIDs")
        return [storage_id for storage_id in ids if storage_id & 0xFFFF]

    def storage_info(self, storage_id: int) -> StorageInfo:
        """Capacity and free space (bytes) and names of a storage."""
        return decode(StorageInfo, self.fetch(OperationCode.GetStorageInfo, storage_id))

    def objects(
        self,
        storage: int | None = None,
        parent: int | None = None,
        formats: Collection[int | str] | None = None,
        progress: listing.Progress | None = None,
    ) -> ObjectTable:
        """The files on the card, folders opened up. An object the camera cannot describe is in the
        table's `failures` and ends nothing.

        storage: one storage id (default all). parent: only what lies directly in this folder
        handle.
        formats: format codes and kinds (`raw`, `jpeg`, `video`). progress(done, total) is called
        for each object.
        """
        return self.describe(self.handles(storage, parent), formats, progress)

    def handles(self, storage: int | None = None, parent: int | None = None) -> list[int]:
        """Handles of all objects, folders too; storage and parent as in `objects`. One round trip a
        storage."""
        storages = self.storage_ids() if storage is None else [storage]
        return listing.handles(self, storages, parent or 0)

    def describe(
        self,
        handles: list[int],
        formats: Collection[int | str] | None = None,
        progress: listing.Progress | None = None,
    ) -> ObjectTable:
        """The files among these handles, in order; as `objects`, which describes all."""
        return listing.Listing(self).table(handles, formats, progress)

    def object_info(self, handle: int) -> ObjectInfo:
        """One object: name, path, true size, dates."""
        return listing.Listing(self).describe(handle)

    def thumbnail(self, object_or_handle: ObjectInfo | int) -> bytes:
        """The object's thumbnail, as a rule a JPEG of 160 x 120. NoThumbnailPresent if it has
        none."""
        return bytes(self.fetch(OperationCode.GetThumb, _handle(object_or_handle)))

    def delete(self, object_or_handle: ObjectInfo | int) -> None:
        """Deletes an object on the camera. ObjectWriteProtected, StoreReadOnly, …"""
        self.command(OperationCode.DeleteObject, _handle(object_or_handle))

    # Reading

    def _info(self, object_or_handle: ObjectInfo | int) -> ObjectInfo:
        if isinstance(object_or_handle, ObjectInfo):
            return object_or_handle
        return self.object_info(object_or_handle)

    def read(self, object_or_handle: ObjectInfo | int) -> bytearray:
        """A whole object in memory."""
        info = self._info(object_or_handle)
        if not info.size or info.size > TRUSTED_SIZE:  # grows with what arrives
            own = MemorySink()
            ObjectReader(self, info).read(own)
            return own.finish() or bytearray()
        buffer = bytearray(info.size)
        self.read_into(info, buffer)
        return buffer

    def read_into(
        self,
        object_or_handle: ObjectInfo | int,
        buffer: Any,
        *,
        offset: int = 0,
        size: int | None = None,
    ) -> int:
        """Bytes [offset, offset + size) of an object into `buffer`; how many were read.

        buffer: any writable C-contiguous buffer (bytearray, memoryview, mmap, numpy array of any
        dtype), at least as large as what is read; it is filled from its start. size: bytes, default
        to the object's end. Fewer are read only at the object's end. ValueError if it does not fit;
        after an error the buffer holds `error.received` bytes of the last request and all before.
        """
        info = self._info(object_or_handle)
        room = memoryview(buffer).nbytes
        wanted = size
        if wanted is None:
            wanted = max(info.size - offset, 0) if info.size else None
        if wanted is not None and info.size:
            wanted = min(wanted, max(info.size - offset, 0))
        if offset < 0 or (size is not None and size < 0):
            raise ValueError("offset and size must not be negative")
        if wanted is not None and wanted > room:
            raise ValueError(f"{wanted:,} bytes do not fit into a buffer of {room:,}")
        sink = MemorySink(buffer)
        try:
            whole = offset == 0 and wanted in (None, info.size)
            return ObjectReader(self, info).read(sink, offset, None if whole else wanted)
        finally:
            sink.abandon()

    def stream(
        self, object_or_handle: ObjectInfo | int, chunk_size: int = 1 << 20
    ) -> Iterator[memoryview]:
        """An object as memoryviews of `chunk_size` bytes (the last may be shorter), in order. Their
        memory is used again once nobody holds them, so it does not grow with the object."""
        return stream(self, self._info(object_or_handle), chunk_size)

    def open(self, object_or_handle: ObjectInfo | int) -> io.RawIOBase:
        """An object as a read-only, seekable raw file; each read is a partial read. Wrap it in an
        `io.BufferedReader` for small reads."""
        return ObjectFile(self, self._info(object_or_handle))

    def download(
        self,
        object_or_handle: ObjectInfo | int,
        path: str | os.PathLike[str],
        *,
        resume: bool = True,
        verify: str = "size",
        progress: Progress | None = None,
        chunk: int | None = None,
        overwrite: bool = False,
    ) -> Transfer:
        """An object into the file `path`, which appears whole or not at all.

        Until then the bytes are in `path`.part, and a later download continues there (`resume`).
        verify: `size`, or `hash` to also compare SHA-256 of what arrived with the file read back.
        progress(received, size or None) is called about ten times a second. chunk: bytes for each
        partial read, None adaptive, 0 the whole object at once.
        Raises FileExistsError unless `overwrite`, SinkError, TransferError, and whatever ends the
        reading; the part file then stays.
        """
        info = self._info(object_or_handle)
        device = self.device_info
        identity = f"{device.manufacturer} {device.model} {device.serial_number}".strip()
        return Download(
            self,
            identity,
            info,
            Path(path),
            resume=resume,
            verify=verify,
            progress=progress,
            chunk=chunk,
            overwrite=overwrite,
        ).run()

    # The camera

    def property_desc(self, code: int) -> DevicePropDesc:
        """A device property with its type, current and allowed values."""
        return decode_prop_desc(self.fetch(OperationCode.GetDevicePropDesc, code))

    def property(self, code: int) -> Any:
        """A device property's value: an int, a str, or a list of ints."""
        return self.property_desc(code).current

    def set_property(self, code: int, value: Any) -> None:
        """Sets a device property; its type is asked first. ValueError if the value does not fit."""
        builder = Builder()
        write_value(builder, self.property_desc(code).data_type, value)
        self.command(OperationCode.SetDevicePropValue, code, data=bytes(builder))

    def capture(self) -> ObjectInfo | None:
        """Takes a picture and returns the new object, the RAW of a RAW and JPEG pair; None when the
        camera reports no new object (it may have gone into the camera's memory only)."""
        return capture(self)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """The camera's events, from the connection on, each once. Ends after `timeout` seconds
        without one (None: never), or when the session is over."""
        while (event := poll(self, self._events, timeout)) is not None:
            yield event


def _handle(object_or_handle: ObjectInfo | int) -> int:
    return object_or_handle.handle if isinstance(object_or_handle, ObjectInfo) else object_or_handle
