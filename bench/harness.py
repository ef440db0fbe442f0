"""Alternating runs of contenders, and what can be said about them: medians, ranges, ratios.

Every run is a fresh process. The contenders take turns, in reverse order every other round, and a
ratio is taken within a round: what the machine does to one run it does, as a rule, to its
neighbour too. The first round only warms up. In every run the bytes are compared before its time
counts.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import ptpfast

from . import peers

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
        """`median (minimum…maximum)`."""
        return f"{self.median:.{digits}f} ({self.minimum:.{digits}f}…{self.maximum:.{digits}f})"


@dataclass
class Claim:
    """A number that must hold: `value` is at least, or at most, `must`."""

    what: str
    value: Range
    must: float
    at_least: bool
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the median keeps to it."""
        median = self.value.median
        return median >= self.must if self.at_least else median <= self.must

    def line(self) -> str:
        """For people."""
        sign = "≥" if self.at_least else "≤"
        unit = f" {self.unit}" if self.unit else ""
        verdict = "holds" if self.holds else "SHORT"
        return f"  {verdict}  {self.what}: {self.value.text(3)}{unit}, must {sign} {self.must:g}"


@dataclass
class Case:
    """One comparison: the runs of each contender, and what follows from them."""

    name: str
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ratio(self, over: str, under: str, of: Callable[[Sample], float]) -> Range:
        """`of(over) / of(under)`, taken in each round."""
        pairs = zip(self.samples[over], self.samples[under], strict=True)
        return Range.of([of(a) / of(b) for a, b in pairs])

    def fastest(self, names: list[str]) -> str:
        """The one of these with the shortest median time."""
        return min(names, key=lambda n: statistics.median(s.seconds for s in self.samples[n]))

    def claim_against(self, rivals: list[str], *, cpu: bool = True) -> None:
        """ptpfast against the best of the C contenders: rate, and CPU for the same bytes."""
        rival = self.fastest(rivals)
        # Rates: the other one's seconds over ours.
        rate = self.ratio(rival, "ptpfast", lambda s: s.seconds)
        self.claims.append(Claim(f"rate of {rival}", rate, 0.95, at_least=True))
        if cpu:
            cost = self.ratio("ptpfast", rival, lambda s: s.cpu)
            self.claims.append(Claim(f"CPU per GB of {rival}", cost, 1.15, at_least=False))

    def show(self) -> None:
        """Prints it."""
        print(f"\n{self.name}")
        for name, samples in self.samples.items():
            rate = Range.of([s.bytes / s.seconds / 1e9 for s in samples])
            cpu = Range.of([s.cpu / s.bytes * 1e9 for s in samples])
            peak = max(s.peak_kib for s in samples) / 1024
            reads = int(statistics.median(s.reads for s in samples))
            chunks = sorted({s.chunk >> 20 for s in samples if s.chunk})
            asked = f", chunk {'/'.join(map(str, chunks))} MiB" if chunks else ""
            print(
                f"  {name:<14} {rate.text()} GB/s, CPU {cpu.text()} s/GB, "
                f"peak {peak:.0f} MiB, {reads} reads{asked}"
            )
        for line in [claim.line() for claim in self.claims] + [f"  {n}" for n in self.notes]:
            print(line, flush=True)

    def json(self) -> dict[str, Any]:
        """For `--json`."""
        claims = [asdict(claim) | {"holds": claim.holds} for claim in self.claims]
        runs = {name: [asdict(s) for s in samples] for name, samples in self.samples.items()}
        return {"case": self.name, "runs": runs, "claims": claims, "notes": self.notes}


def alternate(name: str, contenders: dict[str, Callable[[], Sample]], rounds: int) -> Case:
    """Runs the contenders in turn, `rounds` times and once before to warm up (not if only once)."""
    case = Case(name, {contender: [] for contender in contenders})
    for number in range(rounds if rounds == 1 else rounds + 1):
        order = list(contenders) if number % 2 else list(reversed(contenders))
        for contender in order:
            sample = contenders[contender]()
            if number or rounds == 1:
                case.samples[contender].append(sample)
    return case


def available_memory() -> int:
    """Bytes the kernel could give out without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def scratch(need: int) -> Iterator[tuple[Path, str]]:
    """A directory for files of `need` bytes in all, and its kind: `tmpfs`, or `disk` if memory is
    short. Removed afterwards with all that is in it. RuntimeError if neither has room."""
    parent, kind = Path(tempfile.gettempdir()), "disk"
    if MEMORY_DIR.is_dir():
        free = min(shutil.disk_usage(MEMORY_DIR).free, available_memory() - MARGIN)
        if free > need:
            parent, kind = MEMORY_DIR, "tmpfs"
    if shutil.disk_usage(parent).free < need + (64 << 20):
        raise RuntimeError(f"{parent} has no room for {need:,} bytes")
    prefix = f"ptpfast-bench-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as directory:
        yield Path(directory), kind


def _commit() -> str:
    """The commit that is measured, `+` behind it if files differ; unknown outside a repository."""
    if shutil.which("git") is None or not (peers.ROOT / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(peers.ROOT), "describe", "--always", "--dirty=+"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> dict[str, Any]:
    """Where and with what this was measured."""
    cpu = platform.processor()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    compiler = "none"
    if (cc := peers.compiler()) is not None:
        done = subprocess.run([cc, "--version"], capture_output=True, text=True, check=True)
        compiler = done.stdout.splitlines()[0]
    return {
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "compiler": compiler,
        "ptpfast": ptpfast.__version__,
    }
