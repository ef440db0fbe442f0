"""Whose turn it is at a connection: one thread's at a time, and no thread's twice."""

from __future__ import annotations

import threading

from .errors import ConnectionLost, Timeout
from .process import Owner


class Turn:
    """`with turn.now():` has it, others wait; `over` is set when there is nothing to take turns at.

    The lock's own `with` it has to be: a signal handler that raises cannot get between its being
    taken and its being sure to be let go.
    """

    __slots__ = ("_lock", "over", "owner")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the kind that knows whose it is
        self.owner = Owner("session")
        self.over = False

    def now(self) -> threading.RLock:
        """The lock, for a `with`. ConnectionLost when it is over. RuntimeError for the thread that
        has its turn already: it calls from within its own transaction (a progress callback, a
        signal handler), in the middle of packets; and in a forked child."""
        self.owner.require()
        if self.over:
            raise ConnectionLost("this session has been closed", hint="connect again")
        if self._lock._is_owned():  # type: ignore[attr-defined]
            raise RuntimeError("the session is in the middle of a transaction of this very thread")
        return self._lock

    def take(self, wait_s: float) -> None:
        """Takes it within so many seconds, to be given up with `end`: Timeout, and as `now`."""
        if not self.now().acquire(timeout=wait_s):
            raise Timeout("another thread's transaction does not end")

    def end(self) -> None:
        """Lets others have theirs."""
        self._lock.release()

    @property
    def is_anothers(self) -> bool:
        """Whether another thread has it."""
        if self._lock._is_owned():  # type: ignore[attr-defined]
            return False
        if self._lock.acquire(blocking=False):
            self._lock.release()
            return False
        return True
