"""One search for cameras: its end, its workers, and what they have found so far."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .found import Found, learn

log: logging.Logger = logging.getLogger("ptpfast")

WORKERS = 8
MOST_JOBS = 256  # in all
MOST_CAMERAS = 256


class Round:
    """One search, until its seconds are over or it is closed.

    Args:
        seconds: how long it lasts.
    """

    def __init__(self, seconds: float) -> None:
        self.over: threading.Event = threading.Event()
        self._deadline = time.monotonic() + seconds
        self._seen: queue.SimpleQueue[Found] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="ptpfast discovery")
        self._lock = threading.Lock()
        self._jobs_left = MOST_JOBS

    @property
    def left_s(self) -> float:
        """Seconds until the end; 0 after it."""
        return 0.0 if self.over.is_set() else max(0.0, self._deadline - time.monotonic())

    def see(self, camera: Found) -> None:
        """Report a camera, from any thread."""
        self._seen.put(camera)

    def start(self, job: Callable[..., object], *arguments: Any) -> None:
        """Run a job on a worker. It ends by `left_s`, and may fail. Too many are dropped."""
        with self._lock:
            if self._jobs_left <= 0 or self.over.is_set():
                return
            self._jobs_left -= 1
            self._pool.submit(_run, job, arguments)

    def cameras(self) -> Iterator[Found]:
        """Yield each camera when it is found, and again when more is known about it."""
        known: list[Found] = []
        while self.left_s:
            try:
                seen = self._seen.get(timeout=self.left_s)
            except queue.Empty:
                return
            if len(known) >= MOST_CAMERAS and not any(each.is_same(seen) for each in known):
                continue
            before = list(known)
            camera = learn(known, seen)
            if camera not in before:
                yield camera

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            self.over.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _run(job: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    try:
        job(*arguments)
    except Exception as error:  # noqa: BLE001 # one answer is not to end the search
        log.info("an answer cannot be used: %s", error)
