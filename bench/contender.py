"""The ptpfast contender: a fresh process that does what peers/initiator.c does, through `Session`.

    python -m bench.contender --port N --into file|memory [--dir D] [--chunk BYTES] [--touch 0|1]

Prints the same line of JSON as the C program. Only the downloads are measured: not the start of
Python, the handshake or the listing, which the C program does not measure either.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ptpfast

from .content import check_buffer
from .peers import RUN_S

# As in initiator.c: numpy's BLAS starts threads that spin at first, and TCP forgets its window in a
# pause, which must be the same for both contenders.
SETTLE_S = 0.25
PAGE = 4096


def memory_kib(field: str) -> int:
    """`VmRSS` or `VmHWM` of this process (ru_maxrss starts with the parent's, so it is no use)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


def forget_peak() -> None:
    """VmHWM starts again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


@dataclass
class Cost:
    """Wall and CPU seconds of this process, and its reads of the Command/Data connection."""

    seconds: float = 0.0
    user: float = 0.0
    system: float = 0.0
    reads: int = 0

    @classmethod
    def now(cls, session: ptpfast.Session) -> Cost:
        """The counters as they stand."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        # The reads are no public number: only this comparison wants them.
        reads = session.connection._command.reads
        return cls(time.monotonic(), usage.ru_utime, usage.ru_stime, reads)

    def add(self, before: Cost, after: Cost) -> None:
        """Adds what lies between two readings."""
        self.seconds += after.seconds - before.seconds
        self.user += after.user - before.user
        self.system += after.system - before.system
        self.reads += after.reads - before.reads


def fresh_memory(size: int, touch: bool) -> NDArray[np.uint8]:
    """A numpy array as `numpy.empty` gives it, its pages in use already or not; as in initiator.c
    the kernel is first made to have pages, or a virtual machine measures its host."""
    array = np.empty(size, np.uint8)
    array[::PAGE] = 1
    if not touch:
        del array
        array = np.empty(size, np.uint8)
    return array


def warm_up(directory: Path, size: int) -> None:
    """Has the kernel own the pages of all files to come, for the same reason."""
    block = bytes(1 << 20)
    path = directory / "warm-up"
    with path.open("wb", buffering=0) as file:
        for _ in range(size // len(block) + 1):
            file.write(block)
    path.unlink()


def measure(session: ptpfast.Session, options: argparse.Namespace, cost: Cost) -> int:
    """Every object of the camera, one after the other; how many bytes."""
    total = 0
    objects = list(session.objects())
    time.sleep(SETTLE_S)
    if options.into == "file" and options.warm:
        warm_up(Path(options.dir), sum(info.size or 0 for info in objects))
    for info in objects:
        size = info.size or 0
        array = fresh_memory(size, options.touch) if options.into == "memory" else None
        before = Cost.now(session)
        if array is None:
            session.download(info, Path(options.dir) / info.name, chunk=options.chunk)
        else:
            session.read_into(info, array)
        cost.add(before, Cost.now(session))
        if array is not None:
            check_buffer(info.handle, array)
        total += size
    return total


def main() -> None:
    """Runs as the options say and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--into", choices=["file", "memory"], required=True)
    parser.add_argument("--dir", default=".")
    parser.add_argument("--chunk", type=int)
    parser.add_argument("--touch", type=int, default=0)
    parser.add_argument("--warm", type=int, default=1)
    options = parser.parse_args()
    signal.alarm(RUN_S)  # nothing is left behind, even if whoever started us is killed
    cost = Cost()
    with ptpfast.connect("127.0.0.1", port=options.port) as session:
        resident = memory_kib("VmRSS")
        forget_peak()
        total = measure(session, options, cost)
        peak = memory_kib("VmHWM")
        chunk = session.chunks.chunk
    report = {
        "bytes": total,
        "seconds": cost.seconds,
        "user": cost.user,
        "system": cost.system,
        "peak_kib": peak,
        "reads": cost.reads,
        "resident_kib": resident,
        "chunk": chunk,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
