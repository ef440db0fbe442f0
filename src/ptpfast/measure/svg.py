"""SVG drawings: shapes, text and axes.

Colours are CSS classes of the page (`page.css`), so a drawing follows its light and dark scheme.
All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ..engine.text import printable

WIDTH = 540.0


def shown(text: str) -> str:
    """Return text for a page or a drawing: escaped, with `?` for invisible characters."""
    return escape(printable(text))


class Drawing:
    """A drawing WIDTH units wide and `height` high. `about` is the text for screen readers."""

    def __init__(self, height: float, about: str, width: float = WIDTH) -> None:
        self.height = height
        self.width = width
        self._about = about
        self._parts: list[str] = []

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        kind: str,
        *,
        title: str = "",
        round: float = 2,
    ) -> None:
        """Add a filled rectangle of a class, with a tooltip."""
        self._add(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
            f'height="{max(height, 0):.1f}" rx="{round:g}" class="{kind}"',
            "rect",
            title,
        )

    def circle(self, x: float, y: float, radius: float, kind: str, *, title: str = "") -> None:
        """Add a dot."""
        circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{kind}"'
        self._add(circle, "circle", title)

    def area(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Add a filled area within these corners."""
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polygon points="{corners}" class="{kind}"/>')

    def course(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Add a line through these points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{places}" class="{kind}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> None:
        """Add a line."""
        self._parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
        )

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", kind: str = "label"
    ) -> None:
        """Add a text that begins, ends or is centred at a point."""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
            f"{shown(text)}</text>"
        )

    def _add(self, start: str, tag: str, title: str) -> None:
        if title:
            self._parts.append(f"{start}><title>{shown(title)}</title></{tag}>")
        else:
            self._parts.append(f"{start}/>")

    def markup(self) -> str:
        """Return the drawing as markup for a page."""
        about = shown(self._about)
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{about}">'
            + "".join(self._parts)
            + "</svg>"
        )


class Scale:
    """A scale between two places, linear or logarithmic."""

    def __init__(
        self, least: float, most: float, start: float, end: float, *, logarithmic: bool = False
    ) -> None:
        self._log = logarithmic
        self._from, self._to = self._place(least), self._place(most)
        self._start, self._end = start, end

    def _place(self, value: float) -> float:
        return math.log10(max(value, 1e-9)) if self._log else value

    def __call__(self, value: float) -> float:
        part = (self._place(value) - self._from) / ((self._to - self._from) or 1.0)
        return self._start + min(1.0, max(0.0, part)) * (self._end - self._start)


def ticks(most: float, count: int = 5) -> list[float]:
    """Return round values from 0 to at least `most`, about `count` steps."""
    if most <= 0 or not math.isfinite(most):
        return [0.0, 1.0]
    step = 10.0 ** math.floor(math.log10(most / count))
    step *= next(f for f in (1, 2, 2.5, 5, 10) if most / (f * step) <= count)
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def log_ticks(least: float, most: float) -> list[float]:
    """Return 1, 2, 5, 10, 20… from the least to the most; powers of 10 if there are many."""
    low = math.floor(math.log10(max(least, 1e-6)))
    high = math.ceil(math.log10(max(most, 1e-6)))
    every = (1, 2, 5) if high - low <= 3 else (1,)
    marks = [f * 10.0**power for power in range(low, high + 2) for f in every]
    first = max((n for n, mark in enumerate(marks) if mark <= least), default=0)
    last = min((n for n, mark in enumerate(marks) if mark >= most), default=len(marks) - 1)
    return marks[first : max(last, first + 1) + 1]


def number(value: float) -> str:
    """Return a number with its significant digits: `0.31`, `2.3`, `16.4`, `1,090`."""
    if value and abs(value) < 1:
        return f"{value:.2g}"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{value:,.0f}"


def mark(value: float) -> str:
    """Return a round value for an axis."""
    return f"{value:,g}"


def columns(count: int, start: float, end: float, gap: float = 0.3) -> list[tuple[float, float]]:
    """Return place and width of `count` columns side by side, with a part of each left free."""
    step = (end - start) / max(1, count)
    return [(start + step * (n + gap / 2), step * (1 - gap)) for n in range(count)]


def value_axis(
    drawing: Drawing, values: Sequence[float], scale: Scale, left: float, right: float, unit: str
) -> None:
    """Draw horizontal grid lines with their values, and the unit above."""
    for value in values:
        y = scale(value)
        drawing.line(left, y, right, y, "axis" if value == 0 else "grid")
        drawing.text(left - 8, y + 4, mark(value), anchor="end", kind="tick")
    drawing.text(left - 8, scale(values[-1]) - 12, unit, anchor="end", kind="tick")
