"""The drawings of the page: bars of the contenders, parts of the raw stream, a timeline, trends.

Every function takes kept runs and returns a figure, or None where the runs have nothing for it. The
same runs give the same file, byte for byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .bench_wifi import DEFAULT, RAW, TUNED, WHOLE
from .contenders import DROPPED, GPHOTO2, PTPFAST, PYTHON_GPHOTO2, RECV_INTO, SEED, SPLICE, C
from .history import Ratio, Run, key, parts

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
OURS, GOOD, BAD = "#0b6e99", "#2f855a", "#c53030"
COLOURS = {
    RAW: "#52606d",
    DEFAULT: OURS,
    TUNED: "#38a3c7",
    WHOLE: "#8fcbe0",
    C: "#9aa5b1",
    SPLICE: "#9aa5b1",
    DROPPED: "#cbd2d9",
    RECV_INTO: "#c9a227",
    SEED: "#7b5ea7",
    GPHOTO2: "#e07a5f",
    PYTHON_GPHOTO2: "#b5493a",
}
MARKERS = {DEFAULT: "o", TUNED: "D", WHOLE: "s", RECV_INTO: "v", GPHOTO2: "P", PYTHON_GPHOTO2: "X"}
WIDTH = 10.0  # inches
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "grid.color": GRID,
    "svg.hashsalt": "ptpfast",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "svg.fonttype": "none",  # a tenth of the size of outlines, and can be searched
}


def save(figure: Figure, path: Path) -> None:
    """Writes it, without a date, and forgets it."""
    metadata = {"Date": None} if path.suffix == ".svg" else {}
    with plt.rc_context(STYLE):
        figure.savefig(path, metadata=metadata, facecolor="white", dpi=110)
    plt.close(figure)


def _figure(rows: int, columns: int, height: float, **more: Any) -> tuple[Figure, Any]:
    with plt.rc_context(STYLE):
        return plt.subplots(
            rows, columns, figsize=(WIDTH, height), layout="constrained", squeeze=False, **more
        )


# Bars against the contenders


def contenders(run: Run) -> Figure | None:
    """Rates of everybody on each camera, with what they cost beside."""
    cases = {name: table for name, table in run.tables.items() if name.startswith("contenders")}
    if not cases:
        return None
    longest = max(len(table) + len(run.wrong.get(name, {})) for name, table in cases.items())
    with plt.rc_context(STYLE):
        figure, grid = _figure(len(cases), 1, len(cases) * (0.33 * longest + 1.0))
        for axes, (name, table) in zip(grid[:, 0], cases.items(), strict=True):
            _bars(axes, name, table, run)
    return figure


def _bars(axes: Axes, name: str, table: dict[str, dict[str, float]], run: Run) -> None:
    rows = sorted(table, key=lambda who: table[who]["bytes_per_s"])
    told = {**run.wrong.get(name, {}), **{w: r for w, r in run.missing.items() if w in COLOURS}}
    rows = [who for who in told if who not in table] + rows
    widest = max(figures["bytes_per_s"] for figures in table.values()) / 1e9
    for at, who in enumerate(rows):
        if who not in table:
            word = "wrong bytes" if who in run.wrong.get(name, {}) else "missing"
            axes.text(0.01 * widest, at, f"{word}: {told[who]}", va="center", color=BAD, size=8)
            continue
        figures = table[who]
        rate = figures["bytes_per_s"] / 1e9
        axes.barh(at, rate, height=0.66, color=COLOURS.get(who, FAINT))
        over = f"{rate:.2f} GB/s"
        if C in table and who != C:
            over += f", {figures['bytes_per_s'] / table[C]['bytes_per_s']:.2f} of C"
        _beside(axes, rate, at, over)
        cost = [f"{figures['cpu_s_per_gb']:.2f}", f"{figures['peak_mib']:.0f}"]
        cost.append(f"{figures['calls_per_gb']:,.0f}" if "calls_per_gb" in figures else "–")
        for place, text in zip(_COLUMNS.values(), cost, strict=True):
            axes.text(place * widest, at, text, va="center", ha="right", size=8)
    for head, place in _COLUMNS.items():
        axes.text(place * widest, len(rows) - 0.35, head, ha="right", color=FAINT, size=8)
    axes.set_yticks(range(len(rows)), rows)
    for label in axes.get_yticklabels():
        mine = label.get_text().startswith(PTPFAST)
        label.set(color=INK, fontweight="bold" if mine else "normal")
    axes.set(xlim=(0, 2.05 * widest), ylim=(-0.6, len(rows) + 0.2), xticks=[])
    axes.set_title(name.partition(", ")[2])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(left=False)


def _beside(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(4, 0), textcoords="offset points", va="center", size=8)


_COLUMNS = {"CPU s/GB": 1.55, "peak MiB": 1.75, "system calls/GB": 2.04}


# Parts of the raw stream


def links(run: Run) -> Figure | None:
    """What part of one raw TCP stream everybody reaches on each link."""
    cases = {name: table for name, table in run.tables.items() if RAW in table}
    if not cases:
        return None
    order = sorted(cases, key=lambda name: cases[name][RAW]["bytes_per_s"])
    with plt.rc_context(STYLE):
        figure, grid = _figure(1, 1, 0.62 * len(order) + 1.2)
        axes = grid[0, 0]
        for at, name in enumerate(order):
            _dots(axes, at, name, run)
            if at % 2:
                axes.axhspan(at - 0.5, at + 0.5, color="#f5f7fa", lw=0, zorder=0)
        for part, what in ((0.90, "0.90"), (0.97, "0.97"), (1.0, "raw TCP")):
            axes.axvline(part, color=GOOD if part < 1 else FAINT, lw=0.9, ls=(0, (4, 3)), zorder=1)
            side = "left" if part == 1.0 else "center"
            axes.text(part, len(order) - 0.44, what, color=GOOD if part < 1 else FAINT, size=8,
                      ha=side)  # fmt: skip
        rates = [cases[name][RAW]["bytes_per_s"] / 1e6 for name in order]
        labels = [f"{n}\n{r:.3g} MB/s" for n, r in zip(order, rates, strict=True)]
        axes.set_yticks(range(len(order)), labels, color=INK, size=8)
        axes.set(ylim=(-0.5, len(order) - 0.5), xlabel="rate, as a part of one raw TCP stream's")
        least = min(_part(figures, t[RAW]) for t in cases.values() for figures in t.values())
        axes.set_xlim(least - 0.03, 1.06)
        axes.grid(axis="x")
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
        handles = [
            Line2D([], [], color=COLOURS[w], marker=m, ls="", ms=6, label=w)
            for w, m in MARKERS.items()
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=6, frameon=False, fontsize=8)
    return figure


def _part(figures: dict[str, float], raw: dict[str, float]) -> float:
    return figures["bytes_per_s"] / raw["bytes_per_s"]


def _dots(axes: Axes, at: int, name: str, run: Run) -> None:
    """One link's row, with a lane for each contender; the ranges of those whose part is claimed."""
    table = run.tables[name]
    for lane, (who, marker) in enumerate(MARKERS.items()):
        if who not in table:
            continue
        place = at + 0.33 - 0.66 * lane / (len(MARKERS) - 1)
        colour = COLOURS[who]
        if ratio := run.ratios.get(key(name, f"{who}, of raw")):
            ends = [ratio.value.minimum, ratio.value.maximum]
            axes.plot(ends, [place, place], color=colour, lw=2.5, alpha=0.35, zorder=2)
        part = _part(table[who], table[RAW])
        axes.plot(part, place, marker, color=colour, ms=6, mec="white", mew=0.6, zorder=3, ls="")


