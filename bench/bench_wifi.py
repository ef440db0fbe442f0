"""How near to one raw TCP stream does a download come over Wi-Fi and Ethernet links, and who else?

Real TCP through an emulated radio (radio.py), the simulated camera at its other end. What the link
carries is measured in every round: all else is a part of that. Where no link can be emulated the
camera paces itself instead (sides.py), and nothing is judged.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ptpfast.sim import Store

from . import contenders, peers
from .contenders import GPHOTO2, PTPFAST, PYTHON_GPHOTO2, RECV_INTO, command
from .harness import PACED, Case, Range, Sample, alternate, scratch
from .radio import Profile, Radio, profiles, why_not
from .sides import Far, Imitation, Link, check_and_remove, far_side, near

MIB = 1 << 20
RAW = "raw TCP"
DEFAULT, TUNED, WHOLE = PTPFAST, "ptpfast 2 × 1 MiB", "ptpfast GetObject"
# In this order, as far as the time goes.
CHOSEN = (
    "mirrorless-11ac-2x2",
    "mirrorless-11ac-1x1",
    "mirrorless-11ax-2x2",
    "mirrorless-11n-5g",
    "gbe",
    "gbe-soc",
    "dslr-11n-adhoc",
    "fuji-app",
    "erratic-server",
    "dslr-11g",
    "dslr-11n-infra",
    "2.5gbe",
)
QUICK = ("mirrorless-11ac-2x2",)
# The one of which the page shows how the bytes came.
SHOWN = "mirrorless-11ac-2x2"
# A link that carries less than this of the rate it was set to is not what its profile says.
CARRIES = 0.95
# Depth 2 is claimed for the links where round trips matter and where the link can be trusted.
TUNED_FROM, TUNED_TO = 18e6, 110e6
# A slow link's run takes longer, because it has few chunks.
SLOW, SLOWER = 10e6, 2
INSTEAD = (
    "instead the simulated camera paces itself over loopback and waits a round trip before each "
    "answer; nothing is judged"
)


@dataclass(frozen=True)
class Plan:
    """What a budget of time buys: profiles, rounds, and what the raw stream takes of a run."""

    names: tuple[str, ...]
    rounds: int
    run_s: float

    LONGEST_RUN_S = 4.0
    SHORTEST_RUN_S = 1.5
    # Of a run, beside the bytes: processes that start, settle, connect, list; then the check.
    OTHER_S = 1.3

    @classmethod
    def of(cls, budget_s: float) -> Plan:
        """All profiles in three rounds if possible; else one round; else fewer profiles."""
        known = profiles()
        for rounds in (3, 1):
            run_s = cls._run_s(CHOSEN, rounds, budget_s, known)
            if run_s >= cls.SHORTEST_RUN_S:
                return cls(CHOSEN, rounds, min(run_s, cls.LONGEST_RUN_S))
        names: tuple[str, ...] = CHOSEN
        while len(names) > 1 and cls._run_s(names, 1, budget_s, known) < cls.SHORTEST_RUN_S:
            names = names[:-1]
        return cls(names, 1, cls.SHORTEST_RUN_S)

    @classmethod
    def _run_s(
        cls, names: tuple[str, ...], rounds: int, budget_s: float, known: dict[str, Profile]
    ) -> float:
        """Seconds the raw stream may take so that all fits: six take turns, some at two thirds of
        its rate."""
        turns = 0.0
        other_s = 0.0
        for name in names:
            times = len(known[name].rates) or rounds
            other_s += times * 6 * cls.OTHER_S
            turns += times * 6 * 1.25 * (SLOWER if known[name].rate < SLOW else 1)
        return (budget_s - other_s) / turns


@dataclass
class LinkCase(Case):
    """A comparison on one link: rates in MB/s, and what part of the raw stream they are.

    timelines: of the last round, how many bytes (packets' heads included) the link delivered in
    each `step` seconds from the contender's beginning on, and how many `seconds` it took.
    """

    timelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    kind: str = PACED

    @property
    def key(self) -> str:
        """The link; how much it had to carry depends on the budget of time."""
        return self.name.partition(":")[0]

    def row(self, name: str) -> str:
        """A contender's figures, without its name."""
        samples = self.samples[name]
        rate = Range.of([s.bytes / s.seconds / 1e6 for s in samples])
        part = self.part_of_raw(name)
        cpu = statistics.median(s.cpu / s.bytes * 1e9 for s in samples)
        peak = max(s.peak_kib for s in samples) / 1024
        requests = statistics.median(s.requests for s in samples)
        chunks = sorted({s.chunk >> 20 for s in samples if s.chunk and name == DEFAULT})
        line = f"{rate.text(1)} MB/s, {part.text(3)} of raw, CPU {cpu:.2f} s/GB"
        line += f", peak {peak:.0f} MiB"
        line += f", {requests:.0f} requests" if requests else ""
        return line + (f", chunk {'/'.join(map(str, chunks))} MiB" if chunks else "")

    def part_of_raw(self, name: str) -> Range:
        """That part of the raw stream's rate."""
        return self.ratio(RAW, name, lambda s: s.seconds / s.bytes)

    def json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**super().json(), "timelines": self.timelines}


