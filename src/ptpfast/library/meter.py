"""Counts what one object moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .report.observer import Observer

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo


class Meter:
    """Hands on the progress of one object, and counts what it moves beyond what was `kept`."""

    def __init__(self, observer: Observer, info: ObjectInfo, kept: int) -> None:
        self._observer = observer
        self._info = info
        self.kept = kept
        self.moved = 0

    def __call__(self, received: int, size: int | None) -> None:
        if received < self.kept:  # it was restarted, not continued
            self.kept = 0
        self.moved = received - self.kept
        self._observer.progress(self._info, received, size)
