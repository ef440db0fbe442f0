"""Objects that the camera describes as 0 bytes: empty files, and those it refuses to send."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Cameras
from outcomes import finished_files, pull
from ptpfast import Report
from ptpfast.sim import SimulatedCamera, Store

REFUSALS = ["0x2002", "0x2006", "0x2009", "0x200F", "0x201D", "0xA001"]


def card() -> tuple[Store, int]:
    """A picture, an object of no bytes, a picture."""
    store = Store()
    store.add("A.NEF", 40_000)
    empty = store.add("B.JPG", 0)
    store.add("C.NEF", 40_000)
    return store, empty


def refusing(camera: Cameras, code: str) -> SimulatedCamera:
    store, empty = card()
    faults = [
        f"respond={code} on {operation} handle 0x{empty:08X} times 0"
        for operation in ("GetObject", "GetPartialObject")
    ]
    return camera(store=store, faults=faults)


@pytest.mark.parametrize("code", REFUSALS)
def test_an_object_of_no_bytes_that_is_refused_is_skipped_with_the_reason(
    camera: Cameras, tmp_path: Path, code: str
) -> None:
    sim = refusing(camera, code)
    for _ in range(2):  # and so in every run
        report = pull(sim, tmp_path)
        assert isinstance(report, Report)
        assert report.ok
        (result,) = [each for each in report.files if each.size == 0]
        assert (result.status, result.path, result.error) == ("skipped", None, None)
        assert result.reason.startswith("the camera reports 0 bytes and does not send it")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.NEF", "C.NEF"]


def test_an_object_of_no_bytes_that_is_refused_is_never_deleted(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = refusing(camera, "0x2002")
    report = pull(sim, tmp_path, delete_verified=True)
    assert isinstance(report, Report)
    assert report.ok
    assert [stored.name for stored in sim.store.files()] == ["B.JPG"]
    (kept,) = [result for result in report.files if result.left]
    assert kept.left == kept.reason
    assert not kept.deleted


def test_an_object_of_no_bytes_that_is_sent_is_an_empty_file(
    camera: Cameras, tmp_path: Path
) -> None:
    report = pull(camera(store=card()[0]), tmp_path)
    assert isinstance(report, Report)
    assert report.downloaded == 3
    assert (tmp_path / "B.JPG").read_bytes() == b""


@pytest.mark.parametrize("code", ["0x2019", "0x2013"])
def test_an_answer_that_says_nothing_of_the_object_leaves_it_failed(
    camera: Cameras, tmp_path: Path, code: str
) -> None:
    report = pull(refusing(camera, code), tmp_path)
    assert not (isinstance(report, Report) and report.ok)
    assert "B.JPG" not in {path.name for path in finished_files(tmp_path)}


def test_a_picture_with_bytes_that_is_refused_has_failed(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2, faults=["respond=0x2002 on GetPartialObject at 1 times 0"])
    report = pull(sim, tmp_path)
    assert isinstance(report, Report)
    assert report.failed == 2
