"""The simulated Sony bodies: what they refuse, as real ones do."""

from __future__ import annotations

import pytest
from sony_cameras import (
    PRESSED,
    RELEASED,
    S1,
    S2,
    authenticate,
    camera_of,
    content_of,
    opened,
    recorded,
    session_with,
    single_files,
    state_of,
)

from ptpfast import ConnectFailed, EventCode, Timeouts
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.ptp.datasets import decode_array
from ptpfast.vendors.sony.codes import SHOT_BUFFER, SonyProperty
from ptpfast.vendors.sony.datasets import parse_ext_device_info, parse_properties
from raw_initiator import ALL, Initiator


def test_nothing_of_the_vendor_is_answered_before_authentication() -> None:
    with opened("a7m4", 2) as (_, asking):
        for operation in (0x9205, 0x9207, 0x9209, 0x923B, 0x923C, 0x923D, 0x923E, 0x9250):
            assert asking.ask(operation, 1).code == Code.AccessDenied
        assert asking.ask(0x9201, 3, 0, 0).code != Code.OK
        assert asking.ask(0x9201, 2, 0, 0).code != Code.OK
        authenticate(asking)
        assert asking.ask(0x9209).code == Code.OK
        assert asking.ask(0x923C, 0, 0, 9, 1, 1).code == Code.OK


def test_third_phase_without_device_info_fails_the_authentication() -> None:
    with opened("a7m4", 2) as (_, asking):
        asking.ask(0x9201, 1, 0, 0)
        asking.ask(0x9201, 2, 0, 0)
        assert asking.ask(0x9202, 0x12C).data == b""
        assert asking.ask(0x9201, 3, 0, 0).code == 0xA101
        assert asking.ask(0x9202, 0x100).code == 0xA101


def test_extended_codes_are_described_with_their_flag_alone() -> None:
    updated = int(SonyProperty.ContentList1Updated)
    with opened("a7m4", 2) as (_, asking):
        authenticate(asking)
        assert updated not in parse_properties(asking.ask(0x9209, 0, 1).data)
        asked = asking.ask(0x9202, 0x12C, 1)
        assert asked.response.parameters == (310,)
        assert updated in parse_ext_device_info(asked.data).properties
        assert updated in parse_properties(asking.ask(0x9209, 0, 1).data)
        assert updated not in parse_properties(asking.ask(0x9209).data)


def test_older_body_has_no_extended_codes_with_the_flag_either() -> None:
    with opened("a7sm3", 1) as (_, asking):
        authenticate(asking, 0x12C, 1)
        asked = asking.ask(0x9202, 0x12C, 1)
        assert asked.response.parameters == (300,)
        assert max(parse_ext_device_info(asked.data).properties) < 0xE000
        assert max(parse_properties(asking.ask(0x9209, 0, 1).data)) < 0xE000


def test_memory_that_is_read_without_a_picture_crashes_the_body() -> None:
    with opened("a7m4", 0) as (camera, asking):
        authenticate(asking)
        asking.request(Op.GetObjectInfo, SHOT_BUFFER)
        assert asking.command.receive() is None
        assert camera.wait_for(lambda: camera.unclean_ends == 1)
        assert camera.defects == 0


def test_shutter_needs_both_controls_and_an_empty_memory() -> None:
    with opened("a7m4", 0) as (camera, asking):
        authenticate(asking)
        asking.ask(0x9207, S2, data=PRESSED)
        assert state_of(camera).memory == []
        asking.ask(0x9207, S2, data=RELEASED)
        for _ in range(2):
            for control, value in ((S1, PRESSED), (S2, PRESSED), (S2, RELEASED), (S1, RELEASED)):
                assert asking.ask(0x9207, control, data=value).code == Code.OK
        assert len(state_of(camera).memory) == 2
        events = [asking.event.receive() for _ in range(4)]
        assert [event.code for event in events] == [0xC201, 0xC201, 0xC203, 0xC206]
        assert events[0].parameters == (SHOT_BUFFER,)


def test_memory_shows_its_pictures_one_after_the_other() -> None:
    with opened("a7m4", 0) as (camera, asking):
        authenticate(asking)
        taken = recorded(camera)
        camera.capture()
        found = []
        for left in (2, 1):
            value = parse_properties(asking.ask(0x9209).data)[SonyProperty.ObjectInMemory]
            assert value.current == 0x8000 | left
            found.append(asking.ask(Op.GetObject, SHOT_BUFFER).data)
        assert found == [taken["DSC00003.JPG"], taken["DSC00003.ARW"]]
        value = parse_properties(asking.ask(0x9209).data)[SonyProperty.ObjectInMemory]
        assert value.current == 0


def test_mode_with_transfer_shows_views_only_once_enabled() -> None:
    with opened("a7m4", 2) as (_, asking):
        authenticate(asking)
        for handle, control in ((0xFFFFC002, 0xD313), (SHOT_BUFFER, 0xD312)):
            assert asking.ask(Op.GetObject, handle).code == Code.InvalidObjectHandle
            assert asking.ask(0x9207, control, data=PRESSED).code == Code.OK
        assert asking.ask(Op.GetObject, 0xFFFFC002).code == Code.OK


