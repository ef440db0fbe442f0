"""Bytes behind the end of a dataset: ignored, and logged with what they are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

import ptpfast
from ptpfast.ptp.codes import DataType, ObjectPropCode
from ptpfast.ptp.datasets import (
    DeviceInfo,
    DevicePropDesc,
    ObjectInfoDataset,
    StorageInfo,
    decode,
    decode_array,
    decode_prop_desc,
    encode,
    encode_array,
    encode_prop_desc,
)
from ptpfast.ptpip.packets import PtpIpEventFactory
from ptpfast.vendors.bulk import parse_object_prop_list
from ptpfast.vendors.nikon import datasets as nikon
from raw_responder import Responder, payload

# GetDevicePropDesc of 0x5001 of a real EOS 60D (libgphoto2 camlibs/ptp2/cameras): described as u8,
# its enumeration written as u16.
BATTERY_60D = bytes.fromhex("0150020000323202050064004b00320019000000")
REST = bytes(range(0xA0, 0xB4))  # 20 bytes
SHOWN = "20 bytes left over at byte"
DESC = DevicePropDesc(0x5001, DataType.UINT8, False, 100, 75, (0, 100, 1))
OBJECT_SIZE = (
    (1).to_bytes(4, "little")
    + (7).to_bytes(4, "little")
    + int(ObjectPropCode.ObjectSize).to_bytes(2, "little")
    + int(DataType.UINT64).to_bytes(2, "little")
    + bytes(8)
)

READERS: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "DeviceInfo": (lambda raw: decode(DeviceInfo, raw), encode(DeviceInfo(serial_number="1"))),
    "StorageInfo": (lambda raw: decode(StorageInfo, raw), encode(StorageInfo())),
    "ObjectInfoDataset": (
        lambda raw: decode(ObjectInfoDataset, raw),
        encode(ObjectInfoDataset(filename="A.NEF")),
    ),
    "DevicePropDesc": (decode_prop_desc, encode_prop_desc(DESC)),
    "GetObjectHandles": (
        lambda raw: decode_array(raw, "u32", "GetObjectHandles"),
        encode_array([1, 2]),
    ),
    "GetObjectPropList": (lambda raw: parse_object_prop_list(raw, {7}), OBJECT_SIZE),
    "GetEvent": (nikon.parse_events, b"\1\0\2\x40\1\0\0\0"),
    "GetEventEx": (nikon.parse_events_ex, b"\0\0\0\0"),
    "GetEvent of the ptpip module": (
        lambda raw: [(e.event_code, e.event_parameter) for e in PtpIpEventFactory(raw).events],
        b"\1\0\2\x40\1\0\0\0",
    ),
}


@pytest.mark.parametrize("what", READERS)
def test_bytes_behind_a_dataset_are_logged_and_change_nothing(
    caplog: pytest.LogCaptureFixture, what: str
) -> None:
    read, raw = READERS[what]
    with caplog.at_level(logging.DEBUG, "ptpfast"):
        plain = read(raw)
        assert caplog.messages == []
        assert read(raw + REST) == plain
    (message,) = caplog.messages
    assert message == (f"{what.partition(' of ')[0]}: {SHOWN} {len(raw)}: {REST[:16].hex(' ')} ...")


def test_allowed_values_of_8_bits_that_are_written_in_16_are_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "ptpfast"):
        desc = decode_prop_desc(BATTERY_60D)
    assert (desc.code, desc.current, desc.form) == (0x5001, 50, [100, 75, 50, 25, 0])
    assert caplog.messages == []


@pytest.mark.parametrize("rest", ["00 19 00 00", "00 19 00 00 00 00", "00 19 00 00 01"])
def test_other_bytes_behind_an_enumeration_do_not_make_it_one_of_16_bits(rest: str) -> None:
    desc = decode_prop_desc(BATTERY_60D[:-5] + bytes.fromhex(rest))
    assert desc.form == [100, 0, 75, 0, 50]


def test_a_session_logs_what_is_left_over_of_the_camera_s_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.DEBUG, "ptpfast"),
        Responder(GetStorageIDs=payload(encode_array([0x10001]) + REST)) as responder,
        ptpfast.connect(responder.host, port=responder.port) as session,
    ):
        assert session.storage_ids() == [0x10001]
    assert any(text.startswith(f"GetStorageIDs: {SHOWN} 8") for text in caplog.messages)
