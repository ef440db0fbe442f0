"""Flush a part file on another thread, while the camera sends on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ..engine.errors import LimitReached

log: logging.Logger = logging.getLogger("ptpfast")

LOOK_S = 1.0  # how often a waiting thread looks whether the flush has ended


class Flush:
    """One flush. `start` begins it; its error is raised where `settle` is called."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self.is_done: bool = False
        # Not an Event, which has a lock: a signal handler that raises could leave it taken.
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ptpfast flush", daemon=True)

    def start(self) -> None:
        """Begin; do the work at once if this computer allows no thread."""
        try:
            self._thread.start()
        except RuntimeError as error:
            if LimitReached.of(error) is None:
                raise
            log.debug("%s", error)
            self._run()

    def wait(self) -> None:
        """Wait until it has ended. Does not raise its error."""
        # Without a number it never began: a signal handler has raised before its start.
        while not self.is_done and self._thread.ident is not None:
            try:
                self._ended.get(timeout=LOOK_S)
            except Empty:
                continue

    def settle(self) -> None:
        """Wait until it has ended, and raise its error."""
        self.wait()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  raised by `settle`
            self._error = error
        finally:
            self.is_done = True
            self._ended.put(None)
