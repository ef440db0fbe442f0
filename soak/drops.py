"""One object of 6 GiB through 50 lost connections: what is read again is the seam and no more."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ptpfast.transfer.seam import OVERLAP

from . import ROOT
from .camera import Camera
from .card import Card
from .folder import Checked

SIZE = 6 << 30
DROPS = 50
HANG_S = 900.0


@dataclass
class Drops:
    """What has come of it."""

    seed: int
    size: int
    wanted: int
    applied: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    chunk: int = 0  # the largest read
    status: int = -1
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def reread(self) -> int:
        """Bytes sent more often than once."""
        return self.sent - self.size

    @property
    def allowed(self) -> int:
        """For each drop a chunk and the overlap at the seam."""
        return self.wanted * (self.chunk + OVERLAP)

    @property
    def ok(self) -> bool:
        """Whether all that was asked holds."""
        done = sum(self.applied.values()) == self.wanted
        return done and not self.wrong and self.status == 0 and self.reread <= self.allowed

    def result(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**vars(self), "reread": self.reread, "allowed": self.allowed, "ok": self.ok}


def plan_of(seed: int, size: int, drops: int) -> list[tuple[int, str]]:
    """At which byte after the connection before each connection ends, with FIN or with RST."""
    chance = random.Random(f"{seed} drops")
    places = sorted(chance.randrange(size) for _ in range(drops))
    rows = []
    for before, place in zip([0, *places], places, strict=False):
        kind = chance.choice(("drop", "reset"))
        rows.append((0, f"{kind} after-total {place - before}"))
    return rows


def run(seed: int, folder: Path, *, size: int = SIZE, drops: int = DROPS) -> Drops:
    """All of it, in a new folder in `folder` that is removed. OSError where it has no room."""
    figures = Drops(seed, size, drops)
    began = time.monotonic()
    if (free := shutil.disk_usage(folder).free) < size + (64 << 20):
        raise OSError(f"{folder} has {free / 1e9:.1f} GB free, {size / 1e9:.1f} are needed")
    place = folder / f"soak-drops-{os.getpid()}"
    place.mkdir()
    # This body has the reads that reach beyond 4 GiB.
    card = Card(f"{seed} drops", 0, 1, large_sizes=(size, size))
    checked = Checked(place / "card", card.store())
    camera = Camera(card, plan_of(seed, size, drops), vendor="nikon")
    try:
        camera.visit([])
        words = [sys.executable, "-m", "ptpfast", "pull", f"127.0.0.1:{camera.port}"]
        words += [str(checked.path), "--json", "--timeout", "5", "--retry", "forever"]
        environment = dict(
            os.environ,
            PTPFAST_CACHE=str(place / "cache"),
            PTPFAST_CONFIG=str(place / "config"),
            PTPFAST_DATA=str(place / "data"),
        )
        done = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=HANG_S
        )
        figures.status = done.returncode
        figures.seconds = time.monotonic() - began
        camera.look()
        figures.applied, figures.sent = dict(camera.applied), camera.sent
        figures.chunk = camera.largest
        figures.wrong = checked.finish()
        if done.returncode:
            figures.wrong.append(done.stderr[-500:])
        for line in done.stdout.splitlines():
            json.loads(line)
    finally:
        camera.close()
        shutil.rmtree(place)
    return figures
