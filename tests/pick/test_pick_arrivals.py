"""`pick` while somebody goes on with the camera: pictures come, change and go without Refresh."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from cards import card
from conftest import Cameras, Sessions
from pages import PATIENCE_S, Gate, Page, picking
from ptpfast import vendors
from ptpfast.pick.board import Board
from ptpfast.pick.desk import Desk
from ptpfast.pick.picture import File
from ptpfast.ptp.codes import EventCode
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import Store
from ptpfast.watching import looking
from watched import bytes_of, files_in

LARGE = 24_000_000
NEVER_S = 1e9


@pytest.fixture(autouse=True)
def _looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the handles never where events tell of objects, and all the time elsewhere."""
    monkeypatch.setattr(looking, "LOOK_S", NEVER_S)
    monkeypatch.setattr(looking, "LOOK_OFTEN_S", 0.05)


def names(page: Page) -> set[str]:
    return {each["name"] for each in page.pictures.values()}


def number_of(page: Page, name: str) -> int:
    (found,) = (each["id"] for each in page.pictures.values() if each["name"] == name)
    assert isinstance(found, int)
    return found


def stems(camera_names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in camera_names}


@pytest.mark.parametrize("body", sorted(vendors.BODIES))
def test_a_new_shot_of_every_body_is_shown_and_downloaded(
    camera: Cameras, connect: Sessions, tmp_path: Path, body: str
) -> None:
    sim = camera(body=body, objects=4, size=50_000)
    with picking(connect, sim, tmp_path / "to") as opened:
        page = opened.page
        page.wait_for(lambda: page.camera.get("state") == "ready" and page.pictures)
        handles = sim.capture()
        taken = {stored.name: stored for stored in sim.store.files() if stored.handle in handles}
        wanted = {name: bytes_of(sim.store, each.handle) for name, each in taken.items()}
        page.wait_for(lambda: stems(taken) <= names(page))
        page.wait_for(
            lambda: (
                sum(
                    len(each["types"])
                    for each in page.pictures.values()
                    if each["name"] in stems(taken)
                )
                == len(taken)
            )
        )
        numbers = [number_of(page, name) for name in stems(taken)]
        page.wait_for(lambda: page.thumbnails.issuperset(numbers))
        page.command(do="download", ids=numbers)
        page.wait_for(lambda: page.download["state"] == "idle" and page.download["done"])
        assert {page.pictures[each]["reason"] for each in numbers} == {""}
    assert {path.name: path.read_bytes() for path in files_in(tmp_path / "to")} == wanted


def test_the_first_shot_on_an_empty_card_is_shown(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=Store())
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(0)
        handle = sim.store.add("DSC_0001.JPG", 1000)
        sim.push_event(EventCode.ObjectAdded, handle)
        page.wait_for(lambda: names(page) == {"DSC_0001"})
        assert [each["new"] for each in page.pictures.values()] == [True]


def test_an_event_that_names_no_object_has_the_handles_compared(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(3))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(3)
        sim.store.add("NEW.JPG", 1000)
        sim.store.delete(sim.store.files()[0].handle)
        sim.push_event(EventCode.CaptureComplete)
        page.wait_for(lambda: names(page) == {"DSC_0001", "DSC_0002", "NEW"})


def test_a_camera_without_events_is_looked_at(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "tells_of_objects", lambda session: False)
    sim = camera(store=card(3))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(3)
        sim.store.add("NEW.JPG", 1000)
        page.wait_for(lambda: "NEW" in names(page))


def test_a_new_shot_is_shown_while_a_large_file_arrives(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, 500_000)
    sim = camera(store=card(1, size=LARGE), bytes_per_s=20_000_000)
    heard, shown = threading.Event(), list[int]()
    with picking(connect, sim, tmp_path, chunk=1 << 18) as opened:
        page = opened.page
        page.wait_until_listed(1)
        take = Desk._take_arrivals

        def taken(desk: Desk) -> None:
            take(desk)
            shown.append(len(opened.results))

        monkeypatch.setattr(Desk, "_take_arrivals", taken)
        page.command(do="download", ids=list(page.pictures))
        gate.wait()
        with opened.session.link.hub.listening(heard.set):
            sim.capture()
            assert heard.wait(PATIENCE_S)
        gate.open()
        page.wait_for(lambda: len(page.pictures) == 2)
        page.wait_for(lambda: page.download["state"] == "idle" and page.download["done"] == 1)
        assert shown[0] == 0  # files were finished by then
    assert [path.read_bytes() for path in files_in(tmp_path)] == [
        bytes_of(sim.store, sim.store.files()[0].handle)
    ]


