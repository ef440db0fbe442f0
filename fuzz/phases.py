"""The data phase under any bytes: every sink, cut anywhere, by hand and through a real socket.

The first bytes of an input say how it is driven, the rest is what the camera sends. Whatever that
is, each way of driving must come to what `reference` says, to the byte.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ptpfast.engine.channel import Channel
from ptpfast.engine.framing import ContainerPhase, DataPhase
from ptpfast.engine.phase import Phase
from ptpfast.engine.sink import CallbackSink, Checksum, FileSink, MemorySink, Sink
from ptpfast.engine.wire import ProbeResponse, pack
from ptpfast.ptp.errors import ConnectionLost, ProtocolError

from .reference import Outcome, read_phase
from .reference_containers import read_containers

TRANSACTION_ID = 7
HEAD = 4  # bytes of an input that say how to drive it
_PROBE_RESPONSE = pack(ProbeResponse())
# In memory where the system has such a place: the disk is not what is tested.
_SCRATCH = tempfile.TemporaryDirectory(
    prefix="ptpfast-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
)


@dataclass
class Framing:
    """How packets are framed, and what says the outcome."""

    phase: type[Phase]
    read: Callable[[bytes, int, int | None, bool], Outcome]


PACKETS = Framing(DataPhase, read_phase)
CONTAINERS = Framing(ContainerPhase, read_containers)


@dataclass
class Destination:
    """A sink and how to get at what it was given."""

    sink: Sink | None
    content: Callable[[], bytes | None]


def _nowhere(size: int) -> Destination:
    return Destination(None, lambda: None)


def _memory(size: int) -> Destination:
    sink = MemorySink()
    return Destination(sink, lambda: bytes(sink.finish() or b""))


def _buffer(size: int) -> Destination:
    """A caller's buffer with room for anything this input can hold."""
    buffer = bytearray(size)
    sink = MemorySink(memoryview(buffer))

    def content() -> bytes:
        taken = sink.position
        sink.abandon()
        return bytes(buffer[:taken])

    return Destination(sink, content)


