"""What a run of `pull` says of itself at each moment, by a clock of the test's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clocks import Clock
from ptpfast import ConnectionLost, InitFailed, ObjectInfo, PTPError, Timeout
from ptpfast.cli.output import Output, in_lines
from ptpfast.cli.progress import HELD, Lines
from ptpfast.cli.status import Status, human_wait, shortened, storing_words
from ptpfast.library.report.rate import WINDOW_S, Rate
from ptpfast.library.report.report import Report
from ptpfast.library.report.results import FileResult
from ptpfast.ptp.codes import FailReason

WIDTHS = (36, 76, 116)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def status(clock: Clock) -> Status:
    return Status(8, clock)


def info(number: int, size: int | None = 40_000_000, name: str = "") -> ObjectInfo:
    name = name or f"IMG_{number:04d}.DNG"
    return ObjectInfo(number, name, name, size, 0x3811)


def receive(status: Status, clock: Clock, seconds: float, *, rate: int, at: int = 0) -> int:
    """Bytes that come for so many seconds, ten times a second."""
    for _ in range(round(10 * seconds)):
        clock.now += 0.1
        at += rate // 10
        status.progress(at, 40_000_000)
    return at


def begin(status: Status, count: int = 12, number: int = 1, **more: Any) -> None:
    status.planned(count, count * 40_000_000, listed=True)
    one = info(number, **more)
    status.started(one, Path(one.name), 0)


def test_the_rate_is_that_of_the_last_seconds_and_falls_to_nothing(clock: Clock) -> None:
    rate = Rate(clock)
    assert rate.now() == 0
    rate.add(0)
    for step in range(1, 101):
        clock.now += 0.1
        rate.add(step * 1_000_000)
    assert rate.now() == pytest.approx(10e6, rel=0.01)
    clock.now += WINDOW_S / 2
    assert rate.now() == pytest.approx(5e6, rel=0.06)
    clock.now += WINDOW_S / 2
    assert rate.now() == 0
    assert len(rate._samples) < 50


def test_a_file_under_way_is_said_with_its_place_amount_rate_and_time_left(
    status: Status, clock: Clock
) -> None:
    begin(status)
    receive(status, clock, 1.5, rate=10_000_000)
    wide = status.line(116)
    assert wide.startswith("1/12 IMG_0001.DNG ━━━")
    assert wide.endswith("15.0 of 40.0 MB  10.0 MB/s  0:47 left")
    assert status.line(50) == "1/12 IMG_0001.DNG 15.0 of 40.0 MB  10.0 MB/s"
    assert status.line(36) == "1/12 …01.DNG 15.0/40.0 MB  10.0 MB/s"
    assert status.line(12) == "10.0 MB/s"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_is_as_wide_from_the_first_byte_to_the_last(
    status: Status, clock: Clock, width: int
) -> None:
    begin(status)
    at, widths = 0, set()
    for _ in range(6):
        at = receive(status, clock, 0.6, rate=10_000_000, at=at)
        widths.add(len(status.line(width)))
    assert len(widths) == 1


def test_a_silent_camera_is_said_within_seconds(status: Status, clock: Clock) -> None:
    begin(status)
    receive(status, clock, 1.5, rate=10_000_000)
    clock.now += 2
    assert "0 B/s" in status.line(76)
    clock.now += 12
    assert status.line(76) == "1/12 IMG_0001.DNG 15.0 of 40.0 MB no data for 14 s"
    assert status.line(36) == "1/12 IMG_0001.DNG: no data for 14 s"


def test_a_lost_camera_is_said_with_the_try_and_the_wait(status: Status, clock: Clock) -> None:
    begin(status)
    at = receive(status, clock, 1.5, rate=10_000_000)
    status.lost()
    status.trying(1)
    clock.now += 5
    status.trying(2)
    clock.now += 9
    assert status.line(76) == "1/12 IMG_0001.DNG: waiting for the camera, try 2 of 8, 14 s"
    assert status.line(36) == "camera lost, try 2 of 8, 14 s"
    assert status.progress(at, 40_000_000) is False  # nothing new
    assert status.progress(at + 1, 40_000_000) is True
    assert "waiting" not in status.line(76)


def test_every_wait_says_what_is_waited_for(status: Status, clock: Clock) -> None:
    assert status.line(36) == "connecting to the camera, 0 s"
    status.counting("listing", 310, 6000)
    assert status.line(36) == "listing: 310 of 6,000, 0 s"
    begin(status)
    status.waits_for("the camera is busy", 4.0)
    clock.now += 1
    assert status.line(76) == "1/12 the camera is busy, 5 s"
    status.waits_for(storing_words(3, "disk"), 2.0)
    assert status.line(76) == "1/12 waiting for the disk (3 files to store), 2 s"
    receive(status, clock, 0.1, rate=10_000_000)
    status.finished(1, stopped=False)
    assert status.line(36) == "1/12 files 909.1 kB/s"
    clock.now += 4
    assert status.line(76) == "1/12 preparing the next file, 4 s"
    status.planned(1, 40_000_000, listed=True)
    status.started(info(2), Path("B.DNG"), 0)
    status.finished(2, stopped=False)
    clock.now += 2
    assert status.line(36) == "1/1 finishing, 2 s"


def test_what_ctrl_c_leaves_unfinished_does_not_count(status: Status, clock: Clock) -> None:
    begin(status)
    receive(status, clock, 1.5, rate=10_000_000)
    before = status._moved
    status.finished(1, stopped=True)
    assert (status.done, status._moved) == (0, before)
    assert status.line(36).endswith("stopping, 0 s")


def test_a_file_may_begin_before_the_last_one_is_stored(status: Status, clock: Clock) -> None:
    begin(status)
    receive(status, clock, 4, rate=10_000_000)
    status.started(info(2), Path("IMG_0002.DNG"), 0)
    assert status.finished(1, stopped=False)
    assert status.line(76).startswith("2/12 IMG_0002.DNG")
    assert not status.finished(7, stopped=False)  # never under way
    assert status.done == 1


@pytest.mark.parametrize("width", [*range(1, 120, 7), 36])
@pytest.mark.parametrize("name", ["IMG_0001.DNG", "x" * 200 + ".NEF", "\x1b[31m‮.JPG", "写真" * 30])
def test_no_line_is_wider_than_the_terminal(
    status: Status, clock: Clock, width: int, name: str
) -> None:
    from rich.cells import cell_len

    lines = [status.line(width)]
    begin(status, count=12345, name=name)
    receive(status, clock, 1.5, rate=10_000_000)
    lines.append(status.line(width))
    clock.now += 5000
    lines.append(status.line(width))
    status.lost()
    lines.append(status.line(width))
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.isprintable() and "\x1b" not in line for line in lines)


def test_an_unknown_size_and_a_growing_list_are_said(status: Status, clock: Clock) -> None:
    status.planned(5, 0, listed=False)
    status.started(info(1, None), Path("A.MOV"), 0)
    status.progress(5_000_000, None)
    assert status.line(76).startswith("1/5+ A.MOV")
    assert " of " not in status.line(76)


def test_waits_and_names_are_short() -> None:
    assert [human_wait(s) for s in (-1, 0.9, 59.9, 187, 7320)] == [
        *("0 s", "0 s", "59 s", "3 min 07 s", "2 h 02 min"),
    ]
    assert shortened("IMG_0001.DNG", 12) == "IMG_0001.DNG"
    assert shortened("A_very_long_name_0001.DNG", 12) == "A_v…0001.DNG"


# Not a terminal


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return lambda: capsys.readouterr().err.splitlines()


def test_elsewhere_a_line_comes_at_least_every_half_minute(
    status: Status, clock: Clock, said: Any
) -> None:
    lines = Lines(Output("pull"), status, clock)
    begin(status)
    for _ in range(91):
        clock.now += 1
        lines.tick()
    assert said() == [
        f"1/12 IMG_0001.DNG  0.0 of 40.0 MB no data for {wait}"
        for wait in ("30 s", "1 min 00 s", "1 min 30 s")
    ]


def test_elsewhere_each_change_is_a_line(status: Status, clock: Clock, said: Any) -> None:
    lines = Lines(Output("pull"), status, clock)
    report = Report(Path("out"))
    report.card.listed, report.card.selected = True, 2
    lines.planned(report, 2, 80_000_000)
    one = info(1)
    lines.started(one, Path(one.name), 0)
    lines.progress(one, 14_700_000, 40_000_000)
    lines.lost(ConnectionLost("connection lost: the camera closed the connection"))
    lines.reconnecting(1)
    lines.reconnecting(2)
    lines.progress(one, 14_800_000, 40_000_000)
    lines.lost(Timeout("nothing of the answer arrived in time"))
    lines.finished(FileResult(1, one, Path(one.name), "failed", "wrong"))
    assert said() == [
        "2 files selected, 2 to download (80.0 MB)",
        "IMG_0001.DNG: connection lost at 14.7 of 40.0 MB; reconnecting (1 of 8)",
        "1/2 IMG_0001.DNG: waiting for the camera, try 2 of 8, 0 s",
        "IMG_0001.DNG: connected again, continuing",
        "IMG_0001.DNG: the camera stopped answering at 14.8 of 40.0 MB; reconnecting (1 of 8)",
        "IMG_0001.DNG failed: wrong",
    ]


def test_the_thread_for_lines_ends_with_the_run(status: Status, clock: Clock) -> None:
    with Lines(Output("pull"), status, clock) as lines:
        assert lines._thread.is_alive()
    assert not lines._thread.is_alive()


def test_details_of_a_lost_connection_are_said_with_verbose(status: Status, said: Any) -> None:
    lines = Lines(Output("pull", verbose=True), status)
    lines.lost(ConnectionLost("connection lost: the camera closed the connection"))
    assert said() == [
        "connection lost (connection lost: the camera closed the connection); reconnecting (1 of 8)"
    ]


def test_the_place_counts_the_files_that_still_wait_for_the_disk(status: Status) -> None:
    begin(status, count=5)
    begin(status, count=5, number=2)
    begin(status, count=5, number=3)
    assert status.place == "3/5"
    status.finished(1, stopped=False)
    assert status.place == "3/5"


def test_forty_columns_show_the_number_of_a_file_and_its_amount(
    status: Status, clock: Clock
) -> None:
    begin(status, count=8)
    receive(status, clock, 2, rate=3_100_000)
    assert status.line(36) == "1/8 …001.DNG  6.2/40.0 MB   3.1 MB/s"
    assert status.line(38) == "1/8 I…0001.DNG  6.2/40.0 MB   3.1 MB/s"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "8 files selected, 8 to download (32.0 MB)",
            ["8 files selected, 8 to download", "  (32.0 MB)"],
        ),
        (
            "IMG_0001.DNG  4.0 MB in 0.26 s (15.5 MB/s)",
            ["IMG_0001.DNG  4.0 MB in 0.26 s", "  (15.5 MB/s)"],
        ),
        ("no room: 3 files of 250.0 MB are left", ["no room: 3 files of 250.0 MB are left"]),
        (
            "it has been waiting for the camera 14 s",
            ["it has been waiting for the camera", "  14 s"],
        ),
        (
            "a\u00a0name with a space that will not break",
            ["a\u00a0name with a space that will not", "  break"],
        ),
    ],
)
def test_lines_break_between_words_and_never_before_a_unit(text: str, lines: list[str]) -> None:
    assert in_lines(text, 37).split("\n") == lines


def test_path_in_a_line_is_not_broken_at_its_spaces() -> None:
    path = "/home/me/My pictures of 2026/DSC_0001.NEF"
    text = f"DCIM/DSC_0001.NEF -> {path} (1.0 MB)"
    lines = in_lines(text, 37, [path]).split("\n")
    assert lines == ["DCIM/DSC_0001.NEF ->", f"  {path}", "  (1.0 MB)"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PTPError("confirm on the camera"), "waiting for the camera's owner, 0 s"),
        (InitFailed(FailReason.BUSY), HELD + ", 0 s"),
    ],
)
def test_a_wait_for_the_owner_is_not_said_to_be_a_busy_camera(
    status: Status, error: PTPError, says: str
) -> None:
    shown = Lines(Output("pull", quiet=True), status)
    shown.waiting(error)
    assert status.line(76) == says


def test_files_that_take_less_than_a_second_are_counted_and_not_named(
    status: Status, clock: Clock
) -> None:
    status.planned(50, 50 * 200_000, listed=True)
    forms = set()
    for number in range(1, 41):
        one = info(number, size=200_000)
        status.started(one, Path(one.name), 0)
        for received in (0, 100_000, 200_000):
            clock.now += 0.02
            status.progress(received, 200_000)
            if number > 20:
                forms.add(re.sub(r"[\d.]+", "9", status.line(76).replace("─", "━")))
        status.finished(number, stopped=False)
        if number > 20:
            forms.add(re.sub(r"[\d.]+", "9", status.line(76).replace("─", "━")))
    assert len(forms) == 1
    assert status.line(76).startswith("40/50 files ━━━")
    assert status.line(36) == "40/50 files   3.4 MB/s"
    big = info(41)
    status.started(big, Path(big.name), 0)
    assert status.line(76).startswith("41/50 IMG_0041.DNG ")


def test_wait_for_another_computer_does_not_blame_the_disk() -> None:
    status = Status(8, Clock())
    lines = Lines(Output("pull"), status, place="destination")
    lines.storing(2, 5.0)
    assert status.line(76).startswith("waiting for the destination (2 files to store)")
