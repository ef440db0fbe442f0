"""Rename files of the package in folders that this user alone can write to."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from .files import why_not_private


def set_aside(path: str | os.PathLike[str], to: str | os.PathLike[str]) -> None:
    """Rename a file of the package in one of its private folders to a name that is free there; a
    missing file is fine.

    OSError, also if other users can write to the folder.
    """
    folder = os.path.dirname(path)
    if why := why_not_private(folder):
        raise PermissionError(errno.EPERM, f"{why}; it is left alone", folder)
    if os.path.lexists(to):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(to))
    with suppress(FileNotFoundError):
        os.rename(path, to)
