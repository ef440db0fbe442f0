"""The rate of the last two seconds, which falls to 0 when nothing arrives."""

from __future__ import annotations

from collections.abc import Callable

WINDOW_S = 2.0


class Rate:
    """Bytes per second over the last `WINDOW_S` seconds.

    Another thread may call `now` while this one calls `add`: the samples are a tuple that is
    replaced as a whole.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._samples: tuple[tuple[float, int], ...] = ()

    def add(self, total: int) -> None:
        """Note that `total` bytes have been received so far."""
        at = self._clock()
        samples = self._samples
        # One sample from before the window stays: its total is where the window begins.
        while len(samples) > 1 and samples[1][0] <= at - WINDOW_S:
            samples = samples[1:]
        self._samples = (*samples, (at, total))

    def now(self) -> float:
        """Return the rate in bytes per second."""
        samples = self._samples
        if len(samples) < 2:
            return 0.0
        began = self._clock() - WINDOW_S
        before = [total for at, total in samples if at <= began]
        first = before[-1] if before else samples[0][1]
        since = max(began, samples[0][0])
        span = self._clock() - since
        return (samples[-1][1] - first) / span if span > 0 else 0.0
