"""What was believed of an object, on the word of an index that turns out to be outdated."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from cards import card, replaced
from conftest import PATIENT, Cameras, Sessions
from copied import contents, on_card
from ptpfast import OperationCode, pull
from ptpfast.library.plan import plan as plan_module
from ptpfast.state import index


@pytest.mark.parametrize("policy", ["rename", "overwrite", "skip", "fail"])
@pytest.mark.parametrize("history", [True, False])
def test_the_file_of_an_object_that_is_listed_anew_is_known_again(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    history: bool,
    policy: Any,
) -> None:
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    monkeypatch.setattr(plan_module, "PIECE", 8)
    sim = camera(store=card(60), withheld=[OperationCode.GetObjectPropList])
    address, handle = f"{sim.host}:{sim.port}", sim.store.files()[20].handle
    folder, options = tmp_path / "here", {"timeouts": PATIENT, "on_conflict": policy}
    assert pull(address, folder, history=history, **options).downloaded == 60
    shutil.rmtree(index.folder())
    sim.faults.add(f"parent on GetObjectInfo handle 0x{handle:08X}")
    with connect(sim) as session:
        (wrong,) = [info for info in session.objects() if info.handle == handle]
    assert wrong.path == "DSC_0020.NEF"  # its folder could not be described
    replaced(sim.store, 40)
    (folder / "DSC_0040.NEF").unlink()  # so it is fetched; compared before, it shows the change
    report = pull(address, folder, history=history, **options)
    (result,) = [each for each in report.files if each.handle == handle]
    assert result.object is not None
    assert result.object.path == "DCIM/100CARD/DSC_0020.NEF"
    assert (result.status, result.path) == ("skipped", folder / "DSC_0020.NEF")
    assert (report.downloaded, report.skipped) == (1, 59)
    assert contents(folder) == on_card(sim)
