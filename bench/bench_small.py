"""Small objects: what does each cost beyond the wire, and is the wire the limit when they are many?

5,000 objects of 20 KB over a real link: into files, as `ptpfast pull` fetches a card, and into
memory with one GetObject each, as thumbnails are fetched. The camera takes no time of its own, and
counts what it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ptpfast.sim import Store

from .harness import COUNTED, Case, Range, Sample, alternate, scratch
from .many import ManyCase
from .radio import Radio, why_not
from .sides import CONTENT, Far, check_and_remove, far_side, sample

RTT = 0.004
RATE = 30e6
SIZE = 20_000
DEPTHS = {"small": (1, 16), "pull": (1, 16)}
# The kernel's own work, the scheduler's and the simulated camera's come on top of each round trip;
# of a file also what is done for it on the disk.
ROUND_TRIP = {"small": 1.2, "pull": 1.5}
WIRE = 0.9


def measure(what: str, title: str, objects: int, directory: Path) -> ManyCase:
    """The same card at each depth."""
    store = Store.synthetic(objects, SIZE)

    def at(far: Far, depth: int) -> Callable[[], Sample]:
        options = {"depth": depth, "objects": objects, "size": SIZE, "dir": directory}

        def run() -> Sample:
            far.requests()
            found = sample(radio, what, far.camera, **options)
            asked = far.requests()
            found.requests = sum(asked[code] for code in CONTENT)
            if what == "pull":
                check_and_remove(directory, store)
            return found

        return run

    with (
        Radio(rate=RATE, rtt=RTT, queue=1 << 20) as radio,
        far_side(radio, objects, SIZE, 0.0) as far,
    ):
        turns = {f"depth {depth}": at(far, depth) for depth in DEPTHS[what]}
        case = alternate(title, turns, 1)
    return ManyCase(case, objects, SIZE, RATE, RTT)


def judge(case: ManyCase, what: str, *, quick: bool) -> None:
    """One request and one round trip for each, and the wire as the limit when pipelined."""
    names = list(case.samples)
    requests = [case.requests(name).maximum for name in names]
    most = Range.of(requests)
    case.claim("requests each, at any depth", most, 1.0, at_least=False, kind=COUNTED)
    case.claim("round trips, depth 1", case.trips(names[0]), ROUND_TRIP[what], at_least=False)
    if not quick:  # a short run ends before TCP's window is open
        case.claim(f"of the wire, {names[-1]}", case.part_of_wire(names[-1]), WIRE)


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark; the reason instead, where there can be no link."""
    if (reason := why_not()) is not None:
        yield Case("small", missing={"small": reason})
        return
    objects = 100 if quick else 5_000
    where = f"{objects:,} × {SIZE // 1000} KB over {RTT * 1e3:g} ms at {RATE / 1e6:g} MB/s"
    for what, title in (("small", f"thumbnails, {where}"), ("pull", f"pull, {where}")):
        with scratch(4 * objects * SIZE) as (directory, _):
            case = measure(what, title, objects, directory)
        judge(case, what, quick=quick)
        yield case
