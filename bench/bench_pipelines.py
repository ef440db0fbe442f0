"""What do `pull_iter`, metrics, spans, log events and the filesystem cost beside the engine alone?

One process with one connection downloads the card in each way, and reads each object in each way,
in turns (contenders/pipelines.py). Over loopback, where every microsecond counts, and over an
emulated Wi-Fi link.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import linked, peers
from .harness import Case, Range, scratch

LEAST = 0.95
CARDS = ("pull_iter", "metrics", "spans", "log")
WAYS = ["-m", "bench.contenders.pipelines"]
READS = {"cat_file": "read", "open": "read_into"}  # each fills memory as its plain one does


def claim(
    case: Case, rows: list[dict[str, Any]], way: str, plain: str, least: float | None
) -> None:
    """The rate and the CPU time of a way, of those of the plain one."""
    rate = Range.of([row[plain]["seconds"] / row[way]["seconds"] for row in rows])
    case.claim(f"rate of {way}, of {plain}", rate, least)
    cost = Range.of([row[way]["cpu"] / max(row[plain]["cpu"], 1e-6) for row in rows])
    case.claim(f"CPU of {way}, of {plain}", cost, None, at_least=False)


def words(directory: Path, rounds: int, **camera: object) -> list[str]:
    """Return the command of all ways, without Python."""
    return [*WAYS, *peers.words({**camera, "dir": directory, "rounds": rounds})]


def judge(files: Case, memory: Case, report: dict[str, Any], least: float | None) -> None:
    """Add the claims of a report. The first round only warms up, unless it is the only one."""
    cards, reads = report["cards"], report["reads"]
    for way in CARDS:
        claim(files, cards[1:] or cards, way, "pull", least)
    for way, plain in READS.items():
        claim(memory, reads[len(reads) // len(cards) :] or reads, way, plain, least)


def compare(title: str, port: int, directory: Path, rounds: int) -> list[Case]:
    """Two cases over loopback: files, and memory."""
    report = peers.run([*peers.PYTHON, *words(directory, rounds, port=port)])
    files, memory = Case(f"files, {title}"), Case(f"memory, {title}")
    judge(files, memory, report, LEAST)
    return [files, memory]


def compare_on_link(title: str, link: linked.Linked, directory: Path, rounds: int) -> list[Case]:
    """The same two over a link."""
    link.look()
    report = peers.run(link.near(words(directory, rounds, **link.options)))
    link.look()
    files, memory = Case(f"files, {title}"), Case(f"memory, {title}")
    least = link.least(files)
    memory.kind = files.kind
    judge(files, memory, report, least)
    return [files, memory]


def run(quick: bool) -> Iterator[Case]:
    """Files of the size of a RAW, and small ones, where each file counts; RAWs over a link."""
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
    if (without := linked.missing("pipelines")) is not None:
        yield without
        return
    objects, size, rounds = (1, 2 * 10**6, 1) if quick else (4, 25 * 10**6, 4)
    with (
        scratch(2 * objects * size) as (directory, kind),
        linked.behind_link(objects, size, size if quick else linked.RAW_BYTES) as link,
    ):
        title = f"{objects} × {size / 10**6:g} MB over {linked.LINK}, to {kind}"
        yield from compare_on_link(title, link, directory, rounds)
