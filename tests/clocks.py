"""A clock that a test sets."""

from __future__ import annotations


class Clock:
    """Seconds, also by the names of the module `time`."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    monotonic = __call__
