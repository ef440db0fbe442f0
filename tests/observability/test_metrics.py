"""Metrics: what an observer counts is what happened, and what the server shows."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import command_line
import ptpfast
from clocks import Clock
from conftest import PATIENT, Cameras
from ptpfast import ConnectionLost, Observer, PTPError, SinkError
from ptpfast.library.report.report import Report
from ptpfast.metrics import METRICS, Metrics, prometheus
from ptpfast.metrics.prometheus import Counting
from ptpfast.sim import SimulatedCamera
from ptpfast.testing import FLAKY, assert_complete


def value(metrics: Metrics, name: str, camera: str = "", **labels: str) -> float:
    """The value of a sample; 0 if it is not shown."""
    found = metrics.registry.get_sample_value(name, {"camera": camera, **labels})
    return 0.0 if found is None else found


def pulled(sim: SimulatedCamera, folder: Path, metrics: Metrics, **options: Any) -> Any:
    options.setdefault("observer", metrics.observer())
    return ptpfast.pull(command_line.at(sim), folder, timeouts=PATIENT, **options)


def test_a_run_is_counted_by_bytes_and_by_files(camera: Cameras, tmp_path: Path) -> None:
    sim, metrics = camera(objects=5, size=400_000), Metrics()
    assert pulled(sim, tmp_path, metrics).ok
    assert pulled(sim, tmp_path, metrics).ok
    assert_complete(sim, tmp_path)
    size = sum(item.size for item in sim.store.files())
    assert value(metrics, "ptpfast_received_bytes_total") == size
    assert value(metrics, "ptpfast_files_total", outcome="downloaded") == 5
    assert value(metrics, "ptpfast_files_total", outcome="skipped") == 5
    assert value(metrics, "ptpfast_files_left") == 0
    assert value(metrics, "ptpfast_files_in_progress") == 0
    assert value(metrics, "ptpfast_file_seconds_count") == 5
    assert value(metrics, "ptpfast_file_seconds_sum") > 0
    assert value(metrics, "ptpfast_retries_total") == 0


def test_bytes_of_an_earlier_run_are_not_counted_again(camera: Cameras, tmp_path: Path) -> None:
    sim, metrics = camera(objects=1, size=3_000_000), Metrics()

    class Stopping(Observer):
        def progress(self, info: object, received: int, size: int | None) -> None:
            if received >= 1_000_000:
                raise SinkError("enough")

    with pytest.raises(SinkError):
        pulled(sim, tmp_path, metrics, chunk=500_000, observer=metrics.observer("", Stopping()))
    assert value(metrics, "ptpfast_files_total", outcome="unfinished") == 1
    assert value(metrics, "ptpfast_files_left") == 1
    first = value(metrics, "ptpfast_received_bytes_total")
    assert 1_000_000 <= first < 3_000_000
    report = pulled(sim, tmp_path, metrics)
    assert_complete(sim, tmp_path)
    kept = report.files[0].transfer.resumed_at
    assert kept > 0
    assert value(metrics, "ptpfast_received_bytes_total") - first == 3_000_000 - kept


def test_lost_connections_are_counted_and_waited_for(camera: Cameras, tmp_path: Path) -> None:
    sim, metrics = camera(faults=list(FLAKY)), Metrics()
    report = pulled(sim, tmp_path, metrics)
    assert_complete(sim, tmp_path)
    assert value(metrics, "ptpfast_retries_total") == report.retries
    assert value(metrics, "ptpfast_reconnects_total") == sim.connections - 1
    assert value(metrics, "ptpfast_camera_wait_seconds_total") > 0


def test_each_of_several_cameras_has_its_label(camera: Cameras, tmp_path: Path) -> None:
    sims, metrics = [camera(objects=2), camera(objects=3)], Metrics()
    addresses = [command_line.at(sim) for sim in sims]
    observer = metrics.observer()
    assert ptpfast.pull(addresses, tmp_path, timeouts=PATIENT, observer=observer).ok
    for address, sim in zip(addresses, sims, strict=True):
        files = sim.store.files()
        row = {"camera": address, "outcome": "downloaded"}
        assert value(metrics, "ptpfast_files_total", **row) == len(files)
        size = sum(item.size for item in files)
        assert value(metrics, "ptpfast_received_bytes_total", address) == size
    assert metrics.registry.get_sample_value("ptpfast_files_left", {"camera": ""}) is None


def test_failed_files_are_counted_as_such(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(faults=["respond=0x2002 on GetPartialObject at 1 times 0"])
    metrics = Metrics()
    assert not pulled(sim, tmp_path, metrics).ok
    assert value(metrics, "ptpfast_files_total", outcome="failed") == len(sim.store.files())
    assert value(metrics, "ptpfast_files_left") == 0
    assert value(metrics, "ptpfast_file_seconds_count") == 0


def test_a_dry_run_counts_no_files(camera: Cameras, tmp_path: Path) -> None:
    metrics = Metrics()
    pulled(camera(), tmp_path, metrics, dry_run=True)
    assert value(metrics, "ptpfast_files_total", outcome="planned") == 0
    assert value(metrics, "ptpfast_received_bytes_total") == 0


def test_seconds_of_waiting_are_those_between_the_calls() -> None:
    clock, metrics = Clock(0.0), Metrics()
    observer = Counting(metrics, "", Observer(), clock)
    clock.now = 10
    observer.passed("storing", 4, 0.5)  # it has waited for half a second by now
    clock.now = 12
    observer.passed("storing", 3, 2.5)
    clock.now = 13
    observer.passed("busy", PTPError("busy"), 0.0)  # the other wait has ended
    clock.now = 17
    observer.passed("lost", ConnectionLost("gone"))
    clock.now = 20
    observer.passed("listing", 1, 2)
    clock.now = 99
    observer.passed("listing", 2, 2)
    assert value(metrics, "ptpfast_disk_wait_seconds_total") == 3.5
    assert value(metrics, "ptpfast_camera_wait_seconds_total") == 7
    assert value(metrics, "ptpfast_reconnects_total") == 1


def test_a_connection_that_stays_lost_is_no_reconnect() -> None:
    metrics = Metrics()
    observer = Counting(metrics, "", Observer(), Clock(0.0))
    observer.passed("lost", ConnectionLost("gone"))
    observer.passed("reconnecting", 1)
    observer.passed("ended", Report(Path("here")), ConnectionLost("gone"))
    assert value(metrics, "ptpfast_retries_total") == 1
    assert value(metrics, "ptpfast_reconnects_total") == 0


def test_all_calls_are_passed_on_to_the_other_observer(camera: Cameras, tmp_path: Path) -> None:
    seen: list[str] = []

    class Seeing(Observer):
        def started(self, *_: object) -> None:
            seen.append("started")

        def finished(self, *_: object) -> None:
            seen.append("finished")

    sim, metrics = camera(objects=2), Metrics()
    pulled(sim, tmp_path, metrics, observer=metrics.observer("", Seeing()))
    assert sorted(seen) == ["finished", "finished", "started", "started"]


def test_the_server_shows_the_metrics_on_loopback_alone(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, metrics, serve = camera(objects=2), Metrics(), prometheus.start_http_server

    def served(port: int, host: str, registry: Any) -> Any:
        assert host == "127.0.0.1"
        return serve(port, host, registry)

    monkeypatch.setattr(prometheus, "start_http_server", served)
    with metrics.serving(0) as port:
        pulled(sim, tmp_path, metrics)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
    assert 'ptpfast_files_total{camera="",outcome="downloaded"} 2.0' in text
    for row in METRICS:
        assert f"# TYPE {row.name.removesuffix('_total')}" in text
    with pytest.raises(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20):
        pass


def test_pull_shows_its_metrics_while_it_runs(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, urls = camera(objects=2), []
    observed: list[tuple[Metrics, str]] = []
    serve, observe = prometheus.start_http_server, Metrics.observer

    def served(port: int, host: str, registry: Any) -> Any:
        assert host == "127.0.0.1"
        server, thread = serve(port, host, registry)
        urls.append(f"http://127.0.0.1:{server.server_port}/metrics")
        return server, thread

    def observer(self: Metrics, name: str, other: Observer) -> Observer:
        with urllib.request.urlopen(urls[0], timeout=20) as answer:
            assert "ptpfast_file_seconds" in answer.read().decode()
        observed.append((self, name))
        return observe(self, name, other)

    monkeypatch.setattr(prometheus, "start_http_server", served)
    monkeypatch.setattr(Metrics, "observer", observer)
    done = command_line.run("pull", command_line.at(sim), tmp_path, "--metrics", "0", "--json")
    assert done.exit_code == 0, done.output
    rows = command_line.records(done.stdout)
    assert [row["url"] for row in rows if row["type"] == "metrics"] == urls
    assert f"metrics at {urls[0]}" in done.stderr
    assert_complete(sim, tmp_path)
    ((metrics, name),) = observed
    assert name == command_line.at(sim)
    assert value(metrics, "ptpfast_files_total", name, outcome="downloaded") == 2


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("http", "is not a port"),
        ("-1", "is not a port"),
        ("65536", "the largest is 65535"),
        (":9180", "is not a port"),
        ("a b:9180", "address"),
    ],
)
def test_a_wrong_port_for_metrics_is_a_usage_error(tmp_path: Path, where: str, text: str) -> None:
    done = command_line.run("pull", "192.168.1.1", tmp_path, f"--metrics={where}")
    assert done.exit_code == 2
    assert text in done.output


def test_a_port_in_use_is_named_before_the_camera_is_asked(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = command_line.run("pull", command_line.at(sim), tmp_path, "--metrics", port)
    assert done.exit_code == 2
    assert f"--metrics cannot listen at 127.0.0.1:{port}" in done.output
    assert sim.connections == 0


@pytest.mark.parametrize("missing", ["prometheus_client", "opentelemetry"])
def test_without_its_packages_it_says_which_extra_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import ptpfast.metrics"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "run `pip install 'ptpfast[metrics]'`" in done.stderr.splitlines()[-1]


def test_the_command_says_which_extra_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("ptpfast.metrics")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    done = command_line.run("pull", "192.168.1.1", tmp_path, "--metrics", "0")
    assert done.exit_code == 2
    assert "pip install 'ptpfast[metrics]'" in done.output


def test_a_program_that_never_asks_keeps_no_thread_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prometheus, "SLOWEST_S", 0.05)
    with (
        Metrics().serving(0) as port,
        socket.create_connection((prometheus.LOOPBACK, port), timeout=20) as client,
    ):
        client.sendall(b"G")
        assert client.recv(1) == b""
    assert capfd.readouterr().err == ""
