"""Canon EOS: the operations on the wire and their order, the camera's memory, strict bodies."""

import contextlib
import dataclasses
import errno

import pytest

import ptpfast
from conftest import HASTY
from ptpfast import EventCode, Unsupported, vendors
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.ptp.datasets import DeviceInfo
from ptpfast.ptp.errors import (
    InitFailed,
    InvalidObjectHandle,
    ProtocolError,
    PTPError,
    StoreFull,
)
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.transfer.download import Download
from ptpfast.vendors.canon import body as canon_body
from ptpfast.vendors.canon import records, remote, watching
from ptpfast.vendors.canon.codes import CanonEvent, CanonProperty, CanonResponse
from ptpfast.vendors.canon.codes import CanonOperation as Eos
from ptpfast.vendors.canon.datasets import encode_setting
from ptpfast.vendors.dialect import IN_MEMORY
from raw_initiator import GUID, Initiator

SIZE = 3 << 20
BODIES = [name for name, vendor in vendors.BODIES.items() if vendor == "canon"]
END = bytes.fromhex("08000000 00000000")
MODES = {"canon-r6m2": 1, "canon-80d": 1, "canon-m50": 0x15}


def camera_of(body="canon-r6m2", **options):
    options = {"objects": 4, "size": 1000, **options}
    return SimulatedCamera(body=body, **options)


def r5_mark_ii(**options):
    vendor = dataclasses.replace(vendors.named("canon"), body=canon_body.R5_MARK_II)
    return SimulatedCamera(vendor, **{"objects": 4, "size": 1000, **options})


def session_with(camera, role="download", **options):
    return ptpfast.connect(camera.host, port=camera.port, role=role, **options)


@contextlib.contextmanager
def connected(body="canon-r6m2", role="download", **options):
    with camera_of(body, **options) as camera, session_with(camera, role) as session:
        yield camera, session


def requests(camera, *without):
    """Operations and parameters so far."""
    return [
        (entry.operation, *entry.parameters)
        for entry in camera.log
        if entry.operation not in without
    ]


def expected(camera, handle):
    content = camera.store.expected(handle)
    return b"".join(content.spans(0, content.size))


@pytest.fixture(params=BODIES)
def body(request):
    return request.param


# Download


def test_reading_needs_events_and_no_remote_mode(body):
    with camera_of(body) as camera:
        with session_with(camera) as session:
            assert len(session.objects()) == 4
        log = requests(camera)
    assert log[:4] == [(Op.GetDeviceInfo,), (Op.OpenSession, 1), (Eos.SetEventMode, 1), (0x9116,)]
    assert log[-2:] == [(Eos.SetEventMode, 0), (Op.CloseSession,)]
    assert Eos.SetRemoteMode not in {entry[0] for entry in log}
    assert Eos.GetDeviceInfoEx not in {entry[0] for entry in log}


def test_folders_are_listed_in_the_body_s_own_way(body):
    with connected(body, objects=60) as (camera, session):
        listed = {info.path: info for info in session.objects()}
        assert len(listed) == 60
        for stored in camera.store.files():
            info = listed[camera.store.path(stored.handle)]
            assert (info.size, info.captured) == (stored.size, stored.captured)
        asked = [entry for entry in requests(camera) if entry[0] == Eos.GetObjectInfoEx]
        assert asked[0] == (Eos.GetObjectInfoEx, 0x10001, 0xFFFFFFFF, 0x00100000)
        assert len(asked) == 3  # the root and two folders
        assert camera.operations[Op.GetObjectInfo] < 10


def test_names_that_do_not_fit_into_a_listing_are_asked_for():
    with camera_of(objects=60) as camera:
        folder = camera.store.find("DCIM/100CANON")
        camera.store.add("A name of more than sixteen characters.JPG", 10, parent=folder)
        camera.store.add("ÄÖÜ.JPG", 10, parent=folder)
        with session_with(camera) as session:
            names = {info.name for info in session.objects()}
    assert {"A name of more than sixteen characters.JPG", "ÄÖÜ.JPG"} <= names
    assert len(names) == 62


def test_body_without_that_listing_is_listed_object_by_object():
    with r5_mark_ii(objects=60) as camera, session_with(camera) as session:
        assert len(session.objects()) == 60
        assert camera.operations[Op.GetObjectInfo] >= 60


def test_files_are_read_in_pieces_of_at_most_one_mebibyte(body):
    with connected(body, objects=2, size=SIZE) as (camera, session):
        for info in session.objects():
            assert session.read(info) == expected(camera, info.handle)
        pieces = [entry for entry in requests(camera) if entry[0] == Op.GetPartialObject]
        assert camera.operations[Op.GetObject] == 0
        assert max(entry[3] for entry in pieces) == 1 << 20


