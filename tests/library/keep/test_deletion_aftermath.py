"""What a camera has really deleted is looked at, and not taken from its answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conftest import Cameras
from copied import on_card, run
from deleting import deletions, fetch, noted
from ptpfast import OperationCode, Session
from ptpfast.library.keep import aftermath
from ptpfast.library.keep import deletion as deletion_module
from ptpfast.session import persistence
from ptpfast.sim import Store

FIRST = 0x00040003  # the handle of the first file; two folders come before


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(deletion_module, "LATE_S", 0)


def test_a_camera_that_answers_ok_and_deletes_nothing_is_told_of_in_every_run(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, faults="ok_without_data on DeleteObject times 0")
    for number in (1, 2):
        report = fetch(sim, tmp_path)
        assert (report.deleted, report.left, report.found_gone) == (0, 2, 0)
        assert {result.left for result in report.files} == {aftermath.STILL_THERE}
        assert len(sim.store.files()) == 2
        what = [what for what, _ in noted(tmp_path)]
        assert what == ["proven", "left"] * 2 * number
    result = run(sim, tmp_path, "--delete-verified")
    assert result.exit_code == 0
    assert (
        "2 left on the camera: the camera reported the deletion, but the picture is still there"
        in result.stdout
    )


def test_after_three_deletions_in_vain_no_more_are_asked_for(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=8, faults="ok_without_data on DeleteObject times 0")
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.deleted, report.left) == (8, 0, 8)
    assert deletions(sim) == aftermath.MOST_IN_VAIN == 3
    assert [result.left for result in report.files] == [
        *[aftermath.STILL_THERE] * 3,
        *[aftermath.IN_VAIN] * 5,
    ]
    before = sim.payload_bytes
    assert fetch(sim, tmp_path).left == 8
    assert deletions(sim) == 6
    # Those that no deletion is asked for are not read again for it.
    assert sim.payload_bytes - before < 4 * 300_000


def test_a_deletion_in_vain_now_and_then_is_no_reason_to_stop(
    camera: Cameras, tmp_path: Path
) -> None:
    faults = [f"ok_without_data on DeleteObject at {at}" for at in (1, 2, 4, 5)]
    sim = camera(objects=8, size=1000, faults=faults)
    report = fetch(sim, tmp_path)
    assert (report.deleted, report.left) == (4, 4)
    assert fetch(sim, tmp_path).deleted == 4
    assert sim.store.files() == []


def test_a_camera_that_deletes_a_little_later_is_waited_for(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1, faults="ok_without_data on DeleteObject")
    monkeypatch.setattr(deletion_module, "LATE_S", 60)
    wait = deletion_module.Patience.wait

    def waited(patience: deletion_module.Patience, error: Exception) -> None:
        wait(patience, error)  # type: ignore[arg-type]
        if str(error) == aftermath.STILL_THERE and FIRST in sim.store._objects:
            sim.store.delete(FIRST)

    monkeypatch.setattr(deletion_module.Patience, "wait", waited)
    assert fetch(sim, tmp_path).deleted == 1
    assert [what for what, _ in noted(tmp_path)] == ["proven", "deleted"]
    assert deletions(sim) == 1


@pytest.mark.parametrize("fault", ["respond=0x2002", "cut_data"])
def test_an_object_that_cannot_be_looked_at_afterwards_is_looked_at_in_the_next_run(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    # The handle goes to another picture, or there would be nothing that can be described.
    sim = camera(objects=1)
    delete = Session.delete

    def asked(session: Session, *args: object, **more: object) -> None:
        delete(session, *args, **more)  # type: ignore[arg-type]
        sim.faults.add(f"{fault} on GetObjectInfo times 0")
        if fault == "cut_data":
            sim.store._next_handle = FIRST
            sim.store.add("NEW.DNG", 1000, parent=FIRST - 1)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "delete", asked)
        report = fetch(sim, tmp_path)
    assert report.files[0].left == deletion_module.UNSEEN
    assert noted(tmp_path) == [("proven", "IMG_0001.DNG")]
    sim.faults.clear()
    assert fetch(sim, tmp_path, include="none").found_gone == 1


def test_a_connection_lost_after_the_answer_does_not_delete_twice(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1, faults="ok_without_data on DeleteObject")
    delete = Session.delete

    def asked(session: Session, *args: object, **more: object) -> None:
        delete(session, *args, **more)  # type: ignore[arg-type]
        sim.faults.add("drop on GetObjectInfo")

    monkeypatch.setattr(Session, "delete", asked)
    report = fetch(sim, tmp_path)
    assert report.files[0].left == aftermath.STILL_THERE
    assert deletions(sim) == 1


# Others than were asked for


def test_an_object_that_is_deleted_instead_is_named_and_ends_the_deletions(
    camera: Cameras, tmp_path: Path
) -> None:
    store = Store.synthetic(6, 1000, pairs=False)
    handles = [stored.handle for stored in store.files()]
    fault = f"delete_instead={handles[5]} on DeleteObject handle {handles[1]}"
    sim = camera(store=store, faults=fault)
    report = fetch(sim, tmp_path)
    assert report.vanished == ["IMG_0006.DNG"]
    assert not report.ok
    assert deletions(sim) == 2
    left = [result.left for result in report.files]
    assert left[:2] == ["", aftermath.STILL_THERE]
    assert set(left[2:5]) == {aftermath.OTHERS_VANISHED}
    # It is not asked for the rest again, and nothing that is kept of the camera has it.
    report = fetch(sim, tmp_path)
    assert (report.vanished, report.deleted, report.ok) == ([], 4, True)


def test_a_jpeg_that_goes_with_its_raw_is_named(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=4, faults=f"delete_too={FIRST + 1} on DeleteObject handle {FIRST}")
    fetch(sim, tmp_path, delete_verified=False)
    report = fetch(sim, tmp_path)
    assert report.vanished == ["IMG_0001.JPG"]
    assert (report.deleted, deletions(sim)) == (1, 1)
    assert sorted(on_card(sim)) == ["IMG_0002.DNG", "IMG_0002.JPG"]
    sim.faults.add(f"delete_too={FIRST + 3} on DeleteObject")
    result = run(sim, tmp_path, "--delete-verified", "--json")
    summary = json.loads(result.stdout.splitlines()[-1])
    assert (summary["vanished"], summary["deleted"], summary["ok"]) == (["IMG_0002.JPG"], 1, False)
    assert result.exit_code == 1


def test_a_late_one_is_found_at_the_end_and_said(camera: Cameras, tmp_path: Path) -> None:
    store = Store.synthetic(7, 1000, pairs=False)
    handles = [stored.handle for stored in store.files()]
    # Nothing compares after the third deletion.
    fault = f"delete_too={store.add('OTHER.TXT', 1000)} on DeleteObject handle {handles[6]}"
    sim = camera(store=store, faults=fault)
    result = run(sim, tmp_path, "--delete-verified", "--include", "IMG*")
    assert "1 vanished from the camera, not deleted by ptpfast: OTHER.TXT" in result.stdout
    assert result.exit_code == 1
    assert deletions(sim) == 7


def test_what_is_new_or_only_missing_in_one_list_is_no_loss(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=4, size=1000)
    handles = Session.handles

    def cut(session: Session, *args: int) -> list[int]:
        return handles(session, *args)[:-1] if deletions(sim) else handles(session, *args)

    monkeypatch.setattr(Session, "handles", cut)
    sim.store.add("NEW.TXT", 1000)
    report = fetch(sim, tmp_path, exclude="NEW*")
    assert (report.deleted, report.vanished, report.ok) == (4, [], True)


def test_handles_of_another_connection_are_not_compared(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=6, size=1000, faults=[f"drop on DeleteObject handle {FIRST + 1}"])
    report = fetch(sim, tmp_path)
    assert (report.deleted, report.vanished) == (6, [])


def test_a_deletion_costs_few_round_trips(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=64, size=1000)
    fetch(sim, tmp_path, delete_verified=False)
    before = sim.operations.copy()
    assert fetch(sim, tmp_path).deleted == 64
    asked = sim.operations - before
    assert asked[OperationCode.DeleteObject] == 64
    # At 1, 2, 4, ... and 64 deletions, before them, at both ends, and to list.
    assert asked[OperationCode.GetObjectHandles] <= 12
    assert re.fullmatch("(deleted|proven)+", "".join(what for what, _ in noted(tmp_path)))
