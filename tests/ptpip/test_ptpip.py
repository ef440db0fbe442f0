"""mmattes/ptpip's programs with the import line changed: its names, its usage, and its 40 defects,
each gone. docs/from-ptpip.md points at the tests here by name.
"""

from __future__ import annotations

import inspect
import io
import logging
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partialmethod
from pathlib import Path
from threading import Thread

import pytest

import ptpfast.ptpip
from conftest import HASTY, PATIENT, Cameras, without_pauses
from ptpfast import (
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    DeviceBusy,
    InitFailed,
    InvalidObjectHandle,
    ProtocolError,
    ResponseError,
    Timeout,
    TransferError,
)
from ptpfast.ptp.codes import EventCode, ResponseCode
from ptpfast.ptpip import (
    PtpIpCancelTransaction,
    PtpIpCmdRequest,
    PtpIpCmdResponse,
    PtpIpConnection,
    PtpIpDataPacket,
    PtpIpEndDataPacket,
    PtpIpEvent,
    PtpIpEventAck,
    PtpIpEventFactory,
    PtpIpEventReq,
    PtpIpInitCmdAck,
    PtpIpInitCmdReq,
    PtpIpInitFail,
    PtpIpPacket,
    PtpIpPing,
    PtpIpPong,
    PtpIpStartDataPacket,
)
from ptpfast.ptpip.queues import SharedList
from ptpfast.sim import SimulatedCamera, Transaction

WAIT_S = 20
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "from-ptpip.md"

Opened = Callable[..., PtpIpConnection]


def content(camera: SimulatedCamera, handle: int) -> bytes:
    expected = camera.store.expected(handle)
    return b"".join(expected.spans(0, expected.size))


def first_file(camera: SimulatedCamera) -> int:
    return camera.store.files()[0].handle


def filled(queue: SharedList, size: int) -> bool:
    """Stands where the seed's programs sleep and hope."""
    with queue.changed:
        return queue.changed.wait_for(lambda: len(queue) >= size, WAIT_S)


def has(queue: SharedList, *codes: int) -> bool:
    with queue.changed:
        return queue.changed.wait_for(
            lambda: set(codes) <= {event.event_code for event in queue}, WAIT_S
        )


def log(sim: SimulatedCamera, size: int) -> list[Transaction]:
    """The first transactions the camera has served, its own book-keeping done."""
    assert sim.wait_for(lambda: len(sim.log) >= size, WAIT_S)
    return list(sim.log)


@pytest.fixture
def opened(stack: ExitStack) -> Opened:
    """Connections to simulated cameras with the communication thread running."""

    def open_connection(sim: SimulatedCamera, **options: object) -> PtpIpConnection:
        options.setdefault("timeouts", PATIENT)
        options.setdefault("vendor", without_pauses(sim.body.vendor))
        ptpip = stack.enter_context(PtpIpConnection())
        ptpip.open(sim.host, sim.port, **options)
        thread = Thread(target=ptpip.communication_thread)
        thread.daemon = True
        thread.start()
        return ptpip

    return open_connection


def ask(ptpip: PtpIpConnection, cmd: int, *parameters: int) -> PtpIpCmdResponse:
    request = PtpIpCmdRequest(None, cmd, *parameters)
    ptpip.send_ptpip_cmd(request)
    return request.result(WAIT_S)


# The seed's programs


def test_quick_start_of_the_seed_releases_the_shutter(camera: Cameras, stack: ExitStack) -> None:
    sim = camera("nikon")
    before = len(sim.store.files())

    # open takes the camera's address here; nothing else differs from how the seed is used
    ptpip = PtpIpConnection()
    stack.callback(ptpip.close)
    ptpip.open(host=sim.host, port=sim.port, vendor=without_pauses("nikon"))

    thread = Thread(target=ptpip.communication_thread)
    thread.daemon = True
    thread.start()

    ptpip_cmd = PtpIpCmdRequest(cmd=0x9207, param1=0xFFFFFFFF, param2=0x0000)
    ptpip_packet = ptpip.cmd_queue.append(ptpip_cmd)

    assert ptpip_packet is None
    assert ptpip_cmd.result(WAIT_S).ptp_response_code == 0x2001
    assert len(sim.store.files()) == before + 2  # RAW and JPEG
    assert log(sim, 3)[2].parameters == (0xFFFFFFFF, 0)


