"""The timeouts of a session."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..ptp.arguments import seconds

# Some bodies refuse connections for nearly so long after each session, also one of another process.
BETWEEN_SESSIONS_S = 2.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts of a session, in seconds.

    Attributes:
        connect: for the TCP connection and the handshake.
        operation: for the response to an operation.
        idle: for each next byte of data.
        close: for the end of a session.
        first_byte: for the first byte of data; as `operation` by default.
        total: for all bytes of one object; no limit by default.
        held: for a camera that is still busy with an aborted session.
        approval: for the camera's owner, who has to accept this computer on the camera.

    Raises:
        TypeError, ValueError: a value is not a number of seconds, 0 or more.
    """

    connect: float = 10.0
    operation: float = 30.0
    idle: float = 30.0
    close: float = 2.0
    first_byte: float | None = None
    total: float | None = None
    held: float = 45.0  # half a minute and more, as seen after an unclean end
    approval: float = 90.0  # Sony's reference: the answer comes after the owner's OK

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None or each.default is not None:
                seconds(f"Timeouts({each.name}=)", value)
