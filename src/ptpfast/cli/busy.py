"""The messages about a busy camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..engine.text import printable

if TYPE_CHECKING:
    from ..ptp.errors import PTPError

BUSY_LINE_S = 4.0  # a line about a camera that is busy not more often, and not before


class BusyLines:
    """Says now and then that the camera is busy, and for how long."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, error: PTPError, waited_s: float, say: Callable[[str], object]) -> None:
        """Says it, if that is due."""
        if waited_s < self._told:  # another wait has begun
            self._told = 0.0
        if waited_s - self._told < BUSY_LINE_S:
            return
        self._told = waited_s
        doing = getattr(error, "doing", "")
        what = f" ({doing})" if doing else ""
        say(printable(f"waiting: the camera is busy{what}, {waited_s:.0f} s"))
