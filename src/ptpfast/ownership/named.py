"""Write files that the user has named."""

from __future__ import annotations

import errno
import os
import stat

from .files import permit, replacing
from .followed import MOST_LINKS


def write_named(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file that the user has named, completely or not at all. Raises OSError.
    It replaces only a regular file, and keeps its rights."""
    _refuse_links_of_others(os.fspath(path))
    try:
        status = os.stat(path)  # a link the user has put there is the user's wish
        mode = status.st_mode & 0o777
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
    except FileNotFoundError:
        mode = None
    with replacing(os.path.realpath(path), _nothing, key=str(os.getpid())) as fd:
        if mode is not None:
            permit(fd, mode)
        with open(fd, "wb", closefd=False) as file:
            file.write(content)


def _refuse_links_of_others(path: str) -> None:
    """Raise OSError for a link that another user has made: it may lead to any file of this one."""
    for _ in range(MOST_LINKS):
        try:
            status = os.lstat(path)
        except OSError:
            return
        if not stat.S_ISLNK(status.st_mode):
            return
        if status.st_uid not in (os.geteuid(), 0):
            raise OSError(errno.EPERM, "it is a symbolic link of another user", path)
        path = os.path.join(os.path.dirname(path), os.readlink(path))


def _nothing(fd: int) -> bool:
    return not os.fstat(fd).st_size
