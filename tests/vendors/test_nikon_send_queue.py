"""Nikon's picture transfer profile: the camera sends what its owner chooses, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import PATIENT, Cameras, without_pauses
from ptpfast import vendors
from ptpfast.engine.wire import Builder
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.ptp.errors import AccessDenied, ProtocolError, Unsupported
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.vendors import Vendor
from ptpfast.vendors.body import Reply
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection
from ptpfast.vendors.nikon.codes import NikonOperation as Nikon
from ptpfast.vendors.nikon.datasets import Job, parse_job
from ptpfast.vendors.nikon.send_queue import MOST_REPEATS
from raw_initiator import Initiator
from watched import Statuses, hurried

NEXT = 0x9010
SIZE = 300_000


def transferring(name: str = "nikon-z8") -> Vendor:
    vendor = vendors.with_body(name)
    rules = PcConnection(hold_s=0, pause_s=0, transfers=True)
    return dataclasses.replace(vendor, body=with_pc_connection(vendor.model, rules))


def connect(sim: SimulatedCamera, **options: Any) -> ptpfast.Session:
    vendor = without_pauses(sim.body.vendor)
    return ptpfast.connect(sim.host, port=sim.port, vendor=vendor, timeouts=PATIENT, **options)


def expected(sim: SimulatedCamera, handle: int) -> bytes:
    content = sim.store.expected(handle)
    return b"".join(content.spans(0, content.size))


def chosen(sim: SimulatedCamera, count: int) -> list[int]:
    """Has the owner choose some of the card's files; their handles."""
    handles = [stored.handle for stored in sim.store.files()][1 : 1 + count]
    for handle in handles:
        sim.mark(handle)
    return handles


@pytest.mark.parametrize("order", ["listed", "newest"])
def test_pull_fetches_what_the_owner_has_chosen_and_no_more(
    camera: Cameras, tmp_path: Path, order: Any
) -> None:
    sim = camera(transferring(), objects=6)
    handles = chosen(sim, 3)
    with connect(sim) as session:
        report = ptpfast.pull(session, tmp_path, order=order)
    assert report.ok
    wanted = {sim.store.get(handle).name: handle for handle in handles}  # type: ignore[union-attr]
    assert {path.name for path in tmp_path.iterdir()} == set(wanted)
    for name, handle in wanted.items():
        assert (tmp_path / name).read_bytes() == expected(sim, handle)
    assert sim.body.marked == {}
    asked = [entry for entry in sim.log if entry.operation == NEXT]
    assert {entry.parameters for entry in asked} == {(0x2001,)}
    assert asked[-1].response == Code.GeneralError


