"""`SHA256SUMS` stays true of files that a run stores, also where the run has no manifest."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras
from ptpfast import SinkError, pull
from ptpfast.library.keep import listed as listed_module
from ptpfast.library.keep.manifest import Manifest
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.transfer import Download

SUMS = "SHA256SUMS"
NAME = "A.NEF"


@pytest.fixture
def sim(camera: Cameras) -> SimulatedCamera:
    store = Store()
    store.add(NAME, 100_000)
    store.add("B.NEF", 100_000)
    return camera(store=store)


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Any:
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


def listed(folder: Path) -> dict[str, str]:
    lines = (folder / SUMS).read_text().splitlines()
    return {line[66:]: line[:64] for line in lines}


def assert_true(folder: Path) -> None:
    for name, sha256 in listed(folder).items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name


def take_another(sim: SimulatedCamera, name: str = NAME) -> None:
    """Another picture of that name is on the card."""
    for stored in sim.store.files():
        if stored.name == name:
            sim.store.delete(stored.handle)
    sim.store.add(name, 120_000, captured=datetime(2026, 6, 6))


@pytest.mark.parametrize(
    "options", [{}, {"verify": "hash"}, {"verify": "hash", "algorithm": "xxh3"}]
)
def test_the_line_of_a_replaced_file_is_renewed(
    sim: SimulatedCamera, tmp_path: Path, options: dict[str, Any]
) -> None:
    if options.get("algorithm"):
        pytest.importorskip("xxhash")
    fetch(sim, tmp_path, manifest=True)
    take_another(sim)
    assert fetch(sim, tmp_path, on_conflict="overwrite", **options).downloaded == 1
    assert_true(tmp_path)
    assert sorted(listed(tmp_path)) == [NAME, "B.NEF"]


@pytest.mark.parametrize("spelling", ["./A.NEF", "A.NEF\r"])
def test_so_is_a_line_that_another_program_wrote(
    sim: SimulatedCamera, tmp_path: Path, spelling: str
) -> None:
    fetch(sim, tmp_path)
    sha256 = hashlib.sha256((tmp_path / NAME).read_bytes()).hexdigest()
    (tmp_path / SUMS).write_bytes(f"{sha256} *{spelling}\n# other text\n".encode())
    take_another(sim)
    fetch(sim, tmp_path, on_conflict="overwrite")
    sha256 = hashlib.sha256((tmp_path / NAME).read_bytes()).hexdigest()
    assert (tmp_path / SUMS).read_text() == f"# other text\n{sha256}  {NAME}\n"


def test_a_file_in_the_place_of_a_missing_one_is_not_called_by_its_checksum(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    fetch(sim, tmp_path, manifest=True)
    (tmp_path / NAME).unlink()
    take_another(sim)
    fetch(sim, tmp_path)
    assert_true(tmp_path)


def test_a_list_in_a_folder_of_copies_stays_true(sim: SimulatedCamera, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    fetch(sim, other, manifest=True)
    (other / NAME).unlink()
    take_another(sim)
    assert fetch(sim, one, copies=[other]).copies("stored") == 1
    assert_true(other)
    assert NAME in listed(other)


def test_the_disk_of_copies_is_not_blamed_for_a_replaced_file(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    fetch(sim, tmp_path / "one", manifest=True)
    take_another(sim)
    fetch(sim, tmp_path / "one", on_conflict="overwrite")
    assert fetch(sim, tmp_path / "one", copies=[tmp_path / "other"]).ok


@pytest.mark.parametrize("manifest", [False, True])
def test_a_run_that_is_killed_after_a_file_was_replaced_leaves_no_wrong_line(
    sim: SimulatedCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: bool
) -> None:
    fetch(sim, tmp_path, manifest=True)
    take_another(sim)
    original = Download.finish
    seen: list[dict[str, str]] = []

    def finish(download: Download) -> Any:
        done = original(download)
        seen.append(listed(tmp_path))  # what a kill would leave
        return done

    monkeypatch.setattr(Download, "finish", finish)
    fetch(sim, tmp_path, on_conflict="overwrite", manifest=manifest)
    assert [list(lines) for lines in seen] == [["B.NEF"]]


def test_the_line_of_a_file_that_was_not_replaced_stays(
    sim: SimulatedCamera, tmp_path: Path
) -> None:
    fetch(sim, tmp_path, manifest=True)
    before = listed(tmp_path)
    take_another(sim)
    sim.faults.add("respond=0x2002 on GetPartialObject times 0")
    sim.faults.add("respond=0x2002 on GetObject times 0")
    assert fetch(sim, tmp_path, on_conflict="overwrite").failed == 1
    assert listed(tmp_path) == before


@pytest.mark.parametrize("on", ["read", "write"])
def test_a_list_that_cannot_be_kept_true_is_said(
    sim: SimulatedCamera,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    on: str,
) -> None:
    fetch(sim, tmp_path, manifest=True)
    take_another(sim)

    class Refusing(Manifest):
        def __init__(self, path: Path) -> None:
            if on == "read":
                raise SinkError(f"cannot read {path}", errno=5)
            super().__init__(path)

        def write(self, held: Any = None) -> None:
            raise SinkError(f"cannot write {self.path}", errno=5)

    monkeypatch.setattr(listed_module, "Manifest", Refusing)
    assert fetch(sim, tmp_path, on_conflict="overwrite").downloaded == 1
    assert f"cannot {on} {tmp_path / SUMS}" in caplog.text


def test_a_folder_without_a_list_gets_none(sim: SimulatedCamera, tmp_path: Path) -> None:
    fetch(sim, tmp_path)
    take_another(sim)
    fetch(sim, tmp_path, on_conflict="overwrite", copies=[tmp_path / "copies"])
    assert not list(tmp_path.rglob(SUMS))
