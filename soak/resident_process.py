"""One process that pulls through hundreds of faults: `SEED ROUNDS`; what it holds, as JSON.

A new folder each round, the same faulty camera, in turn by `pull` with an address and by a session
that is kept. What is open, what runs and what is resident is looked at after each round; what a
process holds when it has seen everything once, it may hold in the end, and no more.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import ptpfast
from ptpfast import PTPError
from ptpfast.ptp.codes import OperationCode
from ptpfast.session import persistence

from . import plan
from .camera import Camera
from .card import Card
from .folder import Checked

HASTY = ptpfast.Timeouts(connect=0.7, operation=0.7, idle=0.7, close=0.2)
FAULTS_A_ROUND = 12
CARD = Card("resident", 40, 2, small_sizes=(20_000, 2_000_000), large_sizes=(8 << 20, 20 << 20))


def held() -> dict[str, int]:
    """Descriptors, threads and resident bytes of this process, now."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what is free is not held
    status = Path("/proc/self/statm").read_text().split()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "resident": int(status[1]) * os.sysconf("SC_PAGE_SIZE"),
        "objects": len(gc.get_objects()),
    }


class Resident:
    """The rounds, and what was seen."""

    def __init__(self, seed: int, rounds: int) -> None:
        self._seed, self._rounds = seed, rounds
        count = rounds * FAULTS_A_ROUND
        rows = plan.faults(f"{seed} resident", count, 6, OperationCode.GetPartialObject)
        self._camera = Camera(CARD, rows)
        self._folder = Path(tempfile.mkdtemp(prefix="ptpfast-soak-"))
        os.environ["PTPFAST_CACHE"] = str(self._folder / "cache")
        os.environ["PTPFAST_CONFIG"] = str(self._folder / "config")
        os.environ["PTPFAST_DATA"] = str(self._folder / "data")
        self.wrong: list[str] = []
        self.errors = 0

    def run(self) -> dict[str, Any]:
        """What was held after each round, and the rest."""
        samples = []
        try:
            for number in range(self._rounds):
                self._round(number)
                samples.append(held())
            self._camera.look()
        finally:
            self._camera.close()
            shutil.rmtree(self._folder)
        return {
            "samples": samples,
            "faults": dict(self._camera.applied),
            "errors": self.errors,
            "wrong": self.wrong,
        }

    def _round(self, number: int) -> None:
        checked = Checked(self._folder / "card", CARD.store())
        self._camera.visit([])
        address = f"127.0.0.1:{self._camera.port}"
        for _ in range(20):
            try:
                if number % 2:
                    host, _, port = address.partition(":")
                    with ptpfast.connect(host, port=int(port), timeouts=HASTY) as session:
                        report = ptpfast.pull(session, checked.path, retry=8)
                else:
                    report = ptpfast.pull(address, checked.path, timeouts=HASTY, retry=8)
            except PTPError:
                self.errors += 1
            else:
                if report.ok and report.listed:
                    break
            self.wrong += checked.look()
        self.wrong += checked.look()
        shutil.rmtree(checked.path, ignore_errors=True)


def main() -> int:
    """Prints what was seen."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    # The pauses are for radios; here they only cost time.
    vars(persistence)["FIRST_PAUSE_S"] = 0.01
    seed, rounds = map(int, sys.argv[1:])
    sys.stdout.write(json.dumps(Resident(seed, rounds).run()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
