"""How long and how often to try again: pauses that grow, with jitter, up to a limit."""

from __future__ import annotations

import random
import time

from .errors import PTPError

BUSY_S = 10.0  # how long a busy camera is asked again


class Patience:
    """Waits between tries: `wait(error)` pauses, or raises the error once `limit_s` is used up.

    The first pause is `first_s`, each next one twice as long up to `most_s`, all with a quarter of
    jitter, so that several computers do not knock in step. `reset` starts again.
    """

    def __init__(self, limit_s: float, *, first_s: float = 0.02, most_s: float = 0.5) -> None:
        self._limit_s = limit_s
        self._first_s = first_s
        self._most_s = most_s
        self.reset()

    def reset(self) -> None:
        """It went well: the next trouble is a new one."""
        self._since: float | None = None
        self._pause_s = self._first_s

    def wait(self, error: PTPError) -> None:
        """Pauses; raises `error` when that was long enough."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._since >= self._limit_s:
            raise error
        time.sleep(self._pause_s * random.uniform(0.75, 1.25))
        self._pause_s = min(2 * self._pause_s, self._most_s)
