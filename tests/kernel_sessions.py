"""The processes of one session of the kernel's: all that were started in one run of a program."""

from __future__ import annotations

import time
from pathlib import Path


def running(session: int) -> list[str]:
    """Their ids; those that have ended and only wait to be asked are left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(entry.name)
    return found


def left_after(session: int, seconds: float = 5) -> list[str]:
    """Those that still run so long after now."""
    until = time.monotonic() + seconds
    while (left := running(session)) and time.monotonic() < until:
        pass  # each look takes some milliseconds
    return left
