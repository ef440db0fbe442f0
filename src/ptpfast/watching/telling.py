"""Tell what a watch does: its status, and of each new result once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..library.report.passing import Passing
from ..library.report.results import ALREADY_HERE, FETCHED_BEFORE, FileResult
from ..ptp.errors import StoreNotAvailable
from .status import State, WatchStatus

if TYPE_CHECKING:
    from ..library.report.observer import Observer

KNOWN = (ALREADY_HERE, FETCHED_BEFORE)
MOST_FAILURES = 10_000  # that are told once each


class Telling(Passing):
    """Pass the calls of all runs of a watch on, but for results that are no news.

    Attributes:
        status: What the watch is doing. Each change replaces it, so that any thread may read it.
        was_watching: Whether all that was listed was at the destination at some time.
    """

    def __init__(
        self,
        observer: Observer,
        changed: Callable[[WatchStatus], object] | None = None,
        camera: str = "",
    ) -> None:
        """
        Args:
            observer: to whom the calls are passed.
            changed: called with each status whose state or reason is another one.
            camera: its address, if there are several.
        """
        super().__init__(observer)
        self.status: WatchStatus = WatchStatus(camera=camera)
        self.was_watching: bool = False
        self._changed = changed
        self._failures: dict[str, str] = {}  # path on the card → reason that was told
        self._known: set[int] = set()  # handles, until the first watching

    def complete(self) -> None:
        """Note that all that was listed is at the destination."""
        if not self.was_watching:
            self.was_watching = True
            self._known.clear()

    def become(self, state: State, reason: str = "") -> None:
        """Change the state."""
        before = self.status
        if (before.state, before.reason) == (state, reason):
            return
        since = before.since if before.state == state else datetime.now()
        self.status = replace(before, state=state, reason=reason, since=since)
        if self._changed is not None:
            self._changed(self.status)

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Note what it says about the state, and pass it on."""
        if name == "finished":
            self._note_known(given[0])
            if not self._is_news(given[0]):
                return
            self._count(given[0])
        elif name == "started" or (name == "progress" and self.status.state != "fetching"):
            self.become("fetching")
        elif name == "lost":
            self.become("away", given[0].message)
        super().passed(name, *given, **named)

    def _count(self, result: FileResult) -> None:
        if result.status == "downloaded":
            files, size = self.status.files + 1, self.status.size + (result.size or 0)
            self.status = replace(self.status, files=files, size=size, last=result.path)

    def _note_known(self, result: FileResult) -> None:
        if result.reason in KNOWN and not self.was_watching and result.handle not in self._known:
            self._known.add(result.handle)
            self.status = replace(self.status, known=self.status.known + 1)

    def _is_news(self, result: FileResult) -> bool:
        """Return whether a result is worth telling: a file, or a failure that is another one."""
        if result.status == "downloaded":
            return True
        if result.status == "unfinished" or result.reason in KNOWN or result.mirrored:
            return result.status == "unfinished"
        if isinstance(result.error, StoreNotAvailable):
            return False  # the state says so
        path = result.object.path if result.object is not None else f"0x{result.handle:X}"
        if self._failures.get(path) == result.reason:
            return False
        if len(self._failures) >= MOST_FAILURES:
            self._failures.clear()
        self._failures[path] = result.reason
        return True
