"""Work in a forked child."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

LONG_S = 30  # by when a child that hangs is ended, so that the test fails and does not hang


def in_child(work: Callable[[], object]) -> None:
    """Runs `work` in a forked child, which must return from it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(LONG_S)
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:  # noqa: BLE001  all of it is the parent's to see
            os.write(writing, repr(error).encode()[:4000])
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, "rb") as said:
        complaint = said.read().decode()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, complaint
