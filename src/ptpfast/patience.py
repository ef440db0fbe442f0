"""How long to wait: pauses between tries that grow, with jitter, up to a limit; and the pace below
which an answer is none."""

from __future__ import annotations

import time

from .errors import PTPError, Timeout

BUSY_S = 10.0  # how long a busy camera is asked again
# Once the time to wait for an answer is over: else a camera could keep us for days, a byte now and
# then. The slowest radio is ten times as fast.
SLOWEST_BYTES_PER_S = 1000


def require_pace(label: str, received: int, late_s: float) -> None:
    """Timeout for an answer that is `late_s` seconds late (not yet, if negative) and has come to
    no more than `received` bytes of payload."""
    if received < late_s * SLOWEST_BYTES_PER_S:
        raise Timeout(f"{label}: after {received:,} bytes, all too slow", received=received)


class Patience:
    """Waits between tries: `wait(error)` pauses, or raises the error once `limit_s` is used up, or
    it has paused `tries` times.

    The first pause is `first_s`, each next one twice as long up to `most_s`, all with a quarter of
    jitter, so that several computers do not knock in step. `reset` starts again.
    """

    def __init__(
        self,
        limit_s: float,
        *,
        first_s: float = 0.02,
        most_s: float = 0.5,
        tries: int | None = None,
    ) -> None:
        self._limit_s = limit_s
        self._tries = tries
        self._first_s = first_s
        self._most_s = most_s
        self.reset()

    def reset(self) -> None:
        """It went well: the next trouble is a new one."""
        self._since: float | None = None
        self._pause_s = self._first_s
        self.waits = 0

    @property
    def is_used_up(self) -> bool:
        """Whether `wait` would raise."""
        waited_s = 0.0 if self._since is None else time.monotonic() - self._since
        return waited_s >= self._limit_s or self.waits == self._tries

    def wait(self, error: PTPError) -> None:
        """Pauses; raises `error` when that was long enough."""
        if self._since is None:
            self._since = time.monotonic()
        if self.is_used_up:
            raise error
        self.waits += 1
        import random  # rarely needed, and slow to import

        time.sleep(self._pause_s * random.uniform(0.75, 1.25))
        self._pause_s = min(2 * self._pause_s, self._most_s)
