"""Cameras of a rig: several of them in one process, and the process as the soak sees it.

The first line of standard input has their cards. The process answers with their ports, and answers
each further line with the bytes that each camera has sent. It ends with standard input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from ptpfast.sim import SimulatedCamera

from . import ROOT
from .card import Card


class Cameras:
    """The cameras of these cards, in a process; use it in a `with`."""

    def __init__(self, cards: Sequence[Card]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "soak.rig_cameras"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: list[int] = self._ask([asdict(card) for card in cards])

    def sent(self) -> list[int]:
        """Return how many bytes each camera has sent."""
        return [int(size) for size in self._ask("sent")]

    def _ask(self, order: Any) -> list[int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: list[int] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()


def serve() -> None:
    """Be the cameras until standard input ends."""
    with ExitStack() as stack:
        cards = [Card(**card) for card in json.loads(sys.stdin.readline())]
        cameras = [
            stack.enter_context(SimulatedCamera("standard", card.store(), seed=number))
            for number, card in enumerate(cards)
        ]
        print(json.dumps([camera.port for camera in cameras]), flush=True)
        for _ in sys.stdin:
            print(json.dumps([camera.payload_bytes for camera in cameras]), flush=True)


if __name__ == "__main__":
    serve()
