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


def changes(now: Figures, before: Figures) -> list[tuple[Measure, float, float, float]]:
    """Return what both runs measured: measure, then, now, and the change as a fraction."""
    found = []
    for measure in MEASURES:
        then, value = measure.of(before), measure.of(now)
        if then and value is not None:
            found.append((measure, then, value, value / then - 1.0))
    return found


def told(now: Figures, before: Figures) -> list[str]:
    """Return the changes in words, one line each."""
    lines = []
    for measure, then, value, change in changes(now, before):
        line = f"{measure.label}: {number(value)} {measure.unit}, was {number(then)}"
        if abs(change) >= WORTH_SAYING:
            better = (change > 0) == measure.more_is_better
            line += f" ({change:+.0%}, {'better' if better else 'worse'})"
        lines.append(line)
    return lines


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
        then = rows[-1][1]
        rows.append(("this run", value, "d-0", ""))
        parts.append(
            f'<section class="card"><h2>{measure.label[0].upper()}{shown(measure.label[1:])}'
            f" {_change(measure, then, value)}</h2>{charts.bars(rows, measure.unit, 150.0)}"
            "</section>"
        )
    if not parts:
        return ""
    heading = '<h2 class="group">This run and earlier ones</h2>'
    return f'{heading}<div class="pair">{"".join(parts)}</div>'


def _change(measure: Measure, then: float, now: float) -> str:
    change = now / then - 1.0 if then else 0.0
    if abs(change) < WORTH_SAYING:
        return "<small>as before</small>"
    kind = "better" if (change > 0) == measure.more_is_better else "worse"
    return f'<small class="{kind}">{change:+.0%}, {kind}</small>'
