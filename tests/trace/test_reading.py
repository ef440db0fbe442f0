"""A file that is to be replayed may hold anything: a clear error, and nothing else."""

from __future__ import annotations

import os
import random
import tracemalloc
from pathlib import Path

import pytest

from ptpfast.trace.conversation import conversation
from ptpfast.trace.reading import MOST, TraceError
from traced import camera_of, record


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("trace") / "trace.pcapng"
    with camera_of("standard", objects=2) as camera:
        record(camera, "standard", file)
    return file.read_bytes()


def test_file_that_is_no_trace_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"", b"x", b"\xff\xd8\xff" * 100, bytes(1000), b"\x0a\x0d\x0d\x0a" * 50):
        file.write_bytes(content)
        with pytest.raises(TraceError):
            conversation(file)


def test_trace_of_another_program_is_refused(tmp_path: Path, trace: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(trace.replace(b"ptpfast 0", b"another 0", 1))
    with pytest.raises(TraceError, match="not a trace that ptpfast has recorded"):
        conversation(file)


def test_trace_that_is_cut_anywhere_is_refused_or_whole(tmp_path: Path, trace: bytes) -> None:
    file = tmp_path / "file"
    most = None
    for size in range(0, len(trace), 97):
        file.write_bytes(trace[:size])
        try:
            most = len(conversation(file).exchanges)
        except TraceError:
            continue
    file.write_bytes(trace)
    assert most is None or len(conversation(file).exchanges) >= most


def test_trace_with_changed_bytes_gives_an_error_or_a_conversation(
    tmp_path: Path, trace: bytes
) -> None:
    file = tmp_path / "file"
    chance = random.Random(17)
    refused = 0
    for _ in range(500):
        changed = bytearray(trace)
        for _ in range(chance.choice((1, 3, 20))):
            changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x7F, 0xFF))
        file.write_bytes(changed)
        try:
            conversation(file)
        except TraceError:
            refused += 1
    assert refused > 50


def test_lengths_that_lie_are_refused_without_memory_for_them(tmp_path: Path, trace: bytes) -> None:
    file = tmp_path / "file"
    at = int.from_bytes(trace[4:8], "little")
    file.write_bytes(trace[: at + 4] + b"\xfc\xff\xff\xff" + trace[at + 8 :])
    with pytest.raises(TraceError, match=f"byte {at}: a block claims a length of 4294967292"):
        conversation(file)


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        conversation(tmp_path / "pipe")


def test_pipe_that_takes_the_place_of_a_trace_is_not_waited_for(
    tmp_path: Path, trace: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    os.mkfifo(file)
    looked = os.stat
    file_before = tmp_path / "before"
    file_before.write_bytes(trace)

    def as_before(path: object, **options: object) -> os.stat_result:
        return looked(file_before if path == file else path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", as_before)
    with pytest.raises(OSError, match="not a regular file"):
        conversation(file)


def test_small_trace_takes_little_memory(tmp_path: Path, trace: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(trace)
    tracemalloc.start()
    conversation(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100 * len(trace) < 32 << 20


def test_packet_that_claims_gigabytes_is_refused(tmp_path: Path, trace: bytes) -> None:
    file = tmp_path / "file"
    at, packet = 0, b"\x06\0\0\0"
    while trace[at : at + 4] != packet:
        at += int.from_bytes(trace[at + 4 : at + 8], "little")
    file.write_bytes(trace[: at + 24] + b"\xff\xff\xff\xff" + trace[at + 28 :])
    with pytest.raises(TraceError, match="of 4294967295 bytes"):
        conversation(file)


def test_file_that_is_too_large_is_refused_unread(tmp_path: Path, trace: bytes) -> None:
    file = tmp_path / "file"
    with file.open("wb") as sparse:
        sparse.write(trace)
        sparse.truncate(MOST + 1)
    with pytest.raises(TraceError, match="larger than 1024 MiB"):
        conversation(file)
