"""`python -m fuzz sessions`: whole sessions with a camera that lies, under sanitizers.

Several processes, because a session mostly waits. Each session has a number, which is all that is
needed to have it again: `python -m fuzz sessions --only NUMBER`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import ROOT, sanitizers
from .parsers import FINDINGS, WORK

APART = 1_000_000  # sessions between the first numbers of two processes
SPARE_S = 120.0  # beyond its time, until a process counts as hanging
MOST_FINDINGS = 20  # after so many a process is not started again
# What the interpreter and numpy leave behind when they end, however many sessions there were.
LEAKS_OF_PYTHON = 200
_LEAKS = re.compile(r"leaked in (\d+) allocation")


@dataclass
class Worker:
    """One process, started again after each finding; `done` counts its sessions."""

    number: int
    next_seed: int
    until: float
    kind: str
    count: int = APART
    done: int = 0
    compared: int = 0  # objects, byte by byte
    findings: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the process has said."""
        return WORK / f"sessions-{self.number}.log"

    @property
    def _state(self) -> Path:
        return WORK / f"sessions-{self.number}.state"

    def start(self) -> None:
        """Starts the process at the next session."""
        WORK.mkdir(parents=True, exist_ok=True)
        self._state.unlink(missing_ok=True)
        environment = dict(os.environ)
        if self.kind == "asan":
            environment = sanitizers.environment("asan", leaks=True, quarantine_size_mb=16)
        left = max(0.0, self.until - time.monotonic())
        words = [str(self.next_seed), str(self.count), str(left), str(self._state)]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fuzz.session_process", *words],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def over(self) -> bool:
        """Whether the process has ended for good; counts what it did, starts it again."""
        assert self.process is not None
        status = self.process.poll()
        if status is None:
            if time.monotonic() < self.until + SPARE_S:
                return False
            self.process.kill()
            status = self.process.wait()
        seed, done, compared = self._progress()
        self.done += done
        self.compared += compared
        text = self.log.read_text(errors="replace")
        if status == 0 or (seed == -1 and _only_pythons_own_leaks(text)):
            return True
        self._keep(seed, text)
        self.count -= done + 1
        if seed == -1 or len(self.findings) >= MOST_FINDINGS or self.count < 1:
            return True
        self.next_seed = seed + 1
        if time.monotonic() > self.until:
            return True
        self.start()
        return False

    def _progress(self) -> tuple[int, int, int]:
        try:
            seed, done, compared = self._state.read_text().split()
        except (OSError, ValueError):  # it died before its first session
            return -1, 0, 0
        return int(seed), int(done), int(compared)

    def _keep(self, seed: int, text: str) -> None:
        FINDINGS.mkdir(parents=True, exist_ok=True)
        kept = FINDINGS / f"session-{seed if seed >= 0 else 'end'}-{self.number}.log"
        kept.write_text(text)
        what = next((line for line in text.splitlines() if "seed " in line), text[:200])
        self.findings.append(f"{what}\n    {os.path.relpath(kept, ROOT)}")
        print(f"FOUND {self.findings[-1]}", flush=True)


def _only_pythons_own_leaks(text: str) -> bool:
    leaks = _LEAKS.findall(text)
    return bool(leaks) and int(leaks[-1]) <= LEAKS_OF_PYTHON and "ERROR: AddressS" not in text


def fuzz(
    seconds: float,
    seed: int,
    jobs: int,
    *,
    count: int = APART,
    only: int | None = None,
    kind: str = "asan",
) -> list[Worker]:
    """Sessions for so many seconds, at most `count` in each process, or only one; the processes
    that ran them, all ended."""
    if kind == "asan":
        sanitizers.build("asan")
        sanitizers.prove("asan")
    until = time.monotonic() + seconds
    workers = [Worker(number, seed + number * APART, until, kind, count) for number in range(jobs)]
    if only is not None:
        workers = [Worker(0, only, until, kind, count=1)]
    for worker in workers:
        worker.start()
    running = list(workers)
    while running:
        time.sleep(0.2)
        running = [worker for worker in running if not worker.over()]
    if only is not None:
        print(workers[0].log.read_text(errors="replace"))
    return workers
