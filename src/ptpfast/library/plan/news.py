"""New objects that a run takes up while it is at work, before all that was listed.

`pull` has none. `watch` notes here what the camera reports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ...listing import Listing, ListingProgress
    from ...ptp.objects import ObjectInfo
    from .shots import Memory

# Right after ObjectAdded some bodies cannot describe the object yet: asked again for 5 s (airmtp).
DESCRIBE_S, DESCRIBE_PAUSE_S = 5.0, 0.25
MOST = 1000  # objects of a run that goes on only because new ones come: its report grows

Begin = Callable[["ListingProgress"], "Listing"]


class News:
    """The handles of new objects. Only the thread of the runs uses it.

    Attributes:
        begin: Starts the listing of the next run.
        listen: Called before each look at the handles; it may `add` some. It must not use the
            camera.
        is_over: Whether the run has to end early, because its listing no longer holds.
        wants: Returns whether a selected object should be downloaded.
        is_first: Whether a new object comes before the other new ones.
        bite: How many `take` returns at most, so that the first of many is not kept waiting until
            all are described; None for all.
        unsettled: Handles of new objects whose runs have not said yet what came of them.
        shots: The shots of the runs so far: the files of one may be reported one by one.
    """

    def __init__(
        self,
        begin: Begin,
        *,
        listen: Callable[[], object] = lambda: None,
        is_over: Callable[[], bool] = lambda: False,
        wants: Callable[[ObjectInfo], bool] = lambda info: True,
        is_first: Callable[[ObjectInfo], bool] = lambda info: True,
        show: Callable[[ObjectInfo, Path], object] = lambda info, path: None,
    ) -> None:
        self.begin = begin
        self.listen = listen
        self.is_over = is_over
        self.wants = wants
        self.is_first = is_first
        self.show = show
        self.bite: int | None = None
        self.unsettled: set[int] = set()
        self.shots: Memory = {}
        self._due: dict[int, float] = {}  # handle → when it can be asked for
        self._since: dict[int, float] = {}  # handles that could not be described, from when on

    def add(self, handle: int) -> None:
        """Note a new object."""
        self._due.setdefault(handle, 0.0)
        self.unsettled.add(handle)

    def drop(self, handle: int) -> None:
        """Forget an object that is gone."""
        self._due.pop(handle, None)
        self.unsettled.discard(handle)
        self._since.pop(handle, None)

    def clear(self) -> None:
        """Forget what is due: the whole card is listed. `unsettled` stays."""
        self._due.clear()
        self._since.clear()

    def settle(self, handles: Iterable[int] | None = None) -> None:
        """Note the handles of which a run has said what came of them; None for all it took."""
        if handles is None:
            self.unsettled = set(self._due)
        else:
            self.unsettled.difference_update(handles)

    @property
    def due_s(self) -> float | None:
        """Seconds until the next handle can be asked for; None without one."""
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def waiting(self) -> bool:
        """Return whether `take` would return a handle."""
        self.listen()
        now = time.monotonic()
        return any(due <= now for due in self._due.values())

    def take(self) -> list[int]:
        """Return handles that can be asked for, in the order of their events, and forget them."""
        self.listen()
        now = time.monotonic()
        ready = list(islice((h for h, due in self._due.items() if due <= now), self.bite))
        for handle in ready:
            del self._due[handle]
        return ready

    def postpone(self, handle: int) -> bool:
        """Have `take` return a handle again: the camera cannot describe the object yet.

        Returns:
            False once the camera has had its time.
        """
        now = time.monotonic()
        if now - self._since.setdefault(handle, now) > DESCRIBE_S:
            del self._since[handle]
            return False
        self._due[handle] = now + DESCRIBE_PAUSE_S
        return True
