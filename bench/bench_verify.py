"""What does it cost to be certain? The same files with the check of sizes alone, and by digests.

Over loopback, where a copy of the kernel's is all there is to compare with: the price. And over a
link as fast as a camera's can be, fetched as `pull` fetches: whether anybody has to wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ptpfast.sim import Store

from . import peers
from .bench_download import FILE_SIZE, FILES, MIB, Pair, Starts, measure
from .contenders import PTPFAST, command
from .harness import PACED, TIMED, Case, Sample, alternate, scratch
from .radio import Radio, profiles, why_not
from .sides import Far, check_and_remove, far_side

# By name: what `Session.download` is told.
WAYS: dict[str, dict[str, object]] = {
    "size": {},
    "hash, xxh3": {"verify": "hash", "algorithm": "xxh3"},
    "hash": {"verify": "hash"},
    "disk": {"verify": "disk"},
    "reread": {"verify": "reread"},
}
ON_LINK = ("size", "hash, xxh3", "hash")
# The fastest of the links on which two requests of 1 MiB are to reach a raw stream's rate.
LINK = "gbe"
MUST = 0.98  # of the rate with the check of sizes alone
LINK_S = 3.0


def judge(case: Case, must: float | None = None) -> None:
    """Each against the check of sizes; over loopback only to know the price."""
    for name in list(case.samples)[1:]:
        rate = case.ratio("size", name, lambda s: s.seconds)
        case.claim(f"rate, verify {name}", rate, must)
        cpu = case.ratio(name, "size", lambda s: s.cpu)
        case.claim(f"CPU per GB, verify {name}", cpu, None, at_least=False, kind=TIMED)


def loopback(directory: Path, objects: int, size: int, rounds: int, kind: str) -> Case:
    """Every way, whole objects in Data packets of 64 KiB."""
    title = f"price of certainty, {objects} × {size // 10**6} MB to {kind}"
    starts = {name: _verifying(told) for name, told in WAYS.items()}
    case = measure(title, Pair(objects, size, 65536), starts, directory, rounds)
    judge(case)
    return case


def _verifying(told: dict[str, object]) -> Starts:
    return lambda port, folder: command(PTPFAST, port, into="file", dir=folder, chunk=0, **told)


def on_link(directory: Path, seconds: float, rounds: int) -> Case:
    """By `pull`, with two requests of 1 MiB outstanding."""
    profile = profiles()[LINK]
    objects = max(2, round(profile.rate * seconds / FILE_SIZE))
    store = Store.synthetic(objects, FILE_SIZE)
    with (
        Radio.of(profile) as radio,
        far_side(radio, objects, FILE_SIZE, profile.operation) as far,
    ):
        turns = {name: _fetching(radio, far, directory, store, name) for name in ON_LINK}
        title = f"price of certainty, {profile.rate / 1e6:g} MB/s, {profile.rtt * 1e3:g} ms"
        case = alternate(title, turns, rounds, warm_up=False)
    case.kind = PACED
    judge(case, MUST)
    return case


def _fetching(
    radio: Radio, far: Far, directory: Path, store: Store, name: str
) -> Callable[[], Sample]:
    told = {"host": radio.host, "into": "file", "warm": 0, "dir": directory, **WAYS[name]}
    words = command(PTPFAST, far.camera, depth=2, chunk=MIB, pull=1, **told)

    def run() -> Sample:
        radio.restart()
        sample = Sample.of(peers.run(radio.near(words)))
        check_and_remove(directory, store)
        return sample

    return run


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    objects, size, rounds = (2, 5 * 10**6, 1) if quick else (FILES, FILE_SIZE, 9)
    with scratch(len(WAYS) * objects * size) as (directory, kind):
        yield loopback(directory, objects, size, rounds, kind)
    if (reason := why_not()) is not None:
        yield Case("price of certainty, on a link", missing={"link": reason})
        return
    if not quick:
        with scratch(int(profiles()[LINK].rate * LINK_S) * 2) as (directory, _):
            yield on_link(directory, LINK_S, 3)