def test_without_the_standard_s_partial_read_the_body_s_own_is_used():
    with connected(objects=1, size=SIZE, withheld=[Op.GetPartialObject]) as (camera, session):
        (info,) = session.objects()
        assert session.read(info) == expected(camera, info.handle)
        assert camera.operations[Eos.GetPartialObjectEOS] > 1


def test_size_above_4_gib_is_known_from_the_record_of_the_new_object():
    size = (4 << 30) + 12_345
    with connected() as (camera, session):
        large = camera.store.add("MVI_0001.MP4", size)
        assert session.object_info(large).size is None
        camera.push_event(EventCode.ObjectAdded, large)
        session.link.poll()
        info = session.object_info(large)
        assert info.size == size
        piece = bytearray(1000)
        assert session.read_into(info, piece, offset=(1 << 32) - 1000, size=1000) == 1000
        spans = camera.store.expected(large).spans((1 << 32) - 1000, 1000)
        assert piece == b"".join(spans)


def test_object_of_unknown_size_is_read_and_downloaded_whole(tmp_path):
    faults = ["object_size=4294967295 on GetObjectInfo times 0"]
    with connected(objects=2, size=SIZE, faults=faults) as (camera, session):
        for info in session.objects():
            assert info.size is None
            data = expected(camera, info.handle)
            assert session.read(info) == data
            session.download(info, tmp_path / info.name)
            assert (tmp_path / info.name).read_bytes() == data
        assert camera.operations[Op.GetObject] > 0


# Events


def events_of(session, count):
    found = []
    for event in session.events(timeout=1):
        found.append((event.code, event.parameters))
        if len(found) == count:
            break
    return found


def test_picture_taken_with_the_button_is_reported_in_the_standard_s_codes(body):
    with connected(body) as (camera, session):
        raw, jpeg = camera.capture()
        found = events_of(session, 8)
        storage = (EventCode.StorageInfoChanged, (0x10001,))
        assert found == [
            (CanonEvent.CameraStatusChanged, (1,)),
            (EventCode.ObjectAdded, (raw,)),
            storage,
            storage,
            (EventCode.ObjectAdded, (jpeg,)),
            storage,
            storage,
            (CanonEvent.CameraStatusChanged, (0,)),
        ]
        assert events_of(session, 1) == [(EventCode.CaptureComplete, ())]


def test_deleted_object_and_unknown_records_are_reported():
    with connected() as (camera, session):
        gone = camera.store.files()[0].handle
        camera.delete(gone)
        camera.push_event(0xC1F6, 3)
        camera.push_event(0x1_2345, *range(9))
        assert events_of(session, 3) == [
            (EventCode.ObjectRemoved, (gone,)),
            (0xC1F6, (3,)),
            (0x1_2345, (0, 1, 2, 3, 4)),
        ]


def test_first_lists_of_a_session_are_not_news_but_new_pictures_in_them_are():
    with connected() as (camera, session):
        assert events_of(session, 1) == []
        (raw, jpeg) = camera.capture()
        camera.body.state["eos"].tell(CanonProperty.ISOSpeed)
        session.link.dialect.settle()
        assert events_of(session, 3) == [
            (EventCode.ObjectAdded, (raw,)),
            (EventCode.ObjectAdded, (jpeg,)),
        ]


def test_property_that_the_owner_changes_is_reported_once():
    with connected() as (camera, session):
        eos = camera.body.state["eos"]
        eos.change(CanonProperty.ISOSpeed, (0x50).to_bytes(4, "little"))
        eos.change(CanonProperty.ISOSpeed, (0x58).to_bytes(4, "little"))
        assert events_of(session, 1) == [(EventCode.DevicePropChanged, (CanonProperty.ISOSpeed,))]
        assert session.property(CanonProperty.ISOSpeed) == 0x58
        assert session.property_desc(CanonProperty.ISOSpeed).form[0] == 0


def test_events_before_damage_in_a_list_are_not_lost():
    with connected() as (camera, session):
        handle = camera.store.files()[0].handle
        camera.delete(handle)
        camera.push_event(0xC1F6, 3)
        camera.faults.add("cut_data=20 on 0x9116")
        found = session.link.hub.subscribe()
        with pytest.raises(ProtocolError, match="GetEvent"):
            session.link.poll()
        event = found.get(0)
        assert (event.code, event.parameters) == (EventCode.ObjectRemoved, (handle,))
        assert session.storage_ids()  # the session goes on


def test_damaged_first_list_does_not_keep_a_session_from_beginning(caplog):
    with connected(faults=["cut_data=30 on 0x9116"]) as (camera, session):
        assert "some events may be missing" in caplog.text
        handle = camera.store.files()[0].handle
        camera.delete(handle)
        assert events_of(session, 1) == [(EventCode.ObjectRemoved, (handle,))]


