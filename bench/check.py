"""`python -m bench check`: has any number fallen, from the earlier runs of its benchmark to the
newest?

Each is compared with the median of the earlier runs that can be compared. It has fallen if it is
worse by more than its margin, which is a part of that median or of what the number must be,
whichever is larger: a ratio far on the right side of its limit may move more.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from .harness import COUNTED, INSTRUCTIONS, PACED, TIMED
from .history import Ratio, Run, load, until

# What is timed on a shared machine differs by a fifth between two good runs; where a link sets the
# pace, by some percent; what is counted differs when the code does, instructions also with where
# memory happens to lie: by 5 percent for the same lines in three builds.
MARGINS = {TIMED: 0.30, PACED: 0.10, COUNTED: 0.02, INSTRUCTIONS: 0.08}


@dataclass(frozen=True)
class Finding:
    """What became of a number: `fallen`, `gone`, `missing`, `new` or `fine`, and the words."""

    verdict: str
    name: str
    said: str

    @property
    def bad(self) -> bool:
        """Whether the check fails by it."""
        return self.verdict in ("fallen", "gone")


def _machine(run: Run) -> object:
    return run.machine.get("cpu"), run.machine.get("cores")


def _software(run: Run) -> object:
    python = run.versions.get("python", "").rpartition(".")[0]
    return python, run.versions.get("numpy"), run.versions.get("compiler")


# Which of the earlier runs can be compared: those with the same answer.
ALIKE: dict[str, Callable[[Run], object]] = {
    TIMED: _machine,
    PACED: lambda run: None,
    COUNTED: _software,
    INSTRUCTIONS: _software,
}


def compare(newest: Run, earlier: list[Run]) -> list[Finding]:
    """What became of every number of the newest run, and of those that it has no more."""
    findings = []
    for name, ratio in newest.ratios.items():
        alike = ALIKE[ratio.kind]
        values = [
            run.ratios[name].value.median
            for run in earlier
            if name in run.ratios and alike(run) == alike(newest)
        ]
        findings.append(_judge(name, ratio, values))
    if earlier:
        last = earlier[-1]
        gone = {name: r for name, r in last.ratios.items() if name not in newest.ratios}
        findings += [_lost(name, ratio, newest) for name, ratio in gone.items()]
    return findings


def _judge(name: str, ratio: Ratio, values: list[float]) -> Finding:
    now = ratio.value.median
    if not values:
        return Finding("new", name, f"{now:.3g}, nothing to compare with")
    before = statistics.median(values)
    margin = MARGINS[ratio.kind]
    allowed = margin * max(abs(before), abs(ratio.must or 0.0))
    worse = before - now if ratio.at_least else now - before
    said = f"{now:.4g}, was {before:.4g} in {len(values)} earlier, may move by {allowed:.3g}"
    return Finding("fallen" if worse > allowed else "fine", name, said)


def _lost(name: str, ratio: Ratio, newest: Run) -> Finding:
    """A number of the last run that is not in the newest: excused if the reason is known."""
    for what, reason in newest.missing.items():
        if what == ratio.bench or what in name:
            return Finding("missing", name, f"{what}: {reason}")
    if ratio.bench not in newest.benches:
        return Finding("missing", name, f"{ratio.bench} was not run")
    return Finding("gone", name, "was measured in the last run, and nothing says why not in this")


def main() -> int:
    """Prints what is worth knowing; 1 if a number has fallen or gone."""
    runs = load()
    if not runs:
        print("bench-check: no run is kept in bench/results yet")
        return 0
    print(f"bench-check: each benchmark's newest run, {len(runs)} runs are kept")
    for kind, margin in MARGINS.items():
        print(f"  margin of what is {kind}: {margin:.0%}")
    findings = []
    for bench, its_runs in until(runs).items():
        newest, *earlier = (run.only(bench) for run in reversed(its_runs) if bench in run.benches)
        print(f"  {bench}: {newest.date}, commit {newest.commit}, against {len(earlier)} earlier")
        findings += compare(newest, earlier[::-1])
    for name, reason in runs[-1].missing.items():
        print(f"  MISSING  {name}: {reason}")
    for finding in findings:
        if finding.verdict != "fine":
            print(f"  {finding.verdict.upper():<8} {finding.name}: {finding.said}")
    bad = sum(finding.bad for finding in findings)
    fine = sum(finding.verdict == "fine" for finding in findings)
    print(f"{fine} numbers as before, {bad} fallen or gone")
    return 1 if bad else 0