class Turns:
    """Everybody who takes a turn on one link, with one card."""

    def __init__(self, link: Link, far: Far, directory: Path, store: Store, size: int) -> None:
        self._link = link
        self._far = far
        self._directory = directory
        self._store = store
        self._size = size
        self.timelines: dict[str, dict[str, Any]] = {}

    def all(self) -> dict[str, Callable[[], Sample]]:
        """By name, without those that are missing."""
        port, where = self._far.camera, {"host": self._link.host, "dir": self._directory}
        ours = {"into": "file", "warm": 0, **where}
        commands = {
            DEFAULT: command(PTPFAST, port, depth=1, then=1, **ours),
            TUNED: command(PTPFAST, port, depth=2, chunk=MIB, then=1, **ours),
            WHOLE: command(PTPFAST, port, chunk=0, **ours),
            RECV_INTO: command(RECV_INTO, port, into="file", **where),
            GPHOTO2: command(GPHOTO2, port, bytes=self._size, **where),
            PYTHON_GPHOTO2: command(PYTHON_GPHOTO2, port, **where),
        }
        turns: dict[str, Callable[[], Sample]] = {RAW: self._raw}
        for name, words in commands.items():
            if contenders.missing(name) is None:
                turns[name] = self._fetching(name, words)
        return turns

    def _raw(self) -> Sample:
        self._restart()
        report = near(self._link, "raw", self._far.raw, bytes=self._size)
        self._note(RAW, report)
        return Sample.of(report)

    def _fetching(self, name: str, words: list[str]) -> Callable[[], Sample]:
        def run() -> Sample:
            self._far.requests()
            self._restart()
            report = peers.run(self._link.near(words))
            self._note(name, report)
            sample = Sample.of(report)
            sample.requests = self._far.requests().total()
            check_and_remove(self._directory, self._store)
            return sample

        return run

    def _restart(self) -> None:
        if isinstance(self._link, Radio):
            self._link.restart()

    def _note(self, name: str, report: dict[str, Any]) -> None:
        """Keeps what the link carried between the run's beginning and end."""
        if not isinstance(self._link, Radio):
            return
        line = self._link.timeline()
        first = int((report["began"] - line["epoch"]) / line["step"])
        last = int((report["ended"] - line["epoch"]) / line["step"]) + 1
        self.timelines[name] = {
            "step": line["step"],
            "seconds": round(report["ended"] - report["began"], 3),
            "bytes": line["bytes"][first:last],
        }


