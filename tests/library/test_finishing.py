"""Received files are finished on other threads: whatever ends the run, each has one true result."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adversity import assert_right, expected_files, finished_files
from conftest import PATIENT, Cameras
from ptpfast import Observer, Report, SinkError, pull
from ptpfast.library import finishing
from ptpfast.library.keep import copies
from ptpfast.library.keep.sums import Sums
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import SimulatedCamera
from ptpfast.transfer import Download, part

LONGEST_S = 30.0
HELD = 20  # files: more than the queue and its threads hold


@pytest.fixture(autouse=True)
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush takes long enough for a queue to form."""
    plain = part.sync_file

    def slowly(fd: int) -> None:
        threading.Event().wait(0.02)
        plain(fd)

    monkeypatch.setattr(part, "sync_file", slowly)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [each for each in threading.enumerate() if each.name == "ptpfast finishing"]


def ended(sim: SimulatedCamera, folder: Path, **options: Any) -> tuple[Report, BaseException]:
    """Return the report and the error of a run that must end with one, and not hang."""
    found: list[BaseException] = []

    def run() -> None:
        try:
            pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)
        except BaseException as error:  # noqa: BLE001  it is looked at below
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LONGEST_S)
    assert not thread.is_alive(), "the run hangs"
    assert found, "the run ended without an error"
    return found[0].report, found[0]  # type: ignore[attr-defined]


def assert_told(sim: SimulatedCamera, folder: Path, report: Report) -> None:
    """Every finished file has one result, and no other object is said to be here."""
    assert_right(folder, expected_files(sim))
    paths = [result.path for result in report.files if result.status == "downloaded"]
    assert sorted(map(str, paths)) == sorted(map(str, finished_files(folder)))
    handles = [result.handle for result in report.files]
    assert len(handles) == len(set(handles))


