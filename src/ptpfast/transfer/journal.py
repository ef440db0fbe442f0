"""The journal beside a part file: whose bytes are in it, and how many are certain.

`notes` has its text. Another process resumes only bytes that still have the recorded checksum
(`proof`). The length of a part file proves nothing: a disk can lose pages, and another program can
write into the file. The journal is untrusted input. If it is malformed, the download starts over.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from dataclasses import dataclass, field
from typing import NamedTuple

from ..engine.process import Owner
from ..engine.sink import Checksum, Descriptor
from ..ownership import files
from ..ownership.names import JOURNAL_SUFFIX
from ..ownership.readback import read_back
from ..ptp.errors import disk_error
from .notes import (
    LINE_SIZE,
    MAX_JOURNAL_SIZE,
    SCHEMA,
    arrived_since,
    first_line,
    is_note,
    is_torn,
    line,
    sane,
    told_by,
)
from .notes import NOTHING_KEPT as NOTHING_KEPT
from .notes import Found as Found
from .notes import Identity as Identity
from .notes import Kept as Kept
from .syncing import sync_file, sync_folder

log: logging.Logger = logging.getLogger("ptpfast")

# Why a part file stays as it is, and the object gets another name.
ANOTHER_OBJECT = "it is of another object"
ANOTHER_CAMERA = "it is of another camera"
UNKNOWN = "it has no journal that names its object"


class Stamp(NamedTuple):
    """Which file it was and when it was last changed."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, descriptor: int) -> Stamp:
        """Return the stamp of an open file. OSError."""
        status = os.fstat(descriptor)
        return cls(
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )


class Left(NamedTuple):
    """How this process left a part file, and the checksum of its bytes, all of them flushed."""

    stamp: Stamp
    checksum: Checksum


@dataclass
class Own:
    """What this process knows of a part file that it wrote.

    digests: the checksums in its last note; they show whether another process wrote to the file.
    left: the state in which the file was closed; None if it was not closed in order.
    """

    digests: set[str] = field(default_factory=set)
    left: Left | None = None
    whole: bool = True  # every byte was received by this process


_own: dict[str, Own] = {}  # by path


