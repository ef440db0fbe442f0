"""One card, one folder, and the command line that fills it, ended and started again and again.

The camera has the faults of a plan. Each run has a trap at a random byte or operation: `kill -9`,
an orderly signal, or the camera goes and another process takes its place. After each run the folder
is compared with the card; when all is there, an honest camera has the last word.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ptpfast.ptp.codes import OperationCode

from . import ROOT, plan
from .camera import Camera
from .card import Card
from .folder import Checked

MOST_FINDINGS = 20  # after so many a lane goes no further
HANG_S = 60.0  # nothing said for so long: longer than the longest pause and all timeouts after it
TIMEOUT = "0.7"
RETRY = "12"
# A broken packet costs the read it was in. On a loopback the adaptive chunk grows to what a radio
# would need minutes for; this one makes what is read again a matter of faults and not of that.
CHUNK = 1 << 18
# A run ends with one of these when the camera misbehaves. 6, a disk; 2, usage; 70, a defect: never.
HONEST = {0, 1, 3, 4, 5, 7, 130}
LOOKS = 0.1  # of the runs are `ls`, of a computer that has never seen the camera
LIES = 60  # told to each
TRAPPED_LOOKS = 0.4  # of them; the others shall hear the lies to their end
# What ends a run, and how often of a hundred times.
TRAPS = {"kill": 80, "interrupt": 5, "terminate": 5, "camera": 10}
SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
BY_OPERATION = 0.25  # of the traps count operations, and so spring between the bytes, too
KEPT = ROOT / "build" / "soak"


@dataclass(frozen=True)
class Goal:
    """What one lane has to go through."""

    card: Card
    faults: int
    kills: int
    check: str = "size"  # or an algorithm


@dataclass
class Figures:
    """What has come of a lane; of several, when added."""

    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    signals: int = 0
    camera_restarts: int = 0
    runs: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    reconnected: int = 0
    objects: int = 0
    payload: int = 0
    sent: int = 0
    findings: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    setbacks: list[str] = field(default_factory=list)  # no defects as such: bytes to be read again

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})

    @property
    def reread(self) -> int:
        """Bytes of objects sent more often than once."""
        return self.sent - self.payload


class Lane:
    """Runs against one camera, until its card is in the folder or time is up."""

    def __init__(
        self, number: int, seed: int, goal: Goal, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.figures = Figures()
        self._name = f"lane {number}"
        self._seed = f"{seed} {self._name}"
        self._goal = goal
        self._place = folder / f"lane-{number}"
        self._place.mkdir(parents=True)
        self._say = say
        self._stopped = False
        self._chance = random.Random(f"{self._seed} traps")
        self._store = goal.card.store()
        self._folder = Checked(self._place / "card", self._store)
        sizes = goal.card.sizes()
        self.figures.objects, self.figures.payload = len(sizes), sum(sizes)
        rows = plan_of(self._seed, goal)
        self._camera = Camera(goal.card, rows)

    def run(self, until: float) -> Figures:
        """All of it; what is wrong, or too little, is in the figures."""
        try:
            while not self._folder.complete and not self._is_over(until):
                self._visit()
            if not self._stopped:
                self._finish()
        finally:
            self._camera.close()
        return self.figures

    def stop(self) -> None:
        """From another thread: after the run that is under way it is over, whatever is missing."""
        self._stopped = True

    def _is_over(self, until: float) -> bool:
        if time.monotonic() > until:
            self.figures.short.append(f"{self._name}: time is up")
            return True
        return self._stopped or len(self.figures.findings) >= MOST_FINDINGS

    def _visit(self) -> None:
        """One run of the command line, with whatever ends it."""
        look = self._chance.random() < LOOKS
        number = self.figures.runs
        if look:
            shutil.rmtree(self._place / "cache", ignore_errors=True)
        lies = plan.lies(f"{self._seed} {number}", self._store, LIES) if look else []
        self._camera.visit(lies)
        name = self._chance.choices(list(TRAPS), list(TRAPS.values()))[0]
        by_operation = look or self._chance.random() < BY_OPERATION
        where = self._chance.random()
        with (
            (self._place / "stdout").open("wb") as output,
            (self._place / "stderr").open("wb") as errors,
        ):
            process = subprocess.Popen(
                self._command("ls" if look else "pull"),
                cwd=self._place,
                env=self._environment(),
                stdout=output,
                stderr=errors,
            )
            if self.figures.kills < self._goal.kills and not (look and where > TRAPPED_LOOKS):
                self._set_trap(name, process.pid, self._amount(where, by_operation))
            self._wait(process)
        self._camera.trap(None)
        self._judge(process.returncode, name)

    def _amount(self, where: float, by_operation: bool) -> dict[str, int]:
        """How long a run may go on: so that not all is here before the kills that are wanted."""
        left = self._goal.kills - self.figures.kills
        amount = {"bytes": 1 + round(where * 0.6 * self._folder.missing() / left)}
        if by_operation:
            amount["operations"] = 1 + round(where**3 * 2 * self.figures.objects)
        return amount

    def _set_trap(self, name: str, pid: int, amount: dict[str, int]) -> None:
        if name == "camera":
            # The run goes on with the next camera, and is killed there.
            kill = {"pid": pid, "signal": int(signal.SIGKILL), **amount}
            self._camera.trap({"pid": None, "signal": 0, **amount}, then=kill)
        else:
            self._camera.trap({"pid": pid, "signal": int(SIGNALS[name]), **amount})

    def _command(self, name: str) -> list[str]:
        words = [sys.executable, "-m", "ptpfast", name, f"127.0.0.1:{self._camera.port}"]
        if name == "pull":
            words += [str(self._folder.path), "--retry", RETRY]
            if self._goal.check != "size":
                words += ["--verify", "hash", "--algorithm", self._goal.check]
            words += ["--chunk", str(CHUNK)]
        return [*words, "--json", "--verbose", "--timeout", TIMEOUT]

    def _environment(self) -> dict[str, str]:
        return dict(
            os.environ,
            PTPFAST_CACHE=str(self._place / "cache"),
            PTPFAST_CONFIG=str(self._place / "config"),
            PTPFAST_DATA=str(self._place / "data"),
        )

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        said = -1
        while True:
            try:
                process.wait(HANG_S)
                return
            except subprocess.TimeoutExpired:
                before, said = said, self._said()
            if said == before:
                process.send_signal(signal.SIGKILL)
                process.wait()
                self._find(f"a run hung for {HANG_S:g} s")
                return

    def _said(self) -> int:
        return sum((self._place / name).stat().st_size for name in ("stdout", "stderr"))

    def _judge(self, status: int, trap: str) -> None:
        figures = self.figures
        figures.runs += 1
        figures.statuses[str(status)] += 1
        killed = status == -signal.SIGKILL
        figures.kills += killed
        figures.signals += status == 130
        if status not in HONEST and not (killed and trap in ("kill", "camera")):
            self._find(f"exit status {status}")
        if status == 130 and trap not in ("interrupt", "terminate"):
            self._find("interrupted by nobody")
        self._read_output(cut=killed)
        for wrong in self._folder.look():
            self._find(wrong)
        for back in self._folder.setbacks():
            self._note(figures.setbacks, "setback", back)
        if figures.runs % 20 == 0:
            self._camera.look()
            self._say(
                f"{self._name}: {figures.runs} runs, {figures.kills} kills, "
                f"{self._camera.applied.total()} faults, {len(self._folder.right):,} of "
                f"{figures.objects:,} files, {self._folder.missing() / 1e6:,.0f} MB missing"
            )

    def _read_output(self, *, cut: bool) -> None:
        """Every line is JSON, but for the last one of a process that was killed."""
        lines = (self._place / "stdout").read_bytes().split(b"\n")
        for line in lines[:-1]:
            try:
                told = json.loads(line)
            except ValueError:
                self._find(f"no JSON: {line[:200]!r}")
                break
            if told.get("type") == "summary":
                self.figures.reconnected += told["retries"]
        if lines[-1] and not cut:
            self._find(f"half a line: {lines[-1][:200]!r}")
        errors = (self._place / "stderr").read_text(errors="replace")
        if "Traceback" in errors or "defect" in errors:
            self._find(f"on stderr: {errors[:300]}")

    def _find(self, what: str) -> None:
        """Notes what must not be."""
        self._note(self.figures.findings, "finding", what)

    def _note(self, notes: list[str], kind: str, what: str) -> None:
        """Notes it, and keeps what was said."""
        kept = KEPT / f"{self._name.replace(' ', '-')}-{kind}-{len(notes)}"
        kept.mkdir(parents=True, exist_ok=True)
        for name in ("stdout", "stderr"):
            if (self._place / name).exists():
                shutil.copy(self._place / name, kept / name)
        notes.append(f"{self._name}, run {self.figures.runs}: {what}")
        self._say(f"{kind.upper()} {notes[-1]}")

    def _finish(self) -> None:
        """The last runs, with an honest camera: one that completes, one that finds all done."""
        figures, camera = self.figures, self._camera
        camera.look()
        figures.faults, figures.camera_restarts = camera.applied, camera.restarts
        if figures.faults.total() < self._goal.faults:
            figures.short.append(
                f"{self._name}: {figures.faults.total()} faults of {self._goal.faults}"
            )
        if figures.kills < self._goal.kills:
            figures.short.append(f"{self._name}: {figures.kills} kills of {self._goal.kills}")
        camera.calm()
        for last in (False, True):
            camera.look()
            before = camera.sent
            status = self._honest_run()
            camera.look()
            if status:
                self._find(f"exit status {status} with an honest camera")
            if last and camera.sent != before:
                self._find(f"{camera.sent - before:,} bytes moved although all was there")
        figures.sent = camera.sent
        for wrong in self._folder.finish():
            self._find(wrong)
        shutil.rmtree(self._place)

    def _honest_run(self) -> int:
        with (
            (self._place / "stdout").open("wb") as output,
            (self._place / "stderr").open("wb") as errors,
        ):
            process = subprocess.Popen(
                self._command("pull"),
                cwd=self._place,
                env=self._environment(),
                stdout=output,
                stderr=errors,
            )
            self._wait(process)
        self._read_output(cut=False)
        return process.returncode


def plan_of(seed: str, goal: Goal) -> list[plan.Row]:
    """The faults of a lane, spread over the reads of its card: more than asked for, as some places
    are never reached, and how many lies are told is a matter of chance."""
    reads = sum(1 + size // CHUNK for size in goal.card.sizes())
    count = round(goal.faults * 1.25) + 1
    most = max(0, int(1.3 * reads / count))
    return plan.faults(seed, count, most, OperationCode.GetPartialObject)


def result(figures: Figures) -> dict[str, Any]:
    """The figures as JSON has them."""
    return {**vars(figures), "reread": figures.reread, "faults_total": figures.faults.total()}
