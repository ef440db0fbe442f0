"""Canon's records and datasets: bytes of real bodies decode to known values and encode back."""

import os
import time
from pathlib import Path

import pytest

from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.canon import datasets, properties, records
from ptpfast.vendors.canon.codes import CanonEvent, CanonProperty
from ptpfast.vendors.canon.records import CardObject, Choices, MemoryObject, Record, Value

END = bytes.fromhex("08000000 00000000")

# An EOS R6 Mark II and an EOS 80D over Wi-Fi (logs of sabaipics), an EOS 400D (libgphoto2).
CARD_OBJECTS = {
    "R6 Mark II, RAW": (
        "40000000 a7c10000 011b9151 01000100 08b10000 00000000 20000000 92ba7b01 00000000 00009051"
        "001b9151 32523741 34353238 2e435233 00000000 2ce87b69",
        CardObject(
            0x51911B01,
            0x00010001,
            0xB108,
            0,
            0x20,
            24_885_906,
            0x51900000,
            0x51911B00,
            "2R7A4528.CR3",
            0x697BE82C,
        ),
    ),
    "R6 Mark II, JPEG": (
        "40000000 a7c10000 021b9151 01000100 01380000 00000000 20000000 bcfd1000 00000000 00009051"
        "001b9151 32523741 34353238 2e4a5047 00000000 2ce87b69",
        CardObject(
            0x51911B02,
            0x00010001,
            0x3801,
            0,
            0x20,
            1_113_532,
            0x51900000,
            0x51911B00,
            "2R7A4528.JPG",
            0x697BE82C,
        ),
    ),
    "80D": (
        "40000000 a7c10000 d21a9191 01000200 01380000 00000000 20000000 58101f00 00000000 00009091"
        "d01a9191 494d475f 34353235 2e4a5047 00000000 0cf87b69",
        CardObject(
            0x91911AD2,
            0x00020001,
            0x3801,
            0,
            0x20,
            2_035_800,
            0x91900000,
            0x91911AD0,
            "IMG_4525.JPG",
            0x697BF80C,
        ),
    ),
    "400D": (
        "3c000000 81c10000 52639431 01000100 01380000 00000000 20000000 85412700 00009431 50639431"
        "494d475f 31353839 2e4a5047 00000000 f8d2ed49",
        CardObject(
            0x31946352,
            0x00010001,
            0x3801,
            0,
            0x20,
            2_572_677,
            0x31940000,
            0x31946350,
            "IMG_1589.JPG",
            0x49EDD2F8,
        ),
    ),
}
# The head of the first list of an EOS R6 Mark II.
FIRST_LIST = bytes.fromhex(
    "0c000000 8bc10000 01000000 0c000000 85c10000 01000100 10000000 89c10000 1bd10000 2e070000"
    "1c000000 89c10000 67d10000 10000000 01000000 38380300 68300300 08000000 00000000"
)


@pytest.mark.parametrize("body", CARD_OBJECTS)
def test_record_of_a_new_object_decodes_and_encodes_back(body):
    raw, expected = bytes.fromhex(CARD_OBJECTS[body][0]), CARD_OBJECTS[body][1]
    (record,) = records.split_records(raw + END)
    assert record.code in records.ADDED
    assert records.parse_card_object(record) == expected
    assert records.card_object_record(record.code, expected) == record
    assert records.join_records([record]) == raw + END


def test_record_of_an_r5_mark_ii_without_a_name_decodes_and_encodes_back():
    data = bytes.fromhex("40c03214 08b10000 00000000 d41ca602 00000000 00c03214 06000000 00")
    record = Record(CanonEvent.RequestObjectTransfer64LongName, data)
    item = records.parse_memory_object(record)
    assert item == MemoryObject(0x1432C040, 0xB108, 44_440_788, 0x1432C000, "", (0, 6))
    assert item.file_name == "IMG_1432C040.CR3"
    assert records.memory_object_record(record.code, item) == record
    assert len(records.join_records([record], ends=False)) == 0x25


