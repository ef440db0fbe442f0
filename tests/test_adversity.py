"""Every fault the simulated camera knows, in every place it fits: never a wrong file, never a hang.

The outcome of a run may be a report or an error of ours; what stands under a final name must be
right either way, and a run without the fault must finish the job.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ptpfast
from conftest import HASTY, Cameras, without_pauses
from ptpfast import OperationCode, PTPError
from ptpfast.sim import KINDS, Fault, SimulatedCamera, check
from ptpfast.sim.faults import Stage

SIZE = 400_000
PLACES = {
    Stage.INIT: [(None, None)],
    Stage.ANSWER: [(OperationCode.GetObjectInfo, None), (OperationCode.GetPartialObject, None)],
    Stage.BREAK: [(OperationCode.GetPartialObject, 150_000), (OperationCode.GetObjectInfo, None)],
    Stage.DATASET: [(OperationCode.GetObjectInfo, None), (OperationCode.GetDeviceInfo, None)],
    Stage.DATA: [(OperationCode.GetObject, 150_000), (OperationCode.GetPartialObject, 60_000)],
    Stage.RESPONSE: [(OperationCode.GetObject, None), (OperationCode.GetPartialObject, None)],
}
# What a fault says of the object is then what the object is: such a file is not compared.
LIES = {"object_size", "name", "parent", "vanish"}


def faults() -> Iterator[Fault]:
    for name, kind in KINDS.items():
        for operation, after in PLACES[kind.stage]:
            yield Fault(name, operation=kind.operation or operation, after=after)
            if kind.operation:
                break


def pull(sim: SimulatedCamera, folder: Path, **options: object) -> ptpfast.Report | PTPError:
    try:
        vendor = without_pauses("standard")
        with ptpfast.connect(
            sim.host, port=sim.port, vendor=vendor, timeouts=HASTY, depth=1
        ) as session:
            return ptpfast.pull(session, folder, **options)  # type: ignore[arg-type]
    except PTPError as error:
        return error


def finished_files(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if ".part" not in p.name] if folder.exists() else []


@pytest.mark.parametrize("fault", list(faults()), ids=str)
def test_no_fault_leaves_a_wrong_file_and_the_next_run_finishes(
    camera: Cameras, tmp_path: Path, fault: Fault
) -> None:
    sim = camera(objects=3, size=SIZE, faults=[fault])
    folder = tmp_path / "card"
    expected = {item.info.filename: sim.store.expected(item.handle) for item in sim.store.files()}
    chunk = 0 if fault.operation == OperationCode.GetObject else 100_000
    outcome = pull(sim, folder, chunk=chunk)
    for path in finished_files(folder):
        if fault.kind not in LIES:
            assert check(expected[path.name], path), f"{path.name} is wrong after {outcome}"
            assert path.stat().st_size == SIZE

    sim.faults.clear()
    sim.wait_for(lambda: sim.sessions_opened == sim.sessions_closed + sim.unclean_ends, timeout=10)
    if fault.kind in LIES:
        return
    report = pull(sim, folder)
    assert isinstance(report, ptpfast.Report), report
    assert report.ok
    assert {path.name for path in finished_files(folder)} == set(expected)
    for path in finished_files(folder):
        assert check(expected[path.name], path)
    assert not list(folder.glob("*.part*"))


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
    outcome = pull(sim, folder)
    assert isinstance(outcome, (ptpfast.Report, PTPError))
    everything = [p for p in tmp_path.rglob("*") if not p.is_dir()]
    assert all(p.parent == folder for p in everything)
    assert all(p.name.isprintable() and not p.name.startswith(".") for p in everything)
    if isinstance(outcome, ptpfast.Report) and outcome.ok:
        assert len(everything) == 1
