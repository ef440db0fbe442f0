"""What does `ptpfast.aio` cost beside the session that it uses?

One process with one connection downloads each object twice, by the session directly and by a task,
in turns; then it makes small calls both ways. Over loopback, where every microsecond counts, and
over an emulated Wi-Fi link, on asyncio and on trio.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import linked, peers
from .harness import Case, Range, scratch

LEAST = 0.95
MOST_US = 1000  # a round trip over Wi-Fi takes several times as long
LOOPS = ("asyncio", "trio")
LINK_CALLS = 10
ROUNDS = 4  # of the card: single downloads of 60 ms differ by a third, whichever way they take
TASKS = ["-m", "bench.contenders.tasks"]


def words(loop: str, directory: Path, calls: int, **camera: object) -> list[str]:
    """Return the command of both ways on one event loop, without Python."""
    return [*TASKS, *peers.words({**camera, "way": loop, "dir": directory, "calls": calls})]


def judge(case: Case, report: dict[str, Any], least: float | None, most_us: float | None) -> Case:
    """Add the claims of a report. The first object only warms up, unless it is the only one."""
    downloads, small = (report[what][1:] or report[what] for what in ("downloads", "calls"))
    rate = Range.of([row["direct"]["seconds"] / row["aio"]["seconds"] for row in downloads])
    case.claim("rate of a task, of the session's own", rate, least)
    cost = Range.of([row["aio"]["cpu"] / max(row["direct"]["cpu"], 1e-6) for row in downloads])
    case.claim("CPU per GB, of the session's own", cost, None, at_least=False)
    ran = Range.of([_ran(row["direct"]) / _ran(row["aio"]) for row in downloads])
    case.claim("the same rate, without waits for a processor", ran, None)
    added = Range.of([1e6 * (row["aio"] - row["direct"]) for row in small])
    case.claim("added to a small call", added, most_us, at_least=False, unit="µs")
    alone = 1e6 * statistics.median(row["direct"] for row in small)
    case.notes.append(f"a small call of the session itself takes {alone:.0f} µs")
    return case


def _ran(download: dict[str, float]) -> float:
    """Seconds of a download, less those in which its thread was ready and had no processor."""
    return max(download["seconds"] - download["waited"], 1e-6)


def compare(title: str, loop: str, port: int, directory: Path, calls: int, rounds: int = 1) -> Case:
    """Both ways on one event loop, over loopback."""
    command = words(loop, directory, calls, port=port, rounds=rounds)
    report = peers.run([*peers.PYTHON, *command])
    return judge(Case(f"{loop}, {title}"), report, LEAST, MOST_US)


def compare_on_link(title: str, loop: str, link: linked.Linked, directory: Path) -> Case:
    """Both ways on one event loop, over a link, whose jitter says nothing of small calls."""
    report = peers.run(link.near(words(loop, directory, LINK_CALLS, **link.options)))
    link.look()
    case = Case(f"{loop}, {title}")
    return judge(case, report, link.least(case), None)


def run(quick: bool) -> Iterator[Case]:
    """A case for each event loop, over loopback and over a link."""
    objects, size, calls = (2, 5 * 10**6, 20) if quick else (12, 10**8, 300)
    with (
        scratch(2 * size) as (directory, kind),
        peers.Responder(objects=objects, size=size, packet=65536) as responder,
    ):
        title = f"{objects} × {size // 10**6} MB over loopback, to {kind}"
        for loop in LOOPS:
            yield compare(title, loop, responder.port, directory, calls, 1 if quick else ROUNDS)
    if (without := linked.missing("aio")) is not None:
        yield without
        return
    objects, size = (2, 2 * 10**6) if quick else (9, 25 * 10**6)
    with (
        scratch(2 * size) as (directory, kind),
        linked.behind_link(objects, size, size if quick else linked.RAW_BYTES) as link,
    ):
        title = f"{objects} × {size // 10**6} MB over {linked.LINK}, to {kind}"
        for loop in LOOPS:
            yield compare_on_link(title, loop, link, directory)
