"""Comparison of files by name, also where inode numbers are useless.

Some FUSE and network filesystems invent an inode number at each call, or have one for all files.
"""

from __future__ import annotations

import os
from collections.abc import Callable

_LOOKS = 100  # at a file that is written to; each takes some microseconds


def is_same(path: str | os.PathLike[str], other: os.stat_result) -> bool:
    """Return whether `path` is the file of the stat result `other`; links are not followed.

    Raises:
        OSError: there is no such file.
    """
    status = os.lstat(path)
    if _traits(status) != _traits(other):
        return False
    return status.st_ino == other.st_ino or os.lstat(path).st_ino != status.st_ino


def _traits(status: os.stat_result) -> tuple[int, ...]:
    """Return values that all names of a file share. No program can set the last change."""
    return (
        status.st_dev,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def stands_for(path: str | os.PathLike[str], fd: int) -> bool:
    """Return whether the name is that of the open file. A missing name is not."""
    try:
        return are_same(path, lambda: os.fstat(fd))
    except FileNotFoundError:
        return False


def are_same(path: str | os.PathLike[str], look: Callable[[], os.stat_result]) -> bool:
    """Return whether `path` is the file or folder that `look` returns the status of.

    Another thread may write to it meanwhile, and change what two looks are compared by.

    Raises:
        OSError: there is no such file.
    """
    for _ in range(_LOOKS):
        status = look()
        if is_same(path, status):
            return True
        if _traits(look()) == _traits(status):
            return False  # it did not change, and the name has another file
    return False
