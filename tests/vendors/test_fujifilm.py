"""Fujifilm: bytes of real bodies, the order of a session, and a body that is strict about it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import HASTY, Cameras
from outcomes import assert_right, pull
from ptpfast import InitFailed, ProtocolError, PTPError, TransferError, Unsupported
from ptpfast.engine.wire import Event
from ptpfast.ptp.codes import DataType, EventCode
from ptpfast.ptp.datasets import DeviceInfo, DevicePropDesc, decode
from ptpfast.ptp.errors import InvalidObjectHandle, NotApproved, NoThumbnailPresent
from ptpfast.session import persistence
from ptpfast.sim import KINDS, Fault, SimulatedCamera, Store
from ptpfast.sim.content import read
from ptpfast.sim.kinds import Stage
from ptpfast.vendors import elsewhere, named
from ptpfast.vendors.fujifilm import FUJIFILM, conduct, datasets, dialect, packets, transport
from ptpfast.vendors.fujifilm.body import BODIES
from ptpfast.vendors.fujifilm.codes import CameraState
from ptpfast.vendors.fujifilm.conduct import offer, session_of
from ptpfast.vendors.fujifilm.dialect import FujifilmDialect
from raw_containers import Initiator
from raw_initiator import Stream

# Bytes of real bodies

# An X-T1's answer to 0x902B (malc0mn/ptp-ip, its mock of one).
X_T1_PROPERTIES = bytes.fromhex(
    """
    08000000
    16000000 1250 0400 01 0000 0000 02 0300 0000 0200 0400
    14000000 0c50 0400 01 0200 0980 02 0200 0980 0a80
    24000000 0550 0400 01 0200 0200 02 0a00 0200 0400 0680 0180 0280 0380 0600 0a80 0b80 0c80
    36000000 1050 0300 01 0000 0000 02 1300 48f4 95f5 e3f6 30f8 7df9 cbfa 18fc 65fd b3fe 0000
             4d01 9b02 e803 3505 8306 d007 1d09 6b0a b80b
    26000000 01d0 0400 01 0100 0200 02 0b00 0100 0200 0300 0400 0500 0600 0700 0800 0900 0a00 0b00
    78000000 2ad0 0600 01 ffffffff 00190080 02 1900 90010080 20030080 40060080 800c0080 00190080
             64000040 c8000000 fa000000 40010000 90010000 f4010000 80020000 20030000 e8030000
             e2040000 40060000 d0070000 c4090000 800c0000 a00f0000 88130000 00190000 00320040
             00640040 00c80040
    14000000 19d0 0400 01 0100 0100 02 0200 0000 0100
    1e000000 7cd1 0600 01 00000000 02070203 01 00000000 07070910 01000000
    """
)
# An X-T2's first answer to 0xD212 (fudge), and an X-T1's under remote control (malc0mn/ptp-ip).
X_T2_NEWS = bytes.fromhex(
    "0600 00df06000000 20d201000000 22d27b000000 2fd501000000 00d401000000 01d47b000000"
)
X_T1_NEWS = bytes.fromhex(
    """
    1100 0150 02000000 41d2 0a000000 0550 02000000 0a50 01800000 0c50 0a800000 0e50 02000000
    1050 b3fe0000 1250 00000000 01d0 02000000 18d0 04000000 28d0 00000000 2ad0 00190080
    7cd1 02070203 09d2 00000000 1bd2 00000000 29d2 d6050000 2ad2 8f060000
    """
)
# Its event for a new picture (malc0mn/ptp-ip).
X_T1_ADDED = bytes.fromhex("1c000000 0400 04c0 01000000 06000000 06000000 00000000 00000000")


def test_property_descriptions_of_an_x_t1_are_decoded_and_encoded_back() -> None:
    found = datasets.parse_descriptions(X_T1_PROPERTIES)
    assert [desc.code for desc in found] == [
        0x5012,
        0x500C,
        0x5005,
        0x5010,
        0xD001,
        0xD02A,
        0xD019,
        0xD17C,
    ]
    assert found[0] == DevicePropDesc(0x5012, DataType.UINT16, True, 0, 0, [0, 2, 4])
    assert found[3].form[0] == -3000  # type: ignore[index]
    assert found[5].current == 0x80001900
    assert found[7].form == (0, 0x10090707, 1)
    assert datasets.pack_descriptions(found) == X_T1_PROPERTIES


def test_changes_of_an_x_t2_and_an_x_t1_are_decoded_and_encoded_back() -> None:
    first = datasets.parse_news(X_T2_NEWS)
    assert first[:3] == [(0xDF00, 6), (0xD220, 1), (0xD222, 123)]
    assert first[3:] == [(0xD52F, 1), (0xD400, 1), (0xD401, 123)]
    assert datasets.pack_news(first) == X_T2_NEWS
    remote = dict(datasets.parse_news(X_T1_NEWS))
    assert len(remote) == 17
    assert (remote[0x5010], remote[0xD02A], remote[0xD229]) == (0xFEB3, 0x80001900, 0x5D6)
    assert datasets.pack_news(remote.items()) == X_T1_NEWS


def test_event_of_an_x_t1_is_decoded_and_encoded_back() -> None:
    event = packets.parse_event(X_T1_ADDED)
    assert event == Event(0xC004, 6, (0,))
    assert packets.pack_event(event) == X_T1_ADDED


def test_handshake_packets_have_their_sizes_and_come_back() -> None:
    guid = bytes(range(16))
    hello = packets.pack_hello(guid, "studio")
    assert len(hello) == 0x52
    assert hello[:12] == bytes.fromhex("52000000 01000000 f2e4538f")
    assert packets.parse_hello(hello) == (packets.PROTOCOL_VERSION, guid, "studio")
    welcome = packets.pack_welcome(7, guid, "X-T4")
    assert len(welcome) == 0x44
    assert packets.parse_welcome(welcome) == (7, guid, "X-T4")
    assert packets.refusal_of(packets.pack_refusal(0x2019)) == 0x2019
    assert packets.refusal_of(welcome) is None


def test_a_long_name_is_cut_between_characters() -> None:
    hello = packets.pack_hello(bytes(16), "x" * 25 + "\N{CAMERA}" + "y" * 9)
    assert packets.parse_hello(hello).name == "x" * 25
    assert packets.parse_hello(packets.pack_hello(bytes(16), "n" * 99)).name == "n" * 26


def test_device_info_of_a_finepix_is_decoded() -> None:
    folder = os.environ.get("PTPFAST_VECTORS")
    if not folder:
        pytest.skip("PTPFAST_VECTORS names no folder with bytes of real cameras")
    text = (Path(folder) / "fuji-finepix-s4200.hex").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("0x1001"))
    info = decode(DeviceInfo, bytes.fromhex(line.partition(":")[2]))
    assert FUJIFILM.matches(info)
    assert info.model.startswith("FinePix")


# Hostile datasets


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff" + bytes(12),
        b"\1\0\0\0" + b"\3\0\0\0",
        b"\1\0\0\0" + b"\xff\xff\xff\xff" + bytes(20),
        b"\1\0\0\0" + b"\x05\0\0\0" + b"\x12",
    ],
)
def test_wrong_counts_and_lengths_of_descriptions_are_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        datasets.parse_descriptions(payload)


@pytest.mark.parametrize("payload", [b"\1", b"\xff\xff", b"\2\0" + bytes(6)])
def test_a_list_of_changes_that_is_cut_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        datasets.parse_news(payload)


def test_an_absent_property_is_no_data_and_an_odd_size_is_refused() -> None:
    assert datasets.parse_number(b"") is None
    assert datasets.parse_number(b"\x06\0") == 6
    with pytest.raises(ProtocolError):
        datasets.parse_number(bytes(3))


def test_a_frame_without_a_picture_is_refused() -> None:
    frame = packets.pack_frame(1, b"\xff\xd8picture")
    assert packets.picture_of(frame[4:]) == b"\xff\xd8picture"
    for bad in (b"", frame[4:17], bytes(40)):
        with pytest.raises(ProtocolError):
            packets.picture_of(bad)


def test_a_count_of_four_billion_pictures_costs_nothing() -> None:
    with fuji() as sim:
        count = sim.body.handles
        sim.body.handles = lambda _: [0xFFFFFFFE]  # type: ignore[method-assign]
        with pytest.raises(ProtocolError, match="counts"), connected(sim) as session:
            session.objects()
        sim.body.handles = count  # type: ignore[method-assign]


# A session


@contextlib.contextmanager
def fuji(body: str = "fuji-xt4", **options: Any) -> Iterator[SimulatedCamera]:
    options = {"objects": 3, "size": 2_500_000, **options}
    with SimulatedCamera(body=body, **options) as sim:
        yield sim


def connected(sim: SimulatedCamera, **options: Any) -> ptpfast.Session:
    return ptpfast.connect(sim.host, port=sim.port, vendor="fujifilm", **options)


def asked(sim: SimulatedCamera) -> list[tuple[int, ...]]:
    """Operations with their first parameter, without the polls for changes."""
    rows = [(entry.operation, *entry.parameters[:1]) for entry in sim.log]
    return [row for row in rows if row != (0x1015, 0xD212)]


REMOTE_BEGINS = [
    (0x1002, 1),
    (0x1015, 0xDF22),
    (0x1015, 0xDF25),
    (0x1015, 0xDF21),
    (0x1015, 0xDF24),
    (0x1016, 0xDF01),
    (0x1016, 0xDF24),
    (0x1008, 0xFFFFFFF1),
    (0x902B,),
    (0x101C, 0),
]


def test_pictures_are_reached_through_remote_control_in_the_known_order() -> None:
    with fuji() as sim:
        with connected(sim) as session:
            table = session.objects()
            assert session.read(table[0]) == read(sim.store.expected(1))
        assert sim.wait_for(lambda: sim.sessions_closed == 1)
        begun = next(row for row in sim.log if row.operation == 0x101C).transaction_id
        assert asked(sim)[: len(REMOTE_BEGINS) + 5] == [
            *REMOTE_BEGINS,
            (0x1018, begun),
            (0x1016, 0xDF00),
            (0x1016, 0xDF01),
            (0x1015, 0xDF25),
            (0x1016, 0xDF25),
        ]
        reading = [row for row in asked(sim) if row[0] in (0x1016, 0x1008, 0x1015, 0x101B)]
        assert reading[-5:] == [(0x1008, 3), (0x1015, 0xD235), *[(0x101B, 1)] * 3]
        assert asked(sim)[-1] == (0x1003,)
        assert (sim.unclean_ends, sim.protocol_errors, sim.defects) == (0, 0, 0)


def test_a_session_asks_for_no_device_info_and_has_the_handshakes() -> None:
    with fuji("fuji-xt2") as sim, connected(sim) as session:
        assert session.device_info.model == "X-T2"
        assert session.device_info.serial_number == sim.guid.hex()
        assert sim.operations[0x1001] == 0


def test_the_ports_behind_are_closed_until_remote_control_begins() -> None:
    with fuji() as sim, Initiator(sim) as initiator:
        assert initiator.refuses(1)
        assert initiator.refuses(2)
        initiator.take(5, 0xDF24, 0x2000C)
        assert initiator.ask(0x101C, 0, 0).code == 0x2001
        assert not initiator.refuses(1)
        assert not initiator.refuses(2)
        assert initiator.ask(0x1003).code == 0x2001
        assert initiator.refuses(1)


def test_the_version_of_a_function_before_the_function_spoils_the_session() -> None:
    with fuji() as sim, Initiator(sim) as initiator:
        assert initiator.put(0xDF24, 0x2000C, 4) == 0x2001
        initiator.take(5, 0xDF24, 0x2000C)
        assert initiator.is_silent_at(0x1008, 1)


def test_nothing_is_answered_before_a_function_is_taken() -> None:
    with fuji() as sim, Initiator(sim) as initiator:
        assert initiator.ask(0x1008, 1).code == 0x200F
        assert initiator.ask(0x101C, 0, 0).code == 0x200F


def test_an_absent_property_is_answered_with_no_data() -> None:
    with fuji() as sim, Initiator(sim) as initiator:
        assert initiator.get(0xDF28) == b""
        assert initiator.get(0xDF24) == (0x2000A).to_bytes(4, "little")


def full_access(sim: SimulatedCamera) -> Initiator:
    offer(sim.body, CameraState.FULL_ACCESS)
    initiator = Initiator(sim)
    initiator.take(2, 0xDF22, 5)
    return initiator


def test_a_piece_of_more_than_a_mebibyte_stalls_a_body() -> None:
    with fuji() as sim, full_access(sim) as initiator:
        assert initiator.put(0xD227, 1) == 0x2001
        answer = initiator.ask(0x101B, 1, 0, 0x100000)
        assert (answer.code, len(answer.data or b"")) == (0x2001, 0x100000)
        assert initiator.is_silent_at(0x101B, 1, 0, 0x100001)


def test_without_the_true_size_a_picture_is_a_preview() -> None:
    with fuji() as sim, full_access(sim) as initiator:
        size = (initiator.ask(0x1008, 1).data or b"")[8:12]
        assert int.from_bytes(size, "little") == 100_000
        assert len(initiator.ask(0x101B, 1, 0, 0x100000).data or b"") == 100_000


def test_a_thumbnail_is_never_sent_before_the_description() -> None:
    with fuji() as sim, full_access(sim) as initiator:
        assert initiator.is_silent_at(0x100A, 1)
    with fuji("fuji-xt2") as sim, full_access(sim) as initiator:
        assert initiator.ask(0x100A, 1).code == 0x2001
    with fuji() as sim, connected(sim, timeouts=HASTY) as session:
        assert session.thumbnail(2).startswith(b"\xff\xd8")
        found = dict(session.thumbnails([1, 2, 3]))
        assert all(isinstance(each, bytes) for each in found.values())


def test_pictures_without_remote_control_are_read_after_their_version() -> None:
    versions = {0xDF21: 1, 0xDF22: 2}  # an X-A2
    with fuji() as sim:
        offer(sim.body, CameraState.FULL_ACCESS)
        model = sim.body.vendor.model
        manners = replace(model.manners, opened=lambda camera: begin(camera))

        def begin(camera: Any) -> None:
            model.manners.opened(camera)
            camera.state["versions"] = versions

        sim.body.vendor = replace(FUJIFILM, body=replace(model, manners=manners))
        with connected(sim) as session:
            assert [len(session.read(info)) for info in session.objects()] == [2_500_000] * 3
            assert session.property_codes() == []
        assert (0x1016, 0xDF22) in asked(sim)
        assert not [row for row in asked(sim) if row[0] in (0x101C, 0x902B)]


def test_auto_save_echoes_its_version_and_has_no_thumbnails() -> None:
    with fuji() as sim:
        offer(sim.body, CameraState.AUTO_SAVE)
        with connected(sim) as session:
            table = session.objects()
            assert session.read(table[1]) == read(sim.store.expected(2))
            with pytest.raises(NoThumbnailPresent):
                session.thumbnail(1)
        assert asked(sim).count((0x1016, 0xD227)) == 1


def test_remote_control_is_refused_where_only_pictures_are_offered() -> None:
    with fuji() as sim:
        offer(sim.body, CameraState.FULL_ACCESS)
        with pytest.raises(Unsupported, match="offers its pictures only"):
            connected(sim, role="remote")
        with connected(sim) as session:
            with pytest.raises(Unsupported, match="only under remote control"):
                session.capture()
            with pytest.raises(Unsupported):
                next(session.live_view())


def test_pictures_chosen_on_the_camera_come_one_after_the_other() -> None:
    with fuji(size=2_500_000) as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER)
        with connected(sim) as session:
            dialect = session.link.dialect
            assert isinstance(dialect, FujifilmDialect)
            for turn in (1, 2, 3):
                assert dialect.more(()) == [turn]
                (info,) = session.objects()
                assert info.handle == turn
                assert info.name == f"DSCF000{turn}.JPG"
                assert session.read(info) == read(sim.store.expected(turn))
                with pytest.raises(PTPError):
                    session.read(info)  # it is the next one's turn
            assert dialect.more(()) == session.handles() == []
        assert {row[1] for row in asked(sim) if row[0] == 0x101B} == {1}


def test_a_chosen_picture_is_not_read_in_other_pieces() -> None:
    with fuji() as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER)
        with connected(sim) as session:
            (info,) = session.objects()
            buffer = bytearray(100_000)
            with pytest.raises(TransferError, match="pieces of 1 MiB"):
                session.read_into(info, buffer, offset=5000, size=100_000)
            with pytest.raises(TransferError, match="pieces of 1 MiB"):
                session.read_into(info, buffer, size=70_000)
            assert session.read(info) == read(sim.store.expected(1))


def test_thumbnails_of_chosen_pictures_are_those_of_their_turns() -> None:
    with fuji(size=1_500_000) as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER)
        with connected(sim) as session:
            for turn in (1, 2):
                (info,) = session.objects()
                assert session.thumbnail(turn) == sim.body.thumbnail(turn)
                assert dict(session.thumbnails([turn]))[turn] == sim.body.thumbnail(turn)
                session.read(info)
            with pytest.raises(InvalidObjectHandle):
                session.thumbnail(2)  # it is the third one's turn
        assert {row[1] for row in asked(sim) if row[0] in (0x1008, 0x100A)} <= {1, 0xFFFFFFF1}


class _Drops(ptpfast.Observer):
    """Loses the connection after the second file, and notes what the body has not sent."""

    def __init__(self, sim: SimulatedCamera) -> None:
        self.sim, self.done, self.left = sim, 0, {1, 2, 3, 4, 5}

    def finished(self, result: Any) -> None:
        self.done += 1
        if self.done == 2:
            self.left = set(session_of(self.sim.body).chosen)
            self.sim.drop_connections()


@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.usefixtures("_no_pauses")
def test_all_chosen_pictures_arrive_whatever_is_offered_after_a_reconnect(
    goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fuji(objects=5, size=2_500_000) as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER)
        observer = _Drops(sim)

        def tell(camera: Any, session: Any) -> None:
            session.chosen = [each for each in session.chosen if each in observer.left]
            before(camera, session)

        before = conduct.tell_pictures
        if goes_on:
            monkeypatch.setattr(conduct, "tell_pictures", tell)
        with connected(sim) as session:
            report = ptpfast.pull(session, tmp_path, observer=observer)
        assert report.ok
        for turn in (1, 2, 3, 4, 5):
            stored = (tmp_path / f"DSCF000{turn}.JPG").read_bytes()
            assert stored == read(sim.store.expected(turn))


@pytest.mark.parametrize("at", [1, 3, 5, 6])
@pytest.mark.usefixtures("_no_pauses")
def test_all_chosen_pictures_arrive_after_a_connection_lost_amid_one(
    at: int, tmp_path: Path
) -> None:
    faults = [f"drop on GetPartialObject after 100000 at {at}"]
    with fuji(objects=5, size=2_500_000, faults=faults) as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER)
        with connected(sim) as session:
            ptpfast.pull(session, tmp_path)
        # What was begun before may arrive under another name: the body begins anew.
        stored = [path.read_bytes() for path in tmp_path.glob("*.JPG")]
        assert all(read(sim.store.expected(turn)) in stored for turn in (1, 2, 3, 4, 5))


def test_a_chosen_picture_that_is_here_already_does_not_hold_up_the_next(tmp_path: Path) -> None:
    with fuji(size=2_500_000) as sim:
        offer(sim.body, CameraState.MULTIPLE_TRANSFER)
        for status in ("downloaded", "skipped"):
            with connected(sim) as session:
                report = ptpfast.pull(session, tmp_path)
            assert report.ok
            assert [each.status for each in report.files] == [status] * 3


# The owner


def test_an_unknown_computer_waits_until_the_owner_presses_ok() -> None:
    with fuji(approval="unknown") as sim:
        told: list[PTPError] = []

        def ok(error: PTPError) -> None:
            told.append(error)
            (computer,) = sim.approvals.asking
            sim.approvals.approve(*computer)

        with connected(sim, waiting=ok) as session:
            assert len(session.objects()) == 3
        assert [error.message for error in told] == [
            "confirm this computer on the camera: press OK there"
        ]


def test_a_body_whose_state_is_lost_with_an_answer_is_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ptpfast.vendors.fujifilm.functions.UNTOLD_S", 0.01)
    with (
        fuji(faults=["empty_data on GetDevicePropValue"]) as sim,
        connected(sim, waiting=lambda _: None) as session,
    ):
        assert sim.faults.fired
        assert len(session.objects()) == 3


@pytest.mark.parametrize(
    "fault", ["drop_command on SetDevicePropValue", "drop_command on GetThumb"]
)
def test_a_session_whose_command_connection_ends_alone_is_over_on_the_body_too(fault: str) -> None:
    with fuji(faults=[fault]) as sim:
        with pytest.raises(ptpfast.ConnectionLost), connected(sim) as session:
            session.thumbnail(1)
        assert sim.wait_for(lambda: sim.unclean_ends == 1)


def test_a_computer_that_nobody_confirms_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.vendors.fujifilm.functions.OWNER_S", 0.2)
    with (
        fuji(approval="unknown") as sim,
        pytest.raises(NotApproved, match="was not confirmed on the camera"),
    ):
        connected(sim)


def test_a_rejected_computer_is_refused_after_two_more_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "RETRY_S", 0.01)
    with fuji(approval="rejected") as sim:
        with pytest.raises(InitFailed, match="paired under another name"):
            connected(sim)
        assert sim.connections == 3


def test_a_busy_camera_is_waited_for_where_somebody_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "RETRY_S", 0.01)
    with fuji(faults=["init_fail=0x2019 times 4"]) as sim:
        told: list[PTPError] = []
        with connected(sim, waiting=told.append) as session:
            assert len(session.objects()) == 3
        assert len(told) == 1
        assert "busy" in told[0].message


def test_a_client_with_another_handshake_is_refused() -> None:
    with fuji() as sim, pytest.raises(InitFailed, match="another version") as caught:
        ptpfast.connect(sim.host, port=sim.port, vendor="standard", timeouts=HASTY)
    assert caught.value.reason == 0x201D


# Remote control


def test_a_release_reads_the_preview_and_then_the_picture() -> None:
    with fuji() as sim, connected(sim, role="remote") as session:
        for expected in (4, 5):
            info = session.capture()
            assert info is not None
            assert info.handle == expected
            assert session.read(info) == read(sim.store.expected(expected))
        rows = asked(sim)
        assert rows.count((0x100E, 0)) == rows.count((0x9022,)) == 2
        assert rows[: len(REMOTE_BEGINS)] == REMOTE_BEGINS


def test_a_preview_that_was_not_announced_is_read_before_the_next_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialect, "PREVIEW_S", 0.0)
    monkeypatch.setattr(FujifilmDialect, "meaning", lambda _, code, values: [(code, values)])
    with fuji() as sim, connected(sim, role="remote") as session:
        assert [info and info.handle for info in (session.capture(), session.capture())] == [4, 5]
        assert asked(sim).count((0x9022,)) == 1


def test_the_next_release_is_refused_until_the_preview_was_read() -> None:
    with fuji() as sim, Initiator(sim) as initiator:
        initiator.take(5, 0xDF24, 0x2000C)
        assert initiator.ask(0x100E, 0, 0).code == 0x200F
        assert initiator.ask(0x101C, 0, 0).code == 0x2001
        assert initiator.ask(0x100E, 0, 0).code == 0x2001
        assert initiator.ask(0x100E, 0, 0).code == 0x2019
        assert (initiator.ask(0x9022).data or b"").startswith(b"\xff\xd8")
        assert initiator.ask(0x100E, 0, 0).code == 0x2001


def test_events_of_a_capture_are_those_of_an_x_t1() -> None:
    with fuji() as sim, Initiator(sim) as initiator:
        initiator.take(5, 0xDF24, 0x2000C)
        initiator.ask(0x101C, 0, 0)
        events = Stream((sim.host, sim.port + 1))
        assert sim.wait_for(lambda: sim._pairing.peer is not None)
        peer = sim._pairing.peer
        assert peer is not None
        attached = threading.Event()
        while peer.event is None and not attached.wait(0.01):
            pass
        initiator.ask(0x100E, 0, 0)
        added, preview = events.raw(), events.raw()
        assert added is not None
        assert len(added) == 28
        assert packets.parse_event(added) == Event(0xC004, 4, (0,))
        size = len(initiator.ask(0x9022).data or b"")
        assert packets.parse_event(preview or b"") == Event(0xC001, 4, (size,))
        complete = packets.parse_event(events.raw() or b"")
        assert complete is not None
        assert complete.code == EventCode.CaptureComplete
        events.close()


def test_live_view_begins_with_a_frame_of_now() -> None:
    with fuji() as sim, connected(sim, role="remote") as session:
        before = sim.body._frames
        assert sim.counters.wait_for(lambda: True)
        while sim.body._frames < before + 3:
            session.link.dialect.keep_awake()
        with contextlib.closing(session.live_view()) as frames:
            first = next(frames)
        assert first.startswith(b"\xff\xd8")
        assert session.storage_ids()


# Where it listens


def test_connect_finds_a_camera_at_its_own_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with fuji() as sim:
        monkeypatch.setattr(transport.FujifilmTransport, "port", sim.port)
        with ptpfast.connect(sim.host, vendor="fujifilm") as session:
            assert session.vendor.name == "fujifilm"
        with ptpfast.connect(f"{sim.host}:{sim.port}") as session:
            assert session.device_info.model == "X-T4"
        closed = sim.port - 1  # where nothing listens
        monkeypatch.setattr(elsewhere, "DEFAULT_PORT", closed)
        with ptpfast.connect(sim.host, port=closed) as session:
            assert session.link.connection.address.port == sim.port
            assert len(session.objects()) == 3


# Faults


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


PLACES = {
    Stage.INIT: (None, None),
    Stage.ANSWER: (0x101B, None),
    Stage.BREAK: (0x101B, 60_000),
    Stage.DATASET: (0x1008, None),
    Stage.DATA: (0x101B, 60_000),
    Stage.RESPONSE: (0x101B, None),
}
# What a fault says of an object is then what it is.
LIES = {"object_size", "name", "parent", "self_parent", "vanish"}


def faults() -> list[Fault]:
    found = []
    for name, kind in KINDS.items():
        operation, after = PLACES[kind.stage]
        if kind.operation in (None, operation):
            found.append(Fault(name, operation=operation, after=after, at=2))
    return found


@pytest.mark.matrix
@pytest.mark.usefixtures("_no_pauses")
@pytest.mark.parametrize("fault", faults(), ids=str)
def test_no_fault_leaves_a_wrong_file_and_the_next_run_finishes(
    camera: Cameras, tmp_path: Path, fault: Fault
) -> None:
    sim = camera(named("fujifilm"), objects=3, size=2_500_000, faults=[fault])
    pull(sim, tmp_path)
    if fault.kind not in LIES:
        finished = [path for path in tmp_path.iterdir() if ".part" not in path.name]
        assert_right(sim, tmp_path, missing=3 - len(finished))
    sim.faults.clear()
    assert sim.wait_for(lambda: sim.sessions_opened == sim.sessions_closed + sim.unclean_ends)
    report = pull(sim, tmp_path)
    assert isinstance(report, ptpfast.Report), report
    if fault.kind not in LIES:
        assert report.ok
        assert_right(sim, tmp_path)
    assert sim.defects == 0


def test_every_link_and_delay_works_with_a_body_of_containers(tmp_path: Path) -> None:
    store = Store.synthetic(2, 300_000, model=BODIES["fuji-xt2"])
    with (
        SimulatedCamera(body="fuji-xt2", store=store, link="fuji-app", nagle=True) as sim,
        connected(sim, role="remote") as session,
    ):
        report = ptpfast.pull(session, tmp_path)
        assert report.ok
        assert_right(sim, tmp_path)
        with contextlib.closing(session.live_view()) as frames:
            assert next(frames).startswith(b"\xff\xd8")
