"""The folders of a destination: the destination alone, or with the card's folders below it, or
those of a template.

A camera's folder names are untrusted, so they follow the rules of file names (`naming`). Names that
some filesystem takes for one are one folder. A folder that cannot be used gets a numbered name:
something else has its name, it cannot be read, or it holds ptpfast's own files. A symbolic link is
not used, because it may lead out of the destination.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership.names import JOURNAL_SUFFIX, PART_SUFFIX, same_name
from ...ptp.errors import SinkError
from .apart import own_folders
from .folder import Folder
from .namer import Namer
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
        namer: Namer | None = None,
    ) -> None:
        """Read the destination; a missing one is empty.

        The arguments are those of `Folder`, the names that the cameras of a run have got, and what
        names files and folders.

        Raises:
            SinkError: the destination cannot be read.
        """
        self.names: Names = names or Names()
        self.keeps_folders = keeps_folders
        self.namer: Namer = namer or Namer()
        self._camera = camera
        self._manifest = manifest
        self._known = known
        self.root: Folder = self._read(path)
        self._folders: dict[Path, Folder] = {path: self.root}
        self._below: dict[tuple[Path, str], Folder | None] = {}  # by parent and key of the name
        self._of: dict[str, Folder] = {}  # by the folders on the card, as text
        self._elsewhere: dict[str, Folder | None] = {}
        self._others: list[list[str]] = []  # folders below that are other folders of the run

    @property
    def has_subfolders(self) -> bool:
        """Whether objects go into folders below the destination."""
        template = self.namer.template
        return self.keeps_folders or (template is not None and bool(template.folders))

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
        if not self.has_subfolders:
            return []
        below = (each for each in self.folders if each is not self.root)
        paths = (each.path / name for each in below for name in each.subfolders())
        return [path for path in paths if path not in self._folders]

    def of(self, info: ObjectInfo) -> Folder:
        """Return the folder that gets an object's file."""
        if self.namer.template is not None and self.namer.template.folders:
            return self._below_root(self.namer.folders(info))
        if not self.keeps_folders:
            return self.root
        place = _folders_of(info)
        if (found := self._of.get(place)) is None:
            found = self._of[place] = self._below_root(_local_names(place))
        return found

    def _below_root(self, names: Iterable[str]) -> Folder:
        found = self.root
        for name in names:
            found = self._child(found, name)
        return found

    def holding(self, path: Path) -> Folder:
        """Return the folder of a file that was named or found here."""
        return self._folders[path.parent]

    def claim_first(self, info: ObjectInfo) -> Found | None:
        """Return the file that is this object under its own name, or under one of a template, as
        the history knows, and reserve it."""
        found = None if self.namer.has_seq else self.claim_same_name(info, self.namer.name(info))
        return found or self.claim_recorded(info)

    def claim_any(
        self, info: ObjectInfo, name: str | None = None, *, forgiving: bool = False
    ) -> Found | None:
        """Return the file that is this object under any name that it can have, and reserve it.

        Args:
            info: the object.
            name: its name, if it is not that of the namer.
            forgiving: as in `Folder.claim_same_name`.
        """
        found = None
        if name is not None or not self.namer.has_seq:
            name = name or self.namer.name(info)
            found = self.claim_same_name(info, name, forgiving=forgiving)
            found = found or self.claim_numbered(info, name, forgiving=forgiving)
        return found or self.claim_recorded(info, forgiving=forgiving)

    def claim_recorded(self, info: ObjectInfo, *, forgiving: bool = False) -> Found | None:
        """Return a file of `recorded` that is still this object, and reserve it."""
        for folder, name in self.recorded(info):
            found = folder.claim_same_name(info, name, forgiving=forgiving, recorded=True)
            if found is not None:
                return found
        return None

    def recorded(self, info: ObjectInfo) -> Iterator[tuple[Folder, str]]:
        """Yield folder and name of each file here that the history has of an object.

        Without a template these are the files in the object's folder that were stored with one.
        """
        if self._known is None:
            return
        if self.namer.template is None:
            folder = self.of(info)
            yield from ((folder, name) for name in folder.renamed(info))
            return
        for place, name in self._known.files_of(info, self.root.real):
            if any(place[: len(other)] == other for other in self._others):
                continue
            found: Folder | None = self.root
            for part in place:
                found = None if found is None else self._existing(found, part)
            if found is not None:
                yield found, name

    def claim_same_name(
        self, info: ObjectInfo, name: str, *, forgiving: bool = False
    ) -> Found | None:
        """Return the file that is this object under its own name, and reserve it."""
        recorded = self.namer.needs_record
        found = self.of(info).claim_same_name(info, name, forgiving=forgiving, recorded=recorded)
        if found is None and (other := self._elsewhere_of(info)) is not None:
            found = other.claim_same_name(info, name, forgiving=forgiving, recorded=True)
        return found

    def claim_numbered(
        self, info: ObjectInfo, name: str, *, forgiving: bool = False
    ) -> Found | None:
        """Return the file that is this object under a numbered name, and reserve it."""
        recorded = self.namer.needs_record
        found = self.of(info).claim_numbered(info, name, forgiving=forgiving, recorded=recorded)
        if found is None and (other := self._elsewhere_of(info)) is not None:
            found = other.claim_numbered(info, name, forgiving=forgiving, recorded=True)
        return found

    def has_copy(self, info: ObjectInfo) -> bool:
        """Return whether a file that is this object is here and is not reserved: under its own
        name, or known by the history."""
        if any(each.has_copy(info, name, recorded=True) for each, name in self.recorded(info)):
            return True
        if self.namer.has_seq:
            return False
        name, other = self.namer.name(info), self._elsewhere_of(info)
        recorded = self.namer.needs_record
        return self.of(info).has_copy(info, name, recorded=recorded) or (
            other is not None and other.has_copy(info, name, recorded=True)
        )

    def leave(self, folders: Iterable[Path]) -> None:
        """Have the files in other folders of the run not count as files of this destination, if
        those folders are below it."""
        root = Path(self.root.real)
        for folder in map(Path, map(os.path.realpath, folders)):
            if folder != root and folder.is_relative_to(root):
                self._others.append(list(folder.relative_to(root).parts))

    def last_number(self, info: ObjectInfo) -> int:
        """Return the highest number of a sequence in the folder of an object."""
        return self.namer.last_number(self.of(info).names())

    def concerns(self, info: ObjectInfo) -> bool:
        """Return whether a file with the object's stem is where its file may be.

        What is numbered in sequence is known by the history alone.
        """
        if self.namer.has_seq or any(True for _ in self.recorded(info)):
            return any(True for _ in self.recorded(info))
        name, other = self.namer.name(info), self._elsewhere_of(info)
        return self.of(info).concerns(name) or (other is not None and other.concerns(name))

    def places(self, info: ObjectInfo) -> list[Folder]:
        """Return the folders in which an object's file may be."""
        other = self._elsewhere_of(info)
        return [self.of(info), *([] if other is None else [other])]

    def _elsewhere_of(self, info: ObjectInfo) -> Folder | None:
        """Return the folder that the object has with the other setting; None without one."""
        if self.namer.template is not None:
            return None  # the history finds it wherever it is
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
