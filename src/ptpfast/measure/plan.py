"""The plan of a measurement, and its observer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..ptp.errors import PTPError

BUDGET_S = 40.0


@dataclass(frozen=True)
class Plan:
    """The chunk sizes and depths to measure.

    Attributes:
        chunks: Bytes of partial reads; None for those that the maker's bodies can handle.
        depths: Pipeline depths above one; None for those that `ptpfast tune` found.
    """

    budget_s: float = BUDGET_S
    chunks: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None


class Watch(Protocol):
    """The observer of a run."""

    def step(self, what: str) -> None:
        """Report the start of another measurement."""

    def found(self, what: str, value: str) -> None:
        """Report a measurement or a note."""

    def waiting(self, error: PTPError) -> None:
        """Report that the camera may hold an earlier session and is waited for."""


class NobodyWatches:
    """An observer that reports nothing."""

    def step(self, what: str) -> None:
        pass

    def found(self, what: str, value: str) -> None:
        pass

    def waiting(self, error: PTPError) -> None:
        pass
