"""The benchmarks measure only what is right: their check sees wrong bytes, all contenders bring the
right ones, the statistics are what they say, and an interrupted run leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from bench import bench_aio, bench_cameras, bench_loop, calls, contenders, harness, peers
from bench.contenders import KNOWN_TO_FAIL, PTPFAST, RECV_INTO, SEED, command
from bench.content import PERIOD, WrongContent, check_buffer, check_file, expected
from bench.harness import Case, Claim, Range, Sample, alternate
from bench.order import orders

import ptpfast
from kernel_sessions import left_after
from ptpfast.sim import SimulatedCamera
from ptpfast.state import tuning

pytestmark = pytest.mark.tools

SIZE = 3 * PERIOD + 1000
ROOT = Path(__file__).resolve().parents[2]

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
            where = {"dir": tmp_path, "chunk": chunk}
            commands = [
                peers.initiator_command(responder.port, "file", **where),
                peers.initiator_command(responder.port, "splice", **where),
                command(PTPFAST, responder.port, into="file", **where),
                command(RECV_INTO, responder.port, into="file", **where),
            ]
            for words in commands:
                report = peers.run(words, BENCH_SETTLE_S="0")
                assert report["bytes"] == 2 * size
                for handle in (1, 2):
                    path = tmp_path / f"DSC_{handle:04}.NEF"
                    check_file(handle, path, size)
                    path.unlink()
                assert not list(tmp_path.iterdir())
            for direct in (0, 1, 1 << 15):
                words = peers.initiator_command(
                    responder.port, "memory", chunk=chunk, direct=direct
                )
                assert peers.run(words, BENCH_SETTLE_S="0")["bytes"] == 2 * size
        for name in (PTPFAST, RECV_INTO):
            report = peers.run(command(name, responder.port, into="memory"))
            assert report["bytes"] == 2 * size


@needs_compiler
def test_a_responder_without_partial_reads_and_one_that_is_held_to_a_rate(tmp_path: Path) -> None:
    with peers.Responder(objects=1, size=SIZE, packet=8192, partial=False) as responder:
        assert peers.run(command(PTPFAST, responder.port, into="memory"))["bytes"] == SIZE
    with peers.Responder(objects=1, size=2_000_000, packet=65536, rate=1e7) as responder:
        for chunk in (0, 500_000):
            words = peers.initiator_command(responder.port, "discard", chunk=chunk)
            assert peers.run(words)["seconds"] > 0.17


@needs_compiler
def test_the_seed_brings_an_object_in_one_end_data_packet_and_forgets_any_other(
    tmp_path: Path,
) -> None:
    for packet, expected_bytes in ((0, 2 * SIZE), (65536, 0)):
        with peers.Responder(objects=2, size=SIZE, packet=packet) as responder:
            report = peers.run(command(SEED, responder.port, objects=2, dir=tmp_path))
        assert report["bytes"] == expected_bytes
        found = sorted(path.name for path in tmp_path.iterdir())
        assert found == (["DSC_0001.NEF", "DSC_0002.NEF"] if packet == 0 else [])
        for handle, name in enumerate(found, 1):
            check_file(handle, tmp_path / name, SIZE)
            (tmp_path / name).unlink()


@needs_compiler
@pytest.mark.parametrize("name", contenders.FOREIGN)
def test_programs_that_are_not_ours_fetch_the_same_card_or_say_why_not(
    name: str, tmp_path: Path
) -> None:
    with peers.Responder(objects=2, size=SIZE, packet=65536) as responder:
        commands = contenders.into_files(responder.port, tmp_path, 2, SIZE)
        reason = contenders.missing(name)
        assert (name in commands) == (reason is None)
        assert contenders.all_missing().get(name) == reason
        if reason is not None:
            assert os.environ.get("PTPFAST_INTEROP") != "1", reason
            pytest.skip(reason)
        report = peers.run(commands[name])
    assert report["bytes"] == 2 * SIZE
    assert report["seconds"] > 0
    for handle in (1, 2):
        check_file(handle, tmp_path / f"DSC_{handle:04}.NEF", SIZE)


def test_a_contender_that_is_not_here_is_missing_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    contenders.missing.cache_clear()
    try:
        reason = contenders.missing("gphoto2")
    finally:
        contenders.missing.cache_clear()
    assert reason is not None
    Case("case", missing={"gphoto2": reason}).show()
    assert f"gphoto2  MISSING: {reason}" in capsys.readouterr().out


def test_wrong_bytes_end_a_comparison_unless_they_are_known_to_come() -> None:
    def right() -> Sample:
        return Sample(10**9, 1.0, 1.0, 1, 1)

    def wrong() -> Sample:
        raise WrongContent("object 1 differs")

    turns = {"ptpfast": right, SEED: wrong}
    with pytest.raises(WrongContent):
        alternate("case", turns, 2)
    case = alternate("case", turns, 2, known_to_fail=KNOWN_TO_FAIL)
    assert case.wrong == {SEED: "object 1 differs"}
    assert list(case.samples) == ["ptpfast"]
    with pytest.raises(WrongContent):
        alternate("case", {"ptpfast": wrong}, 1, known_to_fail=KNOWN_TO_FAIL)


def test_processes_that_are_measured_see_none_of_the_users_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("CONFIG", "CACHE", "LOG"):
        monkeypatch.setenv(f"PTPFAST_{name}", str(tmp_path))
    seen = peers.environment()
    assert str(tmp_path) not in {v for k, v in seen.items() if k.startswith("PTPFAST_")}
    assert not Path(seen["PTPFAST_CONFIG"]).parent.is_dir()
    assert not Path(seen["PTPFAST_CACHE"]).parent.is_dir()


@needs_compiler
def test_what_tune_has_found_on_this_machine_does_not_decide(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PTPFAST_CONFIG", str(tmp_path))
    with peers.Responder(objects=1, size=SIZE, packet=8192) as responder:
        with ptpfast.connect("127.0.0.1", port=responder.port) as session:
            tuning.save(session.device_info, tuning.Tuning(chunk=100_000))
        words = command(PTPFAST, responder.port, into="memory")
        plain = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
        assert json.loads(plain.stdout)["chunk"] == 100_000
        assert peers.run(words)["chunk"] >= 1 << 20


def test_system_calls_are_counted_between_the_marks() -> None:
    trace = """\
