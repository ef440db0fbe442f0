"""Faults of the data phase and of time, each through a whole run: packets, totals, pace, silence.

Which fault of which camera each is, and what else shows it, is in docs/faults.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import HASTY, PATIENT, Cameras, Sessions
from outcomes import AGAIN, ASIDE, UNSEEN, assert_right, outcome, pull
from ptpfast import OperationCode, ProtocolError, Report
from ptpfast.link.pipelining import Request
from ptpfast.session import persistence
from ptpfast.sim import Content, Fault
from ptpfast.sim.content import BytesContent, read
from ptpfast.sim.data_in import DataIn
from ptpfast.sim.effects.data import DataPlan
from ptpfast.sim.link import Link

READS = (OperationCode.GetObject, OperationCode.GetPartialObject)
CHUNK = {OperationCode.GetObject: 0, OperationCode.GetPartialObject: 100_000}

every_read = pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.name)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


# Packets


@every_read
@pytest.mark.parametrize("end_data", ["empty", "last", "whole"])
@pytest.mark.parametrize("size", [512, 1460, 4096, 8192, 65536])
def test_packets_of_any_size_with_any_end_are_whole_objects(
    camera: Cameras, tmp_path: Path, size: int, end_data: str, operation: OperationCode
) -> None:
    sim = camera(objects=2, size=300_001, data_packet_size=size, end_data=end_data)
    assert outcome(pull(sim, tmp_path, chunk=CHUNK[operation], timeouts=PATIENT)) == UNSEEN
    assert_right(sim, tmp_path)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 7, 11, 13])
def test_packets_cut_anywhere_by_tcp_are_whole_objects(
    camera: Cameras, tmp_path: Path, most: int
) -> None:
    sim = camera(objects=2, size=3000, data_packet_size=50, max_bytes_per_send=most)
    assert outcome(pull(sim, tmp_path, timeouts=PATIENT)) == UNSEEN
    assert_right(sim, tmp_path)


@every_read
@pytest.mark.parametrize("total", ["+1", "-1", "+1000000", "0", "1"])
def test_a_wrong_total_costs_a_connection_and_always_wrong_the_object(
    camera: Cameras, tmp_path: Path, total: str, operation: OperationCode
) -> None:
    sim = camera(objects=3, size=200_000, faults=[Fault("announce", total, operation)])
    assert outcome(pull(sim, tmp_path / "once", chunk=CHUNK[operation])) == AGAIN
    assert_right(sim, tmp_path / "once")
    bad = sim.store.files()[1].handle
    sim.faults.add(Fault("announce", total, operation, handle=bad, times=0))
    assert outcome(pull(sim, tmp_path / "always", chunk=CHUNK[operation])) == ASIDE
    assert_right(sim, tmp_path / "always", missing=1)


@pytest.mark.parametrize("total", ["+1", "-1"])
def test_a_wrong_total_is_a_protocol_error_that_ends_the_session(
    camera: Cameras, connect: Sessions, total: str
) -> None:
    session = connect(camera(faults=[Fault("announce", total, OperationCode.GetObject)]))
    info = session.objects()[0]
    with pytest.raises(ProtocolError, match=r"announced|bytes or more"):
        session.link.transact(Request(OperationCode.GetObject, (info.handle,), limit=info.size))
    assert not session.usable


@every_read
@pytest.mark.parametrize("fault", ["short_data", "error_after"])
def test_an_object_that_never_comes_whole_is_set_aside_and_the_rest_arrives(
    camera: Cameras, tmp_path: Path, fault: str, operation: OperationCode
) -> None:
    sim = camera(objects=3, size=200_000)
    bad = sim.store.files()[1].handle
    sim.faults.add(Fault(fault, operation=operation, handle=bad, after=60_000, times=0))
    assert outcome(pull(sim, tmp_path, chunk=CHUNK[operation])) == ASIDE
    assert_right(sim, tmp_path, missing=1)
    sim.faults.clear()
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_what_came_of_a_partial_read_that_the_camera_calls_failed_is_not_gone_on_from(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: str
) -> None:
    sim = camera(objects=1, size=400_000)
    fault = Fault("error_after", operation=OperationCode.GetPartialObject, after=60_000, at=2)
    sim.faults.add(fault)
    begin = DataIn.__init__

    def spoil(
        phase: Any, peer: Any, plan: DataPlan, content: Content, offset: int, framing: Any
    ) -> None:
        """Its first bytes; the last, which are compared when it is gone on with, are right."""
        if plan.code is not None:
            sent = read(content, offset, plan.size)
            content, offset = BytesContent(bytes(1000) + sent[1000:]), 0
        begin(phase, peer, plan, content, offset, framing)

    monkeypatch.setattr(DataIn, "__init__", spoil)
    assert outcome(pull(sim, tmp_path, chunk=100_000, verify=verify)) == ASIDE
    (part,) = tmp_path.glob("*.part")
    assert part.stat().st_size == 100_000
    report = pull(sim, tmp_path, chunk=100_000, verify=verify)
    assert isinstance(report, Report)
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at == 100_000
    assert_right(sim, tmp_path)


# Pace


PACES: dict[str, dict[str, Any]] = {
    "5 ms": {"delay_s": 0.005},
    "20 ms": {"delay_s": 0.02},
    "50 ms": {"delay_s": 0.05},
    "with jitter": {"delay_s": 0.005, "jitter_s": 0.06},
    "10 ms for each 64 KiB": {"link": Link(card=65536 / 0.01, card_block=65536)},
    "1 MB/s": {"bytes_per_s": 1e6},
    "2.5 MB/s": {"bytes_per_s": 2.5e6},
    "10 MB/s": {"bytes_per_s": 1e7},
    "50 MB/s": {"bytes_per_s": 5e7},
    "no limit": {},
}


@pytest.mark.parametrize("pace", PACES)
def test_a_slow_camera_or_link_only_takes_longer(
    camera: Cameras, tmp_path: Path, pace: str
) -> None:
    sim = camera(objects=2, size=200_000, **PACES[pace])
    report = pull(sim, tmp_path, chunk=50_000, timeouts=PATIENT)
    assert outcome(report) == UNSEEN
    assert_right(sim, tmp_path)
    assert sim.connections == 1


# The stall is longer than HASTY's patience, or very much shorter than PATIENT's.
STALLS: dict[str, tuple[list[str], Any, str]] = {
    "goes on": (["stall=0.2 after 60000"], PATIENT, UNSEEN),
    "goes on too late": (["stall=6 after 60000"], HASTY, AGAIN),
    "never goes on": (["stall after 60000"], HASTY, AGAIN),
    "is closed": (["stall=0.1 after 60000", "drop after 60000"], PATIENT, AGAIN),
    "is reset": (["stall=0.1 after 60000", "reset after 60000"], PATIENT, AGAIN),
}


@every_read
@pytest.mark.parametrize("then", STALLS)
def test_a_connection_that_stalls_and_then_does_what_it_likes(
    camera: Cameras, tmp_path: Path, then: str, operation: OperationCode
) -> None:
    faults, timeouts, promised = STALLS[then]
    words = [fault.replace(" after", f" on {operation.name} after") for fault in faults]
    sim = camera(objects=2, size=200_000, faults=words)
    report = pull(sim, tmp_path, chunk=CHUNK[operation], timeouts=timeouts)
    assert outcome(report) == promised
    assert len(sim.faults.fired) == len(words)
    assert_right(sim, tmp_path)


BUSY = (
    *("OpenSession", "GetDeviceInfo", "GetStorageIDs", "GetStorageInfo", "GetObjectHandles"),
    *("GetObjectInfo", "GetObject", "GetPartialObject"),
)


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("operation", BUSY)
def test_a_camera_that_is_busy_at_any_operation_is_asked_until_it_answers(
    camera: Cameras, tmp_path: Path, operation: str, times: int
) -> None:
    sim = camera(objects=2, size=50_000, faults=[f"busy on {operation} times {times}"])
    chunk = 0 if operation == "GetObject" else 20_000
    assert outcome(pull(sim, tmp_path, chunk=chunk, timeouts=PATIENT)) == UNSEEN
    assert len(sim.faults.fired) == times
    assert_right(sim, tmp_path)


def test_a_camera_that_is_busy_at_the_end_is_not_waited_for(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, size=50_000, faults=["busy on CloseSession times 0"])
    assert outcome(pull(sim, tmp_path, timeouts=PATIENT)) == UNSEEN
    assert len(sim.faults.fired) == 1
    assert sim.wait_for(lambda: sim.unclean_ends == 1)
    assert_right(sim, tmp_path)
