"""What do the pieces cost: parser, sinks, datasets, table? Times, and instructions.

Times come from pytest-benchmark (micro/test_work.py), each piece beside the same in plain Python;
instructions from callgrind, which counts the same on an idle and on a busy machine.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import peers
from .harness import INSTRUCTIONS, Case, Range
from .micro.work import works

TRIGGER = re.compile(r"^desc: Trigger: Client Request: (.+)$", re.MULTILINE)
TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
# The same on every run: no randomness in hashes, no threads of numpy's.
FIXED = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
SUITE = Path(__file__).resolve().parent / "micro"


@dataclass
class MicroCase(Case):
    """Rows that are not runs of a program."""

    rows: dict[str, str] = field(default_factory=dict)

    def table(self) -> dict[str, str]:
        """As they are."""
        return self.rows


def timed(seconds: float) -> list[dict[str, Any]]:
    """What pytest-benchmark says of each piece in each way, after so many seconds of it."""
    with tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as directory:
        report = Path(directory) / "report.json"
        command = [*peers.PYTHON, "-m", "pytest", str(SUITE), "--benchmark-only", "-q"]
        command += ["-p", "no:cacheprovider", f"--benchmark-max-time={seconds}"]
        command += ["--benchmark-min-rounds=3", f"--benchmark-json={report}"]
        peers.output(command, **FIXED)
        found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["benchmarks"]
        return found


def times(seconds: float) -> MicroCase:
    """Each piece, and its ratio to plain Python."""
    case = MicroCase("pieces of work, timed, beside plain Python")
    stats: dict[str, dict[str, dict[str, float]]] = {}
    for entry in timed(seconds):
        stats.setdefault(entry["group"], {})[entry["extra_info"]["way"]] = entry["stats"]
    for name, ways in stats.items():
        work = works()[name]
        ours, plain = ways["ours"], ways["plain"]
        each = Range(*(1e6 * ours[key] / work.units for key in ("q1", "median", "q3")))
        case.rows[name] = f"{each.text(3)} µs {work.per}"
        ratio = Range(
            plain["q1"] / ours["q3"], plain["median"] / ours["median"], plain["q3"] / ours["q1"]
        )
        case.claim(f"{name}: speed, of plain Python's", ratio, None)
    return case


def without_callgrind() -> str | None:
    """Why instructions cannot be counted here, or None."""
    if shutil.which("valgrind") is None:
        return "valgrind is not installed"
    try:
        _marks()
    except RuntimeError as error:
        return str(error).strip().splitlines()[0]
    return None


def _marks() -> str:
    return peers.program("callgrind", "-shared", "-fPIC")


def counted() -> dict[str, float]:
    """Instructions of each piece, once."""
    # So that all is compiled: a process that compiles has its memory elsewhere, which costs some.
    peers.output([*peers.PYTHON, "-c", "import bench.micro.counted"], **FIXED)
    with tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as directory:
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"]
        command += [f"--callgrind-out-file={directory}/out", *peers.PYTHON]
        peers.output([*command, "-m", "bench.micro.counted", _marks()], **FIXED)
        found = {}
        for path in Path(directory).iterdir():
            text = path.read_text(encoding="utf-8")
            if (trigger := TRIGGER.search(text)) and (totals := TOTALS.search(text)):
                found[trigger[1]] = int(totals[1]) / works()[trigger[1]].repeat
    return {name: found[name] for name in works()}


def instructions() -> MicroCase:
    """Of each piece; or why they cannot be counted."""
    case = MicroCase("pieces of work, instructions", kind=INSTRUCTIONS)
    if (reason := without_callgrind()) is not None:
        case.missing["instructions"] = reason
        return case
    for name, count in counted().items():
        work = works()[name]
        each = Range.of([count / work.units])
        what = f"{name}: instructions {work.per}"
        case.claim(what, each, None, at_least=False)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    yield times(0.005 if quick else 1.0)
    if quick:
        yield MicroCase("pieces of work", notes=["instructions are counted in full runs only"])
    else:
        yield instructions()
