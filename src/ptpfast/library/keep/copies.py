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
from pathlib import Path
from typing import TYPE_CHECKING

from ...ownership.folders import Held
from ...ownership.names import PART_SUFFIX
from ...ownership.readback import open_regular
from ...ownership.sameness import is_same
from ...ptp.errors import SinkError, TransferError, disk_error
from ...transfer.hashing import digest_of, hex_of, new_hash
from ...transfer.journal import Identity, Journal
from ...transfer.notes import OF_A_COPY
from ...transfer.part import NotOurs, PartFile
from ...transfer.verify import BLOCK, check_copy, hash_from_disk
from ..plan.apart import is_one
from ..plan.folder import Folder, make
from ..plan.leftovers import in_the_way
from ..plan.room import on_disk_of
from ..report.results import Copy, FileResult, Leftover, Shortage
from .listed import Listed

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ..plan.known import Known

# With these a copy whose name is taken gets the next free one; nothing here is ever replaced.
_RENAMING = ("rename", "overwrite")


class Copies:
    """The further folders of a run, as they were when it began.

    Raises:
        SinkError: a folder cannot be read.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        on_conflict: str,
        camera: str,
        manifest: Path | None,
        known: Known,
    ) -> None:
        """manifest: the list of checksums of the run, wherever that is."""
        self._folders = [Folder(path, camera, manifest, known) for path in folders]
        self._known = known
        self._renames = on_conflict in _RENAMING
        self._camera = camera
        self._completing = threading.Lock()  # the copying thread, and the one with the camera
        self._held: dict[Path, Held] = {}
        self._apart: set[Path] = set()  # folders that are none of the others
        self._listed = {folder.path: Listed(folder.path) for folder in self._folders}

    def __bool__(self) -> bool:
        return bool(self._folders)

    def leftovers(self) -> list[Leftover]:
        """Return the part files in the folders that cannot be proven to be this run's."""
        return [left for folder in self._folders for left in in_the_way(folder.refused)]

    def close(self) -> None:
        """Close the folders."""
        while self._held:
            self._held.popitem()[1].close()

    def shortages(self, sizes: Sequence[int], main: Folder) -> list[Shortage]:
        """Return the folders that are too small for copies of so many bytes each.

        Args:
            sizes: the bytes of each copy that is still to be made, in order.
            main: the destination of the run, which looks after the room on its own disk.
        """
        same = on_disk_of(main.path, [folder.path for folder in self._folders])
        its_free = main.free_space()
        found = []
        for folder in self._folders:
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
            for folder in self._folders:
                result.copies.append(self._complete(folder, result, expected, prove))

    def plan(self, result: FileResult) -> None:
        """Add to `result.copies` what a run would do, from names, sizes and dates."""
        info, path = result.object, result.path
        if info is None or path is None:
            return
        for folder in self._folders:
            if (found := _known(folder, info, path.name)) is not None:
                result.copies.append(Copy(found, "already here"))
                continue
            try:
                result.copies.append(Copy(self._choose(folder, path.name, info), "planned"))
            except FileExistsError as error:
                result.copies.append(_failed(folder, path, error))

    def _complete(
        self, folder: Folder, result: FileResult, expected: str | None, prove: bool
    ) -> Copy:
        info, source = result.object, result.path
        assert info is not None
        assert source is not None
        try:
            status = source.stat()
            compared = False
            if prove and expected is not None:
                found = _proven(folder, source.name, status.st_size, expected)
                compared = True
            else:
                found = _known(folder, info, source.name)
            if found is not None:
                self._check_apart(folder.path, source.parent)
                # Another name of one file, or another way to one folder, is no second copy.
                if is_same(found, status):
                    raise FileExistsError(errno.EEXIST, f"{found} is {source} itself, not a copy")
                folder.tidy(found)
                return Copy(found, "already here", compared=compared)
            if (held := self._held.get(folder.path)) is None:
                # Once: if a disk is removed in the run, its folder must not appear elsewhere.
                make(folder.path)
                held = self._held[folder.path] = Held(folder.path)
            held.check()
            self._check_apart(folder.path, source.parent)
            _check_room(folder, status.st_size)
            return Copy(self._store(folder, info, source, expected), "stored", compared=True)
        except (OSError, TransferError) as error:
            return _failed(folder, source, error)

    def _check_apart(self, folder: Path, destination: Path) -> None:
        """Raise FileExistsError for a folder that is another folder of the run.

        This repeats an earlier check, because the folder may not have existed then.
        """
        if folder in self._apart:
            return
        for other in (destination, *self._apart):
            if is_one(folder, other):
                raise FileExistsError(errno.EEXIST, f"{folder} and {other} are the same folder")
        self._apart.add(folder)

    def _store(self, folder: Folder, info: ObjectInfo, source: Path, expected: str | None) -> Path:
        while True:
            target = self._choose(folder, source.name, info)
            listed = self._listed[folder.path]
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

    def _choose(self, folder: Folder, name: str, info: ObjectInfo) -> Path:
        """Return a free name in that folder, and reserve it. FileExistsError."""
        if folder.is_free(name, info):
            return folder.take(name)
        if self._renames:
            return folder.take_free(name, info)
        raise FileExistsError(errno.EEXIST, folder.what_is(name), str(folder.path / name))


def _known(folder: Folder, info: ObjectInfo, name: str) -> Path | None:
    for forgiving in (False, True):
        found = folder.claim_same_name(info, name, forgiving=forgiving)
        found = found or folder.claim_numbered(info, name, forgiving=forgiving)
        if found is not None:
            return found[0]
    return None


def _proven(folder: Folder, name: str, size: int, expected: str) -> Path | None:
    for entry in folder.alike(name, size):
        try:
            if hash_from_disk(os.fspath(folder.path / entry.name)) == expected:
                return folder.claim(entry)
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
