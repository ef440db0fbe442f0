"""`ptpfast watch`: its lines and records, the command for each file, and its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import command_line
import ptpfast
from conftest import Cameras
from ptpfast import FileResult, WatchStatus
from ptpfast.cli.hook import Hook, Ran, variables, words_of
from ptpfast.cli.output import Output
from ptpfast.cli.watch import Teller
from ptpfast.cli.watch_line import WatchLine
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import SimulatedCamera
from watched import assert_each_once, contents

INFO = ObjectInfo(1, "A.NEF", "A.NEF", 2, 0x3000)
PRINT = "import os, sys; print(sys.argv[1], file=open(sys.argv[2], 'a'))"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Any]:
    """Starts `ptpfast watch --json` in a process; `records` are taken from it one by one."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: object) -> subprocess.Popen[str]:
        sims = [each for each in arguments if isinstance(each, SimulatedCamera)]
        arguments = tuple(each for each in arguments if each not in sims)
        cameras = [command_line.at(sim) for sim in sims]
        words = [sys.executable, "-m", "ptpfast", "watch", *cameras, tmp_path / "in"]
        process = subprocess.Popen(
            [str(word) for word in (*words, "--json", *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def until(process: subprocess.Popen[str], **wanted: object) -> list[dict[str, Any]]:
    """The records up to one with these fields."""
    assert process.stdout is not None
    seen: list[dict[str, Any]] = []
    for line in process.stdout:
        seen.append(json.loads(line))
        if wanted.items() <= seen[-1].items():
            return seen
    raise AssertionError(f"the output ended: {seen}")


def ended(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]], str]:
    """Status, the rest of the records, and what was said."""
    assert process.stdout is not None
    assert process.stderr is not None
    # Not by `communicate`, which knows nothing of the lines that are read already.
    rest = [json.loads(line) for line in process.stdout]
    said = process.stderr.read()
    return process.wait(), rest, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_watch_with_a_summary(
    camera: Cameras, tmp_path: Path, running: Any, number: int
) -> None:
    sim = camera(objects=3)
    process = running(sim)
    records = until(process, type="status", state="watching")
    assert records[0]["type"] == "header"
    handle = sim.capture()[-1]
    # Not the first file: the records of the others may come after the status.
    files = [row for row in until(process, type="file", handle=handle) if row["type"] == "file"]
    process.send_signal(number)
    status, rest, said = ended(process)
    files += [row for row in [*records, *rest] if row["type"] == "file"]
    assert status == 130
    (summary,) = [row for row in rest if row["type"] == "summary"]
    assert summary["downloaded"] == len(files) >= 4
    assert "Traceback" not in said
    assert {row["camera"] for row in files} == {command_line.at(sim)}


def test_command_is_run_for_each_file_with_its_path_and_environment(
    camera: Cameras, tmp_path: Path, running: Any
) -> None:
    sim = camera(objects=3)
    log = tmp_path / "log; touch oops"
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "with open(sys.argv[2], 'a') as log:\n"
        "    names = ('PATH', 'CAMERA', 'TIME', 'DIGEST', 'SIZE', 'SOURCE', 'FORMAT')\n"
        "    print(sys.argv[1], *(os.environ['PTPFAST_' + n] for n in names), sep='|', file=log)\n"
        "print('its own output')\n"
    )
    command = f"{sys.executable} {script} {{}} '{log}'"
    process = running(sim, "--verify", "hash", "--exec", command)
    for _ in range(3):
        until(process, type="exec", tries=1, error=None)
    process.send_signal(signal.SIGINT)
    status, _, said = ended(process)
    assert status == 130
    rows = [line.split("|") for line in log.read_text().splitlines()]
    assert len(rows) == 3
    for path, same, address, taken, digest, size, source, kind in rows:
        assert path == same
        assert Path(path).stat().st_size == int(size) == 300_000
        assert address == command_line.at(sim)
        assert taken.startswith("20")
        assert digest.startswith("sha256:")
        assert source.endswith(Path(path).name)
        assert kind == ("jpeg" if path.endswith("JPG") else "raw")
    assert "its own output" in said
    assert not (tmp_path / "oops").exists()


