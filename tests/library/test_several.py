"""Several cameras in one run: names, errors, Ctrl-C, and what is told of each."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import command_line
from conftest import PATIENT, Cameras, Sessions
from objects_of import content
from ptpfast import NetworkError, OperationCode, Report, pull
from ptpfast.library.report.observer import Observer
from ptpfast.library.report.results import FileResult
from ptpfast.ptp.errors import ConnectFailed
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import BytesContent
from ptpfast.transport.timeouts import Timeouts

NOON = datetime(2026, 1, 2, 12, 0, 0)
NOTHING = "127.0.0.1:9"


def fetch(sims: list[SimulatedCamera], folder: Path, **options: Any) -> Report:
    options.setdefault("timeouts", PATIENT)
    return pull([command_line.at(sim) for sim in sims], folder, **options)


def card(*names: str, seed: int = 0, size: int = 3000, captured: datetime = NOON) -> Store:
    store = Store(seed=seed)
    folder = store.add_folder("100CARD", parent=store.add_folder("DCIM"))
    for number, name in enumerate(names):
        moment = captured + timedelta(seconds=number)
        store.add(name, size, parent=folder, captured=moment)
    return store


def two(camera: Cameras, *names: str, **options: Any) -> list[SimulatedCamera]:
    """Two bodies with pictures of the same names, sizes and seconds, and different bytes."""
    names = names or ("DSC_0001.NEF", "DSC_0001.JPG", "DSC_0002.NEF")
    return [camera(store=card(*names, seed=seed, **options), seed=seed) for seed in (1, 2)]


def named(error: BaseException) -> Report:
    report: Report = vars(error)["report"]
    return report


def assert_whole(sims: list[SimulatedCamera], report: Report) -> None:
    """Each object of each camera is in a file of its own."""
    by_name = {command_line.at(sim): sim for sim in sims}
    paths = [result.path for result in report.files]
    assert len(set(paths)) == len(paths) == sum(len(sim.store.files()) for sim in sims)
    for result in report.files:
        assert result.path is not None
        assert result.path.read_bytes() == content(by_name[result.camera], result.handle)


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("keep_folders", [True, False])
def test_pictures_of_one_name_from_two_cameras_are_all_kept(
    camera: Cameras, tmp_path: Path, history: bool, keep_folders: bool
) -> None:
    sims = two(camera)
    report = fetch(sims, tmp_path, history=history, keep_folders=keep_folders)
    assert (report.downloaded, report.ok) == (6, True)
    assert_whole(sims, report)
    place = tmp_path / "DCIM" / "100CARD" if keep_folders else tmp_path
    assert sorted(path.name for path in place.iterdir()) == sorted(
        f"DSC_000{end}" for end in ("1.NEF", "1.JPG", "2.NEF", "1-1.NEF", "1-1.JPG", "2-1.NEF")
    )
    if history:
        assert fetch(sims, tmp_path, keep_folders=keep_folders).skipped == 6


def test_the_raw_file_of_one_camera_has_no_jpeg_of_another_beside_it(
    camera: Cameras, tmp_path: Path
) -> None:
    sims = [camera(store=card("A.NEF")), camera(store=card("A.JPG", seed=2))]
    report = fetch(sims, tmp_path)
    assert_whole(sims, report)
    stems = {path.stem for path in tmp_path.iterdir()}
    assert stems == {"A", "A-1"}


@pytest.mark.parametrize("policy", ["skip", "fail"])
def test_a_name_that_another_camera_has_got_is_taken(
    camera: Cameras, tmp_path: Path, policy: str
) -> None:
    sims = two(camera, "A.NEF")
    report = fetch(sims, tmp_path, on_conflict=policy)
    assert report.downloaded == 1
    (other,) = [result for result in report.files if result.status != "downloaded"]
    assert other.status == {"skip": "skipped", "fail": "failed"}[policy]
    assert [path.name for path in tmp_path.iterdir()] == ["A.NEF"]


def test_the_report_has_the_sum_and_the_part_of_each(camera: Cameras, tmp_path: Path) -> None:
    sims = [camera(store=card("A.NEF", "B.NEF")), camera(store=card("C.NEF"))]
    report = fetch(sims, tmp_path)
    assert [each.name for each in report.cameras] == [command_line.at(sim) for sim in sims]
    assert [each.report.downloaded for each in report.cameras] == [2, 1]
    assert [each.error for each in report.cameras] == [None, None]
    assert (report.found, report.selected, report.bytes) == (3, 3, 9000)


def test_checksums_and_copies_of_two_cameras_are_complete(camera: Cameras, tmp_path: Path) -> None:
    sims = two(camera, *(f"DSC_{number:04d}.NEF" for number in range(20)))
    main, copies = tmp_path / "main", tmp_path / "copies"
    report = fetch(sims, main, manifest=True, copies=copies)
    assert (report.downloaded, report.copies("stored")) == (40, 40)
    assert_whole(sims, report)
    for folder in (main, copies):
        words = ["sha256sum", "-c", "--strict", "--quiet", os.fspath(main / "SHA256SUMS")]
        if folder == main:
            assert subprocess.run(words, cwd=folder, check=False).returncode == 0
    assert len((main / "SHA256SUMS").read_text().splitlines()) == 40
    there = {path.name: path.read_bytes() for path in main.glob("*.NEF")}
    copied = {path.read_bytes() for path in copies.iterdir()}
    assert set(there.values()) == copied


def test_each_camera_deletes_its_own_pictures_after_their_proof(
    camera: Cameras, tmp_path: Path
) -> None:
    sims = two(camera)
    kept = {content(sim, stored.handle) for sim in sims for stored in sim.store.files()}
    report = fetch(sims, tmp_path, delete_verified=True)
    assert (report.downloaded, report.deleted) == (6, 6)
    assert all(sim.store.files() == [] for sim in sims)
    assert {path.read_bytes() for path in tmp_path.iterdir() if path.name[0] != "."} == kept


@pytest.mark.parametrize("first", [True, False])
def test_a_camera_that_is_lost_does_not_end_the_other(
    camera: Cameras, tmp_path: Path, first: bool
) -> None:
    good, bad = two(camera, size=300_000)
    bad.faults.add("drop on GetPartialObject at 1 times 0")
    sims = [bad, good] if first else [good, bad]
    with pytest.raises(NetworkError) as caught:
        fetch(sims, tmp_path, retry=0)
    report = named(caught.value)
    by_name = {each.name: each for each in report.cameras}
    lost, other = by_name[command_line.at(bad)], by_name[command_line.at(good)]
    assert lost.error is caught.value
    assert (other.error, other.report.downloaded) == (None, 3)
    assert not report.ok
    bad.faults.clear()
    report = fetch(sims, tmp_path)
    assert (report.downloaded, report.skipped) == (3, 3)
    assert_whole(sims, report)


class Held(BytesContent):
    """An object that comes to a stop in its middle, until the other camera is so far."""

    def __init__(self, data: bytes, may_go_on: threading.Event) -> None:
        super().__init__(data)
        self._may_go_on = may_go_on
        self.was_read = threading.Event()

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        if offset >= self.size // 2:
            self.was_read.set()
            assert self._may_go_on.wait(60), "the other camera has waited for this one"
        yield from super().spans(offset, size)


@pytest.mark.parametrize("limit", [None, 50_000_000], ids=["free", "limited"])
@pytest.mark.parametrize("first", [True, False])
def test_a_camera_that_stalls_does_not_starve_the_other(
    camera: Cameras, tmp_path: Path, first: bool, limit: int | None
) -> None:
    """Both are in the middle of a file; one goes on when the other one has all its files."""
    through = threading.Event()
    stalled, free = Store(), Store()
    held = Held(bytes(range(256)) * 1200, through)
    stalled.add("HELD.NEF", held, captured=NOON)
    free.add("A.NEF", Held(bytes(300_000), held.was_read), captured=NOON)
    for name in ("B.NEF", "C.NEF"):
        free.add(name, 300_000, captured=NOON)
    slow, quick = camera(store=stalled), camera(store=free)

    class Told(Observer):
        left = 3

        def finished(self, result: FileResult) -> None:
            self.left -= result.path is not None and result.path.name != "HELD.NEF"
            if not self.left:
                through.set()

    sims = [slow, quick] if first else [quick, slow]
    timeouts = Timeouts(connect=10, operation=90, idle=90, first_byte=90, close=5)
    report = fetch(sims, tmp_path, observer=Told(), chunk=65_536, bwlimit=limit, timeouts=timeouts)
    assert report.ok
    assert_whole(sims, report)


def test_a_camera_that_is_not_there_does_not_end_the_other(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card("A.NEF"))
    with pytest.raises(ConnectFailed) as caught:
        pull([NOTHING, command_line.at(sim)], tmp_path, timeouts=PATIENT)
    assert [each.report.downloaded for each in named(caught.value).cameras] == [0, 1]


class Counting(Observer):
    """Notes the calls for each camera, and whether two came at a time."""

    def __init__(self, name: str = "", above: Counting | None = None) -> None:
        self.name = name
        self.each: dict[str, Counting] = {}
        self.calls: list[str] = []
        self.above = above
        self.busy = self.clashed = False
        self.error: BaseException | None = None

    def of_camera(self, name: str) -> Observer:
        self.each[name] = Counting(name, self)
        return self.each[name]

    def _noted(self, call: str) -> None:
        assert self.above is not None
        self.above.clashed |= self.above.busy
        self.above.busy = True
        self.calls.append(call)
        self.above.busy = False

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._noted("started")

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        self._noted("progress")

    def finished(self, result: FileResult) -> None:
        self._noted("finished")

    def ended(self, report: Report, error: BaseException | None) -> None:
        self._noted("ended")
        self.error = error


def test_an_observer_gets_one_call_at_a_time_and_knows_the_camera(
    camera: Cameras, tmp_path: Path
) -> None:
    sims = two(camera, size=100_000)
    observer = Counting()
    fetch(sims, tmp_path, observer=observer)
    assert set(observer.each) == {command_line.at(sim) for sim in sims}
    for each in observer.each.values():
        assert each.calls.count("started") == each.calls.count("finished") == 3
        assert each.calls[-1] == "ended"
        assert each.error is None
    assert not observer.clashed
    assert observer.calls == []


def test_an_exception_of_the_observer_ends_all_cameras(camera: Cameras, tmp_path: Path) -> None:
    class Failing(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more") as caught:
        fetch(two(camera), tmp_path, observer=Failing())
    assert named(caught.value).downloaded == 0


class Interrupting(Observer):
    """Presses Ctrl-C at the first bytes of a camera."""

    def __init__(self) -> None:
        self.pressed = threading.Event()

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if received and not self.pressed.is_set():
            self.pressed.set()
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_all_cameras_in_order_and_the_next_run_resumes(
    camera: Cameras, tmp_path: Path
) -> None:
    sims = two(camera, size=4_000_000)
    with pytest.raises(KeyboardInterrupt) as caught:
        fetch(sims, tmp_path, observer=Interrupting(), chunk=100_000)
    report = named(caught.value)
    assert report.downloaded < 6
    assert len(report.cameras) == 2
    for sim in sims:
        opened = sum(row.operation == OperationCode.OpenSession for row in sim.log)
        closed = sum(row.operation == OperationCode.CloseSession for row in sim.log)
        assert opened == closed
    report = fetch(sims, tmp_path)
    assert_whole(sims, report)
    assert not list(tmp_path.glob("*.part*"))


def test_ctrl_c_does_not_wait_for_the_pause_of_a_lost_camera(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 60.0)
    monkeypatch.setattr(persistence, "LONGEST_PAUSE_S", 60.0)

    class Lost(Observer):
        def reconnecting(self, tries: int) -> None:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    sims = two(camera)
    sims[0].faults.add("drop on GetPartialObject at 1")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch(sims, tmp_path, observer=Lost())
    assert time.monotonic() - began < 20


def test_open_sessions_and_addresses_go_together(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sims = two(camera)
    session = connect(sims[0])
    report = pull([session, command_line.at(sims[1])], tmp_path)
    assert_whole(sims, report)
    assert session.usable


@pytest.mark.parametrize(
    ("cameras", "error", "text"),
    [
        ([], ValueError, "at least one camera"),
        (["a.example", "a.example:15740"], ValueError, "given twice"),
        (["a.example", 7], TypeError, "the camera is a Session or an address"),
        (["a.example", Path("x")], TypeError, "is a path"),
        (["a.example", "b.example:99999"], ValueError, "port"),
    ],
)
def test_cameras_that_are_none_are_said_before_anything_is_done(
    tmp_path: Path, cameras: list[Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        pull(cameras, tmp_path / "in")
    assert list(tmp_path.iterdir()) == []


def test_a_card_that_cannot_be_read_is_named_with_its_camera(
    camera: Cameras, tmp_path: Path
) -> None:
    bad = camera(
        store=Store.synthetic(1, 1000, storages=2),
        faults=["respond=0x2013 on GetObjectHandles at 2 times 0"],
    )
    report = fetch([camera(store=card("A.NEF")), bad], tmp_path)
    assert [str(each).partition(":")[0] for each in report.storages]
    assert all(command_line.at(bad) in str(each) for each in report.storages)


# The command


def run(sims: list[SimulatedCamera], *words: object) -> Any:
    return command_line.run("pull", *(command_line.at(sim) for sim in sims), *words)


def test_lines_of_json_name_the_camera(camera: Cameras, tmp_path: Path) -> None:
    sims = two(camera)
    rows = command_line.records(run(sims, tmp_path, "--json").stdout)
    files = [row for row in rows if row["type"] == "file"]
    assert {row["camera"] for row in files} == {command_line.at(sim) for sim in sims}
    assert len(files) == 6
    assert [row["downloaded"] for row in rows[-1]["cameras"]] == [3, 3]
    assert rows[-1]["downloaded"] == 6


@pytest.mark.parametrize("mode", [[], ["--json"], ["--quiet"]], ids=["plain", "json", "quiet"])
def test_the_error_of_a_camera_is_said_once_with_its_name(
    camera: Cameras, tmp_path: Path, mode: list[str]
) -> None:
    sim = camera(store=card("A.NEF"))
    result = command_line.run("pull", command_line.at(sim), NOTHING, tmp_path, *mode)
    assert result.exit_code == 3
    assert result.stderr.count(f"{NOTHING}: nothing listens at") == 1
    assert (tmp_path / "A.NEF").exists()
    if mode == ["--json"]:
        (error,) = [row for row in command_line.records(result.stdout) if row["type"] == "error"]
        assert (error["camera"], error["status"]) == (NOTHING, 3)


def test_the_exit_status_is_that_of_the_worst_camera(camera: Cameras, tmp_path: Path) -> None:
    good, bad = two(camera, "A.NEF")
    bad.faults.add("respond=0x2002 on GetPartialObject times 0")
    bad.faults.add("respond=0x2002 on GetObject times 0")
    assert run([good, bad], tmp_path / "one").exit_code == run([bad], tmp_path / "two").exit_code
    assert run([good, bad], NOTHING, tmp_path / "three").exit_code >= 3


def test_lines_say_which_camera_they_are_about(camera: Cameras, tmp_path: Path) -> None:
    sims = two(camera)
    result = run(sims, tmp_path)
    for sim in sims:
        said = result.stderr.splitlines()
        lines = [line for line in said if line.startswith(command_line.at(sim))]
        assert sum("DSC_000" in line for line in lines) == 3
        assert any("3 files downloaded" in line for line in lines)
    assert result.stdout.startswith("6 files downloaded")


def test_a_path_among_the_cameras_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        result = command_line.run("pull", "a.example", "pictures", "today")
    finally:
        os.chdir(before)
    assert result.exit_code == 2
    assert "'pictures' is a file or folder, not a camera" in result.stderr
