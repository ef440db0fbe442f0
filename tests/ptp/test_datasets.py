"""Datasets: each known one both ways, cut at every byte; dates as cameras write them."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta, timezone

import pytest

import oracle
import vectors
from ptpfast.engine.wire import Builder, Cursor
from ptpfast.ptp.codes import DataType
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
    format_date_time,
    parse_date_time,
    read_value,
    write_value,
)
from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.nikon import datasets as nikon

DATASETS = {
    "device_info_of_a_d5300": DeviceInfo(
        100, 10, 100, "", 0,
        [0x1001, 0x1002, 0x1003, 0x101B, 0x90C7], [0x4002, 0x400D], [0x5001, 0x5011],
        [0x3801], [0x3000, 0x3001, 0x3801],
        "Nikon Corporation", "D5300", "V1.01", "6001234",
    ),
    "device_info_with_a_description_and_empty_lists": DeviceInfo(
        100, 6, 100, "microsoft.com: 1.0;", 1, [], [], [], [], [], "SONY", "ILCE-7M4", "", "",
    ),
    "device_info_that_ends_after_the_model": DeviceInfo(
        100, 10, 100, "", 0, [], [], [], [], [], "SONY", "D5300", "", "",
    ),
    "storage_info_of_a_card": StorageInfo(
        4, 3, 0, 0x0E_A000_0000, 0x03_2000_0000, 450, "Removable", "",
    ),
    "storage_info_of_unknown_size": StorageInfo(
        0, 0, 1, (1 << 64) - 1, 0, 0xFFFFFFFF, "", "Größe 📷",
    ),
    "object_info_of_a_raw_picture": ObjectInfoDataset(
        storage_id=0x10001, object_format=0x3000, object_compressed_size=30_000_000,
        thumb_format=0x3801, thumb_compressed_size=12000, thumb_pix_width=160, thumb_pix_height=120,
        image_pix_width=6000, image_pix_height=4000, image_bit_depth=24, parent_object=0x19C60,
        filename="DSC_0001.NEF", capture_date="20260102T030405",
    ),
    "object_info_of_a_folder": ObjectInfoDataset(
        storage_id=0x10001, object_format=0x3001, association_type=1,
        filename="DCIM", capture_date="19800000T000000",
    ),
    "object_info_of_a_movie_above_4_gib": ObjectInfoDataset(
        storage_id=0x20001, object_format=0x300D, protection_status=1,
        object_compressed_size=0xFFFFFFFF, thumb_format=0x3808,
        image_pix_width=3840, image_pix_height=2160, parent_object=0x92740000, sequence_number=7,
        filename="A001.MOV", capture_date="20260102T030405.0",
    ),
    "object_info_with_a_padded_name_and_no_dates": ObjectInfoDataset(
        storage_id=0x10001, object_format=0x3800, object_compressed_size=4, filename="A.NEF",
    ),
}  # fmt: skip
PROP_DESCS = {
    "prop_desc_battery_level_u8_range": DevicePropDesc(
        0x5001, DataType.UINT8, False, 100, 75, (0, 100, 1)
    ),
    "prop_desc_white_balance_u16_enumeration": DevicePropDesc(
        0x5005, DataType.UINT16, True, 2, 4, [2, 4, 0x8010]
    ),
    "prop_desc_exposure_bias_i16_range": DevicePropDesc(
        0x5010, DataType.INT16, True, 0, -333, (-3000, 3000, 333)
    ),
    "prop_desc_date_time_string_without_form": DevicePropDesc(
        0x5011, DataType.STR, True, "", "20260102T030405"
    ),
    "prop_desc_image_size_string_enumeration": DevicePropDesc(
        0x5003, DataType.STR, True, "6000x4000", "3000x2000", ["6000x4000", "3000x2000"]
    ),
    "prop_desc_of_an_array_of_u16_without_form": DevicePropDesc(
        0xD199, 0x4004, False, [], [1, 0xFFFF]
    ),
    "prop_desc_without_form_flag": DevicePropDesc(0x5001, DataType.UINT8, False, 100, 75),
    "prop_desc_that_ends_after_a_string_default": DevicePropDesc(
        0x5011, DataType.STR, True, "L", ""
    ),
}
ARRAYS = {
    "array_of_three_object_handles": [0x1001, 0x1002, 0x1003],
    "array_of_two_storage_ids": [0x10001, 0x20000],
    "array_of_no_object_handles": [],
}
VALUES = {
    "string_a_mov": (DataType.STR, "A.MOV"),
    "object_size_of_five_gibibytes": (DataType.UINT64, 5 << 30),
}
EVENTS = {
    "nikon_events_object_added_and_capture_complete": [(0x4002, (0x1004,)), (0x400D, (0,))],
    "nikon_events_none": [],
    "nikon_events_ex_object_added": [(0x4002, (0x1004,))],
    "nikon_events_ex_two_without_parameters": [(0x4008, ()), (0x400B, ())],
    "nikon_events_ex_with_none_and_two_parameters": [(0x4008, ()), (0xC101, (0xFFFF0001, 7))],
}


def known(expected):
    """Parametrises over the vectors a table has values for."""
    rows = [(vectors.DATASETS[name], value) for name, value in expected.items()]
    return pytest.mark.parametrize(("vector", "expected"), rows, ids=expected.keys())


def events_reader(vector):
    return nikon.parse_events_ex if "_ex_" in vector.name else nikon.parse_events


def test_every_dataset_vector_has_expected_values_and_the_reverse():
    names = [*DATASETS, *PROP_DESCS, *ARRAYS, *VALUES, *EVENTS]
    assert sorted(names) == sorted(vectors.DATASETS)


@known(DATASETS)
def test_dataset_decodes_to_its_values_and_encodes_to_the_same_bytes(vector, expected):
    assert decode(type(expected), vector.data) == expected
    if vector.lenient:
        assert decode(type(expected), encode(expected)) == expected
    else:
        assert encode(expected) == vector.data


@known(DATASETS)
def test_oracle_reads_the_same_dataset_and_writes_the_same_bytes(vector, expected):
    letters = oracle.DATASETS[type(expected).__name__]
    assert oracle.Reader(vector.data).values(letters) == list(astuple(expected))
    assert oracle.write_all(letters, astuple(expected)) == encode(expected)


@known(DATASETS)
def test_bytes_behind_a_dataset_are_left_alone(vector, expected):
    if not vector.lenient:  # behind missing strings there is no behind
        assert decode(type(expected), vector.data + b"\x05more") == expected


@known(DATASETS)
def test_dataset_cut_at_any_byte_raises_or_lacks_only_whole_strings_at_its_end(vector, expected):
    cls = type(expected)
    for size in range(len(vector.data)):
        data = vector.data[:size]
        try:
            values = oracle.Reader(data).values(oracle.DATASETS[cls.__name__])
        except oracle.LayoutError:
            with pytest.raises(ProtocolError, match=cls.__name__):
                decode(cls, data)
        else:
            assert list(astuple(decode(cls, data))) == values
            there = [value for value in values if value != ""]
            assert there == [value for value in astuple(expected) if value != ""][: len(there)]


@pytest.mark.parametrize("buffer_of", [bytes, bytearray, memoryview])
def test_dataset_decodes_out_of_any_buffer(buffer_of):
    vector = vectors.DATASETS["object_info_of_a_raw_picture"]
    assert decode(ObjectInfoDataset, buffer_of(vector.data)).filename == "DSC_0001.NEF"


def test_error_of_a_cut_dataset_says_its_name_the_field_and_the_byte():
    with pytest.raises(ProtocolError, match="StorageInfo: u64 at byte 6 needs 8 bytes, 4 are left"):
        decode(StorageInfo, bytes(10))


@pytest.mark.parametrize(
    "dataset",
    [
        ObjectInfoDataset(object_compressed_size=1 << 32),
        ObjectInfoDataset(filename="x" * 255),
        StorageInfo(max_capacity=-1),
        DeviceInfo(operations_supported=[0x10000]),
    ],
    ids=["size", "name", "capacity", "operation"],
)
def test_value_that_does_not_fit_its_field_raises_value_error(dataset):
    with pytest.raises(ValueError):
        encode(dataset)


@known(PROP_DESCS)
def test_prop_desc_decodes_to_its_values_and_encodes_to_the_same_bytes(vector, expected):
    assert decode_prop_desc(vector.data) == expected
    assert decode_prop_desc(encode_prop_desc(expected)) == expected
    assert (encode_prop_desc(expected) == vector.data) is not bool(vector.lenient)


@known(PROP_DESCS)
def test_oracle_reads_the_same_prop_desc_cut_at_any_byte(vector, expected):
    assert oracle.read_prop_desc(vector.data) == list(astuple(expected))
    for size in range(len(vector.data)):
        data = vector.data[:size]
        try:
            values = oracle.read_prop_desc(data)
        except oracle.LayoutError:
            with pytest.raises(ProtocolError):
                decode_prop_desc(data)
        else:
            assert list(astuple(decode_prop_desc(data))) == values


@pytest.mark.parametrize("data_type", [0x0000, 0x000B, 0x4000, 0x400B, 0x8002, 0xBFFF, 0xFFFE])
def test_undefined_data_type_raises_protocol_error_that_names_it(data_type):
    data = b"\x01\x50" + data_type.to_bytes(2, "little") + bytes(40)
    with pytest.raises(ProtocolError, match=f"undefined data type 0x{data_type:04X}") as raised:
        decode_prop_desc(data)
    assert raised.value.offset == 5
    with pytest.raises(ValueError, match="undefined data type"):
        write_value(Builder(), data_type, 0)


def test_string_enumeration_cut_between_two_values_raises_protocol_error():
    data = vectors.DATASETS["prop_desc_image_size_string_enumeration"].data
    with pytest.raises(ProtocolError, match="1 of 2 values"):
        decode_prop_desc(data[:-21])


@pytest.mark.parametrize("data_type", oracle.DATA_TYPES, ids=hex)
def test_value_of_each_data_type_is_the_same_after_writing_and_reading(data_type):
    letter = oracle.DATA_TYPES[data_type]
    value = {"S": "Größe"}.get(letter, [1, 2, 127] if letter.endswith("*") else 127)
    builder = Builder()
    write_value(builder, data_type, value)
    assert bytes(builder) == oracle.write(letter, value)
    assert read_value(Cursor(bytes(builder)), data_type) == value


@known(VALUES)
def test_property_value_reads_as_its_data_type_says(vector, expected):
    data_type, value = expected
    assert read_value(Cursor(vector.data), data_type) == value
    builder = Builder()
    write_value(builder, data_type, value)
    assert bytes(builder) == vector.data


@known(VALUES)
def test_property_value_cut_at_any_byte_raises_protocol_error(vector, expected):
    for size in range(1, len(vector.data)):
        with pytest.raises(ProtocolError):
            read_value(Cursor(vector.data[:size]), expected[0])


@known(ARRAYS)
def test_array_decodes_to_its_values_and_encodes_to_the_same_bytes(vector, expected):
    assert decode_array(vector.data) == expected
    assert encode_array(expected) == vector.data
    assert oracle.Reader(vector.data).value("I*") == expected


@known(ARRAYS)
def test_array_cut_at_any_byte_raises_protocol_error_that_says_what_it_is(vector, expected):
    for size in range(1, len(vector.data)):
        with pytest.raises(ProtocolError, match=r"^object handles: "):
            decode_array(vector.data[:size], what="object handles")


def test_array_of_no_bytes_at_all_is_empty():
    assert decode_array(b"") == []


def test_array_of_ten_thousand_handles_is_the_same_after_encoding():
    handles = list(range(0x10000, 0x10000 + 10_000))
    data = encode_array(handles)
    assert len(data) == 40_004
    assert decode_array(data) == handles


def test_array_of_another_kind_has_elements_of_its_width():
    assert decode_array(bytes.fromhex("02000000 0110 0210"), "u16") == [0x1001, 0x1002]
    assert encode_array([0x1001, 0x1002], "u16") == bytes.fromhex("02000000 0110 0210")


@known(EVENTS)
def test_polled_events_are_read_with_their_parameters(vector, expected):
    assert events_reader(vector)(vector.data) == expected


@known(EVENTS)
def test_polled_events_cut_at_any_byte_raise_protocol_error(vector, expected):
    read = events_reader(vector)
    assert read(b"") == []
    for size in range(1, len(vector.data)):
        with pytest.raises(ProtocolError):
            read(vector.data[:size])


MOMENT = datetime(2026, 1, 2, 3, 4, 5)
DATES = {
    "20260102T030405": MOMENT,
    "20260102T030405.0": MOMENT,
    "20260102T030405.7": MOMENT.replace(microsecond=700_000),
    "20260102T030405.1234567": MOMENT.replace(microsecond=123_456),
    "20260102T030405Z": MOMENT.replace(tzinfo=UTC),
    "20260102T030405+0130": MOMENT.replace(tzinfo=timezone(timedelta(minutes=90))),
    "20260102T030405.5-0800": MOMENT.replace(
        microsecond=500_000, tzinfo=timezone(timedelta(hours=-8))
    ),
    " 20260102T030405 ": MOMENT,
    "00010101T000000": datetime(1, 1, 1),
}
NO_DATES = [
    "", " ", "T", "2026", "20260102", "20260102T0304", "20260102T0304056", "2026-01-02T03:04:05",
    "19800000T000000", "20261301T000000", "20260230T000000", "20260102T240000", "20260102T030460",
    "00000101T000000", "20260102T030405+", "20260102T030405+01", "20260102T030405+9900",
    "20260102T030405-2400", "20260102T030405.", "２０２６0102T030405", "20260102T030405\n20260102",
]  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), DATES.items(), ids=repr)
def test_date_time_is_read_as_cameras_write_it(text, moment):
    parsed = parse_date_time(text)
    assert parsed == moment
    assert parsed.utcoffset() == moment.utcoffset()


@pytest.mark.parametrize("text", NO_DATES, ids=repr)
def test_text_that_is_no_date_is_none_and_no_error(text):
    assert parse_date_time(text) is None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "20260102T030405"),
        (MOMENT.replace(tzinfo=UTC), "20260102T030405Z"),
        (MOMENT.replace(tzinfo=timezone(timedelta(hours=-8))), "20260102T030405-0800"),
        (datetime(33, 4, 5), "00330405T000000"),
    ],
    ids=["naive", "utc", "offset", "year_of_two_digits"],
)
def test_date_time_is_written_as_it_is_read(moment, text):
    assert format_date_time(moment) == text
    assert parse_date_time(text) == moment
