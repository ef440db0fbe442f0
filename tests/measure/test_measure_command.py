"""`ptpfast bench` against simulated cameras: what it does to them, what it says, how it ends.

Figures are compared with what the link makes possible at all: never faster than its rate, never
sooner than its round trip.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conftest import PATIENT, Cameras
from ptpfast import (
    CallbackSink,
    NetworkError,
    OperationCode,
    PTPError,
    TransferError,
    connect,
    vendors,
)
from ptpfast.cli.bench_display import Bar
from ptpfast.cli.main import ptpfast
from ptpfast.cli.output import Output
from ptpfast.measure import reads, steps, waits
from ptpfast.measure import run as run_module
from ptpfast.measure.disk import AnySink, Destination
from ptpfast.measure.figures import figures
from ptpfast.measure.plan import Plan
from ptpfast.measure.run import Bench
from ptpfast.measure.verdict import judge
from ptpfast.sim import Link, SimulatedCamera, Temperament
from ptpfast.state import tuning
from ptpfast.transport.contract import Address
from ptpfast.transport.identity import Identity

TIMEOUT_S = 60
BRIEF_S = 2.0
MiB = 1 << 20
HASTY_END = dataclasses.replace(PATIENT, close=0.2)
READS = {
    *(OperationCode.GetDeviceInfo, OperationCode.OpenSession, OperationCode.CloseSession),
    *(OperationCode.GetStorageIDs, OperationCode.GetObjectHandles, OperationCode.GetObjectInfo),
    *(OperationCode.GetThumb, OperationCode.GetObject, OperationCode.GetPartialObject),
    OperationCode.GetNumObjects,
}


class Paced(Destination):
    """A disk that takes so many bytes a second."""

    bytes_per_s = 8e6

    def write(self, block: bytes | memoryview) -> None:
        threading.Event().wait(len(block) / self.bytes_per_s)

    def sync(self) -> None:
        pass

    def open(self, size: int) -> AnySink:
        return CallbackSink(self.write)


def at(camera: SimulatedCamera) -> str:
    return f"{camera.host}:{camera.port}"


def command(*arguments: object) -> Result:
    result = CliRunner().invoke(ptpfast, ["bench", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def bench(camera: SimulatedCamera, **options: Any) -> Bench:
    options = {"timeouts": PATIENT, "plan": Plan(BRIEF_S)} | options
    return Bench(camera.host, camera.port, **options)


SLOW_RADIO = Link(rate=3e6, rtt=0.004, jitter=0.002, operation=0.002)
SLOW_CAMERA = Link(rate=200e6, rtt=0.002, operation=0.120)
SLOW_CARD = Link(rtt=0.001, card=5e6, card_block=131_072)
FAST = Link(rate=200e6, rtt=0.001)


@pytest.mark.paced
@pytest.mark.parametrize(
    ("link", "destination", "limit"),
    [
        pytest.param(SLOW_RADIO, Destination, "link", id="slow radio"),
        pytest.param(SLOW_CAMERA, Destination, "camera", id="slow camera"),
        pytest.param(SLOW_CARD, Destination, "camera", id="slow card"),
        pytest.param(FAST, Paced, "disk", id="slow disk"),
    ],
)
def test_the_bottleneck_is_named_and_the_figures_keep_within_the_link(
    camera: Cameras, tmp_path: Path, link: Link, destination: type[Destination], limit: str
) -> None:
    sim = camera(objects=6, size=10_000_000, link=link)
    with destination(tmp_path) as folder:
        result = bench(sim, destination=folder).run()
    found = figures(result)
    verdict = judge(found, result.readings)
    assert verdict.limit == limit, (verdict, result.readings)
    assert result.complete
    assert result.notes == []
    most = min(link.rate or 1e12, link.card or 1e12) / 1e6
    for reading in result.readings:
        assert reading.mb_per_s <= most
        if reading.timing.wait_ms is not None:
            assert reading.timing.wait_ms.least >= 1e3 * (link.rtt - link.jitter + link.operation)
    for row in result.latencies:
        own = 0.0 if row.what in ("ping", "handshake") else link.operation
        assert row.ms.least >= 1e3 * (link.rtt - link.jitter + own)
    assert found.network.rtt_ms is not None
    assert found.rates.best_mb_per_s
    assert found.storing.file_mb_per_s
    if destination is Paced:
        assert found.storing.disk_mb_per_s is not None
        assert (
            max(found.storing.disk_mb_per_s, found.storing.file_mb_per_s) <= Paced.bytes_per_s / 1e6
        )
    assert list(tmp_path.iterdir()) == []
    assert sum(result.second_by_second()) > sum(r.bytes for r in result.readings)


@pytest.mark.paced
def test_downloads_are_of_whole_objects_where_these_are_much_faster(camera: Cameras) -> None:
    sim = camera(objects=4, size=5_000_000, link=SLOW_CAMERA)
    result = bench(sim, plan=Plan(4.0, chunks=(MiB,))).run()
    found = figures(result)
    verdict = judge(found, result.readings)
    assert result.complete
    assert (found.rates.best_chunk, found.rates.best_mb_per_s) == (0, found.rates.whole_mb_per_s)
    (download,) = result.measured("memory")
    assert download.chunk == 0
    assert download.bytes % 5_000_000 == 0
    assert verdict.limit == "camera"
    assert "--chunk 0" in " ".join(verdict.help)


def test_nothing_but_reading_is_asked_of_the_camera(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=3, size=3_000_000)
    with Destination(tmp_path) as folder:
        bench(sim, destination=folder, plan=Plan(1.0, depths=(2, 4))).run()
    assert set(sim.operations) <= READS
    assert sim.wait_for(lambda: sim.sessions_closed == sim.sessions_opened == 1)
    assert sim.unclean_ends == 0


def test_bodies_that_suffer_are_spared_what_they_suffer_from(camera: Cameras) -> None:
    sim = camera("nikon", objects=3, size=4_000_000)
    result = bench(sim, plan=Plan(0.5)).run()
    cap = vendors.named("nikon").quirks.max_chunk
    assert max(r.chunk for r in result.readings) == cap
    assert OperationCode.GetObject not in sim.operations
    assert sim.connections == 1
    assert any("need pauses" in note for note in result.notes)


@pytest.mark.parametrize("temperament", list(Temperament), ids=lambda t: t.value)
def test_a_camera_that_does_not_cope_with_requests_sent_ahead_is_measured_all_the_same(
    camera: Cameras, temperament: Temperament, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SILENCE_S", 0.3)
    sim = camera(objects=3, size=3_000_000, temperament=temperament)
    result = bench(sim, plan=Plan(1.0, depths=(2,))).run()
    deep = [reading for reading in result.readings if reading.depth > 1]
    assert result.complete
    if temperament is Temperament.QUEUE:
        assert all(reading.bytes and not reading.note for reading in deep)
    else:
        assert any(reading.note for reading in deep)
        assert result.best() is not None
        assert result.measured("memory")
    assert OperationCode.CloseSession in sim.operations


def test_requests_are_sent_ahead_only_when_asked_or_found_to_work(camera: Cameras) -> None:
    sim = camera(objects=2, size=2_000_000)
    assert {r.depth for r in bench(sim, plan=Plan(0.5)).run().readings} == {1}
    with connect(sim.host, port=sim.port) as session:
        tuning.save(session.device_info, tuning.Tuning(depth=3))
    assert {r.depth for r in bench(sim, plan=Plan(0.5)).run().readings} >= {1, 3}
    plain = bench(sim, plan=Plan(0.5, depths=())).run()
    assert {r.depth for r in plain.readings} == {1}


@pytest.mark.parametrize(
    "fault", ["drop on GetPartialObject at 4", "reset on GetObject after 5000"]
)
def test_a_connection_that_is_lost_is_made_again_and_told_of(camera: Cameras, fault: str) -> None:
    sim = camera(objects=3, size=3_000_000, faults=[fault])
    result = bench(sim, plan=Plan(1.0)).run()
    assert result.complete
    assert any("connected again" in note for note in result.notes)
    assert result.measured("parts")
    assert result.measured("memory")


def test_a_camera_that_is_lost_again_and_again_is_given_up_with_what_was_found(
    camera: Cameras,
) -> None:
    sim = camera(objects=3, size=9_000_000, faults=["drop on GetPartialObject at 6 times 0"])
    run = bench(sim, plan=Plan(1.0))
    with pytest.raises(NetworkError):
        run.run()
    assert not run.result.complete
    assert run.result.latencies
    assert figures(run.result).answers.operation_ms is not None


@pytest.mark.parametrize("faults", [[], ["respond=0x2005 on GetPartialObject times 0"]])
def test_a_camera_without_partial_reads_is_measured_by_whole_objects(
    camera: Cameras, faults: list[str]
) -> None:
    vendor = vendors.named("standard")
    if not faults:
        model = dataclasses.replace(vendor.model, withheld={OperationCode.GetPartialObject})
        vendor = dataclasses.replace(vendor, body=model)
    link = Link(rate=20e6, rtt=0.002)
    sim = camera(vendor, objects=3, size=2_000_000, link=link, faults=faults)
    result = bench(sim, plan=Plan(1.0)).run()
    found = figures(result)
    assert result.complete
    assert found.rates.whole_mb_per_s
    assert found.rates.whole_mb_per_s <= 20
    assert judge(found, result.readings).limit in ("link", "camera", "computer")


def test_a_link_that_is_next_to_dead_does_not_hold_the_run_up(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "GRACE_S", 0.1)
    sim = camera(objects=2, size=4_000_000, link=Link(rate=50e3, queue=4000))
    run = bench(sim, plan=Plan(0.5, chunks=(2_000_000,)), timeouts=HASTY_END)
    result = run.run()
    assert any("gave up" in note for note in result.notes)
    assert sum(reading.bytes for reading in result.readings) < 2_000_000


def test_an_empty_card_is_said_to_be_empty(camera: Cameras) -> None:
    with pytest.raises(TransferError, match="no object to measure with"):
        bench(camera(objects=0)).run()
    result = command(at(camera(objects=0)), "--budget", 1)
    assert result.exit_code == 7
    assert "take a picture first" in result.stderr
    assert "unfinished run" in result.stdout


# The command


def test_the_report_goes_to_standard_output_and_progress_to_standard_error(
    camera: Cameras, tmp_path: Path
) -> None:
    html, folder = tmp_path / "page.html", tmp_path / "disk"
    folder.mkdir()
    sim = camera(objects=4, size=2_000_000, link=SLOW_RADIO)
    words = [at(sim), "--budget", 1, "--into", folder, "--html", html, "--chunk", "1MiB"]
    result = command(*words, "--depth", 2)
    assert result.exit_code == 0
    first = result.stdout.splitlines()[0]
    assert first == f"ptpfast Simulated Camera, firmware 1.00, at {at(sim)}"
    assert "The link is the limit" in result.stdout
    assert "parts of 1 MiB, 2 at a time" in result.stdout
    assert "256 KiB" not in result.stdout
    assert "GetObjectInfo: " in result.stderr
    assert f"the page is {html}" in result.stderr
    assert html.read_text(encoding="utf-8").count("<svg") == 6
    assert list(folder.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "page.html"]


def test_json_has_a_line_for_each_measurement_and_is_compared_with_later(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sim = camera(objects=4, size=2_000_000)
    result = command(at(sim), "--budget", 1, "--json")
    assert result.exit_code == 0
    header, *middle, summary = records(result.stdout)
    assert (header["type"], header["command"], header["schema"]) == ("header", "bench", 1)
    kinds = {row["type"] for row in middle}
    assert {"camera", "latency", "listing", "read", "disk", "timeline", "verdict"} <= kinds
    assert (summary["type"], summary["schema"], summary["complete"]) == ("summary", 1, True)
    ways = ("parts", "whole")
    reads = [row for row in middle if row["type"] == "read" and row["way"] in ways]
    assert summary["best_mb_per_s"] in [row["mb_per_s"] for row in reads]
    assert "is the limit" in result.stderr
    earlier = tmp_path / "earlier.jsonl"
    earlier.write_text(result.stdout)
    html = tmp_path / "page.html"
    again = command(at(sim), "--budget", 1, "--compare", earlier, "--html", html, "--quiet")
    assert again.exit_code == 0
    assert again.stderr == ""
    assert "Compared with " in again.stdout
    assert "This run and earlier ones" in html.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--budget", "0.5"], "at least 1 s"),
        (["--budget", "never"], "not a number of seconds"),
        (["--into", "/no/such/folder"], "does not exist"),
        (["--html", "/no/such/folder/page.html"], "there is no folder"),
        (["--html", "/dev/full"], "/dev/full is not a regular file"),
        (["--save", ""], "is not a regular file"),
        (["--html", "."], "is a directory"),
        (["--compare", "/no/such/file"], "does not exist"),
        (["--compare", __file__], "not made of lines of JSON"),
        (["--chunk", "0"], "out of range"),
        (["--depth", "0"], "not in the range"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_connected(
    camera: Cameras, words: list[str], complaint: str
) -> None:
    sim = camera()
    result = command(at(sim), *words)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert sim.connections == 0


def test_a_folder_that_cannot_be_written_matters_only_when_it_was_asked_for(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    sim = camera(objects=2, size=300_000)
    result = command(at(sim), "--budget", 1)
    assert result.exit_code == 0
    assert "the disk is not measured" in result.stderr
    result = command(at(sim), "--budget", 1, "--into", tmp_path)
    assert result.exit_code == 6
    assert "Permission denied" in result.stderr


def test_a_camera_that_is_not_there_is_status_three_and_makes_no_report(tmp_path: Path) -> None:
    html = tmp_path / "page.html"
    result = command("127.0.0.1:1", "--html", html)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert not html.exists()


def test_a_page_that_cannot_be_written_is_status_six(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.rename", refuse)
    result = command(at(camera(objects=1)), "--budget", 1, "--html", tmp_path / "page.html")
    assert result.exit_code == 6
    assert "cannot write" in result.stderr
    assert "is the limit" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.paced
def test_ctrl_c_ends_with_the_report_of_what_was_measured(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=4, size=50_000_000, link=SLOW_RADIO)
    html = tmp_path / "page.html"
    words = [sys.executable, "-m", "ptpfast", "bench", at(sim), "--html", str(html), "--json"]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("GetObjectInfo"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    rows = records(out)
    assert rows[-1]["type"] == "error"
    assert rows[-2]["type"] == "summary"
    assert rows[-2]["complete"] is False
    assert "interrupted" in err
    assert "unfinished run" in html.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert sim.wait_for(lambda: sim.sessions_closed == 1, timeout=10)


def test_what_a_camera_calls_itself_cannot_steer_a_terminal(
    camera: Cameras, tmp_path: Path
) -> None:
    vendor = vendors.named("standard")
    model = dataclasses.replace(vendor.model, name="\x1b]0;gotcha\x07<script>\r\n")
    sim = camera(dataclasses.replace(vendor, body=model), objects=1)
    html = tmp_path / "page.html"
    result = command(at(sim), "--budget", 1, "--html", html)
    assert result.exit_code == 0
    assert not set("\x1b\x07\r") & set(result.output)
    assert "<script>" not in html.read_text(encoding="utf-8")


def test_a_bar_shows_on_a_terminal_and_is_gone_at_the_end(
    camera: Cameras, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Bar(Output("bench"), 1.0)
    shown.step("parts of \x1b[31m")
    shown.found("GetObjectInfo", "5.0 ms")
    shown.close()
    assert "GetObjectInfo: 5.0 ms" in capsys.readouterr().err


# A camera that is busy at first


def test_of_a_busy_camera_only_the_last_try_is_measured(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(faults=["init_fail=2"])
    ticks = iter([1.0, 100.0, 100.005, 100.015])
    monkeypatch.setattr(waits, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    told: list[PTPError] = []
    session, took = waits.connected(Address(sim.host, sim.port), Identity(), PATIENT, told.append)
    session.close()
    assert len(told) == 1
    assert {row.what: round(row.ms.p50) for row in took} == {"handshake": 5, "open session": 10}


def test_the_run_begins_when_the_camera_lets_us_in(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1)
    bench = Bench(sim.host, sim.port, timeouts=PATIENT, plan=Plan(1.0))
    original = run_module.connected

    def after_long(*args: Any) -> Any:
        found = original(*args)
        bench._clock._began -= 1000
        return found

    monkeypatch.setattr(run_module, "connected", after_long)
    assert bench.run().seconds < 1000


def test_the_bar_of_the_time_does_not_count_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("ptpfast.cli.bench_display.time", clock)
    bar = Bar(Output("bench"), 40.0)
    shown = []
    for clock.now, what in ((0.0, "connecting"), (45.0, "listing"), (50.0, "the disk")):
        bar.step(what)
        shown.append(bar._bar.tasks[0].completed)
    bar.close()
    assert shown == [0, 0, 5]