def test_body_that_refuses_events_can_be_read_all_the_same():
    with connected(faults=["respond=0x2005 on 0x9115 times 0"]) as (camera, session):
        assert len(session.objects()) == 4
        assert camera.operations[Eos.GetEvent] == 0
        assert not session.link.dialect.polls


def test_body_is_kept_awake_while_its_events_are_polled(monkeypatch):
    with connected() as (camera, session):
        session.link.poll()
        assert camera.operations[Eos.KeepDeviceOn] == 0
        monkeypatch.setattr(watching, "STAY_AWAKE_S", 0.0)
        session.link.poll()
        assert camera.operations[Eos.KeepDeviceOn] == 1
        session.link.dialect.keep_awake()
        assert camera.operations[Eos.KeepDeviceOn] == 2


def test_body_that_announces_to_switch_off_is_kept_awake_at_once():
    with connected() as (camera, session):
        camera.push_event(CanonEvent.WillSoonShutdown, 10)
        session.link.poll()
        session.link.poll()
        assert camera.operations[Eos.KeepDeviceOn] == 1


# The owner's approval


def test_unknown_computer_waits_until_the_owner_presses_ok():
    told: list[PTPError] = []
    waits = dataclasses.replace(HASTY, approval=20)
    with camera_of(approval="unknown") as camera:

        def press_ok(error: PTPError) -> None:
            told.append(error)
            camera.approvals.approve(GUID, "test")

        computer = {"guid": GUID, "name": "test", "timeouts": waits}
        with session_with(camera, **computer, waiting=press_ok) as session:
            assert session.storage_ids()
        assert len(told) == 1
        assert "accept it there" in told[0].message
        with session_with(camera, guid=GUID, name="test") as session:  # known from now on
            assert session.storage_ids()


def test_rejected_computer_is_refused():
    with (
        camera_of(approval="rejected") as camera,
        pytest.raises(InitFailed, match="not registered"),
    ):
        session_with(camera)


# Remote control


PREPARED = [
    (Eos.SetEventMode, 1),
    (Eos.SetRequestOLCInfoGroup, 0x1FFF),
    (Eos.RequestDevicePropValue, CanonProperty.Owner),
    (Eos.RequestDevicePropValue, CanonProperty.Artist),
    (Eos.RequestDevicePropValue, CanonProperty.Copyright),
    (Eos.RequestDevicePropValue, CanonProperty.SerialNumber),
    (Eos.GetDeviceInfoEx,),
]
ASKED = [(Op.GetDeviceInfo,), (Eos.GetStorageIDsEx,), (Eos.GetStorageInfoEx, 0x10001)]
ROOM = (Eos.PCHDDCapacity, 0x0FFFFFFF, 0x1000, 1)
LEFT = [
    (Eos.SetRemoteMode, 0),
    (Eos.SetRemoteMode, 1),
    (Eos.SetEventMode, 0),
    (Eos.SetRemoteMode, 1),
]
CARD_FIRST = [(Op.GetStorageIDs,)]
BETWEEN = {
    "canon-r6m2": ([ROOM], []),
    "canon-80d": (CARD_FIRST, []),
    "canon-m50": (CARD_FIRST, [(Eos.SetEventMode, 2), (Eos.SetDevicePropValueEx,)]),
}
LEAVING = {
    "canon-r6m2": ([(Eos.AfCancel,)], [(Eos.SetModeDialDisable, 0)]),
    "canon-80d": ([(Eos.AfCancel,)], []),
    "canon-m50": ([(Eos.AfCancel,), (Eos.SetDevicePropValueEx,)], []),
}


def test_remote_control_is_prepared_and_left_in_the_order_of_libgphoto2(body):
    with camera_of(body) as camera:
        with session_with(camera, "remote"):
            pass
        log = requests(camera, Eos.GetEvent)
    prepared = [(Eos.SetRemoteMode, MODES[body]), *PREPARED]
    between, after = BETWEEN[body]
    before, last = LEAVING[body]
    assert log == [
        (Op.GetDeviceInfo,),
        (Op.OpenSession, 1),
        *prepared,
        *between,
        *ASKED,
        *after,
        *before,
        *LEFT,
        *last,
        (Op.CloseSession,),
    ]


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        ("Canon EOS R5", 1),
        ("Canon EOS 6D", 1),
        ("Canon EOS M3", 0x15),
        ("Canon EOS M6 Mark II", 1),
        ("Canon EOS M50m2", 0x15),
        ("Canon PowerShot G5 X", 0x11),
        ("Canon PowerShot SX720 HS", 0x11),
        ("Canon PowerShot G9 X Mark II", 0x15),
    ],
)
def test_mode_of_remote_control_depends_on_the_model(model, mode):
    assert remote.mode_of(DeviceInfo(model=model)) == mode


