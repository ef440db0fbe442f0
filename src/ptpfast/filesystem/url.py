"""URLs of cameras: `ptpip://[nickname@]host[:port]/path`.

They are taken apart here and not by `urllib`: a file name may hold `#`, `?` or `%`.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ..session.address import address_of

PROTOCOL = "ptpip"
_START = PROTOCOL + "://"


class Divided(NamedTuple):
    """The parts of a URL. `nickname`, `host` and `port` are None if they are not in it."""

    nickname: str | None
    host: str | None
    port: int | None
    path: str


def divided(text: str | os.PathLike[str]) -> Divided:
    """Return the parts of a URL or of a path on the card.

    Raises:
        ValueError: the address in it is wrong.
    """
    text = os.fspath(text)
    if text[: len(_START)].lower() != _START:
        return Divided(None, None, None, _path(text))
    place, slash, path = text[len(_START) :].partition("/")
    nickname, at, host = place.rpartition("@")
    if not host:
        return Divided(nickname if at else None, None, None, _path(slash + path))
    found = address_of(host, None, 0)
    return Divided(nickname or None, found.host, found.port or None, _path(path))


def options_of(text: str) -> dict[str, Any]:
    """Return the arguments of the filesystem that are in a URL."""
    parts = divided(text)
    named = {"nickname": parts.nickname, "host": parts.host, "port": parts.port}
    return {name: value for name, value in named.items() if value is not None}


def url_of(nickname: str | None, host: str, port: int | None, path: str) -> str:
    """Return the URL of a path on the card."""
    name = f"{nickname}@" if nickname else ""
    where = f"[{host}]" if ":" in host else host
    return f"{_START}{name}{where}{'' if port is None else f':{port}'}{path}"


def _path(text: str) -> str:
    """Return a path with one slash at its start and between its parts, and none at its end."""
    return "/" + "/".join(part for part in text.split("/") if part)
