"""Contenders that take turns file by file.

On a shared machine two runs of a quarter of a second each, one after the other, differ by a fifth:
the machine has moods, and they last seconds. So all are started together, each with its own camera
and folder, and one has its file while the others wait. What lies between a contender's file and
another's is then a file's time. Each file has its own order (order.py).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from . import peers
from .harness import Case, Sample
from .order import orders


@contextmanager
def waiting(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A contender, started with `--turns`; killed if it is still there at the end."""
    process = subprocess.Popen(
        [*command, "--turns", "1"],
        cwd=peers.ROOT,
        env=peers.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    if not (line := process.stdout.readline()):
        raise RuntimeError(f"a contender ended with status {process.wait(peers.RUN_S)}")
    return line.strip()


def _go(process: subprocess.Popen[str]) -> str:
    """Lets it have its turn; what it says after that."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return _line(process)


def one_round(commands: Mapping[str, list[str]], number: int) -> dict[str, dict[str, Any]]:
    """Every file of everybody; their reports by name. `number` decides the orders."""
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(waiting(command)) for name, command in commands.items()
        }
        for name, process in processes.items():
            if (said := _line(process)) != "ready":
                raise RuntimeError(f"{name} said {said!r}")
        reports: dict[str, dict[str, Any]] = {}
        turns = orders(list(processes), number)
        while len(reports) < len(processes):
            for name in next(turns):
                if (said := _go(processes[name])) != "ready":
                    reports[name] = json.loads(said)
        return reports


def interleave(
    title: str,
    commands: Mapping[str, list[str]],
    check: Callable[[str], None],
    rounds: int,
) -> Case:
    """`rounds` of them, after one to warm up (not if only once); `check(name)` compares what a
    contender wrote, and removes it. All have equally many files."""
    case = Case(title, {name: [] for name in commands})
    warm_up = rounds > 1
    for number in range(rounds + warm_up):
        reports = one_round(commands, number)
        for name, report in reports.items():
            check(name)
            if number or not warm_up:
                case.samples[name].append(Sample.of(report))
    return case
