"""The file that is under way: how far it is, for the line about a lost connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import printable
from .output import human_size

if TYPE_CHECKING:
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo


class InFlight:
    """At most one file at a time."""

    def __init__(self) -> None:
        self._name = ""
        self._received = 0
        self._size: int | None = None
        self._handle: int | None = None

    def begin(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """Note that a file is under way; `kept` bytes of it are here."""
        self._name, self._received, self._size = path.name, kept, info.size
        self._handle = info.handle

    def come_to(self, received: int, size: int | None) -> None:
        """Note how many of its bytes are here."""
        self._received, self._size = received, size

    def end(self, handle: int) -> bool:
        """Note that a file is done; return whether it is the one under way.

        The next file may be under way before the last one is stored.
        """
        if handle != self._handle:
            return False
        self._name, self._handle = "", None
        return True

    def lost_line(self, error: PTPError) -> str:
        """Return the line about a lost connection that is about to be made again."""
        if not self._name:
            return printable(f"{error.message}; reconnecting")
        happened, _, why = str(error.args[0]).partition(": ")
        of = "" if self._size is None else f" of {human_size(self._size)}"
        at = f" at {human_size(self._received)}{of}" if self._received else ""
        reason = f" ({why})" if why else ""
        return printable(f"{self._name}: {happened}{at}{reason}; reconnecting")
