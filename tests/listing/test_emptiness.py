"""That there is nothing to download is not believed at once, and is never silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ptpfast
from adversity import assert_right, expected_files, finished_files
from conftest import Cameras, Sessions
from hasty import run
from ptpfast import OperationCode, StorageInfo
from ptpfast.listing.folders import MAX_DEPTH
from ptpfast.ptp.errors import StoreNotAvailable
from ptpfast.sim import SimulatedCamera, Store

HANDLES = OperationCode.GetObjectHandles
ROOT_ONLY = "root_only on GetObjectHandles times 0"


def tree(*, empty: int = 0) -> Store:
    """Pictures in folders, some below each other, and folders without any."""
    store = Store()
    dcim = store.add_folder("DCIM")
    for number in (100, 101):
        folder = store.add_folder(f"{number}PTPIP", parent=dcim)
        for shot in range(3):
            store.add(f"IMG_{number}{shot}.JPG", 1000 + shot, parent=folder)
    store.add("README.TXT", 10)
    for number in range(empty):
        store.add_folder(f"EMPTY{number}")
    return store


# Folders whose contents are not in the list


@pytest.mark.parametrize("depth", [1, 4])
def test_folders_that_are_listed_without_their_contents_are_opened(
    camera: Cameras, tmp_path: Path, depth: int
) -> None:
    sim = camera(store=tree(), faults=[ROOT_ONLY])
    result = run(sim, "pull", tmp_path / "card", "--depth", depth)
    assert result.exit_code == 0, result.output
    assert len(finished_files(tmp_path / "card")) == 7
    assert_right(tmp_path / "card", expected_files(sim))


def test_their_pictures_have_their_paths_and_come_in_the_order_asked_for(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=tree(), faults=[ROOT_ONLY])
    with connect(sim) as session:
        table = session.objects()
    assert "DCIM/101PTPIP/IMG_1012.JPG" in table.paths
    report = ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card", order="oldest")
    assert [each.object.path for each in report.files if each.object] == sorted(table.paths)


def test_in_the_next_session_they_are_known_and_nothing_is_fetched_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=tree(), faults=[ROOT_ONLY])
    first, second = (ptpfast.pull(f"{sim.host}:{sim.port}", tmp_path / "card") for _ in range(2))
    assert (first.downloaded, second.downloaded, second.skipped) == (7, 0, 7)


def test_a_camera_that_lists_the_tree_is_asked_for_its_empty_folders_alone(
    camera: Cameras, connect: Sessions
) -> None:
    for empty in (0, 2):
        sim = camera(store=tree(empty=empty))
        assert len(connect(sim, index=False).objects()) == 7
        assert sim.operations[HANDLES] == 1 + empty


def test_only_what_lies_directly_in_a_folder_is_listed_when_that_is_asked_for(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(store=tree())
    assert len(connect(sim).objects(parent=sim.store.find("DCIM"))) == 0
    assert sim.operations[HANDLES] == 1


def test_folders_in_circles_are_opened_once_each(camera: Cameras, connect: Sessions) -> None:
    store = tree()
    sim = camera(store=store, faults=[ROOT_ONLY])
    sim.faults.add(f"extra_handle=0x{store.find('DCIM'):X} on GetObjectHandles times 0")
    assert len(connect(sim, index=False).objects()) == 7
    assert sim.operations[HANDLES] <= 4


def test_folders_in_folders_without_end_come_to_an_end(camera: Cameras, connect: Sessions) -> None:
    store, parent = Store(), 0
    for number in range(MAX_DEPTH + 20):
        parent = store.add_folder(f"F{number}", parent=parent)
    store.add("IMG_0001.JPG", 10)
    sim = camera(store=store, faults=[ROOT_ONLY])
    assert connect(sim, index=False).objects().names == ["IMG_0001.JPG"]
    assert sim.operations[HANDLES] <= 2 + MAX_DEPTH


@pytest.mark.parametrize("kind", ["respond=0x2002", "drop", "cut_data=9"])
def test_a_folder_that_cannot_be_opened_is_said_and_the_others_are(
    camera: Cameras, tmp_path: Path, kind: str
) -> None:
    store = tree()
    folder = store.find("DCIM/100PTPIP")
    sim = camera(store=store, faults=[ROOT_ONLY])
    # Of a folder whose contents the list lacks; DCIM's are there, so a mere refusal is no news.
    sim.faults.add(f"{kind} on GetObjectHandles handle 0x{folder:08X} times 0")
    result = run(sim, "ls")
    assert len(result.stdout.splitlines()) == 4
    assert result.exit_code == (1 if kind == "drop" else 0)


def test_a_root_that_cannot_be_opened_is_a_failure(camera: Cameras, tmp_path: Path) -> None:
    store = tree()
    sim = camera(store=store, faults=[ROOT_ONLY])
    sim.faults.add(f"respond=0x2002 on GetObjectHandles handle 0x{store.find('DCIM'):08X} times 0")
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 1, result.output
    assert len(finished_files(tmp_path / "card")) == 1


# No card, or nothing on it


@pytest.mark.parametrize("name", ["pull", "ls", "bench", "tune", "info"])
def test_a_camera_without_a_card_is_said_to_have_none(
    camera: Cameras, tmp_path: Path, name: str
) -> None:
    sim = camera(store=Store(storages=0, empty_slots=2))
    result = run(sim, name, *([tmp_path / "card"] if name == "pull" else []))
    assert "no memory card in the camera" in result.output
    assert "no files" not in result.output  # that is not known
    assert result.exit_code == (0 if name == "info" else 4)


def test_a_program_is_told_that_there_is_no_card(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(store=Store(storages=0)))
    assert session.storage_ids() == []
    with pytest.raises(StoreNotAvailable, match="no memory card"):
        session.objects()


def test_a_card_with_nothing_on_it_is_said_to_be_so(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=Store())
    result = run(sim, "pull", tmp_path / "card")
    assert result.exit_code == 0
    assert "no files on the camera" in result.stdout
    assert "although" not in result.stderr
    assert "no files on the camera" in run(sim, "ls").stderr


def full(sim: SimulatedCamera, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    info = StorageInfo(max_capacity=64_000_000_000, free_space_in_bytes=free)
    monkeypatch.setattr(sim.store, "storage_info", lambda _: info)


def test_a_card_that_lists_nothing_although_much_of_it_is_used_is_questioned(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(store=tree(), faults=["no_handles on GetObjectHandles times 0"])
    full(sim, monkeypatch, 52_000_000_000)
    said = "the camera lists no pictures on card 1, although 12.0 GB of it are used"
    result = run(sim, "pull", tmp_path / "card", "--json")
    assert result.exit_code == 0
    assert said in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["doubts"] == [said]
    assert said in run(sim, "ls").stderr


@pytest.mark.parametrize("free", [64_000_000_000, 63_999_500_000, 0xFFFFFFFFFFFFFFFF])
def test_a_card_is_not_questioned_for_what_its_filesystem_takes_or_does_not_tell(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    sim = camera(store=Store())
    full(sim, monkeypatch, free)
    assert connect(sim).listing().doubts == []


def test_a_camera_that_lists_the_root_alone_when_asked_for_that_is_asked_for_it(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(store=tree())
    full(sim, monkeypatch, 52_000_000_000)
    sim.faults.add("no_handles on GetObjectHandles handle 0 times 0")
    assert run(sim, "pull", tmp_path / "card").exit_code == 0
    assert len(finished_files(tmp_path / "card")) == 7


# Nothing that matches


def test_a_selection_that_nothing_matches_is_named_with_how_many_do_not(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=16, size=1000)
    for name, folder in (("ls", []), ("pull", [tmp_path / "card"])):
        result = run(sim, name, *folder, "--include", "*.CR3")
        assert result.exit_code == 0
        assert "0 of 16 files match *.CR3" in result.output
    result = run(sim, "pull", tmp_path / "card", "--include", "*.CR3", "--json")
    summary = json.loads(result.stdout.splitlines()[-1])
    assert (summary["found"], summary["objects"]) == (16, 0)


def test_the_selection_is_said_in_the_words_it_was_given_in(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=4, size=1000)
    words = ["--format", "video", "--exclude", "*.JPG", "--since", "2030-01-01"]
    result = run(sim, "pull", tmp_path / "card", *words)
    assert "0 of 4 files match video, not *.JPG, since 2030-01-01" in result.stdout
