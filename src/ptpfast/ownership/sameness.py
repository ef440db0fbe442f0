"""Whether two names are those of one file, also where inode numbers tell nothing.

Some FUSE and network filesystems invent an inode number at each look, or have one for all files.
"""

from __future__ import annotations

import os


def is_same(path: str | os.PathLike[str], other: os.stat_result) -> bool:
    """Whether `path` is of the file that `other` has just told of; links are not followed. OSError
    when there is none."""
    status = os.lstat(path)
    if _traits(status) != _traits(other):
        return False
    return status.st_ino == other.st_ino or os.lstat(path).st_ino != status.st_ino


def _traits(status: os.stat_result) -> tuple[int, ...]:
    """Return what all names of a file share. No program can set the time of the last change."""
    return (
        status.st_dev,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def stands_for(path: str | os.PathLike[str], fd: int) -> bool:
    """Whether the name is that of the open file. A missing name is not."""
    try:
        return is_same(path, os.fstat(fd))
    except FileNotFoundError:
        return False
