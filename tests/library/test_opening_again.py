"""A connection that is lost while a session opens is tried again, as one that is lost later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import command_line
import ptpfast
from adversity import assert_right, expected_files
from conftest import PATIENT, Cameras
from hasty import run
from ptpfast import ConnectFailed, ConnectionLost, Observer, PTPError
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera

OPENING = ["OpenSession", "GetDeviceInfo"]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


class Told(Observer):
    def __init__(self) -> None:
        self.losses: list[str] = []
        self.tries: list[int] = []

    def lost(self, error: PTPError) -> None:
        self.losses.append(type(error).__name__)

    def reconnecting(self, tries: int) -> None:
        self.tries.append(tries)


def fetch(sim: Any, folder: Path, **options: Any) -> ptpfast.Report:
    return ptpfast.pull(command_line.at(sim), folder, timeouts=PATIENT, **options)


@pytest.mark.parametrize("operation", OPENING)
@pytest.mark.parametrize("times", [1, 3])
def test_a_run_begins_although_the_first_connections_are_lost(
    camera: Cameras, tmp_path: Path, operation: str, times: int
) -> None:
    sim = camera(faults=[f"drop on {operation} times {times}"])
    told = Told()
    report = fetch(sim, tmp_path, observer=told)
    assert report.downloaded == 4
    assert_right(tmp_path, expected_files(sim))
    assert told.losses == ["ConnectionLost"] * times
    assert told.tries == list(range(1, times + 1))


@pytest.mark.parametrize("operation", OPENING)
@pytest.mark.parametrize("retry", [0, 2])
def test_a_camera_that_never_opens_a_session_ends_the_run(
    camera: Cameras, tmp_path: Path, operation: str, retry: int
) -> None:
    sim = camera(faults=[f"drop on {operation} times 0"])
    with pytest.raises(ConnectionLost):
        fetch(sim, tmp_path, retry=retry)
    assert sim.connections == 1 + retry
    assert list(tmp_path.iterdir()) == []


def test_an_address_where_nothing_answers_is_tried_once(tmp_path: Path) -> None:
    with SimulatedCamera(objects=0) as sim:
        address = command_line.at(sim)
    told = Told()
    with pytest.raises(ConnectFailed):
        ptpfast.pull(address, tmp_path, timeouts=PATIENT, observer=told)
    assert told.losses == []


def test_the_command_says_that_it_connects_again(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(faults=["drop on GetDeviceInfo times 1"])
    result = run(sim, "pull", tmp_path)
    assert result.exit_code == 0, result.output
    assert "reconnecting (1 of 8)" in result.stderr
    assert "4 files downloaded" in result.stdout
