"""The note beside a part file that says whose bytes are in it, and how many of them are certain.

It tells of which object of which camera the bytes are, and the checksum of the first so many of
them, taken as they were received. Another process continues only from bytes that still have that
checksum (`proof`): the length of a part file proves nothing, because a disk can lose pages and
another program can write into the file. The journal is read back as untrusted input: anything odd
about it means "start anew".
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._sink import Checksum
from ..errors import SinkError
from ..objects import ObjectInfo
from ..ownership import files
from ..ownership.names import JOURNAL_SUFFIX
from ..readback import read_back
from .syncing import sync_file, sync_folder

log = logging.getLogger("ptpfast")

SCHEMA = 5
MAX_JOURNAL_SIZE = 1 << 16
_BEGINNING = b'{"schema": 0, "object": {"camera": "'  # of every one, but for the version
_VERSION = re.compile(rb'^(\{"schema": )\d{1,4}')
_HEAD_SIZE = len(_BEGINNING) + 4
_NULL = "null"

# Why a part file stays as it is, and the object gets another name.
ANOTHER_OBJECT = "it is of another object"
ANOTHER_CAMERA = "it is of another camera"
UNKNOWN = "no note beside it says whose it is"
_quoted = json.encoder.encode_basestring_ascii  # a JSON string


class Identity(NamedTuple):
    """What must be equal for bytes to be of the same object: camera, handle, name, size, date. Not
    the folders it is in: each has a description of its own, which a camera may fail to give."""

    camera: str  # manufacturer, model and serial number
    handle: int
    name: str
    size: int | None
    captured: str

    @classmethod
    def of(cls, camera: str, info: ObjectInfo) -> Identity:
        """The identity of a listed object."""
        captured = info.captured.isoformat() if info.captured else ""
        return cls(camera, info.handle, info.name, info.size, captured)

    def is_of(self, told: Identity) -> bool:
        """Return whether a note tells of this picture, perhaps as it was before it changed on the
        card or got another handle. A copy's note names no camera: its file is elsewhere, too."""
        if told.name != self.name or told.captured != self.captured:
            return False
        if not told.camera:
            return True
        # Without a date a name, and in some cameras a handle, is that of any picture after the card
        # was formatted; with one it may be another of a burst.
        same_handle, same_size = told.handle == self.handle, told.size == self.size
        enough = same_handle or same_size if self.captured else same_handle and same_size
        return told.camera == self.camera and enough


class Kept(NamedTuple):
    """The first `size` bytes of the part file, and their checksum as they were received
    (`hashing`)."""

    size: int = 0
    digest: str | None = None


NOTHING_KEPT = Kept()


class Found(NamedTuple):
    """What a journal says: the bytes that had reached the disk, and those that had been written;
    the same if nothing more was noted. Neither is believed before the file is read (`proof`)."""

    kept: Kept
    arrived: Kept


class Stamp(NamedTuple):
    """Which file it was and when it was last changed."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, descriptor: int) -> Stamp:
        """That of an open file. OSError."""
        status = os.fstat(descriptor)
        return cls(
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )


class Left(NamedTuple):
    """How this process has left a part file, with the checksum and the hasher in that state. All of
    it had been flushed."""

    stamp: Stamp
    checksum: Checksum
    hasher: Any


@dataclass
class Own:
    """What this process knows of a part file that it has written: the checksums in its last note,
    which tell its own bytes from what another process has put there since; and how it has left the
    file, if it has closed it in good order."""

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
        self.source = source or identity
        self._is_own = True

    def write(
        self, kept: Kept = NOTHING_KEPT, arrived: Kept | None = None, *, sync: bool = False
    ) -> None:
        """Puts it beside the part file. OSError.

        `arrived` is what was written, more than what is `kept`: a power cut may take it. With
        `sync` the note, and the names in its folder, have reached the disk. Where nothing is kept
        and nothing arrived, the bytes are this object's and none of them counts.

        One that is there is replaced whole or not at all. A first one is simply written: if that is
        cut short it is no JSON, and the part file still empty.
        """
        text = _text(self._identity, kept, arrived)
        digests = {one.digest for one in (kept, arrived) if one is not None and one.digest}
        if digests and self._is_own:
            _own.setdefault(self._path, Own()).digests = digests
        try:
            _write_new(self._path, text, sync=sync)
        except FileExistsError:
            if why := taken(self._path):
                raise files.NotOurs(self._path, why) from None
            with files.replacing(self._path, holds_note) as fd:
                _write(fd, text, sync=sync)
        if sync:
            sync_folder(os.path.dirname(self._path) or ".", strict=True)

    def begin(self) -> None:
        """Puts a first one there, before there is a part file. One of an earlier run is replaced on
        the disk, too: after a power cut it must not be found beside other bytes. NotOurs,
        SinkError."""
        try:
            self.write(sync=self.exists())
        except files.NotOurs:
            raise
        except OSError as error:
            raise SinkError(
                f"cannot write {self._path}: {error.strerror or error}",
                errno=error.errno or 0,
                hint="check the folder and the disk it is on",
            ) from error

    def exists(self) -> bool:
        """Whether there is one, of whatever object."""
        return os.path.lexists(self._path)

    def read(self) -> Found | None:
        """What is known of this very object's bytes; None when there is nothing to be trusted."""
        try:
            entry = _entry(self._path)
            told = Identity(**entry["object"])
            if told != self._identity:
                pairs = zip(Identity._fields, told, self._identity, strict=True)
                others = [name for name, one, another in pairs if one != another]
                log.warning(
                    "%s tells of another object, or of this one before it changed (another %s); "
                    "starting anew",
                    self._path,
                    " and ".join(others),
                )
                return None
            kept = _sane(entry["kept"])
            return Found(kept, _sane(entry["arrived"]) if "arrived" in entry else kept)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def tidy(self) -> None:
        """Removes a note that was not put in its place because the process was killed. OSError."""
        files.tidy(self._path, holds_note)

    def goes_on_from(self, *, own: bool) -> None:
        """What is continued was received by this process, or not: what is noted from now on is not
        all its own then."""
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
        """Removes it; missing is fine, and what is no note of ours stays. With `sync` a power cut
        does not bring it back. OSError."""
        _own.pop(self._path, None)
        if files.remove(self._path, holds_note) and sync:
            sync_folder(os.path.dirname(self._path) or ".")


