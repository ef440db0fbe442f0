"""Bytes and reports of real cameras: every line of every file is read, and encodes back.

The files lie in the folders that PTPFAST_VECTORS and PTPFAST_BODIES name. An operation without a
reader here, or a file of an unknown form, fails: no file is there for nothing.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from each import each
from ptpfast import vendors
from ptpfast.engine.wire import Builder, Cursor
from ptpfast.ptp.codes import DataType
from ptpfast.ptp.datasets import (
    DeviceInfo,
    DevicePropDesc,
    StorageInfo,
    decode,
    decode_array,
    decode_prop_desc,
    encode,
    encode_array,
    encode_prop_desc,
    read_value,
    write_value,
)
from ptpfast.vendors.canon import datasets as canon
from ptpfast.vendors.canon import records
from ptpfast.vendors.panasonic import datasets as panasonic
from ptpfast.vendors.sony import datasets as sony

Again = Callable[[bytes], bytes]


def files(variable: str, pattern: str) -> list[Path]:
    """The files of a folder; the test is skipped without it."""
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} names no folder with what real cameras send")
    found = sorted(path for path in Path(folder).glob(pattern) if path.name != "README.md")
    assert found
    return found


# Each reads a payload and encodes what it has read.


def _device_info(payload: bytes) -> bytes:
    return encode(decode(DeviceInfo, payload))


def _codes(payload: bytes) -> bytes:
    return encode_array(decode_array(payload))


def _storage(payload: bytes) -> bytes:
    return encode(decode(StorageInfo, payload))


def _canon_storage(payload: bytes) -> bytes:
    """The standard's dataset; an EOS 60D writes its empty label with a NUL of two bytes."""
    return _storage(payload) + bytes(2)


def _description(payload: bytes) -> bytes:
    return encode_prop_desc(decode_prop_desc(payload))


def _canon_description(payload: bytes) -> bytes:
    """An EOS 60D describes its battery in 8 bits, with the allowed values in 16."""
    desc = decode_prop_desc(payload)
    if desc.code != 0x5001:
        return encode_prop_desc(desc)
    assert desc.form == [100, 75, 50, 25, 0]
    head = encode_prop_desc(desc)[: -len(desc.form)]
    return head + b"".join(value.to_bytes(2, "little") for value in desc.form)


def _canon_events(payload: bytes) -> bytes:
    ends = payload.endswith(bytes.fromhex("08000000 00000000"))
    return records.join_records(list(records.split_records(payload)), ends=ends)


def _canon_setting(payload: bytes) -> bytes:
    return canon.encode_setting(*canon.parse_setting(payload))


def _canon_codes(payload: bytes) -> bytes:
    return canon.encode_extended_info(canon.parse_extended_info(payload))


def _panasonic_values(payload: bytes) -> bytes:
    return panasonic.pack_values(panasonic.parse_values(payload))


def _panasonic_property(payload: bytes) -> bytes:
    return panasonic.pack_records(panasonic.parse_records(payload, with_data=True))


def _panasonic_sizes(payload: bytes) -> bytes:
    """Records, or the beginning of rows that no source explains: they are kept as numbers."""
    size = int.from_bytes(payload[:4], "little")
    if len(payload) < size < 1000:
        assert size % 12 == 0  # of three numbers; the first has an operation
        return b"".join(
            number.to_bytes(4, "little") for (number,) in struct.iter_unpack("<I", payload)
        )
    return panasonic.pack_records(panasonic.parse_records(payload, with_data=False))


def _sony_properties(payload: bytes) -> bytes:
    return sony.encode_properties(sony.parse_properties(payload).values())


def _sony_button(payload: bytes) -> bytes:
    """The value of a control such as 0xD2C7, in 16 bits."""
    builder = Builder()
    write_value(builder, DataType.UINT16, read_value(Cursor(payload), DataType.UINT16))
    return bytes(builder)


