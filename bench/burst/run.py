"""A burst of shots on one body while `ptpfast watch` runs, and when each file was on the disk."""

from __future__ import annotations

import hashlib
import json
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ptpfast import vendors
from ptpfast.sim import Link, SimulatedCamera

from .. import peers
from ..harness import DISK_DIR

PATIENCE_S = 120.0
LINK = Link(rate=30e6, rtt=0.003)
THERE = 10  # files that are on the card before


@dataclass(frozen=True)
class Burst:
    """What is shot.

    Attributes:
        shots: Presses of the shutter.
        rate: Shots in a second.
        drops: Lost connections, between the shots.
        size: Bytes of a file.
    """

    shots: int = 200
    rate: float = 20.0
    drops: int = 3
    size: int = 200_000


@dataclass
class Came:
    """What came of a burst.

    Attributes:
        files: Files that were to come, and how many of them did.
        missing, twice, wrong: Files that did not come, came again, or have other bytes.
        seconds: From the shutter to the file with its final name, flushed.
        lost: The same of shots that a lost connection held up, or that came before the watch had
            caught up.
    """

    body: str
    files: int = 0
    missing: int = 0
    twice: int = 0
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether each file came once with its bytes."""
        return not (self.missing or self.twice or self.wrong)


class Shot(NamedTuple):
    """A file on the card."""

    handle: int
    when: float | None  # None for those that were there before


class Arrivals:
    """Reads the records of a watch, with the time of each."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.files: list[tuple[float, str, Path]] = []  # when, path on the card, file
        self.away: list[list[float]] = []  # from the loss until all was caught up with
        self._process = process
        self._changed = threading.Condition()
        self._state, self._ended, self._was_away = "", False, False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def wait_for(self, state: str = "", files: int = 0) -> bool:
        """Wait for a state and a number of files; False if they do not come."""

        def there() -> bool:
            return state in ("", self._state) and len(self.files) >= files

        with self._changed:
            self._changed.wait_for(lambda: there() or self._ended, PATIENCE_S)
            return there()

    def dropped(self) -> None:
        """Note that the connection was ended now."""
        with self._changed:
            self.away.append([time.monotonic()])

    def close(self) -> None:
        """Wait until the watch has ended."""
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            now, record = time.monotonic(), json.loads(line)
            with self._changed:
                if record["type"] == "status":
                    self._state = record["state"]
                    if self._state == "away":
                        self._was_away = True
                    elif self._state == "watching" and self._was_away:
                        self._was_away = False
                        self.away[-1].append(now)
                elif record["type"] == "file" and record["status"] == "downloaded":
                    self.files.append((now, record["path"], Path(record["file"])))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def run(body: str, burst: Burst) -> Came:
    """Shoot a burst on a new camera of this body."""
    where = DISK_DIR if DISK_DIR.is_dir() else None
    # A body is known by its port: an address of its own has all ports free.
    host = ".".join(["127", *(str(secrets.randbelow(254) + 1) for _ in range(3))])
    at: dict[str, Any] = {"host": host, "port": vendors.named(vendors.BODIES[body]).transport.port}
    options: dict[str, Any] = {"body": body, "objects": THERE, "size": burst.size, "link": LINK}
    with (
        tempfile.TemporaryDirectory(prefix="ptpfast-burst-", dir=where) as base,
        SimulatedCamera(**at, **options) as camera,
    ):
        process = _watch(camera.address, Path(base))
        arrivals = Arrivals(process)
        shots = {camera.store.path(e.handle): Shot(e.handle, None) for e in camera.store.files()}
        try:
            if arrivals.wait_for("watching", len(shots)):
                shots |= _shoot(camera, burst, arrivals)
                arrivals.wait_for("watching", len(shots))
        finally:
            process.send_signal(signal.SIGINT)
            arrivals.close()
            process.wait()
        return _compared(Came(body, len(shots)), camera, shots, arrivals)


def _watch(address: str, base: Path) -> subprocess.Popen[str]:
    environment = {
        **peers.environment(),
        **{f"PTPFAST_{name}": str(base / name) for name in ("CONFIG", "CACHE", "DATA")},
    }
    words = [*peers.PYTHON, "-m", "ptpfast", "watch", address, str(base / "photos"), "--json"]
    return subprocess.Popen([*words, "--quiet"], stdout=subprocess.PIPE, text=True, env=environment)


def _shoot(camera: SimulatedCamera, burst: Burst, arrivals: Arrivals) -> dict[str, Shot]:
    """Press the shutter in time; return when each file was there to be read."""
    taken: dict[str, Shot] = {}
    drops = [(2 * n + 1) * burst.shots // (2 * burst.drops) for n in range(burst.drops)]
    began = time.monotonic()
    for shot in range(burst.shots):
        time.sleep(max(0.0, began + shot / burst.rate - time.monotonic()))
        handles = camera.capture()
        now = time.monotonic()
        taken |= {camera.store.path(handle): Shot(handle, now) for handle in handles}
        if shot in drops:
            arrivals.dropped()
            camera.drop_connections(reset=bool(drops.index(shot) % 2))
    return taken


def _compared(
    came: Came, camera: SimulatedCamera, shots: dict[str, Shot], arrivals: Arrivals
) -> Came:
    """Compare every byte, and tell apart the times of shots that a lost connection held up."""
    wanted = dict(shots)
    for when, path, file in arrivals.files:
        shot = wanted.pop(path, None)
        if shot is None:
            came.twice += 1
            continue
        stored = camera.store.get(shot.handle)
        assert stored is not None
        content = b"".join(camera.store.expected(shot.handle).spans(0, stored.size))
        came.wrong += hashlib.sha256(file.read_bytes()).digest() != hashlib.sha256(content).digest()
        if shot.when is not None:
            held = any(
                when >= lost and (not caught_up or shot.when <= caught_up[0])
                for lost, *caught_up in arrivals.away
            )
            (came.lost if held else came.seconds).append(round(when - shot.when, 4))
    came.missing = len(wanted)
    return came
