"""The copies of a pull: further folders that get every file.

A copy is written to a part file, flushed, read back from the disk and compared. Then it gets its
name, which replaces nothing. A failed copy is recorded and ends nothing else.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership.names import PART_SUFFIX
from ...ownership.readback import open_regular
from ...ownership.sameness import are_same
from ...ptp.errors import SinkError, TransferError, disk_error
from ...transfer.hashing import digest_of, hex_of, new_hash
from ...transfer.journal import Identity, Journal
from ...transfer.notes import OF_A_COPY
from ...transfer.part import NotOurs, PartFile
from ...transfer.verify import BLOCK, check_copy, hash_from_disk
from ..plan.apart import is_one
from ..plan.destination import Destination
from ..plan.leftovers import in_the_way
from ..plan.room import on_disk_of
from ..plan.tree import Tree
from ..report.results import Copy, FileResult, Leftover, Shortage
from .listed import Listed

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ..plan.folder import Folder, Found
    from ..plan.known import Known
    from ..plan.namer import Namer
    from ..plan.names import Names
    from ..plan.options import Options

# With these a copy whose name is taken gets the next free one; nothing here is ever replaced.
_RENAMING = ("rename", "overwrite")


class Copies:
    """The further folders of a run, as they were when it began.

    Raises:
        SinkError: a folder cannot be read.
    """

    def __init__(
        self,
        options: Options,
        camera: str,
        known: Known,
        names: Names | None = None,
        namer: Namer | None = None,
    ) -> None:
        """names: those that the cameras of the run have got. namer: what names the folders."""
        make = partial(Tree, keeps_folders=options.keep_folders, names=names, namer=namer)
        self._trees = [make(path, camera, options.manifest, known) for path in options.copies]
        for tree in self._trees:
            tree.leave((options.destination, *options.copies))
        self._main = options.destination
        self._known = known
        self._renames = options.on_conflict in _RENAMING
        self._camera = camera
        self._completing = threading.Lock()  # the copying thread, and the one with the camera
        self._places = {path: Destination(path) for path in options.copies}
        self._apart: set[Path] = set()  # folders that are none of the others
        self._listed = {path: Listed(path) for path in options.copies}

    def __bool__(self) -> bool:
        return bool(self._trees)

    def leftovers(self) -> list[Leftover]:
        """Return the part files in the folders that cannot be proven to be this run's."""
        return [left for tree in self._trees for left in in_the_way(tree.refused)]

    def close(self) -> None:
        """Close the folders."""
        for place in self._places.values():
            place.close()

    def shortages(self, sizes: Sequence[int], main: Folder) -> list[Shortage]:
        """Return the folders that are too small for copies of so many bytes each.

        Args:
            sizes: the bytes of each copy that is still to be made, in order.
            main: the destination of the run, which looks after the room on its own disk.
        """
        same = on_disk_of(main.path, list(self._places))
        its_free = main.free_space()
        found = []
        for folder in (tree.root for tree in self._trees):
            free = folder.free_space()
            is_looked_after = folder.path in same and free == its_free
            if free is None or is_looked_after or sum(sizes) <= free:
                continue
            fit, size = 0, 0
            for each in sizes:
                if size + each <= free:
                    fit, size = fit + 1, size + each
            found.append(Shortage(folder.path, free, fit, len(sizes), size))
        return found

    def complete(self, result: FileResult, expected: str | None, *, prove: bool) -> None:
        """Store the copies of a file in every folder, and add the outcomes to `result.copies`.

        Args:
            result: the finished file.
            expected: the SHA-256 that the file must have, if it is known.
            prove: accept an existing copy only if it has that SHA-256 on the disk; otherwise name,
                size and date are enough.
        """
        with self._completing:
            for tree in self._trees:
                copy = self._complete(tree, result, expected, prove)
                copy.folder = tree.path
                result.copies.append(copy)

    def plan(self, result: FileResult) -> None:
        """Add to `result.copies` what a run would do, from names, sizes and dates."""
        info, path = result.object, result.path
        if info is None or path is None:
            return
        for tree in self._trees:
            copy = self._plan(tree, info, path)
            copy.folder = tree.path
            result.copies.append(copy)

    def _plan(self, tree: Tree, info: ObjectInfo, path: Path) -> Copy:
        if (found := _known(tree, info, path.name)) is not None:
            return Copy(found[0], "already here", known_by=found[1])
        folder = tree.of(info)
        try:
            return Copy(self._choose(tree, path.name, info), "planned")
        except FileExistsError as error:
            return _failed(folder, path, error)

    def _complete(self, tree: Tree, result: FileResult, expected: str | None, prove: bool) -> Copy:
        info, source = result.object, result.path
        assert info is not None
        assert source is not None
        try:
            status = source.stat()
            if prove and expected is not None:
                here = _proven(tree, info, source.name, status.st_size, expected)
            else:
                here = _here(_known(tree, info, source.name))
            if here is not None:
                self._check_apart(tree.path)
                # Another name of one file, or another way to one folder, is no second copy.
                if are_same(here.path, source.stat):
                    why = f"{here.path} is {source} itself, not a copy"
                    raise FileExistsError(errno.EEXIST, why)
                tree.holding(here.path).tidy(here.path)
                return here
            # Once: if a disk is removed in the run, its folder must not appear elsewhere.
            self._places[tree.path].prepare(tree.of(info).path)
            self._check_apart(tree.path)
            _check_room(tree.root, status.st_size)
            return Copy(self._store(tree, info, source, expected), "stored", compared=True)
        except (OSError, TransferError) as error:
            return _failed(tree.of(info), source, error)

    def _check_apart(self, folder: Path) -> None:
        """Raise FileExistsError for a folder that is another folder of the run.

        This repeats an earlier check, because the folder may not have existed then.
        """
        if folder in self._apart:
            return
        for other in (self._main, *self._apart):
            if is_one(folder, other):
                raise FileExistsError(errno.EEXIST, f"{folder} and {other} are the same folder")
        self._apart.add(folder)

    def _store(self, tree: Tree, info: ObjectInfo, source: Path, expected: str | None) -> Path:
        folder, listed = tree.of(info), self._listed[tree.path]
        while True:
            target = self._choose(tree, source.name, info)
            try:
                with listed.storing(target):
                    store(source, target, info, expected, self._camera)
            except FileExistsError as error:  # another program has just created it
                if isinstance(error, NotOurs):
                    folder.refused[Path(f"{target}{PART_SUFFIX}")] = error.why
                if not self._renames:
                    raise
            else:
                listed.stored(target, expected)
                self._known.stored_at(info, target, expected)
                return target

    def _choose(self, tree: Tree, name: str, info: ObjectInfo) -> Path:
        """Return a free name in the object's folder, and reserve it. FileExistsError."""
        folder = tree.of(info)
        with tree.names.lock:
            if folder.is_free(name, info):
                return folder.take(name)
            if self._renames:
                return folder.take_free(name, info)
        raise FileExistsError(errno.EEXIST, folder.what_is(name), str(folder.path / name))