def compare(
    profile: Profile, directory: Path, seconds: float, rounds: int, *, real: bool
) -> LinkCase:
    """All contenders on one link, with a card that takes the raw stream `seconds`; `real` is a
    link, else it is imitated."""
    total = int(profile.rate * seconds)
    size = min(profile.object_size, total)
    objects = max(1, round(total / size))
    store = Store.synthetic(objects, size)
    title = f"{profile.name}: {profile.rate / 1e6:g} MB/s, {profile.rtt * 1e3:g} ms"
    title += f" ± {profile.jitter * 1e3:g}, camera {profile.operation * 1e3:g} ms"
    title += f"; {objects} × {size / 1e6:.1f} MB"
    link: Link = Radio.of(profile) if real else Imitation.of(profile)
    with link, far_side(link, objects, size, profile.operation) as far:
        turns = Turns(link, far, directory, store, objects * size)
        plain = alternate(title, turns.all(), rounds, warm_up=False)
    case = LinkCase(title, plain.samples, missing=contenders.all_missing())
    if profile.name == SHOWN:
        case.timelines = turns.timelines
    if isinstance(link, Radio) and link.carried:
        case.notes.append(f"the link dropped {link.carried['dropped']} packets, its queue full")
    return case


def every_rate(
    profile: Profile, directory: Path, seconds: float, rounds: int, *, real: bool
) -> LinkCase:
    """`compare`; with a camera of several rates one round at each, as one case."""
    if not profile.rates:
        return compare(profile, directory, seconds, rounds, real=real)
    cases = [
        compare(replace(profile, rate=rate), directory, seconds, 1, real=real)
        for rate in profile.rates
    ]
    rates = "/".join(f"{rate / 1e6:g}" for rate in profile.rates)
    whole = LinkCase(f"{profile.name}: {rates} MB/s by run", missing=cases[0].missing)
    for name in cases[0].samples:
        whole.samples[name] = [case.samples[name][0] for case in cases]
    return whole


def judge(case: LinkCase, profile: Profile, *, real: bool) -> None:
    """What must hold on this link; nothing, where it is imitated or not what its profile says."""
    steady = not (profile.outage or profile.cliff or profile.rates)
    judged = real
    if steady:
        carried = Range.of([s.bytes / s.seconds / profile.rate for s in case.samples[RAW]])
        case.claim("the link itself, of its rate", carried, CARRIES if real else None)
        if real and carried.median < CARRIES:
            judged = False
            case.notes.append("this machine cannot carry such a link: nothing else is judged")
    case.claim(f"{DEFAULT}, of raw", case.part_of_raw(DEFAULT), 0.90 if judged else None)
    tuned = judged and steady and TUNED_FROM <= profile.rate <= TUNED_TO
    case.claim(f"{TUNED}, of raw", case.part_of_raw(TUNED), 0.97 if tuned else None)
    for other in (GPHOTO2, PYTHON_GPHOTO2):
        if other in case.samples:
            over = case.ratio(other, DEFAULT, lambda s: s.seconds)
            case.claim(f"rate, over {other}", over, 1.0 if judged else None)


def run(quick: bool, budget_s: float = 1200.0) -> Iterator[Case]:
    """The cases of this benchmark, as many as the budget allows."""
    reason = why_not()
    if reason is not None:
        yield Case("wifi", missing={"wifi": reason}, notes=[INSTEAD])
    plan = Plan(QUICK, 1, 0.4) if quick else Plan.of(budget_s)
    known = profiles()
    for name in plan.names:
        profile = known[name]
        seconds = plan.run_s * (SLOWER if profile.rate < SLOW else 1)
        # A run's files, and its part file beside them.
        most = max(profile.rate, *profile.rates) if profile.rates else profile.rate
        with scratch(int(most * seconds) * 2) as (directory, _):
            case = every_rate(profile, directory, seconds, plan.rounds, real=reason is None)
        if reason is not None:
            case.name = f"imitated {case.name}"
        judge(case, profile, real=reason is None)
        yield case
    left_out = [name for name in CHOSEN if name not in plan.names and not quick]
    if left_out:
        why = f"the budget of {budget_s / 60:g} minutes is too short"
        yield Case("wifi, left out", missing=dict.fromkeys(left_out, why))
