"""Places for files: whether a folder is there, can be used, or is another one; and a new one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ...ownership import files, folders, sameness
from ...ptp.errors import SinkError, disk_error
from ...transfer.syncing import sync_folder


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one folder, also one that is still to be made."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return sameness.are_same(os.path.realpath(one), lambda: os.stat(other))
    except OSError:
        return False


def check(path: Path, *, writable: bool = True) -> None:
    """Whether the folder, or the nearest of its parents that is there, is one, and files can be
    made in it; makes nothing. SinkError names what stands in the way."""
    place = nearest(path)
    if not place.is_dir():
        raise folder_error(place, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    if writable:
        try:
            files.try_to_write(place)
        except OSError as error:
            raise folder_error(place, error) from error


def check_readable(path: Path) -> None:
    """Raise SinkError if the folder is there and its entries cannot be read."""
    try:
        os.scandir(path).close()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise folder_error(path, error) from error


def make(path: Path) -> None:
    """Create the folder and its parents. SinkError."""
    new = [place for place in (path, *path.parents) if not os.path.lexists(place)]
    try:
        folders.make(path)
    except OSError as error:
        raise folder_error(path, error) from error
    # A file is as safe as the names on the way to it.
    for place in reversed(new):
        sync_folder(os.fspath(place.parent))


def nearest(path: Path) -> Path:
    """Return the path, or its nearest existing parent. SinkError."""
    for place in (path, *path.parents):
        try:
            place.lstat()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        except OSError as error:
            raise folder_error(path, error) from error
        return place
    return path


def folder_error(path: Path, error: OSError) -> SinkError:
    """Return an error of the system about the destination as a SinkError."""
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        hint = "give a folder to download into"
        return SinkError(f"{path} is not a folder", errno=error.errno, hint=hint)
    return disk_error("write to", path, error, hint="choose another folder")
