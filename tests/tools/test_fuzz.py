"""Hostile bytes: every parser gives a value or a ProtocolError, and what the oracle gives."""

from dataclasses import astuple

import pytest
from fuzz import parsers, phases, targets
from hypothesis import example, given, settings
from hypothesis import strategies as st

import oracle
import vectors
from ptpfast.engine import wire
from ptpfast.engine.wire import Cursor, pack, parse
from ptpfast.ptp.datasets import (
    DeviceInfo,
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
)
from ptpfast.ptp.errors import ProtocolError
from ptpfast.vendors.nikon import datasets as nikon

CLASSES = {cls.__name__: cls for cls in (DeviceInfo, StorageInfo, ObjectInfoDataset)}
NUMBERS = [f"{sign}{8 << power}" for sign in "ui" for power in range(5)]
READS = [*NUMBERS, "string", "nul_string", "guid", "version", "reason", "total", "parameters"]

LETTERS = dict(zip([*NUMBERS, "string"], "BHIQObhiqoS", strict=True))

many = settings(max_examples=500, deadline=None)


@st.composite
def damaged(draw, known):
    """A known vector with some bytes overwritten, cut away and put in."""
    data = bytearray(draw(st.sampled_from([vector.data for vector in known.values()])))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 6))] = draw(st.binary(max_size=6))
    return bytes(data)


@st.composite
def framed(draw):
    """Any bytes behind a right length and a known type."""
    body = draw(st.binary(max_size=80))
    number = draw(st.integers(1, 14))
    return (8 + len(body)).to_bytes(4, "little") + number.to_bytes(4, "little") + body


any_packet = st.one_of(st.binary(max_size=100), framed(), damaged(vectors.PACKETS))
any_dataset = st.one_of(st.binary(max_size=200), damaged(vectors.DATASETS))


def same_as_oracle(read, read_oracle):
    """Both give the same value, or ProtocolError here and LayoutError there."""
    try:
        expected = read_oracle()
    except oracle.LayoutError:
        with pytest.raises(ProtocolError):
            read()
        return None
    value = read()
    return value, expected


@many
@given(any_packet)
def test_any_bytes_are_a_packet_or_a_protocol_error_as_for_the_oracle(data):
    if both := same_as_oracle(lambda: parse(data), lambda: oracle.read_packet(data)):
        packet, expected = both
        assert (packet.packet_type, list(packet)) == expected
        assert parse(pack(packet)) == packet


@many
@given(any_dataset, st.sampled_from(sorted(CLASSES)))
def test_any_bytes_are_a_dataset_or_a_protocol_error_as_for_the_oracle(data, name):
    cls, letters = CLASSES[name], oracle.DATASETS[name]
    if both := same_as_oracle(
        lambda: decode(cls, data), lambda: oracle.Reader(data).values(letters)
    ):
        dataset, expected = both
        assert list(astuple(dataset)) == expected
        assert decode(cls, encode(dataset)) == dataset


@many
@given(any_dataset)
@example(b"\x01\x50\xff\xff\x00\x00\x00\x02\xff\xff")
@example(b"\x01\x50\x02\x40\x00\xff\xff\xff\xff")
def test_any_bytes_are_a_prop_desc_or_a_protocol_error_as_for_the_oracle(data):
    if both := same_as_oracle(lambda: decode_prop_desc(data), lambda: oracle.read_prop_desc(data)):
        desc, expected = both
        assert list(astuple(desc)) == expected
        assert decode_prop_desc(encode_prop_desc(desc)) == desc


@many
@given(any_dataset, st.sampled_from([*NUMBERS, "string"]))
def test_any_bytes_are_an_array_or_a_protocol_error_as_for_the_oracle(data, kind):
    letter = LETTERS[kind]
    if not data:
        assert decode_array(data, kind) == []
    elif both := same_as_oracle(
        lambda: decode_array(data, kind), lambda: oracle.Reader(data).value(letter + "*")
    ):
        values, expected = both
        assert values == expected
        if kind != "string":
            assert decode_array(encode_array(values, kind), kind) == values


@many
@given(any_dataset, st.integers(0, 0xFFFF) | st.sampled_from(sorted(oracle.DATA_TYPES)))
def test_any_bytes_are_a_value_of_any_data_type_or_a_protocol_error(data, data_type):
    cursor = Cursor(data)
    try:
        value = read_value(cursor, data_type)
    except ProtocolError:
        assert cursor.offset == 0
    else:
        assert value == oracle.Reader(data).value(oracle.DATA_TYPES[data_type])


@many
@given(st.binary(max_size=120), st.lists(st.sampled_from([*READS, "array", "take"]), max_size=12))
def test_any_reads_of_any_bytes_never_pass_the_end_nor_move_a_cursor_that_failed(data, reads):
    cursor = Cursor(data)
    for read in reads:
        before, failure = cursor.offset, None
        arguments = {"array": ("u16",), "take": (5,)}.get(read, ())
        try:
            getattr(cursor, read)(*arguments)
        except ProtocolError as error:
            failure = error
        if failure:
            assert cursor.offset == before
            assert before <= failure.offset <= len(data)
        assert cursor.offset + cursor.remaining == len(data)
        assert cursor.offset >= before