def test_pull_ends_at_an_offered_picture_that_is_not_selected(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(transferring())
    handles = chosen(sim, 2)  # a JPEG, then a NEF
    with connect(sim) as session:
        report = ptpfast.pull(session, tmp_path, formats="raw")
    assert report.ok
    assert list(sim.body.marked) == handles
    assert sim.operations[NEXT] == 1
    (note,) = report.notes
    assert sim.store.get(handles[0]).name in note  # type: ignore[union-attr]
    assert "no other file until this one was fetched" in note


@pytest.mark.parametrize("history", [True, False])
def test_pictures_that_are_known_by_their_paths_alone_are_told_apart(
    camera: Cameras, tmp_path: Path, history: bool
) -> None:
    store = Store()
    dcim = store.add_folder("DCIM")
    for name in ("100NZ_8", "101NZ_8"):
        folder = store.add_folder(name, parent=dcim)
        store.add("DSC_0001.NEF", SIZE, parent=folder)
    faults = ["respond=0x200F on GetObjectInfo times 0"]
    sim = camera(transferring(), store=store, faults=faults)
    for stored in sim.store.files():
        sim.mark(stored.handle)
        with connect(sim) as session:
            (info,) = session.objects()
            assert info.path == sim.store.path(stored.handle)
            assert info.captured is None
            report = ptpfast.pull(session, tmp_path, history=history)
        assert report.ok
        assert len(report.having("downloaded")) == 1
    assert sim.body.marked == {}
    written = {path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {expected(sim, stored.handle) for stored in sim.store.files()}


def test_picture_without_a_date_is_known_again_by_its_path(camera: Cameras, tmp_path: Path) -> None:
    faults = ["respond=0x200F on GetObjectInfo times 0"]
    sim = camera(transferring(), faults=faults)
    for status in ("downloaded", "skipped"):
        chosen(sim, 2)
        with connect(sim) as session:
            report = ptpfast.pull(session, tmp_path)
        assert report.ok
        assert [each.status for each in report.files] == [status] * 2
    assert sim.body.marked == {}


def test_data_and_sizes_come_by_the_operations_that_are_never_locked(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(transferring())
    chosen(sim, 2)
    with connect(sim) as session:
        assert ptpfast.pull(session, tmp_path).ok
    asked = {entry.operation for entry in sim.log}
    assert {0x9421, 0x9431} <= asked
    assert not {Op.GetObject, Op.GetPartialObject, 0x9435} & asked


def test_picture_that_is_here_already_is_told_to_the_camera(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(transferring())
    handles = chosen(sim, 2)
    with connect(sim) as session:
        assert ptpfast.pull(session, tmp_path).ok
        for handle in handles:
            sim.mark(handle)
        report = ptpfast.pull(session, tmp_path)
    assert report.ok
    assert not report.having("downloaded")
    assert sim.body.marked == {}


def test_picture_that_fails_to_arrive_stays_in_the_queue(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(transferring(), faults=["respond=0x2002 on 0x9431 times 0"])
    handles = chosen(sim, 2)
    with connect(sim) as session:
        report = ptpfast.pull(session, tmp_path)
    assert not report.ok
    assert list(sim.body.marked) == handles
    sim.faults.clear()
    with connect(sim) as session:
        assert ptpfast.pull(session, tmp_path).ok
    assert sim.body.marked == {}


def test_queue_goes_on_after_lost_connections(camera: Cameras, tmp_path: Path) -> None:
    faults = ["drop on 0x9431 after 100000", "drop on 0x9010 at 3"]
    sim = camera(transferring(), objects=6, faults=faults)
    handles = chosen(sim, 3)
    with connect(sim) as session:
        report = ptpfast.pull(session, tmp_path)
    assert report.ok
    assert len(list(tmp_path.iterdir())) == len(handles)
    assert sim.body.marked == {}


def test_listing_shows_the_picture_that_is_offered_and_keeps_it_queued(camera: Cameras) -> None:
    sim = camera(transferring())
    handles = chosen(sim, 2)
    with connect(sim) as session:
        for _ in range(2):
            (info,) = session.objects()
            assert info.handle == handles[0]
            assert info.size == SIZE
            assert info.captured is not None
            assert info.parent == sim.store.get(info.handle).parent  # type: ignore[union-attr]
            assert session.marked() == handles[:1]
        assert session.read(info) == expected(sim, handles[0])
        assert list(sim.body.marked) == handles
        session.unmark(info)
        assert session.marked() == handles[1:]
        assert list(sim.body.marked) == handles[1:]
        with pytest.raises(AccessDenied):
            session.object_info(handles[0])


def test_dry_run_takes_nothing_out_of_the_queue(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(transferring())
    handles = chosen(sim, 2)
    with connect(sim) as session:
        report = ptpfast.pull(session, tmp_path, dry_run=True)
    assert len(report.having("planned")) == 1
    assert list(sim.body.marked) == handles


def test_owner_who_chooses_nothing_leaves_nothing_to_fetch(camera: Cameras, tmp_path: Path) -> None:
    said: list[str] = []
    sim = camera(transferring())
    with connect(sim, waiting=lambda error: said.append(error.message)) as session:
        assert ptpfast.pull(session, tmp_path).ok
        assert session.marked() == []
    assert said == [
        "the camera is in its picture transfer profile: it sends only the pictures that its "
        "owner chooses"
    ]


def test_camera_that_never_answers_is_asked_once(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(transferring(), faults=["no_answer on 0x9010 times 0"])
    chosen(sim, 1)
    vendor = without_pauses(sim.body.vendor)
    hasty = dataclasses.replace(PATIENT, operation=1.5, close=0.1)
    with ptpfast.connect(sim.host, port=sim.port, vendor=vendor, timeouts=hasty) as session:
        with pytest.raises(ptpfast.PTPError):
            session.objects()
        with pytest.raises(ptpfast.PTPError):
            session.objects()
    assert sim.operations[NEXT] == 1
    assert len(sim.body.marked) == 1


def test_camera_that_repeats_what_is_here_is_not_asked_for_ever(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(transferring())
    *handles, another = chosen(sim, 2)
    del sim.body.marked[another]
    with connect(sim) as session:
        session.objects()
        queue = session.link.dialect
        pop, sim.body.marked = sim.body.marked, _Stubborn(sim.body.marked)
        assert queue.more(set(handles)) == []
        assert pop
        assert sim.operations[NEXT] < 20
        sim.body.marked = {another: None}  # the owner has noticed
        assert queue.more(set(handles)) == [another]


def test_watch_goes_on_behind_pictures_that_are_sent_again(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried(monkeypatch)
    statuses = Statuses()
    sim = camera(transferring(), objects=2 * MOST_REPEATS)
    handles = chosen(sim, MOST_REPEATS + 3)
    first, others, last = handles[0], handles[: MOST_REPEATS + 2], handles[-1]
    del sim.body.marked[last]
    with connect(sim) as session, ptpfast.watch(session, tmp_path, on_status=statuses) as shots:
        assert [shot.handle for _, shot in zip(others, shots, strict=False)] == others
        statuses.wait_for("watching")
        sim.mark(first)  # while it waits
        assert sim.wait_for(lambda: not sim.body.marked, timeout=60)
        sim.body.marked |= dict.fromkeys(
            [*others, last]
        )  # at once: more than are asked for in a row
        assert next(shots).handle == last


class _Stubborn(dict[int, None]):
    """An owner's list that cannot be made shorter."""

    def pop(self, *_: Any) -> None:  # type: ignore[override]
        return None


def test_camera_control_profile_lists_the_card_as_ever(camera: Cameras) -> None:
    sim = camera(body="nikon-z8")
    with connect(sim) as session:
        assert len(session.objects()) == 4
        with pytest.raises(Unsupported):
            session.marked()
    assert NEXT not in sim.operations


def test_profile_is_not_looked_for_in_bodies_without_pairing(camera: Cameras) -> None:
    sim = camera(body="nikon-z6")
    with connect(sim) as session:
        files = len(session.objects())
    assert sim.operations[Op.GetObjectHandles] == 1
    assert sim.operations[Op.GetObjectInfo] == files + 2  # and the folders


def test_capture_says_that_the_profile_has_none(camera: Cameras) -> None:
    sim = camera(transferring())
    with connect(sim, role="remote") as session, pytest.raises(Unsupported, match="no pictures"):
        session.capture()
    assert not {0x9207, Op.InitiateCapture} & set(sim.operations)


# The simulated body


def test_body_locks_all_objects_but_the_one_that_it_has_named() -> None:
    with SimulatedCamera(transferring(), objects=3, size=9) as sim, Initiator(sim) as raw:
        first, second = chosen(sim, 2)
        locked = (Op.GetObjectInfo, Op.GetObject, Op.GetThumb, Op.GetPartialObject)
        for operation in locked:
            assert raw.ask(operation, first, 0, 9).code == Code.AccessDenied
        assert raw.ask(0x9421, first).code == Code.OK
        assert raw.ask(0x9431, first, 0, 0, 9, 0).code == Code.OK
        answer = raw.ask(NEXT, 0x2001)
        assert parse_job(answer.data) == Job(first, sim.store.path(first))
        for operation in locked:
            assert raw.ask(operation, first, 0, 9).code == Code.OK
            assert raw.ask(operation, second, 0, 9).code == Code.AccessDenied
        assert list(sim.body.marked) == [first, second]
        assert parse_job(raw.ask(NEXT, 0x2001).data).handle == second
        assert list(sim.body.marked) == [second]
        assert raw.ask(NEXT, 0x2001).code == Code.GeneralError


# The answer


def job_bytes(handle: int, path: str, more: bytes = b"") -> bytes:
    builder = Builder()
    builder.u32(handle)
    builder.string(path)
    return bytes(builder) + more


def test_job_names_a_handle_and_a_path_and_may_go_on() -> None:
    path = "DCIM/100NZ8__/KY6_7585.JPG"
    for more in (b"", bytes(7)):
        job = parse_job(job_bytes(0x0919018E, path, more))
        assert job == (0x0919018E, path)
        assert job.name == "KY6_7585.JPG"
    assert parse_job(job_bytes(1, "a\\b.NEF")).name == "b.NEF"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\1\0\0",
        b"\1\0\0\0",
        b"\1\0\0\0\xffA\0",
        job_bytes(0, "A.JPG"),
        job_bytes(1, ""),
        job_bytes(1, "DCIM/"),
        b"\xff" * 50,
    ],
)
def test_job_that_names_no_object_is_an_error(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse_job(payload)


def test_malformed_job_ends_the_queue_and_confirms_nothing(camera: Cameras) -> None:
    sim = camera(transferring(), faults=["cut_data=5 on 0x9010"])
    handles = chosen(sim, 2)
    with connect(sim) as session:
        with pytest.raises(ProtocolError, match="AdvancedTransfer"):
            session.objects()
        assert session.link.dialect.more(set(handles)) == []
    assert list(sim.body.marked) == handles
    assert sim.operations[NEXT] == 1


def test_size_that_no_file_has_is_no_size(camera: Cameras, tmp_path: Path) -> None:
    vendor = transferring()
    model = vendor.model
    builder = Builder()
    builder.u64(1 << 63)
    answers = {**model.operations, Nikon.GetObjectSize: lambda *_: Reply(data=bytes(builder))}
    sim = camera(dataclasses.replace(vendor, body=dataclasses.replace(model, operations=answers)))
    (handle,) = chosen(sim, 1)
    with connect(sim) as session:
        table = session.objects()
        assert [info.size for info in table] == [None]
        assert table.size.tolist() == [-1]
        report = ptpfast.pull(session, tmp_path)
    assert report.ok
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == expected(sim, handle)
