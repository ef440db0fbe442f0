"""Every fault the simulated camera knows, in every place it fits: never a wrong file, never a hang.

The outcome of a run may be a report or an error of ours; what stands under a final name must be
right either way, and a run without the fault must finish the job.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ptpfast
from adversity import (
    LIES,
    READS,
    SHAPES,
    assert_finished_without,
    assert_right,
    cells,
    expected_files,
    outcome,
    pull,
    said,
    settled,
)
from conftest import Cameras
from ptpfast import OperationCode, PTPError
from ptpfast.session import persistence
from ptpfast.sim import KINDS, Fault
from ptpfast.sim.kinds import Stage

pytestmark = pytest.mark.matrix

SIZE = 400_000
PLACES = {
    Stage.INIT: [(None, None)],
    Stage.ANSWER: [(OperationCode.GetObjectInfo, None), (OperationCode.GetPartialObject, None)],
    Stage.BREAK: [(OperationCode.GetPartialObject, 150_000), (OperationCode.GetObjectInfo, None)],
    Stage.DATASET: [(OperationCode.GetObjectInfo, None), (OperationCode.GetDeviceInfo, None)],
    Stage.DATA: [(OperationCode.GetObject, 150_000), (OperationCode.GetPartialObject, 60_000)],
    Stage.RESPONSE: [(OperationCode.GetObject, None), (OperationCode.GetPartialObject, None)],
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


def faults() -> Iterator[Fault]:
    for name, kind in KINDS.items():
        for operation, after in PLACES[kind.stage]:
            yield Fault(name, operation=kind.operation or operation, after=after)
            if kind.operation:
                break


@pytest.mark.parametrize("fault", list(faults()), ids=str)
def test_no_fault_leaves_a_wrong_file_and_the_next_run_finishes(
    camera: Cameras, tmp_path: Path, fault: Fault
) -> None:
    sim = camera(objects=3, size=SIZE, faults=[fault])
    folder = tmp_path / "card"
    expected = expected_files(sim)
    chunk = 0 if fault.operation == OperationCode.GetObject else 100_000
    pull(sim, folder, fault=fault, chunk=chunk)
    if fault.kind in LIES:
        settled(sim)
        return
    assert_right(folder, expected)
    assert_finished_without(sim, folder, expected)


BEFORE = (
    *(OperationCode.OpenSession, OperationCode.GetDeviceInfo, OperationCode.GetStorageIDs),
    *(OperationCode.GetObjectHandles, OperationCode.CloseSession),
)


@pytest.mark.parametrize(("fault", "shape"), cells(READS, 60_000))
def test_a_fault_in_an_object_of_any_shape_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, fault: Fault, shape: str
) -> None:
    sim = camera(objects=2, size=200_000, faults=[fault], **SHAPES[shape])
    expected = expected_files(sim)
    whole = fault.operation == OperationCode.GetObject
    came = outcome(sim, pull(sim, tmp_path / "card", fault=fault, chunk=0 if whole else 100_000))
    assert sim.faults.fired
    assert came == said("object", fault, shape)
    assert_right(tmp_path / "card", expected)


def on_the_way() -> Iterator[Fault]:
    for name, kind in KINDS.items():
        if kind.operation is not None and kind.operation not in BEFORE:
            continue
        if kind.stage in (Stage.ANSWER, Stage.BREAK, Stage.RESPONSE):
            yield from (Fault(name, operation=operation) for operation in BEFORE)
        elif kind.stage is Stage.DATASET and kind.operation is None:
            yield from (Fault(name, operation=operation) for operation in BEFORE[1:4])


@pytest.mark.parametrize("fault", list(on_the_way()), ids=str)
def test_a_fault_in_any_other_operation_leaves_no_wrong_file_and_the_next_run_finishes(
    camera: Cameras, tmp_path: Path, fault: Fault
) -> None:
    sim = camera(objects=2, size=10_000, faults=[fault])
    expected = expected_files(sim)
    folder = tmp_path / "card"
    pull(sim, folder, fault=fault)
    assert sim.faults.fired
    assert_right(folder, expected)
    assert_finished_without(sim, folder, expected)


@pytest.mark.parametrize(
    "name",
    [
        *("../../evil", "/etc/evil", "a/../../evil", "..", ".", "", "\0", "a\0b", "a/b", "a\\b"),
        *(
            "CON",
            "nul.NEF",
            "x" * 250,
            "\x1b[31mred.NEF",
            "new\nline.NEF",
            "trailing. ",
            "~",
            "-rf",
        ),
        *("\N{RIGHT-TO-LEFT OVERRIDE}FEN.exe", "e\N{COMBINING ACUTE ACCENT}.NEF", "\ud800.NEF"[1:]),
    ],
    ids=ascii,
)
def test_no_name_of_the_camera_leaves_the_folder(
    camera: Cameras, tmp_path: Path, name: str
) -> None:
    sim = camera(objects=1, size=1000, faults=[Fault("name", name, times=0)])
    folder = tmp_path / "deep" / "card"
    report = pull(sim, folder)
    assert isinstance(report, (ptpfast.Report, PTPError))
    everything = [p for p in tmp_path.rglob("*") if not p.is_dir()]
    assert all(p.parent == folder for p in everything)
    assert all(p.name.isprintable() and not p.name.startswith(".") for p in everything)
    if isinstance(report, ptpfast.Report) and report.ok:
        assert len(everything) == 1
