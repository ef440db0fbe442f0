"""The driver on a real socket: waiting, deadlines, signals, cancelling, and where bytes go."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from ptpfast import (
    CallbackSink,
    Cancelled,
    ConnectionLost,
    FileSink,
    MemorySink,
    ProtocolError,
    Timeline,
    Timeout,
)
from ptpfast.engine.channel import Channel
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.wire import (
    Data,
    EndData,
    Event,
    OperationResponse,
    ProbeRequest,
    ProbeResponse,
    StartData,
    pack,
)

PAYLOAD = hashlib.shake_128(b"engine").digest(3_000_001)
OK = pack(OperationResponse(0x2001, 1))


def stream(payload: bytes, packet: int) -> bytes:
    pieces = [payload[at : at + packet] for at in range(0, len(payload), packet)]
    out = [pack(StartData(1, len(payload))), *(pack(Data(1, piece)) for piece in pieces)]
    return b"".join([*out, pack(EndData(1, b"")), OK])


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    near, far = socket.socketpair()
    channel = Channel(near)
    yield channel, far
    channel.close()
    far.close()


@contextmanager
def in_background(work: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.parametrize("kind", ["own", "buffer", "file", "callback"])
@pytest.mark.parametrize("packet", [512, 8192, 65_536, 1 << 20, 4_000_000])
def test_every_sink_receives_every_packet_size(
    pair: tuple[Channel, socket.socket], tmp_path: Path, kind: str, packet: int
) -> None:
    channel, far = pair
    buffer = np.zeros(len(PAYLOAD), np.uint8)
    path = tmp_path / "x.part"
    got: list[bytes] = []
    sink = {
        "own": MemorySink,
        "buffer": lambda: MemorySink(buffer),
        "file": lambda: FileSink(path, size=len(PAYLOAD)),
        "callback": lambda: CallbackSink(lambda v: got.append(bytes(v)), chunk_size=100_000),
    }[kind]()
    phase = DataPhase(1, sink)
    with in_background(lambda: far.sendall(stream(PAYLOAD, packet))):
        assert channel.receive(phase)
    result = sink.finish()
    received = {
        "own": lambda: result,
        "buffer": lambda: buffer.tobytes(),
        "file": path.read_bytes,
        "callback": lambda: b"".join(got),
    }[kind]()
    assert received == PAYLOAD
    assert phase.complete
    assert channel.bytes_received == len(stream(PAYLOAD, packet))


def test_large_packets_reach_memory_without_passing_the_ring(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    buffer = bytearray(len(PAYLOAD))
    phase = DataPhase(1, MemorySink(buffer))
    with in_background(lambda: far.sendall(stream(PAYLOAD, 1 << 20))):
        channel.receive(phase)
    assert buffer == PAYLOAD


def test_fragments_of_one_byte_wait_without_losing_any(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    data = stream(PAYLOAD[:2000], 100)

    def trickle() -> None:
        for at in range(len(data)):
            far.sendall(data[at : at + 1])

    sink = MemorySink()
    with in_background(trickle):
        assert channel.receive(DataPhase(1, sink))
    assert sink.finish() == PAYLOAD[:2000]


def test_silence_is_a_timeout_and_receiving_can_go_on_after_it(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    data = stream(PAYLOAD[:1000], 100)
    far.sendall(data[:500])
    sink = MemorySink()
    phase = DataPhase(1, sink, label="GetObject(0x9)")
    with pytest.raises(Timeout, match="GetObject") as caught:
        channel.receive(phase, first_s=0.05, idle_s=0.05)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.received == phase.received == sink.position > 0
    far.sendall(data[500:])
    assert channel.receive(phase)
    assert sink.finish() == PAYLOAD[:1000]


def test_the_idle_deadline_starts_again_with_every_byte(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    data = stream(b"x" * 30, 1)
    pause = threading.Event()

    def trickle() -> None:
        for at in range(0, len(data), 40):
            far.sendall(data[at : at + 40])
            pause.wait(0.03)

    # All of it takes longer than the idle time, no gap does.
    with in_background(trickle):
        assert channel.receive(DataPhase(1, MemorySink()), first_s=10, idle_s=0.2)


def test_a_closed_connection_is_lost_and_says_how_much_is_safe(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    far.sendall(stream(PAYLOAD[:1000], 100)[:600])
    far.close()
    phase = DataPhase(1, MemorySink())
    with pytest.raises(ConnectionLost) as caught:
        channel.receive(phase)
    assert caught.value.received == phase.received > 0
    assert isinstance(caught.value, OSError)


def test_a_reset_connection_is_lost(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    channel = Channel(near)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    far.close()
    with pytest.raises(ConnectionLost, match=r"reset|closed"):
        channel.receive(DataPhase(1, MemorySink()))
    channel.close()


def test_another_thread_can_cancel_and_the_phase_can_go_on(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    far.sendall(stream(PAYLOAD[:1000], 100)[:600])
    waiting = threading.Event()
    got: list[int] = []

    def note(view: memoryview) -> None:
        got.append(len(view))
        waiting.set()

    phase = DataPhase(1, CallbackSink(note, chunk_size=100))

    def cancel() -> None:
        waiting.wait()
        channel.cancel()

    with in_background(cancel), pytest.raises(Cancelled):
        channel.receive(phase)
    channel.resume()
    far.sendall(stream(PAYLOAD[:1000], 100)[600:])
    assert channel.receive(phase)
    assert phase.received == 1000


def test_closing_from_another_thread_ends_a_wait(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    ready = threading.Event()

    def close() -> None:
        ready.wait()
        channel.close()

    with in_background(close), pytest.raises((Cancelled, ConnectionLost)):
        ready.set()
        channel.receive(DataPhase(1, MemorySink()))
    assert channel.closed
    with pytest.raises(ConnectionLost):
        channel.send(b"x")


def test_a_signal_handler_runs_and_its_exception_gets_out(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, _ = pair

    class Alarm(Exception):
        pass

    def ring(*_: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Alarm):
            channel.receive(DataPhase(1, MemorySink()), first_s=30)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_signal_that_does_not_raise_interrupts_nothing(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    rung = threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: rung.set())
    sink = MemorySink()

    def send_after() -> None:
        rung.wait()
        far.sendall(stream(PAYLOAD[:1000], 100))

    try:
        with in_background(send_after):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            assert channel.receive(DataPhase(1, sink))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert sink.finish() == PAYLOAD[:1000]


def test_another_python_thread_runs_while_bytes_are_awaited(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    turns = 0

    def count_then_send() -> None:
        nonlocal turns
        for _ in range(100_000):
            turns += 1
        far.sendall(stream(b"x", 1))

    with in_background(count_then_send):
        assert channel.receive(DataPhase(1, MemorySink()))
    assert turns == 100_000


def test_probes_amid_the_data_are_answered_on_the_same_socket(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    data = stream(PAYLOAD[:1000], 100)
    far.sendall(data[:20] + pack(ProbeRequest()) * 2 + data[20:])
    sink = MemorySink()
    assert channel.receive(DataPhase(1, sink))
    assert sink.finish() == PAYLOAD[:1000]
    assert far.recv(100) == pack(ProbeResponse()) * 2


def test_after_a_phase_the_next_one_finds_its_bytes(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    second = pack(StartData(2, 3)) + pack(EndData(2, b"abc")) + pack(OperationResponse(0x2001, 2))
    far.sendall(stream(b"one", 3) + second)
    first_sink, second_sink = MemorySink(), MemorySink()
    assert channel.receive(DataPhase(1, first_sink))
    assert channel.receive(DataPhase(2, second_sink))
    assert (first_sink.finish(), second_sink.finish()) == (b"one", b"abc")


def test_whole_packets_are_read_one_by_one(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    event = pack(Event(0x4002, 0, (1, 2, 3)))
    far.sendall(event + pack(ProbeRequest()) + event[:5])
    assert channel.receive_packet(timeout_s=5) == event
    assert channel.receive_packet(timeout_s=5) == pack(ProbeRequest())
    with pytest.raises(Timeout):
        channel.receive_packet(timeout_s=0.01)
    far.sendall(event[5:])
    assert channel.receive_packet(timeout_s=5) == event


@pytest.mark.parametrize("length", [0, 7, 65_537, 0xFFFFFFFF])
def test_a_packet_with_a_hostile_length_is_a_protocol_error(
    pair: tuple[Channel, socket.socket], length: int
) -> None:
    channel, far = pair
    far.sendall(length.to_bytes(4, "little") + bytes(4))
    with pytest.raises(ProtocolError, match=str(length)):
        channel.receive_packet(timeout_s=5)


def test_sending_waits_for_room_and_sends_everything(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    got = bytearray()

    def drain() -> None:
        while len(got) < len(PAYLOAD):
            got.extend(far.recv(65_536))

    with in_background(drain):
        channel.send(PAYLOAD, timeout_s=30)
    assert got == PAYLOAD


def test_sending_to_nobody_who_reads_is_a_timeout(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    with pytest.raises(Timeout):
        channel.send(PAYLOAD, timeout_s=0.05)


def test_two_threads_at_once_are_refused(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    inside, leave = threading.Event(), threading.Event()

    def hold(_: memoryview) -> None:
        inside.set()
        leave.wait()

    far.sendall(stream(b"x", 1))
    phase = DataPhase(1, CallbackSink(hold, chunk_size=1))
    with in_background(lambda: channel.receive(phase)):
        inside.wait()
        with pytest.raises(RuntimeError, match="another thread"):
            channel.send(b"x")
        leave.set()


def test_a_slice_of_time_returns_between_bytes(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    sink = MemorySink()
    phase = DataPhase(1, sink)
    rounds = 0
    with in_background(lambda: far.sendall(stream(PAYLOAD, 8192))):
        while not channel.receive(phase, slice_s=0):
            rounds += 1
    assert rounds > 1
    assert sink.finish() == PAYLOAD


@pytest.mark.parametrize("most", [256, 1000, 65_536, len(PAYLOAD) * 2])
@pytest.mark.parametrize("packet", [500, 8192, len(PAYLOAD)])
@pytest.mark.parametrize("is_lent", [False, True])
def test_no_more_is_received_at_a_time_than_asked_for(
    pair: tuple[Channel, socket.socket], most: int, packet: int, is_lent: bool
) -> None:
    channel, far = pair
    data, pieces = bytearray(), []
    sink = MemorySink() if is_lent else CallbackSink(data.extend)
    phase = DataPhase(1, sink)
    with in_background(lambda: far.sendall(stream(PAYLOAD, packet))):
        while not channel.receive(phase, most=most):
            pieces.append(channel.bytes_received - sum(pieces))
    whole = sink.finish()
    assert (whole if is_lent else data) == PAYLOAD
    assert max(pieces, default=0) <= most + 128  # with a head before and behind it
    assert len(pieces) >= len(PAYLOAD) // (most + 128)


def test_a_limit_of_one_receive_ends_with_it(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    sink = MemorySink()
    phase = DataPhase(1, sink)
    with in_background(lambda: far.sendall(stream(PAYLOAD, 8192))):
        assert not channel.receive(phase, most=1000)
        assert channel.receive(phase)
        far.sendall(OK)
        assert channel.receive_packet(timeout_s=20) == OK
    assert sink.finish() == PAYLOAD


def test_a_timeline_rises_and_ends_with_all_bytes(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    timeline = Timeline()
    with in_background(lambda: far.sendall(stream(PAYLOAD, 8192))):
        channel.receive(DataPhase(1, MemorySink()), timeline=timeline)
    seconds, received = timeline.samples()
    assert (np.diff(seconds) > 0).all()
    assert (np.diff(received) > 0).all()
    assert received[-1] == channel.bytes_received


def test_a_full_timeline_halves_itself_and_keeps_the_sum(
    pair: tuple[Channel, socket.socket],
) -> None:
    channel, far = pair
    timeline = Timeline(capacity=4)
    pause = threading.Event()
    total = 0
    for _ in range(12):
        far.sendall(pack(ProbeResponse()))
        total += 8
        pause.wait(0.002)
        with pytest.raises(Timeout):
            channel.receive(DataPhase(1), first_s=0.001, idle_s=0.001, timeline=timeline)
    seconds, received = timeline.samples()
    assert len(seconds) <= 4
    assert received[-1] == total


def test_a_dropped_channel_leaks_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else None
    if before is None:
        pytest.skip("descriptors are counted in /proc")
    for _ in range(20):
        near, far = socket.socketpair()
        channel = Channel(near)
        channel.close()
        channel.close()
        far.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_waiting_costs_no_processor_time(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    before = time.process_time()
    with pytest.raises(Timeout):
        channel.receive(DataPhase(1), first_s=0.5)
    assert time.process_time() - before < 0.25


def test_probes_do_not_put_off_the_first_deadline(pair: tuple[Channel, socket.socket]) -> None:
    channel, far = pair
    far.setblocking(False)
    near_is_full = pack(ProbeRequest()) * 10_000
    began = time.monotonic()

    def ask() -> None:
        while not done.is_set():
            with suppress(BlockingIOError, OSError):
                far.send(near_is_full)  # and no answer is read

    done = threading.Event()
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        with pytest.raises(Timeout):
            channel.receive(DataPhase(1), first_s=0.3, idle_s=60)
    finally:
        done.set()
        thread.join()
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("most", [0, -1])
def test_a_limit_that_lets_nothing_come_is_refused(
    pair: tuple[Channel, socket.socket], most: int
) -> None:
    channel, far = pair
    data = bytearray()
    phase = DataPhase(1, CallbackSink(data.extend))
    with pytest.raises(ValueError, match="most is at least 1 byte"):
        channel.receive(phase, most=most)
    far.sendall(stream(PAYLOAD[:1000], 1000))
    assert channel.receive(phase)  # the channel can still be used
