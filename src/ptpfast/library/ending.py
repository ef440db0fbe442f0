"""End a run from another thread: its transactions and pauses are cancelled, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..link.patience import stopped_by
from ..ptp.errors import Cancelled

if TYPE_CHECKING:
    from ..session.session import Session
    from .report.observer import Observer


class Ending:
    """The sessions of a run, and whether the run is to end. Thread-safe.

    Attributes:
        stop: Set when the run is to end.
    """

    def __init__(self) -> None:
        self.stop: threading.Event = threading.Event()
        self._sessions: list[Session] = []
        # Re-entrant: a signal handler may end the run in the thread that holds it.
        self._lock = threading.RLock()

    def end(self) -> None:
        """Have the run end: what it waits for raises Cancelled. May be called more than once."""
        with self._lock:
            self.stop.set()
            for session in self._sessions:
                session.cancel()

    @contextmanager
    def interrupts_pauses(self) -> Iterator[None]:
        """Let `end` interrupt the pauses of this thread."""
        with stopped_by(self.stop):
            yield

    @contextmanager
    def interrupts(self, session: Session) -> Iterator[None]:
        """Let `end` cancel the transactions of a session. Afterwards it can be used again."""
        with self._lock:
            if self.stop.is_set():
                raise Cancelled("stopped")
            self._sessions.append(session)
        try:
            yield
        finally:
            with self._lock:
                self._sessions.remove(session)
                has_ended = self.stop.is_set()
            if has_ended:  # its next operation is not meant
                session.link.connection.forget_cancel()


def _same(observer: Observer, camera: str) -> Observer:
    return observer


@dataclass(frozen=True, slots=True)
class Guide:
    """What another thread has to do with a run.

    Attributes:
        ending: What ends the run.
        observer: Returns the observer to use for a camera, given the user's and, with several, its
            address.
    """

    ending: Ending = field(default_factory=Ending)
    observer: Callable[[Observer, str], Observer] = _same
