"""Whose turn it is at a connection: one thread's at a time, and no thread's twice."""

from __future__ import annotations

import threading

from .errors import ConnectionLost, Timeout


class Turn:
    """`with turn:` has it, others wait; `over` is set when there is nothing to take turns at.

    RuntimeError for the thread whose turn it is already: it calls from within its own transaction
    (a progress callback, a signal handler), in the middle of packets. ConnectionLost when it is
    over.

    A class with two methods and no generator: it is entered with each operation.
    """

    __slots__ = ("_lock", "_thread", "over")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self.over = False

    def take(self, wait_s: float = -1.0) -> None:
        """As `with` does, but waits `wait_s` seconds at most: Timeout."""
        if self.over:
            raise ConnectionLost("this session has been closed", hint="connect again")
        me = threading.get_ident()
        if self._thread == me:
            raise RuntimeError("the session is in the middle of a transaction of this very thread")
        if not self._lock.acquire(timeout=wait_s):
            raise Timeout("another thread's transaction does not end")
        self._thread = me

    def end(self) -> None:
        """Lets others have theirs."""
        self._thread = None
        self._lock.release()

    @property
    def is_anothers(self) -> bool:
        """Whether another thread has it."""
        return self._lock.locked() and self._thread != threading.get_ident()

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_: object) -> None:
        self.end()
