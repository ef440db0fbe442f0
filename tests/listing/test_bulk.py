"""Objects described many at once: as right as one by one, whatever the camera makes of the list."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import HASTY, Cameras, Sessions, without_pauses
from ptpfast import ObjectTable, OperationCode, Session
from ptpfast.engine.wire import Builder
from ptpfast.listing.bulk import WORTH_IT
from ptpfast.listing.recall import CHECKED
from ptpfast.ptp.codes import DataType, ObjectPropCode
from ptpfast.ptp.datasets import write_value
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.vendors import Dialect
from ptpfast.vendors.bulk import BulkListing, Described, parse_object_prop_list

LIST = OperationCode.GetObjectPropList
Property = tuple[int, int, int, Any]  # handle, property, data type, value


def properties(handle: int, **other: Any) -> list[Property]:
    """What a camera says of one object."""
    values = {
        "StorageID": (DataType.UINT32, 0x10001),
        "ObjectFormat": (DataType.UINT16, 0x3801),
        "ProtectionStatus": (DataType.UINT16, 0),
        "ObjectSize": (DataType.UINT64, 5_000_000_000),
        "ObjectFileName": (DataType.STR, f"{handle}.JPG"),
        "DateCreated": (DataType.STR, "20260102T030405"),
        "DateModified": (DataType.STR, ""),
        "ParentObject": (DataType.UINT32, 7),
        **other,
    }
    rows = [(handle, ObjectPropCode[name], *value) for name, value in values.items() if value]
    return [*rows, (handle, 0xDC41, DataType.UINT128, handle), (handle, 0xDC8A, 0x4004, [1, 2])]


def dataset(rows: list[Property], count: int | None = None) -> bytes:
    builder = Builder()
    builder.u32(len(rows) if count is None else count)
    for handle, code, data_type, value in rows:
        builder.u32(handle)
        builder.u16(code)
        builder.u16(data_type)
        write_value(builder, data_type, value)
    return bytes(builder)


def parsed(rows: list[Property], count: int | None = None) -> dict[int, Described]:
    return parse_object_prop_list(dataset(rows, count), range(100))


# The dataset


def test_an_object_has_what_its_properties_say() -> None:
    found, size = parsed(properties(8))[8]
    assert size == 5_000_000_000
    assert found.object_compressed_size == 0xFFFFFFFF
    assert (found.filename, found.parent_object, found.storage_id) == ("8.JPG", 7, 0x10001)
    assert (found.capture_date, found.modification_date) == ("20260102T030405", "")


def test_the_example_of_the_fact_sheet_is_understood_and_incomplete() -> None:
    payload = bytes.fromhex(
        "02000000 01100000 04dc 0800 0000004001000000 01100000 07dc ffff"
        "06 4100 2e00 4d00 4f00 5600 0000"
    )
    assert parse_object_prop_list(payload, {0x1001}) == {}


def test_properties_may_come_in_any_order() -> None:
    rows = [row for handle in range(10) for row in properties(handle)]
    random.Random(1).shuffle(rows)
    assert parsed(rows) == parsed([row for handle in range(10) for row in properties(handle)])
    assert len(parsed(rows)) == 10


@pytest.mark.parametrize("count", [0, 1, 25, 1000, 0xFFFFFFFF])
def test_the_count_is_not_believed_beyond_what_is_there(count: int) -> None:
    rows = [row for handle in range(5) for row in properties(handle)]
    assert len(parsed(rows, count)) == (5 if count >= len(rows) else count // 10)


def test_a_list_cut_anywhere_gives_only_whole_objects() -> None:
    whole = dataset([row for handle in range(3) for row in properties(handle)])
    complete = parse_object_prop_list(whole, range(3))
    for end in range(len(whole)):
        for handle, described in parse_object_prop_list(whole[:end], range(3)).items():
            assert described == complete[handle]


@pytest.mark.parametrize("name", ["StorageID", "ObjectFormat", "ObjectSize", "ObjectFileName"])
def test_an_object_that_lacks_a_property_is_left_out(name: str) -> None:
    assert list(parsed([*properties(1), *properties(2, **{name: None}), *properties(3)])) == [1, 3]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("StorageID", (DataType.UINT64, 1 << 40)),
        ("ParentObject", (DataType.INT32, -1)),
        ("ParentObject", (DataType.STR, "7")),
        ("ObjectFormat", (DataType.UINT32, 1 << 16)),
        ("ObjectSize", (DataType.UINT128, 1 << 64)),
        ("ObjectFileName", (DataType.UINT16, 7)),
        ("ObjectFileName", (0x4004, [65, 66])),
        ("DateCreated", (DataType.UINT32, 20_260_102)),
    ],
)
def test_an_object_with_a_value_that_cannot_be_is_left_out(name: str, value: Any) -> None:
    assert list(parsed([*properties(1), *properties(2, **{name: value}), *properties(3)])) == [1, 3]


def test_an_object_said_twice_and_not_the_same_is_left_out() -> None:
    other = (2, ObjectPropCode.ObjectSize, DataType.UINT64, 17)
    rows = [*properties(1), *properties(2), *properties(1), other]
    assert list(parsed(rows)) == [1]


def test_a_data_type_nobody_knows_ends_the_list() -> None:
    rows = dataset(properties(1)) + bytes.fromhex("02000000 04dc 7700 0000000000000000")
    grown = (20).to_bytes(4, "little") + rows[4:]
    assert list(parse_object_prop_list(grown, range(9))) == [1]


def test_objects_nobody_asked_for_are_left_out() -> None:
    assert list(parsed([*properties(1), *properties(1000)])) == [1]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_of_whole_objects_or_none(payload: bytes) -> None:
    for handle, (found, size) in parse_object_prop_list(payload, range(1 << 32)).items():
        assert 0 <= handle < 1 << 32
        assert found.object_compressed_size == min(size, 0xFFFFFFFF)


# The camera


def card(count: int = 60) -> Store:
    store = Store.synthetic(count, 1000)
    folder = store.files()[0].parent
    store.add("MOVIE.MOV", 5_000_000_000, parent=folder)
    store.add("UNDATED.TXT", 12, captured=None)
    return store


def listed(session: Session, camera: SimulatedCamera) -> tuple[ObjectTable, int, int]:
    """A listing, and how many objects were asked for in bulk and one by one."""
    bulk, each = camera.operations[LIST], camera.operations[OperationCode.GetObjectInfo]
    table = session.objects()
    return (
        table,
        camera.operations[LIST] - bulk,
        camera.operations[OperationCode.GetObjectInfo] - each,
    )


def assert_true(table: ObjectTable, camera: SimulatedCamera) -> None:
    assert [(o.handle, o.name, o.path, o.size, o.captured) for o in table] == [
        (o.handle, o.name, camera.store.path(o.handle), o.size, o.captured)
        for o in camera.store.files()
    ]
    assert table.failures == []


@pytest.mark.parametrize("depth", [1, 4])
def test_a_card_is_described_with_one_request_and_some_comparisons(
    camera: Cameras, connect: Sessions, depth: int
) -> None:
    sim = camera(store=card(500))
    table, bulk, each = listed(connect(sim, depth=depth), sim)
    assert_true(table, sim)
    assert (bulk, each) == (1, CHECKED)


def test_it_says_the_same_as_one_by_one(camera: Cameras, connect: Sessions) -> None:
    bulk, each = camera(store=card()), camera(store=card(), withheld=[LIST])
    assert list(connect(bulk).objects()) == list(connect(each, index=False).objects())
    assert each.operations[LIST] == 0


def test_few_objects_are_asked_for_one_by_one(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=WORTH_IT - 3)  # and two folders
    table, bulk, each = listed(connect(sim), sim)
    assert_true(table, sim)
    assert (bulk, each) == (0, WORTH_IT - 1)


def test_a_little_that_is_new_is_asked_for_one_by_one(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=400)
    with connect(sim) as session:
        listed(session, sim)
    for _ in range(20):
        sim.capture()
    table, bulk, each = listed(connect(sim), sim)
    assert_true(table, sim)
    assert (bulk, each) == (0, 40 + CHECKED)


def test_much_that_is_new_is_asked_for_in_bulk(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=100)
    with connect(sim) as session:
        listed(session, sim)
    for _ in range(50):
        sim.capture()
    table, bulk, each = listed(connect(sim), sim)
    assert_true(table, sim)
    assert (bulk, each) == (1, 2 * CHECKED)


def test_a_body_that_knows_no_tree_is_asked_folder_by_folder(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(
        store=Store.synthetic(2500, 10), faults=["respond=0xA808 on GetObjectPropList times 1"]
    )
    table, bulk, each = listed(connect(sim), sim)
    assert_true(table, sim)
    folders = sum(stored.is_folder for stored in sim.store)
    assert (bulk, each) == (1 + 1 + folders, CHECKED)  # the tree, the root, each folder


@pytest.mark.parametrize("storages", [1, 2])
def test_several_storages_are_described_folder_by_folder(
    camera: Cameras, connect: Sessions, storages: int
) -> None:
    sim = camera(
        store=Store.synthetic(100, 10, storages=storages),
        faults=["respond=0xA808 on GetObjectPropList times 1"],
    )
    table, _, each = listed(connect(sim), sim)
    there = {(stored.handle, sim.store.path(stored.handle)) for stored in sim.store.files()}
    assert {(info.handle, info.path) for info in table} == there
    assert each == CHECKED


def test_a_folder_is_described_with_one_request(camera: Cameras, connect: Sessions) -> None:
    sim = camera(store=Store.synthetic(100, 10))
    session = connect(sim)
    folder = sim.store.files()[0].parent
    before = sim.operations[OperationCode.GetObjectInfo]
    assert len(session.objects(parent=folder)) == 100
    assert sim.operations[LIST] == 1
    assert sim.operations[OperationCode.GetObjectInfo] <= before + CHECKED + 2  # and for the path


@pytest.mark.parametrize("code", ["0x2005", "0x2006", "0xA808", "0x2002"])
def test_a_refusal_is_remembered_for_the_session(
    camera: Cameras, connect: Sessions, code: str
) -> None:
    sim = camera(store=card(), faults=[f"respond={code} on GetObjectPropList times 0"])
    session = connect(sim, index=False)
    table, bulk, each = listed(session, sim)
    assert_true(table, sim)
    assert (bulk, each) == (2, len(list(sim.store)))  # the tree and the root
    assert listed(session, sim)[1] == 0


def test_a_vendor_whose_bodies_are_bad_at_it_is_never_asked(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(store=card())

    class WithoutBulk(Dialect):
        def bulk(self) -> tuple[BulkListing, ...]:
            return ()

    vendor = dataclasses.replace(without_pauses("standard"), dialect=WithoutBulk)
    table, bulk, _ = listed(connect(sim, vendor=vendor), sim)
    assert_true(table, sim)
    assert bulk == 0


@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize(
    "fault",
    [
        "cut_data=0",
        "cut_data=3",
        "cut_data=5000",
        "empty_data",
        "long_array=1",
        "long_array=1000",
        "long_array=4000000000",
        "ok_without_data",
        "busy times 2",
        "short_data after 3000",
        "short_data after 3000 times 0",
        "announce=100",
        "announce=4000000000",
        "overrun=10000000",
        "overrun=10000000 times 0",
        "wrong_tid times 0",
        "length=3 after 100 times 0",
        "error_after=0x2002 after 3000 times 0",
        "respond=0x2002",
        "drop",
        "drop times 0",
        "drop after 2000 times 0",
        "reset after 2000 times 0",
        "no_answer times 0",
        "stall after 1000 times 0",
        "no_response times 0",
    ],
)
def test_whatever_becomes_of_the_list_the_listing_is_right(
    camera: Cameras, connect: Sessions, fault: str, depth: int
) -> None:
    kind, _, rest = fault.partition(" ")
    sim = camera(store=card(), faults=[f"{kind} on GetObjectPropList {rest}"])
    session = connect(sim, timeouts=HASTY, depth=depth)
    assert_true(session.objects(), sim)
    assert_true(session.objects(), sim)


def test_a_listing_in_bulk_is_tried_again_after_a_connection_lost_by_chance(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(store=card())
    session = connect(sim, index=False)
    for _ in range(3):  # as over days
        sim.faults.add("drop on GetObjectPropList")
        table, _, each = listed(session, sim)
        assert each == len(list(sim.store))
        table, bulk, _ = listed(session, sim)
        assert bulk == 1
        assert_true(table, sim)


def test_a_camera_that_ends_the_connection_at_each_list_is_asked_for_it_twice(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(store=card(), faults=["drop on GetObjectPropList times 0"])
    session = connect(sim, index=False)
    assert [listed(session, sim)[1] for _ in range(4)] == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "fault",
    [
        "object_size=17 on GetObjectInfo times 0",
        "name=other.JPG on GetObjectInfo times 0",
        "parent=262147 on GetObjectInfo times 0",
        "respond=0x2002 on GetObjectInfo times 6",
    ],
)
def test_a_list_that_says_other_things_than_of_each_object_is_not_believed(
    camera: Cameras, connect: Sessions, fault: str
) -> None:
    sim = camera(store=card(), faults=[fault])
    session = connect(sim, index=False)
    table, bulk, each = listed(session, sim)
    assert (bulk, each) == (1, len(list(sim.store)))
    assert listed(session, sim)[1] == 0
    if "name" in fault:
        assert set(table.names) == {"other.JPG"}


def test_progress_is_told_while_a_long_list_comes(camera: Cameras, connect: Sessions) -> None:
    sim = camera(store=Store.synthetic(2000, 10), bytes_per_s=2_000_000)
    seen: list[tuple[int, int]] = []
    connect(sim).objects(progress=lambda done, total: seen.append((done, total)))
    total = len(list(sim.store))
    assert seen[-1] == (total, total)
    assert any(0 < done < total - CHECKED for done, _ in seen)


def test_what_is_remembered_and_to_be_fetched_is_compared_in_bulk(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=300)
    with connect(sim) as session:
        listed(session, sim)
    session = connect(sim)
    before = sim.operations.copy()
    listing = session.listing()
    [table] = listing.pieces()
    remembered = [info for info in table if info.remembered]
    assert len(remembered) >= 290
    now = listing.confirm(remembered)
    assert list(now) == remembered
    assert not any(info.remembered for info in now)
    assert sim.operations[LIST] - before[LIST] == 1
    asked = sim.operations[OperationCode.GetObjectInfo] - before[OperationCode.GetObjectInfo]
    assert asked <= 2 * CHECKED + len(table) - len(remembered)


def test_an_object_that_is_another_one_now_is_found_in_bulk_too(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=300)
    with connect(sim) as session:
        listed(session, sim)
    session = connect(sim)
    listing = session.listing()
    [table] = listing.pieces()
    remembered = [info for info in table if info.remembered]
    changed = remembered[150]
    sim.store.replace(changed.handle, name="ANOTHER.DNG")
    now = {info.handle: info for info in listing.confirm(remembered)}
    assert now[changed.handle].name == "ANOTHER.DNG"
    assert [info for info in remembered if now[info.handle] != info] == [changed]
