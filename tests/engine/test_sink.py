"""Each sink by itself: what it takes, what it keeps, how it fails."""

from __future__ import annotations

import array
import errno
import mmap
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pouring import pour
from ptpfast import CallbackSink, FileSink, MemorySink, SinkError
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.sink import Sink
from ptpfast.engine.wire import Data, StartData, pack

PAYLOAD = bytes(range(256)) * 40


def test_the_base_class_cannot_be_used() -> None:
    with pytest.raises(TypeError, match="FileSink"):
        Sink()


def test_bytes_that_are_here_already_are_put_like_received_ones(tmp_path: Path) -> None:
    received: list[bytes] = []
    memory = MemorySink()
    file = FileSink(tmp_path / "file")
    callback = CallbackSink(lambda piece: received.append(bytes(piece)), chunk_size=1000)
    for sink in (memory, file, callback):
        for part in (PAYLOAD[:7], b"", memoryview(PAYLOAD)[7:]):
            sink.put(part)
        assert sink.position == len(PAYLOAD)
    assert memory.finish() == PAYLOAD
    file.finish()
    callback.finish()
    assert (tmp_path / "file").read_bytes() == PAYLOAD
    assert b"".join(received) == PAYLOAD


def test_more_bytes_than_a_sink_has_room_for_are_not_put() -> None:
    buffer = bytearray(8)
    sink = MemorySink(buffer)
    with pytest.raises(ValueError, match="do not fit"):
        sink.put(bytes(9))
    sink.put(b"12345678")
    assert buffer == b"12345678"


# Memory