@pytest.mark.parametrize(
    ("model", "version", "hangs"),
    [
        ("Canon EOS R5m2", "3-1.0.0", True),
        ("Canon EOS R5m2", "3-1.0.1", True),
        ("Canon EOS R5m2", "3-1.0.2", False),
        ("Canon EOS R5m2", "3-1.1.0", False),
        ("Canon EOS R6m2", "3-1.0.1", False),
    ],
)
def test_operation_that_hangs_a_firmware_is_not_sent_to_it(model, version, hangs):
    info = DeviceInfo(model=model, device_version=version)
    assert remote.hangs_at_device_info_ex(info) == hangs


def test_r5_mark_ii_is_prepared_without_the_operation_that_hangs_it():
    with r5_mark_ii() as camera, session_with(camera, "remote") as session:
        assert camera.operations[Eos.GetDeviceInfoEx] == 0
        info = session.capture()
        assert info.name.endswith(".CR3")
        assert session.read(info) == expected(camera, info.handle)


def test_body_without_remote_control_says_what_to_choose():
    with camera_of(withheld=[Eos.SetRemoteMode]) as camera:
        with pytest.raises(Unsupported, match="EOS Utility"):
            session_with(camera, "remote")
        assert camera.wait_for(lambda: camera.sessions_closed == 1)


def test_session_for_reading_takes_no_pictures_and_says_how(body):
    with connected(body) as (camera, session):
        with pytest.raises(Unsupported, match="role='remote'"):
            session.capture()
        with pytest.raises(Unsupported, match="role='remote'"):
            next(session.live_view())
        assert len(camera.store.files()) == 4


def test_shutter_is_pressed_and_let_go_as_the_model_needs(body):
    with connected(body, "remote") as (camera, session):
        assert session.capture().is_raw
        shutter = (Eos.RemoteReleaseOn, Eos.RemoteReleaseOff, Eos.RemoteRelease)
        presses = [entry for entry in requests(camera) if entry[0] in shutter]
    half_and_full = [(0x9128, 1, 0), (0x9128, 2, 0), (0x9129, 2), (0x9129, 1)]
    both = [(0x9128, 3, 0), (0x9129, 3)]
    assert presses == (both if body == "canon-m50" else half_and_full)


def test_old_body_releases_with_one_operation():
    without = [Eos.RemoteReleaseOn, Eos.RemoteReleaseOff]
    with connected("canon-80d", "remote", withheld=without) as (camera, session):
        info = session.capture()
        assert info.is_raw
        assert camera.operations[Eos.RemoteRelease] == 1


@pytest.mark.parametrize(
    ("result", "said"),
    [(1, "focus"), (3, "mirror"), (7, "full"), (8, "write-protected"), (99, "result 99")],
)
def test_result_of_a_release_that_took_no_picture_is_told_in_words(result, said):
    remote.check_result(())
    remote.check_result((0,))
    with pytest.raises(PTPError, match=said):
        remote.check_result((result,))


def test_button_is_let_go_when_the_release_is_refused():
    faults = ["respond=0x2002 on 0x9128 at 2"]
    with connected("canon-80d", "remote", faults=faults) as (camera, session):
        with pytest.raises(ptpfast.ResponseError):
            session.capture()
        assert requests(camera)[-1] == (0x9129, 1)
        assert session.capture() is not None


def test_full_card_is_an_error_of_the_capture():
    store = Store(model=vendors.with_body("canon-80d").model)
    store.capacity = 10
    with (
        SimulatedCamera(body="canon-80d", store=store, size=1000) as camera,
        session_with(camera, "remote") as session,
        pytest.raises(StoreFull),
    ):
        session.capture()


def test_next_picture_waits_until_the_last_one_is_written():
    with connected("canon-80d", "remote", busy_s=0.4) as (camera, session):
        first, second = session.capture(), session.capture()
        assert first.handle != second.handle
        refused = [e for e in camera.log if e.operation == 0x9128 and e.response != Code.OK]
        assert refused == []


# The camera's memory


def test_picture_in_the_camera_s_memory_is_freed_before_the_next_release():
    with connected(role="remote", size=SIZE) as (camera, session):
        first = session.capture()
        data = expected(camera, first.handle)
        assert session.read(first) == data
        assert session.read(first) == data  # it stays, should the disk fail
        assert camera.operations[Eos.TransferComplete] == 0
        second = session.capture()
        assert (Eos.TransferComplete, first.handle) in requests(camera)
        with pytest.raises(InvalidObjectHandle):
            session.read(first)
        assert session.read(second) == expected(camera, second.handle)
        assert len(camera.store.files()) == 4  # nothing went to the card


