"""The emulated radio is the link its profile says, lets nothing out, and is gone when its run is;
where there can be none, the benchmarks say so and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench import bench_listing, bench_wifi, peers, radio
from bench.content import WrongContent
from bench.harness import Case, Sample
from bench.radio import CAMERA, Radio, profiles

from ptpfast.sim import Store

ROOT = Path(__file__).resolve().parent.parent
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


def raw_rate(link: Radio, size: int) -> float:
    """Bytes a second of one raw stream, its bytes compared."""
    with bench_wifi.far_side(link, 1, 1000, 0.0) as (_, port):
        sample = bench_wifi.near(link, "raw", port, bytes=size)
    assert sample.bytes == size
    return sample.bytes / sample.seconds


def test_every_profile_says_where_it_is_from_and_what_is_assumed() -> None:
    known = profiles()
    assert {*bench_wifi.CHOSEN, *bench_wifi.QUICK} <= set(known)
    for profile in known.values():
        assert len(profile.source) > 20
        assert {"rtt", "operation", "queue"} <= set(profile.assumed)
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


@pytest.mark.parametrize("bench", [bench_wifi, bench_listing])
def test_without_root_the_reason_is_printed_and_nothing_fails(
    bench: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert list(bench.run(True)) == []  # type: ignore[attr-defined]
    assert "not measured, network namespaces and TUN devices need root" in capsys.readouterr().out


def test_a_card_is_compared_byte_for_byte(tmp_path: Path) -> None:
    store = Store.synthetic(2, 2_000_000)
    first, second = store.files()

    def write() -> None:
        for stored in (first, second):
            spans = store.expected(stored.handle).spans(0, stored.size)
            (tmp_path / stored.name).write_bytes(b"".join(bytes(span) for span in spans))

    write()
    bench_wifi.check_and_remove(tmp_path, store)
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
            bench_wifi.check_and_remove(tmp_path, store)
        (tmp_path / "other").unlink(missing_ok=True)


def test_what_must_hold_is_a_part_of_the_raw_stream() -> None:
    seconds = {"raw TCP": 1.0, "ptpfast": 1.25, "ptpfast 2 × 1 MiB": 1.01, "gphoto2": 1.5}
    samples = {name: [Sample(55_000_000, took, 0.0, 0, 0)] for name, took in seconds.items()}
    case = bench_wifi.LinkCase("case", samples)
    bench_wifi.judge(case, profiles()["mirrorless-11ac-2x2"], [1.7])
    verdicts = {claim.what: claim.holds for claim in case.claims}
    assert verdicts == {
        "the link itself, of its rate": True,
        "ptpfast, of raw": False,
        "ptpfast 2 × 1 MiB, of raw": True,
        "ptpfast, over gphoto2": True,
    }
    del case.samples["gphoto2"]
    bench_wifi.judge(case, profiles()["mirrorless-11ac-2x2"], [])
    assert "gphoto2 is missing" in case.notes[-1]


def test_round_trips_are_what_is_left_without_the_wire() -> None:
    samples = {"depth 1": [Sample(0, 1000 * (0.008 + 0.001), 0.0, 0, 0)]}
    case = bench_listing.ManyCase(Case("case", samples), 1000, 20_000, 20e6)
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
    until = time.monotonic() + 5
    while (left := running(process.pid)) and time.monotonic() < until:
        pass  # each look takes some milliseconds
    assert not left
    assert not list(tmp_path.glob("ptpfast-bench-*"))


def running(session: int) -> list[str]:
    """The processes of one session of the kernel's: all that were started in one run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(entry.name)
    return found
