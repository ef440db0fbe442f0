"""Wrong words of the command line: each message says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

import command_line
from conftest import Cameras
from ptpfast.state import identity

# The command line behind `ptpfast`, and what its message says; nothing is connected to.
WRONG = {
    "pull 127.0.0.1:1 x --raw": "No such option '--raw'; write --format raw;",
    "pull 127.0.0.1:1 x --move": "No such option '--move'; write --delete-verified;",
    "pull 127.0.0.1:1 x --md5": "write --verify hash;",
    "pull 127.0.0.1:1 --dest x": "the folder is the last word: ptpfast pull CAMERA FOLDER;",
    "pull --host 127.0.0.1:1 x": "without an option: ptpfast pull 192.168.1.1;",
    "pull 127.0.0.1:1 x --resume": "an interrupted file is always resumed;",
    "ls 127.0.0.1:1 --resume": "No such option '--resume'",
    "ls 127.0.0.1:1 x": "'ptpfast ls' takes one camera; to download: ptpfast pull CAMERA x;",
    "pick 127.0.0.1:1 x": "the folder or file goes after --to: ptpfast pick CAMERA --to x;",
    "tune 127.0.0.1:1 x y": "unexpected 'x y': leave it out",
    "127.0.0.1:1 pull x": "(the command comes first: 'ptpfast pull 127.0.0.1:1 x')",
    "pull 127.0.0.1:1 x --exec": "Option '--exec' requires an argument; see 'ptpfast pull --help'",
    "pull 127.0.0.1:1 x --timeout connect:5": "write connect=5;",
    "pull 127.0.0.1:1 x --format raw+jpeg": "write commas between them: raw,jpeg;",
    "pull 127.0.0.1:1 x --verify sha256": "write --algorithm sha256;",
    "pull 127.0.0.1:1 x --name %Y/%m": "a date is written {date:%Y-%m-%d};",
    "pull 127.0.0.1:1 s3:/bucket/today": "'s3:/bucket/today' is not a URL; write s3://bucket/today",
    "pull 127.0.0.1:1 x --copies x": "are the same folder; give --copies a folder on another disk",
    "pull 192.168.1 x": "for CAMERA: '192.168.1' is not an IP address; write four numbers",
    "info http://127.0.0.1:15741/": "for CAMERA: 'http://127.0.0.1:15741/' is a web address; "
    "write 127.0.0.1:15741;",
    "pull 127.0.0.1:1 /home/me/My Pictures": "put a path with spaces in quotes",
    "pull 192.168.1.1 15741 x": "'15741' is not an IP address; a port is written 192.168.1.1:15741",
    "ls 192.168.1.1 15741": "unexpected '15741': a port is written 192.168.1.1:15741;",
    "pull 127.0.0.1:1 x --format=raw jpeg": "'x' is not a camera: no host and no paired camera",
    "watch 127.0.0.1:1 ~/x": "the shell has not replaced the ~ of '~/x'",
    "watch 127.0.0.1:1 x --last 3": "it is an option of 'ptpfast pull', not of 'ptpfast watch';",
    "pull -r 127.0.0.1:1 x": "all folders of the card are always read;",
    "pull 127.0.0.1:1 x --first jpeg": "'jpeg' is not a whole number;",
    "set 127.0.0.1:1 iso 400": "write iso=400, as one word",
    "completion": "Missing argument 'SHELL'. Choose from: bash, zsh, fish;",
    "simulate --fault drp": "; did you mean drop or",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    # Some networks have an address for every name.
    monkeypatch.setattr("ptpfast.cli.pull._has_address", lambda host: False)


@pytest.mark.parametrize("line", WRONG)
def test_wrong_word_is_answered_with_the_right_one(line: str) -> None:
    result = command_line.run(*line.split())
    assert result.exit_code == 2
    assert WRONG[line] in result.stderr
    assert not list(Path().iterdir())


@pytest.mark.parametrize("command", ["ls 127.0.0.1:1", "pull 127.0.0.1:1 x"])
def test_pattern_that_the_shell_has_expanded_is_recognised(command: str) -> None:
    Path("a.NEF").touch()
    Path("b.NEF").touch()
    Path("x").mkdir()
    result = command_line.run(*command.split(), "--include", "a.NEF", "b.NEF")
    assert result.exit_code == 2
    assert "in quotes, so that the shell does not expand it" in result.stderr


def test_expanded_pattern_before_a_new_folder_downloads_nothing() -> None:
    Path("a.NEF").touch()
    Path("b.NEF").touch()
    result = command_line.run("pull", "127.0.0.1:1", "x", "--include", "a.NEF", "b.NEF")
    assert result.exit_code == 2
    assert "'b.NEF' is a file, not a folder; put a pattern in quotes" in result.stderr


def test_folder_with_spaces_that_has_no_quotes_downloads_nothing(camera: Cameras) -> None:
    Path("My Pictures").mkdir()
    result = command_line.run("pull", command_line.at(camera(objects=1)), "My", "Pictures")
    assert result.exit_code == 2
    assert "a path with spaces needs quotes: 'My Pictures'" in result.stderr
    assert [each.name for each in Path().iterdir()] == ["My Pictures"]


def test_wrong_nickname_is_answered_with_the_nearest_one(camera: Cameras) -> None:
    paired = command_line.run("pair", command_line.at(camera()), "--name", "rocket")
    assert paired.exit_code == 0, paired.output
    assert [each.nickname for each in identity.load().cameras] == ["rocket"]
    result = command_line.run("info", "roket")
    assert result.exit_code == 3
    assert "did you mean 'rocket'?" in result.stderr


def test_camera_whose_files_were_downloaded_before_says_where_they_are(
    camera: Cameras, tmp_path: Path
) -> None:
    at = command_line.at(camera(objects=2, size=1000))
    assert command_line.run("pull", at, str(tmp_path / "one")).exit_code == 0
    result = command_line.run("pull", at, str(tmp_path / "two"), "--new")
    assert "all 2 files were downloaded before; 'ptpfast history' shows where" in result.output


def test_pattern_that_forgets_nothing_is_answered_with_one_that_may() -> None:
    result = command_line.run("history", "forget", "IMG_00")
    assert result.exit_code == 0
    assert "for names that begin so, write 'IMG_00*'" in result.stderr


def test_property_that_is_misspelt_is_answered_with_the_nearest_name(camera: Cameras) -> None:
    result = command_line.run("get", command_line.at(camera()), "izo")
    assert "(did you mean 'iso'?)" in result.stderr


def test_protection_is_not_taken_for_the_name_of_a_file(camera: Cameras) -> None:
    result = command_line.run("ls", command_line.at(camera(objects=2)), "--protected")
    assert "0 of 2 files match protected on the camera; leave out" in result.output


def test_misspelt_address_of_a_camera_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config.toml").write_text('[cameras.studio]\nadress = "127.0.0.1"\n', encoding="utf-8")
    monkeypatch.setenv("PTPFAST_CONFIG", str(Path.cwd()))
    result = command_line.run("ls", "studio")
    assert result.exit_code == 2
    assert "unknown key 'adress'" in result.stderr
    assert "line 2); did you mean 'address'?" in result.stderr


def test_pictures_that_new_skips_are_left_with_advice(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTPFAST_ALLOW_MEMORY", "1")
    sim = camera(objects=2, size=1000)
    at = command_line.at(sim)
    assert command_line.run("pull", at, str(tmp_path / "one")).exit_code == 0
    kept = command_line.run("pull", at, str(tmp_path / "one"), "--new", "--delete-verified")
    assert "2 left on the camera: downloaded before (to have them compared" in kept.output
    assert len(sim.store.files()) == 2
    emptied = command_line.run("pull", at, str(tmp_path / "one"), "--delete-verified")
    assert "0 files downloaded, 2.0 kB read again in" in emptied.output
    assert "2 deleted on the camera" in emptied.output
    assert not sim.store.files()