@pytest.mark.parametrize(
    "make",
    [
        lambda size: bytearray(size),
        lambda size: memoryview(bytearray(size)),
        lambda size: array.array("I", bytes(size)),
        lambda size: np.zeros(size, np.uint8),
        lambda size: np.zeros(size // 4, np.float32),
        lambda size: np.zeros((size // 16, 2), np.complex64),
        lambda size: mmap.mmap(-1, size),
    ],
    ids=["bytearray", "memoryview", "array", "uint8", "float32", "complex64 2-D", "mmap"],
)
def test_any_writable_contiguous_buffer_receives_the_bytes(make: Callable[[int], object]) -> None:
    buffer = make(len(PAYLOAD))
    sink = MemorySink(buffer)
    pour(sink, PAYLOAD)
    sink.finish()
    assert bytes(memoryview(buffer).cast("B")) == PAYLOAD  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "buffer",
    [b"bytes", np.zeros(100, np.uint8)[::2], memoryview(b"x")],
    ids=["bytes", "every second byte", "read-only view"],
)
def test_read_only_and_scattered_buffers_are_refused(buffer: object) -> None:
    with pytest.raises((BufferError, ValueError)):
        MemorySink(buffer)


def test_what_is_no_buffer_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        MemorySink(12)


@pytest.mark.parametrize("offset", [-1, 11])
def test_an_offset_outside_the_buffer_is_refused(offset: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        MemorySink(bytearray(10), offset=offset)


def test_the_buffer_cannot_be_resized_while_the_sink_holds_it() -> None:
    buffer = bytearray(10)
    sink = MemorySink(buffer)
    with pytest.raises(BufferError):
        buffer.append(1)
    sink.abandon()
    sink.abandon()
    buffer.append(1)


def test_memory_of_its_own_grows_with_what_arrives_and_not_with_what_is_announced() -> None:
    sink = MemorySink()
    phase = DataPhase(1, sink)
    phase.feed(pack(StartData(1, 1 << 50)) + pack(Data(1, b"abc")))
    assert sink.finish() == b"abc"


def test_one_sink_takes_several_data_phases_one_after_the_other() -> None:
    sink = MemorySink()
    pour(sink, PAYLOAD)
    pour(sink, PAYLOAD[::-1])
    assert sink.position == 2 * len(PAYLOAD)
    assert sink.finish() == PAYLOAD + PAYLOAD[::-1]


# Callback


@pytest.mark.parametrize("chunk_size", [1, 999, 1000, 1001, 20_000])
def test_a_callback_gets_slices_of_the_chunk_size_in_order(chunk_size: int) -> None:
    got: list[bytes] = []
    sink = CallbackSink(lambda view: got.append(bytes(view)), chunk_size=chunk_size)
    payload = PAYLOAD if chunk_size > 1 else PAYLOAD[:500]
    pour(sink, payload)
    sink.finish()
    assert b"".join(got) == payload
    assert {len(piece) for piece in got[:-1]} <= {chunk_size}


def test_a_slice_that_the_callback_keeps_is_not_written_again() -> None:
    kept: list[memoryview] = []
    sink = CallbackSink(lambda view: kept.append(view[:]), chunk_size=1000)
    pour(sink, PAYLOAD)
    sink.finish()
    assert b"".join(kept) == PAYLOAD


def test_the_slice_itself_ends_with_the_call() -> None:
    kept: list[memoryview] = []
    sink = CallbackSink(kept.append, chunk_size=1000)
    pour(sink, PAYLOAD[:2000])
    with pytest.raises(ValueError, match="released"):
        bytes(kept[0])


def test_an_exception_of_the_callback_reaches_the_caller() -> None:
    def fail(_: memoryview) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        pour(CallbackSink(fail, chunk_size=100), PAYLOAD)


# File


def reserves(folder: Path) -> bool:
    """Whether this filesystem can reserve blocks behind a file's end; asked without our code."""
    (folder / "probe").touch()
    command = ["fallocate", "--keep-size", "--length", "65536", folder / "probe"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:  # no util-linux: believe that it does not
        return False


def test_the_length_of_the_file_is_the_bytes_that_are_in_it(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    sink = FileSink(path, size=1 << 20)
    assert path.stat().st_size == 0
    pour(sink, PAYLOAD)
    assert path.stat().st_size == len(PAYLOAD) == sink.position
    sink.abandon()
    assert path.read_bytes() == PAYLOAD


def test_room_is_reserved_at_once_and_given_back(tmp_path: Path) -> None:
    if not reserves(tmp_path):
        pytest.skip("this filesystem cannot reserve blocks behind a file's end")
    path = tmp_path / "x.part"
    sink = FileSink(path, size=4 << 20)
    assert path.stat().st_blocks * 512 >= 4 << 20
    assert path.stat().st_size == 0
    pour(sink, PAYLOAD)
    assert path.stat().st_size == len(PAYLOAD)
    sink.abandon()
    assert path.stat().st_blocks * 512 < 1 << 20


def test_it_goes_on_at_an_offset_and_cuts_what_is_behind(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    path.write_bytes(PAYLOAD + b"unproven")
    sink = FileSink(path, offset=len(PAYLOAD))
    pour(sink, b"and more")
    sink.finish()
    assert path.read_bytes() == PAYLOAD + b"and more"


def test_an_offset_behind_the_end_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        FileSink(tmp_path / "x.part", offset=1)


@pytest.mark.parametrize("name", ["no/such/folder", ".", "file/below"])
def test_a_file_that_cannot_be_opened_is_a_sink_error_with_its_errno(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot open") as caught:
        FileSink(tmp_path / name)
    assert caught.value.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR)
    assert isinstance(caught.value, OSError)


FULL = """
import resource, sys
from ptpfast import FileSink, SinkError
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.wire import Data, StartData, pack
sink = FileSink(sys.argv[1])
phase = DataPhase(1, sink)
phase.feed(pack(StartData(1, 100_000)) + pack(Data(1, b"a" * 5000)))
resource.setrlimit(resource.RLIMIT_FSIZE, (7000, 7000))
try:
    phase.feed(b"".join(pack(Data(1, b"b" * 1000)) for _ in range(5)))
except SinkError as error:
    print(error.errno, phase.received, sink.position)
sink.abandon()
"""


def test_a_disk_that_is_full_keeps_what_was_written_and_says_how_much(tmp_path: Path) -> None:
    path = tmp_path / "x.part"
    done = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(errno.EFBIG), "7000", "7000"]
    assert path.read_bytes() == b"a" * 5000 + b"b" * 2000


def test_too_little_room_shows_before_a_byte_has_moved(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    path = tmp_path / "x.part"
    if not reserves(tmp_path):
        pytest.skip("this filesystem cannot reserve blocks behind a file's end")
    with pytest.raises(SinkError, match="reserve") as caught:
        FileSink(path, size=free + (1 << 40))
    assert path.stat().st_size == 0
    assert path.stat().st_blocks == 0  # also what could be reserved before the room ran out
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)


def test_a_sink_that_is_dropped_closes_its_file(tmp_path: Path) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(soft + 10):
        FileSink(tmp_path / "x.part")


def test_finish_and_abandon_may_follow_each_other(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "x.part")
    sink.finish()
    sink.finish()
    sink.abandon()
