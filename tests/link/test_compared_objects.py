"""When an object is compared with the camera before it is read: its handle may be another's now."""

from __future__ import annotations

import pickle

import pytest

from conftest import Cameras, Sessions
from objects_of import content
from ptpfast import OperationCode, TransferError
from ptpfast.sim import SimulatedCamera


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
