"""Thumbnails of many objects: in order, one bad ends nothing, requests are sent ahead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import HASTY, Cameras, Sessions
from ptpfast import ConnectionLost, OperationCode, PTPError, ResponseError, Timeout, TransferError
from ptpfast.ptp.errors import NoThumbnailPresent
from ptpfast.sim import SimulatedCamera, Temperament
from ptpfast.state import tuning


def expected(camera: SimulatedCamera) -> list[tuple[int, bytes]]:
    return [(stored.handle, stored.thumbnail) for stored in camera.store.files()]


@pytest.mark.parametrize("depth", [1, 2, 5, 16])
def test_each_object_comes_with_its_thumbnail_in_order(
    camera: Cameras, connect: Sessions, depth: int
) -> None:
    sim = camera(objects=60, size=10)
    session = connect(sim, depth=depth)
    table = session.objects()
    assert list(session.thumbnails(table)) == expected(sim)
    assert list(session.thumbnails([info.handle for info in table])) == expected(sim)
    assert sim.operations[OperationCode.GetThumb] == 120


def test_requests_for_thumbnails_leave_ahead(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=60, size=10, temperament="busy")
    session = connect(sim, depth=4)
    assert list(session.thumbnails(item.handle for item in sim.store.files())) == expected(sim)
    assert sim.early_requests > 0


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("respond=0x2010", NoThumbnailPresent),
        ("respond=0x2002", ResponseError),
        ("short_data after 100", PTPError),
    ],
)
def test_one_bad_thumbnail_ends_nothing(
    camera: Cameras, connect: Sessions, fault: str, error: type[PTPError], depth: int
) -> None:
    sim = camera(objects=20, size=10)
    bad = sim.store.files()[7].handle
    kind, _, rest = fault.partition(" ")
    sim.faults.add(f"{kind} on GetThumb handle {bad} {rest}")
    found = list(connect(sim, depth=depth).thumbnails(item.handle for item in sim.store.files()))
    assert isinstance(found[7][1], error)
    assert found[7][0] == bad
    assert [row for row in found if row[0] != bad] == [r for r in expected(sim) if r[0] != bad]


@pytest.mark.parametrize("fault", ["ok_without_data", "empty_data", "response_first"])
def test_nothing_at_all_is_no_thumbnail(camera: Cameras, connect: Sessions, fault: str) -> None:
    sim = camera(objects=4, size=10)
    bad = sim.store.files()[2].handle
    sim.faults.add(f"{fault} on GetThumb handle {bad} times 2")
    session = connect(sim)
    found = list(session.thumbnails(item.handle for item in sim.store.files()))
    assert isinstance(found[2][1], TransferError)
    assert [row for row in found if row[0] != bad] == [r for r in expected(sim) if r[0] != bad]
    with pytest.raises(TransferError, match="sent no data"):
        session.thumbnail(bad)
    assert session.thumbnail(bad) == expected(sim)[2][1]


def test_a_busy_camera_is_asked_again_and_the_order_kept(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=20, size=10, faults=["busy on GetThumb at 5 times 3"])
    session = connect(sim, depth=4)
    assert list(session.thumbnails(item.handle for item in sim.store.files())) == expected(sim)


@pytest.mark.parametrize("temperament", list(Temperament), ids=lambda t: t.value)
def test_every_temperament_ends_with_every_thumbnail(
    camera: Cameras, connect: Sessions, temperament: Temperament
) -> None:
    sim = camera(objects=20, size=10, temperament=temperament)
    session = connect(sim, depth=3, timeouts=HASTY)
    assert list(session.thumbnails(item.handle for item in sim.store.files())) == expected(sim)
    copes = temperament is Temperament.QUEUE
    assert session.habits.depth == (3 if copes else 1)
    assert (tuning.load(session.device_info) is None) == copes


def test_a_lost_connection_is_raised_after_what_has_come(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=20, size=10, faults=["drop on GetThumb at 11"])
    found: list[tuple[int, bytes | PTPError]] = []
    with pytest.raises(ConnectionLost):
        found.extend(connect(sim).thumbnails(item.handle for item in sim.store.files()))
    assert found == expected(sim)[:10]


def test_no_more_objects_are_taken_than_are_soon_asked_for(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=40, size=10)
    taken = 0

    def handles() -> Iterator[int]:
        nonlocal taken
        for stored in sim.store.files():
            taken += 1
            yield stored.handle

    for depth in (1, 4):
        taken = 0
        pictures = connect(sim, depth=depth).thumbnails(handles())
        next(pictures)
        assert taken == 1
        next(pictures)
        assert taken <= 1 + max(2, depth)
        sim.drop_connections()


def test_the_session_may_be_used_between_two_thumbnails(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=20, size=1000)
    session = connect(sim, depth=4)
    for handle, picture in session.thumbnails(session.objects()):
        assert isinstance(picture, bytes)
        assert len(session.read(handle)) == 1000


def test_a_silent_camera_is_a_timeout_and_no_hang(camera: Cameras, connect: Sessions) -> None:
    sim = camera(size=10, faults=["no_answer on GetThumb at 2 times 0"])
    with pytest.raises(Timeout):
        list(connect(sim, timeouts=HASTY).thumbnails(o.handle for o in sim.store.files()))
