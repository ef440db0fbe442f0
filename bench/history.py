"""What is kept of a full run: one compact JSON file in `results/`, and the runs of earlier days.

A run's `ratios` are its claims by key (`case | what`); `tables` are the contenders' medians, for
the bars; `timelines` how the bytes of one Wi-Fi download came. Single runs are not kept: `--json`
has them.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from .bench_wifi import LinkCase
from .harness import Case, Claim, Range

RESULTS = Path(__file__).resolve().parent / "results"
DIGITS = 5


@dataclass
class Ratio(Claim):
    """A claim as it was in a run, with the benchmark it is from."""

    bench: str = ""

    @classmethod
    def read(cls, name: str, entry: dict[str, Any]) -> Self:
        """From a file."""
        known = {**entry, "value": Range(*entry["value"])}
        return cls(what=parts(name)[1], **known)

    def plain(self) -> dict[str, Any]:
        """For a file: without what its key says."""
        value = self.value
        three = [_rounded(v) for v in (value.minimum, value.median, value.maximum)]
        found = {**vars(self), "value": three}
        del found["what"]
        return found


@dataclass
class Run:
    """One full run. `missing` has the reasons by what was missing, `wrong` by case and contender;
    `benches` are those that took part."""

    commit: str
    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    seconds: float = 0.0
    benches: list[str] = field(default_factory=list)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, dict[str, str]] = field(default_factory=dict)
    tables: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    timelines: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, head: dict[str, Any], seconds: float, cases: list[tuple[str, Case]]) -> Self:
        """From a run's head (machine.about) and its cases with the names of their benchmarks."""
        run = cls(**head, seconds=round(seconds))
        run.benches = list(dict.fromkeys(bench for bench, _ in cases))
        for bench, case in cases:
            for claim in case.claims:
                run.ratios[key(case.key, claim.what)] = Ratio(**vars(claim), bench=bench)
            run.missing |= case.missing
            if case.wrong:
                run.wrong[case.key] = case.wrong
            if case.samples:
                run.tables[case.key] = {name: medians(case, name) for name in case.samples}
            if isinstance(case, LinkCase) and case.timelines:
                run.timelines[case.key] = case.timelines
        return run

    @classmethod
    def read(cls, path: Path) -> Self:
        """A kept run. ValueError, with the file's name, if it is none."""
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            ratios = {name: Ratio.read(name, ratio) for name, ratio in entry["ratios"].items()}
            return cls(**{**entry, "ratios": ratios})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} is not a run of the benchmarks: {error}") from error

    def only(self, bench: str) -> Self:
        """The run as if no other benchmark had taken part."""
        ratios = {name: ratio for name, ratio in self.ratios.items() if ratio.bench == bench}
        return replace(self, benches=[bench], ratios=ratios)

    def write(self, directory: Path = RESULTS) -> Path:
        """Keeps it, under its date and commit; the file."""
        day = self.date.replace(":", "")
        path = directory / f"{day}-{self.commit.rstrip('+')}.json"
        ratios = {name: ratio.plain() for name, ratio in self.ratios.items()}
        entry = {**vars(self), "ratios": ratios}
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        path.write_text(text + "\n", encoding="utf-8")
        return path


def key(case: str, what: str) -> str:
    """The name under which a number is followed from run to run."""
    return f"{case} | {what}"


def parts(name: str) -> tuple[str, str]:
    """A key's case, and what of it."""
    case, _, what = name.partition(" | ")
    return case, what


def medians(case: Case, name: str) -> dict[str, float]:
    """A contender's figures, as a table shows them."""
    samples = case.samples[name]
    found = {
        "seconds": statistics.median(s.seconds for s in samples),
        "bytes_per_s": statistics.median(s.bytes / s.seconds for s in samples),
        "cpu_s_per_gb": statistics.median(s.cpu / s.bytes * 1e9 for s in samples),
        "peak_mib": max(s.peak_kib for s in samples) / 1024,
    }
    if name in case.calls:
        found["calls_per_gb"] = case.calls[name]
    if any(s.requests for s in samples):
        found["requests"] = statistics.median(s.requests for s in samples)
    return {what: _rounded(value) for what, value in found.items()}


def load(directory: Path = RESULTS) -> list[Run]:
    """All kept runs, the newest last."""
    runs = [Run.read(path) for path in directory.glob("*.json")]
    return sorted(runs, key=lambda run: run.date)


def until(runs: list[Run]) -> dict[str, list[Run]]:
    """By benchmark, the runs up to the newest in which it took part."""
    last = {bench: number for number, run in enumerate(runs) for bench in run.benches}
    return {bench: runs[: number + 1] for bench, number in last.items()}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
