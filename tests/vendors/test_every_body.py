"""What a session can do with each simulated body: one test for each ability, one run for each body.

An ability that a body does not have is a row of `LACKS` with its reason. It is then tested that the
session says so.
"""

import contextlib
import dataclasses

import pytest

import ptpfast
from conftest import PATIENT, without_pauses
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.dialect import ROLES
from ptpfast.vendors.nikon import approval
from ptpfast.vendors.panasonic import panasonic

pytestmark = pytest.mark.matrix  # every ability on every body

SIZE = 3 << 20  # of each file: several pieces, also for bodies that allow 1 MiB

# (body, ability) → the reason why the body does not have it.
LACKS = {
    ("ricoh-theta-m15", "live view"): "it has none over PTP/IP",
    ("ricoh-theta-m15", "partial reads"): "it lists no such operation",
    ("panasonic-bgh1", "settable properties"): "its properties have a form known in part only",
    **{
        (body, "parts over 4 GiB"): "no read that it lists has an offset of 64 bits"
        for body in (
            *("canon-80d", "canon-m50", "canon-r6m2", "fuji-xt2", "fuji-xt4", "nikon-d5300"),
            *("nikon-d7200", "nikon-d850", "panasonic-bgh1", "ricoh-theta-m15", "sony-a7r3"),
        )
    },
}
BODIES = sorted(vendors.BODIES)

OURS = b"sixteen bytes..!"
ASKING = {
    *("canon-80d", "canon-m50", "canon-r6m2", "fuji-xt2", "fuji-xt4", "nikon-z6-3", "nikon-z8"),
    *("nikon-z9", "sony-a7m4", "sony-a7r3", "sony-a7sm3"),
}
# What a role excludes; with the other bodies it makes no difference.
REMOTE_SHOWS_NO_CARD = {"sony-a7m4", "sony-a7r3", "sony-a7sm3"}
DOWNLOAD_TAKES_NO_PICTURES = REMOTE_SHOWS_NO_CARD | {
    *("canon-80d", "canon-m50", "canon-r6m2", "fuji-xt2", "fuji-xt4"),
}

# Requests that keep a body awake: operation, and the parameters that make it this request.
STORAGES, INFO = (0x1004,), (0x1001,)
KEEP_ON = (0x911D,)  # Canon's own
FUJIFILM_NEWS = (0x1015, 0xD212)
NIKON_EVENTS, NIKON_EVENTS_EX = (0x90C7,), (0x941C,)
SONY_CHANGES = (0x9209, 1)
NIKON_DSLRS = ("nikon-d5300", "nikon-d7200", "nikon-d850")
NIKON_ZS = ("nikon-z6", "nikon-z6-3", "nikon-z8", "nikon-z9")
SONYS = ("sony-a7m4", "sony-a7r3", "sony-a7sm3")
# Body → that of its own, where no events are polled.
UNPOLLED = {
    **dict.fromkeys(("canon-80d", "canon-m50", "canon-r6m2"), KEEP_ON),
    **dict.fromkeys(("fuji-xt2", "fuji-xt4"), FUJIFILM_NEWS),
    **dict.fromkeys((*NIKON_DSLRS, *NIKON_ZS), STORAGES),
    **dict.fromkeys(("panasonic-bgh1", "ricoh-theta-m15"), STORAGES),
    **dict.fromkeys(SONYS, INFO),
}
# (body, role) → that of an idle session: the poll of events does it, if there is one.
KEPT_AWAKE_BY = {
    **{(body, role): request for body, request in UNPOLLED.items() for role in ROLES},
    **{(body, role): NIKON_EVENTS for body in NIKON_DSLRS for role in ROLES},
    **{(body, role): NIKON_EVENTS_EX for body in NIKON_ZS for role in ROLES},
    **{(body, "remote"): SONY_CHANGES for body in SONYS},
    ("sony-a7m4", "download"): SONY_CHANGES,
}


ABILITIES_ASKED = ("partial reads", "parts over 4 GiB", "settable properties", "live view")


def lacks(body, ability):
    assert ability in ABILITIES_ASKED
    return (body, ability) in LACKS


def test_what_a_body_lacks_is_an_ability_that_is_tested():
    assert {body for body, _ in LACKS} <= {*BODIES}
    assert {ability for _, ability in LACKS} == {*ABILITIES_ASKED}


def camera_of(body, **options):
    options = {"objects": 4, "size": SIZE, **options}
    return SimulatedCamera(body=body, **options)


def session_with(camera, body, role="download", *, recognises=False, **options):
    vendor = vendors.named(vendors.BODIES[body])
    if (gate := camera.gate_port) is not None:
        vendor = panasonic(description_port=gate, access_port=gate)
    # A transport is recognised by its port, which is another one here.
    recognises = recognises and vendor.transport is vendors.STANDARD.transport
    spoken = None if recognises else without_pauses(vendor)
    return ptpfast.connect(camera.host, port=camera.port, vendor=spoken, role=role, **options)


