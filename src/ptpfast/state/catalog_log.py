"""The write-ahead log that SQLite keeps beside the catalog.

A killed process leaves its log, with its last records. SQLite applies any valid log to any
database: a log of another one, or of an older copy, replaces the history. So a log that is left is
first applied to a copy of the catalog. If that is no catalog, or another one, the log is renamed
and the catalog stays as it is.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.sink import Descriptor
from ..ownership import files
from ..ownership.names import INDEX_COMPANIONS, random_name
from ..ownership.readback import blocks, open_regular

if TYPE_CHECKING:
    import sqlite3

log: logging.Logger = logging.getLogger("ptpfast")

Open = Callable[[Path, list[float]], "sqlite3.Connection"]
Check = Callable[["sqlite3.Connection"], object]
TRIAL_S = 10.0  # for a small catalog
SLOWEST = 4 << 20  # bytes of it that are read in a second
MOST = 1 << 30  # bytes of a catalog or a log that are copied; a log has some MiB
_IN_USE = 128  # the byte of `-shm` that SQLite keeps locked while the database is open


def is_left(path: Path) -> bool:
    """Return whether a log is beside the catalog that no process uses. OSError.

    This process must not have the catalog open: closing `-shm` would drop SQLite's locks.
    """
    try:
        status = os.lstat(f"{path}-wal")
    except FileNotFoundError:
        return False
    return bool(status.st_size) and stat.S_ISREG(status.st_mode) and not _is_in_use(path)


def _is_in_use(path: Path) -> bool:
    try:
        with files.open_ours(f"{path}-shm", os.O_RDWR) as shared:
            fcntl.lockf(shared.number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _IN_USE)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def why_not_ours(path: Path, held: Descriptor, open: Open, check: Check) -> str:
    """Return why the log beside a catalog is not the log of this catalog, else ''.

    Args:
        path: The catalog.
        held: The catalog, open for reading.
        open: Opens a database, until a time.
        check: Checks that a database is a catalog. It raises ValueError if not.

    Raises:
        OSError, sqlite3.OperationalError: The disk refuses the copy, which tells nothing of the
            log.
    """
    try:
        tail = open_regular(f"{path}-wal")
    except FileNotFoundError:  # the process that has used it has just closed the catalog
        return ""
    with tail:
        return _why_not(path, held, tail, open, check)


def _why_not(path: Path, held: Descriptor, tail: Descriptor, open: Open, check: Check) -> str:
    import sqlite3

    copy = Path(random_name(os.fspath(path.parent)))
    try:
        os.lseek(held.number, 0, os.SEEK_SET)
        size = _copy(held, copy)
        until = [time.monotonic() + TRIAL_S + size / SLOWEST]
        before = None
        try:
            before = _origin(copy, until, open)
        except (sqlite3.DatabaseError, ValueError) as error:  # killed while it applied the log
            _raise_if_refused(error)
        until[0] += _copy(tail, Path(f"{copy}-wal")) / SLOWEST
        with closing(open(copy, until)) as database:
            check(database)
            if database.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                return "it belongs to another state of the catalog"
        after = _origin(copy, until, open)
        if before is not None and (after is None or after[0] != before[0] or after[1] < before[1]):
            return "it belongs to another catalog"
    except (sqlite3.DatabaseError, ValueError) as error:
        _raise_if_refused(error)
        return str(error)
    finally:
        for name in ("", *INDEX_COMPANIONS):
            with suppress(OSError):
                files.discard(f"{copy}{name}")
    return ""


def _raise_if_refused(error: Exception) -> None:
    """Raise an error again that is the disk's, and not of what is on it."""
    import sqlite3

    refusals = (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_BUSY,
    )
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in refusals:  # without its extension
        raise error


def _copy(held: Descriptor, to: Path) -> int:
    """Copy the rest of an open file to a new one; return its size. OSError, ValueError."""
    size = 0
    if (whole := os.fstat(held.number).st_size) > MOST:
        raise ValueError(f"{whole:,} bytes are too many")
    with files.create(os.fspath(to), 0o600) as new:
        for block in blocks(held):
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(new.number, rest) :]
            size += len(block)
    return size


def _origin(path: Path, until: list[float], open: Open) -> tuple[bytes, int] | None:
    """Return the mark of a catalog and its number of changes; None for an old one. sqlite3.Error,
    ValueError."""
    import sqlite3

    with closing(open(path, until)) as database:
        try:
            mark, changes = database.execute("SELECT mark, changes FROM origin LIMIT 1").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
        except TypeError:
            raise ValueError("it has no mark") from None
    if type(mark) is not bytes or type(changes) is not int:
        raise ValueError("its mark is none")
    return mark, changes
