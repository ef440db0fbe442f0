"""Sessions with the simulated camera: what each public name does, and how it fails."""

from __future__ import annotations

import array
import dataclasses
import io
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import ptpfast
from conftest import HASTY, PATIENT, Cameras, Sessions, without_pauses
from ptpfast import (
    AccessDenied,
    CallbackSink,
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    DeviceBusy,
    EventCode,
    InitFailed,
    InvalidObjectHandle,
    MemorySink,
    ObjectFormat,
    OperationCode,
    ProtocolError,
    PTPError,
    ResponseError,
    SinkError,
    Timeout,
    TransferError,
    vendors,
)
from ptpfast.engine.channel import Channel
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.wire import ProbeRequest, pack
from ptpfast.link.pipelining import Request
from ptpfast.sim import Fault, SimulatedCamera
from ptpfast.vendors import Dialect

# The handles of Sony's content lists are the session's own, they have no GetObject, and pictures
# are taken under remote control only; these sessions are in test_sony_contents.py and beside it.
VENDOR_NAMES = sorted(set(vendors.NAMES) - {"sony"})
# These tell 32 bits of a size, and show JPEG only; what they do is in the tests of each vendor.
OF_32_BITS = {"fujifilm", "ricoh", "panasonic"}
OF_64_BITS_AND_RAW = [name for name in VENDOR_NAMES if name not in OF_32_BITS]


def content(camera: SimulatedCamera, handle: int) -> bytes:
    return b"".join(camera.store.expected(handle).spans(0, camera.store.get(handle).size))  # type: ignore[union-attr]


# Opening and closing


