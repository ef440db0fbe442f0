"""Seconds of waiting, counted while they pass."""

from __future__ import annotations

from collections.abc import Callable


class Wait:
    """Adds the time between the calls of one wait to a counter.

    Args:
        add: Called with seconds.
        clock: Returns seconds.
    """

    def __init__(self, add: Callable[[float], object], clock: Callable[[], float]) -> None:
        self._add = add
        self._clock = clock
        self._counted_to: float | None = None

    def goes_on(self, waited_s: float = 0.0) -> None:
        """Count up to now. The first call begins a wait, which has lasted for `waited_s`."""
        now = self._clock()
        if self._counted_to is None:
            self._counted_to = now - waited_s
        self._add(now - self._counted_to)
        self._counted_to = now

    def ends(self) -> None:
        """Count up to now, if there is a wait, and end it."""
        if self._counted_to is not None:
            self.goes_on()
            self._counted_to = None
