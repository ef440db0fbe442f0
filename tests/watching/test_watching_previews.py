"""`watch(preview=…)`: the previews of new RAW files, before any of these files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at
from conftest import PATIENT, Cameras, Sessions
from ptpfast import EventCode, ShotPreview, SinkError
from ptpfast.cli.output import Output
from ptpfast.cli.watch import Teller
from ptpfast.cli.watch_line import WatchLine
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import BytesContent
from raw_files import KINDS
from watched import Statuses, assert_each_once, contents, hurried, start, take

MADE = KINDS["nef"]()
RAW = MADE.content + bytes(2_000_000)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)


@pytest.fixture
def sim(camera: Cameras) -> SimulatedCamera:
    return camera(store=Store())


def shoot(sim: SimulatedCamera, names: list[str], content: bytes = RAW) -> list[int]:
    """New files, and the events that tell of them."""
    handles = [sim.store.add(name, BytesContent(content)) for name in names]
    for handle in handles:
        sim.push_event(EventCode.ObjectAdded, handle)
    return handles


def told_in_order(session: ptpfast.Session | str, folder: Path, **more: Any) -> Any:
    """A watch, its statuses, and what it has told: names of previews and of finished files."""
    told: list[str] = []

    class Finished(ptpfast.Observer):
        def finished(self, result: ptpfast.FileResult) -> None:
            assert result.object is not None
            told.append(result.object.name)

    def preview(shown: ShotPreview) -> None:
        assert shown.path.read_bytes() == MADE.preview
        told.append(shown.path.name)

    statuses = Statuses()
    more |= {"on_status": statuses, "on_preview": preview, "observer": Finished()}
    return start(session, folder / "in", preview=folder / "previews", **more), statuses, told


def test_previews_of_a_burst_come_before_the_first_of_its_files(
    sim: SimulatedCamera, connect: Sessions, tmp_path: Path
) -> None:
    sim.store.add("OLD.NEF", BytesContent(RAW))
    shots, statuses, told = told_in_order(connect(sim), tmp_path)
    with shots:
        take(shots, 1)
        statuses.wait_for("watching")
        shoot(sim, ["A.NEF", "B.NEF"])
        take(shots, 2)
    assert [path.name for path in (tmp_path / "previews").iterdir()].count("OLD.NEF.jpg") == 0
    assert told.index("A.NEF.jpg") < told.index("A.NEF")
    assert told.index("B.NEF.jpg") < told.index("B.NEF")
    assert sorted(told) == ["A.NEF", "A.NEF.jpg", "B.NEF", "B.NEF.jpg", "OLD.NEF"]
    assert_each_once(tmp_path / "in", contents(sim))


def test_file_without_a_preview_is_downloaded_all_the_same(
    sim: SimulatedCamera, connect: Sessions, tmp_path: Path
) -> None:
    shots, statuses, told = told_in_order(connect(sim), tmp_path)
    with shots:
        statuses.wait_for("watching")
        shoot(sim, ["A.NEF", "A.JPG"], b"neither RAW nor JPEG" * 1000)
        take(shots, 2)
    assert sorted(told) == ["A.JPG", "A.NEF"]
    assert not (tmp_path / "previews").exists()


@pytest.mark.parametrize("fault", ["drop", "respond=0x2002", "cut_data=10", "length=7"])
def test_preview_that_fails_costs_nothing_but_the_preview(
    sim: SimulatedCamera, connect: Sessions, tmp_path: Path, fault: str
) -> None:
    shots, statuses, told = told_in_order(connect(sim), tmp_path)
    with shots:
        statuses.wait_for("watching")
        sim.faults.add(f"{fault} on GetPartialObject")
        shoot(sim, ["A.NEF"])
        take(shots, 1)
    assert told[-1] == "A.NEF"
    assert_each_once(tmp_path / "in", contents(sim))


def test_camera_without_partial_reads_is_not_asked_for_whole_files(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=Store(), withheld=[ptpfast.OperationCode.GetPartialObject])
    shots, statuses, told = told_in_order(connect(sim), tmp_path)
    with shots:
        statuses.wait_for("watching")
        shoot(sim, ["A.NEF"])
        take(shots, 1)
    assert told == ["A.NEF"]
    assert sim.operations[ptpfast.OperationCode.GetObject] == 1


def test_preview_is_read_once_and_again_for_another_file_of_its_name(
    sim: SimulatedCamera, connect: Sessions, tmp_path: Path
) -> None:
    shots, statuses, told = told_in_order(connect(sim), tmp_path, keep_folders=True)
    with shots:
        statuses.wait_for("watching")
        folder = sim.store.add_folder("100TEST", parent=sim.store.add_folder("DCIM"))
        handle = sim.store.add("A.NEF", BytesContent(RAW), parent=folder)
        sim.push_event(EventCode.ObjectAdded, handle)
        take(shots, 1)
        sim.drop_connections()
        statuses.wait_for("away")
        shoot(sim, ["B.NEF"])
        take(shots, 1)
    assert (tmp_path / "previews" / "DCIM" / "100TEST" / "A.NEF.jpg").is_file()
    assert told.count("A.NEF.jpg") == 1


def test_previews_that_cannot_be_stored_end_the_watch(
    sim: SimulatedCamera, connect: Sessions, tmp_path: Path
) -> None:
    shots, statuses, _ = told_in_order(connect(sim), tmp_path)
    with shots:
        statuses.wait_for("watching")
        (tmp_path / "previews").write_text("a file")
        shoot(sim, ["A.NEF"])
        with pytest.raises(SinkError, match="previews"):
            next(shots)
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError):
        ptpfast.watch(at(sim), tmp_path / "in", preview=tmp_path / "file", timeouts=PATIENT)


def test_command_tells_of_each_preview_in_a_line_and_a_record(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said: list[str] = []
    teller = Teller(Output("watch", json=True), ["a"], WatchLine(["a"]), said.append)
    info = ptpfast.ObjectInfo(1, "A.NEF", "DCIM/A.NEF", 2, 0x3000)
    teller.preview(ShotPreview(tmp_path / "A.NEF.jpg", info))
    row = json.loads(capsys.readouterr().out)
    assert (row["type"], row["camera"], row["object"]["path"]) == ("preview", "a", "DCIM/A.NEF")
    assert row["file"] == str(tmp_path / "A.NEF.jpg")
    assert said == ["A.NEF.jpg  preview"]


def test_a_preview_never_replaces_a_file_of_that_name(
    sim: SimulatedCamera, connect: Sessions, tmp_path: Path
) -> None:
    previews = tmp_path / "previews"
    previews.mkdir()
    (previews / "A.NEF.jpg").write_bytes(b"somebody's own")
    (previews / "B.NEF.jpg").write_bytes(MADE.preview)  # of an earlier watch
    (previews / "C.NEF.jpg").symlink_to(tmp_path / "nowhere")
    shots, statuses, told = told_in_order(connect(sim), tmp_path)
    with shots:
        statuses.wait_for("watching")
        shoot(sim, ["A.NEF", "B.NEF", "C.NEF"])
        take(shots, 3)
    assert (previews / "A.NEF.jpg").read_bytes() == b"somebody's own"
    assert (previews / "C.NEF.jpg").is_symlink()
    assert not (tmp_path / "nowhere").exists()
    kept = {"A.NEF.jpg", "A.NEF_2.jpg", "B.NEF.jpg", "C.NEF.jpg", "C.NEF_2.jpg"}
    assert {path.name for path in previews.iterdir()} == kept
    assert {"A.NEF_2.jpg", "B.NEF.jpg", "C.NEF_2.jpg"} < set(told)