def test_failing_command_is_retried_and_its_failure_said(
    camera: Cameras, tmp_path: Path, running: Any
) -> None:
    sim = camera(objects=1)
    process = running(sim, "--exec", "false", "--exec-retries", "1")
    record = until(process, type="exec")[-1]
    assert record["tries"] == 2
    assert "status 1" in record["error"]
    process.send_signal(signal.SIGINT)
    _, _, said = ended(process)
    assert "--exec failed" in said
    assert "2 tries" in said
    assert_each_once(tmp_path / "in", contents(sim))


def result_of(path: Path) -> FileResult:
    return FileResult(1, None, path, "downloaded")


def test_hook_runs_all_that_was_added_before_it_ends(tmp_path: Path) -> None:
    told: list[Ran] = []
    log = tmp_path / "log"
    words = [sys.executable, "-c", PRINT, "{}", str(log)]
    with Hook(words, "camera", 0, told.append) as hook:
        for number in range(5):
            hook.add(result_of(tmp_path / f"{number} $(id).jpg"))
    names = [f"{number} $(id).jpg" for number in range(5)]
    assert [Path(line).name for line in log.read_text().splitlines()] == names
    assert [Path(ran.path).name for ran in told] == names
    assert all(not ran.error for ran in told)


def test_program_that_is_missing_or_killed_is_named(tmp_path: Path) -> None:
    told: list[Ran] = []
    with Hook(["/no/such/program", "{}"], "camera", 0, told.append) as hook:
        hook.add(result_of(tmp_path / "a"))
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    with Hook(killed, "camera", 0, told.append) as hook:
        hook.add(result_of(tmp_path / "a"))
    assert "/no/such/program cannot be run" in told[0].error
    assert "signal 9" in told[1].error


def test_words_of_a_command_end_with_the_path_unless_it_has_a_place() -> None:
    assert words_of("cp {} '/a b/'") == ["cp", "{}", "/a b/"]
    assert words_of("./ingest.sh --fast") == ["./ingest.sh", "--fast", "{}"]
    assert words_of("cp --to={} x") == ["cp", "--to={}", "x"]
    for wrong in ("", "  ", "'open"):
        with pytest.raises(ValueError, match=r"empty|quotation"):
            words_of(wrong)


def test_variables_of_an_undescribed_object_are_there_and_empty(tmp_path: Path) -> None:
    found = variables(result_of(tmp_path / "x"), "cam")
    assert found["PTPFAST_PATH"] == str(tmp_path / "x")
    assert found["PTPFAST_TIME"] == found["PTPFAST_DIGEST"] == ""
    assert set(found) == {
        *("PTPFAST_PATH", "PTPFAST_CAMERA", "PTPFAST_TIME", "PTPFAST_DIGEST"),
        *("PTPFAST_SIZE", "PTPFAST_SOURCE", "PTPFAST_FORMAT"),
    }


def test_terminal_line_says_the_state_the_file_and_the_counts() -> None:
    line = WatchLine(["cam"])
    assert line.line(80) == "connecting to cam"
    long_ago = datetime.now() - timedelta(minutes=3)
    line.tell(WatchStatus("away", "no route", long_ago, files=3, size=2_000_000))
    assert line.line(80) == "connection lost for 3 min 00 s; 3 files, 2.0 MB"
    line.tell(WatchStatus("away", "no route", files=1))
    assert line.line(80) == "connection lost for 0 s; 1 file, 0 B"
    line.tell(WatchStatus("watching", files=1))
    assert line.line(80) == "watching cam; 1 file, 0 B"
    assert line.line(14) == "watching cam;"


def test_terminal_line_of_several_cameras_tells_of_those_that_are_not_quiet() -> None:
    line = WatchLine(["a", "b", "c"])
    assert line.line(80) == "watching 3 cameras; a: connecting; b: connecting; c: connecting"
    for camera in "abc":
        line.tell(WatchStatus("watching", files=2, size=1000, camera=camera))
    assert line.line(80) == "watching 3 cameras; 6 files, 3.0 kB"
    line.tell(WatchStatus("away", "gone", files=2, size=1000, camera="b"))
    line.tell(WatchStatus("fetching", files=2, size=1000, camera="c"))
    line.of_camera("c").progress(INFO, 1, 2)
    full = "watching 3 cameras; 6 files, 3.0 kB; b: connection lost for 0 s; c: A.NEF 50%"
    assert line.line(len(full)) == full
    less = "watching 3 cameras; 6 files, 3.0 kB; b: connection lost for 0 s; 1 more"
    assert line.line(len(full) - 1) == less
    assert line.line(36) == "watching 3 cameras; 6 files, 3.0 kB"


