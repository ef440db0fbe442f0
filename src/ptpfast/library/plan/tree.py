"""The folders of a destination: the destination alone, or with the card's folders below it.

A camera's folder names are untrusted, so they follow the rules of file names (`naming`). Names that
some filesystem takes for one are one folder. A folder that cannot be used gets a numbered name:
something else has its name, it cannot be read, or it holds ptpfast's own files. A symbolic link is
not used, because it may lead out of the destination.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership.names import JOURNAL_SUFFIX, PART_SUFFIX, same_name
from ...ptp.errors import SinkError
from .apart import own_folders
from .folder import Folder
from .names import Names
from .naming import local_name, numbered
from .places import is_same

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from .folder import Found
    from .known import Known

# Of the names of folders below the destination. PATH_MAX is 4096, with destination and file name.
MOST_BYTES = 1024


class Tree:
    """The folders of one destination, each read when the first object for it is seen.

    If an earlier run had the other setting of `keeps_folders`, the files that the catalog knows
    count as here.
    """

    def __init__(
        self,
        path: Path,
        camera: str = "",
        manifest: Path | None = None,
        known: Known | None = None,
        *,
        keeps_folders: bool = False,
        names: Names | None = None,
    ) -> None:
        """Read the destination; a missing one is empty.

        The arguments are those of `Folder`, and the names that the cameras of a run have got.

        Raises:
            SinkError: the destination cannot be read.
        """
        self.names: Names = names or Names()
        self.keeps_folders = keeps_folders
        self._camera = camera
        self._manifest = manifest
        self._known = known
        self.root = self._read(path)
        self._folders: dict[Path, Folder] = {path: self.root}
        self._below: dict[tuple[Path, str], Folder | None] = {}  # by parent and key of the name
        self._of: dict[str, Folder] = {}  # by the folders on the card, as text
        self._elsewhere: dict[str, Folder | None] = {}

    @property
    def path(self) -> Path:
        """The destination."""
        return self.root.path

    @property
    def folders(self) -> list[Folder]:
        """The folders that have been read."""
        return list(self._folders.values())

    @property
    def refused(self) -> dict[Path, str]:
        """The part files that are in the way, and why they stay."""
        return {part: why for each in self.folders for part, why in each.refused.items()}

    def parts(self) -> list[Path]:
        """Return the files whose part files have a journal.

        They are in the folders that have been read, and in those that the card had before.
        """
        found = [folder.path / name for folder in self.folders for name in folder.parts()]
        return found + [path for place in self._unread() for path in _parts_below(place)]

    def _unread(self) -> list[Path]:
        """Return the unread folders beside the card's folders."""
        if not self.keeps_folders:
            return []
        below = (each for each in self.folders if each is not self.root)
        paths = (each.path / name for each in below for name in each.subfolders())
        return [path for path in paths if path not in self._folders]

    def of(self, info: ObjectInfo) -> Folder:
        """Return the folder that gets an object's file."""
        if not self.keeps_folders:
            return self.root
        place = _folders_of(info)
        if (found := self._of.get(place)) is None:
            found = self.root
            for name in _local_names(place):
                found = self._child(found, name)
            self._of[place] = found
        return found

    def holding(self, path: Path) -> Folder:
        """Return the folder of a file that was named or found here."""
        return self._folders[path.parent]

    def claim_same_name(
        self, info: ObjectInfo, name: str, *, forgiving: bool = False
    ) -> Found | None:
        """Return the file that is this object under its own name, and reserve it."""
        found = self.of(info).claim_same_name(info, name, forgiving=forgiving)
        if found is None and (other := self._elsewhere_of(info)) is not None:
            found = other.claim_same_name(info, name, forgiving=forgiving, recorded=True)
        return found

    def claim_numbered(
        self, info: ObjectInfo, name: str, *, forgiving: bool = False
    ) -> Found | None:
        """Return the file that is this object under a numbered name, and reserve it."""
        found = self.of(info).claim_numbered(info, name, forgiving=forgiving)
        if found is None and (other := self._elsewhere_of(info)) is not None:
            found = other.claim_numbered(info, name, forgiving=forgiving, recorded=True)
        return found

    def has_copy(self, info: ObjectInfo, name: str) -> bool:
        """Return whether a file under its own name is this object and is not reserved."""
        other = self._elsewhere_of(info)
        return self.of(info).has_copy(info, name) or (
            other is not None and other.has_copy(info, name, recorded=True)
        )

    def concerns(self, info: ObjectInfo, name: str) -> bool:
        """Return whether a file with that stem is where the object's file may be."""
        other = self._elsewhere_of(info)
        return self.of(info).concerns(name) or (other is not None and other.concerns(name))

    def places(self, info: ObjectInfo) -> list[Folder]:
        """Return the folders in which an object's file may be."""
        other = self._elsewhere_of(info)
        return [self.of(info), *([] if other is None else [other])]

    def _elsewhere_of(self, info: ObjectInfo) -> Folder | None:
        """Return the folder that the object has with the other setting; None without one."""
        place = _folders_of(info)
        if place not in self._elsewhere:
            self._elsewhere[place] = self._find_elsewhere(place)
        return self._elsewhere[place]

    def _find_elsewhere(self, place: str) -> Folder | None:
        names = _local_names(place)
        if self.keeps_folders or not names:
            return self.root if names else None
        found: Folder | None = self.root
        for name in names:
            found = None if found is None else self._existing(found, name)
        return found

    def _existing(self, parent: Folder, name: str) -> Folder | None:
        key = (parent.path, same_name(name))
        if key not in self._below:
            there = parent.subfolder(name)
            self._below[key] = None if there is None else self._opened(parent.path / there)
        return self._below[key]

    def _child(self, parent: Folder, name: str) -> Folder:
        key = (parent.path, same_name(name))
        if (child := self._below.get(key)) is None:
            with self.names.lock:
                child = self._below[key] = self._chosen(parent, name)
                self.names.folders[key] = child.path
                parent.take(child.path.name)  # no object gets it
        return child

    def _chosen(self, parent: Folder, name: str) -> Folder:
        chosen = self.names.folders.get((parent.path, same_name(name)))
        if chosen is not None and (child := self._opened(chosen)) is not None:  # by another camera
            return child
        for candidate in _numbered_forms(name):
            there = parent.subfolder(candidate)
            if there is None and not parent.is_free_for_folder(candidate):
                continue
            path = parent.path / (there or candidate)
            if (child := self._opened(path, is_new=there is None)) is not None:
                return child
        raise AssertionError("numbers have no end")

    def _opened(self, path: Path, *, is_new: bool = False) -> Folder | None:
        """Return a folder; None if it cannot be used."""
        if path in self._folders:
            return self._folders[path]
        if any(is_same(path, ours) for ours, _ in own_folders()):
            return None
        try:
            found = self._read(path, is_new=is_new)
        except SinkError:
            return None
        self._folders[path] = found
        return found

    def _read(self, path: Path, *, is_new: bool = False) -> Folder:
        """Return a folder as it is now; with `is_new` there is none. SinkError."""
        given = self.names.of(path)
        return Folder(path, self._camera, self._manifest, self._known, given=given, is_new=is_new)


def _parts_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):  # does not follow links
        there = set(names)
        for name in there:
            final = name.removesuffix(JOURNAL_SUFFIX)
            if final != name and final + PART_SUFFIX in there:
                yield Path(place, final)


def _folders_of(info: ObjectInfo) -> str:
    """Return the folders of an object on the card, as text."""
    return info.path.removesuffix(info.name)


def _local_names(place: str) -> list[str]:
    """Return safe names for a card's folders; those that make the path too long are left out."""
    names, size = [], 0
    for text in filter(None, place.split("/")):
        name = local_name(text)
        size += len(os.fsencode(name)) + 1
        if size > MOST_BYTES:
            break
        names.append(name)
    return names


def _numbered_forms(name: str) -> Iterator[str]:
    yield name
    yield from (numbered(name, number) for number in count(1))
