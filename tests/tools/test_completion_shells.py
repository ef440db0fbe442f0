"""The completion scripts in real shells: what Tab makes of a line, in zsh, fish and bash."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import programs
from command_line import run
from ptpfast.cli.completion import SHELLS, VARIABLE
from ptpfast.state import config

pytestmark = [pytest.mark.tools, pytest.mark.interop]

READY = "ready-for-a-line"
PATIENCE_S = 60

# Types a line, presses Tab at its end and then Enter: the words that
# `ptpfast` gets are what the shell has made of it.
Tab = Callable[[str], list[str]]


def program_in(folder: Path) -> Path:
    """A `ptpfast` that completes, and otherwise writes down its words."""
    program = folder / "bin" / "ptpfast"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ -n "${VARIABLE}" ] && exec "{sys.executable}" -m ptpfast "$@"\n'
        f'printf "%s\\n" "$@" > "{folder}/words"\n'
    )
    program.chmod(0o755)
    return program


class Typed:
    """A shell on a terminal. `line` types one, with Tab and Enter, and waits for the end."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._words = words
        self._folder = folder
        self._environment = environment

    def line(self, text: str) -> list[str]:
        master, slave = pty.openpty()
        try:
            with subprocess.Popen(
                self._words,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            ) as shell:
                os.close(slave)
                try:
                    said = self._until(master, READY)
                    os.write(master, f"{text}\t\nexit\n".encode())
                    said += self._until(master, "")
                finally:
                    shell.kill()
        finally:
            os.close(master)
        try:
            return (self._folder / "words").read_text().splitlines()
        except FileNotFoundError:
            raise AssertionError(said) from None

    @staticmethod
    def _until(master: int, text: str) -> str:
        """Read until the shell has said this; to its end by default."""
        said = ""
        while not text or text not in said:
            try:
                part = os.read(master, 4096)
            except OSError:  # its end, on Linux
                part = b""
            if not part:
                return said
            said += part.decode(errors="replace")
        return said


@pytest.fixture(params=SHELLS)
def tab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tab]:
    shell: str = request.param
    path = programs.program(shell)
    program = program_in(tmp_path)
    config.path().write_text('[cameras.studio]\naddress = "192.168.1.41"\n')
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pick.txt").touch()
    environment = {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "ZDOTDIR": str(tmp_path),
        "TERM": "dumb",
        **{name: text for name, text in os.environ.items() if name.startswith("PTPFAST_")},
    }
    script = run("completion", shell).stdout
    if shell == "fish":

        def offered(line: str) -> list[str]:
            (tmp_path / "script.fish").write_text(script)
            code = f'source script.fish; complete -C "{line}"'
            done = subprocess.run(
                [path, "--no-config", "-c", code],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=True,
            )
            (found,) = (each.partition("\t")[0] for each in done.stdout.splitlines())
            return [*line.split()[1:-1], found]

        yield offered
        return
    if shell == "zsh":
        (tmp_path / "zfunc").mkdir()
        (tmp_path / "zfunc" / "_ptpfast").write_text(script)
        (tmp_path / ".zshrc").write_text(
            "fpath=(~/zfunc $fpath)\nautoload -Uz compinit && compinit -u\n"
            f"unsetopt prompt_cr prompt_sp\nPROMPT='{READY}'\n"
        )
        yield Typed([path, "-i"], tmp_path, environment).line
    else:
        (tmp_path / "rc").write_text(f"{script}\nPS1='{READY}'\n")
        words = [path, "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"]
        yield Typed(words, tmp_path, environment).line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ptpfast pul", ["pull"]),
        ("ptpfast pull --verify ha", ["pull", "--verify", "hash"]),
        ("ptpfast pull --manif", ["pull", "--manifest"]),
        ("ptpfast info stu", ["info", "studio"]),
        ("ptpfast pull studio pic", ["pull", "studio", "pictures"]),
        ("ptpfast history lis", ["history", "list"]),
        ("ptpfast help pul", ["help", "pull"]),
    ],
    ids=["command", "value", "option", "camera", "folder", "action", "help"],
)
def test_a_shell_completes_what_has_been_begun(tab: Tab, line: str, words: list[str]) -> None:
    made = tab(line)
    made[-1] = made[-1].removesuffix("/")  # zsh drops it before Enter
    assert made == words
