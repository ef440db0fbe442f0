"""SQLite on files that are untrusted input: limits of size and time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

LONGEST_VALUE = 1 << 20  # bytes of a value or a row; a path has 64 KiB at most
_STEPS = 10_000  # of SQLite's machine, some 0.1 ms, between two looks at the clock
_SETTINGS = (
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "synchronous = NORMAL",  # a power cut can cost the last transaction, and nothing else
    "temp_store = MEMORY",
)


def restrain(database: sqlite3.Connection, until: list[float]) -> None:
    """Set the limits of a connection, before its first statement. sqlite3.Error.

    A damaged file can have a value of 1 GB, and tables that never end.

    Args:
        database: the connection.
        until: `until[0]` is when statements are interrupted, by `time.monotonic`.
    """
    import sqlite3

    database.text_factory = lambda raw: raw.decode()  # UnicodeDecodeError, not OperationalError
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    database.set_progress_handler(lambda: time.monotonic() > until[0], _STEPS)
    for setting in _SETTINGS:
        database.execute(f"PRAGMA {setting}")
