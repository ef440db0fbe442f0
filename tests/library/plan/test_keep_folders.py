"""The card's folders below the destination: names, numbers, resume, copies, and what is known."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import command_line
from conftest import PATIENT, Cameras
from objects_of import content
from ptpfast import NetworkError, OperationCode, Report, pull
from ptpfast.library.keep.deletion_journal import DeletionJournal
from ptpfast.library.plan import tree as tree_module
from ptpfast.library.plan.leftovers import VANISHED
from ptpfast.library.report.observer import Observer
from ptpfast.ptp.errors import SinkError
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state import catalog_file

NOON = datetime(2026, 1, 2, 12, 0, 0)
AVCHD = ("PRIVATE", "AVCHD", "BDMV", "STREAM")


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    options.setdefault("keep_folders", True)
    options.setdefault("timeouts", PATIENT)
    return pull(f"{sim.host}:{sim.port}", folder, **options)


def card(*files: str, size: int = 3000, store: Store | None = None) -> Store:
    """A card with these files, by their paths; each has a size and a moment of its own."""
    store = store or Store()
    made: dict[str, int] = {"": 0}
    for number, path in enumerate(files):
        folder = path.rpartition("/")[0]
        add_folders(store, made, folder)
        captured = NOON + timedelta(minutes=number)
        name = path.rpartition("/")[2]
        store.add(name, size + number, parent=made[folder], captured=captured)
    return store


def add_folders(store: Store, made: dict[str, int], folder: str) -> None:
    if folder not in made:
        above, _, name = folder.rpartition("/")
        add_folders(store, made, above)
        made[folder] = store.add_folder(name, parent=made[above])


def tree(folder: Path) -> set[str]:
    """The files below a folder, by their paths."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return {os.fspath(path) for path in found}


def assert_whole(sim: SimulatedCamera, report: Report, folder: Path) -> None:
    """Each object is in a file of its own in or below the folder."""
    paths = [result.path for result in report.files if result.path is not None]
    assert len(set(paths)) == len(report.files) == len(sim.store.files())
    for result in report.files:
        assert result.path is not None
        assert result.path.resolve().is_relative_to(folder.resolve())
        assert result.path.read_bytes() == content(sim, result.handle)


def fetched(sim: SimulatedCamera) -> int:
    data = (OperationCode.GetObject, OperationCode.GetPartialObject)
    return sum(row.payload for row in sim.log if row.operation in data)


TWO = ("DCIM/100CANON/IMG_0001.CR3", "DCIM/101CANON/IMG_0001.CR3")


def test_files_of_one_name_in_two_folders_keep_their_names(camera: Cameras, tmp_path: Path) -> None:
    movie = "/".join((*AVCHD, "00000.MTS"))
    files = (*TWO, movie, "PRIVATE/AVCHD/BDMV/INDEX.BDM", "ROOT.JPG")
    sim = camera(store=card(*files))
    report = fetch(sim, tmp_path)
    assert tree(tmp_path) == set(files)
    assert_whole(sim, report, tmp_path)


@pytest.mark.parametrize("history", [True, False])
def test_a_second_run_fetches_nothing_again(camera: Cameras, tmp_path: Path, history: bool) -> None:
    sim = camera(store=card(*TWO))
    fetch(sim, tmp_path, history=history)
    before = fetched(sim)
    report = fetch(sim, tmp_path, history=history)
    by = "catalog" if history else "date"
    assert [result.known_by for result in report.files] == [by, by]
    assert fetched(sim) == before


