"""Eight cameras at once: does one Python process with eight sessions do what eight C programs do?

Eight Responders, each with its own card; a thread for each in one process, against as many C
programs (peers/initiator.c), which are all let go at the same moment. What counts is the aggregate:
all bytes, from the first camera's beginning to the last one's end.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import calls, peers
from .bench_download import check_and_remove
from .contenders import PTPFAST
from .harness import Case, Range, Sample, alternate, scratch

EIGHT_C = "C, eight programs"
CAMERAS = 8
MOST_MIB = 16


def start(command: list[str]) -> subprocess.Popen[str]:
    """A program that waits for a line."""
    return subprocess.Popen(
        command,
        cwd=peers.ROOT,
        env=peers.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(commands: list[list[str]]) -> list[dict[str, Any]]:
    """Runs programs that say `ready` and wait: all are ready before any begins. Their reports."""
    processes: list[subprocess.Popen[str]] = []
    try:
        processes.extend(map(start, commands))
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{process.args!r} ended before it began")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=peers.RUN_S)[0] for process in processes]
        return [json.loads(line) for line in said]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def aggregate(reports: list[dict[str, Any]]) -> Sample:
    """What several did together: from the first one's beginning to the last one's end."""
    samples = [Sample.of(report) for report in reports]
    ended, began = max(r["ended"] for r in reports), min(r["began"] for r in reports)
    return Sample(
        bytes=sum(s.bytes for s in samples),
        seconds=ended - began,
        cpu=sum(s.cpu for s in samples),
        peak_kib=sum(s.peak_kib for s in samples),
        reads=sum(s.reads for s in samples),
    )


def compare(directory: Path, objects: int, size: int, rounds: int, title: str) -> Case:
    """Both ways, in turn."""
    grown: list[float] = []
    folders = [directory / str(number) for number in range(CAMERAS)]

    def checked(reports: list[dict[str, Any]]) -> Sample:
        for folder in folders:
            check_and_remove(folder, objects, size)
        return aggregate(reports)

    def eight_programs(ports: list[int]) -> Sample:
        jobs = zip(ports, folders, strict=True)
        return checked(
            together([peers.initiator_command(p, "file", dir=d, wait=True) for p, d in jobs])
        )

    def one_process(command: list[str]) -> Sample:
        report = together([[*command, "--wait", "1"]])[0]
        grown.append((report["peak_kib"] - report["resident_kib"]) / 1024 / CAMERAS)
        return checked([report])

    with ExitStack() as stack:
        responders = [
            stack.enter_context(peers.Responder(objects=objects, size=size, packet=65536))
            for _ in folders
        ]
        for folder in folders:
            folder.mkdir()
        ports = [responder.port for responder in responders]
        command = [*peers.PYTHON, "-m", "bench.contenders.cameras", "--dir", str(directory)]
        command += ["--ports", ",".join(map(str, ports))]
        turns = {EIGHT_C: lambda: eight_programs(ports), PTPFAST: lambda: one_process(command)}
        case = alternate(title, turns, rounds)
        if rounds > 1:
            one = peers.initiator_command(ports[0], "file", dir=folders[0])
            calls.add_to(case, {EIGHT_C: one, PTPFAST: command}, directory)
    rate = case.ratio(EIGHT_C, PTPFAST, lambda s: s.seconds)
    case.claim("aggregate rate, of eight C programs'", rate, 0.90)
    cost = case.ratio(PTPFAST, EIGHT_C, lambda s: s.cpu)
    case.claim("CPU per GB, of eight C programs'", cost, None, at_least=False)
    case.claim("memory for each camera", Range.of(grown), MOST_MIB, at_least=False, unit="MiB")
    return case


def run(quick: bool) -> Iterator[Case]:
    """The one case of this benchmark."""
    objects, size, rounds = (2, 5 * 10**6, 1) if quick else (8, 25 * 10**6, 5)
    with scratch(2 * CAMERAS * objects * size) as (directory, kind):
        title = f"{CAMERAS} cameras at once, {objects} × {size // 10**6} MB each, to {kind}"
        yield compare(directory, objects, size, rounds, title)
