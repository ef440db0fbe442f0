"""The SQLite file of the catalog: create, open and migrate it, or rename an unusable one.

Only this user can write to its folder. The file is created under a temporary name, switched to a
write-ahead log, and renamed. So ptpfast never has a `-journal` file beside it. SQLite would replay
such a file, even one that deletes other files. So it is renamed before SQLite sees it. `-wal` and
`-shm` are SQLite's, and several processes share them.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..ownership import files, folders, private
from ..ownership.names import (
    CATALOG_ASIDE,
    CATALOG_NAME,
    INDEX_COMPANIONS,
    is_random_name,
    random_name,
)
from ..ownership.readback import read_back
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
)
SCHEMA = len(MIGRATIONS)


class Damaged(Exception):
    """The file is damaged, or ptpfast did not write it."""


class Newer(Exception):
    """A newer version of ptpfast wrote the file; it is neither used nor changed."""


def folder() -> Path:
    """Return the folder of the catalog: PTPFAST_DATA, or the user's data folder. RuntimeError for
    a user without a home."""
    mac = "Library/Application Support"
    return user_folder("PTPFAST_DATA", mac, "XDG_DATA_HOME", ".local/share")


def path() -> Path:
    """Return the path of the catalog. RuntimeError for a user without a home."""
    return Path(os.path.abspath(folder())) / CATALOG_NAME


def open_file(path: Path, *, create: bool) -> sqlite3.Connection | None:
    """Open the catalog; create it if `create` is true. Return None if there is none.

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
    _keep_journal_away(path)
    if not os.path.lexists(path):
        _make(path)
    _look(path)
    database = connect(path)
    try:
        _migrate(database)
    except BaseException:
        database.close()
        raise
    return database


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


def _keep_journal_away(path: Path) -> None:
    journal = f"{path}-journal"
    if os.path.lexists(journal):
        with folders.turn(path.parent, BUSY_S):
            to = f"{_free_name(path)}-journal"
            private.set_aside(journal, to)
        log.warning("%s is not from ptpfast; renamed to %s", journal, to)


def _look(path: Path) -> None:
    """Check everything that must hold before SQLite reads the file. Damaged, OSError."""
    for tail in ("", "-wal", "-shm"):
        try:
            status = os.lstat(f"{path}{tail}")
        except FileNotFoundError:  # another process has just closed it
            continue
        if why := files.foreign(status, os.fspath(path.parent)):
            raise Damaged(f"{path.name}{tail}: {why}")
    head = read_back(path, _HEADER)
    if not head.startswith(b"SQLite format 3\0") or head[18:20] != _WAL:
        raise Damaged("it is no SQLite file with a write-ahead log")
    if int.from_bytes(head[68:72], "big") != APPLICATION:
        raise Damaged("another program has made it")


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing SQLite file. sqlite3.Error."""
    import sqlite3

    address = f"{path.as_uri()}?mode=rw"
    database = sqlite3.connect(
        address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        for setting in (
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "synchronous = NORMAL",  # a power cut can cost the last records, and nothing else
            "temp_store = MEMORY",
        ):
            database.execute(f"PRAGMA {setting}")
    except BaseException:
        database.close()
        raise
    return database


def _make(path: Path) -> None:
    """Create an empty catalog; another process may do the same and be first. OSError."""
    with folders.turn(path.parent, BUSY_S) as alone:
        if alone:
            _tidy(path.parent)
        temporary = random_name(os.fspath(path.parent))
        try:
            files.create(temporary, 0o600).close()
            with closing(connect(Path(temporary))) as database:
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
    """Remove the files of a process that was killed while it created a catalog. OSError."""
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


def limit_time(database: sqlite3.Connection, until: list[float]) -> None:
    """Interrupt queries after `until[0]` (`time.monotonic`).

    A query on a damaged file may never end.
    """
    database.set_progress_handler(lambda: time.monotonic() > until[0], 10_000)
