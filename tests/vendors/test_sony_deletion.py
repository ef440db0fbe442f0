"""Deleting by Sony's content lists: never another picture, and no refusal that ends a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sony_cameras import asked, camera_of, session_with, state_of

import ptpfast
from ptpfast.ptp.codes import ResponseCode
from ptpfast.ptp.errors import DeviceBusy, TransferError
from ptpfast.sim import Store
from ptpfast.vendors.sony import deleting
from ptpfast.vendors.sony.codes import SonyOperation


@pytest.fixture(autouse=True)
def _no_pauses_for_real_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "DELETE_S", 1.0)


def six_pictures() -> Store:
    store = Store()
    folder = store.add_folder("DCIM")
    for number in range(1, 7):
        day = datetime(2026, 1, number)
        store.add(f"DSC0000{number}.JPG", 5000 + number, parent=folder, captured=day)
    return store


def names_on(camera: Any) -> list[str]:
    return sorted(stored.name for stored in camera.store.files())


def before_commands(session: ptpfast.Session, change: Callable[[], None]) -> None:
    """Run `change` right before the next DeleteContent is sent."""
    link: Any = session.link.dialect.link
    send, changes = link.command, [change]

    def command(operation: int, *given: Any, **named: Any) -> Any:
        if operation == SonyOperation.DeleteContent and changes:
            changes.pop()()
        return send(operation, *given, **named)

    link.command = command


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_list_renewed_between_two_deletions_deletes_no_other_picture(
    monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    with camera_of("a7m4", store=six_pictures()) as camera, session_with(camera) as session:
        objects = session.objects()
        session.delete(objects[3])
        link: Any = session.link.dialect.link
        pause, renewals = link.pause, [shift]

        def renewing(seconds: float) -> None:
            pause(seconds)
            if seconds > 0.1 and renewals:
                state_of(camera).renew_lists(renewals.pop())

        monkeypatch.setattr(link, "pause", renewing)
        session.delete(objects[2])
        assert renewals == []
        assert names_on(camera) == [f"DSC0000{number}.JPG" for number in (1, 2, 5, 6)]


def test_list_renewed_while_the_camera_is_busy_deletes_no_other_picture() -> None:
    with camera_of("a7m4", store=six_pictures()) as camera, session_with(camera) as session:
        third = session.objects()[2]

        def renew() -> None:
            state_of(camera).renew_lists(2)
            raise DeviceBusy(ResponseCode.DeviceBusy, SonyOperation.DeleteContent, doing="it")

        before_commands(session, renew)
        session.delete(third)
        assert names_on(camera) == [f"DSC0000{number}.JPG" for number in (1, 2, 4, 5, 6)]


def test_list_renewed_in_the_moment_of_a_deletion_is_an_error() -> None:
    with camera_of("a7m4", store=six_pictures()) as camera, session_with(camera) as session:
        third = session.objects()[2]
        before_commands(session, lambda: state_of(camera).renew_lists(2))
        with pytest.raises(TransferError, match="renewed its list"):
            session.delete(third)
        assert len(asked(camera, SonyOperation.DeleteContent)) == 1


def test_camera_that_deletes_nothing_does_not_end_the_pull(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "DELETE_S", 0.1)
    with camera_of("a7m4", store=six_pictures()) as camera, session_with(camera) as session:
        monkeypatch.setattr(camera.body, "delete", lambda handle: None)
        report = ptpfast.pull(session, tmp_path, delete_verified=True)
        assert [result.status for result in report.files] == ["downloaded"] * 6
        assert all("still lists" in result.left for result in report.files[:3])
        assert all("deleted nothing" in result.left for result in report.files[3:])
        assert len(asked(camera, SonyOperation.DeleteContent)) == 3
        assert len(names_on(camera)) == 6


def test_other_picture_that_is_deleted_is_reported_by_the_pull(tmp_path: Path) -> None:
    with camera_of("a7m4", store=six_pictures()) as camera, session_with(camera) as session:
        before_commands(session, lambda: state_of(camera).renew_lists(-1))
        report = ptpfast.pull(session, tmp_path, delete_verified=True)
        assert "renewed its list" in report.files[0].left
        (vanished,) = report.vanished
        assert vanished not in names_on(camera)
        assert (tmp_path / vanished).exists()
        assert len(names_on(camera)) == 5


def test_list_renewed_while_a_file_is_compared_does_not_fail_the_file(tmp_path: Path) -> None:
    with camera_of("a7m4", store=six_pictures()) as camera, session_with(camera) as session:
        ptpfast.pull(session, tmp_path)
        dialect: Any = session.link.dialect
        ask, renewals = dialect._data_parameters, [-1]

        def renewed(*given: int) -> tuple[int, ...]:
            parameters: tuple[int, ...] = ask(*given)
            if renewals:
                state_of(camera).renew_lists(renewals.pop())
            return parameters

        dialect._data_parameters = renewed
        report = ptpfast.pull(session, tmp_path, delete_verified=True)
        assert [result.status for result in report.files] == ["skipped"] * 6
        assert "renewed its list" in report.files[0].left
        assert [result.deleted for result in report.files] == [False, *[True] * 5]
