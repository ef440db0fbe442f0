"""Nikon in connect-to-PC mode: the owner's approval of this computer, step by step on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at, records, run
from conftest import PATIENT, Cameras
from outcomes import assert_right
from ptpfast import vendors
from ptpfast.engine import wire
from ptpfast.ptp.codes import EventCode, FailReason
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.ptp.datasets import DeviceInfo, decode, decode_array
from ptpfast.ptp.errors import ConnectFailed, InitFailed, NotApproved, ProtocolError, PTPError
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors import Vendor
from ptpfast.vendors.nikon import approval
from ptpfast.vendors.nikon.body_network import HOLLOW, PcConnection, with_pc_connection
from ptpfast.vendors.nikon.datasets import parse_pairing_number
from ptpfast.vendors.nikon.dialect import NikonDialect
from raw_initiator import GUID, Initiator

NUMBER, CONFIRM = 0x952B, 0x935A
QUICK = PcConnection(hold_s=0, pause_s=0)
OURS, NAME = b"sixteen bytes..!", "this computer"


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_S", "HOLD_S", "NUMBER_PAUSE_S"):
        monkeypatch.setattr(approval, name, 0.01)
    monkeypatch.setattr(approval, "CONFIRM_S", 0.5)


def body(rules: PcConnection = QUICK, name: str = "nikon-z8") -> Vendor:
    vendor = vendors.with_body(name)
    quirks = replace(vendor.quirks, close_after_open_s=0, reconnect_pause_s=0)
    return replace(vendor, quirks=quirks, body=with_pc_connection(vendor.model, rules))


def connect(sim: SimulatedCamera, **options: Any) -> ptpfast.Session:
    options = {"guid": OURS, "name": NAME, "vendor": sim.body.vendor, **options}
    return ptpfast.connect(sim.host, port=sim.port, timeouts=PATIENT, **options)


def asked(sim: SimulatedCamera) -> list[int]:
    return [entry.operation for entry in sim.log]


def approving(sim: SimulatedCamera, said: list[str]) -> Callable[[PTPError], None]:
    def waiting(error: PTPError) -> None:
        said.append(error.message)
        sim.approvals.approve(OURS, NAME)

    return waiting


@pytest.mark.parametrize("name", ["nikon-z6-3", "nikon-z8", "nikon-z9"])
def test_owner_approves_a_computer_that_reconnects_under_the_same_identity(
    camera: Cameras, name: str
) -> None:
    sim = camera(body(name=name), approval="unknown")
    said: list[str] = []
    with connect(sim, waiting=approving(sim, said)) as session:
        assert len(session.objects()) == 4
        assert session.device_info.operations_supported != list(HOLLOW)
        assert session.link.dialect.info is session.device_info
    assert asked(sim)[:6] == [0x1001, 0x1002, NUMBER, CONFIRM, 0x1003, 0x1001]
    assert [entry.parameters for entry in sim.log if entry.operation == CONFIRM] == [(0x2001,)]
    assert sim.initiators == [(OURS, NAME)] * 2
    assert sim.unclean_ends == 0
    (words,) = said
    assert "confirm on the camera" in words
    assert sum(letter.isdigit() for letter in words) == 4
    with connect(sim) as session:  # approved for good
        assert session.usable
    assert asked(sim).count(NUMBER) == 1


def test_approved_computer_is_asked_for_no_pairing(camera: Cameras) -> None:
    sim = camera(body())
    with connect(sim) as session:
        session.objects()
    assert not {NUMBER, CONFIRM, 0x9435} & set(asked(sim))


def test_camera_that_waits_for_its_owner_is_polled(camera: Cameras) -> None:
    sim = camera(body(), approval="unknown", approve_after_s=0.1)
    with connect(sim) as session:
        assert session.objects()
    answers = [entry.response for entry in sim.log if entry.operation == CONFIRM]
    assert set(answers[:-1]) == {Code.DeviceBusy}
    assert answers[-1] == Code.OK


def test_owner_who_does_not_answer_is_not_waited_for_without_end(camera: Cameras) -> None:
    sim = camera(body(), approval="unknown")
    with pytest.raises(NotApproved, match="has not confirmed this computer within") as caught:
        connect(sim)
    assert "confirm this computer on the camera" in caught.value.hint
    assert sim.wait_for(lambda: sim.sessions_closed == 1)
    assert sim.unclean_ends == 0


def test_owner_who_rejects_ends_the_attempt_and_the_next_ones(camera: Cameras) -> None:
    sim = camera(body(), approval="unknown")

    def reject(_: PTPError) -> None:
        sim.approvals.reject(OURS, NAME)

    with pytest.raises(NotApproved, match="refuses this computer"):
        connect(sim, waiting=reject)
    for _ in range(2):
        with pytest.raises(InitFailed, match="not registered") as caught:
            connect(sim)
        assert caught.value.reason == FailReason.REJECTED_INITIATOR
        assert "another GUID" in caught.value.hint
    sim.approvals.approve(b"another computer", NAME)
    with connect(sim, guid=b"another computer") as session:
        assert session.usable


def test_computer_rejected_while_it_reconnects_is_told_at_once(camera: Cameras) -> None:
    sim = camera(body(), approval="unknown")
    vendor = sim.body.vendor

    class Rejected(NikonDialect):
        def begin(self) -> None:
            try:
                super().begin()
            finally:
                sim.approvals.reject(OURS, NAME)

    began = time.monotonic()
    with pytest.raises(InitFailed, match="not registered"):
        connect(sim, waiting=approving(sim, []), vendor=replace(vendor, dialect=Rejected))
    assert time.monotonic() - began < 20
    assert sim.connections == 2


def test_session_that_ends_too_soon_loses_the_approval(camera: Cameras) -> None:
    sim = camera(body(PcConnection(hold_s=30, pause_s=0)), approval="unknown")
    with pytest.raises(NotApproved, match="has not kept its approval"):
        connect(sim, waiting=approving(sim, []))
    assert sim.approvals.state(OURS, NAME) == "unknown"


def test_card_arrives_through_an_approval_that_must_be_held_and_a_slot_that_locks(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "HOLD_S", 0.4)
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)
    rules = PcConnection(hold_s=0.3, pause_s=0.02, locked_s=0.3)
    faults = ["drop on GetPartialObject after 100000"]
    sim = camera(body(rules), approval="unknown", faults=faults)
    with connect(sim, waiting=approving(sim, [])) as session:
        report = ptpfast.pull(session, tmp_path)
    assert report.ok, report.files
    assert (sim.unclean_ends, report.retries) == (1, 1)
    assert sim.approvals.state(OURS, NAME) == "approved"
    assert_right(sim, tmp_path)


def test_requests_of_the_approval_are_byte_for_byte_those_of_a_published_client(
    camera: Cameras,
) -> None:
    """camcon's, whose client has been used with a Z 8."""
    number = wire.OperationRequest(1, NUMBER, 1, ())
    confirm = wire.OperationRequest(1, CONFIRM, 2, (0x2001,))
    assert wire.pack(number) == bytes.fromhex("12000000 06000000 01000000 2b95 01000000")
    assert wire.pack(confirm) == bytes.fromhex("16000000 06000000 01000000 5a93 02000000 01200000")
    sim = camera(body(), approval="unknown")
    with connect(sim, waiting=approving(sim, [])):
        pass
    sent = [(each.operation, each.transaction_id, each.parameters) for each in sim.log]
    assert sent[2:4] == [(NUMBER, 1, ()), (CONFIRM, 2, (0x2001,))]


