"""The same jobs done with gphoto2 and with ptpfast: the commands, the seconds, and what is left.

    python -m bench.jobs             run them, print the table
    python -m bench.jobs --keep      also store the figures and draw docs/compared.md

Each job runs in turn with both programs, each time on a new simulated camera behind a link of 30
MB/s with a round trip of 3 ms. Every file that has its final name is compared with what is on the
card: a job with a wrong or missing file says so. The programs see no setting of this computer.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ptpfast.sim import Link, SimulatedCamera, Store

from .. import peers
from ..harness import DISK_DIR, Range
from ..machine import about, commit
from .place import GPHOTO2, PTPFAST, Place
from .shooting import live_view
from .tasks import TASKS
from .work import Done, Task, tethered

ROUNDS = 3
LINK = Link(rate=30e6, rtt=0.003)
PAIRS, RAW_SIZE, JPEG_SIZE = 12, 6_000_000, 2_000_000
SMALL = 1_000_000  # where shots come at a pace
RESULTS = Path(__file__).with_name("results.json")
PAGE = peers.ROOT / "docs" / "compared.md"
BEGIN, END = "<!-- jobs: drawn by `python -m bench.jobs --keep` -->", "<!-- jobs: end -->"


def measure(task: Task, program: str) -> Done | None:
    """Run a job on a new camera; None where the program has no way."""
    if not task.lines[program]:
        return None
    store = (
        Store.synthetic(task.listed, 1000)
        if task.listed
        else Store.synthetic(2 * PAIRS, RAW_SIZE, jpeg_size=JPEG_SIZE)
    )
    if task.job is tethered:
        store = Store.synthetic(2, RAW_SIZE, jpeg_size=JPEG_SIZE)
    card: dict[str, Any] = {"store": store}
    if task.body is not None:
        card = {"body": task.body, "objects": 2, "size": SMALL}
    where = DISK_DIR if DISK_DIR.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="ptpfast-jobs-", dir=where) as base,
        SimulatedCamera(**card, link=LINK) as camera,
    ):
        folder, home = Path(base, "photos"), Path(base, "home")
        folder.mkdir()
        home.mkdir()
        lines = [line.replace("COPY", f"{base}/copy") for line in task.lines[program]]
        return task.job(Place(camera, folder, home), program, lines)


def run(only: str) -> dict[str, Any]:
    """Run all jobs in turn, or those whose names have a text; return their figures."""
    rows = []
    for task in TASKS:
        if only not in task.name:
            continue
        runs: dict[str, list[Done]] = {GPHOTO2: [], PTPFAST: []}
        for number in range(ROUNDS):
            order = (GPHOTO2, PTPFAST) if number % 2 else (PTPFAST, GPHOTO2)
            for program in order:
                if (done := measure(task, program)) is not None:
                    runs[program].append(done)
        rows.append(
            {
                "job": task.name,
                "lines": task.lines,
                "commit": commit(),
                "files": 0 if task.listed or task.job is live_view else 2 * PAIRS,
                "unit": task.unit,
                "runs": {name: [asdict(done) for done in each] for name, each in runs.items()},
            }
        )
        print(*table([rows[-1]])[2:], sep="\n", flush=True)
    gphoto2 = subprocess.run(["gphoto2", "--version"], capture_output=True, text=True, check=True)
    return {
        **about(),
        "command": "python -m bench.jobs --keep",
        "gphoto2": gphoto2.stdout.splitlines()[0],
        "link": "30 MB/s, round trip 3 ms",
        "jobs": rows,
    }


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table of the jobs, in Markdown."""
    lines = ["| job | | seconds | files | MB sent | |", "|---|---|---|---|---|---|"]
    for row in rows:
        for number, program in enumerate((GPHOTO2, PTPFAST)):
            job = row["job"] if not number else ""
            words = row["lines"][program]
            if not words:
                lines.append(f"| {job} | {program}: no option for it | – | – | – | |")
                continue
            done = row["runs"][program]
            took = Range.of([each["seconds"] for each in done])
            seconds = took.text(1 if took.median >= 1 else 2)
            sent = Range.of([each["sent"] / 1e6 for each in done]).text(0)
            right = min(each["right"] for each in done)
            wrong, other = (max(each[what] for each in done) for what in ("wrong", "other"))
            files = row.get("unit", "listed") if not row["files"] else f"{right}"
            files += f", **{wrong} wrong**" if wrong else ""
            files += f", {other} unfinished" if other else ""
            command = "; ".join(f"`{line}`" for line in dict.fromkeys(words))
            lines.append(
                f"| {job} | {command} | {seconds} | {files} | {sent} | {done[-1]['said']} |"
            )
    return lines


def drawn(page: str, kept: dict[str, Any]) -> str:
    """Return the page with the table of the kept figures."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    machine = kept["machine"]
    commits = dict.fromkeys(row.get("commit", kept["commit"]) for row in kept["jobs"])
    about_it = (
        f"Medians of {ROUNDS} runs, with the range. {kept['gphoto2']}, a link of {kept['link']}, "
        f"{machine['cpu']}, {machine['cores']} cores, commit {', '.join(commits)}: "
        f"`{kept['command']}`."
    )
    text = "\n".join([about_it, "", *table(kept["jobs"])])
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    """Run what the options say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", default="", help="the jobs with this in their names")
    options = parser.parse_args()
    if shutil.which("gphoto2") is None:
        sys.exit("this needs gphoto2 (Debian: apt install gphoto2)")
    kept = run(options.only)
    if options.keep and options.only:  # the others stay as they were measured
        new = {row["job"]: row for row in kept["jobs"]}
        kept = json.loads(RESULTS.read_text(encoding="utf-8"))
        rows = {row["job"]: row for row in kept["jobs"]} | new
        kept["jobs"] = [rows[task.name] for task in TASKS if task.name in rows]
    if options.keep:
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


if __name__ == "__main__":
    main()
