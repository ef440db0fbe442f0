"""The plan of a measurement, and its observer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..ptp.errors import PTPError

BUDGET_S = 40.0


@dataclass(frozen=True)
class Plan:
    """What to measure. chunks: bytes of partial reads, None for what the maker's bodies stand;
    depths: requests outstanding at a time, beyond one, None for what `ptpfast tune` found."""

    budget_s: float = BUDGET_S
    chunks: tuple[int, ...] | None = None
    depths: tuple[int, ...] | None = None


class Watch(Protocol):
    """What is told of a run while it goes on."""

    def step(self, what: str) -> None:
        """Something else is measured from now on."""

    def found(self, what: str, value: str) -> None:
        """Something has been measured, or noted."""

    def waiting(self, error: PTPError) -> None:
        """Report that the camera may hold an earlier session and is waited for."""


class NobodyWatches:
    """Reports nothing."""

    def step(self, what: str) -> None:
        pass

    def found(self, what: str, value: str) -> None:
        pass

    def waiting(self, error: PTPError) -> None:
        pass
