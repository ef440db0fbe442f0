"""Background tasks of a link: event polls, and requests that keep it alive."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ..ptp.errors import Cancelled, NetworkError, PTPError
from ..vendors import Dialect
from .connection import Connection
from .events import Event, Source
from .pipelining import Following, Request, TransactionRunning

log: logging.Logger = logging.getLogger("ptpfast")

MAX_LOST = 2  # connections in a row that ended in a poll; one may be chance


class Upkeep:
    """Event polls and keep-alive requests, from `start` to `stop`.

    The threads that use the session and the event thread call it.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._connection: Connection | None = None  # while it has something to do
        self._at_work = threading.Lock()
        self._of_thread = threading.local()
        self._polled = 0.0
        self._lost = 0  # connections that ended in a poll, without an answered one since
        self._ended: Connection | None = None  # the last one that ended so while it was idle

    def start(self, connection: Connection) -> None:
        """Begin, also while the session is idle."""
        self._connection = connection
        self._polled = time.monotonic()
        connection.watch(_weakly(self))

    def stop(self) -> None:
        """End it with the session."""
        if self._connection is not None:
            self._connection.watch(None)
            self._connection = None

    def has_ended(self, connection: Connection) -> bool:
        """Return whether a poll or a keep-alive has ended this connection while it was idle."""
        return self._ended is connection

    @property
    def in_passing(self) -> bool:
        """True if this thread runs a poll or a keep-alive, which the user has not asked for.

        It then waits for no busy camera and interrupts no transfer.
        """
        return getattr(self._of_thread, "in_passing", False)

    @contextmanager
    def _passing(self) -> Iterator[None]:
        self._of_thread.in_passing = True
        try:
            yield
        except PTPError as error:
            error.in_passing = True
            raise
        finally:
            self._of_thread.in_passing = False

    def ask(self) -> int:
        """Poll for events and publish them; return how many. 0 while another thread polls."""
        connection = self._connection
        if not self._at_work.acquire(blocking=False):
            return 0
        try:
            found = self._dialect.poll()
            self._lost = 0
        except NetworkError:
            self._lost += self.in_passing
            raise
        finally:
            self._polled = time.monotonic()
            self._at_work.release()
        if connection is not None:
            for code, parameters in found:
                connection.events.publish(Event(code, parameters, source=Source.POLL))
        return len(found)

    @property
    def _gave_up(self) -> bool:
        return self._lost >= MAX_LOST

    @property
    def is_due(self) -> bool:
        """True if events should be polled between two transactions.

        It is False while pipelined requests are outstanding: their answers would be dropped.
        """
        return (
            self._dialect.polls
            and not self._gave_up
            and self._connection is not None
            and not self._at_work.locked()
            and time.monotonic() - self._polled >= self._dialect.quirks.busy_poll_s
            and self._connection.sent_ahead is None
        )

    def ask_between(self) -> None:
        """Poll between two transactions. A refusal or a malformed answer is ignored.

        Raises:
            NetworkError: the connection ended.
            Cancelled: the session was cancelled.
        """
        connection = self._connection
        try:
            with self._passing():
                self.ask()
        except (NetworkError, Cancelled):
            raise
        except (PTPError, TransactionRunning) as error:
            if connection is None or not connection.usable:
                self._lost = MAX_LOST
                raise
            log.debug("no events: %s", error)

    def when_quiet(self) -> None:
        """Poll or keep alive. The event thread calls it about once a second."""
        connection, quirks = self._connection, self._dialect.quirks
        if connection is None or not connection.is_idle:
            return
        idle_s = time.monotonic() - connection.last_used
        polls = self._dialect.polls and not self._gave_up
        try:
            with self._passing():
                if polls and idle_s >= quirks.busy_poll_s:
                    self.ask()
                elif idle_s >= quirks.keep_awake_s:
                    self._dialect.keep_awake()
        except (PTPError, TransactionRunning, RuntimeError, ReferenceError) as error:
            if isinstance(error, NetworkError):
                self._ended = connection
            log.debug("a poll or a keep-alive failed: %s", error)  # also Cancelled, by a close
        except Exception:
            log.warning("a poll for events or a keep-alive failed", exc_info=True)


class Interrupted:
    """The requests of a run that pauses when event polls are due and then continues."""

    def __init__(
        self,
        upkeep: Upkeep,
        next_request: Callable[[], Request | None],
        following: Following | None,
    ) -> None:
        self._upkeep = upkeep
        self._next_request = next_request
        self._following = following
        self._is_due = False
        self._sent = False  # something since the last part: each goes on a little

    def runs(self) -> Iterator[None]:
        """Yield once for each part of the run."""
        while True:
            self._is_due = self._sent = False
            yield
            if not self._is_due:
                return
            self._upkeep.ask_between()

    def next(self) -> Request | None:
        """Return the next request; None at the end, or if events have to be polled first."""
        self._is_due = self._is_due or (self._sent and self._upkeep.is_due)
        self._sent = True
        return None if self._is_due else self._next_request()

    def following(self) -> Iterable[Request]:
        """Return the requests after this run, unless the run is interrupted."""
        return () if self._is_due or self._following is None else self._following()


def _weakly(upkeep: Upkeep) -> Callable[[], None]:
    """Call `when_quiet` while the session exists; the thread of the events must not hold it."""
    weak = weakref.ref(upkeep)

    def call() -> None:
        if (alive := weak()) is not None:
            alive.when_quiet()

    return call
