"""The faults that people meet most, one plain test each, by what they were doing.

Everything else is in the matrices and in docs/faults.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ptpfast
from ptpfast import (
    ConnectFailed,
    ConnectionLost,
    DeviceBusy,
    InitFailed,
    ResponseError,
    Session,
    SinkError,
    Timeouts,
)
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store

TIMEOUTS = Timeouts(connect=2, operation=1.5, idle=1.5, close=1)
FIRST, SECOND = 0x40003, 0x40004  # handles of the first two pictures
SIZE = 300_000


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
def sim() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(store=Store.synthetic(3, SIZE)) as camera:
        yield camera


@pytest.fixture
def session(sim: SimulatedCamera) -> Iterator[Session]:
    with connect(sim) as opened:
        yield opened


def connect(sim: SimulatedCamera) -> Session:
    return ptpfast.connect(sim.host, port=sim.port, timeouts=TIMEOUTS)


def content(sim: SimulatedCamera, handle: int) -> bytes:
    return b"".join(sim.store.expected(handle).spans(0, SIZE))


def assert_all_here(sim: SimulatedCamera, folder: Path) -> None:
    for item in sim.store.files():
        assert (folder / item.name).read_bytes() == content(sim, item.handle)
    assert not list(folder.glob("*.part*"))


class TestPullingACard:
    def test_connection_that_drops_amid_a_picture_is_made_again(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("drop on GetPartialObject after 100000")
        report = ptpfast.pull(session, tmp_path)
        assert report.downloaded == 3
        assert sim.connections == 2
        assert_all_here(sim, tmp_path)

    def test_connection_that_is_reset_is_made_again(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("reset on GetPartialObject after 100000")
        assert ptpfast.pull(session, tmp_path).downloaded == 3
        assert_all_here(sim, tmp_path)

    def test_camera_that_stops_sending_is_connected_to_again(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("stall on GetPartialObject after 100000")
        assert ptpfast.pull(session, tmp_path).downloaded == 3
        assert sim.connections == 2
        assert_all_here(sim, tmp_path)

    def test_camera_that_goes_to_sleep_is_connected_to_again(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("sleep on GetPartialObject at 2")
        assert ptpfast.pull(session, tmp_path).downloaded == 3
        assert_all_here(sim, tmp_path)

    def test_camera_that_is_busy_for_a_moment_is_asked_again(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("busy on GetPartialObject times 3")
        assert ptpfast.pull(session, tmp_path).downloaded == 3
        assert sim.connections == 1
        assert_all_here(sim, tmp_path)

    def test_picture_that_the_camera_refuses_is_set_aside(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("respond=0x2002 handle 0x40003 on GetPartialObject times 0")
        report = ptpfast.pull(session, tmp_path)
        assert (report.downloaded, report.failed) == (2, 1)
        sim.faults.clear()
        assert ptpfast.pull(session, tmp_path).downloaded == 1
        assert_all_here(sim, tmp_path)

    def test_picture_that_is_deleted_meanwhile_is_set_aside(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("vanish handle 0x40003 after 100000")
        report = ptpfast.pull(session, tmp_path)
        assert (report.downloaded, report.failed) == (2, 1)
        assert_all_here(sim, tmp_path)

    def test_chunk_that_comes_short_is_asked_for_again(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("short_data on GetPartialObject after 100000")
        assert ptpfast.pull(session, tmp_path).downloaded == 3
        assert_all_here(sim, tmp_path)

    def test_run_that_was_interrupted_is_gone_on_with(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("drop on GetPartialObject after 100000")
        with pytest.raises(ConnectionLost):
            ptpfast.pull(session, tmp_path, retry=0)
        with connect(sim) as next_one:
            report = ptpfast.pull(next_one, tmp_path)
        assert report.downloaded == 3
        assert report.bytes < 3 * SIZE  # what was here is not fetched again
        assert_all_here(sim, tmp_path)


class TestListingACard:
    def test_object_that_cannot_be_described_does_not_hide_the_others(
        self, sim: SimulatedCamera, session: Session
    ) -> None:
        sim.faults.add("respond=0x2009 handle 0x40003 on GetObjectInfo times 0")
        table = session.objects()
        assert [info.handle for info in table] == [SECOND, SECOND + 1]
        assert [handle for handle, _ in table.failures] == [FIRST]

    def test_description_that_is_cut_is_asked_for_again(
        self, sim: SimulatedCamera, session: Session
    ) -> None:
        sim.faults.add("cut_data=30 on GetObjectInfo")
        table = session.objects()
        assert len(table) == 3
        assert not table.failures

    def test_card_that_lists_nothing_once_is_asked_again(
        self, sim: SimulatedCamera, session: Session
    ) -> None:
        sim.faults.add("empty_data on GetObjectHandles")
        assert len(session.objects()) == 3


class TestConnecting:
    def test_camera_that_another_computer_has_says_so(self, sim: SimulatedCamera) -> None:
        sim.faults.add("init_fail=2 times 0")
        with pytest.raises(InitFailed, match="busy"):
            connect(sim)

    def test_camera_that_does_not_know_this_computer_says_so(self, sim: SimulatedCamera) -> None:
        sim.faults.add("init_fail=1 times 0")
        with pytest.raises(InitFailed, match="not registered"):
            connect(sim)

    def test_camera_that_says_nothing_is_not_waited_for_long(self, sim: SimulatedCamera) -> None:
        sim.faults.add("init_silence times 0")
        with pytest.raises(ConnectFailed, match="does not answer"):
            connect(sim)


class TestDownloadingOnePicture:
    def test_lost_connection_is_said_and_what_came_is_kept(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        (info, *_) = session.objects()
        sim.faults.add("drop on GetPartialObject after 100000")
        with pytest.raises(ConnectionLost):
            session.download(info, tmp_path / info.name)
        assert not (tmp_path / info.name).exists()
        session.reconnect()
        transfer = session.download(info, tmp_path / info.name)
        assert transfer.resumed_at > 0
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)

    def test_folder_that_is_not_there_is_said(self, session: Session, tmp_path: Path) -> None:
        (info, *_) = session.objects()
        with pytest.raises(SinkError, match="No such file or directory"):
            session.download(info, tmp_path / "missing" / info.name)
        assert session.read(info)  # the session goes on

    def test_refusal_is_said_by_its_name_and_the_session_goes_on(
        self, sim: SimulatedCamera, session: Session
    ) -> None:
        (info, *_) = session.objects()
        sim.faults.add("respond=0x200F on GetThumb")
        with pytest.raises(ResponseError, match="AccessDenied"):
            session.thumbnail(info)
        assert session.read(info) == content(sim, info.handle)

    def test_camera_that_stays_busy_is_said_to_be(
        self, sim: SimulatedCamera, session: Session
    ) -> None:
        sim.faults.add("busy on GetStorageInfo times 0")
        with pytest.raises(DeviceBusy):
            session.storage_info(session.storage_ids()[0])


class TestDeletingWhatIsHere:
    def test_deletion_that_is_refused_leaves_the_picture_and_is_said(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        sim.faults.add("respond=0x200D handle 0x40003 on DeleteObject times 0")
        report = ptpfast.pull(session, tmp_path, delete_verified=True)
        assert report.deleted == 2
        assert [item.handle for item in sim.store.files()] == [FIRST]

    def test_deletion_whose_answer_is_lost_is_looked_for(
        self, sim: SimulatedCamera, session: Session, tmp_path: Path
    ) -> None:
        before = {item.name: content(sim, item.handle) for item in sim.store.files()}
        sim.faults.add("drop handle 0x40003 on DeleteObject after end")
        report = ptpfast.pull(session, tmp_path, delete_verified=True)
        assert report.deleted == 3
        assert not sim.store.files()
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
