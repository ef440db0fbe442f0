"""The SQLite file of the catalog: create, open and migrate it, or rename an unusable one.

Only this user can write to its folder. The file is created under a temporary name, switched to a
write-ahead log, and renamed. So ptpfast never has a `-journal` file beside it. SQLite would replay
such a file, even one that deletes other files. So it is renamed before SQLite sees it. `-wal` and
`-shm` are SQLite's, and several processes share them. What else has these names is renamed, and so
is a log that `catalog_log` finds not to be the catalog's.
"""

from __future__ import annotations

import errno
import logging
import os
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ..ownership import files, folders, private
from ..ownership.names import (
    CATALOG_ASIDE,
    CATALOG_NAME,
    INDEX_COMPANIONS,
    is_random_name,
    random_name,
)
from ..ownership.readback import open_regular
from ..ownership.sameness import stands_for
from . import catalog_log
from .databases import restrain
from .places import user_folder

if TYPE_CHECKING:
    import sqlite3

log: logging.Logger = logging.getLogger("ptpfast")

APPLICATION = 0x50545043  # "PTPC": tells the file from other programs' SQLite files
BUSY_S = 2.0  # for another process's transaction, which takes some milliseconds
MOST_ASIDE = 1000
_WAL = b"\x02\x02"  # SQLite's file format with a write-ahead log
_HEADER = 100  # bytes of an SQLite file

# What makes each version of the schema of the one before; the last one is today's. Text that other
# programs or cameras have written is in BLOBs: it may be no UTF-8.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE body (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE)",
        "CREATE TABLE folder (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE)",
        "CREATE TABLE object (id INTEGER PRIMARY KEY, body INTEGER NOT NULL, "
        "storage INTEGER NOT NULL, path BLOB NOT NULL, size INTEGER, captured TEXT NOT NULL, "
        "modified TEXT NOT NULL, sha256 TEXT, fetched INTEGER NOT NULL)",
        "CREATE INDEX object_of ON object (body, path)",
        "CREATE TABLE file (id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, name BLOB NOT NULL, "
        "object INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, "
        "UNIQUE (folder, name))",
        "CREATE INDEX file_of ON file (object)",
    ),
    # Each transaction counts: so each write-ahead log tells which catalog it belongs to.
    (
        "CREATE TABLE origin (mark BLOB NOT NULL, changes INTEGER NOT NULL)",
        "INSERT INTO origin VALUES (randomblob(16), 0)",
    ),
)
SCHEMA = len(MIGRATIONS)


class Damaged(ValueError):
    """The file is damaged, or ptpfast did not write it."""


class Newer(Exception):
    """A newer version of ptpfast wrote the file; it is neither used nor changed."""


class _Held:
    """The open file of a catalog, one for all its connections in this process.

    When a process closes a file, the system drops all locks that the process has on it, also those
    of another connection of SQLite. Another process would then delete the log that is in use.
    """

    __slots__ = ("__weakref__", "descriptor")

    def __init__(self, path: Path) -> None:
        self.descriptor = open_regular(path)


_held: WeakValueDictionary[tuple[int, int], _Held] = WeakValueDictionary()


class Opened:
    """An open catalog.

    Attributes:
        database: Its connection.
        note: What the user must know of it, in a sentence; '' for nothing.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, held: _Held, note: str) -> None:
        self.database = database
        self.note = note
        self._path = path
        self._held: _Held | None = held

    @property
    def size(self) -> int:
        """Bytes of the file and its write-ahead log."""
        sizes = []
        for tail in ("", "-wal"):
            with suppress(FileNotFoundError):
                sizes.append(os.stat(f"{self._path}{tail}").st_size)
        return sum(sizes)

    def is_gone(self) -> bool:
        """Return whether the path is that of another file now, or of none. OSError."""
        return self._held is None or not stands_for(self._path, self._held.descriptor.number)

    def close(self) -> None:
        """Close it. sqlite3.Error."""
        try:
            self.database.close()
        finally:
            self._held = None


def folder() -> Path:
    """Return the folder of the catalog: PTPFAST_DATA, or the user's data folder. RuntimeError for
    a user without a home."""
    mac = "Library/Application Support"
    return user_folder("PTPFAST_DATA", mac, "XDG_DATA_HOME", ".local/share")


def path() -> Path:
    """Return the path of the catalog. RuntimeError for a user without a home."""
    return Path(os.path.abspath(folder())) / CATALOG_NAME


def open_file(path: Path, until: list[float], *, create: bool) -> Opened | None:
    """Open the catalog; create it if `create` is true. Return None if there is none.

    Args:
        path: Its path.
        until: `until[0]` is when statements are interrupted, by `time.monotonic`.
        create: Create it if there is none.

    Raises:
        Damaged, Newer: The file cannot be used.
        OSError, sqlite3.Error: The disk or the folder refuses.
    """
    if create:
        folders.make(path.parent, 0o700)
    elif not os.path.lexists(path):
        return None
    folder = os.fspath(path.parent)
    if why := files.why_not_private(folder):
        raise PermissionError(errno.EPERM, f"{why}; set its rights, or PTPFAST_DATA", folder)
    # In turn: a log that is left is looked at by one process, and not while another opens it.
    with folders.turn(path.parent, BUSY_S, once=True) as alone:
        _keep_away(path)
        if not os.path.lexists(path):
            _make(path, until, tidy=bool(alone))
        held, is_first = _look(path)
        is_left = alone and is_first and catalog_log.is_left(path)
        note = _prove_log(path, held) if is_left else ""
        is_fixed = _is_fixed(path)
        database = connect(path, until, "mode=ro&immutable=1" if is_fixed else "mode=rw")
        try:
            if not is_fixed:
                _migrate(database)
            elif _check(database) != SCHEMA:
                raise PermissionError(errno.EROFS, "an older version wrote it, read-only", folder)
        except BaseException:
            database.close()
            raise
        return Opened(path, database, held, note)


def set_aside(path: Path) -> Path:
    """Rename the file and SQLite's files beside it, and return the new path. OSError."""
    with folders.turn(path.parent, BUSY_S):
        to = _free_name(path)
        for tail in ("", *INDEX_COMPANIONS):
            private.set_aside(f"{path}{tail}", f"{to}{tail}")
    return to


