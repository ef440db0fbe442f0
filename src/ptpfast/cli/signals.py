"""Signals: Ctrl-C, SIGTERM and SIGHUP end a run in order; a second one ends it at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130  # what a shell shows for SIGINT; used for all of them (documented contract)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A terminal and a parent process may both pass on one Ctrl-C; no user presses it twice so quickly.
SAME_S = 0.3
LOOK_S = 0.25  # how often a wait looks for a signal


@contextmanager
def orderly_end() -> Iterator[None]:
    """Within it each of the signals raises KeyboardInterrupt in the main thread, once.

    A signal the process was started to ignore (`nohup`, a shell's `&`) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    end = _End()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for(event: threading.Event) -> None:
    """Wait in the main thread, so that Ctrl-C ends the wait.

    The system may give a signal to any thread. Then only the flag is set that the main thread looks
    at when it runs, and a wait without a timeout would go on.
    """
    while not event.wait(LOOK_S):
        pass


class _End:
    """The handler of all of them."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now
            raise KeyboardInterrupt
        if now - self._began >= SAME_S:
            # What is on the disk is whole at any moment; only the camera is not told.
            os._exit(INTERRUPTED)
