"""Does a slow disk hold up the camera?

`pull` fetches a card from a Responder that keeps a rate, once onto a disk whose flushes cost what
they cost here, and once with 100 ms added to every flush of a file or folder, as a network share or
a stick takes. Each file needs two flushes before it counts as stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from . import peers
from .bench_download import check_and_remove
from .contenders import PTPFAST, command
from .harness import PACED, Case, Sample, alternate, scratch

RATE = 50e6
FLUSH_MS = 100
QUICK, SLOW = "flushes as they are", f"{FLUSH_MS} ms more a flush"
MUST = 1.1  # times as long


def measure(title: str, objects: int, size: int, directory: Path, rounds: int) -> Case:
    """Both disks in turns."""
    library = peers.program("slow_flush", "-shared", "-fPIC")
    with peers.Responder(objects=objects, size=size, packet=65536, rate=RATE) as camera:

        def at(ms: int) -> Callable[[], Sample]:
            words = command(PTPFAST, camera.port, into="file", dir=directory, pull=1, warm=0)

            def run() -> Sample:
                settings = {"LD_PRELOAD": library, "SLOW_FLUSH_MS": str(ms)}
                sample = Sample.of(peers.run(words, **settings))
                check_and_remove(directory, objects, size)
                return sample

            return run

        return alternate(title, {QUICK: at(0), SLOW: at(FLUSH_MS)}, rounds, warm_up=False)


def run(quick: bool) -> Iterator[Case]:
    """The one case of this benchmark."""
    objects, size, rounds = (10, 10**6, 1) if quick else (100, 5 * 10**6, 3)
    with scratch(2 * objects * size) as (directory, kind):
        where = f"{objects} × {size // 10**6} MB at {RATE / 1e6:g} MB/s to {kind}"
        case = measure(f"a slow disk, {where}", objects, size, directory, rounds)
    case.kind = PACED
    ratio = case.ratio(SLOW, QUICK, lambda sample: sample.seconds)
    case.claim("time, of that with quick flushes", ratio, None if quick else MUST, at_least=False)
    yield case
