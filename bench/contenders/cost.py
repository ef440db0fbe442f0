"""What a run costs, and its report; the same for every contender written in Python.

Needs nothing but the standard library: what a contender does not need it shall not carry.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# As in initiator.c: numpy's BLAS starts threads that spin at first, and TCP forgets its window in a
# pause, which must be the same for all contenders.
SETTLE_S = float(os.environ.get("BENCH_SETTLE_S", 0.25))
# Where calls.py begins and ends to count system calls; what lies between the second pair is taken
# off. These names do not exist.
BEGIN, END = "/ptpfast-bench/begin", "/ptpfast-bench/end"
LESS_BEGIN, LESS_END = "/ptpfast-bench/less-begin", "/ptpfast-bench/less-end"


def mark(name: str) -> None:
    """Leaves a trace for whoever counts system calls."""
    os.access(name, os.F_OK)


def memory_kib(field: str) -> int:
    """`VmRSS` or `VmHWM` of this process (ru_maxrss starts with the parent's, so it is no use)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


@dataclass
class Cost:
    """Wall and CPU seconds, and reads of the Command/Data connection, summed over what is measured;
    `began` and `ended` by the monotonic clock."""

    seconds: float = 0.0
    user: float = 0.0
    system: float = 0.0
    reads: int = 0
    began: float = 0.0
    ended: float = 0.0

    @contextmanager
    def measured(self, reads: Callable[[], int] = lambda: 0) -> Iterator[None]:
        """Adds what happens in the `with`; `reads` says how many there have been."""
        mark(BEGIN)
        usage, had, began = resource.getrusage(resource.RUSAGE_SELF), reads(), time.monotonic()
        yield
        ended, after = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
        self.add(ended - began, after.ru_utime - usage.ru_utime, after.ru_stime - usage.ru_stime)
        self.reads += reads() - had
        self.began, self.ended = self.began or began, ended
        mark(END)

    def add(self, seconds: float, user: float, system: float) -> None:
        """Adds a cost that is known."""
        self.seconds += seconds
        self.user += user
        self.system += system

    def report(self, size: int, **more: object) -> None:
        """Prints the line of JSON every contender ends with: `size` bytes came."""
        peak = {"peak_kib": memory_kib("VmHWM")}
        print(json.dumps({"bytes": size, **vars(self), **peak, **more}))
