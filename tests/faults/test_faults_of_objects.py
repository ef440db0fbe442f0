"""Faults of what lies on the card, each through a whole run: handles, names, sizes, dates, folders,
and objects that change while they are read.

Which fault of which camera each is, and what else shows it, is in docs/faults.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from conftest import PATIENT, Cameras, Sessions
from outcomes import ASIDE, UNSEEN, assert_right, finished_files, outcome, pull
from ptpfast import EventCode, ObjectInfo, OperationCode, PTPError, Report, Session
from ptpfast import pull as pull_with
from ptpfast.library.report.observer import Observer
from ptpfast.listing.recall import CHECKED
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import BytesContent
from ptpfast.sim.store import FIRST_DATE


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.01)


def picture(number: int, size: int = 20_000) -> bytes:
    return random.Random(number).randbytes(size + number)


def card(handles: Sequence[int], size: int = 20_000) -> Store:
    """A folder, and in it the same files each time, under these handles."""
    store = Store()
    store._next_handle = handles[0]
    folder = store.add_folder("100CARD", captured=FIRST_DATE)
    for number, handle in enumerate(handles[1:]):
        store._next_handle = handle
        captured = FIRST_DATE + number * timedelta(seconds=7)
        store.add(f"DSC_{number:04d}.NEF", picture(number, size), parent=folder, captured=captured)
    return store


def read_operations(sim: SimulatedCamera) -> int:
    reads = (OperationCode.GetObject, OperationCode.GetPartialObject)
    return sum(sim.operations[code] for code in reads)


# Handles


HANDLES: dict[str, Callable[[int], int]] = {
    "sparse": lambda number: 1 + 104_729 * number,
    "with the high bit": lambda number: 0x80000001 + number,
    "sparse from the last one down": lambda number: 0xFFFFFFFE - 50_000_017 * number,
    "low and high in turn": lambda number: number + 1 + (number % 2 << 31),
}


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
@pytest.mark.parametrize("kind", HANDLES)
def test_handles_of_any_kind_are_listed_fetched_and_remembered(
    camera: Cameras, connect: Sessions, tmp_path: Path, kind: str, vendor: str
) -> None:
    sim = camera(vendor, store=card([HANDLES[kind](number) for number in range(41)]))
    assert outcome(pull(sim, tmp_path, timeouts=PATIENT)) == UNSEEN
    assert_right(sim, tmp_path)
    asked, read = sim.operations[OperationCode.GetObjectInfo], read_operations(sim)
    with connect(sim) as session:
        table = session.objects()
        there = [(o.handle, o.name, sim.store.path(o.handle), o.size) for o in sim.store.files()]
        assert [(o.handle, o.name, o.path, o.size) for o in table] == there
        assert table.handle.tolist() == [stored.handle for stored in sim.store.files()]
        assert sum(info.remembered for info in table) >= 40 - CHECKED
        assert sim.operations[OperationCode.GetObjectInfo] <= asked + CHECKED
    report = pull(sim, tmp_path, timeouts=PATIENT)
    assert isinstance(report, Report)
    assert report.skipped == 40
    assert read_operations(sim) == read
    with connect(sim) as session:
        last = session.objects()[-1]
        assert session.read(last) == session.read(int(last.handle)) == picture(39)


OTHER_HANDLES: dict[str, Callable[[int], int]] = {
    "none is left": lambda number: 0x20001 + number,
    "each is its neighbour's": lambda number: 0x10002 + number,
    "the other way round": lambda number: 0x10001 + 8 - number,
}
FIRST_HANDLES = [0x10001 + number for number in range(9)]


@pytest.mark.parametrize("kind", OTHER_HANDLES)
def test_handles_numbered_anew_between_runs_bring_nothing_twice(
    camera: Cameras, connect: Sessions, tmp_path: Path, kind: str
) -> None:
    sim = camera(store=card(FIRST_HANDLES))
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    read = read_operations(sim)
    sim.store = card([OTHER_HANDLES[kind](number) for number in range(9)])
    report = pull(sim, tmp_path)
    assert isinstance(report, Report)
    assert (report.skipped, report.ok) == (8, True)
    assert read_operations(sim) == read
    assert_right(sim, tmp_path)
    with connect(sim) as session:
        for info, number in zip(session.objects(), range(8), strict=True):
            assert session.read(info) == picture(number)


@pytest.mark.parametrize("kind", OTHER_HANDLES)
def test_handles_numbered_anew_when_the_connection_is_made_again_bring_no_wrong_file(
    camera: Cameras, tmp_path: Path, kind: str
) -> None:
    sim = camera(store=card(FIRST_HANDLES), faults=["drop on GetPartialObject after 5000 at 8"])

    class Renumber(Observer):
        def lost(self, error: PTPError) -> None:
            sim.store = card([OTHER_HANDLES[kind](number) for number in range(9)])

    report = pull(sim, tmp_path, chunk=10_000, observer=Renumber())
    assert isinstance(report, Report)
    assert report.retries == 1
    # What had come before is here; whatever has another handle now is set aside, each for itself.
    assert report.downloaded >= 2
    assert report.downloaded + report.failed == 8
    assert report.failed >= 5
    assert_right(sim, tmp_path, missing=report.failed)
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)


# How many, how large, called what, lying where


@pytest.mark.parametrize("count", [0, 1])
def test_a_card_of_next_to_nothing_is_fetched_whole(
    camera: Cameras, tmp_path: Path, count: int
) -> None:
    sim = camera(objects=count)
    report = pull(sim, tmp_path)
    assert outcome(report) == UNSEEN
    assert isinstance(report, Report)
    assert report.downloaded == report.objects == count
    assert_right(sim, tmp_path)


@pytest.mark.parametrize("withheld", [(), (OperationCode.GetObjectPropList,)], ids=["bulk", "each"])
def test_ten_thousand_objects_are_listed(
    camera: Cameras, connect: Sessions, withheld: Sequence[int]
) -> None:
    sim = camera(store=Store.synthetic(10_000, 100), withheld=withheld)
    table = connect(sim).objects()
    files = sim.store.files()
    assert table.failures == []
    assert table.handle.tolist() == [stored.handle for stored in files]
    assert table.names == [stored.name for stored in files]
    assert len(set(table.paths)) == 10_000


@pytest.mark.parametrize("depth", [6, 50])
def test_folders_in_folders_are_opened_up(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    store, folder = Store(), 0
    for number in range(depth):
        folder = store.add_folder(f"F{number}", parent=folder)
        store.add(f"DSC_{number:04d}.NEF", picture(number), parent=folder)
    sim = camera(store=store)
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)
    paths = connect(sim).objects().paths
    assert paths[5] == "F0/F1/F2/F3/F4/F5/DSC_0005.NEF"
    assert all(len(path.split("/")) < 40 for path in paths)


def test_objects_that_are_their_own_folder_are_fetched(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(faults=["self_parent on GetObjectInfo times 0"])
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)
    table = connect(sim).objects()
    assert table.paths == table.names  # they lie at the root


def test_objects_without_a_byte_become_files_without_one(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(size=0)
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)
    assert {path.stat().st_size for path in finished_files(tmp_path)} == {0}


@pytest.mark.parametrize("told", ["by another operation", "by nobody"])
def test_a_size_of_all_ones_is_not_believed(camera: Cameras, tmp_path: Path, told: str) -> None:
    sim = camera(faults=["object_size=0xFFFFFFFF on GetObjectInfo times 0"])
    if told == "by nobody":
        sim.faults.add("respond=0x2005 on GetObjectPropValue times 0")
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_an_object_of_exactly_all_ones_is_read_to_its_end(
    camera: Cameras, connect: Sessions, vendor: str
) -> None:
    store = Store()
    handle = store.add("MOVIE.MOV", 0xFFFFFFFF)
    session = connect(camera(vendor, store=store))
    (info,) = session.objects()
    assert info.size == 0xFFFFFFFF
    buffer = bytearray(2000)
    assert session.read_into(info, buffer, offset=0xFFFFFFFF - 1000, size=2000) == 1000
    assert buffer[:1000] == b"".join(store.expected(handle).spans(0xFFFFFFFF - 1000, 1000))


NAMES = ("Größe.NEF", "写真.JPG", "\N{CAMERA}.NEF", "Снимок.MOV", "e\N{COMBINING ACUTE ACCENT}.NEF")


def test_names_in_any_script_name_their_files(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    for number, name in enumerate(NAMES):
        store.add(name, picture(number))
    assert outcome(pull(camera(store=store), tmp_path)) == UNSEEN
    found = {path.name: path.read_bytes() for path in finished_files(tmp_path)}
    composed = (*NAMES[:4], "\N{LATIN SMALL LETTER E WITH ACUTE}.NEF")
    assert found == {name: picture(number) for number, name in enumerate(composed)}


@pytest.mark.parametrize("tail", ["\0", "\0\0\0", "\0junk"], ids=ascii)
def test_names_and_dates_end_at_their_first_nul(
    camera: Cameras, connect: Sessions, tmp_path: Path, tail: str
) -> None:
    store = Store()
    store.add(f"DSC_0001.NEF{tail}", picture(1))
    sim = camera(store=store)
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    (path,) = finished_files(tmp_path)
    assert (path.name, path.read_bytes()) == ("DSC_0001.NEF", picture(1))
    assert connect(sim).objects().paths == ["DSC_0001.NEF"]


def test_objects_without_a_date_are_fetched_once(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    for number in range(3):
        store.add(f"DSC_{number:04d}.NEF", picture(number), captured=None)
    sim = camera(store=store)
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)
    read = read_operations(sim)
    report = pull(sim, tmp_path)
    assert isinstance(report, Report)
    assert (report.skipped, read_operations(sim)) == (3, read)


# Objects that change while they are read


class Meanwhile(Observer):
    """Does something once, when this part of the first object is here."""

    def __init__(self, work: Callable[[ObjectInfo], object], part: float = 0.5) -> None:
        self._work: list[Callable[[ObjectInfo], object]] = [work]
        self._part = part

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if received >= self._part * (size or 0) and self._work:
            self._work.pop()(info)


def grows(sim: SimulatedCamera, info: ObjectInfo) -> bytes:
    """The camera writes on; what the object is now."""
    more = b"".join(sim.store.expected(info.handle).spans(0, info.size or 0)) + picture(9)
    sim.store.replace(info.handle, content=BytesContent(more))
    return more


def run_with(session: Session, folder: Path, meanwhile: Meanwhile) -> Report:
    return pull_with(session, folder, chunk=50_000, observer=meanwhile)


def test_an_object_that_grows_unreported_is_stored_as_listed_and_fetched_beside_next_time(
    camera: Cameras, tmp_path: Path
) -> None:
    # Within seconds, in partial reads: nothing in them tells, and to ask of each object whether it
    # has changed would cost all of them a round trip.
    sim = camera(objects=1)
    (stored,) = sim.store.files()
    before = b"".join(sim.store.expected(stored.handle).spans(0, stored.size))
    now: list[bytes] = []
    work = Meanwhile(lambda info: now.append(grows(sim, info)))
    assert outcome(pull(sim, tmp_path, chunk=50_000, observer=work)) == UNSEEN
    assert (tmp_path / stored.name).read_bytes() == before
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    stem, _, tail = stored.name.rpartition(".")
    found = {path.name: path.read_bytes() for path in finished_files(tmp_path)}
    assert found == {stored.name: before, f"{stem}-1.{tail}": now[0]}


@pytest.mark.parametrize("part", [0.5, 1])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("code", [EventCode.ObjectInfoChanged, EventCode.ObjectRemoved])
def test_an_object_that_grows_and_is_reported_is_set_aside_at_its_end(
    camera: Cameras, connect: Sessions, tmp_path: Path, code: int, depth: int, part: float
) -> None:
    sim = camera(objects=3)
    session = connect(sim, depth=depth)
    heard = session.link.hub.subscribe()

    def grow(info: ObjectInfo) -> None:
        grows(sim, info)
        sim.push_event(code, info.handle)
        assert heard.get(10) is not None

    report = run_with(session, tmp_path, Meanwhile(grow, part))
    assert outcome(report) == ASIDE
    (failed,) = report.having("failed")
    assert "no longer" in failed.reason
    assert_right(sim, tmp_path, missing=1)
    if part < 1:  # else the next object may have been begun, in vain
        assert read_operations(sim) == 3 * 6
    session.close()
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)


@pytest.mark.parametrize("reported", [False, True])
def test_an_object_is_asked_for_once_more_only_when_it_is_reported(
    camera: Cameras, connect: Sessions, tmp_path: Path, reported: bool
) -> None:
    sim = camera(objects=3)
    session = connect(sim)
    heard = session.link.hub.subscribe()

    def report_it(info: ObjectInfo) -> None:
        if reported:
            sim.push_event(EventCode.ObjectInfoChanged, info.handle)
            assert heard.get(10) is not None

    table = session.objects()
    asked = sim.operations[OperationCode.GetObjectInfo]
    for number, info in enumerate(table):
        path = tmp_path / info.name
        progress = partial(Meanwhile(report_it).progress, info)
        session.download(info, path, chunk=50_000, progress=progress)
        assert sim.operations[OperationCode.GetObjectInfo] == asked + (number + 1) * reported
        # And what has been taken note of does not count again.
        session.download(info, path, overwrite=True)
        assert sim.operations[OperationCode.GetObjectInfo] == asked + (number + 1) * reported
    assert_right(sim, tmp_path)


@pytest.mark.parametrize("chunk", [0, 50_000])
def test_an_object_that_has_grown_since_it_was_listed_is_taken_as_listed_or_refused(
    camera: Cameras, connect: Sessions, tmp_path: Path, chunk: int
) -> None:
    sim = camera(objects=1)
    session = connect(sim)
    (info,) = session.objects()
    before = b"".join(sim.store.expected(info.handle).spans(0, info.size or 0))
    grows(sim, info)
    path = tmp_path / info.name
    if chunk:
        session.download(info, path, chunk=chunk)
        assert path.read_bytes() == before
    else:
        with pytest.raises(PTPError, match="announced"):
            session.download(info, path, chunk=chunk)
        assert not path.exists()


@pytest.mark.parametrize("depth", [1, 3])
def test_an_object_that_is_deleted_while_it_is_read_is_set_aside(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(objects=3)
    session = connect(sim, depth=depth)
    report = run_with(session, tmp_path, Meanwhile(lambda info: sim.delete(info.handle)))
    assert outcome(report) == ASIDE
    assert "there is no such file" in report.having("failed")[0].reason
    assert_right(sim, tmp_path)  # of what is still there
    session.close()
    assert outcome(pull(sim, tmp_path)) == UNSEEN


def test_an_object_whose_handle_goes_to_another_while_the_connection_is_lost_is_set_aside(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=3, faults=["drop on GetPartialObject after 10000 at 2"])

    class Another(Observer):
        def lost(self, error: PTPError) -> None:
            sim.store.replace(sim.store.files()[0].handle, content=BytesContent(picture(5)))

    assert outcome(pull(sim, tmp_path, chunk=50_000, observer=Another())) == ASIDE
    assert_right(sim, tmp_path, missing=1)
    assert outcome(pull(sim, tmp_path)) == UNSEEN
    assert_right(sim, tmp_path)
