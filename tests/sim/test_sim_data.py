"""The simulated camera's data phases: their shapes, their pace, probes and cancels between."""

from __future__ import annotations

import pytest

from ptpfast.engine import wire as wire
from ptpfast.sim import (
    EndData,
    SimulatedCamera,
    Store,
    check,
)
from raw_initiator import Code, Initiator, Op, a_file


@pytest.mark.parametrize("end", EndData)
@pytest.mark.parametrize("packet_size", [1, 7, 1460, 8192, 1 << 20])
def test_every_shape_of_the_data_phase_carries_the_same_bytes(
    end: EndData, packet_size: int
) -> None:
    size = 5 if packet_size == 1 else 20_000
    store = Store()
    handles = [store.add(f"{n}.DNG", n) for n in (0, 1, size, size - size % packet_size)]
    with (
        SimulatedCamera(store=store, data_packet_size=packet_size, end_data=end) as camera,
        Initiator(camera) as initiator,
    ):
        for handle in handles:
            answer = initiator.ask(Op.GetObject, handle)
            content = store.expected(handle)
            assert check(content, answer.data)
            assert answer.packets[0] == wire.StartData(2 + handles.index(handle) - 1, content.size)
            data = [p for p in answer.packets if isinstance(p, wire.Data)]
            last = answer.packets[-1]
            assert isinstance(last, wire.EndData)
            assert all(len(p.payload) <= packet_size for p in data)
            if end is EndData.EMPTY:
                assert len(last.payload) == 0
            elif end is EndData.WHOLE:
                assert not data
            else:
                assert len(last.payload) > 0 or content.size == 0


def test_unknown_total_is_announced_as_all_ones() -> None:
    with SimulatedCamera(objects=1, size=10, announce_total=False) as camera:
        with Initiator(camera) as initiator:
            answer = initiator.ask(Op.GetObject, a_file(camera))
        assert answer.packets[0].total is None


def test_fragmented_sends_carry_the_same_packets() -> None:
    with (
        SimulatedCamera(objects=1, size=3000, max_bytes_per_send=1) as camera,
        Initiator(camera) as initiator,
    ):
        content = camera.store.expected(a_file(camera))
        assert check(content, initiator.ask(Op.GetObject, a_file(camera)).data)


def test_rate_is_not_exceeded() -> None:
    with (
        SimulatedCamera(objects=1, size=100_000, bytes_per_s=1_000_000) as camera,
        Initiator(camera) as initiator,
    ):
        import time

        begin = time.monotonic()
        initiator.ask(Op.GetObject, a_file(camera))
        assert time.monotonic() - begin > 0.07


def test_closing_the_camera_ends_a_slow_transfer_at_once() -> None:
    camera = SimulatedCamera(objects=1, size=1_000_000, bytes_per_s=100)
    with Initiator(camera) as initiator:
        initiator.request(Op.GetObject, a_file(camera))
        assert isinstance(initiator.command.receive(), wire.StartData)
        camera.close()
        assert initiator.command.receive() is None


def test_probe_is_answered_in_the_middle_of_a_data_phase() -> None:
    with (
        SimulatedCamera(objects=1, size=50_000_000, data_packet_size=65536) as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        initiator.event.send(wire.ProbeRequest())
        assert initiator.event.receive() == wire.ProbeResponse()
        assert check(camera.store.expected(a_file(camera)), initiator.collect().data)


@pytest.mark.parametrize("side", ["command", "event"])
def test_cancel_ends_the_data_phase_early_and_the_session_goes_on(side: str) -> None:
    with (
        SimulatedCamera(objects=1, size=1 << 30) as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        assert isinstance(initiator.command.receive(), wire.StartData)
        getattr(initiator, side).send(wire.Cancel(1))
        answer = initiator.collect()
        assert answer.code == Code.TransactionCancelled
        assert answer.shape[-1] == "EndData"
        size = len(answer.data)
        assert size < 1 << 30
        assert check(camera.store.expected(a_file(camera)), answer.data, 0, size)
        initiator.command.send(wire.Cancel(1))
        assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_cancel_inside_a_single_end_data_comes_too_late() -> None:
    with (
        SimulatedCamera(objects=1, size=50_000_000, end_data=EndData.WHOLE) as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        assert isinstance(initiator.command.receive(), wire.StartData)
        initiator.command.send(wire.Cancel(1))
        answer = initiator.collect()
        assert (answer.code, answer.shape) == (Code.OK, ["EndData"])
        assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_cancelled_data_out_is_answered_so() -> None:
    with SimulatedCamera(objects=0) as camera, Initiator(camera) as initiator:
        tid = initiator.transaction_id
        initiator.command.send(
            wire.OperationRequest(2, Op.SetDevicePropValue, tid, (0x5011,)),
            wire.StartData(tid, 100),
            wire.Data(tid, b"x" * 10),
            wire.Cancel(tid),
        )
        assert initiator.collect().code == Code.TransactionCancelled


def test_camera_that_needs_a_probe_hangs_without() -> None:
    with SimulatedCamera(objects=0, needs_probe=True) as camera:
        with Initiator(camera, session=False) as initiator:
            initiator.request(Op.GetDeviceInfo)
            assert camera.wait_for(lambda: camera.operations[Op.GetDeviceInfo] == 1)
            initiator.command.sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                initiator.command.sock.recv(1)
        with Initiator(camera, session=False) as initiator:
            initiator.event.send(wire.ProbeRequest())
            assert initiator.event.receive() == wire.ProbeResponse()
            assert initiator.ask(Op.GetDeviceInfo).code == Code.OK
