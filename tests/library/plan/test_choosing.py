"""Folders, sizes, protection, pairs, numbers of files, and what is marked on the camera."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import command_line
from conftest import PATIENT, Cameras
from objects_of import content
from ptpfast import ObjectInfo, Report, Unsupported, pull, watch
from ptpfast.library.plan import plan
from ptpfast.library.plan.picking import Picker
from ptpfast.library.plan.selection import Selection
from ptpfast.sim import SimulatedCamera, Store

NOON = datetime(2026, 1, 2, 12, 0, 0)


def made(path: str, minutes: float | None = 0, **more: Any) -> ObjectInfo:
    captured = None if minutes is None else NOON + timedelta(minutes=minutes)
    more.setdefault("size", 1000)
    handle, name = abs(hash(path)) & 0xFFFF, path.rpartition("/")[2]
    return ObjectInfo(handle, name, path, format=0x3800, captured=captured, **more)


def paths(chosen: list[ObjectInfo]) -> list[str]:
    return [info.path for info in chosen]


def card(*files: tuple[str, str, float], **more: Any) -> Store:
    """Files by folder and name, and the minute of each."""
    store, folders = Store(), {}
    dcim = store.add_folder("DCIM")
    for number, (folder, name, minutes) in enumerate(files):
        if folder not in folders:
            folders[folder] = store.add_folder(folder, parent=dcim)
        captured = NOON + timedelta(minutes=minutes)
        parent = folders[folder]
        store.add(name, 1000 + number, parent=parent, captured=captured, **more)
    return store


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    report = pull(command_line.at(sim), folder, timeouts=PATIENT, **options)
    for result in report.having("downloaded"):
        assert result.path is not None
        assert result.path.read_bytes() == content(sim, result.handle)
    return report


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


TREE = [
    made("DCIM/100NIKON/A.NEF"),
    made("DCIM/101nikon/B.NEF"),
    made("PRIVATE/M4ROOT/CLIP/C.MP4"),
    made("ROOT.JPG"),
]


@pytest.mark.parametrize(
    ("folder", "taken"),
    [
        ("101NIKON", "B"),
        ("10?nikon", "AB"),
        ("DCIM", "AB"),
        (["100NIKON", "clip"], "AC"),
        ("private/m4root", "C"),
        ("/DCIM/100*/", "A"),
        ("M4ROOT/CLIP", ""),  # a path begins at the root of the card
        ("A.NEF", ""),
        ("*", "ABC"),
    ],
)
def test_folder_takes_what_is_in_and_below_it(folder: str, taken: str) -> None:
    assert "".join(info.name[0] for info in Selection(folder=folder).apply(TREE)) == taken


def test_sizes_are_inclusive_and_an_unknown_one_is_counted() -> None:
    small, large, unknown = (made(f"{size}.MOV", size=size) for size in (10, 20, None))
    of_all = [small, large, unknown]
    assert Selection(min_size=20).apply(of_all) == [large]
    assert Selection(max_size=10).apply(of_all) == [small]
    assert Selection(min_size=10, max_size=20).apply(of_all) == [small, large]
    assert Selection(min_size=1).unsized(of_all) == 1
    assert Selection().unsized(of_all) == 0


def test_protected_files_are_taken_or_left() -> None:
    plain, locked = made("A.NEF"), made("B.NEF", protected=True)
    assert Selection(protected=True).apply([plain, locked]) == [locked]
    assert Selection(protected=False).apply([plain, locked]) == [plain]


PAIR = [made("D/100/A.NEF"), made("D/100/A.JPG"), made("D/100/A.XMP"), made("D/100/B.JPG")]


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({}, ["A.NEF", "A.JPG", "A.XMP", "B.JPG"]),
        ({"prefer": "raw"}, ["A.NEF", "A.XMP", "B.JPG"]),
        ({"prefer": "jpeg"}, ["A.JPG", "A.XMP", "B.JPG"]),
        ({"prefer": "raw", "formats": "jpeg"}, ["A.JPG", "B.JPG"]),
    ],
)
def test_prefer_takes_one_file_of_a_pair_and_all_others(
    options: dict[str, Any], taken: list[str]
) -> None:
    assert [info.name for info in Selection(**options).apply(PAIR)] == taken


def test_pair_may_be_on_two_cards_or_in_two_folders() -> None:
    raw = made("D/100/A.NEF", storage_id=0x10001)
    for jpeg in (made("D/100/A.JPG", storage_id=0x20001), made("D/100JPG/a.heif")):
        assert Selection(prefer="raw").apply([jpeg, raw]) == [raw]


def test_jpeg_of_another_shot_with_the_number_of_a_raw_file_is_taken() -> None:
    raw, again = made("D/100/A.NEF"), made("D/100/A.JPG", minutes=1)
    assert Selection(prefer="raw").apply([raw, again]) == [raw, again]
    almost = made("D/100/A.JPG", minutes=0.1)
    assert Selection(prefer="raw").apply([raw, almost]) == [raw]


def test_first_and_last_count_by_date_and_keep_the_order() -> None:
    objects = [made(f"{minute}.NEF", minute) for minute in (3, 1, 4, 2)] + [made("X.NEF", None)]
    assert paths(Selection(first=2).apply(objects)) == ["1.NEF", "2.NEF"]
    assert paths(Selection(last=2).apply(objects)) == ["3.NEF", "4.NEF"]
    assert paths(Selection(last=3, order="newest").apply(objects)) == ["4.NEF", "3.NEF", "2.NEF"]
    assert len(Selection(last=9).apply(objects)) == 4
    assert Selection(last=9).undated(objects) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"first": 0},
        {"last": -1},
        {"first": 1, "last": 1},
        {"min_size": -1},
        {"rating": 0},
        {"rating": 6},
        {"min_size": 2, "max_size": 1},
        {"prefer": "heif"},
        {"folder": ()},
        {"folder": "/"},
        {"folder": ""},
    ],
)
def test_choice_that_takes_nothing_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Selection(**options)


@pytest.mark.parametrize("options", [{"first": "3"}, {"min_size": 1.5}, {"protected": "no"}])
def test_choice_of_the_wrong_type_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Selection(**options)


MIXED = [("100N", f"D_{n}.{kind}", n) for kind in ("JPG", "NEF") for n in range(6)]
MIXED += [("100N", "E.JPG", 9), ("101N", "F.MOV", 10)]


@pytest.mark.parametrize("piece", [1, 5, 64])
@pytest.mark.parametrize("order", ["listed", "newest"])
def test_pull_takes_one_of_each_pair_however_the_card_is_listed(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, order: str
) -> None:
    monkeypatch.setattr(plan, "PIECE", piece)
    sim = camera(store=card(*MIXED))
    report = fetch(sim, tmp_path, prefer="raw", order=order)
    assert names(tmp_path) == {*(f"D_{n}.NEF" for n in range(6)), "E.JPG", "F.MOV"}
    assert (report.unpreferred, report.selected, report.ok) == (6, 8, True)


@pytest.mark.parametrize("index", [True, False])
def test_pull_takes_the_last_files_of_the_whole_card(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: bool
) -> None:
    monkeypatch.setattr(plan, "PIECE", 2)
    sim = camera(store=card(*MIXED))
    for _ in range(2):  # the second time from the index
        report = fetch(sim, tmp_path, last=3, prefer="jpeg", index=index)
        assert names(tmp_path) == {"D_5.JPG", "E.JPG", "F.MOV"}
        assert report.selected == 3
    assert report.skipped == 3


@pytest.mark.parametrize("folder", ["one", "two"])
def test_raw_file_that_is_gone_from_the_index_leaves_its_jpeg_to_be_taken(
    camera: Cameras, tmp_path: Path, folder: str
) -> None:
    store = card(("100N", "A.NEF", 0), ("100N", "A.JPG", 0), ("100N", "B.NEF", 1))
    sim = camera(store=store)
    fetch(sim, tmp_path / "one", prefer="raw")
    raw = next(each for each in store.files() if each.name == "A.NEF")
    store.replace(raw.handle, name="C.NEF", content=raw.content, captured=NOON + timedelta(days=1))
    fetch(sim, tmp_path / folder, prefer="raw")
    assert names(tmp_path / folder) >= {"A.JPG", "B.NEF", "C.NEF"}


def test_what_is_described_anew_is_judged_anew() -> None:
    raw, jpeg = made("100N/A.NEF"), made("100N/A.JPG")
    picker = Picker(Selection(prefer="raw"))
    assert picker.take([raw, jpeg], last=True) == [raw]
    picker.forget([raw.handle])  # it was another picture
    assert picker.take([], last=True) == [jpeg]


def test_number_of_files_waits_for_the_whole_card() -> None:
    new, old = made("B.NEF", 5), made("A.NEF", 1)
    picker = Picker(Selection(first=1))
    assert picker.take([new], last=False) == []
    assert picker.take([old], last=True) == [old]


def test_pull_takes_what_is_marked_on_the_camera(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(body="nikon-d7200")
    marked = sim.store.files()[1]
    sim.mark(marked.handle)
    assert [result.handle for result in fetch(sim, tmp_path, marked=True).files] == [marked.handle]
    rows = command_line.records(
        command_line.run("ls", command_line.at(sim), "--marked", "--json").stdout
    )
    assert [row["handle"] for row in rows if row["type"] == "object"] == [marked.handle]
    assert list(sim.body.marked) == [marked.handle]  # the mark is the owner's


def test_camera_without_a_list_of_marks_ends_the_run(camera: Cameras, tmp_path: Path) -> None:
    sim = camera()
    with pytest.raises(Unsupported, match="no list of objects to transfer"):
        fetch(sim, tmp_path, marked=True)
    assert names(tmp_path) == set()
    done = command_line.run("ls", command_line.at(sim), "--marked")
    assert done.exit_code == 1
    assert "no list of objects to transfer" in done.stderr


def test_camera_that_tells_no_rating_has_its_files_counted(camera: Cameras) -> None:
    at = command_line.at(camera(objects=4))
    done = command_line.run("ls", at, "--rating", "3")
    assert "0 of 4 files match rated 3 or more" in done.stderr
    assert "4 files of unknown rating left out" in done.stderr


def test_nothing_marked_is_said_in_words(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(body="nikon-d7200")
    done = command_line.run("pull", command_line.at(sim), tmp_path, "--marked")
    assert done.exit_code == 0
    assert "files match marked on the camera" in done.output


def test_command_line_chooses_as_python_does(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(*MIXED))
    options = ["--folder", "100n", "--prefer", "raw", "--min-size", "1K", "--first", "2"]
    done = command_line.run("pull", command_line.at(sim), tmp_path, "--json", *options)
    rows = command_line.records(done.stdout)
    assert names(tmp_path) == {"D_0.NEF", "D_1.NEF"}
    assert rows[-1]["unpreferred"] == 6
    done = command_line.run("ls", command_line.at(sim), *options)
    assert [line.split("\t")[-1] for line in done.stdout.splitlines()] == [
        "DCIM/100N/D_0.NEF",
        "DCIM/100N/D_1.NEF",
    ]
    assert "6 files left out for the other file of the pair" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--first", "0"], "0 is not in the range"),
        (["--first", "1", "--last", "1"], "--first and --last"),
        (["--min-size", "2M", "--max-size", "1M"], "below --min-size"),
        (["--folder", "/"], "'/' names no folder"),
        (["--prefer", "tiff"], "'tiff' is not one of"),
    ],
)
def test_command_line_refuses_a_choice_before_it_connects(
    options: list[str], told: str, tmp_path: Path
) -> None:
    done = command_line.run("pull", "192.0.2.1", tmp_path, *options)
    assert (done.exit_code, told in done.stderr) == (2, True), done.stderr


def test_watch_has_no_choice_that_needs_the_whole_card(tmp_path: Path) -> None:
    for option in ("prefer", "last", "marked"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{option}'"):
            watch("192.0.2.1", tmp_path, **{option: 1})  # type: ignore[arg-type]
    with watch("192.0.2.1", tmp_path, first="jpeg", folder="100*", protected=True):
        pass
