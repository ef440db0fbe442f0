"""The cost and the progress of a listing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ListingProgress = Callable[[int, int], None]


@dataclass(slots=True)
class Tally:
    """The sources of the descriptions of a listing, and their cost.

    Folders count as objects. Pipelined requests share a round trip.
    """

    remembered: int = 0
    bulk: int = 0
    asked: int = 0
    failed: int = 0
    requests: int = 0
    round_trips: int = 0

    def count(self, requests: int, depth: int = 1) -> None:
        """Add requests, with `depth` of them outstanding at a time."""
        self.requests += requests
        self.round_trips += -(-requests // depth)

    def __str__(self) -> str:
        sources = [
            f"{number:,} {where}"
            for number, where in (
                (self.remembered, "from the index"),
                (self.bulk, "in bulk"),
                (self.asked, "one by one"),
                (self.failed, "not described"),
            )
            if number
        ]
        return (
            f"{', '.join(sources) or 'nothing'}; "
            f"{self.requests:,} requests, {self.round_trips:,} round trips"
        )


class Count:
    """Reporter of progress: how many are `done`, if there are any."""

    def __init__(self, total: int, progress: ListingProgress | None) -> None:
        self.done: int = 0
        self._total = total
        self._progress = progress

    def __call__(self, done: int) -> None:
        self.done = done
        if self._progress is not None and self._total:
            self._progress(done, self._total)
