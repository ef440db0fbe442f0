"""The comparison of a run with earlier ones: camera, link and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from . import charts
from .summary import Figures
from .svg import number, shown

MOST_RUNS = 12  # of earlier ones, the latest
WORTH_SAYING = 0.05
ENOUGH_RUNS = 3  # to show how much runs of an unchanged link differ


@dataclass(frozen=True)
class Measure:
    """A figure that is compared, by its group and name."""

    name: str
    label: str
    unit: str
    more_is_better: bool = True

    def of(self, figures: Figures) -> float | None:
        """Return the figure of a run."""
        found: float | None = attrgetter(self.name)(figures)
        return found


MEASURES = (
    Measure("rates.best_mb_per_s", "best rate", "MB/s"),
    Measure("lasting.long_p50_mb_per_s", "long read", "MB/s"),
    Measure("storing.file_mb_per_s", "download to disk", "MB/s"),
    Measure("answers.operation_ms", "GetObjectInfo", "ms", more_is_better=False),
    Measure("network.rtt_ms", "round trip", "ms", more_is_better=False),
    Measure("answers.connect_ms", "handshake", "ms", more_is_better=False),
    Measure("answers.listing_per_s", "objects listed", "a second"),
)


def told(now: Figures, earlier: Sequence[Figures]) -> list[str]:
    """Return the changes in words, one line each; earlier runs are the oldest first."""
    lines = []
    for measure in MEASURES:
        value, before = measure.of(now), _all_of(measure, earlier)
        if value is None or not before or not before[-1]:
            continue
        line = f"{measure.label}: {number(value)} {measure.unit}, "
        if len(before) < ENOUGH_RUNS:
            change = _change(before[-1], value)
            line += f"was {number(before[-1])}" + (f" ({change})" if change else "")
        else:
            low, high, word = min(before), max(before), _judged(measure, before, value)
            line += f"was {number(low)} to {number(high)} in {len(before)} runs"
            line += f" ({word} than in all)" if word else ""
        lines.append(line)
    return lines


def _all_of(measure: Measure, runs: Sequence[Figures]) -> list[float]:
    return [value for run in runs if (value := measure.of(run)) is not None]


def _change(then: float, now: float) -> str:
    """Return the change in percent; '' for one that says nothing."""
    change = now / then - 1.0 if then else 0.0
    return f"{change:+.0%}" if abs(change) >= WORTH_SAYING else ""


def _judged(measure: Measure, before: Sequence[float], now: float) -> str:
    """Return "better" or "worse" if a run is that than all of enough earlier ones; else ''.

    Two runs of an unchanged link differ: their difference alone says neither.
    """
    if len(before) < ENOUGH_RUNS or min(before) <= now <= max(before):
        return ""
    return "better" if (now > max(before)) == measure.more_is_better else "worse"


def label(figures: Figures, other_than: Figures) -> str:
    """Return a run's time, and its camera if it is another one."""
    camera = figures.about.camera
    when = figures.about.when[:16].replace("T", " ") or "earlier"
    return when if camera == other_than.about.camera else f"{camera[:24]} {when}".strip()


def comparison(now: Figures, earlier: Sequence[Figures]) -> str:
    """Return the section of the page; earlier runs are the oldest first."""
    runs = list(earlier)[-MOST_RUNS:]
    parts = []
    for measure in MEASURES:
        rows = [
            (label(run, now), value, "c-earlier", "")
            for run in runs
            if (value := measure.of(run)) is not None
        ]
        value = measure.of(now)
        if value is None or not rows:
            continue
        before = [each[1] for each in rows]
        rows.append(("this run", value, "d-0", ""))
        parts.append(
            f'<section class="card"><h2>{measure.label[0].upper()}{shown(measure.label[1:])}'
            f" {_remark(measure, before, value)}</h2>{charts.bars(rows, measure.unit, 150.0)}"
            "</section>"
        )
    if not parts:
        return ""
    heading = '<h2 class="group">This run and earlier ones</h2>'
    return f'{heading}<div class="pair">{"".join(parts)}</div>'


def _remark(measure: Measure, before: Sequence[float], now: float) -> str:
    if word := _judged(measure, before, now):
        return f'<small class="{word}">{word} than in all of {len(before)} runs</small>'
    if len(before) >= ENOUGH_RUNS:
        return "<small>as in earlier runs</small>"
    return f"<small>{_change(before[-1], now) or 'as before'}</small>"
