"""Sony's datasets: known bytes decode and encode back; hostile bytes are refused."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ptpfast.ptp.codes import DataType
from ptpfast.ptp.datasets import DevicePropDesc
from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.sony.contents import (
    Content,
    ContentFile,
    ContentInfoList,
    encode_capture_times,
    encode_contents,
    parse_capture_times,
    parse_contents,
)
from ptpfast.vendors.sony.datasets import (
    ExtDeviceInfo,
    Property,
    encode_ext_device_info,
    encode_frame,
    encode_properties,
    parse_ext_device_info,
    parse_frame,
    parse_properties,
)

MOST = b"\xff" * 8

# Two properties as the reference lays them out: one with both lists, one with a range.
TWO_LISTS = bytes.fromhex(
    "0200000000000000"
    "2ad2" "0400" "01" "01" "0100" "1100" "02" "0200" "0100" "1100" "0300" "0100" "1100" "1000"
    "15d2" "0400" "00" "02" "0000" "0180" "01" "0000" "ffff" "0100"
)  # fmt: skip

RAW = ContentFile(1, "/DCIM/100MSDCF/DSC00001.ARW", 0xB101, 6 << 30, bytes(range(32)), (7008, 4672))
MOVIE = ContentFile(
    3, "/PRIVATE/M4ROOT/CLIP/C0001.MP4", 0xB982, 5, video=tuple(range(19)), audio=(1, 2, 3, 4)
)
LISTED = ContentInfoList(
    1_767_323_045_000,
    bytes(64),
    b"\7" * 64,
    2,
    [
        Content(1, 7, 100, 1, created=5, modified=6, created_local=7, modified_local=8, rating=-1,
                shot_marks=b"ab", files=[RAW, MOVIE]),
        Content(4, 8, rating=5, protection=1),
    ],
)  # fmt: skip


def vectors(name: str) -> list[tuple[str, bytes]]:
    """(operation, payload) of a camera's published log, where the folder with these is."""
    folder = os.environ.get("PTPFAST_VECTORS")
    if not folder:
        pytest.skip("PTPFAST_VECTORS names no folder with the bytes of real cameras")
    text = (Path(folder) / f"{name}.hex").read_text()
    lines = [line.partition(": ") for line in text.splitlines() if not line.startswith("#")]
    return [(head.split()[0], bytes.fromhex(payload)) for head, _, payload in lines]


def test_property_list_of_a_real_a6000_decodes_and_encodes_back() -> None:
    (payload,) = [data for operation, data in vectors("sony-a6000") if operation == "0x9209"]
    found = parse_properties(payload)
    assert len(found) == 34
    assert found[0x5004].settable == [2, 3, 16, 19]
    assert found[0x5004].readable is None
    assert found[0xD215].desc == DevicePropDesc(
        0xD215, DataType.UINT16, False, 0, 0, (0, 0xFFFF, 1)
    )
    assert encode_properties(found.values()) == payload


def test_property_list_with_two_lists_decodes_and_encodes_back() -> None:
    found = parse_properties(TWO_LISTS)
    assert found == {
        0xD22A: Property(0xD22A, DataType.UINT16, 1, 1, 1, 0x11, [1, 0x11], [1, 0x11, 0x10]),
        0xD215: Property(0xD215, DataType.UINT16, 0, 2, 0, 0x8001, (0, 0xFFFF, 1)),
    }
    assert encode_properties(found.values()) == TWO_LISTS
    assert found[0xD22A].desc.form == [1, 0x11]
    assert not found[0xD215].desc.writable


def test_second_list_is_told_from_the_next_property_by_its_size() -> None:
    one = Property(0xD201, DataType.UINT8, 1, 1, 1, 1, [1, 2])
    both = Property(0xD202, DataType.UINT8, 1, 1, 1, 1, [], list(range(200)) * 2)
    text = Property(0xD223, DataType.STR, 1, 1, "", "20260102T030405.0+0900")
    found = [one, both, text]
    for properties in (found, found[::-1]):
        payload = encode_properties(properties)
        assert list(parse_properties(payload).values()) == properties


def test_no_data_is_an_empty_list_of_properties() -> None:
    assert parse_properties(b"") == {}
    assert parse_properties(bytes(8)) == {}


