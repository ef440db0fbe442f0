"""The note beside a part file that says whose bytes are in it, and how many of them are certain.

It tells of which object of which camera the bytes are, so that another run continues only then. How
many there are the part file's length tells, as long as the system has run on: what a process has
written survives its end. After a power cut the length proves nothing; then only what was on the
disk when it was noted here counts. The journal is read back as untrusted input: anything odd about
it means "start anew".
"""

from __future__ import annotations

import errno
import json
import logging
import os
from functools import cache
from typing import Any, NamedTuple

from ..objects import ObjectInfo
from ..readback import read_back
from .hashing import algorithm_of
from .syncing import sync_folder

log = logging.getLogger("ptpfast")

SCHEMA = 4
JOURNAL_SUFFIX = ".part.json"
NEW_SUFFIX = ".new"  # of a journal that is to take the place of one
MAX_JOURNAL_SIZE = 1 << 16
_BEGINNING = b'{"schema": '  # of every one, also another version's
_NULL = "null"
_quoted = json.encoder.encode_basestring_ascii  # a JSON string
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC  # never through a link


@cache
def boot_id() -> str:
    """What tells this run of the operating system from all others; empty where it does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except (OSError, ValueError):
        return ""


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


class Kept(NamedTuple):
    """The first `size` bytes of the part file had reached the disk when this was noted; digest is
    that of them as they arrived (`hashing`), if it was taken."""

    size: int = 0
    digest: str | None = None


NOTHING_KEPT = Kept()


class Found(NamedTuple):
    """What a journal says: what had reached the disk, what had arrived (the same after a power
    cut), and whether the system has run on since, so that the part file's length can be
    believed."""

    kept: Kept
    arrived: Kept
    ran_on: bool

    def counted(self, length: int, algorithm: str | None) -> int:
        """How many of a part file's `length` bytes can count, if they are as they were. With an
        `algorithm`, only those whose digest by it was noted."""
        if algorithm is None:
            return length if self.ran_on else min(length, self.kept.size)
        size, digest = self.arrived
        noted = digest is not None and algorithm_of(digest) == algorithm and size <= length
        return size if noted else 0


# By path, the digests that this process has noted of what it received itself: what is continued
# there can so be told from what somebody else has put there meanwhile.
_own: dict[str, set[str]] = {}


class Journal:
    """The journal of the file `path`, about one object."""

    def __init__(self, path: str, identity: Identity) -> None:
        self._path = path + JOURNAL_SUFFIX
        self._identity = identity
        self._is_own = True

    def write(
        self, kept: Kept = NOTHING_KEPT, arrived: Kept | None = None, *, sync: bool = False
    ) -> None:
        """Puts it beside the part file. OSError.

        `arrived` is what was written, more than what is `kept`: it is there for as long as the
        system runs on. With `sync` the note, and the names in its folder, have reached the disk.

        One that is there is replaced whole or not at all. A first one is simply written: if that is
        cut short it is no JSON, and the part file still empty.
        """
        text = _text(self._identity, kept, arrived)
        if self._is_own:
            digests = {one.digest for one in (kept, arrived) if one is not None and one.digest}
            if digests:
                _own.setdefault(self._path, set()).update(digests)
        try:
            _write_new(self._path, text, sync=sync)
        except FileExistsError:
            self.tidy()
            _write_new(self._path + NEW_SUFFIX, text, sync=sync)
            os.replace(self._path + NEW_SUFFIX, self._path)
        if sync:
            sync_folder(os.path.dirname(self._path) or ".", strict=True)

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
            ran_on = bool(boot_id()) and entry["boot"] == boot_id()
            kept = _sane(entry["kept"])
            arrived = _sane(entry["arrived"]) if ran_on and "arrived" in entry else kept
            return Found(kept, arrived, ran_on)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def tidy(self) -> None:
        """Removes a note that was not put in its place because the process was killed. OSError."""
        try:
            os.unlink(self._path + NEW_SUFFIX)
        except FileNotFoundError:
            pass

    def goes_on_from(self, kept: Kept) -> bool:
        """Whether what is continued there was received by this process; what is noted from now on
        is not all its own otherwise."""
        self._is_own = kept.digest in _own.get(self._path, ())
        return self._is_own

    def forget(self, *, sync: bool = False) -> None:
        """Removes it; missing is fine. With `sync` a power cut does not bring it back. OSError."""
        _own.pop(self._path, None)
        self.tidy()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            return
        if sync:
            sync_folder(os.path.dirname(self._path) or ".")


def whose(path: str) -> Identity | None:
    """The object whose bytes are in the part file of `path`, as the journal beside it says; None
    where it says nothing of use."""
    try:
        known = Identity(**_entry(path + JOURNAL_SUFFIX)["object"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (known.camera, known.name, known.captured)
    numbers = (known.handle, 0 if known.size is None else known.size)
    sane = all(type(text) is str for text in texts) and all(type(n) is int for n in numbers)
    return known if sane else None


def is_note(path: str) -> bool:
    """Whether the file is a journal, or what is left of one: nothing or its beginning when its
    writing was cut short, zeros after a power cut."""
    try:
        text = read_back(path, len(_BEGINNING))
    except OSError:
        return False
    return _BEGINNING.startswith(text.rstrip(b"\0"))


def counted(path: str, identity: Identity, length: int, algorithm: str | None) -> int:
    """Of the `length` bytes in the part file of `path`, how many a download of that object goes on
    from, unless the camera or the file has changed since they were noted; see `Found.counted`."""
    if whose(path) != identity or (known := Journal(path, identity).read()) is None:
        return 0
    size = known.counted(length, algorithm)
    return size if size <= (identity.size or 0) else 0


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
    return (
        f'{{"schema": {SCHEMA}, "object": {told}, "boot": {_quoted(boot_id())}, '
        f'"kept": {_kept_text(kept)}{more}}}'
    ).encode()


def _kept_text(kept: Kept) -> str:
    digest = _NULL if kept.digest is None else f'"{kept.digest}"'
    return f'{{"size": {kept.size}, "digest": {digest}}}'


def _write_new(path: str, text: bytes, *, sync: bool) -> None:
    fd = os.open(path, _NEW, 0o666)
    try:
        if os.write(fd, text) != len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if sync:
            os.fsync(fd)
    except BaseException:
        os.unlink(path)  # half a note is none
        raise
    finally:
        os.close(fd)
