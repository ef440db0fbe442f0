"""`python -m bench page`: draws the kept runs: `results/README.md`, and figures of other pages.

The results page has every number with its trend, each benchmark's from the newest run that it took
part in; `docs/benchmarks.md` has the headlines and the README five of them, between two marks, so
that no figure is ever copied by hand.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .bench_wifi import RAW
from .harness import Range
from .headlines import FIRST, HEADLINES, ON_LINKS
from .history import RESULTS, Ratio, Run, load, parts, until
from .peers import ROOT

PAGE = RESULTS / "README.md"
BEGIN, END = "<!-- measured: drawn by `make bench-page` -->", "<!-- measured: end -->"
# Pages with figures → which of them, and in which words; None: all.
WITH_FIGURES: dict[Path, Mapping[str, str] | None] = {
    ROOT / "README.md": FIRST,
    ROOT / "docs" / "benchmarks.md": None,
}
QUESTIONS = {
    "contenders": "Everybody on one camera",
    "download": "Into files, beside C",
    "cameras": "Eight cameras at once",
    "aio": "Tasks beside the session that they use",
    "loop": "Ten cameras in one event loop, beside ten processes",
    "pipelines": "What stands between the engine and a program",
    "verify": "The price of certainty",
    "trace": "The price of a trace",
    "disk": "A disk with slow flushes",
    "memory": "Into numpy arrays, beside C",
    "resident": "Memory, whatever the object's size",
    "busy": "Other Python threads meanwhile",
    "startup": "Start of a process",
    "micro": "Pieces of work: speed beside plain Python, and instructions",
    "chunks": "How much at a time, how far ahead",
    "wifi": "Emulated Wi-Fi and Ethernet links",
    "vendors": "The vendors' bodies, beside the standard one",
    "listing": "Listings",
    "small": "Small objects",
    "nagle": "Cameras that leave Nagle's algorithm on",
}
DRAWINGS = {
    "contenders": "Against the contenders",
    "links": "On emulated links",
    "timeline": "One download over Wi-Fi",
}
CAPTIONS = {
    "contenders": "Everybody fetches the same card from the same C Responder over loopback, into "
    "files; the medians. The clock does not count the start of a program, its handshake and its "
    "listing. `(C, dropped)` receives and forgets: the most this camera can send.",
    "links": "Real TCP over an emulated link. 1.0 is what one raw TCP stream reached on the same "
    "link in the same round; lines behind the marks are ranges over the rounds. At the dashed "
    "lines: what the default settings and two requests of 1 MiB at a time must reach.",
    "timeline": "One download, as the link saw it: MB/s with packets' heads, in steps of 50 ms. "
    "gphoto2's includes its start and listing.",
}

MARKS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")  # of earlier runs


def bare(case: str) -> str:
    """A case's name without where its files were."""
    for where in (" to tmpfs", " to disk"):
        case = case.replace(where, "")
    return case


def figure(value: float) -> str:
    """As people read it."""
    return (
        f"{value:,.0f}"
        if abs(value) >= 1000
        else f"{value:.3g}"
        if abs(value) >= 100
        else f"{value:.2f}"
    )


def must(ratio: Ratio) -> str:
    """What it has to be."""
    if ratio.must is None:
        return ""
    return f"{'≥' if ratio.at_least else '≤'} {ratio.must:g}"


def _three(value: Range) -> str:
    if value.minimum == value.maximum:
        return figure(value.median)
    return f"{figure(value.median)} ({figure(value.minimum)}…{figure(value.maximum)})"


def _shown(ratio: Ratio) -> str:
    """A median; bold, and with digits enough to see why, if it falls short."""
    if ratio.holds:
        return figure(ratio.value.median)
    text = figure(ratio.value.median)
    if ratio.must is not None and text == figure(ratio.must):
        text = f"{ratio.value.median:.4g}"
    return f"**{text}**"


def _known(runs: list[Run]) -> dict[tuple[str, str, str], tuple[Run, Ratio]]:
    """Every number by benchmark, case and what, from the newest run in which it was measured."""
    newest = runs[-1]
    return {
        (ratio.bench, bare(case), what): (run, ratio)
        for run in runs
        for (case, what), ratio in _split(run)
        if run is newest or ratio.bench not in newest.benches
    }