class Journal:
    """The journal of the file `path`, about one object. source: the object itself, where the
    journal is a copy's."""

    def __init__(self, path: str, identity: Identity, *, source: Identity | None = None) -> None:
        self._path = path + JOURNAL_SUFFIX
        self._identity = identity
        self.source: Identity = source or identity
        self._is_own = True
        self._held: Descriptor | None = None  # the journal, open: this process has written it
        self._first = b""  # its first line
        self._owner = Owner("journal")
        self._turn = 0  # which of them is written next
        self._notes: list[Kept] = []  # what it says, the line of JSON first
        # First line and notes of a journal that another thread has put in the place of this one.
        # Handed over without a lock, which a signal handler that raises could leave taken.
        self._renewed: tuple[bytes, list[Kept]] | None = None

    def write(
        self, kept: Kept = NOTHING_KEPT, arrived: Kept | None = None, *, sync: bool = False
    ) -> None:
        """Write the journal beside the part file, replacing an old one in one step.

        Args:
            kept: what has reached the disk.
            arrived: what was written after that; a power cut may take it.
            sync: flush the journal and the names in its folder.

        Raises:
            OSError: it cannot be written.

        Notes:
            With nothing kept and nothing arrived, the journal says that none of the bytes count. A
            first journal is written in place: if that is cut short it is no JSON, and the part file
            is empty.
        """
        self.close()
        if not self._owner.is_us:
            return  # a forked child speaks of its parent's bytes
        text = first_line(self._identity, kept)
        self._first = text
        self._notes, self._turn = [kept], 0
        if arrived is not None:
            text += line(arrived)
            self._notes.append(arrived)
            self._turn = 1
        self._remember()
        try:
            self._held = _write_new(self._path, text, sync=sync)
        except FileExistsError:
            if why := taken(self._path):
                raise files.NotOurs(self._path, why) from None
            with files.replacing(self._path, holds_note) as fd:
                _write(fd, text, sync=sync)
        if sync:
            sync_folder(os.path.dirname(self._path) or ".", strict=True)

    def renew(self, kept: Kept) -> None:
        """Replace the journal by one that says what has reached the disk, and flush it.

        Another thread may call `note` at the same time; it does not wait for the disk. Notes that
        it makes meanwhile can be lost, until its next one.

        Raises:
            OSError: it cannot be written.
        """
        if not self._owner.is_us:
            return
        if why := taken(self._path):
            raise files.NotOurs(self._path, why)
        text = first_line(self._identity, kept)
        with files.replacing(self._path, holds_note) as fd:
            _write(fd, text, sync=True)
            later = [note for note in self._notes[1:] if note.size > kept.size][-1:]
            for note in later:
                os.pwrite(fd, line(note), len(text))
        self._renewed = text, [kept, *later]
        sync_folder(os.path.dirname(self._path) or ".", strict=True)

    def begin(self) -> None:
        """Write the first journal, before there is a part file.

        A journal of an earlier run is replaced on the disk, too: after a power cut it must not be
        found beside other bytes.

        Raises:
            NotOurs, SinkError: it cannot be written.
        """
        try:
            self.write(sync=self.exists())
        except files.NotOurs:
            raise
        except OSError as error:
            raise disk_error("write", self._path, error) from error

    def note(self, arrived: Kept) -> None:
        """Append what has arrived to a journal of this process, without a flush. OSError.

        This happens up to a thousand times a second.
        """
        if not self._owner.is_us:
            return
        self._take_over()
        if self._held is None:
            self._held = files.open_ours(self._path, os.O_RDWR)
            if os.pread(self._held.number, len(self._first), 0) != self._first:
                self.close()
                raise files.NotOurs(self._path, "another process has replaced it")
        at = len(self._first) + self._turn * LINE_SIZE
        self._turn ^= 1  # the next time not the line that was written last
        os.pwrite(self._held.number, line(arrived), at)
        self._notes = [self._notes[0], *self._notes[1:][-1:], arrived]
        self._remember()

    def _take_over(self) -> None:
        """Go on with the journal that another thread has written, if there is one.

        Only the thread that notes closes the old file: its number may be another file's at once.
        """
        if (renewed := self._renewed) is None:
            return
        held, self._held = self._held, None  # a closed one must not be used again
        if held is not None:
            held.close()
        self._first, self._notes = renewed
        self._turn = len(self._notes) - 1
        self._remember()
        self._renewed = None

    def _remember(self) -> None:
        """Which bytes are this process's own is told by the checksums that it has noted."""
        digests = {noted.digest for noted in self._notes if noted.digest}
        if digests and self._is_own:
            _own.setdefault(self._path, Own()).digests = digests

    def close(self) -> None:
        """Close the file, if it is open. Safe to call twice."""
        self._take_over()
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def exists(self) -> bool:
        """Return whether there is a journal, of any object."""
        return os.path.lexists(self._path)

    def read(self) -> Found | None:
        """Return what is known of this object's bytes; None if nothing can be trusted."""
        try:
            first, *lines = _content(self._path).split(b"\n")
            entry = json.loads(first)
            if entry["schema"] != SCHEMA:
                return None
            told = Identity(**entry["object"])
            if told != self._identity:
                pairs = zip(Identity._fields, told, self._identity, strict=True)
                others = [name for name, one, another in pairs if one != another]
                log.warning(
                    "%s tells of another object, or of this one before it changed (another %s); "
                    "starting over",
                    self._path,
                    " and ".join(others),
                )
                return None
            return Found(sane(entry["kept"]), tuple(arrived_since(lines[:2])))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def tidy(self) -> None:
        """Delete a replacement that was not renamed because the process was killed. OSError."""
        files.tidy(self._path, holds_note)

    def goes_on_from(self, *, own: bool) -> None:
        """Note whether this process received the continued bytes itself."""
        self._is_own = own

    def is_own(self, digest: str | None) -> bool:
        """Whether this process has noted that checksum of bytes that it received itself."""
        return digest in getattr(_own.get(self._path), "digests", ())

    def leave(self, left: Left) -> None:
        """Remembers how this process leaves the part file, for a retry."""
        own = _own.setdefault(self._path, Own())
        own.left, own.whole = left, self._is_own

    def left(self, stamp: Stamp) -> tuple[Left, bool] | None:
        """How this process has left the part file, and whether all of it was received by it; None
        if the file has been changed since."""
        own = _own.get(self._path)
        if own is None or own.left is None or own.left.stamp != stamp:
            return None
        return own.left, own.whole

    def forget(self, *, sync: bool = False) -> None:
        """Delete the journal. A missing one is fine, and a file that is not ours stays.

        Args:
            sync: flush the folder, so that a power cut does not bring it back.

        Raises:
            OSError: it cannot be deleted.
        """
        _own.pop(self._path, None)
        try:
            is_gone = self._held is not None and files.remove_open(self._path, self._held)
        finally:
            self.close()
        if (is_gone or files.remove(self._path, holds_note)) and sync:
            sync_folder(os.path.dirname(self._path) or ".")