def test_picture_in_memory_is_freed_at_the_end_of_the_session():
    with camera_of() as camera:
        with session_with(camera, "remote") as session:
            info = session.capture()
            session.read(info)
        log = requests(camera)
    freed = log.index((Eos.TransferComplete, info.handle))
    assert freed < log.index((Eos.AfCancel,)) < log.index((Op.CloseSession,))


def test_picture_in_memory_is_freed_some_seconds_after_it_was_read(monkeypatch):
    with connected(role="remote") as (camera, session):
        info = session.capture()
        session.read(info)
        monkeypatch.setattr(watching, "FREE_AFTER_S", 0.0)
        session.link.poll()
        assert (Eos.TransferComplete, info.handle) in requests(camera)
        assert info.handle not in session.link.dialect.news.memory


def test_picture_in_memory_that_was_not_read_whole_is_kept(monkeypatch, caplog):
    monkeypatch.setattr(watching, "FREE_AFTER_S", 0.0)
    with camera_of(size=SIZE) as camera:
        with session_with(camera, "remote") as session:
            info = session.capture()
            session.read_into(info, bytearray(1000), size=1000)
            session.link.poll()
            camera.faults.add("respond=0x2002 on GetPartialObject times 0")
            with pytest.raises(PTPError):
                session.read(info)
            session.link.poll()
        assert camera.operations[Eos.TransferComplete] == 0
        assert camera.store.get(info.handle) is not None
    assert "2 pictures were not fetched" in caplog.text


def test_pictures_in_memory_are_downloaded_into_files(tmp_path):
    with connected(role="remote", size=SIZE) as (camera, session):
        info = session.capture()
        data = expected(camera, info.handle)
        session.download(info, tmp_path / info.name)
        assert (tmp_path / info.name).read_bytes() == data


def test_both_files_of_a_shot_in_memory_are_listed_pulled_and_freed(tmp_path):
    with camera_of() as camera:
        with session_with(camera, "remote") as session:
            session.capture()
            in_memory = list(session.link.dialect.news.memory)
            names = {handle: session.object_info(handle).name for handle in in_memory}
            assert len({name.rpartition(".")[0] for name in names.values()}) == 1 < len(names)
            data = {names[handle]: expected(camera, handle) for handle in in_memory}
            listed = {info.handle: info for info in session.objects()}
            for handle, name in names.items():
                assert (listed[handle].path, listed[handle].name) == (name, name)
            assert listed.keys() - names.keys() == {each.handle for each in camera.store.files()}
            assert ptpfast.pull(session, tmp_path, include=list(data)).ok
        freed = {each[1] for each in requests(camera) if each[0] == Eos.TransferComplete}
        assert freed == set(in_memory)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == data


def test_memory_is_no_storage_without_a_picture_or_where_the_cards_are_not_told():
    with connected(role="remote") as (camera, session):
        cards = session.storage_ids()
        assert IN_MEMORY not in cards
        session.capture()
        assert session.storage_ids() == [*cards, IN_MEMORY]
        assert {info.storage_id for info in session.objects(storage=IN_MEMORY)} == {IN_MEMORY}
        camera.faults.add("cut_data=2 on GetStorageIDs")
        assert session.storage_ids() == cards


def test_picture_in_memory_is_not_deleted_as_one_of_a_card():
    with connected(role="remote") as (_, session):
        info = session.capture()
        assert session.link.dialect.undeletable(info.handle) == "it is in the camera's memory"
        assert session.link.dialect.undeletable(session.objects()[0].handle) == ""


def test_picture_in_memory_whose_file_is_not_stored_is_kept(tmp_path, monkeypatch):
    def fail(_):
        raise ptpfast.SinkError("no space", errno=errno.ENOSPC)

    with camera_of() as camera:
        with session_with(camera, "remote") as session:
            info = session.capture()
            with monkeypatch.context() as patched:
                patched.setattr(Download, "_flush", fail)
                with pytest.raises(ptpfast.SinkError):
                    session.download(info, tmp_path / info.name)
        assert camera.operations[Eos.TransferComplete] == 0
        assert camera.store.get(info.handle) is not None


def test_picture_in_memory_is_freed_once_its_file_is_stored(tmp_path):
    with camera_of() as camera:
        with session_with(camera, "remote") as session:
            info = session.capture()
            session.download(info, tmp_path / info.name)
            assert info.handle in session.link.dialect.fetched
        assert (Eos.TransferComplete, info.handle) in requests(camera)


def test_pull_tells_the_dialect_of_each_file_that_is_stored(tmp_path, monkeypatch):
    with connected() as (_, session):
        stored, finish = [], Download.finish

        def failing(download):
            if download._info.handle == unlucky:
                raise ptpfast.TransferError("not what was sent")
            return finish(download)

        monkeypatch.setattr(session.link.dialect, "stored", stored.append)
        monkeypatch.setattr(Download, "finish", failing)
        handles = [info.handle for info in session.objects()]
        unlucky = handles[1]
        report = ptpfast.pull(session, tmp_path)
        assert len(report.having("failed")) == 1
        assert sorted(stored) == sorted({*handles} - {unlucky})