def test_head_of_a_real_device_info_is_one_end_data_packet() -> None:
    """A Z 8's, from libgphoto2 issue 1135."""
    start = wire.parse(bytes.fromhex("14000000 09000000 01000000 6d010000 00000000"))
    assert start == wire.StartData(1, 0x16D)
    head = bytes.fromhex("79010000 0c000000 01000000 6400 ffffffff 6e00 22 4d00")
    assert int.from_bytes(head[:4], "little") == 12 + 0x16D
    assert vendors.with_body("nikon-z8").model.vendor_extension_id == 0xFFFFFFFF
    with SimulatedCamera(body="nikon-z8", objects=0) as sim, Initiator(sim) as raw:
        answer = raw.ask(Op.GetDeviceInfo)
        assert answer.shape == ["StartData", "EndData"]
        assert answer.data.startswith(head[12:])


@pytest.mark.paced
def test_real_times_of_the_approval_satisfy_a_body_that_enforces_them(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "HOLD_S", 3.0)
    sim = camera(vendors.with_body("nikon-z9"), approval="unknown")
    began = time.monotonic()
    with connect(sim, waiting=approving(sim, [])) as session:
        assert session.objects()
    assert time.monotonic() - began > 3.0 + 0.8
    assert sim.connections == 2


def test_connection_lost_while_the_owner_decides_is_made_again(camera: Cameras) -> None:
    sim = camera(body(), approval="unknown", faults=["drop on 0x935A"])
    with connect(sim, waiting=approving(sim, [])) as session:
        assert session.objects()


