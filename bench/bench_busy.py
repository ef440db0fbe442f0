"""Does Python go on computing while a download runs?

A thread counts in pure Python. Its speed during a download that the Responder holds to 200 MB/s is
compared with its speed in the same process a moment before, when nothing was transferred. For the
share that is the machine's and not ours (the Responder, the network, the file), the same is shown
with the C program downloading in a process of its own at the same rate.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import ptpfast

from . import peers
from .bench_download import check_and_remove
from .harness import Case, Range, scratch

RATE = 200e6
STEP = 1000


class Counter(threading.Thread):
    """Counts as fast as Python goes; `count` only ever rises."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.stop = False

    def run(self) -> None:
        """Until told to stop."""
        while not self.stop:
            for _ in range(STEP):
                pass
            self.count += STEP

    def speed(self, work: Callable[[], object]) -> tuple[float, float]:
        """Counts per second while `work` runs, and how long that took."""
        began, before = time.monotonic(), self.count
        work()
        seconds = time.monotonic() - began
        return (self.count - before) / seconds, seconds


def child(port: int, rival_port: int, directory: Path) -> None:
    """In a fresh process: for each object idle, C, ptpfast; prints the speeds as JSON."""
    signal.alarm(peers.RUN_S)
    rival = peers.initiator_command(rival_port, "file", dir=directory / "C")
    rows = []
    counter = Counter()
    with ptpfast.connect("127.0.0.1", port=port) as session:
        objects = list(session.objects())
        counter.start()
        for info in objects:
            path = directory / info.name
            idle, _ = counter.speed(partial(time.sleep, 1))
            with_c, _ = counter.speed(lambda: peers.run(rival))
            with_us, seconds = counter.speed(partial(session.download, info, path))
            rate = (info.size or 0) / seconds
            rows.append({"idle": idle, "c": with_c, "ptpfast": with_us, "rate": rate})
        counter.stop = True
        counter.join()
    print(json.dumps({"rows": rows}))


def run(quick: bool) -> Iterator[Case]:
    """The one case of this benchmark."""
    objects, size = (1, 5 * 10**7) if quick else (7, 4 * 10**8)
    with (
        scratch((objects + 1) * size) as (directory, kind),
        peers.Responder(objects=objects, size=size, packet=65536, rate=RATE) as ours,
        peers.Responder(objects=1, size=size, packet=65536, rate=RATE) as rival,
    ):
        (directory / "C").mkdir()
        command = [*peers.PYTHON, "-m", "bench.bench_busy"]
        command += [str(ours.port), str(rival.port), str(directory)]
        rows = peers.run(command)["rows"]
        check_and_remove(directory / "C", 1, size)
        (directory / "C").rmdir()
        check_and_remove(directory, objects, size)
    case = Case(f"a busy Python thread, {size // 10**6} MB held to 200 MB/s, to {kind}")
    kept = Range.of([row["ptpfast"] / row["idle"] for row in rows])
    beside = Range.of([row["c"] / row["idle"] for row in rows])
    rate = Range.of([row["rate"] / RATE for row in rows])
    case.claim("speed kept, of an idle machine's", kept, 0.90)
    case.notes.append(f"with the C program downloading instead: {beside.text(3)}")
    case.notes.append(f"the download reached {rate.text(3)} of the 200 MB/s")
    yield case


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("rival_port", type=int)
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    child(arguments.port, arguments.rival_port, arguments.directory)
