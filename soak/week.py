"""An accelerated week of `ptpfast watch`: shots, drops, sleeps and other cards, nothing lost.

The camera is in this process, the watch in another one, whose memory, descriptors and threads are
looked at. Each file is compared when it is told, and then deleted, as by a program that moves it
away. So the disk stays small, and a shot that comes twice is seen.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ptpfast.ptp.codes import EventCode, OperationCode
from ptpfast.sim import Fault, SimulatedCamera, Store

SIZE = 20_000
AHEAD = 100  # shots that may be missing on the disk before the next one is taken
WARM = 10  # one part in so many comes before the first look at the memory
MOST_MIB = 16.0
WAIT_S = 300.0

Key = tuple[str, str | None]


@dataclass
class Week:
    """What happens in the week.

    Attributes:
        shots: Presses of the shutter.
        drops: Lost connections, every third one while the camera is away for a moment.
        sleeps: Times when the camera goes to sleep in the middle of a file.
        cards: Changes of the card.
    """

    shots: int = 100_000
    drops: int = 300
    sleeps: int = 50
    cards: int = 2


@dataclass
class Figures:
    """What came of it. `findings` is empty if everything holds."""

    files: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    memory_mib: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**vars(self), "happened": dict(self.happened), "states": dict(self.states)}


class Run:
    """One week, with a watch of one camera."""

    def __init__(self, week: Week, folder: Path, say: Callable[[str], object]) -> None:
        self.figures = Figures()
        self._week = week
        self._folder = folder
        self._say = say
        self._changed = threading.Condition()
        self._wanted: dict[Key, str] = {}  # files that are not on the disk yet → SHA-256
        self._state = ""
        self._ended = False
        self._first: dict[str, int] = {}
        self._process: subprocess.Popen[str] | None = None

    def go(self) -> Figures:
        """Run it."""
        with SimulatedCamera(objects=0, size=SIZE) as camera:
            process = self._process = self._watch(camera.address)
            reader = threading.Thread(target=self._read, args=(process,))
            reader.start()
            try:
                self._wait(lambda: self._state == "watching", "the watch does not begin")
                self._shoot(camera, process)
                self._look_at(process)
                self._compare_memory()
                process.send_signal(signal.SIGINT)
                if process.wait(60) != 130:
                    self._find(f"the watch ended with status {process.returncode}")
            finally:
                process.kill()
                process.wait()
                reader.join()
                assert process.stdout is not None
                process.stdout.close()
        left = [path.name for path in self._folder.rglob("*") if path.is_file()]
        if left:
            self._find(f"left in the folder: {left[:5]}")
        return self.figures

    def _watch(self, address: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "ptpfast", "watch", address, self._folder]
        words += ["--json", "--quiet"]
        own = self._folder.with_name("own")  # not this user's history, which may know the shots
        environment = {**os.environ, "PTPFAST_ALLOW_MEMORY": "1"}
        for name in ("CONFIG", "CACHE", "DATA"):
            (own / name).mkdir(parents=True)
            environment[f"PTPFAST_{name}"] = str(own / name)
        return subprocess.Popen(
            [str(word) for word in words], stdout=subprocess.PIPE, text=True, env=environment
        )

    # The camera

    def _shoot(self, camera: SimulatedCamera, process: subprocess.Popen[str]) -> None:
        week = self._week
        events: dict[int, list[Callable[[SimulatedCamera], None]]] = {}
        happenings: list[tuple[int, Callable[[SimulatedCamera], None]]] = [
            (week.drops, self._drop),
            (week.sleeps, self._sleep),
            (week.cards, self._change_card),
        ]
        for count, do in happenings:
            for number in range(count):
                at = (2 * number + 1) * week.shots // (2 * count)
                events.setdefault(at, []).append(do)
        for shot in range(week.shots):
            self._take_shot(camera)
            for do in events.get(shot, ()):
                do(camera)
            self._wait(lambda: len(self._wanted) < AHEAD, f"shot {shot}: files are missing")
            if shot == week.shots // WARM:
                self._look_at(process)
            if shot % 1000 == 999:
                self._say(f"{shot + 1:,} of {week.shots:,} shots")
            if self.figures.findings:
                return
        self._wait(lambda: not self._wanted, "files are missing at the end")

    def _take_shot(self, camera: SimulatedCamera) -> None:
        store = camera.store
        with self._changed:
            for handle in camera.capture():
                stored = store.get(handle)
                assert stored is not None
                content = b"".join(store.expected(handle).spans(0, stored.size))
                captured = stored.captured.isoformat() if stored.captured else None
                key = (store.path(handle), captured)
                self._wanted[key] = hashlib.sha256(content).hexdigest()

    def _drop(self, camera: SimulatedCamera) -> None:
        number = self.figures.happened["drop"]
        self.figures.happened["drop"] += 1
        if number % 3 < 2:
            camera.drop_connections(reset=number % 3 == 1)
            return
        camera._listener.refuse()
        camera.drop_connections()
        self._wait(lambda: self._state == "away", "the lost connection is not noticed")
        for _ in range(5):
            self._take_shot(camera)
        camera._listener.accept()

    def _sleep(self, camera: SimulatedCamera) -> None:
        self.figures.happened["sleep"] += 1
        camera.faults.add(Fault("sleep", operation=OperationCode.GetPartialObject))

    def _change_card(self, camera: SimulatedCamera) -> None:
        self._wait(lambda: not self._wanted, "files are missing before the card is changed")
        assert self._process is not None
        self._look_at(self._process)  # the card is as full as it gets
        self.figures.happened["card"] += 1
        store = Store(seed=self.figures.happened["card"])
        store._shots = camera.store._shots  # the body counts on
        camera.store = store
        camera.push_event(EventCode.StoreRemoved, 0x10001)
        camera.push_event(EventCode.StoreAdded, 0x10001)

    # The watch

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            record = json.loads(line)
            with self._changed:
                if record["type"] == "status":
                    self._state = record["state"]
                    self.figures.states[self._state] += 1
                elif record["type"] == "file":
                    self._check(record)
                elif record["type"] == "error" and record["status"] != 130:
                    self._find(record["message"])
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _check(self, record: dict[str, Any]) -> None:
        if record["status"] != "downloaded":
            self.figures.happened[record["status"]] += 1
            return
        path = Path(record["file"])
        wanted = self._wanted.pop((record["path"], record["captured"]), None)
        if wanted is None:
            self._find(f"{path.name} came twice, or was never taken")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            self._find(f"{path.name} has the wrong bytes")
        path.unlink()
        self.figures.files += 1

    def _look_at(self, process: subprocess.Popen[str]) -> None:
        """Note the memory of an idle watch, and compare its descriptors and threads."""
        self._wait(lambda: not self._wanted and self._state == "watching", "the watch is not idle")
        status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        rows = dict(line.split(":\t", 1) for line in status if ":\t" in line)
        self.figures.memory_mib.append(int(rows["VmRSS"].split()[0]) / 1024)
        now = {
            "threads": int(rows["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{process.pid}/fd")),
        }
        for name, count in now.items():
            if count > self._first.setdefault(name, count):
                self._find(f"{count} {name} instead of {self._first[name]}")

    def _compare_memory(self) -> None:
        """Compare the memory at the end with the most before: a full card takes some."""
        *before, last = self.figures.memory_mib
        if last - max(before) > MOST_MIB:
            self._find(f"{last - max(before):.1f} MiB more memory")

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: condition() or self._ended, WAIT_S)
        if not came or (self._ended and not condition()):
            self._find(f"{otherwise}: {len(self._wanted)} missing, {self._state}")

    def _find(self, finding: str) -> None:
        self.figures.findings.append(f"{datetime.now():%H:%M:%S} {finding}")
