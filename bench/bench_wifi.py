"""How near to one raw TCP stream does a download come over Wi-Fi and Ethernet links, and who else?

Real TCP through an emulated radio (radio.py), the simulated camera at its other end. What the link
carries is measured in every round: all else is a part of that. Where no link can be emulated the
camera paces itself instead (sides.py), and nothing is judged.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
QUICK, QUICK_S = ("mirrorless-11ac-2x2",), 0.4
# The one of which the page shows how the bytes came.
SHOWN = "mirrorless-11ac-2x2"
# A link that carries less than this of the rate it was set to is not what its profile says.
CARRIES = 0.95
# Depth 2 is claimed for the links where round trips matter and where the link can be trusted.
TUNED_FROM, TUNED_TO = 18e6, 110e6
# A run over a slow link takes longer, because it has few requests.
SLOW, SLOWER = 10e6, 2
INSTEAD = (
    "instead the simulated camera paces itself over loopback and waits a round trip before each "
    "answer; nothing is judged"
)


@dataclass(frozen=True)
class Card:
    """What is fetched over a link: whole files of its cameras, the same in every run of whatever
    budget, so that runs can be compared."""

    objects: int
    size: int

    RUN_S = 4.0

    @classmethod
    def of(cls, profile: Profile) -> Card:
        """As many of its files as come nearest to a run's length, at least one."""
        run_s = cls.RUN_S * (SLOWER if profile.rate < SLOW else 1)
        return cls(max(1, round(profile.rate * run_s / profile.object_size)), profile.object_size)

    @classmethod
    def short(cls, profile: Profile, seconds: float) -> Card:
        """No more than that takes, be it a part of a file: what it measures says little."""
        total = int(profile.rate * seconds)
        size = min(profile.object_size, total)
        return cls(total // size, size)

    @property
    def total(self) -> int:
        """Bytes."""
        return self.objects * self.size


@dataclass(frozen=True)
class Plan:
    """What a budget of time buys: all links in two or three rounds, or in one, or fewer links."""

    names: tuple[str, ...]
    most: int

    # So long a link is measured, in two or three rounds: two of half a minute have as many requests
    # as three of some seconds, and the machine's moods do not reach links that slow.
    LINK_S, FEWEST = 12.0, 2
    # Of a turn, beside the bytes: processes that start, settle, connect, list; then the check.
    OTHER_S = 1.3
    # Who takes turns; what they take on average, of the raw stream's time.
    TURNS, SLOWDOWN = 7, 1.15

    @classmethod
    def of(cls, budget_s: float) -> Plan:
        """The best that fits; at least one link in one round."""
        known = profiles()
        for most in (3, 1):
            plan = cls(CHOSEN, most)
            if plan.takes_s(known) <= budget_s:
                return plan
        names: tuple[str, ...] = CHOSEN
        while len(names) > 1 and cls(names, 1).takes_s(known) > budget_s:
            names = names[:-1]
        return cls(names, 1)

    def rounds(self, profile: Profile) -> int:
        """On that link, at each rate that its camera may have."""
        if profile.rates:
            return 1
        run_s = Card.of(profile).total / profile.rate
        return min(self.most, max(self.FEWEST, math.ceil(self.LINK_S / run_s)))

    def takes_s(self, known: dict[str, Profile]) -> float:
        """An estimate of the whole, in seconds."""
        turns_s = 0.0
        for name in self.names:
            profile = known[name]
            for each in profile.each:
                raw_s = Card.of(each).total / each.rate
                turns_s += self.rounds(profile) * (raw_s * self.SLOWDOWN + self.OTHER_S)
        return self.TURNS * turns_s


@dataclass
class LinkCase(Case):
    """A comparison on one link: rates in MB/s, and what part of the raw stream they are.

    timelines: of the last round, how many bytes (packets' heads included) the link delivered in
    each `step` seconds from the contender's beginning on, and how many `seconds` it took.
    """

    timelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    kind: str = PACED
    raw: str = RAW  # who that is

    @property
    def key(self) -> str:
        """The link: what it has to carry is always the same."""
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
        return self.ratio(self.raw, name, lambda s: s.seconds / s.bytes)

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
        turns: dict[str, Callable[[], Sample]] = {RAW: self.raw}
        for name, words in commands.items():
            if contenders.missing(name) is None:
                turns[name] = self.fetching(name, words)
        return turns

    def raw(self) -> Sample:
        """One TCP stream of as many bytes."""
        self._restart()
        report = near(self._link, "raw", self._far.raw, bytes=self._size)
        self._note(RAW, report)
        return Sample.of(report)

    def fetching(self, name: str, words: list[str]) -> Callable[[], Sample]:
        """That command, once; its files are compared."""

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


def compare(profile: Profile, card: Card, directory: Path, rounds: int, *, real: bool) -> LinkCase:
    """All contenders on one link; `real` is a link, else it is imitated."""
    store = Store.synthetic(card.objects, card.size)
    title = f"{profile.name}: {profile.rate / 1e6:g} MB/s, {profile.rtt * 1e3:g} ms"
    title += f" ± {profile.jitter * 1e3:g}, camera {profile.operation * 1e3:g} ms"
    title += f"; {card.objects} × {card.size / 1e6:.1f} MB"
    link: Link = Radio.of(profile) if real else Imitation.of(profile)
    with link, far_side(link, card.objects, card.size, profile.operation) as far:
        turns = Turns(link, far, directory, store, card.total)
        plain = alternate(title, turns.all(), rounds, warm_up=False)
    case = LinkCase(title, plain.samples, missing=contenders.all_missing())
    if profile.name == SHOWN:
        case.timelines = turns.timelines
    if isinstance(link, Radio) and link.carried:
        case.notes.append(f"the link dropped {link.carried['dropped']} packets, its queue full")
    return case


def every_rate(profile: Profile, directory: Path, *, real: bool) -> LinkCase:
    """`compare` with a camera of several rates: one round at each, as one case."""
    cases = [compare(each, Card.of(each), directory, 1, real=real) for each in profile.each]
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
    case.claim(f"{DEFAULT}, of raw", case.part_of_raw(DEFAULT), 0.95 if judged else None)
    if RECV_INTO in case.samples:
        of_loop = case.ratio(RECV_INTO, DEFAULT, lambda s: s.seconds)
        case.claim(f"rate, over {RECV_INTO}", of_loop, 0.99 if judged and steady else None)
    tuned = judged and steady and TUNED_FROM <= profile.rate <= TUNED_TO
    case.claim(f"{TUNED}, of raw", case.part_of_raw(TUNED), 0.97 if tuned else None)
    for other in (GPHOTO2, PYTHON_GPHOTO2):
        if other in case.samples:
            over = case.ratio(other, DEFAULT, lambda s: s.seconds)
            case.claim(f"rate, over {other}", over, 1.0 if judged else None)


def run(quick: bool, budget_s: float = 2400.0) -> Iterator[Case]:
    """The cases of this benchmark, as many as the budget allows."""
    reason = why_not()
    if reason is not None:
        yield Case("wifi", missing={"wifi": reason}, notes=[INSTEAD])
    plan = Plan(QUICK, 1) if quick else Plan.of(budget_s)
    known = profiles()
    for name in plan.names:
        profile = known[name]
        card = Card.short(profile, QUICK_S) if quick else Card.of(profile)
        largest = max(Card.of(each).total for each in profile.each)
        # A run's files, and its part file beside them.
        with scratch(2 * largest) as (directory, _):
            if profile.rates:
                case = every_rate(profile, directory, real=reason is None)
            else:
                rounds = plan.rounds(profile)
                case = compare(profile, card, directory, rounds, real=reason is None)
        if reason is not None:
            case.name = f"imitated {case.name}"
        judge(case, profile, real=reason is None)
        yield case
    left_out = [name for name in CHOSEN if name not in plan.names and not quick]
    if left_out:
        why = f"the budget of {budget_s / 60:g} minutes is too short"
        yield Case("wifi, left out", missing=dict.fromkeys(left_out, why))
