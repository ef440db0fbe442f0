"""Every fault on every simulated body: no wrong file, no hang, and the words of outcomes.toml.

A fault strikes each body in one of the situations that it fits, taken in turn; how the bytes come
(the shape of the data phase, or the link) is taken in turn, too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from adversity import LIES, assert_finished_without, expected_files, settled
from body_situations import ASKED, WAYS, Situation, came_of, shorten_pauses, situations
from conftest import PATIENT, spoken_by
from ptpfast import vendors
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.sim import KINDS


@pytest.mark.matrix
@pytest.mark.parametrize("case", list(situations()), ids=str)
def test_a_fault_on_any_body_has_its_documented_outcome(
    case: Situation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_pauses(case.body, monkeypatch.setattr)
    folder = tmp_path / "card"
    with case.camera([]) as sim:
        came = came_of(case, sim, folder)
        assert sim.faults.fired
        assert came == case.said()
        assert sim.defects == 0
        if case.fault.kind in LIES:
            settled(sim)
            return
        expected = expected_files(sim)
        assert_finished_without(sim, folder, expected, vendor=spoken_by(sim), timeouts=PATIENT)


# A fault that no operation of a body can have. Sony's content lists have no ObjectInfo and no
# handles; Fujifilm's bodies list no handles; both, and Sony's other ways, delete nothing.
_DELETION, _HANDLES = {Op.DeleteObject}, {Op.GetObjectHandles}
NOWHERE = {
    "sony-a7m4": {Op.GetObjectInfo} | _HANDLES | _DELETION,
    "fuji-xt2": _HANDLES | _DELETION,
    "fuji-xt4": _HANDLES | _DELETION,
    "sony-a7r3": _DELETION,
    "sony-a7sm3": _DELETION,
}


def test_every_body_has_every_fault_in_some_situation_and_every_way_is_taken() -> None:
    cases = list(situations())
    assert set(ASKED) == set(vendors.BODIES)
    missing = {(body, kind) for body in ASKED for kind in KINDS}
    missing -= {(case.body, case.fault.kind) for case in cases}
    assert missing == {
        (body, kind.name)
        for body, operations in NOWHERE.items()
        for kind in KINDS.values()
        if kind.operation in operations
    }
    assert {case.way for case in cases} == set(WAYS)
