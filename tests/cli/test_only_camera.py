"""Commands that name no camera: the only one that is found, or a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import records, run
from conftest import Cameras
from outcomes import assert_right
from ptpfast.discovery import Found
from ptpfast.discovery.found import distinct

Told = Callable[..., None]
COMMANDS = ["info", "ls", "bench", "tune", "get", "capture", "live"]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Has the search find these cameras, and nothing that other tests announce."""

    def tell(*cameras: Found) -> None:
        monkeypatch.setattr("ptpfast.discovery.discover", lambda *_, **__: list(cameras))

    return tell


def test_the_only_camera_that_is_found_is_used(camera: Cameras, found: Told) -> None:
    sim = camera(objects=3)
    found(Found(sim.host, sim.port, model="Z 8"))
    done = run("ls")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 3
    assert f"found {sim.host}:{sim.port} (Z 8)" in done.stderr
    assert run("info").exit_code == 0
    rows = records(run("ls", "--json").stdout)
    assert {"type": "found", "host": sim.host, "port": sim.port, "model": "Z 8"} in rows


def test_a_pull_into_a_folder_reads_the_only_camera(
    camera: Cameras, found: Told, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    found(Found(sim.host, sim.port))
    done = run("pull", tmp_path / "today")
    assert done.exit_code == 0, done.stderr
    assert_right(sim, tmp_path / "today")


def test_a_picture_of_the_only_camera_goes_into_a_folder_with_a_slash(
    camera: Cameras, found: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=0)
    found(Found(sim.host, sim.port))
    monkeypatch.chdir(tmp_path)
    for folder in ("./today", "."):
        done = run("capture", folder)
        assert done.exit_code == 0, done.stderr
        for line in done.stdout.splitlines():
            assert Path(line).parent == Path(folder)
            assert Path(line).is_file()
    done = run("capture", "./today", ".")
    assert done.exit_code == 2
    assert "'today' is a folder: name the camera before '.'" in done.stderr


@pytest.mark.parametrize("command", [*COMMANDS, "pull"])
def test_no_camera_ends_with_the_way_to_the_doctor(
    command: str, found: Told, tmp_path: Path
) -> None:
    found()
    done = run(command, *([tmp_path] if command == "pull" else []))
    assert done.exit_code == 3
    assert "no camera was found in 3 s; give its address, or run 'ptpfast doctor'" in (done.stderr)


@pytest.mark.parametrize("command", [*COMMANDS, "pull"])
def test_several_cameras_are_listed_and_one_is_to_be_named(
    command: str, found: Told, tmp_path: Path
) -> None:
    found(Found("192.168.0.2", 15740, model="Z 8"), Found("192.168.0.3", 15740))
    done = run(command, *([tmp_path] if command == "pull" else []))
    assert done.exit_code == 2
    assert "2 cameras were found; name one: 192.168.0.2:15740 (Z 8), 192.168.0.3:15740" in (
        done.stderr
    )


@pytest.mark.parametrize("address", ["192.168.1.1", "fe80::1", "camera.local:15740"])
def test_an_address_without_a_folder_is_not_taken_for_one(address: str, found: Told) -> None:
    found()
    done = run("pull", address)
    assert done.exit_code == 2
    assert f"'{address}' is a camera's address; add the folder" in done.stderr


def test_a_folder_with_the_name_of_an_address_is_a_folder(
    camera: Cameras, found: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1)
    found(Found(sim.host, sim.port))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "192.168.1.1").mkdir()
    assert run("pull", "192.168.1.1").exit_code == 0
    assert len(list((tmp_path / "192.168.1.1").iterdir())) == 1


def test_without_the_search_the_camera_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    done = run("ls")
    assert done.exit_code == 2
    assert "give the camera's address; to search for cameras, pip install" in done.stderr


def test_an_open_port_of_a_camera_that_announces_itself_is_no_second_one() -> None:
    announced = Found("192.168.0.1", 55740, vendor="fujifilm", found_by=("broadcast",))
    port = Found("192.168.0.1", 15740, found_by=("address",))
    other = Found("192.168.0.9", 15740, found_by=("address",))
    assert distinct([port, announced, other]) == [announced, other]