HOSTILE = [
    *("..", ".", "...", "a/b", "../../etc", "/etc", "~", "-rf", " ", "\u202egpj", "a\x1b[31m"),
    *("CON", "nul.txt", "SHA256SUMS", ".ptpfast-deletions.jsonl", ".ptpfast-0123456789abcdef"),
    *("x.part", "x.part.json", "é" * 120, "n" * 254, "\ud800", "a\\b", "a:b"),
]


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(name)[:20] for name in HOSTILE])
def test_a_hostile_folder_name_stays_below_the_destination(
    camera: Cameras, tmp_path: Path, name: str
) -> None:
    store = Store()
    try:
        inner = store.add_folder(name, parent=store.add_folder(name))
    except (ValueError, UnicodeError):
        pytest.skip("the simulated camera has no such name")
    store.add("IMG_0001.CR3", 3000, parent=inner, captured=NOON)
    sim = camera(store=store)
    place = tmp_path / "in"
    report = fetch(sim, place, manifest=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert_whole(sim, report, place)
    assert sum_is_right(place)
    assert {path.rpartition("/")[2] for path in tree(place)} == {"IMG_0001.CR3", "SHA256SUMS"}
    assert fetch(sim, place).skipped == 1


def sum_is_right(folder: Path) -> bool:
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    return done.returncode == 0


def test_folders_whose_names_differ_only_in_case_are_one(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    for number, name in enumerate(("DCIM", "dcim", "Dcim")):
        parent = store.add_folder(name)
        store.add("A.CR3", 3000 + number, parent=parent, captured=NOON)
    sim = camera(store=store)
    assert_whole(sim, fetch(sim, tmp_path), tmp_path)
    assert tree(tmp_path) == {"DCIM/A.CR3", "DCIM/A-1.CR3", "DCIM/A-2.CR3"}
    assert fetch(sim, tmp_path).skipped == 3


def test_folders_too_deep_for_a_path_end_in_the_last_that_fits(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=card("/".join(["d" * 200] * 12) + "/A.CR3"))
    assert_whole(sim, fetch(sim, tmp_path), tmp_path)
    (path,) = tree(tmp_path)
    assert len(os.path.dirname(path)) <= tree_module.MOST_BYTES
    assert fetch(sim, tmp_path).skipped == 1


@pytest.mark.parametrize("kind", ["file", "link", "fifo"])
def test_what_is_no_folder_stays_and_the_folder_gets_a_number(
    camera: Cameras, tmp_path: Path, kind: str
) -> None:
    place, outside = tmp_path / "in", tmp_path / "outside"
    place.mkdir()
    outside.mkdir()
    if kind == "file":
        (place / "dcim").write_bytes(b"mine")
    elif kind == "link":
        (place / "DCIM").symlink_to(outside)
    else:
        os.mkfifo(place / "DCIM")
    sim = camera(store=card(*TWO))
    assert_whole(sim, fetch(sim, place), place)
    assert {path for path in tree(place) if "/" in path} == {f"DCIM-1{each[4:]}" for each in TWO}
    assert list(outside.iterdir()) == []
    assert fetch(sim, place).skipped == 2


def test_an_object_never_gets_the_name_of_a_folder(camera: Cameras, tmp_path: Path) -> None:
    for files in (("DCIM", "DCIM/A.CR3"), ("DCIM/A.CR3", "dcim")):
        store = card(*[path for path in files if "/" in path])
        store.add(*[path for path in files if "/" not in path], 1000, captured=NOON)
        sim = camera(store=store)
        place = tmp_path / files[0].replace("/", "_")
        assert_whole(sim, fetch(sim, place), place)
        assert fetch(sim, place).skipped == 2


def test_a_folder_that_cannot_be_read_is_not_used(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "DCIM").mkdir()
    original = tree_module.Folder

    def refuse(path: Path, *rest: Any, **more: Any) -> Any:
        if path.name == "DCIM":
            raise SinkError("cannot be read", errno=13)
        return original(path, *rest, **more)

    monkeypatch.setattr(tree_module, "Folder", refuse)
    sim = camera(store=card(*TWO))
    assert_whole(sim, fetch(sim, tmp_path), tmp_path)
    assert {path.split("/")[0] for path in tree(tmp_path)} == {"DCIM-1"}


def test_no_folder_of_the_package_itself_is_used(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTPFAST_CACHE", os.fspath(tmp_path / "cache"))
    sim = camera(store=card("cache/chunks.json", "cache/A.CR3"))
    report = fetch(sim, tmp_path)
    assert_whole(sim, report, tmp_path)
    assert {result.path.parent.name for result in report.files if result.path} == {"cache-1"}


def test_the_files_of_a_shot_share_a_number_in_its_folder(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    dcim = store.add_folder("DCIM")
    for number in (100, 101):
        parent = store.add_folder(f"{number}CANON", parent=dcim)
        captured = NOON + timedelta(days=number)
        for ending in ("CR3", "JPG"):
            store.add(f"IMG_0001.{ending}", 3000, parent=parent, captured=captured)
    mine = tmp_path / "DCIM" / "101CANON" / "IMG_0001.JPG"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    sim = camera(store=store)
    assert_whole(sim, fetch(sim, tmp_path), tmp_path)
    names = ["100CANON/IMG_0001", "101CANON/IMG_0001-1"]
    expected = {f"DCIM/{name}.{ending}" for name in names for ending in ("CR3", "JPG")}
    assert tree(tmp_path) == expected | {"DCIM/101CANON/IMG_0001.JPG"}
    assert mine.read_bytes() == b"mine"
    assert fetch(sim, tmp_path).skipped == 4


@pytest.mark.parametrize("first", [True, False])
def test_another_setting_does_not_fetch_again_what_the_history_knows(
    camera: Cameras, tmp_path: Path, first: bool
) -> None:
    sim = camera(store=card(*TWO, "DCIM/100CANON/IMG_0002.CR3"))
    main, copies = tmp_path / "main", tmp_path / "copies"
    fetch(sim, main, copies=copies, keep_folders=first)
    before, had = fetched(sim), (tree(main), tree(copies))
    for dry_run in (True, False):
        report = fetch(sim, main, copies=copies, keep_folders=not first, dry_run=dry_run)
        assert [result.known_by for result in report.files] == ["catalog"] * 3
        assert report.copies("already here") == 3
    assert fetched(sim) == before
    assert (tree(main), tree(copies)) == had


def test_another_setting_fetches_what_has_changed_since(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*TWO))
    fetch(sim, tmp_path, keep_folders=False)
    (tmp_path / "IMG_0001.CR3").write_bytes(b"edited")
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.skipped) == (1, 1)
    assert tree(tmp_path) == {"IMG_0001.CR3", "IMG_0001-1.CR3", TWO[0]}
    assert (tmp_path / "IMG_0001.CR3").read_bytes() == b"edited"


def test_a_file_of_the_user_elsewhere_is_never_taken_for_an_object(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=card(TWO[0]))
    (tmp_path / "IMG_0001.CR3").write_bytes(bytes(3000))
    os.utime(tmp_path / "IMG_0001.CR3", (NOON.timestamp(),) * 2)
    assert fetch(sim, tmp_path).downloaded == 1


def test_a_part_file_in_a_folder_is_resumed(camera: Cameras, tmp_path: Path) -> None:
    store = card(*TWO, size=3_000_000)
    sim = camera(store=store, faults=["drop on GetPartialObject after 0 at 3"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0, chunk=1_000_000)
    assert (tmp_path / f"{TWO[0]}.part").stat().st_size == 2_000_000
    report = fetch(sim, tmp_path)
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at == 2_000_000
    assert_whole(sim, report, tmp_path)
    assert tree(tmp_path) == set(TWO)


@pytest.mark.parametrize("rest", [True, False])
def test_a_part_file_of_a_vanished_picture_is_listed(
    camera: Cameras, tmp_path: Path, rest: bool
) -> None:
    store = card(TWO[1], "DCIM/102CANON/A.CR3", size=3_000_000)
    sim = camera(store=store, faults=["drop on GetPartialObject after 0 at 3"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0, chunk=1_000_000)
    lost, other = sim.store.files()
    sim.store.delete(lost.handle)
    if rest:
        sim.store.add("B.CR3", 1000, parent=lost.parent, captured=NOON)
    for dry_run in (True, False):
        report = fetch(sim, tmp_path, dry_run=dry_run)
        part = tmp_path / f"{TWO[1]}.part"
        assert [(each.path, each.reason) for each in report.leftovers] == [(part, VANISHED)]
        assert part.stat().st_size == 2_000_000
    assert other.name == "A.CR3"


def test_checksums_and_copies_have_the_folders_too(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*TWO))
    main, one, two = tmp_path / "main", tmp_path / "one", tmp_path / "two"
    report = fetch(sim, main, copies=[one, two], manifest=True)
    assert report.copies("stored") == 4
    assert tree(main) == {*TWO, "SHA256SUMS"}
    assert tree(one) == tree(two) == set(TWO)
    lines = (main / "SHA256SUMS").read_text().splitlines()
    assert sorted(line.split("  ")[1] for line in lines) == sorted(TWO)
    assert sum_is_right(main)
    shutil.rmtree(one / "DCIM" / "101CANON")
    report = fetch(sim, main, copies=[one, two])
    assert (report.copies("stored"), report.copies("already here")) == (1, 3)
    assert tree(one) == set(TWO)


def test_a_dry_run_makes_no_folder(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*TWO))
    place = tmp_path / "in"
    report = fetch(sim, place, copies=tmp_path / "copies", dry_run=True)
    assert [result.path for result in report.files] == [place / each for each in TWO]
    copies = [copy.path for result in report.files for copy in result.copies]
    assert copies == [tmp_path / "copies" / each for each in TWO]
    assert list(tmp_path.iterdir()) == []


def test_mirrored_cards_with_folders_are_fetched_once(camera: Cameras, tmp_path: Path) -> None:
    store = Store(storages=2)
    for storage in (0x10001, 0x20001):
        dcim = store.add_folder("DCIM", storage_id=storage)
        parent = store.add_folder("100CANON", parent=dcim)
        store.add("IMG_0001.CR3", bytes(range(250)) * 12, parent=parent, captured=NOON)
    report = fetch(camera(store=store), tmp_path)
    assert (report.downloaded, report.mirrored) == (1, 1)
    assert tree(tmp_path) == {TWO[0]}


def test_a_lost_history_is_rebuilt_from_folders_below(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*TWO))
    fetch(sim, tmp_path, manifest=True)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "X.CR3").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "DCIM")
    catalog_file.path().unlink()
    result = command_line.run("history", "rebuild", tmp_path)
    assert result.stdout == f"{tmp_path}: 2 files recorded\n"
    rows = command_line.records(command_line.run("history", "--json").stdout)[1:]
    digests = {row["sha256"] for row in rows}
    assert digests == {hashlib.sha256((tmp_path / each).read_bytes()).hexdigest() for each in TWO}
    assert fetch(sim, tmp_path).skipped == 2
    assert fetch(sim, tmp_path / "elsewhere", new=True).fetched_before == 2
    command_line.run("history", "forget", "--folder", tmp_path)
    assert command_line.records(command_line.run("history", "--json").stdout)[1:] == []


