"""What a run with a camera that misbehaves comes to, by name, and whether its files are right.

What becomes of each fault in each situation is in outcomes.toml.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import ptpfast
from conftest import HASTY, without_pauses
from ptpfast import PTPError, Timeouts
from ptpfast.sim import SimulatedCamera, check

# Nothing is seen of it; the connection is made again and the object goes on; one object is set
# aside, with the reason, and the rest arrives.
UNSEEN, AGAIN, ASIDE = "whole", "whole, connected again", "set aside"

_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SITUATIONS: dict[str, str] = _TABLE.pop("situations")
FAULTS = list(_TABLE)


class Cell(NamedTuple):
    """What becomes of a fault in a situation; conditions: when this is an exception, what holds
    then."""

    situation: str
    conditions: frozenset[str]
    outcome: str


def cells_of(kind: str) -> list[Cell]:
    """The row of a kind of fault, if it has one. Of several cells of a situation that hold, the
    last counts."""
    found = []
    for key, outcome in _TABLE.get(kind, {}).items():
        parts = re.fullmatch(r"(\w+)(?: \((.+)\))?", key)
        assert parts is not None, f"{kind}: {key}"
        assert parts[1] in SITUATIONS, f"{kind}: {key}"
        conditions = frozenset(parts[2].split(", ") if parts[2] else ())
        found.append(Cell(parts[1], conditions, outcome))
    return found


def pull(
    sim: SimulatedCamera, folder: Path, *, timeouts: Timeouts = HASTY, **options: object
) -> ptpfast.Report | PTPError:
    """A run with a session of its own, one request at a time; what it returns or raises."""
    try:
        vendor = without_pauses(sim.body.vendor)
        with ptpfast.connect(
            sim.host, port=sim.port, vendor=vendor, timeouts=timeouts, depth=1
        ) as session:
            return ptpfast.pull(session, folder, **options)  # type: ignore[arg-type]
    except PTPError as error:
        return error


def outcome(report: ptpfast.Report | PTPError) -> str:
    """One of the names, or what it is instead."""
    if isinstance(report, PTPError):
        return f"{type(report).__name__}: {report}"
    if report.ok:
        return AGAIN if report.retries else UNSEEN
    rest = report.downloaded + report.skipped
    return (
        ASIDE if report.failed == 1 and rest == report.objects - 1 else f"failed: {report.failed}"
    )


def finished_files(folder: Path) -> list[Path]:
    """Files that stand under their final names."""
    return [p for p in folder.iterdir() if ".part" not in p.name] if folder.exists() else []


def assert_right(sim: SimulatedCamera, folder: Path, *, missing: int = 0) -> None:
    """Every finished file is byte for byte the object of its name on the card, and all but
    `missing` are there."""
    expected = {item.info.filename: sim.store.expected(item.handle) for item in sim.store.files()}
    found = finished_files(folder)
    assert len(found) == len(expected) - missing
    for path in found:
        assert check(expected[path.name], path), f"{path.name} is wrong"
