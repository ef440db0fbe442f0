"""Who fetches a card fastest, and at what cost: everybody, each as it comes, from the same camera?

Two cameras, because what comes out differs by how a camera frames an object: in Data packets of
64 KiB, or all in one End Data packet, as the bodies do that the seed was written for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from . import calls, contenders, peers
from .bench_download import check_and_remove
from .contenders import DROPPED, GPHOTO2, KNOWN_TO_FAIL, PTPFAST, PYTHON_GPHOTO2, RECV_INTO, SEED, C
from .contenders.session import warm_up
from .content import WrongContent
from .harness import Case, Sample, alternate, scratch

FRAMINGS = {"Data packets of 64 KiB": 65536, "one End Data packet": 0}
LOST = "it forgets objects whose length it counts wrongly, {} of {} here"


def run_and_check(
    name: str, command: list[str], directory: Path, objects: int, size: int
) -> Sample:
    """One run, with the kernel in possession of pages for its files; every byte it wrote is
    compared."""
    warm_up(directory, objects * size)
    report = peers.run(command)
    if name == SEED and (left := objects * size - report["bytes"]):
        for path in directory.iterdir():
            path.unlink()
        raise WrongContent(LOST.format(left // size, objects))
    if name != DROPPED:
        check_and_remove(directory, objects, size)
    return Sample.of(report)


def judge(case: Case) -> None:
    """Faster than each, at no more CPU; what plain Python and C reach is to be known."""
    for name in (GPHOTO2, PYTHON_GPHOTO2, SEED, RECV_INTO, C):
        if name not in case.samples:
            continue
        must = 1.0 if name in (GPHOTO2, PYTHON_GPHOTO2, SEED) else None
        rate = case.ratio(name, PTPFAST, lambda s: s.seconds)
        case.claim(f"rate, over {name}", rate, must)
        cost = case.ratio(PTPFAST, name, lambda s: s.cpu)
        case.claim(f"CPU per GB, over {name}", cost, must, at_least=False)


def compare(directory: Path, packet: int, objects: int, size: int, rounds: int, title: str) -> Case:
    """Everybody who is here, on one camera."""
    with peers.Responder(objects=objects, size=size, packet=packet) as responder:
        commands = contenders.into_files(responder.port, directory, objects, size)

        turns = {
            name: partial(run_and_check, name, command, directory, objects, size)
            for name, command in commands.items()
        }
        case = alternate(title, turns, rounds, known_to_fail=KNOWN_TO_FAIL)
        if rounds > 1:
            calls.add_to(case, commands, directory)
    case.missing = contenders.all_missing()
    judge(case)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    objects, size, rounds = (4, 5 * 10**6, 1) if quick else (20, 25 * 10**6, 5)
    with scratch(objects * size) as (directory, kind):
        for name, packet in FRAMINGS.items():
            title = f"contenders, {objects} × {size // 10**6} MB to {kind}, {name}"
            yield compare(directory, packet, objects, size, rounds, title)
