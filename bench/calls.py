"""How many system calls a contender makes for its payload.

Counted in a run of its own, under strace, which slows it down: nothing else of that run counts. The
contenders say where the measured part begins and ends by asking for files that nobody has
(contenders/cost.py, initiator.c).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from . import peers
from .contenders.cost import BEGIN, END, LESS_BEGIN, LESS_END
from .harness import Case

# `PID call(…`: a call begins; `PID <... call resumed>` is the rest of one that has been counted.
CALL = re.compile(r"^\d+ +[a-z_0-9]+\(")
SHOWN = 48  # characters of a string: more than the marks have


@cache
def missing() -> str | None:
    """Why nothing can be counted here, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True)
    return None if done.returncode == 0 else "strace may not trace here"


def count(lines: list[str]) -> int:
    """System calls between the marks, less those between the marks of what does not count."""
    marks = {f'"{BEGIN}"': 1, f'"{END}"': 0, f'"{LESS_BEGIN}"': -1, f'"{LESS_END}"': 0}
    total = counts = 0
    for line in lines:
        if not CALL.match(line):
            continue
        named = next((name for name in marks if name in line), None)
        if named is None:
            total += counts
        else:
            counts = marks[named]
    return total


def per_gb(command: list[str]) -> float:
    """Runs a contender under strace; its system calls for each GB of payload."""
    with tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as directory:
        trace = Path(directory) / "trace"
        options = ["-f", "-qq", "-s", str(SHOWN), "-o", str(trace)]
        report = peers.run(["strace", *options, *command])
        with trace.open(encoding="utf-8", errors="replace") as file:
            made = count(file.readlines())
    return made / report["bytes"] * 1e9 if report["bytes"] else 0.0


def add_to(case: Case, commands: dict[str, list[str]], directory: Path | None = None) -> None:
    """Counts for everybody who brought the bytes in a case; the files they write below `directory`
    are removed."""
    if (reason := missing()) is not None:
        case.notes.append(f"system calls were not counted: {reason}")
        return
    for name in case.samples:
        if name in commands:
            case.calls[name] = per_gb(commands[name])
        for path in list(directory.rglob("*")) if directory is not None else ():
            if path.is_file():
                path.unlink()
