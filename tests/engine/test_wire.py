"""The 14 packets: every known vector in both directions, and every way of breaking one."""

import mmap

import numpy
import pytest

import oracle
import vectors
from ptpfast.engine import wire
from ptpfast.engine.wire import Builder, Cursor, PacketType, pack, parse
from ptpfast.ptp.errors import ProtocolError

RPI1 = bytes.fromhex("cc6bb64e4e6fd9ab08ed9efca484213a")
WIN7 = bytes.fromhex("0000000000000000ffff080027f5164f")
COUNTING = bytes.fromhex("00112233445566778899aabbccddeeff")
SHORT = bytes.fromhex("00112233445566778899000000000000")
CAMERA = bytes(range(0xA0, 0xB0))
EOS = bytes.fromhex("000000000000000000" + "0100bbc1859fab")
DATE_TIME = b"\x10" + "20260102T030405\0".encode("utf-16-le")

EXPECTED = {
    "init_command_request_of_gphoto2": wire.InitCommandRequest(RPI1, "rpi1-test", 0x10000),
    "init_command_request_of_sonys_import_software": wire.InitCommandRequest(
        WIN7, "WIN7-VM", 0x10000
    ),
    "init_command_request_with_a_short_name": wire.InitCommandRequest(SHORT, "pc", 0x10000),
    "init_command_request_with_an_empty_name": wire.InitCommandRequest(COUNTING, "", 0x10000),
    "init_command_request_without_version": wire.InitCommandRequest(COUNTING, "pc", 0),
    "init_command_ack_with_a_short_name": wire.InitCommandAck(1, CAMERA, "CAM", 0x10000),
    "init_command_ack_of_a_canon_t6": wire.InitCommandAck(1, EOS, "EOST6{", 0x10000),
    "init_command_ack_with_connection_number_zero": wire.InitCommandAck(0, CAMERA, "CAM", 0x10000),
    "init_command_ack_without_version": wire.InitCommandAck(1, CAMERA, "CAM", 0),
    "init_event_request": wire.InitEventRequest(1),
    "init_event_ack": wire.InitEventAck(),
    "init_fail_rejected": wire.InitFail(1),
    "init_fail_busy": wire.InitFail(2),
    "init_fail_without_reason": wire.InitFail(0),
    "operation_request_get_device_info": wire.OperationRequest(1, 0x1001, 0),
    "operation_request_open_session": wire.OperationRequest(1, 0x1002, 0, (1,)),
    "operation_request_get_object_handles": wire.OperationRequest(1, 0x1007, 3, (0x10001, 0, 0)),
    "operation_request_get_partial_object": wire.OperationRequest(
        1, 0x101B, 9, (0x1002, 1 << 20, 1 << 20)
    ),
    "operation_request_set_device_prop_value": wire.OperationRequest(2, 0x1016, 10, (0x5011,)),
    "operation_response_ok": wire.OperationResponse(0x2001, 0),
    "operation_response_with_a_parameter": wire.OperationResponse(0x2001, 9, (1 << 20,)),
    "operation_response_transaction_cancelled": wire.OperationResponse(0x201F, 9),
    "event_object_added": wire.Event(0x4002, 0xFFFFFFFF, (0x1004,)),
    "event_without_parameters": wire.Event(0x4008, 0),
    "start_data_of_three_handles": wire.StartData(3, 16),
    "start_data_of_five_gibibytes": wire.StartData(9, 5 << 30),
    "start_data_of_unknown_total": wire.StartData(9, None),
    "start_data_with_a_u32_total": wire.StartData(9, 1 << 20),
    "start_data_with_an_unknown_u32_total": wire.StartData(9, None),
    "data": wire.Data(9, b"II*\0\x08\0\0\0"),
    "cancel": wire.Cancel(9),
    "end_data_with_everything": wire.EndData(
        3, bytes.fromhex("03000000 01100000 02100000 03100000")
    ),
    "end_data_with_a_string": wire.EndData(10, DATE_TIME),
    "end_data_empty": wire.EndData(9, b""),
    "probe_request": wire.ProbeRequest(),
    "probe_response": wire.ProbeResponse(),
}