def measured(runs: list[Run], only: Mapping[str, str] | None = None) -> str:
    """The table between the marks: all headlines, or some in other words.

    Numbers of benchmarks that the newest run left out are those of an earlier run, marked as such.
    """
    known, earlier = _known(runs), runs[:-1]
    used: list[Run] = []

    def mark(ratios: list[tuple[Run, Ratio]]) -> str:
        """Says from which earlier run, if so."""
        from_run = next((run for run, _ in ratios if run in earlier), None)
        if from_run is None:
            return ""
        if from_run not in used:
            used.append(from_run)
        return f" {used.index(from_run) + 1}".translate(MARKS)

    rows = []
    for text, wanted in HEADLINES.items():
        if only is not None and text not in only:
            continue
        found = [known.get(name) for name in wanted]
        values = " · ".join(_shown(one[1]) if one else "–" for one in found)
        limits = dict.fromkeys(must(one[1]) for one in found if one)
        noted = mark([one for one in found if one])
        words = only[text] if only else text
        rows.append(f"| {words}{noted} | {values} | {' · '.join(limits)} |")
    for what, text in ON_LINKS.items():
        if only is not None and text not in only:
            continue
        judged = [
            one
            for (bench, _, w), one in known.items()
            if w == what and bench == "wifi" and one[1].must is not None
        ]
        words = only[text] if only else text
        if not judged:
            rows.append(f"| {words} | – | |")
            continue
        ratios = [ratio for _, ratio in judged]
        worst, best = (pick(ratios, key=lambda r: r.value.median) for pick in (min, max))
        rows.append(f"| {words}{mark(judged)} | {_shown(worst)} … {_shown(best)} | {must(worst)} |")
    notes = [
        f"{str(number).translate(MARKS)} {_about(run)}" for number, run in enumerate(used, start=1)
    ]
    lines = [
        f"{_about(runs[-1])} Medians. Values below the target are **bold**; – was not measured.",
        *notes,
        "",
        "| | | must be |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines)


def _split(run: Run) -> Iterator[tuple[tuple[str, str], Ratio]]:
    for name, ratio in run.ratios.items():
        yield parts(name), ratio


def _about(run: Run) -> str:
    machine = run.machine
    return (
        f"Commit {run.commit}, {run.date[:10]}, {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['kernel']}, Python {run.versions['python']}."
    )


def shown(runs: list[Run]) -> dict[str, Run]:
    """The drawings for which some run has something, each with the newest such run."""
    there: dict[str, Callable[[Run], bool]] = {
        "contenders": lambda run: any(name.startswith("contenders") for name in run.tables),
        "links": lambda run: any(RAW in table for table in run.tables.values()),
        "timeline": lambda run: bool(run.timelines),
    }
    return {
        name: run
        for name in DRAWINGS
        if (run := next((run for run in reversed(runs) if there[name](run)), None))
    }


def _from(run: Run, newest: Run) -> list[str]:
    """Says so of what is not from the newest run."""
    return [] if run is newest else ["", f"From an earlier run. {_about(run)}"]


def text(runs: list[Run]) -> str:
    """The page."""
    run = runs[-1]
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    lines = [
        "# Measured",
        "",
        "Drawn by `make bench-page` from the runs in this folder; how each number comes about and "
        "how it can mislead is in [bench/README.md](../README.md).",
        "",
        f"{_about(run)} It took {run.seconds / 60:.0f} minutes, with {versions}. "
        f"{len(runs)} {'run is' if len(runs) == 1 else 'runs are'} kept.",
    ]
    if run.missing:
        lines += ["", "Missing in this run:", ""]
        lines += [f"- {name}: {reason}" for name, reason in run.missing.items()]
    for name, its in shown(runs).items():
        title = DRAWINGS[name]
        lines += ["", f"## {title}", "", f"![{title}]({name}.svg)", "", CAPTIONS[name]]
        lines += _from(its, run)
    lines += ["", "## Every number", ""]
    lines += ["In the drawings: medians, ranges as a shade, and as a dashed line what must be."]
    its_runs = until(runs)
    for bench in QUESTIONS:
        if bench in its_runs:
            lines += _section(bench, its_runs[bench], run)
    return "\n".join(lines) + "\n"


def _section(bench: str, runs: list[Run], newest: Run) -> list[str]:
    """One benchmark's numbers in the last of its runs, and their trend."""
    run, earlier = runs[-1], runs[:-1]
    rows = {name: ratio for name, ratio in run.ratios.items() if ratio.bench == bench}
    lines = ["", f"### {QUESTIONS[bench]}", *_from(run, newest), ""]
    if not rows:
        return [*lines, f"Not measured: {run.missing.get(bench, 'it has no number')}."]
    lines += ["| | | median (range) | must be | earlier runs |", "|---|---|---|---|---|"]
    last = ""
    for name, ratio in rows.items():
        case, what = parts(name)
        before = [r.ratios[name].value.median for r in earlier if name in r.ratios]
        past = figure(statistics.median(before)) if before else ""
        value = _three(ratio.value) + (f" {ratio.unit}" if ratio.unit else "")
        value = value if ratio.holds else f"**{value}**"
        first = case if case != last else ""
        lines.append(f"| {first} | {what} | {value} | {must(ratio)} | {past} |")
        last = case
    return [*lines, "", f"![{QUESTIONS[bench]}: trend](trend-{bench}.svg)"]


def with_figures(text: str, runs: list[Run], only: Mapping[str, str] | None = None) -> str:
    """Return a page with the newest figures. ValueError if it has not both marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has not the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{measured(runs, only)}\n{END}{after}"


def draw(runs: list[Run], directory: Path) -> None:
    """All drawings."""
    from . import plots

    drawings = {"contenders": plots.contenders, "links": plots.links, "timeline": plots.timeline}
    figures = {
        **{name: drawings[name](run) for name, run in shown(runs).items()},
        **{f"trend-{bench}": plots.trends(its, bench) for bench, its in until(runs).items()},
    }
    for name, drawn in figures.items():
        if drawn is not None:
            plots.save(drawn, directory / f"{name}.svg")


def main() -> int:
    """Draws everything anew."""
    runs = load()
    if not runs:
        print("bench-page: no run is kept in bench/results yet; `make bench` makes one")
        return 1
    draw(runs, RESULTS)
    PAGE.write_text(text(runs), encoding="utf-8")
    for page, only in WITH_FIGURES.items():
        drawn = with_figures(page.read_text(encoding="utf-8"), runs, only)
        page.write_text(drawn, encoding="utf-8")
    also = " and ".join(str(page.relative_to(ROOT)) for page in WITH_FIGURES)
    print(f"drawn: {PAGE.relative_to(ROOT)}, and the figures in {also}")
    return 0
