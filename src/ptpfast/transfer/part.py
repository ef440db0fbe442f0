"""The part file of a download: locked, new or continued, and finally renamed.

If NAME.part belongs to another object or another program, it is never touched: the name counts as
taken. A part file belongs to one run at a time. The lock is the operating system's, so it ends with
the process. Paths are plain strings for speed.
"""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from types import TracebackType
from typing import Self

from ..engine.process import Owner
from ..engine.sink import Descriptor
from ..ownership import files
from ..ownership.files import NotOurs as NotOurs
from ..ownership.folders import turn
from ..ownership.names import JOURNAL_SUFFIX, PART_SUFFIX
from ..ownership.sameness import is_same, stands_for
from ..ptp.errors import SinkError, disk_error
from ..ptp.objects import ObjectInfo
from .journal import Identity, Journal, claim, taken, whose
from .syncing import close_file, sync_file, sync_folder

log: logging.Logger = logging.getLogger("ptpfast")

TAKEN = errno.EWOULDBLOCK  # of a SinkError: what is in the part file is another run's
TURN_S = 2.0  # for other runs to begin their files in the folder
SAME_TIME_S = 2.0  # FAT keeps modification times to two seconds
_without_dates: set[str] = set()  # folders that are known, and said, to keep none
_TRIES = 100  # to open a part file that others finish in between


