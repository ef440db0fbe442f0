"""The URLs of destinations, and paths below them."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any, cast
from urllib.parse import urlsplit

from ...engine.text import printable

LOCAL = ("file", "local")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):/(?!/)")
_LOST = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)  # what `Path` makes of `s3://`


class RemotePath(PurePosixPath):
    """A file or folder of a remote destination. Its text is a URL, without a password."""

    __slots__ = ()

    def __str__(self) -> str:
        return _SCHEME.sub(r"\1://", super().__str__(), count=1)

    def __fspath__(self) -> str:
        return str(self)


def as_path(path: RemotePath) -> Path:
    """Return the path where the type of a report is `Path`: all of its methods for names work."""
    return cast(Path, path)


def is_url(destination: Any) -> bool:
    """Return whether a destination is a URL and no path of this computer."""
    if isinstance(destination, RemotePath):
        return True
    return isinstance(destination, str) and _URL.fullmatch(destination) is not None


def local_folder(destination: Any) -> Any:
    """Return the folder of a `file://` URL; anything else as it is.

    Raises:
        ValueError: such a URL without a folder, a chain, or a URL that was made a `Path`.
    """
    if isinstance(destination, os.PathLike) and not isinstance(destination, RemotePath):
        first = Path(destination).parts[:1]
        if first and _LOST.fullmatch(first[0]) and not os.path.lexists(first[0]):
            raise ValueError(
                f"{printable(str(destination))} was a URL before it was made a Path; "
                "give the URL as text"
            )
        return destination
    match = _URL.fullmatch(destination) if isinstance(destination, str) else None
    if isinstance(destination, str) and "://" in destination and "::" in destination:
        raise ValueError(f"{shown(destination)} is a chain of filesystems; give one URL")
    if match is None or match[1].lower() not in LOCAL:
        return destination
    if not match[2].startswith("/"):
        raise ValueError(f"{destination!r} names no folder; write file:///home/me/folder")
    return match[2]


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case."""
    match = _URL.fullmatch(url)
    assert match is not None
    return match[1].lower()


def place_of(url: str) -> RemotePath:
    """Return the path of a URL, without its password.

    Raises:
        ValueError: it names no folder, leads elsewhere (`..`), or has control characters.
    """
    scheme, rest = scheme_of(url), url.partition("://")[2]
    if printable(url) != url:
        raise ValueError(f"the URL {printable(url)} has control characters")
    if not rest.strip("/"):
        raise ValueError(f"{shown(url)} names no folder; write {scheme}://place/folder")
    if ".." in rest.split("/"):
        raise ValueError(f"{shown(url)} has the part '..'; give the folder itself")
    host, slash, path = rest.partition("/")
    return RemotePath(f"{scheme}://{_without_password(host)}{slash}{path}")


def shown(url: str) -> str:
    """Return a URL for a message, without its password."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return printable(f"{scheme}{separator}{_without_password(host)}{slash}{path}")


def _without_password(host: str) -> str:
    user, at, name = host.rpartition("@")
    return f"{user.partition(':')[0]}{at}{name}"


def credentials_of(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return host and port of a URL as one text, and user and password if it has any."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.username is None:
        return host, None
    from urllib.parse import unquote

    return host, (unquote(parts.username), unquote(parts.password or ""))
