"""Names reach the disk with the folder they are in, not with the file."""

from __future__ import annotations

import errno
import os

from .._sink import Descriptor

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def sync_folder(folder: str, *, strict: bool = False) -> None:
    """The names in a folder to the disk, where the filesystem can. strict: OSError when it could
    and did not."""
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
            if strict and error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
