"""`capture()` finds what the shutter has made, also where the camera reports little or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import ptpfast
from conftest import Cameras, Sessions, without_pauses
from ptpfast import OperationCode
from ptpfast.ptp.codes import EventCode
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.vendors import Vendor, named
from ptpfast.vendors.body import Habits
from ptpfast.vendors.nikon.codes import NikonOperation

SILENT = Habits(events=False)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.session.capture.QUIET_S", 0.1)
    monkeypatch.setattr("ptpfast.session.capture.SECOND_FILE_S", 0.1)


def silent(vendor: str) -> Vendor:
    """A body that reports no events."""
    plain = named(vendor)
    habits = dataclasses.replace(plain.model.habits, events=False)
    return dataclasses.replace(plain, body=dataclasses.replace(plain.model, habits=habits))


def after_release(session: ptpfast.Session, do: Callable[[], object], **quirks: Any) -> None:
    """The shutter does this and nothing else."""
    dialect = session.link.dialect
    dialect.quirks = dataclasses.replace(dialect.quirks, **quirks)
    dialect.release = lambda: do()  # type: ignore[method-assign]


def announced(sim: SimulatedCamera, names: list[str], told: list[str], *, complete: bool) -> None:
    """Files of these names; events for some of them."""
    for name in names:
        handle = sim.store.add(name, 1000)
        if name in told:
            sim.push_event(EventCode.ObjectAdded, handle)
    if complete:
        sim.push_event(EventCode.CaptureComplete)


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_picture_of_a_camera_that_reports_nothing_is_found_on_the_card(
    camera: Cameras, connect: Sessions, vendor: str
) -> None:
    sim = camera(silent(vendor))
    session = connect(sim)
    before = {stored.handle for stored in sim.store.files()}
    info = session.capture()
    assert info is not None
    assert info.is_raw
    assert info.handle not in before
    assert info.name == sim.store.files()[-2].name
    lists = [entry for entry in sim.log if entry.operation == OperationCode.GetObjectHandles]
    assert len(lists) == 2


def test_events_that_tell_all_spare_the_second_list(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    assert connect(sim).capture() is not None
    assert sim.operations[OperationCode.GetObjectHandles] == 1


def test_picture_is_found_on_a_card_of_ten_thousand_and_among_two_cards(
    camera: Cameras, connect: Sessions
) -> None:
    store = Store.synthetic(10_000, 10, storages=2)
    sim = camera(silent("standard"), store=store)
    session = connect(sim)
    handles = {stored.handle for stored in store}
    for _ in range(2):
        info = session.capture()
        assert info is not None
        assert info.is_raw
        assert info.handle not in handles
        handles |= {stored.handle for stored in store}
    assert sim.operations[OperationCode.GetObjectInfo] < 20  # the new ones and their folders


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize(
    ("told", "lists"), [(["B.JPG"], 2), (["B.NEF"], 1), ([], 2)], ids=["JPEG", "RAW", "nothing"]
)
def test_raw_of_a_pair_is_found_whichever_event_does_not_come(
    camera: Cameras, connect: Sessions, told: list[str], lists: int, complete: bool
) -> None:
    sim = camera()
    session = connect(sim)
    after_release(session, lambda: announced(sim, ["B.NEF", "B.JPG"], told, complete=complete))
    info = session.capture()
    assert info is not None
    assert info.name == "B.NEF"
    if complete:
        assert sim.operations[OperationCode.GetObjectHandles] == lists


def test_a_late_event_of_an_older_picture_is_not_the_new_one(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)
    old = sim.store.files()[0].handle

    def release() -> None:
        sim.push_event(EventCode.ObjectAdded, old)
        announced(sim, ["B.JPG"], ["B.JPG"], complete=True)

    after_release(session, release)
    info = session.capture()
    assert info is not None
    assert info.name == "B.JPG"


def test_a_camera_that_takes_no_picture_gives_none_and_no_older_one(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)
    after_release(session, lambda: None, capture_s=0.5)
    assert session.capture() is None
    after_release(session, lambda: sim.push_event(EventCode.CaptureComplete))
    assert session.capture() is None


def test_handles_that_are_numbered_afresh_are_not_taken_for_new_objects(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)

    def release() -> None:
        sim.store = Store.synthetic(4, 1000, first_handle=0x90001)

    after_release(session, release, capture_s=0.5)
    assert session.capture() is None


def test_a_first_list_that_was_empty_makes_no_card_full_of_new_objects(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=300, size=10, faults=["empty_data on GetObjectHandles times 2"])
    session = connect(sim)
    after_release(session, lambda: None, capture_s=0.5)
    assert session.capture() is None


def test_a_storage_that_could_not_be_listed_before_is_not_compared(
    camera: Cameras, connect: Sessions
) -> None:
    store = Store.synthetic(8, 1000, storages=2)
    sim = camera(silent("standard"), store=store)
    sim.faults.add("respond=0x2013 on GetObjectHandles")  # the first of the two
    session = connect(sim)
    before = {stored.handle for stored in store}
    after_release(session, lambda: store.add("NEW.JPG", 9, storage_id=store.storage_ids()[1]))
    info = session.capture()
    assert info is not None
    assert (info.name, info.handle in before) == ("NEW.JPG", False)


def test_a_picture_is_found_when_the_event_connection_is_gone(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["drop_event on InitiateCapture"])
    session = connect(sim, vendor=without_pauses("standard"))
    info = session.capture()
    assert info is not None
    assert info.is_raw
    assert info.handle in {stored.handle for stored in sim.store.files()[-2:]}


def test_a_new_folder_is_no_picture(camera: Cameras, connect: Sessions) -> None:
    sim = camera(silent("standard"))
    session = connect(sim)

    def release() -> None:
        folder = sim.store.add_folder("101NEW")
        sim.store.add("B.JPG", 10, parent=folder)

    after_release(session, release)
    info = session.capture()
    assert info is not None
    assert info.path == "101NEW/B.JPG"


def test_polling_body_without_event_connection_is_asked_with_pauses(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera("nikon")
    session = connect(sim)
    link, paused = session.link, []
    subscription = link.hub.subscribe()
    sim.faults.add("drop_event on GetStorageIDs")
    session.storage_ids()
    while not link.hub.closed:
        subscription.get(1)

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:
            sim.push_event(EventCode.ObjectRemoved, 7)

    monkeypatch.setattr("ptpfast.session.capture.pause", pause)
    asked = sim.operations[NikonOperation.GetEvent]
    event = next(session.events())
    assert (event.code, event.parameters) == (EventCode.ObjectRemoved, (7,))
    assert paused == [link.dialect.quirks.event_poll_s] * 3
    assert sim.operations[NikonOperation.GetEvent] == asked + 4
