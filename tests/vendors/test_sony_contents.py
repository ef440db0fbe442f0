"""Sony's content lists: every file once, with its size, its bytes and its events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sony_cameras import (
    asked,
    camera_of,
    content_of,
    recorded,
    session_with,
    single_files,
    state_of,
)

import ptpfast
from ptpfast import EventCode, Unsupported
from ptpfast.ptp.codes import ResponseCode
from ptpfast.ptp.errors import (
    DeviceBusy,
    InvalidObjectHandle,
    ProtocolError,
    TransferError,
)
from ptpfast.sim import Store
from ptpfast.vendors.sony import catalogue, contentlists, deleting, remote, sdio
from ptpfast.vendors.sony.codes import SonyEvent, SonyOperation, SonyProperty


@pytest.fixture(autouse=True)
def _no_pauses_for_real_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "SETTLE_S", 0.0)
    monkeypatch.setattr(contentlists, "WRITE_PAUSE_S", 0.01)
    monkeypatch.setattr(deleting, "DELETE_S", 2.0)


def test_content_lists_are_read_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contentlists, "PAGE", 4)
    with camera_of("a7m4", objects=41, size=10) as camera, session_with(camera) as session:
        paths = {camera.store.path(stored.handle) for stored in camera.store.files()}
        assert {info.path for info in session.objects()} == paths
        pages = asked(camera, 0x923C)
        assert len(pages) > 5
        assert all(parameters[2:] == (4, 1, 1) for _, parameters in pages)


def test_ratings_of_the_owner_are_told_and_select_files(tmp_path: Path) -> None:
    store = Store()
    folder = store.add_folder("DCIM")
    stars = {"A.ARW": 5, "B.ARW": 3, "C.ARW": 0, "D.ARW": None, "E.ARW": 77, "F.ARW": -5}
    handles = {
        name: store.add(name, 10 + number, parent=folder) for number, name in enumerate(stars)
    }
    with camera_of("a7m4", store=store) as camera, session_with(camera) as session:
        for name, count in stars.items():
            if count is not None:
                camera.rate(handles[name], count)
        objects = session.objects()
        told = {info.name: info.rating for info in objects}
        assert told == stars | {"D.ARW": None, "E.ARW": None, "F.ARW": None}  # none is hostile
        selection = ptpfast.Selection(rating=4)
        assert [info.name for info in selection.apply(objects)] == ["A.ARW"]
        assert selection.unrated(objects) == 3
        report = ptpfast.pull(session, tmp_path, rating=3)
        assert {path.name for path in tmp_path.iterdir()} == {"A.ARW", "B.ARW"}
        assert (report.unrated, report.selection) == (3, "rated 3 or more")


def test_more_pictures_of_one_moment_than_a_page_has_are_all_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contentlists, "PAGE", 4)
    store = Store()
    folder = store.add_folder("DCIM")
    for number in range(23):
        store.add(f"{number}.JPG", 10, parent=folder, captured=datetime(2026, 1, 2))
    with camera_of("a7m4", store=store) as camera, session_with(camera) as session:
        assert len(session.objects()) == 23


def test_file_beyond_4_gib_has_its_size_and_any_part() -> None:
    with camera_of("a7m4", objects=1, size=6 << 30) as camera, session_with(camera) as session:
        (info,) = session.objects()
        assert info.size == 6 << 30
        (stored,) = camera.store.files()
        piece = bytearray(4_000_000)
        offset = (5 << 30) + 12_345
        assert session.read_into(info, piece, offset=offset, size=len(piece)) == len(piece)
        assert piece == b"".join(camera.store.expected(stored.handle).spans(offset, len(piece)))
        assert max(parameters[4] for _, parameters in asked(camera, 0x923D)) <= 3 << 20


@pytest.mark.parametrize("chunk", [None, 0, 70_000])
def test_every_way_of_reading_gives_the_same_bytes_of_a_content(
    tmp_path: Path, chunk: int | None
) -> None:
    with camera_of("a7m4") as camera, session_with(camera) as session:
        info = session.objects()[1]
        expected = content_of(camera, camera.store.find(info.path))
        assert b"".join(session.stream(info, chunk or 1 << 20)) == expected
        with session.open(info) as file:
            assert file.read() == expected
        session.download(info, tmp_path / info.name, chunk=chunk, verify="reread")
        assert (tmp_path / info.name).read_bytes() == expected


def test_two_slots_are_two_cards_with_their_own_files() -> None:
    store = Store.synthetic(8, 1000, storages=2)
    with camera_of("a7m4", store=store) as camera, session_with(camera) as session:
        assert session.storage_ids() == [0x00010001, 0x00020001]
        listed = {(info.storage_id, info.path) for info in session.objects()}
    assert listed == {(each.storage_id, store.path(each.handle)) for each in store.files()}


def test_handles_stay_in_the_next_session() -> None:
    with camera_of("a7m4", objects=30, size=10) as camera:
        handles = []
        for _ in range(2):
            with session_with(camera) as session:
                handles.append([info.handle for info in session.objects()])
        assert handles[0] == handles[1]


def test_two_files_with_one_hash_get_two_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    class Same:
        def digest(self) -> bytes:
            return b"\xff" * 4

    monkeypatch.setattr(catalogue.hashlib, "blake2b", lambda *_, **__: Same())
    handles = catalogue.Handles()
    assert [handles.of("a"), handles.of("b"), handles.of("a")] == [0x7FFFFFFF, 1, 0x7FFFFFFF]


def test_file_that_is_still_written_is_listed_again() -> None:
    with camera_of("a7m4", objects=2) as camera, session_with(camera) as session:
        first, second = camera.store.files()
        state_of(camera).writing.add(second.handle)
        table = session.objects()
        assert [info.name for info in table] == [first.name]
        assert [type(error) for _, error in table.failures] == [DeviceBusy]
        assert len(asked(camera, 0x923C)) > contentlists.WRITE_TRIES
        state_of(camera).writing.clear()
        assert len(session.objects()) == 2


def test_picture_by_the_button_is_reported_once_it_is_written() -> None:
    with camera_of("a7m4", objects=2) as camera, session_with(camera) as session:
        before = {info.handle for info in session.objects()}
        taken = recorded(camera)
        camera.capture()
        found = {}
        for event in session.events(timeout=10):
            if event.code == EventCode.ObjectAdded:
                info = session.object_info(event.parameters[0])
                assert info.handle not in before
                found[info.name] = session.read(info)
            if len(found) == len(taken):
                break
        assert found == taken


def test_picture_that_is_gone_is_reported_and_refused() -> None:
    with camera_of("a7m4", objects=2) as camera, session_with(camera) as session:
        first, _ = session.objects()
        camera.delete(camera.store.find(first.path))
        events = session.events(timeout=10)
        removed = next(event for event in events if event.code == EventCode.ObjectRemoved)
        assert removed.parameters == (first.handle,)
        with pytest.raises(InvalidObjectHandle):
            session.object_info(first.handle)


@pytest.mark.parametrize("as_thumbnail", [False, True])
def test_picture_that_goes_while_it_is_read_is_an_error_of_its_own(as_thumbnail: bool) -> None:
    with camera_of("a7m4", objects=2, size=8 << 20) as camera, session_with(camera) as session:
        first, second = session.objects()
        pieces = session.stream(first)
        next(pieces)
        camera.delete(camera.store.find(first.path))
        session.link.poll()
        with pytest.raises(InvalidObjectHandle):
            session.thumbnail(first) if as_thumbnail else list(pieces)
        if as_thumbnail:
            found = dict(session.thumbnails([first, second]))
            assert isinstance(found[first.handle], InvalidObjectHandle)
            assert isinstance(found[second.handle], bytes)
        assert 0 not in {parameters[0] for _, parameters in asked(camera, 0x923D, 0x923E)}
        assert len(session.objects()) == 1


def test_thumbnail_is_read_of_a_picture_that_was_not_listed_again() -> None:
    with camera_of("a7m4", objects=1) as camera:
        with session_with(camera) as session:
            (handle,) = [info.handle for info in session.objects()]
        with session_with(camera) as session:
            assert session.thumbnail(handle)
            assert len(asked(camera, 0x923E)) == 1


def test_list_that_is_renewed_while_it_is_read_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ptpfast.vendors.sony import card

    times = iter([1, 2, *[3] * 100])
    monkeypatch.setattr(contentlists, "PAGE", 2)
    encode = card.encode_contents
    monkeypatch.setattr(
        card, "encode_contents", lambda listed: encode(replace(listed, data_time=next(times)))
    )
    with camera_of("a7m4", objects=9, size=10) as camera, session_with(camera) as session:
        assert len(session.objects()) == 9


def test_list_that_is_renewed_during_a_download_gives_no_wrong_file(tmp_path: Path) -> None:
    with camera_of("a7m4", objects=6, size=5 << 20) as camera, session_with(camera) as session:
        third = session.objects()[2]
        stored = camera.store.find(third.path)
        renewed = False

        def renew(received: int, _: int | None) -> None:
            nonlocal renewed
            if received > 2 << 20 and not renewed:
                renewed = True
                state_of(camera).renew_lists(2)  # so each id names the picture before

        path = tmp_path / third.name
        with pytest.raises(TransferError, match="renewed its list"):
            session.download(third, path, progress=renew)
        assert not path.exists()
        session.download(third, path)
        assert path.read_bytes() == content_of(camera, stored)


def test_list_renewed_on_a_body_without_its_time_gives_no_wrong_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = sdio.parse_properties
    regenerated = {SonyProperty.ContentList1Regenerated, SonyProperty.ContentList2Regenerated}

    def parsed(payload: bytes | bytearray) -> dict[int, Any]:
        return {code: each for code, each in parse(payload).items() if code not in regenerated}

    monkeypatch.setattr(sdio, "parse_properties", parsed)
    with camera_of("a7m4", objects=6) as camera, session_with(camera) as session:
        third = session.objects()[2]
        session.download(third, tmp_path / "before")
        path = tmp_path / third.name
        with pytest.raises(TransferError, match="renewed its list"):
            session.download(third, path, progress=lambda *_: state_of(camera).renew_lists(2))
        assert not path.exists()
        session.download(third, path)
        assert path.read_bytes() == (tmp_path / "before").read_bytes()


def test_list_that_is_renewed_during_a_read_is_an_error() -> None:
    with camera_of("a7m4", objects=6) as camera, session_with(camera) as session:
        third = session.objects()[2]
        dialect: Any = session.link.dialect
        ask = dialect._data_parameters

        def renewed(*given: int) -> tuple[int, ...]:
            parameters: tuple[int, ...] = ask(*given)
            state_of(camera).renew_lists(2)
            return parameters

        dialect._data_parameters = renewed
        with pytest.raises(TransferError, match="renewed its list"):
            session.read(third)
        dialect._data_parameters = ask
        assert session.read(third) == content_of(camera, camera.store.find(third.path))


def test_list_that_is_renewed_while_disconnected_keeps_the_handles(tmp_path: Path) -> None:
    with camera_of("a7m4", objects=4) as camera, session_with(camera) as session:
        objects = session.objects()
        state_of(camera).renew_lists(2)
        camera.drop_connections()
        with pytest.raises(ptpfast.NetworkError):
            session.read(objects[0])
        session.reconnect()
        for info in objects:
            assert session.read(info) == content_of(camera, camera.store.find(info.path))


@pytest.mark.parametrize("counted", [True, False])
def test_capture_times_of_both_forms_begin_a_session(counted: bool) -> None:
    with camera_of("a7m4") as camera:
        with session_with(camera):
            state_of(camera).profile.counted_times = counted
        with session_with(camera) as session:
            dialect: Any = session.link.dialect
            assert dialect._newest[1] > 0


def test_hostile_sizes_in_a_content_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from ptpfast.vendors.sony import card

    encode = card.encode_contents

    def lie(listed: Any) -> bytes:
        for content in listed.contents:
            for file in content.files:
                file.size, file.path = (1 << 64) - 1, "../" * 60 + "x" * 3000
        return encode(listed)

    monkeypatch.setattr(card, "encode_contents", lie)
    with camera_of("a7m4", objects=2, size=10) as camera, session_with(camera) as session:
        table = session.objects()
        assert len(table) == 0
        assert table.failures


def test_more_files_than_a_card_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contentlists, "MOST_FILES", 5)
    with (
        camera_of("a7m4", objects=6, size=10) as camera,
        session_with(camera) as session,
        pytest.raises(ProtocolError, match="more than 5 files"),
    ):
        session.handles(0x00010001)


def test_page_of_too_many_bytes_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contentlists, "MOST_OF_ONE", 2)
    with (
        camera_of("a7m4", objects=6, size=10) as camera,
        session_with(camera) as session,
        pytest.raises(ProtocolError),
    ):
        session.handles(0x00010001)


def test_events_of_slots_that_no_body_has_are_ignored() -> None:
    with camera_of("a7m4", objects=1, size=10) as camera, session_with(camera) as session:
        dialect: Any = session.link.dialect
        for number in range(3, 1000):
            assert dialect.meaning(SonyEvent.ContentInfoListChanged, (number, 1)) == []
            assert dialect.meaning(SonyEvent.DeleteResult, (1, number, 1)) == []
        assert dialect._changed == {}
        assert dialect._deletions._awaited == {}


def test_new_pictures_are_reported_after_a_poll_that_found_the_camera_busy() -> None:
    with camera_of("a7m4", objects=1, size=10) as camera, session_with(camera) as session:
        session.objects()
        dialect: Any = session.link.dialect
        page, refusals = dialect._page, [1]

        def busy_once(*given: int) -> Any:
            if refusals:
                refusals.pop()
                raise DeviceBusy(ResponseCode.DeviceBusy, SonyOperation.GetContentInfoList)
            return page(*given)

        dialect._page = busy_once
        dialect.meaning(SonyEvent.ContentInfoListChanged, (1, 2))
        with pytest.raises(DeviceBusy):
            dialect.poll()
        assert dialect._changed == {1: True}
        handles = camera.capture()
        added = [event for event in dialect.poll() if event[0] == EventCode.ObjectAdded]
        assert len(added) == len(handles)


def test_new_picture_is_reported_also_if_its_event_is_lost() -> None:
    with camera_of("a7m4", objects=1, size=10) as camera, session_with(camera) as session:
        session.objects()
        dialect: Any = session.link.dialect
        session.link.hub.meaning = lambda _code, _parameters: []
        dialect.poll()
        handles = camera.capture()
        added = [event for event in dialect.poll() if event[0] == EventCode.ObjectAdded]
        assert len(added) == len(handles) > 0


def test_picture_shot_between_two_pulls_is_downloaded_once(tmp_path: Path) -> None:
    with camera_of("a7m4", objects=2) as camera:
        there = f"{camera.host}:{camera.port}"
        assert ptpfast.pull(there, tmp_path).downloaded == 2
        handles = camera.capture()
        second = ptpfast.pull(there, tmp_path)
        assert (second.downloaded, second.skipped) == (len(handles), 2)
        assert ptpfast.pull(there, tmp_path).downloaded == 0
        reads = [parameters[:2] for _, parameters in asked(camera, 0x923D)]
        assert len(reads) == len(set(reads)) == 2 + len(handles)


# Deleting


def test_content_of_one_file_is_deleted_when_its_result_has_come() -> None:
    with camera_of("a7m4", store=single_files()) as camera, session_with(camera) as session:
        first, second = session.objects()
        session.delete(first)
        session.delete(second)
        assert camera.store.files() == []
        assert [parameters[1] for _, parameters in asked(camera, 0x9250)] == [1, 1]
        assert session.objects().names == []


def test_file_whose_content_has_another_is_never_deleted() -> None:
    with camera_of("a7m4", objects=2) as camera, session_with(camera) as session:
        for info in session.objects():
            with pytest.raises(Unsupported, match="would delete"):
                session.delete(info)
        assert len(camera.store.files()) == 2
        assert asked(camera, 0x9250) == []


def test_protected_content_stays_and_that_is_an_error() -> None:
    store = single_files(1)
    store.replace(store.files()[0].handle, protected=True)
    with camera_of("a7m4", store=store) as camera, session_with(camera) as session:
        (info,) = session.objects()
        assert info.protected
        with pytest.raises(TransferError, match="still lists"):
            session.delete(info)
        assert len(camera.store.files()) == 1
