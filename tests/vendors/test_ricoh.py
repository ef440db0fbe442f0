"""Ricoh's Theta m15: a late second connection, whole objects, and its ways to take pictures."""

from __future__ import annotations

import socket

import pytest

import ptpfast
from ptpfast.engine.wire import Cancel, InitCommandRequest
from ptpfast.ptp.codes import EventCode
from ptpfast.ptp.datasets import DeviceInfo, decode
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import read
from ptpfast.vendors.ricoh import RICOH
from raw_initiator import ALL, GUID, Code, Initiator, Op, Stream

BODY = "ricoh-theta-m15"


def late(camera: SimulatedCamera) -> Initiator:
    """An Initiator that waits, as the raw one does not, until the second connection is taken."""
    camera.body.habits = type(camera.body.habits)(cancels=False)
    return Initiator(camera)


def test_the_second_connection_is_refused_for_a_moment_after_the_first() -> None:
    with SimulatedCamera(body=BODY, objects=1, size=1000) as camera:
        command = Stream((camera.host, camera.port))
        command.send(InitCommandRequest(GUID, "box", 0x10000))
        assert command.receive() is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((camera.host, camera.port), 5)
        command.close()
    with (
        SimulatedCamera(body=BODY, objects=2, size=300_000) as camera,
        ptpfast.connect(camera.host, port=camera.port) as session,
    ):
        assert session.vendor is RICOH
        for info in session.objects():
            assert session.read(info) == read(camera.store.expected(info.handle))
        assert camera.operations[Op.GetPartialObject] == 0


def test_a_theta_lists_what_its_reference_says() -> None:
    with SimulatedCamera(body=BODY, objects=1, size=1000) as camera, late(camera) as initiator:
        info = decode(DeviceInfo, initiator.ask(Op.GetDeviceInfo).data)
        assert info.operations_supported[-2:] == [0x1022, 0x99A1]
        assert (info.model, info.standard_version) == ("RICOH THETA m15", 110)
        assert initiator.ask(0x99A1).code == Code.AccessDenied
        assert initiator.ask(Op.GetPartialObject, 1, 0, 1).code == Code.OperationNotSupported


def test_a_cancel_ends_the_connection_of_a_theta() -> None:
    with SimulatedCamera(body=BODY, objects=1, size=1000) as camera, late(camera) as initiator:
        initiator.event.send(Cancel(1))
        assert initiator.event.receive() is None
        assert camera.wait_for(lambda: camera.unclean_ends == 1)


def test_a_release_needs_the_mode_of_single_pictures() -> None:
    with SimulatedCamera(body=BODY, objects=1, size=1000) as camera, late(camera) as initiator:
        assert initiator.ask(0x1016, 0x5013, data=b"\3\0").code == Code.OK
        assert initiator.ask(Op.InitiateCapture, 0, 0).code == Code.DeviceBusy
        assert initiator.ask(Op.InitiateOpenCapture, 0, 0).code == Code.OK
        assert initiator.ask(Op.InitiateOpenCapture, 0, 0).code == Code.DeviceBusy
        assert initiator.ask(Op.TerminateOpenCapture, ALL).code == Code.OK
        assert initiator.ask(Op.TerminateOpenCapture, ALL).code == Code.CaptureAlreadyTerminated
        assert initiator.ask(0x1016, 0x5013, data=b"\1\0").code == Code.OK
        assert initiator.ask(Op.InitiateCapture, 0, 0).code == Code.OK
        assert len(camera.store.files()) == 3


def test_events_of_a_theta_carry_the_transaction_of_the_release() -> None:
    store = Store(model=RICOH.model)
    store.capacity = 1500
    with SimulatedCamera(body=BODY, store=store, size=1000) as camera, late(camera) as initiator:
        asked = initiator.ask(Op.InitiateCapture, 0, 0).response.transaction_id
        added, complete = initiator.event.receive(), initiator.event.receive()
        assert added.code == EventCode.ObjectAdded
        assert (complete.code, complete.parameters) == (EventCode.CaptureComplete, (asked,))
        asked = initiator.ask(Op.InitiateCapture, 0, 0).response.transaction_id
        full = initiator.event.receive()
        assert (full.code, full.parameters) == (EventCode.StoreFull, (asked,))


def test_a_resized_picture_can_be_asked_for_by_its_operation() -> None:
    with (
        SimulatedCamera(body=BODY, objects=1, size=1000) as camera,
        ptpfast.connect(camera.host, port=camera.port) as session,
    ):
        (info,) = session.objects()
        small = session.transaction(0x1022, info.handle, 2048, 1024)
        assert small.data is not None
        assert small.data.startswith(b"\xff\xd8")
        with pytest.raises(ptpfast.ResponseError) as caught:
            session.transaction(0x1022, info.handle, 100, 100)
        assert "GetResizedImageObject" in caught.value.detail
