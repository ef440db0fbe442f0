"""Finish received files on other threads, while the camera sends the next ones.

A file whose bytes have all arrived still needs a flush, its verification, its final name and a
flush of the folder. On a slow disk each takes as long as many round trips. So received files wait
in a queue, which a few threads work off: flushes of several files overlap, and hashing uses another
core. Files leave the queue in the order in which they were received, and between them the results
of objects that were not received.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..engine.errors import LimitReached

if TYPE_CHECKING:
    from ..transfer import Download
    from .plan.planning import Job
    from .report.results import FileResult

log = logging.getLogger("ptpfast")

THREADS = 4
# Files in the queue, each with two open descriptors, and their bytes, which a power cut may lose.
MOST_FILES = 16
MOST_BYTES = 256 << 20
# A disk that finishes files faster than this needs no other thread: handing over costs as much.
QUICK_S = 0.001
_POLL_S = 0.1  # how often a wait looks for signals and tells how long it has taken


class Arrival:
    """A received file. error: why it could not be finished; None if it has its final name."""

    def __init__(self, job: Job, download: Download) -> None:
        self.job = job
        self.download = download
        self.error: BaseException | None = None
        self._is_done = threading.Event()

    @property
    def is_done(self) -> bool:
        """Whether it is finished or has failed."""
        return self._is_done.is_set()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.download.transfer.size

    def wait(self, seconds: float) -> bool:
        """Wait until it is done, for so long at most; return whether it is."""
        return self._is_done.wait(seconds)

    def finish(self) -> None:
        """Finish the file. Never raises."""
        try:
            self.download.finish()
        except BaseException as error:  # noqa: BLE001  raised where the result is used
            self.error = error
        finally:
            self._is_done.set()


class Finishing:
    """The queue of received files; all methods are called from one thread.

    waiting(files, seconds) is called several times a second while the queue is waited for.
    waited_s: how long it was waited for, in all.
    """

    def __init__(self, waiting: Callable[[int, float], object]) -> None:
        self.waited_s = 0.0
        self._waiting = waiting
        self._line: deque[Arrival | FileResult] = deque()  # until they are taken out, in order
        self._todo: deque[Arrival] = deque()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._usual_s = math.inf  # what the disk takes for a file; slow until it is known

    @property
    def is_at_work(self) -> bool:
        """Whether a file in the queue is not finished yet."""
        return bool(self._unfinished())

    def add(self, arrival: Arrival) -> None:
        """Finish a file: on another thread, or at once if the disk is quick."""
        self._line.append(arrival)
        if self._usual_s < QUICK_S and arrival.download.is_cheap:
            arrival.finish()
            self._learn(arrival)
            return
        arrival.download.note()  # a killed process loses nothing of it
        with self._changed:
            self._todo.append(arrival)
            idle = self._start_thread()
            self._changed.notify()
        if not idle:
            self._finish_one()

    def put(self, result: FileResult) -> None:
        """Add the result of an object for which nothing is left to do."""
        self._line.append(result)

    def ready(self) -> Iterator[Arrival | FileResult]:
        """Take out what is done at the head of the queue; wait for room in it."""
        while self._line and (_is_done(self._line[0]) or self._is_full()):
            yield self._take()

    def rest(self) -> Iterator[Arrival | FileResult]:
        """Take out everything, each file when it is done."""
        while self._line:
            yield self._take()

    def close(self) -> None:
        """End the threads. Files that have not been begun keep their part files."""
        with self._changed:
            self._is_closed = True
            abandoned, self._todo = self._todo, deque()
            self._changed.notify_all()
        for arrival in abandoned:
            arrival.download.abandon()
        for thread in self._threads:
            thread.join()

    def _unfinished(self) -> list[Arrival]:
        return [each for each in self._line if isinstance(each, Arrival) and not each.is_done]

    def _is_full(self) -> bool:
        sizes = [arrival.size for arrival in self._unfinished()]
        return len(sizes) > MOST_FILES or (len(sizes) > 1 and sum(sizes) > MOST_BYTES)

    def _take(self) -> Arrival | FileResult:
        """Take out the head of the queue when it is done."""
        head = self._line[0]
        if isinstance(head, Arrival):
            if not head.is_done:
                self._wait(head)
            self._learn(head)
        return self._line.popleft()

    def _wait(self, arrival: Arrival) -> None:
        began = time.monotonic()
        try:
            while not arrival.wait(_POLL_S):
                self._waiting(len(self._unfinished()), time.monotonic() - began)
        finally:
            self.waited_s += time.monotonic() - began

    def _learn(self, arrival: Arrival) -> None:
        took = arrival.download.transfer.disk_seconds
        if arrival.error is None:
            is_slower = took > self._usual_s or math.isinf(self._usual_s)
            self._usual_s = took if is_slower else (self._usual_s + took) / 2

    def _start_thread(self) -> bool:
        """Start a thread if all are at work; return whether there is one."""
        if len(self._threads) < min(THREADS, len(self._unfinished())):
            thread = threading.Thread(target=self._work, name="ptpfast finishing")
            try:
                thread.start()
            except RuntimeError as error:
                if LimitReached.of(error) is None:
                    raise
                log.debug("%s", error)
            else:
                self._threads.append(thread)
        return bool(self._threads)

    def _work(self) -> None:
        while self._finish_one(wait=True):
            pass

    def _finish_one(self, *, wait: bool = False) -> bool:
        """Finish the next file; return False if there is none. wait: until there is one."""
        with self._changed:
            while wait and not self._todo and not self._is_closed:
                self._changed.wait()
            if not self._todo:
                return False
            arrival = self._todo.popleft()
        arrival.finish()
        return True


def _is_done(each: Arrival | FileResult) -> bool:
    return not isinstance(each, Arrival) or each.is_done
