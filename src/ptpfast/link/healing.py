"""Try again what was given up after a failure, once enough has gone well since.

A lost connection can be chance, and a session of `watch` lasts for days. So nothing is given up for
a whole session because of one. If it fails again soon, the next try comes later: a camera that
really cannot do it fails rarely.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_TIMES = 64  # of the first amount


class Healing:
    """Something that was given up, and what must go well until it is tried again.

    Args:
        first: The amount that must go well, in any unit. It is doubled each time that it fails
            again before that amount has gone well, up to 64 times.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._needed = 0
        self._well = 0  # since it was given up, or is tried again
        self._restore: dict[str, Callable[[], object]] = {}

    def give_up(self, what: str, restore: Callable[[], object]) -> None:
        """Note that something is given up.

        Args:
            what: its name, so that it is restored once.
            restore: called when it should be tried again.
        """
        if not self._restore:
            soon = self._well < self._needed
            most = MOST_TIMES * self._first
            self._needed = min(2 * self._needed, most) if soon else self._first
        self._restore[what] = restore
        self._well = 0

    def went_well(self, amount: int) -> None:
        """Note that so much went well."""
        self._well += amount
        if self._restore and self._well >= self._needed:
            restores, self._restore, self._well = self._restore, {}, 0
            for restore in restores.values():
                restore()
