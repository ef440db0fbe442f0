"""A limit of the receive rate, shared by the connections of a run, with times of the day.

The limit works at the socket: nothing is read while the budget is used up, so TCP makes the camera
wait. The reads are small, and so are the pauses, so that no camera runs into a timeout.
"""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from ..ptp.sizes import size_of
from .patience import pause

LEAST = 10_000  # bytes per second; several cameras share it, and slower ones count as stalled
SLICE_S = 0.05  # what is read at a time
LEAST_PAUSE_S = 0.001
LEAST_READ, MOST_READ = 4096, 1 << 20
LOOK_S = 1.0  # how often the clock is read
WEEK_MINUTES = 7 * 24 * 60
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENTRY = re.compile(r"(?:([a-z]{3})[a-z]*-)?([0-9]{1,2}):([0-9]{2}),(.+)", re.IGNORECASE)
_FORMS = "write 2M, off, or times: 08:00,2M 18:00,off"


class RateLimit:
    """Bytes per second that all connections together may receive. Thread-safe.

    The connections take turns: one that always has data cannot pass one that waits.

    Args:
        changes: Minutes since Monday 00:00, rising, and the rate from then on; None for no limit.
        clock, today: For tests.
    """

    def __init__(
        self,
        changes: list[tuple[int, int | None]],
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._minutes = [minute for minute, _ in changes]
        self._rates = [rate for _, rate in changes]
        self._clock = clock
        self._today = today
        self._lock = threading.Lock()
        self._free_at = 0.0  # when what was received is paid for
        self._waiting: deque[object] = deque()  # a place for each thread, the next one first
        self._look_at = 0.0
        self._rate: int | None = None

    @classmethod
    def of(cls, given: Any) -> Self | None:
        """Return the limit that an argument means; None for none. ValueError, TypeError."""
        if given is None or isinstance(given, RateLimit):
            return given  # type: ignore[return-value]
        if isinstance(given, int) and not isinstance(given, bool):
            return cls([(0, _checked(given, str(given)))])
        if not isinstance(given, str):
            raise TypeError(f"a rate is a number of bytes per second or a text, not {given!r:.60}")
        return cls(_changes(given))

    @property
    def rate(self) -> int | None:
        """Bytes per second at this time of the week; None if there is no limit now."""
        now = self._clock()
        if now >= self._look_at:
            today = self._today()
            minute = (today.weekday() * 24 + today.hour) * 60 + today.minute
            # Before the first change of the week the last one of the week before holds.
            self._rate = self._rates[bisect_right(self._minutes, minute) - 1]
            self._look_at = now + LOOK_S
        return self._rate

    def wait(self) -> int | None:
        """Pause until more may be received; return about how many bytes then, None for any.

        Raises:
            Cancelled: this thread is to stop.
        """
        place = object()
        with self._lock:
            self._waiting.append(place)
        try:
            while (rate := self.rate) is not None:
                with self._lock:
                    owed_s = self._free_at - self._clock()
                    is_next = self._waiting[0] is place
                if owed_s < LEAST_PAUSE_S and is_next:
                    return min(max(int(rate * SLICE_S), LEAST_READ), MOST_READ)
                pause(min(max(owed_s, LEAST_PAUSE_S), LOOK_S))
            return None
        finally:  # also of a thread that is to stop: it holds up no other
            with self._lock:
                self._waiting.remove(place)

    def count(self, size: int) -> None:
        """Count received bytes."""
        if (rate := self.rate) is None:
            return
        now = self._clock()
        with self._lock:
            self._free_at = max(self._free_at, now) + size / rate


def _changes(text: str) -> list[tuple[int, int | None]]:
    words = text.split()
    if not words:
        raise ValueError(f"{text!r} is not a rate; {_FORMS}")
    if len(words) == 1 and "," not in text:
        return [(0, _rate(words[0], text))]
    found: dict[int, int | None] = {}
    for word in words:
        match = _ENTRY.fullmatch(word) if word.isascii() else None
        if match is None:
            raise ValueError(f"{word!r} in {text!r} is not a time with a rate; {_FORMS}")
        day, hour, minute = match[1], int(match[2]), int(match[3])
        if hour > 23 or minute > 59:
            raise ValueError(f"{word!r}: there is no such time; {_FORMS}")
        if day and day.lower() not in _DAYS:
            raise ValueError(f"{word!r}: the days are {', '.join(_DAYS)}")
        for number in [_DAYS.index(day.lower())] if day else range(7):
            found[(number * 24 + hour) * 60 + minute] = _rate(match[4], text)
    return sorted(found.items(), key=lambda change: change[0])


def _rate(word: str, text: str) -> int | None:
    if word.lower() == "off":
        return None
    try:
        return _checked(size_of(word), word)
    except ValueError as error:
        raise ValueError(
            f"{error}; {_FORMS}" if word == text else f"{error} (in {text!r})"
        ) from error


def _checked(rate: int, word: str) -> int | None:
    if rate and rate < LEAST:
        raise ValueError(f"{word!r} is less than {LEAST // 1000} kB a second: write at least 10K")
    if rate < 0:
        raise ValueError(f"{word!r} is less than nothing")
    return rate or None
