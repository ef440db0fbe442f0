"""`pull_iter`: results in time, in bounds, and an end in order however the loop ends."""

from __future__ import annotations

import gc
import inspect
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import command_line
from conftest import PATIENT, Cameras, Sessions
from objects_of import content
from ptpfast import FileResult, NetworkError, Observer, PullIterator, pull, pull_iter
from ptpfast.library.ending import Ending
from ptpfast.library.finishing import MOST_FILES
from ptpfast.library.handing import MOST_WAITING
from ptpfast.ptp.codes import OperationCode
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import SimulatedCamera


def fetch(sims: SimulatedCamera | list[SimulatedCamera], to: Path, **options: Any) -> PullIterator:
    options.setdefault("timeouts", PATIENT)
    several = [command_line.at(sim) for sim in sims] if isinstance(sims, list) else None
    return pull_iter(several or command_line.at(sims), to, **options)  # type: ignore[arg-type]


def assert_whole(sim: SimulatedCamera, results: list[FileResult]) -> None:
    for result in results:
        assert result.status == "downloaded"
        assert result.path is not None
        assert result.path.read_bytes() == content(sim, result.handle)


def assert_closed_in_order(sim: SimulatedCamera) -> None:
    codes = [row.operation for row in sim.log]
    assert codes.count(OperationCode.OpenSession) == codes.count(OperationCode.CloseSession) == 1


def finished(folder: Path) -> list[Path]:
    """The files with a final name."""
    there = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
    return [path for path in there if ".part" not in path.name]


def assert_nothing_wrong(sim: SimulatedCamera, folder: Path) -> None:
    """Each file with a final name is one of the camera's, and a next run completes the card."""
    wanted = {content(sim, stored.handle) for stored in sim.store.files()}
    have = finished(folder)
    assert {path.read_bytes() for path in have} <= wanted
    assert pull(command_line.at(sim), folder, timeouts=PATIENT).ok
    have = finished(folder)
    assert sorted(path.read_bytes() for path in have) == sorted(wanted)


def test_each_result_comes_with_its_file_and_the_report_last(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=40, size=20_000)
    with fetch(sim, tmp_path) as results:
        with pytest.raises(RuntimeError, match="has ended"):
            _ = results.report
        seen = []
        for result in results:
            assert_whole(sim, [result])
            seen.append(result)
    assert seen == results.report.files
    assert (results.report.downloaded, results.report.ok) == (40, True)
    assert next(results, None) is None
    assert_closed_in_order(sim)


