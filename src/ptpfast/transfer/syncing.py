"""Flushes of files and names to the disk. A name is flushed with its folder."""

from __future__ import annotations

import errno
import os

from ..engine.sink import Descriptor

# A filesystem that cannot flush says one of these; others mean that it did not succeed.
CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})
# Network filesystems answer so, too, where it is a folder.
_CANNOT_SYNC_FOLDER = CANNOT_SYNC | {errno.EBADF, errno.EISDIR, errno.EPERM, errno.EACCES}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def sync_file(fd: int) -> None:
    """Flush an open file to the disk. OSError if that fails; nothing if it is not supported."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise


def close_file(fd: int) -> None:
    """Close a file. OSError.

    NFS and many FUSE filesystems report a failed write only here.
    """
    try:
        os.close(fd)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise


def sync_folder(folder: str, *, strict: bool = False) -> None:
    """Flush the names in a folder to the disk; with `strict`, OSError if that fails."""
    try:
        held = Descriptor(folder, _FOLDER)
    except OSError:
        if strict:
            raise
        return
    with held:
        try:
            os.fsync(held.number)
        except OSError as error:
            if strict and error.errno not in _CANNOT_SYNC_FOLDER:
                raise
