"""The counters of a simulated camera. Any thread may read them and wait for a change."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

_LOG_SIZE = 10_000


class Transaction(NamedTuple):
    """A line of the simulated camera's log; `response` is None if none was sent."""

    operation: int
    transaction_id: int
    parameters: tuple[int, ...]
    response: int | None
    payload: int  # bytes of the data-in phase


class Observer(NamedTuple):
    """A callable that receives the code of an operation before it is served and logged."""

    begun: Callable[[int], None]
    ended: Callable[[Transaction], None]


class Counters:
    """The numbers and lists behind `SimulatedCamera`'s. Change them inside `changing`.

    An `observer` is called for each operation in the thread that serves it.
    """

    def __init__(self) -> None:
        self.operations: Counter[int] = Counter()  # requests by operation code
        self.initiators: list[tuple[bytes, str]] = []  # GUID and name of each that was let in
        self.payload_bytes: int = 0  # sent in data-in phases
        self.connections = 0  # pairs of connections begun
        self.serving = 0  # connections that are open now
        self.sessions_opened = 0
        self.sessions_closed = 0  # by CloseSession
        self.defects = 0  # of the simulated camera itself; each is shown with its traceback
        self.unclean_ends = 0  # pairs that ended with a session open
        self.protocol_errors = 0  # packets no Initiator may send
        self.probe_responses = 0
        self.early_requests = 0  # seen before the last was answered; a QUEUE does not look
        self.observer: Observer | None = None
        self._log: deque[Transaction] = deque(maxlen=_LOG_SIZE)
        self._changed = threading.Condition()

    @property
    def log(self) -> tuple[Transaction, ...]:
        """The newest transactions, oldest first: a copy, which the camera does not change."""
        with self._changed:
            return tuple(self._log)

    def clear_log(self) -> None:
        """Forget the transactions so far."""
        with self._changed:
            self._log.clear()

    def wait_for(self, predicate: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Wait until `predicate()`, checked after each change, is true; return whether it is."""
        with self._changed:
            return self._changed.wait_for(predicate, timeout)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, then wake all that wait for a change."""
        with self._changed:
            yield
            self._changed.notify_all()

    def begin_operation(self, code: int) -> None:
        """Count a request."""
        with self._changed:
            self.operations[code] += 1
            self._changed.notify_all()
        if self.observer is not None:
            self.observer.begun(code)

    def end_operation(self, transaction: Transaction) -> None:
        """Put an operation into the log."""
        if self.observer is not None:
            self.observer.ended(transaction)
        with self._changed:
            self._log.append(transaction)
            self.payload_bytes += transaction.payload
            self._changed.notify_all()
