"""The whole soak: lanes side by side, because a run mostly waits, and a process that lives on."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import resident
from .card import Card
from .lane import Figures, Goal, Lane, result

MOST_REREAD = 0.01  # of the payload
# What the lanes verify by, in turn; of the hashes, the algorithm.
CHECKS = ("size", "size", "size", "sha256", "size", "xxh3")


@dataclass(frozen=True)
class Size:
    """How much of everything, all lanes together."""

    faults: int = 2000
    kills: int = 200
    small: int = 5600
    large: int = 204
    lanes: int = 6
    rounds: int = resident.ROUNDS
    large_sizes: tuple[int, int] = (30_000_000, 200_000_000)

    def goals(self, seed: int) -> list[Goal]:
        """What each lane has to do."""
        return [
            Goal(
                Card(
                    f"{seed} lane {number}",
                    self.small // self.lanes,
                    self.large // self.lanes,
                    large_sizes=self.large_sizes,
                ),
                -(-self.faults // self.lanes),
                -(-self.kills // self.lanes),
                CHECKS[number % len(CHECKS)],
            )
            for number in range(self.lanes)
        ]


@dataclass
class Soak:
    """What has come of a soak."""

    seed: int
    lanes: list[tuple[str, Figures]]  # how it verified, and what has come of it
    resident: resident.Resident
    seconds: float
    most_reread: float = MOST_REREAD

    @property
    def figures(self) -> Figures:
        """Of all lanes."""
        return sum((figures for _, figures in self.lanes), Figures())

    def rereads(self) -> list[str]:
        """Of each lane, by how it verified."""
        return [f"{how} {lane.reread / lane.payload:.3%}" for how, lane in self.lanes]

    @property
    def ratio(self) -> float:
        """Re-read bytes in parts of the payload."""
        return self.figures.reread / self.figures.payload

    def failures(self) -> list[str]:
        """All that is not as asked."""
        found = [*self.figures.findings, *self.figures.short]
        if self.ratio > self.most_reread:
            found.append(f"{self.ratio:.2%} of the payload re-read, not {self.most_reread:.0%}")
        return [*found, *self.resident.leaks, *self.resident.wrong]

    def result(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            **result(self.figures),
            "ratio": self.ratio,
            "reread_by_lane": self.rereads(),
            "resident": self.resident.result(),
            "failures": self.failures(),
        }


def run(
    seed: int, size: Size, seconds: float, into: Path | None, say: Callable[[str], None]
) -> Soak:
    """All of it, in a new folder that is removed. OSError where there is no room."""
    began = time.monotonic()
    goals = size.goals(seed)
    needed = sum(sum(goal.card.sizes()) for goal in goals)
    folder = Path(tempfile.mkdtemp(prefix="ptpfast-soak-", dir=into))
    saying = threading.Lock()

    def one_at_a_time(text: str) -> None:
        with saying:
            say(text)

    try:
        if (free := shutil.disk_usage(folder).free) < needed + (1 << 30):
            raise OSError(f"{folder} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} are needed")
        lasting = resident.start(seed, size.rounds)
        lanes = [
            Lane(number, seed, goal, folder, one_at_a_time) for number, goal in enumerate(goals)
        ]
        try:
            done = _together(lanes, began + seconds)
        except BaseException:
            resident.stop(lasting)
            raise
        figures = [(goal.check, lane) for goal, lane in zip(goals, done, strict=True)]
        return Soak(seed, figures, resident.finish(lasting), time.monotonic() - began)
    finally:
        shutil.rmtree(folder)


def _together(lanes: list[Lane], until: float) -> list[Figures]:
    """Runs them side by side. What ends one early, or this, ends all."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        try:
            return [done.result() for done in [pool.submit(lane.run, until) for lane in lanes]]
        except BaseException:
            for lane in lanes:
                lane.stop()
            raise
