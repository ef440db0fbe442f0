"""The other framing: containers, of which one has all the payload."""

from __future__ import annotations

import itertools
import random
import socket
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptpfast import CallbackSink, MemorySink, ProtocolError, SinkError
from ptpfast.engine import containers
from ptpfast.engine.channel import Channel
from ptpfast.engine.framing import ContainerPhase
from ptpfast.engine.wire import ContainerKind

TID = 7
PAYLOAD = random.Random(1).randbytes(5000)
COMMAND, DATA, RESPONSE, EVENT = ContainerKind
GET_OBJECT, OK, ADDED = 0x1009, 0x2001, 0x4002

# Byte by byte from the layout: length, kind, code, transaction id, then what it carries.
VECTORS = {
    "0e000000 0100 0910 07000000 0100": None,  # half a parameter
    "10000000 0100 0910 07000000 01000000": (COMMAND, GET_OBJECT, TID, "01000000"),
    "0f000000 0200 0910 07000000 616263": (DATA, GET_OBJECT, TID, "616263"),
    "0c000000 0300 0120 07000000": (RESPONSE, OK, TID, ""),
    "10000000 0400 0240 00000000 12000000": (EVENT, ADDED, 0, "12000000"),
}


def data(payload: bytes, transaction_id: int = TID) -> bytes:
    return containers.pack(DATA, GET_OBJECT, transaction_id, payload=payload)


def response(code: int = OK, transaction_id: int = TID, *parameters: int) -> bytes:
    return containers.pack(RESPONSE, code, transaction_id, parameters)


STREAM = data(PAYLOAD) + response()


def feed_all(phase: ContainerPhase, stream: bytes, step: int) -> None:
    for at in range(0, len(stream), step):
        phase.feed(stream[at : at + step])


@pytest.mark.parametrize("text", VECTORS)
def test_containers_are_what_the_layout_says(text: str) -> None:
    raw, expected = bytes.fromhex(text), VECTORS[text]
    found = containers.parse(raw)
    if expected is None:
        with pytest.raises(ProtocolError, match="multiple of 4"):
            _ = found.parameters
        return
    kind, code, transaction_id, rest = expected
    assert found[:3] == (kind, code, transaction_id)
    assert bytes(found.payload) == bytes.fromhex(rest)
    assert containers.pack(kind, code, transaction_id, payload=bytes.fromhex(rest)) == raw
    if kind in (COMMAND, EVENT):
        assert containers.pack(kind, code, transaction_id, found.parameters) == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0c000000 0300 0120 070000",  # cut
        "0b000000 0300 0120 07000000",  # shorter than its head
        "0d000000 0300 0120 07000000",  # longer than what is here
        "0c000000 0500 0120 07000000",  # of no kind
    ],
)
def test_a_container_that_is_none_is_a_protocol_error(text: str) -> None:
    with pytest.raises(ProtocolError):
        containers.parse(bytes.fromhex(text))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 11, 12, 13, 100, 512, 10_000])
def test_any_cut_gives_the_same_object(step: int) -> None:
    sink = MemorySink()
    phase = ContainerPhase(TID, sink)
    feed_all(phase, STREAM, step)
    assert phase.done
    assert phase.complete
    assert sink.finish() == PAYLOAD
    assert (phase.received, phase.total) == (5000, 5000)
    assert phase.response == (OK, TID, ())
    assert phase.rest == b""


def test_two_pieces_cut_at_every_byte_give_the_same_object() -> None:
    for cut in range(len(STREAM)):
        sink = MemorySink()
        phase = ContainerPhase(TID, sink)
        phase.feed(STREAM[:cut])
        assert phase.feed(STREAM[cut:])
        assert sink.finish() == PAYLOAD, cut


def test_a_response_without_data_has_its_code_and_parameters() -> None:
    phase = ContainerPhase(TID, MemorySink())
    assert phase.feed(response(0x2009, TID, 1, 2))
    assert phase.response == (0x2009, TID, (1, 2))
    assert not phase.started


def test_no_payload_is_a_whole_one() -> None:
    phase = ContainerPhase(TID, MemorySink())
    assert phase.feed(data(b"") + response())
    assert phase.started
    assert phase.complete


def test_a_response_amid_the_payload_is_payload() -> None:
    """A container says how long it is: nothing ends it early."""
    sink = MemorySink()
    phase = ContainerPhase(TID, sink)
    assert phase.feed(data(response()) + response())
    assert sink.finish() == response()


