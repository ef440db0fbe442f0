"""What is replaced in a trace, packet by packet."""

from __future__ import annotations

import pytest

from ptpfast.engine.wire import InitCommandAck, InitCommandRequest, pack, parse
from ptpfast.ptp.codes import OperationCode
from ptpfast.ptp.datasets import (
    DeviceInfo,
    DevicePropDesc,
    StorageInfo,
    decode,
    decode_prop_desc,
    encode,
    encode_prop_desc,
)
from ptpfast.trace.redaction import Redactor
from ptpfast.vendors.canon.codes import CanonEvent, CanonOperation, CanonProperty
from ptpfast.vendors.fujifilm.packets import pack_hello, parse_hello

GUID = bytes.fromhex("8f3a51c27be046d99d10a4e6f25b7c83")


def test_init_packets_keep_their_length_and_nothing_that_identifies() -> None:
    redactor = Redactor()
    for packet in (
        pack(InitCommandRequest(GUID, "anna-laptop", 0x10000)),
        pack(InitCommandAck(7, GUID, "Anna's cam", 0x10000)),
    ):
        replaced = redactor.init(packet, containers=False)
        assert len(replaced) == len(packet)
        parsed = parse(replaced)
        assert set(parsed.name) == {"x"}
        assert parsed.guid != GUID
        assert parsed.version == 0x10000


def test_init_packet_of_fujifilm_hides_what_stands_behind_the_name() -> None:
    packet = bytearray(pack_hello(GUID, "anna-laptop"))
    packet[-10:] = "Anna\0".encode("utf-16-le")
    replaced = Redactor().init(bytes(packet), containers=True)
    assert len(replaced) == len(packet)
    assert parse_hello(replaced).name == "x" * 11
    assert "Anna".encode("utf-16-le") not in replaced


def test_init_packet_that_is_cut_is_blanked() -> None:
    packet = pack(InitCommandRequest(GUID, "anna", 0x10000))[:20]
    assert GUID[:8] not in Redactor().init(packet, containers=False)


def test_serial_number_of_device_info_is_replaced_and_all_else_kept() -> None:
    info = DeviceInfo(manufacturer="Nikon", model="Z 6", serial_number="0000000007200123")
    replaced = Redactor().dataset(OperationCode.GetDeviceInfo, (), encode(info))
    read = decode(DeviceInfo, replaced)
    assert read.serial_number == "0" * 16
    assert (read.manufacturer, read.model) == ("Nikon", "Z 6")


def test_device_info_that_is_cut_is_blanked() -> None:
    payload = encode(DeviceInfo(model="Z 6", serial_number="0000000007200123"))
    for size in range(len(payload) - 40, len(payload)):
        replaced = Redactor().dataset(OperationCode.GetDeviceInfo, (), payload[:size])
        assert len(replaced) == size
        for digit in "7", "2", "1", "3":
            assert f"{digit}\0".encode("ascii") not in replaced[-32:]


def test_serial_number_is_found_in_later_datasets_without_its_zeros() -> None:
    redactor = Redactor()
    info = DeviceInfo(model="Z 6", serial_number="0000000007200123")
    redactor.dataset(OperationCode.GetDeviceInfo, (), encode(info))
    later = b"ab7200123cd" + "7200123".encode("utf-16-le")
    assert redactor.dataset(0x9209, (), later) == b"ab0000000cd" + ("0" * 7).encode("utf-16-le")


def test_camera_that_is_called_as_its_model_keeps_the_model() -> None:
    redactor = Redactor()
    redactor.init(pack(InitCommandAck(1, GUID, "ILCE-7M4", 0x10000)), containers=False)
    payload = encode(DeviceInfo(manufacturer="Sony", model="ILCE-7M4", serial_number="12345678"))
    redactor.dataset(OperationCode.GetDeviceInfo, (), payload)
    redactor.init(pack(InitCommandAck(2, GUID, "ILCE-7M4", 0x10000)), containers=False)
    assert redactor.dataset(0x9209, (), b"ILCE-7M4") == b"ILCE-7M4"


def test_card_label_is_replaced_behind_a_description_that_is_kept() -> None:
    payload = encode(StorageInfo(storage_description="SD", volume_label="ANNAS CARD"))
    read = decode(StorageInfo, Redactor().dataset(OperationCode.GetStorageInfo, (1,), payload))
    assert (read.storage_description, read.volume_label) == ("SD", "x" * 10)


@pytest.mark.parametrize("code", [0x501E, 0x501F, 0xD402])
def test_properties_with_names_are_replaced_in_value_and_description(code: int) -> None:
    described = encode_prop_desc(DevicePropDesc(code, 0xFFFF, True, "Bob", "Anna B"))
    redactor = Redactor()
    read = decode_prop_desc(redactor.dataset(OperationCode.GetDevicePropDesc, (code,), described))
    assert (read.factory_default, read.current) == ("xxx", "xxxxxx")
    value = b"\x04" + "Bob\0".encode("utf-16-le")
    replaced = redactor.dataset(OperationCode.GetDevicePropValue, (code,), value)
    assert replaced == b"\x04" + "xxx\0".encode("utf-16-le")


def test_other_properties_are_kept_as_they_are() -> None:
    described = encode_prop_desc(DevicePropDesc(0x5003, 0xFFFF, True, "6000x4000", "3000x2000"))
    assert Redactor().dataset(OperationCode.GetDevicePropDesc, (0x5003,), described) == described


def test_owner_and_serial_number_in_events_of_canon_are_replaced() -> None:
    def record(code: int, text: bytes) -> bytes:
        head = (CanonEvent.PropValueChanged, code)
        data = b"".join(int(each).to_bytes(4, "little") for each in head) + text
        return (4 + len(data)).to_bytes(4, "little") + data

    payload = record(CanonProperty.Owner, b"Anna\0") + record(CanonProperty.Aperture, b"Anna")
    payload = payload.replace(b"\x01\xd1\0\0Anna", b"\x01\xd1\0\0abcd")
    replaced = Redactor().dataset(CanonOperation.GetEvent, (), payload)
    assert replaced == payload.replace(b"Anna", b"xxxx")


def test_names_and_numbers_in_xml_are_replaced() -> None:
    payload = b"<?xml version='1.0'?><root><friendlyName>Anna</friendlyName><a>Anna</a></root>"
    assert Redactor().dataset(0x923A, (), payload) == payload.replace(b"Anna", b"xxxx")
