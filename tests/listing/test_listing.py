"""The second listing asks for what is new; what was learnt earlier is never relied on blindly."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from ptpfast import (
    ConnectionLost,
    ObjectInfo,
    ObjectTable,
    OperationCode,
    Session,
    TransferError,
)
from ptpfast.listing import cards
from ptpfast.listing.recall import CHECKED, Card
from ptpfast.ptp.objects import Description
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state.index import Index

DATE = datetime(2026, 3, 4, 5, 6, 7)
# Storage ids, storage info, handles; and the objects that are looked at again.
HANDFUL = 3 + CHECKED


def asked(camera: SimulatedCamera, session: Session) -> tuple[ObjectTable, int, int]:
    """A listing, how many GetObjectInfo it took, and how many operations."""
    before, all_before = camera.operations[OperationCode.GetObjectInfo], camera.operations.total()
    table = session.objects()
    infos = camera.operations[OperationCode.GetObjectInfo] - before
    return table, infos, camera.operations.total() - all_before


def again(camera: SimulatedCamera, connect: Sessions, **options: object) -> ObjectTable:
    """The listing of a session of its own."""
    with connect(camera, **options) as session:
        return session.objects()


def index_of(camera: SimulatedCamera, connect: Sessions) -> Index:
    with connect(camera) as session:
        assert session.index is not None
        return session.index


def assert_true(table: ObjectTable, camera: SimulatedCamera) -> None:
    """The table says what is on the card."""
    there = [(o.handle, o.name, camera.store.path(o.handle), o.size) for o in camera.store.files()]
    assert [(o.handle, o.name, o.path, o.size) for o in table] == there
    assert [o.captured for o in table] == [o.captured for o in camera.store.files()]


def card(count: int = 40, **changes: object) -> Store:
    """A card of pictures of different sizes."""
    store = Store()
    dcim = store.add_folder("DCIM")
    folder = store.add_folder("100CARD", parent=dcim)
    for number in range(count):
        captured = DATE + number * timedelta(seconds=7)
        store.add(f"DSC_{number:04d}.NEF", 1000 + 7 * number, parent=folder, captured=captured)
    return store


def body(camera: Cameras, **options: object) -> SimulatedCamera:
    """One and the same body each time, without a bulk listing."""
    return camera("nikon", withheld=[OperationCode.GetObjectPropList], **options)


# The second time


@pytest.mark.parametrize("depth", [1, 4])
def test_a_second_listing_asks_a_handful_and_says_the_same(
    camera: Cameras, connect: Sessions, depth: int
) -> None:
    sim = body(camera, objects=300)
    first = again(sim, connect, depth=depth)
    second, infos, operations = asked(sim, connect(sim, depth=depth))
    assert list(second) == list(first)
    assert_true(second, sim)
    assert infos <= CHECKED
    assert operations <= HANDFUL
    assert not any(info.remembered for info in first)
    assert sum(info.remembered for info in second) >= 300 - CHECKED


def test_only_what_is_new_is_asked_for(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, objects=100)
    again(sim, connect)
    new = [*sim.capture(), *sim.capture()]
    table, infos, _ = asked(sim, connect(sim))
    assert_true(table, sim)
    assert infos <= CHECKED + len(new)
    assert not any(info.remembered for info in table if info.handle in new)
    assert asked(sim, connect_again(sim, connect))[1] <= CHECKED


def connect_again(camera: SimulatedCamera, connect: Sessions) -> Session:
    camera.drop_connections()
    return connect(camera)


def test_what_was_deleted_is_not_listed(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    for stored in sim.store.files()[10:13]:
        sim.delete(stored.handle)
    table, infos, _ = asked(sim, connect(sim))
    assert_true(table, sim)
    assert infos <= CHECKED


def test_what_could_not_be_described_is_asked_for_again(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card(), faults=["respond=0x2002 on GetObjectInfo handle 0x00040010"])
    assert len(again(sim, connect).failures) == 1
    table = again(sim, connect)
    assert_true(table, sim)
    assert table.failures == []


def test_files_without_bytes_are_asked_for_again(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card())
    growing = sim.store.add("MOVIE.MOV", 0)
    again(sim, connect)
    sim.store.replace(growing, content=sim.store.expected(0x00040005))
    assert_true(again(sim, connect), sim)


def test_a_connection_lost_in_a_listing_names_the_file_being_described(
    camera: Cameras, connect: Sessions
) -> None:
    sim = body(camera, store=card(), faults=["drop on GetObjectInfo handle 0x00040010"])
    with pytest.raises(ConnectionLost, match="describing file 0x40010"):
        again(sim, connect)


def test_a_listing_that_broke_off_is_gone_on_with(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card(100), faults=["drop on GetObjectInfo at 61"])
    with pytest.raises(ConnectionLost):
        again(sim, connect)
    table, infos, _ = asked(sim, connect(sim))
    assert_true(table, sim)
    assert infos <= 42 + CHECKED
    assert asked(sim, connect_again(sim, connect))[1] <= CHECKED


def test_handles_that_are_listed_twice_are_looked_at_once(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = body(camera, store=Store.synthetic(1, 1000))
    first = again(sim, connect)
    honest = cards.handles_of
    monkeypatch.setattr(cards, "handles_of", lambda *asked: honest(*asked) * 3)
    assert_true(again(sim, connect), sim)
    assert_true(first, sim)


def test_sizes_beyond_four_gigabytes_are_remembered(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card(20))
    for number in range(5):
        sim.store.add(f"MOVIE{number}.MOV", 5_000_000_000 + number)
    again(sim, connect)
    table, infos, _ = asked(sim, connect(sim))
    assert_true(table, sim)
    assert infos <= CHECKED
    assert table.size[-1] == 5_000_000_004


def test_several_storages_are_remembered_each(camera: Cameras, connect: Sessions) -> None:
    store = Store.synthetic(80, 1000, storages=2, empty_slots=1)
    sim = body(camera, store=store)
    first = again(sim, connect)
    table, infos, operations = asked(sim, connect(sim))
    assert list(table) == list(first)
    assert infos <= 2 * CHECKED
    assert operations <= 5 + 2 * CHECKED


def test_a_folder_is_listed_without_the_index(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    session = connect(sim)
    before = sim.operations[OperationCode.GetObjectInfo]
    assert len(session.objects(parent=0x00040002)) == 40
    assert sim.operations[OperationCode.GetObjectInfo] >= before + 40


def test_describing_handles_asks_for_each(camera: Cameras, connect: Sessions) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    session = connect(sim)
    handles = session.handles()
    before = sim.operations[OperationCode.GetObjectInfo]
    assert len(session.describe(handles)) == 40
    assert sim.operations[OperationCode.GetObjectInfo] == before + len(handles)


def test_where_descriptions_came_from_is_said(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    sim = body(camera, store=card())
    with caplog.at_level(logging.INFO, "ptpfast"):
        again(sim, connect)
        assert "listed 42 objects: 42 one by one; 44 requests, 44 round trips" in caplog.text
        caplog.clear()
        again(sim, connect, depth=3)
    assert "listed 42 objects: 36 from the index, 6 one by one; 8 requests" in caplog.text
    assert "4 round trips" in caplog.text


@pytest.mark.parametrize("at", [1, 3, 40])
@pytest.mark.parametrize("known", [0, 30])
def test_a_listing_goes_on_after_the_connection_was_lost(
    camera: Cameras, connect: Sessions, known: int, at: int
) -> None:
    sim = body(camera, store=card(known))
    if known:
        again(sim, connect)
        parent = sim.store.files()[0].parent
        for number in range(50):
            sim.store.add(f"NEW_{number}.NEF", 500 + number, parent=parent)
    else:
        sim.store.add("A.NEF", 500)
        for number in range(60):
            sim.store.add(f"B_{number}.NEF", 500 + number)
    session = connect(sim)
    listing = session.listing()
    sim.faults.add(f"drop on GetObjectInfo at {at}")
    found: list[ObjectInfo] = []
    lost = 0
    while True:
        try:
            table = listing.next(16)
        except ConnectionLost:
            lost += 1
            session.reconnect()
            continue
        if table is None:
            break
        found += table
    assert lost == 1
    assert_true(ObjectTable(found), sim)
    session.close()
    table, infos, _ = asked(sim, connect(sim))
    assert_true(table, sim)
    assert infos <= CHECKED


def test_one_storage_that_was_swapped_leaves_the_other_remembered(
    camera: Cameras, connect: Sessions
) -> None:
    sim = body(camera, store=Store.synthetic(80, 1000, storages=2))
    again(sim, connect)
    for stored in sim.store.files():
        if stored.storage_id == 0x00020001:
            sim.store.replace(stored.handle, captured=DATE)
    table = again(sim, connect)
    assert {info.storage_id for info in table if info.remembered} == {0x00010001}
    assert asked(sim, connect(sim))[1] <= 2 * CHECKED


# Switched off, or not to be had


def test_without_an_index_nothing_is_kept_and_what_was_kept_is_gone(
    camera: Cameras, connect: Sessions
) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    kept = Path(os.environ["PTPFAST_CACHE"])
    assert len(list(kept.iterdir())) == 1
    table, infos, _ = asked(sim, connect(sim, index=False))
    assert infos == 42
    assert_true(table, sim)
    assert list(kept.iterdir()) == []


def test_a_body_that_cannot_be_told_from_others_is_not_remembered(
    camera: Cameras, connect: Sessions
) -> None:
    sim = body(camera, store=card(), guid=bytes(16))
    sim.body.serial_number = ""
    for _ in range(2):
        with connect(sim) as session:
            assert session.index is None
            assert asked(sim, session)[1] == 42
    assert list(Path(os.environ["PTPFAST_CACHE"]).iterdir()) == []


@pytest.mark.parametrize("place", ["/dev/null/below", "/proc/ptpfast"])
def test_a_cache_that_cannot_be_written_costs_nothing_but_a_line_in_the_log(
    camera: Cameras,
    connect: Sessions,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PTPFAST_CACHE", place)
    sim = body(camera, store=card())
    assert_true(again(sim, connect), sim)
    assert "cannot write the index" in caplog.text


FULL_DISK = """
import logging, resource, signal, sys
import ptpfast
logging.basicConfig(level=logging.WARNING, stream=sys.stdout)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
with ptpfast.connect("127.0.0.1", port=int(sys.argv[1])) as session:
    print(len(session.objects()), "objects")
