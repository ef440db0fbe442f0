"""Statistics of samples: spreads, pauses, stalls, seconds. Pure functions of numbers.

The data of a transaction is `(seconds, sums)`: the times, and the bytes so far, as
`Timeline.samples` returns them. The resolution is 1 ms at best. A sample stands for all bytes
within a millisecond from its time on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Start Data and the head of the first Data packet, which come before any payload.
HEADS = 20 + 12
RESOLUTION_S = 0.001
STALL_S = 0.25  # this long without a byte, in the middle of data, is felt by the user
PERCENTILES = (50, 90, 95, 99)
CERTAIN = 0.95  # how often the true percentile lies between the bounds that are given for it
# Pauses between blocks that a camera reads: at least so long, and that much above the usual step.
PAUSE_S = 0.003
PAUSE_STEPS = 3.0
LEAST_STEPS = 3  # of a flow whose rate is believed
LEAST_BLOCK = 16_384
LEAST_LONE_BLOCK = 65_536  # that is there at once
LEAST_PAUSES = 6
ALIKE = 0.2  # of a block's size, within which another is as large
MOSTLY = 0.7  # of the blocks must be alike


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, percentiles and most of some values, in their unit.

    A percentile is None if there are too few values for one to lie beyond it: p99 takes a hundred.

    Attributes:
        bounds: Percentile → the values between which it lies with a probability of 95 %, whatever
            the distribution. A percentile of too few values has none.
    """

    count: int
    least: float
    p50: float
    p90: float | None
    p95: float | None
    p99: float | None
    most: float
    bounds: dict[int, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of some values. Raises ValueError if there are none."""
        data = np.sort(np.fromiter(values, np.float64))
        if not len(data):
            raise ValueError("no values")
        found: dict[str, Any] = {}
        for percent in PERCENTILES:
            enough = percent == 50 or len(data) * (100 - percent) >= 100
            found[f"p{percent}"] = float(np.percentile(data, percent)) if enough else None
        bounds = {p: pair for p in PERCENTILES if (pair := _bounds(data, p)) is not None}
        return cls(len(data), float(data[0]), **found, most=float(data[-1]), bounds=bounds)


def _bounds(data: Floats, percent: int) -> tuple[float, float] | None:
    """Return the values of the sorted data between which a percentile lies; None of too few.

    Notes:
        How many of n values are below the percentile is binomial, with the chance `percent`. So
        the order statistics at the outer 2.5 % of that distribution enclose it.
    """
    count, chance = len(data), percent / 100
    ranks = np.arange(count + 1)
    # log of n over k, from the sums of the logarithms of 1, 2, … n
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    choices = factorials[-1] - factorials - factorials[::-1]
    below = np.cumsum(np.exp(choices + ranks * np.log(chance) + ranks[::-1] * np.log1p(-chance)))
    outside = (1 - CERTAIN) / 2
    low = int(np.searchsorted(below, outside, "right"))  # so many values are below it, at least
    high = int(np.searchsorted(below, 1 - outside))
    if not 1 <= low <= high < count:
        return None
    return float(data[low - 1]), float(data[high])


@dataclass(frozen=True, slots=True)
class Stall:
    """A silence of `seconds`, from `at` seconds after the run began."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Blocks:
    """Data in blocks of one size (bytes) with a pause (seconds) before each.

    A camera that reads its card piece by piece sends like this.

    Attributes:
        paused: The sum of all pauses.
        rate: The rate of the link in between (bytes/s); None if blocks arrive too fast to measure.
    """

    size: int
    pause: float
    paused: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The data of one transaction: when it was requested and answered, with samples in between.

    Times are seconds after the run began.
    """

    asked: float
    answered: float
    seconds: Floats
    sums: Ints

    @property
    def first(self) -> float:
        """The time of the first payload."""
        beyond = np.flatnonzero(self.sums > HEADS)
        return float(self.seconds[beyond[0]]) if len(beyond) else self.answered

    @property
    def wait(self) -> float:
        """Seconds from the request to the first payload."""
        return max(0.0, self.first - self.asked)

    @property
    def flow(self) -> float:
        """Seconds from the first payload to the end."""
        return max(0.0, self.answered - self.first)

    def steps(self) -> tuple[Floats, Ints]:
        """Return the seconds between samples after the first payload, and the bytes before each."""
        beyond = np.flatnonzero(self.sums > HEADS)
        start = int(beyond[0]) if len(beyond) else len(self.sums)
        return np.diff(self.seconds[start:]), self.sums[start:-1]


def stalls(arrivals: Iterable[Arrival]) -> list[Stall]:
    """Return the long silences after the first data."""
    found = []
    for arrival in arrivals:
        steps = np.diff(arrival.seconds)
        long = np.flatnonzero((steps >= STALL_S) & (arrival.sums[:-1] > HEADS))
        found += [Stall(float(arrival.seconds[at]), float(steps[at])) for at in long]
    return found


def blocks(arrivals: Sequence[Arrival]) -> Blocks | None:
    """Return the blocks in which data arrives; None if it arrives evenly or at random.

    Notes:
        Pauses are steps well above the usual one, or all of them if a block is there at once. They
        come from the camera if the pieces between them are mostly of one size, and larger than what
        a radio sends at a time. The first and the last piece of an object may have any size.
    """
    steps = [arrival.steps() for arrival in arrivals]
    usual = np.concatenate([step for step, _ in steps]) if steps else np.zeros(0)
    usual = usual[usual < STALL_S]
    if not len(usual):
        return None
    least = max(PAUSE_S, PAUSE_STEPS * float(np.percentile(usual, 25)))
    return _blocks(steps, least, LEAST_BLOCK) or _blocks(steps, PAUSE_S, LEAST_LONE_BLOCK)


def _blocks(steps: Sequence[tuple[Floats, Ints]], least: float, smallest: int) -> Blocks | None:
    """Return the blocks between pauses of at least `least` seconds, if they are large enough."""
    sizes: list[float] = []
    pauses: list[float] = []
    moved = moving = 0.0
    for step, sums in steps:
        at = np.flatnonzero((step >= least) & (step < STALL_S))
        sizes.extend(np.diff(sums[at]).tolist())
        pauses.extend((step[at] - RESOLUTION_S).tolist())
        within = step[:-1] < least
        moved += float(np.diff(sums)[within].sum())
        moving += float(step[:-1][within].sum())
    if len(sizes) < LEAST_PAUSES:
        return None
    size = float(np.median(sizes))
    alike = np.mean(np.abs(np.array(sizes) - size) <= ALIKE * size)
    if size < smallest or alike < MOSTLY:
        return None
    rate = moved / moving if moved and moving else None
    return Blocks(round(size), float(np.median(pauses)), float(np.sum(pauses)), rate)


def flow_rate(arrivals: Iterable[Arrival]) -> float | None:
    """Return the bytes per second while data flow; None if there are too few samples.

    The first sample's bytes were sent before it. So time counts from it, and bytes after it.
    """
    size = seconds = 0.0
    for arrival in arrivals:
        steps, sums = arrival.steps()
        if len(steps) >= LEAST_STEPS:
            size += float(arrival.sums[-1] - sums[0])
            seconds += float(steps.sum())
    return size / seconds if seconds else None


def per_second(arrivals: Iterable[Arrival], length: float) -> list[int]:
    """Return the bytes of each second since the run began, for `length` seconds."""
    seconds = np.zeros(max(1, int(np.ceil(length))), np.int64)
    for arrival in arrivals:
        if not len(arrival.sums):
            continue
        sizes = np.diff(arrival.sums, prepend=0)
        places = np.clip(arrival.seconds.astype(np.int64), 0, len(seconds) - 1)
        np.add.at(seconds, places, sizes)
    return [int(size) for size in seconds]


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float | None:
    """Return the seconds for each further byte, by least squares.

    None if the times do not rise with the sizes, or so little that it may be chance.
    """
    if len(sizes) < 2:
        return None
    x, y = np.array(sizes, np.float64), np.array(seconds, np.float64)
    spread = x - x.mean()
    found = float(spread @ (y - y.mean()) / (spread @ spread))
    rise = found * float(x.max() - x.min())
    rest = y - y.mean() - found * spread
    if rise < max(0.005, 0.5 * float(y.min())) or float(np.abs(rest).max()) > 0.5 * rise:
        return None
    return found
