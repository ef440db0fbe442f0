"""The limit of the rate: its texts, its times, and what is received under it."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at, records, run
from conftest import PATIENT, Cameras, without_pauses
from objects_of import content
from ptpfast.link import limiting
from ptpfast.link.limiting import LEAST_READ, SLICE_S, RateLimit
from ptpfast.link.pace import Pace
from ptpfast.ptp.errors import Cancelled
from ptpfast.sim import Fault, SimulatedCamera


class Clock:
    """A clock that only pauses move on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.day = datetime(2026, 11, 30, 12, 0)  # a Monday
        self.pauses: list[float] = []
        self._lock = threading.Lock()
        monkeypatch.setattr(limiting, "pause", self.pause)

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.pauses.append(seconds)

    def limit(self, given: Any) -> RateLimit:
        limit = RateLimit.of(given)
        assert limit is not None
        limit._clock, limit._today = self, lambda: self.day
        return limit


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("given", "times"),
    [
        ("2M", {"Mon 00:00": 2_000_000, "Sun 23:59": 2_000_000}),
        (50_000, {"Tue 10:00": 50_000}),
        ("off", {"Tue 10:00": None}),
        ("0", {"Tue 10:00": None}),
        (
            "08:00,2M 18:00,off",
            {"Mon 07:59": None, "Mon 08:00": 2_000_000, "Tue 17:59": 2_000_000, "Tue 18:00": None},
        ),
        (
            "Mon-08:00,1M Fri-18:30,off",
            {"Mon 07:59": None, "Thu 00:00": 1_000_000, "Fri 18:30": None, "Sun 12:00": None},
        ),
        (
            "08:00,1MiB sun-00:00,off",
            {"Sun 07:00": None, "Sun 08:00": 1 << 20, "Sat 1:00": 1 << 20},
        ),
    ],
)
def test_the_rate_is_that_of_the_time(
    given: Any, times: dict[str, int | None], clock: Clock
) -> None:
    limit = clock.limit(given)
    for text, rate in times.items():
        day, hour = text.split()
        number = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day)
        clock.day = datetime(2026, 11, 30 - 7 + number, *map(int, hour.split(":")))
        clock.now += limiting.LOOK_S
        assert limit.rate == rate, text


WRONG = {
    "": "is not a rate",
    "fast": "is not a size",
    "2M 3M": "is not a time with a rate",
    "08:00 2M": "is not a time with a rate",
    "24:00,2M": "there is no such time",
    "08:60,2M": "there is no such time",
    "xyz-08:00,2M": "the days are mon",
    "08:00,2X": "is not a size",
    "9999": "write at least 10K",
    "-5M": "is not a size",
    "10M:1M": "is not a size",
    "٠٨:00,2M": "is not a time",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_rate_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=WRONG[text]):
        RateLimit.of(text)
    with pytest.raises(ValueError, match=WRONG[text]):
        ptpfast.pull("127.0.0.1:9", tmp_path, bwlimit=text)
    done = run("pull", "127.0.0.1:9", tmp_path, f"--bwlimit={text}")
    assert done.exit_code == 2
    assert WRONG[text] in done.stderr


