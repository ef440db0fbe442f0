"""The part file of a download: locked, empty or continued, and at last under its final name.

A part file is one run's at a time: two that write into one file would mix two objects. The lock is
the operating system's on the open file, so it ends with the process, however that ends.

Paths are plain strings here and in `journal`: this runs once for each file of a card, while the
camera waits.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
from types import TracebackType
from typing import Self

from .._sink import rename_new
from ..errors import SinkError
from ..process import Owner
from .journal import JOURNAL_SUFFIX, Journal
from .syncing import sync_folder

log = logging.getLogger("ptpfast")

PART_SUFFIX = ".part"
TAKEN = errno.EWOULDBLOCK  # of a SinkError: what is in the part file is another run's
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_NEW = _OPEN | os.O_EXCL
_LOCK = fcntl.LOCK_EX | fcntl.LOCK_NB


class PartFile:
    """NAME.part of the file `path`, made if missing, open and locked within a `with`.

    An empty part file that was not published is removed at the end: it is of no use to anybody.
    SinkError when another run has it, or when the disk refuses.
    """

    def __init__(self, path: str, journal: Journal) -> None:
        self.final = path
        self.path = path + PART_SUFFIX
        self._journal = journal
        self.fd = -1
        self._owner = Owner("part file")
        self.lost = False  # an fsync has failed: what it has lost the next one does not tell
        self._published = False

    def __enter__(self) -> Self:
        try:
            self.fd = _open_locked(self.path)
        except OSError as error:
            if isinstance(error, SinkError):
                raise
            raise sink_error("write", self.path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; safe to call again, also where a signal handler has raised in the midst of it:
        what was done is seen in the folder."""
        if self.fd < 0:
            return
        try:
            # A forked child has a copy: file, lock and journal are the parent's.
            if self._owner.is_us:
                self._tidy()
        except OSError:
            pass  # litter, not a loss
        finally:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _tidy(self) -> None:
        """No note stays beside a finished file, and no part file of no bytes. OSError."""
        if self._published:
            return
        if self.is_finished:  # a handler has raised in between
            if self._stands_at(self.path):  # two names: between link and unlink
                os.unlink(self.path)
            self._journal.forget()
        elif not os.fstat(self.fd).st_size:
            os.unlink(self.path)
            self._journal.forget()

    @property
    def is_finished(self) -> bool:
        """Whether the file has its final name. OSError."""
        return self._published or self._stands_at(self.final)

    def _stands_at(self, path: str) -> bool:
        try:
            return os.path.samestat(os.lstat(path), os.fstat(self.fd))
        except FileNotFoundError:
            return False

    @property
    def length(self) -> int:
        """Bytes that are safely in it. SinkError."""
        try:
            return os.fstat(self.fd).st_size
        except OSError as error:
            raise sink_error("find", self.path, error) from error

    def cut(self, length: int) -> None:
        """Drops what is behind. SinkError."""
        try:
            os.ftruncate(self.fd, length)
        except OSError as error:
            raise sink_error("cut", self.path, error) from error

    def sync(self) -> None:
        """Its bytes to the disk. SinkError."""
        try:
            os.fsync(self.fd)
        except OSError as error:
            self.lost = True  # before anything else: a signal handler may raise from here on
            raise sink_error("flush", self.path, error) from error

    def date(self, mtime: float | None) -> None:
        """Sets the modification time (seconds since 1970), None leaves it. Before the bytes are
        flushed: a file whose date a power cut has taken would not be known again."""
        if mtime is None:
            return
        try:
            os.utime(self.fd, (mtime, mtime))
        except (OverflowError, OSError) as error:  # outside of what this filesystem can say
            log.warning("%s keeps the time of its arrival: %s", self.final, error)

    def publish(self, *, overwrite: bool) -> None:
        """The final name in one step, then the folder to disk. FileExistsError unless `overwrite`,
        SinkError."""
        try:
            if overwrite:
                os.replace(self.path, self.final)
            else:
                _rename_new(self.path, self.final)
            self._journal.forget()
            self._published = True
            sync_folder(os.path.dirname(self.final) or ".", strict=True)
        except FileExistsError:
            raise
        except OSError as error:
            raise sink_error("finish", self.final, error) from error


def move_part(path: str, to: str) -> bool:
    """What has arrived of the file `path` is to be finished as `to`; whether that is so now."""
    try:
        rename_new(path + PART_SUFFIX, to + PART_SUFFIX)
        rename_new(path + JOURNAL_SUFFIX, to + JOURNAL_SUFFIX)
    except OSError as error:
        log.debug("begun anew as %s: %s", to, error)
        return False
    return True


def _open_locked(path: str) -> int:
    while True:
        fd = _open(path)
        try:
            fcntl.flock(fd, _LOCK)
            if os.fstat(fd).st_ino == os.stat(path).st_ino:
                return fd
        except BlockingIOError:
            os.close(fd)
            raise SinkError(
                f"another run is writing {path}",
                errno=TAKEN,
                hint="wait until it is done, or choose another folder",
            ) from None
        except FileNotFoundError:
            pass  # the other run has just finished it: once more
        except OSError:
            return fd  # a filesystem without locks: as good as it gets
        except BaseException:  # a signal handler's: the lock must not outlive the run
            os.close(fd)
            raise
        os.close(fd)


def _open(path: str) -> int:
    try:
        return os.open(path, _OPEN_NEW, 0o666)
    except FileExistsError:
        _disown(path)
        return os.open(path, _OPEN, 0o666)


def _disown(path: str) -> None:
    """Removes what is no part file of ours: a link, a FIFO; or one that a crash between link and
    unlink has left with two names, so that what is written to it would reach a finished file."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.unlink(path)


def _rename_new(part: str, path: str) -> None:
    """Renames without ever replacing a file: FileExistsError."""
    try:
        rename_new(part, path)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            raise
        _link_new(part, path)


def _link_new(part: str, path: str) -> None:
    """The same where a rename would replace: older systems, some network filesystems."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # FAT and some network filesystems have no links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "there is a file of that name", path) from None
        os.rename(part, path)
    else:
        os.unlink(part)


def sink_error(doing: str, path: str, error: OSError) -> SinkError:
    """An OSError as our disk's fault."""
    return SinkError(
        f"cannot {doing} {path}: {error.strerror or error}",
        errno=error.errno or 0,
        hint="check the folder and the disk it is on",
    )