@contextlib.contextmanager
def connected(body, role="download", **options):
    with camera_of(body, **options) as camera, session_with(camera, body, role) as session:
        yield camera, session


@pytest.fixture(params=BODIES)
def body(request):
    return request.param


def files_of(camera):
    """Path → the stored object."""
    return {camera.store.path(stored.handle): stored for stored in camera.store.files()}


def expected(camera, handle):
    content = camera.store.expected(handle)
    return b"".join(content.spans(0, content.size))


def recorded(camera):
    """Name → bytes of each file of the pictures that the camera takes from now on."""
    taken = {}
    take = camera.body.capture

    def capture(*given, **named):
        handles = take(*given, **named)
        for handle in handles:
            taken[camera.store.get(handle).name] = expected(camera, handle)
        return handles

    camera.body.capture = capture
    return taken


def test_every_body_is_recognised_by_its_answer(body):
    with camera_of(body) as camera, session_with(camera, body, recognises=True) as session:
        assert session.vendor.name == vendors.BODIES[body]
        assert session.device_info.model


@pytest.fixture
def _short_waits(monkeypatch):
    """Of Nikon's approval, and of Fujifilm's looks at its state."""
    for name in ("POLL_S", "HOLD_S", "NUMBER_PAUSE_S"):
        monkeypatch.setattr(approval, name, 0.01)


def let_in(camera, body, guid=OURS, timeouts=PATIENT, **options):
    computer = {"guid": guid, "name": "studio", "timeouts": timeouts}
    return session_with(camera, body, **computer, **options)


@pytest.mark.usefixtures("_short_waits")
def test_every_body_that_asks_its_owner_is_waited_for_and_remembers(body):
    with camera_of(body, approval="unknown", hold_s=0, pause_s=0) as camera:
        said = []

        def press_ok(error):
            said.append(error.message)
            camera.approvals.approve(OURS, "studio")

        silent = vendors.BODIES[body] in ("canon", "sony")  # until its owner has decided
        waits = dataclasses.replace(PATIENT, connect=0.5, approval=60) if silent else PATIENT
        with let_in(camera, body, timeouts=waits, waiting=press_ok) as session:
            assert len(session.objects()) == len(camera.store.files())
        assert bool(said) == (body in ASKING)
        said.clear()
        with let_in(camera, body, waiting=press_ok) as session:
            assert session.storage_ids()
        assert said == []


@pytest.mark.parametrize("body", sorted(ASKING))
@pytest.mark.usefixtures("_short_waits")
def test_every_body_that_has_rejected_a_computer_keeps_to_it(body):
    with camera_of(body, hold_s=0, pause_s=0) as camera:
        camera.approvals.reject(OURS, "studio")
        for _ in range(2):
            with pytest.raises(ptpfast.PTPError), let_in(camera, body):
                pass
        with let_in(camera, body, guid=OURS[::-1]) as session:  # another computer
            assert session.storage_ids()


def test_every_body_keeps_apart_what_its_modes_exclude(body):
    with connected(body) as (camera, session):
        if body in DOWNLOAD_TAKES_NO_PICTURES:
            with pytest.raises(ptpfast.Unsupported):
                session.capture()
        else:
            assert session.capture() is not None
        on_card = {stored.name for stored in camera.store.files()}
    with connected(body, role="remote") as (_, session):
        listed = {info.name for info in session.objects()}
        assert bool(listed & on_card) == (body not in REMOTE_SHOWS_NO_CARD)


def test_every_body_lists_paths_sizes_and_dates(body):
    with connected(body) as (camera, session):
        stored = files_of(camera)
        listed = {info.path: info for info in session.objects()}
        assert listed.keys() == stored.keys()
        for path, info in listed.items():
            assert (info.size, info.captured) == (stored[path].size, stored[path].captured)


def test_every_body_sends_its_thumbnails(body):
    with connected(body) as (_camera, session):
        for info in session.objects():
            assert session.thumbnail(info).startswith(b"\xff\xd8")


def test_every_body_reads_whole_files_and_parts(body):
    with connected(body) as (camera, session):
        stored = files_of(camera)
        for info in session.objects():
            whole = expected(camera, stored[info.path].handle)
            assert session.read(info) == whole
            piece = bytearray(70_000)
            if lacks(body, "partial reads"):
                with pytest.raises(ptpfast.TransferError, match="cannot send parts"):
                    session.read_into(info, piece, offset=SIZE - 70_000)
                continue
            assert session.read_into(info, piece, offset=SIZE - 70_000) == 70_000
            assert piece == whole[-70_000:]


