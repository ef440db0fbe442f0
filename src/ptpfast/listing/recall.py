"""The index of a storage, and the checks that it is still valid.

The card may have been replaced or formatted. Objects may be deleted, and their handles given to
others: handles are stable only within a session. So, for each storage:

1. The card must describe itself as before (StorageInfo: kind, capacity, label).
2. Only handles that the camera lists now count.
3. Some of the rest are requested and must agree: the newest, the first, the folder in use, and some
   at random. A replaced or renumbered card differs there.
4. The new and the deleted objects must explain the change in free space. This detects an object
   whose handle went to another one, unless both have the same size.

If one check fails, everything remembered of that storage is discarded. No check is proof, so an
object is compared with the camera before its bytes are read (`ObjectInfo.remembered`).

Sources: airmtp (handle list, validation by samples), ISO 15740 for the meaning of handles.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..ptp.datasets import StorageInfo
from ..ptp.kinds import kind_of
from ..ptp.objects import Description
from ..state.index import Remembered

PICTURES = {"raw", "jpeg", "heif"}
CHECKED = 6  # objects asked for again in a storage
UNKNOWN_SPACE = 0xFFFFFFFFFFFFFFFF
# Space of an object beyond its bytes: clusters, its folder's entry, the camera's own files.
SPACE_BESIDE = 2 << 20


@dataclass(slots=True)
class Card:
    """A storage as a listing finds it.

    Attributes:
        name: The identity that the card reports; None if unknown. Then the index is not used.
        remembered: The descriptions from the index.
        known: Those that this session has learned since, before its connection was lost.
    """

    storage_id: int
    handles: list[int]
    name: str | None = None
    free: int | None = None
    was_free: int | None = None  # when it was last listed to its end
    remembered: dict[int, Description] = field(default_factory=dict)
    gone: list[Description] = field(default_factory=list)
    known: dict[int, Description] = field(default_factory=dict)

    def introduce(self, info: StorageInfo) -> None:
        """Store what the storage reports about itself."""
        known = info.free_space_in_bytes != UNKNOWN_SPACE
        self.free = info.free_space_in_bytes if known else None
        self.name = json.dumps(
            [
                info.storage_type,
                info.filesystem_type,
                info.max_capacity,
                info.storage_description,
                info.volume_label,
            ]
        )

    def remember(self, remembered: Remembered) -> None:
        """Take over the descriptions of handles that still exist.

        An empty file may have been incomplete when it was described; it is asked for again.
        """
        there = set(self.handles)
        self.was_free = remembered.free
        for handle, description in remembered.descriptions.items():
            if handle not in there:
                self.gone.append(description)
            elif _is_complete(description):
                self.remembered[handle] = description

    def know(self, described: Mapping[int, Description]) -> None:
        """Take over what this session has learned since the index was stored.

        Pictures only: a movie that is being recorded may have grown in the meantime.
        """
        for handle in self.handles if described else ():
            known = described.get(handle)
            if known is None or self.remembered.get(handle) == known:
                continue
            self.remembered.pop(handle, None)
            if _is_complete(known) and kind_of(known.name) in PICTURES:
                self.known[handle] = known

    @property
    def believed(self) -> dict[int, Description]:
        """All descriptions that the camera has not been asked for."""
        return {**self.remembered, **self.known}

    def samples(self) -> list[int]:
        """Return the believed handles to request again."""
        believed = self.believed
        return samples([handle for handle in self.handles if handle in believed], believed)

    def space_is_explained(self, came: Iterable[Description]) -> bool:
        """Return whether the new and deleted objects explain the free space; True if unknown."""
        if self.free is None or self.was_free is None:
            return True
        sizes_in = [description.size for description in came]
        sizes_out = [description.size for description in self.gone]
        expected, beside = self.was_free, SPACE_BESIDE * (len(sizes_in) + len(sizes_out))
        for size in sizes_in:
            if size is None:
                return True
            expected -= size
        for size in sizes_out:
            if size is None:
                return True
            expected += size
        return abs(max(expected, 0) - self.free) <= beside

    def forget(self) -> None:
        """Drop all descriptions that the camera has not been asked for."""
        self.remembered.clear()
        self.known.clear()
        self.gone.clear()
        self.was_free = None


def _is_complete(description: Description) -> bool:
    return bool(description.size) or description.is_folder


def samples(handles: list[int], described: Mapping[int, Description]) -> list[int]:
    """Return `CHECKED` of these handles, at the places where a difference would show.

    These are the newest, the first, the folder in use, and some at random; all if there are no
    more.
    """
    if len(handles) <= CHECKED:
        return handles
    import random  # takes some milliseconds, and only here

    files = [handle for handle in handles if not described[handle].is_folder] or handles
    newest = max(files, key=lambda handle: described[handle].captured)
    chosen = dict.fromkeys([files[-1], newest, files[0]])
    if (folder := described[files[-1]].parent) in described:
        chosen[folder] = None
    others = [handle for handle in handles if handle not in chosen]
    chosen.update(dict.fromkeys(random.sample(others, CHECKED - len(chosen))))
    return list(chosen)
