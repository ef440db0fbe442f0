"""What the commands call things: kinds in words, files instead of objects, each thing once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from command_line import at, records, run
from conftest import Cameras
from copied import run as pull
from ptpfast.library.plan import folder as folder_module
from ptpfast.sim import Store


def mixed() -> Store:
    store = Store()
    for name in ("A.NEF", "A.JPG", "B.NEF", "C.MOV", "D.HIF", "D.WAV", "E.XMP"):
        store.add(name, 1000)
    return store


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output counts as a terminal."""
    monkeypatch.setattr("ptpfast.cli.output.is_terminal", lambda _: True)


@pytest.mark.usefixtures("terminal")
def test_a_table_has_kinds_in_words_and_counts_them(camera: Cameras) -> None:
    result = run("ls", at(camera(store=mixed())))
    assert "0x" not in result.stdout
    assert [line.split()[:3] for line in result.stdout.splitlines()[:2]] == [
        ["SIZE", "KIND", "DATE"],
        ["1.0", "kB", "JPEG"],
    ]
    assert result.stderr.splitlines()[-1] == (
        "7 files, 7.0 kB: 2 RAW, 1 JPEG, 1 HEIF, 1 movie, 1 sound, 1 other"
    )


@pytest.mark.usefixtures("terminal")
def test_codes_of_the_protocol_are_shown_with_verbose(camera: Cameras) -> None:
    table = run("ls", at(camera(store=mixed())), "--verbose").stdout
    assert table.splitlines()[0].split() == ["SIZE", "KIND", "DATE", "HANDLE", "FORMAT", "PATH"]
    assert "0x3812" in table  # HEIF


@pytest.mark.parametrize("kind", ["heif", "audio", "other", "video"])
def test_every_kind_can_be_selected(camera: Cameras, kind: str) -> None:
    result = run("ls", at(camera(store=mixed())), "--format", kind)
    assert [line.split("\t")[2] for line in result.stdout.splitlines()] == [kind]


def test_that_nothing_matches_is_said_once_with_advice(camera: Cameras, tmp_path: Path) -> None:
    result = run("pull", at(camera(objects=16)), tmp_path, "--include", "*.CR3")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == "0 of 16 files match *.CR3; 'ptpfast ls' shows what is there\n"


def test_a_dry_run_says_which_file_it_would_replace(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    (tmp_path / "IMG_0001.JPG").write_bytes(b"another")
    words = ("pull", at(sim), tmp_path, "--dry-run", "--on-conflict", "overwrite")
    result = run(*words)
    lines = sorted(result.stdout.splitlines())
    replaced = [line for line in lines if line.endswith(", replacing the file there")]
    assert len(replaced) == 1
    assert f"-> {tmp_path / 'IMG_0001.JPG'} " in replaced[0]
    rows = [row for row in records(run(*words, "--json").stdout) if row["type"] == "file"]
    assert {row["name"]: row["replaces"] for row in rows} == {
        "IMG_0001.DNG": False,
        "IMG_0001.JPG": True,
    }
    assert (tmp_path / "IMG_0001.JPG").read_bytes() == b"another"


def test_a_folder_for_copies_that_is_too_small_is_said_once_and_before(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one = tmp_path / "main", tmp_path / "one"
    monkeypatch.setattr(
        folder_module.Folder,
        "free_space",
        lambda folder: 1000 if folder.path == one else 1 << 40,
    )
    result = pull(camera(objects=5), main, "--copies", one)
    assert result.exit_code == 6
    lines = result.stderr.splitlines()
    assert lines[1] == f"1.0 kB free in {one}: 0 of 5 files fit (0 B)"
    assert sum("does not fit" in line for line in lines) == 1
    assert result.stdout.endswith("5 copies failed\n")


def test_a_folder_before_the_camera_is_told(camera: Cameras, tmp_path: Path) -> None:
    for words in ((f"{tmp_path}", "192.168.1.1"), ("~/Pictures", "192.168.1.1")):
        result = run("pull", *words)
        assert result.exit_code == 2
        assert "the camera comes first" in result.stderr
    result = run("ls", "http://192.168.1.1/")
    assert "write 192.168.1.1" in result.stderr


def test_dates_are_taken_as_people_write_them(camera: Cameras) -> None:
    sim = camera(objects=4)  # taken in January 2026
    for words, count in (
        (("--since", "2026-01", "--until", "2026"), 4),
        (("--until", "2025"), 0),
        (("--since", "yesterday"), 0),
        (("--since", "12h"), 0),
    ):
        assert len(run("ls", at(sim), *words).stdout.splitlines()) == count
    result = run("ls", at(sim), "--since", "soon")
    assert result.exit_code == 2
    assert "'soon' is not a date; write 2026-11-22" in result.stderr


def test_info_counts_the_files_of_a_small_card_by_kind(camera: Cameras) -> None:
    text = run("info", at(camera(store=mixed()))).stdout
    assert re.search(
        r"^Files +7 files, 7\.0 kB: 2 RAW, 1 JPEG, 1 HEIF, 1 movie, 1 sound, 1 other$",
        text,
        re.MULTILINE,
    )


def test_info_counts_a_large_card_by_kind_once_it_was_listed(camera: Cameras) -> None:
    sim = camera(objects=60, size=1000)
    line = r"^Files +62 files and folders; ptpfast ls counts them by kind$"
    assert re.search(line, run("info", at(sim)).stdout, re.MULTILINE)
    *_, files = records(run("info", at(sim), "--json").stdout)
    assert (files["objects"], files["count"], files["kinds"]) == (62, None, None)
    run("ls", at(sim))
    before = len(sim.log)
    *_, files = records(run("info", at(sim), "--json").stdout)
    assert len(sim.log) - before < 30
    kinds = {kind: count for kind, count in files["kinds"].items() if count}
    assert (files["count"], files["size"], kinds) == (60, 60_000, {"raw": 30, "jpeg": 30})


def test_info_of_a_camera_that_lists_nothing_tells_the_rest(camera: Cameras) -> None:
    sim = camera(faults=["respond=0x2002 on GetObjectHandles times 0"])
    result = run("info", at(sim))
    assert result.exit_code == 0
    assert "Files  " not in result.stdout
