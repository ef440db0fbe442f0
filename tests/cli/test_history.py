"""`ptpfast history`: shown, searched, exported, forgotten and rebuilt."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import command_line
from conftest import PATIENT, Cameras
from ptpfast import pull
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state import catalog_file

NOON = datetime(2026, 1, 2, 12, 0, 0)


@pytest.fixture
def sim(camera: Cameras) -> SimulatedCamera:
    store = Store()
    folder = store.add_folder("100TEST", parent=store.add_folder("DCIM"))
    for name in ("A.NEF", "A.JPG", "B.NEF"):
        store.add(name, 1000, parent=folder, captured=NOON)
    return camera(store=store)


@pytest.fixture
def place(sim: SimulatedCamera, tmp_path: Path) -> Path:
    """A folder with everything of the camera."""
    fetch(sim, tmp_path / "pictures")
    return tmp_path / "pictures"


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Any:
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


def history(*words: object) -> str:
    done = command_line.run("history", *words)
    assert done.exit_code == 0, done.output
    return done.stdout


def records(*words: object) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in history(*words, "--json").splitlines()]
    assert rows[0]["type"] == "header"
    assert rows[0]["command"].startswith("history ")
    return [row for row in rows if row["type"] == "record"]


def test_without_an_action_the_newest_records_are_listed(sim: SimulatedCamera, place: Path) -> None:
    lines = history().splitlines()
    assert len(lines) == 3
    assert "DCIM/100TEST/B.NEF (1.0 kB) -> " in lines[0]
    assert str(place / "B.NEF") in lines[0]
    assert [row["file"] for row in records("--limit", 1)] == ["B.NEF"]
    assert "2 more; --limit 0 shows all" in command_line.run("history", "--limit", "1").stderr


def test_an_empty_history_is_said_to_be_empty() -> None:
    done = command_line.run("history")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "the history is empty" in done.stderr
    assert not catalog_file.path().exists()


def test_a_record_has_everything_that_is_known(sim: SimulatedCamera, place: Path) -> None:
    fetch(sim, place.with_name("hashed"), algorithm="sha256", include="A.NEF")
    row = records("search", "a.nef")[0]
    assert row["path"] == "DCIM/100TEST/A.NEF"
    assert row["model"] == "Simulated Camera"
    assert row["serial_number"] == sim.body.serial_number.lstrip("0")
    assert (row["size"], row["captured"]) == (1000, "2026-01-02T12:00:00")
    assert len(row["sha256"]) == 64
    assert {each["folder"] for each in records("search", "a.nef")} == {
        os.path.realpath(place),
        os.path.realpath(place.with_name("hashed")),
    }


@pytest.mark.parametrize(
    ("globs", "found"),
    [
        (["*.nef"], {"A.NEF", "B.NEF"}),
        (["a.*"], {"A.NEF", "A.JPG"}),
        (["*/100test/b*"], {"B.NEF"}),
        (["*/pictures/A.JPG"], {"A.JPG"}),
        (["A.JPG", "B.NEF"], {"A.JPG", "B.NEF"}),
        (["C*"], set()),
    ],
)
def test_records_are_found_by_name_and_path(place: Path, globs: list[str], found: set[str]) -> None:
    assert {row["file"] for row in records("search", *globs)} == found


def test_everything_is_exported_as_json_lines_and_as_a_table(place: Path) -> None:
    rows = [json.loads(line) for line in history("export").splitlines()]
    assert [row["file"] for row in rows] == ["B.NEF", "A.JPG", "A.NEF"]
    table = list(csv.DictReader(history("export", "--format", "csv").splitlines()))
    assert [row["file"] for row in table] == ["B.NEF", "A.JPG", "A.NEF"]
    assert [{**row, **dict.fromkeys(row, "")} for row in rows] == [
        dict.fromkeys(row, "") for row in table
    ]


def test_no_text_of_a_camera_is_a_formula_in_a_table(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    store.add("=1+1.NEF", 1000, captured=NOON)
    fetch(camera(store=store), tmp_path / "in")
    (row,) = csv.DictReader(history("export", "--format", "csv").splitlines())
    assert row["path"] == "'=1+1.NEF"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["a*"], ["B.NEF"]),
        (["--folder", "PLACE"], []),
        (["--folder", "/elsewhere"], ["B.NEF", "A.JPG", "A.NEF"]),
        (["--camera", "simulated*"], []),
        (["--camera", "another"], ["B.NEF", "A.JPG", "A.NEF"]),
        (["*.NEF", "--folder", "PLACE", "--camera", "Simulated Camera"], ["A.JPG"]),
        (["--all"], []),
    ],
)
def test_what_is_meant_is_forgotten_and_counted(
    sim: SimulatedCamera, place: Path, words: list[str], left: list[str]
) -> None:
    words = [str(place) if word == "PLACE" else word for word in words]
    count = 3 - len(left)
    one = "record" if count == 1 else "records"
    assert history("forget", *words) == f"{count} {one} forgotten\n"
    assert [row["file"] for row in records()] == left
    assert fetch(sim, place.with_name("new"), new=True).downloaded == count
    assert len(list(place.iterdir())) == 3


def test_files_at_a_url_are_forgotten_by_their_folder(sim: SimulatedCamera) -> None:
    for url in ("memory://studio/today", "memory://studio/yesterday", "memory://studio-2/today"):
        assert fetch(sim, url).downloaded == 3  # type: ignore[arg-type]
    assert history("forget", "--folder", "memory://studio/today/") == "3 records forgotten\n"
    assert history("forget", "--folder", "memory://studio") == "3 records forgotten\n"
    assert {row["folder"] for row in records()} == {"memory://studio-2/today"}
    done = command_line.run("history", "forget", "--folder", "memory://a/../b")
    assert done.exit_code == 2
    assert "'--folder': memory://a/../b has the part '..'" in " ".join(done.stderr.split())


@pytest.mark.parametrize("words", [[], ["--all", "A*"], ["--all", "--folder", "x"]])
def test_forgetting_needs_to_know_what(place: Path, words: list[str]) -> None:
    done = command_line.run("history", "forget", *words)
    assert done.exit_code == 2
    assert "say what to forget" in done.stderr
    assert len(records()) == 3


def test_a_lost_history_is_rebuilt_from_a_folder(sim: SimulatedCamera, tmp_path: Path) -> None:
    place = tmp_path / "pictures"
    fetch(sim, place, manifest=True)
    (place / "sub").mkdir()
    (place / "link").symlink_to(place / "A.NEF")
    (place / "X.NEF.part").write_bytes(b"x")
    catalog_file.path().unlink()
    assert history("rebuild", place) == f"{place}: 3 files recorded\n"
    rows = records()
    assert {row["file"] for row in rows} == {"A.NEF", "A.JPG", "B.NEF"}
    assert all(len(row["sha256"]) == 64 and row["model"] is None for row in rows)
    report = fetch(sim, place)
    assert [result.known_by for result in report.files] == ["date"] * 3
    report = fetch(sim, tmp_path / "elsewhere", new=True)
    assert (report.downloaded, report.fetched_before) == (0, 3)


def test_numbered_files_are_known_by_their_own_names_after_a_rebuild(
    camera: Cameras, tmp_path: Path
) -> None:
    store = Store()
    for number in range(2):
        folder = store.add_folder(f"10{number}TEST")
        store.add("A.NEF", 1000 + number, parent=folder, captured=NOON)
    sim = camera(store=store)
    fetch(sim, tmp_path / "in")
    catalog_file.path().unlink()
    history("rebuild", tmp_path / "in")
    assert fetch(sim, tmp_path / "new", new=True).fetched_before == 2


def test_a_file_with_a_time_far_off_is_recorded_with_the_others(place: Path) -> None:
    for number, name in enumerate(("A.NEF", "A.JPG", "B.NEF")):
        os.utime(place / name, (2**33 + 2**31 * number,) * 2)  # 2242, 2310, 2378
    catalog_file.path().unlink()
    assert history("rebuild", place) == f"{place}: 3 files recorded\n"
    assert history("rebuild", place) == f"{place}: 0 files recorded, 3 known already\n"


def test_an_empty_word_is_no_folder_to_record() -> None:
    done = command_line.run("history", "rebuild", "")
    assert done.exit_code == 2
    assert "'' is not a folder" in done.stderr


def test_a_rebuild_leaves_records_alone_that_know_more(place: Path) -> None:
    assert history("rebuild", place) == f"{place}: 0 files recorded, 3 known already\n"
    assert all(row["model"] == "Simulated Camera" for row in records())


def test_a_folder_that_is_none_is_said_in_a_line(tmp_path: Path) -> None:
    done = command_line.run("history", "rebuild", tmp_path / "none")
    assert done.exit_code == 6
    assert "none" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [["list"], ["search", "A"], ["forget", "--all"], ["export"], ["rebuild", "."]],
    ids=lambda words: words[0],
)
def test_a_history_that_cannot_be_used_is_said(
    monkeypatch: pytest.MonkeyPatch, words: list[str], place: Path
) -> None:
    place.parent.joinpath("open").mkdir(mode=0o777)
    place.parent.joinpath("open").chmod(0o777)
    (place.parent / "open" / "catalog.sqlite").write_bytes(b"")
    monkeypatch.setenv("PTPFAST_DATA", str(place.parent / "open"))
    done = command_line.run("history", *words)
    assert done.exit_code == 6
    assert "the history cannot be used" in done.stderr
    assert "other users can write to the folder" in done.stderr


def test_a_damaged_history_is_renamed_and_said(place: Path) -> None:
    catalog_file.path().write_bytes(b"garbage" * 1000)
    done = command_line.run("history", "list")
    assert "catalog-damaged-1.sqlite" in done.stderr
    assert done.exit_code == 0