def test_body_that_asks_to_reconnect_without_end_is_given_up(camera: Cameras) -> None:
    class Restless(NikonDialect):
        def begin(self) -> None:
            raise vendors.ReconnectFirst

    sim = camera(body())
    with pytest.raises(ConnectFailed, match="again every time"):
        connect(sim, vendor=replace(sim.body.vendor, dialect=Restless))
    assert sim.sessions_opened == sim.sessions_closed == 4
    assert sim.unclean_ends == 0


def test_approval_that_is_withdrawn_is_asked_for_again_at_a_reconnect(camera: Cameras) -> None:
    sim = camera(body())
    with connect(sim, waiting=approving(sim, [])) as session:
        sim.approvals.forget(OURS, NAME)
        sim.drop_connections()
        session.reconnect()
        assert session.objects()
    assert asked(sim).count(NUMBER) == 1


@pytest.mark.parametrize("command", ["info", "ls", "pull"])
def test_commands_show_what_to_confirm_on_the_camera(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("ptpfast.link.link.select", lambda _: body())
    sim = camera(body(), size=1000, approval="unknown", approve_after_s=0.05)
    more = [tmp_path] if command == "pull" else []
    result = run(command, at(sim), *more, "--json")
    assert result.exit_code == 0, result.output
    assert "confirm on the camera that this computer may connect" in result.stderr
    assert "aborted session" not in result.stderr
    (waiting,) = [row for row in records(result.stdout) if row["type"] == "waiting"]
    assert waiting["reason"].startswith("the camera shows ")


# The simulated body


def test_body_refuses_all_but_pairing_before_approval() -> None:
    with SimulatedCamera(body(), objects=1, approval="unknown") as sim, Initiator(sim) as raw:
        info = decode(DeviceInfo, raw.ask(Op.GetDeviceInfo).data)
        assert info.operations_supported == list(HOLLOW)
        assert info.model == "Z 8"
        for operation in (Op.GetStorageIDs, Op.GetObjectHandles, 0x90C8, 0x9207, 0x941C, 0x9435):
            assert raw.ask(operation).code == Code.OperationNotSupported
        assert len(raw.ask(NUMBER).data) == 8
        assert raw.ask(CONFIRM, 0).code == Code.InvalidParameter
        waits = raw.ask(CONFIRM, 0x2001)
        assert (waits.code, waits.shape) == (Code.DeviceBusy, [])
        sim.approvals.approve(GUID, "test")
        confirmed = raw.ask(CONFIRM, 0x2001)
        assert (confirmed.code, confirmed.shape[0]) == (Code.OK, "StartData")


def test_body_locks_its_slot_after_an_end_without_close_session() -> None:
    rules = PcConnection(hold_s=0, pause_s=0, locked_s=600)
    with SimulatedCamera(body(rules), objects=1) as sim:
        with Initiator(sim):
            pass
        assert sim.wait_for(lambda: sim.unclean_ends == 1)
        with pytest.raises(InitFailed) as caught:
            connect(sim)
        assert caught.value.reason == FailReason.BUSY


def test_body_refuses_to_be_connected_to_again_too_soon() -> None:
    rules = PcConnection(hold_s=0, pause_s=600)
    with SimulatedCamera(body(rules), objects=1) as sim:
        with connect(sim):
            pass
        with pytest.raises(InitFailed) as caught:
            connect(sim)
        assert caught.value.reason == FailReason.BUSY


@pytest.mark.parametrize("name", sorted(vendors.BODIES))
def test_timing_rules_are_switches_of_the_simulated_camera_for_every_body(name: str) -> None:
    """A slot that is free after a session, busy after one, and after one that was not closed."""
    for switches, orderly, reason in (
        ({"pause_s": 0, "locked_s": 0}, False, None),
        ({"pause_s": 600}, True, FailReason.BUSY),
        ({"pause_s": 0, "locked_s": 600}, True, None),
        ({"pause_s": 0, "locked_s": 600}, False, FailReason.BUSY),
    ):
        with SimulatedCamera(body=name, objects=1, **switches) as sim:
            assert sim.body.admit(GUID, "test") is None
            sim.body.begin_session((GUID, "test"), sim.body.opening)
            sim.body.end_session(orderly=orderly)
            assert sim.body.admit(GUID, "test") == reason


def test_approval_is_kept_after_the_time_that_the_switch_says() -> None:
    for hold_s, state in ((600, "unknown"), (0, "approved")):
        with SimulatedCamera(
            body="nikon-z8", objects=1, approval="unknown", hold_s=hold_s, pause_s=0
        ) as sim:
            with Initiator(sim) as raw:
                raw.ask(NUMBER)
                sim.approvals.approve(GUID, "test")
                assert raw.ask(CONFIRM, 0x2001).code == Code.OK
            assert sim.wait_for(lambda sim=sim: sim.unclean_ends == 1)
            assert sim.approvals.state(GUID, "test") == state


def test_timing_switch_that_is_no_time_is_refused() -> None:
    for wrong in (-1, float("nan"), "1"):
        with pytest.raises((TypeError, ValueError), match="locked_s"):
            SimulatedCamera(body="nikon-z8", locked_s=wrong)


@pytest.mark.parametrize("by", ["operation", "property"])
def test_application_mode_hides_the_card_with_events(by: str) -> None:
    name = "nikon-z9" if by == "operation" else "nikon-z6"
    with SimulatedCamera(body=name, objects=2, size=9) as sim, Initiator(sim) as raw:
        handles = decode_array(raw.ask(Op.GetObjectHandles, 0xFFFFFFFF).data)

        def switch(mode: int) -> None:
            if by == "operation":
                assert raw.ask(0x9435, mode).code == Code.OK
            else:
                assert raw.ask(Op.SetDevicePropValue, 0xD1F0, data=bytes([mode])).code == Code.OK

        switch(1)
        assert decode_array(raw.ask(Op.GetStorageIDs).data) == []
        assert raw.ask(Op.GetObjectInfo, handles[0]).code == Code.StoreNotAvailable
        assert raw.ask(0x9431, handles[-1], 0, 0, 9, 0).code == Code.StoreNotAvailable
        assert [code for code, _ in sim.body.take_events()] == [EventCode.StoreRemoved]
        switch(0)
        assert decode_array(raw.ask(Op.GetObjectHandles, 0xFFFFFFFF).data) == handles
        assert [code for code, _ in sim.body.take_events()] == [EventCode.StoreAdded]


# The number


NUMBERS = [
    ("04000000 00090806", "0986"),  # a Z 8 (camcon)
    ("06000000 010203040506", "123456"),
    ("04000000 01020000", "1200"),
    (b"1234".hex(), "1234"),
    (b"1234\0".hex(), "1234"),
    ((b"\4\0\0\0" + b"0986").hex(), "0986"),
    ("1234".encode("utf-16-le").hex(), "1234"),
    ((b"\5" + "1234\0".encode("utf-16-le")).hex(), "1234"),
    ((b"\4\0\0\0" + "1234".encode("utf-16-le")).hex(), "1234"),
    ("0986", "0986"),
    ("02000000 0986", "0986"),
    ("123456", "123456"),
]


@pytest.mark.parametrize(("payload", "digits"), NUMBERS)
def test_number_is_read_in_every_known_form(payload: str, digits: str) -> None:
    assert parse_pairing_number(bytes.fromhex(payload)) == digits


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", b"\4\0\0\0", b"\xff" * 8, b"hello", b"\xff\xff\xff\xff1234", bytes(1000)],
)
def test_anything_else_is_no_number(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="no number"):
        parse_pairing_number(payload)


def test_number_that_cannot_be_read_does_not_stop_the_approval(camera: Cameras) -> None:
    sim = camera(body(), approval="unknown", faults=["cut_data=5 on 0x952B"])
    said: list[str] = []
    with connect(sim, waiting=approving(sim, said)):
        pass
    assert said == ["confirm on the camera that this computer may connect"]