def test_content_transfer_shows_its_card_only_when_it_is_on() -> None:
    with opened("a7sm3", 1) as (_, asking):
        authenticate(asking)
        assert asking.ask(0x9207, S1, data=PRESSED).code == Code.AccessDenied
        assert asking.ask(Op.GetObjectHandles, 0x10001, 0, 0).code == Code.StoreNotAvailable
        assert asking.ask(0x9212, 2, 1, 0).code == Code.OK
        assert asking.event.receive().code == EventCode.StoreAdded
        assert asking.ask(Op.GetObjectHandles, 0x10001, 0, 0).code == Code.OK
        assert asking.ask(Op.GetObjectHandles, ALL, 0, 0).code == Code.InvalidStorageID
        (handle, *_) = decode_array(asking.ask(Op.GetObjectHandles, 0x10001, 0, 0).data)
        assert asking.ask(0x9211, handle, 0, 0, ALL).code != Code.OK
        assert asking.ask(0x9212, 2, 0, 0).code == Code.OK
        assert asking.ask(Op.GetObjectInfo, handle).code == Code.InvalidObjectHandle


def test_card_is_empty_in_remote_control() -> None:
    with opened("a7m4", 0) as (_, asking):
        authenticate(asking)
        assert decode_array(asking.ask(Op.GetObjectHandles, 0x10001, 0, 0).data) == []
        assert asking.ask(Op.GetNumObjects, 0x10001, 0, 0).response.parameters == (0,)
        assert asking.ask(0x923C, 0, 0, 9, 1, 1).code == Code.AccessDenied


def test_content_transfer_outside_of_its_mode_stalls() -> None:
    with opened("a7m4", 0) as (camera, asking):
        authenticate(asking)
        asking.request(0x9212, 2, 1, 0)
        asking.request(Op.GetDeviceInfo)
        assert asking.collect().response.transaction_id == asking.transaction_id - 1
        assert camera.defects == 0


def test_all_storages_at_once_hang_an_older_body() -> None:
    with opened("a7r3") as (_, asking):
        asking.request(Op.GetObjectHandles, ALL, 0, 0)
        asking.request(Op.GetDeviceInfo)
        assert asking.collect().response.transaction_id == asking.transaction_id - 1


def test_status_that_is_not_asked_for_keeps_the_body_busy() -> None:
    start = bytes.fromhex("02000000 02000000 00000000 00000000 01000200 00")
    with opened("a7r3") as (_, asking):
        assert asking.ask(0x9280, 4, data=start).code == Code.OK
        assert asking.ask(Op.GetStorageIDs).code == Code.DeviceBusy
        assert asking.ask(0x9280, 4, data=start).code == Code.DeviceBusy
        assert asking.ask(0x9281, 4).code == Code.OK
        assert asking.ask(Op.GetStorageIDs).code == Code.OK
        assert asking.ask(0x9201, 1, 0, 0).code == Code.GeneralError


def test_body_that_was_not_put_to_sleep_does_not_answer_again() -> None:
    start = bytes(4) + b"\2" + bytes(12)
    with camera_of("a7r3") as camera:
        with Initiator(camera) as asking:
            assert asking.ask(0x9280, 4, data=start).code == Code.OK
            assert asking.ask(0x9281, 4).code == Code.OK
            assert asking.ask(Op.CloseSession).code == Code.OK
        with pytest.raises(ConnectFailed), session_with(camera, timeouts=Timeouts(connect=0.3)):
            pass


def test_data_beyond_the_limit_of_the_body_are_refused() -> None:
    with opened("a7m4", 2) as (camera, asking):
        authenticate(asking)
        (first, *_) = camera.store.files()
        which = 1 << 24 | 1
        answer = asking.ask(0x923D, first.handle, which, 10, 0, 1 << 31 | 100)
        assert answer.data == content_of(camera, first.handle)[10:110]
        assert len(answer.response.parameters) == 2
        for parameters in ((which, 0, 0, (3 << 20) + 1), (which + 5, 0, 0, 1), (0, 0, 0, 1)):
            assert asking.ask(0x923D, first.handle, *parameters).code == Code.ParameterNotSupported


def test_second_deletion_too_soon_is_answered_with_busy() -> None:
    with opened("a7m4", 2, store=single_files()) as (camera, asking):
        authenticate(asking)
        first, second = (stored.handle for stored in camera.store.files())
        assert asking.ask(0x9250, first, 1).code == Code.OK
        assert asking.ask(0x9250, second, 1).code == Code.DeviceBusy
        events = [asking.event.receive() for _ in range(2)]
        assert [(event.code, event.parameters) for event in events] == [
            (0xC234, (1, 2)),
            (0xC240, (1, first, 1)),
        ]
