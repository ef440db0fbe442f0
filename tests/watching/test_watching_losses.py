"""Objects at which the connection was lost: chance does not add up, and failures are retried."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import ptpfast
from conftest import Cameras, Sessions
from ptpfast import EventCode, FileResult
from ptpfast.link.losses import SAME_DESCRIPTION
from ptpfast.sim import Store
from ptpfast.state import catalog_file
from ptpfast.watching import ledger
from watched import Statuses, assert_each_once, bytes_of, contents, hurried, start, take

FIRST = 0x40003  # the first file of a card


def take_others(shots: ptpfast.Watch, count: int) -> list[FileResult]:
    """The next downloaded files; the first file may fail before, in each listing."""
    taken: list[FileResult] = []
    while len(taken) < count:
        result = next(shots)
        assert result.status == "downloaded" or result.handle == FIRST, result
        taken += [result] * (result.status == "downloaded")
    return taken


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)


def test_losses_of_days_at_one_object_do_not_add_up(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        wanted = contents(sim)
        take(shots, 3)
        statuses.wait_for("watching")
        for day in range(2 * SAME_DESCRIPTION):
            # Each listing after a lost connection loses the next one at the same object.
            sim.faults.add(f"drop on GetObjectInfo handle 0x{FIRST:X}")
            sim.drop_connections()
            statuses.wait_for("away", times=day + 1)
            handles = sim.capture()
            wanted += [bytes_of(sim.store, handle) for handle in handles]
            take(shots, len(handles))
            statuses.wait_for("watching", times=day + 2)
    assert_each_once(tmp_path, wanted)


def test_an_object_that_was_set_aside_is_tried_again(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FIRST_PAUSE_S", 0.05)
    times = 2 * SAME_DESCRIPTION
    sim = camera(objects=3, faults=[f"drop on GetObjectInfo handle 0x{FIRST:X} times {times}"])
    found = []
    with start(connect(sim), tmp_path) as shots:
        while sum(result.status == "downloaded" for result in found) < 3:
            found.append(next(shots))
    assert {result.handle for result in found if result.status == "failed"} == {FIRST}
    assert_each_once(tmp_path, contents(sim))


def test_the_pause_before_the_next_try_grows_although_the_session_is_another() -> None:
    rows = ledger.Ledger()
    rows._postpone(FIRST)
    due, following_s = rows._failed[FIRST]
    rows.begin_session(is_other_card=False)
    rows._postpone(FIRST)  # listed again, and not asked for
    assert rows._failed[FIRST] == (due, following_s)
    rows._failed[FIRST] = (0.0, following_s)
    rows._postpone(FIRST)
    assert rows._failed[FIRST][1] == 2 * following_s
    rows.keep([FIRST + 1])
    assert rows.due() == []
    assert rows._failed == {}


def test_what_was_set_aside_on_one_card_is_not_on_another(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3, faults=[f"drop on GetObjectInfo handle 0x{FIRST:X} times 2"])
    with start(connect(sim), tmp_path) as shots:
        wanted = [bytes_of(sim.store, result.handle) for result in take_others(shots, 2)]
        other = Store(seed=7)
        other._shots = sim.store._shots  # the body counts on
        folder = other.add_folder("100CARD", parent=other.add_folder("DCIM"))
        assert other.add("NEW.DNG", 20_000, parent=folder) == FIRST
        sim.store = other
        sim.push_event(EventCode.StoreRemoved, 0x10001)
        sim.push_event(EventCode.StoreAdded, 0x10001)
        taken = take_others(shots, 1)
    assert_each_once(tmp_path, wanted + [bytes_of(other, result.handle) for result in taken])


def test_a_watch_is_not_idle_before_it_has_listed_again(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3, size=1_000_000)
    sim.faults.add("drop after-total 1500000")
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 3)
        statuses.wait_for("watching")
    states = [status.state for status in statuses.seen]
    assert "away" in states
    assert states[: states.index("watching")].count("listing") == 2, states
    assert_each_once(tmp_path, contents(sim))


@pytest.mark.parametrize("by", ["damage", "folder"])
def test_a_history_that_fails_for_a_while_does_not_end_a_watch(
    camera: Cameras, connect: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    sim = camera(objects=2)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 2)
        statuses.wait_for("watching")  # a run that is not over goes on with the history that it has
        path = catalog_file.path()
        shutil.rmtree(path.parent)
        if by == "damage":
            path.parent.mkdir()
            path.write_bytes(b"damaged" * 1000)
        else:
            path.parent.touch()
        take(shots, len(sim.capture()))
        assert caplog.text.count("only files in the folder count as downloaded") == 1
        statuses.wait_for("watching", times=2)
        if by == "folder":
            path.parent.unlink()
        # The history works again.
        moved = [Path(str(result.path)) for result in take(shots, len(sim.capture()))]
        wanted = [bytes_of(sim.store, handle.handle) for handle in sim.store.files()]
        for each in moved:
            wanted.remove(each.read_bytes())
            each.unlink()
        sim.drop_connections()
        handles = sim.capture()
        wanted += [bytes_of(sim.store, handle) for handle in handles]
        take(shots, len(handles))
    assert_each_once(tmp_path, wanted)