def test_first_list_of_an_r6_mark_ii_decodes_and_encodes_back():
    found = list(records.split_records(FIRST_LIST))
    assert [(each.code, each.numbers()) for each in found[:2]] == [
        (CanonEvent.CameraStatusChanged, (1,)),
        (CanonEvent.StorageInfoChanged, (0x00010001,)),
    ]
    shots, other = map(records.parse_value, found[2:])
    assert (shots.code, shots.data) == (CanonProperty.AvailableShots, b"\x2e\x07\0\0")
    assert properties.decode_value(other.code, other.data) == [16, 1, 0x33838, 0x33068]
    assert records.join_records(found) == FIRST_LIST


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (CanonEvent.ObjectAddedEx, "IMG_0001.CR2"),
        (CanonEvent.ObjectInfoChangedEx64, "IMG_0001.CR3"),
        (CanonEvent.ObjectAddedEx64LongName, "A name of more than sixteen characters.CR3"),
        (CanonEvent.ObjectInfoChangedEx64LongName, ""),
    ],
)
def test_every_layout_of_a_card_object_is_read_as_written(code, name):
    size = (1 << 32) - 2 if code == CanonEvent.ObjectAddedEx else 5 << 32
    item = CardObject(7, 0x10001, 0xB108, 0, 0x21, size, 3, 6, name, 1_700_000_000)
    assert records.parse_card_object(records.card_object_record(code, item)) == item


@pytest.mark.parametrize("code", sorted(records.REQUESTED))
def test_every_layout_of_a_memory_object_is_read_as_written(code):
    long_name = code == CanonEvent.RequestObjectTransfer64LongName
    plain = code == CanonEvent.RequestObjectTransfer
    item = MemoryObject(
        7,
        0xB108,
        9 if plain else 5 << 32,
        0 if plain else 6,
        "IMG_0001.CR3" if plain or long_name else "",
        (1, 2) if plain or long_name else (1,),
    )
    assert records.parse_memory_object(records.memory_object_record(code, item)) == item


def test_name_of_the_64_bit_request_is_not_trusted():
    data = bytes.fromhex("b1730030 08b10000 00000000 00100000 00000000 b1730030")
    data += b"IMG_0001.CR3\0"
    item = records.parse_memory_object(Record(CanonEvent.RequestObjectTransfer64, data))
    assert (item.handle, item.size, item.name) == (0x300073B1, 4096, "")


def test_list_without_a_closing_record_is_read_to_its_end():
    assert list(records.split_records(FIRST_LIST[: -len(END)])) == list(
        records.split_records(FIRST_LIST)
    )
    assert list(records.split_records(b"")) == []
    assert list(records.split_records(END)) == []
    assert list(records.split_records(END + b"ignored")) == []


def test_unknown_record_keeps_its_bytes_and_shows_its_numbers():
    raw = bytes.fromhex("0c000000 f6c10000 03000000") + END
    (record,) = records.split_records(raw)
    assert (record.code, record.data, record.numbers()) == (0xC1F6, b"\3\0\0\0", (3,))
    assert records.join_records([record]) == raw
    assert Record(1, b"123").numbers() == ()
    assert len(Record(1, bytes(100)).numbers()) == 5


