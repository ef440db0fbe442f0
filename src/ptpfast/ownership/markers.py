"""Marker files, which identify a folder if paths and inode numbers do not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .files import create, lock, open_ours, remove_open
from .names import is_random_name, random_name

_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TOKEN_SIZE = 32


@contextmanager
def marker(folder: str) -> Iterator[tuple[str, bytes]]:
    """Create a marker file in a folder; yield its name and its unguessable content, then remove it.

    The name is new each time, because an overlay remembers which names were missing. A marker left
    by a killed process is removed. OSError.
    """
    _tidy(folder)
    path = random_name(folder)
    with create(path, 0o600) as held:
        token = os.urandom(_TOKEN_SIZE // 2).hex().encode()
        try:
            with suppress(BlockingIOError):  # a living process's is locked
                lock(held.number)
            os.pwrite(held.number, token, 0)
            yield os.path.basename(path), token
        finally:
            with suppress(OSError):
                remove_open(path, held)


def is_marked(path: str | os.PathLike[str], token: bytes, *, folder_fd: int | None = None) -> bool:
    """Return whether the marker exists, by a path or by its name in an open folder."""
    try:
        fd = os.open(path, _LOOK, dir_fd=folder_fd)
    except OSError:
        return False
    try:
        return os.pread(fd, _TOKEN_SIZE + 1, 0) == token
    except OSError:
        return False
    finally:
        os.close(fd)


def _tidy(folder: str) -> None:
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if is_random_name(entry.name)]
    for path in left:
        with suppress(OSError), open_ours(path, os.O_RDWR) as held:
            if lock(held.number) and os.fstat(held.number).st_size in (0, _TOKEN_SIZE):
                remove_open(path, held)
