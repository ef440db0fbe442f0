"""Waits of the main thread, which Ctrl-C ends whichever thread the system gives the signal to."""

from __future__ import annotations

import subprocess
import sys

WAITING = """
import signal, threading
from ptpfast.cli.signals import wait_for

def give() -> None:
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

threading.Timer(0.2, give).start()
try:
    wait_for(threading.Event())
except KeyboardInterrupt:
    print("ended")
"""


def test_a_signal_that_another_thread_is_given_ends_the_wait() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WAITING], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "ended\n"
