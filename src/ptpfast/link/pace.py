"""The receive rate of each second, to detect a connection that only trickles.

A radio can fall to a fraction of its rate and stay there until the client reconnects. No timeout
notices that, because bytes do arrive. The limit comes from the connection's own median second, not
from a fixed number.
"""

from __future__ import annotations

import time
from collections import deque

from ..ptp.errors import Timeout

REMEMBERED_S = 300
WINDOW_S = 15  # so long it must have trickled
KNOWN_S = 30  # and so long the connection must be known
TRICKLE = 0.1  # of the median rate


class Trickle(Timeout):
    """The connection has fallen to a fraction of its usual rate: reconnect."""

    hint = "move closer, or look for a source of interference"


class Overdue(Timeout):
    """An object takes longer than `Timeouts.total`."""

    hint = "allow more time, or find out what makes the link slow"


class Pace:
    """The rate of one connection.

    Call `resume()` before waiting for bytes and `add(size)` as they come. The time between does not
    count.
    """

    def __init__(self, *, window_s: int = WINDOW_S, known_s: int = KNOWN_S, unit_s: float = 1.0):
        self._window = window_s
        self._known = known_s
        self._unit_s = unit_s
        self._rates: deque[float] = deque(maxlen=REMEMBERED_S)  # bytes in each unit of time
        self._began = 0.0
        self._bytes = 0

    def resume(self, now: float | None = None) -> None:
        """Start to wait for bytes."""
        self._began = time.monotonic() if now is None else now
        self._bytes = 0

    def add(self, size: int, now: float | None = None) -> None:
        """Count `size` more bytes. Raises Trickle if they come too slowly."""
        now = time.monotonic() if now is None else now
        self._bytes += size
        units = int((now - self._began) / self._unit_s)
        if units < 1:
            return
        self._rates.extend([self._bytes / units] * min(units, REMEMBERED_S))
        self._began += units * self._unit_s
        self._bytes = 0
        if len(self._rates) < max(self._known, self._window):
            return
        lately = sum(list(self._rates)[-self._window :]) / self._window
        # The upper median; `import statistics` would slow down every start.
        usually = sorted(self._rates)[len(self._rates) // 2]
        if lately < TRICKLE * usually:
            self._rates.clear()  # raise once, then accept the rate
            raise Trickle(
                f"the rate fell from {usually / self._unit_s / 1e3:,.0f} "
                f"to {lately / self._unit_s / 1e3:,.0f} kB/s"
            )
