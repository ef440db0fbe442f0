"""What the summary says of a run that waited for the disk or for round trips."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from ptpfast.cli.summary import advice_line
from ptpfast.library.pull import pull
from ptpfast.library.report.report import Report


@pytest.mark.parametrize(
    ("seconds", "round_trips_s", "waited_s", "words"),
    [
        (10.0, 2.0, 0.0, ["20% of the time", "round trips", "up to 1.2 times"]),
        (10.0, 10.0, 0.0, ["100% of the time", "up to 10.0 times"]),
        (10.0, 0.5, 0.0, []),
        (1.0, 0.9, 0.9, []),
        (10.0, 2.0, 4.0, ["disk", "40% of the time"]),
    ],
)
def test_a_long_run_that_waited_much_says_for_what(
    tmp_path: Path, seconds: float, round_trips_s: float, waited_s: float, words: list[str]
) -> None:
    report = Report(tmp_path)
    report.traffic.seconds = seconds
    report.traffic.round_trips_s = round_trips_s
    report.traffic.waited_s = waited_s
    line = advice_line(report)
    assert bool(line) == bool(words)
    assert all(word in line for word in words)


def test_round_trips_of_a_run_are_those_of_its_reads(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera(objects=1, size=400_000, delay_s=0.02))
    first = pull(session, tmp_path / "one", chunk=100_000)
    assert first.seconds > first.round_trips_s >= 4 * 0.02
    second = pull(session, tmp_path / "two", chunk=200_000)
    assert 2 * 0.02 <= second.round_trips_s < session.habits.waited_s
