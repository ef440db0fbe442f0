"""Reads of ptpfast's own files. Other programs can write there, so the content is untrusted."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..engine.sink import Descriptor

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_BLOCK = 1 << 20


def open_regular(path: Path | str) -> Descriptor:
    """Open a regular file for reading, never through a link.

    A FIFO would block and a device never end, so anything else raises OSError.
    """
    try:
        held = Descriptor(path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(held.number).st_mode):
        held.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return held


def read_back(path: Path | str, most: int) -> bytes:
    """Return at most `most` bytes from the start of a regular file. Raises OSError."""
    with open_regular(path) as held, open(held.number, "rb", closefd=False) as file:
        # `read` takes as much memory as it is asked for, before it reads.
        return file.read(min(most, os.fstat(held.number).st_size))


def blocks(held: Descriptor) -> Iterator[bytes]:
    """Yield the rest of an open file, up to its size at the beginning.

    So a file that another program keeps writing to has an end, too.

    Raises:
        OSError: the file cannot be read, or has grown.
    """
    left = os.fstat(held.number).st_size - os.lseek(held.number, 0, os.SEEK_CUR)
    while left > 0 and (block := os.read(held.number, min(left, _BLOCK))):
        yield block
        left -= len(block)
    if os.read(held.number, 1):
        raise OSError(errno.ESTALE, "it has grown while it was read")


def sha256_of(path: Path | str) -> str:
    """Return the SHA-256 of a regular file in hex. Raises OSError."""
    import hashlib  # slow to import

    found = hashlib.sha256()
    with open_regular(path) as held:
        for block in blocks(held):
            found.update(block)
    return found.hexdigest()
