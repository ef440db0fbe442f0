"""Every fault in reads of 64 bits and in reads sent ahead, with every shape of a data phase.

Each comes to what is said of it here, no finished file is wrong, and a run without the fault
finishes the job.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adversity import (
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
)
from conftest import HASTY, Cameras, Sessions, without_pauses
from outcomes import AGAIN, ASIDE, UNSEEN
from ptpfast import OperationCode, PTPError
from ptpfast.engine.wire import OperationRequest
from ptpfast.session import persistence
from ptpfast.sim import Fault, check
from ptpfast.vendors import STANDARD, Dialect, PartialRead
from ptpfast.vendors.body import ObjectRange, Reply, Responder
from ptpfast.vendors.nikon import NikonOperation
from ptpfast.vendors.reads import GET_PARTIAL_OBJECT

pytestmark = pytest.mark.matrix

SIZE, CHUNK = 100_000, 40_000
INSIDE = 15_000  # of a chunk
# Nikon's framing is the shape "one packet".
OF_ANY_BODY = [shape for shape in SHAPES if shape != "Nikon"]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


# A chunk that came short is asked for again, on the same connection.
@pytest.mark.parametrize(
    ("fault", "shape"),
    cells([NikonOperation.GetPartialObjectEx], INSIDE, shapes=OF_ANY_BODY, at=2),
)
def test_a_fault_in_nikon_s_reads_of_64_bits_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, fault: Fault, shape: str
) -> None:
    body = SHAPES[shape] | {"body": "nikon-z6", "withheld": [OperationCode.GetPartialObject]}
    sim = camera(objects=2, size=SIZE, faults=[fault], **body)
    expected = expected_files(sim)
    came = outcome(sim, pull(sim, tmp_path / "card", fault=fault, vendor="nikon", chunk=CHUNK))
    assert sim.faults.fired
    assert came == said("read64", fault, shape)
    assert_right(tmp_path / "card", expected)
    if fault.kind != "vanish":
        assert_finished_without(sim, tmp_path / "card", expected, vendor="nikon")


# A phase that is not whole may be what sending ahead has led to: that is given up then.
@pytest.mark.parametrize(
    ("fault", "shape", "depth"),
    at_depths(OperationCode.GetPartialObject, INSIDE, [2, 16], at=2),
)
def test_a_fault_among_reads_sent_ahead_has_its_documented_outcome(
    camera: Cameras, tmp_path: Path, fault: Fault, shape: str, depth: int
) -> None:
    # What was hashed cannot be taken back.
    verify = "hash" if depth == 2 else "size"
    sim = camera(objects=2, size=SIZE, faults=[fault], **SHAPES[shape])
    expected = expected_files(sim)
    report = pull(sim, tmp_path / "card", fault=fault, depth=depth, chunk=CHUNK, verify=verify)
    assert sim.faults.fired
    assert outcome(sim, report) == said("ahead", fault, shape)
    assert_right(tmp_path / "card", expected)
    if fault.kind != "vanish":
        assert_finished_without(sim, tmp_path / "card", expected, depth=depth)


# MTP's read of 64 bits, which no vendor's file has so far, as AOSP's MtpServer has it.
GET_PARTIAL_OBJECT_64 = 0x95C1


def _answer(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    handle, low, high, most = request.parameters
    offset, size = low | high << 32, camera.object_size(handle) or 0
    sent = min(most, size - offset)
    return Reply(parameters=(sent,), data=ObjectRange(handle, offset, sent))


class AndroidDialect(Dialect):
    def reads(self) -> tuple[PartialRead, ...]:
        wide = PartialRead(
            GET_PARTIAL_OBJECT_64,
            64,
            lambda handle, offset, size: (handle, offset & 0xFFFFFFFF, offset >> 32, size),
        )
        return (GET_PARTIAL_OBJECT, wide)


ANDROID = replace(
    STANDARD,
    name="android",
    dialect=AndroidDialect,
    body=replace(STANDARD.model, operations={GET_PARTIAL_OBJECT_64: _answer}),
)
LINE = 1 << 32  # where 32 bits end
RANGE = LINE - CHUNK - 1000, SIZE  # so that the second chunk is across it


@pytest.mark.parametrize(
    ("fault", "shape"),
    cells([GET_PARTIAL_OBJECT_64], INSIDE, shapes=["small packets", "no total"], at=2),
)
def test_a_fault_in_mtp_s_reads_of_64_bits_has_its_documented_outcome(
    camera: Cameras, connect: Sessions, fault: Fault, shape: str
) -> None:
    offset, size = RANGE
    sim = camera(ANDROID, objects=1, size=2 * LINE, faults=[fault], **SHAPES[shape])
    content = sim.store.expected(sim.store.files()[0].handle)
    session = connect(sim, vendor=without_pauses(ANDROID), timeouts=HASTY, depth=2)
    hasten(session, fault).habits.chunks.fixed = CHUNK
    info = session.objects()[0]
    buffer = bytearray(size)
    try:
        session.read_into(info, buffer, offset=offset, size=size)
    except PTPError:
        came = ASIDE
    else:
        came = AGAIN if sim.connections > 1 else UNSEEN
        assert check(content, buffer, offset, size)
    assert sim.faults.fired
    assert came == said("line", fault, shape)
    assert sim.operations[OperationCode.GetPartialObject] == 0
    if fault.kind != "vanish":
        buffer = bytearray(size)
        session.read_into(info, buffer, offset=offset, size=size)
        assert check(content, buffer, offset, size)
