"""A soak's camera as whoever runs it sees it: orders, answers, and a new one when it is gone."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import asdict
from typing import Any

from . import ROOT
from .card import Card
from .plan import Row

ANSWER_S = 30.0


class CameraGone(Exception):
    """The camera's process has ended in the middle of an order; there is another one."""


class Camera:
    """The camera, at `port` for as long as it is not closed, whichever process it is."""

    def __init__(self, card: Card, plan: list[Row], vendor: str = "standard") -> None:
        self.restarts = 0
        self.applied: Counter[str] = Counter()
        self.sent = 0
        self.largest = 0
        self.operations = 0
        self.left = len(plan)  # faults that were not done yet
        self._order = {
            "card": asdict(card),
            "plan": plan,
            "armed": [],
            "port": 0,
            "vendor": vendor,
            "trap": None,
        }
        self._past: list[dict[str, Any]] = []  # what former processes had to tell
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "soak.camera_process"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(self._order) + "\n")
        process.stdin.flush()
        self._order["port"] = self.port = json.loads(process.stdout.readline())["port"]
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._process = process
        self._listener = threading.Thread(target=self._listen, args=(process, self._answers))
        self._listener.start()

    def _listen(
        self, process: subprocess.Popen[str], answers: queue.Queue[dict[str, Any] | None]
    ) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            if not answer.pop("gone", False):
                answers.put(answer)
                continue
            process.wait()
            _close(process)
            with self._lock:
                self._past.append(answer)
                self._order |= {"plan": answer["plan"], "armed": answer["armed"]}
                self.restarts += 1
                self._start()
            break
        answers.put(None)

    def _ask(self, **order: Any) -> dict[str, Any]:
        with self._lock:
            process, answers = self._process, self._answers
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            answer = answers.get(timeout=ANSWER_S)
        except (BrokenPipeError, ValueError):
            raise CameraGone from None
        if answer is None:
            raise CameraGone
        return answer

    def visit(self, lies: list[str]) -> None:
        """Makes it ready for a run; no trap is set any more."""
        self._patiently(visit=lies)

    def trap(self, trap: dict[str, Any] | None, then: dict[str, Any] | None = None) -> None:
        """Sets one, and one that the camera has which takes this one's place, or none."""
        with self._lock:
            self._order["trap"] = then
        self._patiently(trap=trap)

    def look(self) -> None:
        """Brings the figures up to date."""
        now = self._patiently(tell=True)
        every = [*self._past, now]
        self.applied = Counter()
        for told in every:
            self.applied.update(told["applied"])
        self.sent = sum(told["sent"] for told in every)
        self.largest = max(told["largest"] for told in every)
        self.operations = sum(told["operations"] for told in every)
        self.left = len(now["plan"]) + len(now["armed"])

    def _patiently(self, **order: Any) -> dict[str, Any]:
        while True:
            try:
                return self._ask(**order)
            except CameraGone:
                self._wait_for_another()

    def _wait_for_another(self) -> None:
        with self._lock:
            listener, process = self._listener, self._process
        if process.poll() is not None and not listener.is_alive():
            raise RuntimeError(f"the camera's process has ended: {process.returncode}")
        # The listener of the old process starts the new one and ends.
        listener.join(0.1)

    def calm(self) -> None:
        """No faults from now on: another process, with an empty plan."""
        self.look()
        now = self._patiently(tell=True)
        self._past.append(now)
        self.left = 0
        self._end()
        self._order |= {"plan": [], "armed": []}
        self._start()

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(ANSWER_S)
        self._listener.join()
        _close(self._process)

    def close(self) -> None:
        """Ends it."""
        self._end()


def _close(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
