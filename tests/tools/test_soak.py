"""The soak: a small one each time, and that it would notice what must not be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from soak import ROOT, drops, plan, rig
from soak.card import Card
from soak.faults import CountingTable
from soak.folder import Checked
from soak.lane import Figures, Goal, Lane, plan_of
from soak.resident import Resident

from programs import module
from ptpfast.ownership.names import temporaries
from ptpfast.ptp.codes import OperationCode
from ptpfast.sim import KINDS, Fault
from ptpfast.sim.content import read

pytestmark = pytest.mark.tools

SMALL = Card("a test", 40, 1, small_sizes=(1000, 300_000), large_sizes=(30_000_000, 30_000_000))
PARTIAL = OperationCode.GetPartialObject


def test_a_small_card_is_the_folder_after_faults_and_kills(tmp_path: Path) -> None:
    lane = Lane(0, 11, Goal(SMALL, faults=15, kills=5), tmp_path, print)
    figures = lane.run(float("inf"))
    assert figures.findings == []
    assert figures.short == []
    assert figures.kills == 5
    assert figures.faults.total() >= 15
    assert 0 <= figures.reread < figures.payload // 4
    assert list(tmp_path.iterdir()) == []


def test_a_large_object_through_drops_is_read_again_at_the_seams_only(tmp_path: Path) -> None:
    done = drops.run(5, tmp_path, size=40_000_000, drops=3)
    assert done.ok
    assert sum(done.applied.values()) == 3
    assert done.reread <= done.allowed
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_lives_through_faults_holds_what_it_held() -> None:
    words = [sys.executable, "-m", "soak.resident_process", "1", "2"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert '"wrong": []' in done.stdout


def test_the_same_seed_has_the_same_faults_and_others_have_others() -> None:
    goal = Goal(SMALL, faults=200, kills=1)
    assert plan_of("1", goal) == plan_of("1", goal) != plan_of("2", goal)
    lies = plan.lies("1", SMALL.store(), 12)
    assert lies == plan.lies("1", SMALL.store(), 12)
    assert all(str(Fault.parse(text)) == text for text in lies)


def test_lies_of_one_visit_do_not_go_on_to_the_camera_that_takes_anothers_place() -> None:
    lies = plan.lies("1", SMALL.store(), 3)
    table = CountingTable([(0, "drop")], ["stall=1"])
    table.tell(lies)
    assert table.left() == ([(0, "drop")], ["stall=1"])


def test_a_plan_has_faults_of_every_kind_there_is() -> None:
    rows = plan.faults("1", 400, 5, PARTIAL)
    kinds = {Fault.parse(text).kind for _, text in rows}
    for number in range(20):
        kinds |= {Fault.parse(text).kind for text in plan.lies(f"{number}", SMALL.store(), 12)}
    assert kinds == set(KINDS)


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """A folder with all of a small card."""
    store = Card("a card", 3, 0, small_sizes=(10, 5000)).store()
    for stored in store.files():
        (tmp_path / stored.name).write_bytes(read(store.expected(stored.handle)))
    return Checked(tmp_path, store)


def test_a_folder_that_is_the_card_is_right(checked: Checked) -> None:
    assert checked.look() == checked.finish() == []
    assert checked.complete
    assert checked.missing() == 0


@pytest.mark.parametrize("wrong", ["a byte", "shorter", "other", "left", "replaced", "missing"])
def test_what_is_not_the_card_is_noticed_at_once_or_at_the_end(
    checked: Checked, wrong: str
) -> None:
    first, second = sorted(checked.path.iterdir())[:2]
    if wrong == "a byte":
        first.write_bytes(first.read_bytes()[:-1] + b"\0\1"[:1])
    elif wrong == "shorter":
        first.write_bytes(first.read_bytes()[:-1])
    elif wrong == "other":
        first.write_bytes(second.read_bytes())
    elif wrong == "left":
        (checked.path / f"{first.name}.part").touch()
        assert checked.look() == []
        assert checked.finish() == [f"{first.name}.part is left"]
        return
    elif wrong == "replaced":
        checked.look()
        second.replace(first)
    else:
        first.unlink()
        assert checked.look() == []
        assert not checked.complete
        assert checked.finish() == [f"{first.name} is missing"]
        return
    assert any(first.name in text for text in checked.look())


def test_what_a_run_killed_as_it_replaced_a_note_leaves_may_be_there_until_the_end(
    checked: Checked,
) -> None:
    name = min(entry.name for entry in checked.path.iterdir())
    left = next(temporaries(str(checked.path / f"{name}.part.json")))
    Path(left).touch()
    assert checked.look() == []
    assert checked.finish() == [f"{os.path.basename(left)} is left"]


def test_what_is_of_no_object_is_noticed(checked: Checked) -> None:
    (checked.path / "evil").touch()
    assert checked.look() == ["evil is of no object of the card"]


def test_descriptors_and_memory_that_become_more_are_leaks() -> None:
    def after(*held: int) -> list[str]:
        samples = [
            {"descriptors": number, "threads": 2, "resident": number << 20, "objects": 0}
            for number in held
        ]
        return Resident(samples, {}, 0, []).leaks

    assert after(5, 8, 8, 7, 8) == []
    assert after(5, 8, 8, 8, 9) == ["1 descriptors more"]
    assert after(5, 8, 8, 8, 20) == ["12 descriptors more", "12.6 MB more"]


def test_figures_of_lanes_add_up_and_say_what_was_read_again() -> None:
    both = Figures(Counter(drop=2), kills=1, payload=100, sent=101) + Figures(
        Counter(drop=1, stall=1), kills=2, payload=50, sent=50, findings=["x"]
    )
    assert both.faults == Counter(drop=3, stall=1)
    assert (both.kills, both.payload, both.reread, both.findings) == (3, 150, 1, ["x"])


@pytest.mark.timeout(300)
def test_a_small_rig_is_downloaded_with_and_without_a_cluster(tmp_path: Path) -> None:
    module("distributed", "--group cluster")
    wanted = rig.Rig(3, files=4, size=100_000, workers=2, threads=1, kills=0, schedulers=0)
    said: list[str] = []
    done = rig.Run(7, wanted, 250, said.append).go(tmp_path)
    assert done.findings == []
    assert (done.files, done.plain_bytes) == (12, 300_000)
    assert done.sent >= wanted.payload
    assert done.ratio > 0
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_kills_the_same_at_the_same_bytes() -> None:
    wanted = rig.Rig(kills=5, schedulers=2)
    rows = wanted.happenings(3)
    assert rows == wanted.happenings(3) == sorted(rows)
    assert Counter(kind for _, kind in rows) == {"worker": 5, "scheduler": 2}
    assert all(0 < place < wanted.payload for place, _ in rows)
    assert rows != wanted.happenings(4)


@pytest.mark.parametrize("wrong", ["nothing", "a byte", "again", "left", "missing"])
def test_a_file_of_a_rig_that_loses_its_blocks_is_still_watched(tmp_path: Path, wrong: str) -> None:
    store = Card("a card", 2, 0, small_sizes=(5000, 9000)).store()
    folder = rig.Emptied(tmp_path / "cam", store)
    folder.path.mkdir()
    first, second = store.files()
    if wrong != "missing":
        content = bytearray(read(store.expected(first.handle)))
        content[100] ^= wrong == "a byte"
        (folder.path / first.name).write_bytes(content)
    (folder.path / second.name).write_bytes(read(store.expected(second.handle)))
    found = folder.look()
    status = (folder.path / second.name).stat()
    assert (status.st_size, status.st_blocks) == (second.size, 0)
    if wrong == "again":
        (folder.path / "new").write_bytes(read(store.expected(second.handle)))
        (folder.path / "new").replace(folder.path / second.name)
    elif wrong == "left":
        (folder.path / f"{second.name}.part").touch()
    expected = {
        "nothing": [],
        "a byte": [f"{first.name} is not the camera's object"],
        "again": [f"{second.name} has been replaced"],
        "left": [f"{second.name}.part is left"],
        "missing": [f"{first.name} is missing"],
    }
    assert found + folder.finish() == expected[wrong]


def test_a_folder_that_is_not_there_is_refused_in_a_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "soak", "all", "--into", tmp_path / "gone"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "gone: no such folder; make it first" in done.stderr
