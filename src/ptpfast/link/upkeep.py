"""What a link does besides what it is asked for: events that a camera gives only when it is asked,
and a sign of life, so that the camera does not end an idle session."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator

from ..ptp.errors import Cancelled, NetworkError, PTPError
from ..vendors import Dialect
from .connection import Connection
from .events import Event, Source
from .pipelining import Following, Request, UnderWay

log = logging.getLogger("ptpfast")


class Upkeep:
    """Of one session's dialect, from `start` to `stop`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._connection: Connection | None = None  # while it has something to do
        self._at_work = False
        self._passing = 0  # the thread that asks in passing
        self._polled = 0.0

    def start(self, connection: Connection) -> None:
        """From now on, also when nobody asks for anything."""
        self._connection = connection
        self._polled = time.monotonic()
        connection.watch(_weakly(self))

    def stop(self) -> None:
        """The session ends."""
        if self._connection is not None:
            self._connection.watch(None)
            self._connection = None

    def ask(self) -> int:
        """Ask for the events that the camera gives only then, and publish them; how many."""
        connection = self._connection
        self._at_work = True
        try:
            found = self._dialect.poll()
        finally:
            self._at_work = False
            self._polled = time.monotonic()
        if connection is not None:
            for code, parameters in found:
                connection.events.publish(Event(code, parameters, source=Source.POLL))
        return len(found)

    @property
    def is_due(self) -> bool:
        """Whether events should be asked for between two transactions: not while the camera is at
        work on what comes next, whose answers would be dropped."""
        return (
            self._dialect.polls
            and self._connection is not None
            and not self._at_work
            and time.monotonic() - self._polled >= self._dialect.quirks.busy_poll_s
            and self._connection.sent_ahead is None
        )

    def ask_between(self) -> None:
        """Ask in the midst of something else. NetworkError when the connection ends, Cancelled when
        that is asked for; an answer that makes no sense, or a refusal, is no reason to end what is
        under way."""
        connection = self._connection
        self._passing = threading.get_ident()
        try:
            self.ask()
        except (NetworkError, Cancelled):
            raise
        except (PTPError, UnderWay) as error:
            if connection is None or not connection.usable:
                raise
            log.debug("no events: %s", error)
        finally:
            self._passing = 0

    @property
    def in_passing(self) -> bool:
        """Whether what this thread asks is not worth waiting for a busy camera."""
        return self._passing == threading.get_ident()

    def when_quiet(self) -> None:
        """In the thread of the events, about once a second."""
        connection, quirks = self._connection, self._dialect.quirks
        if connection is None or self._at_work or not connection.is_idle:
            return
        idle_s = time.monotonic() - connection.last_used
        self._passing = threading.get_ident()
        try:
            if self._dialect.polls and idle_s >= quirks.busy_poll_s:
                self.ask()
            elif idle_s >= quirks.keep_awake_s:
                self._dialect.keep_awake()
        except (PTPError, UnderWay, RuntimeError) as error:  # also Cancelled, by a close
            log.debug("no sign of life: %s", error)
        finally:
            self._passing = 0


class Interrupted:
    """The requests of a run, which ends early when events are due and is then gone on with."""

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
        """Once for each part of the run."""
        while True:
            self._is_due = self._sent = False
            yield
            if not self._is_due:
                return
            self._upkeep.ask_between()

    def next(self) -> Request | None:
        """The next request, None at the end or when events come first."""
        self._is_due = self._is_due or (self._sent and self._upkeep.is_due)
        self._sent = True
        return None if self._is_due else self._next_request()

    def following(self) -> Iterable[Request]:
        """What comes after the run, as long as it is not interrupted."""
        return () if self._is_due or self._following is None else self._following()


def _weakly(upkeep: Upkeep) -> Callable[[], None]:
    """A thread that waits for events is not to keep a session alive that nobody has any more."""
    weak = weakref.ref(upkeep)

    def call() -> None:
        if (alive := weak()) is not None:
            alive.when_quiet()

    return call