def _free_name(path: Path) -> Path:
    for number in range(1, MOST_ASIDE):
        to = path.with_name(CATALOG_ASIDE.format(number))
        if not any(os.path.lexists(f"{to}{tail}") for tail in ("", *INDEX_COMPANIONS)):
            return to
    raise FileExistsError(errno.EEXIST, "there are too many damaged catalogs", path.parent)


def _keep_away(path: Path) -> None:
    """Rename what SQLite must not open beside the catalog. OSError."""
    for tail in INDEX_COMPANIONS:
        try:
            status = os.lstat(f"{path}{tail}")
        except FileNotFoundError:  # another process has just closed it
            continue
        why = files.foreign(status, os.fspath(path.parent))
        if why or tail == "-journal":
            _rename_companion(path, tail, why or "it is not from ptpfast")


def _rename_companion(path: Path, tail: str, why: str) -> str:
    to = f"{_free_name(path)}{tail}"
    private.set_aside(f"{path}{tail}", to)
    log.warning("%s%s is not used: %s; renamed to %s", path, tail, why, to)
    return to


def _prove_log(path: Path, held: _Held) -> str:
    """Rename a log that a killed process cannot have left; return what to tell. OSError."""
    _tidy(path.parent)  # a process that is killed here leaves copies
    with suppress(Newer):
        if why := catalog_log.why_not_ours(path, held.descriptor, connect, _check):
            to = _rename_companion(path, "-wal", why)
            return f"The log beside the catalog is not used ({why}) and was renamed to {to}."
    return ""


def _look(path: Path) -> tuple[_Held, bool]:
    """Check everything that must hold before SQLite reads the file. Return the open file, and
    whether it is the first connection of this process. Damaged, OSError."""
    status = os.lstat(path)
    if why := files.foreign(status, os.fspath(path.parent)):
        raise Damaged(f"{path.name}: {why}")
    known = _held.get((status.st_dev, status.st_ino))
    held = known or _Held(path)
    found = os.fstat(held.descriptor.number)
    _held[found.st_dev, found.st_ino] = held
    head = os.pread(held.descriptor.number, _HEADER, 0)
    if not head.startswith(b"SQLite format 3\0") or head[18:20] != _WAL:
        raise Damaged("it is no SQLite file with a write-ahead log")
    if int.from_bytes(head[68:72], "big") != APPLICATION:
        raise Damaged("another program has made it")
    return held, known is None


def _is_fixed(path: Path) -> bool:
    """Return whether the catalog stays as it is, since its folder is read-only, and is whole
    without a log. SQLite would not read it: it makes files beside it to do so."""
    if os.access(path.parent, os.W_OK):
        return False
    return not any(os.path.lexists(f"{path}{tail}") for tail in INDEX_COMPANIONS)


def connect(path: Path, until: list[float], how: str = "mode=rw") -> sqlite3.Connection:
    """Open an existing SQLite file. sqlite3.Error."""
    import sqlite3

    address = f"{path.as_uri()}?{how}"
    database = sqlite3.connect(
        address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        restrain(database, until)
    except BaseException:
        database.close()
        raise
    return database


def _make(path: Path, until: list[float], *, tidy: bool) -> None:
    """Create an empty catalog; another process may do the same and be first. OSError."""
    if tidy:
        _tidy(path.parent)
    temporary = random_name(os.fspath(path.parent))
    try:
        files.create(temporary, 0o600).close()
        with closing(connect(Path(temporary), until)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            _migrate(database)
        if not os.path.lexists(path):  # another process may have been first
            for tail in INDEX_COMPANIONS:  # of a file that is gone: SQLite would apply them
                files.discard(f"{path}{tail}")
            private.set_aside(temporary, path)
    finally:
        for tail in ("", *INDEX_COMPANIONS):
            with suppress(OSError):
                files.discard(f"{temporary}{tail}")


def _tidy(folder: Path) -> None:
    """Remove the files of a process that was killed while it created or copied a catalog.
    OSError."""
    for entry in os.listdir(folder):
        name = entry
        for tail in INDEX_COMPANIONS:
            name = name.removesuffix(tail)
        if is_random_name(name):
            files.discard(folder / entry)


def _migrate(database: sqlite3.Connection) -> None:
    """Migrate the tables to the current schema. Damaged, Newer, sqlite3.Error."""
    if _check(database) == SCHEMA:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_check(database), SCHEMA):  # another process may have been first
            for statement in MIGRATIONS[version]:
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {version + 1}")
        database.execute("COMMIT")
    except BaseException:
        with suppress(Exception):
            database.execute("ROLLBACK")
        raise


def _check(database: sqlite3.Connection) -> int:
    """Check that the tables match the version of the schema; return the version."""
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        raise Newer(f"its schema is {version}; this version of ptpfast knows up to {SCHEMA}")
    if version < 0 or _tables(database) != _expected(version):
        raise Damaged("it has other tables")
    return int(version)


def _tables(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL LIMIT 100")
    return sorted(str(sql) for (sql,) in rows)


@cache
def _expected(version: int) -> list[str]:
    import sqlite3

    with closing(sqlite3.connect(":memory:")) as database:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                database.execute(statement)
        return _tables(database)