def test_picture_in_memory_is_not_freed_for_one_from_before_a_reconnect():
    with connected(role="remote") as (_, session):
        info = session.capture()
        session.read(info)
        dialect = session.link.dialect
        assert info.handle in dialect.fetched
        session.reconnect()
        dialect.stored(info.handle)
        assert info.handle not in dialect.fetched


def test_memory_is_busy_once_and_freed_at_the_next_chance(monkeypatch):
    monkeypatch.setattr(watching, "FREE_AFTER_S", 0.0)
    with connected(role="remote") as (camera, session):
        info = session.capture()
        session.read(info)
        camera.faults.add("busy on 0x9117")
        session.link.poll()
        assert camera.store.get(info.handle) is not None
        session.link.poll()
        assert camera.store.get(info.handle) is None


def test_object_that_cannot_be_described_is_described_by_its_record():
    with connected(role="remote", faults=["respond=0x2009 on GetObjectInfo times 0"]) as (
        camera,
        session,
    ):
        info = session.capture()
        assert (info.name, info.size) == (f"IMG_{info.handle:08X}.CR3", 1000)
        assert session.read(info) == expected(camera, info.handle)


def test_destination_is_set_once_and_given_back():
    with camera_of("canon-80d") as camera:
        with session_with(camera, "remote") as session:
            session.set_property(CanonProperty.CaptureDestination, 4)
            session.set_property(CanonProperty.CaptureDestination, 4)
            assert session.property(CanonProperty.AvailableShots) > 0
            info = session.capture()
            assert len(camera.store.files()) == 4  # it is not on the card
            assert session.read(info) == expected(camera, info.handle)
        eos = camera.body.state["eos"]
        assert eos.number(CanonProperty.CaptureDestination) == 2
        sent = [entry for entry in requests(camera) if entry[0] == Eos.SetDevicePropValueEx]
        assert len(sent) == 2
        assert ROOM in requests(camera)


def test_without_a_card_pictures_go_to_this_computer():
    store = Store(model=vendors.with_body("canon-80d").model, storages=0, empty_slots=1)
    with SimulatedCamera(body="canon-80d", store=store) as camera:
        with session_with(camera, "remote") as session:
            eos = camera.body.state["eos"]
            assert session.property(CanonProperty.CaptureDestination) == 4
            assert eos.has_room
        assert eos.number(CanonProperty.CaptureDestination) == 2


# Live view


OUTPUTS = {"canon-r6m2": (3, 1), "canon-80d": (2, 0), "canon-m50": (8, 8)}


def test_live_view_is_shown_where_the_model_needs_it_and_switched_off(body):
    shown, after = OUTPUTS[body]
    with connected(body, "remote") as (camera, session):
        eos = camera.body.state["eos"]
        with contextlib.closing(session.live_view()) as frames:
            first, second = next(frames), next(frames)
            assert eos.number(CanonProperty.EVFOutputDevice) == shown
        assert first != second
        assert {first[:2], second[:2]} == {b"\xff\xd8"}
        assert eos.number(CanonProperty.EVFOutputDevice) == after
        assert session.capture() is not None


def test_frame_that_is_not_ready_is_asked_for_again():
    faults = ["respond=0xA102 on 0x9153 times 3", "busy on 0x9153 at 5 times 2"]
    with connected("canon-80d", "remote", faults=faults) as (camera, session):
        with contextlib.closing(session.live_view()) as frames:
            assert next(frames).startswith(b"\xff\xd8")
        assert camera.operations[Eos.GetViewFinderData] >= 4


def test_body_that_never_has_a_frame_is_an_error_and_the_session_goes_on(monkeypatch):
    monkeypatch.setattr(remote, "FRAME_S", 0.1)
    faults = ["respond=0xA102 on 0x9153 times 0"]
    with connected("canon-80d", "remote", faults=faults) as (camera, session):
        with pytest.raises(ptpfast.DeviceBusy, match="ObjectNotReady"):
            next(session.live_view())
        eos = camera.body.state["eos"]
        assert eos.number(CanonProperty.EVFOutputDevice) & 2 == 0
        assert session.capture() is not None


def test_body_that_needs_its_display_for_live_view_gets_it(monkeypatch):
    monkeypatch.setattr(remote, "FRAME_S", 0.1)
    with camera_of("canon-80d") as camera:
        profile = canon_body.Profile(shows=(3,))
        camera.body.state["eos"] = canon_body.Eos(profile)
        with session_with(camera, "remote") as session:
            with contextlib.closing(session.live_view()) as frames:
                assert next(frames).startswith(b"\xff\xd8")
            assert session.property(CanonProperty.EVFOutputDevice) == 1


