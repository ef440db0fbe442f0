"""Faults as text, when they are due, and how they break connections."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ptpfast.engine import wire as wire
from ptpfast.ptp.datasets import (
    ObjectInfoDataset,
    decode,
    decode_array,
)
from ptpfast.sim import (
    AT_END,
    KINDS,
    Fault,
    SimulatedCamera,
    check,
)
from ptpfast.sim.content import read
from raw_initiator import ALL, GUID, Code, Initiator, Op, Stream, a_file

EXAMPLES = [
    Fault(kind, operation=Op.GetObject, handle=0x40003, after=4096, at=2, times=0) for kind in KINDS
]


@pytest.mark.parametrize("fault", EXAMPLES, ids=str)
def test_fault_is_the_same_after_print_and_parse(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    "fault",
    [
        Fault("stall", 2.5, after_total=1 << 30),
        Fault("respond", 0xA004, operation=0x9431, at=3),
        Fault("drop", after=AT_END),
        Fault("announce", "-1"),
        *(Fault("name", name) for name in ("", "../x", "a\0b", "\x1b[2J", 'a "b" \\c', "CON", "ü")),
    ],
    ids=str,
)
def test_fault_with_odd_values_is_the_same_after_print_and_parse(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


def test_fault_text_understands_units_and_names() -> None:
    assert Fault.parse("reset on GetObject after 1MiB") == Fault(
        "reset", operation=Op.GetObject, after=1 << 20
    )
    assert Fault.parse("length=0xFFFFFFFF after-total 4k").number == 0xFFFFFFFF


@pytest.mark.parametrize(
    "text",
    ["", "explode", "drop=1", "drop on", "drop on Nothing", "drop after x", "drop at 0",
     "drop after 1 after-total 2", "busy 3", "announce=many", "length=x", "drop times -1"],
)  # fmt: skip
def test_wrong_fault_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        Fault.parse(text)


def faulty(*faults: str, **options: Any) -> SimulatedCamera:
    return SimulatedCamera(objects=4, size=100_000, faults=faults, data_packet_size=4096, **options)


def test_fault_strikes_at_the_nth_time_and_so_many_times() -> None:
    with faulty("busy on GetStorageIDs at 2 times 2") as camera, Initiator(camera) as initiator:
        codes = [initiator.ask(Op.GetStorageIDs).code for _ in range(4)]
        assert codes == [Code.OK, Code.DeviceBusy, Code.DeviceBusy, Code.OK]
        assert [str(fault) for fault in camera.faults.fired] == [
            "busy on GetStorageIDs at 2 times 2"
        ] * 2


def test_fault_can_be_meant_for_one_object() -> None:
    with faulty() as camera, Initiator(camera) as initiator:
        first, second = camera.store.files()[:2]
        camera.faults.add(Fault("respond", 0x2002, Op.GetObjectInfo, second.handle, times=0))
        assert initiator.ask(Op.GetObjectInfo, first.handle).code == Code.OK
        assert initiator.ask(Op.GetObjectInfo, second.handle).code == Code.GeneralError
        camera.faults.clear()
        assert initiator.ask(Op.GetObjectInfo, second.handle).code == Code.OK


@pytest.mark.parametrize("kind", ["drop", "drop_command", "sleep", "stall", "black_hole"])
def test_broken_connection_before_the_answer(kind: str) -> None:
    with faulty(f"{kind} on GetStorageIDs") as camera:
        with Initiator(camera) as initiator:
            initiator.request(Op.GetStorageIDs)
            if kind in ("stall", "black_hole"):
                initiator.command.sock.settimeout(0.05)
                with pytest.raises(TimeoutError):
                    initiator.command.sock.recv(1)
            else:
                answer = initiator.collect()
                assert (answer.response is None) == (kind != "sleep")
                assert initiator.command.receive() is None
        with Initiator(camera) as initiator:
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK


@pytest.mark.parametrize("kind", ["drop", "drop_command", "stall", "black_hole"])
@pytest.mark.parametrize("place", [0, 1, 4095, 4096, 5000, 99_999, 100_000])
def test_connection_breaks_after_exactly_so_many_payload_bytes(kind: str, place: int) -> None:
    with (
        faulty(f"{kind} on GetObject after {place}") as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        stream = b""
        initiator.command.sock.settimeout(5 if kind.startswith("drop") else 0.05)
        try:
            while more := initiator.command.sock.recv(65536):
                stream += more
        except TimeoutError:
            pass
        assert payload_of(stream) == read(camera.store.expected(a_file(camera)), 0, place)


def payload_of(stream: bytes) -> bytes:
    """The payload in a stream of packets that may be cut anywhere."""
    payload, at = b"", 0
    while at + 8 <= len(stream):
        length, kind = struct.unpack_from("<II", stream, at)
        if kind in (wire.PacketType.DATA, wire.PacketType.END_DATA):
            payload += stream[at + 12 : at + length]
        at += length
    return payload


def test_reset_is_a_reset() -> None:
    with (
        faulty("reset on GetObject after 50000") as camera,
        Initiator(camera) as initiator,
    ):
        initiator.request(Op.GetObject, a_file(camera))
        with pytest.raises(ConnectionResetError):
            initiator.collect()


def test_break_can_be_counted_over_the_whole_connection() -> None:
    with faulty("drop after-total 250000") as camera, Initiator(camera) as initiator:
        for _ in range(2):
            assert len(initiator.ask(Op.GetObject, a_file(camera)).data) == 100_000
        assert initiator.ask(Op.GetObject, a_file(camera)).response is None


def test_response_can_be_lost_after_all_data() -> None:
    for fault in ("drop on GetObject after end", "stall on GetObject after end"):
        with faulty(fault) as camera, Initiator(camera) as initiator:
            initiator.request(Op.GetObject, a_file(camera))
            packets = [initiator.command.receive() for _ in range(1 + 25 + 1)]
            assert isinstance(packets[-1], wire.EndData)


def test_stall_with_a_length_goes_on() -> None:
    with (
        faulty("stall=0.02 on GetObject after 5000") as camera,
        Initiator(camera) as initiator,
    ):
        answer = initiator.ask(Op.GetObject, a_file(camera))
        assert check(camera.store.expected(a_file(camera)), answer.data)


def test_event_connection_alone_can_be_dropped() -> None:
    with faulty("drop_event on GetObject after 5000") as camera, Initiator(camera) as initiator:
        answer = initiator.ask(Op.GetObject, a_file(camera))
        assert (answer.code, len(answer.data)) == (Code.OK, 100_000)
        assert initiator.event.receive() is None
        assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_datasets_can_be_corrupt() -> None:
    faults = (
        "empty_data on GetDeviceInfo",
        "cut_data=9 on GetDeviceInfo at 2",
        "object_size=123 on GetObjectInfo",
        'name="../../etc/passwd" on GetObjectInfo at 2',
        "self_parent on GetObjectInfo at 3",
        "parent=0x77 on GetObjectInfo at 4",
        "long_array=1000 on GetObjectHandles",
        "extra_handle=0xDEAD on GetObjectHandles at 2",
    )
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        assert initiator.ask(Op.GetDeviceInfo).data == b""
        assert len(initiator.ask(Op.GetDeviceInfo).data) == 9
        handle = a_file(camera)
        infos = [
            decode(ObjectInfoDataset, initiator.ask(Op.GetObjectInfo, handle).data)
            for _ in range(4)
        ]
        assert infos[0].object_compressed_size == 123
        assert infos[1].filename == "../../etc/passwd"
        assert [infos[2].parent_object, infos[3].parent_object] == [handle, 0x77]
        listing = initiator.ask(Op.GetObjectHandles, ALL, 0, 0).data
        assert int.from_bytes(listing[:4], "little") == len(listing) // 4 - 1 + 1000
        assert 0xDEAD in decode_array(initiator.ask(Op.GetObjectHandles, ALL, 0, 0).data)


def init_answer(camera: SimulatedCamera) -> bytes | None:
    stream = Stream((camera.host, camera.port))
    stream.send(wire.InitCommandRequest(GUID, "test", 0x10000))
    try:
        return stream.raw()
    finally:
        stream.close()


def test_init_can_fail_or_look_different() -> None:
    faults = (
        "init_fail=1",
        "init_drop at 2",
        "init_no_version at 3",
        "init_padded_name at 4",
        "init_number=0 at 5",
    )
    with faulty(*faults) as camera:
        assert init_answer(camera) == wire.pack(wire.InitFail(1))
        assert init_answer(camera) is None
        short, padded = init_answer(camera), init_answer(camera)
        assert short is not None
        assert padded is not None
        assert wire.parse(short).version == wire.parse(padded).version == 0  # type: ignore[union-attr]
        assert len(padded) == 28 + 80
        with Initiator(camera) as initiator:
            assert initiator.ack.connection_number == 0


def test_init_can_be_silent() -> None:
    with faulty("init_silence", "event_silence") as camera:
        stream = Stream((camera.host, camera.port))
        stream.send(wire.InitCommandRequest(GUID, "test", 0x10000))
        stream.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            stream.sock.recv(1)
        stream.close()
        assert init_answer(camera) is not None


def test_event_connection_can_be_refused_or_late() -> None:
    with faulty("event_fail=2", "event_late=0.02 at 2") as camera:
        command, event = Stream((camera.host, camera.port)), Stream((camera.host, camera.port))
        command.send(wire.InitCommandRequest(GUID, "test", 0x10000))
        event.send(wire.InitEventRequest(command.receive().connection_number))
        assert event.receive() == wire.InitFail(2)
        assert command.receive() is None
        command.close()
        event.close()
        with Initiator(camera) as initiator:
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK


def test_only_a_dataset_can_be_a_wrong_dataset() -> None:
    faults = [f"{kind} on GetObject" for kind in ("empty_data", "cut_data", "long_array")]
    with faulty(*faults) as camera, Initiator(camera) as initiator:
        handle = a_file(camera)
        assert check(camera.store.expected(handle), initiator.ask(Op.GetObject, handle).data)
        assert camera.faults.fired == []


def test_only_an_object_can_vanish() -> None:
    with SimulatedCamera(objects=2, faults=["vanish"]) as camera:
        with Initiator(camera) as initiator:
            handle = a_file(camera)
            assert initiator.ask(Op.GetDeviceInfo).code == Code.OK
            assert initiator.ask(Op.GetObjectHandles, ALL).code == Code.OK
            assert initiator.ask(Op.GetObject, handle).code == Code.InvalidObjectHandle
        assert camera.store.get(handle) is None