def test_a_session_is_opened_and_closed_in_order(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    with connect(sim) as session:
        assert session.usable
        assert session.link.connection.guid == sim.guid
        assert session.link.connection.name == sim.name
    assert not session.usable
    assert (sim.sessions_opened, sim.sessions_closed, sim.unclean_ends) == (1, 1, 0)
    assert sim.protocol_errors == 0


def test_the_camera_is_told_the_same_guid_in_every_run(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    for _ in range(2):
        connect(sim).close()
    first, second = sim.initiators
    assert first == second
    assert first[0][-6:] == bytes(6)


def test_name_and_guid_of_this_computer_can_be_chosen(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    connect(sim, name="studio \N{CAMERA}", guid=bytes(range(16)))
    assert sim.initiators == [(bytes(range(16)), "studio \N{CAMERA}")]


def test_a_long_name_is_cut_to_what_cameras_take(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    connect(sim, name="x" * 100)
    assert sim.initiators[0][1] == "x" * 39


def test_an_exception_in_the_block_still_closes_the_session(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    with pytest.raises(LookupError), connect(sim):
        raise LookupError
    assert sim.sessions_closed == 1


def test_a_program_that_just_ends_closes_its_session(camera: Cameras) -> None:
    sim = camera()
    code = f"import ptpfast; s = ptpfast.connect({sim.host!r}, port={sim.port}); s.storage_ids()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (sim.sessions_closed, sim.unclean_ends) == (1, 0)


def test_a_second_initiator_is_told_that_the_camera_is_busy(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    connect(sim)
    with pytest.raises(InitFailed, match="busy") as caught:
        connect(sim)
    assert caught.value.reason == 2


def test_a_camera_that_still_holds_an_old_session_is_waited_for_and_that_is_said(
    camera: Cameras,
) -> None:
    sim = camera(faults=["init_fail=2 times 2"])
    told: list[PTPError] = []
    ways = {"port": sim.port, "timeouts": HASTY, "vendor": without_pauses("standard")}
    with ptpfast.connect(sim.host, **ways, waiting=told.append) as session:
        assert session.objects()
    assert len(told) == 1
    assert len(sim.faults.fired) == 2


def test_a_camera_that_is_never_let_go_is_waited_for_so_long_only(camera: Cameras) -> None:
    sim = camera(faults=["init_fail=2 times 0"])
    told: list[PTPError] = []
    hasty = dataclasses.replace(HASTY, held=0.3)
    with pytest.raises(InitFailed) as caught:
        ptpfast.connect(sim.host, port=sim.port, timeouts=hasty, waiting=told.append)
    assert len(told) == 1
    assert len(sim.faults.fired) > 1
    assert caught.value.hint


def test_who_does_not_know_this_computer_is_not_waited_for(camera: Cameras) -> None:
    sim = camera(faults=["init_fail=1"])
    told: list[PTPError] = []
    with pytest.raises(InitFailed, match="not registered"):
        ptpfast.connect(sim.host, port=sim.port, timeouts=HASTY, waiting=told.append)
    assert told == []


def test_who_says_nothing_may_ask_its_owner_and_is_waited_for_so_long(camera: Cameras) -> None:
    sim = camera(faults=["init_silence"])
    told: list[PTPError] = []
    with pytest.raises(ConnectFailed, match="does not answer the handshake") as caught:
        ptpfast.connect(sim.host, port=sim.port, timeouts=HASTY, waiting=told.append)
    assert "check the address" in caught.value.hint
    assert len(told) == 1
    assert "accept it there" in told[0].message


@pytest.mark.parametrize(("reason", "text"), [(1, "not registered"), (3, "no reason"), (99, "99")])
@pytest.mark.parametrize("where", ["init_fail", "event_fail"])
def test_init_fail_is_told_in_words(
    camera: Cameras, connect: Sessions, where: str, reason: int, text: str
) -> None:
    sim = camera(faults=[Fault(where, reason)])
    with pytest.raises(InitFailed, match=text):
        connect(sim)


def test_nobody_listening_says_so(connect: Sessions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectFailed, match=f"nothing listens at 127.0.0.1:{port}"):
        ptpfast.connect("127.0.0.1", port=port)


def test_an_unknown_host_name_says_so() -> None:
    with pytest.raises(ConnectFailed, match=r"cannot reach camera\.invalid"):
        ptpfast.connect("camera.invalid", timeouts=HASTY)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not as a PTP/IP camera"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not as a PTP/IP camera"),
        (b"\x08\0\0\0\x04\0\0\0", "not as a PTP/IP camera"),
        (b"", "closed the connection"),
        (None, "does not answer"),
    ],
    ids=[
        "a web server",
        "an SSH server",
        "the wrong packet",
        "a port that closes",
        "a silent port",
    ],
)
def test_what_is_no_camera_is_told_apart(answer: bytes | None, text: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(1000)
                if answer is None:
                    peer.recv(1000)  # until the other side gives up
                elif answer:
                    peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ConnectFailed, match=text):
            ptpfast.connect(*server.getsockname()[:1], port=server.getsockname()[1], timeouts=HASTY)
        thread.join()


@pytest.mark.parametrize(
    "fault",
    [
        "init_no_version",
        "init_padded_name",
        "init_number=0",
        "init_number=4294967295",
        "event_late",
    ],
)
def test_odd_handshakes_are_understood(camera: Cameras, connect: Sessions, fault: str) -> None:
    session = connect(camera(faults=[fault]))
    assert session.storage_ids()


def test_a_body_that_hangs_without_a_probe_is_probed(camera: Cameras, connect: Sessions) -> None:
    assert connect(camera(needs_probe=True)).storage_ids()


def test_a_session_id_that_is_refused_is_followed_by_the_next(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["respond=0x2004 on OpenSession times 3"])
    assert connect(sim).storage_ids()
    assert sim.operations[OperationCode.OpenSession] == 4


def test_a_session_left_open_is_taken_over(camera: Cameras, connect: Sessions) -> None:
    sim = camera(faults=["respond=0x201E on OpenSession"])
    with pytest.raises(ResponseError):  # this one never opened it
        connect(sim).storage_ids()


@pytest.mark.parametrize("fault", ["empty_data on GetDeviceInfo", "cut_data=20 on GetDeviceInfo"])
def test_a_device_info_that_is_not_there_or_cut(
    camera: Cameras, connect: Sessions, fault: str
) -> None:
    if fault.startswith("empty"):
        assert connect(camera(faults=[f"{fault} times 2"])).device_info.model == ""
    else:
        with pytest.raises(PTPError, match="DeviceInfo"):
            connect(camera(faults=[fault]))


def test_a_camera_that_says_nothing_of_itself_once_is_known_again(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    """What has been begun of its objects is continued: it is the same camera."""
    sim = camera(faults=["drop after-total 200000"])
    session = connect(sim)
    info = session.objects()[0]
    with pytest.raises(ConnectionLost):
        session.download(info, tmp_path / "x", chunk=1 << 16)
    sim.faults.add("empty_data on GetDeviceInfo")
    again = connect(sim)
    assert again.device_info.body == session.device_info.body != ""
    assert again.download(again.objects()[0], tmp_path / "x").resumed_at > 0


def test_a_response_with_transaction_id_zero_ends_the_session_in_order(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["response_tid_zero on CloseSession"])
    connect(sim).close()
    assert sim.sessions_closed == 1


def test_close_does_not_wait_long_for_a_camera_that_is_gone(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera(faults=["no_answer on CloseSession"]), timeouts=HASTY)
    session.close()
    session.close()
    assert not session.usable


def test_close_does_not_wait_for_the_end_of_a_large_interrupted_object(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=200_000_000, bytes_per_s=2_000_000)
    session = connect(sim, timeouts=HASTY)
    with pytest.raises(LookupError):
        session.link.transact(
            Request(
                OperationCode.GetObject,
                (_files(session)[0],),
                sink=CallbackSink(_raise, chunk_size=1000),
            )
        )
    session.close()
    assert sim.wait_for(lambda: sim.unclean_ends == 1, timeout=10)
    assert sim.payload_bytes < 100_000_000


def test_an_interrupted_read_is_finished_before_the_session_is_closed(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=5_000_000)
    session = connect(sim)
    with pytest.raises(LookupError):
        session.link.transact(
            Request(
                OperationCode.GetObject,
                (_files(session)[0],),
                sink=CallbackSink(_raise, chunk_size=1000),
            )
        )
    session.close()
    assert sim.sessions_closed == 1


def _raise(_: memoryview) -> None:
    raise LookupError


def _files(session: ptpfast.Session) -> list[int]:
    return [int(handle) for handle in session.objects().handle]


# Listing


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_a_listing_has_every_file_with_its_path_size_and_date(
    camera: Cameras, connect: Sessions, vendor: str
) -> None:
    sim = camera(vendor, objects=5)
    table = connect(sim).objects()
    assert len(table) == 5
    assert table.failures == []
    stored = {item.handle: item for item in sim.store.files()}
    for info in table:
        assert info.path == sim.store.path(info.handle)
        assert info.size == stored[info.handle].size
        assert info.captured is not None
        assert info.kind in ("raw", "jpeg")


def test_a_table_is_a_sequence_with_numpy_columns(camera: Cameras, connect: Sessions) -> None:
    table = connect(camera(objects=6)).objects()
    assert table.size.dtype == np.int64
    assert table.captured.dtype == np.dtype("datetime64[s]")
    assert table[0].handle == table.handle[0]
    assert [o.name for o in table[table.is_raw]] == [o.name for o in table if o.is_raw]
    assert table[1:3].names == table.names[1:3]
    assert table[[0, 2]].paths == [table.paths[0], table.paths[2]]
    assert table[np.int64(-1)] == table[len(table) - 1]
    assert table.total_size == 6 * 300_000
    with pytest.raises(IndexError):
        table[6]


def test_listing_can_be_narrowed_by_kind_and_format(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(objects=6))
    assert {o.kind for o in session.objects(formats=["raw"])} == {"raw"}
    assert {o.kind for o in session.objects(formats=[ObjectFormat.EXIF_JPEG])} == {"jpeg"}


def test_a_folder_can_be_listed_alone(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    table = session.objects()
    assert session.objects(parent=int(table.parent[0])).paths == table.paths


def test_listing_reports_its_progress(camera: Cameras, connect: Sessions) -> None:
    seen: list[tuple[int, int]] = []
    connect(camera()).objects(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(count, len(seen)) for count in range(1, len(seen) + 1)]


@pytest.mark.parametrize(
    "fault",
    [
        "respond=0x2009 on GetObjectInfo at 4",
        "respond=0x200F on GetObjectInfo at 4",
        "cut_data=30 on GetObjectInfo handle 0x00040004 times 2",
        "empty_data on GetObjectInfo handle 0x00040004 times 2",
        "ok_without_data on GetObjectInfo handle 0x00040004 times 2",
        "extra_handle on GetObjectHandles",
    ],
)
def test_a_bad_object_does_not_end_a_listing(
    camera: Cameras, connect: Sessions, fault: str
) -> None:
    session = connect(camera(objects=5, faults=[fault]))
    table = session.objects()
    assert len(table.failures) == 1
    assert len(table) == (5 if "extra" in fault else 4)
    assert session.usable


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize(
    "fault", ["cut_data=30", "empty_data", "ok_without_data", "short_data after 60"]
)
def test_an_object_is_asked_for_once_more_when_the_answer_makes_no_sense(
    camera: Cameras, connect: Sessions, fault: str, depth: int
) -> None:
    kind, _, rest = fault.partition(" ")
    sim = camera(objects=5, faults=[f"{kind} on GetObjectInfo handle 0x00040004 {rest}"])
    table = connect(sim, depth=depth).objects()
    assert table.failures == []
    assert sorted(table.paths) == sorted(sim.store.path(f.handle) for f in sim.store.files())
    assert sim.operations[OperationCode.GetObjectInfo] == 5 + 2 + 1


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize("fault", ["cut_data=30", "short_data after 60", "respond=0x2002"])
def test_an_object_that_cannot_be_described_any_more_is_not_taken_for_the_same(
    camera: Cameras, connect: Sessions, fault: str, depth: int
) -> None:
    sim = camera()
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    session.reconnect()
    kind, _, rest = fault.partition(" ")
    sim.faults.add(f"{kind} on GetObjectInfo {rest} times 2")
    with pytest.raises((ProtocolError, ResponseError)):
        session.read(info)
    assert sim.operations[OperationCode.GetPartialObject] == 0
    sim.faults.clear()
    assert len(session.read(info)) == info.size


@pytest.mark.parametrize("fault", ["self_parent on GetObjectInfo times 0", "parent=4294967295"])
def test_strange_parents_end_at_the_root(camera: Cameras, connect: Sessions, fault: str) -> None:
    table = connect(camera(faults=[fault])).objects()
    assert len(table) == 4


def test_folders_that_go_in_circles_end(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    folders = [item.handle for item in sim.store if item.is_folder]
    sim.faults.add(Fault("parent", folders[-1], handle=folders[0], times=0))
    table = connect(sim).objects()
    assert len(table) == 4
    assert all(path.count("/") < 40 for path in table.paths)


def test_a_handle_list_longer_than_its_bytes_is_a_protocol_error(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera(faults=["long_array on GetObjectHandles times 2"]))
    with pytest.raises(ptpfast.ProtocolError, match="does not fit"):
        session.objects()
    assert len(session.objects()) == 4


@pytest.mark.parametrize("operation", ["GetStorageIDs", "GetObjectHandles"])
@pytest.mark.parametrize("kind", ["empty_data", "ok_without_data"])
def test_a_card_does_not_pass_for_empty_because_of_one_answer_without_bytes(
    camera: Cameras, connect: Sessions, operation: str, kind: str
) -> None:
    sim = camera(faults=[f"{kind} on {operation}"])
    assert len(connect(sim).objects()) == 4
    assert sim.faults.fired


def test_an_empty_card_lists_nothing(camera: Cameras, connect: Sessions) -> None:
    assert len(connect(camera(objects=0)).objects()) == 0


# Canon's listings have 32 bits: a larger size is known from an event, or once all bytes came. See
# test_canon.py.
@pytest.mark.parametrize("vendor", [name for name in OF_64_BITS_AND_RAW if name != "canon"])
def test_sizes_beyond_four_gigabytes_are_true(
    camera: Cameras, connect: Sessions, vendor: str
) -> None:
    session = connect(camera(vendor, objects=2, size=6 << 30))
    assert set(session.objects().size) == {6 << 30}


def test_a_size_nobody_can_tell_is_none(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=1, size=5 << 30, faults=["respond=0x2005 on GetObjectPropValue times 0"])
    assert connect(sim).objects()[0].size is None


def test_storages_say_what_they_hold(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    (storage_id,) = session.storage_ids()
    info = session.storage_info(storage_id)
    assert info.max_capacity > info.free_space_in_bytes > 0
    assert len(session.objects(storage=storage_id)) == 4


# Reading


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
@pytest.mark.parametrize("chunk", [None, 0, 70_000])
def test_every_way_of_reading_gives_the_same_bytes(
    camera: Cameras, connect: Sessions, vendor: str, chunk: int | None
) -> None:
    sim = camera(vendor, size=2_500_000)
    session = connect(sim)
    info = session.objects()[1]
    expected = content(sim, info.handle)
    assert session.read(info.handle) == expected
    pixels = np.zeros(2_500_000 // 4, np.float32)
    assert session.read_into(info, pixels) == len(expected)
    assert pixels.tobytes() == expected
    assert b"".join(session.stream(info, chunk or 1 << 20)) == expected
    with session.open(info) as file:
        assert io.BufferedReader(file).read() == expected


@pytest.mark.parametrize(("offset", "size"), [(0, 10), (299_990, 10), (1000, 200_000), (7, 0)])
def test_a_range_of_an_object_is_read_into_a_buffer(
    camera: Cameras, connect: Sessions, offset: int, size: int
) -> None:
    sim = camera()
    session = connect(sim)
    info = session.objects()[0]
    buffer = bytearray(size)
    assert session.read_into(info, buffer, offset=offset, size=size) == size
    assert buffer == content(sim, info.handle)[offset : offset + size]


def test_reading_stops_at_the_end_of_the_object(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    session = connect(sim)
    info = session.objects()[0]
    buffer = bytearray(100)
    assert session.read_into(info, buffer, offset=299_990, size=100) == 10
    assert session.read_into(info, buffer, offset=300_000, size=100) == 0
    assert session.read_into(info, buffer, offset=400_000) == 0


def test_a_buffer_that_is_too_small_is_refused_before_anything_is_asked(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)
    info = session.objects()[0]
    before = sim.operations.total()
    with pytest.raises(ValueError, match="300,000 bytes do not fit"):
        session.read_into(info, bytearray(299_999))
    with pytest.raises(ValueError, match="negative"):
        session.read_into(info, bytearray(10), offset=-1)
    assert sim.operations.total() == before


def test_an_open_object_seeks_like_a_file(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    session = connect(sim)
    info = session.objects()[0]
    expected = content(sim, info.handle)
    with session.open(info) as file:
        assert file.seek(-5, io.SEEK_END) == 299_995
        assert file.read(100) == expected[-5:]
        assert file.read(1) == b""
        assert file.seek(10) == 10
        assert file.seek(5, io.SEEK_CUR) == 15
        assert file.read(7) == expected[15:22]
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def test_offsets_beyond_four_gigabytes_are_read_where_the_body_can(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z6", objects=1, size=6 << 30)
    session = connect(sim)
    info = session.objects()[0]
    buffer = bytearray(1000)
    offset = (5 << 30) + 12_345
    assert session.read_into(info, buffer, offset=offset, size=1000) == 1000
    assert buffer == b"".join(sim.store.expected(info.handle).spans(offset, 1000))


def test_a_range_beyond_four_gigabytes_that_nobody_can_read_says_so(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera(objects=1, size=6 << 30))
    info = session.objects()[0]
    with pytest.raises(TransferError, match="cannot send parts"):
        session.read_into(info, bytearray(10), offset=5 << 30, size=10)


@pytest.mark.parametrize("code", ["0x2005", "0x2006", "0x2009"])
def test_a_partial_read_that_is_listed_and_refused_is_replaced_by_get_object(
    camera: Cameras, connect: Sessions, code: str
) -> None:
    sim = camera(faults=[f"respond={code} on GetPartialObject times 0"])
    session = connect(sim)
    for info in session.objects():
        assert session.read(info) == content(sim, info.handle)
    assert sim.operations[OperationCode.GetPartialObject] == 1


def test_a_refusal_after_some_bytes_shifts_nothing(camera: Cameras, connect: Sessions) -> None:
    sim = camera(faults=["error_after=0x2009 on GetPartialObject after 1000"])
    session = connect(sim)
    info = session.objects()[0]
    buffer = bytearray(600_000)
    with pytest.raises(InvalidObjectHandle):
        session.read_into(info, buffer)
    assert session.read(info) == content(sim, info.handle)


def test_one_refusal_of_what_has_worked_does_not_condemn_partial_reads(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["respond=0x2005 on GetPartialObject at 2"])
    session = connect(sim)
    for info in session.objects():
        assert session.read(info) == content(sim, info.handle)
    assert sim.operations[OperationCode.GetObject] == 1
    assert sim.operations[OperationCode.GetPartialObject] > 2


def test_an_object_that_is_gone_does_not_condemn_partial_reads(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)
    table = session.objects()
    sim.store.delete(table[0].handle)
    with pytest.raises(InvalidObjectHandle):
        session.read(table[0])
    before = sim.operations[OperationCode.GetPartialObject]
    assert session.read(table[1]) == content(sim, table[1].handle)
    assert sim.operations[OperationCode.GetPartialObject] > before


def test_a_body_that_sends_less_than_asked_is_asked_for_the_rest(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["announce=1000 on GetPartialObject", "short_data after 1000"])
    session = connect(sim)
    info = session.objects()[0]
    assert session.read(info) == content(sim, info.handle)


def test_a_body_that_sends_nothing_is_not_asked_for_ever(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["ok_without_data on GetPartialObject times 0"])
    session = connect(sim)
    with pytest.raises(TransferError, match="nothing"):
        session.read(session.objects()[0])


def test_an_object_of_unknown_size_is_streamed_whole(camera: Cameras, connect: Sessions) -> None:
    sim = camera(
        size=2_000_000, announce_total=False, faults=["object_size=0 on GetObjectInfo times 0"]
    )
    session = connect(sim)
    info = session.objects()[0]
    expected = content(sim, info.handle)
    assert session.read(info) == expected
    assert b"".join(session.stream(info, 300_000)) == expected
    with pytest.raises(io.UnsupportedOperation):
        session.open(info)


def test_a_stream_that_is_dropped_early_leaves_a_usable_session(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=5_000_000, faults=["respond=0x2005 on GetPartialObject times 0"])
    session = connect(sim)
    with pytest.raises(TransferError):  # teaches it that partial reads are refused
        session.read_into(session.objects()[0], bytearray(10), size=10)
    sim.faults.add("object_size=0 on GetObjectInfo times 0")
    handle = _files(session)[0]
    for piece in session.stream(handle, 100_000):
        assert len(piece) == 100_000
        break
    assert session.storage_ids()


def test_a_stream_of_nothing_is_no_empty_object_where_its_size_is_not_known(
    camera: Cameras, connect: Sessions
) -> None:
    faults = ["object_size=0 on GetObjectInfo times 0", "ok_without_data on GetObject"]
    session = connect(camera(faults=faults))
    handle = _files(session)[0]
    with pytest.raises(TransferError, match="success but sent no data"):
        list(session.stream(handle, 100_000))
    assert len(b"".join(session.stream(handle, 100_000))) > 0


def test_a_thumbnail_is_a_jpeg(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    picture = session.thumbnail(_files(session)[0])
    assert picture.startswith(b"\xff\xd8")
    assert picture.endswith(b"\xff\xd9")


def test_deleting_removes_the_object_from_the_card(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    first, *others = _files(session)
    session.delete(first)
    assert _files(session) == others
    with pytest.raises(InvalidObjectHandle):
        session.object_info(first)


# Data phases of every shape, through the session


SHAPES = [
    {"end_data": "whole"},
    {"end_data": "last"},
    {"end_data": "empty"},
    {"announce_total": False},
    {"data_packet_size": 512, "end_data": "last"},
    {"data_packet_size": 1 << 20},
    {"max_bytes_per_send": 1461},
    {"faults": ["start16 times 0"]},
    {"faults": ["no_start times 0"]},
    {"faults": ["announce=unknown32 times 0"]},
    {"faults": ["repeat_end times 0"]},
    {"faults": ["stale on GetObject times 0", "stale on GetPartialObject times 0"]},
    {"faults": ["probe times 0"]},
    {"faults": ["event_on_command times 0"]},
    {"faults": ["event_burst=300 times 3"]},
    {"faults": ["extra_parameters times 0"]},
    {"faults": ["unknown_packet=99 times 0"]},
    {"faults": ["busy times 2"]},
]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_every_shape_of_data_phase_gives_right_bytes(
    camera: Cameras, connect: Sessions, vendor: str, shape: dict[str, object]
) -> None:
    sim = camera(vendor, **shape)
    session = connect(sim)
    info = session.objects()[0]
    expected = content(sim, info.handle)
    assert session.read(info) == expected
    whole = MemorySink()
    session.link.transact(Request(OperationCode.GetObject, (info.handle,), sink=whole))
    assert whole.finish() == expected


def test_probes_of_the_camera_are_answered_on_both_connections(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["probe on GetObject"])
    session = connect(sim)
    session.link.transact(Request(OperationCode.GetObject, (_files(session)[0],)))
    assert sim.wait_for(lambda: sim.probe_responses == 2, timeout=10)


# Transactions


def test_any_operation_can_be_run_by_its_code(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    response = session.transaction(0x1004)
    assert response.code == 0x2001
    assert response.data == b"\1\0\0\0\1\0\1\0"
    assert session.transaction(0x1006, 0xFFFFFFFF, 0, 0).parameters[0] >= 4
    sink = MemorySink()
    response = session.transaction(0x1009, _files(session)[0], sink=sink)
    assert response.data is None
    assert response.received == sink.position == 300_000


def test_an_operation_the_camera_does_not_know_is_refused_by_name(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera())
    with pytest.raises(ResponseError, match=r"refused 0x9999\(0x1\): it does not support this"):
        session.transaction(0x9999, 1)
    assert session.usable


def test_data_goes_out_and_properties_can_be_set(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    assert 0 <= session.property(0x5001) <= 100
    session.set_property(0x5011, "20260102T030405")
    assert session.property(0x5011).startswith("20260102T0304")
    with pytest.raises(ResponseError):
        session.set_property(0x5001, 50)


def test_a_busy_camera_is_asked_until_it_answers(camera: Cameras, connect: Sessions) -> None:
    sim = camera(faults=["busy on GetStorageIDs times 4"])
    assert connect(sim).storage_ids()
    assert sim.operations[OperationCode.GetStorageIDs] == 5


def test_a_camera_that_stays_busy_is_a_device_busy_error(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera(faults=["busy on GetStorageIDs times 0"]))
    with pytest.raises(DeviceBusy, match="refused to name its cards: it is busy"):
        session.link.command(OperationCode.GetStorageIDs, busy_s=0.05)


def test_a_refusal_names_operation_object_and_reason(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(faults=["respond=0x200F on GetThumb"]))
    with pytest.raises(AccessDenied, match="send the thumbnail: access is denied") as caught:
        session.thumbnail(0x12)
    assert caught.value.operation == OperationCode.GetThumb
    assert caught.value.detail == "GetThumb(0x12): AccessDenied (0x200F)"


def test_a_vendors_response_code_has_its_name(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera("nikon", faults=["respond=0xA002 on GetThumb"]))
    with pytest.raises(ResponseError, match=r"OutOfFocus \(0xA002\)"):
        session.thumbnail(0x12)


def test_a_camera_that_falls_silent_is_a_timeout_and_the_next_answer_is_not_mixed_up(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["stall=4 on GetThumb"])
    session = connect(sim, timeouts=HASTY)
    handle = _files(session)[0]
    with pytest.raises(Timeout):
        session.thumbnail(handle)
    session.link.connection.timeouts = PATIENT
    assert session.storage_ids() == [0x00010001]


def test_cancel_from_another_thread_ends_a_read_and_the_session_goes_on(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=3_000_000, bytes_per_s=3_000_000)
    session = connect(sim)
    info = session.objects()[0]
    started = threading.Event()
    thread = threading.Thread(target=lambda: (started.wait(), session.cancel()))
    thread.start()
    with pytest.raises(Cancelled):
        for _ in session.stream(info, 100_000):
            started.set()
    thread.join()
    assert session.storage_ids()


def test_a_disk_that_fails_leaves_the_session_usable(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())

    def full(_: memoryview) -> None:
        raise SinkError("no room", errno=28)

    with pytest.raises(SinkError):
        session.transaction(0x1009, _files(session)[0], sink=CallbackSink(full, chunk_size=1000))
    assert session.storage_ids()


def test_a_callback_that_uses_its_own_session_is_told(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    info = session.objects()[0]

    def misuse(_: memoryview) -> None:
        session.storage_ids()

    sink = CallbackSink(misuse, chunk_size=1000)
    with pytest.raises(RuntimeError, match="already runs a transaction"):
        session.link.transact(Request(OperationCode.GetObject, (info.handle,), sink=sink))
    assert session.storage_ids()


def test_a_stream_of_a_whole_object_ends_when_the_session_is_used_otherwise(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=3_000_000, faults=["object_size=0 on GetObjectInfo times 0"])
    session = connect(sim)
    pieces = session.stream(session.objects()[0], 100_000)
    next(pieces)
    assert session.storage_ids()
    with pytest.raises(RuntimeError, match="another operation"):
        next(pieces)


def test_a_session_is_closed_while_a_whole_object_is_streamed(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=3_000_000, faults=["object_size=0 on GetObjectInfo times 0"])
    session = connect(sim)
    next(iter(session.stream(session.objects()[0], 100_000)))
    session.close()
    assert sim.wait_for(lambda: sim.sessions_closed + sim.unclean_ends == 1, timeout=10)


def test_close_ends_another_threads_download(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=50_000_000, bytes_per_s=5_000_000)
    session = connect(sim)
    info = session.objects()[0]
    began, ended = threading.Event(), []

    def fetch() -> None:
        try:
            session.download(info, tmp_path / "x", progress=lambda *_: began.set())
        except PTPError as error:
            ended.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    began.wait(20)
    session.close()
    thread.join(20)
    assert len(ended) == 1
    assert sim.sessions_closed + sim.unclean_ends == 1
    assert sim.payload_bytes < 40_000_000


def test_a_camera_that_only_probes_is_a_timeout_all_the_same(
    camera: Cameras, connect: Sessions
) -> None:
    near, far = socket.socketpair()
    channel = Channel(near)
    stop = threading.Event()

    def probe() -> None:
        while not stop.wait(0.05):
            far.sendall(pack(ProbeRequest()))

    thread = threading.Thread(target=probe)
    thread.start()
    with pytest.raises(Timeout):
        channel.receive(DataPhase(1), first_s=0.4, idle_s=0.4)
    stop.set()
    thread.join()
    channel.close()
    far.close()


def test_a_session_that_fails_to_begin_is_closed(camera: Cameras, connect: Sessions) -> None:
    class Failing(Dialect):
        def begin(self) -> None:
            raise LookupError

    sim = camera()
    vendor = dataclasses.replace(without_pauses("standard"), dialect=Failing)
    with pytest.raises(LookupError):
        connect(sim, vendor=vendor)
    assert sim.wait_for(lambda: sim.sessions_closed == 1, timeout=10)


def test_a_child_that_forks_off_and_exits_leaves_the_session_alone(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    code = f"""
import os, sys, ptpfast
s = ptpfast.connect({sim.host!r}, port={sim.port})
if os.fork() == 0:
    sys.exit(0)
os.wait()
assert s.storage_ids()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_thumbnail_and_delete_take_objects_too(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    info = session.objects()[0]
    assert session.thumbnail(info) == session.thumbnail(info.handle)
    session.delete(info)
    assert info.handle not in _files(session)


def test_a_closed_session_says_that_it_was_closed(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    session.close()
    with pytest.raises(ConnectionLost, match="has been closed; connect again"):
        session.storage_ids()


def test_arrays_of_numbers_go_out_in_bytes(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    data = array.array("H", "\x1020260102T030405\0".encode("utf-16-le")[2:])
    payload = bytes([len(data)]) + data.tobytes()
    session.link.command(OperationCode.SetDevicePropValue, 0x5011, data=array.array("B", payload))
    assert session.property(0x5011).startswith("20260102")


def test_a_size_beyond_all_reason_is_unknown(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(objects=1, size=1 << 60))
    assert session.objects()[0].size is None


def test_several_threads_share_a_session(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=8)
    session = connect(sim)
    infos = list(session.objects())
    results: dict[int, bytes] = {}

    def read(info: ptpfast.ObjectInfo) -> None:
        results[info.handle] = bytes(session.read(info))

    threads = [threading.Thread(target=read, args=(info,)) for info in infos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {info.handle: content(sim, info.handle) for info in infos}


# Events and capture


@pytest.mark.parametrize("vendor", OF_64_BITS_AND_RAW)
def test_capture_returns_the_new_object_with_right_bytes(
    camera: Cameras, connect: Sessions, vendor: str
) -> None:
    sim = camera(vendor)
    session = connect(sim, role="remote")
    before = set(_files(session))
    info = session.capture()
    assert info is not None
    assert info.is_raw
    assert info.handle not in before
    assert session.read(info) == content(sim, info.handle)


@pytest.mark.parametrize("vendor", ["standard", "nikon"])  # one reports, one is polled
def test_events_are_told_once_however_they_come(
    camera: Cameras, connect: Sessions, vendor: str
) -> None:
    sim = camera(vendor)
    session = connect(sim)
    handles = sim.capture()
    events = session.events(timeout=20)
    seen = [next(events) for _ in range(len(handles) + 1)]
    assert [e.parameters[0] for e in seen if e.code == EventCode.ObjectAdded] == handles
    assert seen[-1].code == EventCode.CaptureComplete
    assert list(session.events(timeout=0.1)) == []


def test_the_same_event_by_both_ways_is_one(camera: Cameras, connect: Sessions) -> None:
    sim = camera("nikon")
    session = connect(sim)
    session.link.hub.publish(ptpfast.Event(EventCode.ObjectAdded, (7,)))
    sim.push_event(EventCode.ObjectAdded, 7)
    assert [e.parameters for e in session.events(timeout=0.3)] == [(7,)]


def test_events_end_with_the_session(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.extend(session.events()))
    thread.start()
    session.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_capture_nobody_reports_is_none(camera: Cameras, connect: Sessions) -> None:
    vendor = without_pauses("standard")
    quirks = dataclasses.replace(vendor.quirks, capture_s=0.1)
    session = connect(camera(), vendor=dataclasses.replace(vendor, quirks=quirks))
    session.link.dialect.release = lambda: None  # type: ignore[method-assign]
    assert session.capture() is None


def test_a_released_shutter_that_fails_is_told(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera(faults=["respond=0x200C on InitiateCapture"]))
    with pytest.raises(ptpfast.ResponseError, match="StoreFull"):
        session.capture()


def test_close_waits_for_a_body_that_was_just_opened(camera: Cameras, connect: Sessions) -> None:
    vendor = without_pauses("nikon")
    vendor = dataclasses.replace(
        vendor, quirks=dataclasses.replace(vendor.quirks, close_after_open_s=0.3)
    )
    sim = camera("nikon")
    session = connect(sim, vendor=vendor)
    opened = session.link._opened_at
    session.close()
    assert time.monotonic() - opened >= 0.3
    assert sim.sessions_closed == 1


def test_a_close_that_is_interrupted_still_closes_both_connections(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(camera())
    thread = session.link.connection._events._thread
    assert thread is not None

    def interrupted(timeout: float | None = None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.link.connection.close()
    assert session.link.connection._command.closed
    assert session.link.connection.events.closed
