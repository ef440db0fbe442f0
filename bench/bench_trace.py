"""What does a trace cost? The same files without one, with payload cut, and with all payload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .bench_download import FILE_SIZE, FILES, Pair, Starts, measure
from .contenders import PTPFAST, command
from .harness import TIMED, Case, scratch

WITHOUT, CUT, ALL = "no trace", "trace, payload cut", "trace, all payload"
WAYS = {WITHOUT: "", CUT: "cut", ALL: "payload"}
MUST = 0.98  # of the rate without a trace


def judge(case: Case) -> None:
    """Each against the session without a trace."""
    for name, must in ((CUT, MUST), (ALL, None)):
        rate = case.ratio(WITHOUT, name, lambda s: s.seconds)
        case.claim(f"rate, {name}", rate, must)
        cpu = case.ratio(name, WITHOUT, lambda s: s.cpu)
        case.claim(f"CPU per GB, {name}", cpu, None, at_least=False, kind=TIMED)


def loopback(directory: Path, pair: Pair, rounds: int, what: str) -> Case:
    """Whole objects; the trace is written beside the files."""
    starts = {name: _tracing(way) for name, way in WAYS.items()}
    case = measure(f"price of a trace, {what}", pair, starts, directory, rounds)
    judge(case)
    return case


def _tracing(way: str) -> Starts:
    def start(port: int, folder: Path) -> list[str]:
        return command(PTPFAST, port, into="file", dir=folder, chunk=0, trace=way or "none")

    return start


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    objects, size, rounds = (2, 5 * 10**6, 1) if quick else (FILES, FILE_SIZE, 9)
    with scratch(2 * len(WAYS) * objects * size) as (directory, kind):
        for packet, words in ((65536, "64 KiB"), (8192, "8 KiB")):
            pair = Pair(objects, size, packet)
            what = f"{objects} × {size // 10**6} MB in packets of {words} to {kind}"
            yield loopback(directory, pair, rounds, what)
