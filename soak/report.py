"""What a soak says of itself: a table for people, and where the figures come from."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from . import ROOT
from .drops import Drops
from .rig import Figures
from .run import Soak

IN_A_ROW = 4  # kinds of faults


def table(soak: Soak) -> str:
    """Of the whole soak."""
    figures, lasting = soak.figures, soak.resident
    held = lasting.result()
    rows = [
        ("faults survived", f"{figures.faults.total():,} of {len(figures.faults)} kinds"),
        ("kill -9, each followed by a restart", f"{figures.kills:,}"),
        ("orderly signals", f"{figures.signals:,}"),
        ("other cameras in mid-run", f"{figures.camera_restarts:,}"),
        ("runs of the command line", f"{figures.runs:,}; by status {_counts(figures.statuses)}"),
        ("connected again within a run", f"{figures.reconnected:,}"),
        ("files", f"{figures.objects:,}, {figures.payload:,} bytes"),
        ("wrong, missing, left over; defects", f"{len(figures.findings):,}"),
        ("bytes re-read", f"{figures.reread:,}, {soak.ratio:.3%} of the payload"),
        ("  unfinished files gone back", f"{len(figures.setbacks):,}"),
        ("  by lane, and how it verified", ", ".join(soak.rereads())),
        ("a process that lives on", f"{held['faults']:,} faults in {held['rounds']} rounds"),
        *((f"  {name}: warm, at the end", _held(held, name)) for name in held["last"]),
        ("seconds", f"{soak.seconds:.0f}"),
        ("seed", f"{soak.seed}"),
    ]
    return "\n".join([*_kinds(figures.faults), "", *_aligned(rows), *_failures(soak.failures())])


def drops_table(drops: Drops) -> str:
    """Of the object through lost connections."""
    rows = [
        ("object", f"{drops.size:,} bytes"),
        ("connections lost", f"{sum(drops.applied.values())}: {_counts(drops.applied)}"),
        ("bytes re-read", f"{drops.reread:,}"),
        ("allowed", f"{drops.allowed:,}: for each the largest chunk and the overlap"),
        ("file", "; ".join(drops.wrong) or "right, every byte"),
        ("seconds", f"{drops.seconds:.0f}"),
        ("seed", f"{drops.seed}"),
    ]
    return "\n".join([*_aligned(rows), *_failures([] if drops.ok else ["not as asked"])])


def rig_table(done: Figures) -> str:
    """Of a rig on a cluster."""
    rig = done.rig
    killed = [each["killed"].split()[0] for each in done.happened]
    rows = [
        ("cameras, workers", f"{rig.cameras} × {rig.files} × {rig.size:,} bytes, {rig.workers}"),
        ("killed", f"{killed.count('worker')} workers, {killed.count('scheduler')} schedulers"),
        ("files, each once and right", f"{done.files:,}"),
        ("bytes re-read", f"{done.sent - rig.payload:,}, {done.reread:.3%} of the payload"),
        ("seconds", f"{done.seconds:.0f}: {rig.payload / done.seconds / 1e6:.0f} MB/s"),
        ("  without a cluster", f"{done.plain_bytes / done.plain_seconds / 1e6:.0f} MB/s"),
        ("  rate of the rig ÷ that", f"{done.ratio:.2f}"),
        ("time of the cores", ", ".join(f"{k} {v:.0%}" for k, v in done.cpu.items() if v >= 0.01)),
        ("seed", f"{done.seed}"),
    ]
    return "\n".join([*_aligned(rows), *_failures(done.findings)])


def _held(held: dict[str, Any], name: str) -> str:
    return f"{held['warm'][name]:,}, {held['last'][name]:,}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in sorted(counts.items()))


def _kinds(faults: dict[str, int]) -> list[str]:
    cells = [f"{kind:20}{count:6,}" for kind, count in sorted(faults.items())]
    return ["   ".join(cells[at : at + IN_A_ROW]) for at in range(0, len(cells), IN_A_ROW)]


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    return [f"{name:40}{value}" for name, value in rows]


def _failures(failures: list[str]) -> list[str]:
    return [f"FAILED: {failure}" for failure in failures] or ["all that is asked holds"]


def command() -> str:
    """What was run, as it can be run again."""
    words = sys.argv[1:]
    if "--json" in words:
        at = words.index("--json")
        del words[at : at + 2]
    return " ".join(["python -m soak", *words])


def origin() -> dict[str, Any]:
    """The commit, and whether it is all there is."""
    return {
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cpus": os.cpu_count(),
        "python": sys.version.split()[0],
    }


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
