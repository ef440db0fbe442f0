"""Index of a camera's cards from earlier sessions: one cache file for each body.

It is only a cache and may be deleted at any time. A file that is damaged, of another version or
another body, or that has impossible values, is discarded. Failures to write (disk full, no
permission) are logged; they cost only time. `listing` checks with the camera whether the index is
still true.

Each call opens the SQLite file, does one short transaction and closes it, so that parallel runs do
not wait for each other.

SQLite obeys a journal beside its file, even one that deletes other files. So the folder must be
writable for this user alone and locked by one run at a time. A journal found then was left by a
killed run, or planted: it is discarded before SQLite sees it.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from ..ownership import files, folders
from ..ownership.names import INDEX_COMPANIONS, INDEX_SUFFIX
from ..ownership.readback import read_back
from ..ptp.datasets import DeviceInfo
from ..ptp.objects import LARGEST_OBJECT, Description
from .databases import restrain
from .places import user_folder

if TYPE_CHECKING:
    import sqlite3

log: logging.Logger = logging.getLogger("ptpfast")

SCHEMA = 1
_FORMATS = b"\x01\x01"  # SQLite's file format without a write-ahead log
APPLICATION = 0x50545046  # "PTPF": tells the file from other programs' SQLite files
BUSY_S = 2.0  # another run's transaction takes some milliseconds
LONGEST_S = 10.0  # reading 100,000 rows takes less than one; a file made to be slow is not read
MAX_FILE_SIZE = 256 << 20  # some 150 bytes an object
MAX_OBJECTS = 1 << 20  # of a storage; a handle list has no more
MAX_TEXT = 1024  # characters: a PTP string has 254
MAX_FILES = 64  # a body without a serial number may leave one for each connection

_TABLES = (
    "CREATE TABLE body (identity TEXT NOT NULL)",
    "CREATE TABLE storage (id INTEGER PRIMARY KEY, card TEXT NOT NULL, free INTEGER)",
    "CREATE TABLE object (listed INTEGER, handle INTEGER, storage_id INTEGER, format INTEGER, "
    "protection INTEGER, size INTEGER, parent INTEGER, name TEXT, captured TEXT, modified TEXT, "
    "PRIMARY KEY (listed, handle)) WITHOUT ROWID",
)
_COLUMNS = ", ".join(("handle", *(column.name for column in fields(Description))))
_VALUES = attrgetter(*(column.name for column in fields(Description)))
_NAME = re.compile(rf"[0-9a-f]{{32}}{re.escape(INDEX_SUFFIX)}")
_U16, _U32 = (1 << 16) - 1, (1 << 32) - 1
# The most an integer column of a description may be; size may be missing, too.
_MOST = {
    "storage_id": _U32,
    "format": _U16,
    "protection": _U16,
    "size": LARGEST_OBJECT,
    "parent": _U32,
}


class _Unusable(Exception):
    """The file is not what this version of ptpfast has written for this body."""


@dataclass(slots=True)
class Remembered:
    """The remembered data of a storage.

    Attributes:
        free: Its free bytes when all of it was listed; None if unknown.
        descriptions: Of folders and files, by handle.
    """

    free: int | None = None
    descriptions: dict[int, Description] = field(default_factory=dict)


def folder() -> Path:
    """Return the cache folder. Raises RuntimeError for a user without a home."""
    return user_folder("PTPFAST_CACHE", "Library/Caches", "XDG_CACHE_HOME", ".cache")


def identity_of(info: DeviceInfo, guid: bytes) -> str | None:
    """Return the identity of a body: maker, model and serial number, or its GUID without one.

    None for a camera that reports neither: its index would be shared by all such cameras.

    Notes:
        Zeros are no serial number. Leading zeros and blanks differ between operations (airmtp).
    """
    number = info.serial_number.strip().lstrip("0")
    if not number and len(set(guid)) > 1:
        number = f"GUID {guid.hex()}"
    return json.dumps([info.manufacturer, info.model, number]) if number else None


class Index:
    """The descriptions kept of one body. Never raises for what the disk or the file does."""

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self._identity = identity

    @classmethod
    def of(cls, info: DeviceInfo, guid: bytes) -> Index | None:
        """Return the index of a body; None if there can be none.

        There is none for a camera without identity, a user without a home, and a Python without
        SQLite.
        """
        identity = identity_of(info, guid)
        if identity is None or find_spec("_sqlite3") is None:
            return None
        import hashlib

        name = hashlib.sha256(identity.encode()).hexdigest()[:32]
        try:
            return cls(folder() / f"{name}{INDEX_SUFFIX}", identity)
        except RuntimeError as error:
            log.debug("no index: %s", error)
            return None

    def recall(self, storage_id: int, card: str) -> Remembered:
        """Return what is known of a storage, if it still holds the same card."""
        if not os.path.lexists(self.path):
            return Remembered()
        found = Remembered()
        with self._guarded("read"), self._open() as database:
            database.execute("BEGIN")  # all as of one moment
            row = database.execute(
                "SELECT card, free FROM storage WHERE id = ?", (storage_id,)
            ).fetchone()
            if row is not None and row[0] == card:
                if row[1] is not None and type(row[1]) is not int:
                    raise _Unusable("free space that is no number")
                found = Remembered(row[1], dict(_descriptions(database, storage_id)))
        return found

    def keep(
        self,
        storage_id: int,
        card: str,
        free: int | None,
        descriptions: Mapping[int, Description],
    ) -> None:
        """Replace what is known of a storage in one step.

        Values that could not be read back are left out, and then the free space is, too.
        """
        rows = [
            (storage_id, handle, *_VALUES(description))
            for handle, description in descriptions.items()
            if is_plausible(handle, description)
        ]
        if len(rows) < len(descriptions):
            free = None
        with self._guarded("write"):
            self._make_room()
            with self._open() as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("DELETE FROM object WHERE listed = ?", (storage_id,))
                database.execute(
                    "INSERT OR REPLACE INTO storage VALUES (?, ?, ?)", (storage_id, card, free)
                )
                marks = ", ".join("?" * (2 + len(fields(Description))))
                database.executemany(f"INSERT INTO object VALUES ({marks})", rows)
                # By a scan: in a damaged file the key finds some rows only; the rest would stay.
                count = "SELECT count(*) FROM object WHERE +listed = ?"
                if database.execute(count, (storage_id,)).fetchone()[0] != len(rows):
                    raise _Unusable("it is damaged")
                database.execute("COMMIT")

    def forget(self) -> None:
        """Delete all that is known of the body."""
        try:
            self._discard()
        except OSError as error:
            log.warning("cannot discard the index %s: %s", self.path, error)

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        """Handle every error of the file or the disk: a file that is not ours is discarded, all
        else is logged."""
        import sqlite3

        try:
            yield
        except (_Unusable, ValueError, OverflowError) as error:
            self._discard_for(error)
        except sqlite3.OperationalError as error:  # locked, full, read-only, not to be opened
            log.warning("cannot %s the index %s: %s", doing, self.path, error)
        except sqlite3.DatabaseError as error:
            self._discard_for(error)
        except OSError as error:
            log.warning("cannot %s the index %s: %s", doing, self.path, error)

    def _discard_for(self, error: Exception) -> None:
        log.warning("the index %s is discarded: %s", self.path, error)
        self.forget()

    def _discard(self) -> None:
        with suppress(FileNotFoundError), folders.turn(self.path.parent, BUSY_S):
            self._discard_files()

    def _discard_files(self) -> None:
        for tail in ("", *INDEX_COMPANIONS):
            files.discard(f"{self.path}{tail}")

    def _make_room(self) -> None:
        """Create the folder and delete the oldest files in it."""
        folders.make(self.path.parent, 0o700)
        if os.path.lexists(self.path):
            return
        others = [path for path in self.path.parent.iterdir() if _NAME.fullmatch(path.name)]
        others.sort(key=lambda path: path.lstat().st_mtime)
        for old in others[: max(0, len(others) - MAX_FILES + 1)]:
            files.remove(os.fspath(old), _is_index)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file; create it if it is missing.

        Raises:
            _Unusable: the file belongs to another body, or not to this user.
            OSError: the folder is not for this user alone.
        """
        with folders.turn(self.path.parent, BUSY_S) as alone:
            if alone is None:
                raise OSError(errno.EWOULDBLOCK, "another run has locked it")
            self._look()
            with self._connected() as database:
                yield database

    def _look(self) -> None:
        """Everything that must hold before SQLite sees the file."""
        folder = os.fspath(self.path.parent)
        if why := files.why_not_private(folder):
            raise PermissionError(errno.EPERM, f"{why}; set its rights, or PTPFAST_CACHE", folder)
        if any(os.path.lexists(f"{self.path}{tail}") for tail in INDEX_COMPANIONS):
            log.warning("the index %s is discarded: a run was killed while it wrote", self.path)
            self._discard_files()
        if os.path.lexists(self.path):
            status = self.path.lstat()
            if why := files.foreign(status, folder):
                raise _Unusable(why)
            if status.st_size > MAX_FILE_SIZE:
                raise _Unusable(f"{status.st_size:,} bytes are too many")
            if status.st_size and self._formats() != _FORMATS:
                raise _Unusable("it can be read and never written")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        import sqlite3

        until = time.monotonic() + LONGEST_S
        path = os.path.abspath(self.path)  # never a `file:` address
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as database:
            try:
                restrain(database, [until])
                self._check(database)
                yield database
            except sqlite3.OperationalError as error:
                if time.monotonic() > until:
                    raise _Unusable("reading it takes too long") from error
                raise

    def _formats(self) -> bytes:
        """Return the file format versions that are needed to write and to read it."""
        return read_back(self.path, 20)[18:]

    def _check(self, database: sqlite3.Connection) -> None:
        """Check that the file has this version and this body; initialise an empty one."""
        if _is_empty(database):
            self._create(database)
        for name, expected in (("application_id", APPLICATION), ("user_version", SCHEMA)):
            if (found := database.execute(f"PRAGMA {name}").fetchone()[0]) != expected:
                raise _Unusable(f"its {name} is {found}")
        tables = database.execute("SELECT sql FROM sqlite_master LIMIT 10").fetchall()
        if sorted(tables) != sorted((table,) for table in _TABLES):
            raise _Unusable("it has other tables")
        if database.execute("SELECT identity FROM body LIMIT 2").fetchall() != [(self._identity,)]:
            raise _Unusable("it is of another camera")

    def _create(self, database: sqlite3.Connection) -> None:
        database.execute("BEGIN IMMEDIATE")
        if _is_empty(database):
            for table in _TABLES:
                database.execute(table)
            database.execute("INSERT INTO body VALUES (?)", (self._identity,))
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {SCHEMA}")
        database.execute("COMMIT")


