"""The drawings of a long read and of a walk test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .series import Course, Interval
from .svg import Drawing, Scale, mark, number, ticks

LEFT = 48.0
RIGHT = 24.0  # room for half of the last mark
MOST_COLUMNS = 460  # of a drawing 1000 wide: two units each
TOP, PANEL, FOOT = 44.0, 150.0, 34.0  # above each panel, itself, and below the last one
LOST_ABOUT = "a connection was lost"


def over_time(intervals: Sequence[Interval]) -> str:
    """Draw the rate over time, and below it the round trip and the signal where they are known.

    The line is the median of the intervals of a moment, the band reaches from the slowest to the
    fastest.
    """
    panels: list[tuple[str, str, Callable[[Interval], float | None]]] = [
        ("rate", "MB/s", lambda each: each.mb_per_s)
    ]
    if any(each.rtt_ms is not None for each in intervals):
        panels.append(("round trip", "ms", lambda each: each.rtt_ms))
    if any(each.signal_dbm is not None for each in intervals):
        panels.append(("signal", "dBm", lambda each: each.signal_dbm))
    about = f"Over the time: {', '.join(name for name, _, _ in panels)}"
    drawing = Drawing(len(panels) * (TOP + PANEL) + FOOT, about, width=1000.0)
    began = intervals[0].at
    length = max(intervals[-1].at + intervals[-1].seconds - began, 1e-3)
    along = Scale(0, length, LEFT, drawing.width - RIGHT)
    top = TOP
    for name, unit, value in panels:
        drawing.text(LEFT, top - 12, f"{name}, {unit}", kind="tick")
        _panel(drawing, top, unit, _columns(intervals, began, length, value), along)
        top += TOP + PANEL
    bottom = top - TOP
    for each in intervals:
        if each.lost:
            x = along(each.at - began)
            drawing.rect(x - 1.5, TOP, 3, bottom - TOP, "c-stalls", title=LOST_ABOUT, round=1)
    step, unit = (60, "min") if length >= 300 else (1, "s")
    for moment in ticks(length / step, 10):
        if moment * step <= length and moment == int(moment):
            text, x = f"{mark(moment)} {unit}", along(moment * step)
            drawing.text(x, bottom + 20, text, anchor="middle", kind="tick")
    return drawing.markup()


Column = tuple[float, float, float, float]  # the moment (s), least, median, most


def _columns(
    intervals: Sequence[Interval],
    began: float,
    length: float,
    value: Callable[[Interval], float | None],
) -> list[Column]:
    """Return the intervals as at most MOST_COLUMNS columns."""
    groups: dict[int, list[Interval]] = {}
    count = min(MOST_COLUMNS, len(intervals))
    for each in intervals:
        groups.setdefault(min(count - 1, int((each.at - began) / length * count)), []).append(each)
    found = []
    for group in groups.values():
        known = sorted(number for each in group if (number := value(each)) is not None)
        if known:
            middle = (group[0].at + group[-1].at + group[-1].seconds) / 2 - began
            found.append((middle, known[0], known[len(known) // 2], known[-1]))
    return found


def _panel(
    drawing: Drawing, top: float, unit: str, columns: Sequence[Column], along: Scale
) -> None:
    bottom = top + PANEL
    if unit == "dBm":
        marks = [-90.0, -70.0, -50.0, -30.0]
    else:
        marks = ticks(1.02 * max([most for *_, most in columns] + [1e-3]), 4)
    scale = Scale(marks[0], marks[-1], bottom, top)
    for value in marks:
        drawing.line(LEFT, scale(value), drawing.width - RIGHT, scale(value))
        drawing.text(LEFT - 8, scale(value) + 4, mark(value), anchor="end", kind="tick")
    lower = [(along(at), scale(least)) for at, least, _, _ in columns]
    upper = [(along(at), scale(most)) for at, _, _, most in columns]
    drawing.area([*lower, *reversed(upper)], "spread")
    drawing.course([(along(at), scale(middle)) for at, _, middle, _ in columns], "course")


def walk(courses: Sequence[Course]) -> str:
    """Draw a bar for each spot of a walk test; a line reaches from its slowest to its fastest
    interval."""
    width = 1000.0
    top, step, left, right = 4.0, 40.0, 160.0, width - 100
    drawing = Drawing(top + step * len(courses), "The rate at each spot, in MB/s", width=width)
    most = max(max(course.rate.most for course in courses), 1e-9)
    scale = Scale(0, most, left, right)
    for index, course in enumerate(courses):
        y = top + step * index
        name = course.spot if len(course.spot) <= 16 else f"{course.spot[:15]}…"
        drawing.text(left - 12, y + 18, name, anchor="end")
        drawing.rect(left, y, right - left, 24, "track", round=3)
        about = f"{course.spot}: {course.mb_per_s:.2f} MB/s"
        drawing.rect(left, y, max(2.0, scale(course.mb_per_s) - left), 24, "d-0", title=about)
        for value in (course.rate.least, course.rate.most):
            drawing.line(scale(value), y + 6, scale(value), y + 18, "range")
        drawing.line(scale(course.rate.least), y + 12, scale(course.rate.most), y + 12, "range")
        drawing.text(right + 12, y + 18, f"{number(course.mb_per_s)} MB/s", kind="value")
        if course.signal_dbm is not None:
            text = f"{course.signal_dbm[1]:.0f} dBm"
            drawing.text(left + 8, y + 17, text, kind="on-colour")
    return drawing.markup()
