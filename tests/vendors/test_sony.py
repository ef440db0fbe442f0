"""Sony's sessions: which mode they choose, the order on the wire, and pairing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sony_cameras import (
    ALL_PROPERTIES,
    asked,
    authentication,
    camera_of,
    content_of,
    session_with,
    state_of,
)

import ptpfast
from ptpfast import ConnectFailed, InitFailed, Timeouts, Unsupported
from ptpfast.ptp.codes import DataType
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.datasets import DeviceInfo, DevicePropDesc
from ptpfast.ptp.errors import (
    DeviceBusy,
    PTPError,
    ResponseError,
)
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors import STANDARD
from ptpfast.vendors.sony import sdio
from ptpfast.vendors.sony.codes import Mode, SonyProperty
from ptpfast.vendors.sony.contenttransfer import cards_alone
from ptpfast.vendors.sony.dialect import sony_dialect


def test_body_with_content_lists_is_read_by_them() -> None:
    with camera_of("a7m4") as camera:
        with session_with(camera) as session:
            assert len(session.objects()) == 4
        log = asked(camera)
    assert log[:12] == [
        (Op.GetDeviceInfo, ()),
        (0x9210, (1, Mode.REMOTE_WITH_TRANSFER)),
        *authentication("a7m4"),
        ALL_PROPERTIES["a7m4"],
        (0x923B, (1,)),
        ALL_PROPERTIES["a7m4"],
    ]
    assert not {Op.GetStorageIDs, Op.GetObjectHandles, Op.GetObjectInfo} & {code for code, _ in log}
    assert log[-1] == (Op.CloseSession, ())


def test_body_without_content_lists_is_read_by_content_transfer() -> None:
    with camera_of("a7sm3") as camera:
        with session_with(camera) as session:
            assert len(session.objects()) == 4
        log = asked(camera)
    assert log[1] == (0x9210, (1, Mode.CONTENT_TRANSFER))
    assert log[2:10] == [*authentication("a7sm3"), (0x9209, ()), (0x9212, (2, 1, 0))]
    assert log[-2:] == [(0x9212, (2, 0, 0)), (Op.CloseSession, ())]
    assert {parameters for code, parameters in log if code == Op.GetObjectHandles} == {
        (0x00010001, 0, 0)
    }


def test_older_body_sends_to_the_computer_and_is_put_to_sleep() -> None:
    with camera_of("a7r3") as camera:
        with session_with(camera) as session:
            assert len(session.objects()) == 4
        log = asked(camera)
        assert not state_of(camera).refuses
    assert log[1:4] == [(Op.OpenSession, (1,)), (0x9280, (4,)), (0x9281, (4,))]
    assert log[-5:] == [*2 * [(0x9280, (4,)), (0x9281, (4,))], (Op.CloseSession, ())]
    listed = [parameters for code, parameters in log if code == Op.GetObjectHandles]
    assert listed == [(0x00010001, 0, 0)]


@pytest.mark.parametrize("body", ["a7m4", "a7sm3", "a7r3"])
def test_role_remote_opens_every_body_for_remote_control(body: str) -> None:
    with camera_of(body) as camera:
        with session_with(camera, "remote") as session:
            assert session.usable
        log = asked(camera)
    begun = [
        (Op.OpenSession, (1,)),
        *authentication(body),
        (0x9205, (SonyProperty.HostPriority,)),
        ALL_PROPERTIES[body],
    ]
    assert log[1 : 1 + len(begun)] == begun


@pytest.mark.parametrize("body", ["a7m4", "a7sm3", "a7r3"])
def test_session_that_reads_the_card_takes_no_pictures(body: str) -> None:
    with camera_of(body) as camera, session_with(camera) as session:
        with pytest.raises(Unsupported, match="role remote"):
            session.capture()
        with pytest.raises(Unsupported, match="role remote"):
            session.live_view()


def test_device_info_without_data_is_asked_for_again() -> None:
    with camera_of("a7m4") as camera:
        with session_with(camera):
            pass
        state_of(camera).profile.empty_device_infos = 7
        camera.clear_log()
        with session_with(camera):
            pass
        assert len(asked(camera, 0x9202)) == 8 + 2


def test_body_that_stays_without_device_info_is_asked_twenty_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sdio, "PREPARE_PAUSE_S", 0.0)
    with camera_of("a7m4") as camera:
        state_of(camera).profile.empty_device_infos = 1000
        with pytest.raises(DeviceBusy), session_with(camera):
            pass
        assert len(asked(camera, 0x9202)) == 20  # as libgphoto2 asks


@pytest.mark.parametrize(
    "fault", ["respond=0x2006 on 0x9202 at 4", "respond=0x2006 on 0x9202 at 3"]
)
def test_body_that_refuses_extended_codes_goes_on_without(fault: str) -> None:
    with camera_of("a7m4", faults=[fault]) as camera, session_with(camera) as session:
        assert len(session.objects()) == 4
        assert set(asked(camera, 0x9209)) == {(0x9209, ())}


def test_extended_code_is_set_with_its_flag() -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        dialect = session.link.dialect
        for code in (0xE123, 0xD123):
            with pytest.raises(ResponseError):
                dialect.set_property(DevicePropDesc(code, DataType.UINT8, True, 0, 0), 1)
        assert asked(camera, 0x9205)[1:] == [(0x9205, (0xE123, 1)), (0x9205, (0xD123,))]


def test_refused_authentication_is_told_in_words() -> None:
    with (
        camera_of("a7m4", faults=["respond=0xA101 on 0x9202 times 0"]) as camera,
        pytest.raises(ResponseError, match="refuses the authentication") as refused,
        session_with(camera),
    ):
        pass
    assert "access authentication" in refused.value.hint


def test_session_is_authenticated_again_after_a_reconnect() -> None:
    with camera_of("a7m4") as camera, session_with(camera) as session:
        (first, *_) = session.objects()
        camera.drop_connections()
        with pytest.raises(ptpfast.NetworkError):
            session.read(first)
        session.reconnect()
        stored = camera.store.find(first.path)
        assert session.read(first) == content_of(camera, stored)
        assert len(asked(camera, 0x9210)) == 2


@pytest.mark.parametrize("body", ["a7sm3", "a7r3"])
def test_pictures_chosen_on_the_camera_are_listed_and_pulled_once(
    body: str, tmp_path: Path
) -> None:
    with camera_of(body) as camera:
        for stored in camera.store.files()[:2]:
            camera.mark(stored.handle)
        with session_with(camera) as session:
            assert session.storage_ids() == [0x00010001]
            infos = session.objects()
            assert sorted(info.handle for info in infos) == sorted(
                stored.handle for stored in camera.store.files()
            )
        state_of(camera).refuses = False
        asked_before = camera.operations[Op.GetStorageIDs]
        report = ptpfast.pull(f"{camera.host}:{camera.port}", tmp_path)
        assert camera.operations[Op.GetStorageIDs] > asked_before
        assert report.downloaded == len(infos)
        assert len(list(tmp_path.rglob("DSC*"))) == len(infos)


def test_storage_of_chosen_pictures_is_read_where_it_is_alone() -> None:
    assert cards_alone([0x00F10001]) == [0x00F10001]
    assert cards_alone([0x00010001, 0x00020001, 0x00F10001]) == [0x00010001, 0x00020001]


def test_body_that_lists_no_remote_control_says_what_to_choose() -> None:
    link: Any = None
    dialect = sony_dialect(link, DeviceInfo(), STANDARD.quirks, "remote")
    with pytest.raises(Unsupported, match="lists no remote control") as refused:
        dialect.release()
    assert "PC Remote" in refused.value.hint
    assert "role remote" not in str(refused.value)


# Pairing


def unknown(**options: Any) -> SimulatedCamera:
    return camera_of("a7m4", approval="unknown", **options)


def test_owner_is_waited_for_and_the_user_is_told() -> None:
    told: list[str] = []
    with unknown() as camera:

        def tell(error: PTPError) -> None:
            told.append(str(error))
            camera.approvals.approve(*camera.approvals.asking[0])

        timeouts = Timeouts(connect=0.3, approval=20)
        with session_with(camera, waiting=tell, timeouts=timeouts) as session:
            assert len(session.objects()) == 4
    assert len(told) == 1
    assert "accept it there" in told[0]


def test_owner_who_refuses_ends_the_wait() -> None:
    with unknown() as camera, pytest.raises(InitFailed):

        def tell(_: PTPError) -> None:
            camera.approvals.reject(*camera.approvals.asking[0])

        with session_with(camera, waiting=tell, timeouts=Timeouts(connect=0.3, approval=20)):
            pass


def test_owner_who_does_nothing_is_waited_for_so_long() -> None:
    with unknown() as camera, pytest.raises(ConnectFailed, match="does not answer"):
        timeouts = Timeouts(connect=0.2, approval=0.5)
        with session_with(camera, waiting=lambda _: None, timeouts=timeouts):
            pass


def test_without_anybody_to_tell_the_owner_is_not_waited_for() -> None:
    with (
        unknown() as camera,
        pytest.raises(ConnectFailed),
        session_with(camera, timeouts=Timeouts(connect=0.2, approval=60)),
    ):
        pass
