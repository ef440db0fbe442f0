"""Read a file that symbolic links lead to, if no other user can have made or changed them.

`ptpfast` follows no link to a file of its own. The settings are the exception: many people keep
them in a repository, and link to it.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from .readback import open_regular, read_back

MOST_LINKS = 40  # as Linux follows
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NotFollowed(OSError):
    """A symbolic link is not followed. `hint`: what the user can do about it."""

    def __init__(self, number: int, why: str, path: str, hint: str) -> None:
        super().__init__(number, why, path)
        self.hint = hint


def read_followed(path: Path | str, most: int) -> bytes:
    """Return at most `most` bytes of a regular file, also if symbolic links lead to it.

    Links are followed only where every link, every folder and the file itself belong to this user
    or to root, and no other user can write to them.

    Args:
        path: the file, or a link to it.
        most: the number of bytes.

    Raises:
        NotFollowed: others could have changed what would be read, or there is nothing.
        OSError: as `read_back`.
    """
    try:
        return read_back(path, most)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    place = _target(os.path.abspath(path))
    with open_regular(place) as held, open(held.number, "rb", closefd=False) as file:
        status = os.fstat(held.number)
        _check(place, status)
        return file.read(min(most, status.st_size))


def _target(path: str) -> str:
    """Return where a link leads to, without links. Each folder is checked before it is used, so no
    other user can put something else there meanwhile."""
    at, rest, links = os.sep, path.split(os.sep)[::-1], 0
    _check(at, os.lstat(at))
    while rest:
        name = rest.pop()
        if name in ("", os.curdir):
            continue
        if name == os.pardir:
            at = os.path.dirname(at)
            continue
        here = os.path.join(at, name)
        status = _status(here)
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > MOST_LINKS:
                why = "it is a symbolic link that leads in a circle"
                raise NotFollowed(errno.ELOOP, why, path, "make it a file, or a link to one")
            _check(here, status)
            target = os.readlink(here)
            at = os.sep if target.startswith(os.sep) else at
            rest += target.split(os.sep)[::-1]
            continue
        at = here
        if rest:
            _check(at, status)
            if not stat.S_ISDIR(status.st_mode):
                why = f"it is a symbolic link, and {at} is not a folder"
                raise NotFollowed(errno.ENOTDIR, why, at, "have it lead to a file")
    return at


def _status(path: str) -> os.stat_result:
    try:
        return os.lstat(path)
    except FileNotFoundError as error:
        why = f"it is a symbolic link, and there is no {path}"
        raise NotFollowed(errno.ENOENT, why, path, "make that file, or remove the link") from error


def _check(path: str, status: os.stat_result) -> None:
    """Raise NotFollowed if others than this user and root could change what is there."""
    if status.st_uid not in (os.geteuid(), 0):
        why = f"it is a symbolic link, and {path} belongs to another user"
        raise NotFollowed(errno.EPERM, why, path, "copy the file to the place of the link")
    if stat.S_ISLNK(status.st_mode) or not status.st_mode & _OTHERS:
        return  # a link has no rights of its own
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return  # as /tmp: others cannot rename or remove what is not theirs
    why = f"it is a symbolic link, and other users can write to {path}"
    hint = f"run chmod go-w '{path}', or copy the file to the place of the link"
    raise NotFollowed(errno.EPERM, why, path, hint)