@many
@given(any_dataset)
def test_any_bytes_are_polled_events_or_a_protocol_error(data):
    for read in (nikon.parse_events, nikon.parse_events_ex):
        try:
            events = read(data)
        except ProtocolError:
            continue
        for code, parameters in events:
            assert 0 <= code <= 0xFFFF
            assert all(0 <= parameter <= 0xFFFFFFFF for parameter in parameters)


@many
@given(
    st.text()
    | st.text("0123456789TZ.+- ", max_size=30)
    | st.from_regex(r"\A\d{8}T\d{6}(\.\d{1,9})?(Z|[+-]\d{4})?\Z")
)
@example("20260102T030405+9900")
@example("00000000T000000")
@example("99991231T235959.9999999-2359")
def test_any_text_is_a_date_or_none(text):
    moment = parse_date_time(text)
    if moment is not None:
        again = parse_date_time(format_date_time(moment))
        assert again == moment.replace(microsecond=0)


@many
@given(st.datetimes())
def test_any_date_is_the_same_after_writing_and_reading(moment):
    assert parse_date_time(format_date_time(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize("target", targets.TARGETS)
def test_every_input_that_was_ever_worth_keeping_finds_nothing(target):
    inputs = parsers.known(target)
    assert len(inputs) > 5
    for data in inputs:
        targets.TARGETS[target].run(data)


@many
@given(st.sampled_from(sorted(targets.TARGETS)), st.data())
def test_any_change_of_a_known_input_finds_nothing(target, draw):
    data = bytearray(draw.draw(st.sampled_from(parsers.known(target)), "known"))
    for _ in range(draw.draw(st.integers(0, 4), "changes")):
        at = draw.draw(st.integers(0, len(data)), "at")
        data[at : at + draw.draw(st.integers(0, 6))] = draw.draw(st.binary(max_size=6), "bytes")
    targets.TARGETS[target].run(bytes(data))


SONY = targets.of_sony.PARSERS
WRONG = {
    "packets": (targets, "parse", lambda data: wire.ProbeRequest()),
    "datasets": (targets, "decode", lambda cls, data: cls()),
    "data_phase": (phases.PACKETS, "read", lambda *_: phases.Outcome(done=True)),
    "channel": (phases.PACKETS, "read", lambda *_: phases.Outcome(done=True)),
    "containers": (phases.CONTAINERS, "read", lambda *_: phases.Outcome(done=True)),
    "container_channel": (phases.CONTAINERS, "read", lambda *_: phases.Outcome(done=True)),
    "fujifilm": (targets.of_fujifilm.packets, "picture_of", lambda frame: b"no picture"),
    "panasonic": (targets.of_panasonic.datasets, "picture_of", lambda payload: b"no picture"),
    "nikon": (targets.of_nikon.datasets, "parse_frame", lambda payload: b"no picture"),
    "sony": (targets.of_sony, "PARSERS", [(parse, lambda _: b"") for parse, _ in SONY]),
    "names": (targets.naming, "local_name", lambda name: name),
}


@pytest.mark.parametrize("target", WRONG)
def test_a_reader_that_reads_wrong_is_found(target, monkeypatch):
    module, name, wrong = WRONG[target]
    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(AssertionError):
        for data in parsers.known(target):
            targets.TARGETS[target].run(data)


u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
guid = st.binary(min_size=16, max_size=16)
name = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
parameters = st.lists(u32, max_size=5).map(tuple)
total = st.none() | st.integers(0, (1 << 64) - 2)
payload = st.binary(max_size=300)
ANY_PACKET = st.one_of(
    st.builds(wire.InitCommandRequest, guid, name, u32),
    st.builds(wire.InitCommandAck, u32, guid, name, u32),
    st.builds(wire.InitEventRequest, u32),
    st.builds(wire.InitEventAck),
    st.builds(wire.InitFail, u32),
    st.builds(wire.OperationRequest, u32, u16, u32, parameters),
    st.builds(wire.OperationResponse, u16, u32, parameters),
    st.builds(wire.Event, u16, u32, parameters),
    st.builds(wire.StartData, u32, total),
    st.builds(wire.Data, u32, payload),
    st.builds(wire.Cancel, u32),
    st.builds(wire.EndData, u32, payload),
    st.builds(wire.ProbeRequest),
    st.builds(wire.ProbeResponse),
)


@many
@given(ANY_PACKET, st.binary(max_size=20))
def test_any_packet_packs_as_the_oracle_writes_it_and_parses_back(packet, trailing):
    data = pack(packet)
    assert data == oracle.write_packet(packet.packet_type, packet)
    assert parse(data + trailing) == packet
    with pytest.raises(ProtocolError):
        parse(data[:-1])
