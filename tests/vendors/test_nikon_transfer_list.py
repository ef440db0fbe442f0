"""The transfer list of Nikon's DSLR bodies: what the owner has marked, and when a mark goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.errors import InvalidObjectHandle, ProtocolError, ResponseError, Unsupported
from ptpfast.sim import SimulatedCamera

LOCK, LIST, START, END = 0x9407, 0x9408, 0x9409, 0x940A
WITH_LIST = ["nikon-d5300", "nikon-d7200"]


def marking(sim: SimulatedCamera, count: int = 2) -> list[int]:
    handles = [stored.handle for stored in sim.store.files()][:count]
    for handle in handles:
        sim.mark(handle)
    return handles


def asked(sim: SimulatedCamera) -> list[tuple[int, ...]]:
    of_list = (LOCK, LIST, START, END)
    return [(entry.operation, *entry.parameters) for entry in sim.log if entry.operation in of_list]


@pytest.mark.parametrize("body", WITH_LIST)
def test_session_tells_which_objects_the_owner_has_marked(
    camera: Cameras, connect: Sessions, body: str
) -> None:
    sim = camera(body=body)
    session = connect(sim)
    assert session.marked() == []
    handles = marking(sim)
    assert session.marked() == handles
    assert asked(sim)[-3:] == [(LOCK, 1), (LIST,), (LOCK, 0)]


def test_mark_goes_when_the_session_says_so_and_not_by_reading(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(body="nikon-d7200")
    handles = marking(sim)
    session = connect(sim)
    first, second = session.marked()
    session.read_into(session.object_info(second), bytearray(10), size=10)
    session.download(first, tmp_path / "first.NEF")
    assert list(sim.body.marked) == handles
    session.unmark(first)
    assert session.marked() == [second]
    assert [row for row in asked(sim) if row[0] in (START, END)] == [
        (START, second),
        (START, first),
        (END, first),
    ]


def test_objects_without_a_mark_are_read_as_ever(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-d7200")
    marking(sim, 1)
    session = connect(sim)
    for info in session.objects():
        session.read(info)
    assert asked(sim) == []


def test_notice_comes_again_in_the_session_after_a_lost_one(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-d7200")
    session = connect(sim)
    (handle,) = marking(sim, 1)
    session.marked()
    for _ in range(2):
        session.read(session.object_info(handle))
        session.reconnect()
    assert asked(sim).count((START, handle)) == 2


def test_body_that_refuses_the_notices_is_read_all_the_same(
    camera: Cameras, connect: Sessions
) -> None:
    faults = [f"respond=0x2002 on {operation:#x} times 0" for operation in (LOCK, START)]
    sim = camera(body="nikon-d7200", faults=faults)
    (handle,) = marking(sim, 1)
    session = connect(sim)
    assert session.marked() == [handle]
    assert len(session.read(session.object_info(handle))) == 300_000


@pytest.mark.parametrize("code", [0xA205, 0xA081])
def test_answer_without_a_list_means_that_nothing_is_marked(
    camera: Cameras, connect: Sessions, code: int
) -> None:
    sim = camera(body="nikon-d7200", faults=[f"respond={code:#x} on {LIST:#x}"])
    marking(sim)
    assert connect(sim).marked() == []


def test_other_refusals_of_the_list_are_errors(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(body="nikon-d7200", faults=[f"respond=0x2002 on {LIST:#x}"]))
    with pytest.raises(ResponseError):
        session.marked()
    with pytest.raises(InvalidObjectHandle):
        session.unmark(0xDEAD)


def test_hostile_count_in_the_list_is_an_error(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-d7200", faults=[f"long_array=4000000000 on {LIST:#x}"])
    marking(sim)
    with pytest.raises(ProtocolError):
        connect(sim).marked()


@pytest.mark.parametrize("body", ["nikon-d850", "nikon-z6", None])
def test_body_without_the_list_says_so(
    camera: Cameras, connect: Sessions, body: str | None
) -> None:
    sim = camera(body=body)
    session = connect(sim)
    with pytest.raises(Unsupported, match="no list"):
        session.marked()
    assert set(sim.operations) <= {Op.GetDeviceInfo, Op.OpenSession}


def test_j4_has_the_list_without_listing_its_operation(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-d7200")
    handles = marking(sim)
    session = connect(sim)
    session.link.operations -= {LOCK, LIST}
    with pytest.raises(Unsupported):
        session.marked()
    session.link.dialect.info.model = "J4"
    assert session.marked() == handles
