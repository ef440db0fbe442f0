"""`max_duration`: the run ends in order, and the next one resumes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at, records, run
from conftest import PATIENT, Cameras
from objects_of import content
from ptpfast.library import limits
from ptpfast.library.report.observer import Observer
from ptpfast.ptp.sizes import duration_of


class Timer:
    """A timer that a test lets expire."""

    last: Timer

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self.seconds, self.expire, self.is_cancelled = seconds, function, False
        Timer.last = self

    def start(self) -> None: ...

    def join(self) -> None: ...

    def cancel(self) -> None:
        self.is_cancelled = True


class Expiring(Observer):
    """Lets the time be over in the middle of a file."""

    def progress(self, info: Any, received: int, size: int | None) -> None:
        if received and received != size:
            Timer.last.expire()


@pytest.fixture(autouse=True)
def _timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "Timer", Timer)


@pytest.mark.parametrize("count", [1, 2], ids=["one camera", "two cameras"])
def test_a_run_ends_in_order_and_the_next_resumes(
    count: int, camera: Cameras, tmp_path: Path
) -> None:
    sims = [camera(objects=1, size=900_000, seed=seed) for seed in range(count)]
    hosts = [at(sim) for sim in sims] if count > 1 else at(sims[0])
    options: dict[str, Any] = {"chunk": 65_536, "timeouts": PATIENT}
    report = ptpfast.pull(hosts, tmp_path, max_duration=60, observer=Expiring(), **options)
    assert report.out_of_time
    assert not report.ok
    assert report.downloaded < count
    assert list(tmp_path.glob("*.part"))
    assert Timer.last.seconds == 60
    assert Timer.last.is_cancelled
    report = ptpfast.pull(hosts, tmp_path, max_duration=60, **options)
    assert report.ok
    assert not report.out_of_time
    kept = [result.transfer.resumed_at for result in report.files if result.transfer]
    assert any(kept)
    each = [camera.report for camera in report.cameras] or [report]
    for sim, (result,) in zip(sims, [one.files for one in each], strict=True):
        assert result.path is not None
        assert result.path.read_bytes() == content(sim, result.handle)


def test_the_command_has_a_status_and_a_sentence(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1, size=900_000)

    class AtOnce(Timer):
        def start(self) -> None:
            self.expire()

    monkeypatch.setattr(limits, "Timer", AtOnce)
    done = run("pull", at(sim), tmp_path, "--max-duration", "2h")
    assert done.exit_code == 8
    assert "the time of --max-duration was over" in done.stdout
    assert Timer.last.seconds == 7200
    done = run("pull", at(sim), tmp_path, "--max-duration", "2h", "--json")
    assert records(done.stdout)[-1]["out_of_time"] is True
    done = run("pull", at(sim), tmp_path, "--json")
    assert done.exit_code == 0
    assert records(done.stdout)[-1]["out_of_time"] is False


@pytest.mark.parametrize("count", [1, 2], ids=["one camera", "two cameras"])
def test_a_watch_ends_in_order_and_the_next_resumes(
    count: int, camera: Cameras, tmp_path: Path
) -> None:
    sims = [camera(objects=1, size=900_000, seed=seed) for seed in range(count)]
    hosts: Any = [at(sim) for sim in sims] if count > 1 else at(sims[0])
    options: dict[str, Any] = {"chunk": 65_536, "timeouts": PATIENT, "max_duration": 60}
    with ptpfast.watch(hosts, tmp_path, observer=Expiring(), **options) as shots:
        assert len([shot for shot in shots if shot.status == "downloaded"]) < count
    assert shots.out_of_time
    assert list(tmp_path.glob("*.part"))
    assert Timer.last.seconds == 60
    assert Timer.last.is_cancelled
    with ptpfast.watch(hosts, tmp_path, **options) as shots:
        files = [shots.status.files, *(next(shots).path for _ in range(count - shots.status.files))]
    assert not shots.out_of_time  # it was closed
    assert any(files)
    whole = {path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".part"}
    assert whole == {content(sim, sim.store.files()[0].handle) for sim in sims}


def test_a_watch_whose_camera_never_comes_ends_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    def expire(status: Any) -> None:
        if status.state == "connecting" and status.reason:
            Timer.last.expire()

    with ptpfast.watch(
        f"127.0.0.1:{port}", tmp_path, max_duration=60, on_status=expire, timeouts=PATIENT
    ) as shots:
        assert list(shots) == []
    assert shots.out_of_time


def test_the_watch_command_has_the_same_status_and_sentence(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtOnce(Timer):
        def start(self) -> None:
            self.expire()

    monkeypatch.setattr(limits, "Timer", AtOnce)
    sim = camera(objects=1, size=900_000)
    done = run("watch", at(sim), tmp_path, "--max-duration", "2h")
    assert done.exit_code == 8
    assert "the time of --max-duration was over" in done.stderr
    assert Timer.last.seconds == 7200
    done = run("watch", at(sim), tmp_path, "--max-duration", "2h", "--json")
    assert records(done.stdout)[-1]["out_of_time"] is True


def test_a_run_that_is_stopped_otherwise_raises(camera: Cameras, tmp_path: Path) -> None:
    class Stopping(Observer):
        def progress(self, *_: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        ptpfast.pull(
            at(camera(objects=1)), tmp_path, max_duration=60, observer=Stopping(), timeouts=PATIENT
        )
    assert not caught.value.report.out_of_time
    assert Timer.last.is_cancelled


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("45m", 2700), ("2h", 7200), ("1h30m", 5400), ("1d", 86_400), ("1m5s", 65)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert duration_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "2w", "h", "-5", "1.5h", "9999d", "1s1h", "٣"])
def test_what_is_no_duration_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration_of(text)
    for command in ("pull", "watch"):
        assert run(command, "127.0.0.1:9", tmp_path, f"--max-duration={text}").exit_code == 2


@pytest.mark.parametrize("given", ["2h", True, 0, -1, float("nan"), float("inf")])
def test_a_wrong_duration_in_python_is_refused(given: Any, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError), match="max_duration"):
        ptpfast.pull("127.0.0.1:9", tmp_path, max_duration=given)
    with pytest.raises((TypeError, ValueError), match="max_duration"):
        ptpfast.watch("127.0.0.1:9", tmp_path, max_duration=given)
