"""What an error of a filesystem concerns: a connection, the destination, or one file.

The packages behind fsspec have errors of their own, and none of them is a dependency. So an error
is told by its errno, by the status of an HTTP answer, and by the names of its classes.
"""

from __future__ import annotations

import errno
from enum import Enum

from ...engine.text import printable
from ...ptp.errors import SinkError

MOST_LETTERS = 300  # of another package's message


class Reach(Enum):
    """What an error concerns."""

    CONNECTION = "the connection to the destination"  # tried again
    DESTINATION = "the destination"  # ends the run
    FILE = "one file"  # set aside
    UNKNOWN = "unknown"  # one file, until several in a row fail


class TargetLost(SinkError):
    """The connection to the destination was lost; the file can be sent again."""

    hint = "check the connection to the destination, then run it again"


class Unsorted(SinkError):
    """An error that may concern one file or all of them; after a few in a row it is all."""


# By name of a class or of one that it is derived from; the first list that has one decides.
_BY_NAME: tuple[tuple[Reach, frozenset[str]], ...] = (
    (
        Reach.DESTINATION,
        frozenset(
            [
                "NoCredentialsError",
                "PartialCredentialsError",
                "CredentialRetrievalError",
                "TokenRetrievalError",
                "NoRegionError",
                "InvalidEndpoint",
                "PermissionDenied",
                "HostKeyNotVerifiable",
                "KeyExchangeFailed",
                "IllegalUserName",
                "KeyImportError",
                "InsufficientStorage",
                "ForbiddenOperation",
                "ResourceNotFound",
                "ResourceConflict",
                "SFTPNoSpaceOnFilesystem",
                "SFTPQuotaExceeded",
                "SFTPWriteProtect",
                "SFTPPermissionDenied",
                "SFTPNoSuchFile",
                "SFTPNoSuchPath",
                "NotImplementedError",
                "UnsupportedProtocol",
            ]
        ),
    ),
    (
        Reach.CONNECTION,
        frozenset(
            [
                "ConnectionError",
                "TimeoutError",
                "FSTimeoutError",
                "EndpointConnectionError",
                "HTTPClientError",
                "ConnectionClosedError",
                "ConnectTimeoutError",
                "ReadTimeoutError",
                "DisconnectError",
                "ChannelOpenError",
                "SFTPConnectionLost",
                "SFTPNoConnection",
                "TransportError",
                "ClientConnectionError",
                "ClientPayloadError",
                "IncompleteRead",
                "IncompleteReadError",
                "EOFError",
                "BadGatewayError",
                "gaierror",
            ]
        ),
    ),
    (Reach.FILE, frozenset({"ResourceLocked", "SFTPInvalidFilename", "IsADirectoryError"})),
)
_CONNECTION = {
    getattr(errno, name)
    for name in [
        "ECONNRESET",
        "EPIPE",
        "ETIMEDOUT",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ENETDOWN",
        "ECONNABORTED",
        "ECONNREFUSED",
        "ENETRESET",
        "EBUSY",
        "EIO",
        "EAGAIN",
    ]
}
_FILE = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EFBIG, errno.EISDIR}
_DESTINATION = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT}
_DESTINATION |= {errno.ENOTDIR, errno.ENOTSUP}
_FULL = ("InsufficientStorage", "SFTPNoSpaceOnFilesystem", "SFTPQuotaExceeded")
_REFUSED = (PermissionError, FileNotFoundError, NotADirectoryError)
# WebDAV answers 409 where the folder is missing.
_MISSING = ("ResourceConflict", "ResourceNotFound", "SFTPNoSuchFile", "SFTPNoSuchPath")
_HINT = "check the URL, the credentials and the room there"
# Not every server has an answer of its own for a full disk: lighttpd says 500.
_SERVER_HINT = "the server failed: check its log and its free space, then run it again"


def reach_of(error: BaseException) -> Reach:
    """Return what an error of a filesystem concerns."""
    if (by_status := _by_status(_status(error))) is not None:
        return by_status
    names = {kind.__name__ for kind in type(error).__mro__}
    for reach, known in _BY_NAME:
        if not names.isdisjoint(known):
            return reach
    if isinstance(error, OSError):
        number = error.errno or 0
        for reach, numbers in (
            (Reach.DESTINATION, _DESTINATION),
            (Reach.CONNECTION, _CONNECTION),
            (Reach.FILE, _FILE),
        ):
            if number in numbers:
                return reach
        if isinstance(error, _REFUSED):
            return Reach.DESTINATION
    return Reach.UNKNOWN


def is_missing(error: BaseException | None) -> bool:
    """Return whether a file or its folder was not there."""
    if isinstance(error, FileNotFoundError):
        return True
    return error is not None and type(error).__name__ in _MISSING


def _status(error: BaseException) -> int:
    """Return the status of the HTTP answer that an error is about; 0 if there is none."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else 0


def _by_status(status: int) -> Reach | None:
    """Return what the status of an HTTP answer says; None if there is none."""
    if status < 400:
        return None
    if status in (400, 413, 414, 423):
        return Reach.FILE
    if status == 507 or (status < 500 and status not in (408, 429)):
        return Reach.DESTINATION
    return Reach.CONNECTION


def failure(error: Exception, doing: str) -> SinkError:
    """Return the error of a filesystem as a SinkError, by whose errno its scope is known.

    Args:
        error: What the filesystem raised; a SinkError is returned as it is.
        doing: What was done, with the URL: `write s3://bucket/IMG_1.JPG`.
    """
    if isinstance(error, SinkError):
        return error
    reach = reach_of(error)
    message = f"cannot {doing}: {_said(error)}"
    if reach is Reach.CONNECTION:
        hint = TargetLost.hint if _status(error) < 500 else _SERVER_HINT
        return TargetLost(message, errno=errno.EIO, hint=hint)
    if reach is Reach.DESTINATION:
        return SinkError(message, errno=_number(error), hint=_HINT)
    kind = Unsorted if reach is Reach.UNKNOWN else SinkError
    return kind(message, errno=errno.EINVAL)


def _number(error: Exception) -> int:
    if type(error).__name__ in _FULL or _status(error) == 507:
        return errno.ENOSPC
    number = error.errno if isinstance(error, OSError) else 0
    # EACCES and EPERM would concern one file.
    return number if number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) else errno.ENODEV


def _said(error: Exception) -> str:
    """Return the words of another package, in one line and not too long."""
    if isinstance(error, NotImplementedError) and not str(error):
        return "its filesystem cannot do that"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = printable(" ".join(str(text).split())) or type(error).__name__
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
