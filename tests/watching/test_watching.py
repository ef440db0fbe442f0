"""`watch`: each new shot once, whatever happens to the connection, the card and the folder."""

from __future__ import annotations

import dataclasses
import gc
import math
import threading
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at
from conftest import PATIENT, Cameras, Sessions
from ptpfast import EventCode, FileResult, Observer, OperationCode, SinkError, pull
from ptpfast.link.patience import Patience
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import Fault, SimulatedCamera, Store
from ptpfast.vendors import named
from ptpfast.watching import ledger, watcher
from watched import Statuses, assert_each_once, bytes_of, contents, files_in, hurried, start, take

BIG = 3_000_000


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)


def shoot(sim: SimulatedCamera, shots: ptpfast.Watch, times: int = 1) -> list[FileResult]:
    """Take pictures, and their files."""
    handles = [handle for _ in range(times) for handle in sim.capture()]
    taken = take(shots, len(handles))
    assert {result.handle for result in taken} == set(handles)
    return taken


def test_existing_files_come_and_then_each_new_shot(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    with start(connect(sim), tmp_path) as shots:
        take(shots, 3)
        for _ in range(3):
            shoot(sim, shots)
        assert shots.status.files == len(sim.store.files())
    assert_each_once(tmp_path, contents(sim))


def test_new_only_leaves_what_was_on_the_card(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    statuses = Statuses()
    with start(connect(sim), tmp_path, existing=False, on_status=statuses) as shots:
        statuses.wait_for("watching")
        taken = shoot(sim, shots)
        sim.drop_connections()
        statuses.wait_for("away")
        taken += shoot(sim, shots)
    assert_each_once(tmp_path, [bytes_of(sim.store, result.handle) for result in taken])


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_shot_that_no_event_tells_of_is_found_by_its_handle(
    camera: Cameras, connect: Sessions, tmp_path: Path, vendor: str
) -> None:
    plain = named(vendor)
    habits = dataclasses.replace(plain.model.habits, events=False)
    silent = dataclasses.replace(plain, body=dataclasses.replace(plain.model, habits=habits))
    sim = camera(silent, objects=2)
    with start(connect(sim), tmp_path) as shots:
        take(shots, 2)
        shoot(sim, shots, 2)
    assert_each_once(tmp_path, contents(sim))


class Once(Observer):
    """Do something once, when the first bytes of a file have come."""

    def __init__(self, do: Any, name: str = "") -> None:
        self.do = do
        self.name = name
        self.is_done = False

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if not self.is_done and received and (not self.name or info.name == self.name):
            self.is_done = True
            self.do()


def big_card() -> Store:
    store = Store()
    store.add("BIG.DNG", BIG, parent=store.add_folder("DCIM"))
    return store


def test_new_shot_comes_between_two_chunks_of_an_older_file(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=big_card(), size=50_000)
    session = connect(sim)
    events = session.events()

    def shot() -> None:
        sim.capture()
        while next(events).code != EventCode.CaptureComplete:
            pass

    options: dict[str, Any] = {"chunk": 100_000, "observer": Once(shot)}
    with start(session, tmp_path, **options) as shots:
        taken = take(shots, 3)
        total = sum(result.transfer.received for result in taken if result.transfer)
    big = taken[-1]
    assert big.object is not None
    assert big.object.name == "BIG.DNG"
    assert big.transfer is not None
    assert 0 < big.transfer.resumed_at < BIG
    assert total < sum(map(len, contents(sim))) + 200_000
    assert_each_once(tmp_path, contents(sim))


def test_shots_of_a_time_away_come_before_older_files(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    store = Store()
    folder = store.add_folder("DCIM")
    older = [store.add(f"OLD_{number}.DNG", 50_000, parent=folder) for number in range(40)]
    sim = camera(store=store, size=50_000)
    shot: list[int] = []

    def away() -> None:
        sim.drop_connections()
        shot.extend(sim.capture())

    with start(connect(sim), tmp_path, observer=Once(away, "OLD_3.DNG")) as shots:
        taken = [result.handle for result in take(shots, len(older) + 2)]
    # Behind the file under way, and perhaps the one that met the lost connection.
    assert max(map(taken.index, shot)) <= 6
    assert_each_once(tmp_path, contents(sim))


def test_first_kind_comes_before_the_other_files_of_shots(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=big_card(), size=50_000)
    session = connect(sim)
    events = session.events()

    def shots_of_two() -> None:
        for _ in range(2):
            sim.capture()
            while next(events).code != EventCode.CaptureComplete:
                pass

    options: dict[str, Any] = {"chunk": 100_000, "observer": Once(shots_of_two)}
    with start(session, tmp_path, first="jpeg", **options) as shots:
        taken = take(shots, 5)
    assert [info.kind for result in taken if (info := result.object)] == [
        *("jpeg", "jpeg"),
        *("raw", "raw", "raw"),
    ]
    assert_each_once(tmp_path, contents(sim))


def test_drop_in_the_middle_of_a_file_resumes_it(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=big_card(), size=50_000)
    observer = Once(sim.drop_connections)
    with start(connect(sim), tmp_path, chunk=100_000, observer=observer) as shots:
        (big,) = take(shots, 1)
        assert big.transfer is not None
        assert big.transfer.resumed_at
        shoot(sim, shots)
    assert_each_once(tmp_path, contents(sim))


def test_camera_that_was_away_is_caught_up_with(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 2)
        sim._listener.refuse()
        sim.drop_connections()
        statuses.wait_for("away")
        handles = [handle for _ in range(4) for handle in sim.capture()]
        sim._listener.accept()
        assert {result.handle for result in take(shots, len(handles))} == set(handles)
        statuses.wait_for("watching", times=2)
        assert statuses.seen[-1].reason == ""
    assert_each_once(tmp_path, contents(sim))


def test_camera_that_goes_to_sleep_is_woken_by_the_next_try(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=4, faults=[Fault("sleep", operation=OperationCode.GetPartialObject, at=3)])
    with start(connect(sim), tmp_path, chunk=100_000) as shots:
        take(shots, 4)
        shoot(sim, shots)
    assert sim.sessions_opened >= 2
    assert_each_once(tmp_path, contents(sim))


def test_camera_that_does_not_answer_at_first_is_waited_for(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    statuses = Statuses()
    sim._listener.refuse()
    with start(at(sim), tmp_path, on_status=statuses, timeouts=PATIENT) as shots:
        statuses.wait_for("connecting")
        assert statuses.seen[0].reason
        sim._listener.accept()
        take(shots, 2)
    assert_each_once(tmp_path, contents(sim))
    codes = [row.operation for row in sim.log]
    assert codes.count(OperationCode.OpenSession) == codes.count(OperationCode.CloseSession) == 1


@pytest.mark.parametrize("told", [True, False])
def test_another_card_with_the_same_handles_is_fetched_too(
    camera: Cameras, connect: Sessions, tmp_path: Path, told: bool
) -> None:
    sim = camera(objects=3)
    with start(connect(sim), tmp_path) as shots:
        wanted = contents(sim)
        take(shots, 3)
        other = Store(seed=7)
        other._shots = sim.store._shots  # the body counts on
        other.capacity += 0 if told else 1 << 30
        folder = other.add_folder("100CARD", parent=other.add_folder("DCIM"))
        for number in range(3):
            other.add(f"NEW_{number}.DNG", 20_000 + number, parent=folder)
        sim.store = other
        if told:
            sim.push_event(EventCode.StoreRemoved, 0x10001)
            sim.push_event(EventCode.StoreAdded, 0x10001)
        take(shots, 3)
        wanted += contents(sim)
        wanted += [bytes_of(sim.store, r.handle) for r in shoot(sim, shots)]
    assert_each_once(tmp_path, wanted)


def test_camera_without_a_card_is_waited_for(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    card = Store.synthetic(2, 30_000)
    sim = camera(store=Store(storages=0))
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        statuses.wait_for("no card")
        sim.store = card
        take(shots, 2)
    assert_each_once(tmp_path, contents(sim))


def test_nothing_is_fetched_again_when_its_file_was_moved(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    folder, away = tmp_path / "in", tmp_path / "away"
    away.mkdir()
    statuses = Statuses()
    session = connect(sim)
    with start(session, folder, on_status=statuses) as shots:
        for result in take(shots, 3):
            assert result.path is not None
            result.path.rename(away / result.path.name)
        sim.drop_connections()
        statuses.wait_for("watching", times=2)
        for result in shoot(sim, shots):
            assert result.path is not None
            result.path.rename(away / result.path.name)
    with start(session, folder) as shots:
        shoot(sim, shots)
    assert len(files_in(folder)) == 2
    assert_each_once(tmp_path, contents(sim))


def test_closing_keeps_the_partial_file_and_pull_resumes_it(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=big_card())
    session = connect(sim)
    begun = threading.Event()
    watches: list[ptpfast.Watch] = []

    def stop() -> None:
        assert begun.wait(60)
        watches[0].stop()

    with start(session, tmp_path, chunk=100_000, observer=Once(stop)) as shots:
        watches.append(shots)
        begun.set()
        assert [result.status for result in shots] == ["unfinished"]
    assert [path.suffix for path in files_in(tmp_path) if path.suffix != ".json"] == [".part"]
    report = pull(session, tmp_path)
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at
    assert_each_once(tmp_path, contents(sim))


def test_stop_leaves_the_last_results_to_be_taken(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=5)
    statuses = Statuses()
    shots = start(connect(sim), tmp_path, on_status=statuses)
    statuses.wait_for("watching")
    shots.stop()
    assert [result.status for result in shots] == ["downloaded"] * 5
    assert next(shots, None) is None
    shots.close()


def test_watch_that_is_forgotten_ends_in_order(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    shots = start(connect(sim), tmp_path)
    take(shots, 2)
    thread = shots._thread
    del shots
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def test_object_that_fails_is_told_once_and_tried_again(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(ledger, "LONGEST_PAUSE_S", 0.01)
    sim = camera(objects=1, faults=[Fault("respond", 0x2002, 0x101B, times=2)])
    with start(connect(sim), tmp_path, chunk=100_000) as shots:
        results = [next(shots), next(shots)]
    assert [result.status for result in results] == ["failed", "downloaded"]
    assert_each_once(tmp_path, contents(sim))


def test_full_or_missing_destination_ends_the_watch_with_its_error(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=1)
    folder = tmp_path / "in"
    with start(connect(sim), folder) as shots:
        take(shots, 1)
        folder.rename(tmp_path / "gone")
        folder.write_text("a file")
        sim.capture()
        with pytest.raises(SinkError):
            next(shots)
        assert next(shots, None) is None


def test_options_of_pull_hold_for_each_shot(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    copies = tmp_path / "copies"
    with start(connect(sim), tmp_path / "in", copies=copies, delete_verified=True) as shots:
        before = contents(sim)
        taken = take(shots, 2)
        before += [bytes_of(sim.store, handle) for handle in sim.capture()]
        taken += take(shots, 2)
    assert all(result.deleted and result.copies for result in taken)
    assert sim.store.files() == []
    assert_each_once(tmp_path / "in", before)
    assert_each_once(copies, before)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"first": "pictures"}, "pictures"),
        ({"existing": "yes"}, "existing"),
        ({"manifest": True}, "manifest"),
        ({"on_status": 3}, "on_status"),
        ({"delete_verified": True, "on_conflict": "overwrite"}, "on_conflict"),
    ],
)
def test_wrong_options_are_refused_before_anything_begins(
    tmp_path: Path, options: dict[str, Any], match: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=match):
        ptpfast.watch("127.0.0.1:9", tmp_path / "in", **options)
    with pytest.raises(TypeError, match="camera"):
        ptpfast.watch(tmp_path, "127.0.0.1:9")  # type: ignore[arg-type]


def test_pauses_do_not_grow_from_one_lost_connection_to_the_next(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []

    class Noted(Patience):
        def wait(self, error: ptpfast.PTPError) -> None:
            paused.append(self._pause_s)
            super().wait(error)

    longest = 0.05
    own = lambda: Noted(math.inf, first_s=0.001, most_s=longest)  # noqa: E731
    monkeypatch.setattr(watcher, "patience", own)
    sim, statuses = camera(objects=1), Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 1)
        for times in range(1, 9):
            statuses.wait_for("watching", times=times)
            sim.drop_connections()
            statuses.wait_for("away", times=times)
        shoot(sim, shots)
    assert max(paused, default=0.0) < longest
