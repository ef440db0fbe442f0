"""`ptpfast pull --exec`: a command for each downloaded file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from command_line import at, records, run
from conftest import Cameras

WRITE = (
    "import os, sys\n"
    "with open(sys.argv[2], 'a') as log:\n"
    "    print(sys.argv[1], os.environ['PTPFAST_CAMERA'], os.environ['PTPFAST_SIZE'], file=log)\n"
)


def writing(log: Path) -> str:
    return shlex.join([sys.executable, "-c", WRITE, "{}", str(log)])


def test_the_command_runs_once_for_each_new_file(camera: Cameras, tmp_path: Path) -> None:
    sim, folder, log = camera(objects=4, size=3000), tmp_path / "in", tmp_path / "log"
    done = run("pull", at(sim), folder, "--exec", writing(log), "--json")
    assert done.exit_code == 0, done.output
    lines = sorted(log.read_text().splitlines())
    assert lines == sorted(f"{path} {at(sim)} 3000" for path in folder.iterdir())
    ran = [row for row in records(done.stdout) if row["type"] == "exec"]
    assert {row["file"] for row in ran} == {str(path) for path in folder.iterdir()}
    assert all(row["tries"] == 1 and row["error"] is None for row in ran)
    assert records(done.stdout)[-1]["type"] == "summary"
    run("pull", at(sim), folder, "--exec", writing(log))
    assert len(log.read_text().splitlines()) == 4


def test_each_of_several_cameras_is_named_to_the_command(camera: Cameras, tmp_path: Path) -> None:
    sims = [camera(objects=1, size=3000, seed=seed) for seed in (1, 2)]
    log = tmp_path / "log"
    done = run("pull", *map(at, sims), tmp_path / "in", "--exec", writing(log))
    assert done.exit_code == 0, done.output
    assert {line.split()[1] for line in log.read_text().splitlines()} == set(map(at, sims))


@pytest.mark.parametrize("quiet", [[], ["--quiet"]], ids=["loud", "quiet"])
def test_a_failing_command_is_told_and_has_a_status(
    camera: Cameras, tmp_path: Path, quiet: list[str]
) -> None:
    words = ["--exec", "false", "--exec-retries", "1", *quiet]
    done = run("pull", at(camera(objects=1, size=3000)), tmp_path / "in", *words)
    assert done.exit_code == 1
    assert "--exec failed for" in done.stderr
    assert "false ended with status 1 (2 tries)" in done.stderr
    assert len(list((tmp_path / "in").iterdir())) == 1


def test_no_command_runs_for_a_dry_run(camera: Cameras, tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run("pull", at(camera()), tmp_path / "in", "--exec", writing(log), "--dry-run")
    assert done.exit_code == 0
    assert not log.exists()


@pytest.mark.parametrize("command", ["pull", "watch"])
def test_an_empty_command_is_a_wrong_option(command: str, tmp_path: Path) -> None:
    done = run(command, "127.0.0.1:9", tmp_path, "--exec", " ")
    assert done.exit_code == 2
    assert "the command is empty" in done.stderr
