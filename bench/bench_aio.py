"""What does `ptpfast.aio` cost beside the session that it uses?

One process with one connection downloads each object twice, by the session directly and by a task,
in turns; then it makes small calls both ways. Over loopback, where every microsecond counts, on
asyncio and on trio.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from . import peers
from .harness import Case, Range, scratch

LEAST = 0.95
MOST_US = 1000  # a round trip over Wi-Fi takes several times as long


def compare(title: str, loop: str, port: int, directory: Path, calls: int) -> Case:
    """Both ways on one event loop. The first object only warms up, unless it is the only one."""
    options = {"port": port, "way": loop, "dir": directory, "calls": calls}
    report = peers.run([*peers.PYTHON, "-m", "bench.contenders.tasks", *peers.words(options)])
    downloads, small = (report[what][1:] or report[what] for what in ("downloads", "calls"))
    case = Case(f"{loop}, {title}")
    rate = Range.of([row["direct"]["seconds"] / row["aio"]["seconds"] for row in downloads])
    case.claim("rate of a task, of the session's own", rate, LEAST)
    cost = Range.of([row["aio"]["cpu"] / max(row["direct"]["cpu"], 1e-6) for row in downloads])
    case.claim("CPU per GB, of the session's own", cost, None, at_least=False)
    added = Range.of([1e6 * (row["aio"] - row["direct"]) for row in small])
    case.claim("added to a small call", added, MOST_US, at_least=False, unit="µs")
    alone = 1e6 * statistics.median(row["direct"] for row in small)
    case.notes.append(f"a small call of the session itself takes {alone:.0f} µs")
    return case


def run(quick: bool) -> Iterator[Case]:
    """A case for each event loop."""
    objects, size, calls = (2, 5 * 10**6, 20) if quick else (12, 10**8, 300)
    with (
        scratch(2 * size) as (directory, kind),
        peers.Responder(objects=objects, size=size, packet=65536) as responder,
    ):
        title = f"{objects} × {size // 10**6} MB over loopback, to {kind}"
        for loop in ("asyncio", "trio"):
            yield compare(title, loop, responder.port, directory, calls)
