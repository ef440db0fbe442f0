"""Create, remove, cut and rename files by the rule of ownership.

The functions check an open file, and touch its name only while it stands for that file. Open files
are `Descriptor`s, which no signal handler can leak. Paths are strings, for speed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from ..engine.sink import Descriptor, rename_new
from .names import TEMPORARY_PREFIX, random_name, temporaries
from .sameness import is_same, stands_for

Proof = Callable[[int], bool]  # of a descriptor: whether its content is the package's
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
# A filesystem that removes or renames no file that is open, as folders shared with Windows.
_HELD = (errno.EBUSY, errno.ETXTBSY, errno.EACCES, errno.EPERM)
_SETTLED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)  # a rename that never replaces: unknown here


class NotOurs(FileExistsError):
    """The name belongs to a file that is not the package's. `why`: the reason in a few words."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(errno.EEXIST, why, path)
        self.why = why

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.filename, self.why)


def create(path: str, mode: int = 0o666) -> Descriptor:
    """Return a new file, open. Raises FileExistsError or OSError."""
    return Descriptor(path, _NEW, mode)


def is_owner(status: os.stat_result, folder: str) -> bool:
    """Return whether a file belongs to this process's user, or to the owner of new files in
    `folder`.
    FAT, SMB and NFS can give all files to one user."""
    if status.st_uid == os.geteuid():
        return True
    try:
        path = random_name(folder)
        with create(path, 0o600) as held:
            uid = os.fstat(held.number).st_uid
            with suppress(OSError):  # litter, where nothing can be removed
                remove_open(path, held)
            return uid == status.st_uid
    except OSError:
        return False


def foreign(status: os.stat_result, folder: str, *, names: int = 1) -> str:
    """Return why a file in `folder` is not the package's by kind and owner, else ''. It may have as
    many names as `names` says."""
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_nlink > names:
        return "it has a second name (a hard link)"
    if not is_owner(status, folder):
        return "it belongs to another user"
    return ""


def open_ours(path: str, flags: int = os.O_RDONLY, *, names: int = 1) -> Descriptor:
    """Open a file of the package, never through a link. Raises NotOurs or OSError."""
    try:
        held = Descriptor(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotOurs(path, "it is a symbolic link") from error
        if error.errno in (errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM):
            raise NotOurs(path, error.strerror or "it cannot be opened") from error
        raise
    try:
        if why := foreign(os.fstat(held.number), os.path.dirname(path) or ".", names=names):
            raise NotOurs(path, why)
    except BaseException:
        held.close()  # not with the error, which a caller may keep
        raise
    return held


def open_to_append(path: str, proof: Proof) -> tuple[Descriptor, bool]:
    """Open a file of the package to append; return whether it is new. Raises NotOurs or OSError."""
    try:
        return Descriptor(path, _NEW | os.O_APPEND, 0o666), True
    except FileExistsError:
        held = open_ours(path, os.O_RDWR | os.O_APPEND)
    try:
        if not proof(held.number):
            raise NotOurs(path, "its content is not from ptpfast")
    except BaseException:
        held.close()
        raise
    return held, False


def lock(fd: int) -> bool:
    """Lock an open file until it is closed; return False if the filesystem has no locks.
    Raises BlockingIOError if another process has locked it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def remove(path: str, proof: Proof) -> bool:
    """Remove a file that is proven to be the package's; return whether it is gone.
    Raises OSError if the system refuses."""
    try:
        with open_ours(path) as held:
            return proof(held.number) and remove_open(path, held)
    except FileNotFoundError:
        return True
    except NotOurs:
        return False


def discard(path: str | os.PathLike[str]) -> None:
    """Remove a file of the package in one of its private folders; a missing file is fine.

    OSError, also if other users can write to the folder.
    """
    folder = os.path.dirname(path)
    if not os.path.lexists(path):
        return
    if why := why_not_private(folder):
        raise PermissionError(errno.EPERM, f"{why}; it stays unchanged", folder)
    with suppress(FileNotFoundError):
        os.unlink(path)


def why_not_private(folder: str | os.PathLike[str]) -> str:
    """Return why others could put files into a folder, else ''. Raises OSError."""
    status = os.stat(folder)
    if not is_owner(status, os.fspath(folder)):
        return "the folder belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users can write to the folder"
    return ""


def remove_made(path: str, fd: int) -> None:
    """Remove an open file that this process made or has proven, if it still has its name.
    Raises OSError."""
    if stands_for(path, fd):
        os.unlink(path)


def remove_open(path: str, held: Descriptor) -> bool:
    """Remove an open file if the name is its name; return whether it was. Raises OSError.
    The file is closed if the filesystem cannot remove an open one."""
    if not stands_for(path, held.number):
        return False
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno not in _HELD:
            raise
        status = os.fstat(held.number)
        held.close()
        if not is_same(path, status):
            return False
        os.unlink(path)
    return True


def cut(fd: int, length: int) -> None:
    """Truncate an open file of the package to `length` bytes. Raises OSError."""
    os.ftruncate(fd, length)


def permit(fd: int, mode: int) -> None:
    """Set the rights of an open file that this process made. Raises OSError."""
    try:
        os.fchmod(fd, mode)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL):
            raise


def date(fd: int, mtime: float) -> None:
    """Set the modification time (s since 1970). Raises OSError or OverflowError."""
    os.utime(fd, (mtime, mtime))


@contextmanager
def replacing(
    path: str | os.PathLike[str], proof: Proof, *, key: str = "", mode: int = 0o666
) -> Iterator[int]:
    """Yield the descriptor of a new file that replaces `path` at the end of the block.

    After an exception the new file is removed. One left by a killed process is removed if `proof`
    allows it; a foreign file stays, and the next name is used. The caller makes sure that `path` is
    the package's. One process at a time for a path and `key`. Raises OSError.
    """
    path = os.fspath(path)
    temporary, held = _make_temporary(path, proof, key, mode)
    with held:
        try:
            yield held.number
            if not stands_for(temporary, held.number):
                raise NotOurs(temporary, "the file has been replaced")
            _rename(temporary, path, held)
        except BaseException:
            if held.number >= 0:
                remove_open(temporary, held)
            raise


def _make_temporary(path: str, proof: Proof, key: str, mode: int) -> tuple[str, Descriptor]:
    for temporary in temporaries(path, key):
        try:
            return temporary, create(temporary, mode)
        except FileExistsError:
            if remove(temporary, proof):
                return temporary, create(temporary, mode)
    temporary = random_name(os.path.dirname(path))
    return temporary, create(temporary, mode)


def tidy(path: str, proof: Proof) -> None:
    """Remove the files of killed processes that were to replace `path`. Raises OSError."""
    for temporary in temporaries(path):
        if not os.path.lexists(temporary):
            return
        remove(temporary, proof)


def move_new(old: str, new: str) -> None:
    """Rename a file of the package to a free name, in one step. Raises OSError."""
    rename_new(old, new)


def publish(held: Descriptor, part: str, path: str, *, overwrite: bool) -> None:
    """Rename the open file `part` to `path`. Raises FileExistsError or OSError.
    It replaces only a regular file, and only with `overwrite`. All bytes were flushed. The file is
    closed if the filesystem cannot rename an open one."""
    if not stands_for(part, held.number):
        raise OSError(errno.ESTALE, "another program has replaced its part file", part)
    if overwrite:
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "something else than a file has that name", path)
        _rename(part, path, held)
        return
    try:
        rename_new(part, path)
    except OSError as error:
        if error.errno not in (*_SETTLED, *_HELD):
            raise
        _link_new(held, part, path)


def _rename(old: str, new: str, held: Descriptor) -> None:
    """Rename an open file; close it if need be. Raises OSError."""
    try:
        os.rename(old, new)
    except OSError as error:
        if error.errno not in _HELD:
            raise
        status = os.fstat(held.number)
        held.close()
        if not is_same(old, status):
            raise
        os.rename(old, new)


def _link_new(held: Descriptor, part: str, path: str) -> None:
    """Link and unlink, where a rename would replace: old systems, some network filesystems."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # FAT and some network filesystems have no links
        _reserve_and_rename(held, part, path)
    else:
        with suppress(OSError):  # the rest is removed when it is closed
            remove_made(part, held.number)


def _reserve_and_rename(held: Descriptor, part: str, path: str) -> None:
    """Reserve the name with an empty file and rename over it, where there are no links.

    A process that is killed in between leaves the empty file; see `is_reservation`.
    """
    try:
        reserved = create(path)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, "a file with that name exists", path) from None
    with reserved:
        try:
            # Another program may have opened it by its name and written, or replaced it.
            if os.fstat(reserved.number).st_size or not stands_for(path, reserved.number):
                raise FileExistsError(errno.EEXIST, "a file with that name exists", path)
            _rename(part, path, held)
        except BaseException:
            is_part = held.number >= 0 and stands_for(path, held.number)
            if not os.fstat(reserved.number).st_size and not is_part:
                remove_open(path, reserved)
            raise