# One download over Wi-Fi


def timeline(run: Run) -> Figure | None:
    """How the bytes of one download came over the link, contender by contender."""
    if not run.timelines:
        return None
    name, lines = next(iter(run.timelines.items()))
    order = [who for who in COLOURS if who in lines]
    with plt.rc_context(STYLE):
        figure, grid = _figure(len(order), 1, 0.62 * len(order) + 0.9, sharex=True, sharey=True)
        longest = max(line["seconds"] for line in lines.values())
        for axes, who in zip(grid[:, 0], order, strict=True):
            step = lines[who]["step"]
            rates = [count / step / 1e6 for count in lines[who]["bytes"]]
            times = [step * at for at in range(len(rates) + 1)]
            axes.stairs(rates, times, fill=True, color=COLOURS[who], alpha=0.85)
            took = lines[who]["seconds"]
            axes.axvline(took, color=COLOURS[who], lw=1.2)
            _beside(axes, max(took, times[-1]), 0.2 * max(rates), f"{took:.2f} s")
            axes.set_ylabel(
                who, rotation=0, ha="right", va="center", size=8, color=INK, labelpad=8,
                fontweight="bold" if who.startswith(PTPFAST) else "normal",
            )  # fmt: skip
            axes.tick_params(length=0, labelsize=7)
            axes.grid(axis="y")
        grid[-1, 0].set_xlabel("seconds from the beginning")
        grid[0, 0].set_xlim(0, 1.08 * longest)
        grid[0, 0].set_ylim(0)
        grid[0, 0].set_title(f"{name}: MB/s on the link")
    return figure


