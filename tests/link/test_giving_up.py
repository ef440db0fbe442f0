"""A camera that drips, stays busy or hangs up for ever does not hold a run for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ptpfast
from adversity import assert_right, expected_files, finished_files
from conftest import HASTY, Cameras, Sessions
from hasty import run
from ptpfast import OperationCode, Timeout, Timeouts
from ptpfast.library.report.observer import Observer
from ptpfast.link.link import Link
from ptpfast.link.losses import BRIEF_AFTER, SAME_PLACE, STOP_AFTER
from ptpfast.link.patience import SLOWEST_BYTES_PER_S, SlowestPace, TooSlow
from ptpfast.ptp.errors import CameraFailing, LimitReached
from ptpfast.session import persistence

DRIPS = "drip=0.1 on {} handle 0x00040005 after 100 times 0"  # a byte each third of `idle`


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(persistence, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr("ptpfast.link.link.BUSY_S", 0.05)
    monkeypatch.setattr("ptpfast.transfer.ranges.BUSY_S", 0.05)


# Dripping


@pytest.mark.parametrize("chunk", [0, 50_000])
def test_an_object_that_drips_is_set_aside_and_the_rest_comes(
    camera: Cameras, tmp_path: Path, chunk: int
) -> None:
    drips = [DRIPS.format(operation) for operation in ("GetObject", "GetPartialObject")]
    sim = camera(objects=4, size=100_000, faults=drips)
    result = run(sim, "pull", tmp_path / "card", "--chunk", chunk)
    assert result.exit_code == 1, result.output
    assert "too slow" in result.stderr
    assert len(finished_files(tmp_path / "card")) == 3
    assert_right(tmp_path / "card", expected_files(sim))
    assert sim.connections == 1 + SAME_PLACE


@pytest.mark.parametrize("where", ["", " after end"])
def test_a_dataset_or_its_response_that_drips_is_a_timeout(
    camera: Cameras, connect: Sessions, where: str
) -> None:
    sim = camera(objects=4, size=1000, faults=[f"drip=0.1 on GetObjectInfo{where}"])
    session = connect(sim, timeouts=HASTY, depth=1)
    with pytest.raises(Timeout):
        session.objects()


def test_a_program_that_takes_pieces_is_not_held_either(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=3, size=100_000, faults=["drip=0.1 after-total 60000"])
    session = connect(sim, timeouts=HASTY)
    with pytest.raises(TooSlow):
        for _ in session.stream(sim.store.files()[0].handle, 50_000):
            pass


def test_answers_that_are_each_in_time_and_bring_next_to_nothing_are_no_download(
    camera: Cameras, tmp_path: Path
) -> None:
    # Each a byte long and late, but not too late.
    sim = camera(objects=1, size=100_000, delay_s=0.1)
    sim.faults.add("short_data on GetPartialObject after 1 times 0")
    timeouts = Timeouts(connect=5, operation=0.5, idle=0.5, close=0.5)
    report = ptpfast.pull(
        f"{sim.host}:{sim.port}", tmp_path / "card", timeouts=timeouts, chunk=50_000, retry=2
    )
    assert report.failed == 1
    assert sim.operations[OperationCode.GetPartialObject] < 100


def test_a_weak_link_that_lives_is_waited_for(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=1, size=8000, bytes_per_s=4000)
    timeouts = Timeouts(connect=5, operation=1.5, idle=1.5, close=0.5)
    report = ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card", timeouts=timeouts, retry=0)
    assert report.ok
    assert_right(tmp_path / "card", expected_files(sim))


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("ptpfast.link.patience.time.monotonic", lambda: self.now)


def seconds_until_too_slow(clock: Clock, rate: float, *, burst: int = 0) -> float | None:
    """With `burst` bytes at once and then so many a second; None when it lasts an hour."""
    pace, received = SlowestPace(30), float(burst)
    began = clock.now
    while clock.now - began < 3600:
        clock.now += 1
        received += rate
        try:
            pace.require("GetObject", int(received))
        except TooSlow:
            return clock.now - began
        pace.resume()
    return None


def test_the_pace_is_that_of_late_and_not_of_all_that_came(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    for burst in (0, 5_000_000_000):
        held = seconds_until_too_slow(clock, 1, burst=burst)
        assert held is not None
        assert held < 70
    assert seconds_until_too_slow(clock, 1.5 * SLOWEST_BYTES_PER_S) is None


def test_the_time_that_our_disk_takes_is_no_delay_of_the_camera(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    pace = SlowestPace(30)
    for received in range(10):
        clock.now += 1
        pace.require("GetObject", received)
        clock.now += 100  # an fsync
        pace.resume()


# Busy, or hanging up, at one object after the other


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        ("busy on GetPartialObject times 0", 4, "was busy at 10 files in a row"),
        (
            "drop on GetPartialObject times 0",
            3,
            "closed the connection or did not answer at 10 files",
        ),
        ("busy on GetObjectInfo times 0", 4, "was busy at 10 files in a row"),
        ("drop on GetObjectInfo times 0", 3, "closed the connection or did not answer at 10 files"),
    ],
)
def test_a_camera_that_fails_at_one_object_after_the_other_is_given_up(
    camera: Cameras, tmp_path: Path, fault: str, status: int, says: str
) -> None:
    sim = camera(objects=200, size=1000, faults=[fault])
    result = run(sim, "pull", tmp_path / "card", "--retry", "forever")
    assert result.exit_code == status, result.output
    assert says in result.stderr
    losses = SAME_PLACE * BRIEF_AFTER + STOP_AFTER - BRIEF_AFTER
    assert sim.connections <= 1 + losses


def test_a_few_bad_objects_in_a_row_do_not_end_a_run(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=20, size=1000)
    bad = [item.handle for item in sim.store.files()[2 : 2 + STOP_AFTER - 1]]
    for number, handle in enumerate(bad):
        kind = ("busy", "drop")[number % 2]
        sim.faults.add(f"{kind} on GetPartialObject handle 0x{handle:08X} times 0")
    report = ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card", timeouts=HASTY)
    assert (report.downloaded, report.failed) == (20 - len(bad), len(bad))


def test_after_a_few_of_them_a_busy_camera_is_hardly_waited_for(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []
    honest = Link.patience

    def patience(link: Link, limit_s: float) -> object:
        made = honest(link, 10.0 if limit_s == 0.05 else limit_s)
        limits.append(made._limit_s)
        made._limit_s = 0.01
        return made

    monkeypatch.setattr(Link, "patience", patience)
    sim = camera(objects=40, size=1000, faults=["busy on GetPartialObject times 0"])
    with pytest.raises(CameraFailing) as caught:
        ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card")
    assert caught.value.report.failed == STOP_AFTER - 1  # type: ignore[attr-defined]
    assert [limit for limit in limits if limit >= 10] == [10.0] * BRIEF_AFTER


class Watching(Observer):
    def __init__(self) -> None:
        self.waits: list[tuple[str, float]] = []

    def busy(self, error: ptpfast.PTPError, waited_s: float) -> None:
        self.waits.append((getattr(error, "detail", ""), waited_s))


@pytest.mark.parametrize("operation", ["GetPartialObject", "GetObjectInfo", "GetObjectHandles"])
def test_who_watches_is_told_of_every_wait_for_a_busy_camera(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    sim = camera(objects=2, size=1000, faults=[f"busy on {operation} times 6"])
    monkeypatch.setattr("ptpfast.link.link.BUSY_S", 10)
    monkeypatch.setattr("ptpfast.transfer.ranges.BUSY_S", 10)
    watching = Watching()
    assert ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card", observer=watching).ok
    assert watching.waits
    assert all(detail.startswith(operation) for detail, _ in watching.waits)


def test_a_long_wait_is_said_every_few_seconds(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.cli.busy.BUSY_LINE_S", 0.01)
    monkeypatch.setattr("ptpfast.transfer.ranges.BUSY_S", 10)
    sim = camera(objects=2, size=1000, faults=["busy on GetPartialObject times 3"])
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 0
    assert "waiting: the camera is busy (reading IMG_0001.DNG at byte 0" in result.stderr


# What this computer allows


def test_too_few_descriptors_are_said_and_not_blamed_on_the_camera(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, size=1000)
    for number in range(6, 12):
        command = f"ulimit -n {number}; exec {sys.executable} -m ptpfast pull"
        done = subprocess.run(
            ["bash", "-c", f"{command} {sim.host}:{sim.port} {tmp_path / 'card'} --no-index"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode == 0:
            break
        assert done.returncode == 6, done.stderr
        assert "this computer allows no more open files" in done.stderr
    else:
        number = 12
    assert number > 8


def test_a_thread_that_cannot_be_started_is_said_and_leaves_nothing_open(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2, size=1000)
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith("ptpfast events"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(LimitReached, match="no more threads"):
        ptpfast.connect(sim.host, port=sim.port)
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 6
    assert "this computer allows no more threads" in result.stderr


def test_a_limit_that_is_reached_when_connecting_again_ends_the_run_at_once(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2, size=1000, faults=["drop on GetPartialObject"])
    honest = ptpfast.Session.reconnect
    tries: list[object] = []

    def reconnect(session: ptpfast.Session, patience: object = None) -> None:
        tries.append(patience)
        monkeypatch.setattr("socket.create_connection", _no_descriptors)
        honest(session)

    monkeypatch.setattr(ptpfast.Session, "reconnect", reconnect)
    with pytest.raises(LimitReached, match="no more open files"):
        ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card")
    assert len(tries) == 1


def _no_descriptors(*_: object, **__: object) -> None:
    raise OSError(24, "Too many open files")
