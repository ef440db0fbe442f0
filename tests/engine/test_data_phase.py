"""The pure machine: every shape of a data phase, cut anywhere, and everything hostile in it."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptpfast import MemorySink, ProtocolError, SinkError
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.sink import CallbackSink
from ptpfast.engine.wire import (
    Data,
    EndData,
    Event,
    OperationResponse,
    ProbeResponse,
    StartData,
    pack,
    parse,
)
from ptpfast.ptp.codes import ResponseCode

TID = 7
PAYLOAD = bytes(random.Random(1).randbytes(5000))
OK = pack(OperationResponse(ResponseCode.OK, TID))


def packets(payload: bytes, size: int, shape: str, *, total: int | None = -1) -> bytes:
    """A data phase of one shape; `total` -1 is the true one, None unknown."""
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    last = b"" if shape == "empty end" else pieces.pop() if pieces else b""
    out = pack(StartData(TID, len(payload) if total == -1 else total))
    out += b"".join(pack(Data(TID, piece)) for piece in pieces)
    return out + pack(EndData(TID, last)) + OK


SHAPES = {
    "one huge End Data": packets(PAYLOAD, 10_000, "last in end"),
    "many Data, last piece in End Data": packets(PAYLOAD, 512, "last in end"),
    "many Data, empty End Data": packets(PAYLOAD, 512, "empty end"),
    "one byte a packet": packets(PAYLOAD[:300], 1, "empty end"),
    "unknown total": packets(PAYLOAD, 512, "empty end", total=None),
    "null dataset": packets(b"", 512, "empty end"),
    "16-byte Start Data": bytes.fromhex("10000000 09000000 07000000 88130000")
    + packets(PAYLOAD, 700, "empty end")[20:],
    "32-bit unknown total": bytes.fromhex("10000000 09000000 07000000 ffffffff")
    + packets(PAYLOAD, 700, "empty end")[20:],
    "no Start Data": packets(PAYLOAD, 700, "empty end")[20:],
    "repeated End Data": packets(PAYLOAD, 700, "empty end")[: -len(OK)]
    + pack(EndData(TID, b""))
    + OK,
    "repeated End Data with its payload": packets(PAYLOAD, 10_000, "last in end")[: -len(OK)]
    + packets(PAYLOAD, 10_000, "last in end")[20:],
}
EXPECTED = {"one byte a packet": PAYLOAD[:300], "null dataset": b""}


def feed_all(phase: DataPhase, data: bytes, step: int) -> None:
    for at in range(0, len(data), step):
        phase.feed(data[at : at + step])


@pytest.mark.parametrize("step", [1, 2, 3, 7, 11, 12, 13, 100, 511, 512, 513, 10_000])
@pytest.mark.parametrize("shape", SHAPES)
def test_any_cut_of_any_shape_gives_the_same_object(shape: str, step: int) -> None:
    sink = MemorySink()
    phase = DataPhase(TID, sink)
    feed_all(phase, SHAPES[shape], step)
    expected = EXPECTED.get(shape, PAYLOAD)
    assert phase.done
    assert phase.complete
    assert sink.finish() == expected
    assert phase.received == len(expected)
    assert phase.response == parse(OK)
    assert phase.rest == b""


@pytest.mark.parametrize("shape", SHAPES)
def test_two_pieces_cut_at_every_byte_give_the_same_object(shape: str) -> None:
    stream = SHAPES[shape]
    cuts = range(len(stream)) if len(stream) < 6000 else range(0, len(stream), 7)
    for cut in cuts:
        sink = MemorySink()
        phase = DataPhase(TID, sink)
        phase.feed(stream[:cut])
        phase.feed(stream[cut:])
        assert sink.finish() == EXPECTED.get(shape, PAYLOAD), cut


def test_what_follows_the_response_is_left_for_the_next_transaction() -> None:
    following = pack(StartData(TID + 1, 3))
    phase = DataPhase(TID, MemorySink())
    assert phase.feed(SHAPES["one huge End Data"] + following)
    assert phase.rest == following


def test_a_response_instead_of_data_ends_the_phase_with_its_code() -> None:
    phase = DataPhase(TID, MemorySink())
    assert phase.feed(pack(OperationResponse(ResponseCode.InvalidObjectHandle, TID)))
    assert phase.response is not None
    assert phase.response.code == ResponseCode.InvalidObjectHandle
    assert not phase.started


@pytest.mark.parametrize("total", [5000, None])
def test_a_response_after_too_little_data_leaves_the_phase_incomplete(total: int | None) -> None:
    phase = DataPhase(TID, MemorySink())
    phase.feed(pack(StartData(TID, total)) + pack(Data(TID, PAYLOAD[:100])) + OK)
    assert phase.done
    assert not phase.complete
    assert phase.received == 100


def test_end_data_before_the_announced_total_leaves_the_phase_incomplete() -> None:
    phase = DataPhase(TID, MemorySink())
    phase.feed(pack(StartData(TID, 5000)) + pack(EndData(TID, PAYLOAD[:4999])) + OK)
    assert phase.done
    assert not phase.complete


def test_totals_beyond_four_gigabytes_are_read_in_64_bits() -> None:
    phase = DataPhase(TID, MemorySink())
    phase.feed(pack(StartData(TID, 6 << 30)))
    assert phase.total == 6 << 30


def test_packets_of_an_earlier_transaction_are_stepped_over() -> None:
    stale = pack(Data(TID - 1, b"old")) + pack(EndData(TID - 1, b"older"))
    stale += pack(StartData(TID - 1, 9)) + pack(OperationResponse(ResponseCode.OK, TID - 1))
    for step in (1, 5, 1000):
        sink = MemorySink()
        phase = DataPhase(TID, sink)
        feed_all(phase, stale + SHAPES["unknown total"], step)
        assert sink.finish() == PAYLOAD


def test_transaction_ids_are_compared_across_their_wrap() -> None:
    phase = DataPhase(1, MemorySink())
    phase.feed(pack(OperationResponse(ResponseCode.OK, 0xFFFFFFFE)))
    assert not phase.done
    assert phase.feed(pack(OperationResponse(ResponseCode.OK, 1)))


def test_any_transaction_id_accepts_a_response_of_zero() -> None:
    phase = DataPhase(TID, any_transaction_id=True)
    assert phase.feed(pack(OperationResponse(ResponseCode.OK, 0)))


def test_events_amid_the_data_are_kept_and_the_payload_stays_right() -> None:
    event = pack(Event(0x4002, 0, (5,)))
    sink = MemorySink()
    phase = DataPhase(TID, sink)
    start, rest = SHAPES["one huge End Data"][:20], SHAPES["one huge End Data"][20:]
    feed_all(phase, start + event + pack(ProbeResponse()) + rest, 3)
    assert sink.finish() == PAYLOAD
    assert phase.foreign_packets == [event]


HOSTILE = {
    "a Data packet shorter than its head": pack(StartData(TID, 9))
    + bytes.fromhex("0b000000 0a000000 07000000"),
    "a Data packet of length 8, at once": bytes.fromhex("08000000 0a000000"),
    "an End Data packet of length 0": bytes.fromhex("00000000 0c000000"),
    "a packet of length 0": bytes(8),
    "a packet of length 7": bytes.fromhex("07000000 07000000"),
    "a response of 4 GiB": bytes.fromhex("ffffffff 07000000"),
    "an unknown packet of 1 MiB": bytes.fromhex("00001000 63000000"),
    "a Start Data of 12 bytes": bytes.fromhex("0c000000 09000000 07000000"),
    "payload beyond the announced total": pack(StartData(TID, 9)) + pack(Data(TID, b"1234567890")),
    "payload beyond it in a second packet": pack(StartData(TID, 9))
    + pack(Data(TID, b"12345678"))
    + pack(EndData(TID, b"90")),
    "a total beyond what was asked for": pack(StartData(TID, 10_001)),
    "a total of 2 to the 60th": pack(StartData(TID, 1 << 60)),
    "payload beyond what was asked for": pack(StartData(TID, None))
    + bytes.fromhex("ffffff7f 0a000000 07000000"),
    "a second Start Data": pack(StartData(TID, 9)) * 2,
    "Data after End Data": pack(StartData(TID, 1))
    + pack(EndData(TID, b"x"))
    + pack(Data(TID, b"")),
    "a second End Data with payload, of nobody knows how much": pack(EndData(TID, bytes(8)))
    + pack(EndData(TID, b"the object")),
    "the same of an unknown total": pack(StartData(TID, None)) + pack(EndData(TID, b"1")) * 2,
    "an End Data of a transaction to come": pack(StartData(TID, 1))
    + pack(EndData(TID, b"x"))
    + pack(EndData(TID + 1, b"")),
    "Data of a transaction to come": pack(Data(TID + 1, b"x")),
    "Start Data of a transaction to come": pack(StartData(TID + 1, 4)),
    "a response to a transaction to come": pack(OperationResponse(ResponseCode.OK, TID + 1)),
    "a response with half a parameter": bytes.fromhex("10000000 07000000 0120 07000000 0000"),
    "a response cut to its prefix": bytes.fromhex("08000000 07000000"),
}


@pytest.mark.parametrize("step", [1, 10_000])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_packets_raise_protocol_error_however_they_are_cut(name: str, step: int) -> None:
    phase = DataPhase(TID, MemorySink(), limit=10_000, label="GetObject(0x12)")
    with pytest.raises(ProtocolError):
        feed_all(phase, HOSTILE[name], step)
    assert not phase.done


def test_a_protocol_error_says_what_was_done_and_how_much_is_safe() -> None:
    phase = DataPhase(TID, MemorySink(), label="GetObject(0x12)")
    stream = pack(StartData(TID, 9)) + pack(Data(TID, b"12345678")) + pack(EndData(TID, b"90"))
    with pytest.raises(
        ProtocolError, match=r"GetObject\(0x12\).*10 bytes or more, 9 were expected"
    ) as caught:
        feed_all(phase, stream, 1)
    assert caught.value.received == 8


@pytest.mark.parametrize("step", [1, 5, 10_000])
def test_payload_before_a_broken_packet_is_the_sinks_however_it_is_cut(step: int) -> None:
    sink = MemorySink()
    phase = DataPhase(TID, sink)
    stream = pack(StartData(TID, 9)) + pack(Data(TID, b"12345678")) + bytes(8)
    with pytest.raises(ProtocolError) as caught:
        feed_all(phase, stream, step)
    assert caught.value.received == phase.received == 8
    assert sink.finish() == b"12345678"


def test_a_machine_driven_on_after_a_protocol_error_hands_nothing_more_to_its_sink() -> None:
    taken: list[bytes] = []
    sink = CallbackSink(lambda view: taken.append(bytes(view)), chunk_size=4)
    phase = DataPhase(TID, sink)
    with pytest.raises(ProtocolError):
        phase.feed(pack(StartData(TID, 9)) + pack(Data(TID, b"12345678")) + bytes(8))
    for more in (b"", PAYLOAD):
        with pytest.raises(ProtocolError):
            phase.feed(more)
    assert taken == [b"1234", b"5678"]


def test_a_broken_response_says_how_much_is_safe_and_what_was_done() -> None:
    phase = DataPhase(TID, MemorySink(), label="GetObject(0x12)")
    with pytest.raises(ProtocolError, match=r"GetObject\(0x12\)") as caught:
        phase.feed(pack(EndData(TID, b"1234")) + HOSTILE["a response cut to its prefix"])
    assert caught.value.received == 4


def test_a_full_sink_stops_the_machine_until_there_is_another() -> None:
    first, second = bytearray(1000), bytearray(4000)
    phase = DataPhase(TID, MemorySink(first))
    assert not phase.feed(SHAPES["many Data, empty End Data"])
    assert phase.sink_full
    assert phase.received == 1000
    phase.sink = MemorySink(second)
    assert phase.feed(b"")
    assert first + second == PAYLOAD


def test_after_a_sink_fails_the_phase_can_be_read_to_its_end() -> None:
    def refuse(_: memoryview) -> None:
        raise SinkError("no room")

    phase = DataPhase(TID, CallbackSink(refuse, chunk_size=512))
    stream = SHAPES["many Data, empty End Data"]
    with pytest.raises(SinkError):
        phase.feed(stream)
    assert phase.feed(b"")
    assert phase.response is not None


def test_without_a_sink_payload_is_counted_and_dropped() -> None:
    phase = DataPhase(TID)
    assert phase.feed(SHAPES["one huge End Data"])
    assert phase.received == 5000
    assert phase.complete


def test_more_packets_than_one_gathered_write_takes_arrive_in_order() -> None:
    payload = bytes(itertools.islice(itertools.cycle(range(251)), 3000))
    sink = MemorySink()
    phase = DataPhase(TID, sink)
    assert phase.feed(packets(payload, 1, "empty end"))
    assert sink.finish() == payload


# Any bytes at all: heads of every type with hostile lengths and ids, then anything.
HEADS = st.builds(
    lambda length, kind, tid, rest: (
        length.to_bytes(4, "little") + kind.to_bytes(4, "little") + tid.to_bytes(4, "little") + rest
    ),
    st.one_of(st.integers(0, 40), st.integers(0, 0xFFFFFFFF)),
    st.integers(0, 16),
    st.sampled_from([0, TID - 1, TID, TID + 1, 0xFFFFFFFF]),
    st.binary(max_size=30),
)


@given(
    st.lists(st.one_of(HEADS, st.binary(max_size=50), st.sampled_from(list(SHAPES.values())))),
    st.lists(st.integers(1, 400), min_size=1),
)
def test_any_bytes_cut_anywhere_end_as_a_value_or_a_protocol_error(
    parts: list[bytes], steps: list[int]
) -> None:
    stream = b"".join(parts)
    outcomes = []
    for cuts in (steps, [max(len(stream), 1)]):
        sink = MemorySink()
        phase = DataPhase(TID, sink, limit=8000)
        failed = False
        at = 0
        for step in itertools.cycle(cuts):
            if at >= len(stream) or phase.done:
                break
            try:
                phase.feed(stream[at : at + step])
            except ProtocolError:
                failed = True
                break
            at += step
        received = sink.finish()
        assert phase.received == len(received or b"") <= 8000
        outcomes.append((failed, phase.done, received, phase.response))
    assert outcomes[0] == outcomes[1]