def test_a_deletion_from_folders_is_logged_and_its_end_found(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=card(*TWO), faults=["drop on DeleteObject after 0"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, delete_verified=True, retry=0)
    lines = DeletionJournal(tmp_path).path.read_text().splitlines()
    assert [json.loads(line).get("file") for line in lines] == [TWO[0]]
    report = fetch(sim, tmp_path, delete_verified=True)
    assert (report.deleted, report.found_gone) == (1, 1)
    assert sim.store.files() == []
    assert tree(tmp_path) == {*TWO, ".ptpfast-deletions.jsonl"}


def test_files_in_a_folder_in_memory_prove_nothing(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ptpfast.library.keep import volatile

    monkeypatch.delenv("PTPFAST_ALLOW_MEMORY")
    monkeypatch.setattr(
        volatile, "in_memory", lambda path, below=0: "tmpfs" if path.name == "101CANON" else ""
    )
    sim = camera(store=card(*TWO))
    report = fetch(sim, tmp_path, delete_verified=True)
    assert (report.downloaded, report.deleted, report.left) == (2, 1, 1)
    assert "is in memory (tmpfs)" in report.files[1].left


class Swapping(Observer):
    """Replaces a folder by a link when the second file of the run begins."""

    def __init__(self, folder: Path, outside: Path) -> None:
        self._folder, self._outside = folder, outside

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        if info.name == "B.CR3":
            self._folder.rename(self._folder.with_name("moved"))
            self._folder.symlink_to(self._outside)


@pytest.mark.parametrize("files", [("DCIM/A.CR3", "DCIM/B.CR3"), ("DCIM/A.CR3", "DCIM/1/B.CR3")])
def test_a_folder_replaced_by_a_link_in_the_run_gets_no_file(
    camera: Cameras, tmp_path: Path, files: tuple[str, str]
) -> None:
    place, outside = tmp_path / "in", tmp_path / "outside"
    outside.mkdir()
    sim = camera(store=card(*files))
    with pytest.raises(SinkError):
        fetch(sim, place, observer=Swapping(place / "DCIM", outside))
    assert tree(outside) == set()
    # The finisher may still have been at the first file when its folder was moved away.
    moved = place / "moved"
    (first,) = [path for path in (moved / "A.CR3", moved / "A.CR3.part") if path.exists()]
    assert first.read_bytes() == content(sim, sim.store.files()[0].handle)


def test_a_destination_taken_away_is_not_made_again_for_a_folder(
    camera: Cameras, tmp_path: Path
) -> None:
    place = tmp_path / "in"

    class Moving(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            if "101CANON" in info.path:
                place.rename(tmp_path / "moved")

    sim = camera(store=card(*TWO))
    with pytest.raises(SinkError, match="renamed, removed or replaced"):
        fetch(sim, place, observer=Moving())
    assert not place.exists()


def test_the_command_has_the_option_and_says_the_paths(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*TWO))
    words = ("pull", command_line.at(sim), tmp_path, "--keep-folders", "--json")
    rows = command_line.records(command_line.run(*words).stdout)
    assert [row["file"] for row in rows if row["type"] == "file"] == [
        os.fspath(tmp_path / each) for each in TWO
    ]
    assert rows[-1]["ok"]
