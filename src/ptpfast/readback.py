"""Files of ours read back. They lie where others can write, so they are untrusted like a camera."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_back(path: Path | str, most: int) -> bytes:
    """At most `most` bytes from the start of a regular file. OSError for anything else: a FIFO is
    waited for, a device never ends."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        # `read` takes as much memory as it is asked for, before it reads.
        return file.read(min(most, os.fstat(descriptor).st_size))