def test_containers_of_an_earlier_transaction_are_stepped_over() -> None:
    for step in (1, 5, 10_000):
        sink = MemorySink()
        phase = ContainerPhase(TID, sink)
        feed_all(phase, data(b"old", TID - 1) + response(OK, TID - 1) + STREAM, step)
        assert sink.finish() == PAYLOAD


def test_events_and_what_follows_are_kept() -> None:
    event = containers.pack(EVENT, ADDED, 0, (5,))
    unknown = bytes.fromhex("0c000000 0900 0000 00000000")
    phase = ContainerPhase(TID, MemorySink())
    assert phase.feed(event + unknown + STREAM + event)
    assert phase.foreign_packets == [event, unknown]
    assert phase.rest == event


HOSTILE = {
    "a length of 0": bytes(4),
    "a length of 11": bytes.fromhex("0b000000"),
    "a farewell": bytes.fromhex("08000000 ffffffff"),
    "a response of 4 GiB": bytes.fromhex("ffffffff 0300 0120 07000000"),
    "more than was asked for": bytes.fromhex("ffffffff 0200 0910 07000000"),
    "a second data container": data(b"one") + data(b"two"),
    "data of a transaction to come": data(b"x", TID + 1),
    "a response to a transaction to come": response(OK, TID + 1),
    "a response with half a parameter": bytes.fromhex("0e000000 0300 0120 07000000 0000"),
}


@pytest.mark.parametrize("step", [1, 10_000])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_containers_raise_protocol_error_however_they_are_cut(name: str, step: int) -> None:
    phase = ContainerPhase(TID, MemorySink(), limit=10_000, label="GetObject(0x12)")
    with pytest.raises(ProtocolError, match=r"GetObject\(0x12\)"):
        feed_all(phase, HOSTILE[name], step)
    assert not phase.done


def test_a_full_sink_stops_the_machine_until_there_is_another() -> None:
    first, second = bytearray(1000), bytearray(4000)
    phase = ContainerPhase(TID, MemorySink(first))
    assert not phase.feed(STREAM)
    assert (phase.sink_full, phase.received) == (True, 1000)
    phase.sink = MemorySink(second)
    assert phase.feed(b"")
    assert first + second == PAYLOAD


def test_after_a_sink_fails_the_phase_can_be_read_to_its_end() -> None:
    def refuse(_: memoryview) -> None:
        raise SinkError("no room")

    phase = ContainerPhase(TID, CallbackSink(refuse, chunk_size=512))
    with pytest.raises(SinkError):
        phase.feed(STREAM)
    assert phase.feed(b"")
    assert phase.response == (OK, TID, ())


def test_the_same_channel_drives_it() -> None:
    near, far = socket.socketpair()
    payload = random.Random(2).randbytes(3_000_000)
    into = np.zeros(len(payload), np.uint8)
    channel = Channel(near)
    phase = ContainerPhase(TID, MemorySink(into), limit=len(payload))
    stream = data(payload) + response()
    thread = threading.Thread(target=far.sendall, args=(stream,))
    thread.start()
    try:
        assert channel.receive(phase)
    finally:
        thread.join()
        channel.close()
        far.close()
    assert into.tobytes() == payload
    assert channel.bytes_received == len(stream)


HEADS = st.builds(
    lambda length, kind, tid, rest: (
        length.to_bytes(4, "little")
        + kind.to_bytes(2, "little")
        + b"\1\x20"
        + tid.to_bytes(4, "little")
        + rest
    ),
    st.one_of(st.integers(0, 40), st.integers(0, 0xFFFFFFFF)),
    st.integers(0, 6),
    st.sampled_from([0, TID - 1, TID, TID + 1, 0xFFFFFFFF]),
    st.binary(max_size=30),
)


@given(
    st.lists(st.one_of(HEADS, st.binary(max_size=50), st.just(STREAM))),
    st.lists(st.integers(1, 400), min_size=1),
)
def test_any_bytes_cut_anywhere_end_as_a_value_or_a_protocol_error(
    parts: list[bytes], steps: list[int]
) -> None:
    stream = b"".join(parts)
    outcomes = []
    for cuts in (steps, [max(len(stream), 1)]):
        sink = MemorySink()
        phase = ContainerPhase(TID, sink, limit=8000)
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