def _is_empty(database: sqlite3.Connection) -> bool:
    # Not by a count, which nothing interrupts.
    return database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def _is_index(fd: int) -> bool:
    """Return whether the open file is an index of any body."""
    head = os.pread(fd, 72, 0)
    return head.startswith(b"SQLite format 3\0") and head[68:] == APPLICATION.to_bytes(4, "big")


def is_plausible(handle: object, description: Description) -> bool:
    """Whether it is what may have been kept. What a camera says beyond that is asked for each
    time."""
    if type(handle) is not int or not 0 < handle < _U32:
        return False
    for name, most in _MOST.items():
        value = getattr(description, name)
        if value is None and name == "size":
            continue
        if type(value) is not int or not 0 <= value <= most:
            return False
    for text in (description.name, description.captured, description.modified):
        if type(text) is not str or len(text) > MAX_TEXT or not text.isprintable():
            return False
    return description.name not in ("", ".", "..") and "/" not in description.name


def _descriptions(
    database: sqlite3.Connection, storage_id: int
) -> Iterable[tuple[int, Description]]:
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM object WHERE listed = ? LIMIT ?", (storage_id, MAX_OBJECTS + 1)
    )
    for count, (handle, *values) in enumerate(rows):
        description = Description(*values)
        if count == MAX_OBJECTS or not is_plausible(handle, description):
            raise _Unusable(f"its row of object {handle!r:.40} cannot be")
        yield handle, description
