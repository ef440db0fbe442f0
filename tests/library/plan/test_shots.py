"""Files of one shot get one number, in one run and in several."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras
from ptpfast import ObjectInfo, Report, pull
from ptpfast.library.plan.known import Known
from ptpfast.library.plan.shots import Shots
from ptpfast.library.report.observer import Observer
from ptpfast.sim import SimulatedCamera, Store

JANUARY, MARCH = datetime(2026, 1, 1, 12), datetime(2026, 3, 3, 12)


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def card(*folders: tuple[str, datetime, list[str]], seed: int = 0) -> Store:
    store = Store(seed=seed)
    dcim = store.add_folder("DCIM")
    for name, captured, files in folders:
        parent = store.add_folder(name, parent=dcim)
        for file in files:
            store.add(file, 3000, parent=parent, captured=captured)
    return store


def assert_whole(sim: SimulatedCamera, *reports: Report) -> None:
    for report in reports:
        for result in report.having("downloaded"):
            assert result.path is not None
            content = sim.store.expected(result.handle)
            assert result.path.read_bytes() == b"".join(content.spans(0, 3000))


OLD = ("100N", JANUARY, ["DSC_0001.JPG"])
NEW = ("101N", MARCH, ["DSC_0001.NEF", "DSC_0001.JPG", "DSC_0001.XMP"])
NUMBERED = {"DSC_0001.JPG", "DSC_0001-1.NEF", "DSC_0001-1.JPG", "DSC_0001-1.XMP"}


@pytest.mark.parametrize("order", ["listed", "oldest", "newest"])
def test_the_files_of_a_shot_share_a_number(camera: Cameras, tmp_path: Path, order: str) -> None:
    sim = camera(store=card(OLD, NEW))
    report = fetch(sim, tmp_path, order=order)
    expected = NUMBERED
    if order == "newest":  # then January's picture is the second one
        expected = {"DSC_0001.NEF", "DSC_0001.JPG", "DSC_0001.XMP", "DSC_0001-1.JPG"}
    assert names(tmp_path) == expected
    assert_whole(sim, report)
    assert fetch(sim, tmp_path).skipped == 4


@pytest.mark.parametrize("history", [True, False])
def test_the_files_of_a_shot_share_a_number_in_a_later_run(
    camera: Cameras, tmp_path: Path, history: bool
) -> None:
    fetch(camera(store=card(OLD)), tmp_path, history=history)
    sim = camera(store=card(OLD, NEW))
    assert_whole(sim, fetch(sim, tmp_path, history=history))
    assert names(tmp_path) == NUMBERED


def test_a_raw_file_alone_does_not_lie_beside_the_jpeg_of_another_shot(
    camera: Cameras, tmp_path: Path
) -> None:
    fetch(camera(store=card(OLD)), tmp_path)
    fetch(camera(store=card(NEW)), tmp_path, formats="raw")
    assert names(tmp_path) == {"DSC_0001.JPG", "DSC_0001-1.NEF"}


def test_the_rest_of_a_shot_comes_beside_what_is_here(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(OLD, NEW))
    for kinds in ("raw", "jpeg", "all"):
        fetch(sim, tmp_path, formats=kinds)
    by_number = {name.replace("DSC_0001", "")[:2] for name in names(tmp_path) if ".XMP" not in name}
    assert len(names(tmp_path)) == 4
    assert by_number == {".N", ".J", "-1"} or by_number == {".J", "-1"}
    raw = next(name for name in names(tmp_path) if name.endswith(".NEF"))
    assert raw.replace(".NEF", ".XMP") in names(tmp_path)


def test_files_of_the_user_beside_a_shot_cost_it_no_number(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(NEW))
    fetch(sim, tmp_path, formats="raw")
    (tmp_path / "DSC_0001.tif").write_bytes(b"developed")
    fetch(sim, tmp_path)
    assert names(tmp_path) == {"DSC_0001.NEF", "DSC_0001.JPG", "DSC_0001.XMP", "DSC_0001.tif"}


def test_raw_and_jpeg_on_two_cards_are_one_shot(camera: Cameras, tmp_path: Path) -> None:
    store = Store(storages=2)
    for storage, ending in ((0x10001, "NEF"), (0x20001, "JPG")):
        dcim = store.add_folder("DCIM", storage_id=storage)
        for number, captured in ((100, JANUARY), (101, MARCH)):
            folder = store.add_folder(f"{number}N", parent=dcim)
            store.add(f"DSC_0001.{ending}", 3000, parent=folder, captured=captured)
    sim = camera(store=store)
    report = fetch(sim, tmp_path)
    by_date: dict[Any, set[str]] = {}
    for result in report.files:
        assert result.object is not None
        assert result.path is not None
        by_date.setdefault(result.object.captured, set()).add(result.path.stem)
    assert sorted(by_date.values(), key=str) == [{"DSC_0001"}, {"DSC_0001-1"}] or sorted(
        by_date.values(), key=str
    ) == [{"DSC_0001-1"}, {"DSC_0001"}]


def test_lists_of_a_card_with_one_stem_keep_their_names(camera: Cameras, tmp_path: Path) -> None:
    store = card(("CLIPINF", JANUARY, ["00000.CPI"]), ("PLAYLIST", MARCH, ["00000.MPL"]))
    fetch(camera(store=store), tmp_path)
    assert names(tmp_path) == {"00000.CPI", "00000.MPL"}


def test_thousands_of_one_name_need_no_search_for_each() -> None:
    shots, taken = Shots(), set()
    tries = 0

    def is_usable(name: str, info: ObjectInfo) -> bool:
        nonlocal tries
        tries += 1
        return name not in taken

    for handle in range(6000):
        info = ObjectInfo(handle, "DSC_0001.NEF", "DCIM/100N/DSC_0001.NEF", 1, 0x3000)
        number = shots.number(info, is_usable)
        taken.add(f"DSC_0001-{number}.NEF" if number else "DSC_0001.NEF")
    assert len(taken) == 6000
    assert tries <= 2 * 6000


def test_files_of_one_name_are_known_again_without_a_look_at_each(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, count = Store(seed=0), 300
    folder = store.add_folder("100N", parent=store.add_folder("DCIM"))
    for number in range(count):
        store.add("A.JPG", 30, parent=folder, captured=JANUARY + timedelta(seconds=number))
    sim = camera(store=store)
    assert fetch(sim, tmp_path).downloaded == count
    looks = 0
    verdict = Known.verdict

    def counted(*given: Any, **more: Any) -> bool | None:
        nonlocal looks
        looks += 1
        return verdict(*given, **more)

    monkeypatch.setattr(Known, "verdict", counted)
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.skipped) == (0, count)
    assert looks <= 3 * count


@pytest.mark.parametrize("first", ["the first", "the second"])
def test_two_runs_of_two_cameras_share_a_folder(
    camera: Cameras, tmp_path: Path, first: str
) -> None:
    """One run is held at its first byte until the other has planned the same names."""
    files = [f"DSC_{number:04d}.{ending}" for number in range(6) for ending in ("NEF", "JPG")]
    sims = [
        camera(store=card(("100N", JANUARY + timedelta(days=seed), files), seed=seed), seed=seed)
        for seed in (1, 2)
    ]
    both = threading.Barrier(2, timeout=20)

    class Meeting(Observer):
        def __init__(self) -> None:
            self.met = False

        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            if not self.met:
                self.met = True
                both.wait()

    reports: dict[int, Report] = {}

    def run(number: int) -> None:
        reports[number] = fetch(sims[number], tmp_path, observer=Meeting())

    threads = [threading.Thread(target=run, args=(number,)) for number in (0, 1)]
    for thread in threads if first == "the first" else reversed(threads):
        thread.start()
    for thread in threads:
        thread.join()
    for number in (0, 1):
        assert (reports[number].downloaded, reports[number].failed) == (12, 0)
        assert_whole(sims[number], reports[number])
        stems: dict[str, set[str]] = {}
        for result in reports[number].files:
            assert result.object is not None
            assert result.path is not None
            stems.setdefault(result.object.name[:8], set()).add(result.path.stem)
        assert all(len(found) == 1 for found in stems.values()), stems
    assert len(names(tmp_path)) == 24


def test_a_part_file_that_another_camera_writes_takes_the_name(
    camera: Cameras, tmp_path: Path
) -> None:
    """Both have planned before the first byte of either."""
    sims = [camera(store=card(("100N", JANUARY, ["A.NEF"]), seed=n), seed=n) for n in (1, 2)]
    others: list[Report] = []

    class Between(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            pass

        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if not inner.is_set():
                inner.set()
                waiting.wait(20)

    inner, waiting = threading.Event(), threading.Event()

    class Second(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            go.wait(20)

    go = threading.Event()
    second = threading.Thread(
        target=lambda: others.append(fetch(sims[1], tmp_path, observer=Second()))
    )
    first = threading.Thread(
        target=lambda: others.append(fetch(sims[0], tmp_path, observer=Between()))
    )
    second.start()
    first.start()
    assert inner.wait(20)
    go.set()
    second.join()
    waiting.set()
    first.join()
    assert [(report.downloaded, report.failed) for report in others] == [(1, 0), (1, 0)]
    assert names(tmp_path) == {"A.NEF", "A-1.NEF"}