every_vector = pytest.mark.parametrize(
    "vector", vectors.PACKETS.values(), ids=vectors.PACKETS.keys()
)


def in_mmap(data):
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory


BUFFERS = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview_of_a_part": lambda data: memoryview(b"??" + data + b"??")[2:-2],
    "mmap": in_mmap,
    "numpy_array": lambda data: numpy.frombuffer(data, numpy.uint8),
    "numpy_array_of_rows": lambda data: numpy.frombuffer(data, numpy.uint8).reshape(1, -1),
}
every_buffer = pytest.mark.parametrize("buffer_of", BUFFERS.values(), ids=BUFFERS.keys())


def test_vectors_show_each_of_the_14_packets():
    assert {parse(vector.data).packet_type for vector in vectors.PACKETS.values()} == set(
        PacketType
    )
    assert len(PacketType) == 14


def test_every_vector_has_expected_values_and_the_reverse():
    assert EXPECTED.keys() == vectors.PACKETS.keys()


@every_buffer
@every_vector
def test_packet_parses_to_its_values_out_of_any_buffer(vector, buffer_of):
    packet = parse(buffer_of(vector.data))
    assert packet == EXPECTED[vector.name]
    assert type(packet) is type(EXPECTED[vector.name])


@every_vector
def test_packet_packs_to_the_same_bytes_again(vector):
    packet = parse(vector.data)
    if vector.lenient:
        assert pack(packet) != vector.data
        assert parse(pack(packet)) == packet
    else:
        assert pack(packet) == vector.data


@every_vector
def test_oracle_reads_the_same_values_and_writes_the_same_bytes(vector):
    packet = parse(vector.data)
    assert oracle.read_packet(vector.data) == (packet.packet_type, list(packet))
    assert oracle.write_packet(packet.packet_type, packet) == pack(packet)


@every_vector
def test_packet_cut_at_any_byte_raises_protocol_error(vector):
    for size in range(len(vector.data)):
        with pytest.raises(ProtocolError):
            parse(vector.data[:size])


@every_vector
def test_packet_cut_with_its_length_made_to_fit_reads_as_the_oracle_reads_it(vector):
    for size in range(8, len(vector.data)):
        data = size.to_bytes(4, "little") + vector.data[4:size]
        try:
            expected = oracle.read_packet(data)
        except oracle.LayoutError:
            with pytest.raises(ProtocolError) as raised:
                parse(data)
            assert raised.value.packet_type == expected_type(vector)
        else:
            packet = parse(data)
            assert (packet.packet_type, list(packet)) == expected


def expected_type(vector):
    return EXPECTED[vector.name].packet_type


@every_vector
@pytest.mark.parametrize("trailing", [b"\0", b"\xff" * 7, bytes(100)], ids=len)
def test_bytes_behind_a_packet_are_not_looked_at(vector, trailing):
    assert parse(vector.data + trailing) == EXPECTED[vector.name]


