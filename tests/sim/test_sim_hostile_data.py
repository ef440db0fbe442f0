"""Faults of the data phase: lengths, totals, ids and packets that no camera should send."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ptpfast.engine import wire as wire
from ptpfast.ptp.codes import EventCode
from ptpfast.sim import (
    SimulatedCamera,
)
from raw_initiator import Code, Initiator, Op, a_file


def faulty(*faults: str, **options: Any) -> SimulatedCamera:
    return SimulatedCamera(objects=4, size=100_000, faults=faults, data_packet_size=4096, **options)


SHORT = {
    "short_data": Code.OK,
    "error_after=0x2007": Code.IncompleteTransfer,
    "vanish": Code.InvalidObjectHandle,
}


@pytest.mark.parametrize("kind", SHORT)
def test_data_phase_ends_early_with_or_without_an_error(kind: str) -> None:
    with faulty(f"{kind} on GetObject after 5000") as camera, Initiator(camera) as initiator:
        handle = a_file(camera)
        answer = initiator.ask(Op.GetObject, handle)
        assert answer.packets[0].total == 100_000
        assert len(answer.data) == 5000
        assert answer.code == SHORT[kind]
        later = initiator.ask(Op.GetObjectInfo, handle).code
        assert later == (Code.InvalidObjectHandle if kind == "vanish" else Code.OK)


TOTALS = {
    "unknown": None,
    "unknown32": 0xFFFFFFFF,
    "+1": 100_001,
    "-1": 99_999,
    "5": 5,
    str(1 << 60): 1 << 60,
}


@pytest.mark.parametrize("total", TOTALS)
def test_announced_total_can_be_wrong(total: str) -> None:
    with (
        faulty(f"announce={total} on GetObject") as camera,
        Initiator(camera) as initiator,
    ):
        answer = initiator.ask(Op.GetObject, a_file(camera))
        assert answer.packets[0].total == TOTALS[total]
        assert len(answer.data) == 100_000


def test_start_data_can_be_short_or_missing() -> None:
    with (
        faulty("start16 on GetObject", "no_start on GetObject at 2") as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        start = initiator.command.raw()
        assert start == struct.pack("<IIII", 16, 9, 1, 100_000)
        assert len(initiator.collect().data) == 100_000
        assert initiator.ask(Op.GetObject, a_file(camera)).shape[0] == "Data"


def test_end_data_can_be_missing_or_repeated() -> None:
    with (
        faulty("no_end on GetObject", "repeat_end on GetObject at 2") as camera,
        Initiator(camera) as initiator,
    ):
        assert "EndData" not in initiator.ask(Op.GetObject, a_file(camera)).shape
        shape = initiator.ask(Op.GetObject, a_file(camera)).shape
        assert shape[-2:] == ["EndData", "EndData"]


def test_more_data_than_announced() -> None:
    with faulty("overrun=1000 on GetObject") as camera, Initiator(camera) as initiator:
        answer = initiator.ask(Op.GetObject, a_file(camera))
        assert (answer.packets[0].total, len(answer.data)) == (100_000, 101_000)


def test_transaction_ids_can_be_wrong() -> None:
    faults = (
        "wrong_tid on GetObject",
        "response_wrong_tid on GetObject at 2",
        "response_tid_zero on GetObject at 3",
    )
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        answer = initiator.ask(Op.GetObject, a_file(camera))
        assert answer.packets[0].transaction_id == 1
        assert {packet.transaction_id for packet in answer.packets[1:]} == {2}
        assert initiator.ask(Op.GetObject, a_file(camera)).response.transaction_id == 3
        assert initiator.ask(Op.GetObject, a_file(camera)).response.transaction_id == 0


def test_old_transaction_and_early_response_come_first() -> None:
    faults = ("stale on GetObject", "response_first on GetObject at 2")
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        old = initiator.ask(Op.GetObject, a_file(camera))
        assert (old.data, old.response.transaction_id) == (b"old", 0)
        assert len(initiator.collect().data) == 100_000
        early = initiator.ask(Op.GetObject, a_file(camera))
        assert not early.packets
        assert len(initiator.collect().data) == 100_000


def test_response_can_have_more_parameters_or_be_missing() -> None:
    faults = ("extra_parameters=3 on GetStorageIDs", "no_response on GetStorageIDs at 2")
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        assert initiator.ask(Op.GetStorageIDs).response.parameters == (0, 0, 0)
        initiator.request(Op.GetStorageIDs)
        assert initiator.ask(Op.GetStorageInfo, 0x10001).packets[-1].transaction_id == 3


def test_operation_can_be_answered_without_data_or_not_at_all() -> None:
    faults = ("ok_without_data on GetObject", "no_answer on GetObject at 2", "delay=0.01")
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        answer = initiator.ask(Op.GetObject, a_file(camera))
        assert (answer.code, answer.packets) == (Code.OK, [])
        initiator.request(Op.GetObject, a_file(camera))
        assert initiator.ask(Op.GetStorageIDs).response.transaction_id == 3


@pytest.mark.parametrize("length", [0, 4, 7, 11, 0xFFFFFFFF])
def test_packet_length_can_be_a_lie(length: int) -> None:
    with (
        faulty(f"length={length} on GetObject after 8192") as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        for _ in range(3):
            initiator.command.receive()
        assert struct.unpack("<II", initiator.command.file.read(8)) == (length, 10)


def test_foreign_packets_come_between_the_data_packets() -> None:
    faults = (
        "unknown_packet=99 on GetObject after 4096",
        "event_on_command on GetObject after 8192",
        "probe on GetObject after 8192",
        "event_burst=50 on GetObject after 8192",
    )
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        initiator.request(Op.GetObject, a_file(camera))
        kinds = []
        for _ in range(7):
            packet = initiator.command.raw()
            assert packet is not None
            kinds.append(int.from_bytes(packet[4:8], "little"))
        assert kinds == [9, 10, 99, 10, 8, 13, 10]
        initiator.collect()
        assert initiator.event.receive() == wire.ProbeRequest()
        assert {initiator.event.receive().code for _ in range(50)} == {EventCode.UnreportedStatus}
        initiator.event.send(wire.ProbeResponse())
        assert camera.wait_for(lambda: camera.probe_responses == 1)