class PartFile:
    """NAME.part of the file `path`: created if missing, locked from `open` to `close`.

    A new one has its journal from the beginning. An empty one is removed at the end.

    Raises:
        NotOurs: the part file or its journal belongs to another object or program.
        SinkError: another run has it, or the disk refuses.
    """

    def __init__(self, path: str, journal: Journal) -> None:
        self.final = path
        self.path: str = path + PART_SUFFIX
        self._journal = journal
        self._held: Descriptor | None = None
        self._owner = Owner("part file")
        self.is_new: bool = False
        self.lost: bool = False  # an fsync has failed: what it has lost the next one does not tell
        self._published = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Create or open the part file and lock it. SinkError, NotOurs."""
        try:
            self._held = self._open()
        except OSError as error:
            if isinstance(error, SinkError | NotOurs):
                raise
            raise disk_error("write", self.path, error) from error

    def close(self) -> None:
        """Release the part file. Safe to call again, even after an interruption by a signal."""
        if self.fd < 0:
            return
        try:
            # A forked child has a copy: file, lock and journal are the parent's.
            if self._owner.is_us:
                self._tidy()
        except OSError:
            pass  # litter, not a loss
        finally:
            self._journal.close()
            if self._held is not None:
                self._held.close()

    def _tidy(self) -> None:
        """No note stays beside a finished file, and no part file of no bytes. OSError."""
        assert self._held is not None
        is_done = self.is_finished
        is_empty = not is_done and not os.fstat(self.fd).st_size
        # Two names are left between link and unlink, or where the second was refused.
        if is_empty or (is_done and os.fstat(self.fd).st_nlink > 1):
            files.remove_open(self.path, self._held)
        if is_empty or (is_done and not self._published):  # a handler has raised in between
            self._journal.forget()

    @property
    def fd(self) -> int:
        """The number of the open file; -1 while it is closed."""
        return -1 if self._held is None else self._held.number

    @property
    def is_finished(self) -> bool:
        """Whether the file has its final name. OSError."""
        return self._published or (self.fd >= 0 and stands_for(self.final, self.fd))

    @property
    def length(self) -> int:
        """Bytes that are safely in it. SinkError."""
        try:
            return os.fstat(self.fd).st_size
        except OSError as error:
            raise disk_error("find", self.path, error) from error

    def cut(self, length: int) -> None:
        """Drop the bytes from `length` on. SinkError."""
        try:
            files.cut(self.fd, length)
        except OSError as error:
            raise disk_error("cut", self.path, error) from error

    def begin_anew(self) -> None:
        """Empty the part file.

        The old journal must be gone from the disk before new bytes are written: after a power cut
        it would vouch for pages that are old or missing. And the old bytes must be gone before the
        new journal is written, because the length of the file counts then.

        Raises:
            SinkError: the disk failed.
        """
        self.cut(0)
        try:
            self._journal.write(sync=True)
        except OSError as error:
            raise disk_error("write beside", self.path, error) from error

    def sync(self) -> None:
        """Flush the bytes to the disk, if the filesystem can. Raises SinkError."""
        try:
            sync_file(self.fd)
            close_file(os.dup(self.fd))  # which tells more than the flush, on some filesystems
        except OSError as error:
            self.lost = True  # before anything else: a signal handler may raise from here on
            raise disk_error("flush", self.path, error) from error

    def date(self, mtime: float | None) -> None:
        """Set the modification time (seconds since 1970); None keeps it.

        This happens before the flush: after a power cut a file without its date would not be
        recognised.
        """
        if mtime is None:
            return
        try:
            files.date(self.fd, mtime)
            if abs(os.fstat(self.fd).st_mtime - mtime) <= SAME_TIME_S:
                return
            error: Exception | None = None
        except (OverflowError, OSError) as refused:  # outside of what this filesystem can say
            error = refused
        folder = os.path.dirname(self.final) or "."
        if folder not in _without_dates:
            _without_dates.add(folder)
            log.warning(
                "%s does not keep the dates of pictures%s: only the history knows them again",
                folder,
                f" ({error})" if error else "",
            )

    def publish(self, *, overwrite: bool) -> None:
        """Give the file its final name in one step, and flush the folder.

        Raises:
            FileExistsError: the name is taken and `overwrite` is False.
            SinkError: the disk failed.
        """
        try:
            assert self._held is not None
            try:
                files.publish(self._held, self.path, self.final, overwrite=overwrite)
            except OSError:
                if self.fd < 0:  # closed for the try
                    with suppress(OSError):
                        self._held = self._open_old()
                raise
            with suppress(OSError):  # litter, not a loss
                self._journal.forget()
            self._published = True
            sync_folder(os.path.dirname(self.final) or ".", strict=True)
        except FileExistsError:
            raise
        except OSError as error:
            raise disk_error("finish", self.final, error) from error

    def _open(self) -> Descriptor:
        for _ in range(_TRIES):
            try:
                return self._open_old()
            except FileNotFoundError:
                pass  # there is none, or another run has just finished it
            try:
                return self._make()
            except FileExistsError as error:
                if isinstance(error, NotOurs):
                    raise
            except FileNotFoundError:
                # Another run has taken the new, empty file for the rest of a crash.
                if not os.path.isdir(os.path.dirname(self.path) or "."):
                    raise
        raise _in_use(self.path)

    def _make(self) -> Descriptor:
        """Create the part file, after its journal: a power cut leaves no bytes without one.

        No other run can begin a file in this folder in the meantime.
        """
        with turn(os.path.dirname(self.path) or ".", TURN_S, once=True):
            if os.path.lexists(self.path):
                raise FileExistsError(errno.EEXIST, "there is a part file", self.path)
            try:
                self._journal.begin()
                held = files.create(self.path)
            except NotOurs:
                raise
            except BaseException:
                if not os.path.lexists(self.path):
                    self._journal.forget()
                self._journal.close()  # it may be another run's by now
                raise
            held = self._locked(held)
            self.is_new = True
            return held

    def _open_old(self) -> Descriptor:
        """Open an existing part file, if it may be used. FileNotFoundError, NotOurs."""
        held = self._locked(files.open_ours(self.path, os.O_RDWR, names=2))
        try:
            self._check_old(held.number)
        except BaseException:
            held.close()  # not with the error, which a report keeps
            raise
        return held

    def _check_old(self, fd: int) -> None:
        status = os.fstat(fd)
        if status.st_nlink > 1 and not _is_published(self.final, status):
            raise NotOurs(self.path, "it has another name, too")
        if status.st_nlink > 1 or not status.st_size:
            # A crash between link and unlink left the second name. Do not write into this file:
            # it is the finished one, or another process still has it open.
            files.remove_made(self.path, fd)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        if why := _why_not(self.final, self._journal.source):
            raise NotOurs(self.path, why)
        self._journal.tidy()
        if reserves(self.final, self._journal.source):
            files.drop_reservation(self.final, status)

    def _locked(self, held: Descriptor) -> Descriptor:
        """Lock an open file and return it; close it after an error."""
        try:
            if files.lock(held.number) and not stands_for(self.path, held.number):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        except BlockingIOError:
            is_finished = not stands_for(self.path, held.number)
            held.close()
            if is_finished:  # by the other run, just now
                raise FileNotFoundError(
                    errno.ENOENT, os.strerror(errno.ENOENT), self.path
                ) from None
            raise _in_use(self.path) from None
        except BaseException:
            held.close()
            raise
        return held


def move_part(path: str, to: str, identity: Identity) -> bool:
    """Rename the part file of `path` to that of `to`; return whether it holds this object."""
    part = path + PART_SUFFIX
    try:
        if not os.path.lexists(part):
            return False
        with PartFile(path, Journal(path, identity)) as held:
            if held.is_new or not held.length:
                return False
            # First: bytes without a journal could not be attributed to an object.
            files.move_new(path + JOURNAL_SUFFIX, to + JOURNAL_SUFFIX)
            try:
                files.move_new(part, to + PART_SUFFIX)
            except OSError:
                files.move_new(to + JOURNAL_SUFFIX, path + JOURNAL_SUFFIX)
                raise
    except OSError as error:  # also ours about a disk, and a name that is taken
        log.debug("restarted as %s: %s", to, error)
        return False
    return True


def another_object(error: SinkError, path: str, identity: Identity) -> NotOurs | None:
    """Return why the part file of `path` is another object's, if the error says that another run
    has locked it."""
    if error.errno != TAKEN or whose(path) is None or not (why := claim(path, identity)):
        return None
    return NotOurs(path + PART_SUFFIX, why)


def part_size(path: str) -> int:
    """Bytes in the part file of `path`; 0 if there is none."""
    try:
        return os.stat(path + PART_SUFFIX).st_size
    except OSError:
        return 0


def _in_use(path: str) -> SinkError:
    return SinkError(
        f"another run is writing {path}",
        errno=TAKEN,
        hint="wait until it is done, or choose another folder",
    )


def _is_published(path: str, part: os.stat_result) -> bool:
    """Whether the finished file is the part file itself, by its second name."""
    try:
        return part.st_nlink == 2 and is_same(path, part)
    except FileNotFoundError:
        return False


def _why_not(path: str, identity: Identity) -> str:
    return claim(path, identity) or taken(path + JOURNAL_SUFFIX)


def why_taken(path: str, identity: Identity) -> str:
    """Return why that object cannot be downloaded to `path` because of what is at the names of its
    part file and journal; '' when it can. SinkError."""
    part = path + PART_SUFFIX
    try:
        try:
            status = os.lstat(part)
        except FileNotFoundError:
            return taken(path + JOURNAL_SUFFIX)
        folder = os.path.dirname(path) or "."
        if why := files.foreign(status, folder, names=2 if _is_published(path, status) else 1):
            return why
        if status.st_nlink > 1 or not status.st_size:
            return taken(path + JOURNAL_SUFFIX)
        return _why_not(path, identity)
    except OSError as error:
        raise disk_error("look at", part, error) from error


def reserves(path: str, identity: Identity) -> bool:
    """Return whether `path` is empty and stands for a finished part file beside it, which is that
    object: the process was killed while it renamed the one to the other."""
    try:
        status = os.lstat(path + PART_SUFFIX)
    except OSError:
        return False
    if status.st_size != identity.size or not files.is_reservation(path, status):
        return False
    return not why_taken(path, identity)


def capture_time(info: ObjectInfo) -> float | None:
    """Return the capture time as an mtime; without a time zone in this computer's local time."""
    moment = info.captured or info.modified
    if moment is None:
        return None
    try:
        return moment.timestamp()
    except (OverflowError, ValueError, OSError):
        return None  # a clock never set can be before this system's time begins
