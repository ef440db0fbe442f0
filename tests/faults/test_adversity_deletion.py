"""Every fault on the way to a deletion: nothing goes that is not proven, nothing proven is lost.

At the moment the camera deletes an object its file is here, right to the last byte, and the journal
says `proven`. Each fault comes to what is said of it, and a run without the fault empties the card.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import ptpfast
from adversity import (
    IN_AN_OPERATION,
    READS,
    SHAPES,
    assert_right,
    cells,
    expected_files,
    finished_files,
    pull,
    said,
    settled,
)
from conftest import Cameras
from ptpfast import OperationCode, PTPError
from ptpfast.library.keep.deletion_journal import JOURNAL_NAME
from ptpfast.session import persistence
from ptpfast.sim import AT_END, Content, Fault, SimulatedCamera, check
from ptpfast.sim.kinds import Stage

pytestmark = pytest.mark.matrix

FIRST = 0x00040003  # the handle of the first file; two folders come before
SIZE, CHUNK = 20_000, 12_000
INSIDE = 5000


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)


def proven(folder: Path) -> set[str]:
    """The names the journal has a proof of."""
    try:
        lines = (folder / JOURNAL_NAME).read_text().splitlines()
    except FileNotFoundError:
        return set()
    entries = [json.loads(line) for line in lines]
    return {entry["file"] for entry in entries if entry["what"] == "proven"}


@pytest.fixture
def unproven(monkeypatch: pytest.MonkeyPatch) -> Callable[[SimulatedCamera, Path], list[str]]:
    """Has the camera look, before it deletes an object, whether it may: those it may not."""

    def watch(sim: SimulatedCamera, folder: Path) -> list[str]:
        wrong: list[str] = []
        delete = sim.store.delete

        def watched(handle: int) -> bool:
            name, content = sim.store.get(handle).name, sim.store.expected(handle)
            path = folder / name
            if name not in proven(folder) or not path.exists() or not check(content, path):
                wrong.append(name)
            return delete(handle)

        monkeypatch.setattr(sim.store, "delete", watched)
        return wrong

    return watch


Watch = Callable[[SimulatedCamera, Path], list[str]]


def delete(sim: SimulatedCamera, folder: Path, fault: Fault | None = None) -> str:
    """A run that deletes, and what it says it came to."""
    whole = fault is not None and fault.operation == OperationCode.GetObject
    before = sim.connections
    report = pull(sim, folder, fault=fault, chunk=0 if whole else CHUNK, delete_verified=True)
    if isinstance(report, PTPError):
        return f"{type(report).__name__}: {report}"
    again = ", connected again" if sim.connections > before + 1 else ""
    reasons = [result.left or result.reason for result in report.files if not result.deleted]
    return f"{report.deleted} deleted{again}{''.join(f'; {reason}' for reason in reasons)}"


def assert_empties_the_card(
    sim: SimulatedCamera, folder: Path, expected: dict[str, Content]
) -> None:
    """A run without the fault has deleted all there was, and all there was is here."""
    settled(sim)
    came = delete(sim, folder)
    assert not sim.store.files(), came
    assert {path.name for path in finished_files(folder)} == set(expected)
    assert_right(folder, expected)


def assert_deletes(
    sim: SimulatedCamera, folder: Path, unproven: Watch, fault: Fault, what: str
) -> None:
    """A run with the fault comes to what is said, the next one to an empty card; nothing is deleted
    before it is proven."""
    expected, wrong = expected_files(sim), unproven(sim, folder)
    came = delete(sim, folder, fault)
    assert sim.faults.fired
    assert came == what
    assert not wrong
    assert_empties_the_card(sim, folder, expected)
    assert not wrong


# After a lost answer it is looked whether the object is gone. One that a camera says it has deleted
# and has not is there in the next run. There is no object of handle 0 to be deleted instead or too.
DELETE = partial(cells, [OperationCode.DeleteObject], shapes=["one packet"], handle=FIRST)


@pytest.mark.parametrize(
    ("fault", "shape"),
    [
        *DELETE(None, stages=(Stage.ANSWER, Stage.BREAK, Stage.RESPONSE)),
        *DELETE(0, stages=(Stage.BREAK,)),  # when it is done
        *DELETE(AT_END, stages=(Stage.BREAK,)),
    ],
)
def test_a_fault_in_a_deletion_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, unproven: Watch, fault: Fault, shape: str
) -> None:
    sim = camera(objects=2, size=SIZE, faults=[fault], **SHAPES[shape])
    assert_deletes(sim, tmp_path, unproven, fault, said("deletion", fault, shape))


@pytest.mark.parametrize(
    ("fault", "shape"),
    cells(
        [OperationCode.GetObjectInfo],
        60,
        stages=(*IN_AN_OPERATION, Stage.DATASET),
        shapes=["small packets", "one packet", "no total"],
        skip={"vanish"},
        handle=FIRST,
        at=2,
    ),
)
def test_a_fault_in_the_look_before_a_deletion_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, unproven: Watch, fault: Fault, shape: str
) -> None:
    sim = camera(objects=2, size=SIZE, faults=[fault], **SHAPES[shape])
    assert_deletes(sim, tmp_path, unproven, fault, said("look", fault, shape))


PARTIAL = OperationCode.GetPartialObject


@pytest.mark.parametrize(
    ("fault", "shape"),
    cells(READS, INSIDE, shapes=["small packets", "no total"], skip={"vanish"}, handle=FIRST)
    # The second partial read: the first one looks where the object ends.
    + cells([PARTIAL], INSIDE, shapes=["small packets"], skip={"vanish"}, handle=FIRST, at=2),
)
def test_a_fault_in_the_proof_of_a_file_that_was_here_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, unproven: Watch, fault: Fault, shape: str
) -> None:
    sim = camera(objects=2, size=SIZE, **SHAPES[shape])
    expected, wrong = expected_files(sim), unproven(sim, tmp_path)
    assert isinstance(pull(sim, tmp_path), ptpfast.Report)
    settled(sim)
    sim.faults.add(fault)
    came = delete(sim, tmp_path, fault).partition(":")[0]
    assert sim.faults.fired
    assert came == said("proof", fault, shape)
    assert not wrong
    assert_empties_the_card(sim, tmp_path, expected)
    assert not wrong
