"""What fsspec is told of a file or a folder, and of errors."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ..ptp.errors import (
    AccessDenied,
    InvalidObjectHandle,
    ObjectWriteProtected,
    StoreReadOnly,
)
from ..ptp.kinds import kind_name
from .tree import Node


def entry(path: str, node: Node) -> dict[str, Any]:
    """Return the description of a node; see `PtpIpFileSystem.info`."""
    info = node.info
    if info is None:
        return {
            "name": path,
            "size": 0,
            "type": "directory",
            "handle": node.handle,
            "storage_id": node.storage_id,
        }
    return {
        "name": path,
        "size": info.size,
        "type": "file",
        "created": _aware(info.captured),
        "mtime": _aware(info.modified or info.captured),
        "format": kind_name(info.kind),
        "handle": info.handle,
        "storage_id": info.storage_id,
        "protected": info.protected,
        "object_name": info.name,
    }


def _aware(moment: datetime | None) -> datetime | None:
    """Return a date in UTC. Without a time zone it is in this computer's, as for downloads."""
    try:
        return None if moment is None else moment.astimezone(UTC)
    except (OverflowError, ValueError, OSError):  # a clock that was never set
        return None


def date_of(path: str, moment: datetime | None) -> datetime:
    """Return a date. Raises ValueError if there is none."""
    if moment is None:
        raise ValueError(f"{path}: the camera reports no date")
    return moment


@contextmanager
def as_os_error(path: str) -> Iterator[None]:
    """Raise what a filesystem raises, for errors of the camera that mean the same."""
    try:
        yield
    except InvalidObjectHandle as error:
        raise FileNotFoundError(errno.ENOENT, str(error), path) from error
    except (AccessDenied, ObjectWriteProtected, StoreReadOnly) as error:
        raise PermissionError(errno.EACCES, str(error), path) from error