def test_every_body_has_files_over_4_gib_as_far_as_it_can(body):
    size = (4 << 30) + 5_000_000
    piece, offset = bytearray(70_000), size - 70_000
    with connected(body, objects=1, size=size) as (camera, session):
        [stored] = files_of(camera).values()
        [info] = session.objects()
        if lacks(body, "parts over 4 GiB"):
            assert info.size in (size, None)  # never a wrong one
            with pytest.raises(ptpfast.TransferError, match="read the whole object instead"):
                session.read_into(info, piece, offset=offset)
            return
        assert info.size == size
        assert session.read_into(info, piece, offset=offset) == 70_000
        content = camera.store.expected(stored.handle)
        assert piece == b"".join(content.spans(offset, 70_000))


@pytest.mark.parametrize("role", ROLES)
def test_every_body_gets_its_keep_alive_while_nobody_uses_the_session(body, role, monkeypatch):
    monkeypatch.setattr("ptpfast.link.events.LOOK_S", 0.05)
    monkeypatch.setattr("ptpfast.vendors.canon.watching.STAY_AWAKE_S", 0.05)
    with connected(body, role=role) as (camera, session):
        dialect = session.link.dialect
        before = len(camera.log)
        dialect.quirks = dataclasses.replace(dialect.quirks, keep_awake_s=0.05, busy_poll_s=0.05)
        assert camera.wait_for(lambda: times(camera, KEPT_AWAKE_BY[body, role], before) >= 3, 30)
        assert session.storage_ids()


def test_every_body_gets_a_keep_alive_of_its_own_where_events_are_not_polled(body, monkeypatch):
    monkeypatch.setattr("ptpfast.link.events.LOOK_S", 0.05)
    with connected(body) as (camera, session):
        dialect = session.link.dialect
        monkeypatch.setattr(type(dialect), "polls", False)
        session.storage_ids()  # a poll that had begun before has come to its end
        before = len(camera.log)
        dialect.quirks = dataclasses.replace(dialect.quirks, keep_awake_s=0.05)
        assert camera.wait_for(lambda: times(camera, UNPOLLED[body], before) >= 3, 30)
        assert session.objects()


def times(camera, request, after):
    """How often the camera has answered a request since that line of its log."""
    operation, *parameters = request
    asked = [(entry.operation, *entry.parameters) for entry in camera.log[after:]]
    return sum(each[: len(request)] == (operation, *parameters) for each in asked)


def test_every_body_is_continued_after_a_drop(body, tmp_path):
    with camera_of(body, faults=["drop at 6 after 300000 times 2"]) as camera:
        address = f"{camera.host}:{camera.port}"
        with session_with(camera, body) as session:
            report = ptpfast.pull(session, tmp_path)
        assert report.ok, address
        assert {path.name for path in tmp_path.iterdir()} == {
            stored.name for stored in camera.store.files()
        }
        for stored in camera.store.files():
            assert (tmp_path / stored.name).read_bytes() == expected(camera, stored.handle)


def test_every_body_captures_a_picture_and_sends_it(body):
    with connected(body, role="remote") as (camera, session):
        known = {stored.handle for stored in camera.store.files()}
        taken = recorded(camera)
        info = session.capture()
        assert info is not None
        assert info.handle not in known
        assert session.read(info) == taken[info.name]


def test_every_body_reports_a_new_picture_as_an_event(body):
    with connected(body, role="remote") as (camera, session):
        taken = recorded(camera)
        handles = camera.capture()
        read = {}
        for event in session.events(timeout=5):
            if event.code == ptpfast.EventCode.ObjectAdded:
                info = session.object_info(event.parameters[0])
                read[info.name] = session.read(info)
            if len(read) == len(handles):
                break
        assert read == taken


def test_every_body_has_properties_that_can_be_set(body):
    with connected(body, role="remote") as (_camera, session):
        descriptions = []
        for code in session.property_codes():
            with contextlib.suppress(ptpfast.ResponseError):
                descriptions.append(session.property_desc(code))
        assert descriptions
        changed = 0
        for desc in descriptions:
            if not desc.writable or not isinstance(desc.form, list):
                continue
            others = [value for value in desc.form if value != desc.current]
            if others:
                session.set_property(desc.code, others[0])
                assert session.property(desc.code) == others[0]
                changed += 1
        assert (changed == 0) == lacks(body, "settable properties")


def test_every_body_shows_live_view_frames(body):
    with connected(body, role="remote") as (_camera, session):
        if lacks(body, "live view"):
            with pytest.raises(ptpfast.Unsupported):
                next(session.live_view())
            return
        with contextlib.closing(session.live_view()) as frames:
            first, second = next(frames), next(frames)
        assert first.startswith(b"\xff\xd8")
        assert second.startswith(b"\xff\xd8")
        assert first != second
        assert session.storage_ids() is not None  # the session goes on


def test_every_body_is_left_in_order(body):
    with camera_of(body) as camera:
        # With the pauses of its vendor, which some bodies insist on.
        with session_with(camera, body, recognises=True):
            pass
        assert camera.wait_for(lambda: camera.sessions_closed == 1)
        assert camera.unclean_ends == 0
        assert camera.defects == 0
        with session_with(camera, body, recognises=True) as next_session:
            assert next_session.usable