# Trends

PER_ROW = 4


def trends(runs: list[Run], bench: str) -> Figure | None:
    """Every ratio of one benchmark through all runs: medians, ranges, and what must be."""
    names = [name for name, ratio in runs[-1].ratios.items() if ratio.bench == bench]
    if not names:
        return None
    rows = -(-len(names) // PER_ROW)
    with plt.rc_context(STYLE):
        figure, grid = _figure(rows, PER_ROW, 1.55 * rows)
        for axes, name in zip(grid.flat, names, strict=False):
            _trend(axes, name, [run.ratios.get(name) for run in runs])
        for axes in grid.flat[len(names) :]:
            axes.set_visible(False)
    return figure


def _trend(axes: Axes, name: str, ratios: list[Ratio | None]) -> None:
    points = [(at, ratio) for at, ratio in enumerate(ratios) if ratio is not None]
    places = [at for at, _ in points]
    values = [ratio.value for _, ratio in points]
    last = points[-1][1]
    colour = OURS if last.holds else BAD
    axes.fill_between(
        places,
        [value.minimum for value in values],
        [value.maximum for value in values],
        color=colour,
        alpha=0.15,
        lw=0,
    )
    for at, value in zip(places, values, strict=True):
        axes.plot([at, at], [value.minimum, value.maximum], color=colour, lw=1, alpha=0.4)
    medians = [value.median for value in values]
    axes.plot(places, medians, "o-", color=colour, ms=3, lw=1.2)
    axes.text(1.0, 1.02, f"{medians[-1]:,.3g}", transform=axes.transAxes, ha="right", va="bottom",
              size=8, color=colour, fontweight="bold")  # fmt: skip
    if last.must is not None:
        axes.axhline(last.must, color=GOOD, lw=0.9, ls=(0, (4, 3)))
    low = min([v.minimum for v in values] + ([last.must] if last.must is not None else []))
    high = max([v.maximum for v in values] + ([last.must] if last.must is not None else []))
    room = 0.15 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set(xlim=(-0.5, max(len(ratios) - 0.5, 0.5)), ylim=(low - room, high + room), xticks=[])
    axes.locator_params(axis="y", nbins=3)
    axes.tick_params(length=0, labelsize=6.5)
    axes.grid(axis="y")
    case, what = parts(name)
    axes.set_title(f"{_short(case)}\n{_cut(what, 33)}", size=6.8, fontweight="normal", color=INK)


def _short(case: str) -> str:
    """A case's name as far as there is room for it: what its benchmark has in common goes first."""
    for common in ("contenders, ", "download, ", "read_into numpy, ", "pieces of work, "):
        case = case.removeprefix(common)
    return _cut(case.replace(" to tmpfs", ""), 40)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
