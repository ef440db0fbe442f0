"""The files that a camera's content lists name, with handles and folders as the standard has them.

Nothing here talks to a camera. A content has no handle, so each file gets one here: the hash of its
UMID and path, so that it is the same in each session and after the camera has renewed its list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ...ptp.codes import ROOT_OBJECTS, SIZE_SATURATED, ObjectFormat
from ...ptp.datasets import ObjectInfoDataset, format_date_time
from ...ptp.errors import ProtocolError
from ...ptp.objects import LARGEST_OBJECT
from ..bulk import Described
from .contents import Content, ContentFile

MOST_PARTS = 32  # folders of a path; a card has three
MOST_NAME = 254  # characters of a name, as in ObjectInfo
_EPOCH = datetime(1970, 1, 1)
_SLOT_SHIFT = 16  # of a storage id
MOST_STARS = 5  # of a rating (Camera Control PTP 3 Reference)


@dataclass(slots=True)
class Entry:
    """One file of a card."""

    handle: int
    slot: int
    content: Content
    file: ContentFile
    parent: int
    name: str

    @property
    def is_written(self) -> bool:
        """False while the camera still writes the file."""
        return self.file.size > 0

    @property
    def stars(self) -> int | None:
        """The rating; None for -1, which means that there is none, and for what cannot be one."""
        rating = self.content.rating
        return rating if 0 <= rating <= MOST_STARS else None

    @property
    def content_id(self) -> int:
        """The id of the content, until the camera renews its list."""
        return self.content.content_id

    @property
    def file_parameter(self) -> int:
        """Slot and file in one parameter of an operation."""
        return self.slot << 24 | self.file.file_id

    @property
    def described(self) -> Described:
        """The file as ObjectInfo, and its size. Raises ProtocolError."""
        content, size = self.content, self.file.size
        if size > LARGEST_OBJECT:
            raise ProtocolError(f"GetContentInfoList: {self.name} has {size:,} bytes")
        known = self.file.format <= 0xFFFF
        return (
            ObjectInfoDataset(
                storage_id=storage_of(self.slot),
                object_format=self.file.format if known else ObjectFormat.Undefined,
                protection_status=int(content.protection != 0),
                object_compressed_size=min(size, SIZE_SATURATED),
                parent_object=self.parent,
                filename=self.name,
                capture_date=date_of(content.created_local, content.created),
                modification_date=date_of(content.modified_local, content.modified),
            ),
            size,
        )


@dataclass(slots=True)
class SlotFolder:
    """One folder of a card, which the paths of its files name."""

    handle: int
    slot: int
    name: str
    parent: int

    @property
    def described(self) -> Described:
        """The folder as ObjectInfo."""
        dataset = ObjectInfoDataset(
            storage_id=storage_of(self.slot),
            object_format=ObjectFormat.Association,
            association_type=1,
            parent_object=self.parent,
            filename=self.name,
        )
        return dataset, 0


@dataclass
class Card:
    """The files of one slot, by handle; folders come before their files."""

    entries: dict[int, Entry] = field(default_factory=dict)
    folders: dict[int, SlotFolder] = field(default_factory=dict)
    data_time: int | None = None  # of the camera's list

    @property
    def newest(self) -> int:
        """The largest capture time, in local milliseconds; 0 without files."""
        return max((each.content.created_local for each in self.entries.values()), default=0)

    def handles(self, parent: int) -> list[int]:
        """Return the handles below a folder; 0: all, all ones: those in the root."""
        both: Iterable[Entry | SlotFolder] = [*self.folders.values(), *self.entries.values()]
        if parent == 0:
            return [each.handle for each in both]
        wanted = 0 if parent == ROOT_OBJECTS else parent
        return [each.handle for each in both if each.parent == wanted]


class Handles:
    """The handles of one camera's files: the same file has the same one in each session."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, int] = {}
        self._taken: set[int] = set()

    def of(self, key: Hashable) -> int:
        """Return the handle for a key."""
        if key not in self._by_key:
            raw = repr(key).encode("utf-8", "surrogatepass")
            handle = int.from_bytes(hashlib.blake2b(raw, digest_size=4).digest(), "little")
            handle = handle & 0x7FFFFFFF or 1
            while handle in self._taken:  # another file with that hash, which is rare
                handle = handle % 0x7FFFFFFF + 1
            self._taken.add(handle)
            self._by_key[key] = handle
        return self._by_key[key]


def add(card: Card, slot: int, contents: Iterable[Content], handles: Handles) -> list[Entry]:
    """Add contents to a card; return the entries of their files."""
    found = []
    for content in contents:
        for file in content.files:
            entry = _entry(card, slot, content, file, handles)
            if entry is not None:
                card.entries[entry.handle] = entry
                found.append(entry)
    return found


def _entry(
    card: Card, slot: int, content: Content, file: ContentFile, handles: Handles
) -> Entry | None:
    parts = [part[:MOST_NAME] for part in file.path.replace("\\", "/").split("/") if part]
    if not parts:
        parts = [f"{content.content_id:08X}.{file.file_id}"]  # a file without a name is no less
    *above, name = parts
    parent = 0
    for depth, folder in enumerate(above[:MOST_PARTS], 1):
        handle = handles.of(("folder", slot, tuple(above[:depth])))
        card.folders.setdefault(handle, SlotFolder(handle, slot, folder, parent))
        parent = handle
    unique = file.umid if any(file.umid) else content.content_id
    handle = handles.of((slot, unique, file.path))
    known = card.entries.get(handle)
    if known is not None and known.content.content_id != content.content_id:
        handle = handles.of((slot, unique, file.path, content.content_id))
    return Entry(handle, slot, content, file, parent, name)


def date_of(local: int, utc: int) -> str:
    """Return milliseconds since 1970 as PTP writes a date; local time if it is known."""
    for moment, zone in ((local, None), (utc, UTC)):
        if moment:
            try:
                date = _EPOCH + timedelta(seconds=moment // 1000)
            except OverflowError:
                return ""
            return format_date_time(date.replace(tzinfo=zone))
    return ""


def storage_of(slot: int) -> int:
    """Return the storage id of a slot, as the camera's other modes have it."""
    return slot << _SLOT_SHIFT | 1


def slot_of(storage_id: int) -> int:
    """Return the slot of a storage id."""
    return storage_id >> _SLOT_SHIFT