@pytest.mark.parametrize("size", [0, 1, 7, 9, 0x100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_hostile_size_of_a_record_is_an_error_after_the_records_before_it(size):
    good = records.number_record(CanonEvent.ObjectRemoved, 7)
    raw = records.join_records([good], ends=False) + size.to_bytes(4, "little") + b"\1\0\0\0"
    found = []
    with pytest.raises(ProtocolError, match="at byte 12"):
        for record in records.split_records(raw):
            found.append(record)  # noqa: PERF402 - the ones before the error count
    assert found == [good]


@pytest.mark.parametrize("cut", range(1, 8))
def test_list_that_ends_within_a_head_is_an_error(cut):
    with pytest.raises(ProtocolError):
        list(records.split_records(FIRST_LIST[:12] + FIRST_LIST[12 : 12 + cut]))


def test_short_record_of_a_known_code_is_an_error_of_that_record_alone():
    parsers = {
        **dict.fromkeys(records.ADDED | records.CHANGED, records.parse_card_object),
        **dict.fromkeys(records.REQUESTED, records.parse_memory_object),
        CanonEvent.PropValueChanged: records.parse_value,
        CanonEvent.AvailListChanged: records.parse_choices,
        CanonEvent.OLCInfoChanged: records.parse_button,
    }
    for code, parse in parsers.items():
        with pytest.raises(ProtocolError):
            parse(Record(code, b"\1\2\3"))


def test_name_that_may_be_cut_or_is_not_ascii_is_an_error():
    item = CardObject(7, 1, 0x3801, 0, 0, 1, 0, 7, "IMG_0001.JPG", 0)
    record = records.card_object_record(CanonEvent.ObjectAddedEx64, item)
    for name in (b"IMG_00000001.JPG", b"IMG_000\xff.JPG\0\0\0\0"):
        data = record.data.replace(b"IMG_0001.JPG\0\0\0\0", name)
        with pytest.raises(ProtocolError):
            records.parse_card_object(Record(record.code, data))
    for name in ("IMG_00000001.JPG", "Ä.JPG"):
        with pytest.raises(ValueError, match=r"16|ascii"):
            records.encode_short_name(name)


def test_bytes_behind_a_long_name_are_an_error():
    item = CardObject(7, 1, 0x3801, 0, 0, 1, 0, 7, "long enough a name.JPG", 0)
    record = records.card_object_record(CanonEvent.ObjectAddedEx64LongName, item)
    with pytest.raises(ProtocolError):
        records.parse_card_object(Record(record.code, record.data + b"\1"))


def test_button_is_read_from_the_first_group_alone():
    assert records.parse_button(records.button_record(4)) == 4
    # Of an EOS M3 (libgphoto2): the shutter speed's group, and no button.
    (record,) = records.split_records(bytes.fromhex("16000000a5c100000e0000000200000000010000000c"))
    assert records.parse_button(record) is None


# Listings


# The root of a card, and a file on another (libgphoto2 ptp.h and ptp-pack.c).
ROOT_LIST = bytes.fromhex(
    "01000000 38000000 00000030 01000000 01300000 01000000 10000000 00000000 00000020 00000030"
    "4443494d 00000000 00000000 00000000 ccc30146"
)


def test_listing_of_a_real_root_decodes_and_encodes_back():
    found, error = datasets.parse_entries(ROOT_LIST)
    assert error is None
    assert found == [
        CardObject(0x30000000, 1, 0x3001, 1, 0x10, 0, 0x20000000, 0x30000000, "DCIM", 0x4601C3CC)
    ]
    assert datasets.encode_entries(found) == ROOT_LIST
    info, size = datasets.parse_listing(ROOT_LIST, {0x30000000})[0x30000000]
    assert (info.filename, info.association_type, size) == ("DCIM", 1, 0)
    assert info.capture_date == "20070321T234620"
    assert datasets.parse_listing(ROOT_LIST, ()) == {}


def entry(handle=7, size=1000, name="IMG_0001.CR3", time=1_700_000_000):
    return CardObject(handle, 0x10001, 0xB108, 0, 0x21, size, 3, handle, name, time)


def test_entry_with_a_size_of_64_bits_is_read():
    raw = datasets.encode_entries([entry(size=5 << 32)], wide=True)
    info, size = datasets.parse_listing(raw, {7})[7]
    assert (size, info.object_compressed_size) == (5 << 32, 0xFFFFFFFF)
    assert (info.protection_status, info.parent_object) == (1, 3)


def test_entries_that_do_not_tell_enough_are_left_out():
    good, large, twice = entry(1), entry(2, size=0xFFFFFFFF), entry(3)
    raw = datasets.encode_entries([good, large, twice, entry(3, size=9)])
    assert datasets.parse_listing(raw, {1, 2, 3}).keys() == {1}
    cut = datasets.encode_entries([entry(1), entry(2)]).replace(
        b"IMG_0001.CR3\0\0\0\0", b"IMG_00000001.CR3", 1
    )
    assert datasets.parse_listing(cut, {1, 2}).keys() == {2}


def test_listing_keeps_what_came_before_a_damaged_entry():
    raw = datasets.encode_entries([entry(1), entry(2), entry(3)])
    assert datasets.parse_listing(raw[:-1], {1, 2, 3}).keys() == {1, 2}
    hostile = bytearray(raw)
    hostile[4 + 0x38 : 8 + 0x38] = b"\xff\xff\xff\xff"
    assert datasets.parse_listing(hostile, {1, 2, 3}).keys() == {1}
    hostile[4 + 0x38 : 8 + 0x38] = b"\x10\0\0\0"
    assert datasets.parse_listing(hostile, {1, 2, 3}).keys() == {1}


@pytest.mark.parametrize("time", [0, 1, 0xFFFFFFFF])
def test_any_time_of_an_entry_is_a_date(time):
    info, _ = datasets.described(entry(time=time))
    assert info.capture_date == {0: "", 1: "19700101T000001", 0xFFFFFFFF: "21060207T062815"}[time]


def test_largest_counts_cost_neither_memory_nor_time():
    began, most = time.monotonic(), b"\xff\xff\xff\xff"
    assert datasets.parse_listing(most, {1}) == {}
    assert datasets.parse_listing(most + ROOT_LIST[4:], {0x30000000}).keys() == {0x30000000}
    for raw in (most * 2, b"\0\0\0\0" + most + bytes(100)):
        with pytest.raises(ProtocolError):
            datasets.parse_extended_info(raw)
    assert properties.split_choices(Choices(0xD103, 3, 0xFFFFFFFF, bytes(100))) is None
    assert properties.split_choices(Choices(0xD120, 3, 0xFFFFFFFF, bytes(100))) is None
    assert properties.split_choices(Choices(0xD120, 3, 1, most)) is None
    with pytest.raises(ProtocolError):
        datasets.parse_frame(most + bytes(100))
    assert time.monotonic() - began < 20


# Properties, settings, frames


def test_image_format_of_two_files_is_a_list_of_numbers():
    jpeg_l = bytes.fromhex("01000000 10000000 01000000 00000000 03000000")
    raw_and_jpeg = bytes.fromhex(
        "02000000 10000000 06000000 00000000 04000000 10000000 01000000 00000000 03000000"
    )
    known = properties.Properties()
    known.tell(Value(0xD120, raw_and_jpeg))
    known.offer(Choices(0xD120, 3, 2, jpeg_l + raw_and_jpeg))
    desc = known.desc(0xD120)
    both, one = [2, 16, 6, 0, 4, 16, 1, 0, 3], [1, 16, 1, 0, 3]
    assert (desc.current, desc.form) == (both, [one, both])
    assert properties.encode_value(desc.data_type, both) == raw_and_jpeg


@pytest.mark.parametrize(
    ("code", "data", "value"),
    [
        (0xD103, "68000000", 0x68),
        (0xD103, "6800", 0x68),
        (0xD199, "08", 8),
        (0xD115, "00", ""),
        (0xD115, "4a6f000000", "Jo"),
        (0xD1D0, "00" * 32, ""),
        (0xD1D8, b"EF-M22mm f/2 STM\0\0\0".hex(), "EF-M22mm f/2 STM"),
        (0xD125, "00" * 8, [0, 0]),
        (0xD1B9, "0102030405", [1, 2, 3, 4, 5]),
        (0xD1B9, "", []),
    ],
)
def test_value_of_a_property_has_the_type_that_its_bytes_suggest(code, data, value):
    assert properties.decode_value(code, bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("raw", "code", "value"),
    [  # sent to an EOS 400D and a 60D (libgphoto2's reports)
        ("0c000000 1cd10000 04000000", 0xD11C, 4),
        ("0c000000 01d10000 24000000", 0xD101, 0x24),
        (
            "24000000 50d10000 1c000000 01000000 03000000 02000000 04000000 00000000 00000000",
            0xD150,
            [28, 1, 3, 2, 4, 0, 0],
        ),
    ],
)
def test_setting_decodes_and_encodes_back(raw, code, value):
    raw = bytes.fromhex(raw)
    told, data = datasets.parse_setting(raw)
    assert (told, properties.decode_value(told, data)) == (code, value)
    encoded = properties.encode_setting_value(properties.type_of(code, data), value)
    assert datasets.encode_setting(code, encoded) == raw


def test_text_setting_ends_with_a_nul_and_small_numbers_have_four_bytes():
    text = properties.encode_setting_value(properties.type_of(0xD115, b""), "Jo")
    assert datasets.encode_setting(0xD115, text) == bytes.fromhex("0b000000 15d10000 4a6f00")
    assert properties.encode_setting_value(properties.type_of(0xD199, b"\1"), 1) == b"\1\0\0\0"
    known = properties.Properties()
    known.tell(Value(0xD199, b"\7"))
    assert known.setting(0xD199, 1) == (b"\1\0\0\0", Value(0xD199, b"\1"))


def test_setting_with_another_size_than_it_says_is_an_error():
    for raw in ("0d000000 1cd10000 04000000", "0c000000 1cd1", ""):
        with pytest.raises(ProtocolError):
            datasets.parse_setting(bytes.fromhex(raw))


@pytest.mark.parametrize("kind", [1, 9, 11])
def test_frame_is_the_first_jpeg_chunk(kind):
    jpeg = b"\xff\xd8 a picture \xff\xd9"
    other = bytes.fromhex("0c000000 03000000 01020304")
    frame = datasets.encode_frame(jpeg, kind)
    assert datasets.parse_frame(other + frame + bytes(8)) == jpeg
    assert frame == (8 + len(jpeg)).to_bytes(4, "little") + kind.to_bytes(4, "little") + jpeg
    assert datasets.parse_frame(other + bytes(8)) is None
    assert datasets.parse_frame(b"") is None


# Reports of real bodies, where the folder with them is.


def reports():
    folder = os.environ.get("PTPFAST_VECTORS")
    if not folder:
        pytest.skip("PTPFAST_VECTORS names no folder with bytes of real cameras")
    for path in sorted(Path(folder).glob("canon-*.hex")):
        for line in path.read_text().splitlines():
            if not line.startswith("#"):
                operation, _, payload = line.partition(": ")
                yield path.stem, operation.split()[0], bytes.fromhex(payload)


def test_every_event_list_of_real_bodies_decodes_and_encodes_back():
    bodies, seen = set(), set()
    for body, operation, payload in reports():
        if operation != "0x9116":
            continue
        found = list(records.split_records(payload))
        assert records.join_records(found, ends=payload.endswith(END)) == payload
        known = properties.Properties()
        for record in found:
            seen.add(record.code)
            if record.code == CanonEvent.PropValueChanged:
                value = records.parse_value(record)
                known.tell(value)
                assert records.value_record(value) == record
            elif record.code == CanonEvent.AvailListChanged:
                choices = records.parse_choices(record)
                known.offer(choices)
                assert records.choices_record(choices) == record
                assert bool(choices.data) == (properties.split_choices(choices) is not None)
            elif record.code in records.ADDED:
                item = records.parse_card_object(record)
                assert records.card_object_record(record.code, item) == record
            elif record.code == CanonEvent.OLCInfoChanged:
                assert records.parse_button(record) is None
        for code in known.codes:
            assert known.desc(code).current is not None
        bodies.add(body)
    assert len(bodies) == 5
    assert seen >= {0xC181, 0xC189, 0xC18A, 0xC1A4, 0xC1A5}


def test_every_setting_and_list_of_codes_of_real_bodies_decodes_and_encodes_back():
    count = 0
    for _body, operation, payload in reports():
        if operation == "0x9110":
            code, value = datasets.parse_setting(payload)
            assert datasets.encode_setting(code, value) == payload
            count += 1
        elif operation == "0x9108":
            info = datasets.parse_extended_info(payload)
            assert (len(info.events), len(info.properties)) == (18, 87)
            assert {CanonProperty.CaptureDestination, CanonProperty.EVFMode} <= {*info.properties}
            assert datasets.encode_extended_info(info) == payload
            count += 1
    assert count > 10
