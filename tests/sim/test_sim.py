"""The simulated camera lets Initiators in, keeps sessions, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from ptpfast.engine import wire as wire
from ptpfast.ptp.codes import FailReason
from ptpfast.sim import (
    SimulatedCamera,
    check,
)
from ptpfast.sim.approvals import Approvals, State
from raw_initiator import GUID, Code, Initiator, Op, Stream, a_file


@pytest.fixture
def camera() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(objects=4, size=100_000) as camera:
        yield camera


def test_init_command_ack_names_the_camera_and_numbers_grow(camera: SimulatedCamera) -> None:
    with Initiator(camera) as first:
        assert first.ack.name == "Simulated Camera"
        assert first.ack.guid == camera.guid
        assert first.ack.version == 0x10000
    with Initiator(camera) as second:
        assert second.ack.connection_number == first.ack.connection_number + 1
    assert camera.initiators == [(GUID, "test")] * 2


def test_second_initiator_is_told_that_the_camera_is_busy(camera: SimulatedCamera) -> None:
    with Initiator(camera) as first:
        other = Stream((camera.host, camera.port))
        other.send(wire.InitCommandRequest(bytes(16), "other", 0x10000))
        assert other.receive() == wire.InitFail(FailReason.BUSY)
        assert other.receive() is None
        other.close()
        assert first.ask(Op.GetStorageIDs).code == Code.OK


def test_unknown_connection_number_is_refused(camera: SimulatedCamera) -> None:
    stream = Stream((camera.host, camera.port))
    stream.send(wire.InitEventRequest(77))
    assert stream.receive() == wire.InitFail(FailReason.REJECTED_INITIATOR)
    stream.close()


def test_half_a_pair_expires() -> None:
    with SimulatedCamera(objects=0, pending_s=0.05) as camera:
        stream = Stream((camera.host, camera.port))
        stream.send(wire.InitCommandRequest(bytes(16), "half", 0x10000))
        assert isinstance(stream.receive(), wire.InitCommandAck)
        assert stream.receive() is None
        stream.close()
        silent = Stream((camera.host, camera.port))
        assert silent.receive() is None
        silent.close()


def test_closing_either_connection_ends_the_pair(camera: SimulatedCamera) -> None:
    for half in ("command", "event"):
        with Initiator(camera) as initiator:
            closed, left = initiator.command, initiator.event
            if half == "event":
                closed, left = left, closed
            closed.close()
            assert left.receive() is None
    assert camera.wait_for(lambda: camera.unclean_ends == 2)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        wire.pack(wire.ProbeRequest()),
        struct.pack("<II", 12, 1) + b"1234",
        struct.pack("<II", 9, 6) + b"1",
    ],
)
def test_garbage_for_a_handshake_does_no_harm(camera: SimulatedCamera, garbage: bytes) -> None:
    stream = Stream((camera.host, camera.port))
    stream.send(garbage)
    stream.sock.shutdown(socket.SHUT_WR)
    assert stream.receive() is None
    stream.close()
    with Initiator(camera) as initiator:
        assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_malformed_request_ends_the_pair_and_is_counted(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        initiator.command.send(struct.pack("<II", 5, 6))
        assert initiator.command.receive() is None
    assert camera.wait_for(lambda: camera.protocol_errors == 1)


def test_unknown_packet_is_ignored(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        initiator.command.send(struct.pack("<III", 12, 99, 0))
        assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_operations_need_a_session_but_for_two(camera: SimulatedCamera) -> None:
    with Initiator(camera, session=False) as initiator:
        assert initiator.ask(Op.GetDeviceInfo).code == Code.OK
        assert initiator.ask(Op.GetStorageIDs).code == Code.SessionNotOpen
        assert initiator.ask(Op.OpenSession, 0).code == Code.InvalidParameter
        assert initiator.ask(Op.OpenSession, 5).code == Code.OK
        again = initiator.ask(Op.OpenSession, 6)
        assert (again.code, again.response.parameters) == (Code.SessionAlreadyOpened, (5,))
        assert initiator.ask(Op.CloseSession).code == Code.OK
        assert initiator.ask(Op.GetStorageIDs).code == Code.SessionNotOpen
    assert (camera.sessions_opened, camera.sessions_closed, camera.unclean_ends) == (1, 1, 0)


def test_transaction_id_must_follow_unless_lenient() -> None:
    for strict, expected in ((True, Code.InvalidTransactionID), (False, Code.OK)):
        with (
            SimulatedCamera(objects=0, strict_tid=strict) as camera,
            Initiator(camera) as initiator,
        ):
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK
            initiator.transaction_id -= 1
            assert initiator.ask(Op.GetStorageIDs).code == expected
            initiator.transaction_id = 0xFFFFFFFE
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK
            initiator.transaction_id = 1
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_requests_sent_ahead_are_answered_in_order(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        for offset in range(0, 50_000, 10_000):
            initiator.request(Op.GetPartialObject, a_file(camera), offset, 10_000)
        data = b"".join(initiator.collect().data for _ in range(5))
        assert check(camera.store.expected(a_file(camera)), data, 0, 50_000)


def test_many_cameras_run_side_by_side() -> None:
    cameras = [SimulatedCamera(objects=2, size=1000, seed=seed) for seed in range(8)]
    initiators = [Initiator(camera) for camera in cameras]
    data = {initiators[n].ask(Op.GetObject, a_file(cameras[n])).data for n in range(8)}
    assert len(data) == 8
    for initiator, camera in zip(initiators, cameras, strict=True):
        initiator.__exit__()
        camera.close()


def test_nothing_is_left_after_close() -> None:
    before = threading.active_count()
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    camera = SimulatedCamera(objects=1, size=100, faults=["stall on GetObject"])
    with Initiator(camera) as initiator:
        initiator.request(Op.GetObject, a_file(camera))
        assert camera.wait_for(lambda: camera.operations[Op.GetObject] == 1)
        half = Stream((camera.host, camera.port))
        camera.close()
        camera.close()
        half.close()
    assert threading.active_count() == before
    if descriptors:
        assert len(os.listdir("/proc/self/fd")) == descriptors


def test_initiator_that_returns_at_once_is_let_in(camera: SimulatedCamera) -> None:
    for _ in range(20):
        with Initiator(camera) as initiator:
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK
    assert camera.wait_for(lambda: camera.unclean_ends == 20)


def test_log_tells_operations_parameters_and_bytes(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        initiator.ask(Op.GetPartialObject, a_file(camera), 5, 10)
        assert camera.wait_for(lambda: len(camera.log) == 2)
    assert camera.log[-1] == (Op.GetPartialObject, 1, (a_file(camera), 5, 10), Code.OK, 10)
    assert camera.payload_bytes == 10


def test_computers_may_ask_while_the_asking_ones_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    approvals = Approvals("unknown")
    approvals.ask(GUID, "first")
    decide = approvals.state

    def state(guid: bytes, name: str) -> State:
        approvals.ask(GUID, "second")  # as a thread of the camera does it
        return decide(guid, name)

    with monkeypatch.context() as patch:
        patch.setattr(approvals, "state", state)
        assert approvals.asking == [(GUID, "first")]
    assert approvals.asking == [(GUID, "first"), (GUID, "second")]


def test_log_does_not_change_while_it_is_read(camera: SimulatedCamera) -> None:
    with Initiator(camera) as initiator:
        initiator.ask(Op.GetStorageIDs)
        assert camera.wait_for(lambda: len(camera.log) == 2)
        codes = []
        for row in camera.log:
            codes.append(row.operation)
            initiator.ask(Op.GetStorageIDs)
        assert codes == [Op.OpenSession, Op.GetStorageIDs]
        assert camera.wait_for(lambda: len(camera.log) == 4)
        camera.clear_log()
        assert camera.log == ()


def test_vendor_events_with_parameters_of_their_own() -> None:
    """Later bodies report more than one parameter; the D5300's dataset has room for one."""
    from ptpfast.vendors.nikon import datasets as nikon

    with (
        SimulatedCamera(body="nikon-z6", objects=0) as camera,
        Initiator(camera) as initiator,
    ):
        camera.push_event(0xC105, 1, 2)
        events = nikon.parse_events_ex(initiator.ask(0x941C).data)
        assert events == [(0xC105, (1, 2))]
