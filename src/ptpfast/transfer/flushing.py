"""Flush a part file on another thread, while the camera sends on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..engine.errors import LimitReached

log = logging.getLogger("ptpfast")


class Flush:
    """One flush. `start` begins it; its error is raised where `settle` is called."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._done = threading.Event()
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

    @property
    def is_done(self) -> bool:
        """True if it has ended."""
        return self._done.is_set()

    def wait(self) -> None:
        """Wait until it has ended. Does not raise its error."""
        if self._thread.ident is not None:  # else a signal handler has raised before its start
            self._done.wait()

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
            self._done.set()
