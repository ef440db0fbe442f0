"""How long a camera is waited for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for a TCP connection and its handshake (`connect`), for the answer to an
    operation (`operation`), for the first byte of data if it has any (`first_byte`, by default as
    long), for each next byte (`idle`), for everything at the end (`close`); for the bytes of one
    object altogether (`total`, by default as long as they come); and for a camera that still holds
    an earlier session, where that is waited for (`held`)."""

    connect: float = 10.0
    operation: float = 30.0
    idle: float = 30.0
    close: float = 2.0
    first_byte: float | None = None
    total: float | None = None
    held: float = 45.0  # half a minute and more, as seen after an unclean end
