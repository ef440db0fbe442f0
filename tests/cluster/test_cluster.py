"""A rig of cameras, downloaded by the workers of a dask cluster: scheduler, workers and the caller
are processes of their own, as on a real network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

import command_line
from adversity import assert_right, expected_files, finished_files
from command_line import at
from conftest import Cameras
from programs import module
from ptpfast.cluster import Camera, Rig, running
from ptpfast.ptp.codes import OperationCode
from ptpfast.sim import SimulatedCamera
from remote_folders import contents
from remote_servers import begin_loop_of_fsspec, s3

pytestmark = [pytest.mark.interop, pytest.mark.tools, pytest.mark.timeout(300)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "rig_on_cluster.py"
CALLER = """
import json, sys
from ptpfast import cluster

def told(message):
    print(json.dumps(message), flush=True)

if __name__ == "__main__":
    scheduler, rig, destination = sys.argv[1:]
    report = cluster.pull(scheduler, cluster.Rig.read(rig), destination, told=told)
    rows = [{"name": each.name, "downloaded": each.downloaded, "skipped": each.skipped,
             "failed": each.failed, "error": each.error, "ok": each.ok, "worker": each.worker}
            for each in report.cameras]
    print(json.dumps({"ok": report.ok, "cameras": rows}), flush=True)
