"""The catalog: a record of every fetched object, its camera body, and its stored files.

It answers two questions: is a file in a folder a certain object, and was an object ever fetched?
Without the catalog, files are known by name, size and date. So an error here never ends a run: it
is logged, and `notes` has what the user must know. A damaged catalog is renamed, never deleted.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import catalog_file
from .catalog_file import Damaged, Newer
from .fetched import (
    UNKNOWN_BODY,
    Fetched,
    Implausible,
    Record,
    Stored,
    file_row,
    from_file_row,
    from_row,
    to_row,
)

if TYPE_CHECKING:
    import sqlite3

log: logging.Logger = logging.getLogger("ptpfast")

LONGEST_S = 10.0  # for one question; 100,000 records are read in less than one
SLOWEST = 1 << 20  # bytes of the file that are read or changed in a second, when all of it is
LEAST_ROW = 16  # bytes of a record in the file; a file whose tables never end seems to have more
HURRIED_MS = 5  # for another process's transaction, once one has taken too long
MOST_SEEN = 1000  # objects of one path and body
REBUILD = "ptpfast history rebuild FOLDER"
_OBJECT = (
    "body.identity, object.storage, object.path, object.size, object.captured, object.modified, "
    "object.sha256, object.fetched"
)
_FILE = "folder.path, file.name, file.size, file.mtime_ns"
_FROM = (
    "FROM object JOIN body ON body.id = object.body "
    "LEFT JOIN file ON file.object = object.id LEFT JOIN folder ON folder.id = file.folder "
)
_RECORDS = f"SELECT object.id, {_OBJECT}, file.id, {_FILE} {_FROM}"


class Catalog:
    """The catalog of this user, opened on first use. Any thread may use it.

    Attributes:
        path: The file; None for a user without a home.
        notes: Sentences that the user must read.
        why: Why the catalog cannot be used; '' if it can.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.why: str = ""
        self.path: Path | None = None
        self._file: catalog_file.Opened | None = None
        self._until = [0.0]
        self._lock = threading.RLock()
        self._was_damaged = False
        self._logged: set[str] = set()
        try:
            self.path = catalog_file.path()
        except RuntimeError as error:
            self._give_up(str(error))
        if find_spec("_sqlite3") is None:
            self._give_up("this Python has no SQLite")

    def close(self) -> None:
        """Close the file. Safe to call twice; never raises."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(Exception):
                file.close()

    @property
    def _database(self) -> sqlite3.Connection | None:
        return self._file.database if self._file is not None else None

    def prepare(self) -> bool:
        """Create the catalog if there is none; return whether it can be used."""
        with self._guarded("open"):
            self._opened(create=True)
        return not self.why and self._database is not None

    def at(self, folder: str, name: str) -> tuple[Fetched, Stored] | None:
        """Return the record of a file in a folder; None if there is none."""
        with self._guarded("read"):
            if (database := self._opened()) is None:
                return None
            row = database.execute(
                f"SELECT {_OBJECT}, {_FILE} FROM file JOIN folder ON folder.id = file.folder "
                "JOIN object ON object.id = file.object JOIN body ON body.id = object.body "
                "WHERE folder.path = ? AND file.name = ?",
                (os.fsencode(folder), os.fsencode(name)),
            ).fetchone()
            if row is not None:
                return from_row(row[0], row[1:8]), from_file_row(row[8:])
        return None

    def seen(self, identity: str, path: str) -> list[Fetched]:
        """Return the objects with that path that were fetched from a body."""
        with self._guarded("read"):
            if (database := self._opened()) is not None:
                rows = database.execute(
                    f"SELECT {_OBJECT} FROM object JOIN body ON body.id = object.body "
                    "WHERE body.identity = ? AND object.path = ? LIMIT ?",
                    (identity, path.encode(errors="surrogatepass"), MOST_SEEN),
                )
                return [from_row(row[0], row[1:]) for row in rows]
        return []

    def files_of(self, identity: str, path: str) -> list[Stored]:
        """Return the files of the objects with that path that were fetched from a body."""
        with self._guarded("read"):
            if (database := self._opened()) is not None:
                rows = database.execute(
                    f"SELECT {_FILE} FROM object JOIN body ON body.id = object.body "
                    "JOIN file ON file.object = object.id JOIN folder ON folder.id = file.folder "
                    "WHERE body.identity = ? AND object.path = ? LIMIT ?",
                    (identity, path.encode(errors="surrogatepass"), MOST_SEEN),
                )
                return [from_file_row(row) for row in rows]
        return []

    def names_in(self, identity: str, folder: str) -> list[tuple[str, str]]:
        """Return (path on the card, file name) of a body's files in a folder."""
        with self._guarded("read"):
            if (database := self._opened()) is not None:
                rows = database.execute(
                    "SELECT object.path, file.name FROM folder "
                    "JOIN file ON file.folder = folder.id JOIN object ON object.id = file.object "
                    "JOIN body ON body.id = object.body "
                    "WHERE folder.path = ? AND body.identity = ?",
                    (os.fsencode(folder), identity),
                )
                return [_named(*row) for row in self._counted(rows)]
        return []

    def store(self, items: Iterable[tuple[Fetched, Stored]]) -> int:
        """Record objects and their files in one transaction; return how many were recorded."""
        with self._guarded("write"):
            if (database := self._opened(create=True)) is not None:
                return _store(database, items)
        return 0

    def records(self) -> Iterator[Record]:
        """Yield all records, the newest first."""
        with self._guarded("read"):
            if (database := self._opened()) is None:
                return
            self._take_time()
            some = f"SELECT count(*) FROM (SELECT 1 {_FROM}LIMIT ?)"  # sorting takes all at once
            (count,) = database.execute(some, (self._most_rows() + 1,)).fetchone()
            self._check_count(count)
            self._until[0] = float("inf")  # the caller may take its time
            # Rows of an object with several files come together.
            for row in database.execute(_RECORDS + "ORDER BY object.fetched DESC, object.id DESC"):
                file = from_file_row(row[10:]) if row[9] is not None else None
                yield Record(row[0], from_row(row[1], row[2:9]), row[9], file)

    def forget(self, is_meant: Callable[[Record], bool]) -> int:
        """Delete the records for which `is_meant` is true, and return how many.

        An object is forgotten together with its last file.
        """
        meant = [record for record in self.records() if is_meant(record)]
        with self._guarded("write"):
            if meant and (database := self._opened()) is not None:
                self._take_time()
                _forget(database, meant)
                return len(meant)
        return 0

    def _opened(self, *, create: bool = False) -> sqlite3.Connection | None:
        if self.why or self.path is None:
            return None
        if self._file is not None and self._file.is_gone():
            log.warning("the catalog %s has been replaced or removed during the run", self.path)
            self.close()
        if self._file is None:
            self._file = catalog_file.open_file(self.path, self._until, create=create)
            if self._file is not None and self._file.note:
                self.notes.append(self._file.note)
        return self._database

    def _take_time(self) -> None:
        """Allow for a question about all of the file."""
        if self._file is not None:
            self._until[0] += self._file.size / SLOWEST

    def _most_rows(self) -> int:
        return self._file.size // LEAST_ROW if self._file is not None else 0

    def _check_count(self, count: int) -> None:
        if count > self._most_rows():
            raise Implausible("it has more rows than it has room for")

    def _counted(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield rows, up to as many as the file can have. Raises Implausible."""
        most = self._most_rows()
        for count, row in enumerate(rows, 1):
            if count > most:
                self._check_count(count)
            yield row

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        """Take the lock, and handle every error of the file or the disk."""
        # A run stores files on one thread and their copies on another.
        with self._lock, self._handling(doing):
            self._until[0] = time.monotonic() + LONGEST_S
            yield

    @contextmanager
    def _handling(self, doing: str) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except (Damaged, Implausible, UnicodeError) as error:
            self._set_aside(str(error))
        except Newer as error:
            self.notes.append(f"The catalog {self.path} is not used: {error}.")
            self._give_up(str(error))
        except sqlite3.OperationalError as error:  # locked, full, read-only, not to be opened
            # A lock or a slow disk takes its time, too, and says nothing about the file.
            code = getattr(error, "sqlite_errorcode", 0)
            if code == sqlite3.SQLITE_INTERRUPT:
                self._set_aside("reading it takes too long")
            elif code == sqlite3.SQLITE_ERROR:  # the statements are right, so the tables are not
                self._set_aside(str(error))
            else:
                self._log(doing, error)
                self._hurry()
        except sqlite3.DatabaseError as error:
            self._set_aside(str(error))
        except OSError as error:
            self._log(doing, error)

    def _log(self, doing: str, error: Exception) -> None:
        text = f"cannot {doing} the catalog {self.path}: {error}"
        if text not in self._logged:
            self._logged.add(text)
            log.warning("%s", text)
        if self._database is None:
            reason = error.strerror if isinstance(error, OSError) else None
            self.why = self.why or f"{self.path}: {reason or error}"

    def _hurry(self) -> None:
        """Wait no longer for other processes: one that holds the file may do so for hours."""
        if self._database is not None:
            with suppress(Exception):
                self._database.execute(f"PRAGMA busy_timeout = {HURRIED_MS}")

    def _set_aside(self, why: str) -> None:
        assert self.path is not None
        self.close()
        log.warning("the catalog %s cannot be used: %s", self.path, why)
        try:
            to = catalog_file.set_aside(self.path)
        except OSError as error:
            self.notes.append(f"The catalog {self.path} is damaged and not used ({why}).")
            self._give_up(f"{why}; it cannot be renamed: {error}")
            return
        self.notes.append(
            f"The catalog was damaged ({why}) and was renamed to {to}. Files are known by name, "
            f"size and date until you run '{REBUILD}'."
        )
        if self._was_damaged:
            self._give_up(why)
        self._was_damaged = True

    def _give_up(self, why: str) -> None:
        self.close()
        self.why = why
        log.debug("no catalog: %s", why)


def _named(path: object, name: object) -> tuple[str, str]:
    if type(path) is not bytes or type(name) is not bytes:
        raise Implausible("a row has a name that cannot be")
    return path.decode(errors="surrogatepass"), os.fsdecode(name)


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute("UPDATE origin SET changes = changes + 1")
        yield
        database.execute("COMMIT")
    except BaseException:
        with suppress(Exception):
            database.execute("ROLLBACK")
        raise


def _store(database: sqlite3.Connection, items: Iterable[tuple[Fetched, Stored]]) -> int:
    rows = []
    for item, file in items:
        try:
            rows.append((item.identity, to_row(item), file_row(file)))
        except (Implausible, UnicodeError) as error:
            log.debug("%s is not recorded: %s", item.path, error)
    with _transaction(database):
        numbers: dict[tuple[str, object], int] = {}
        for identity, row, stored in rows:
            for table, column, value in (
                ("body", "identity", identity),
                ("folder", "path", stored[0]),
            ):
                if (table, value) not in numbers:
                    numbers[table, value] = _number(database, table, column, value)
            _insert(database, numbers["body", identity], numbers["folder", stored[0]], row, stored)
    return len(rows)


def _forget(database: sqlite3.Connection, meant: Iterable[Record]) -> None:
    with _transaction(database):
        for record in meant:
            database.execute("DELETE FROM file WHERE id = ?", (record.file_number,))
            database.execute(
                "DELETE FROM object WHERE id = ? AND NOT EXISTS "
                "(SELECT 1 FROM file WHERE file.object = object.id)",
                (record.number,),
            )
        database.execute("DELETE FROM body WHERE id NOT IN (SELECT body FROM object)")
        database.execute("DELETE FROM folder WHERE id NOT IN (SELECT folder FROM file)")


def _insert(
    database: sqlite3.Connection,
    body: int,
    folder: int,
    row: tuple[object, ...],
    file: tuple[bytes, bytes, int, int],
) -> None:
    *described, sha256, fetched = row
    found = database.execute(
        "SELECT id FROM object WHERE body = ? AND path = ? AND storage = ? AND size IS ? "
        "AND captured = ? AND modified = ? LIMIT 1",
        (body, described[1], described[0], *described[2:]),
    ).fetchone()
    if found is not None:
        number = found[0]
        database.execute(
            "UPDATE object SET sha256 = coalesce(?, sha256), fetched = ? WHERE id = ?",
            (sha256, fetched, number),
        )
    else:
        number = database.execute(
            "INSERT INTO object (body, storage, path, size, captured, modified, sha256, fetched) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (body, *row),
        ).lastrowid
    database.execute(
        "INSERT OR REPLACE INTO file (folder, name, object, size, mtime_ns) VALUES (?, ?, ?, ?, ?)",
        (folder, file[1], number, *file[2:]),
    )


def _number(database: sqlite3.Connection, table: str, column: str, value: object) -> int:
    """Return the number of a row, which is made if it is missing."""
    database.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (value,))
    (number,) = database.execute(f"SELECT id FROM {table} WHERE {column} = ?", (value,)).fetchone()
    return int(number)


def is_known_body(item: Fetched) -> bool:
    """Return whether a record is a camera's, and not made from a folder."""
    return item.identity != UNKNOWN_BODY
