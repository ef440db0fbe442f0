"""What a listing asks of the session, and how it counts what it asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..engine.channel import DataPhase
from ..engine.sink import Sink
from ..link.losses import Losses
from ..link.pipelining import Request
from ..ptp.errors import PTPError
from ..vendors.vendor import Vendor

ListingProgress = Callable[[int, int], None]


class Camera(Protocol):
    """What a listing asks of the session."""

    @property
    def vendor(self) -> Vendor: ...
    @property
    def refused(self) -> set[int]: ...
    @property
    def pipeline_depth(self) -> int: ...
    @property
    def usable(self) -> bool: ...
    @property
    def losses(self) -> Losses: ...
    def supports(self, operation: int) -> bool: ...
    def fetch(self, operation: int, *parameters: int, limit: int = ...) -> bytearray: ...
    def receive(
        self,
        operation: int,
        *parameters: int,
        sink: Sink | None,
        limit: int | None = None,
        label: str | None = None,
        on_pause: Callable[[DataPhase], None] | None = None,
    ) -> DataPhase: ...
    def pipeline(
        self,
        next_request: Callable[[], Request | None],
        done: Callable[[Request, DataPhase, PTPError | None], None],
    ) -> None: ...
    def leave_pipeline(self, error: PTPError) -> bool: ...
    def reconnect_after(self, error: PTPError) -> None: ...


@dataclass(slots=True)
class Tally:
    """Where the descriptions of a listing came from, in objects, folders counted; and what they
    cost: requests, and round trips, of which those sent ahead of a response share one."""

    remembered: int = 0
    bulk: int = 0
    asked: int = 0
    failed: int = 0
    requests: int = 0
    round_trips: int = 0

    def count(self, requests: int, depth: int = 1) -> None:
        """Adds requests of which `depth` are outstanding at a time."""
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
    """Tells how many of some are `done`, if there are any."""

    def __init__(self, total: int, progress: ListingProgress | None) -> None:
        self.done = 0
        self._total = total
        self._progress = progress

    def __call__(self, done: int) -> None:
        self.done = done
        if self._progress is not None and self._total:
            self._progress(done, self._total)
