"""The plan of a measurement, and its observer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..ptp.errors import PTPError
from .series import Interval

BUDGET_S = 40.0
WALK_BUDGET_S = 15.0  # of what comes before a walk
SPOT_S = 10.0


@dataclass(frozen=True)
class Plan:
    """The chunk sizes and depths to measure.

    Attributes:
        chunks: Bytes of partial reads; None for those that the maker's bodies can handle.
        depths: Pipeline depths above one; None for those that `ptpfast tune` found.
        long_s: Seconds of a long read after that, 0 for none.
        spots: The names of a walk test's spots, one when the one before is done; None for no walk.
        spot_s: Seconds of the read at each.
        engine: Whether to measure what the engine can do on this computer.
    """

    budget_s: float = BUDGET_S
    chunks: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None
    long_s: float = 0.0
    spots: Iterable[str] | None = None
    spot_s: float = SPOT_S
    engine: bool = False


class Watch(Protocol):
    """The observer of a run."""

    def step(self, what: str) -> None:
        """Report the start of another measurement."""

    def found(self, what: str, value: str) -> None:
        """Report a measurement or a note."""

    def interval(self, interval: Interval) -> None:
        """Report an interval of a long read."""

    def waiting(self, error: PTPError) -> None:
        """Report that the camera may hold an earlier session and is waited for."""


class NobodyWatches:
    """An observer that reports nothing."""

    def step(self, what: str) -> None:
        pass

    def found(self, what: str, value: str) -> None:
        pass

    def interval(self, interval: Interval) -> None:
        pass

    def waiting(self, error: PTPError) -> None:
        pass
