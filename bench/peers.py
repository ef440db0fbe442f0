"""The processes of the benchmarks: the C programs, compiled when first needed; started, and
certainly ended, with nothing of the user's settings in their environment.

`Responder` is the camera side, the same for all contenders; `initiator` is the C contender.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
SOURCES = Path(__file__).resolve().parent / "peers"
BUILD = ROOT / "build" / "bench"
COMPILER_FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra"]
RUN_S = 300  # no single run takes longer; the programs end by themselves then too
PYTHON = [sys.executable]
NOWHERE = f"{os.devnull}/none"  # a folder that cannot be


def environment() -> dict[str, str]:
    """For every process that is measured: what `ptpfast tune` has found on this machine, and any
    cache, must not decide; nor must another switch of ptpfast's, or of a pytest that runs it."""
    switches = ("PTPFAST_", "PYTEST_")
    others = {key: value for key, value in os.environ.items() if not key.startswith(switches)}
    return {**others, "PTPFAST_CONFIG": NOWHERE, "PTPFAST_CACHE": NOWHERE, "PTPFAST_DATA": NOWHERE}


def compiler() -> str | None:
    """The C compiler's path, or None: then nothing here can run."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def program(name: str, *flags: str) -> str:
    """The path of a compiled peer; compiles it if a source is newer. RuntimeError without cc, or
    if it cannot be compiled."""
    binary = BUILD / name
    newest = max(path.stat().st_mtime for path in SOURCES.iterdir())
    if not binary.exists() or binary.stat().st_mtime < newest:
        if (cc := compiler()) is None:
            raise RuntimeError("the benchmarks need a C compiler (cc) for their peers")
        BUILD.mkdir(parents=True, exist_ok=True)
        # Under its name in one step: another process may be running the old one.
        unfinished = BUILD / f"{name}.{os.getpid()}"
        command = [cc, *COMPILER_FLAGS, *flags, "-o", str(unfinished), str(SOURCES / f"{name}.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name}.c could not be compiled:\n{done.stderr}")
        unfinished.replace(binary)
        print(done.stderr, end="", file=sys.stderr)
    return str(binary)


class Responder:
    """A running C Responder: use it in a `with`; `port` is where it listens.

    size, objects: of what it has; packet: bytes of a Data packet with its head, 0 for one End Data;
    end_empty: an empty End Data behind the payload; partial: whether it offers GetPartialObject;
    rate: bytes of payload a second, 0 unlimited; nagle, writes: as of `SimulatedCamera`.
    """

    def __init__(
        self,
        *,
        objects: int,
        size: int,
        packet: int,
        end_empty: bool = False,
        partial: bool = True,
        rate: float = 0,
        nagle: bool = False,
        writes: str = "whole",
    ) -> None:
        self.objects = objects
        self.size = size
        self._command = [program("responder")]
        options: dict[str, object] = {
            "--objects": objects,
            "--size": size,
            "--packet": packet,
            "--end": "empty" if end_empty else "payload",
            "--partial": int(partial),
            "--rate": rate,
            "--nagle": int(nagle),
            "--writes": writes,
        }
        for name, value in options.items():
            self._command += [name, str(value)]
        self._process: subprocess.Popen[str]
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()


def initiator_command(port: int, into: str, **options: object) -> list[str]:
    """The command line of the C contender; options as in peers/initiator.c."""
    return [program("initiator"), *words({"port": port, "into": into, **options})]


def words(options: dict[str, object]) -> list[str]:
    """Options as a command line has them."""
    found = []
    for name, value in options.items():
        found += [f"--{name}", str(int(value) if isinstance(value, bool) else value)]
    return found


def output(command: list[str], **settings: str) -> str:
    """What a program prints; RuntimeError, with all it said, if it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**environment(), **settings},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    if done.returncode:
        said = f"{done.stdout}{done.stderr}".strip()
        raise RuntimeError(f"{' '.join(command)} failed:\n{said}")
    return done.stdout


def run(command: list[str], **settings: str) -> dict[str, Any]:
    """Runs a contender in a fresh process and returns what it reports."""
    report: dict[str, Any] = json.loads(output(command, **settings))
    return report