def test_run_does_not_go_far_ahead_of_a_slow_consumer(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=80, size=10_000)
    begun: list[str] = []

    class Begun(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            begun.append(info.name)

    waits = threading.Event()
    results = fetch(sim, tmp_path, observer=Begun())
    handover = results._handover
    wait = handover.wait_for_room

    def waited() -> None:
        if handover._is_full():
            waits.set()  # until it goes on
        wait()
        waits.clear()

    handover.wait_for_room = waited  # type: ignore[method-assign]
    most = MOST_WAITING + MOST_FILES + 1
    for taken, _ in enumerate(results, 1):
        if taken % 20 == 1:
            assert taken > 60 or waits.wait(20)
        assert len(begun) <= taken + most
    assert len(begun) == results.report.downloaded == 80


def test_skipped_results_wait_for_the_consumer_too(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=60, size=1000)
    assert pull(command_line.at(sim), tmp_path, timeouts=PATIENT).ok
    told: list[FileResult] = []

    class Told(Observer):
        def finished(self, result: FileResult) -> None:
            told.append(result)

    for taken, result in enumerate(fetch(sim, tmp_path, observer=Told()), 1):
        assert result.status == "skipped"
        assert len(told) <= taken + MOST_WAITING + 1
    assert len(told) == 60


def test_dry_run_yields_what_is_planned(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=12)
    results = fetch(sim, tmp_path, dry_run=True)
    assert [result.status for result in results] == ["planned"] * 12
    assert results.report.ok


class Failing(Exception):
    """What a loop raises."""


def leave_by_break(results: PullIterator) -> None:
    for _ in results:
        break
    results.close()


def leave_by_exception(results: PullIterator) -> None:
    with pytest.raises(Failing), results:
        for _ in results:
            raise Failing


def leave_at_once(results: PullIterator) -> None:
    results.close()
    results.close()


def leave_half_way(results: PullIterator) -> None:
    for number, _ in enumerate(results):
        if number == 5:
            results.close()


LEAVING = [leave_by_break, leave_by_exception, leave_at_once, leave_half_way]


@pytest.mark.parametrize("leave", LEAVING, ids=lambda leave: leave.__name__)
@pytest.mark.parametrize("several", [False, True])
def test_leaving_the_loop_ends_the_run_in_order(
    camera: Cameras, tmp_path: Path, leave: Any, several: bool
) -> None:
    sims = [camera(objects=12, size=400_000, seed=seed) for seed in range(1 + several)]
    results = fetch(sims if several else sims[0], tmp_path, chunk=50_000)
    leave(results)
    assert next(results, None) is None
    assert not results._thread.is_alive()
    for sim in sims:
        codes = [row.operation for row in sim.log]
        opened, closed = OperationCode.OpenSession, OperationCode.CloseSession
        assert codes.count(opened) == codes.count(closed)
    if not several:
        assert_nothing_wrong(sims[0], tmp_path)


def test_forgotten_iterator_ends_its_run(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=30, size=200_000)

    def forget() -> None:
        for _ in fetch(sim, tmp_path):
            break

    forget()
    gc.collect()
    assert_closed_in_order(sim)
    assert_nothing_wrong(sim, tmp_path)


def test_error_that_ends_the_run_comes_after_the_results(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=8, size=300_000)
    sim.faults.add("drop on GetPartialObject at 5 times 0")
    seen: list[FileResult] = []
    results = fetch(sim, tmp_path, retry=0)
    with pytest.raises(NetworkError) as caught:
        seen += results
    assert vars(caught.value)["report"] is results.report
    done = [result for result in seen if result.status == "downloaded"]
    assert 0 < len(done) == results.report.downloaded
    assert_whole(sim, done)
    assert seen == results.report.files
    assert next(results, None) is None


def test_camera_that_is_not_there_is_an_error_of_the_iterator(tmp_path: Path) -> None:
    results = pull_iter("127.0.0.1:9", tmp_path)
    with pytest.raises(NetworkError):
        next(results)
    with pytest.raises(RuntimeError, match="has ended"):
        _ = results.report


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"unknown": 1}, TypeError, r"pull_iter\(\).*unknown"),
        ({"retry": -1}, ValueError, "retry"),
        ({"observer": 3}, TypeError, "observer"),
    ],
)
def test_wrong_options_are_refused_at_the_call(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        pull_iter("127.0.0.1", tmp_path, **options)


def test_results_of_several_cameras_name_their_camera(camera: Cameras, tmp_path: Path) -> None:
    sims = [camera(objects=10, size=20_000, seed=seed) for seed in (1, 2)]
    by_name = {command_line.at(sim): sim for sim in sims}
    results = fetch(sims, tmp_path)
    for result in results:
        assert_whole(by_name[result.camera], [result])
    assert [each.report.downloaded for each in results.report.cameras] == [10, 10]


def test_consumer_that_waits_holds_up_no_call_of_another_camera(
    camera: Cameras, tmp_path: Path
) -> None:
    waits_for_the_other = "busy on GetObjectHandles times 0"
    sims = [
        camera(objects=30, size=1000, faults=[waits_for_the_other]),
        camera(objects=1, size=8_000_000, seed=9),
    ]
    ended = threading.Event()

    class Ended(Observer):
        def started(self, info: ObjectInfo, *_: object, **__: object) -> None:
            if info.size == 8_000_000:
                sims[0].faults.clear()

        def finished(self, result: FileResult) -> None:
            if result.size == 8_000_000:
                ended.set()

    results = fetch(sims, tmp_path, chunk=100_000, observer=Ended())
    next(results)
    assert ended.wait(20)  # while the other camera waits for the consumer
    assert len(list(results)) == 30


def test_open_session_can_be_used_after_a_loop_that_ended_early(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=30, size=100_000)
    session = connect(sim)
    for number in range(1, 8):
        with pull_iter(session, tmp_path, history=False, chunk=10_000) as results:
            for taken, _ in enumerate(results):
                if taken == number:
                    break
        assert len(session.objects()) == 30
    session.close()
    assert_nothing_wrong(sim, tmp_path)


def test_cancel_that_met_no_transaction_is_withdrawn(camera: Cameras, connect: Sessions) -> None:
    session, ending = connect(camera()), Ending()
    with ending.interrupts(session):
        ending.end()
    assert len(session.objects()) == 4


def test_observer_of_the_user_is_called_and_may_end_the_run(
    camera: Cameras, tmp_path: Path
) -> None:
    class Refusing(Observer):
        def finished(self, result: FileResult) -> None:
            raise Failing

    seen = []
    with pytest.raises(Failing) as caught:
        for result in fetch(camera(), tmp_path, observer=Refusing()):
            seen.append(result)  # noqa: PERF402
    assert vars(caught.value)["report"].files == seen


def test_ctrl_c_in_the_consumer_ends_the_run_in_order(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=4, size=4_000_000)

    class Pressing(Observer):
        pressed = False

        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if received and not self.pressed:
                self.pressed = True
                os.kill(os.getpid(), signal.SIGINT)

    results = fetch(sim, tmp_path, observer=Pressing(), chunk=100_000)
    with pytest.raises(KeyboardInterrupt):
        for _ in results:
            pass
    assert not results._thread.is_alive()
    assert_closed_in_order(sim)
    assert_nothing_wrong(sim, tmp_path)


PROGRAM = """
import sys, threading, ptpfast
from ptpfast.library.handing import Handover
waits, is_full = threading.Event(), Handover._is_full
def is_full_now(self):
    full = is_full(self)
    if full and len(sys.argv) > 3:
        waits.set()
    return full
Handover._is_full = is_full_now
results = ptpfast.pull_iter(sys.argv[1], sys.argv[2], chunk=10_000)
print(next(results).path.name)
if len(sys.argv) > 3:
    assert waits.wait(20)
"""


@pytest.mark.parametrize("more", [[], ["when it waits"]])
def test_program_that_forgets_its_run_ends(
    camera: Cameras, tmp_path: Path, more: list[str]
) -> None:
    sim = camera(objects=60, size=100_000)
    words = [sys.executable, "-c", PROGRAM, command_line.at(sim), os.fspath(tmp_path), *more]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert_closed_in_order(sim)


def test_signature_has_each_option_of_pull() -> None:
    of_pull, own = inspect.signature(pull).parameters, inspect.signature(pull_iter).parameters
    assert list(of_pull.values()) == list(own.values())
