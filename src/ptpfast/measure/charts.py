"""The charts of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .result import Latency, Reading, chunk_words
from .summary import Figures
from .svg import WIDTH, Drawing, Scale, columns, log_ticks, mark, number, ticks, value_axis

# Shares of time: their words, in the order they are shown. Their colours are classes of that name.
SHARE_WORDS = {
    "data": "data in transit",
    "stalls": "link stalls",
    "round trips": "round trips",
    "camera": "the camera",
    "acks": "waiting for acknowledgements",
    "disk": "the disk",
    "computer": "this computer",
}
LEFT = 48.0
DIGIT, SMALL_DIGIT = 10.2, 7.4  # how wide one is, in bold; a point is half as wide
BETWEEN = 1.0  # two numbers
SOME = 3  # requests whose rates are worth a range


def kind_of(share: str) -> str:
    """Return the CSS class of a share."""
    return "c-" + share.replace(" ", "-")


def share_bar(shares: Mapping[str, float]) -> str:
    """Draw one bar: the shares of a second of a download."""
    drawing = Drawing(54, "Where the time of a download goes", width=1000.0)
    x = 0.0
    for name, words in SHARE_WORDS.items():
        width = drawing.width * shares.get(name, 0.0)
        if width < 0.5:
            continue
        part = f"{shares[name]:.0%}"
        drawing.rect(x, 0, width - 1.5, 54, kind_of(name), title=f"{words}: {part}", round=4)
        if width > 44:
            drawing.text(x + width / 2, 33, part, anchor="middle", kind="on-colour")
        x += width
    return drawing.markup()


def rates(readings: Sequence[Reading], flow: float | None) -> str:
    """Draw columns with the rate of each chunk size, for each pipeline depth.

    A line over a column reaches from its slowest request to its fastest.
    """
    shown = [r for r in readings if r.way in ("parts", "whole") and r.bytes]
    chunks = sorted({r.chunk for r in shown if r.chunk}) + [0] * any(not r.chunk for r in shown)
    depths = sorted({r.depth for r in shown})
    height, top, bottom = 300.0, 34.0, 262.0
    drawing = Drawing(height, "Rate of reading by chunk size and requests outstanding")
    tops = [r.timing.each_mb_per_s.most if r.timing.each_mb_per_s else r.mb_per_s for r in shown]
    marks = ticks(1.06 * max([*tops, flow or 0.0, 1e-3]))
    scale = Scale(0, marks[-1], bottom, top)
    value_axis(drawing, marks, scale, LEFT, WIDTH, "MB/s")
    by_way = {(r.chunk, r.depth): r for r in shown}
    for chunk, (x, width) in zip(chunks, columns(len(chunks), LEFT, WIDTH), strict=True):
        here = [depth for depth in depths if (chunk, depth) in by_way]
        for depth, (left, bar) in zip(here, columns(len(here), x, x + width, 0.08), strict=True):
            reading = by_way[chunk, depth]
            bar_width = min(bar, 64.0)
            left += (bar - bar_width) / 2
            y = scale(reading.mb_per_s)
            about = f"{chunk_words(chunk)}, {depth} at a time: {reading.mb_per_s:.2f} MB/s"
            about += f" ({reading.requests} requests)"
            kind = f"d-{min(depths.index(depth), 3)}"
            drawing.rect(left, y, bar_width, bottom - y, kind, title=about, round=3)
            if (each := reading.timing.each_mb_per_s) is not None and each.count >= SOME:
                middle = left + bar_width / 2
                drawing.line(middle, scale(each.least), middle, scale(each.most), "range")
                y = min(y, scale(each.most))
            value, kind = _fitted(reading.mb_per_s, width / len(here))
            drawing.text(left + bar_width / 2, y - 6, value, anchor="middle", kind=kind)
        drawing.text(x + width / 2, bottom + 20, chunk_words(chunk), anchor="middle")
    if flow:
        y = scale(flow)
        drawing.line(LEFT, y, WIDTH, y, "ceiling")
    return drawing.markup()


def _fitted(value: float, width: float) -> tuple[str, str]:
    """Return a number that fits over a column of `width`, with its class; none if too wide."""
    for text, kind, digit in (
        (number(value), "value", DIGIT),
        (number(value), "value small", SMALL_DIGIT),
        (f"{value:,.0f}", "value small", SMALL_DIGIT),
    ):
        points = sum(mark in ",." for mark in text)
        if digit * (len(text) - points / 2) + BETWEEN <= width:
            return text, kind
    return "", "value"


def request_anatomy(readings: Sequence[Reading], rtt_ms: float | None, *, acks: bool) -> str:
    """Draw a bar for each chunk size: where the time of one request goes.

    Args:
        readings: the measured chunk sizes.
        rtt_ms: the round trip in ms, if known.
        acks: whether pauses are waits for acknowledgements.
    """
    rows = [r for r in readings if r.way == "parts" and r.depth == 1 and r.requests]
    top, step = 6.0, 38.0
    drawing = Drawing(top + step * len(rows), "Where the time of one request goes")
    left, right = 66.0, WIDTH - 66
    for row, reading in enumerate(rows):
        y, timing = top + step * row, reading.timing
        each_ms = 1e3 * reading.seconds / reading.requests
        wait_ms = 1e3 * timing.waited_s / reading.requests
        trip_ms = min(wait_ms, rtt_ms or 0.0)
        paused_ms = 1e3 * (timing.blocks.paused if timing.blocks else 0.0) / reading.requests
        held = [1e3 * s / reading.requests if acks else 0.0 for s in timing.held_s]
        flow_ms = 1e3 * timing.flowed_s / reading.requests - paused_ms - held[1]
        drawing.text(left - 10, y + 19, chunk_words(reading.chunk), anchor="end")
        x = left
        camera_ms = max(0.0, wait_ms - trip_ms - held[0]) + paused_ms
        for name, value in (
            ("round trips", trip_ms),
            ("acks", sum(held)),
            ("camera", camera_ms),
            ("data", flow_ms),
        ):
            width = (right - left) * value / max(each_ms, 1e-9)
            title = f"{SHARE_WORDS[name]}: {value:.1f} ms of {each_ms:.1f} ms"
            drawing.rect(x, y, width - 1, 26, kind_of(name), title=title, round=3)
            if width > 58:
                drawing.text(
                    x + width / 2, y + 18, f"{number(value)} ms", anchor="middle", kind="on-colour"
                )
            x += width
        drawing.text(right + 10, y + 19, f"{number(each_ms)} ms", kind="value")
    return drawing.markup()


def latencies(rows: Sequence[Latency]) -> str:
    """Draw a row for each operation: a line from least to most, a band from p50 to p90, a dot at
    p50."""
    top, step = 8.0, 34.0
    bottom = top + step * len(rows)
    drawing = Drawing(bottom + 34, "Latencies by operation")
    left, right = 112.0, WIDTH - 74
    least = min(row.ms.least for row in rows)
    most = max(row.ms.most for row in rows)
    marks = log_ticks(least, most)
    scale = Scale(marks[0], marks[-1], left, right, logarithmic=True)
    for value in marks:
        drawing.line(scale(value), top, scale(value), bottom)
        drawing.text(scale(value), bottom + 18, mark(value), anchor="middle", kind="tick")
    drawing.text(left - 12, bottom + 18, "ms", anchor="end", kind="tick")
    for index, row in enumerate(rows):
        y = top + step * (index + 0.5)
        ms = row.ms
        drawing.text(left - 12, y + 5, row.what, anchor="end")
        drawing.line(scale(ms.least), y, scale(ms.most), y, "whisker")
        upper = ms.p90 if ms.p90 is not None else ms.p50
        about = f"{row.what}: {ms.count} times; least {ms.least:.2f}, median {ms.p50:.2f}"
        about += f", p90 {ms.p90:.2f}" if ms.p90 is not None else ""
        about += f", most {ms.most:.2f} ms"
        start, end = scale(ms.p50), scale(upper)
        drawing.rect(start, y - 7, max(end - start, 1), 14, "band", title=about)
        drawing.circle(start, y, 5.5, "d-0", title=about)
        drawing.text(right + 14, y + 5, f"{number(ms.p50)} ms", kind="value")
    return drawing.markup()


def seconds(sizes: Sequence[int], phases: Sequence[tuple[str, float, float]]) -> str:
    """Draw a column for each second of the run, with what was measured then."""
    top, bottom, height = 34.0, 190.0, 252.0
    drawing = Drawing(height, "Megabytes received in each second of the run", width=1000.0)
    marks = ticks(1.02 * max([size / 1e6 for size in sizes] + [1e-3]), 4)
    scale = Scale(0, marks[-1], bottom, top)
    right = drawing.width
    value_axis(drawing, marks, scale, LEFT, right, "MB/s")
    length = max(len(sizes), 1)
    along = Scale(0, length, LEFT, right)
    groups = _grouped(phases)
    for index, (name, began, ended) in enumerate(groups):
        x, end = along(began), along(min(ended, length))
        kind = f"phase-{index % 2}"
        drawing.rect(x, top, end - x, bottom - top, kind, title=name, round=0)
        drawing.rect(x, bottom + 26, end - x - 1, 3, "phase-mark", round=0)
        if end - x > 6.5 * len(name):
            drawing.text((x + end) / 2, bottom + 46, name, anchor="middle", kind="tick")
    for index, size in enumerate(sizes):
        x, width = along(index), along(index + 1) - along(index)
        y = scale(size / 1e6)
        title = f"second {index + 1}: {size / 1e6:.2f} MB"
        drawing.rect(x + 0.8, y, max(width - 1.6, 0.6), bottom - y, "c-data", title=title)
    for second in ticks(length, 10):
        if second <= length and second == int(second):
            text = f"{mark(second)} s"
            drawing.text(along(second), bottom + 18, text, anchor="middle", kind="tick")
    return drawing.markup()


def _grouped(phases: Sequence[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Return the phases with neighbours of one kind merged: all rounds of parts are `parts`."""
    groups: list[tuple[str, float, float]] = []
    for name, began, ended in phases:
        short = "parts of objects" if name.startswith("parts") else name
        if groups and groups[-1][0] == short:
            groups[-1] = (short, groups[-1][1], ended)
        else:
            groups.append((short, began, ended))
    return groups