def _known(tree: Tree, info: ObjectInfo, name: str) -> Found | None:
    for forgiving in (False, True):
        if (found := tree.claim_any(info, name, forgiving=forgiving)) is not None:
            return found
    return None


def _here(found: Found | None) -> Copy | None:
    return None if found is None else Copy(found[0], "already here", known_by=found[1])


def _proven(tree: Tree, info: ObjectInfo, name: str, size: int, expected: str) -> Copy | None:
    """Return the copy that has the bytes of the file; None without one."""
    for folder, called in [*((each, name) for each in tree.places(info)), *tree.recorded(info)]:
        for entry in folder.alike(called, size):
            try:
                if hash_from_disk(os.fspath(folder.path / entry.name)) == expected:
                    return Copy(folder.claim(entry), "already here", compared=True)
            except SinkError:  # what cannot be read is no copy
                continue
    return None


def _check_room(folder: Folder, size: int) -> None:
    free = folder.free_space()
    if free is not None and size > free:
        raise SinkError(
            f"a copy of {size / 1e6:,.1f} MB does not fit into {folder.path}, "
            f"which has {free / 1e6:,.1f} MB free",
            errno=errno.ENOSPC,
            hint="make room, then run it again",
        )


def _failed(folder: Folder, source: Path, error: Exception) -> Copy:
    if isinstance(error, OSError) and not isinstance(error, SinkError):
        reason = error.strerror or str(error)
    else:
        reason = str(error)
    return Copy(folder.path / source.name, "failed", reason, error)


def store(source: Path, target: Path, info: ObjectInfo, expected: str | None, camera: str) -> None:
    """Copy a finished file. The copy appears complete, proven and with the date of the file.

    Args:
        source: the file.
        target: its copy.
        info: the object.
        expected: the SHA-256 of both; None takes that of the file as it is read.
        camera: the camera of the object.

    Raises:
        FileExistsError: the name is taken.
        SinkError: a disk failed.
        TransferError: a byte is wrong.

    Notes:
        A failed copy is removed. The next run replaces the partial copy of a killed process, which
        its journal identifies.
    """
    path = os.fspath(target)
    journal = Journal(path, Identity.of(OF_A_COPY, info), source=Identity.of(camera, info))
    with _opened(source) as fd, PartFile(path, journal) as part:
        if not part.is_new:
            # First: the note of a download that was interrupted here is not about these bytes.
            part.begin_anew()
        try:
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, "a file with that name exists", path)
            size, found = _pour(fd, source, part)
            if expected is not None and hex_of(found, "sha256") != expected:
                raise TransferError(
                    f"{source} has changed since it was downloaded", hint="check the disk it is on"
                )
            part.date(os.fstat(fd).st_mtime)
            part.sync()
            check_copy(part, size, found, path)
        except BaseException:
            part.cut(0)  # it makes room again, and is removed because it is empty
            raise
        try:
            part.publish(overwrite=False)
        except FileExistsError:
            part.cut(0)
            raise
        # Nothing is cut after another error: the bytes may have their name already.


@contextmanager
def _opened(source: Path) -> Iterator[int]:
    try:
        held = open_regular(source)
    except OSError as error:
        raise disk_error("read", os.fspath(source), error) from error
    with held:
        if hasattr(os, "posix_fadvise"):  # what is copied is what the disk has
            os.posix_fadvise(held.number, 0, 0, os.POSIX_FADV_DONTNEED)
        yield held.number


def _pour(fd: int, source: Path, part: PartFile) -> tuple[int, str]:
    """Copy a file into a part file; return bytes and digest. Raises SinkError."""
    hasher, at = new_hash("sha256"), 0
    while True:
        try:
            block = os.read(fd, BLOCK)
        except OSError as error:
            raise disk_error("read", os.fspath(source), error) from error
        if not block:
            return at, digest_of(hasher)
        hasher.update(block)
        left = memoryview(block)
        while left:
            try:
                written = os.pwrite(part.fd, left, at)
            except OSError as error:
                raise disk_error("write", part.path, error) from error
            left, at = left[written:], at + written
