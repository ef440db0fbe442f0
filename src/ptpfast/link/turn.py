"""Turns at a connection: one thread at a time, and no thread twice."""

from __future__ import annotations

import threading

from ..engine.channel import TimedLock
from ..engine.process import Owner
from ..ptp.errors import ConnectionLost


class Turn:
    """Exclusive use of the connection: `with turn.now():`. `over` is set once it is closed, and
    `ended_by` to what the error said that has ended it; not to the error, whose frames hold it.

    It uses the lock's own `with`, so a signal handler that raises cannot leave it locked.
    """

    __slots__ = ("_lock", "ended_by", "over", "owner")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the kind that knows whose it is
        self.owner: Owner = Owner("session")
        self.over: bool = False
        self.ended_by: str = ""

    def now(self) -> threading.RLock:
        """Return the lock, for a `with`.

        Raises:
            ConnectionLost: the session is closed, or the connection has ended.
            RuntimeError: this thread is in the middle of a transaction (a callback or a signal
                handler calls the session), or this is a forked child.
        """
        self.owner.require()
        if self.over:
            raise ConnectionLost("this session has been closed", hint="connect again")
        if self.ended_by:
            raise ConnectionLost(f"the connection has ended: {self.ended_by}", hint="connect again")
        if self._lock._is_owned():  # type: ignore[attr-defined]
            raise RuntimeError("this thread already runs a transaction of this session")
        return self._lock

    def within(self, wait_s: float) -> TimedLock:
        """Return the lock for a `with` that waits `wait_s` seconds at most. See `now`.

        Raises:
            Timeout: the lock is not free in time.
        """
        return TimedLock(self.now(), wait_s)

    @property
    def held_by_other_thread(self) -> bool:
        """True if another thread holds it."""
        if self._lock._is_owned():  # type: ignore[attr-defined]
            return False
        return not TimedLock.is_free(self._lock)
