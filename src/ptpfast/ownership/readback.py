"""Files of ours read back. They lie where others can write, so they are untrusted like a camera."""

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
    """Open a regular file for reading, never through a link; OSError for anything else: a FIFO is
    waited for, a device never ends."""
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
    """Return at most `most` bytes from the start of a regular file. OSError as `open_regular`."""
    with open_regular(path) as held, open(held.number, "rb", closefd=False) as file:
        # `read` takes as much memory as it is asked for, before it reads.
        return file.read(min(most, os.fstat(held.number).st_size))


def blocks(held: Descriptor) -> Iterator[bytes]:
    """Yield an open file's content from where it stands, as long as it was when this began: one
    that another program keeps writing to has an end, too. OSError, also when it has grown."""
    left = os.fstat(held.number).st_size - os.lseek(held.number, 0, os.SEEK_CUR)
    while left > 0 and (block := os.read(held.number, min(left, _BLOCK))):
        yield block
        left -= len(block)
    if os.read(held.number, 1):
        raise OSError(errno.ESTALE, "it has grown while it was read")


def sha256_of(path: Path | str) -> str:
    """Return the SHA-256 of a regular file in hex. OSError as `open_regular` and `blocks`."""
    import hashlib  # slow to import

    found = hashlib.sha256()
    with open_regular(path) as held:
        for block in blocks(held):
            found.update(block)
    return found.hexdigest()
