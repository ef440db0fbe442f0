"""`make` on a fresh checkout: it says what is missing, and installs only what is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISSING = ROOT / "packaging" / "missing.sh"
NEEDED = ("sh", "uname", "mktemp", "rm", "head", "printf", "env")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of programs that is all of PATH, without Python, compiler and package manager."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)


def missing(tools: Path, python: str = "python3", compiler: str = "cc") -> tuple[int, str]:
    done = subprocess.run(
        [str(MISSING), python, compiler],
        env={"PATH": str(tools), "TMPDIR": str(tools.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_nothing_is_said_on_a_computer_that_has_everything() -> None:
    done = subprocess.run([str(MISSING), sys.executable, "cc"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_everything_that_is_missing_is_said_at_once(tools: Path) -> None:
    status, said = missing(tools)
    assert status == 1
    assert "there is no python3" in said
    assert "there is no cc" in said
    assert "package manager of this system" in said


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get install python3 python3-venv python3-dev gcc"),
        ("dnf", "sudo dnf install python3-devel gcc"),
        ("pacman", "sudo pacman -S python gcc"),
        ("apk", "sudo apk add python3-dev gcc musl-dev"),
    ],
)
def test_command_that_installs_it_is_that_of_the_system(
    tools: Path, manager: str, command: str
) -> None:
    program(tools, manager, "exit 0")
    assert command in missing(tools)[1]


def test_python_that_is_too_old_is_named_with_its_version(tools: Path) -> None:
    program(tools, "python3", 'case "$1" in -V) echo "Python 3.9.2";; *) exit 1;; esac')
    said = missing(tools)[1]
    assert "Python 3.11 or newer: python3 is Python 3.9.2" in said
    assert "make PYTHON=python3.12" in said


def test_python_without_its_venv_module_and_headers_is_told(tools: Path) -> None:
    program(tools, "python3", 'case "$2" in *version_info*) exit 0;; *) exit 1;; esac')
    program(tools, "apt-get", "exit 0")
    said = missing(tools)[1]
    assert "the venv module of python3" in said
    assert "Python.h" in said
    assert "python3-venv" in said
    assert "python3-dev" in said


def test_compiler_that_compiles_nothing_is_told(tools: Path) -> None:
    (tools / "python3").symlink_to(sys.executable)
    program(tools, "cc", "exit 1")
    status, said = missing(tools)
    assert (status, "cc compiles nothing" in said) == (1, True)


def commands_of(target: str) -> str:
    """What `make TARGET` would run in a fresh checkout."""
    done = subprocess.run(
        ["make", "--dry-run", "VENV=fresh", target],
        cwd=ROOT,
        env={**os.environ, "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_demo_installs_what_the_commands_need_and_nothing_for_developers() -> None:
    demo, build = commands_of("demo"), commands_of("build")
    assert "ptpfast demo" in demo
    assert "--group" not in demo
    # The first commands of a new user: `ptpfast discover`, then `pull` or `pick`.
    assert ".[cli,discovery,pick]" in demo
    assert "--group dev" in build


def test_every_slow_step_of_the_demo_is_announced() -> None:
    lines = commands_of("demo").splitlines()
    steps = [line for line in lines if line.startswith('echo "make: ')]
    assert [step.split()[2] for step in steps] == [
        *("look", "create", "install", "compile", "download"),
    ]