"""
Process = subprocess.Popen[str]


class Computers:
    """A scheduler and its workers. Each worker is one process, and may be killed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._file = folder / "scheduler.json"
        self.start_scheduler("0")
        self.workers: list[Process] = []

    def start_scheduler(self, port: str) -> None:
        """Start a scheduler; the workers find it by its file."""
        self._file.unlink(missing_ok=True)
        program = "distributed.cli.dask_scheduler"
        self.scheduler = self.start(program, "--port", port, "--no-dashboard")

    def start(self, program: str, *arguments: str, data: Path | None = None) -> Process:
        words = ["-m", program, "--scheduler-file", str(self._file), *arguments]
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self._folder,
            env=None if data is None else {**os.environ, "PTPFAST_DATA": str(data)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._stack.callback(_ended, process)
        return process

    def pull(self, rig: Path, destination: object, *more: str) -> Process:
        """Start `ptpfast pull --scheduler`, with its records on standard output."""
        words = [sys.executable, "-m", "ptpfast", "pull", "--scheduler", self.address]
        process = subprocess.Popen(
            [*words, str(rig), str(destination), "--json", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(_ended, process)
        return process

    def worker(self, *resources: str, data: Path | None = None) -> Process:
        """Start a worker; `resources` as `NAME=NUMBER`, `data` for a history of its own."""
        options = ["--no-dashboard", "--no-nanny", "--nthreads", "2"]
        if resources:
            options += ["--resources", " ".join(resources)]
        process = self.start("distributed.cli.dask_worker", *options, data=data)
        self.workers.append(process)
        return process

    @property
    def address(self) -> str:
        """The scheduler's address, once it has written it."""
        wait = "import distributed, sys; c = distributed.Client(scheduler_file=sys.argv[1], "
        wait += "timeout=60); c.wait_for_workers(int(sys.argv[2]), timeout=60); c.close()"
        count = str(len(self.workers))
        subprocess.run([sys.executable, "-c", wait, str(self._file), count], check=True)
        return str(json.loads(self._file.read_text())["address"])


def _ended(process: Process) -> None:
    process.kill()
    process.communicate()


@pytest.fixture(scope="module", autouse=True)
def _loop_of_fsspec() -> None:
    begin_loop_of_fsspec()


@pytest.fixture
def computers(tmp_path: Path) -> Iterator[Computers]:
    module("distributed", "--group cluster")
    folder = tmp_path / "computers"
    folder.mkdir()
    with ExitStack() as stack:
        yield Computers(folder, stack)


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    with ExitStack() as stack:

        def start(address: str, rig: Path) -> Process:
            process = subprocess.Popen(
                [sys.executable, "-c", CALLER, address, str(rig), str(tmp_path / "card")],
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(_ended, process)
            return process

        yield start


def rig_of(folder: Path, sims: Sequence[SimulatedCamera], **resources: str) -> Path:
    rows = [
        f'[[camera]]\naddress = "{at(sim)}"\nname = "cam{number}"\n'
        + "".join(
            f'resource = "{value}"\n' for key, value in resources.items() if key == f"cam{number}"
        )
        for number, sim in enumerate(sims)
    ]
    path = folder / "rig.toml"
    path.write_text("\n".join(rows) + '\n[options]\nformats = ["all"]\n')
    return path


def result_of(process: Process) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What came of it, and all that was told on the way."""
    assert process.stdout is not None
    *told, last = [json.loads(line) for line in process.stdout]
    assert process.wait() == 0
    return last, told


def assert_all_there(folder: Path, sims: Sequence[SimulatedCamera]) -> None:
    for number, sim in enumerate(sims):
        expected = expected_files(sim)
        assert_right(folder / f"cam{number}", expected)
        assert {path.name for path in finished_files(folder / f"cam{number}")} == set(expected)


def test_each_camera_is_downloaded_once_by_some_worker(
    camera: Cameras, computers: Computers, call: Callable[..., Process], tmp_path: Path
) -> None:
    sims = [camera(objects=5, seed=seed) for seed in range(4)]
    computers.worker()
    computers.worker()
    address, rig = computers.address, rig_of(tmp_path, sims)
    report, told = result_of(call(address, rig))
    assert report["ok"]
    assert [row["downloaded"] for row in report["cameras"]] == [5] * 4
    assert_all_there(tmp_path / "card", sims)
    last = {row["camera"]: row for row in told}
    assert {name: (row["files"], row["of_files"]) for name, row in last.items()} == {
        f"cam{number}": (5, 5) for number in range(4)
    }
    assert all(sim.payload_bytes < 3 * 5 * 300_000 for sim in sims)
    again, _ = result_of(call(address, rig))
    assert [row["skipped"] for row in again["cameras"]] == [5] * 4


def test_example_downloads_forty_cameras_on_one_cluster(
    camera: Cameras, computers: Computers, tmp_path: Path
) -> None:
    sims = [camera(objects=2, size=50_000, seed=seed) for seed in range(40)]
    computers.worker()
    computers.worker()
    words = [
        sys.executable,
        str(EXAMPLE),
        computers.address,
        str(tmp_path / "card"),
        *map(at, sims),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) >= 40
    for number, sim in enumerate(sims, start=1):
        assert f"camera{number:02}: 2 files, 0 MB" in told
        assert_right(tmp_path / "card" / f"camera{number:02}", expected_files(sim))


def test_a_camera_goes_to_a_worker_that_can_reach_it(
    camera: Cameras, computers: Computers, call: Callable[..., Process], tmp_path: Path
) -> None:
    sims = [camera(objects=2, seed=seed) for seed in range(4)]
    near, far = computers.worker("near=4"), computers.worker("far=4")
    rig = rig_of(tmp_path, sims, cam0="near", cam1="far", cam2="near", cam3="far")
    report, _ = result_of(call(computers.address, rig))
    assert report["ok"]
    pids = [int(row["worker"].split()[-1]) for row in report["cameras"]]
    assert pids == [near.pid, far.pid, near.pid, far.pid]


def test_what_a_killed_worker_has_stored_is_not_fetched_again(
    camera: Cameras, computers: Computers, call: Callable[..., Process], tmp_path: Path
) -> None:
    size = 200_000
    sim = camera(objects=40, size=size, bytes_per_s=2_000_000)
    first = computers.worker()
    process = call(computers.address, rig_of(tmp_path, [sim]))
    assert process.stdout is not None
    for line in process.stdout:  # until some files are stored
        if json.loads(line).get("files", 0) >= 5:
            break
    os.kill(first.pid, signal.SIGKILL)
    computers.worker()
    report, _ = result_of(process)
    assert report["ok"]
    assert report["cameras"][0]["skipped"] >= 5
    assert_all_there(tmp_path / "card", [sim])
    assert sim.payload_bytes < 1.3 * 40 * size


def test_a_camera_that_fails_does_not_end_the_others(
    camera: Cameras, computers: Computers, call: Callable[..., Process], tmp_path: Path
) -> None:
    sims = [camera(objects=3), camera(objects=3, seed=1)]
    sims[0].faults.add("respond=0x2002 on OpenSession times 0")
    computers.worker()
    report, _ = result_of(call(computers.address, rig_of(tmp_path, sims)))
    first, second = report["cameras"]
    assert not report["ok"]
    assert "open a session" in first["error"]
    assert (second["ok"], second["downloaded"]) == (True, 3)


def test_a_scheduler_that_starts_again_is_given_the_rest(
    camera: Cameras, computers: Computers, tmp_path: Path
) -> None:
    sims = [camera(objects=20, size=200_000, bytes_per_s=2_000_000, seed=seed) for seed in range(2)]
    worker = computers.worker()
    address = computers.address
    process = computers.pull(rig_of(tmp_path, sims), tmp_path / "card")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("files", 0) >= 3:
            break
    _ended(computers.scheduler)
    _ended(worker)
    computers.workers.clear()
    computers.start_scheduler(address.rpartition(":")[2])
    computers.worker()
    out, said = process.communicate()
    assert process.returncode == 0, said
    assert "lost: trying again" in said or "no scheduler at" in said
    assert "Traceback" not in said
    assert json.loads(out.splitlines()[-1])["ok"]
    assert_all_there(tmp_path / "card", sims)


class LostWithItsResult:
    """A task that has ended on a worker that is lost, and so is the scheduler."""

    status = "finished"

    def result(self) -> Any:
        from distributed.client import FutureCancelledError

        raise FutureCancelledError("a task", "scheduler-connection-lost")


def test_a_result_that_is_lost_with_the_scheduler_is_asked_for_again() -> None:
    module("distributed", "--group cluster")
    rig = Rig([Camera("192.168.1.1", "left")])
    run = running._Run("tcp://127.0.0.1:1", rig, "/nowhere", None)
    run._take(cast("Any", LostWithItsResult()), "left")
    assert run._results == {}


def test_an_interrupted_call_stops_its_workers(
    camera: Cameras, computers: Computers, call: Callable[..., Process], tmp_path: Path
) -> None:
    sim = camera(objects=400, size=100_000, bytes_per_s=1_000_000)
    computers.worker()
    address, rig = computers.address, rig_of(tmp_path, [sim])
    process = call(address, rig)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("files", 0) >= 3:
            break
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait() != 0
    closed = OperationCode.CloseSession
    assert sim.wait_for(lambda: sim.operations[closed] > 0, 60)
    assert_right(tmp_path / "card" / "cam0", expected_files(sim))
    assert len(finished_files(tmp_path / "card" / "cam0")) < 400


def test_command_downloads_a_rig_and_tells_of_each_camera(
    camera: Cameras, computers: Computers, tmp_path: Path
) -> None:
    sims = [camera(objects=4, seed=seed) for seed in range(3)]
    computers.worker()
    rig = rig_of(tmp_path, sims)
    process = computers.pull(rig, tmp_path / "card")
    out, said = process.communicate()
    assert process.returncode == 0, said
    rows = command_line.records(out)
    assert [row["downloaded"] for row in rows if row["type"] == "camera"] == [4, 4, 4]
    assert {row["camera"] for row in rows if row["type"] == "progress"} == {"cam0", "cam1", "cam2"}
    assert (rows[-1]["type"], rows[-1]["ok"], rows[-1]["downloaded"]) == ("summary", True, 12)
    assert_all_there(tmp_path / "card", sims)
    process = computers.pull(rig, tmp_path / "raw", "--format", "jpeg")
    out, said = process.communicate()
    assert process.returncode == 0, said
    assert {path.suffix for path in (tmp_path / "raw").rglob("*") if path.is_file()} == {".JPG"}


def test_command_tells_of_a_camera_that_fails(
    camera: Cameras, computers: Computers, tmp_path: Path
) -> None:
    sims = [
        camera(objects=2),
        camera(objects=2, faults=["respond=0x200F on GetPartialObject times 0"]),
    ]
    computers.worker()
    process = computers.pull(rig_of(tmp_path, sims), tmp_path / "card")
    out, _ = process.communicate()
    assert process.returncode == 1
    rows = [row for row in command_line.records(out) if row["type"] == "camera"]
    assert [row["ok"] for row in rows] == [True, False]
    assert rows[1]["failed"] == len(rows[1]["failures"]) == 2


def test_worker_without_the_history_stores_nothing_twice_at_a_url(
    camera: Cameras, computers: Computers, tmp_path: Path
) -> None:
    sim = camera(objects=12, size=200_000, bytes_per_s=2_000_000)
    rig = rig_of(tmp_path, [sim])
    with s3(tmp_path) as site:
        with rig.open("a") as file:
            file.write(f"retry = 1\n[options.storage_options]\n{toml(site.storage)}")
        first = computers.worker(data=tmp_path / "one")
        process = computers.pull(rig, site.url)
        assert process.stdout is not None
        for line in process.stdout:  # until some files are stored
            if json.loads(line).get("files", 0) >= 5:
                break
        os.kill(first.pid, signal.SIGKILL)
        computers.worker(data=tmp_path / "another")
        rows = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
        assert rows[-1]["ok"]
        assert sorted(site.files().values()) == contents(sim)


def toml(storage: dict[str, Any]) -> str:
    """These `storage_options` as lines of TOML; a table in them is written in one line."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in storage.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
