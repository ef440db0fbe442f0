"""Errors about bytes: the network, the camera's packets, the disk, this computer's limits.

The base of all ptpfast errors is here, too. Errors that need PTP codes are in `ptp.errors`.
"""

from __future__ import annotations

import errno
from typing import Any

from .text import printable


class PTPError(Exception):
    """Base class of all errors of ptpfast.

    Attributes:
        message: what happened.
        hint: what to do; may be empty.
        received: bytes that were received and kept.

    Notes:
        The message is one line. Control characters that a camera sent are shown as `?`.
    """

    hint: str = ""
    received: int = 0
    transaction_id: int | None = None
    in_passing = False  # whether a poll for events or a keep-alive raised it

    def __init__(self, message: str, *, hint: str | None = None, received: int = 0) -> None:
        self.message: str = printable(message)
        super().__init__(self.message)
        self.received = received
        if hint is not None:
            self.hint = printable(hint)

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def precede(self, doing: str) -> None:
        """Put the operation before the message."""
        self.message = printable(f"{doing}: {self.message}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Python's own way would call the class with the message alone, and would lose `errno`.
        state = dict(vars(self))
        if isinstance(self, OSError):
            state["errno"] = self.errno
        return _restore, (type(self), self.args), state


def _restore(cls: type[PTPError], args: tuple[Any, ...]) -> PTPError:
    """Return an error as it was pickled; Python then restores its attributes."""
    error = cls.__new__(cls)
    error.args = args
    return error


class NetworkError(PTPError, OSError):
    """The network failed. The session has ended: connect again."""


class ConnectionLost(NetworkError):
    """The connection ended during a transaction."""

    hint = "the camera may have gone to sleep or out of range; connect again to continue"


class Timeout(NetworkError, TimeoutError):
    """Nothing arrived within a timeout."""

    hint = "the camera is silent; wake it, move closer, or allow more time with a longer timeout"


class ProtocolError(PTPError):
    """The camera broke the rules of PTP/IP or of a dataset.

    Attributes:
        packet_type: the number of the packet type; 0 if none applies.
        offset: where it was found: byte of the packet, dataset or data phase.
    """

    hint = "the camera broke the protocol; please report it with the camera's model"

    def __init__(
        self, message: str, *, packet_type: int = 0, offset: int = 0, received: int = 0
    ) -> None:
        super().__init__(message, received=received)
        self.packet_type = packet_type
        self.offset = offset


class SinkError(PTPError, OSError):
    """The bytes could not be stored: disk full, not writable. `errno` gives the reason."""

    def __init__(self, message: str, *, errno: int = 0, received: int = 0, hint: str = "") -> None:
        super().__init__(message, received=received, hint=hint)
        self.errno: int = errno


_DISK_HINTS = {
    code: hint
    for codes, hint in (
        ("ENOSPC EDQUOT", "free some space and run it again; the received bytes are kept"),
        ("EFBIG", "this filesystem cannot hold a file of that size (FAT stops at 4 GiB)"),
        ("EACCES EPERM EROFS", "choose a folder that can be written"),
        ("ENOENT ENOTDIR EISDIR ELOOP", "check the folder"),
        ("ENAMETOOLONG EILSEQ", "this filesystem does not allow that name; choose another folder"),
        ("EBUSY ETXTBSY", "another program uses the file; close it, then run it again"),
        ("ESTALE ENOTCONN ENODEV ENXIO", "the disk was removed: connect it, then run it again"),
        ("EMFILE ENFILE", "raise the limit of open files (ulimit -n)"),
    )
    for code in (getattr(errno, name) for name in codes.split())
}


def disk_hint(code: int | None) -> str:
    """Return what to do about an errno of the local disk."""
    return _DISK_HINTS.get(code or 0, "check the folder and the disk it is on")


def disk_error(
    doing: str, path: object, error: OSError, *, received: int = 0, hint: str = ""
) -> SinkError:
    """Return an error of the operating system as a SinkError: "cannot `doing` `path`: why".

    `hint` replaces the hint for the errno.
    """
    return SinkError(
        f"cannot {doing} {path}: {error.strerror or error}",
        errno=error.errno or 0,
        received=received,
        hint=hint or disk_hint(error.errno),
    )


# The name of each limit of this computer, and how to raise it.
_LIMITS: dict[int, tuple[str, str]] = {
    errno.EMFILE: (
        "this computer allows no more open files",
        "raise the limit (ulimit -n), or close other files",
    ),
    errno.ENFILE: (
        "this computer has no room for more open files",
        "close other programs, or raise the system's limit",
    ),
    errno.EAGAIN: (
        "this computer allows no more threads",
        "raise the limit (ulimit -u), or close other programs",
    ),
    errno.ENOMEM: ("this computer has no memory left", "close other programs"),
}
_LIMITS[errno.ENOBUFS] = _LIMITS[errno.ENOMEM]


class LimitReached(PTPError, OSError):
    """This computer allows no more open files or threads, or has no memory left.

    `errno` is EMFILE, ENFILE, EAGAIN (threads), ENOMEM or ENOBUFS.
    """

    def __init__(self, number: int) -> None:
        message, hint = _LIMITS[number]
        super().__init__(message, hint=hint)
        self.errno: int = number

    @classmethod
    def of(cls, error: BaseException) -> LimitReached | None:
        """Return the limit behind an error of the operating system; None for other errors."""
        number = error.errno if isinstance(error, OSError) else 0
        if isinstance(error, MemoryError):
            number = errno.ENOMEM
        # All that Python says of it.
        if isinstance(error, RuntimeError) and "start new thread" in str(error):
            number = errno.EAGAIN
        return cls(number) if number in _LIMITS else None


class Cancelled(PTPError):
    """`Session.cancel` was called."""
