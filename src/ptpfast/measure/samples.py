"""What samples say: spreads, pauses, stalls, seconds. Pure functions of numbers; knows no camera.

A transaction's data arrive as `(seconds, sums)`: when bytes came and how many had come by then, as
`Timeline.samples` gives them. Its resolution is 1 ms at best: nothing shorter is looked at here,
and a sample stands for what came within a millisecond from its time on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Start Data and the head of the first Data packet: what comes before any payload.
HEADS = 20 + 12
RESOLUTION_S = 0.001
STALL_S = 0.25  # this long without a byte, in the middle of data, is felt by the user
PERCENTILES = (50, 90, 95, 99)
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
    """Least, percentiles and most of some values, in their unit. A percentile is None when there
    are too few values for one to lie beyond it: p99 takes a hundred."""

    count: int
    least: float
    p50: float
    p90: float | None
    p95: float | None
    p99: float | None
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """ValueError when there are none."""
        data = np.sort(np.fromiter(values, np.float64))
        if not len(data):
            raise ValueError("no values")
        found: dict[str, Any] = {}
        for percent in PERCENTILES:
            enough = percent == 50 or len(data) * (100 - percent) >= 100
            found[f"p{percent}"] = float(np.percentile(data, percent)) if enough else None
        return cls(len(data), float(data[0]), **found, most=float(data[-1]))


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing came for `seconds`, from `at` seconds after the run began."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Blocks:
    """Data that come in blocks of one size (bytes), a pause (seconds) before each: what a camera
    does that reads its card piece by piece. `paused` are all pauses together; `rate` is that of the
    link in between (bytes a second), None where blocks come in less than can be seen."""

    size: int
    pause: float
    paused: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One transaction's data: asked for and answered at these seconds after the run began, with
    samples in between."""

    asked: float
    answered: float
    seconds: Floats
    sums: Ints

    @property
    def first(self) -> float:
        """When the first payload came."""
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
        """Of the data after the first payload: seconds between samples, and bytes before each."""
        beyond = np.flatnonzero(self.sums > HEADS)
        start = int(beyond[0]) if len(beyond) else len(self.sums)
        return np.diff(self.seconds[start:]), self.sums[start:-1]


def stalls(arrivals: Iterable[Arrival]) -> list[Stall]:
    """Where data had begun to come and then none came for long."""
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
    """Bytes a second while data flow; None when too few samples say so.

    The first sample's bytes were on their way before it, so time counts from it and bytes after it.
    """
    size = seconds = 0.0
    for arrival in arrivals:
        steps, sums = arrival.steps()
        if len(steps) >= LEAST_STEPS:
            size += float(arrival.sums[-1] - sums[0])
            seconds += float(steps.sum())
    return size / seconds if seconds else None


def per_second(arrivals: Iterable[Arrival], length: float) -> list[int]:
    """Bytes that came in each second since the run began, for `length` seconds."""
    seconds = np.zeros(max(1, int(np.ceil(length))), np.int64)
    for arrival in arrivals:
        if not len(arrival.sums):
            continue
        sizes = np.diff(arrival.sums, prepend=0)
        places = np.clip(arrival.seconds.astype(np.int64), 0, len(seconds) - 1)
        np.add.at(seconds, places, sizes)
    return [int(size) for size in seconds]


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float | None:
    """Seconds for each further byte, by least squares; None when the times do not rise with the
    sizes, or not by enough to be more than chance."""
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
