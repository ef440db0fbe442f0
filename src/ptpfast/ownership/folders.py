"""Folders: make one, detect that it was replaced, and lock it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..engine.errors import SinkError, disk_error
from ..engine.sink import Descriptor
from .files import lock
from .markers import is_marked, marker

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_PAUSE_S = 0.005
_held_by_others: set[tuple[int, int]] = set()


class Held:
    """A folder, held open from its first use on.

    `check` detects that it was renamed, removed or replaced: files written by its path would then
    go elsewhere.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open the folder. Raises OSError."""
        self._folder = os.fspath(folder)
        self._open = Descriptor(self._folder, _FOLDER)

    def check(self) -> None:
        """Raise SinkError if the path no longer leads to the folder."""
        try:
            found = os.stat(self._folder)
            same = os.path.samestat(found, os.fstat(self._open.number)) or self._finds_a_marker()
        except (FileNotFoundError, NotADirectoryError):
            same = False
        except OSError as error:
            raise disk_error("look at", self._folder, error) from error
        if not same:
            raise SinkError(
                f"{self._folder} has been renamed, removed or replaced during the run",
                errno=errno.ESTALE,
                hint="put the folder back and run it again; files that are complete stay in it",
            )

    def _finds_a_marker(self) -> bool:
        """Return whether a marker file is there, for filesystems without stable inode numbers."""
        try:
            with marker(self._folder) as (name, token):
                return is_marked(name, token, folder_fd=self._open.number)
        except OSError:
            return False

    def close(self) -> None:
        """Close the folder. Safe to call twice."""
        self._open.close()


def make(folder: str | os.PathLike[str], mode: int = 0o777) -> None:
    """Make a folder and its parents; an existing one is fine. `mode` is that of the last.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = os.fspath(folder)
    try:
        os.mkdir(folder, mode)
    except FileNotFoundError:
        parent = os.path.dirname(folder.rstrip("/"))
        if not parent or parent == folder:
            raise
        make(parent)
        with suppress(FileExistsError):
            os.mkdir(folder, mode)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise


@contextmanager
def turn(
    folder: str | os.PathLike[str], most_s: float, *, once: bool = False
) -> Iterator[bool | None]:
    """Take the package's lock on a folder.

    Yields True while the lock is held, False if the filesystem has no locks, None if another
    process held it for all of `most_s` seconds. The folder is locked, not a file, because a file
    may be replaced. once: do not wait again for a folder that timed out before. OSError if the
    folder cannot be opened.
    """
    alone: bool | None = None
    with Descriptor(folder, _FOLDER) as held:
        status = os.fstat(held.number)
        key = status.st_dev, status.st_ino
        until = time.monotonic() + (0 if once and key in _held_by_others else most_s)
        while alone is None:
            try:
                alone = lock(held.number)
            except BlockingIOError:
                if time.monotonic() > until:
                    _held_by_others.add(key)  # locked for long by another process: waited for once
                    break
                time.sleep(_PAUSE_S)
        yield alone
