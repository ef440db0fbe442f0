"""`ptpfast capture`: pictures are taken, and downloaded as `pull` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adversity import assert_right, expected_files, finished_files
from command_line import at, records, run
from conftest import Cameras
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import Content

# Those that a command recognises at any port.
BODIES = sorted(
    body
    for body, vendor in vendors.BODIES.items()
    if vendors.named(vendor).transport is vendors.STANDARD.transport
)


def test_a_picture_stays_on_the_camera_without_a_folder(camera: Cameras) -> None:
    sim = camera(objects=1)
    done = run("capture", at(sim))
    assert done.exit_code == 0
    assert len(expected_files(sim)) > 1
    name, size = done.stdout.strip().split("\t")
    assert name in {path.name for path in map(Path, expected_files(sim))}
    assert size.endswith("kB")


def test_pictures_are_downloaded_and_the_rest_of_the_card_is_not(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    done = run("capture", at(sim), tmp_path / "new", "--count", 3)
    assert done.exit_code == 0, done.output
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert sorted(paths) == sorted(finished_files(tmp_path / "new"))
    assert len(paths) == len(expected_files(sim)) - 3
    assert_right(tmp_path / "new", expected_files(sim))


def test_a_record_names_the_picture_and_its_files(camera: Cameras, tmp_path: Path) -> None:
    done = run("capture", at(camera()), tmp_path, "--json")
    (row,) = [row for row in records(done.stdout) if row["type"] == "capture"]
    assert [Path(path) for path in row["paths"]] == finished_files(tmp_path)
    assert row["path"] == row["paths"][0]


def test_a_refusal_of_the_camera_is_its_answer(camera: Cameras) -> None:
    done = run("capture", at(camera(faults=["respond=0x200C on InitiateCapture times 0"])))
    assert done.exit_code == 4
    assert "the camera refused to take a picture" in done.stderr


@pytest.mark.parametrize("body", ["canon-r6m2", "sony-a7m4", "sony-a7r3"])
@pytest.mark.parametrize("folder", [None, "."])
def test_a_picture_that_is_on_no_card_is_kept_under_a_free_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None, body: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with SimulatedCamera(body=body, objects=2, size=200_000) as sim:
        done = run("capture", at(sim), *filter(None, [folder]))
        assert done.exit_code == 0, done.output
    kept = {path.name: path.read_bytes() for path in finished_files(Path())}
    assert sorted(done.stdout.split()) == sorted(kept)
    assert {len(content) for content in kept.values()} == {200_000}
    assert ("is on no card of the camera" in done.stderr) == (folder is None)
    with SimulatedCamera(body=body, objects=2, size=200_001) as sim:  # names a picture the same
        again = run("capture", at(sim), *filter(None, [folder]))
        assert again.exit_code == 0, again.output
    numbered = {path.name for path in finished_files(Path())} - kept.keys()
    assert set(again.stdout.split()) == numbered
    assert {Path(name).stat().st_size for name in numbered} == {200_001}
    assert all(Path(name).read_bytes() == content for name, content in kept.items())


@pytest.mark.matrix
@pytest.mark.parametrize("body", BODIES)
def test_every_body_takes_a_picture_and_sends_it(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory: dict[str, Content] = {}  # what is on no card, and forgotten once it was read
    taken: list[str] = []
    keep, add_shot = Store.keep_in_memory, Store.add_shot

    def keep_and_note(store: Store, handle: int) -> None:
        in_memory.update({item.name: store.expected(item.handle) for item in store.files()})
        keep(store, handle)

    def shoot_and_note(store: Store, *given: Any, **named: Any) -> Any:
        before = {item.name for item in store.files()}
        shot = add_shot(store, *given, **named)
        taken.extend(sorted({item.name for item in store.files()} - before))
        return shot

    monkeypatch.setattr(Store, "keep_in_memory", keep_and_note)
    with SimulatedCamera(body=body, objects=2, size=200_000) as sim:
        monkeypatch.setattr(Store, "add_shot", shoot_and_note)
        done = run("capture", at(sim), tmp_path / "new")
        assert done.exit_code == 0, done.output
        assert_right(tmp_path / "new", in_memory | expected_files(sim))
    assert taken
    assert sorted(path.name for path in finished_files(tmp_path / "new")) == sorted(taken)