def disk_bars(figures: Figures) -> str:
    """Draw bars: a download discarded and stored, and the disk alone."""
    rows = [
        ("discarded", figures.storing.memory_mb_per_s, "d-0"),
        ("stored", figures.storing.file_mb_per_s, "c-disk"),
        ("disk alone", figures.storing.disk_mb_per_s, "c-disk faint"),
    ]
    shown = [(name, value, kind, "") for name, value, kind in rows if value]
    return bars(shown, "MB/s", most=_disk_scale(figures))


def disk_is_cut(figures: Figures) -> bool:
    """Return whether the bar of the disk alone is longer than it is drawn."""
    most, disk = _disk_scale(figures), figures.storing.disk_mb_per_s
    return bool(most and disk and disk > most)


def _disk_scale(figures: Figures) -> float | None:
    """Return the end of the scale: a fast disk is off it, as the other two are what matters."""
    storing = figures.storing
    downloads = [rate for rate in (storing.memory_mb_per_s, storing.file_mb_per_s) if rate]
    return 2 * max(downloads) if downloads else None


def bars(
    rows: Sequence[tuple[str, float, str, str]],
    unit: str,
    left: float = 92.0,
    most: float | None = None,
) -> str:
    """Draw a bar for each row: label, value, class, and a tooltip.

    Args:
        rows: the rows.
        unit: of the values.
        left: width of the labels.
        most: the end of the scale; larger values run off it.
    """
    top, step = 4.0, 34.0
    drawing = Drawing(top + step * len(rows), f"Bars of values in {unit}")
    right = WIDTH - 100
    largest = max([value for _, value, _, _ in rows] + [1e-9])
    scale = Scale(0, min(largest, most or largest), left, right)
    for index, (name, value, kind, title) in enumerate(rows):
        y = top + step * index
        drawing.text(left - 12, y + 18, name, anchor="end")
        drawing.rect(left, y, right - left, 24, "track", round=3)
        about = title or f"{name}: {value:.2f} {unit}"
        drawing.rect(left, y, max(2.0, scale(value) - left), 24, kind, title=about, round=3)
        if most is not None and value > most:  # two cuts through its end
            for x in (right - 26, right - 18):
                drawing.line(x, y + 26, x + 6, y - 2, "cut")
        drawing.text(right + 12, y + 18, f"{number(value)} {unit}", kind="value")
    return drawing.markup()