def test_lines_of_several_cameras_begin_with_their_addresses() -> None:
    said: list[str] = []
    teller = Teller(Output("watch"), ["a", "b"], WatchLine(["a", "b"]), said.append)
    for camera in "ab":
        teller.status(WatchStatus("listing", camera=camera))
        teller.status(WatchStatus("watching", camera=camera))
    lost = "GetEventEx(): connection lost: the camera closed the connection"
    teller.status(WatchStatus("away", lost, camera="b"))
    teller.result(FileResult(1, INFO, None, "failed", "no", camera="a"))
    assert said == [
        "connected to a",
        "watching a; press Ctrl-C to stop",
        "connected to b",
        "watching b",
        "b: connection lost: the camera closed the connection; trying again",
        "a: A.NEF failed: no",
    ]


def test_several_cameras_are_watched_and_measured_by_one_command(
    camera: Cameras, running: Any, tmp_path: Path
) -> None:
    sims = [camera(objects=2, seed=seed) for seed in (1, 2)]
    process = running(*sims, "--metrics", "0")
    (*_, metrics) = until(process, type="metrics")
    arrived = Counter(until(process, type="file")[-1]["camera"] for _ in range(4))
    assert arrived == {command_line.at(sim): 2 for sim in sims}
    sims[1].capture()
    assert until(process, type="file")[-1]["camera"] == command_line.at(sims[1])
    with urllib.request.urlopen(metrics["url"]) as answer:
        rows = answer.read().decode()
    for sim in sims:
        assert (
            f'ptpfast_files_total{{camera="{command_line.at(sim)}",outcome="downloaded"}}' in rows
        )
    process.send_signal(signal.SIGINT)
    status, rest, said = ended(process)
    assert status == 130
    (summary,) = [row for row in rest if row["type"] == "summary"]
    assert summary["downloaded"] >= 5
    assert f"{command_line.at(sims[0])}: " in said


def test_watch_without_a_camera_finds_the_only_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ptpfast.discovery.discover", lambda *_, **__: [])
    done = command_line.run("watch", tmp_path)
    assert done.exit_code == 3
    assert "no camera was found" in done.stderr


def test_files_that_were_downloaded_before_are_counted_once() -> None:
    said: list[str] = []
    teller = Teller(Output("watch"), ["cam"], WatchLine(["cam"]), said.append)
    for state in ("listing", "watching", "away", "watching"):
        teller.status(WatchStatus(state, known=3))
    assert said[1] == "watching cam; downloaded before: 3 files; press Ctrl-C to stop"
    assert sum("downloaded before" in line for line in said) == 1


def test_a_watch_into_another_folder_says_what_it_does_not_download(
    camera: Cameras, running: Any, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    ptpfast.pull(command_line.at(sim), tmp_path / "elsewhere")
    process = running(sim)
    seen = until(process, type="status", state="watching")
    assert (seen[-1]["known"], seen[-1]["downloaded"]) == (3, 0)
    process.send_signal(signal.SIGINT)
    status, _, said = ended(process)
    assert status == 130
    assert "downloaded before: 3 files" in said


def test_each_change_that_matters_is_said_once() -> None:
    said: list[str] = []
    teller = Teller(Output("watch"), ["cam"], WatchLine(["cam"]), said.append)
    states = ("connecting", "listing", "fetching", "watching", "fetching", "watching", "away")
    for state in (*states, "listing", "watching"):
        teller.status(WatchStatus(state, "why" if state in ("connecting", "away") else ""))
    assert said == [
        "waiting for the camera: why; trying again",
        "connected to cam",
        "watching cam; press Ctrl-C to stop",
        "connection lost: why; trying again",
        "connected to cam",
        "watching cam; press Ctrl-C to stop",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("127.0.0.1:9", ".", "--exec", ""),
        ("127.0.0.1:9", ".", "--first", "pictures"),
        ("127.0.0.1:9", ".", "--on-conflict", "overwrite", "--delete-verified"),
        ("127.0.0.1:9", "memory://a", "--copies", "."),
        ("127.0.0.1:9", "memory://"),
        ("127.0.0.1:9", "127.0.0.1:9", "."),
        ("127.0.0.1:9",),
    ],
)
def test_wrong_command_lines_are_usage_errors(arguments: tuple[str, ...]) -> None:
    assert command_line.run("watch", *arguments).exit_code == 2