STANDARD: dict[int, Again] = {
    0x1001: _device_info,
    0x1004: _codes,
    0x1005: _storage,
    0x1007: _codes,
    0x1014: _description,
}
# The first word of a file's name → the readers of its operations.
READERS: dict[str, dict[int, Again]] = {
    "canon": {
        **STANDARD,
        0x1014: _canon_description,
        0x9101: _codes,
        0x9102: _canon_storage,
        0x9108: _canon_codes,
        0x9110: _canon_setting,
        0x9116: _canon_events,
    },
    "fuji": STANDARD,
    "panasonic": {
        **STANDARD,
        0x9107: _panasonic_sizes,
        0x9108: _panasonic_property,
        0x9402: _panasonic_values,
    },
    "samsung": STANDARD,
    "sony": {**STANDARD, 0x9207: _sony_button, 0x9209: _sony_properties},
}


def test_every_line_of_real_bytes_decodes_and_encodes_back() -> None:
    lines = [
        (path.stem, line)
        for path in files("PTPFAST_VECTORS", "*")
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]

    @each(lines, name=lambda pair: f"{pair[0]}, {pair[1][:40]}")
    def read(pair: tuple[str, str]) -> None:
        stem, line = pair
        head, _, digits = line.partition(":")
        operation, payload = int(head.split()[0], 16), bytes.fromhex(digits)
        readers = READERS.get(stem.partition("-")[0], {})
        assert operation in readers, "nothing reads it"
        assert readers[operation](payload) == payload

    read()


VENDORS = {"canon": "canon", "fuji": "fujifilm", "nikon": "nikon", "panasonic": "panasonic"}
VENDORS |= {"ricoh": "ricoh", "samsung": "standard", "sony": "sony"}


def test_every_device_info_of_real_bytes_is_recognised() -> None:
    found = set()
    for path in files("PTPFAST_VECTORS", "*.hex"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("0x1001"):
                info = decode(DeviceInfo, bytes.fromhex(line.partition(":")[2]))
                maker = path.stem.partition("-")[0]
                assert vendors.select(info).name == VENDORS[maker]
                found.add((maker, info.model))
    assert {("samsung", "SAMSUNG NX1"), ("canon", "Canon EOS 60D")} <= found


TYPES = {
    "i8": DataType.INT8,
    "u8": DataType.UINT8,
    "i16": DataType.INT16,
    "u16": DataType.UINT16,
    "i32": DataType.INT32,
    "u32": DataType.UINT32,
    "u64": DataType.UINT64,
    "str": DataType.STR,
}


def described(told: dict[str, Any]) -> DevicePropDesc | None:
    """A property of a report; None for one of a type that PTP does not define, or without value."""
    if told["type"] not in TYPES or (told["type"] != "str" and not told["value"]):
        return None
    data_type = TYPES[told["type"]]

    def value(text: str) -> int | str:
        return text if data_type == DataType.STR else int(text)

    form: Any = None
    if "range" in told:
        form = tuple(int(number) for number in told["range"])
    elif "enum" in told:
        form = [value(text) for text in told["enum"].split(",") if text]
    current = value(told["value"])
    return DevicePropDesc(
        int(told["code"], 16), data_type, told["access"] == "rw", current, current, form
    )


def test_every_report_of_a_real_body_is_recognised_and_its_properties_decode() -> None:
    count = 0
    for path in files("PTPFAST_BODIES", "*"):
        report = json.loads(path.read_text(encoding="utf-8"))
        info = DeviceInfo(
            operations_supported=[int(code, 16) for code in report["operations"]],
            events_supported=[int(code, 16) for code in report["events"]],
            device_properties_supported=[int(code, 16) for code in report["properties_listed"]],
            manufacturer=report["manufacturer"],
            model=report["model"],
            device_version=report["version"],
        )
        assert decode(DeviceInfo, encode(info)) == info
        assert vendors.select(info).name == VENDORS[path.stem.partition("-")[0]], path.name
        for desc in map(described, report["properties"]):
            if desc is not None:
                assert decode_prop_desc(encode_prop_desc(desc)) == desc
                count += 1
    assert count > 1000
