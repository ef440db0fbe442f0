"""The ptpfast contender for several cameras at once: one process, a thread and a session for each.

    python -m bench.contenders.cameras --ports N,N,… [--dir D] [--wait 0|1]

Every camera's card goes into a directory of D named by the camera's number. With --wait it prints
`ready` when all are listed, and goes on when a line comes. The one line of JSON is of all cameras
together; `resident_kib` is from before the first connection.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import ptpfast

from ..peers import RUN_S
from .cost import SETTLE_S, Cost, memory_kib
from .session import forget_peak, reads, warm_up

Card = list[ptpfast.ObjectInfo]


def download(
    session: ptpfast.Session, card: Card, directory: Path, begin: threading.Barrier
) -> int:
    """One camera's card, in its thread; how many bytes."""
    begin.wait()
    for info in card:
        session.download(info, directory / info.name, chunk=0)
    return sum(info.size or 0 for info in card)


def main() -> None:
    """Runs as the options say and prints the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", required=True)
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--wait", type=int, default=0)
    options = parser.parse_args()
    signal.alarm(RUN_S)
    ports = [int(port) for port in options.ports.split(",")]
    cost = Cost()
    resident = memory_kib("VmRSS")
    forget_peak()
    with ExitStack() as stack:
        sessions = [stack.enter_context(ptpfast.connect("127.0.0.1", port=p)) for p in ports]
        cards = [list(session.objects()) for session in sessions]
        directories = [options.dir / str(number) for number in range(len(ports))]
        for directory, card in zip(directories, cards, strict=True):
            warm_up(directory, sum(info.size or 0 for info in card))
        time.sleep(SETTLE_S)
        if options.wait:
            print("ready", flush=True)
            sys.stdin.readline()
        begin = threading.Barrier(len(ports) + 1)
        with ThreadPoolExecutor(len(ports)) as pool:
            jobs = zip(sessions, cards, directories, strict=True)
            futures = [pool.submit(download, *job, begin) for job in jobs]
            with cost.measured(lambda: sum(map(reads, sessions))):
                begin.wait()
                total = sum(future.result() for future in futures)
        peak = memory_kib("VmHWM")
    cost.report(total, peak_kib=peak, resident_kib=resident)


if __name__ == "__main__":
    main()
