"""Requests sent ahead of responses: right bytes with every temperament a camera may have."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from conftest import HASTY, Cameras, Sessions
from downloading import download
from ptpfast import (
    Cancelled,
    ConnectFailed,
    ConnectionLost,
    DeviceBusy,
    InitFailed,
    InvalidObjectHandle,
    OperationCode,
    ProtocolError,
    PTPError,
    ResponseError,
)
from ptpfast.link import habits, pipelining
from ptpfast.sim import SimulatedCamera, Temperament
from ptpfast.state import tuning
from ptpfast.state.tuning import Tuning

SIZE = 3_000_000


def content(camera: SimulatedCamera, handle: int) -> bytes:
    stored = camera.store.get(handle)
    assert stored is not None
    return b"".join(camera.store.expected(handle).spans(0, stored.size))


@pytest.mark.parametrize("withheld", [(), (OperationCode.GetObjectPropList,)])
@pytest.mark.parametrize("depth", [1, 2, 3, 16, 64])
def test_a_listing_is_the_same_at_every_depth(
    camera: Cameras, connect: Sessions, depth: int, withheld: tuple[int, ...]
) -> None:
    sim = camera(objects=40, withheld=withheld)
    session = connect(sim, depth=depth)
    table = session.objects()
    assert {info.handle for info in table} == {item.handle for item in sim.store.files()}
    assert [info.name for info in table] == [sim.store.path(h).split("/")[-1] for h in table.handle]
    assert table.failures == []


def test_requests_really_leave_ahead(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=10, temperament="busy")
    session = connect(sim, depth=1)
    session.objects()
    assert sim.early_requests == 0
    session.habits.depth = 4
    assert len(session.objects()) == 10
    assert sim.early_requests > 0


@pytest.mark.parametrize("depth", [2, 5])
@pytest.mark.parametrize("chunk", [100_000, 1_000_003])
def test_an_object_is_right_with_chunks_sent_ahead(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int, chunk: int
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim, depth=depth)
    for info in session.objects():
        transfer = session.download(info, tmp_path / info.name, chunk=chunk, verify="hash")
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)
        assert transfer.received == SIZE


@pytest.mark.parametrize("temperament", list(Temperament), ids=lambda t: t.value)
def test_every_temperament_ends_with_right_bytes_and_a_whole_listing(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    temperament: Temperament,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sim = camera(size=SIZE, objects=6, temperament=temperament)
    session = connect(sim, depth=3, timeouts=HASTY)
    with caplog.at_level(logging.WARNING, "ptpfast"):
        table = session.objects()
        assert len(table) == 6
        for info in table:
            session.download(info, tmp_path / info.name, chunk=200_000)
            assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)
    copes = temperament is Temperament.QUEUE
    assert session.habits.depth == (3 if copes else 1)
    assert ("pipelining is switched off" in caplog.text) == (not copes)
    # Also where nothing was known of the model, and the depth was asked for by hand.
    found = tuning.load(session.device_info)
    assert (found is None) == copes
    if found is not None:
        assert found.depth == 1
        assert found.note.startswith("cannot handle pipelined requests: ")
    # In step it stays connected; a camera that is only busy is.
    assert (sim.connections == 1) == (temperament in (Temperament.QUEUE, Temperament.BUSY))


@pytest.mark.parametrize("temperament", ["drop", "last", "swap"])
def test_a_temper_shown_in_mid_object_costs_no_byte_of_it(
    camera: Cameras, connect: Sessions, temperament: str
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim, timeouts=HASTY)
    info = session.objects()[0]
    sim.temperament = Temperament(temperament)
    session.habits.depth = 2
    buffer = bytearray(SIZE)
    assert session.read_into(info, buffer) == SIZE
    assert buffer == content(sim, info.handle)
    assert session.habits.depth == 1


# A camera that is busy: with what is sent ahead, or by itself


@pytest.mark.parametrize("depth", [2, 4, 16])
def test_a_camera_that_is_busy_with_requests_sent_ahead_is_asked_one_at_a_time_from_then_on(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=SIZE, temperament="busy")
    session = connect(sim, depth=1)
    first, second, *_ = session.objects()
    session.habits.depth = depth
    session.download(first, tmp_path / "a", chunk=100_000)
    assert (tmp_path / "a").read_bytes() == content(sim, first.handle)
    assert session.habits.depth == 1
    # What came too early is not done. Two tries, each with what is outstanding then; two more may
    # be needed if the camera looked late.
    assert sim.operations[OperationCode.GetPartialObject] <= 30 + 4 * depth
    early = sim.early_requests
    assert 2 <= early <= 4 * depth
    session.download(second, tmp_path / "b", chunk=100_000)
    assert (tmp_path / "b").read_bytes() == content(sim, second.handle)
    assert sim.early_requests == early
    assert sim.connections == 1


def test_a_listing_of_a_camera_that_is_busy_with_what_is_sent_ahead_asks_little_twice(
    camera: Cameras, connect: Sessions
) -> None:
    withheld = (OperationCode.GetObjectPropList,)
    sim = camera(objects=100, size=10, temperament="busy", withheld=withheld)
    with connect(sim, depth=1, index=False) as session:
        expected = [(info.handle, info.name, info.size) for info in session.objects()]
    usual = sim.operations[OperationCode.GetObjectInfo]
    sim.operations.clear()
    session = connect(sim, depth=4, index=False)
    table = session.objects()
    assert [(info.handle, info.name, info.size) for info in table] == expected
    asked = sim.operations[OperationCode.GetObjectInfo] + sim.early_requests
    assert usual < asked <= usual + 4 * 4
    assert session.habits.depth == 1
    found = tuning.load(session.device_info)
    assert found is not None
    assert found.depth == 1
    assert "busy while others are outstanding" in found.note


def test_small_objects_of_a_camera_that_is_busy_with_what_is_sent_ahead_are_right(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=1000, objects=20, temperament="busy")
    session = connect(sim, depth=1)
    table = list(session.objects())
    session.habits.depth = 4
    for number, info in enumerate(table):
        download(session, info, tmp_path / info.name, then=table[number + 1 :])
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)
    assert session.habits.depth == 1
    assert sim.early_requests <= 4 * 4


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize(
    "faults",
    [
        ["busy on GetPartialObject at 2"],
        ["busy on GetPartialObject at 2 times 3"],
        ["busy on GetPartialObject at 3 times 12"],
        [f"busy on GetPartialObject at {at}" for at in range(5, 100, 20)],
        [f"busy on GetPartialObject at {at} times 9" for at in range(5, 200, 25)],
    ],
    ids=["once", "for some", "for many", "now and then", "often"],
)
def test_a_camera_that_is_busy_by_itself_is_not_distrusted(
    camera: Cameras, connect: Sessions, faults: list[str], depth: int
) -> None:
    sim = camera(size=SIZE, faults=faults)
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    session.habits.chunks.fixed = 25_000
    assert session.read(info) == content(sim, info.handle)
    assert session.habits.depth == depth
    assert tuning.load(session.device_info) is None


@pytest.mark.parametrize("depth", [1, 4])
def test_a_camera_that_stays_busy_is_not_asked_without_a_pause(
    camera: Cameras, connect: Sessions, depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.transfer.ranges.BUSY_S", 0.2)
    sim = camera(size=SIZE, faults=["busy on GetPartialObject at 2 times 2000"])
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    session.habits.chunks.fixed = 100_000
    with pytest.raises(DeviceBusy):
        session.read(info)
    assert sim.operations[OperationCode.GetPartialObject] < 100
    assert session.habits.depth == depth


def test_chunks_are_not_taken_for_slow_where_requests_are_no_longer_sent_ahead(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera(), depth=4)
    session.habits.chunks.done(1 << 20, 0.02, 0.01)
    assert session.habits.chunks.size == 4 << 20
    session.link.one_at_a_time("busy", to_blame=False)
    session.habits.chunks.done(4 << 20, 0.24, 0.06)
    assert session.habits.chunks.size == 16 << 20


ANSWERS = {  # of each answer: sent ahead? busy?
    "O": (False, False),
    "B": (False, True),
    "o": (True, False),
    "b": (True, True),
}


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ("O b O O b O", True),
        ("O b b b O O b b b O", True),
        ("O b b o O O b o b O", True),  # what was outstanding then says nothing
        ("O b O", False),
        ("O b O O b", False),  # not asked by itself yet
        ("O b O O o b O", False),  # it copes with another in between
        ("O b O O b B O b O", False),  # busy by itself, and that counts anew
        ("O b B O b B O b B", False),
        ("B b b b O B b b b O", False),  # it was busy already
        ("B B B O O B O", False),
        ("O b B O b O O b O", True),
    ],
)
def test_what_a_camera_is_busy_with_is_told_from_its_answers(answers: str, found: bool) -> None:
    doubt = pipelining.BusyDetector()
    verdicts = []
    for letter in answers.split():
        early, busy = ANSWERS[letter]
        verdicts.append(doubt.answered(1, early=early, busy=busy))
    assert verdicts[-1] is found
    assert not any(verdicts[:-1])


def test_another_operation_says_nothing_of_what_a_camera_is_busy_with() -> None:
    doubt = pipelining.BusyDetector()
    for _ in range(2):
        assert not doubt.answered(1, early=False, busy=False)
        assert not doubt.answered(1, early=True, busy=True)
        assert not doubt.answered(2, early=False, busy=False)
        assert doubt.is_open
        found = doubt.answered(1, early=False, busy=False)
    assert found


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize(
    "fault",
    [
        "announce=1000 on GetPartialObject at 3 times 2",
        "busy on GetPartialObject at 2 times 3",
        "short_data after 1000 on GetPartialObject at 40",
    ],
)
def test_short_and_busy_answers_do_not_shift_what_was_asked_ahead(
    camera: Cameras, connect: Sessions, fault: str, depth: int
) -> None:
    faults = [fault]
    if "announce" in fault:
        faults.append("short_data after 1000 on GetPartialObject at 3 times 2")
    sim = camera(size=SIZE, faults=faults)
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    buffer = bytearray(SIZE)
    session.habits.chunks.fixed = 100_000
    assert session.read_into(info, buffer) == SIZE
    assert buffer == content(sim, info.handle)


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_a_broken_rule_ends_sending_ahead_also_where_the_object_has_to_be_begun_anew(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    sim = camera(size=SIZE, faults=["length=0 on GetPartialObject after 100000 at 2"])
    session = connect(sim, depth=3)
    info = session.objects()[0]
    path = tmp_path / info.name
    try:
        session.download(info, path, chunk=1_000_000, verify=verify)
    except ProtocolError:
        assert verify == "hash"  # what was hashed cannot be taken back
        assert session.habits.depth == 1
        session.download(info, path, chunk=1_000_000, verify=verify)
    assert path.read_bytes() == content(sim, info.handle)
    assert session.habits.depth == 1
    assert sim.connections == 2


def test_what_broke_a_rule_does_not_count_when_nobody_answers_either(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(
        size=SIZE,
        faults=["length=0 on GetPartialObject after 100000 at 2", "init_drop at 2 times 0"],
    )
    session = connect(sim, depth=3, timeouts=HASTY)
    info = session.objects()[0]
    with pytest.raises(ConnectFailed):  # what broke the rule is taken back before
        session.download(info, tmp_path / info.name, chunk=1_000_000, verify="hash")
    assert (tmp_path / f"{info.name}.part").stat().st_size == 1_000_000
    assert session.habits.depth == 1


def test_a_refusal_leaves_what_was_asked_ahead_behind(camera: Cameras, connect: Sessions) -> None:
    sim = camera(size=SIZE, faults=["respond=0x2005 on GetPartialObject times 0"])
    session = connect(sim, depth=4)
    info = session.objects()[0]
    assert session.read(info) == content(sim, info.handle)
    assert session.storage_ids()


def test_bad_objects_in_a_pipelined_listing_are_set_aside(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=10, faults=["respond=0x2009 on GetObjectInfo at 8", "busy at 9 times 2"])
    table = connect(sim, depth=8).objects()
    assert len(table) == 9
    assert len(table.failures) == 1


def test_at_depth_one_a_lost_connection_is_not_blamed_on_the_pipeline(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=SIZE, faults=["drop after-total 1000000"])
    session = connect(sim)
    with pytest.raises(ConnectionLost):
        session.read(session.objects()[0])
    assert sim.connections == 1


# Across objects


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("chunk", [None, 700_000, 0])
def test_objects_downloaded_one_behind_the_other_are_right(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int, chunk: int | None
) -> None:
    sim = camera(size=SIZE, objects=6)
    session = connect(sim, depth=depth)
    table = list(session.objects())
    for number, info in enumerate(table):
        then = table[number + 1 :]
        transfer = download(session, info, tmp_path / info.name, chunk=chunk, then=then)
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)
        assert transfer.received == SIZE
    reads = sim.operations[OperationCode.GetPartialObject]
    assert reads == {None: reads, 700_000: 6 * 5, 0: 0}[chunk]  # nothing is asked for twice


@pytest.mark.parametrize("depth", [1, 3])
def test_the_next_object_is_on_its_way_before_this_one_is_finished(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=SIZE, objects=2)
    session = connect(sim, depth=depth)
    first, second = session.objects()
    download(session, first, tmp_path / "a", then=[second])
    ahead = session.link.sent_ahead
    assert ahead is not None
    assert ahead.parameters[0] == second.handle


@pytest.mark.parametrize("depth", [1, 2, 4, 16])
def test_many_small_objects_are_asked_for_ahead_and_never_more_than_the_depth(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=1000, objects=40)
    session = connect(sim, depth=depth)
    table = list(session.objects())
    ahead = []
    for number, info in enumerate(table):
        download(session, info, tmp_path / info.name, then=table[number + 1 :])
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)
        ahead.append(len(session.link.connection._outstanding.ahead))
    assert sim.operations[OperationCode.GetPartialObject] == 40
    assert max(ahead) == depth
    assert min(ahead[:-depth]) >= depth // 2  # the camera never waits for us
    assert ahead[-1] == 0


def test_no_more_is_asked_ahead_than_could_be_dropped_soon(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelining, "AHEAD_SIZE", 1_500_000)
    session = connect(camera(size=SIZE, objects=2), depth=16)
    first, second = session.objects()
    download(session, first, tmp_path / "a", chunk=700_000, then=[second])
    assert len(session.link.connection._outstanding.ahead) == 2


@pytest.mark.parametrize("depth", [1, 2, 4, 16])
def test_what_is_asked_ahead_stays_right_when_the_order_changes(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=1000, objects=40, faults=["respond=0x2009 on GetPartialObject at 12"])
    session = connect(sim, depth=depth)
    table = list(session.objects())
    refused = []
    for number, info in enumerate(table):
        if number in (5, 21):
            continue  # and yet it was said to come
        try:
            download(session, info, tmp_path / info.name, then=table[number + 1 :])
        except InvalidObjectHandle:
            refused.append(number)
            continue
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)
    assert len(refused) <= 1


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_what_was_asked_ahead_in_vain_is_dropped(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=SIZE, objects=4)
    session = connect(sim, depth=depth)
    first, second, third, fourth = session.objects()
    download(session, first, tmp_path / "a", then=[second])
    assert session.object_info(third.handle).name == third.name
    download(session, second, tmp_path / "b", then=[third])
    download(session, fourth, tmp_path / "d", then=[third], chunk=1_234_567)
    session.download(third, tmp_path / "c", chunk=0)
    for name, info in zip("abcd", (first, second, third, fourth), strict=True):
        assert (tmp_path / name).read_bytes() == content(sim, info.handle)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(
    "fault",
    [
        "announce=1000 on GetPartialObject at 3",
        "busy on GetPartialObject at 4 times 2",
        "respond=0x2009 on GetPartialObject at 4",
        "busy on GetPartialObject at 3",
    ],
)
def test_trouble_at_the_seam_of_two_objects_leaves_both_right(
    camera: Cameras, connect: Sessions, tmp_path: Path, fault: str, depth: int
) -> None:
    faults = [fault]
    if "announce" in fault:
        faults.append("short_data after 1000 on GetPartialObject at 3")
    sim = camera(size=SIZE, objects=2, faults=faults)
    session = connect(sim, depth=depth)
    first, second = session.objects()
    download(session, first, tmp_path / "a", chunk=1_000_000, then=[second])
    assert (tmp_path / "a").read_bytes() == content(sim, first.handle)
    try:
        session.download(second, tmp_path / "b", chunk=1_000_000)
    except InvalidObjectHandle:
        assert "respond" in fault
        session.download(second, tmp_path / "b", chunk=1_000_000)
    assert (tmp_path / "b").read_bytes() == content(sim, second.handle)


@pytest.mark.parametrize("temperament", list(Temperament), ids=lambda t: t.value)
def test_every_temperament_copes_with_objects_one_behind_the_other(
    camera: Cameras, connect: Sessions, tmp_path: Path, temperament: Temperament
) -> None:
    sim = camera(size=SIZE, objects=6, temperament=temperament)
    session = connect(sim, timeouts=HASTY)
    table = list(session.objects())
    session.habits.depth = 3
    for number, info in enumerate(table):
        then = table[number + 1 :]
        download(session, info, tmp_path / info.name, chunk=1_000_000, then=then)
        assert (tmp_path / info.name).read_bytes() == content(sim, info.handle)


def test_at_depth_one_no_request_leaves_before_the_answer_to_the_last(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, objects=6, temperament="busy")
    session = connect(sim)
    table = list(session.objects())
    for number, info in enumerate(table):
        then = table[number + 1 :]
        download(session, info, tmp_path / info.name, then=then)
    assert sim.early_requests == 0


def test_a_session_closes_in_order_with_a_request_sent_ahead(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, objects=2)
    session = connect(sim)
    first, second = session.objects()
    download(session, first, tmp_path / "a", then=[second])
    session.close()
    assert sim.operations[OperationCode.CloseSession] == 1


@pytest.mark.parametrize("depth", [2, 3])
def test_what_was_asked_ahead_of_an_interrupted_object_is_read_behind_it(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=SIZE, objects=2)
    session = connect(sim, depth=depth)
    first, second = session.objects()

    def enough(received: int, size: int | None) -> None:
        if session.link.sent_ahead is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(session, first, tmp_path / "a", chunk=700_000, then=[second], progress=enough)
    session.download(second, tmp_path / "b", chunk=700_000)
    assert (tmp_path / "b").read_bytes() == content(sim, second.handle)
    session.download(first, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content(sim, first.handle)


def test_a_cancel_is_not_lost_with_what_was_asked_ahead(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, objects=3)
    session = connect(sim)
    first, second, third = session.objects()
    download(session, first, tmp_path / "a", then=[second])
    session.cancel()
    with pytest.raises(Cancelled):
        session.object_info(third.handle)
    assert session.usable
    assert session.object_info(third.handle).name == third.name
    session.download(second, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content(sim, second.handle)


def test_an_object_that_is_read_again_comes_before_the_next(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, objects=2)
    session = connect(sim)
    first, second = session.objects()
    download(session, first, tmp_path / "a", chunk=SIZE // 2, verify="reread", then=[second])
    assert session.link.sent_ahead is not None
    session.download(second, tmp_path / "b", chunk=SIZE // 2)
    reads = [e for e in list(sim.log) if e.operation == OperationCode.GetPartialObject]
    assert sum(e.payload for e in reads) == 2 * SIZE + SIZE  # nothing in vain


# Connecting again


def test_a_session_that_could_not_be_opened_again_can_be_the_next_time(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["respond=0x2002 on OpenSession at 2"])
    session = connect(sim)
    timeouts = session.timeouts
    sim.drop_connections()
    with pytest.raises(ResponseError):
        session.reconnect()
    assert not session.usable
    session.reconnect()
    assert session.usable
    assert session.timeouts == timeouts
    closed = sim.operations[OperationCode.CloseSession]
    session.close()
    assert sim.operations[OperationCode.CloseSession] == closed + 1
    assert not session.usable


@pytest.mark.parametrize(
    "refusal", [InitFailed(2), ResponseError(0x2019, OperationCode.OpenSession)], ids=str
)
def test_a_refusal_in_the_middle_of_work_is_the_lost_connection_it_began_with(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch, refusal: PTPError
) -> None:
    session = connect(camera())

    def refused() -> None:
        raise refusal

    monkeypatch.setattr(session.link, "reconnect", refused)
    session.habits.depth = 2
    lost = ConnectionLost("gone")
    with pytest.raises(ConnectionLost) as caught:
        session.link.fall_back_to_serial(lost)
    assert caught.value is lost
    assert caught.value.__cause__ is refusal


def test_reconnecting_keeps_subscribers_and_opens_a_session(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)
    sim.drop_connections()
    session.reconnect()
    assert session.storage_ids()
    handles = sim.capture()
    assert next(session.events(timeout=20)).parameters == (handles[0],)


def test_another_camera_at_the_address_is_not_mistaken_for_this_one(
    camera: Cameras, connect: Sessions
) -> None:
    first = camera(seed=1)
    session = connect(first)
    port = first.port
    first.close()
    camera(seed=2, port=port)
    with pytest.raises(ConnectFailed, match="another camera"):
        session.reconnect()
    assert not session.usable


def test_nobody_to_reconnect_to_is_told_after_the_connect_timeout(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim, timeouts=HASTY)
    sim.close()
    with pytest.raises(ConnectFailed):
        session.reconnect()


def test_a_drop_after_it_went_well_is_not_held_against_the_model(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    tuning.save(session.device_info, Tuning(depth=3))
    session.habits.depth = 3
    session.habits.chunks.fixed = 100_000
    info = session.objects()[0]
    sim.faults.add("drop after-total 1500000")
    assert session.read(info) == content(sim, info.handle)
    assert session.habits.depth == 1
    known = tuning.load(session.device_info)
    assert known is not None
    assert known.depth == 3


def test_requests_are_sent_ahead_again_when_enough_went_well_after_a_drop(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    session.habits.depth = 3
    session.habits.chunks.fixed = 100_000
    info = session.objects()[0]
    session.read(info)
    for _ in range(3):  # drops far apart do not make the time longer
        sim.faults.add("drop on GetPartialObject after 50000")
        assert session.read(info) == content(sim, info.handle)
        assert session.habits.depth == 1
        for _ in range(habits.HEALED):
            session.describe([info.handle])
        assert session.habits.depth == 3
        for _ in range(habits.HEALED):
            session.describe([info.handle])


def test_a_camera_that_rejects_what_is_sent_ahead_is_asked_one_at_a_time_for_good(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=SIZE, temperament=Temperament.BUSY)
    session = connect(sim, depth=3)
    table = session.objects()
    session.read(table[0])
    assert session.habits.depth == 1
    for _ in range(2 * habits.HEALED):
        session.describe([table[0].handle])
    assert session.habits.depth == 1
