"""Finish received files on other threads, while the camera sends the next ones.

A received file still needs a flush, its verification, its final name, a flush of the folder, and
its copies. On a slow disk each step takes as long as many round trips. So received files wait in a
queue for a few threads. Flushes of several files overlap, and another core computes the hashes. One
thread makes the copies, in order.

Files leave the queue in the order in which they were received. The results of objects that failed
keep their places between them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..engine.errors import LimitReached
from ..ptp.errors import SinkError
from .report.results import FileResult

if TYPE_CHECKING:
    from ..transfer import Download
    from .plan.jobs import Job

log: logging.Logger = logging.getLogger("ptpfast")

THREADS = 4
# Files in the queue, each with two open descriptors, and their bytes, which a power cut may lose.
MOST_FILES = 16
MOST_BYTES = 256 << 20
# A disk that finishes files faster than this needs no other thread: handing over costs as much.
QUICK_S = 0.001
_POLL_S = 0.1  # how often a wait looks for signals and tells how long it has taken


class Arrival:
    """A received file.

    Attributes:
        result: Its result once it has its final name; else None.
        error: Why it has no final name, or not all its copies; else None.
    """

    def __init__(self, job: Job, download: Download) -> None:
        self.job = job
        self.download = download
        self.result: FileResult | None = None
        self.error: BaseException | None = None
        self._has_name = threading.Event()
        self._is_done = threading.Event()

    @property
    def is_done(self) -> bool:
        """True if it is finished or has failed."""
        return self._is_done.is_set()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.download.transfer.size

    def wait(self, seconds: float) -> bool:
        """Wait up to so many seconds until it is done; return whether it is."""
        return self._is_done.wait(seconds)

    def finish(self) -> None:
        """Give the file its final name. Never raises."""
        info = self.job.info
        try:
            transfer = self.download.finish()
            self.result = FileResult(info.handle, info, transfer.path, "downloaded")
            self.result.transfer = transfer
        except BaseException as error:  # noqa: BLE001  raised where the result is used
            self.error = error
        finally:
            self._has_name.set()

    def abandon(self, error: BaseException) -> None:
        """Leave the part file for a later download; no other thread may be at work on it."""
        self.download.abandon()
        if self.result is None:
            self.error = self.error or error
        self._has_name.set()

    def end(self, copy: Callable[[FileResult], object] | None) -> None:
        """Wait until the file has its name, and make its copies. Never raises."""
        self._has_name.wait()
        try:
            if copy is not None and self.result is not None:
                copy(self.result)
        except BaseException as error:  # noqa: BLE001  raised where the result is used
            self.error = error
        finally:
            self._is_done.set()


class Finishing:
    """The queue of received files. Call all methods from one thread.

    waiting(files, seconds) is called several times a second during a wait for the queue.
    copy(result), if given, makes the copies of a file.

    Attributes:
        waited_s: Seconds of waiting for the queue.
    """

    def __init__(
        self,
        waiting: Callable[[int, float], object],
        copy: Callable[[FileResult], object] | None = None,
    ) -> None:
        self.waited_s: float = 0.0
        self._waiting = waiting
        self._copy = copy
        self._line: deque[Arrival | FileResult] = deque()  # until they are taken out, in order
        self._unnamed = Worker(self._name, THREADS)
        self._uncopied = Worker(self._end, 1)
        self._took: deque[float] = deque(maxlen=2)  # seconds of the disk for the last files

    @property
    def is_at_work(self) -> bool:
        """True if a file in the queue is not finished yet."""
        return bool(self._undone())

    def add(self, arrival: Arrival) -> None:
        """Finish a file: on another thread, or at once if the disk is quick."""
        try:
            self._line.append(arrival)
            self._hand_over(arrival)
        except BaseException as error:
            # Ctrl-C. Nothing may wait for a file that no thread has.
            if self._unnamed.drop(arrival):
                arrival.abandon(error)
            if self._uncopied.drop(arrival):
                arrival.end(None)
            raise

    def _hand_over(self, arrival: Arrival) -> None:
        is_quick = bool(self._took) and min(self._took) < QUICK_S  # one slow file may be chance
        if is_quick and self._copy is None and arrival.download.is_cheap:
            self._name(arrival)
            return
        arrival.download.note()  # a killed process loses nothing of it
        self._unnamed.do(arrival)
        if self._copy is not None:
            self._uncopied.do(arrival)

    def put(self, result: FileResult) -> None:
        """Add the result of an object that needs no more work."""
        self._line.append(result)

    def ready(self) -> Iterator[Arrival | FileResult]:
        """Yield the finished files at the head of the queue; wait while the queue is full."""
        while self._line and (_is_done(self._line[0]) or self._is_full()):
            yield self._take()

    def stored(self) -> Iterator[Arrival | FileResult]:
        """Yield the files at the head of the queue that are finished without an error."""
        while self._line and _is_stored(self._line[0]):
            yield self._take()

    def rest(self) -> Iterator[Arrival | FileResult]:
        """Yield all remaining files, each when it is done."""
        while self._line:
            yield self._take()

    def close(self) -> None:
        """End the threads. All in the queue is done then; files on which no thread has begun keep
        their part files."""
        for arrival in self._unnamed.close():
            arrival.abandon(SinkError("the run ended before it was stored"))
        self._uncopied.close()
        for arrival in self._undone():
            arrival.end(None)

    def _name(self, arrival: Arrival) -> None:
        arrival.finish()
        if self._copy is None:
            arrival.end(None)

    def _end(self, arrival: Arrival) -> None:
        arrival.end(self._copy)

    def _undone(self) -> list[Arrival]:
        return [each for each in self._line if isinstance(each, Arrival) and not each.is_done]

    def _is_full(self) -> bool:
        sizes = [arrival.size for arrival in self._undone()]
        return len(sizes) > MOST_FILES or (len(sizes) > 1 and sum(sizes) > MOST_BYTES)

    def _take(self) -> Arrival | FileResult:
        """Take out the head of the queue when it is done."""
        head = self._line[0]
        if isinstance(head, Arrival):
            if not head.is_done:
                self._wait(head)
            self._took.append(head.download.transfer.disk_seconds)
        return self._line.popleft()

    def _wait(self, arrival: Arrival) -> None:
        began = time.monotonic()
        try:
            while not arrival.wait(_POLL_S):
                self._waiting(len(self._undone()), time.monotonic() - began)
        finally:
            self.waited_s += time.monotonic() - began


class Worker:
    """Threads that do one kind of work, in the order of `do`; started when needed."""

    def __init__(self, work: Callable[[Arrival], object], threads: int) -> None:
        self._work = work
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._todo: deque[Arrival] = deque()
        self._doing: list[Arrival] = []
        self._idle = 0
        self._changed = threading.Condition()
        self._is_closed = False

    def do(self, arrival: Arrival) -> None:
        """Hand an arrival to a thread; do the work here if this computer allows no thread."""
        with self._changed:
            self._todo.append(arrival)
            if self._idle < len(self._todo) and len(self._threads) < self._most:
                self._start()
            self._changed.notify()
        if not self._threads:
            self._do_next()

    def drop(self, arrival: Arrival) -> bool:
        """Take an arrival back; return False if a thread is at work on it."""
        with self._changed:
            if arrival in self._todo:
                self._todo.remove(arrival)
            return arrival not in self._doing

    def close(self) -> list[Arrival]:
        """End the threads, and return the arrivals that were not begun."""
        with self._changed:
            self._is_closed = True
            left = list(self._todo)
            self._todo.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        return left

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="ptpfast finishing")
        try:
            thread.start()
        except RuntimeError as error:
            if LimitReached.of(error) is None:
                raise
            log.debug("%s", error)
        else:
            self._threads.append(thread)

    def _run(self) -> None:
        while self._wait():
            self._do_next()

    def _wait(self) -> bool:
        """Wait for an arrival; return False at the end."""
        with self._changed:
            self._idle += 1
            while not self._todo and not self._is_closed:
                self._changed.wait()
            self._idle -= 1
            return not self._is_closed

    def _do_next(self) -> None:
        with self._changed:
            if not self._todo:
                return
            arrival = self._todo.popleft()
            self._doing.append(arrival)
        try:
            self._work(arrival)
        finally:
            with self._changed:
                self._doing.remove(arrival)


def _is_done(each: Arrival | FileResult) -> bool:
    return not isinstance(each, Arrival) or each.is_done


def _is_stored(each: Arrival | FileResult) -> bool:
    return not isinstance(each, Arrival) or (each.is_done and each.error is None)
