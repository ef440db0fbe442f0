"""Names beyond ASCII where the locale is not UTF-8, as in cron jobs, containers and `LC_ALL=C`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Cameras
from ptpfast.library.plan.naming import MAX_NAME_BYTES
from ptpfast.sim import SimulatedCamera, Store

NAME = "Üb中😀.NEF"
SIZE = 300_000
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
UTF_8 = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
TIMEOUT_S = 60


@pytest.fixture(params=[NAME])
def sim(camera: Cameras, request: pytest.FixtureRequest) -> SimulatedCamera:
    store = Store()
    store.add(request.param, SIZE)
    return camera(store=store)


def bytes_of(sim: SimulatedCamera) -> bytes:
    (stored,) = sim.store.files()
    return b"".join(sim.store.expected(stored.handle).spans(0, stored.size))


def run(sim: SimulatedCamera, locale: dict[str, str], command: str, *words: Any) -> str:
    """Both outputs of a command that succeeds, in a process with that locale."""
    done = started(sim, locale, command, *words)
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def started(
    sim: SimulatedCamera, locale: dict[str, str], command: str, *words: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ptpfast", command, f"{sim.host}:{sim.port}", *map(str, words)],
        env=os.environ | locale,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )


def records(output: str, type: str) -> Iterator[dict[str, Any]]:
    rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return (row for row in rows if row["type"] == type)


@pytest.mark.parametrize("locales", [(ASCII, UTF_8), (UTF_8, ASCII), (ASCII, ASCII)])
def test_file_has_the_same_name_under_every_locale_and_is_known_again(
    sim: SimulatedCamera, tmp_path: Path, locales: tuple[dict[str, str], dict[str, str]]
) -> None:
    run(sim, locales[0], "pull", tmp_path)
    assert os.listdir(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == bytes_of(sim)
    assert "Up to date" in run(sim, locales[1], "pull", tmp_path)
    assert os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize("locales", [(ASCII, UTF_8), (UTF_8, ASCII)])
def test_download_is_continued_under_another_locale(
    sim: SimulatedCamera, tmp_path: Path, locales: tuple[dict[str, str], dict[str, str]]
) -> None:
    sim.faults.add("drop after-total 200000 times 0")
    first = started(sim, locales[0], "pull", tmp_path, "--retry", 0)
    assert first.returncode == 3, first
    assert (tmp_path / f"{NAME}.part").exists()
    sim.faults.clear()
    (told,) = records(run(sim, locales[1], "pull", tmp_path, "--json"), "file")
    assert told["resumed_at"] > 0
    assert (tmp_path / NAME).read_bytes() == bytes_of(sim)


def test_lists_of_checksums_and_json_have_the_name_as_text(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    folder = tmp_path / "Bücher"
    (told,) = records(run(sim, ASCII, "pull", folder, "--json", "--manifest"), "file")
    assert told["file"] == str(folder / NAME)
    sums = folder / "SHA256SUMS"
    first = sums.read_bytes()
    assert first.endswith(f"  {NAME}\n".encode())
    run(sim, UTF_8, "pull", folder, "--manifest")
    assert sums.read_bytes() == first
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=True, timeout=TIMEOUT_S)


def test_object_is_selected_by_a_pattern_beyond_ascii(sim: SimulatedCamera, tmp_path: Path) -> None:
    assert "1 file selected" in run(sim, ASCII, "pull", tmp_path, "--include", "Ü*中*")
    assert "0 of 1 files match" in run(sim, ASCII, "pull", tmp_path, "--exclude", "Ü*中*")


def test_copies_and_deletion_note_the_name_as_text(sim: SimulatedCamera, tmp_path: Path) -> None:
    folder, copies = tmp_path / "ü", tmp_path / "é"
    run(sim, ASCII, "pull", folder, "--copies", copies, "--delete-verified")
    assert not sim.store.files()
    assert os.listdir(copies) == [NAME]
    rows = (folder / ".ptpfast-deletions.jsonl").read_text().splitlines()
    proven = next(row for row in map(json.loads, rows) if row["what"] == "proven")
    assert proven["file"] == NAME
    assert proven["copies"] == [str(copies / NAME)]


@pytest.mark.parametrize("sim", ["中" * 250 + ".NEF", "😀" * 120 + ".NEF"], indirect=True)
def test_long_name_keeps_its_extension_and_fits_in_bytes(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    run(sim, ASCII, "pull", tmp_path)
    (name,) = os.listdir(tmp_path)
    assert name.endswith(".NEF")
    assert name.encode().decode() == name  # no character is cut in two
    assert MAX_NAME_BYTES - 4 <= len(name.encode()) <= MAX_NAME_BYTES
    assert "Up to date" in run(sim, UTF_8, "pull", tmp_path)


def test_second_object_of_one_name_gets_a_number(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    for size in (SIZE, SIZE + 1):
        store.add(NAME, size)
    with camera(store=store) as sim:
        run(sim, ASCII, "pull", tmp_path)
        assert sorted(os.listdir(tmp_path)) == ["Üb中😀-1.NEF", NAME]
        assert "Up to date" in run(sim, UTF_8, "pull", tmp_path)


@pytest.mark.parametrize("command", ["ls", "info"])
def test_what_the_output_cannot_say_is_escaped(sim: SimulatedCamera, command: str) -> None:
    said = run(sim, ASCII, command)
    assert said.isascii()
    if command == "ls":
        assert "\\xdcb\\u4e2d\\U0001f600.NEF" in said


def test_error_shows_the_characters_of_a_folder_and_not_its_bytes(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    (tmp_path / "Bücher").write_bytes(b"")
    done = started(sim, ASCII, "pull", tmp_path / "Bücher")
    assert done.returncode == 6
    assert "B\\xfccher is not a folder" in done.stderr


def test_simulated_camera_has_the_files_of_a_folder_by_their_names(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"a picture")
    program = (
        "from ptpfast.sim import Store; import sys\n"
        "print([ascii(one.name) for one in Store.from_folder(sys.argv[1]).files()])"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    said = subprocess.run(
        words, env=os.environ | ASCII, capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    ).stdout
    assert said.strip() == str([ascii(NAME)])


WRITE = (
    "import os, sys\n"
    "with open(sys.argv[2], 'ab') as log:\n"
    "    log.write(b' '.join((os.fsencode(sys.argv[1]), os.environb[b'PTPFAST_SOURCE'])))\n"
)


def test_a_command_for_each_file_gets_its_names_as_utf_8_text(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    command = shlex.join([sys.executable, "-c", WRITE, "{}", str(tmp_path / "log")])
    run(sim, ASCII, "pull", tmp_path / "in", "--exec", command)
    assert (tmp_path / "log").read_text("utf-8") == f"{tmp_path / 'in' / NAME} {NAME}"


def test_a_notification_has_names_as_utf_8_text(sim: SimulatedCamera, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s" "$4" > "{tmp_path}/told"\n')
    program.chmod(0o755)
    locale = ASCII | {"DISPLAY": ":0", "PATH": f"{program.parent}:/usr/bin:/bin"}
    (tmp_path / "Ü").write_text("no folder")
    started(sim, locale, "pull", tmp_path / "Ü", "--notify")
    assert f"{tmp_path}/Ü" in (tmp_path / "told").read_text("utf-8")
