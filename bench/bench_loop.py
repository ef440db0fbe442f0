"""Ten cameras in one event loop: does one process do what ten processes do?

Ten Responders, each with its own card. One process has a task and a session of `ptpfast.aio` for
each; ten processes have one session each. All begin at the same moment. What counts is the
aggregate: all bytes, from the first camera's beginning to the last one's end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from . import peers
from .bench_cameras import aggregate, together
from .bench_download import check_and_remove
from .harness import Case, Sample, alternate, scratch

CAMERAS = 10
LEAST = 0.95
APART = "ten processes"
LOOPS = ("asyncio", "trio")


def commands_apart(ports: list[int], folders: list[Path]) -> list[list[str]]:
    """Return a command for each camera, with its folder as the only one."""
    words = [*peers.PYTHON, "-m", "bench.contenders.cameras"]
    jobs = zip(ports, folders, strict=True)
    return [[*words, *peers.words({"ports": port, "dir": d, "wait": True})] for port, d in jobs]


def commands_in_a_loop(ports: list[int], directory: Path, loop: str) -> list[list[str]]:
    """Return the one command for all cameras."""
    words = peers.words({"ports": ",".join(map(str, ports)), "dir": directory, "way": loop})
    return [[*peers.PYTHON, "-m", "bench.contenders.loop", *words]]


def compare(
    directory: Path, cameras: int, objects: int, size: int, rounds: int, title: str
) -> Case:
    """All ways, in turn."""
    folders = [directory / str(number) for number in range(cameras)]

    def turn(commands: list[list[str]], cards: list[Path]) -> Callable[[], Sample]:
        def once() -> Sample:
            reports = together(commands)
            for card in cards:
                check_and_remove(card, objects, size)
            return aggregate(reports)

        return once

    with ExitStack() as stack:
        responders = [
            stack.enter_context(peers.Responder(objects=objects, size=size, packet=65536))
            for _ in folders
        ]
        ports = [responder.port for responder in responders]
        apart = [directory / "apart" / str(number) for number in range(cameras)]
        for folder in (*folders, *(each / "0" for each in apart)):
            folder.mkdir(parents=True)
        turns = {APART: turn(commands_apart(ports, apart), [each / "0" for each in apart])}
        for loop in LOOPS:
            turns[loop] = turn(commands_in_a_loop(ports, directory, loop), folders)
        case = alternate(title, turns, rounds)
    for loop in LOOPS:
        rate = case.ratio(APART, loop, lambda s: s.seconds)
        case.claim(f"aggregate rate of one {loop} loop, of ten processes'", rate, LEAST)
        cost = case.ratio(loop, APART, lambda s: s.cpu)
        case.claim(f"CPU per GB of one {loop} loop, of ten processes'", cost, None, at_least=False)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The one case of this benchmark."""
    objects, size, rounds = (2, 5 * 10**6, 1) if quick else (8, 25 * 10**6, 5)
    with scratch(2 * CAMERAS * objects * size) as (directory, kind):
        title = f"{CAMERAS} cameras, {objects} × {size // 10**6} MB each over loopback, to {kind}"
        yield compare(directory, CAMERAS, objects, size, rounds, title)
