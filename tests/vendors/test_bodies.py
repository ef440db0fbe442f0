"""The real bodies that the simulated camera can be: what they list, report and take."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import Cameras, Sessions
from ptpfast import vendors
from ptpfast.engine.wire import OperationRequest
from ptpfast.ptp.codes import EventCode, ObjectFormat
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.ptp.datasets import DeviceInfo, decode, decode_array, decode_prop_desc
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.operations import get_device_info
from ptpfast.vendors.body import Habits
from ptpfast.vendors.nikon import datasets as nikon
from raw_initiator import Initiator

ALL = 0xFFFFFFFF
TRANSFER_LIST = [0x9407, 0x9408, 0x9409, 0x940A]
NO_TRANSFER_LIST = 0xA205


def reported(name: str) -> dict[str, Any]:
    """The real body's report, where the folder with them is."""
    folder = os.environ.get("PTPFAST_BODIES")
    if not folder:
        pytest.skip("PTPFAST_BODIES names no folder with reports of real bodies")
    report: dict[str, Any] = json.loads((Path(folder) / f"{name}.json").read_text())
    return report


def info_of(name: str) -> DeviceInfo:
    """What the body lists, also one that does not say it over Wi-Fi."""
    with SimulatedCamera(body=name, objects=2, size=1000) as sim:
        answer = get_device_info(sim.body, OperationRequest(1, Op.GetDeviceInfo, 0, ()), b"")
        return decode(DeviceInfo, answer.data)


# Bodies without a report in the folder → where their lists come from.
UNREPORTED = {
    "nikon-z8": "all are a Z 9's (inferred)",
    "canon-80d": "canon-80d.txt in libgphoto2's tree, not in the folder: compared with nothing",
    "panasonic-bgh1": "a GH5's, with the operations that webptz asks a DC-BGH1 for",
}
# Reports of bodies that are not simulated → why.
UNSIMULATED = {
    "fuji-x100vi": "of 2024: such bodies want pairing over Bluetooth first",
    "panasonic-gh5": "over a network it speaks HTTP; its lists are those of panasonic-bgh1",
}
# Operations that bodies list over the network only; the reports were read over USB.
NETWORK_ONLY = {0x935A, 0x952B}


@pytest.mark.parametrize("name", [name for name in vendors.BODIES if name not in UNREPORTED])
def test_simulated_body_lists_what_the_real_one_lists(name: str) -> None:
    real, info = reported(name), info_of(name)
    assert (info.manufacturer, info.model) == (real["manufacturer"], real["model"])
    assert info.device_version == real["version"]
    lists = {
        "operations": [code for code in info.operations_supported if code not in NETWORK_ONLY],
        "events": info.events_supported,
        "properties_listed": info.device_properties_supported,
    }
    if not real["operations"]:  # a report without lists, which describes properties
        real["properties_listed"] = [desc["code"] for desc in real["properties"]]
    for key, codes in lists.items():
        # An empty list is not in the report.
        assert not real[key] or codes == [int(code, 16) for code in real[key]], key
    if real["standard_version"]:
        assert info.standard_version == int(real["standard_version"])
        assert info.vendor_extension_version == int(real["vendor_extension_version"])
        # libgphoto2 prints a string that is not there as "(null)".
        said = real["vendor_extension_description"].replace("(null)", "")
        assert info.vendor_extension_desc == said


def test_every_report_is_that_of_a_simulated_body_or_said_not_to_be() -> None:
    folder = os.environ.get("PTPFAST_BODIES")
    if not folder:
        pytest.skip("PTPFAST_BODIES names no folder with reports of real bodies")
    reports = {path.stem for path in Path(folder).glob("*.json")}
    assert reports == (vendors.BODIES.keys() - UNREPORTED.keys()) | UNSIMULATED.keys()


def test_a_z_8_lists_what_a_real_z_9_lists() -> None:
    real, info = reported("nikon-z9"), info_of("nikon-z8")
    listed = [code for code in info.operations_supported if code not in NETWORK_ONLY]
    assert listed == [int(code, 16) for code in real["operations"]]
    assert info.events_supported == [int(code, 16) for code in real["events"]]
    assert info.device_properties_supported == [int(c, 16) for c in real["properties_listed"]]
    assert info.vendor_extension_id == 0xFFFFFFFF  # as a Z 8 over Wi-Fi (libgphoto2 issue 1135)


def test_a_bgh1_lists_what_a_gh5_lists_and_what_webptz_asks_for() -> None:
    real, info = reported("panasonic-gh5"), info_of("panasonic-bgh1")
    over_usb, asked = {0x9102, 0x9103}, {0x9405, 0x9414, 0x9416}
    listed = {int(code, 16) for code in real["operations"]}
    assert set(info.operations_supported) == (listed - over_usb) | asked
    assert info.events_supported == [int(code, 16) for code in real["events"]]
    assert info.device_properties_supported == [int(c, 16) for c in real["properties_listed"]]


