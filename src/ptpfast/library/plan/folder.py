"""The destination folder: which file is which object, and which names are free.

It reads directories and file attributes only, and never opens a file. Symbolic links, folders and
other special files never count as an object.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.text import in_text
from ...ownership.names import JOURNAL_SUFFIX, PART_SUFFIX, keys, same_name, same_text
from ...state.fetched import wall_clock
from ...transfer.journal import Identity, tidy
from ...transfer.part import reserves, why_taken
from .entry import Entry
from .names import Given
from .naming import base_name, numbered, numbered_bases, root_name, split_name
from .places import folder_error, is_same, nearest

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...state.fetched import Fetched, Stored
    from ..report.results import KnownBy
    from .known import Known

Found = tuple[Path, "KnownBy"]
MANY = 8  # files with numbers; of more the catalog is asked first which are an object's


class Folder:
    """The destination as it was when read, and what the run has taken of it since."""

    def __init__(
        self,
        path: Path,
        camera: str = "",
        manifest: Path | None = None,
        known: Known | None = None,
        *,
        given: Given | None = None,
        is_new: bool = False,
    ) -> None:
        """Read the folder; a missing one is empty.

        Args:
            path: the folder.
            camera: the camera whose objects get names here.
            manifest: the manifest of the run; no object gets its name, or that of a folder above
                it.
            known: what the catalog knows.
            given: the names that the cameras of a run have got here.
            is_new: the folder is missing, and is not read.

        Raises:
            SinkError: the folder cannot be read.
        """
        self.path = path
        self._camera = camera
        self._known = known
        self.real: str = os.path.realpath(path)
        self._renamed: dict[str, list[str]] | None = None  # by the path on the card
        self._records: dict[str, tuple[Fetched, Stored] | None] = {}  # of the catalog, by name
        self._manifest = _names_in(path, manifest)  # keys
        self._list = _names_in(path, manifest, above=False)
        self._named: dict[str, list[Entry]] = defaultdict(list)
        self._numbered: dict[str, list[Entry]] = defaultdict(list)
        self._by_object: dict[str, dict[tuple[str, str], list[Entry]]] = {}  # by base, path, date
        self._roots: set[str] = set()  # keys of stems without all their numbers
        self._stems: dict[str, list[Entry]] = defaultdict(list)
        self._given = given or Given(threading.RLock())
        self.refused: dict[Path, str] = {}  # part files that are in the way, and why they stay
        if is_new:
            return
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    self._add(entry)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise folder_error(path, error) from error

    def _add(self, found: os.DirEntry[str]) -> None:
        try:
            status = found.stat(follow_symlinks=False)
        except OSError:  # it has just been deleted
            return
        regular = stat.S_ISREG(status.st_mode)
        is_folder = stat.S_ISDIR(status.st_mode)
        self.enter(Entry(found.name, regular, status.st_size, status.st_mtime, is_folder))

    def enter(self, entry: Entry) -> None:
        """Take note of an entry of the folder."""
        self._named[same_name(entry.name)].append(entry)
        if self._is_manifest(entry.name):
            self._given.claimed.add(entry.name)
        self._roots.add(_stem(root_name(entry.name)))
        self._stems[_stem(entry.name)].append(entry)
        if base := base_name(entry.name):
            self._numbered[same_name(base)].append(entry)

    def _is_manifest(self, name: str) -> bool:
        return bool(self._manifest) and not self._manifest.isdisjoint(keys(in_text(name)))

    def has_copy(self, info: ObjectInfo, name: str, *, recorded: bool = False) -> bool:
        """Return whether a file under its own name is this object and is not reserved."""
        return any(
            entry.name not in self._given.claimed
            and (not recorded or self._record(entry) is not None)
            and self._known_by(entry, info, forgiving=False)
            for entry in self._named.get(same_name(name), [])
        )

    def _known_by(self, entry: Entry, info: ObjectInfo, *, forgiving: bool) -> KnownBy | None:
        """Return by what a file is the object; None if it is not."""
        record = self._record(entry)
        if self._known is None:
            return entry.likeness(info, forgiving=forgiving)
        if record is None:
            by = entry.likeness(info, forgiving=forgiving)
            return by if self._known.suffices(by) else None
        verdict = self._known.verdict(record, entry, info, complete=forgiving)
        if verdict is False:
            return None
        if verdict is None:
            by = entry.likeness(info, forgiving=forgiving)
            if by is None and forgiving and self._known.was_stored_here(record, entry, info):
                return "catalog"
            return by if self._known.suffices(by) else None
        undated = info.captured is None and info.modified is None
        return "name and size" if undated and info.size else "catalog"

    def _record(self, entry: Entry) -> tuple[Fetched, Stored] | None:
        if self._known is None or not entry.regular:
            return None
        if entry.name not in self._records:
            self._records[entry.name] = self._known.at(self.real, entry.name)
        return self._records[entry.name]

    def renamed(self, info: ObjectInfo) -> list[str]:
        """Return the names of an object's files here that are no form of its name on the card."""
        if self._known is None:
            return []
        if self._renamed is None:
            self._renamed = self._known.renamed_in(self.real) if self._named else {}
        return self._renamed.get(info.path, [])

    def concerns(self, name: str) -> bool:
        """Whether something here has the stem of that name, with other numbers behind it or
        none."""
        if not self._roots:
            return False
        names = (name, *numbered_bases(name))
        return any(_stem(root_name(each)) in self._roots for each in names)

    def claim_same_name(
        self, info: ObjectInfo, name: str, *, forgiving: bool = False, recorded: bool = False
    ) -> Found | None:
        """Return the file that is this object under its own name, and reserve it.

        Args:
            info: the object.
            name: its local name.
            forgiving: all objects are listed, so files that are only likely to be theirs count too.
            recorded: only files that the catalog knows count.
        """
        entries = self._named.get(same_name(name), [])
        return self._claim(info, entries, forgiving=forgiving, recorded=recorded)

    def claim_numbered(
        self, info: ObjectInfo, name: str, *, forgiving: bool = False, recorded: bool = False
    ) -> Found | None:
        """Return the file that is this object under a numbered name, and reserve it."""
        bases = [same_name(base) for base in numbered_bases(name)]
        likely = [entry for base in bases for entry in self._likely(base, info)]
        found = self._claim(info, likely, forgiving=forgiving, recorded=recorded)
        if found is not None:
            return found
        entries = [entry for base in bases for entry in self._numbered.get(base, [])]
        return self._claim(info, entries, forgiving=forgiving, recorded=recorded)

    def _likely(self, base: str, info: ObjectInfo) -> list[Entry]:
        """Return the files, of many with numbers, that the catalog has with an object's path and
        date: to look at each for each object would take quadratic time."""
        entries = self._numbered.get(base, ())
        if len(entries) < MANY:
            return []
        if (found := self._by_object.get(base)) is None:
            found = self._by_object[base] = defaultdict(list)
            for entry in entries:
                if (record := self._record(entry)) is not None:
                    found[record[0].path, record[0].captured].append(entry)
        return found.get((info.path, wall_clock(info.captured)), [])

    def _claim(
        self, info: ObjectInfo, entries: list[Entry], *, forgiving: bool, recorded: bool
    ) -> Found | None:
        with self._given.lock:
            for entry in entries:
                if entry.name in self._given.claimed or (recorded and self._record(entry) is None):
                    continue
                if (by := self._known_by(entry, info, forgiving=forgiving)) is not None:
                    return self.claim(entry), by
        return None

    def alike(self, name: str, size: int) -> list[Entry]:
        """Return the unreserved files of `size` bytes with that name or a numbered form of it."""
        numbered = (self._numbered.get(same_name(base), []) for base in numbered_bases(name))
        return [
            entry
            for entries in (self._named.get(same_name(name), []), *numbered)
            for entry in entries
            if entry.regular and entry.size == size and entry.name not in self._given.claimed
        ]

    def claim(self, entry: Entry) -> Path:
        """Return the path of a file of this folder, and reserve it."""
        self._given.claimed.add(entry.name)
        self._given.taken.add(same_name(entry.name))
        return self.path / entry.name

    def release(self, name: str) -> None:
        """Take back that a file of this folder is an object's: what was listed of it was wrong."""
        with self._given.lock:
            self._given.claimed.discard(name)
            self._given.taken.discard(same_name(name))

    def is_free(self, name: str, info: ObjectInfo) -> bool:
        """Whether nothing of that name is here, nor was given to an object of this run, nor has its
        part file or note a name that something else has."""
        key = same_name(name)
        if key in self._given.taken or self._is_manifest(name):
            return False
        if key in self._named and not reserves(os.fspath(self.path / name), self._identity(info)):
            return False
        return self._part_is_usable(name, info)

    def is_beside_another(self, name: str, info: ObjectInfo) -> bool:
        """Whether a file with the stem of that name is of another shot, as far as the catalog can
        tell."""
        known = self._known
        if known is None:
            return False
        return any(
            (record := self._record(entry)) is not None
            and known.is_of_another_shot(record, entry, info)
            for entry in self._stems.get(_stem(name), [])
        )

    def subfolder(self, name: str) -> str | None:
        """Return the name of the subfolder of that name, in any case; None without one."""
        found = [each.name for each in self._named.get(same_name(name), []) if each.is_folder]
        return min(found, key=lambda each: (each != name, each), default=None)

    def names(self) -> list[str]:
        """Return the names of all entries; of an unfinished file, the name that it is to get."""
        found = [each.name for entries in self._named.values() for each in entries]
        return [name.removesuffix(PART_SUFFIX) for name in found]

    def subfolders(self) -> list[str]:
        """Return the names of all subfolders."""
        return [each.name for entries in self._named.values() for each in entries if each.is_folder]

    def is_free_for_folder(self, name: str) -> bool:
        """Return whether nothing has that name, so that a folder can get it."""
        is_list = not self._list.isdisjoint(keys(in_text(name)))
        key = same_name(name)
        return not is_list and key not in self._named and key not in self._given.taken

    def is_new(self, name: str) -> bool:
        """Whether nothing has that name by now. A part file is looked at when it is opened."""
        return not os.path.lexists(self.path / name)

    def can_replace(self, name: str, info: ObjectInfo) -> bool:
        """Whether what is here under that name is a regular file no object of this run owns."""
        key = same_name(name)
        entries = self._named.get(key, [])
        return (
            key not in self._given.taken
            and not self._is_manifest(name)
            and bool(entries)
            and all(entry.regular and entry.name not in self._given.claimed for entry in entries)
            and self._part_is_usable(name, info)
        )

    def _part_is_usable(self, name: str, info: ObjectInfo) -> bool:
        beside = [
            entry
            for suffix in (PART_SUFFIX, JOURNAL_SUFFIX)
            for entry in self._named.get(same_name(name + suffix), [])
        ]
        if not beside:
            return True
        why = why_taken(os.fspath(self.path / name), self._identity(info))
        if why:
            self.refused[self.path / (name + PART_SUFFIX)] = why
        return not why and all(entry.regular for entry in beside)

    def _identity(self, info: ObjectInfo) -> Identity:
        return Identity.of(self._camera, info)

    def take(self, name: str) -> Path:
        """Give a name to an object of this run, and return the path.

        A file that will be replaced no longer counts as another object's.
        """
        key = same_name(name)
        self._given.taken.add(key)
        # With the name itself: another camera's object is not looked for in the new file.
        entries = self._named.get(key, ())
        self._given.claimed.update((name, *(entry.name for entry in entries)))
        return self.path / name

    def take_free(self, name: str, info: ObjectInfo) -> Path:
        """Give the object the first free name: its own, or a numbered form."""
        key, candidate, numbers = same_name(name), name, self._given.numbers
        while not self.is_free(candidate, info):
            # Going on where the last search ended: a card can hold thousands of one name.
            number = numbers[key] = numbers.get(key, 0) + 1
            candidate = numbered(name, number)
        return self.take(candidate)

    def what_is(self, name: str) -> str:
        """Return what is in the way under that name, for a message."""
        entries = self._named.get(same_name(name), [])
        if self._is_manifest(name):
            return "the list of checksums has that name"
        if any(not entry.regular for entry in entries):
            return "something that is not a regular file has that name"
        if entries and entries[0].name not in self._given.claimed:
            return f"a different file of that name is here ({entries[0].size:,} bytes)"
        part = self.path / (name + PART_SUFFIX)
        if (why := self.refused.get(part)) is not None:
            return f"{part.name} stays unchanged: {why}"
        return "another object of the camera has that name"

    def parts(self) -> list[str]:
        """Return the names of unfinished files that have a journal."""
        return [
            entry.name.removesuffix(PART_SUFFIX)
            for entries in list(self._named.values())
            for entry in entries
            if entry.regular
            and entry.name.endswith(PART_SUFFIX)
            and same_name(entry.name.removesuffix(PART_SUFFIX) + JOURNAL_SUFFIX) in self._named
        ]

    def part_size(self, path: Path) -> int:
        """Bytes of an object's unfinished part file; 0 when there is none."""
        entries = self._named.get(same_name(path.name + PART_SUFFIX), [])
        return entries[0].size if entries and entries[0].regular else 0

    def tidy(self, path: Path) -> None:
        """Delete the journal beside a complete file. A run that was killed at its end has left it.

        If there is a part file, another run may be at work, and nothing is deleted.
        """
        is_begun = same_name(path.name + PART_SUFFIX) in self._named
        if is_begun or same_name(path.name + JOURNAL_SUFFIX) not in self._named:
            return
        with suppress(OSError):  # litter, not a loss
            tidy(os.fspath(path))

    def free_space(self) -> int | None:
        """Bytes that may be written here; None where the filesystem does not tell, or what it tells
        makes no sense: a disk of no blocks, or free blocks that no user may have."""
        try:
            status = os.statvfs(nearest(self.path))
        except OSError:
            return None
        block = status.f_frsize or status.f_bsize
        if not status.f_blocks or not block or (status.f_bfree and not status.f_bavail):
            return None
        return status.f_bavail * block


def _stem(name: str) -> str:
    return same_text(split_name(name)[0])


def _names_in(folder: Path, file: Path | None, *, above: bool = True) -> frozenset[str]:
    """Return the keys of names in a folder that a file in it needs; with `above`, below it too."""
    places = () if file is None else (file, *(file.parents if above else ()))
    found = [keys(in_text(place.name)) for place in places if is_same(folder, place.parent)]
    return frozenset().union(*found)