class Raising(Observer):
    """Raises in some of its callbacks, from a certain call on."""

    def __init__(self, *callbacks: str, after: int = 0) -> None:
        for name in callbacks:
            setattr(self, name, self._raise)
        self._left = after

    def _raise(self, *_: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise ValueError("of the observer")


@pytest.mark.parametrize("with_copies", [False, True])
@pytest.mark.parametrize(
    "callbacks",
    [("finished",), ("storing",), ("started",), ("progress",), ("finished", "storing")],
)
def test_an_observer_that_raises_loses_no_result_and_hangs_nothing(
    camera: Cameras,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    callbacks: tuple[str, ...],
    with_copies: bool,
) -> None:
    monkeypatch.setattr(finishing, "_POLL_S", 0.001)
    sim = camera(objects=40, size=2000)
    others = [tmp_path / "copies"] if with_copies else []
    after = 0 if "storing" in callbacks else 9
    observer = Raising(*callbacks, after=after)
    report, error = ended(sim, tmp_path / "in", observer=observer, copies=others)
    assert str(error) == "of the observer"
    assert_told(sim, tmp_path / "in", report)


@pytest.mark.parametrize("with_copies", [False, True])
@pytest.mark.parametrize("at", ["note", "uncopied", "thread"])
def test_an_interruption_while_a_file_is_queued_hangs_nothing(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, with_copies: bool
) -> None:
    calls = iter(range(1000))

    def interrupted(plain: Callable[..., Any], when: int) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            if next(calls) == when:
                raise KeyboardInterrupt
            return plain(*given)

        return call

    owner, name, when = {
        "note": (Download, "note", 5),
        "uncopied": (finishing.Worker, "do", 5),
        "thread": (finishing.Worker, "_start", 0),
    }[at]
    monkeypatch.setattr(owner, name, interrupted(getattr(owner, name), when))
    sim = camera(objects=HELD, size=2000)
    others = [tmp_path / "copies"] if with_copies else []
    report, error = ended(sim, tmp_path / "in", copies=others)
    assert isinstance(error, KeyboardInterrupt)
    assert_told(sim, tmp_path / "in", report)
    again = pull(f"{sim.host}:{sim.port}", tmp_path / "in", timeouts=PATIENT, copies=others)
    assert again.ok
    assert len(finished_files(tmp_path / "in")) == HELD


def test_a_stored_file_keeps_its_result_when_its_checksum_cannot_be_noted(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(1000))

    def add(self: Sums, path: Path, sha256: str | None) -> None:
        if next(calls) == 3:
            raise SinkError("cannot read it")

    monkeypatch.setattr(Sums, "add", add)
    sim = camera(objects=8, size=2000)
    report, _ = ended(sim, tmp_path / "in", manifest=True)
    assert_told(sim, tmp_path / "in", report)


def test_an_error_of_the_copying_thread_does_not_deny_a_stored_file(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(copies, "store", store)
    sim = camera(objects=8, size=2000)
    report, _ = ended(sim, tmp_path / "in", copies=[tmp_path / "copies"], delete_verified=True)
    assert_told(sim, tmp_path / "in", report)
    assert len(sim.store.files()) == 8


@pytest.mark.parametrize("number", ["ENOSPC", "EIO", "EROFS", "EDQUOT"])
@pytest.mark.parametrize("at", ["sync_file", "publish"])
def test_a_disk_error_in_the_midst_of_a_queue_leaves_true_results(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str, at: str
) -> None:
    calls, code = iter(range(1000)), getattr(errno, number)
    owner = part if at == "sync_file" else part.files
    plain = getattr(owner, at)

    def failing(*given: Any, **more: Any) -> Any:
        if next(calls) >= 7:
            raise OSError(code, number)
        return plain(*given, **more)

    monkeypatch.setattr(owner, at, failing)
    sim = camera(objects=HELD, size=2000)
    report, _ = ended(sim, tmp_path / "in")
    assert_told(sim, tmp_path / "in", report)
    monkeypatch.setattr(owner, at, plain)
    again = pull(f"{sim.host}:{sim.port}", tmp_path / "in", timeouts=PATIENT)
    assert again.ok
    assert_right(tmp_path / "in", expected_files(sim))
    assert len(finished_files(tmp_path / "in")) == HELD


def test_a_name_that_is_taken_while_files_are_queued_is_left_alone(
    camera: Cameras, tmp_path: Path
) -> None:
    place = tmp_path / "in"

    class Taking(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            self.last = path

        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if received == size and info.handle % 2 and not self.last.exists():
                self.last.write_bytes(b"of another program")

    sim = camera(objects=HELD, size=2000)
    report = pull(f"{sim.host}:{sim.port}", place, timeouts=PATIENT, observer=Taking())
    assert report.ok
    assert report.downloaded == HELD
    others = [path for path in place.iterdir() if path.read_bytes() == b"of another program"]
    assert len(others) == HELD // 2
    for result in report.files:
        assert result.path is not None
        stored = b"".join(sim.store.expected(result.handle).spans(0, 2000))
        assert result.path.read_bytes() == stored


@pytest.mark.parametrize("copied", [False, True])
def test_a_file_is_told_when_it_is_stored_though_another_one_still_arrives(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    sim = camera(objects=2, size=200_000)
    first, second = sorted(each.handle for each in sim.store.files())
    is_done, told = threading.Event(), []
    original = finishing.Arrival.end

    def end(arrival: finishing.Arrival, copy: Any) -> None:
        original(arrival, copy)
        is_done.set()

    class Telling(Observer):
        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if info.handle == second and 0 < received < 200_000:
                assert is_done.wait(LONGEST_S)
            told.append((info.handle, received))

        def finished(self, result: Any) -> None:
            told.append((result.handle, result.status))

    monkeypatch.setattr(finishing.Arrival, "end", end)
    folders = [tmp_path / "copies"] if copied else []
    pull(
        f"{sim.host}:{sim.port}",
        tmp_path / "main",
        chunk=50_000,
        copies=folders,
        observer=Telling(),
    )
    assert told.index((first, "downloaded")) < told.index((second, 150_000))
    for folder in (tmp_path / "main", *folders):
        assert_right(folder, expected_files(sim))


def test_a_stored_file_is_in_the_history_though_its_observer_raised(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(self: Sums, path: Path, sha256: str | None) -> None:
        raise SinkError("cannot note it")

    sim = camera(objects=1, size=2000)
    with monkeypatch.context() as patched:
        patched.setattr(Sums, "add", add)
        _, error = ended(sim, tmp_path / "in", observer=Raising("finished"))
    assert str(error) == "of the observer"
    (stored,) = finished_files(tmp_path / "in")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    stored.rename(moved / stored.name)
    report = pull(f"{sim.host}:{sim.port}", tmp_path / "in", timeouts=PATIENT, new=True)
    assert not finished_files(tmp_path / "in"), report
