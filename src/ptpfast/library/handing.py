"""Hand the results of a run over to another thread, which takes them one by one.

The thread that takes them may be interrupted by a signal handler at any moment. So it only uses
queues of C, which such an exception cannot leave locked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from ..ptp.errors import Cancelled
from .ending import Ending
from .report.passing import TOLD, Passing

if TYPE_CHECKING:
    from .report.observer import Observer
    from .report.report import Report
    from .report.results import FileResult

# Results that may wait before the next download begins. Up to `finishing.MOST_FILES` received files
# that are not stored yet come on top.
MOST_WAITING = 8
LOOK_S = 0.2  # how often a wait looks whether the results are still wanted


@dataclass(frozen=True, slots=True)
class End:
    """The end of a run: its report, and the error that ended it, if any."""

    report: Report | None
    error: BaseException | None = None


class Handover:
    """The results between a run and their taker.

    Attributes:
        taker: The thread that takes the results.
        when_changed: Called after each addition, in the run's thread.
    """

    def __init__(self, ending: Ending, most: int = MOST_WAITING) -> None:
        """most: results that may wait before the next download begins."""
        self.taker: threading.Thread = threading.current_thread()
        self.when_changed: Callable[[], object] | None = None
        self._ending = ending
        self._most = most
        self._ready: SimpleQueue[FileResult | End] = SimpleQueue()
        self._taken: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.Lock()  # of the counts; only threads of the run use it
        self._waiting = 0

    # For the run

    def add(self, item: FileResult | End) -> None:
        """Add a result, or the end."""
        with self._lock:
            self._waiting += 1
        self._ready.put(item)
        if (changed := self.when_changed) is not None:
            changed()

    def wait_for_room(self) -> None:
        """Wait until few results wait to be taken, or the run is to end."""
        while not self._ending.stop.is_set() and self._is_full():
            try:
                self._taken.get(timeout=LOOK_S)
            except Empty:
                self.look()
            else:
                self._count_taken(1)

    def look(self) -> None:
        """End the run if nothing can take its results: the program is about to exit."""
        if not self.taker.is_alive() and not threading.main_thread().is_alive():
            self._ending.end()

    def _is_full(self) -> bool:
        taken = 0
        while True:
            try:
                self._taken.get_nowait()
            except Empty:
                break
            taken += 1
        return self._count_taken(taken) >= self._most

    def _count_taken(self, taken: int) -> int:
        with self._lock:
            self._waiting -= taken
            return self._waiting

    # For the taker

    def take(self, *, wait: bool = True) -> FileResult | End:
        """Take the next result or the end. Raises Empty if there is none and `wait` is False."""
        item = self._ready.get(wait)
        self._taken.put(None)
        return item


class Handing(Passing):
    """Pass the calls on, and hand each finished result over.

    It waits for the taker between two downloads only: a camera that is kept waiting within one
    closes the connection.
    """

    def __init__(self, observer: Observer, camera: str, handover: Handover, ending: Ending) -> None:
        super().__init__(observer)
        self._camera = camera
        self._handover = handover
        self._ending = ending
        self._has_stopped = False

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Call the other observer. Raises Cancelled if the run is to end."""
        if name == "finished":
            self._finished(*given, **named)
            return
        if name not in TOLD:
            self._handover.look()
            if name == "started":
                self._handover.wait_for_room()
            self._stop_if_asked()
        super().passed(name, *given, **named)

    def _finished(self, result: FileResult) -> None:
        result.camera = self._camera
        try:
            super().passed("finished", result)
        finally:
            self._handover.add(result)
        if result.status in ("skipped", "planned"):  # there may be thousands without a download
            self._handover.wait_for_room()

    def _stop_if_asked(self) -> None:
        """Raise Cancelled, once: what comes after that belongs to the end of the run."""
        if self._ending.stop.is_set() and not self._has_stopped:
            self._has_stopped = True
            raise Cancelled("stopped")
