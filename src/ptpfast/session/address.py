"""Addresses: `HOST[:PORT]` as people write them."""

from __future__ import annotations

import re

from ..ptp.codes import DEFAULT_PORT

_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::(.*))?", re.DOTALL)
_ALLOWED = re.compile(r"[\w.:%-]+")


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST[:PORT]`, `[IPv6][:PORT]` or a bare IPv6 address."""
    if match := _BRACKETED.fullmatch(text):
        host, port = match[1], match[2]
    elif text.count(":") > 1:
        host, port = text, None
    else:
        host, colon, rest = text.partition(":")
        port = rest if colon else None
    if not _ALLOWED.fullmatch(host) or host.startswith("-"):
        raise ValueError(f"{text!r} is not an address; write HOST or HOST:PORT")
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError(f"{text!r} is not a host name") from None
    if port is None:
        return host, DEFAULT_PORT
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{text!r}: {port!r} is not a port (1 to 65535); write HOST or HOST:PORT")
    return host, int(port)
