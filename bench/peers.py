"""The two C programs: compiled when first needed, started, and certainly ended.

`Responder` is the camera side, the same for all contenders; `initiator` runs the C contender.
"""

from __future__ import annotations

import json
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
RUN_S = 120  # no single run takes longer; the programs end by themselves then too
PYTHON = [sys.executable]


def compiler() -> str | None:
    """The C compiler's path, or None: then nothing here can run."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def program(name: str) -> str:
    """The path of a compiled peer; compiles it if a source is newer. RuntimeError without cc."""
    binary = BUILD / name
    newest = max(path.stat().st_mtime for path in SOURCES.iterdir())
    if not binary.exists() or binary.stat().st_mtime < newest:
        if (cc := compiler()) is None:
            raise RuntimeError("the benchmarks need a C compiler (cc) for their peers")
        BUILD.mkdir(parents=True, exist_ok=True)
        source = SOURCES / f"{name}.c"
        subprocess.run([cc, *COMPILER_FLAGS, "-o", str(binary), str(source)], check=True)
    return str(binary)


class Responder:
    """A running C Responder: use it in a `with`; `port` is where it listens.

    size, objects: of what it has; packet: bytes of a Data packet with its head, 0 for one End Data;
    end_empty: an empty End Data behind the payload; partial: whether it offers GetPartialObject;
    rate: bytes of payload a second, 0 unlimited.
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
    command = [program("initiator"), "--port", str(port), "--into", into]
    for name, value in options.items():
        command += [f"--{name}", str(int(value) if isinstance(value, bool) else value)]
    return command


def contender_command(port: int, into: str, **options: object) -> list[str]:
    """The command line of the ptpfast contender; options as in contender.py."""
    command = [*PYTHON, "-m", "bench.contender", "--port", str(port), "--into", into]
    for name, value in options.items():
        command += [f"--{name}", str(int(value) if isinstance(value, bool) else value)]
    return command


def run(command: list[str]) -> dict[str, Any]:
    """Runs a contender in a fresh process and returns what it reports."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
