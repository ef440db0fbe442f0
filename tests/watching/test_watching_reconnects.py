"""After a reconnect a watch asks the camera only for what is new, if the card is the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from command_line import at
from conftest import PATIENT, Cameras, Sessions
from ptpfast import EventCode, Observer, OperationCode
from ptpfast.library.plan.plan import PIECE
from ptpfast.listing.recall import CHECKED, Card
from ptpfast.ptp.codes import ObjectFormat
from ptpfast.ptp.objects import Description, ObjectInfo
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.watching import crew, looking, watcher
from ptpfast.watching.watcher import BITE
from watched import Statuses, assert_each_once, contents, hurried, start, take

SHOTS = 12
GetObjectInfo, GetPartialObject = OperationCode.GetObjectInfo, OperationCode.GetPartialObject


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)


def shoot(sim: SimulatedCamera, times: int) -> list[int]:
    return [handle for _ in range(times) for handle in sim.capture()]


def shoot_away(
    sim: SimulatedCamera, shots: ptpfast.Watch, statuses: Statuses, times: int
) -> list[int]:
    """Take pictures while the connection is lost, and their files; the log is of that alone."""
    watching = sum(status.state == "watching" for status in statuses.seen)
    sim._listener.refuse()
    sim.drop_connections()
    statuses.wait_for("away")
    handles = shoot(sim, times)
    sim.clear_log()
    sim._listener.accept()
    taken = take(shots, len(handles))
    assert {result.handle for result in taken} == set(handles)
    statuses.wait_for("watching", times=watching + 1)
    return handles


def described(sim: SimulatedCamera) -> Counter[int]:
    """How often the camera was asked for each object."""
    rows = [row for row in sim.log if row.operation == GetObjectInfo]
    return Counter(row.parameters[0] for row in rows)


def test_only_new_objects_are_described_after_a_reconnect(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 3)
        take(shots, len(shoot(sim, SHOTS)))  # that no listing of the card has had
        statuses.wait_for("watching")
        new = shoot_away(sim, shots, statuses, 2)
        asked = described(sim)
    assert {handle: asked.pop(handle) for handle in new} == dict.fromkeys(new, 1)
    assert 0 < asked.total() <= CHECKED
    assert_each_once(tmp_path, contents(sim))


def test_moved_files_are_not_described_again_after_a_reconnect(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=SHOTS)
    folder, moved = tmp_path / "in", tmp_path / "moved"
    moved.mkdir()
    statuses = Statuses()
    with start(connect(sim), folder, on_status=statuses) as shots:
        for result in take(shots, SHOTS):
            assert result.path is not None
            result.path.rename(moved / result.path.name)
        statuses.wait_for("watching")
        new = shoot_away(sim, shots, statuses, 1)
        asked = described(sim)
    assert sum(asked[handle] for handle in asked if handle not in new) <= CHECKED
    assert_each_once(tmp_path, contents(sim))


def test_card_of_other_pictures_with_the_known_handles_is_fetched_whole(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=1)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 1)
        take(shots, len(shoot(sim, SHOTS)))
        statuses.wait_for("watching")
        wanted = contents(sim)
        known = [stored.handle for stored in sim.store.files()]
        sim._listener.refuse()
        sim.drop_connections()
        statuses.wait_for("away")
        other = Store(seed=7)
        other._shots = sim.store._shots  # the body counts on
        folder = other.add_folder("100CARD", parent=other.add_folder("DCIM"))
        for number in range(len(known)):
            other.add(f"NEW_{number}.DNG", 20_000 + number, parent=folder)
        assert set(known) & {stored.handle for stored in other.files()}
        sim.store = other
        sim._listener.accept()
        take(shots, len(known))
    assert_each_once(tmp_path, wanted + contents(sim))


def test_first_of_many_new_shots_is_fetched_before_all_are_described(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=1)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 1)
        statuses.wait_for("watching")
        new = shoot_away(sim, shots, statuses, BITE)  # twice as many files
        assert len(new) > BITE
        rows = [(row.operation, row.parameters[0]) for row in sim.log if row.parameters]
    first = rows.index((GetPartialObject, new[0]))
    before = {about for operation, about in rows[:first] if operation == GetObjectInfo}
    assert len(before.intersection(new)) == BITE
    assert_each_once(tmp_path, contents(sim))


def test_new_shot_is_fetched_before_the_next_piece_of_the_listing(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=3 * PIECE)
    session = connect(sim)
    session.habits.refused.add(OperationCode.GetObjectPropList)  # listed one by one
    events = session.events()
    new: list[int] = []

    class Shoots(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            if not new:
                new.extend(sim.capture())
                while next(events).code != EventCode.CaptureComplete:
                    pass

    with start(session, tmp_path, observer=Shoots()) as shots:
        take(shots, 3 * PIECE + 2)
    rows = [(row.operation, row.parameters[0]) for row in sim.log if row.parameters]
    asked, *_ = (at for at, (_, about) in enumerate(rows) if about in new)
    (last,) = (at for at, row in enumerate(rows) if row == (GetPartialObject, new[-1]))
    between = [about for operation, about in rows[asked:last] if operation == GetObjectInfo]
    assert set(between) == set(new)
    assert_each_once(tmp_path, contents(sim))


def test_only_pictures_count_as_known_after_a_reconnect() -> None:
    movie, still, newer = (
        Description(0x10001, ObjectFormat.EXIF_JPEG, 0, size, 0, name, "", "")
        for name, size in (("MOV_1.MP4", 5), ("IMG_1.JPG", 5), ("IMG_1.JPG", 6))
    )
    card = Card(0x10001, [1, 2])
    card.know({1: movie, 2: still, 3: still})  # a movie that is being recorded grows
    assert card.believed == {2: still}
    card = Card(0x10001, [1, 2], remembered={1: still, 2: still})
    card.know({1: newer, 2: still})
    assert (card.remembered, card.known) == ({2: still}, {1: newer})
    assert set(card.samples()) == {1, 2}


def test_what_is_known_of_many_new_shots_goes_to_the_index(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "MOST_KNOWN", 10)
    sim = camera(objects=1)
    statuses = Statuses()
    session = connect(sim)
    with start(session, tmp_path, on_status=statuses) as shots:
        take(shots, 1)
        statuses.wait_for("watching")
        new = shoot(sim, 6)  # twelve files, by no listing
        take(shots, len(new))
        statuses.wait_for("listing", times=2)
        take(shots, len(shoot(sim, 1)))  # and with that the listing is over
        statuses.wait_for_last("watching")
    assert session.index is not None
    listing = session.listing()
    assert set(new) <= {info.handle for info in listing.table()}
    assert listing.tally.remembered >= len(new) - CHECKED
    assert_each_once(tmp_path, contents(sim))


def test_session_of_a_watch_keeps_no_events_for_others(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1)
    sessions: list[ptpfast.Session] = []

    def connected(*given: Any, **named: Any) -> ptpfast.Session:
        sessions.append(ptpfast.connect(*given, **named))
        return sessions[-1]

    monkeypatch.setattr(crew, "connect", connected)
    with start(at(sim), tmp_path, timeouts=PATIENT) as shots:
        take(shots, 1)
        take(shots, len(shoot(sim, 3)))
    (session,) = sessions
    assert session._events.is_empty
    assert_each_once(tmp_path, contents(sim))


def test_lost_connection_of_an_idle_watch_is_noticed_at_once(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK_S", "LOOK_OFTEN_S"):
        monkeypatch.setattr(looking, name, 1e6)
    sim = camera(objects=1)
    statuses = Statuses()
    with start(connect(sim), tmp_path, on_status=statuses) as shots:
        take(shots, 1)
        statuses.wait_for("watching")
        shoot_away(sim, shots, statuses, 1)
    assert_each_once(tmp_path, contents(sim))