def test_sample_of_the_seed_takes_a_picture_and_gets_its_bytes(
    camera: Cameras, stack: ExitStack
) -> None:
    sim = camera("nikon", size=1_500_001)
    old = {stored.handle for stored in sim.store.files()}

    ptpip = PtpIpConnection()
    stack.callback(ptpip.close)
    ptpip.open(host=sim.host, port=sim.port, vendor=without_pauses("nikon"))
    thread = Thread(target=ptpip.communication_thread)
    thread.daemon = True
    thread.start()

    ptpip_cmd = PtpIpCmdRequest(cmd=0x9207, param1=0xFFFFFFFF, param2=0x0000)
    ptpip_packet = ptpip.send_ptpip_cmd(ptpip_cmd)
    assert ptpip_packet is None

    ptpip_cmd = PtpIpCmdRequest(cmd=0x90C7)
    ptpip_packet = ptpip.send_ptpip_cmd(ptpip_cmd)

    assert has(ptpip.event_queue, 0x400D)

    for event in ptpip.event_queue:
        if event.event_code == 0x4002:
            ptpip_cmd = PtpIpCmdRequest(cmd=0x1009, param1=event.event_parameter)
            ptpip_packet = ptpip.send_ptpip_cmd(ptpip_cmd)

    assert filled(ptpip.object_queue, 2)

    pictures = {}
    for data_object in ptpip.object_queue:
        data_stream = io.BytesIO(data_object.data)
        pictures[data_object.object_handle] = data_stream.read()

    new = {stored.handle for stored in sim.store.files()} - old
    assert pictures == {handle: content(sim, handle) for handle in new}
    assert [len(picture) for picture in pictures.values()] == [1_500_001] * 2


def test_the_same_with_results_instead_of_waiting_for_queues(
    camera: Cameras, opened: Opened
) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    ask(ptpip, 0x9207, 0xFFFFFFFF, 0)
    ask(ptpip, 0x90C7)
    handles = [e.event_parameter for e in ptpip.event_queue if e.event_code == 0x4002]
    requests = [PtpIpCmdRequest(cmd=0x1009, param1=handle) for handle in handles]
    ptpip.cmd_queue.extend(requests)
    for request in requests:
        request.result(WAIT_S)
        assert request.data_in == content(sim, request.param1)
    assert [found.object_handle for found in ptpip.object_queue] == handles


def test_camera_address_is_that_of_the_seed_unless_given() -> None:
    for method in (PtpIpConnection.open, PtpIpConnection.connect):
        given = inspect.signature(method).parameters
        assert (given["host"].default, given["port"].default) == ("192.168.1.1", 15740)


def test_event_query_asks_for_events_and_takes_no_picture(camera: Cameras, opened: Opened) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    sim.push_event(0x4006, 0x5001)
    ask(ptpip, 0x90C7)
    assert [repr(event) for event in ptpip.event_queue] == ["PtpIpEvent(0x4006, 0x5001)"]
    assert (sim.operations[0x9207], len(sim.store.files())) == (0, 4)


# Commands and their outcome


def test_commands_run_in_the_order_they_were_queued(camera: Cameras, opened: Opened) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    codes = [0x1004, 0x1006, 0x90C7, 0x1004, 0x90C8]
    requests = [PtpIpCmdRequest(cmd=code) for code in codes]
    ptpip.cmd_queue.extend(requests)
    assert all(request.wait(WAIT_S) for request in requests)
    assert [line.operation for line in log(sim, 7)] == [0x1001, 0x1002, *codes]
    assert not ptpip.cmd_queue


def test_commands_follow_each_other_without_a_pause(camera: Cameras, opened: Opened) -> None:
    ptpip = opened(camera("nikon"))
    began = time.monotonic()
    for _ in range(100):
        ask(ptpip, 0x90C8)
    # The seed needs 100 seconds: one for each.
    assert time.monotonic() - began < 10


def test_response_code_parameters_and_payload_reach_the_caller(
    camera: Cameras, opened: Opened
) -> None:
    ptpip = opened(camera("nikon", objects=3))
    request = PtpIpCmdRequest(cmd=0x1006, param1=0xFFFFFFFF)
    assert not request.done
    ptpip.send_ptpip_cmd(request)
    response = request.result(WAIT_S)
    assert request.done
    assert (response.ptp_response_code, response.args) == (0x2001, (5,))  # and two folders
    assert response.transaction_id == request.transaction_id > 0
    assert (request.response, request.error, request.data_in) == (response, None, None)
    request = PtpIpCmdRequest(cmd=0x1004)
    ptpip.send_ptpip_cmd(request)
    request.result(WAIT_S)
    assert request.data_in == b"\1\0\0\0\1\0\1\0"


