"""Two cards with the same pictures: one of them is fetched."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conftest import PATIENT, Cameras
from ptpfast import OperationCode, Report, pull
from ptpfast.cli.main import ptpfast
from ptpfast.sim import SimulatedCamera, Store

NOON = datetime(2026, 1, 2, 12, 0, 0)
SIZE = 40_000


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


def content(number: int, card: int = 0) -> bytes:
    return bytes([number, card]) * (SIZE // 2)


def mirrored(
    count: int = 6, *, differs: int = -1, dated: bool = True, compressed: bool = False
) -> Store:
    """Two cards with the same descriptions; one picture may have different bytes. compressed: each
    has a size of its own."""
    store = Store(storages=2)
    for card, storage in enumerate((0x10001, 0x20001)):
        dcim = store.add_folder("DCIM", storage_id=storage)
        folder = store.add_folder("100TEST", parent=dcim)
        for number in range(count):
            captured = NOON + timedelta(minutes=number) if dated else None
            data = content(number, card if number == differs else 0)
            data += bytes(number if compressed else 0)
            store.add(f"DSC_{number:04d}.NEF", data, parent=folder, captured=captured)
    return store


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".")


ALL = [f"DSC_{number:04d}.NEF" for number in range(6)]


@pytest.mark.parametrize("order", ["listed", "oldest", "newest"])
def test_the_pictures_of_a_mirrored_card_are_fetched_once(
    camera: Cameras, tmp_path: Path, order: str
) -> None:
    sim = camera(store=mirrored())
    for run in range(2):
        report = fetch(sim, tmp_path, order=order)
        assert (report.downloaded, report.mirrored) == (0 if run else 6, 6)
        assert report.ok
        assert names(tmp_path) == ALL
    assert all(
        result.object.storage_id == 0x20001
        for result in report.files
        if result.mirrored and result.object
    )
    assert {result.reason for result in report.files if result.mirrored} == {
        "card 1 has the same picture"
    }


def test_a_mirror_is_said_once(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=mirrored())
    words = ["pull", f"{sim.host}:{sim.port}", str(tmp_path)]
    first = CliRunner().invoke(ptpfast, words)
    assert first.stdout.startswith("6 files downloaded")
    assert "; 6 on card 2 are mirrored" in first.stdout
    assert "skipped" not in first.output
    again = CliRunner().invoke(ptpfast, words)
    assert again.stdout == ("Up to date: all 6 files are already here; 6 on card 2 are mirrored\n")
    lines = CliRunner().invoke(ptpfast, [*words, "--json"]).stdout.splitlines()
    assert json.loads(lines[-1])["mirrored"] == 6


def test_one_card_of_a_mirror_can_be_chosen(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=mirrored())
    report = fetch(sim, tmp_path, storage=2)
    assert (report.downloaded, report.mirrored) == (6, 0)


@pytest.mark.parametrize("differs", [0, 1, 2, 3, 5])
def test_cards_that_differ_in_a_sample_are_no_mirrors(
    camera: Cameras, tmp_path: Path, differs: int
) -> None:
    sim = camera(store=mirrored(differs=differs))
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.mirrored) == (12, 0)
    both = {path.read_bytes() for path in tmp_path.glob(f"DSC_{differs:04d}*")}
    assert both == {content(differs, 0), content(differs, 1)}


def test_only_a_few_twins_of_different_sizes_are_compared(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=mirrored(20, compressed=True))
    fetch(sim, tmp_path)
    before = sim.operations[OperationCode.GetPartialObject]
    fetch(sim, tmp_path)
    assert sim.operations[OperationCode.GetPartialObject] - before == 6


def test_pictures_without_a_date_are_no_twins(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=mirrored(2, dated=False))
    assert fetch(sim, tmp_path).downloaded == 4


def test_without_partial_reads_there_is_no_mirror(camera: Cameras, tmp_path: Path) -> None:
    fault = "respond=0x2005 on GetPartialObject times 0"
    sim = camera(store=mirrored(2), faults=[fault])
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.mirrored) == (4, 0)


def test_a_picture_that_fails_on_one_card_comes_from_the_other(
    camera: Cameras, tmp_path: Path
) -> None:
    store = mirrored()
    bad = store.files()[5].handle
    sim = camera(
        store=store, faults=[f"respond=0x200F on GetPartialObject handle {bad:#010x} times 0"]
    )
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.failed, report.mirrored) == (6, 1, 5)
    assert names(tmp_path) == ALL or "DSC_0005.NEF" not in names(tmp_path)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {content(n) for n in range(6)}


def test_a_mirrored_picture_is_not_deleted(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=mirrored(2))
    report = fetch(sim, tmp_path, delete_verified=True)
    assert (report.deleted, report.left) == (2, 2)
    assert {stored.storage_id for stored in sim.store.files()} == {0x20001}
    assert {result.left for result in report.files if result.left} == {
        "card 1 has the same picture"
    }


def test_a_dry_run_counts_a_mirror_and_fetches_nothing(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=mirrored())
    report = fetch(sim, tmp_path / "in", dry_run=True)
    assert (report.count("planned"), report.mirrored) == (6, 6)
    assert report.ok
    assert not (tmp_path / "in").exists()


def test_new_takes_nothing_from_the_mirror_of_what_was_fetched(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=mirrored())
    fetch(sim, tmp_path / "one")
    report = fetch(sim, tmp_path / "two", new=True)
    assert (report.downloaded, report.fetched_before, report.mirrored) == (0, 6, 6)