def test_d5300_is_as_a_report_over_its_wifi_describes_it() -> None:
    info = info_of("nikon-d5300")
    assert info == info_of("nikon-d5300")
    assert len(info.operations_supported) == 54
    assert {*TRANSFER_LIST, 0x940B, 0x9805} <= set(info.operations_supported)
    assert not {0x9421, 0x9431} & set(info.operations_supported)
    assert (len(info.events_supported), len(info.device_properties_supported)) == (15, 120)
    assert info.vendor_extension_id == 6
    assert (info.vendor_extension_version, info.vendor_extension_desc) == (
        100,
        "microsoft.com: 1.0",
    )
    assert info.capture_formats == [0x3801, 0x3000]
    assert info.image_formats == [0x3000, 0x3001, 0x3002, 0x3006, 0x300D, 0x3801]
    assert (len(info.serial_number), info.serial_number[:20]) == (32, "0" * 20)


def test_vendor_s_default_body_is_the_d5300(camera: Cameras, connect: Sessions) -> None:
    sim = camera("nikon")
    info = connect(sim).device_info
    assert info.model == "D5300"
    assert info.operations_supported == info_of("nikon-d5300").operations_supported
    raws = [stored for stored in sim.store.files() if stored.name.endswith(".NEF")]
    assert {stored.format for stored in raws} == {ObjectFormat.Undefined}


@pytest.mark.parametrize(
    ("setting", "extensions"),
    [(0, ["JPG"]), (2, ["JPG"]), (4, ["NEF"]), (5, ["NEF", "JPG"]), (7, ["NEF", "JPG"])],
)
def test_compression_setting_of_a_d5300_decides_which_files_a_picture_has(
    camera: Cameras, connect: Sessions, setting: int, extensions: list[str]
) -> None:
    sim = camera("nikon", objects=0, size=1000)
    session = connect(sim)
    assert session.property_desc(0x5004).form == [0, 1, 2, 4, 5, 6, 7]
    session.set_property(0x5004, setting)
    sim.capture()
    assert [stored.name.rpartition(".")[2] for stored in sim.store.files()] == extensions


def test_what_a_body_lists_and_the_simulation_lacks_is_denied_and_not_unknown() -> None:
    with SimulatedCamera(body="nikon-d5300", objects=0) as sim, Initiator(sim) as initiator:
        assert initiator.ask(Op.FormatStore, 0x10001).code == Code.AccessDenied
        assert initiator.ask(0x9421, 1).code == Code.OperationNotSupported
        assert initiator.ask(Op.GetDevicePropDesc, 0x5001).code == Code.OK
        assert initiator.ask(Op.GetDevicePropDesc, 0xD015).code == Code.DevicePropNotSupported
        memory = decode_prop_desc(initiator.ask(Op.GetDevicePropDesc, 0xD10B).data)
        assert memory.form == (0, 2, 1)


def test_transfer_list_has_what_is_marked_until_it_was_fetched() -> None:
    with SimulatedCamera("nikon", objects=3, size=100) as sim, Initiator(sim) as initiator:
        assert initiator.ask(0x9408).code == NO_TRANSFER_LIST
        first, second, _ = (stored.handle for stored in sim.store.files())
        sim.mark(first)
        sim.mark(second)
        assert initiator.ask(0x9407, 1).code == Code.OK
        assert decode_array(initiator.ask(0x9408).data) == [first, second]
        assert initiator.ask(0x9409, first).code == Code.OK
        assert initiator.ask(0x940A, first).code == Code.OK
        assert initiator.ask(0x9409, 0xDEAD).code == Code.InvalidObjectHandle
        sim.delete(second)
        assert initiator.ask(0x9408).code == NO_TRANSFER_LIST


def test_a_d5300_takes_transaction_ids_that_do_not_rise() -> None:
    for body, code in (("nikon-d5300", Code.OK), (None, Code.InvalidTransactionID)):
        with SimulatedCamera(body=body, objects=0) as sim, Initiator(sim) as initiator:
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK
            initiator.transaction_id -= 1
            assert initiator.ask(Op.GetStorageIDs).code == code


def test_a_body_s_strictness_can_be_changed() -> None:
    with (
        SimulatedCamera("nikon", objects=0, strict_tid=True, end_data="last") as sim,
        Initiator(sim) as initiator,
    ):
        assert initiator.ask(Op.GetStorageIDs).shape == ["StartData", "EndData"]
        initiator.transaction_id -= 1
        assert initiator.ask(Op.GetStorageIDs).code == Code.InvalidTransactionID


