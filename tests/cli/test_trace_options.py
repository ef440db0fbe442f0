"""`--trace` of each command, and `simulate --replay`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ptpfast
from command_line import at, records, run
from ptpfast.cli.main import COMMANDS
from ptpfast.trace.conversation import conversation
from traced import camera_of

FAR = ["ls", "info", "get", "bench", "tune", "pair"]


@pytest.mark.parametrize("command", FAR)
def test_command_records_what_it_asks_the_camera(tmp_path: Path, command: str) -> None:
    file = tmp_path / "trace.pcapng"
    more = {"bench": ["--budget", "1"], "tune": ["--dry-run"]}.get(command, [])
    with camera_of("standard", objects=2) as camera:
        result = run(command, at(camera), "--trace", file, *more)
        assert result.exit_code == 0, result.output
        sessions = camera.sessions_opened
    told = conversation(file)
    assert sessions == sum(1 for each in told.exchanges if each.operation == 0x1002)
    assert f"trace: {file}" in result.stderr


def test_pull_records_the_download_and_says_where(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera:
        result = run("pull", at(camera), tmp_path / "to", "--json", "--trace", file)
        log = list(camera.log)
    assert result.exit_code == 0
    assert len(conversation(file).exchanges) == len(log)
    (told,) = [row for row in records(result.stdout) if row["type"] == "trace"]
    assert told == {"type": "trace", "path": str(file), "payload": False, "names": False}


def test_doctor_records_its_examination(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard", objects=2) as camera:
        assert run("doctor", at(camera), "--trace", file).exit_code == 0
    assert 0x1002 in {each.operation for each in conversation(file).exchanges}


def test_watch_records_all_of_its_connections(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard", objects=2) as camera:
        camera.faults.add("drop on GetPartialObject at 1")
        with ptpfast.watch(at(camera), tmp_path / "to", trace=file) as shots:
            assert len({next(shots).path, next(shots).path}) == 2
        sessions = camera.sessions_opened
    told = conversation(file)
    assert sessions == 2
    assert sessions == sum(1 for each in told.exchanges if each.operation == 0x1002)


def test_a_trace_goes_on_if_the_first_connection_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard", objects=2) as camera:
        camera.faults.add("drop on GetDeviceInfo at 1")
        assert ptpfast.pull(at(camera), tmp_path / "to", trace=file).downloaded == 2
    assert len(conversation(file).exchanges) > 2


def test_every_command_that_connects_has_the_option() -> None:
    helps = {command: run(command, "--help").output for command in COMMANDS}
    connecting = {command for command, text in helps.items() if "--timeout" in text}
    assert connecting >= {"ls", "info", "pull", "get", "set", "capture", "live", "bench", "tune"}
    for command, text in helps.items():
        assert ("--trace FILE" in text) == (command in connecting), command


def test_existing_file_is_a_usage_error_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "picture.nef"
    file.write_bytes(b"mine")
    with camera_of("standard") as camera:
        result = run("ls", at(camera), "--trace", file)
        assert camera.connections == 0
    assert result.exit_code == 2
    assert "exists already, and is not replaced" in result.stderr
    assert file.read_bytes() == b"mine"


def test_trace_in_a_folder_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    result = run("ls", "127.0.0.1", "--trace", tmp_path / "none" / "file")
    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr


def test_switches_of_a_trace_without_a_file_are_a_usage_error() -> None:
    for option in ("--trace-payload", "--trace-names"):
        result = run("ls", "127.0.0.1", option)
        assert result.exit_code == 2
        assert "need --trace FILE" in result.stderr


def test_trace_that_ends_with_an_error_is_kept_and_named(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard", faults=["init_fail=2 times 0"]) as camera:
        result = run("info", at(camera), "--trace", file, "--timeout", "1")
    assert result.exit_code == 4
    assert f"trace: {file}" in result.stderr
    assert file.stat().st_size > 500


def test_simulate_replays_a_trace_to_another_process(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera:
        listed = run("ls", at(camera), "--no-index", "--trace", file).stdout
    command = [sys.executable, "-m", "ptpfast", "simulate", "--port", "0", "--replay", str(file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            address = process.stdout.readline().removeprefix("listening on ").strip()
            assert run("ls", address, "--no-index").stdout == listed
            run("pull", address, tmp_path / "to", "--retry", "0", "--no-index")
        finally:
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
    assert "requests with their answers" in said
    assert "the trace has no answer to GetPartialObject (0x101B)" in said
    assert os.listdir(tmp_path / "to") == [] or "IMG_0001.JPG" not in os.listdir(tmp_path / "to")


def test_simulate_refuses_what_is_no_trace_and_what_a_trace_decides(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xff\xd8\xff" * 100)
    result = run("simulate", "--replay", file)
    assert result.exit_code == 2
    assert "this is not a pcapng file of ptpfast" in result.stderr
    trace = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera:
        run("info", at(camera), "--trace", trace)
    result = run("simulate", "--replay", trace, "--body", "nikon-z6")
    assert result.exit_code == 2
    assert "--body cannot be combined with --replay" in result.stderr
