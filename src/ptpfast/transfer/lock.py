"""A part file is one run's at a time: two that write into one file would mix two objects.

The lock is the operating system's on the open file, so it ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SinkError


@contextmanager
def locked(part: Path) -> Iterator[int]:
    """The part file, made if missing, open and locked; its descriptor. SinkError when another run
    has it, or when it cannot be made."""
    fd = _open(part)
    try:
        yield fd
    finally:
        os.close(fd)


def _open(part: Path) -> int:
    while True:
        try:
            _disown(part)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            fd = os.open(part, flags, 0o666)
        except OSError as error:
            raise sink_error("write", part, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_ino == os.stat(part).st_ino:
                return fd
        except BlockingIOError:
            os.close(fd)
            raise SinkError(
                f"another run is writing {part}",
                hint="wait until it is done, or choose another folder",
            ) from None
        except FileNotFoundError:
            pass  # the other run has just finished it: once more
        except OSError:
            return fd  # a filesystem without locks: as good as it gets
        os.close(fd)


def _disown(part: Path) -> None:
    """Removes what is no part file of ours: a link, a FIFO; or one that a crash between link and
    unlink has left with two names, so that what is written to it would reach a finished file."""
    try:
        status = part.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        part.unlink()


def sink_error(doing: str, path: Path, error: OSError) -> SinkError:
    """An OSError as our disk's fault."""
    return SinkError(
        f"cannot {doing} {path}: {error.strerror or error}",
        errno=error.errno or 0,
        hint="check the folder and the disk it is on",
    )
