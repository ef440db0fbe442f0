"""Events that must be asked for are, also while objects are read and while nobody asks anything; an
idle session outlives a camera's time-out."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import HASTY, Cameras, Sessions, without_pauses
from downloading import download
from ptpfast import Cancelled, ObjectInfo, OperationCode, ResponseError, TransferError
from ptpfast.link.upkeep import Upkeep
from ptpfast.ptp.codes import EventCode
from ptpfast.sim import check
from ptpfast.state import tuning
from ptpfast.transfer import ObjectReader
from ptpfast.vendors import Vendor
from ptpfast.vendors.nikon.codes import NikonOperation

ENDS_AFTER_S = 1.0
OFTEN = {"keep_awake_s": 0.1, "busy_poll_s": 0.1}
SIZE = 3_000_000
CHUNK = 100_000


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.link.events.LOOK_S", 0.05)


def vendor(name: str, *, idle_s: float | None = None, **quirks: Any) -> Vendor:
    plain = without_pauses(name)
    habits = plain.model.habits
    if idle_s is not None:
        habits = dataclasses.replace(habits, idle_s=idle_s)
    body = dataclasses.replace(plain.model, habits=habits)
    changed = dataclasses.replace(plain.quirks, **quirks)
    return dataclasses.replace(plain, body=body, quirks=changed)


@pytest.mark.parametrize(
    ("body", "poll"), [("canon-r6m2", "0x9116"), ("sony-a7m4", "0x923C"), ("nikon-z6", "0x941C")]
)
def test_what_ended_the_connection_in_a_poll_is_said_by_the_next_operation(
    camera: Cameras, connect: Sessions, body: str, poll: str
) -> None:
    sim = camera(body=body)
    session = connect(sim, vendor=None)
    session.link.poll()
    sim.capture()
    sim.faults.add(f"length=7 on {poll}")
    with contextlib.suppress(ptpfast.ProtocolError):
        while session.usable:  # nobody has asked for it
            session.link._upkeep.ask_between()
    with pytest.raises(ptpfast.ConnectionLost, match=r"the connection has ended: .*length") as lost:
        session.storage_ids()
    assert lost.value.hint == "connect again"
    session.reconnect()
    assert session.storage_ids()


@pytest.mark.parametrize("name", ["standard", "nikon"])
def test_an_idle_session_outlives_the_time_out_of_a_camera(
    camera: Cameras, connect: Sessions, name: str
) -> None:
    sim = camera(vendor(name, idle_s=ENDS_AFTER_S))
    session = connect(sim, vendor=vendor(name, **OFTEN))
    asked = NikonOperation.GetEvent if name == "nikon" else OperationCode.GetStorageIDs
    # So many are longer than the camera waits for one.
    assert sim.wait_for(lambda: sim.operations[asked] > 3 * ENDS_AFTER_S / 0.1, timeout=60)
    assert len(session.objects()) == 4
    assert sim.connections == 1


def test_a_camera_ends_an_idle_session_that_gives_no_sign_of_life(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(vendor("standard", idle_s=0.1))
    session = connect(sim, vendor=vendor("standard", keep_awake_s=1e6))
    assert sim.wait_for(lambda: sim.unclean_ends == 1, timeout=30)
    session.close()


def test_polled_events_are_heard_of_while_nobody_asks_for_anything(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera("nikon")
    session = connect(sim, vendor=vendor("nikon", **OFTEN))
    subscription = session.link.hub.subscribe()
    sim.push_event(EventCode.ObjectRemoved, 7)
    event = subscription.get(30)
    assert event is not None
    assert (event.code, event.parameters) == (EventCode.ObjectRemoved, (7,))


@pytest.mark.parametrize("depth", [1, 3])
def test_polled_events_are_asked_for_while_an_object_is_read(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera("nikon", objects=2, size=SIZE)
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0), depth=depth)
    first, second = session.objects()
    download(session, first, tmp_path / "a", chunk=CHUNK, then=[second])
    session.download(second, tmp_path / "b", chunk=CHUNK)
    for info, name in ((first, "a"), (second, "b")):
        assert check(sim.store.expected(info.handle), tmp_path / name)
    # Between any two of one object; what had left for the second is not asked for again.
    reads = sim.operations[OperationCode.GetPartialObject]
    assert reads == 2 * SIZE // CHUNK
    assert sim.operations[NikonOperation.GetEvent] >= (reads - 2 * depth) // depth


def test_an_object_that_a_polled_event_calls_changed_is_not_finished(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera("nikon", objects=1, size=SIZE)
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0))
    (info,) = session.objects()

    def change(received: int, _: int | None) -> None:
        if received == 10 * CHUNK:
            sim.store.replace(info.handle, name="ANOTHER.NEF")
            sim.push_event(EventCode.ObjectInfoChanged, info.handle)

    with pytest.raises(TransferError, match="no longer"):
        session.download(info, tmp_path / "a", chunk=CHUNK, progress=change)
    assert not (tmp_path / "a").exists()


def test_what_is_asked_in_passing_does_not_end_a_stream_that_is_half_taken(
    camera: Cameras, connect: Sessions
) -> None:
    # Without partial reads a stream is one answer that is received as it is taken.
    sim = camera("nikon", objects=1, size=SIZE, withheld=[OperationCode.GetPartialObject])
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0))
    (info,) = session.objects()
    pieces = session.stream(info, SIZE // 10)
    received = bytearray(next(pieces))
    session.link._upkeep.ask_between()  # as another thread would that found the link idle before
    session.link._upkeep.when_quiet()
    for piece in pieces:
        received += piece
    assert check(sim.store.expected(info.handle), received, 0, SIZE)


def test_a_cancel_that_comes_while_events_are_asked_for_ends_what_they_are_asked_between(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera("nikon", objects=1, size=SIZE)
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0))
    (info,) = session.objects()

    def poll() -> list[Any]:
        raise Cancelled("asked to")

    session.link.dialect.poll = poll  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        session.download(info, tmp_path / "a", chunk=CHUNK)


@pytest.mark.parametrize("fault", ["drop", "length=0", "no_answer"])
@pytest.mark.parametrize("depth", [1, 3])
def test_a_poll_that_ends_the_connection_is_no_fault_of_what_is_under_way(
    camera: Cameras, connect: Sessions, tmp_path: Path, fault: str, depth: int
) -> None:
    sim = camera("nikon", objects=4, size=SIZE, faults=[f"{fault} on 0x90C7 at 2 times 0"])
    often = vendor("nikon", busy_poll_s=0.0)
    session = connect(sim, vendor=often, depth=depth, timeouts=HASTY)
    table = session.objects()
    assert len(session.describe([info.handle for info in table])) == 4
    session.download(table[0], tmp_path / "a", chunk=CHUNK)
    assert check(sim.store.expected(table[0].handle), tmp_path / "a")
    assert session.habits.depth == depth
    assert not tuning.path().exists()
    # A lost connection may be chance once; a broken rule is not.
    assert sim.connections == (2 if fault == "length=0" else 3)


def test_a_poll_that_lost_the_connection_by_chance_is_asked_again(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera("nikon", objects=1, size=SIZE)
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0))
    (info,) = session.objects()
    for number in range(4):  # as over days
        sim.faults.add("drop on 0x90C7")
        polls, connections = sim.operations[NikonOperation.GetEvent], sim.connections
        session.download(info, tmp_path / str(number), chunk=CHUNK)
        assert sim.connections == connections + 1
        assert sim.operations[NikonOperation.GetEvent] > polls + 10


def test_a_poll_of_an_idle_camera_that_lost_the_connection_costs_the_next_download_nothing(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera("nikon", objects=1, size=SIZE)
    session = connect(sim, vendor=vendor("nikon", **OFTEN))
    (info,) = session.objects()
    sim.faults.add("drop on 0x90C7")
    lost = session.link.connection
    assert sim.wait_for(lambda: not lost.usable, timeout=30)
    session.download(info, tmp_path / "a", chunk=CHUNK)
    assert check(sim.store.expected(info.handle), tmp_path / "a")
    assert session.link.connection is not lost


def test_a_cancel_that_comes_while_an_idle_camera_is_asked_is_the_next_transaction_s(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera("nikon", faults=["delay=0.5 on 0x90C7"])
    session = connect(sim, vendor=vendor("nikon", **OFTEN))
    assert sim.wait_for(lambda: sim.operations[NikonOperation.GetEvent] == 1, timeout=30)
    session.cancel()
    with pytest.raises(Cancelled):
        session.storage_ids()
    assert session.storage_ids()


def test_what_one_thread_plans_is_not_asked_for_another(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    first, second, *_ = session.objects()

    def read() -> None:
        session.read_into(first, bytearray(1000), size=1000)

    with session.link.plan(ObjectReader(session.camera, second).requests):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert session.link.sent_ahead is None
        read()
        assert session.link.sent_ahead is not None


def test_a_nikon_that_lists_no_operation_for_events_is_kept_awake(
    camera: Cameras, connect: Sessions
) -> None:
    withheld = [NikonOperation.GetEvent, NikonOperation.GetEventEx]
    sim = camera(vendor("nikon", idle_s=ENDS_AFTER_S), withheld=withheld)
    session = connect(sim, vendor=vendor("nikon", **OFTEN))
    asked = OperationCode.GetStorageIDs
    assert sim.wait_for(lambda: sim.operations[asked] > 3 * ENDS_AFTER_S / 0.1, timeout=60)
    assert session.usable


def test_a_defect_of_a_dialect_does_not_end_the_events(camera: Cameras, connect: Sessions) -> None:
    sim = camera("nikon")
    session = connect(sim, vendor=vendor("nikon", **OFTEN))
    tried = threading.Event()

    def poll() -> list[Any]:
        tried.set()
        raise KeyError("defect")

    session.link.dialect.poll = poll  # type: ignore[method-assign]
    assert tried.wait(30)
    assert not session.link.hub.closed
    assert session.usable


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", ["standard", "nikon"])
def test_a_session_that_is_forgotten_ends_its_connections_at_once(
    camera: Cameras, name: str
) -> None:
    sim = camera(name)
    gc.disable()
    try:
        session = ptpfast.connect(sim.host, port=sim.port, vendor=vendor(name, **OFTEN))
        assert session.storage_ids()
        del session
        assert sim.wait_for(lambda: sim.unclean_ends == 1, timeout=30)
    finally:
        gc.enable()


def test_a_dialect_can_ask_what_the_camera_lists_again(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    session = connect(sim)
    sim.body._listed.discard(OperationCode.GetThumb)  # a mode that hides it
    session.link.refresh()
    assert not session.supports(OperationCode.GetThumb)
    assert list(sim.log)[-1].transaction_id > 0


def test_a_dialect_surrounds_the_reading_of_an_object_also_of_one_that_fails(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    session = connect(sim)
    said: list[str] = []

    @contextmanager
    def reading(info: ObjectInfo) -> Iterator[None]:
        said.append(f"begin {info.handle}")
        try:
            yield
        finally:
            said.append(f"end {info.handle}")

    session.link.dialect.reading = reading  # type: ignore[method-assign]
    first, second = session.objects()
    session.download(first, tmp_path / "a")
    session.read(second)
    session.read_into(second, bytearray(100), size=100)
    sim.faults.add("respond=0x2002 on GetPartialObject")
    with pytest.raises(ResponseError):
        session.read(first)
    expected = [first, second, second, first]
    assert said == [f"{what} {info.handle}" for info in expected for what in ("begin", "end")]


def test_events_are_not_asked_for_before_the_session_is_open_again(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera("nikon")
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0))
    session.reconnect()
    asked = [entry.operation for entry in list(sim.log)]
    again = asked[asked.index(OperationCode.OpenSession) + 1 :]
    before = again[: again.index(OperationCode.OpenSession)]
    assert NikonOperation.GetEvent not in before
    assert len(session.objects()) == 4


@pytest.mark.parametrize("answer", ["respond=0x2002", "busy", "cut_data=1"])
def test_events_that_cannot_be_told_do_not_end_what_is_under_way(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    monkeypatch.setattr(Upkeep, "when_quiet", lambda self: None)  # those between are counted
    sim = camera("nikon", objects=1, size=SIZE, faults=[f"{answer} on 0x90C7 times 0"])
    session = connect(sim, vendor=vendor("nikon", busy_poll_s=0.0))
    (info,) = session.objects()
    session.download(info, tmp_path / "a", chunk=SIZE // 3)
    # One that is busy is not waited for.
    assert sim.operations[NikonOperation.GetEvent] <= sum(sim.operations.values()) // 2
    assert check(sim.store.expected(info.handle), tmp_path / "a")