@pytest.mark.parametrize("length", [0, 1, 7, 13, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_length_that_cannot_be_true_raises_protocol_error(length):
    data = length.to_bytes(4, "little") + vectors.PACKETS["cancel"].data[4:]
    with pytest.raises(ProtocolError, match=f"length {length}") as raised:
        parse(data)
    assert raised.value.packet_type == PacketType.CANCEL


@pytest.mark.parametrize("number", [0, 15, 16, 0x13, 0x0D000000, 0xFFFFFFFF])
def test_unknown_packet_type_raises_protocol_error_that_names_it(number):
    data = b"\x08\0\0\0" + number.to_bytes(4, "little")
    with pytest.raises(ProtocolError, match=f"unknown type {number}") as raised:
        parse(data)
    assert (raised.value.packet_type, raised.value.offset) == (number, 4)


def test_error_of_a_cut_field_says_packet_field_and_byte():
    data = bytes.fromhex("0a000000 07000000 0120")
    with pytest.raises(ProtocolError, match="OperationResponse: u32 at byte 10 needs 4") as raised:
        parse(data)
    assert raised.value.offset == 10
    assert raised.value.packet_type == PacketType.OPERATION_RESPONSE


def test_parameters_that_are_no_whole_numbers_raise_protocol_error():
    data = bytes.fromhex("10000000 07000000 0120 00000000 ffff")
    with pytest.raises(ProtocolError, match="not a multiple of 4"):
        parse(data)


def test_payload_is_a_view_of_the_buffer_and_not_a_copy():
    buffer = bytearray(vectors.PACKETS["data"].data)
    payload = parse(buffer).payload
    buffer[12:14] = b"MM"
    assert bytes(payload[:2]) == b"MM"
    assert payload.obj is buffer
    with pytest.raises(BufferError):
        buffer.clear()


def test_payload_ends_where_its_packet_ends():
    data = vectors.PACKETS["data"].data
    assert parse(data + data).payload == data[12:]


@pytest.mark.parametrize("buffer", [5, None, "text", [1, 2]], ids=repr)
def test_object_without_bytes_raises_type_error(buffer):
    with pytest.raises(TypeError):
        parse(buffer)


def test_buffer_that_is_not_contiguous_raises_type_error():
    with pytest.raises(TypeError):
        parse(memoryview(bytes(32))[::2])


def test_packet_classes_carry_their_type_and_the_names_of_their_fields():
    assert wire.OperationRequest._fields == (
        "data_phase",
        "code",
        "transaction_id",
        "parameters",
    )
    for number in PacketType:
        name = "".join(part.title() for part in number.name.split("_"))
        assert getattr(wire, name).packet_type is number
        assert name in getattr(wire, name).__name__


@pytest.mark.parametrize(
    "packet",
    [
        wire.InitEventRequest(1 << 32),
        wire.InitEventRequest(-1),
        wire.InitCommandRequest(b"too short", "pc", 0x10000),
        wire.OperationRequest(1, 0x10000, 0),
        wire.OperationRequest(1, 0x1001, 0, (-1,)),
        wire.OperationRequest(1, 0x1001, 0, (1 << 70,)),
        wire.StartData(1, 1 << 64),
        wire.StartData(1, -1),
    ],
    ids=repr,
)
def test_value_that_does_not_fit_its_field_raises_value_error(packet):
    with pytest.raises(ValueError):
        pack(packet)


NUMBERS = [(f"{sign}{bits}", bits, sign == "i") for sign in "ui" for bits in (8, 16, 32, 64, 128)]


@pytest.mark.parametrize(("kind", "bits", "signed"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_number_of_each_kind_is_the_same_after_writing_and_reading(kind, bits, signed):
    lowest = -(1 << bits - 1) if signed else 0
    highest = lowest + (1 << bits) - 1
    for value in (lowest, lowest + 1, 0, 1, highest - 1, highest):
        builder = Builder()
        getattr(builder, kind)(value)
        data = bytes(builder)
        assert data == value.to_bytes(bits // 8, "little", signed=signed)
        assert getattr(Cursor(data), kind)() == value


@pytest.mark.parametrize(("kind", "bits", "signed"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_number_outside_its_kind_raises_value_error_and_writes_nothing(kind, bits, signed):
    lowest = -(1 << bits - 1) if signed else 0
    builder = Builder()
    for value in (lowest - 1, lowest + (1 << bits), 1 << 200, -1 << 200):
        with pytest.raises(ValueError, match="does not fit"):
            getattr(builder, kind)(value)
    assert len(builder) == 0


@pytest.mark.parametrize("kind", [row[0] for row in NUMBERS])
def test_number_cut_at_any_byte_raises_and_the_cursor_does_not_move(kind):
    size = int(kind[1:]) // 8
    for here in range(size):
        cursor = Cursor(bytes(here), "something")
        with pytest.raises(ProtocolError, match=f"something: {kind} at byte 0 needs {size} bytes"):
            getattr(cursor, kind)()
        assert (cursor.offset, cursor.remaining) == (0, here)


STRINGS = {
    "empty": (b"\0", ""),
    "missing": (b"", ""),
    "only_a_nul": (b"\x01\0\0", ""),
    "plain": (b"\x03A\0B\0\0\0", "AB"),
    "without_nul": (b"\x02A\0B\0", "AB"),
    "padded_with_nuls": (b"\x05A\0B\0\0\0\0\0\0\0", "AB"),
    "cut_at_its_first_nul": (b"\x05A\0\0\0B\0C\0\0\0", "A"),
    "two_units_for_one_character": (b"\x03\x3d\xd8\xf7\xdc\0\0", "📷"),
    "lone_surrogate": (b"\x02\x3d\xd8\0\0", "\ufffd"),
}


@pytest.mark.parametrize(("data", "text"), STRINGS.values(), ids=STRINGS.keys())
def test_counted_string_is_read_as_cameras_send_it(data, text):
    cursor = Cursor(data + b"rest" if data else data)
    assert cursor.string() == text
    assert cursor.offset == len(data)


@pytest.mark.parametrize("data", [b"\x01", b"\x01\0", b"\x03A\0B\0\0", b"\xff" + bytes(509)])
def test_counted_string_cut_short_raises_and_the_cursor_does_not_move(data):
    cursor = Cursor(data)
    with pytest.raises(ProtocolError):
        cursor.string()
    assert cursor.offset == 0


@pytest.mark.parametrize("text", ["", "A.MOV", "Größe", "📷" * 127, "x" * 254])
def test_counted_string_is_the_same_after_writing_and_reading(text):
    builder = Builder()
    builder.string(text)
    assert bytes(builder) == oracle.write("S", text)
    assert Cursor(bytes(builder)).string() == text


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\udcff\udcff"])
def test_a_lone_surrogate_is_sent_as_the_unit_it_is(text):
    for kind in ("string", "nul_string"):
        builder = Builder()
        getattr(builder, kind)(text)
        assert text.encode("utf-16-le", "surrogatepass") in bytes(builder)
        assert getattr(Cursor(bytes(builder)), kind)().count("\ufffd") == len(text.strip("ab"))


@pytest.mark.parametrize("text", ["x" * 255, "📷" * 128], ids=["255", "256"])
def test_string_that_cannot_be_sent_raises_value_error(text):
    with pytest.raises(ValueError):
        Builder().string(text)


def test_name_that_holds_a_nul_raises_value_error():
    with pytest.raises(ValueError, match="NUL"):
        Builder().nul_string("my\0pc")


def test_take_gives_a_view_and_refuses_what_is_not_there():
    cursor = Cursor(b"abcdef")
    assert cursor.take(2) == b"ab"
    assert cursor.take(0) == b""
    with pytest.raises(ProtocolError):
        cursor.take(5)
    with pytest.raises(ValueError):
        cursor.take(-1)
    assert cursor.payload() == b"cdef"
    assert cursor.payload() == b""


@pytest.mark.parametrize("kind", ["u8", "i16", "u32", "u64", "i128", "string"])
def test_array_count_beyond_its_bytes_raises_before_anything_is_allocated(kind):
    cursor = Cursor(b"\xff\xff\xff\xff" + bytes(64))
    with pytest.raises(ProtocolError, match="does not fit in the 64 bytes left"):
        cursor.array(kind)
    assert cursor.offset == 0


def test_array_of_strings_cut_in_its_last_leaves_the_cursor_where_it_was():
    cursor = Cursor(b"\x02\0\0\0" + b"\x02A\0\0\0" + b"\x02B\0")
    with pytest.raises(ProtocolError):
        cursor.array("string")
    assert cursor.offset == 0


@pytest.mark.parametrize(
    "data",
    [b"", bytearray(), memoryview(b""), numpy.empty(0, "u1"), numpy.empty((0, 3), "u1")],
    ids=["bytes", "bytearray", "memoryview", "numpy_array", "numpy_array_of_rows"],
)
def test_buffer_without_bytes_is_short_and_not_a_type_error(data):
    assert Cursor(data).remaining == 0
    with pytest.raises(ProtocolError):
        parse(data)


def test_cursor_holds_its_buffer_for_its_life():
    buffer = bytearray(8)
    cursor = Cursor(buffer)
    with pytest.raises(BufferError):
        buffer.extend(b"more")
    del cursor
    buffer.extend(b"more")
