"""A limit of this computer on open files or threads is named as such, and nobody else is blamed."""

from __future__ import annotations

import errno
import os
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import PATIENT, Cameras
from ptpfast.ptp.errors import LimitReached
from ptpfast.sim import SimulatedCamera
from ptpfast.transport import handshake

TIMEOUT_S = 60
WITHOUT_THREADS = """
import _thread, threading
def refuse(*_, **__): raise RuntimeError("can't start new thread")
_thread.start_new_thread = threading._start_new_thread = refuse
from ptpfast.__main__ import main
main()
"""


def run(
    words: list[Any], program: list[str], limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program, *map(str, words)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def with_files(count: int, words: list[Any]) -> subprocess.CompletedProcess[str]:
    """The command where no more files than that can be open at a time."""
    limits = (count, count)
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits)  # noqa: E731
    return run(words, ["-m", "ptpfast"], limit)


@pytest.mark.parametrize("command", ["pull", "ls", "info"])
def test_too_few_open_files_are_said_at_whatever_they_run_out(
    camera: Cameras, tmp_path: Path, command: str
) -> None:
    sim = camera()
    words: list[Any] = [command, f"{sim.host}:{sim.port}"]
    if command == "pull":
        words += [tmp_path / "to", "--manifest"]
    for count in range(5, 32):
        done = with_files(count, words)
        if not done.returncode:
            break
        assert done.returncode == 6, done
        last = done.stderr.splitlines()[-1]
        said, *kept = last.split(" complete; ")
        assert re.sub(r"; \d+ files?$", "", said) == (
            "ptpfast: this computer allows no more open files; "
            "raise the limit (ulimit -n), or close other files"
        )
        assert kept in ([], ["run the same command again to continue"])
    else:
        pytest.fail("it needs more than 32 open files")
    assert count > 6
    if command == "pull":
        assert len(os.listdir(tmp_path / "to")) == 5  # the files and their checksums


@pytest.mark.parametrize("command", ["pull", "ls", "bench", "tune", "simulate", "demo"])
def test_thread_that_cannot_be_started_is_said_to_be_a_limit(
    camera: Cameras, tmp_path: Path, command: str
) -> None:
    sim = camera()
    own: list[Any] = {"simulate": ["--port", 0], "demo": []}.get(command, [at(sim)])
    words = [command, *own]
    done = run(words + [tmp_path] * (command == "pull"), ["-c", WITHOUT_THREADS])
    assert done.returncode == 6, done
    assert done.stderr.splitlines()[-1] == (
        "ptpfast: this computer allows no more threads; "
        "raise the limit (ulimit -u), or close other programs"
    )


def at(sim: SimulatedCamera) -> str:
    return f"{sim.host}:{sim.port}"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
@pytest.mark.parametrize("which", [1, 2])
def test_library_raises_a_limit_for_either_connection(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, number: int, which: int
) -> None:
    sim = camera()
    real, calls = socket.create_connection, []

    def limited(*arguments: Any, **options: Any) -> socket.socket:
        calls.append(arguments)
        if len(calls) == which:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(handshake.socket, "create_connection", limited)
    with pytest.raises(LimitReached) as caught:
        ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT)
    assert caught.value.errno == number


def test_library_raises_a_limit_for_a_thread_and_closes_its_connections(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()
    real = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if thread.name.startswith("ptpfast events"):
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(LimitReached) as caught:
        ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT)
    assert caught.value.errno == errno.EAGAIN
