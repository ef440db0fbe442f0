"""What do `pull_iter`, metrics, spans, log events and the filesystem cost beside the engine alone?

One process with one connection downloads the card in each way, and reads each object in each way,
in turns (contenders/pipelines.py). Over loopback, where every microsecond counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import peers
from .harness import Case, Range, scratch

LEAST = 0.95
CARDS = ("pull_iter", "metrics", "spans", "log")
READS = {"cat_file": "read", "open": "read_into"}  # each fills memory as its plain one does


def claim(case: Case, rows: list[dict[str, Any]], way: str, plain: str) -> None:
    """The rate and the CPU time of a way, of those of the plain one."""
    rate = Range.of([row[plain]["seconds"] / row[way]["seconds"] for row in rows])
    case.claim(f"rate of {way}, of {plain}", rate, LEAST)
    cost = Range.of([row[way]["cpu"] / max(row[plain]["cpu"], 1e-6) for row in rows])
    case.claim(f"CPU of {way}, of {plain}", cost, None, at_least=False)


def compare(title: str, port: int, directory: Path, rounds: int) -> list[Case]:
    """Two cases: files, and memory. The first round only warms up, unless it is the only one."""
    options = {"port": port, "dir": directory, "rounds": rounds}
    report = peers.run([*peers.PYTHON, "-m", "bench.contenders.pipelines", *peers.words(options)])
    cards, reads = report["cards"], report["reads"]
    files, memory = Case(f"files, {title}"), Case(f"memory, {title}")
    for way in CARDS:
        claim(files, cards[1:] or cards, way, "pull")
    for way, plain in READS.items():
        claim(memory, reads[len(reads) // rounds :] or reads, way, plain)
    return [files, memory]


def run(quick: bool) -> Iterator[Case]:
    """Files of the size of a RAW, and small ones, where each file counts."""
    cards = [(2, 5 * 10**6, 1)] if quick else [(12, 25 * 10**6, 9), (400, 10**5, 7)]
    for objects, size, rounds in cards:
        with (
            scratch(2 * objects * size) as (directory, kind),
            peers.Responder(objects=objects, size=size, packet=65536) as responder,
        ):
            title = f"{objects} × {size / 10**6:g} MB over loopback, to {kind}"
            files, memory = compare(title, responder.port, directory, rounds)
            yield files
            if size >= 10**6:  # a read of less is a round trip, and little else
                yield memory