@pytest.mark.parametrize("given", [True, 2.5, b"2M", -1])
def test_a_wrong_type_of_rate_is_refused(given: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        RateLimit.of(given)


@pytest.mark.parametrize("chunk", [0, 65_536, None], ids=["whole", "parts", "adaptive"])
def test_objects_come_evenly_at_the_limit(
    chunk: int | None, camera: Cameras, clock: Clock, tmp_path: Path
) -> None:
    sim = camera(objects=4, size=300_000)
    rate = 1_000_000
    report = ptpfast.pull(
        at(sim), tmp_path, bwlimit=clock.limit(rate), chunk=chunk, timeouts=PATIENT
    )
    assert report.ok
    for result in report.files:
        assert result.path is not None
        assert result.path.read_bytes() == content(sim, result.handle)
    # The last read is not paid for. Each other one is, so evenly that TCP keeps moving.
    least = 1_200_000 / rate - 2 * SLICE_S
    assert least <= sum(clock.pauses) <= 1_200_000 / rate + SLICE_S
    assert max(clock.pauses) <= SLICE_S + 0.01


def test_several_cameras_share_one_limit(camera: Cameras, clock: Clock, tmp_path: Path) -> None:
    sims = [camera(objects=2, size=300_000, seed=seed) for seed in (1, 2)]
    report = ptpfast.pull(
        [at(sim) for sim in sims], tmp_path, bwlimit=clock.limit("1M"), timeouts=PATIENT
    )
    assert report.ok
    assert report.downloaded == 4
    assert clock.now - 1000 >= 1.2 - 4 * SLICE_S


class Greedy(Exception):
    """A connection with more data than the limit lets through had to wait."""


@pytest.mark.parametrize("others", [1, 3])
def test_a_connection_that_always_has_data_does_not_starve_another(
    others: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each moment at which something may be received, the greedy ones ask first."""
    limit = clock.limit("1M")
    limit.count(50_000)
    turns: list[str] = []

    def greedy() -> None:
        """Receive, unless another connection has waited for longer."""
        try:
            size = limit.wait()
        except Greedy:
            return
        assert size is not None
        turns.append("greedy")
        limit.count(size)

    def paused(seconds: float) -> None:
        if len(limit._waiting) > 1:  # of a greedy one, while the patient one waits
            raise Greedy
        assert len(turns) < 100, "the patient connection never gets its turn"
        clock.now += seconds
        for _ in range(others):
            greedy()

    monkeypatch.setattr(limiting, "pause", paused)
    for _ in range(5):
        size = limit.wait()
        assert size is not None
        turns.append("patient")
        limit.count(size)
    assert turns == ["patient"] * 5


def test_a_thread_that_stops_while_it_waits_holds_up_no_other(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = clock.limit("1M")
    limit.count(500_000)

    def stopped(seconds: float) -> None:
        raise Cancelled("stopped")

    monkeypatch.setattr(limiting, "pause", stopped)
    with pytest.raises(Cancelled):
        limit.wait()
    monkeypatch.setattr(limiting, "pause", clock.pause)
    assert limit.wait()


@pytest.mark.parametrize("drops", [1, 4])
def test_a_camera_that_drops_and_comes_back_shares_the_limit_again(
    camera: Cameras, clock: Clock, tmp_path: Path, drops: int
) -> None:
    fault = Fault("drop", operation=0x101B, after=100_000, times=drops)
    lost = camera(without_pauses("standard"), objects=2, size=300_000, faults=fault)
    other = camera(objects=2, size=300_000, seed=7)
    options: dict[str, Any] = {"chunk": 65_536 * 2, "timeouts": PATIENT}
    report = ptpfast.pull([at(lost), at(other)], tmp_path, bwlimit=clock.limit("1M"), **options)
    assert report.ok
    assert report.downloaded == 4
    first, second = (each.report for each in report.cameras)
    assert first.retries
    assert not second.retries
    for sim, one in ((lost, first), (other, second)):
        for result in one.files:
            assert result.path is not None
            assert result.path.read_bytes() == content(sim, result.handle)


def test_a_session_is_free_again_after_the_run(
    camera: Cameras, clock: Clock, tmp_path: Path
) -> None:
    sim = camera(objects=1)
    with ptpfast.connect(at(sim), timeouts=PATIENT) as session:
        ptpfast.pull(session, tmp_path, bwlimit=clock.limit("1M"))
        assert clock.pauses
        assert session.link.connection.limit is None


def test_a_connection_that_follows_a_lost_one_is_limited(
    camera: Cameras, clock: Clock, tmp_path: Path
) -> None:
    sim = camera(
        without_pauses("standard"), objects=1, size=900_000, faults=Fault("drop", operation=0x101B)
    )
    report = ptpfast.pull(
        at(sim), tmp_path, bwlimit=clock.limit("1M"), chunk=65_536, timeouts=PATIENT
    )
    assert report.ok
    assert report.retries
    assert sum(clock.pauses) >= 0.9 - 3 * SLICE_S


def test_a_limited_rate_is_not_taken_for_the_cameras(
    camera: Cameras, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learnt(*_: object) -> None:
        raise AssertionError("the chunk size was changed by a limited rate")

    monkeypatch.setattr("ptpfast.link.chunking.ChunkPolicy.done", learnt)
    monkeypatch.setattr(Pace, "add", learnt)
    report = ptpfast.pull(
        at(camera(objects=1)), tmp_path, bwlimit=clock.limit("1M"), chunk=None, timeouts=PATIENT
    )
    assert report.ok


def test_a_stopped_run_does_not_wait_for_its_limit(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(seconds: float) -> None:
        raise Cancelled("stopped")

    monkeypatch.setattr(limiting, "pause", stopped)
    sim = camera(objects=1, size=900_000)
    with pytest.raises(Cancelled) as caught:
        ptpfast.pull(at(sim), tmp_path, bwlimit=1_000_000, timeouts=PATIENT)
    assert caught.value.report.remaining == 1
    monkeypatch.undo()
    report = ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT)
    assert report.ok
    assert report.files[0].path.read_bytes() == content(sim, report.files[0].handle)


def test_no_lock_is_held_while_a_camera_pauses(clock: Clock) -> None:
    limit = clock.limit("1M")
    limit.count(500_000)
    free: list[bool] = []
    plain = clock.pause

    def look(seconds: float) -> None:
        free.append(limit._lock.acquire(blocking=False))
        limit._lock.release()
        plain(seconds)

    limiting.pause = look  # type: ignore[assignment]  # the fixture puts it back
    assert limit.wait() == max(LEAST_READ, int(1_000_000 * SLICE_S))
    assert free == [True]


def test_the_limit_of_a_watch_and_a_pull_is_an_option(camera: Cameras, tmp_path: Path) -> None:
    sim: SimulatedCamera = camera(objects=1, size=3000)
    done = run("pull", at(sim), tmp_path, "--bwlimit", "00:00,50M 12:00,60M", "--json")
    assert records(done.stdout)[-1]["downloaded"] == 1
    assert "--bwlimit" in run("watch", "--help").stdout
