"""Every fault the simulated camera knows, in every place it fits: never a wrong file, never a hang.

The outcome of a run may be a report or an error of ours; what stands under a final name must be
right either way, and a run without the fault must finish the job.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ptpfast
from conftest import Cameras
from outcomes import AGAIN, ASIDE, UNSEEN, finished_files, outcome, pull
from ptpfast import OperationCode, PTPError
from ptpfast.library import persistence
from ptpfast.sim import KINDS, Fault, check
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
    expected = {item.info.filename: sim.store.expected(item.handle) for item in sim.store.files()}
    chunk = 0 if fault.operation == OperationCode.GetObject else 100_000
    came = pull(sim, folder, chunk=chunk)
    for path in finished_files(folder):
        if fault.kind not in LIES:
            assert check(expected[path.name], path), f"{path.name} is wrong after {came}"
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


# Data phases as cameras send them: packets of any size, cut anywhere, the total told or not.
SHAPES: dict[str, dict[str, object]] = {
    "small packets": {"data_packet_size": 512, "end_data": "last"},
    "one packet": {"end_data": "whole"},
    "fragments": {"max_bytes_per_send": 1461},
    "no total": {"announce_total": False},
    "Nikon": {"vendor": "nikon"},
}
READS = (OperationCode.GetObject, OperationCode.GetPartialObject)
BEFORE = (
    *(OperationCode.OpenSession, OperationCode.GetDeviceInfo, OperationCode.GetStorageIDs),
    *(OperationCode.GetObjectHandles, OperationCode.CloseSession),
)
# What a run comes to, by what goes wrong once in the middle of an object, whatever the shape. An
# object is set aside, too, where nothing but what is wrong tells how long it is.
EITHER = "whole or set aside"
OUTCOMES = {
    **dict.fromkeys(("delay", "busy", "drop_event", "no_start", "start16", "announce"), UNSEEN),
    **dict.fromkeys(("no_end", "repeat_end", "stale", "unknown_packet", "probe"), UNSEEN),
    **dict.fromkeys(("event_on_command", "event_burst", "extra_parameters"), UNSEEN),
    **dict.fromkeys(("no_answer", "drop", "drop_command", "reset", "stall", "black_hole"), AGAIN),
    **dict.fromkeys(("overrun", "wrong_tid", "length", "no_response"), AGAIN),
    **dict.fromkeys(("response_wrong_tid", "response_tid_zero"), AGAIN),
    **dict.fromkeys(("respond", "ok_without_data", "error_after", "vanish"), ASIDE),
    **dict.fromkeys(("response_first", "sleep"), ASIDE),
    "short_data": EITHER,
}


def in_the_middle() -> Iterator[Fault]:
    for name, kind in KINDS.items():
        if kind.stage in (Stage.ANSWER, Stage.BREAK, Stage.DATA, Stage.RESPONSE):
            inside = kind.stage in (Stage.BREAK, Stage.DATA)
            for operation in READS:
                yield Fault(name, operation=operation, after=60_000 if inside else None)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fault", list(in_the_middle()), ids=str)
def test_a_fault_in_an_object_of_any_shape_comes_to_what_is_said_of_it(
    camera: Cameras, tmp_path: Path, fault: Fault, shape: str
) -> None:
    sim = camera(objects=2, size=200_000, faults=[fault], **SHAPES[shape])
    expected = {item.info.filename: sim.store.expected(item.handle) for item in sim.store.files()}
    chunk = 0 if fault.operation == OperationCode.GetObject else 100_000
    came = outcome(pull(sim, tmp_path / "card", chunk=chunk))
    assert sim.faults.fired
    promised = OUTCOMES[fault.kind]
    assert came in ((UNSEEN, AGAIN, ASIDE) if promised == EITHER else (promised,))
    for path in finished_files(tmp_path / "card"):
        assert check(expected[path.name], path)


def on_the_way() -> Iterator[Fault]:
    for name, kind in KINDS.items():
        if kind.stage in (Stage.ANSWER, Stage.BREAK, Stage.RESPONSE):
            yield from (Fault(name, operation=operation) for operation in BEFORE)
        elif kind.stage is Stage.DATASET and kind.operation is None:
            yield from (Fault(name, operation=operation) for operation in BEFORE[1:4])


@pytest.mark.parametrize("fault", list(on_the_way()), ids=str)
def test_a_fault_in_any_other_operation_leaves_no_wrong_file_and_the_next_run_finishes(
    camera: Cameras, tmp_path: Path, fault: Fault
) -> None:
    sim = camera(objects=2, size=10_000, faults=[fault])
    expected = {item.info.filename: sim.store.expected(item.handle) for item in sim.store.files()}
    folder = tmp_path / "card"
    pull(sim, folder)
    assert sim.faults.fired
    assert {path.name for path in finished_files(folder)} <= set(expected)
    sim.faults.clear()
    sim.wait_for(lambda: sim.sessions_opened == sim.sessions_closed + sim.unclean_ends, timeout=10)
    assert outcome(pull(sim, folder)) in (UNSEEN, AGAIN)
    assert {path.name for path in finished_files(folder)} == set(expected)
    for path in finished_files(folder):
        assert check(expected[path.name], path)


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
    came = pull(sim, folder)
    assert isinstance(came, (ptpfast.Report, PTPError))
    everything = [p for p in tmp_path.rglob("*") if not p.is_dir()]
    assert all(p.parent == folder for p in everything)
    assert all(p.name.isprintable() and not p.name.startswith(".") for p in everything)
    if isinstance(came, ptpfast.Report) and came.ok:
        assert len(everything) == 1
