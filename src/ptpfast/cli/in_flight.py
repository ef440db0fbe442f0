"""The current file and its progress, for the message about a lost connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import printable
from .output import human_size

if TYPE_CHECKING:
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo


class InFlight:
    """The current file of a run; at most one at a time."""

    def __init__(self) -> None:
        self.name: str = ""
        self.received: int = 0
        self.size: int | None = None
        self._handle: int | None = None

    def begin(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """Note that a file is under way; `kept` bytes of it are here."""
        self.name, self.received, self.size = printable(path.name), kept, info.size
        self._handle = info.handle

    def come_to(self, received: int, size: int | None) -> None:
        """Note how many of its bytes are here."""
        self.received = received
        self.size = size

    def end(self, handle: int) -> bool:
        """Note that a file is done; return whether it is the one under way.

        The next file may be under way before the last one is stored.
        """
        if handle != self._handle:
            return False
        self.name = ""
        self._handle = None
        return True

    def lost_line(self, error: PTPError, of_tries: str, *, verbose: bool = False) -> str:
        """Return the line about a lost connection that is about to be made again.

        Args:
            error: what ended the connection.
            of_tries: which try comes now: `1 of 8`.
            verbose: add the reason.
        """
        from ..ptp.errors import ConnectFailed, InitFailed, ProtocolError, Timeout

        happened = next(
            (
                words
                for kind, words in (
                    (Timeout, "the camera stopped answering"),
                    (ConnectFailed, "no connection"),
                    (InitFailed, "the camera refuses the connection"),
                    (ProtocolError, "the camera broke the protocol"),
                )
                if isinstance(error, kind)
            ),
            "connection lost",
        )
        again = f" ({error.message})" if verbose else ""
        again += f"; reconnecting ({of_tries})"
        if not self.name:
            return printable(f"{happened}{again}")
        size = "" if self.size is None else f" of {human_size(self.size)}"
        number, unit = human_size(self.received).split()
        if size.endswith(f" {unit}"):
            unit = ""
        at = f" at {number}{f' {unit}' if unit else ''}{size}" if self.received else ""
        return printable(f"{self.name}: {happened}{at}{again}")
