"""What arrived in each interval of a long read, and how the link was then.

`long` measures it. Pure data and figures of it; rates in MB/s (10^6), times in seconds or ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .samples import Spread

# A radio that changes its bit rate has one step for many intervals: no statistics of it are given.
WORST = 5  # percent of the intervals, the slowest of which are told


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a long read. None stands for what the system does not tell.

    Attributes:
        at: Seconds from the beginning of the run.
        silence_s: The longest time without a byte, as far as it lies in this interval.
        lost: Connections that were lost.
        segments, out_of_order, repeated: Packets, as in `network.tcp.TcpState`, in this interval.
        signal_dbm, mbit_per_s: The strength of the signal, and the bit rate of the radio.
        spot: Its name in a walk test, else ''.
    """

    at: float
    seconds: float
    bytes: int
    silence_s: float = 0.0
    lost: int = 0
    rtt_ms: float | None = None
    segments: int = 0
    out_of_order: int = 0
    repeated: int = 0
    signal_dbm: float | None = None
    mbit_per_s: float | None = None
    spot: str = ""

    @property
    def mb_per_s(self) -> float:
        return self.bytes / self.seconds / 1e6 if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """The figures of some intervals.

    Attributes:
        rate: MB/s of the intervals.
        worst: The rate that the slowest of twenty intervals do not reach; None of fewer.
        longest_silence_s: The longest time without a byte.
        loss: Packets out of order as a part of all; None if unknown.
        signal_dbm, mbit_per_s, rtt_ms: Least, median and most.
    """

    spot: str
    seconds: float
    bytes: int
    rate: Spread
    worst: float | None
    longest_silence_s: float
    lost: int
    loss: float | None
    rtt_ms: tuple[float, float, float] | None
    signal_dbm: tuple[float, float, float] | None
    mbit_per_s: tuple[float, float, float] | None

    @property
    def mb_per_s(self) -> float:
        return self.bytes / self.seconds / 1e6 if self.seconds else 0.0

    @classmethod
    def of(cls, intervals: Sequence[Interval], spot: str = "") -> Course:
        """Return the figures of some intervals. Raises ValueError if there are none."""
        rates = [each.mb_per_s for each in intervals]
        segments = sum(each.segments for each in intervals)
        return cls(
            spot,
            sum(each.seconds for each in intervals),
            sum(each.bytes for each in intervals),
            Spread.of(rates),
            float(np.percentile(rates, WORST)) if len(rates) * WORST >= 100 else None,
            max(each.silence_s for each in intervals),
            sum(each.lost for each in intervals),
            sum(each.out_of_order for each in intervals) / segments if segments else None,
            _range(intervals, lambda each: each.rtt_ms),
            _range(intervals, lambda each: each.signal_dbm),
            _range(intervals, lambda each: each.mbit_per_s),
        )


def _range(
    intervals: Sequence[Interval], value: Callable[[Interval], float | None]
) -> tuple[float, float, float] | None:
    known = sorted(found for each in intervals if (found := value(each)) is not None)
    return (known[0], known[len(known) // 2], known[-1]) if known else None


def spots(intervals: Sequence[Interval]) -> list[Course]:
    """Return the figures of each spot of a walk test, in the order of the walk."""
    names = dict.fromkeys(each.spot for each in intervals if each.spot)
    return [Course.of([each for each in intervals if each.spot == name], name) for name in names]
