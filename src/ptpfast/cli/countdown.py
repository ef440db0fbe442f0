"""The seconds that are left for the owner of a camera, on a terminal."""

from __future__ import annotations

import math
import sys
import threading
import time

from .output import Output, is_terminal, say


class Countdown:
    """Shows what to press and the seconds left, in one line that changes each second.

    Elsewhere than on a terminal the line is written once.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, what: str, seconds: float) -> None:
        """Show what to do within some seconds."""
        self.end()
        if self._output.quiet:
            return
        if self._output.verbose or self._output.plain or not is_terminal(sys.stderr):
            say(f"{what} ({seconds:.0f} s)")
            return
        self._over.clear()
        self._thread = threading.Thread(
            target=self._run, args=(what, time.monotonic() + seconds), daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Remove the line. Safe to call twice."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, what: str, until: float) -> None:
        is_over = False
        while not is_over:
            left = max(0, math.ceil(until - time.monotonic()))
            _write(f"\r\x1b[K{what}: {left // 60}:{left % 60:02d} left")
            is_over = self._over.wait(1.0)
        _write("\r\x1b[K")


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):  # the terminal has gone
        pass