def _callback(size: int) -> Destination:
    pieces: list[bytes] = []
    kept: list[memoryview] = []

    def take(view: memoryview) -> None:
        pieces.append(bytes(view))
        if len(pieces) % 2:  # a kept slice must not change
            kept.append(view[:])

    sink = CallbackSink(take, chunk_size=1 + size // 8 + size % 5)

    def content() -> bytes:
        sink.finish()
        assert [bytes(view) for view in kept] == pieces[::2]
        return b"".join(pieces)

    return Destination(sink, content)


def _file(size: int, checksum: Checksum | None = None) -> Destination:
    path = Path(_SCRATCH.name, str(os.getpid()))
    path.unlink(missing_ok=True)
    sink = FileSink(path, size=size if size % 2 else None, checksum=checksum)

    def content() -> bytes:
        sink.finish(sync=False)
        return path.read_bytes()

    return Destination(sink, content)


def _summed_file(size: int) -> Destination:
    checksum = Checksum()
    file = _file(size, checksum)

    def content() -> bytes | None:
        arrived = file.content()
        again = Checksum()
        again.update(arrived or b"")
        assert again.hexdigest() == checksum.hexdigest()
        return arrived

    return Destination(file.sink, content)


DESTINATIONS = (_nowhere, _memory, _buffer, _callback, _file, _summed_file)


def data_phase(data: bytes, framing: Framing = PACKETS) -> None:
    """Any stream into any sink, fed whole and in pieces of some size."""
    if len(data) < HEAD:
        return
    how, stream = data[:HEAD], data[HEAD:]
    limit = None if how[1] & 1 else how[2] << 4
    expected = framing.read(stream, TRANSACTION_ID, limit, bool(how[1] & 2))
    # Pieces are put together with what waits: small ones of a long stream cost its square.
    for step in (len(stream) + 1, 1 + how[3] % 30 + len(stream) // 50):
        destination = DESTINATIONS[how[0] % len(DESTINATIONS)](len(stream) + 1)
        phase = _phase(framing, destination.sink, limit, how)
        broken = _feed(phase, stream, step)
        _compare(phase, destination, expected, broken)
    if how[1] & 4:
        _full_sink(framing, stream, how, limit, expected)
    if how[1] & 8:
        _failing_sink(framing, stream, how, limit, expected)


def _phase(framing: Framing, sink: Sink | None, limit: int | None, how: bytes) -> Phase:
    return framing.phase(TRANSACTION_ID, sink, limit=limit, any_transaction_id=bool(how[1] & 2))


def _feed(phase: Phase, stream: bytes, step: int) -> bool:
    """Feeds it in pieces of `step` bytes; whether that broke a rule."""
    for at in range(0, len(stream), step):
        try:
            if phase.feed(stream[at : at + step]):
                phase.feed(stream[at + step :])
                break
        except ProtocolError as error:
            assert error.received == phase.received
            _drive_on(phase)
            return True
    return False


def _drive_on(phase: Phase) -> None:
    """After an error the machine is of no use, but it must not touch what is not its own."""
    received = phase.received
    for more in (b"", bytes(24)):
        try:
            phase.feed(more)
        except ProtocolError:
            pass
    assert phase.received == received


def _compare(phase: Phase, destination: Destination, expected: Outcome, broken: bool) -> None:
    assert broken == expected.broken
    content = destination.content()
    assert content is None or content == expected.payload
    assert phase.received == len(expected.payload)
    assert phase.foreign_packets == expected.foreign_packets
    assert phase.started == expected.started
    assert phase.total == expected.total
    assert phase.complete == expected.complete
    assert phase.done == expected.done
    if not expected.done:
        return
    assert phase.response is not None
    assert (phase.response.code, phase.response.parameters) == expected.response
    assert phase.rest == expected.rest


def _full_sink(
    framing: Framing, stream: bytes, how: bytes, limit: int | None, expected: Outcome
) -> None:
    """Buffers of a few bytes, each replaced when it is full."""
    room = 1 + how[3] + len(stream) // 64
    buffers = [bytearray(room)]
    phase = _phase(framing, MemorySink(buffers[0]), limit, how)
    broken = False
    try:
        phase.feed(stream)
        while phase.sink_full:
            buffers.append(bytearray(room))
            phase.sink = MemorySink(buffers[-1])
            phase.feed(b"")
    except ProtocolError:
        broken = True
    assert broken == expected.broken
    assert b"".join(buffers)[: phase.received] == expected.payload
    assert phase.done == expected.done


class _DiskFullError(Exception):
    """What a callback raises here."""


def _failing_sink(
    framing: Framing, stream: bytes, how: bytes, limit: int | None, expected: Outcome
) -> None:
    """A callback that fails: its error comes out, and the phase can still be driven to its end."""

    def fail(view: memoryview) -> None:
        raise _DiskFullError

    phase = _phase(framing, CallbackSink(fail, chunk_size=1 + how[3]), limit, how)
    broken = False
    for more in (stream, b"", b""):
        try:
            phase.feed(more)
        except _DiskFullError:
            continue
        except ProtocolError:
            broken = True
            break
    # What is dropped is not counted, so a limit is reached later or not at all.
    assert broken <= expected.broken
    assert broken or phase.received <= len(expected.payload)
    assert broken or expected.broken or phase.done == expected.done


def channel(data: bytes, framing: Framing = PACKETS) -> None:
    """The same through a socket: the ring, the reads straight into memory, the answered probes."""
    if len(data) < HEAD:
        return
    how, stream = data[:HEAD], data[HEAD:]
    limit = None if how[1] & 1 else how[2] << 8
    expected = framing.read(stream, TRANSACTION_ID, limit, bool(how[1] & 2))
    destination = DESTINATIONS[how[0] % len(DESTINATIONS)](len(stream) + 1)
    phase = _phase(framing, destination.sink, limit, how)
    ours, theirs = socket.socketpair()
    driver = Channel(ours)
    broken = False
    try:
        with theirs:
            _drive(driver, phase, theirs, _pieces(stream, how[3]))
            answered = _answers(theirs)
    except ProtocolError as error:
        assert error.received == phase.received
        broken = True
    except ConnectionLost as error:
        assert error.received == phase.received
    finally:
        driver.close()
    content = destination.content()
    assert broken == expected.broken
    assert phase.done == expected.done
    assert content is None or content == expected.payload
    assert phase.received == len(expected.payload)
    assert phase.complete == expected.complete
    assert not phase.done or answered == _PROBE_RESPONSE * expected.probes


def _pieces(stream: bytes, seed: int) -> Iterator[bytes]:
    """Pieces small and large in turn: heads that come alone, and payload that comes with others."""
    sizes = (12, 20 + seed, 1 + seed, 4096, 3, 20_000)
    at = 0
    for number in range(len(stream) + 1):
        if at >= len(stream):
            return
        size = sizes[(number + seed) % len(sizes)]
        yield stream[at : at + size]
        at += size


def _drive(driver: Channel, phase: Phase, theirs: socket.socket, pieces: Iterator[bytes]) -> None:
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    for piece in pieces:
        theirs.sendall(piece)
        if driver.receive(phase, first_s=5, idle_s=5, slice_s=0):
            return
    theirs.shutdown(socket.SHUT_WR)
    while not driver.receive(phase, first_s=5, idle_s=5, slice_s=0):
        pass


def _answers(theirs: socket.socket) -> bytes:
    """What has been sent back; all of it is there already."""
    theirs.setblocking(False)
    found = b""
    try:
        while piece := theirs.recv(65536):
            found += piece
    except BlockingIOError:
        pass
    return found
