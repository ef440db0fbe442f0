"""From object handles to an `ObjectTable`: descriptions, paths, true sizes. One bad object is set
aside.

Sources: ISO 15740; libgphoto2 (ptp-pack.c, library.c) for the parents that mean "root".
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from ._engine import DataPhase
from ._sink import MemorySink, Sink
from ._wire import Cursor
from .codes import SIZE_SATURATED, ObjectFormat, ObjectPropCode, OperationCode
from .connection import Request
from .datasets import ObjectInfoDataset, decode, decode_array, parse_date_time
from .errors import DeviceBusy, NetworkError, ProtocolError, PTPError, ResponseError
from .objects import ObjectInfo, ObjectTable
from .vendors.vendor import Vendor

log = logging.getLogger("ptpfast")

MAX_DEPTH = 32  # folders in folders; a card has two or three, a hostile tree may go in circles

# Four strings of 254 characters at most and 52 bytes of numbers; firmware may add to it.
MAX_OBJECT_INFO = 1 << 16
MAX_HANDLES = 4 << 20  # bytes of a handle list: a million objects
LARGEST_OBJECT = 1 << 50  # what claims to be larger is no size

Progress = Callable[[int, int], None]


class Camera(Protocol):
    """What a listing asks of the session."""

    @property
    def vendor(self) -> Vendor: ...
    def supports(self, operation: int) -> bool: ...
    def fetch(self, operation: int, *parameters: int) -> bytearray: ...
    def command(self, operation: int, *parameters: int) -> object: ...
    def receive(
        self, operation: int, *parameters: int, sink: Sink | None, limit: int | None = None
    ) -> DataPhase: ...
    @property
    def usable(self) -> bool: ...
    def pipeline(
        self,
        next_request: Callable[[], Request | None],
        done: Callable[[Request, DataPhase, PTPError | None], None],
    ) -> None: ...
    def leave_pipeline(self, error: PTPError) -> bool: ...


def dataset(camera: Camera, handle: int) -> ObjectInfoDataset:
    """GetObjectInfo. ResponseError, ProtocolError."""
    return decode(ObjectInfoDataset, camera.fetch(OperationCode.GetObjectInfo, handle))


def true_size(camera: Camera, handle: int, info: ObjectInfoDataset) -> int | None:
    """The size in 64 bits. ObjectInfo saturates at 4 GiB - 1; then, in this order (libgphoto2):
    MTP's ObjectSize property, the vendor's operation; None if neither can tell."""
    if info.object_compressed_size != SIZE_SATURATED:
        return info.object_compressed_size
    size = _size_64(camera, handle)
    return size if size is not None and size <= LARGEST_OBJECT else None


def _size_64(camera: Camera, handle: int) -> int | None:
    try:
        if camera.supports(OperationCode.GetObjectPropValue):
            value = camera.fetch(
                OperationCode.GetObjectPropValue, handle, ObjectPropCode.ObjectSize
            )
            cursor = Cursor(value, "ObjectSize")
            return cursor.u64() if cursor.remaining >= 8 else cursor.u32()
    except (ResponseError, ProtocolError) as error:
        log.debug("no ObjectSize of 0x%X: %s", handle, error)
    try:
        return camera.vendor.object_size(camera, handle)  # type: ignore[arg-type]
    except (ResponseError, ProtocolError) as error:
        log.debug("no size of 0x%X: %s", handle, error)
        return None


def handles(camera: Camera, storage_ids: Iterable[int], parent: int) -> list[int]:
    """Handles below `parent` (0: of all objects) of these storages, each once.

    All three parameters are sent: some bodies answer nothing otherwise (airmtp).
    """
    found: dict[int, None] = {}
    for storage_id in storage_ids:
        sink = MemorySink()
        operation = OperationCode.GetObjectHandles
        camera.receive(operation, storage_id, 0, parent, sink=sink, limit=MAX_HANDLES)
        payload = sink.finish()
        found.update(dict.fromkeys(decode_array(payload, "u32", "GetObjectHandles")))
    return list(found)


class Descriptions:
    """GetObjectInfo of many handles, with requests sent ahead where the camera copes with it."""

    def __init__(self, camera: Camera, handles: list[int], progress: Progress | None) -> None:
        self._camera = camera
        self._handles = handles
        self._progress = progress
        self._results: dict[int, ObjectInfoDataset | PTPError] = {}
        self._to_ask: deque[int] = deque()
        self._busy: list[int] = []

    def run(self) -> tuple[dict[int, ObjectInfoDataset], list[tuple[int, PTPError]]]:
        """Datasets by handle, and what cannot be described, both in the order of the handles."""
        while True:
            self._to_ask.extend(h for h in self._handles if h not in self._results)
            try:
                self._camera.pipeline(self._next, self._done)
                break
            except (NetworkError, ProtocolError) as error:
                self._to_ask.clear()
                self._busy.clear()
                if not self._camera.leave_pipeline(error):
                    raise
        for handle in self._busy:  # each by itself now, and waited for
            try:
                self._keep(handle, dataset(self._camera, handle))
            except (ResponseError, ProtocolError) as error:
                if not self._camera.usable:
                    raise
                self._keep(handle, error)
        found, failures = {}, []
        for handle in self._handles:
            result = self._results[handle]
            if isinstance(result, PTPError):
                failures.append((handle, result))
            else:
                found[handle] = result
        return found, failures

    def _next(self) -> Request | None:
        if not self._to_ask:
            return None
        handle = self._to_ask.popleft()
        return Request(
            OperationCode.GetObjectInfo,
            (handle,),
            MemorySink(),
            limit=MAX_OBJECT_INFO,
            label=f"GetObjectInfo(0x{handle:X})",
            about=handle,
        )

    def _done(self, request: Request, phase: DataPhase, error: PTPError | None) -> None:
        handle: int = request.about
        assert isinstance(request.sink, MemorySink)
        payload = request.sink.finish()
        if isinstance(error, DeviceBusy):
            self._busy.append(handle)
            return
        try:
            self._keep(handle, error or decode(ObjectInfoDataset, payload))
        except ProtocolError as damaged:
            self._keep(handle, damaged)

    def _keep(self, handle: int, result: ObjectInfoDataset | PTPError) -> None:
        if isinstance(result, PTPError):
            log.warning("object 0x%X cannot be described: %s", handle, result)
        self._results[handle] = result
        if self._progress is not None:
            self._progress(len(self._results), len(self._handles))


class Listing:
    """Describes objects and remembers the folders it has seen, to make paths of them."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._folders: dict[int, ObjectInfoDataset | None] = {}

    def describe(self, handle: int) -> ObjectInfo:
        """One object. ResponseError, ProtocolError."""
        info = dataset(self._camera, handle)
        if info.object_format == ObjectFormat.Association:
            self._folders[handle] = info
        return self._object_info(handle, info)

    def table(
        self, handles: list[int], formats: Collection[int | str] | None, progress: Progress | None
    ) -> ObjectTable:
        """The files among these handles; `formats` holds format codes and kinds (`raw`,
        `jpeg`…)."""
        found, failures = Descriptions(self._camera, handles, progress).run()
        self._folders.update(
            (handle, info)
            for handle, info in found.items()
            if info.object_format == ObjectFormat.Association
        )
        objects = [
            self._object_info(handle, info)
            for handle, info in found.items()
            if info.object_format != ObjectFormat.Association
        ]
        if formats is not None:
            objects = [o for o in objects if o.format in formats or o.kind in formats]
        return ObjectTable(objects, failures)

    def _object_info(self, handle: int, info: ObjectInfoDataset) -> ObjectInfo:
        return ObjectInfo(
            handle=handle,
            name=info.filename,
            path=self._path(handle, info),
            size=true_size(self._camera, handle, info),
            format=info.object_format,
            captured=parse_date_time(info.capture_date),
            modified=parse_date_time(info.modification_date),
            storage_id=info.storage_id,
            parent=info.parent_object,
            protected=info.protection_status != 0,
        )

    def _path(self, handle: int, info: ObjectInfoDataset) -> str:
        """Its folders' names and its own. The root is parent 0, or all ones, or the storage's id
        (Apple), or the object itself (Canon); both seen by libgphoto2."""
        names = [info.filename]
        seen = {handle}
        parent, storage_id = info.parent_object, info.storage_id
        while parent not in (0, 0xFFFFFFFF, storage_id) and parent not in seen:
            if len(seen) > MAX_DEPTH:
                break
            seen.add(parent)
            folder = self._folder(parent)
            if folder is None:
                break
            names.append(folder.filename)
            parent = folder.parent_object
        return "/".join(reversed(names))

    def _folder(self, handle: int) -> ObjectInfoDataset | None:
        if handle not in self._folders:
            try:
                self._folders[handle] = dataset(self._camera, handle)
            except (ResponseError, ProtocolError) as error:
                log.debug("folder 0x%X cannot be described: %s", handle, error)
                self._folders[handle] = None
        return self._folders[handle]