def is_reservation(path: str, part: os.stat_result) -> bool:
    """Return whether `path` was left by a `publish` that was killed between its two steps. It is an
    empty file of ours, newer than the last change of the part file, which is complete."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    folder = os.path.dirname(path) or "."
    return (
        not status.st_size
        and status.st_ctime_ns >= part.st_ctime_ns
        and not foreign(status, folder)
        and _needs_reservations(folder)
    )


def _needs_reservations(folder: str) -> bool:
    """Return whether `publish` must reserve the name in this folder. Raises OSError."""
    one, other = random_name(folder), random_name(folder)
    with create(one, 0o600) as first, create(other, 0o600) as second:
        try:
            rename_new(one, other)
        except OSError as error:
            if error.errno not in _SETTLED:
                return False
            with suppress(OSError):
                os.unlink(other)
                os.link(one, other)
                return False
            return True
        finally:
            for path, held in ((one, first), (other, second), (other, first)):
                remove_made(path, held.number)
    return False


def drop_reservation(path: str, part: os.stat_result) -> None:
    """Remove a file that `is_reservation` has recognised. Raises OSError."""
    try:
        with open_ours(path) as held:
            if is_reservation(path, part) and not os.fstat(held.number).st_size:
                remove_made(path, held.number)
    except (FileNotFoundError, NotOurs):
        return


def try_to_write(folder: str | os.PathLike[str]) -> None:
    """Make a file in the folder and remove it. Raises OSError."""
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):  # not on every filesystem; a killed process leaves nothing
            Descriptor(folder, os.O_TMPFILE | os.O_RDWR, 0o600).close()
            return
    path = random_name(os.fspath(folder))
    with create(path, 0o600) as held, suppress(OSError):  # litter, where nothing can be removed
        remove_open(path, held)


def nameless(folder: str | os.PathLike[str]) -> IO[bytes]:
    """Return an open file in `folder` that has no name, or none for long. Raises OSError."""
    import tempfile  # only here: it is a tenth of `import ptpfast`

    return tempfile.TemporaryFile(dir=folder, prefix=TEMPORARY_PREFIX, buffering=0)
