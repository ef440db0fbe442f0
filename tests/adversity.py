"""What the matrices of faults have in common: the cells, a run through one, and what it came to."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import HASTY, without_pauses
from outcomes import AGAIN, ASIDE, UNSEEN, cells_of
from ptpfast import OperationCode, PTPError, Session, Timeouts
from ptpfast.sim import KINDS, Content, Fault, SimulatedCamera, check
from ptpfast.sim.kinds import Stage
from ptpfast.vendors import Vendor

# Data phases as cameras send them: packets of any size, cut anywhere, the total told or not.
SHAPES: dict[str, dict[str, Any]] = {
    "small packets": {"data_packet_size": 512, "end_data": "last"},
    "one packet": {"end_data": "whole"},
    "fragments": {"max_bytes_per_send": 1461},
    "no total": {"announce_total": False},
    "Nikon": {"vendor": "nikon"},
}
# What comes instead of a data phase has no shape: such a fault has a cell in the first one only.
SHAPELESS = (Stage.ANSWER,)
# Requests outstanding at a time: every shape with one of them, and with one number that is more.
DEPTHS = {1: [*SHAPES], 2: ["small packets", "no total"], 16: ["one packet", "fragments", "Nikon"]}
IN_AN_OPERATION = (Stage.ANSWER, Stage.BREAK, Stage.DATA, Stage.RESPONSE)
# Where nothing but silence tells that something is wrong, too little patience costs one more try at
# most; elsewhere a loaded machine could be taken for a silent one.
SILENT = {"no_answer", "stall", "black_hole", "no_response", "response_tid_zero"}
IMPATIENT = Timeouts(connect=2, operation=0.3, idle=0.3, close=0.2)


def cells(
    operations: Iterable[int],
    after: int | None,
    *,
    stages: Container[Stage] = IN_AN_OPERATION,
    shapes: Iterable[str] = SHAPES,
    skip: Container[str] = (),
    **more: Any,
) -> list[Any]:
    """Every fault there is for an operation, with every shape: parameters `fault` and `shape`.
    after: where in the payload it strikes; more: as `Fault` has it."""
    shapes, found = list(shapes), []
    for operation in operations:
        for name, kind in KINDS.items():
            if kind.stage not in stages or name in skip:
                continue
            if kind.operation not in (None, operation):
                continue
            inside = kind.stage in (Stage.BREAK, Stage.DATA)
            fault = Fault(name, operation=operation, after=after if inside else None, **more)
            fitting = shapes[:1] if kind.stage in SHAPELESS else shapes
            found += [pytest.param(fault, shape, id=f"{fault}, {shape}") for shape in fitting]
    return found


def at_depths(operation: int, after: int, depths: Iterable[int], **more: Any) -> list[Any]:
    """`cells` with the number of requests outstanding: parameters `fault`, `shape` and `depth`."""
    return [
        pytest.param(*cell.values, depth, id=f"{cell.id}, {depth} at a time")
        for depth in depths
        for cell in cells([operation], after, shapes=DEPTHS[depth], **more)
    ]


def said(situation: str, fault: Fault, shape: str = "", depth: int = 1) -> str:
    """What outcomes.toml says becomes of a fault."""
    holds = {shape, operation_name(fault), "sent ahead" * (depth > 1), "first" * (fault.at == 1)}
    of_situation = [cell for cell in cells_of(fault.kind) if cell.situation == situation]
    outcomes = [cell.outcome for cell in of_situation if cell.conditions <= holds]
    return outcomes[-1] if outcomes else f"no cell {situation} in [{fault.kind}]"


def operation_name(fault: Fault) -> str:
    """That of the operation it strikes in; '' for a vendor's."""
    known = fault.operation in list(OperationCode)
    return OperationCode(fault.operation).name if known else ""


def hasten(session: Session, fault: Fault | None) -> Session:
    """Has an open session wait no longer for anything than this fault makes worth while."""
    if fault is not None and fault.kind in SILENT:
        session.link.connection.timeouts = IMPATIENT
    return session


def pull(
    sim: SimulatedCamera,
    folder: Path,
    *,
    fault: Fault | None = None,
    depth: int = 1,
    vendor: str | Vendor = "standard",
    timeouts: Timeouts = HASTY,
    **options: Any,
) -> ptpfast.Report | PTPError:
    """A run; the error that has ended it, if one has."""
    try:
        with ptpfast.connect(
            sim.host,
            port=sim.port,
            vendor=without_pauses(vendor),
            timeouts=timeouts,
            depth=depth,
        ) as session:
            return ptpfast.pull(hasten(session, fault), folder, **options)
    except PTPError as error:
        return error


def finished_files(folder: Path) -> list[Path]:
    """Those under their final names."""
    if not folder.exists():
        return []
    return [path for path in folder.iterdir() if ".part" not in path.name and path.name[0] != "."]


def expected_files(sim: SimulatedCamera) -> dict[str, Content]:
    """What a copy of the card must be."""
    return {item.name: sim.store.expected(item.handle) for item in sim.store.files()}


def assert_right(folder: Path, expected: Mapping[str, Content]) -> None:
    """Every finished file is the object of its name, byte for byte."""
    for path in finished_files(folder):
        assert check(expected[path.name], path), f"{path.name} is wrong"


def outcome(sim: SimulatedCamera, report: ptpfast.Report | PTPError) -> str:
    """What a run came to, in one of the words of `outcomes` if one of them fits."""
    if isinstance(report, PTPError):
        return f"{type(report).__name__}: {report}"
    again = sim.connections > 1
    if report.ok:
        return AGAIN if again else UNSEEN
    alone = report.failed == 1 and report.downloaded == report.objects - 1
    return ASIDE if alone and not again else f"failed: {report.failed}, again: {again}"


def settled(sim: SimulatedCamera) -> None:
    """The camera behaves from now on, and has noticed that earlier sessions are over."""
    sim.faults.clear()
    assert sim.wait_for(
        lambda: sim.sessions_opened == sim.sessions_closed + sim.unclean_ends, timeout=10
    )


def assert_finished_without(
    sim: SimulatedCamera, folder: Path, expected: Mapping[str, Content], **options: Any
) -> None:
    """A run without the fault leaves the whole card in the folder, and no parts."""
    settled(sim)
    report = pull(sim, folder, **options)
    assert isinstance(report, ptpfast.Report), report
    assert report.ok, report.files
    assert {path.name for path in finished_files(folder)} == set(expected)
    assert_right(folder, expected)
    assert not list(folder.glob("*.part*"))


# What a fault says of the object is then what the object is: such a file is not compared.
LIES = {"object_size", "name", "parent", "vanish"}
READS = (OperationCode.GetObject, OperationCode.GetPartialObject)
