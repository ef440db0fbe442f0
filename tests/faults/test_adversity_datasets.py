"""Datasets that are cut, empty or untrue, in every shape of a data phase.

Each comes to what is said of it here. No finished file is anything but an object as the camera
has described it, and a run without the fault has every object's bytes in the folder.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import ptpfast
from adversity import (
    SHAPES,
    expected_files,
    finished_files,
    outcome,
    pull,
    settled,
)
from conftest import Cameras
from outcomes import ASIDE, UNSEEN
from ptpfast.session import persistence
from ptpfast.sim import Fault, check

pytestmark = pytest.mark.matrix

FIRST = 0x00040003  # the handle of the first file; two folders come before
SIZE = 1000


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


# A DeviceInfo that does not fit in its bytes ends the run before it has begun; a list of storages
# or handles is asked for twice.
ENDS = "ProtocolError"
OUTCOMES = {
    "empty_data on GetDeviceInfo": UNSEEN,  # as some bodies' is
    "cut_data=3 on GetDeviceInfo": ENDS,
    "cut_data=7 on GetDeviceInfo": ENDS,
    "long_array=0xFFFFFFFF on GetDeviceInfo": UNSEEN,  # which begins with other numbers
    "empty_data on GetStorageIDs": UNSEEN,
    "cut_data=3 on GetStorageIDs": UNSEEN,
    "cut_data=7 on GetStorageIDs": UNSEEN,
    "long_array=1 on GetStorageIDs": UNSEEN,
    "long_array=0xFFFFFFFF on GetStorageIDs": UNSEEN,
    "empty_data on GetStorageInfo": UNSEEN,
    "cut_data=3 on GetStorageInfo": UNSEEN,
    "cut_data=7 on GetStorageInfo": UNSEEN,
    "long_array=0xFFFFFFFF on GetStorageInfo": UNSEEN,
    "empty_data on GetObjectHandles": UNSEEN,
    "cut_data=3 on GetObjectHandles": UNSEEN,
    "cut_data=7 on GetObjectHandles": UNSEEN,
    "long_array=1 on GetObjectHandles": UNSEEN,
    "long_array=0xFFFFFFFF on GetObjectHandles": UNSEEN,
    "extra_handle on GetObjectHandles": ASIDE,
    "empty_data on GetObjectInfo handle 0x00040003": UNSEEN,
    "cut_data=3 on GetObjectInfo handle 0x00040003": UNSEEN,
    "cut_data=60 on GetObjectInfo handle 0x00040003": UNSEEN,
    "long_array=0xFFFFFFFF on GetObjectInfo handle 0x00040003": UNSEEN,  # of another storage
    "object_size=0 on GetObjectInfo handle 0x00040003": UNSEEN,
    "object_size=1 on GetObjectInfo handle 0x00040003": UNSEEN,  # and nobody can know better
    "object_size=1100 on GetObjectInfo handle 0x00040003": ASIDE,
    "object_size=0xFFFFFFFF on GetObjectInfo handle 0x00040003": UNSEEN,
    "name=../../evil on GetObjectInfo handle 0x00040003": UNSEEN,
    "parent=0x77 on GetObjectInfo handle 0x00040003": UNSEEN,
    "self_parent on GetObjectInfo handle 0x00040003": UNSEEN,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", OUTCOMES)
def test_a_dataset_that_is_wrong_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, text: str, shape: str
) -> None:
    fault = Fault.parse(text)
    sim = camera(objects=3, size=SIZE, faults=[fault], **SHAPES[shape])
    expected = expected_files(sim)
    folder = tmp_path / "card"
    came = outcome(sim, pull(sim, folder))
    assert sim.faults.fired
    assert came.partition(":")[0] == OUTCOMES[text]
    first = sim.store.expected(FIRST)
    size = fault.number if fault.kind == "object_size" and 0 < fault.number <= SIZE else SIZE
    for path in finished_files(folder):
        content = expected.get(path.name, first)
        assert check(content, path, 0, size if content is first else None)

    settled(sim)
    report = pull(sim, folder)
    assert isinstance(report, ptpfast.Report)
    assert report.ok
    there = finished_files(folder)
    assert all(any(check(content, path) for path in there) for content in expected.values())
    assert not list(folder.glob("*.part*"))
