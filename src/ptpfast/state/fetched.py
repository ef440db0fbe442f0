"""The records of the catalog, and checks of their values.

The file of the catalog is untrusted input: a damaged one can contain anything.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from ..ptp.datasets import DeviceInfo
from ..ptp.objects import LARGEST_OBJECT, ObjectInfo
from .index import identity_of

MAX_IDENTITY = 4096  # characters: three PTP strings as JSON
MAX_PATH = 64 << 10  # bytes: folders of a card can be nested, and a PTP string has 254 characters
MAX_DATE = 40  # characters
UNKNOWN_BODY = ""  # identity of a record that was made from a folder
_URL = re.compile(rb"[a-z][a-z0-9+.-]*://")
_U32 = (1 << 32) - 1
_LATEST = 1 << 40  # seconds since 1970
_LATEST_NS = 1 << 62  # later times are recorded as this one


class Implausible(ValueError):
    """A row of the catalog that ptpfast cannot have written."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object as the camera described it when it was fetched.

    Attributes:
        identity: The camera body, from `body_identity`; `UNKNOWN_BODY` for a file found in a
            folder.
        storage: The storage ID; 0 if unknown.
        path: The path on the card.
        size: Bytes; None if the camera did not report a size.
        captured: Capture time by the camera's clock, in ISO form; '' if unknown.
        modified: Modification time in the same form.
        sha256: SHA-256 in hex; None if it was not computed.
        fetched: Time of the download, in seconds since 1970.
    """

    identity: str
    storage: int
    path: str
    size: int | None
    captured: str
    modified: str = ""
    sha256: str | None = None
    fetched: int = 0

    @property
    def body(self) -> tuple[str, str, str]:
        """Maker, model, and the serial number or GUID; '' for what is unknown."""
        if not self.identity:
            return "", "", ""
        maker, model, number = json.loads(self.identity)
        return maker, model, number


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored file.

    Attributes:
        folder: Its folder, without symbolic links; the URL of a remote one.
        name: Its name.
        size: Bytes.
        mtime_ns: The modification time that the filesystem has kept, in nanoseconds since 1970.
    """

    folder: str
    name: str
    size: int
    mtime_ns: int

    def is_time(self, same: Callable[[float, float], bool], modified: float) -> bool:
        """Return whether a file's time (seconds since 1970) is the recorded one.

        Args:
            same: compares two times.
            modified: the file's.
        """
        latest = _LATEST_NS / 1e9  # ext4 has later times, for a camera with a wrong clock
        return same(self.mtime_ns / 1e9, max(-latest, min(modified, latest)))


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the history: an object and one of its files.

    Attributes:
        number, file_number: Their keys in the catalog.
        file: None if other objects have replaced all files of the object.
    """

    number: int
    object: Fetched
    file_number: int | None
    file: Stored | None


def body_identity(info: DeviceInfo, guid: bytes) -> str:
    """Return the identity of a body; without a number at its end if the body reports none."""
    return identity_of(info, guid) or json.dumps([info.manufacturer, info.model, ""])


@lru_cache(maxsize=256)
def is_weak(identity: str) -> bool:
    """Return whether bodies of one model can share the identity."""
    return not identity or not json.loads(identity)[2]


def model_of(identity: str) -> list[str]:
    """Return maker and model."""
    return json.loads(identity)[:2] if identity else []


def wall_clock(moment: datetime | None) -> str:
    """Return a time by the camera's clock, in ISO form; '' for None."""
    return moment.replace(tzinfo=None).isoformat() if moment is not None else ""


def fetched_of(identity: str, info: ObjectInfo, sha256: str | None, fetched: int) -> Fetched:
    """Return the record of an object that has been fetched."""
    captured, modified = wall_clock(info.captured), wall_clock(info.modified)
    return Fetched(
        identity, info.storage_id, info.path, info.size, captured, modified, sha256, fetched
    )


def to_row(item: Fetched) -> tuple[Any, ...]:
    """Return the columns of an object, without its body. Raises Implausible.

    Paths are bytes, because a name from a camera may not be valid UTF-8.
    """
    path = item.path.encode(errors="surrogatepass")
    row = (item.storage, path, item.size, item.captured, item.modified, item.sha256, item.fetched)
    from_row(item.identity, row)
    return row


def from_row(identity: Any, row: Sequence[Any]) -> Fetched:
    """Return the object of a row. Raises Implausible."""
    storage, path, size, captured, modified, sha256, fetched = row
    _check(_is_identity(identity), "camera")
    _check(_is_number(storage, _U32), "storage")
    _check(type(path) is bytes and 0 < len(path) <= MAX_PATH, "path")
    _check(size is None or _is_number(size, LARGEST_OBJECT), "size")
    _check(_is_date(captured) and _is_date(modified), "date")
    _check(sha256 is None or _is_sha256(sha256), "checksum")
    _check(_is_number(fetched, _LATEST), "time")
    try:
        text = path.decode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise Implausible("its path is no text") from error
    return Fetched(identity, storage, text, size, captured, modified, sha256, fetched)


def file_row(file: Stored) -> tuple[bytes, bytes, int, int]:
    """Return folder, name, size and time of a file as columns. Raises Implausible."""
    mtime_ns = max(-_LATEST_NS, min(file.mtime_ns, _LATEST_NS))
    row = (os.fsencode(file.folder), os.fsencode(file.name), file.size, mtime_ns)
    from_file_row(row)
    return row


def from_file_row(row: Sequence[Any]) -> Stored:
    """Return the file of a row. Raises Implausible."""
    folder, name, size, mtime_ns = row
    _check(type(folder) is bytes and len(folder) <= MAX_PATH and _is_folder(folder), "folder")
    _check(type(name) is bytes and 0 < len(name) <= MAX_PATH and b"/" not in name, "file name")
    _check(b"\0" not in folder + name and name not in (b".", b".."), "file name")
    _check(_is_number(size, LARGEST_OBJECT), "file size")
    _check(type(mtime_ns) is int and abs(mtime_ns) <= _LATEST_NS, "file time")
    return Stored(os.fsdecode(folder), os.fsdecode(name), size, mtime_ns)


def _is_folder(folder: bytes) -> bool:
    """Return whether it is an absolute path, or the URL of a remote folder."""
    return folder[:1] == b"/" or _URL.match(folder) is not None


def _check(is_plausible: bool, what: str) -> None:
    if not is_plausible:
        raise Implausible(f"a row has a {what} that cannot be")


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_identity(value: Any) -> bool:
    if value == UNKNOWN_BODY:
        return True
    if type(value) is not str or len(value) > MAX_IDENTITY:
        return False
    try:
        parts = json.loads(value)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(parts, list) and len(parts) == 3 and all(isinstance(part, str) for part in parts)
    )


def _is_date(value: Any) -> bool:
    if value == "":
        return True
    if type(value) is not str or len(value) > MAX_DATE:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return False


def _is_sha256(value: Any) -> bool:
    return type(value) is str and len(value) == 64 and not value.strip("0123456789abcdef")
