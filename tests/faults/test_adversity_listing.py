"""Every fault in the operations that describe a card, with every shape of a data phase.

Each comes to what is said of it here: no listing and no thumbnail is wrong without an error, no
finished file is wrong, and a run without the fault finishes the job.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from adversity import (
    DEPTHS,
    SHAPES,
    assert_finished_without,
    assert_right,
    at_depths,
    cells,
    expected_files,
    hasten,
    outcome,
    pull,
    said,
    settled,
)
from conftest import HASTY, Cameras, Sessions
from ptpfast import ObjectTable, OperationCode, PTPError
from ptpfast.session import persistence
from ptpfast.session.persistence import Persistence
from ptpfast.sim import Fault, SimulatedCamera

pytestmark = pytest.mark.matrix

THIRD = 0x00040005  # the handle of the third file; two folders come before


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


# What makes no sense is asked for once more; what the camera refuses is not.
@pytest.mark.parametrize(
    ("fault", "shape", "depth"),
    at_depths(OperationCode.GetObjectInfo, 60, DEPTHS, handle=THIRD),
)
def test_a_fault_in_the_description_of_an_object_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, fault: Fault, shape: str, depth: int
) -> None:
    sim = camera(objects=4, size=1000, faults=[fault], **SHAPES[shape])
    expected = expected_files(sim)
    report = pull(sim, tmp_path / "card", fault=fault, depth=depth)
    assert sim.faults.fired
    assert outcome(sim, report) == said("description", fault, shape)
    assert_right(tmp_path / "card", expected)
    if fault.kind != "vanish":
        assert_finished_without(sim, tmp_path / "card", expected, depth=depth)


# Thumbnails have no run that connects again, unless what went wrong may come of sending ahead.
# Where the total is not told, it cannot be known that a picture is not whole.
@pytest.mark.parametrize(
    ("fault", "shape", "depth"),
    at_depths(OperationCode.GetThumb, 600, DEPTHS, handle=THIRD),
)
def test_a_fault_in_a_thumbnail_has_its_documented_outcome(
    camera: Cameras, connect: Sessions, fault: Fault, shape: str, depth: int
) -> None:
    sim = camera(objects=5, size=10, faults=[fault], **SHAPES[shape])
    expected = [(item.handle, item.thumbnail) for item in sim.store.files()]
    handles = [handle for handle, _ in expected]
    session = hasten(connect(sim, depth=depth, timeouts=HASTY), fault)
    found: dict[int, bytes | PTPError] = {}
    try:
        found.update(session.thumbnails(handles))
    except PTPError as error:
        came = f"ends with {type(error).__name__}"
        assert list(found.items()) == expected[: len(found)]
    else:
        came = thumbnails_came(sim, found, dict(expected))
    assert sim.faults.fired
    assert came == said("thumbnail", fault, shape, depth)


def thumbnails_came(
    sim: SimulatedCamera, found: dict[int, bytes | PTPError], expected: dict[int, bytes]
) -> str:
    assert list(found) == list(expected)
    wrong = {handle: found[handle] for handle in found if found[handle] != expected[handle]}
    assert wrong.keys() <= {THIRD}
    again = ", connected again" if sim.connections > 1 else ""
    if not wrong:
        return f"whole{again}"
    if isinstance(bad := wrong[THIRD], PTPError):
        return f"one error{again}"
    size = min(len(bad), len(expected[THIRD]))
    assert bad[:size] == expected[THIRD][:size]
    return "too little" if len(bad) == size else "too much"


# Each object is asked for by itself where the list does not come or may not be whole.
MANY = 40
OF_ANY_BODY = [shape for shape in SHAPES if shape != "Nikon"]  # which has no such list


def assert_is_the_card(sim: SimulatedCamera, table: ObjectTable) -> None:
    """All of it, and as it is."""
    assert table.failures == []
    assert [(info.handle, info.path, info.size, info.captured) for info in table] == [
        (item.handle, sim.store.path(item.handle), item.size, item.captured)
        for item in sim.store.files()
    ]


@pytest.mark.parametrize(
    ("fault", "shape"),
    cells([OperationCode.GetObjectPropList], 3000, shapes=OF_ANY_BODY, skip={"vanish"}),
)
def test_a_fault_in_a_listing_in_bulk_has_its_documented_outcome(
    camera: Cameras, connect: Sessions, fault: Fault, shape: str
) -> None:
    sim = camera(objects=MANY, size=100, faults=[fault], **SHAPES[shape])
    session = hasten(connect(sim, timeouts=HASTY), fault)
    assert_is_the_card(sim, session.objects())
    assert sim.faults.fired
    each = sim.operations[OperationCode.GetObjectInfo] > MANY
    again = ", connected again" if sim.connections > 1 else ""
    assert f"{'one by one' if each else 'in bulk'}{again}" == said("bulk", fault, shape)


# A card that does not say what it is is not remembered, and all of it is read.
@pytest.mark.parametrize(
    ("fault", "shape"),
    cells(
        [OperationCode.GetStorageInfo],
        30,
        shapes=["small packets", "fragments", "no total"],
        skip={"vanish"},
    ),
)
def test_a_fault_in_what_a_card_says_of_itself_has_its_documented_outcome(
    camera: Cameras, connect: Sessions, fault: Fault, shape: str
) -> None:
    sim = camera(objects=12, size=100, **SHAPES[shape])
    with connect(sim) as earlier:
        assert_is_the_card(sim, earlier.objects())
    settled(sim)
    before = sim.connections
    sim.faults.add(fault)
    session = hasten(connect(sim, timeouts=HASTY), fault)
    patient = Persistence(session, 8, lambda _: None)
    listing = patient.run(session.listing)
    table = patient.run(partial(listing.next, None))
    listing.close()
    assert table is not None
    assert_is_the_card(sim, table)
    assert sim.faults.fired
    again = ", connected again" if sim.connections > before + 1 else ""
    came = "remembered" if listing.tally.remembered else "read anew"
    assert f"{came}{again}" == said("storage", fault, shape)
