"""Fujifilm: a body that switches off after the last picture that was chosen on it, and one that is
lost there. On the wire both are the same, until the body answers again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from clocks import Clock
from command_line import at, records, run
from conftest import PATIENT
from outcomes import assert_right
from ptpfast.cli.pull import status
from ptpfast.library.report.merged import merged
from ptpfast.library.report.report import CameraReport, Report
from ptpfast.link import patience
from ptpfast.ptp.codes import OperationCode, ResponseCode
from ptpfast.ptp.errors import DeviceBusy, NetworkError
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.content import read
from ptpfast.vendors.fujifilm import conduct, transport
from ptpfast.vendors.fujifilm.codes import CameraState
from ptpfast.vendors.fujifilm.conduct import offer, session_of

SIZE = 2_500_000  # three pieces
LAST_PIECE = SIZE - 2 * (1 << 20)


class Pauses:
    """The pauses between tries to connect again: a clock goes on, and nobody sleeps."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.seen: Callable[[], object] = lambda: None

    def __call__(self, seconds: float) -> None:
        self.clock.now += seconds
        self.seen()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    pauses = Pauses()
    monkeypatch.setattr(patience, "pause", pauses)
    return pauses


@contextlib.contextmanager
def choosing(*, switches_off: bool, **options: Any) -> Iterator[SimulatedCamera]:
    """A body on which three pictures were chosen."""
    with SimulatedCamera(body="fuji-xt4", objects=3, size=SIZE, **options) as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER, switches_off=switches_off)
        yield sim


def connected(sim: SimulatedCamera) -> ptpfast.Session:
    return ptpfast.connect(sim.host, port=sim.port, vendor="fujifilm", timeouts=PATIENT)


class Loses(ptpfast.Observer):
    """Takes the network away after a number of files, until `returns`."""

    def __init__(self, sim: SimulatedCamera, files: int) -> None:
        self.sim, self.files, self.done = sim, files, 0
        self.left: list[int] = []

    def finished(self, result: Any) -> None:
        self.done += 1
        if self.done == self.files:
            self.left = list(session_of(self.sim.body).chosen)
            self.sim._listener.refuse()
            self.sim.drop_connections()

    def returns(self) -> None:
        self.sim._listener.accept()


def whole(sim: SimulatedCamera, folder: Path) -> list[int]:
    """The pictures that have their name; each is right, and there is nothing else."""
    there = []
    for stored in sim.store.files():
        path = folder / stored.name
        if path.exists():
            assert path.read_bytes() == read(sim.store.expected(stored.handle))
            there.append(stored.handle)
    return there


# After the last picture


def test_a_body_that_switches_off_after_the_last_picture_leaves_every_file_whole(
    pauses: Pauses, tmp_path: Path
) -> None:
    with choosing(switches_off=True) as sim:
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path)
        assert_right(sim, tmp_path)
        assert [each.status for each in report.files] == ["downloaded"] * 3
        assert report.presumed_over
        assert not report.ok
        (note,) = report.notes
        assert note.startswith("The camera is gone after 3 pictures that were chosen on it.")
        assert "if you chose more" in note
        assert sim.connections == 1
    assert 10 < pauses.clock.now - Clock().now < 25  # looked for, and not for a minute


def test_a_body_that_says_there_is_no_other_picture_proves_the_end(tmp_path: Path) -> None:
    with choosing(switches_off=False) as sim:
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path)
        assert report.ok
        assert (report.presumed_over, report.notes) == (False, [])
        assert_right(sim, tmp_path)


def test_a_body_that_is_busy_after_a_picture_has_not_said_that_it_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = DeviceBusy(ResponseCode.DeviceBusy, OperationCode.GetObjectInfo)

    def busy(*_: object) -> None:
        raise answer

    class Busies(ptpfast.Observer):
        def finished(self, result: Any) -> None:
            monkeypatch.setattr("ptpfast.vendors.fujifilm.selected.Selected._described", busy)

    with (
        choosing(switches_off=False) as sim,
        connected(sim) as session,
        pytest.raises(DeviceBusy),
    ):
        ptpfast.pull(session, tmp_path, observer=Busies())


def test_pictures_that_are_here_already_are_an_end_that_is_presumed_too(
    pauses: Pauses, tmp_path: Path
) -> None:
    for became in ("downloaded", "skipped"):
        with choosing(switches_off=True) as sim, connected(sim) as session:
            report = ptpfast.pull(session, tmp_path)
        assert [each.status for each in report.files] == [became] * 3
        assert report.presumed_over


def test_a_picture_that_is_offered_again_and_again_is_no_proven_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with choosing(switches_off=False) as sim:
        with connected(sim) as session:
            ptpfast.pull(session, tmp_path)
        before = conduct.tell_pictures

        def tell(camera: Any, session: Any) -> None:
            session.chosen = [1]  # the body does not move on
            before(camera, session)

        monkeypatch.setattr(conduct, "tell_pictures", tell)
        monkeypatch.setattr("ptpfast.vendors.fujifilm.answers.tell_pictures", tell)
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path)
        assert not report.ok
        (note,) = report.notes
        assert "offers DSCF0001.JPG again" in note


