"""A disk that is too small takes all files that fit; one that says nothing sensible is tried."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conftest import PATIENT, Cameras
from ptpfast import Report, SinkError, pull
from ptpfast.cli.main import ptpfast
from ptpfast.library.plan import folder as folder_module
from ptpfast.library.plan.room import SPARE_SPACE
from ptpfast.library.report.observer import Observer
from ptpfast.library.report.results import Shortage
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.transfer import checkpoint

SMALL, LARGE = 20_000, 900_000
BLOCK = 4096
Disk = Callable[[Path, int], None]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Puts a folder on a disk with that much room, beyond what is spared, for all that is below."""

    def make(place: Path, size: int) -> None:
        def free(_: object) -> int:
            sizes = {}
            for _ in range(2):  # a file that is renamed during one pass is seen by the other
                for path in place.rglob("*"):
                    with suppress(FileNotFoundError):
                        name = str(path).removesuffix(".part")
                        sizes[name] = path.stat().st_size if path.is_file() else 0
            return size + SPARE_SPACE - sum(-(-each // BLOCK) * BLOCK for each in sizes.values())

        monkeypatch.setattr(folder_module.Folder, "free_space", free)

    return make


def card(*sizes: int) -> Store:
    store = Store()
    for number, size in enumerate(sizes):
        store.add(f"IMG_{number:04}.DNG", size)
    return store


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{sim.host}:{sim.port}", folder, **({"timeouts": PATIENT} | options))


def fetch_what_fits(sim: SimulatedCamera, folder: Path, **options: Any) -> tuple[SinkError, Report]:
    with pytest.raises(SinkError) as caught:
        fetch(sim, folder, **options)
    assert caught.value.errno in (errno.ENOSPC, errno.EDQUOT)
    report: Report = caught.value.report  # type: ignore[attr-defined]
    return caught.value, report


class Told(Observer):
    def __init__(self) -> None:
        self.shortages: list[Shortage] = []

    def short(self, shortage: Shortage) -> None:
        self.shortages.append(shortage)


def test_every_file_that_fits_is_fetched_in_one_run(
    camera: Cameras, disk: Disk, tmp_path: Path
) -> None:
    sim = camera(store=card(*[SMALL] * 200))
    each = -(-SMALL // BLOCK) * BLOCK
    disk(tmp_path, 150 * each + 100)
    told = Told()
    error, report = fetch_what_fits(sim, tmp_path, observer=told)
    assert (report.downloaded, report.remaining) == (150, 50)
    assert "150 of 200 files fit; 50 files need 1.0 MB" in error.message
    assert "IMG_0150.DNG, IMG_0151.DNG, IMG_0152.DNG and 47 more" in error.message
    last = told.shortages[-1]
    assert (last.fit, last.count, last.size) == (150, 200, 150 * SMALL)
    assert last.free - SPARE_SPACE == pytest.approx(150 * each, abs=300 * BLOCK)
    # The next one, with more room, fetches the rest.
    disk(tmp_path, 1 << 30)
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.skipped) == (50, 150)


def test_smaller_files_behind_one_without_room_are_fetched(
    camera: Cameras, disk: Disk, tmp_path: Path
) -> None:
    sim = camera(store=card(SMALL, LARGE, SMALL, LARGE, SMALL))
    disk(tmp_path, LARGE)
    _, report = fetch_what_fits(sim, tmp_path)
    names = [result.path.name for result in report.having("downloaded") if result.path]
    assert names == [f"IMG_000{number}.DNG" for number in (0, 2, 4)]
    assert sorted(os.listdir(tmp_path)) == names  # and no part file of the others


def test_file_comes_after_all_when_there_is_room_in_the_end(
    camera: Cameras, disk: Disk, tmp_path: Path
) -> None:
    sim = camera(store=card(SMALL, LARGE, SMALL))

    class Tidying(Observer):
        def finished(self, _: object) -> None:
            disk(tmp_path, 1 << 30)

    disk(tmp_path, LARGE)
    assert fetch(sim, tmp_path, observer=Tidying()).downloaded == 3


def test_copies_on_the_same_disk_need_room_too(camera: Cameras, disk: Disk, tmp_path: Path) -> None:
    sim = camera(store=card(*[LARGE] * 4))
    disk(tmp_path, 4 * LARGE + 8 * BLOCK)
    _, report = fetch_what_fits(sim, tmp_path / "a", copies=tmp_path / "b")
    assert (report.downloaded, report.copies("stored"), report.copies("failed")) == (2, 2, 0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_object_at_which_a_disk_was_full_ends_no_smaller_one(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real, tried = checkpoint.FileSink, []

    def full(*arguments: Any, size: int | None = None, **options: Any) -> Any:
        tried.append(size)
        if (size or 0) >= LARGE:
            raise SinkError("cannot reserve", errno=number)
        return real(*arguments, size=size, **options)

    monkeypatch.setattr(checkpoint, "FileSink", full)
    sim = camera(store=card(SMALL, LARGE, SMALL, LARGE + 1, SMALL))
    error, report = fetch_what_fits(sim, tmp_path)
    assert error.errno == number
    assert ("quota" if number == errno.EDQUOT else "is full") in error.message
    assert (report.downloaded, report.remaining) == (3, 2)
    assert tried == [SMALL, LARGE, SMALL, SMALL]  # no other as large


ZEROS = os.statvfs_result((0,) * 11)
ODD = {
    "all zeros": ZEROS,
    "no blocks, but sizes": os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255, 0)),
    "blocks of no bytes": os.statvfs_result((0, 0, 100, 0, 0, 0, 0, 0, 0, 255, 0)),
    "free blocks for nobody": os.statvfs_result((512, 512, 100, 50, 0, 0, 0, 0, 0, 255, 0)),
    "an error": OSError(errno.ENOSYS, "Function not implemented"),
}


@pytest.mark.parametrize("said", ODD)
def test_disk_that_does_not_tell_its_free_space_is_tried(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def statvfs(_: object) -> os.statvfs_result:
        if isinstance(answer := ODD[said], OSError):
            raise answer
        return answer

    monkeypatch.setattr(os, "statvfs", statvfs)
    sim = camera(store=card(SMALL, LARGE))
    report = fetch(sim, tmp_path / "a", copies=tmp_path / "b")
    assert report.ok
    assert (report.downloaded, report.copies("stored")) == (2, 2)


def test_block_size_is_taken_where_there_is_no_fragment_size(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = os.statvfs_result((4096, 0, 100, 10, 10, 0, 0, 0, 0, 255, 0))
    monkeypatch.setattr(os, "statvfs", lambda _: said)
    error, _ = fetch_what_fits(camera(store=card(SMALL)), tmp_path)
    assert "1 file needs 0.0 MB" in error.message


@pytest.mark.parametrize("json_lines", [False, True])
def test_command_says_how_many_files_fit_before_it_fetches_them(
    camera: Cameras, disk: Disk, tmp_path: Path, json_lines: bool
) -> None:
    sim = camera(store=card(SMALL, LARGE, SMALL))
    disk(tmp_path, 2 * LARGE // 3)
    words = ["pull", f"{sim.host}:{sim.port}", str(tmp_path)]
    done = CliRunner().invoke(ptpfast, words + ["--json"] * json_lines)
    assert done.exit_code == 6
    assert f"free in {tmp_path}: 2 of 3 files fit (40.0 kB)" in done.stderr
    assert done.stderr.index(" fit (") < done.stderr.index("IMG_0000.DNG  ")
    assert "(missing: IMG_0001.DNG)" in done.stderr
    if json_lines:
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        short = next(row for row in rows if row["type"] == "short")
        assert (short["folder"], short["fit"], short["count"]) == (str(tmp_path), 2, 3)
        assert [row["status"] for row in rows if row["type"] == "file"].count("unfinished") == 1