# Events and what follows a picture


def test_events_of_a_capture_carry_the_id_of_its_transaction() -> None:
    with SimulatedCamera(objects=0, size=100) as sim, Initiator(sim) as initiator:
        initiator.ask(Op.GetStorageIDs)
        capture = initiator.ask(Op.InitiateCapture, 0, 0)
        asked = capture.response.transaction_id
        events = [initiator.event.receive() for _ in range(3)]
        handles = [stored.handle for stored in sim.store.files()]
        assert [(event.code, event.parameters) for event in events] == [
            (EventCode.ObjectAdded, (handles[0],)),
            (EventCode.ObjectAdded, (handles[1],)),
            (EventCode.CaptureComplete, (asked,)),
        ]
        assert {event.transaction_id for event in events} == {asked} != {ALL}


def test_events_of_the_camera_s_own_buttons_carry_no_transaction() -> None:
    with SimulatedCamera(objects=0, size=100) as sim, Initiator(sim) as initiator:
        initiator.ask(Op.GetStorageIDs)
        (first, _) = sim.capture()
        sim.push_event(EventCode.RequestObjectTransfer, first)
        sim.delete(first)
        events = [initiator.event.receive() for _ in range(5)]
        assert [event.code for event in events] == [
            EventCode.ObjectAdded,
            EventCode.ObjectAdded,
            EventCode.CaptureComplete,
            EventCode.RequestObjectTransfer,
            EventCode.ObjectRemoved,
        ]
        assert {event.transaction_id for event in events} == {ALL}
        assert events[2].parameters == ()


def test_polled_capture_complete_carries_the_id_of_the_capture() -> None:
    with (
        SimulatedCamera(body="nikon-z6", objects=0, size=9, busy_s=0) as sim,
        Initiator(sim) as initiator,
    ):
        for operation in (0x9207, Op.InitiateCapture):
            capture = initiator.ask(operation, ALL if operation == 0x9207 else 0, 0)
            assert capture.code == Code.OK
            events = nikon.parse_events_ex(initiator.ask(0x941C).data)
            asked = capture.response.transaction_id
            assert events[-1] == (EventCode.CaptureComplete, (asked,))


def test_a_card_that_becomes_full_is_reported_instead_of_capture_complete() -> None:
    store = Store()
    store.capacity = 150
    with SimulatedCamera(store=store, size=100) as sim, Initiator(sim) as initiator:
        capture = initiator.ask(Op.InitiateCapture, 0, 0)
        assert capture.code == Code.OK
        events = [initiator.event.receive() for _ in range(2)]
        (storage_id,) = store.storage_ids()
        assert [event.code for event in events] == [EventCode.ObjectAdded, EventCode.StoreFull]
        assert events[1].parameters == (storage_id,)
        assert {event.transaction_id for event in events} == {capture.response.transaction_id}
        assert initiator.ask(Op.InitiateCapture, 0, 0).code == Code.StoreFull
        assert len(store.files()) == 1


def test_a_body_that_is_busy_after_a_picture_is_ready_again_by_time_too() -> None:
    with SimulatedCamera("nikon", objects=0, size=100) as sim, Initiator(sim) as initiator:
        assert initiator.ask(0x9207, ALL, 0).code == Code.OK
        assert initiator.ask(0x9207, ALL, 0).code == Code.DeviceBusy
        sim.body._busy.until -= sim.body.habits.busy_s  # so much time has passed
        assert initiator.ask(0x90C8).code == Code.OK
        assert initiator.ask(0x9207, ALL, 0).code == Code.OK


# Those that take a picture at the standard's operation, in a session of PTP/IP.
@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_any_body_can_be_busy_for_a_time_that_is_given(vendor: str) -> None:
    with SimulatedCamera(vendor, objects=0, size=100, busy_s=600) as sim, Initiator(sim) as asking:
        assert asking.ask(Op.InitiateCapture, 0, 0).code == Code.OK
        for _ in range(5):
            assert asking.ask(Op.InitiateCapture, 0, 0).code == Code.DeviceBusy
            if vendor == "nikon":
                assert asking.ask(0x90C8).code == Code.DeviceBusy
        sim.body._busy.until -= 600
        assert asking.ask(Op.InitiateCapture, 0, 0).code == Code.OK


def test_habits_that_are_not_given_are_the_body_s() -> None:
    with SimulatedCamera("nikon", objects=0) as sim:
        assert sim.body.habits == sim.body.vendor.model.habits != Habits()
    with SimulatedCamera(objects=0, needs_probe=True) as sim:
        assert sim.body.habits == Habits(needs_probe=True)
