"""The timeouts of a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts of a session, in seconds.

    Attributes:
        connect: The TCP connection and the handshake.
        operation: The response to an operation.
        idle: Each next byte of data.
        close: The end of a session.
        first_byte: The first byte of data; as `operation` by default.
        total: All bytes of one object; no limit by default.
        held: A camera that is still busy with an aborted session.
    """

    connect: float = 10.0
    operation: float = 30.0
    idle: float = 30.0
    close: float = 2.0
    first_byte: float | None = None
    total: float | None = None
    held: float = 45.0  # half a minute and more, as seen after an unclean end
