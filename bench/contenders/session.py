"""The ptpfast contender: a fresh process that does what peers/initiator.c does, through a
session.

    python -m bench.contenders.session --port N --into file|memory [--host H] [--dir D]
        [--chunk BYTES] [--depth N] [--then 0|1] [--touch 0|1] [--warm 0|1]
        [--verify WAY] [--algorithm NAME] [--turns 0|1] [--pull 0|1]
        [--trace none|cut|payload]

`--turns`: as in initiator.c. `--then`: it is said which object comes next, as `pull` says it; the C
program has nothing like it. `--pull`: all objects by one `pull`, with its queue for the disk.
`--trace`: the session is recorded beside the folder, without the payload or with it.

Prints the same line of JSON as the C program. Only the downloads are measured: not the start of
Python, the handshake or the listing, which the C program does not measure either.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ptpfast
from ptpfast.transfer import Download, DownloadOptions

from ..content import check_buffer
from ..peers import RUN_S
from .cost import SETTLE_S, Cost, memory_kib

PAGE = 4096


def forget_peak() -> None:
    """VmHWM starts again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def reads(session: ptpfast.Session) -> int:
    """Reads of the Command/Data connection: no public number, only this comparison wants it."""
    return session.link.connection._command.reads


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
    if options.pull:
        how = {"chunk": options.chunk, "verify": options.verify, "algorithm": options.algorithm}
        with cost.measured(lambda: reads(session)):
            return ptpfast.pull(session, options.dir, **how).bytes
    total = 0
    objects = list(session.objects())
    told = DownloadOptions(chunk=options.chunk, verify=options.verify, algorithm=options.algorithm)
    time.sleep(SETTLE_S)
    if options.into == "file" and options.warm:
        warm_up(Path(options.dir), sum(info.size or 0 for info in objects))
    for number, info in enumerate(objects):
        then = objects[number + 1 :] if options.then else ()
        size = info.size or 0
        array = fresh_memory(size, options.touch) if options.into == "memory" else None
        if options.turns:
            print("ready", flush=True)
            sys.stdin.readline()
        with cost.measured(lambda: reads(session)):
            if array is None:
                path = Path(options.dir) / info.name
                Download(session.camera, info, path, told, then=then).run()
            else:
                session.read_into(info, array)
        if array is not None:
            check_buffer(info.handle, array)
        total += size
    return total


def main() -> None:
    """Runs as the options say and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--into", choices=["file", "memory"], required=True)
    parser.add_argument("--dir", default=".")
    parser.add_argument("--chunk", type=int)
    parser.add_argument("--depth", type=int)
    parser.add_argument("--then", type=int, default=0)
    parser.add_argument("--verify", default="size")
    parser.add_argument("--algorithm")
    parser.add_argument("--turns", type=int, default=0)
    parser.add_argument("--pull", type=int, default=0)
    parser.add_argument("--touch", type=int, default=0)
    parser.add_argument("--warm", type=int, default=1)
    parser.add_argument("--trace", choices=["none", "cut", "payload"], default="none")
    options = parser.parse_args()
    signal.alarm(RUN_S)  # nothing is left behind, even if whoever started us is killed
    cost = Cost()
    known: dict[str, Any] = {"depth": options.depth, "index": False}
    trace = Path(options.dir).parent / f"trace-{os.getpid()}"
    if options.trace != "none":
        known |= {"trace": trace, "trace_payload": options.trace == "payload"}
    with ptpfast.connect(options.host, port=options.port, **known) as session:
        resident = memory_kib("VmRSS")
        forget_peak()
        total = measure(session, options, cost)
        peak = memory_kib("VmHWM")
        chunk = session.habits.chunks.size if options.chunk is None else options.chunk
    trace.unlink(missing_ok=True)
    cost.report(total, peak_kib=peak, resident_kib=resident, chunk=chunk)


if __name__ == "__main__":
    main()
