"""Alternating runs of contenders, and what can be said about them: medians, ranges, ratios.

Every run is a fresh process. The contenders take turns, each round in its own order, and a ratio is
taken within a round: what the machine does to one run it does, as a rule, to its neighbour too. The
first round only warms up. In every run the bytes are compared before its time counts.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from .content import WrongContent
from .order import orders

# How a number comes about, and so how far it can be trusted (check.py): timed at full speed, timed
# where a link sets the pace, counted, or counted in instructions.
TIMED, PACED, COUNTED, INSTRUCTIONS = "timed", "paced", "counted", "instructions"

# Where temporary files are kept on a disk also by systems whose /tmp is memory.
DISK_DIR = Path("/var/tmp")
MEMORY_DIR = Path("/dev/shm")
MARGIN = 2 << 30  # memory that stays free beside a file in memory


@dataclass
class Sample:
    """One run of one contender."""

    bytes: int
    seconds: float
    cpu: float
    peak_kib: int
    reads: int
    chunk: int = 0
    requests: int = 0

    @classmethod
    def of(cls, report: dict[str, Any]) -> Sample:
        """From the line a contender prints."""
        cpu = report["user"] + report["system"]
        chunk = report.get("chunk", 0)
        values = (report["bytes"], report["seconds"], cpu, report["peak_kib"], report["reads"])
        return cls(*values, chunk)


@dataclass
class Range:
    """Of several runs; never a lone number."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, values: list[float]) -> Range:
        """The three of any number of values."""
        return cls(min(values), statistics.median(values), max(values))

    def text(self, digits: int = 2) -> str:
        """`median (minimum…maximum)`, large numbers without decimals."""
        if self.median >= 1000:
            return f"{self.median:,.0f} ({self.minimum:,.0f}…{self.maximum:,.0f})"
        return f"{self.median:.{digits}f} ({self.minimum:.{digits}f}…{self.maximum:.{digits}f})"


@dataclass
class Claim:
    """A number that is followed from run to run; `must` is what it has to be at least, or at most,
    None where it is only to be known."""

    what: str
    value: Range
    must: float | None
    at_least: bool
    unit: str = ""
    kind: str = TIMED

    @property
    def holds(self) -> bool:
        """Whether the median keeps to it."""
        if self.must is None:
            return True
        median = self.value.median
        return median >= self.must if self.at_least else median <= self.must

    def line(self) -> str:
        """For people."""
        unit = f" {self.unit}" if self.unit else ""
        said = f"{self.what}: {self.value.text(3)}{unit}"
        if self.must is None:
            return f"  so it is  {said}"
        verdict = "holds" if self.holds else "SHORT"
        return f"  {verdict}  {said}, must {'≥' if self.at_least else '≤'} {self.must:g}"


