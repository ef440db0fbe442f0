"""Addresses of pages on this computer. Only who knows an address gets an answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from hmac import compare_digest

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Loopback:
    """The address of a page that this computer alone can reach.

    The path has a token, because any program and any web site that a browser here shows could ask
    for a port. The token is no cookie: browsers send those of 127.0.0.1 to every port.
    """

    port: int
    token: str
    host: str = HERE

    @classmethod
    def at(cls, port: int, host: str = HERE) -> Loopback:
        """Return an address at a port, with a new token."""
        return cls(port, secrets.token_urlsafe(16), host)

    @property
    def authority(self) -> str:
        """The host and port, as in the Host header of a browser."""
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin of the page, as in the Origin header of a browser."""
        return f"http://{self.authority}"

    @property
    def root(self) -> str:
        """The path of the page."""
        return f"/{self.token}/"

    @cached_property
    def address(self) -> str:
        """The address of the page."""
        return f"{self.origin}{self.root}"

    def is_own(self, authority: str) -> bool:
        """Return whether a Host header names this address: another name may be a site that has
        its name point here."""
        return authority == self.authority

    def below(self, path: str) -> str | None:
        """Return the path below the page's; None for a path without the token."""
        given = path.encode(errors="surrogatepass")[: len(self.root)]
        return path[len(self.root) :] if compare_digest(given, self.root.encode()) else None