def test_payload_of_any_operation_is_taken_in_and_the_next_answer_is_its_own(
    camera: Cameras, opened: Opened
) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    requests = [PtpIpCmdRequest(cmd=code) for code in (0x1001, 0x1004, 0x1007, 0x90C8)]
    requests[2].param1 = 0xFFFFFFFF
    for request in requests:
        response = ptpip.send_recieve_ptpip_packet(request, ptpip.session)
        assert isinstance(response, PtpIpCmdResponse)
        assert response.ptp_response_code == 0x2001
    assert "D5300".encode("utf-16-le") in requests[0].data_in
    assert len(requests[2].data_in) == 4 + 4 * 6
    assert requests[3].data_in is None


def test_refusal_instead_of_data_reaches_the_caller_and_the_next_command_works(
    camera: Cameras, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ptpfast")
    sim = camera("nikon")
    ptpip = opened(sim)
    request = PtpIpCmdRequest(cmd=0x1009, param1=0xBAD)
    ptpip.send_ptpip_cmd(request)
    with pytest.raises(InvalidObjectHandle, match=r"GetObject\(0xBAD\)"):
        request.result(WAIT_S)
    assert request.response.ptp_response_code == ResponseCode.InvalidObjectHandle
    with pytest.raises(ResponseError) as refusal:
        ask(ptpip, 0x9999)
    assert refusal.value.code == ResponseCode.OperationNotSupported
    reply = ptpip.send_recieve_ptpip_packet(PtpIpCmdRequest(cmd=0x9999), ptpip.session)
    assert reply.ptp_response_code == ResponseCode.OperationNotSupported
    assert ask(ptpip, 0x1004).ptp_response_code == 0x2001
    assert ptpip.object_queue == []
    assert "GetObject(0xBAD)" in caplog.text


def test_ok_without_the_data_of_an_object_is_an_error(camera: Cameras, opened: Opened) -> None:
    sim = camera(faults=["ok_without_data on GetObject"])
    ptpip = opened(sim)
    with pytest.raises(TransferError, match="sent no data"):
        ask(ptpip, 0x1009, first_file(sim))
    assert ptpip.object_queue == []
    ask(ptpip, 0x1009, first_file(sim))
    assert len(ptpip.object_queue) == 1


@pytest.mark.parametrize("command", [{"cmd": 0x10000}, {"cmd": 0x1004, "param1": -1}, {}])
def test_command_that_cannot_be_sent_fails_alone(
    camera: Cameras, opened: Opened, command: dict[str, int]
) -> None:
    ptpip = opened(camera())
    request = PtpIpCmdRequest(**command)
    ptpip.send_ptpip_cmd(request)
    with pytest.raises((ValueError, TypeError)):
        request.result(WAIT_S)
    ask(ptpip, 0x1004)


def test_waiting_for_a_result_can_end_before_the_command_does() -> None:
    with pytest.raises(TimeoutError, match="0x1004"):
        PtpIpCmdRequest(cmd=0x1004).result(timeout=0.01)


@pytest.mark.parametrize("operation", ["0x9207", "0x90C7", "0x1009"])
def test_busy_camera_is_asked_again_until_it_is_ready(
    camera: Cameras, opened: Opened, operation: str
) -> None:
    sim = camera("nikon", faults=[f"busy on {operation} times 3"])
    ptpip = opened(sim)
    ask(ptpip, int(operation, 16), first_file(sim))
    assert sim.operations[int(operation, 16)] == 4


def test_two_pictures_in_a_row_wait_for_each_other(camera: Cameras, opened: Opened) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    shots = [PtpIpCmdRequest(cmd=0x9207, param1=0xFFFFFFFF, param2=0) for _ in range(3)]
    ptpip.cmd_queue.extend(shots)
    assert [shot.result(WAIT_S).ptp_response_code for shot in shots] == [0x2001] * 3
    assert len(sim.store.files()) == 4 + 3 * 2


def test_camera_that_stays_busy_is_told_to_the_caller(
    camera: Cameras, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.link.link.BUSY_S", 0.05)
    ptpip = opened(camera(faults=["busy on GetStorageIDs times 0"]))
    with pytest.raises(DeviceBusy):
        ask(ptpip, 0x1004)


def test_payload_goes_out_with_a_command(camera: Cameras, opened: Opened) -> None:
    ptpip = opened(camera())
    request = PtpIpCmdRequest(cmd=0x1016, param1=0x5004, data_out=b"\x01")
    assert request.unkown == 2
    ptpip.send_ptpip_cmd(request)
    request.result(WAIT_S)
    value = PtpIpCmdRequest(cmd=0x1015, param1=0x5004)
    ptpip.send_recieve_ptpip_packet(value, ptpip.session)
    assert value.data_in == b"\x01"


def test_nothing_is_printed_nor_logged_when_all_goes_well(
    camera: Cameras,
    opened: Opened,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    ask(ptpip, 0x9207, 0xFFFFFFFF, 0)
    ask(ptpip, 0x90C7)
    ask(ptpip, 0x1009, first_file(sim))
    ptpip.close()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_transaction_ids_count_up_and_the_session_id_is_not_the_connection_number(
    camera: Cameras, opened: Opened
) -> None:
    # A camera that numbers the connection 0 could not open a session of that id.
    sim = camera("nikon", faults=["init_number=0"])
    ptpip = opened(sim)
    assert ptpip.session_id == 0
    for _ in range(3):
        ask(ptpip, 0x1004)
    assert [line.transaction_id for line in log(sim, 5)] == [0, 0, 1, 2, 3]
    assert sim.log[1].parameters == (1,)


def test_response_of_another_transaction_is_not_taken(camera: Cameras, opened: Opened) -> None:
    ptpip = opened(camera(faults=["response_wrong_tid on GetStorageIDs"]))
    with pytest.raises(ProtocolError):
        ask(ptpip, 0x1004)


# Objects in every shape


SHAPES: list[dict[str, object]] = [
    {"end_data": "whole"},
    {"end_data": "last", "data_packet_size": 65536},
    {"end_data": "last", "data_packet_size": 150_000},  # two of equal size
    {"end_data": "empty", "data_packet_size": 300_000},  # one, and an empty End Data
    {"end_data": "empty", "data_packet_size": 512},
    {"announce_total": False},
    {"max_bytes_per_send": 1461},
    {"size": 0},
    {"faults": ["start16 times 0"]},
    {"faults": ["no_start on GetObject"]},
    {"faults": ["announce=unknown32 on GetObject"]},
    {"faults": ["repeat_end on GetObject"]},
    {"faults": ["stale on GetObject"]},
    {"faults": ["event_on_command on GetObject"]},
    {"faults": ["unknown_packet=99 on GetObject"]},
    {"faults": ["probe on GetObject"]},
    {"faults": ["extra_parameters on GetObject"]},
]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_object_has_right_bytes_in_every_shape_of_the_data_phase(
    camera: Cameras, opened: Opened, shape: dict[str, object]
) -> None:
    sim = camera("nikon", **shape)
    ptpip = opened(sim)
    handles = [stored.handle for stored in sim.store.files()]
    for handle in handles:
        assert ask(ptpip, 0x1009, handle).ptp_response_code == 0x2001
    assert {found.object_handle: found.data for found in ptpip.object_queue} == {
        handle: content(sim, handle) for handle in handles
    }


def test_object_is_handed_over_without_a_copy(camera: Cameras, opened: Opened) -> None:
    sim = camera()
    ptpip = opened(sim)
    request = PtpIpCmdRequest(cmd=0x1009, param1=first_file(sim))
    ptpip.cmd_queue.append(request)
    request.result(WAIT_S)
    assert ptpip.object_queue.pop().data is request.data_in


def test_object_that_ends_too_early_is_an_error_and_not_in_the_queue(
    camera: Cameras, opened: Opened
) -> None:
    sim = camera(faults=["short_data on GetObject after 1000"])
    ptpip = opened(sim)
    with pytest.raises(ProtocolError, match="1,000 bytes"):
        ask(ptpip, 0x1009, first_file(sim))
    assert ptpip.object_queue == []


def test_lost_connection_ends_the_command_with_its_error(camera: Cameras, opened: Opened) -> None:
    sim = camera(faults=["drop on GetObject after 100000"])
    ptpip = opened(sim)
    with pytest.raises(ConnectionLost) as lost:
        ask(ptpip, 0x1009, first_file(sim))
    assert lost.value.received == 100_000
    with pytest.raises(ConnectionLost):
        ask(ptpip, 0x1004)
    ptpip.open(sim.host, sim.port, vendor=without_pauses("standard"))
    assert ask(ptpip, 0x1004).ptp_response_code == 0x2001


def test_silent_camera_is_a_timeout_and_no_hang(camera: Cameras, opened: Opened) -> None:
    ptpip = opened(camera(faults=["no_answer on GetStorageIDs"]), timeouts=HASTY)
    with pytest.raises(Timeout):
        ask(ptpip, 0x1004)


# Events


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_event_is_queued_once_however_it_comes(
    camera: Cameras, opened: Opened, vendor: str
) -> None:
    sim = camera(vendor)
    ptpip = opened(sim)
    handles = sim.capture()
    if vendor == "nikon":
        ask(ptpip, 0x90C7)
    assert has(ptpip.event_queue, EventCode.CaptureComplete)
    added = [e.event_parameter for e in ptpip.event_queue if e.event_code == 0x4002]
    assert added == handles


def test_event_that_comes_by_both_ways_is_queued_once(camera: Cameras, opened: Opened) -> None:
    sim = camera("nikon", faults=["event_burst=2 on 0x90C7"])
    ptpip = opened(sim)
    sim.push_event(0x4006, 0x5001)
    ask(ptpip, 0x90C7)
    assert filled(ptpip.event_queue, 3)
    ptpip.session.link.hub.publish(ptpfast.Event(0x4006, (0x5001, 0, 0)))
    assert sum(event.event_code == 0x4006 for event in ptpip.event_queue) == 1


def test_event_during_the_opening_is_not_lost(
    camera: Cameras, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()
    connect = ptpfast.ptpip.connection.connect

    def connect_slowly(*args: object, **options: object) -> ptpfast.Session:
        session = connect(*args, **options)
        heard = session.link.hub.subscribe()
        sim.push_event(0x400A, 7)
        assert heard.get(WAIT_S).code == 0x400A
        heard.close()
        return session

    monkeypatch.setattr("ptpfast.ptpip.connection.connect", connect_slowly)
    ptpip = opened(sim)
    assert [event.event_parameter for event in ptpip.event_queue] == [7]


def test_probe_of_the_camera_is_answered(camera: Cameras, opened: Opened) -> None:
    sim = camera("nikon", faults=["probe on GetObject"])
    ask(opened(sim), 0x1009, first_file(sim))
    assert sim.wait_for(lambda: sim.probe_responses == 2, WAIT_S)


@pytest.mark.parametrize(("vendor", "operation"), [("nikon", 0x90C8), ("standard", 0x1001)])
def test_idle_connection_is_kept_alive(
    camera: Cameras,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    vendor: str,
    operation: int,
) -> None:
    monkeypatch.setattr("ptpfast.ptpip.connection.KEEP_ALIVE_S", 0.01)
    sim = camera(vendor, faults=[f"busy on {operation:#x} at 2"])
    ptpip = opened(sim)
    assert sim.wait_for(lambda: sim.operations[operation] > 4, WAIT_S)
    ask(ptpip, 0x1004)


def test_camera_that_goes_while_idle_is_logged_and_the_thread_goes_on(
    camera: Cameras,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("ptpfast.ptpip.connection.KEEP_ALIVE_S", 0.01)
    sim = camera("nikon", faults=["drop on 0x90C8"])
    ptpip = opened(sim)
    assert sim.wait_for(lambda: sim.unclean_ends == 1, WAIT_S)
    with pytest.raises(ConnectionLost):
        ask(ptpip, 0x1004)
    assert caplog.text.count("the camera is gone") == 1


# Opening, closing, threads


def test_init_fail_reaches_the_caller_with_its_reason(camera: Cameras, opened: Opened) -> None:
    with pytest.raises(InitFailed, match="not registered") as refused:
        opened(camera(faults=["init_fail=1"]))
    assert refused.value.reason == 1


def test_nobody_at_the_address_is_an_error_of_its_own(camera: Cameras) -> None:
    sim = camera()
    sim.close()
    with pytest.raises(ConnectFailed, match="nothing listens"):
        PtpIpConnection().open(sim.host, sim.port)


def test_this_computer_is_the_same_one_in_every_run(camera: Cameras, opened: Opened) -> None:
    sim = camera()
    for _ in range(2):
        opened(sim).close()
    assert sim.initiators[0] == sim.initiators[1]
    request = PtpIpInitCmdReq()
    assert sim.initiators[0] == (request.guid, request.hostname[:39])


def test_close_ends_session_and_thread_and_cancels_what_waits(camera: Cameras) -> None:
    sim = camera()
    with PtpIpConnection() as ptpip:
        waiting = PtpIpCmdRequest(cmd=0x1004)
        ptpip.send_ptpip_cmd(waiting)
        ptpip.open(sim.host, sim.port, vendor=without_pauses("standard"))
        ptpip.close()
        ptpip.close()
        ptpip.communication_thread()  # returns, because it is closed
        late = PtpIpCmdRequest(cmd=0x1004)
        ptpip.send_ptpip_cmd(late)
        for request in (waiting, late):
            with pytest.raises(Cancelled):
                request.result(WAIT_S)
        ptpip.open(sim.host, sim.port, vendor=without_pauses("standard"))
    assert (sim.sessions_opened, sim.sessions_closed, sim.unclean_ends) == (2, 2, 0)


def test_close_interrupts_the_command_that_runs(camera: Cameras, opened: Opened) -> None:
    sim = camera(size=2_000_000, objects=1, bytes_per_s=2_000_000)
    ptpip = opened(sim)
    request = PtpIpCmdRequest(cmd=0x1009, param1=first_file(sim))
    ptpip.send_ptpip_cmd(request)
    assert sim.wait_for(lambda: sim.operations[0x1009] == 1, WAIT_S)
    ptpip.close()
    with pytest.raises(Cancelled):
        request.result(WAIT_S)
    assert ptpip.object_queue == []
    assert sim.sessions_closed == 1


def test_thread_may_start_before_the_connection_is_open(camera: Cameras) -> None:
    sim = camera()
    ptpip = PtpIpConnection()
    thread = Thread(target=ptpip.communication_thread)
    thread.start()
    request = PtpIpCmdRequest(cmd=0x1004)
    ptpip.cmd_queue.append(request)
    with ptpip:
        ptpip.open(sim.host, sim.port, vendor=without_pauses("standard"))
        request.result(WAIT_S)
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_command_without_a_connection_says_so() -> None:
    ptpip = PtpIpConnection()
    with pytest.raises(RuntimeError, match="open"):
        ptpip.send_recieve_ptpip_packet(PtpIpCmdRequest(cmd=0x1004), ptpip.session)


def test_many_threads_queue_commands_and_each_gets_its_own_result(
    camera: Cameras, opened: Opened
) -> None:
    sim = camera("nikon", objects=8, size=20_000)
    ptpip = opened(sim)
    right: list[bool] = []

    def work(handle: int) -> None:
        for _ in range(5):
            request = PtpIpCmdRequest(cmd=0x1009, param1=handle)
            ptpip.cmd_queue.append(request)
            request.result(WAIT_S)
            right.append(request.data_in == content(sim, handle))

    threads = [Thread(target=work, args=(stored.handle,)) for stored in sim.store.files()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert right == [True] * 40
    assert len(ptpip.object_queue) == 40


def test_shared_list_behaves_as_a_list_does() -> None:
    queue: SharedList[object] = SharedList()
    plain: list[object] = []
    for each in (queue, plain):
        each.append(3)
        each.extend([1, 2])
        each += [4, 5]
        each.insert(0, 0)
        each[1] = 9
        del each[2]
        each.remove(4)
        each.append(each.pop(0))
    assert queue == plain == list(queue)
    assert (len(queue), queue[0], queue[-1], queue[1:]) == (4, plain[0], plain[-1], plain[1:])
    assert (queue.index(5), queue.count(9), 9 in queue) == (plain.index(5), 1, True)
    assert repr(queue) == repr(plain)
    for item in queue:
        queue.remove(item)  # what is iterated is a copy
    assert queue == []
    with pytest.raises(IndexError):
        queue.pop()
    queue.append(1)
    queue.clear()
    assert not queue


def test_only_requests_can_be_queued() -> None:
    with pytest.raises(TypeError, match="PtpIpPing"):
        PtpIpConnection().cmd_queue.append(PtpIpPing())  # type: ignore[arg-type]


def test_listing_and_saving_are_there_behind_the_connection(
    camera: Cameras, opened: Opened, tmp_path: Path
) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    info = ptpip.session.objects()[0]
    ptpip.session.download(info, tmp_path / info.name)
    assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)


# Packets


PACKETS = {
    1: (PtpIpInitCmdReq, {"guid": bytes(range(16)), "hostname": "ab"}),
    2: (PtpIpInitCmdAck, {"session_id": 9, "guid": bytes(range(16)), "hostname": "ab"}),
    3: (PtpIpEventReq, {"session_id": 9}),
    4: (PtpIpEventAck, {}),
    5: (PtpIpInitFail, {"reason": 2}),
    6: (
        PtpIpCmdRequest,
        {
            "unkown": 1,
            "ptp_cmd": 0x9207,
            "transaction_id": 7,
            "args": (0xFFFFFFFF, 0),
            "param1": 0xFFFFFFFF,
            "param2": 0,
            "param3": None,
        },
    ),
    7: (PtpIpCmdResponse, {"ptp_response_code": 0x2001, "transaction_id": 7, "args": (5,)}),
    8: (PtpIpEvent, {"event_code": 0x4002, "event_parameter": 0x40001}),
    9: (PtpIpStartDataPacket, {"transaction_id": 7, "length": 1 << 33}),
    10: (PtpIpDataPacket, {"transaction_id": 7, "data": b"abc"}),
    11: (PtpIpCancelTransaction, {"transaction_id": 7}),
    12: (PtpIpEndDataPacket, {"transaction_id": 7, "data": b""}),
    13: (PtpIpPing, {}),
    14: (PtpIpPong, {}),
}
GUID_AND_NAME = bytes(range(16)).hex() + "610062000000" + "00000100"
BYTES = {
    1: GUID_AND_NAME,
    2: "09000000" + GUID_AND_NAME,
    3: "09000000",
    4: "",
    5: "02000000",
    6: "01000000079207000000ffffffff00000000",
    7: "01200700000005000000",
    8: "0240ffffffff010004000000000000000000",
    9: "070000000000000002000000",
    10: "07000000616263",
    11: "07000000",
    12: "07000000",
    13: "",
    14: "",
}


@pytest.mark.parametrize("number", PACKETS)
def test_factory_reads_each_of_the_14_packets(number: int) -> None:
    cls, fields = PACKETS[number]
    data = number.to_bytes(4, "little") + bytes.fromhex(BYTES[number])
    packet = PtpIpPacket().factory(data)
    assert type(packet) is cls
    assert {name: getattr(packet, name) for name in fields} == fields
    if number != 8:
        assert packet.cmdtype == number
    if number in (1, 3, 6, 13):
        assert packet.data() == data


def test_factory_refuses_what_is_no_packet_and_gives_none_for_nothing() -> None:
    for data in (b"", b"\x0d\0", b"\x63\0\0\0", b"\x07\0\0\0\x01"):
        with pytest.raises(ProtocolError):
            PtpIpPacket().factory(data)
    assert PtpIpPacket().factory() is None
    assert PtpIpPacket().data() is None


def test_request_has_parameters_of_four_bytes_and_only_those_that_are_set() -> None:
    request = PtpIpCmdRequest(cmd=0x9207, param1=0xFFFFFFFF, param2=0)
    assert request.data().hex() == "0600000001000000079200000000ffffffff00000000"
    request.param2 = None
    assert request.args == (0xFFFFFFFF,)
    five = PtpIpCmdRequest(None, 0x1007, 1, 2, 3, 4, 5)
    assert five.args == (1, 2, 3, 4, 5)
    assert PtpIpCmdRequest(five.data()[4:]).args == five.args


def test_init_request_has_the_name_in_utf16_and_the_version() -> None:
    request = PtpIpInitCmdReq()
    name = request.hostname.encode("utf-16-le") + b"\0\0"
    assert request.data() == b"\1\0\0\0" + request.guid + name + b"\0\0\1\0"
    with pytest.raises(ValueError, match="session_id"):
        PtpIpEventReq().data()
    assert PtpIpEventReq(session_id=3).data().hex() == "0300000003000000"


def test_event_factory_reads_codes_and_parameters_as_numbers() -> None:
    payload = bytes.fromhex("02000240010004000d40ffffffff")
    events = PtpIpEventFactory(payload).get_events()
    found = [(event.event_code, event.event_parameter) for event in events]
    assert found == [(0x4002, 0x40001), (0x400D, 0xFFFFFFFF)]
    assert PtpIpEventFactory(b"").get_events() == []


@pytest.mark.parametrize("size", range(1, 14))
def test_event_list_cut_anywhere_is_a_protocol_error(size: int) -> None:
    payload = bytes.fromhex("02000240010004000d40ffffffff")
    with pytest.raises(ProtocolError):
        PtpIpEventFactory(payload[:size])


def test_event_list_cut_on_the_wire_is_told_and_the_session_goes_on(
    camera: Cameras, opened: Opened
) -> None:
    sim = camera("nikon", faults=["cut_data=7 on 0x90C7"])
    ptpip = opened(sim)
    sim.capture()
    with pytest.raises(ProtocolError, match="GetEvent"):
        ask(ptpip, 0x90C7)
    ask(ptpip, 0x1004)


def test_packets_of_an_answer_can_be_taken_one_by_one(camera: Cameras, opened: Opened) -> None:
    sim = camera("nikon")
    ptpip = opened(sim)
    request = PtpIpCmdRequest(cmd=0x1009, param1=first_file(sim))
    ptpip.send_data(request.data(), ptpip.session)
    start, end, response = (
        PtpIpPacket().factory(ptpip.recieve_data(ptpip.session)) for _ in range(3)
    )
    assert (start.length, end.data) == (300_000, content(sim, request.param1))
    assert response.ptp_response_code == 0x2001
    with pytest.raises(RuntimeError):
        ptpip.recieve_data(ptpip.session)
    ping = ptpip.send_recieve_ptpip_packet(PtpIpPing(), ptpip.session)
    assert isinstance(ping, PtpIpPong)
    with pytest.raises(TypeError, match="PtpIpEventAck"):
        ptpip.send_recieve_ptpip_packet(PtpIpEventAck(), ptpip.session)


def test_handshake_of_a_connection_can_be_asked_for_again(camera: Cameras, opened: Opened) -> None:
    sim = camera()
    ptpip = opened(sim)
    ack = ptpip.send_recieve_ptpip_packet(PtpIpInitCmdReq(), ptpip.session)
    assert (ack.session_id, ack.guid, ack.hostname) == (ptpip.session_id, sim.guid, sim.name)
    request = PtpIpEventReq()
    ptpip.send_ptpip_event_req(request, ptpip.session_events)
    assert request.session_id == ptpip.session_id
    ack = PtpIpPacket().factory(ptpip.recieve_data(ptpip.session_events))
    assert isinstance(ack, PtpIpEventAck)
    ack = ptpip.send_recieve_ptpip_packet(PtpIpEventReq(), ptpip.session_events)
    assert isinstance(ack, PtpIpEventAck)


def test_events_can_be_read_from_the_event_connection(camera: Cameras, opened: Opened) -> None:
    sim = camera()
    ptpip = opened(sim)
    sim.push_event(0x4004, 5)
    event = PtpIpPacket().factory(ptpip.recieve_data(ptpip.session_events))
    assert (event.event_code, event.event_parameter) == (0x4004, 5)
    ptpip.close()
    with pytest.raises(ConnectionLost):
        ptpip.recieve_data(ptpip.session_events)


# Names and the guide


CLASSES = """
PtpIpConnection PtpIpPacket PtpIpInitCmdReq PtpIpInitCmdAck PtpIpEventReq PtpIpEventAck
PtpIpInitFail PtpIpCmdRequest PtpIpCmdResponse PtpIpStartDataPacket PtpIpDataPacket
PtpIpCancelTransaction PtpIpEndDataPacket PtpIpPing PtpIpEvent PtpIpEventFactory PtpIpDataObject
"""
MEMBERS = """
session session_events session_id cmd_queue event_queue object_queue open communication_thread
send_ptpip_cmd connect send_recieve_ptpip_packet send_ptpip_event_req send_data recieve_data
"""
FIELDS = """
factory data cmdtype guid hostname session_id unkown ptp_cmd param1 param5 transaction_id args
ptp_response_code length event_code event_parameter events get_events object_handle
"""


def test_every_name_of_the_seed_is_exported() -> None:
    for name in (*CLASSES.split(), "__version__"):
        assert name in ptpfast.ptpip.__all__
        assert hasattr(ptpfast.ptpip, name)
    connection = PtpIpConnection()
    assert [name for name in MEMBERS.split() if not hasattr(connection, name)] == []


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of the guide."""
    section = GUIDE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"\s\|\s", line)] for line in table[2:]]


def test_programs_of_the_guide_run_as_they_stand(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sim = camera("nikon")
    old = {stored.handle for stored in sim.store.files()}
    here = {"host": sim.host, "port": sim.port, "vendor": without_pauses("nikon")}
    monkeypatch.setattr(PtpIpConnection, "open", partialmethod(PtpIpConnection.open, **here))
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(programs) == 2
    exec("\n".join(programs), {})
    shots = [stored.handle for stored in sim.store.files() if stored.handle not in old]
    saved = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert saved == {f"{handle:08X}": content(sim, handle) for handle in shots}
    assert (len(shots), sim.sessions_closed) == (4, 1)  # each shot is RAW and JPEG


def test_guide_lists_every_name_of_the_seed() -> None:
    text = " ".join(row[0] for row in rows("Names"))
    listed = set(re.findall(r"\w+", text))
    assert [name for name in (CLASSES + MEMBERS + FIELDS).split() if name not in listed] == []


def test_guide_lists_every_defect_with_a_test_that_exists() -> None:
    table = rows("Defects")
    assert [int(row[0]) for row in table] == list(range(1, 41))
    for number, defect, now, tests in table:
        assert defect
        assert now
        named = re.findall(r"tests/(\w+/\w+\.py)::(test_\w+)", tests)
        assert named, f"defect {number} has no test"
        for file, test in named:
            source = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert re.search(rf"^def {test}\(", source, re.MULTILINE), f"{file}::{test}"