"""


def test_a_disk_that_is_full_costs_nothing_but_a_line_in_the_log(camera: Cameras) -> None:
    sim = body(camera, store=card(400))
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(sim.port)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "400 objects" in done.stdout
    assert "cannot write the index" in done.stdout


def test_storage_info_that_is_refused_leaves_a_listing_without_memory(
    camera: Cameras, connect: Sessions
) -> None:
    sim = body(camera, store=card(), faults=["respond=0x2005 on GetStorageInfo times 0"])
    for _ in range(2):
        table, infos, _ = asked(sim, connect_again(sim, connect))
        assert_true(table, sim)
        assert infos == 42


# What changed behind our back


def other_pictures() -> Store:
    """The same handles and names as `card`, of other pictures."""
    store = card()
    for stored in store.files():
        assert stored.captured is not None
        store.replace(stored.handle, captured=stored.captured + timedelta(days=100))
    return store


def renumbered() -> Store:
    """The first picture deleted, and the handles given out anew."""
    store = Store()
    folder = store.add_folder("100CARD", parent=store.add_folder("DCIM"))
    for stored in card().files()[1:]:
        assert stored.content is not None
        store.add(stored.name, stored.content, parent=folder, captured=stored.captured)
    return store


def formatted() -> Store:
    """New pictures from the same first number on."""
    store = Store()
    folder = store.add_folder("100CARD", parent=store.add_folder("DCIM"))
    for number in range(10):
        store.add(f"DSC_{number:04d}.NEF", 900, parent=folder, captured=DATE + timedelta(days=9))
    return store


def larger_card() -> Store:
    """The same handles on a card that says so of itself."""
    store = other_pictures()
    plain = store.storage_info

    def larger(storage_id: int) -> object:
        info = plain(storage_id)
        info.max_capacity *= 2
        return info

    store.storage_info = larger  # type: ignore[method-assign,assignment]
    return store


@pytest.mark.parametrize(
    "second",
    [other_pictures, renumbered, formatted, larger_card, Store],
    ids=["other pictures", "renumbered", "formatted", "larger", "empty"],
)
def test_a_card_that_was_swapped_is_listed_as_it_is(
    camera: Cameras, connect: Sessions, second: Callable[[], Store]
) -> None:
    with body(camera, store=card()) as sim:
        again(sim, connect)
    sim = body(camera, store=second())
    assert_true(again(sim, connect), sim)
    assert_true(again(sim, connect), sim)


def one_in_the_middle(store: Store, size: int) -> int:
    """Gives the handle of an old picture to a new one; its handle."""
    handle = store.files()[20].handle
    content = next(o.content for o in card(size + 1).files() if o.size == 1000 + 7 * size)
    store.replace(handle, name="NEW.NEF", content=content, captured=DATE + timedelta(days=1))
    return handle


def test_a_handle_that_went_to_another_picture_shows_in_the_free_space(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    one_in_the_middle(sim.store, size=30)
    table = again(sim, connect)
    assert_true(table, sim)
    assert not any(info.remembered for info in table)
    assert_true(again(sim, connect), sim)


@pytest.fixture
def misled(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> tuple[SimulatedCamera, Session, ObjectInfo]:
    """A listing that nothing can tell is wrong, by bad luck too; and the object in question."""
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    sim = body(camera, store=card())
    again(sim, connect)
    handle = one_in_the_middle(sim.store, size=20)  # of the same size
    session = connect(sim)
    wrong = next(info for info in session.objects() if info.handle == handle)
    assert wrong.remembered
    assert wrong.name != "NEW.NEF"
    return sim, session, wrong


Use = Callable[[Session, ObjectInfo, Path], object]
USES: list[Use] = [
    lambda session, info, folder: session.download(info, folder / info.name),
    lambda session, info, folder: session.read(info),
    lambda session, info, folder: session.read_into(info, bytearray(5000)),
    lambda session, info, folder: list(session.stream(info)),
    lambda session, info, folder: session.open(info).read(10),
    lambda session, info, folder: session.delete(info),
]


@pytest.mark.parametrize("use", USES, ids=["download", "read", "into", "stream", "open", "delete"])
def test_a_wrong_memory_is_found_before_it_does_harm(
    misled: tuple[SimulatedCamera, Session, ObjectInfo], use: Use, tmp_path: Path
) -> None:
    sim, session, wrong = misled
    with pytest.raises(TransferError, match=r"is no longer DSC_0020\.NEF of 1140 bytes"):
        use(session, wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert sim.store.get(wrong.handle) is not None
    assert_true(session.objects(), sim)  # the index was forgotten


def test_a_true_memory_is_compared_once_a_session(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    session = connect(sim)
    info = next(info for info in session.objects() if info.remembered)
    before = sim.operations[OperationCode.GetObjectInfo]
    for _ in range(3):
        session.read_into(info, bytearray(100), size=100)
    session.download(info, tmp_path / info.name)
    assert sim.operations[OperationCode.GetObjectInfo] == before + 1


def test_an_object_that_became_protected_is_the_same(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    for stored in sim.store.files():
        sim.store.replace(stored.handle, protected=True)
    table, infos, _ = asked(sim, connect(sim))
    assert infos <= CHECKED
    assert_true(table, sim)


# An index somebody has put there


def spoil(index: Index, *statements: str) -> None:
    with closing(sqlite3.connect(index.path)) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE object SET name = '../../evil.NEF'",
        "UPDATE object SET name = 'other' || handle || '.NEF'",
        "UPDATE object SET size = -1",
        "UPDATE object SET size = size + 1",
        "UPDATE object SET size = 'large'",
        "UPDATE object SET parent = handle",
        "UPDATE object SET storage_id = 5",
        "UPDATE object SET captured = '19990101T000000'",
        "UPDATE object SET format = 12289",
        "DELETE FROM object WHERE handle % 2",
        "DELETE FROM object",
        "UPDATE storage SET free = free + 1",
        "UPDATE storage SET free = -5",
        "DELETE FROM storage",
        "UPDATE body SET identity = 'another'",
        "DROP TABLE body",
        "PRAGMA user_version = 99",
    ],
)
def test_a_listing_is_right_whatever_stands_in_the_index(
    camera: Cameras, connect: Sessions, statement: str
) -> None:
    sim = body(camera, store=card())
    again(sim, connect)
    spoil(index_of(sim, connect), statement)
    assert_true(again(sim, connect), sim)
    assert_true(again(sim, connect), sim)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE object SET name = 'evil.NEF' WHERE handle = 0x40017",
        "UPDATE object SET size = size + 5000 WHERE handle = 0x40017",
        "UPDATE object SET captured = '19990101T000000' WHERE handle = 0x40017",
        "UPDATE object SET parent = 0 WHERE handle = 0x40017",
    ],
)
def test_one_wrong_row_cannot_make_a_wrong_file(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    statement: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    sim = body(camera, store=card())
    again(sim, connect)
    spoil(index_of(sim, connect), statement)
    session = connect(sim)
    wrong = next(info for info in session.objects() if info.handle == 0x40017)
    with pytest.raises(TransferError):
        session.download(wrong, tmp_path / wrong.name)
    assert list(tmp_path.iterdir()) == []
    assert_true(session.objects(), sim)


def test_another_bodys_index_in_its_place_is_discarded(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    other = body(camera, store=card(), seed=2)
    again(other, connect)
    sim = body(camera, store=other_pictures(), seed=1)
    mine, theirs = index_of(sim, connect), index_of(other, connect)
    assert mine.path != theirs.path
    shutil.copy(theirs.path, mine.path)
    assert_true(again(sim, connect), sim)
    assert "discarded: it is of another camera" in caplog.text


def test_garbage_in_its_place_is_discarded(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    sim = body(camera, store=card())
    index = index_of(sim, connect)
    index.path.parent.mkdir(exist_ok=True)
    index.path.write_bytes(b"\xff" * 10_000)
    assert_true(again(sim, connect), sim)
    assert "discarded" in caplog.text
    assert asked(sim, connect(sim))[1] <= CHECKED


# What is looked at again


def description(number: int, **changes: object) -> Description:
    values = {"captured": f"20260101T0000{number:02d}", "parent": 1, **changes}
    return Description(5, 0x3801, 0, 10, name=f"{number}.JPG", modified="", **values)  # type: ignore[arg-type]


def test_the_newest_the_first_and_the_folder_in_use_are_looked_at_again() -> None:
    known = {number: description(number) for number in range(10, 50)}
    known[1] = Description(5, 0x3001, 0, 0, 0, "FOLDER", "", "")
    known[20] = description(20, captured="20261231T000000")
    known[30] = description(30)
    there = Card(5, list(known), remembered=known)
    for _ in range(20):
        samples = there.samples()
        assert len(samples) == len(set(samples)) == CHECKED
        assert {49, 20, 10, 1} <= set(samples)


def test_few_objects_are_all_looked_at_again() -> None:
    known = {number: description(number) for number in range(CHECKED)}
    assert Card(5, list(known), remembered=known).samples() == list(known)


@pytest.mark.parametrize(
    ("free", "was_free", "came", "gone", "explained"),
    [
        (1000, 1000, [], [], True),
        (1000, 1001, [], [], False),
        (990, 1000, [10], [], True),
        (1000 << 20, 1000 << 20, [30 << 20], [], False),
        (970 << 20, 1000 << 20, [30 << 20], [], True),
        (969 << 20, 1000 << 20, [30 << 20], [], True),
        (967 << 20, 1000 << 20, [30 << 20], [], False),
        (1000 << 20, 970 << 20, [], [30 << 20], True),
        (970 << 20, 970 << 20, [], [30 << 20], False),
        (970 << 20, 970 << 20, [30 << 20], [30 << 20], True),
        (0, 0, [], [], True),
        (0, 10 << 20, [30 << 20], [], True),
        (None, 5, [], [], True),
        (5, None, [], [], True),
        (5, 1000 << 20, [None], [], True),
        (5, 1000 << 20, [], [None], True),
    ],
)
def test_free_space_must_be_explained_by_what_came_and_went(
    free: int | None,
    was_free: int | None,
    came: list[int | None],
    gone: list[int | None],
    explained: bool,
) -> None:
    sizes_in, sizes_out = (
        [Description(5, 0x3801, 0, size, 0, "A", "", "") for size in sizes]
        for sizes in (came, gone)
    )
    there = Card(5, [], free=free, was_free=was_free, gone=sizes_out)
    assert there.space_is_explained(sizes_in) is explained