@dataclass
class Case:
    """One comparison: the runs of each contender, and what follows from them. Who was not here is
    in `missing`, who brought wrong bytes and was known to in `wrong`, each with the reason; `calls`
    are system calls for each GB."""

    name: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    calls: dict[str, float] = field(default_factory=dict)
    kind: str = TIMED

    @property
    def key(self) -> str:
        """What it is called from run to run."""
        return self.name

    def ratio(self, over: str, under: str, of: Callable[[Sample], float]) -> Range:
        """`of(over) / of(under)`, taken in each round."""
        pairs = zip(self.samples[over], self.samples[under], strict=True)
        return Range.of([of(a) / of(b) for a, b in pairs])

    def fastest(self, names: list[str]) -> str:
        """The one of these with the shortest median time."""
        return min(names, key=lambda n: statistics.median(s.seconds for s in self.samples[n]))

    def claim(
        self,
        what: str,
        value: Range,
        must: float | None,
        *,
        at_least: bool = True,
        unit: str = "",
        kind: str | None = None,
    ) -> None:
        """Adds a claim, of the case's kind unless it is of another."""
        self.claims.append(Claim(what, value, must, at_least, unit, kind or self.kind))

    def claim_against(self, rivals: list[str], *, cpu: bool = True) -> None:
        """ptpfast against the best of the C contenders: rate, and CPU for the same bytes."""
        rival = self.fastest(rivals)
        if len(rivals) > 1:
            self.notes.append(f"the best in C was {rival}")
        # Rates: the other one's seconds over ours.
        rate = self.ratio(rival, "ptpfast", lambda s: s.seconds)
        self.claim("rate, of C's", rate, 0.95)
        if cpu:
            cost = self.ratio("ptpfast", rival, lambda s: s.cpu)
            self.claim("CPU per GB, of C's", cost, 1.15, at_least=False)

    def row(self, name: str) -> str:
        """A contender's figures, without its name."""
        samples = self.samples[name]
        rate = Range.of([s.bytes / s.seconds / 1e9 for s in samples])
        cpu = Range.of([s.cpu / s.bytes * 1e9 for s in samples])
        peak = max(s.peak_kib for s in samples) / 1024
        reads = int(statistics.median(s.reads for s in samples))
        chunks = sorted({s.chunk >> 20 for s in samples if s.chunk})
        line = f"{rate.text()} GB/s, CPU {cpu.text()} s/GB, peak {peak:.0f} MiB"
        line += f", {reads} reads" if reads else ""
        line += f", {self.calls[name]:,.0f} calls/GB" if name in self.calls else ""
        return line + (f", chunk {'/'.join(map(str, chunks))} MiB" if chunks else "")

    def table(self) -> dict[str, str]:
        """The figures of each by name."""
        return {name: self.row(name) for name in self.samples}

    def show(self) -> None:
        """Prints it."""
        rows = self.table()
        rows |= {name: f"WRONG BYTES: {reason}" for name, reason in self.wrong.items()}
        rows |= {name: f"MISSING: {reason}" for name, reason in self.missing.items()}
        width = max((len(name) for name in rows), default=0)
        print(f"\n{self.name}")
        for name, row in rows.items():
            print(f"  {name:<{width}}  {row}")
        for line in [claim.line() for claim in self.claims] + [f"  {n}" for n in self.notes]:
            print(line, flush=True)

    def json(self) -> dict[str, Any]:
        """For `--json`."""
        claims = [asdict(claim) | {"holds": claim.holds} for claim in self.claims]
        runs = {name: [asdict(s) for s in samples] for name, samples in self.samples.items()}
        return {
            "case": self.name,
            "runs": runs,
            "claims": claims,
            "notes": self.notes,
            "missing": self.missing,
            "wrong": self.wrong,
            "calls": self.calls,
        }


def alternate(
    name: str,
    contenders: Mapping[str, Callable[[], Sample]],
    rounds: int,
    *,
    known_to_fail: Collection[str] = (),
    warm_up: bool = True,
) -> Case:
    """Runs the contenders in turn, `rounds` times and once before to warm up (not if only once).
    WrongContent ends it, but for those who are known to fail: they are out from then on."""
    case = Case(name, {contender: [] for contender in contenders})
    warm_up = warm_up and rounds > 1
    for number, order in enumerate(islice(orders(list(contenders)), rounds + warm_up)):
        for contender in order:
            if contender in case.wrong:
                continue
            try:
                sample = contenders[contender]()
            except WrongContent as error:
                if contender not in known_to_fail:
                    raise
                case.wrong[contender] = str(error)
                del case.samples[contender]
                continue
            if number or not warm_up:
                case.samples[contender].append(sample)
    return case


def available_memory() -> int:
    """Bytes the kernel could give out without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def scratch(need: int, *, on_disk: bool = False) -> Iterator[tuple[Path, str]]:
    """A directory for files of `need` bytes in all, and its kind: `tmpfs`, or `disk` if memory is
    short or a disk is asked for. Removed afterwards with all that is in it. RuntimeError if neither
    has room."""
    parent, kind = DISK_DIR if on_disk else Path(tempfile.gettempdir()), "disk"
    if MEMORY_DIR.is_dir() and not on_disk:
        free = min(shutil.disk_usage(MEMORY_DIR).free, available_memory() - MARGIN)
        if free > need:
            parent, kind = MEMORY_DIR, "tmpfs"
    if shutil.disk_usage(parent).free < need + (64 << 20):
        raise RuntimeError(f"{parent} has no room for {need:,} bytes")
    prefix = f"ptpfast-bench-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as directory:
        yield Path(directory), kind
