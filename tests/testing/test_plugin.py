"""The pytest plugin: its cameras, its comparison, and the page that shows them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ptpfast
from ptpfast import testing
from ptpfast.sim import SimulatedCamera
from ptpfast.testing import FLAKY, MakeCamera, Store, assert_complete

# Instead of the suite's own of these names.
camera, flaky_camera, make_camera = testing.camera, testing.flaky_camera, testing.make_camera
PAGE = Path(__file__).parents[2] / "docs" / "testing.md"


def copy_of(camera: SimulatedCamera, folder: Path) -> list[Path]:
    """The camera's files, written without any protocol."""
    paths = []
    for item in camera.store.files():
        paths.append(folder / item.name)
        paths[-1].write_bytes(b"".join(camera.store.expected(item.handle).spans(0, item.size)))
    return paths


def test_page_s_example_passes_as_it_stands(tmp_path: Path) -> None:
    conftest, tests = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_ingest.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 passed" in run.stdout


def test_nothing_of_it_is_loaded_unless_it_is_asked_for() -> None:
    code = "import sys, ptpfast; print('pytest' in sys.modules, 'ptpfast.sim' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False False\n"


def test_camera_s_card_is_pulled_and_found_complete(
    camera: SimulatedCamera, tmp_path: Path
) -> None:
    assert ptpfast.pull(camera.address, tmp_path).ok
    found = assert_complete(camera, tmp_path)
    assert [path.name for path in found] == [item.name for item in camera.store.files()]


def test_flaky_camera_shows_each_of_its_faults_and_then_works(
    flaky_camera: SimulatedCamera, tmp_path: Path
) -> None:
    report = ptpfast.pull(flaky_camera.address, tmp_path)
    assert report.ok
    assert {str(fault) for fault in flaky_camera.faults.fired} == {
        str(fault) for fault in flaky_camera.faults
    }
    assert len(list(flaky_camera.faults)) == len(FLAKY)
    assert flaky_camera.connections == 4
    assert_complete(flaky_camera, tmp_path)


def test_cameras_are_closed_at_the_end(request: pytest.FixtureRequest) -> None:
    make = request.getfixturevalue("make_camera")
    made: list[SimulatedCamera] = [make(), make(objects=1)]
    assert [len(camera.store.files()) for camera in made] == [4, 1]
    assert made[0].address != made[1].address


def test_card_of_the_caller_is_left_as_it_is(make_camera: MakeCamera) -> None:
    store = Store.synthetic(3, 10)
    assert make_camera(store=store).store is store


def test_renamed_files_are_known_by_their_bytes(camera: SimulatedCamera, tmp_path: Path) -> None:
    paths = copy_of(camera, tmp_path)
    (tmp_path / "day").mkdir()
    renamed = paths[0].rename(tmp_path / "day" / "first.raw")
    assert assert_complete(camera, tmp_path) == [renamed, *paths[1:]]


def test_two_objects_of_one_name_need_two_files(make_camera: MakeCamera, tmp_path: Path) -> None:
    store = Store()
    store.add("A.JPG", 1000)
    store.add("A.JPG", 1000)
    camera = make_camera(store=store)
    copy_of(camera, tmp_path)
    with pytest.raises(AssertionError, match=r"^A\.JPG is missing$"):
        assert_complete(camera, tmp_path)


def test_hidden_files_do_not_count(camera: SimulatedCamera, tmp_path: Path) -> None:
    copy_of(camera, tmp_path)
    (tmp_path / ".notes").mkdir()
    (tmp_path / ".notes" / "x").touch()
    assert_complete(camera, tmp_path)


def test_all_that_is_wrong_is_named_at_once(camera: SimulatedCamera, tmp_path: Path) -> None:
    missing, short, wrong, _ = paths = copy_of(camera, tmp_path)
    missing.unlink()
    short.write_bytes(b"x")
    data = bytearray(wrong.read_bytes())
    data[70_000] ^= 1
    wrong.write_bytes(data)
    (tmp_path / "extra.txt").touch()
    with pytest.raises(AssertionError) as caught:
        assert_complete(camera, tmp_path)
    assert str(caught.value).splitlines() == [
        f"{paths[0].name} is missing",
        f"{short} has 1 of 300000 bytes",
        f"{wrong} differs at byte 70000",
        f"{tmp_path / 'extra.txt'} is not on the card, or there twice",
    ]
