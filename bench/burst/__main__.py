"""How long each shot of a burst takes to the disk with `ptpfast watch`, on every body.

    python -m bench.burst            run it, print the table
    python -m bench.burst --keep     also store the figures, draw docs/watch.svg and its paragraph

On each body in turn: 200 shots at 20 a second, and three lost connections. The time is that from
the shutter until the watch tells of the file, which has its final name then and is flushed. Every
byte is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ptpfast.vendors import BODIES

from .. import peers, plots
from ..contenders import GPHOTO2
from ..machine import about
from .run import Burst, Came, run

SHORTEST_S = 0.02
# Panasonic's body lets nobody in without the ports of its gate, which a computer may not give.
MEASURED = [body for body, vendor in sorted(BODIES.items()) if vendor != "panasonic"]
RESULTS = Path(__file__).with_name("results.json")
PICTURE = peers.ROOT / "docs" / "watch.svg"
PAGE = peers.ROOT / "docs" / "watch.md"
BEGIN, END = "<!-- burst: drawn by `python -m bench.burst --keep` -->", "<!-- burst: end -->"
HELD = plots.COLOURS[GPHOTO2]
HEAD = f"{'body':22}{'files':>6}  {'missing, twice, wrong':23}{'median s':>9}{'95 %':>8}{'most':>8}"


def row(came: dict[str, Any]) -> str:
    """Return a line of the table."""
    bad = f"{came['missing']}, {came['twice']}, {came['wrong']}"
    figures = "".join(
        f"{value:>{width}.2f}" for value, width in zip(of(came), (9, 8, 8), strict=True)
    )
    return f"{came['body']:22}{came['files']:>6}  {bad:23}{figures}"


def of(came: dict[str, Any]) -> list[float]:
    """Return the median, the 95th percentile and the most, of shots without a lost connection."""
    seconds = came["seconds"] or [float("nan")]
    return [float(value) for value in np.percentile(seconds, (50, 95, 100))]


def drawn(bodies: list[dict[str, Any]]) -> Figure:
    """Draw how the times are distributed: for each body a row, higher where more files came.

    Each colour has its own scale. The numbers of files are behind the name.
    """
    figure, axes = plots._figure(1, 1, 0.36 * len(bodies) + 1.1)
    ax = axes[0][0]
    most = max(second for came in bodies for second in (*came["seconds"], *came["lost"]))
    edges = np.geomspace(SHORTEST_S, most, 60)
    for at, came in enumerate(reversed(bodies)):
        counts = [np.histogram(np.maximum(each, SHORTEST_S), edges)[0] for each in _both(came)]
        for count, colour in zip(counts, (plots.OURS, HELD), strict=True):
            ax.stairs(
                at + 0.85 * count / max(1, count.max()), edges, baseline=at, fill=True, color=colour
            )
        ax.plot([of(came)[0]] * 2, [at, at + 0.9], color=plots.INK, linewidth=1.2)
    ax.axvline(1.0, color=plots.FAINT, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    names = [f"{came['body']}  {len(came['seconds'])} + {len(came['lost'])}" for came in bodies]
    ax.set_yticks(range(len(bodies)), names[::-1])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.grid(axis="x", zorder=0)
    ax.set_xlabel("seconds from the shutter to the file on the disk")
    ax.set_title(
        "blue + orange files: orange were held up by a lost connection; line: median of blue"
    )
    return figure


def _both(came: dict[str, Any]) -> tuple[list[float], list[float]]:
    return came["seconds"], came["lost"]


def paragraph(kept: dict[str, Any]) -> str:
    """Return what the page says of the figures."""
    bodies = kept["bodies"]
    burst, machine = kept["burst"], kept["machine"]
    files = sum(came["files"] for came in bodies)
    bad = sum(came["missing"] + came["twice"] + came["wrong"] for came in bodies)
    middle = [of(came)[0] for came in bodies]
    ends = [of(came)[1] for came in bodies]
    lost = [second for came in bodies for second in came["lost"]]
    held = len(lost) / (len(lost) + sum(len(came["seconds"]) for came in bodies))
    losses = f"{bad} missing, twice or wrong" if bad else "none missing, none twice, no byte wrong"
    of_all = f"{len(bodies)} simulated bodies"
    sentences = (
        f"{burst['shots']} shots at {burst['rate']:g} a second on each of {of_all},",
        f"with {burst['drops']} lost connections: {files:,} files, {losses}.",
        "For shots that no lost connection delays,",
        f"the median is {min(middle):.2f} to {max(middle):.2f} s,",
        f"and the 95th percentile {min(ends):.2f} to {max(ends):.2f} s.",
        f"The other {100 * held:.0f} % of the files were shot during a loss, or while its backlog",
        "was downloaded. They took",
        f"{np.median(lost):.1f} s in the median, and {max(lost):.1f} s at most.",
        f"Files of {burst['size'] // 1000} KB, {kept['link']}, {machine['cpu']},",
        f"{machine['cores']} cores with a load of {kept['load']}, commit {kept['commit']}:",
    )
    text = "\n".join([*textwrap.wrap(" ".join(sentences), 118), f"`{kept['command']}`."])
    return f"![seconds from the shutter to the disk, on each body](watch.svg)\n\n{text}"


def main() -> int:
    """Run what the options say."""
    parser = argparse.ArgumentParser(prog="python -m bench.burst")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--draw", action="store_true", help="draw what is kept, run nothing")
    parser.add_argument("--body", action="append", choices=MEASURED)
    parser.add_argument("--shots", type=int, default=Burst.shots)
    parser.add_argument("--rate", type=float, default=Burst.rate)
    parser.add_argument("--drops", type=int, default=Burst.drops)
    options = parser.parse_args()
    if options.draw:
        keep(json.loads(RESULTS.read_text(encoding="utf-8")))
        return 0
    burst = Burst(options.shots, options.rate, options.drops)
    bodies: list[Came] = []
    loads = []
    print(HEAD, flush=True)
    for body in options.body or MEASURED:
        bodies.append(run(body, burst))
        loads.append(os.getloadavg()[0])
        print(row(asdict(bodies[-1])), flush=True)
    kept = {
        **about(),
        "command": "python -m bench.burst --keep",
        "link": "a link of 30 MB/s with a round trip of 3 ms",
        "load": f"{min(loads):.0f} to {max(loads):.0f}",
        "burst": asdict(burst),
        "bodies": [asdict(came) for came in bodies],
    }
    if options.keep:
        RESULTS.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        keep(kept)
    return 0 if all(came.ok for came in bodies) else 1


def keep(kept: dict[str, Any]) -> None:
    """Draw the picture, and the paragraph of the page."""
    plots.save(drawn(kept["bodies"]), PICTURE)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


def page(text: str, kept: dict[str, Any]) -> str:
    """Return the page with the paragraph of the kept figures."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{paragraph(kept)}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
