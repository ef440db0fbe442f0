"""Part files that no run will go on with: which they are, and that none of them is lost."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras
from ptpfast import NetworkError, Report, pull
from ptpfast.library.plan import folder as folder_module
from ptpfast.library.plan.leftovers import OVERTAKEN, VANISHED
from ptpfast.ownership.names import temporaries
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import BytesContent

SIZE, KEPT = 3_000_000, 2_000_000
RAW, JPEG = "IMG_0001.DNG", "IMG_0001.JPG"


def fetch(camera: SimulatedCamera, folder: Path, **options: Any) -> Report:
    options.setdefault("timeouts", PATIENT)
    return pull(f"{camera.host}:{camera.port}", folder, **options)


@pytest.fixture
def sim(camera: Cameras, tmp_path: Path) -> SimulatedCamera:
    """A camera with a RAW and a JPEG, of which the first two megabytes of the RAW are here."""
    sim = camera(objects=2, size=SIZE, faults=["drop on GetPartialObject after 0 at 3"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0, chunk=KEPT // 2)
    assert (tmp_path / f"{RAW}.part").stat().st_size == KEPT
    return sim


def left(report: Report) -> list[tuple[str, int, str]]:
    return [(each.path.name, each.size, each.reason) for each in report.leftovers]


def content(camera: SimulatedCamera, name: str) -> bytes:
    (stored,) = [stored for stored in camera.store.files() if stored.name == name]
    return b"".join(camera.store.expected(stored.handle).spans(0, stored.size))


@pytest.mark.parametrize("index", [True, False])
def test_a_part_of_an_object_that_has_vanished_is_told_of_and_stays(
    sim: SimulatedCamera, tmp_path: Path, index: bool
) -> None:
    expected = content(sim, RAW)[:KEPT]
    sim.store.delete(sim.store.files()[0].handle)
    for dry_run in (True, False, False):
        report = fetch(sim, tmp_path, dry_run=dry_run, index=index)
        assert left(report) == [(f"{RAW}.part", KEPT, VANISHED)]
        assert report.ok
    assert report.leftovers[0].note == tmp_path / f"{RAW}.part.json"
    assert report.leftovers[0].path.read_bytes() == expected
    assert report.leftovers[0].note.exists()


def test_a_part_whose_file_has_come_in_another_way_is_told_of(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    stored = sim.store.files()[0]
    (tmp_path / RAW).write_bytes(content(sim, RAW))
    assert stored.captured is not None
    os.utime(tmp_path / RAW, (stored.captured.timestamp(),) * 2)
    assert left(fetch(sim, tmp_path)) == [(f"{RAW}.part", KEPT, OVERTAKEN)]
    assert (tmp_path / f"{RAW}.part").read_bytes() == content(sim, RAW)[:KEPT]


def test_a_part_that_is_gone_on_with_is_none(sim: SimulatedCamera, tmp_path: Path) -> None:
    report = fetch(sim, tmp_path)
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at == KEPT
    assert left(report) == []
    assert (tmp_path / RAW).read_bytes() == content(sim, RAW)


@pytest.mark.parametrize("why", ["not meant", "grown", "not described", "another handle"])
def test_a_part_of_an_object_that_is_on_the_card_is_none(
    sim: SimulatedCamera, tmp_path: Path, why: str
) -> None:
    stored = sim.store.files()[0]
    if why == "grown":
        sim.store.replace(stored.handle, content=sim.store.expected(stored.handle + 1))
        sim.store.replace(stored.handle, captured=None)
    elif why == "not described":
        sim.faults.add(f"respond=0x2002 on GetObjectInfo handle {stored.handle:#x} times 0")
    elif why == "another handle":
        sim.store.delete(stored.handle)
        assert stored.content is not None
        sim.store.add(RAW, stored.content, parent=stored.parent, captured=stored.captured)
    report = fetch(sim, tmp_path, include=["*.JPG"], index=False)
    assert report.downloaded == 1
    assert left(report) == []
    assert (tmp_path / f"{RAW}.part").stat().st_size == KEPT


@pytest.mark.parametrize("note", [None, "", "[]", '{"schema": 4, "object": {}}', "odd"])
def test_a_part_that_says_nothing_of_its_object_is_not_spoken_of(
    sim: SimulatedCamera, tmp_path: Path, note: str | None
) -> None:
    sim.store.delete(sim.store.files()[0].handle)
    path = tmp_path / f"{RAW}.part.json"
    if note is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(f'"{RAW}"', "[]") if note == "odd" else note)
    assert left(fetch(sim, tmp_path)) == []
    assert (tmp_path / f"{RAW}.part").stat().st_size == KEPT


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (b'{"schema": 4, "obj', False),
        (b'{"sch', False),
        (b"", False),
        (bytes(300), False),
        (b'{"my": "own"}', True),
        (b'{"schema": "http://example.com/my-own"}', True),
        (b'{"schema": 4, "mine": 1}', True),
        (b"\0\0my own", True),
    ],
)
def test_beside_a_finished_file_only_notes_of_ours_are_tidied_away(
    camera: Cameras, tmp_path: Path, text: bytes, stays: bool
) -> None:
    sim = camera(objects=1)
    fetch(sim, tmp_path)
    note = tmp_path / f"{RAW}.part.json"
    paths = [note, Path(next(temporaries(os.fspath(note))))]
    for path in paths:
        path.write_bytes(text)
    assert fetch(sim, tmp_path).skipped == 1
    assert [path.exists() for path in paths] == [stays, stays]


def test_another_cameras_part_is_not_spoken_of(
    camera: Cameras, sim: SimulatedCamera, tmp_path: Path
) -> None:
    store = Store()
    store.add("OTHER.JPG", 1000)
    report = fetch(camera(store=store, seed=2), tmp_path)
    assert report.downloaded == 1
    assert left(report) == []


def test_another_object_of_that_name_does_not_touch_a_part(
    sim: SimulatedCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    stored = sim.store.files()[0]
    assert stored.captured is not None
    sim.store.delete(stored.handle)
    handle = sim.store.add(RAW, SIZE, captured=stored.captured + timedelta(days=1))
    sim.faults.add(f"drop on GetPartialObject handle {handle:#x} after 1000 times 0")
    before = (tmp_path / f"{RAW}.part").read_bytes()
    report = fetch(sim, tmp_path, index=False)
    assert report.failed == 1
    assert (tmp_path / f"{RAW}.part").read_bytes() == before
    assert (tmp_path / f"{RAW[:-4]}-1{RAW[-4:]}.part").stat().st_size == 1000
    assert left(report) == [(f"{RAW}.part", KEPT, VANISHED)]


def test_a_part_of_another_object_is_no_measure_of_how_far_this_one_is(
    sim: SimulatedCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    stored = sim.store.files()[0]
    assert stored.captured is not None
    sim.store.replace(stored.handle, content=BytesContent(bytes(SIZE + 1)))
    for number in range(2, 2 + persistence.SAME_PLACE):
        # Behind the seam, which is read again each time: a little further than the last.
        sim.faults.add(f"drop on GetPartialObject after 50000 at {number}")
    report = fetch(sim, tmp_path, include=[RAW], chunk=100_000)
    assert report.retries == persistence.SAME_PLACE
    assert report.ok
    assert (tmp_path / RAW).read_bytes() == content(sim, RAW)


def test_what_is_left_of_another_object_needs_no_room_and_counts_for_nothing(
    sim: SimulatedCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = sim.store.files()[0]
    assert stored.captured is not None
    sim.store.replace(stored.handle, content=BytesContent(bytes(SIZE + 1)))
    report = fetch(sim, tmp_path, include=["*.DNG"], dry_run=True)
    assert [result.kept for result in report.files] == [0]
    # What is there is overwritten: there is room for the object if there is for the rest.
    room = SIZE + 1 - KEPT + (1 << 20)
    monkeypatch.setattr(folder_module.Folder, "free_space", lambda _: room)
    assert fetch(sim, tmp_path, include=["*.DNG"]).ok
    assert (tmp_path / RAW).read_bytes() == content(sim, RAW)


@pytest.mark.parametrize("name", [RAW, "CLIP.MOV"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_part_stays_when_its_object_vanishes_before_it_is_gone_on_with(
    camera: Cameras, tmp_path: Path, name: str, at: int
) -> None:
    store = Store()
    store.add(name, SIZE)
    sim = camera(store=store, faults=[f"drop after-total {KEPT} times 0"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0, chunk=100_000)
    sim.faults.clear()
    before = (tmp_path / f"{name}.part").read_bytes()
    assert before
    sim.faults.add(f"vanish on GetPartialObject at {at}")
    assert fetch(sim, tmp_path, chunk=100_000).failed == 1
    assert (tmp_path / f"{name}.part").read_bytes()[: len(before)] == before
