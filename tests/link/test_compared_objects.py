"""When an object is compared with the camera before it is read: its handle may be another's now."""

from __future__ import annotations

import pickle
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import Cameras, Sessions
from copied import contents, on_card
from objects_of import content
from ptpfast import OperationCode, ResponseError, TransferError
from ptpfast.link.describing import describe_each
from ptpfast.link.habits import HEALED
from ptpfast.link.link import Link
from ptpfast.sim import SimulatedCamera


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects are compared at a time, from now on."""
    counts = []

    def counting(link: Link, handles: Collection[int], told: Any, tally: Any) -> None:
        counts.append(len(handles))
        describe_each(link, handles, told, tally)

    monkeypatch.setattr("ptpfast.link.camera.describe_each", counting)
    return counts


def described(sim: SimulatedCamera) -> int:
    """How often an object was described so far."""
    return sim.operations[OperationCode.GetObjectInfo]


def test_an_object_listed_over_this_connection_is_not_compared(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=5000, objects=3)
    session = connect(sim)
    session.reconnect()
    info = session.objects()[1]
    before = described(sim)
    assert session.read(info) == content(sim, info.handle)
    assert described(sim) == before


def test_an_object_from_before_a_reconnect_is_compared_once(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=5000, objects=3)
    session = connect(sim)
    info = session.objects()[1]
    session.reconnect()
    before = described(sim)
    for _ in range(2):
        assert session.read(info) == content(sim, info.handle)
    assert described(sim) == before + 1


@pytest.mark.parametrize("pickled", [False, True])
def test_an_object_that_another_session_listed_is_compared(
    camera: Cameras, connect: Sessions, pickled: bool
) -> None:
    sim = camera(size=5000, objects=3)
    with connect(sim) as first:
        info = first.objects()[1]
    sim.store.replace(info.handle, name="OTHER.NEF")
    if pickled:
        info = pickle.loads(pickle.dumps(info))
    with pytest.raises(TransferError, match=r"is no longer IMG_0001\.JPG"):
        connect(sim).read(info)


def test_the_next_objects_are_compared_together_where_requests_are_sent_ahead(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(size=5000, objects=10)
    session = connect(sim, depth=4)
    table = session.objects()
    session.reconnect()
    asked = counted(monkeypatch)
    session.camera.compare(table[0], table[1:])
    assert asked == [10]
    assert all(session.camera.is_compared(info) for info in table)


def test_an_object_is_compared_alone_where_nothing_is_sent_ahead(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(camera(size=5000, objects=10))
    table = session.objects()
    session.reconnect()
    asked = counted(monkeypatch)
    session.camera.compare(table[0], table[1:])
    assert asked == [1]


def test_what_became_of_the_next_objects_concerns_only_them(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=5000, objects=4)
    session = connect(sim, depth=4)
    table = session.objects()
    session.reconnect()
    sim.store.replace(table[1].handle, name="OTHER.NEF")
    sim.store.delete(table[2].handle)
    session.camera.compare(table[0], table[1:])
    assert session.read(table[0]) == content(sim, table[0].handle)
    assert session.read(table[3]) == content(sim, table[3].handle)
    with pytest.raises(TransferError, match="is no longer"):
        session.read(table[1])
    with pytest.raises(ResponseError):
        session.read(table[2])


def test_a_pull_compares_many_objects_at_once_after_a_lost_connection(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(size=2000, objects=300, faults=["drop on GetPartialObject at 30"])
    session = connect(sim, depth=8)
    asked = counted(monkeypatch)
    report = ptpfast.pull(session, tmp_path, index=False)
    assert report.ok
    assert contents(tmp_path) == on_card(sim)
    assert sim.connections == 2
    compared = asked[asked.index(1) :]  # the first ones of all are the listing's
    assert compared.count(1) <= HEALED  # none is sent ahead until so much went well
    assert len(compared) - compared.count(1) <= 6