def whose(path: str) -> Identity | None:
    """The object whose bytes are in the part file of `path`, as the journal beside it says; None
    where it says nothing of use."""
    try:
        # Also another version's: whose the bytes are, all have said alike.
        known = Identity(**json.loads(read_back(path + JOURNAL_SUFFIX, MAX_JOURNAL_SIZE))["object"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (known.camera, known.name, known.captured)
    numbers = (known.handle, 0 if known.size is None else known.size)
    sane = all(type(text) is str for text in texts) and all(type(n) is int for n in numbers)
    return known if sane else None


def holds_note(fd: int) -> bool:
    """Whether the open file is a journal, or what is left of one: nothing or its beginning when its
    writing was cut short, zeros after a power cut."""
    return _is_torn_or_whole(os.pread(fd, _HEAD_SIZE, 0))


def _is_torn_or_whole(head: bytes) -> bool:
    head = _VERSION.sub(rb"\g<1>0", head.rstrip(b"\0"))
    return head.startswith(_BEGINNING) or _BEGINNING.startswith(head)


def tidy(path: str) -> None:
    """Removes the journal of a finished file, and what was to replace it: a run that was killed at
    its end has left them. OSError."""
    files.tidy(path + JOURNAL_SUFFIX, holds_note)
    files.remove(path + JOURNAL_SUFFIX, holds_note)


def taken(path: str) -> str:
    """Return why the journal's name cannot be used, as something that is no note of ours has it;
    '' when it can. OSError."""
    try:
        with files.open_ours(path) as held:
            if holds_note(held.number):
                return ""
            return f"{os.path.basename(path)} is no note of ptpfast"
    except FileNotFoundError:
        return ""
    except files.NotOurs as error:
        return f"something else has the name {os.path.basename(path)}: {error.why}"


def claim(path: str, identity: Identity) -> str:
    """Return why the bytes in the part file of `path` are not to be touched for that object: no
    note proves them to be of it. '' when they may be dropped, or continued if more is certain.

    What is left of a note that a power cut has taken proves as much: this package was at work there
    and nothing was certain yet.
    """
    if (told := whose(path)) is not None:
        if identity.is_of(told):
            return ""
        same = told.camera == identity.camera
        return ANOTHER_OBJECT if same else ANOTHER_CAMERA
    try:
        text = read_back(path + JOURNAL_SUFFIX, MAX_JOURNAL_SIZE).rstrip(b"\0")
    except OSError:
        return UNKNOWN
    is_torn = _is_torn_or_whole(text[:_HEAD_SIZE]) and not text.endswith(b"}")
    return "" if is_torn else UNKNOWN


def _entry(path: str) -> Any:
    """OSError, ValueError and others for what was never written."""
    entry = json.loads(read_back(path, MAX_JOURNAL_SIZE))
    if entry["schema"] != SCHEMA:
        raise ValueError("another version's")
    return entry


def _sane(told: dict[str, Any]) -> Kept:
    """ValueError, TypeError for what was never written."""
    kept = Kept(**told)
    if type(kept.size) is not int or kept.size < 0 or not isinstance(kept.digest, str | None):
        raise ValueError("no such note")
    return kept


def _text(identity: Identity, kept: Kept, arrived: Kept | None) -> bytes:
    """The journal's JSON, put together by hand: with each file the camera waits for it, and after a
    few MB of payload all that an encoder needs has to come from memory again."""
    camera, handle, name, size, captured = identity
    told = (
        f'{{"camera": {_quoted(camera)}, "handle": {handle}, "name": {_quoted(name)}, '
        f'"size": {_NULL if size is None else size}, "captured": "{captured}"}}'
    )
    more = "" if arrived is None else f', "arrived": {_kept_text(arrived)}'
    return (f'{{"schema": {SCHEMA}, "object": {told}, "kept": {_kept_text(kept)}{more}}}').encode()


def _kept_text(kept: Kept) -> str:
    digest = _NULL if kept.digest is None else f'"{kept.digest}"'
    return f'{{"size": {kept.size}, "digest": {digest}}}'


def _write_new(path: str, text: bytes, *, sync: bool) -> None:
    with files.create(path) as held:
        try:
            _write(held.number, text, sync=sync)
        except BaseException:
            files.remove_made(path, held.number)  # half a note is none
            raise


def _write(fd: int, text: bytes, *, sync: bool) -> None:
    if os.write(fd, text) != len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if sync:
        sync_file(fd)
