"""The status line of several cameras."""

from __future__ import annotations

from pathlib import Path

import pytest

from clocks import Clock
from ptpfast.cli.status import Status
from ptpfast.cli.statuses import Statuses
from ptpfast.ptp.objects import ObjectInfo

MB = 1_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


def receiving(statuses: Statuses, name: str, clock: Clock, *, listed: bool = True) -> Status:
    """A camera in the first of its 12 files of 25 MB."""
    status = statuses.add(name)
    status.planned(12, 300 * MB, listed=listed)
    info = ObjectInfo(1, "IMG_0001.CR3", "IMG_0001.CR3", 25 * MB, 0x3000)
    status.started(info, Path("IMG_0001.CR3"), 0)
    return status


def move(clock: Clock, *each: Status) -> None:
    for step in range(5):
        clock.now += 1
        for status in each:
            status.progress(4 * MB * (step + 1), 25 * MB)


def test_with_one_camera_it_is_the_line_of_that_camera(clock: Clock) -> None:
    status = Status(8, clock)
    assert Statuses(status).line(80) == status.line(80)


def test_it_adds_up_what_all_cameras_do(clock: Clock) -> None:
    statuses = Statuses(Status(8, clock))
    one, two = (receiving(statuses, name, clock) for name in ("a.example", "b.example"))
    move(clock, one, two)
    assert statuses.line(80) == "2 cameras 0/24   8.0 MB/s 1:10 left"
    one.finished(1, stopped=False)
    assert "2 cameras 1/24" in statuses.line(80)


def test_it_says_for_what_a_camera_waits_in_any_width(clock: Clock) -> None:
    statuses = Statuses(Status(8, clock))
    one, two = (receiving(statuses, name, clock) for name in ("a.example", "b.example"))
    move(clock, one, two)
    two.lost()
    clock.now += 1
    one.progress(24 * MB, 25 * MB)
    line = statuses.line(120)
    assert "b.example: waiting for the camera, try 1 of 8, 1 s" in line
    assert "a.example" not in line
    for width in (40, 60, 80, 120):
        assert len(statuses.line(width)) <= width
    assert statuses.line(40).endswith("1 waiting")
    assert statuses.line(12).endswith("MB/s")


def test_a_camera_that_is_done_waits_for_nothing(clock: Clock) -> None:
    statuses = Statuses(Status(8, clock))
    one, two = (receiving(statuses, name, clock) for name in ("a.example", "b.example"))
    move(clock, one, two)
    two.finished(1, stopped=True)
    assert "b.example: stopping" in statuses.line(120)
    two.end()
    assert "b.example" not in statuses.line(120)


def test_silence_of_one_camera_is_said_and_the_list_may_grow(clock: Clock) -> None:
    statuses = Statuses(Status(8, clock))
    one = receiving(statuses, "a.example", clock)
    two = receiving(statuses, "b.example", clock, listed=False)
    move(clock, one, two)
    clock.now += 5
    one.progress(25 * MB, 25 * MB)
    line = statuses.line(120)
    assert "2 cameras 0/24+" in line
    assert "b.example: no data for 5 s" in line
    assert "left" not in line
