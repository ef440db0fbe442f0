"""The benchmarks measure only what is right: their check sees wrong bytes, all contenders bring the
right ones, the statistics are what they say, and an interrupted run leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bench import harness, peers
from bench.content import PERIOD, WrongContent, check_buffer, check_file, expected
from bench.harness import Case, Claim, Range, Sample, alternate

SIZE = 3 * PERIOD + 1000
ROOT = Path(__file__).resolve().parent.parent

needs_compiler = pytest.mark.skipif(peers.compiler() is None, reason="needs a C compiler")


def content(handle: int, size: int = SIZE) -> bytes:
    return b"".join(
        expected(handle, at, min(PERIOD, size - at)).tobytes() for at in range(0, size, PERIOD)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        content(1)[:-1],
        content(1) + b"\0",
        content(2),
        content(1)[4096:] + content(1)[:4096],
        content(1)[: SIZE // 2] + bytes([content(1)[SIZE // 2] ^ 1]) + content(1)[SIZE // 2 + 1 :],
        bytes(SIZE),
        b"",
    ],
    ids=["short", "long", "another object", "slipped", "one bit", "zeros", "empty"],
)
def test_the_check_sees_wrong_bytes(wrong: bytes, tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(content(1))
    check_file(1, path, SIZE)
    path.write_bytes(wrong)
    with pytest.raises(WrongContent):
        check_file(1, path, SIZE)


def test_the_check_of_memory_knows_where_it_is() -> None:
    whole = np.frombuffer(content(3), np.uint8)
    check_buffer(3, whole)
    check_buffer(3, whole[5000:], 5000)
    with pytest.raises(WrongContent):
        check_buffer(3, whole[5000:], 5001)


@needs_compiler
@pytest.mark.parametrize("end_empty", [False, True])
@pytest.mark.parametrize("packet", [0, 13, 512, 8192, 65536, 1 << 20])
def test_every_contender_brings_the_bytes(packet: int, end_empty: bool, tmp_path: Path) -> None:
    """Of both sides, in both ways of reading; the C program checks what it has in memory."""
    size = 20000 if packet == 13 else SIZE
    options = {"objects": 2, "size": size, "packet": packet, "end_empty": end_empty}
    with peers.Responder(**options) as responder:
        for chunk in (0, 100_000):
            commands = [
                peers.initiator_command(responder.port, "file", dir=tmp_path, chunk=chunk),
                peers.contender_command(responder.port, "file", dir=tmp_path, chunk=chunk),
            ]
            for command in commands:
                report = peers.run(command)
                assert report["bytes"] == 2 * size
                for handle in (1, 2):
                    path = tmp_path / f"DSC_{handle:04}.NEF"
                    check_file(handle, path, size)
                    path.unlink()
                assert not list(tmp_path.iterdir())
            for direct in (0, 1, 1 << 15):
                command = peers.initiator_command(
                    responder.port, "memory", chunk=chunk, direct=direct
                )
                assert peers.run(command)["bytes"] == 2 * size
        assert peers.run(peers.contender_command(responder.port, "memory"))["bytes"] == 2 * size


@needs_compiler
def test_a_responder_without_partial_reads_and_one_that_is_held_to_a_rate(tmp_path: Path) -> None:
    with peers.Responder(objects=1, size=SIZE, packet=8192, partial=False) as responder:
        assert peers.run(peers.contender_command(responder.port, "memory"))["bytes"] == SIZE
    with peers.Responder(objects=1, size=2_000_000, packet=65536, rate=1e7) as responder:
        for chunk in (0, 500_000):
            command = peers.initiator_command(responder.port, "discard", chunk=chunk)
            assert peers.run(command)["seconds"] > 0.17


def test_contenders_take_turns_and_the_first_round_does_not_count() -> None:
    turns: list[str] = []

    def contender(name: str, seconds: float) -> Sample:
        turns.append(name)
        return Sample(10**9, seconds, 2 * seconds, 1, 1)

    case = alternate(
        "case", {"C": lambda: contender("C", 1.0), "ptpfast": lambda: contender("p", 2.0)}, 3
    )
    assert turns == ["p", "C", "C", "p", "p", "C", "C", "p"]
    assert [len(samples) for samples in case.samples.values()] == [3, 3]
    case.claim_against(["C"])
    rate, cpu = case.claims
    assert rate.value.median == 0.5
    assert not rate.holds
    assert cpu.value.median == 2.0
    assert not cpu.holds


def test_the_best_rival_counts() -> None:
    samples = {
        name: [Sample(10**9, seconds, seconds, 1, 1)]
        for name, seconds in {"slow": 2.0, "quick": 1.0, "ptpfast": 1.0}.items()
    }
    case = Case("case", samples)
    case.claim_against(["slow", "quick"], cpu=False)
    assert [(claim.what, claim.value.median) for claim in case.claims] == [("rate of quick", 1.0)]


def test_a_range_is_of_all_values() -> None:
    value = Range.of([3.0, 1.0, 2.0])
    assert (value.minimum, value.median, value.maximum) == (1.0, 2.0, 3.0)
    assert value.text(1) == "2.0 (1.0…3.0)"
    assert "SHORT" in Claim("x", value, 1.5, at_least=False).line()


def test_scratch_space_goes_away_with_what_is_in_it() -> None:
    with pytest.raises(KeyError), harness.scratch(1000) as (directory, kind):
        assert kind in ("tmpfs", "disk")
        (directory / "file").write_bytes(b"x")
        raise KeyError
    assert not directory.exists()


def processes(session: int) -> list[str]:
    """The processes of a session of the kernel's: all that were started in one run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(entry.name)
    return found


@needs_compiler
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(number: int, tmp_path: Path) -> None:
    for name in ("responder", "initiator"):
        peers.program(name)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "download", "--quick"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    places = [harness.MEMORY_DIR, tmp_path]
    mine = f"ptpfast-bench-{process.pid}-*"
    assert process.stdout is not None
    while not process.stdout.readline().startswith("download"):
        assert process.poll() is None
    assert [path for place in places for path in place.glob(mine)]
    os.killpg(process.pid, number)  # as a terminal does
    assert process.wait(20) == (130 if number == signal.SIGINT else 143)
    process.stdout.close()
    until = time.monotonic() + 5
    while (left := processes(process.pid)) and time.monotonic() < until:
        pass  # each look takes some milliseconds
    assert not left
    assert not [path for place in places for path in place.glob(mine)]
