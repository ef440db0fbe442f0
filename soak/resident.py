"""What a process that lives long is left with: no descriptor, no thread, no memory more."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from . import ROOT

ROUNDS = 40
HANG_S = 900.0
MOST_GROWTH = 4 << 20  # bytes resident, by the fragments that come and go


@dataclass
class Resident:
    """What has come of it. The first third of the rounds is warm-up."""

    samples: list[dict[str, int]]
    faults: dict[str, int]
    errors: int
    wrong: list[str]
    leaks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("descriptors", "threads"):
            if self.growth(name) > 0:
                self.leaks.append(f"{self.growth(name)} {name} more")
        if self.growth("resident") > MOST_GROWTH:
            self.leaks.append(f"{self.growth('resident') / 1e6:.1f} MB more")

    def growth(self, name: str) -> int:
        """From the largest of the second fifth of the rounds to the least of the last fifth."""
        fifth = max(1, len(self.samples) // 5)
        values = [sample[name] for sample in self.samples]
        return min(values[-fifth:]) - max(values[fifth : 2 * fifth] or values)

    def result(self) -> dict[str, Any]:
        """As JSON has it, without the rounds between."""
        return {
            "rounds": len(self.samples),
            "faults": sum(self.faults.values()),
            "runs_ended": self.errors,
            "first": self.samples[0],
            "warm": self.samples[2 * max(1, len(self.samples) // 5) - 1],
            "last": self.samples[-1],
            "leaks": self.leaks,
            "wrong": self.wrong,
        }


def start(seed: int, rounds: int = ROUNDS) -> subprocess.Popen[str]:
    """The process, to be handed to `finish`."""
    return subprocess.Popen(
        [sys.executable, "-m", "soak.resident_process", str(seed), str(rounds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(process: subprocess.Popen[str]) -> None:
    """Ends it before its time; it takes its files along."""
    process.terminate()
    process.communicate()


def finish(process: subprocess.Popen[str]) -> Resident:
    """Waits for it. RuntimeError when it fails."""
    try:
        output, errors = process.communicate(timeout=HANG_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        errors += f"\nnot over after {HANG_S:g} s"
    if process.returncode:
        raise RuntimeError(f"the resident process failed:\n{errors[-3000:]}")
    return Resident(**json.loads(output))
