"""Ranges of objects, read one after the other in a thread of the camera.

The camera answers one request at a time, so one thread is enough. While it reads a range it knows
the next one: the requests of that one leave as soon as the camera has room for them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from ..engine.sink import MemorySink
from ..link.patience import stopped_by
from ..link.pipelining import Following, Request
from ..ptp.errors import Cancelled
from .camera import OpenCamera
from .target import Target


class Range:
    """Bytes [start, start + size) of an object, to be read. `future` gets them."""

    def __init__(self, target: Target, start: int, size: int, memory: Any = None) -> None:
        """memory: a buffer of that size; without one, memory that grows with what arrives."""
        self.target = target
        self.start = start
        self.size = size
        self.memory = memory
        self.future: Future[Any] = Future()

    def read(self, camera: OpenCamera, following: Following) -> Any:
        """Read the range and return the bytes."""
        sink = MemorySink(self.memory)
        try:
            self.target.read(camera, sink, self.start, self.size, following)
            grown = sink.finish()
            return grown if self.memory is None else self.memory
        finally:
            sink.abandon()


class RangeQueue:
    """The ranges that are to be read. The thread starts with the first one, and ends at `close`."""

    def __init__(self, camera: OpenCamera, name: str) -> None:
        self.camera = camera
        self._name = name
        self._changed = threading.Condition()
        self._ranges: deque[Range] = deque()
        self._thread: threading.Thread | None = None

    def add(self, ranges: list[Range]) -> None:
        """Add ranges, which are read in this order.

        Raises:
            Cancelled: the session is closed.
        """
        with self._changed:
            if self.camera.stop.is_set():
                raise Cancelled("the filesystem has been closed")
            self._ranges += ranges
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End the session and the thread. What is being read or waits is cancelled, or fails."""
        with self._changed:
            self.camera.stop.set()
            left = list(self._ranges)
            self._ranges.clear()
            self._changed.notify()
        for each in left:
            each.future.cancel()
        self.camera.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(self.camera.session.timeouts.operation)

    def _run(self) -> None:
        with stopped_by(self.camera.stop):
            while (due := self._next()) is not None:
                self._serve(due)
                del due  # its bytes belong to the reader of the file now

    def _next(self) -> Range | None:
        with self._changed:
            while not self.camera.stop.is_set():
                while self._ranges:
                    due = self._ranges.popleft()
                    if due.future.set_running_or_notify_cancel():
                        return due
                self._changed.wait()
        return None

    def _following(self) -> Iterator[Request]:
        """Yield the requests of the next range. Called again and again while one is read."""
        with self._changed:
            after = next((each for each in self._ranges if not each.future.cancelled()), None)
        if after is None:
            return iter(())
        return after.target.requests(self.camera.session, after.start, after.size)

    def _serve(self, due: Range) -> None:
        try:
            due.future.set_result(due.read(self.camera, self._following))
        except BaseException as error:  # noqa: BLE001 - it is raised where the bytes are asked for
            due.future.set_exception(error)
