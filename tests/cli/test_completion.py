"""`ptpfast completion`, and what the scripts are told: commands, options, words, nicknames."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from command_line import records, run
from ptpfast.cli.completion import SHELLS, VARIABLE
from ptpfast.cli.main import COMMANDS, ptpfast
from ptpfast.state import config, identity
from ptpfast.state.identity import Known


def completed(line: str) -> list[str]:
    """What a shell is offered at the end of a line."""
    words = line.split(" ")
    environment = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = CliRunner().invoke(ptpfast, [], env={**environment, VARIABLE: "bash_complete"})
    return [line for line in done.stdout.splitlines() if line]


@pytest.fixture
def _cameras() -> None:
    config.path().write_text('[cameras.studio]\naddress = "192.168.1.41"\n')
    identity.remember(Known("street", "192.168.1.42", 15740), b"1" * 16, "here")


def test_commands_are_completed_without_being_imported() -> None:
    assert completed("ptpfast pu") == ["plain,pull"]
    assert {f"plain,{name}" for name in COMMANDS} <= set(completed("ptpfast "))
    code = (
        "import sys; from ptpfast.cli.main import ptpfast\n"
        "try: ptpfast.main([])\n"
        "finally: print('ptpfast.cli.pull' in sys.modules)\n"
    )
    environment = {"COMP_WORDS": "ptpfast pu", "COMP_CWORD": "1", VARIABLE: "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["plain,pull", "False"]


@pytest.mark.usefixtures("_cameras")
def test_cameras_are_completed_by_their_nicknames() -> None:
    assert completed("ptpfast info ") == ["plain,studio", "plain,street"]
    assert completed("ptpfast pull ST") == ["plain,studio", "plain,street"]
    assert completed("ptpfast watch stu") == ["plain,studio"]
    assert completed("ptpfast pull studio stre") == ["plain,street"]


@pytest.mark.usefixtures("_cameras")
def test_the_folder_is_completed_behind_the_camera() -> None:
    assert completed("ptpfast pull studio ") == ["dir,"]
    assert completed("ptpfast pull ./pic") == ["dir,./pic"]
    assert completed("ptpfast watch studio pic") == ["dir,pic"]


def test_options_and_their_words_are_completed() -> None:
    assert "plain,--verify" in completed("ptpfast pull --ver")
    assert completed("ptpfast pull --verify h") == ["plain,hash"]


def test_actions_of_the_history_and_their_options_are_completed() -> None:
    assert completed("ptpfast history li") == ["plain,list"]
    actions = {"export", "forget", "list", "rebuild", "search"}
    assert {f"plain,{name}" for name in actions} == set(completed("ptpfast history "))
    assert completed("ptpfast history --lim") == ["plain,--limit"]
    assert completed("ptpfast history forget --fol") == ["plain,--folder"]


def test_a_command_is_completed_behind_help() -> None:
    assert completed("ptpfast hel") == ["plain,help"]
    assert completed("ptpfast help pu") == ["plain,pull"]


def test_broken_settings_do_not_break_completion() -> None:
    config.path().write_text("[")
    assert completed("ptpfast pul") == ["plain,pull"]
    assert completed("ptpfast info x") == []
    assert completed("ptpfast pull --verify h") == ["plain,hash"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_asks_ptpfast(shell: str) -> None:
    done = run("completion", shell)
    assert done.exit_code == 0
    assert f"{VARIABLE}={shell}_complete" in done.stdout
    assert done.stderr == ""
    record = records(run("completion", shell, "--json").stdout)[1]
    assert (record["type"], record["shell"]) == ("completion", shell)
    assert record["script"].strip() == done.stdout.strip()


def test_an_unknown_shell_is_told_the_known_ones() -> None:
    done = run("completion", "tcsh")
    assert done.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr


def test_a_real_bash_completes_with_the_script(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    script = tmp_path / "ptpfast.bash"
    script.write_text(run("completion", "bash").stdout)
    program = tmp_path / "ptpfast"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ptpfast "$@"\n')
    program.chmod(0o755)
    text = (
        f'source "{script}" && COMP_WORDS=({program} pu) COMP_CWORD=1 '
        f'&& _ptpfast_completion {program} && echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run([bash, "-c", text], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["pull"], done.stderr