def test_extended_device_info_encodes_back_with_one_array_too() -> None:
    info = ExtDeviceInfo(0x12C, [0x5005, 0xD215], [0xD2C1])
    payload = encode_ext_device_info(info)
    assert payload.hex() == "2c0102000000055015d201000000c1d2"
    assert parse_ext_device_info(payload) == info
    assert parse_ext_device_info(payload[:-6]).controls == []


def test_live_view_frame_is_where_its_offset_says() -> None:
    payload = encode_frame(b"\xff\xd8picture", b"focus", padding=120)
    assert payload[:4] == (136).to_bytes(4, "little")
    assert parse_frame(payload) == b"\xff\xd8picture"
    assert parse_frame(b"") == b""
    assert parse_frame(encode_frame(b"")) == b""


@pytest.mark.parametrize("head", [(136, 1000), (4, 9), (0xFFFFFFFF, 0xFFFFFFFF), (8, 1 << 31)])
def test_live_view_frame_outside_of_its_data_is_refused(head: tuple[int, int]) -> None:
    payload = b"".join(value.to_bytes(4, "little") for value in head) + bytes(200)
    with pytest.raises(ProtocolError):
        parse_frame(payload)


def test_content_list_decodes_and_encodes_back() -> None:
    payload = encode_contents(LISTED)
    assert parse_contents(payload) == LISTED
    assert payload[:12].hex() == "64000000" + (1_767_323_045_000).to_bytes(8, "little").hex()
    assert payload[144:148] == b"\2\0\0\0"


def test_contents_deleted_while_the_list_was_read_are_left_out() -> None:
    payload = bytearray(encode_contents(LISTED))
    payload[144:148] = (4).to_bytes(4, "little")
    payload += bytes(160 + 65)  # zeros where the deleted ones were
    assert parse_contents(payload).contents == LISTED.contents


def test_path_of_a_file_ends_at_its_nul_and_may_be_damaged() -> None:
    file = ContentFile(1, "a\udc80/é")
    listed = ContentInfoList(contents=[Content(1, 1, files=[file])])
    ((read,),) = [each.files for each in parse_contents(encode_contents(listed)).contents]
    assert read.path == "a?/é"


def test_capture_times_are_read_with_a_count_and_without() -> None:
    times = [1_767_323_045_000, 1, (1 << 64) - 1]
    for counted in (True, False):
        assert parse_capture_times(encode_capture_times(times, counted=counted)) == times
    assert parse_capture_times(b"") == []
    assert parse_capture_times(bytes(4)) == []


@pytest.mark.parametrize("payload", [b"\2\0\0\0" + bytes(8), bytes(9), b"\xff" * 4, bytes(3)])
def test_capture_times_that_are_cut_or_miscounted_are_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_capture_times(payload)


@pytest.mark.parametrize(
    ("parse", "payload"),
    [
        (parse_properties, TWO_LISTS),
        (parse_contents, encode_contents(LISTED)),
        (parse_ext_device_info, encode_ext_device_info(ExtDeviceInfo(1, [2], [3]))),
    ],
)
def test_every_cut_of_a_dataset_is_refused_or_shorter(
    parse: Callable[[bytes], Any], payload: bytes
) -> None:
    whole = parse(payload)
    for end in range(1, len(payload)):
        try:
            cut = parse(payload[:end])
        except ProtocolError:
            continue
        assert cut != whole


@pytest.mark.parametrize(
    ("parse", "payload"),
    [
        (parse_properties, MOST + bytes(100)),
        (parse_properties, TWO_LISTS[:8] + b"\1\2\2\0\1\1\0\0\2\xff\xff" + bytes(9)),
        (parse_contents, encode_contents(ContentInfoList())[:-4] + MOST),
        (parse_contents, encode_contents(ContentInfoList())[:-4] + b"\1\0\0\0" + bytes(76) + MOST),
        (parse_contents, encode_contents(ContentInfoList())[:-4] + b"\1\0\0\0" + bytes(72) + MOST),
        (parse_capture_times, b"\xff\xff\xff\xff" + bytes(16)),
        (parse_ext_device_info, b"\x2c\1" + MOST),
    ],
)
def test_hostile_count_costs_neither_memory_nor_time(
    parse: Callable[[bytes], Any], payload: bytes
) -> None:
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(ProtocolError):
            parse(payload)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 20
