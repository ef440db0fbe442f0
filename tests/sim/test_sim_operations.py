"""What the simulated camera answers to operations, the vendors' too."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ptpfast import vendors
from ptpfast.engine.wire import OperationRequest
from ptpfast.ptp.codes import EventCode, ObjectFormat
from ptpfast.ptp.datasets import (
    DeviceInfo,
    ObjectInfoDataset,
    StorageInfo,
    decode,
    decode_array,
    decode_prop_desc,
)
from ptpfast.sim import (
    SimulatedCamera,
    Store,
    check,
)
from ptpfast.sim.operations import get_device_info
from ptpfast.vendors import STANDARD
from raw_initiator import ALL, Code, Initiator, Op, a_file


@pytest.fixture
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(objects=4, size=100_000) as camera:
        yield camera


def test_device_info_lists_exactly_what_is_answered(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        info = decode(DeviceInfo, initiator.ask(Op.GetDeviceInfo).data)
        assert info.manufacturer == STANDARD.model.manufacturer
        refused = [
            code
            for code in (*Op, 0x90C7, 0x9999)
            if code not in (Op.OpenSession, Op.CloseSession)
            and initiator.ask(code).code == Code.OperationNotSupported
        ]
        assert not set(refused) & set(info.operations_supported)
        assert {*Op, 0x90C7, 0x9999} - set(refused) == set(info.operations_supported)


def test_unknown_operation_with_data_swallows_the_data(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        assert initiator.ask(0x9999, data=b"x" * 1000).code == Code.OperationNotSupported
        assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_listing_by_storage_format_and_folder(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        (storage,) = decode_array(initiator.ask(Op.GetStorageIDs).data)
        info = decode(StorageInfo, initiator.ask(Op.GetStorageInfo, storage).data)
        assert info.max_capacity - info.free_space_in_bytes == 400_000
        root = decode_array(initiator.ask(Op.GetObjectHandles, storage, 0, ALL).data)
        (folder,) = decode_array(initiator.ask(Op.GetObjectHandles, storage, 0, root[0]).data)
        inside = decode_array(initiator.ask(Op.GetObjectHandles, storage, 0, folder).data)
        everything = decode_array(initiator.ask(Op.GetObjectHandles, ALL, 0, 0).data)
        assert everything == [*root, folder, *inside]
        jpegs = initiator.ask(Op.GetNumObjects, ALL, ObjectFormat.EXIF_JPEG, 0)
        assert jpegs.response.parameters == (2,)
        wrong = {
            (0x50001, 0, 0): Code.InvalidStorageID,
            (ALL, 0, 0xDEAD): Code.InvalidObjectHandle,
            (ALL, 0, inside[0]): Code.InvalidParentObject,
        }
        for parameters, code in wrong.items():
            assert initiator.ask(Op.GetObjectHandles, *parameters).code == code


def test_empty_slot_is_listed_but_not_available() -> None:
    store = Store.synthetic(2, 10, empty_slots=1)
    with SimulatedCamera(store=store) as camera, Initiator(camera) as initiator:
        assert decode_array(initiator.ask(Op.GetStorageIDs).data) == [0x10001, 0x20000]
        assert initiator.ask(Op.GetStorageInfo, 0x20000).code == Code.StoreNotAvailable


def test_object_info_thumbnail_and_object_agree(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        for stored in camera.store.files():
            data = initiator.ask(Op.GetObjectInfo, stored.handle).data
            info = decode(ObjectInfoDataset, data)
            assert info.filename == stored.name
            thumbnail = initiator.ask(Op.GetThumb, stored.handle).data
            assert len(thumbnail) == info.thumb_compressed_size
            data = initiator.ask(Op.GetObject, stored.handle).data
            assert len(data) == info.object_compressed_size
            assert check(camera.store.expected(stored.handle), data)


def test_partial_reads_end_at_the_end(camera: SimulatedCamera) -> None:
    handle = a_file(camera)
    content = camera.store.expected(handle)
    with Initiator(camera) as initiator:
        for offset, most, size in (
            (0, 10, 10),
            (99_990, 100, 10),
            (5, ALL, 99_995),
            (100_000, 9, 0),
        ):
            answer = initiator.ask(Op.GetPartialObject, handle, offset, most)
            assert answer.response.parameters == (size,)
            assert check(content, answer.data, offset, size)
        assert initiator.ask(Op.GetPartialObject, handle, 100_001, 1).code == Code.InvalidParameter
        assert initiator.ask(Op.GetObject, 0xDEAD).code == Code.InvalidObjectHandle


def test_missing_parameters_are_no_trouble(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        for operation in camera.body.operations_supported:
            if operation not in (Op.OpenSession, Op.CloseSession):
                assert initiator.ask(operation).response is not None


def test_delete_spares_what_is_protected_and_says_so() -> None:
    store = Store()
    folder = store.add_folder("DCIM")
    kept = store.add("A.JPG", 10, parent=folder, protected=True)
    store.add("B.JPG", 10, parent=folder)
    with SimulatedCamera(store=store) as camera, Initiator(camera) as initiator:
        assert initiator.ask(Op.DeleteObject, kept).code == Code.ObjectWriteProtected
        assert initiator.ask(Op.DeleteObject, folder).code == Code.PartialDeletion
        assert [each.name for each in store.files()] == ["A.JPG"]
        assert initiator.ask(Op.DeleteObject, ALL).code == Code.PartialDeletion
        assert initiator.ask(Op.DeleteObject, 0xDEAD).code == Code.InvalidObjectHandle


def test_capture_sends_its_events_after_the_response(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        assert initiator.ask(Op.InitiateCapture, 0, 0).code == Code.OK
        events = [initiator.event.receive() for _ in range(3)]
        assert [event.code for event in events] == [
            EventCode.ObjectAdded,
            EventCode.ObjectAdded,
            EventCode.CaptureComplete,
        ]
        new = events[0].parameters[0]
        assert check(camera.store.expected(new), initiator.ask(Op.GetObject, new).data)
        (pressed, _) = camera.capture()
        assert initiator.event.receive().parameters == (pressed,)


def test_device_properties_are_described_read_and_set(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        battery = decode_prop_desc(initiator.ask(Op.GetDevicePropDesc, 0x5001).data)
        assert (battery.current, battery.form, battery.writable) == (87, (0, 100, 1), False)
        clock = b"\x10" + "20300102T030405\0".encode("utf-16-le")
        assert initiator.ask(Op.SetDevicePropValue, 0x5011, data=clock).code == Code.OK
        assert initiator.ask(Op.GetDevicePropValue, 0x5011).data == clock
        set_ = Op.SetDevicePropValue
        assert initiator.ask(set_, 0x5001, data=b"\0").code == Code.AccessDenied
        assert initiator.ask(set_, 0x5004, data=b"").code == Code.InvalidDevicePropFormat
        assert initiator.ask(set_, 0x5004, data=b"\x63").code == Code.InvalidDevicePropValue
        assert initiator.ask(set_, 0x5004, data=b"\x01").code == Code.OK
        assert len(camera.capture()) == 1
        assert initiator.ask(Op.GetDevicePropDesc, 0xD999).code == Code.DevicePropNotSupported


def test_object_property_list_tells_the_true_size() -> None:
    store = Store()
    movie = store.add("A.MOV", 6 << 30)
    with SimulatedCamera(store=store) as camera, Initiator(camera) as initiator:
        size = initiator.ask(Op.GetObjectPropValue, movie, 0xDC04).data
        assert int.from_bytes(size, "little") == 6 << 30
        listing = initiator.ask(Op.GetObjectPropList, ALL, 0, 0xDC04, 0, 0).data
        assert struct.unpack("<IIHHQ", listing) == (1, movie, 0xDC04, 8, 6 << 30)
        everything = initiator.ask(Op.GetObjectPropList, 0, 0, ALL, 0, 1).data
        assert int.from_bytes(everything[:4], "little") == 10
        assert everything == initiator.ask(Op.GetObjectPropList, movie, 0, ALL, 0, 0).data
        group = initiator.ask(Op.GetObjectPropList, ALL, 0, 0, 2, 0)
        assert group.code == Code.SpecificationByGroupUnsupported
        depth = initiator.ask(Op.GetObjectPropList, ALL, 0, ALL, 0, 3)
        assert depth.code == Code.SpecificationByDepthUnsupported


def test_object_beyond_4_gib_is_read_at_its_end() -> None:
    store = Store()
    movie = store.add("A.MOV", (6 << 30) + 5)
    with SimulatedCamera(store=store, body="nikon-z6") as camera, Initiator(camera) as initiator:
        offset = 6 << 30
        answer = initiator.ask(0x9431, movie, offset & ALL, offset >> 32, 100, 0)
        assert answer.response.parameters == (5, 0)
        assert check(store.expected(movie), answer.data, offset)
        assert initiator.ask(0x9421, movie).data == ((6 << 30) + 5).to_bytes(8, "little")


@pytest.mark.parametrize("name", vendors.NAMES)
def test_every_vendor_is_recognised_by_its_own_device_info(name: str) -> None:
    vendor = vendors.named(name)
    model = vendor.model
    with SimulatedCamera(vendor, objects=2, size=1000) as camera:
        request = OperationRequest(1, Op.GetDeviceInfo, 0, ())
        info = decode(DeviceInfo, get_device_info(camera.body, request, b"").data)
        assert vendor.matches(info) or vendor is STANDARD
        assert set(model.operations) - model.unlisted <= set(info.operations_supported)
        assert not (model.withheld | model.unlisted) & set(info.operations_supported)
        if model.containers is not None or model.gate is not None:
            return
        camera.body.habits = replace(camera.body.habits, deaf_s=0)
        with Initiator(camera) as initiator:
            for operation in model.operations:
                assert initiator.ask(operation).response is not None


def test_polled_events_wait_for_their_operation() -> None:
    nikon = vendors.named("nikon")
    with (
        SimulatedCamera(nikon, objects=0, size=100) as camera,
        Initiator(camera) as initiator,
    ):
        assert initiator.ask(0x9207, ALL, 0).code == Code.OK
        assert initiator.ask(0x90C8).code == Code.DeviceBusy
        assert initiator.ask(0x90C8).code == Code.DeviceBusy
        assert initiator.ask(0x90C8).code == Code.OK
        polled = initiator.ask(0x90C7)
        assert polled.shape == ["StartData", "EndData"]
        count, *events = struct.unpack("<H" + "HI" * 3, polled.data)
        assert count == 3
        assert events[::2] == [0x4002, 0x4002, 0x400D]
        assert [events[1], events[3]] == [each.handle for each in camera.store.files()]
        assert initiator.ask(0x90C7).data == b"\0\0"
