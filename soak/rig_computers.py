"""The computers of a rig: a scheduler and workers of dask, each a process that may be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import ROOT

SIDES = ("left", "right")  # the resources: half of the workers and cameras have each
READY_S = 120.0


class Computers:
    """A scheduler and workers; each is one process, and may be killed."""

    def __init__(self, folder: Path, workers: int, threads: int) -> None:
        self._folder = folder
        self._threads = threads
        self._file = folder / "scheduler.json"
        self.scheduler = self._start_scheduler("0")
        self._wait(lambda: self._file.exists(), "the scheduler does not start")
        self.address = str(json.loads(self._file.read_text())["address"])
        self.workers = [self._start_worker(number) for number in range(workers)]

    def wait(self) -> None:
        """Wait until all workers are known to the scheduler."""
        from distributed import Client

        with Client(self.address, timeout=READY_S, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=READY_S)

    def busy(self, ports: set[int]) -> list[int]:
        """Return the workers that are connected to one of these cameras."""
        import psutil  # type: ignore[import-untyped, unused-ignore]

        found = []
        for number, worker in enumerate(self.workers):
            try:
                links = psutil.Process(worker.pid).net_connections("tcp")
            except psutil.Error:  # it has just ended
                continue
            if any(link.raddr and link.raddr.port in ports for link in links):
                found.append(number)
        return found

    def kill_worker(self, number: int) -> None:
        """Kill it with SIGKILL; `mend` starts another one."""
        self.workers[number].kill()
        self.workers[number].wait()

    def restart_scheduler(self) -> None:
        """Kill the scheduler with SIGKILL, and start one at the same address."""
        self.scheduler.kill()
        self.scheduler.wait()
        self.scheduler = self._start_scheduler(self.address.rpartition(":")[2])

    def mend(self) -> int:
        """Start a worker for each that has ended. Return how many."""
        ended = [n for n, worker in enumerate(self.workers) if worker.poll() is not None]
        for number in ended:
            self.workers[number] = self._start_worker(number)
        return len(ended)

    def close(self) -> None:
        """End all of them."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start_scheduler(self, port: str) -> subprocess.Popen[bytes]:
        words = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port]
        words += ["--no-dashboard", "--scheduler-file", str(self._file)]
        return self._start(words, "scheduler")

    def _start_worker(self, number: int) -> subprocess.Popen[bytes]:
        resource = f"{SIDES[number % len(SIDES)]}={self._threads}"
        words = ["distributed.cli.dask_worker", self.address, "--no-dashboard", "--no-nanny"]
        words += ["--nthreads", str(self._threads), "--resources", resource]
        words += ["--local-directory", str(self._folder / "dask")]
        return self._start(words, f"worker{number}")

    def _start(self, words: list[str], name: str) -> subprocess.Popen[bytes]:
        """Start a module with data of its own, as on a computer of its own."""
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=own_data(self._folder / name),
                stdout=log,
                stderr=log,
            )

    def _wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        until = time.monotonic() + READY_S
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError(otherwise)
            time.sleep(0.1)


def own_data(folder: Path) -> dict[str, str]:
    """Return an environment with no cache, settings or history but those in a folder."""
    names = ("CACHE", "CONFIG", "DATA")
    return {**os.environ, **{f"PTPFAST_{name}": str(folder / name.lower()) for name in names}}
