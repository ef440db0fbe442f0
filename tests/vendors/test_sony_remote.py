"""Sony's remote control: shutter, the pictures in the memory, and live view."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from sony_cameras import S1, S2, SIZE, asked, camera_of, recorded, session_with, state_of

import ptpfast
from ptpfast import EventCode, Unsupported
from ptpfast.ptp.codes import DevicePropCode
from ptpfast.ptp.errors import (
    InvalidObjectHandle,
    PTPError,
    TransferError,
)
from ptpfast.vendors.sony import contentlists, deleting, remote, sdio, shots
from ptpfast.vendors.sony.codes import SonyProperty
from ptpfast.vendors.sony.datasets import Property, encode_properties


@pytest.fixture(autouse=True)
def _no_pauses_for_real_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "SETTLE_S", 0.0)
    monkeypatch.setattr(contentlists, "WRITE_PAUSE_S", 0.01)
    monkeypatch.setattr(deleting, "DELETE_S", 2.0)


def test_shutter_is_pressed_and_released_in_order() -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        info = session.capture()
        assert info is not None
        assert info.name.endswith(".ARW")
        controls = [parameters[0] for _, parameters in asked(camera, 0x9207)]
        assert controls == [S1, S2, S2, S1]
        assert state_of(camera).sitting.pressed == set()


@pytest.mark.parametrize("body", ["a7m4", "a7sm3", "a7r3"])
def test_both_files_of_each_picture_have_their_own_bytes(body: str) -> None:
    with camera_of(body) as camera, session_with(camera, "remote") as session:
        setting = DevicePropCode.CompressionSetting
        if setting in session.property_codes():  # else it is RAW and JPEG, and is not reported
            session.set_property(setting, 19)
        taken = recorded(camera)
        for _ in range(3):  # none is read before the next is taken
            assert session.capture() is not None
        assert len(taken) == 6
        objects = session.objects()
        assert len({info.handle for info in objects}) == 6
        assert {info.name: bytes(session.read(info)) for info in objects} == taken


def test_picture_is_read_once_and_never_another_in_its_place() -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        session.set_property(DevicePropCode.CompressionSetting, 16)
        taken = recorded(camera)
        first = session.capture()
        assert first is not None
        assert session.read(first) == taken[first.name]
        with pytest.raises(InvalidObjectHandle):
            session.read(first)
        second = session.capture()
        assert second is not None
        assert second.handle != first.handle
        with pytest.raises(InvalidObjectHandle):
            session.read(first)
        assert session.read(second) == taken[second.name]
        assert camera.unclean_ends == 0


def test_picture_that_was_not_read_before_a_drop_is_read_after_it() -> None:
    with (
        camera_of("a7m4", faults=["drop on GetObject after 300000"]) as camera,
        session_with(camera, "remote") as session,
    ):
        session.set_property(DevicePropCode.CompressionSetting, 16)
        taken = recorded(camera)
        info = session.capture()
        assert info is not None
        with pytest.raises(ptpfast.NetworkError):
            session.read(info)
        session.reconnect()
        assert session.read(info) == taken[info.name]


def test_picture_in_memory_is_downloaded_into_a_file(tmp_path: Any) -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        taken = recorded(camera)
        session.capture()
        for info in session.objects():
            session.download(info, tmp_path / info.name, verify="hash")
            assert (tmp_path / info.name).read_bytes() == taken[info.name]
        assert len(list(tmp_path.iterdir())) == 2


def test_pictures_that_are_held_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shots, "MOST_HELD", 3 * SIZE)
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        taken = recorded(camera)
        session.capture()
        session.capture()
        with pytest.raises(TransferError, match="have not been read"):
            session.capture()
        for info in session.objects():
            assert session.read(info) == taken[info.name]
        assert session.capture() is not None


def test_picture_for_the_card_alone_is_not_waited_for() -> None:
    with camera_of("a7m4", objects=0) as camera, session_with(camera, "remote") as session:
        session.set_property(SonyProperty.SaveDestination, 0x10)
        session.link.dialect.release()
        assert len(camera.store.files()) == 2
        assert session.objects().names == []


def test_camera_that_takes_no_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PICTURE_S", 0.2)
    with camera_of("a7m4") as camera:
        with session_with(camera, "remote"):
            pass
        state_of(camera).profile.quiet_s = 600
        with (
            session_with(camera, "remote") as session,
            pytest.raises(PTPError, match="no picture"),
        ):
            session.capture()
        assert state_of(camera).sitting.pressed == set()


def test_live_view_that_is_off_is_refused() -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        camera.body.properties[SonyProperty.LiveViewStatus].current = 0
        with closing(session.live_view()) as frames, pytest.raises(Unsupported, match="live view"):
            next(frames)


def test_changed_property_is_reported_with_its_code() -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        camera.body.properties[0x5005].current = 4
        event = next(session.events(timeout=10))
        assert (event.code, event.parameters) == (EventCode.DevicePropChanged, (0x5005,))
        assert session.property(0x5005) == 4


def test_card_cannot_be_deleted_from_in_remote_control() -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        info = session.capture()
        assert info is not None
        with pytest.raises(Unsupported):
            session.delete(info)


def test_pictures_that_were_held_and_not_read_are_named_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with camera_of("a7m4") as camera:
        with session_with(camera, "remote") as session:
            session.capture()
            second = session.capture()
            assert second is not None
            first, *lost = [info for info in session.objects() if info.handle != second.handle]
            session.read(first)
        (record,) = [each for each in caplog.records if "are lost" in each.message]
        assert record.message.endswith("lost: " + ", ".join(info.name for info in lost))
        assert len(lost) == 2


@pytest.mark.parametrize(("data_type", "value"), [(0xFFFF, "x"), (0x4002, [1])])
@pytest.mark.parametrize(
    "code",
    [
        SonyProperty.ShutterSpeed,
        SonyProperty.FocusIndication,
        DevicePropCode.CompressionSetting,
        SonyProperty.ObjectInMemory,
    ],
)
def test_property_that_is_no_number_counts_as_unknown(
    monkeypatch: pytest.MonkeyPatch, code: int, data_type: int, value: Any
) -> None:
    monkeypatch.setattr(remote, "PICTURE_S", 0.2)
    parse = sdio.parse_properties

    def hostile(payload: bytes | bytearray) -> dict[int, Property]:
        found = parse(payload)
        if code in found:
            found[code] = Property(code, data_type, default=value, current=value)
        return parse(encode_properties(found.values()))

    monkeypatch.setattr(sdio, "parse_properties", hostile)
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        if code == SonyProperty.ObjectInMemory:
            with pytest.raises(PTPError, match="no picture"):
                session.capture()
        else:
            assert session.capture() is not None


@pytest.mark.parametrize(
    ("speed", "seconds"),
    [
        (0x000A0001, 10.0),
        (0x00010000 | 250, 0.004),
        (0xFFFF0001, 3600.0),
        (0xFFFF << 40 | 0x00020001, 2.0),
        (-1, 0.0),
        (0, 0.0),
        (0xFFFFFFFF, 0.0),
    ],
)
def test_exposure_that_is_waited_for_has_a_limit(speed: int, seconds: float) -> None:
    with camera_of("a7m4") as camera, session_with(camera, "remote") as session:
        dialect: Any = session.link.dialect
        dialect.now[SonyProperty.ShutterSpeed] = Property(0xD20D, 6, current=speed)
        assert dialect._exposure_s() == seconds