# Lost between two pictures


@pytest.mark.parametrize("goes_on", [True, False])
def test_wi_fi_lost_for_ten_seconds_between_two_pictures_loses_none(
    goes_on: bool, pauses: Pauses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with choosing(switches_off=False) as sim:
        observer = Loses(sim, files=2)
        before = conduct.tell_pictures

        def tell(camera: Any, session: Any) -> None:
            if observer.left:
                session.chosen = [each for each in session.chosen if each in observer.left]
            before(camera, session)

        def seen() -> None:
            if pauses.clock.now >= Clock().now + 10:
                observer.returns()

        pauses.seen = seen
        if goes_on:
            monkeypatch.setattr(conduct, "tell_pictures", tell)
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path, observer=observer)
        assert report.ok
        assert not report.presumed_over
        assert report.downloaded == 3
        assert_right(sim, tmp_path)


def test_a_body_that_stays_away_with_pictures_left_is_no_success(
    pauses: Pauses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with choosing(switches_off=False) as sim:
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path, observer=Loses(sim, files=2))
        assert whole(sim, tmp_path) == [1, 2]
        assert report.presumed_over
        assert not report.ok
        assert "after 2 pictures" in report.notes[0]


def test_a_body_that_comes_back_with_another_function_has_not_said_that_it_was_all(
    pauses: Pauses, tmp_path: Path
) -> None:
    with choosing(switches_off=False) as sim:
        observer = Loses(sim, files=1)

        def seen() -> None:
            offer(sim.body, CameraState.REMOTE)
            observer.returns()

        pauses.seen = seen
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path, observer=observer)
            assert whole(sim, tmp_path) == [1]
            assert report.presumed_over
            again = ptpfast.pull(session, tmp_path)  # of the whole card
        assert again.ok
        assert_right(sim, tmp_path)


# In the middle of the last picture


class SwitchesOff(ptpfast.Observer):
    """Switches the body off once so many bytes of the third picture are here."""

    def __init__(self, sim: SimulatedCamera, after: int) -> None:
        self.sim, self.after = sim, after

    def progress(self, info: Any, received: int, size: int | None) -> None:
        if info.handle == 3 and received >= self.after:
            self.sim._listener.refuse()
            self.sim.drop_connections()


def test_a_body_that_switches_off_amid_the_last_picture_leaves_a_part_of_it(
    pauses: Pauses, tmp_path: Path
) -> None:
    with choosing(switches_off=False) as sim:
        with connected(sim) as session, pytest.raises(NetworkError) as caught:
            ptpfast.pull(session, tmp_path, observer=SwitchesOff(sim, 1 << 20))
        assert whole(sim, tmp_path) == [1, 2]
        report = caught.value.report
        assert (report.downloaded, report.remaining, report.ok) == (2, 1, False)
        assert (tmp_path / "DSCF0003.JPG.part").exists()


def test_a_last_picture_of_which_only_the_response_is_lost_is_whole(
    pauses: Pauses, tmp_path: Path
) -> None:
    with choosing(
        switches_off=False, faults=[f"drop on GetPartialObject after {LAST_PIECE} at 9"]
    ) as sim:
        pauses.seen = sim._listener.refuse
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path)
        assert sim.faults.fired
        assert report.presumed_over
        assert_right(sim, tmp_path)


# What the report and the command say


def test_one_of_several_cameras_makes_the_end_of_all_presumed(tmp_path: Path) -> None:
    reports = [Report(tmp_path), Report(tmp_path, presumed_over=True)]
    cameras = [CameraReport(str(number), report) for number, report in enumerate(reports)]
    both = merged(Report(tmp_path), cameras)
    assert (both.presumed_over, both.ok, status(both)) == (True, False, 3)
    assert merged(Report(tmp_path), cameras[:1]).ok


def test_the_command_says_that_the_end_is_presumed_and_ends_with_its_status(
    pauses: Pauses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with choosing(switches_off=True) as sim:
        monkeypatch.setattr(transport.FujifilmTransport, "port", sim.port)
        done = run("pull", at(sim), tmp_path / "json", "--json")
        assert done.exit_code == 3
        summary = records(done.stdout)[-1]
        assert summary["type"] == "summary"
        assert (summary["presumed_over"], summary["ok"]) == (True, False)
        assert "if you chose more" in summary["notes"][0]
    with choosing(switches_off=True) as sim:
        monkeypatch.setattr(transport.FujifilmTransport, "port", sim.port)
        done = run("pull", at(sim), tmp_path / "plain")
        assert done.exit_code == 3
        assert "gone after 3 pictures" in done.output
        assert "it is not known whether the camera had more" in done.output
        assert_right(sim, tmp_path / "plain")
    with choosing(switches_off=False) as sim:
        monkeypatch.setattr(transport.FujifilmTransport, "port", sim.port)
        done = run("pull", at(sim), tmp_path / "proven", "--json")
        assert done.exit_code == 0
        assert records(done.stdout)[-1]["presumed_over"] is False
