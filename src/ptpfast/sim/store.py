"""The simulated camera's cards: storages, folders and objects.

It knows no packets, operations or sockets. All methods may be called from any thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack

from ..engine.text import in_text
from ..ptp.codes import ALL_STORAGES, ObjectFormat
from ..ptp.datasets import StorageInfo
from ..ptp.kinds import extension
from ..vendors import STANDARD
from ..vendors.body import Model
from .content import BytesContent, Content, FileContent, Page
from .stored import FORMATS, StoredObject
from .thumbnail import Thumbnails

FIRST_STORAGE = 0x00010001  # slot 1, with a card
FIRST_HANDLE = 0x00040001
CAPACITY = 64_000_000_000
MAX_NAME_UNITS = 254  # and a NUL: a PTP string counts in one byte
NUMBERS_IN_FOLDER = 999  # DCF: a folder holds no more picture numbers than that
FIRST_DATE = datetime(2026, 1, 2, 3, 4, 5)  # naive: a camera's clock has no zone
BETWEEN_SHOTS = timedelta(seconds=7)


class StoreOptions(TypedDict, total=False):
    """Keyword arguments of `Store`."""

    seed: int | str
    model: Model
    storages: int
    empty_slots: int
    first_handle: int | None
    read_only: bool


class Store:
    """The cards of one camera: `storages` slots with a card, and `empty_slots` without. A store
    begins empty; `synthetic` and `from_folder` fill one."""

    def __init__(
        self,
        *,
        seed: int | str = 0,
        model: Model = STANDARD.model,
        storages: int = 1,
        empty_slots: int = 0,
        first_handle: int | None = None,
        read_only: bool = False,
    ) -> None:
        self.model = model
        self.read_only = read_only
        self._storages = [FIRST_STORAGE + (slot << 16) for slot in range(storages)]
        self._empty = [(storages + slot + 1) << 16 for slot in range(empty_slots)]
        self._lock = threading.RLock()
        self._objects: dict[int, StoredObject] = {}
        self._memory: dict[int, StoredObject] = {}  # objects that are on no card
        self._children: dict[int, dict[int, None]] = {0: {}}
        first = model.files.first_handle if first_handle is None else first_handle
        self._next_handle = FIRST_HANDLE if first is None else first
        self._page = Page(seed)
        self._thumbnails = Thumbnails()
        self._shots = 0
        self.capacity = CAPACITY  # of each card, in bytes
        self.left_out: int = 0  # links and unreadable or unnameable files of a real folder

    @classmethod
    def synthetic(
        cls,
        objects: int = 20,
        size: int = 25_000_000,
        *,
        pairs: bool = True,
        jpeg_size: int | None = None,
        **options: Unpack[StoreOptions],
    ) -> Store:
        """Return a card of `objects` files of `size` bytes each, folders not counted.

        Args:
            objects: how many files.
            size: bytes of each file.
            pairs: make every second file the JPEG of the RAW before it; otherwise all are RAW.
            jpeg_size: bytes of a JPEG.
            options: the keyword arguments of `Store`. Several storages share the shots in turn.
        """
        store = cls(**options)
        made = 0
        while made < objects:
            twin = pairs and made + 1 < objects
            handles = store.add_shot(size, jpeg_size=jpeg_size, raw=True, jpeg=twin)
            made += len(handles)
        return store

    @classmethod
    def from_folder(cls, folder: str | os.PathLike[str], *, model: Model = STANDARD.model) -> Store:
        """Return the real files below a folder as a card. They are never changed.

        Links and unreadable files are left out (`left_out` counts them). The modification time is
        the capture date. A read-only file is a protected object.
        """
        store = cls(model=model)
        root = Path(folder)
        if not root.is_dir():
            raise NotADirectoryError(f"{root} is not a folder")
        store._add_real(root)
        return store

    def add_shot(
        self, size: int, *, jpeg_size: int | None = None, raw: bool = True, jpeg: bool = True
    ) -> list[int]:
        """Add the files of one shot, with one number and one date, and return their handles."""
        with self._lock:
            if not self.model.files.has_raw:
                raw, jpeg = False, True
            number = self._shots
            storage_id = self._storages[number % len(self._storages)]
            folder = self._folder_of_shot(storage_id, number)
            stem = f"{self.model.files.stem}{number % 9999 + 1:04d}"
            captured = FIRST_DATE + number * BETWEEN_SHOTS
            self._shots += 1
            files = []
            if raw:
                files.append((self.model.files.raw_extension, size))
            if jpeg:
                files.append(("JPG", size if jpeg_size is None else jpeg_size))
            return [
                self.add(
                    f"{stem}.{tail}",
                    length,
                    parent=folder,
                    storage_id=storage_id,
                    captured=captured,
                )
                for tail, length in files
            ]

    def add(
        self,
        name: str,
        content: Content | bytes | int,
        *,
        parent: int = 0,
        storage_id: int | None = None,
        captured: datetime | None = FIRST_DATE,
        format: int | None = None,
        protected: bool = False,
    ) -> int:
        """Add one file and return its handle; it is synthetic if `content` is a size.

        Raises:
            ValueError: the name has more than 254 UTF-16 units, too many for a dataset.
        """
        with self._lock:
            handle = self._next_handle
            if isinstance(content, int):
                content = self._page.content(handle, content)
            elif isinstance(content, bytes):
                content = BytesContent(content)
            if format is None:
                format = self._format_of(name)
            return self._insert(name, content, parent, storage_id, captured, format, protected)

    def add_folder(
        self,
        name: str,
        *,
        parent: int = 0,
        storage_id: int | None = None,
        captured: datetime | None = None,
    ) -> int:
        """Add one folder and return its handle."""
        return self._insert(
            name, None, parent, storage_id, captured, ObjectFormat.Association, False
        )

    def replace(self, handle: int, **changes: Any) -> None:
        """Give a handle to another object, as a body may after a deletion.

        Args:
            handle: the handle.
            changes: fields of `StoredObject`.
        """
        with self._lock:
            changed = replace(self._objects[handle], **changes)
            _require_sayable(changed.name)
            self._objects[handle] = changed

    def delete(self, handle: int) -> bool:
        """Delete an object and all below it; return False if a protected one stays."""
        if self.forget(handle):
            return True
        with self._lock:
            stored = self._objects[handle]
            for child in list(self._children.get(handle, ())):
                self.delete(child)
            if stored.protected or self._children.get(handle):
                return False
            del self._objects[handle]
            self._children.pop(handle, None)
            self._children[stored.parent].pop(handle)
            return True

    def keep_in_memory(self, handle: int) -> None:
        """Move a file from its card to the camera's memory, which no listing shows."""
        with self._lock:
            stored = self._objects.pop(handle)
            self._children[stored.parent].pop(handle)
            self._memory[handle] = stored

    def forget(self, handle: int) -> bool:
        """Remove a file from the camera's memory; return False if it is not there."""
        return self._memory.pop(handle, None) is not None

    def is_on_card(self, handle: int) -> bool:
        """Return whether an object is on a card, not in the camera's memory."""
        return handle in self._objects

    def get(self, handle: int) -> StoredObject | None:
        """Return an object of a card or of the camera's memory."""
        return self._objects.get(handle) or self._memory.get(handle)

    def __iter__(self) -> Iterator[StoredObject]:
        """Yield all objects, folders before their contents."""
        with self._lock:
            return iter(list(self._objects.values()))

    def files(self) -> list[StoredObject]:
        return [stored for stored in self if not stored.is_folder]

    def path(self, handle: int) -> str:
        """Return the path `DCIM/100PTPIP/IMG_0001.DNG`; two storages may have equal paths."""
        parts = []
        while handle:
            stored = self._objects.get(handle) or self._memory[handle]
            parts.append(stored.name)
            handle = stored.parent
        return "/".join(reversed(parts))

    def find(self, path: str) -> int:
        """Return the handle of the first object with this path. Raises KeyError."""
        for stored in self:
            if stored.name == path.rpartition("/")[2] and self.path(stored.handle) == path:
                return stored.handle
        raise KeyError(path)

    def expected(self, handle: int) -> Content:
        """Return the bytes that a copy of a file must have. Raises KeyError for other handles."""
        stored = self._objects.get(handle) or self._memory[handle]
        content = stored.content
        if content is None:
            raise KeyError(f"0x{handle:08X} is a folder")
        return content

    def storage_ids(self, *, populated: bool = False) -> list[int]:
        """Return the slots with a card; with `populated` False also the empty ones."""
        return self._storages if populated else self._storages + self._empty

    def storage_info(self, storage_id: int) -> StorageInfo:
        used = sum(stored.size for stored in self if stored.storage_id == storage_id)
        free = max(0, self.capacity - used)
        return StorageInfo(
            access_capability=1 if self.read_only else 0,
            max_capacity=max(self.capacity, used),
            free_space_in_bytes=free,
            free_space_in_images=free // 25_000_000,
            storage_description="Memory card",
            volume_label=f"CARD{(storage_id >> 16):d}",
        )

    def next_storage(self) -> tuple[int, int]:
        """Return the storage for the next shot, and its free bytes."""
        storage_id = self._storages[self._shots % len(self._storages)]
        return storage_id, self.storage_info(storage_id).free_space_in_bytes

    def handles(self, storage_id: int, format: int, parent: int) -> list[int]:
        """Return handles as GetObjectHandles does: by storage, format and folder."""
        with self._lock:
            if parent == 0:
                candidates = list(self._objects)
            else:
                candidates = list(self._children.get(0 if parent == ALL_STORAGES else parent, ()))
            if storage_id == ALL_STORAGES and not format:
                return candidates
            return [
                handle
                for handle in candidates
                if storage_id in (ALL_STORAGES, self._objects[handle].storage_id)
                and format in (0, self._objects[handle].format)
            ]

    def _insert(
        self,
        name: str,
        content: Content | None,
        parent: int,
        storage_id: int | None,
        captured: datetime | None,
        format: int,
        protected: bool,
    ) -> int:
        _require_sayable(name)
        with self._lock:
            handle = self._next_handle
            self._next_handle += 1
            if storage_id is None:
                storage_id = self._objects[parent].storage_id if parent else self._storages[0]
            stored = StoredObject(
                handle,
                storage_id,
                parent,
                name,
                format,
                captured,
                content,
                protected,
                self._thumbnails,
            )
            self._objects[handle] = stored
            self._children[parent][handle] = None
            if content is None:
                self._children[handle] = {}
            return handle

    def _folder_of_shot(self, storage_id: int, number: int) -> int:
        if not self.model.files.has_folders:
            return 0
        dcim = self._child_folder(0, "DCIM", storage_id)
        first = self.model.files.folder
        name = f"{int(first[:3]) + number // NUMBERS_IN_FOLDER % 900:03d}{first[3:]}"
        return self._child_folder(dcim, name, storage_id)

    def _child_folder(self, parent: int, name: str, storage_id: int) -> int:
        # From the end: the folder in use is the newest.
        for handle in reversed(self._children[parent]):
            stored = self._objects[handle]
            if stored.is_folder and stored.name == name and stored.storage_id == storage_id:
                return handle
        return self.add_folder(name, parent=parent, storage_id=storage_id, captured=FIRST_DATE)

    def _format_of(self, name: str) -> int:
        tail = extension(name)
        if tail == self.model.files.raw_extension:
            return self.model.files.raw_format
        return FORMATS.get(tail, ObjectFormat.Undefined)

    def _add_real(self, root: Path) -> None:
        """Add what is in a folder and below it, in order; folders can be deeper than calls."""
        left = self._entries(root, 0)[::-1]
        while left:
            entry, parent = left.pop()
            try:
                status = entry.stat(follow_symlinks=False)
                moment = datetime.fromtimestamp(int(status.st_mtime))
            except (OSError, ValueError, OverflowError):
                self.left_out += 1
                continue
            name = in_text(entry.name)
            if entry.is_symlink() or not _is_ptp_name(name):
                self.left_out += 1
            elif entry.is_dir():
                child = parent
                if self.model.files.has_folders:
                    child = self.add_folder(name, parent=parent, captured=moment)
                left += self._entries(entry.path, child)[::-1]
            elif entry.is_file() and os.access(entry.path, os.R_OK):
                content = FileContent(Path(entry.path), status.st_size)
                locked = not status.st_mode & 0o222
                self.add(name, content, parent=parent, captured=moment, protected=locked)
            else:
                self.left_out += 1

    def _entries(self, folder: Path | str, parent: int) -> list[tuple[os.DirEntry[str], int]]:
        try:
            with os.scandir(folder) as entries:
                return [(each, parent) for each in sorted(entries, key=lambda each: each.name)]
        except OSError:
            self.left_out += 1
            return []


def _is_ptp_name(name: str) -> bool:
    """Return whether a dataset can hold a file name."""
    try:
        return len(name.encode("utf-16-le")) <= 2 * MAX_NAME_UNITS
    except UnicodeEncodeError:
        return False


def _require_sayable(name: str) -> None:
    if (units := len(name.encode("utf-16-le", "surrogatepass")) // 2) > MAX_NAME_UNITS:
        raise ValueError(f"a name has at most {MAX_NAME_UNITS} UTF-16 units, not {units}")
