"""`config.toml` and the environment on the command line: precedence, origins, and mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at, records, run
from conftest import Cameras
from ptpfast import Session
from ptpfast.cli.configured import Configured, all_commands, typed
from ptpfast.sim import SimulatedCamera
from ptpfast.state import config

Write = Callable[[str], Path]


def write(text: str) -> Path:
    config.path().write_text(text)
    return config.path()


@pytest.fixture
def sim(camera: Cameras) -> SimulatedCamera:
    return camera(objects=4, size=3000)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def values(*arguments: str) -> dict[str, Any]:
    rows = records(run("config", *arguments, "--json").stdout)
    return {f"{row['command']} {row['option']}": row for row in rows if row["type"] == "value"}


def test_nearer_settings_win_over_farther_ones(
    sim: SimulatedCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_camera = f'[cameras.sim]\naddress = "{at(sim)}"\n'
    write('[defaults]\nformat = "jpeg"\n' + of_camera)
    run("pull", "sim", tmp_path / "a")
    assert {Path(name).suffix for name in files(tmp_path / "a")} == {".JPG"}
    write('[defaults]\nformat = "jpeg"\n[pull]\nformat = "raw"\n' + of_camera)
    run("pull", "sim", tmp_path / "b")
    assert {Path(name).suffix for name in files(tmp_path / "b")} == {".DNG"}
    write('[pull]\nformat = "raw"\n' + of_camera + 'format = ["jpeg"]\n')
    run("pull", "sim", tmp_path / "c")
    assert {Path(name).suffix for name in files(tmp_path / "c")} == {".JPG"}
    monkeypatch.setenv("PTPFAST_PULL_FORMAT", "raw")
    run("pull", "sim", tmp_path / "d")
    assert {Path(name).suffix for name in files(tmp_path / "d")} == {".DNG"}
    run("pull", "sim", tmp_path / "e", "--format", "jpeg")
    assert {Path(name).suffix for name in files(tmp_path / "e")} == {".JPG"}


def test_a_camera_with_a_destination_needs_no_folder(sim: SimulatedCamera, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    write(f'[cameras.sim]\naddress = "{at(sim)}"\ndestination = "{folder}"\n')
    done = run("pull", "SIM")
    assert done.exit_code == 0, done.output
    assert len(files(folder)) == 4
    run("pull", "sim", tmp_path / "elsewhere")
    assert len(files(tmp_path / "elsewhere")) == 4


def test_cameras_with_one_destination_need_no_folder(camera: Cameras, tmp_path: Path) -> None:
    text = "".join(
        f'[cameras.{name}]\naddress = "{at(each)}"\ndestination = "{tmp_path / "all"}"\n'
        for name, each in (("one", camera(objects=2, size=9)), ("two", camera(objects=2, size=8)))
    )
    write(text)
    done = run("pull", "one", "two")
    assert done.exit_code == 0, done.output
    assert len(files(tmp_path / "all")) == 4
    write(text.replace("/all", "/other", 1))
    done = run("pull", "one", "two")
    assert done.exit_code == 2
    assert "one and two have different destinations" in done.stderr


def test_cameras_that_differ_are_not_mixed(tmp_path: Path) -> None:
    address = 'address = "127.0.0.1"\n'
    write(f'[cameras.a]\n{address}verify = "hash"\n[cameras.b]\naddress = "127.0.0.2"\n')
    done = run("pull", "a", "b", tmp_path)
    assert done.exit_code == 2
    assert "a and b have different values of verify" in done.stderr


def test_a_camera_without_a_folder_is_told_what_is_missing() -> None:
    write('[cameras.sim]\naddress = "127.0.0.1"\n')
    done = run("pull", "sim")
    assert done.exit_code == 2
    assert "'sim' is a camera; add the folder: ptpfast pull sim FOLDER" in done.stderr


MISTAKES = {
    "table": ("[pul]\n", 1, "did you mean 'pull'?"),
    "no table": ("pull = 1\n", 1, "write [pull]"),
    "key": ('[pull]\nformats = "raw"\n', 2, "did you mean 'format'?"),
    "key of nothing": ("[pull]\nzzzz = 1\n", 2, "the keys are: "),
    "default": ('[defaults]\nverfy = "hash"\n', 2, "did you mean 'verify'?"),
    "choice": ('\n[pull]\nverify = "md5"\n', 3, "is not one of 'size', 'hash'"),
    "list": ('[pull]\nverify = ["hash"]\n', 2, "one value, not a list"),
    "flag": ("[pull]\nnew = 1\n", 2, "takes true or false, not 1"),
    "number": ("[pull]\ndepth = 65\n", 2, "1<=x<=64"),
    "no number": ("[pull]\nretry = -1\n", 2, "neither a number nor 'forever'"),
    "truth": ("[pull]\ndepth = true\n", 2, "one value, not true or false"),
    "part": ('[pull]\nformat = ["raw", {}]\n', 2, "one value, not a table"),
    "nickname": ("[cameras.'1 2']\n", 1, "is not a nickname"),
    "no address": ("[cameras.a]\n", 1, "has no address"),
    "address": ('[cameras.a]\naddress = "/x"\n', 2, "is a folder, not a camera's address"),
    "vendor": ('[cameras.a]\naddress = "a.b"\nvendor = "sonny"\n', 3, "is not one of standard"),
    "relative": ('[cameras.a]\naddress = "a.b"\ndestination = "x"\n', 3, "is not a full path"),
    "no text": ("[cameras.a]\naddress = 1\n", 1, "is not a text in quotes"),
    "option": ('[cameras.a]\naddress = "a.b"\nadress = "x"\n', 3, "did you mean 'address'?"),
}


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.parametrize("arguments", [["config"], ["pull", "a", "x", "--dry-run"]], ids="cp")
def test_a_mistake_is_told_with_its_line(
    name: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, line, advice = MISTAKES[name]
    file = write(text)
    done = run(*arguments)
    assert done.exit_code == 2
    assert f"{file}, line {line}" in done.stderr
    assert advice in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_variable_with_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTPFAST_PULL_ON_CONFLICT", "ask")
    done = run("pull", "192.168.1.1", "x")
    assert done.exit_code == 2
    assert "'ask' is not one of" in done.stderr
    assert "--on-conflict is set by PTPFAST_PULL_ON_CONFLICT" in done.stderr
    done = run("config")
    assert done.exit_code == 2
    assert "on-conflict in PTPFAST_PULL_ON_CONFLICT" in done.stderr


def test_options_that_exclude_each_other_name_their_lines(tmp_path: Path) -> None:
    file = write("[pull]\nnew = true\n")
    done = run("pull", "192.168.1.1", tmp_path, "--no-history")
    assert done.exit_code == 2
    assert f"--new is set by {file}, line 2" in done.stderr


def test_config_shows_where_each_value_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    file = write('[defaults]\nverify = "hash"\n[pull]\nretry = 3\n[cameras.a]\naddress = "a.b"\n')
    monkeypatch.setenv("PTPFAST_PULL_INCLUDE", "DSC* IMG*")
    found = values("pull")
    verify = found["pull verify"]
    assert (verify["value"], verify["source"], verify["line"]) == ("hash", "config", 2)
    assert verify["where"] == f"{file}, line 2"
    assert found["pull retry"]["value"] == "3"
    include = found["pull include"]
    assert (include["value"], include["where"]) == (["DSC*", "IMG*"], "PTPFAST_PULL_INCLUDE")
    order = found["pull order"]
    assert (order["value"], order["source"], order["where"]) == ("listed", "default", None)
    of_all = {"pick verify", "pull verify", "watch verify"}
    assert set(values()) == {*of_all, "pull retry", "pull include"}
    text = run("config").stdout
    assert f"pull --verify hash  ({file}, line 2)\n" in text
    assert f"a: address a.b  ({file}, line 5)\n" in text


def test_config_says_where_the_missing_file_would_be() -> None:
    done = run("config")
    assert done.exit_code == 0
    assert done.stdout == f"{config.path()} (there is no such file)\n"
    assert records(run("config", "--json").stdout)[1]["exists"] is False


def test_misspelled_variables_are_told_by_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTPFAST_PULL_VERFY", "hash")
    done = run("config")
    assert done.exit_code == 2
    assert "PTPFAST_PULL_VERFY" in done.stderr


def test_help_is_shown_with_broken_settings() -> None:
    write("[pull\n")
    assert run("pull", "--help").exit_code == 0
    assert run("pull", "-h").exit_code == 0
    done = run("pull", "192.168.1.1", "x")
    assert done.exit_code == 6
    assert "config.toml: line 1" in done.stderr


def test_paths_of_the_file_know_the_home(sim: SimulatedCamera, monkeypatch: Any, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(f'[cameras.sim]\naddress = "{at(sim)}"\ndestination = "~/in"\ncopies = ["~/copies"]\n')
    done = run("pull", "sim")
    assert done.exit_code == 0, done.output
    assert len(files(tmp_path / "in")) == len(files(tmp_path / "copies")) == 4


def test_a_session_speaks_as_the_configured_vendor(camera: Cameras) -> None:
    sim = camera(objects=1)
    write(f'[cameras.sim]\naddress = "{at(sim)}"\nvendor = "ricoh"\n')
    with ptpfast.connect("sim") as session:
        assert isinstance(session, Session)
        assert session.vendor.name == "ricoh"
    with ptpfast.connect("sim", vendor="standard") as session:
        assert session.vendor.name == "standard"


def test_the_documented_file_has_the_documented_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "config.md").read_text(encoding="utf-8")
    file = write(page.partition("```toml\n")[2].partition("```")[0])
    monkeypatch.setenv("PTPFAST_PULL_VERIFY", "disk")
    shown = page.partition("$ ptpfast config\n")[2].partition("```")[0]
    told = shown.replace("/home/ada/.config/ptpfast/config.toml", str(file))
    done = run("config")
    assert done.exit_code == 0, done.output
    assert set(told.splitlines()) <= set(done.stdout.splitlines())


def test_every_option_of_every_command_can_be_set() -> None:
    seen = [(command, key) for command in all_commands() for key in command.options()]
    assert len(seen) > 200
    for command, key in seen:
        assert isinstance(command, Configured)
        option = command.options()[key]
        assert option.envvar == f"PTPFAST_{'_'.join([*command.words, key])}".upper().replace(
            "-", "_"
        )
        typed(option, key, True if option.is_flag else "1", "here")