# Model, offered outputs, the one before, and the ones with live view and after it.
@pytest.mark.parametrize(
    ("name", "offered", "before", "shown", "after"),
    [
        ("canon-80d", (0, 1, 2), 0, 2, 0),
        ("canon-80d", (0, 1, 2), 1, 2, 1),  # the display is black meanwhile
        ("canon-80d", (0, 1, 2, 3), 1, 3, 1),
        ("canon-r6m2", (0, 2), 0, 2, 0),
        ("canon-r6m2", (1, 2), 1, 2, 1),
        ("canon-r6m2", (0, 1, 2, 3), 0, 3, 1),
    ],
)
def test_live_view_takes_an_output_that_the_body_offers(name, offered, before, shown, after):
    with camera_of(name) as camera:
        profile = canon_body.Profile(outputs=offered, output=before)
        eos = camera.body.state["eos"] = canon_body.Eos(profile)
        with session_with(camera, "remote") as session:
            with contextlib.closing(session.live_view()) as frames:
                assert next(frames).startswith(b"\xff\xd8")
                assert eos.number(CanonProperty.EVFOutputDevice) == shown
            assert eos.number(CanonProperty.EVFOutputDevice) == after


def test_body_whose_display_is_not_offered_is_asked_for_frames_once(monkeypatch):
    frame, asked = remote.Remote._frame, []
    monkeypatch.setattr(remote, "FRAME_S", 0.1)
    monkeypatch.setattr(remote.Remote, "_frame", lambda each: asked.append(1) or frame(each))
    with camera_of("canon-r6m2") as camera:
        profile = canon_body.Profile(outputs=(0, 2), shows=(3,))
        eos = camera.body.state["eos"] = canon_body.Eos(profile)
        with session_with(camera, "remote") as session:
            with pytest.raises(ptpfast.DeviceBusy):
                next(session.live_view())
            assert eos.number(CanonProperty.EVFOutputDevice) == 0
    assert len(asked) == 1  # a second time would be three seconds for nothing


# Properties


def test_property_that_no_event_has_told_is_asked_for():
    with connected() as (camera, session):
        assert CanonProperty.Owner not in session.property_codes()
        assert session.property(CanonProperty.Owner) == ""
        assert (Eos.RequestDevicePropValue, CanonProperty.Owner) in requests(camera)
        session.set_property(CanonProperty.Owner, "Jo")
        assert session.property(CanonProperty.Owner) == "Jo"
        assert camera.body.state["eos"].values[CanonProperty.Owner] == b"Jo\0"


def test_refused_value_is_an_error_and_the_old_one_stays():
    with connected() as (_camera, session):
        before = session.property(CanonProperty.ISOSpeed)
        with pytest.raises(ptpfast.ResponseError, match="InvalidDevicePropValue"):
            session.set_property(CanonProperty.ISOSpeed, 0x77)
        assert session.property(CanonProperty.ISOSpeed) == before


def test_image_format_decides_which_files_a_picture_has():
    with connected("canon-80d", "remote", objects=0) as (camera, session):
        assert len(session.property_desc(CanonProperty.ImageFormat).form) == 3
        session.set_property(CanonProperty.ImageFormat, [1, 16, 1, 0, 3])
        session.capture()
        assert [stored.name for stored in camera.store.files()] == ["IMG_0001.JPG"]


def test_property_of_the_standard_is_described_by_the_standard():
    with connected() as (_camera, session):
        assert session.property_desc(0x5001).current == 87
        with pytest.raises(ptpfast.ResponseError):
            session.property_desc(0xD4FF)


# Strict bodies


def event_list(initiator):
    answer = initiator.ask(Eos.GetEvent)
    assert answer.code == Code.OK
    assert answer.data.endswith(END)
    return list(records.split_records(answer.data))


def test_events_come_by_polling_alone_and_the_first_list_is_large(body):
    with camera_of(body) as camera, Initiator(camera) as initiator:
        assert event_list(initiator) == []
        initiator.ask(Eos.SetEventMode, 1)
        first = event_list(initiator)
        assert {CanonEvent.PropValueChanged, CanonEvent.AvailListChanged} == {
            record.code for record in first
        }
        assert event_list(initiator) == []
        camera.capture()
        added = [record for record in event_list(initiator) if record.code in records.ADDED]
        names = [records.parse_card_object(record).name for record in added]
        assert [name[-3:] for name in names] == ["CR2" if body == "canon-80d" else "CR3", "JPG"]