def whose(path: str) -> Identity | None:
    """Return the object whose bytes are in the part file of `path`; None if unknown."""
    try:
        # Also another version's: whose the bytes are, all have said alike.
        told = told_by(_content(path + JOURNAL_SUFFIX))
    except OSError:
        return None
    if told is None:
        return None
    known = Identity(**told["object"])
    texts = (known.camera, known.name, known.captured)
    numbers = (known.handle, 0 if known.size is None else known.size)
    sane = all(type(text) is str for text in texts) and all(type(n) is int for n in numbers)
    return known if sane else None


def holds_note(fd: int) -> bool:
    """Return whether the open file is a journal, or the rest of one.

    A rest is nothing, its beginning if writing was interrupted, or zeros after a power cut.
    """
    return is_note(os.pread(fd, MAX_JOURNAL_SIZE, 0))


def tidy(path: str) -> None:
    """Delete the journal of a finished file, and its replacement. OSError.

    A run that was killed at its very end leaves them.
    """
    files.tidy(path + JOURNAL_SUFFIX, holds_note)
    files.remove(path + JOURNAL_SUFFIX, holds_note)


def taken(path: str) -> str:
    """Return why the journal's name cannot be used, as something that is no note of ours has it;
    '' when it can. OSError."""
    try:
        with files.open_ours(path) as held:
            if holds_note(held.number):
                return ""
            return f"{os.path.basename(path)} is not a journal of ptpfast"
    except FileNotFoundError:
        return ""
    except files.NotOurs as error:
        return f"something else has the name {os.path.basename(path)}: {error.why}"


def claim(path: str, identity: Identity) -> str:
    """Return why the part file of `path` must not be touched for that object; '' if it may be.

    It may be if its journal names the object, or is the rest of one after a power cut.
    """
    if (told := whose(path)) is not None:
        if identity.is_of(told):
            return ""
        same = told.camera == identity.camera
        return ANOTHER_OBJECT if same else ANOTHER_CAMERA
    try:
        text = _content(path + JOURNAL_SUFFIX).rstrip(b"\0")
    except OSError:
        return UNKNOWN
    return "" if is_torn(text) else UNKNOWN


def _content(path: str) -> bytes:
    """OSError."""
    return read_back(path, MAX_JOURNAL_SIZE)


def _write_new(path: str, text: bytes, *, sync: bool) -> Descriptor:
    held = files.create(path)
    try:
        _write(held.number, text, sync=sync)
    except BaseException:
        with held:
            files.remove_made(path, held.number)  # half a note is none
        raise
    return held


def _write(fd: int, text: bytes, *, sync: bool) -> None:
    if os.write(fd, text) != len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if sync:
        sync_file(fd)
