"""A rig of cameras through lost workers and a new scheduler: each file once, with its bytes.

Scheduler, workers, cameras and `ptpfast pull --scheduler` are processes of their own, as on a
network. The cameras of a rig have one of two resources, and so have the workers. A worker that has
ended is started again, as systemd would do it. How long the same cameras take without a cluster and
without kills is measured first.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import ROOT
from .card import Card
from .folder import Checked
from .rig_cameras import Cameras
from .rig_computers import SIDES, Computers, own_data

LOOK_S = 0.5
# What a lost worker costs for each camera: a read on its way, and received bytes not flushed yet.
REREAD = 16 << 20
LISTING = 1 << 16  # bytes of each camera that are no files
FREE = 4 << 30  # bytes that the disk keeps free
CPU_TIMES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


@dataclass(frozen=True)
class Rig:
    """What there is, and what happens to it."""

    cameras: int = 40
    files: int = 20  # of each camera
    size: int = 50_000_000
    workers: int = 4
    threads: int = 2  # cameras that a worker reads at the same time
    kills: int = 10
    schedulers: int = 1  # times that the scheduler is killed and started again

    @property
    def payload(self) -> int:
        """Bytes of all files."""
        return self.cameras * self.files * self.size

    @property
    def allowed(self) -> int:
        """Bytes that may be sent besides the files: listings, and parts of files once more."""
        lost = (self.kills + self.schedulers * self.workers) * self.threads
        return self.cameras * LISTING + lost * REREAD

    def cards(self, seed: str, files: int) -> list[Card]:
        """One for each camera, no two alike."""
        sizes = (self.size, self.size)
        return [Card(f"{seed} {n}", 0, files, large_sizes=sizes) for n in range(self.cameras)]

    def happenings(self, seed: int) -> list[tuple[int, str]]:
        """At how many sent bytes what happens, in order."""
        chance = random.Random(f"{seed} rig")
        places = sorted(
            chance.uniform(0.03, 0.95) * self.payload for _ in range(self.kills + self.schedulers)
        )
        kinds = ["worker"] * self.kills + ["scheduler"] * self.schedulers
        chance.shuffle(kinds)
        return [(int(place), kind) for place, kind in zip(places, kinds, strict=True)]


@dataclass
class Figures:
    """What came of it."""

    seed: int
    rig: Rig
    plain_bytes: int = 0
    plain_seconds: float = 0.0
    seconds: float = 0.0
    sent: int = 0
    happened: list[dict[str, Any]] = field(default_factory=list)
    files: int = 0
    cpu: dict[str, float] = field(default_factory=dict)  # shares of all cores' time
    findings: list[str] = field(default_factory=list)

    @property
    def reread(self) -> float:
        """Bytes that were sent more often than once, as a share of the payload."""
        return self.sent / self.rig.payload - 1

    @property
    def ratio(self) -> float:
        """The rate of the rig ÷ that of the same cameras without a cluster and without kills."""
        plain = self.plain_bytes / self.plain_seconds if self.plain_seconds else 0.0
        return self.rig.payload / self.seconds / plain if plain and self.seconds else 0.0

    def result(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**vars(self), "rig": vars(self.rig), "reread": self.reread, "ratio": self.ratio}


class Emptied(Checked):
    """A folder whose files are compared when they appear, and then lose their blocks.

    Name, size and date stay. So the disk stays small, and a file that is sent again is noticed.
    """

    def look(self) -> list[str]:
        """What is wrong with what has come since the last look."""
        before = dict(self.right)
        wrong = super().look()
        for name, seen in list(self.right.items()):
            if before.get(name) != seen:
                self._empty(name)
        return wrong

    def finish(self) -> list[str]:
        """What is wrong at the end, when nothing may be here but the card."""
        wrong = self.look()
        here = set(os.listdir(self.path)) if self.path.exists() else set()
        wrong += [f"{name} is missing" for name in sorted(set(self._expected) - here)]
        wrong += [f"{name} is left" for name in sorted(here - set(self._expected))]
        return wrong

    def _empty(self, name: str) -> None:
        path, sparse = self.path / name, self.path.with_name(f"{self.path.name}.sparse")
        status = path.stat()
        sparse.touch()
        os.truncate(sparse, status.st_size)
        os.utime(sparse, ns=(status.st_atime_ns, status.st_mtime_ns))
        sparse.replace(path)
        status = path.stat()
        self.right[name] = status.st_ino, status.st_mtime_ns


@contextmanager
def cameras_of(rig: Rig, cards: list[Card]) -> Iterator[list[Cameras]]:
    """The rig's cameras, in as many processes as there are workers."""
    with ExitStack() as stack:
        share = -(-len(cards) // rig.workers)
        yield [
            stack.enter_context(Cameras(cards[at : at + share]))
            for at in range(0, len(cards), share)
        ]


class Run:
    """The whole of it, in a new folder that is removed."""

    def __init__(self, seed: int, rig: Rig, seconds: float, say: Callable[[str], None]) -> None:
        self._rig = rig
        self._say = say
        self._seconds = seconds
        self._chance = random.Random(f"{seed} victims")
        self.figures = Figures(seed, rig)

    def go(self, into: Path | None) -> Figures:
        """Run it. OSError where there is no room."""
        folder = Path(tempfile.mkdtemp(prefix="ptpfast-rig-", dir=into))
        try:
            most = self._rig.workers * self._rig.threads * self._rig.files * self._rig.size
            if (free := shutil.disk_usage(folder).free) < most + FREE:
                raise OSError(f"{folder} has {free / 1e9:.1f} GB free, not {most / 1e9:.1f} and 4")
            self._plain(folder)
            self._cluster(folder)
        finally:
            shutil.rmtree(folder)
        return self.figures

    def _plain(self, folder: Path) -> None:
        """Measure a quarter of the files without a cluster: a process for each worker."""
        files = max(1, self._rig.files // 4)
        cards = self._rig.cards(f"{self.figures.seed} plain", files)
        with cameras_of(self._rig, cards) as cameras, ExitStack() as stack:
            ports = [port for each in cameras for port in each.ports]
            folders = self._folders(folder / "plain", cards)
            began = time.monotonic()
            processes = []
            for number in range(self._rig.workers):
                job = {
                    "threads": self._rig.threads,
                    "cameras": [
                        (f"127.0.0.1:{ports[n]}", str(folders[n].path))
                        for n in range(number, len(ports), self._rig.workers)
                    ],
                }
                words = [sys.executable, "-m", "soak.rig_plain", json.dumps(job)]
                process = subprocess.Popen(words, cwd=ROOT, env=own_data(folder / f"plain{number}"))
                stack.callback(process.wait)
                stack.callback(process.kill)
                processes.append(process)
            while any(process.poll() is None for process in processes):
                self._look(folders)
                time.sleep(LOOK_S)
            self.figures.plain_seconds = time.monotonic() - began
            self.figures.plain_bytes = sum(sum(card.sizes()) for card in cards)
            self._finish(folders)
        rate = self.figures.plain_bytes / self.figures.plain_seconds / 1e6
        self._say(f"without a cluster: {self.figures.plain_seconds:.0f} s, {rate:.0f} MB/s")

    def _cluster(self, folder: Path) -> None:
        rig, figures = self._rig, self.figures
        cards = rig.cards(str(figures.seed), rig.files)
        with cameras_of(rig, cards) as cameras, ExitStack() as stack:
            computers = Computers(folder, rig.workers, rig.threads)
            stack.callback(computers.close)
            computers.wait()
            ports = [port for each in cameras for port in each.ports]
            self._describe(folder / "rig.toml", ports)
            folders = self._folders(folder / "card", cards)
            before, began = cpu_times(), time.monotonic()
            words = [sys.executable, "-m", "ptpfast", "pull", "--scheduler", computers.address]
            words += [str(folder / "rig.toml"), str(folder / "card"), "--json", "--quiet"]
            process = subprocess.Popen(
                words, cwd=ROOT, env=own_data(folder / "call"), stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            rows: list[dict[str, Any]] = []
            reader = threading.Thread(target=_read, args=(process, rows))
            reader.start()
            self._watch(process, computers, cameras, folders, began)
            figures.seconds = time.monotonic() - began
            figures.cpu = shares(before, cpu_times())
            reader.join()
            figures.sent = sum(sum(each.sent()) for each in cameras)
            self._judge(process.returncode, rows, folders)

    def _watch(
        self,
        process: subprocess.Popen[str],
        computers: Computers,
        cameras: list[Cameras],
        folders: list[Emptied],
        began: float,
    ) -> None:
        """Do what is planned until the call ends."""
        left = self._rig.happenings(self.figures.seed)
        ports = {port for each in cameras for port in each.ports}
        said = 0
        while process.poll() is None:
            sent = sum(sum(each.sent()) for each in cameras)
            computers.mend()
            if left and sent >= left[0][0] and (busy := computers.busy(ports)):
                what = left.pop(0)[1]
                self._happen(what, computers, busy, sent, time.monotonic() - began)
            self._look(folders)
            if sent * 10 // self._rig.payload > said:
                said = sent * 10 // self._rig.payload
                self._say(f"{sent / 1e9:.1f} GB sent in {time.monotonic() - began:.0f} s")
            if time.monotonic() - began > self._seconds:
                self._find(f"not ended within {self._seconds:.0f} s")
                process.send_signal(signal.SIGINT)
                process.wait(60)
            time.sleep(LOOK_S)
        if left:
            self._find(f"{len(left)} kills did not happen")

    def _happen(
        self, what: str, computers: Computers, busy: list[int], sent: int, at: float
    ) -> None:
        if what == "worker":
            number = self._chance.choice(busy)
            computers.kill_worker(number)
            what = f"worker {number}"
        else:
            computers.restart_scheduler()
        self.figures.happened.append({"killed": what, "sent": sent, "seconds": round(at, 1)})
        self._say(f"{at:.0f} s, {sent / 1e9:.1f} GB: {what} killed")

    def _describe(self, path: Path, ports: list[int]) -> None:
        rows = [
            f'[[camera]]\naddress = "127.0.0.1:{port}"\nname = "cam{number}"\n'
            f'resource = "{SIDES[number % len(SIDES)]}"\n'
            for number, port in enumerate(ports)
        ]
        path.write_text("\n".join(rows) + '\n[options]\nformats = ["all"]\n')

    def _folders(self, path: Path, cards: list[Card]) -> list[Emptied]:
        return [Emptied(path / f"cam{n}", card.store()) for n, card in enumerate(cards)]

    def _look(self, folders: list[Emptied]) -> None:
        for each in folders:
            for wrong in each.look():
                self._find(f"{each.path.name}: {wrong}")

    def _finish(self, folders: list[Emptied]) -> None:
        for each in folders:
            for wrong in each.finish():
                self._find(f"{each.path.name}: {wrong}")
            shutil.rmtree(each.path, ignore_errors=True)

    def _judge(self, status: int, rows: list[dict[str, Any]], folders: list[Emptied]) -> None:
        self._finish(folders)  # with a last look: the call may have ended since the one before
        self.figures.files = sum(len(each.right) for each in folders)
        if status:
            self._find(f"the call ended with status {status}")
        cameras = [row for row in rows if row["type"] == "camera"]
        if len(cameras) != self._rig.cameras:
            self._find(f"{len(cameras)} results, not {self._rig.cameras}")
        for row in cameras:
            if not row["ok"]:
                self._find(f"{row['name']}: {row['error'] or row['failures'][:3]}")
            if row["downloaded"] + row["skipped"] != self._rig.files:
                self._find(f"{row['name']}: {row['downloaded']} and {row['skipped']} files")
        again = self.figures.sent - self._rig.payload
        if not 0 <= again <= self._rig.allowed:
            self._find(f"{again:,} bytes re-read of {self._rig.allowed:,} allowed")

    def _find(self, finding: str) -> None:
        self.figures.findings.append(finding)
        self._say(f"FOUND: {finding}")


def _read(process: subprocess.Popen[str], rows: list[dict[str, Any]]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        row = json.loads(line)
        if row["type"] != "progress":
            rows.append(row)


def cpu_times() -> dict[str, int]:
    """Return the time of all cores by its use."""
    with open("/proc/stat") as file:
        return dict(zip(CPU_TIMES, map(int, file.readline().split()[1:]), strict=False))


def shares(before: dict[str, int], after: dict[str, int]) -> dict[str, float]:
    """Return how the cores' time between two looks was used; the sum is 1."""
    used = {name: after[name] - before[name] for name in after}
    return {name: round(value / max(1, sum(used.values())), 3) for name, value in used.items()}