def test_release_outside_of_remote_mode_or_too_early_is_refused(body):
    with camera_of(body) as camera, Initiator(camera) as initiator:
        refused = CanonResponse.OperationRefused
        assert initiator.ask(Eos.RemoteReleaseOn, 1, 0).code == refused
        assert initiator.ask(Eos.GetViewFinderData, 0x200000).code == refused
        other = 0x15 if MODES[body] == 1 else 1
        initiator.ask(Eos.SetRemoteMode, other)
        assert initiator.ask(Eos.RemoteReleaseOn, 1, 0).code == refused
        initiator.ask(Eos.SetRemoteMode, MODES[body])
        initiator.ask(Eos.SetEventMode, 1)
        assert initiator.ask(Eos.RemoteReleaseOn, 1, 0).code == Code.DeviceBusy
        event_list(initiator)
        assert len(camera.store.files()) == 4


def test_release_for_a_computer_without_room_is_refused():
    with camera_of() as camera, Initiator(camera) as initiator:
        initiator.ask(Eos.SetRemoteMode, 1)
        initiator.ask(Eos.SetEventMode, 1)
        event_list(initiator)
        assert initiator.ask(Eos.RemoteReleaseOn, 2, 0).code == Code.DeviceBusy
        assert initiator.ask(*ROOM).code == Code.OK
        assert initiator.ask(Eos.RemoteReleaseOn, 2, 0).code == Code.OK


def test_equal_destination_is_answered_with_busy(body):
    with camera_of(body) as camera, Initiator(camera) as initiator:
        now = 4 if body == "canon-r6m2" else 2
        for value, code in ((now, Code.DeviceBusy), (6 - now, Code.OK), (6 - now, 0x2019)):
            data = encode_setting(CanonProperty.CaptureDestination, value.to_bytes(4, "little"))
            assert initiator.ask(Eos.SetDevicePropValueEx, data=data).code == code
        data = encode_setting(CanonProperty.CaptureDestination, b"\x09\0\0\0")
        assert initiator.ask(0x9110, data=data).code == Code.InvalidDevicePropValue
        assert initiator.ask(0x9110, data=b"\1").code == Code.InvalidDevicePropFormat
        data = encode_setting(0xD0FF, bytes(4))
        assert initiator.ask(0x9110, data=data).code == Code.DevicePropNotSupported


def test_large_reads_from_an_r_body_s_memory_bring_nothing():
    with camera_of(size=SIZE) as camera, Initiator(camera) as initiator:
        (handle, _) = camera.body.capture(to_memory=True)
        camera.body.state["eos"].memory.add(handle)
        small = initiator.ask(Op.GetPartialObject, handle, 0, 1 << 20)
        assert len(small.data) == 1 << 20
        large = initiator.ask(Op.GetPartialObject, handle, 0, 5 << 20)
        assert (large.code, large.data, large.response.parameters) == (Code.OK, b"", (0,))
        card = camera.store.files()[0].handle
        assert len(initiator.ask(Op.GetPartialObject, card, 0, 5 << 20).data) == SIZE


def test_picture_in_memory_lives_until_transfer_complete():
    with camera_of() as camera, Initiator(camera) as initiator:
        (handle, _) = camera.body.capture(to_memory=True)
        camera.body.state["eos"].memory.add(handle)
        assert handle not in [stored.handle for stored in camera.store.files()]
        assert initiator.ask(Op.GetObjectInfo, handle).code == Code.OK
        assert initiator.ask(Eos.TransferComplete, handle).code == Code.OK
        assert initiator.ask(Op.GetObjectInfo, handle).code == Code.InvalidObjectHandle
        assert initiator.ask(Eos.TransferComplete, handle).code == Code.InvalidObjectHandle


def test_r5_mark_ii_sends_data_and_never_a_response():
    with r5_mark_ii() as camera, Initiator(camera) as initiator:
        initiator.request(Eos.GetDeviceInfoEx)
        packets = [type(initiator.command.receive()).__name__ for _ in range(3)]
        assert packets == ["StartData", "Data", "EndData"]
        initiator.command.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            initiator.command.receive()


def test_r5_mark_ii_reports_with_long_names():
    with r5_mark_ii() as camera, Initiator(camera) as initiator:
        initiator.ask(Eos.SetEventMode, 1)
        event_list(initiator)
        camera.capture()
        codes = {record.code for record in event_list(initiator)}
        assert CanonEvent.ObjectAddedEx64LongName in codes
        assert initiator.ask(0x9109, 0x10001, 0xFFFFFFFF, 0).code == Code.OperationNotSupported


def test_init_of_an_unknown_computer_is_answered_after_the_approval():
    with camera_of(approval="unknown") as camera:
        with pytest.raises(ptpfast.ConnectFailed, match="asks on its display"):
            session_with(camera, guid=GUID, name="test", timeouts=HASTY)
        assert camera.approvals.asking == [(GUID, "test")]
        camera.approvals.approve(GUID, "test")
        with Initiator(camera) as initiator:
            assert initiator.ask(Op.GetStorageIDs).code == Code.OK