7 openat(AT_FDCWD, "x", O_RDONLY) = 3
7 access("/ptpfast-bench/less-begin", F_OK) = -1 ENOENT (No such file or directory)
8 read(3, "", 10) = 0
7 access("/ptpfast-bench/less-end", F_OK) = -1 ENOENT (No such file or directory)
7 access("/ptpfast-bench/begin", F_OK) = -1 ENOENT (No such file or directory)
7 recvfrom(3,  <unfinished ...>
8 write(4, "abc", 3) = 3
7 <... recvfrom resumed>"abc", 3, 0, NULL, NULL) = 3
7 --- SIGALRM {si_signo=SIGALRM} ---
7 close(3) = 0
7 faccessat2(AT_FDCWD, "/ptpfast-bench/end", F_OK) = -1 ENOENT (No such file or directory)
7 exit_group(0) = ?
"""
    assert calls.count(trace.splitlines()) == 3 - 1


@needs_compiler
def test_a_contenders_system_calls_are_at_least_its_reads(tmp_path: Path) -> None:
    if (reason := calls.missing()) is not None:
        assert os.environ.get("PTPFAST_INTEROP") != "1", reason
        pytest.skip(reason)
    with peers.Responder(objects=1, size=SIZE, packet=8192) as responder:
        words = command(PTPFAST, responder.port, into="file", dir=tmp_path)
        reads = peers.run(words)["reads"]
        (tmp_path / "DSC_0001.NEF").unlink()
        made = calls.per_gb(words) * SIZE / 1e9
    assert reads < made < 50 * reads


@needs_compiler
def test_eight_cameras_are_begun_together_and_their_time_is_that_of_all(tmp_path: Path) -> None:
    case = bench_cameras.compare(tmp_path, 2, 300_000, 1, "case")
    assert {name: s[0].bytes for name, s in case.samples.items()} == {
        bench_cameras.EIGHT_C: 16 * 300_000,
        "ptpfast": 16 * 300_000,
    }
    assert len(case.claims) == 3
    memory = case.claims[-1]
    assert 0 <= memory.value.median < 16
    report = {"bytes": 1, "seconds": 1.0, "user": 0.5, "system": 0.5, "peak_kib": 8, "reads": 2}
    times = [{"began": 10.0, "ended": 11.0}, {"began": 10.5, "ended": 12.5}]
    whole = bench_cameras.aggregate([{**report, **time} for time in times])
    assert whole == Sample(bytes=2, seconds=2.5, cpu=2.0, peak_kib=16, reads=4)
    with pytest.raises(RuntimeError, match="ended before it began"):
        bench_cameras.together([[sys.executable, "-c", "pass"]])


@needs_compiler
@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_tasks_and_their_session_take_turns_at_one_camera(loop: str, tmp_path: Path) -> None:
    with peers.Responder(objects=3, size=300_000, packet=65536) as responder:
        case = bench_aio.compare("a test", loop, responder.port, tmp_path, 2)
    assert [claim.what for claim in case.claims] == [
        "rate of a task, of the session's own",
        "CPU per GB, of the session's own",
        "the same rate, without waits for a processor",
        "added to a small call",
    ]
    assert list(tmp_path.iterdir()) == []


@needs_compiler
def test_wrong_bytes_end_the_comparison_of_tasks(tmp_path: Path) -> None:
    with (
        SimulatedCamera(objects=1, size=1000) as camera,  # its bytes are others
        pytest.raises(RuntimeError, match="WrongContent"),
    ):
        bench_aio.compare("a test", "asyncio", camera.port, tmp_path, 1)


@needs_compiler
def test_cameras_in_one_loop_are_compared_with_a_process_for_each(tmp_path: Path) -> None:
    case = bench_loop.compare(tmp_path, 3, 2, 200_000, 1, "a test")
    assert case.samples.keys() == {bench_loop.APART, *bench_loop.LOOPS}
    assert {sample.bytes for rows in case.samples.values() for sample in rows} == {1_200_000}
    assert [claim.must for claim in case.claims] == [bench_loop.LEAST, None] * 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_contenders_take_turns_and_the_first_round_does_not_count() -> None:
    turns: list[str] = []

    def contender(name: str, seconds: float) -> Sample:
        turns.append(name)
        return Sample(10**9, seconds, 2 * seconds, 1, 1)

    case = alternate(
        "case", {"C": lambda: contender("C", 1.0), "ptpfast": lambda: contender("p", 2.0)}, 3
    )
    assert turns in (["p", "C"] * 4, ["C", "p"] * 4)
    assert [len(samples) for samples in case.samples.values()] == [3, 3]
    case.claim_against(["C"])
    rate, cpu = case.claims
    assert rate.value.median == 0.5
    assert not rate.holds
    assert cpu.value.median == 2.0
    assert not cpu.holds


def test_no_contender_has_two_turns_in_succession_or_a_place_of_its_own() -> None:
    names = ["C", "ptpfast", "gphoto2"]
    rounds = list(islice(orders(names, seed=3), 60))
    assert all(sorted(order) == sorted(names) for order in rounds)
    turns = [name for order in rounds for name in order]
    assert all(one != next_one for one, next_one in pairwise(turns))
    for place in range(3):
        assert all(10 <= [order[place] for order in rounds].count(name) <= 30 for name in names)
    assert rounds == list(islice(orders(names, seed=3), 60))


def test_the_best_rival_counts() -> None:
    samples = {
        name: [Sample(10**9, seconds, seconds, 1, 1)]
        for name, seconds in {"slow": 2.0, "quick": 1.0, "ptpfast": 1.0}.items()
    }
    case = Case("case", samples)
    case.claim_against(["slow", "quick"], cpu=False)
    assert [(c.what, c.value.median) for c in case.claims] == [("rate, of C's", 1.0)]
    assert case.notes == ["the best in C was quick"]


def test_a_range_is_of_all_values() -> None:
    value = Range.of([3.0, 1.0, 2.0])
    assert (value.minimum, value.median, value.maximum) == (1.0, 2.0, 3.0)
    assert value.text(1) == "2.0 (1.0…3.0)"
    assert Range.of([1e6]).text() == "1,000,000 (1,000,000…1,000,000)"
    assert "SHORT" in Claim("x", value, 1.5, at_least=False).line()
    assert "holds" in Claim("x", value, 1.5, at_least=True).line()
    assert Claim("x", value, None, at_least=True).holds


def test_scratch_space_goes_away_with_what_is_in_it() -> None:
    with pytest.raises(KeyError), harness.scratch(1000) as (directory, kind):
        assert kind in ("tmpfs", "disk")
        (directory / "file").write_bytes(b"x")
        raise KeyError
    assert not directory.exists()


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
    assert not left_after(process.pid)
    assert not [path for place in places for path in place.glob(mine)]
