"""The emulated radio is the link its profile says, lets nothing out, and is gone when its run is;
where there can be none, the benchmarks say so and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import (
    bench_aio,
    bench_chunks,
    bench_listing,
    bench_pipelines,
    bench_small,
    bench_wifi,
    contenders,
    linked,
    peers,
    radio,
    sides,
)
from bench.content import WrongContent
from bench.harness import PACED, Case, Sample
from bench.many import ManyCase
from bench.radio import CAMERA, Radio, profiles

from kernel_sessions import left_after, running
from ptpfast.sim import Store

pytestmark = pytest.mark.tools

ROOT = Path(__file__).resolve().parents[2]
WHY_NOT = radio.why_not()

needs_link = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

# A round trip of TCP, as seconds: connects to nobody, and is told so by a reset.
KNOCK = f"""
import socket, time
took = []
for _ in range(20):
    began = time.monotonic()
    try:
        socket.create_connection(({CAMERA!r}, 9), 5)
    except ConnectionRefusedError:
        took.append(time.monotonic() - began)
print(min(took), max(took))
"""


OTHER_CARD = """
from bench.contenders import card, tasks
card.Card.__init__ = lambda self, host, objects: setattr(self, "_store", None)
tasks.main()
"""


def raw_rate(link: sides.Link, size: int) -> float:
    """Bytes a second of one raw stream, its bytes compared."""
    with sides.far_side(link, 1, 1000, 0.0) as far:
        sample = sides.sample(link, "raw", far.raw, bytes=size)
    assert sample.bytes == size
    return sample.bytes / sample.seconds


def test_every_profile_says_where_it_is_from_and_what_is_assumed() -> None:
    known = profiles()
    assert {*bench_wifi.CHOSEN, *bench_wifi.QUICK} <= set(known)
    for profile in known.values():
        assert len(profile.source) > 20
        known_only_by_guess = (
            {"rtt", "queue"} if profile.operations else {"rtt", "operation", "queue"}
        )
        assert known_only_by_guess <= set(profile.assumed)
        assert profile.rate > 0
        assert profile.jitter <= profile.rtt
        # A queue holds at least a few of the largest pieces that cross in one.
        assert profile.queue >= 2 * 65536


@needs_link
def test_the_link_has_the_rate_it_is_set_to() -> None:
    # A queue longer than any window, which TCP therefore does not fill.
    with Radio(rate=10e6 * radio.PACKET / radio.PAYLOAD, rtt=0.004, queue=16 << 20) as link:
        rate = raw_rate(link, 8_000_000)
    assert 8.5e6 < rate < 10.1e6
    assert link.carried["bytes"] > 8_000_000
    assert link.carried["dropped"] == 0


@needs_link
def test_the_link_has_the_round_trip_it_is_set_to() -> None:
    with Radio(rate=1e8, rtt=0.03, jitter=0.01) as link:
        command = link.near([sys.executable, "-c", KNOCK])
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    least, most = map(float, done.stdout.split())
    assert 0.02 <= least <= 0.03
    assert most >= 0.03


@needs_link
@pytest.mark.parametrize(
    ("trouble", "slowest", "fastest"),
    [
        ({"queue": 20_000}, 1e5, 10.1e6),
        ({"loss": 0.01}, 1e5, 10.1e6),
        ({"outage": (0.1, 0.05)}, 1e6, 7e6),
        ({"cliff": (0.1, 0.05, 1e6)}, 1e6, 7e6),
    ],
    ids=["short queue", "loss", "outages", "cliffs"],
)
def test_bytes_come_through_a_bad_link_only_slower(
    trouble: dict[str, object], slowest: float, fastest: float
) -> None:
    with Radio(rate=10.4e6, rtt=0.01, **trouble) as link:  # type: ignore[arg-type]
        assert slowest < raw_rate(link, 3_000_000) < fastest
    if "queue" in trouble:
        assert link.carried["dropped"]
    if "loss" in trouble:
        assert link.carried["lost"]


@needs_link
def test_nothing_gets_out_of_the_link_and_nothing_of_it_is_seen_outside() -> None:
    with Radio(rate=1e6) as link:
        for side in (link.near, link.far):
            done = subprocess.run(
                side(["cat", "/proc/net/dev"]), capture_output=True, text=True, check=True
            )
            names = {line.partition(":")[0].strip() for line in done.stdout.splitlines()[2:]}
            assert {"lo", "radio"} <= names
            # Kernels with tunnel drivers built in put their idle fallback devices everywhere.
            assert not {name for name in names if name.startswith(("eth", "en", "wl", "br"))}
        assert "radio:" not in Path("/proc/net/dev").read_text(encoding="ascii")
        process = link._process
    assert process.returncode == 0


@needs_link
def test_outages_come_again_after_a_restart_and_the_timeline_says_when() -> None:
    arrived = []
    with Radio(rate=10.4e6, rtt=0.002, outage=(1.0, 0.4)) as link:
        with sides.far_side(link, 1, 1000, 0.0) as far:
            for _ in range(2):
                link.restart()
                report = sides.near(link, "raw", far.raw, bytes=8_000_000)
                line = link.timeline()
                assert line["epoch"] < report["began"] < report["ended"]
                assert sum(line["bytes"]) > 8_000_000
                at = line["step"] * np.arange(len(line["bytes"])) % 1.0
                quiet = (at > 0.65) & (at < 0.95)
                arrived.append(np.array(line["bytes"])[quiet].sum())
        assert sum(arrived) < 100_000  # what was on its way when the outage began
    assert link.carried["bytes"] > 16_000_000


def test_an_imitated_link_is_a_camera_that_holds_itself_to_a_rate() -> None:
    with sides.Imitation(rate=20e6, rtt=0.001) as link:
        # A tenth of it is sent at once, before the pace is kept.
        assert raw_rate(link, 2_000_000) < 20e6 / 0.9 * 1.01


def test_the_far_side_says_what_the_camera_was_asked_for(tmp_path: Path) -> None:
    store = Store.synthetic(3, 50_000)
    with sides.Imitation(rate=50e6) as link, sides.far_side(link, 3, 50_000, 0.0) as far:
        assert far.requests().total() == 0
        report = sides.near(link, "pull", far.camera, dir=tmp_path)
        asked = far.requests()
        assert far.requests().total() == 0
    sides.check_and_remove(tmp_path, store)
    assert report["bytes"] == 150_000
    assert sum(asked[code] for code in sides.CONTENT) == 3


@pytest.mark.parametrize("bench", [bench_small, bench_listing, bench_chunks])
def test_without_root_the_reason_is_printed_and_nothing_fails(
    bench: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for case in bench.run(True):  # type: ignore[attr-defined]
        assert not case.claims
        case.show()
    assert "MISSING: network namespaces and TUN devices need root" in capsys.readouterr().out


def test_without_root_the_camera_paces_itself_and_nothing_is_judged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told, case = bench_wifi.run(True)
    told.show()
    said = capsys.readouterr().out
    assert "wifi  MISSING: network namespaces" in said
    assert bench_wifi.INSTEAD in said
    assert case.name.startswith("imitated ")
    assert {"raw TCP", "ptpfast", "ptpfast 2 × 1 MiB"} <= set(case.samples)
    assert set(contenders.FOREIGN) <= {*case.samples, *case.missing}
    assert case.claims
    assert all(claim.must is None for claim in case.claims)


def test_the_budget_of_time_buys_rounds_first_and_leaves_out_the_last_profiles() -> None:
    ample, scarce, poor = (bench_wifi.Plan.of(60 * minutes) for minutes in (60, 18, 1))
    assert (ample.names, ample.most) == (bench_wifi.CHOSEN, 3)
    assert (scarce.names, scarce.most) == (bench_wifi.CHOSEN, 1)
    assert poor.names == bench_wifi.CHOSEN[: len(poor.names)]
    assert 0 < len(poor.names) < len(bench_wifi.CHOSEN)


@needs_link
def test_what_is_sent_ahead_saves_the_round_trips_that_small_chunks_cost() -> None:
    (case,) = bench_chunks.run(True)
    assert set(case.samples) == {bench_chunks.STREAM, *bench_chunks.WAYS}
    (stream,) = case.samples[bench_chunks.STREAM]
    reads = bench_chunks.SIZE // bench_chunks.MIB + 1
    for name, (sample,) in case.samples.items():
        assert sample.bytes == stream.bytes == bench_chunks.SIZE
        assert "1 MiB" not in name or sample.requests >= reads
    assert len(case.claims) == len(bench_chunks.WAYS)


@needs_link
def test_a_camera_of_several_rates_has_a_round_at_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = replace(
        profiles()["erratic-server"], rates=(2e6, 4e6), object_size=200_000, operation=0.0
    )
    monkeypatch.setattr(bench_wifi.Card, "RUN_S", 0.02)
    case = bench_wifi.every_rate(profile, tmp_path, real=True)
    assert {len(samples) for samples in case.samples.values()} == {2}
    assert case.name == "erratic-server: 2/4 MB/s by run"


def test_a_card_is_compared_byte_for_byte(tmp_path: Path) -> None:
    store = Store.synthetic(2, 2_000_000)
    first, second = store.files()

    def write() -> None:
        for stored in (first, second):
            spans = store.expected(stored.handle).spans(0, stored.size)
            (tmp_path / stored.name).write_bytes(b"".join(bytes(span) for span in spans))

    write()
    sides.check_and_remove(tmp_path, store)
    assert not list(tmp_path.iterdir())
    spoilt = {
        "missing": lambda path: path.unlink(),
        "differs": lambda path: path.write_bytes(b"\0" + path.read_bytes()[1:]),
        "too long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
        "left behind": lambda path: path.with_name("other").write_bytes(b""),
    }
    for what, spoil in spoilt.items():
        write()
        spoil(tmp_path / second.name)
        with pytest.raises(WrongContent, match=what):
            sides.check_and_remove(tmp_path, store)
        (tmp_path / "other").unlink(missing_ok=True)


def test_what_must_hold_is_a_part_of_the_raw_stream() -> None:
    seconds = {"raw TCP": 1.0, "ptpfast": 1.25, "ptpfast 2 × 1 MiB": 1.01, "gphoto2": 1.5}
    seconds |= {"python-gphoto2": 1.2, "Python recv_into": 1.2}
    samples = {name: [Sample(55_000_000, took, 0.0, 0, 0)] for name, took in seconds.items()}
    case = bench_wifi.LinkCase("case", samples)
    bench_wifi.judge(case, profiles()["mirrorless-11ac-2x2"], real=True)
    verdicts = {claim.what: claim.holds for claim in case.claims}
    assert {claim.must for claim in case.claims} == {0.95, 0.97, 0.99, 1.0}
    assert verdicts == {
        "the link itself, of its rate": True,
        "ptpfast, of raw": False,
        "ptpfast 2 × 1 MiB, of raw": True,
        "rate, over gphoto2": True,
        "rate, over python-gphoto2": False,
        "rate, over Python recv_into": False,
    }


def test_a_link_that_carries_less_than_its_profile_judges_nothing_else() -> None:
    seconds = {"raw TCP": 1.2, "ptpfast": 2.0, "ptpfast 2 × 1 MiB": 2.0}
    samples = {name: [Sample(55_000_000, took, 0.0, 0, 0)] for name, took in seconds.items()}
    case = bench_wifi.LinkCase("case", samples)
    bench_wifi.judge(case, profiles()["mirrorless-11ac-2x2"], real=True)
    assert [claim.must for claim in case.claims] == [0.95, None, None]
    assert not case.claims[0].holds
    assert "cannot carry" in case.notes[0]


def test_round_trips_are_what_is_left_without_the_wire() -> None:
    samples = {"depth 1": [Sample(0, 1000 * (0.008 + 0.001), 0.0, 0, 0)]}
    case = ManyCase(Case("case", samples), 1000, 20_000, 20e6, 0.008)
    assert case.trips("depth 1").median == pytest.approx(1.0)


@needs_link
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process_and_so_no_namespace(
    number: int, tmp_path: Path
) -> None:
    peers.program("link")
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "wifi", "--quick"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    until = time.monotonic() + 30
    while len(running(process.pid)) < 3 and time.monotonic() < until:  # bench, link, camera
        assert process.poll() is None
    os.killpg(process.pid, number)  # as a terminal does
    process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert not left_after(process.pid)
    assert not list(tmp_path.glob("ptpfast-bench-*"))


@needs_link
def test_tasks_and_pipelines_take_turns_behind_a_link(tmp_path: Path) -> None:
    with linked.behind_link(2, 300_000, raw_bytes=2_000_000) as link:
        cases = [bench_aio.compare_on_link("a test", "asyncio", link, tmp_path)]
        cases += bench_pipelines.compare_on_link("a test", link, tmp_path, 1)
    assert len(link.carried) == 3
    assert [len(case.claims) for case in cases] == [5, 9, 4]
    assert {claim.kind for case in cases for claim in case.claims} == {PACED}
    assert list(tmp_path.iterdir()) == []


@needs_link
def test_wrong_bytes_behind_a_link_end_the_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with linked.behind_link(2, 300_000, raw_bytes=2_000_000) as link:
        # A contender that takes the camera for the Responder, whose bytes are others.
        monkeypatch.setattr(bench_aio, "TASKS", ["-c", OTHER_CARD])
        with pytest.raises(RuntimeError, match="WrongContent"):
            bench_aio.compare_on_link("a test", "asyncio", link, tmp_path)


def test_link_that_carries_too_little_judges_nothing() -> None:
    link = linked.Linked(None, None, 55e6, 1, [0.8, 0.93])  # type: ignore[arg-type]
    case = Case("a test")
    assert link.least(case) is None
    assert not case.claims[0].holds
    assert "nothing else is judged" in case.notes[0]
    link.carried[:] = [0.94, 0.98]
    assert link.least(Case("a test")) == linked.LEAST


@pytest.mark.parametrize("bench", [bench_aio, bench_pipelines])
def test_benchmark_without_a_link_says_why_after_the_loopback(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linked, "why_not", lambda: "not here")
    *others, last = bench.run(quick=True)
    assert last.missing == {"link": "not here"}
    assert all("loopback" in case.name for case in others)