def test_a_picture_deleted_on_the_camera_goes(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=6)
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(3)
        raw, jpeg, other, *_ = (stored.handle for stored in sim.store.files())
        for handle in (raw, jpeg, other):
            assert sim.store.delete(handle)
            sim.push_event(EventCode.ObjectRemoved, handle)
        left = {"IMG_0002": ["JPG"], "IMG_0003": ["DNG", "JPG"]}
        page.wait_for(
            lambda: {each["name"]: each["types"] for each in page.pictures.values()} == left
        )


def test_a_picture_that_changes_stays_the_same_picture(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(2))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        number = number_of(page, "DSC_0001")
        handle = sim.store.files()[1].handle
        sim.store.replace(handle, protected=True)
        sim.push_event(EventCode.ObjectInfoChanged, handle)
        page.wait_for(lambda: page.pictures[number]["protected"])
        sim.store.replace(handle, name="OTHER.NEF", content=card(6).files()[5].content)
        sim.push_event(EventCode.ObjectInfoChanged, handle)
        page.wait_for(lambda: page.pictures[number]["name"] == "OTHER")
        assert page.pictures[number]["sizes"] == [1005]
        assert len(page.pictures) == 2


def test_events_about_nothing_are_survived(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(2))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        added, removed = EventCode.ObjectAdded, EventCode.ObjectRemoved
        changed = EventCode.ObjectInfoChanged
        for code in (added, removed, changed, EventCode.StoreAdded, 0xFFFF):
            for parameters in ((), (0,), (0xDEAD,), (0xFFFFFFFF, 1, 2)):
                sim.push_event(code, *parameters)
        handle = sim.store.add("NEW.JPG", 1000)
        sim.push_event(added, handle)
        page.wait_for(lambda: "NEW" in names(page))
        page.wait_until_listed(3)
        assert not opened.desk.ended.is_set()


def test_another_card_is_listed_from_its_beginning(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(store=card(3))
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(3)
        for stored in sim.store.files():
            sim.store.delete(stored.handle)
        sim.store.add("OTHER.JPG", 1000)
        sim.push_event(EventCode.StoreAdded, 0x10001)
        page.wait_for(lambda: names(page) == {"OTHER"})


STAR_FILES = {"A.ARW": 5, "B.ARW": 3, "C.ARW": 0, "D.ARW": None, "E.ARW": 77}


def test_ratings_are_told_where_the_body_does(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    store = Store()
    folder = store.add_folder("DCIM")
    handles = {name: store.add(name, 1000, parent=folder) for name in STAR_FILES}
    sim = camera(body="sony-a7m4", store=store)
    for name, stars in STAR_FILES.items():
        if stars is not None:
            sim.rate(handles[name], stars)
    with picking(connect, sim, tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(5)
        told = {each["name"]: each["rating"] for each in page.pictures.values()}
        assert told == {"A": 5, "B": 3, "C": 0, "D": None, "E": None}


def test_no_rating_is_told_where_the_body_tells_none(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    with picking(connect, camera(), tmp_path) as opened:
        page = opened.page
        page.wait_until_listed(2)
        assert {each["rating"] for each in page.pictures.values()} == {None}


FIRST = ObjectInfo(
    handle=1, name="A.NEF", path="DCIM/A.NEF", size=10, format=0x3000, captured=None, modified=None,
    storage_id=0x10001,
)  # fmt: skip


def board_with(*infos: ObjectInfo) -> Board:
    board = Board("")
    board.begin_listing()
    board.add(map(File, infos))
    return board


def test_a_handle_given_to_another_file_is_another_picture() -> None:
    board = board_with(FIRST)
    board.remove([1])
    assert board.records() == []
    raw = replace(FIRST, name="B.NEF", path="DCIM/B.NEF", size=20)
    board.add([File(raw)])
    board.add([File(replace(raw, handle=2, name="B.JPG", path="DCIM/B.JPG"))])
    assert [(each["id"], each["types"]) for each in board.records()] == [(2, ["NEF", "JPG"])]


def test_the_second_file_of_a_pair_joins_its_picture() -> None:
    board = board_with(FIRST)
    board.set_thumbnail(1, None)
    assert board.next_thumbnail() is None
    board.add([File(replace(FIRST, handle=2, name="A.JPG", path="DCIM/A.JPG"))])
    assert [each["types"] for each in board.records()] == [["NEF", "JPG"]]
    assert board.next_thumbnail() == (1, 2)  # the JPEG has one
