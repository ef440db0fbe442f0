"""Pauses between retries, which grow up to a limit, and the slowest accepted rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..ptp.errors import Cancelled, PTPError, Timeout

BUSY_S = 10.0  # how long a busy camera is asked again
BRIEF_BUSY_S = 0.2  # one that was busy as long for several objects in a row
# Once the time to wait for an answer is over: else a camera could keep us for days, a byte now and
# then. The slowest radio is ten times as fast.
SLOWEST_BYTES_PER_S = 1000


class _Thread(threading.local):
    stop: threading.Event | None = None


_thread = _Thread()


@contextmanager
def stopped_by(stop: threading.Event) -> Iterator[None]:
    """Have the pauses of this thread end when `stop` is set: no signal reaches a thread."""
    before, _thread.stop = _thread.stop, stop
    try:
        yield
    finally:
        _thread.stop = before


def pause(seconds: float) -> None:
    """Sleep. Raises Cancelled if this thread is to stop."""
    if _thread.stop is None:
        time.sleep(seconds)
    elif _thread.stop.wait(seconds):
        raise Cancelled("stopped")


def go_on() -> None:
    """Return if this thread is not to stop. Raises Cancelled if it is."""
    if _thread.stop is not None and _thread.stop.is_set():
        raise Cancelled("stopped")


class TooSlow(Timeout):
    """Bytes arrive, but so few that the transfer would never end."""

    hint = "move closer, or switch the camera off and on"


class SlowestPace:
    """The rate that an answer must keep, from `wait_s` seconds after its request.

    Counting starts again when the amount for `wait_s` has arrived. So a camera that has sent much
    may not stall for the time that this amount would have paid for. Call `resume` after each
    `require` and other work: only time spent waiting counts.
    """

    def __init__(self, wait_s: float, received: int = 0) -> None:
        self._wait_s = wait_s
        self._since = self._looked = time.monotonic()
        self._before = received

    def resume(self) -> None:
        """Start to wait for bytes again."""
        self._since += time.monotonic() - self._looked

    def require(self, label: str, received: int) -> None:
        """Raise TooSlow if the payload, `received` bytes so far, arrives too slowly."""
        now = self._looked = time.monotonic()
        came, took = received - self._before, now - self._since
        if came >= self._wait_s * SLOWEST_BYTES_PER_S:
            self._since, self._before = now, received
        elif came < (took - self._wait_s) * SLOWEST_BYTES_PER_S:
            raise TooSlow(f"{label}: {came:,} bytes in {took:.0f} s, too slow", received=received)


class Patience:
    """Pauses between retries. `wait(error)` pauses, or raises the error when the limit is reached.

    The limit is `limit_s` seconds or `tries` pauses. The first pause is `first_s`. Each next one is
    twice as long, up to `most_s`. A quarter of jitter keeps several computers apart. `reset` starts
    again. `told(error, waited_s)` is called before each pause.
    """

    def __init__(
        self,
        limit_s: float,
        *,
        first_s: float = 0.02,
        most_s: float = 0.5,
        tries: int | None = None,
        told: Callable[[PTPError, float], object] | None = None,
    ) -> None:
        self._limit_s = limit_s
        self._told = told
        self._tries = tries
        self._first_s = first_s
        self._most_s = most_s
        self.reset()

    def reset(self) -> None:
        """Start again: the next failure is a new one."""
        self._since: float | None = None
        self._pause_s = self._first_s
        self.waits: int = 0

    @property
    def is_used_up(self) -> bool:
        """True if `wait` would raise."""
        waited_s = 0.0 if self._since is None else time.monotonic() - self._since
        return waited_s >= self._limit_s or (self._tries is not None and self.waits >= self._tries)

    @contextmanager
    def at_most(self, tries: int | None) -> Iterator[None]:
        """Limit the pauses further within the context: to so many since `reset`."""
        before = self._tries
        if tries is not None:
            self._tries = tries if before is None else min(tries, before)
        try:
            yield
        finally:
            self._tries = before

    def wait(self, error: PTPError) -> None:
        """Pause, or raise `error` if the limit is reached."""
        if self._since is None:
            self._since = time.monotonic()
        if self.is_used_up:
            raise error
        self.waits += 1
        if self._told is not None:
            self._told(error, time.monotonic() - self._since)
        import random  # rarely needed, and slow to import

        pause(self._pause_s * random.uniform(0.75, 1.25))
        self._pause_s = min(2 * self._pause_s, self._most_s)


def until(moment: float) -> Callable[[object], None]:
    """Limit a transaction in time, however much of an answer comes (`Request.on_pause`)."""

    def look(_: object) -> None:
        if time.monotonic() > moment:
            raise Timeout("the answer does not end")

    return look
