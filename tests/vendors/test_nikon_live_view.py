"""Nikon's live view and its properties with codes of 32 bits."""

from __future__ import annotations

import contextlib
from itertools import islice

import pytest

from conftest import Cameras, Sessions
from ptpfast import vendors
from ptpfast.ptp.codes import DataType
from ptpfast.ptp.codes import OperationCode as Op
from ptpfast.ptp.codes import ResponseCode as Code
from ptpfast.ptp.datasets import DevicePropDesc, decode_array, decode_prop_desc, encode_prop_desc
from ptpfast.ptp.errors import ProtocolError, ResponseError, Unsupported
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.frames import Focus, FocusArea
from ptpfast.vendors.nikon import live_view
from ptpfast.vendors.nikon.datasets import parse_frame, parse_wide_prop_desc
from raw_initiator import Initiator

NIKONS = [body for body in vendors.BODIES if body.startswith("nikon")]
START, END, FRAME, FRAME_EX, READY = 0x9201, 0x9202, 0x9203, 0x9428, 0x90C8
JPEG = b"\xff\xd8 a picture \xff\xd9"
SHUTTER_MODE = 0x0001D074


def frames_of(session, count=2):
    with contextlib.closing(session.live_view()) as frames:
        return list(islice(frames, count))


@pytest.mark.parametrize("body", NIKONS)
def test_live_view_is_started_read_and_ended_in_order(
    camera: Cameras, connect: Sessions, body: str
) -> None:
    sim = camera(body=body)
    session = connect(sim, role="remote")
    first, second = frames_of(session)
    assert first.startswith(b"\xff\xd8")
    assert first != second
    asked = [entry.operation for entry in sim.log]
    frame = FRAME_EX if session.supports(FRAME_EX) else FRAME
    kept = [code for code in asked if code in (Op.SetDevicePropValue, START, frame, END)]
    assert kept == [Op.SetDevicePropValue, START, frame, frame, END, Op.SetDevicePropValue]
    assert READY in asked[asked.index(START) : asked.index(frame)]
    assert sim.body.properties[0xD10B].current == 0
    assert not {0x9435, 0x90C2} & set(asked)


def test_live_view_that_ends_at_the_camera_is_started_again(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z9", faults=["respond=0xA00B on 0x9428 at 2"])
    assert len(frames_of(connect(sim), 3)) == 3
    assert sim.operations[START] == 2


def test_live_view_that_ends_every_time_is_given_up(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-z9", faults=["respond=0xA00B on 0x9428 times 0"])
    with pytest.raises(ResponseError, match="NotLiveView"):
        frames_of(connect(sim))
    assert sim.operations[START] == 4


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (1 << 8, "the battery is too low"),
        (1 << 14 | 1 << 17, "there is no card, it is too hot"),
        (1 << 31, "its mode is none of P, S, A and M"),
        (1 << 3, "condition 3"),
    ],
)
def test_refusal_says_what_prohibits_live_view(
    camera: Cameras, connect: Sessions, bits: int, said: str
) -> None:
    sim = camera(body="nikon-z6")
    sim.body.properties[0xD1A4].current = bits
    with pytest.raises(Unsupported, match=f"no live view now: {said}"):
        frames_of(connect(sim))
    assert sim.body.properties[0xD10B].current == 0


def test_refusal_without_a_condition_is_the_camera_s_own(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z6", faults=[f"respond=0xA004 on {START:#x}"])
    with pytest.raises(ResponseError, match="InvalidStatus"):
        frames_of(connect(sim))


def test_body_without_live_view_says_so(camera: Cameras, connect: Sessions) -> None:
    sim = camera("nikon", withheld=[START])
    with pytest.raises(Unsupported, match="no live view"):
        frames_of(connect(sim))


def test_live_view_that_is_on_already_is_not_started(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-d850")
    session = connect(sim)
    session.transaction(START)
    frames_of(session)
    assert sim.operations[START] == 1


def test_properties_that_are_refused_do_not_keep_live_view_from_its_start(
    camera: Cameras, connect: Sessions
) -> None:
    faults = [f"respond=0x2005 on {int(code):#x} times 0" for code in (0x1015, 0x1016)]
    sim = camera(body="nikon-z8", faults=faults)
    assert len(frames_of(connect(sim))) == 2


def test_frames_without_a_picture_are_passed_over_up_to_a_limit(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_view, "BAD_PAUSE_S", 0)
    sim = camera(body="nikon-z9", faults=["cut_data=1024 on 0x9428 times 3"])
    assert len(frames_of(connect(sim))) == 2
    sim = camera(body="nikon-z9", faults=["empty_data on 0x9428 times 0"])
    with pytest.raises(ProtocolError, match="no picture"):
        frames_of(connect(sim))


def test_a_session_can_be_used_between_two_frames(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim, role="remote")
    with contextlib.closing(session.live_view()) as frames:
        assert next(frames)
        assert session.capture() is not None
        assert next(frames)


def test_events_are_polled_while_frames_stream(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim)
    (handle, *_) = sim.capture()
    frames_of(session, 8)
    assert next(session.events(timeout=0)).parameters == (handle,)
    assert sim.operations[0x941C] == 1


def test_events_are_polled_sooner_after_some_have_come(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim)
    sim.capture()
    frames_of(session, 18)
    assert sim.operations[0x941C] == 3  # after 8 frames, after 2 more, and again after 8


def test_end_of_live_view_survives_a_lost_connection(camera: Cameras, connect: Sessions) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim)
    frames = session.live_view()
    assert next(frames)
    sim.drop_connections()
    frames.close()


# The frames


def ex_frame(
    header: int, jpeg: bytes = JPEG, length: int | None = None, more: bytes = b""
) -> bytes:
    head = bytearray(header)
    head[12:16] = (len(jpeg) if length is None else length).to_bytes(4, "big")
    return bytes(head) + jpeg + more


@pytest.mark.parametrize("header", [1024, 512])
def test_frame_is_cut_at_the_length_in_its_header(header: int) -> None:
    assert parse_frame(ex_frame(header)) == JPEG
    assert parse_frame(ex_frame(header, more=bytes(100))) == JPEG


@pytest.mark.parametrize("length", [0, 1, 2**32 - 1, len(JPEG) + 1])
def test_frame_with_an_impossible_length_is_taken_to_its_end(length: int) -> None:
    assert parse_frame(ex_frame(1024, length=length)) == JPEG


@pytest.mark.parametrize("header", [0, 8, 64, 128, 376, 384, 2000])
def test_older_frame_is_found_by_the_start_of_its_picture(header: int) -> None:
    assert parse_frame(bytes(header) + JPEG) == JPEG


@pytest.mark.parametrize("payload", [b"", b"\xff", bytes(1024), b"\xff" * 2000])
def test_frame_without_a_picture_is_none(payload: bytes) -> None:
    assert parse_frame(payload) is None


# Properties


def test_wide_property_is_described_read_and_set_by_its_own_operations(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim, role="remote")
    assert SHUTTER_MODE in session.property_codes()
    desc = session.property_desc(SHUTTER_MODE)
    assert (desc.code, desc.data_type, desc.form) == (SHUTTER_MODE, DataType.UINT8, [1, 2])
    session.set_property(SHUTTER_MODE, 2)
    assert session.property(SHUTTER_MODE) == 2
    asked = set(sim.operations)
    assert {0x9439, 0x943A, 0x943C} <= asked
    assert not {Op.GetDevicePropDesc, Op.SetDevicePropValue, 0x90CA} & asked
    with pytest.raises(ResponseError):
        session.set_property(SHUTTER_MODE, 3)


def test_narrow_property_is_never_set_by_the_operation_for_wide_codes(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(body="nikon-z9")
    session = connect(sim, role="remote")
    session.set_property(0x5004, 5)
    session.set_property(0xD10B, 1)
    assert not {0x943A, 0x943B, 0x943C} & set(sim.operations)


@pytest.mark.parametrize("body", ["nikon-d5300", "nikon-z6"])
def test_older_bodies_list_their_properties_by_their_own_operation(
    camera: Cameras, connect: Sessions, body: str
) -> None:
    sim = camera(body=body)
    session = connect(sim)
    codes = session.property_codes()
    assert len(codes) == len(set(codes))
    assert set(session.device_info.device_properties_supported) <= set(codes)
    assert sim.operations[0x90CA] == 1
    assert 0x9439 not in sim.operations


@pytest.mark.parametrize("model", ["V1", "J1", "NIKON 1 J2"])
def test_operation_that_crashes_nikon_1_is_not_sent_there(
    camera: Cameras, connect: Sessions, model: str
) -> None:
    sim = camera("nikon")
    session = connect(sim)
    session.link.dialect.info.model = model
    assert session.property_codes() == session.device_info.device_properties_supported
    assert 0x90CA not in sim.operations


@pytest.mark.parametrize("fault", ["respond=0x2005", "long_array=4000000000", "cut_data=3"])
def test_listed_properties_remain_where_nikon_s_own_list_fails(
    camera: Cameras, connect: Sessions, fault: str
) -> None:
    session = connect(camera(body="nikon-z9", faults=[f"{fault} on 0x9439"]))
    assert session.property_codes() == session.device_info.device_properties_supported


def test_wide_description_has_a_code_of_32_bits_and_is_else_the_standard_s() -> None:
    desc = DevicePropDesc(0xD074, DataType.UINT16, True, 1, 2, (0, 9, 1))
    narrow = encode_prop_desc(desc)
    wide = parse_wide_prop_desc(b"\x74\xd0\x01\x00" + narrow[2:])
    assert wide.code == 0x0001D074
    assert decode_prop_desc(narrow).form == wide.form
    for cut in range(11):  # all up to the form
        with pytest.raises(ProtocolError):
            parse_wide_prop_desc((b"\x74\xd0\x01\x00" + narrow[2:])[:cut])


# The simulated body


def test_body_sends_frames_only_while_live_view_is_on() -> None:
    with SimulatedCamera(body="nikon-z9", objects=0) as sim, Initiator(sim) as raw:
        assert raw.ask(FRAME_EX).code == 0xA00B
        assert raw.ask(END).code == 0xA00B
        assert raw.ask(START).code == Code.OK
        assert raw.ask(READY).code == Code.DeviceBusy
        assert raw.ask(READY).code == Code.OK
        frame = raw.ask(FRAME_EX).data
        assert int.from_bytes(frame[12:16], "big") == len(frame) - 1024
        assert frame[1024:1026] == b"\xff\xd8"
        assert raw.ask(FRAME).data.find(b"\xff\xd8") > 0
        assert raw.ask(END).code == Code.OK


def test_body_answers_wide_codes_by_their_own_operations_alone() -> None:
    with SimulatedCamera(body="nikon-z9", objects=0) as sim, Initiator(sim) as raw:
        assert SHUTTER_MODE in decode_array(raw.ask(0x9439, 0x0D).data, "u32")
        assert raw.ask(0x9439, 0x09).code == Code.InvalidParameter
        assert raw.ask(0x943B, SHUTTER_MODE).data == b"\1"
        assert raw.ask(0x943C, SHUTTER_MODE, data=b"\2").code == Code.OK
        assert raw.ask(0x943B, SHUTTER_MODE).data == b"\2"
        assert raw.ask(0x943C, SHUTTER_MODE, data=b"").code == Code.InvalidDevicePropFormat
        assert raw.ask(0x943C, SHUTTER_MODE, data=b"\7").code == Code.InvalidDevicePropValue
        for operation in (0x943A, 0x943B, 0x943C):
            answer = raw.ask(operation, 0xD10B, data=b"\1" if operation == 0x943C else None)
            assert answer.code == Code.DevicePropNotSupported
        assert raw.ask(Op.GetDevicePropDesc, SHUTTER_MODE).code == Code.DevicePropNotSupported


# The header of GetLiveViewImageEx as zcine reads that of a ZR: offset → bytes, big-endian.
HEADER = {12: "0000000f", 16: "17a0 0d48", 42: "02 01 02 00 00", 48: "0258 0190 0bd0 06a4"}
HEADER[56] = "0064 0032 0100 0080"


def frame_with(changes: dict[int, str] | None = None, size: int = 1024) -> bytes:
    header = bytearray(size)
    for at, digits in {**HEADER, **(changes or {})}.items():
        part = bytes.fromhex(digits)
        header[at : at + len(part)] = part
    return bytes(header) + JPEG


def focus_of(frame: bytes) -> Focus | None:
    picture = parse_frame(frame)
    assert picture == JPEG
    return getattr(picture, "focus", None)


def test_header_of_a_frame_tells_the_focus_and_its_areas() -> None:
    assert len(JPEG) == 15
    areas = (FocusArea(2724, 1500, 600, 400), FocusArea(206, 103, 100, 50))
    assert focus_of(frame_with()) == Focus((6048, 3400), True, areas)
    assert focus_of(frame_with({42: "01 01 02"})) == Focus((6048, 3400), False, areas)
    assert focus_of(frame_with({42: "00 01 00"})) == Focus((6048, 3400), None, ())


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({44: "61"}, 2),  # 97 areas fit, all but two are empty
        ({44: "62"}, 0),
        ({44: "ff"}, 0),
        ({48: "0258 0000"}, 1),
        ({48: "0258 0190 ffff ffff"}, 1),
        ({16: "0000 0000"}, 0),
    ],
)
def test_areas_that_cannot_be_are_left_out_and_the_picture_is_kept(
    changes: dict[int, str], count: int
) -> None:
    focus = focus_of(frame_with(changes))
    assert focus is not None
    assert len(focus.areas) == count


def test_where_a_shorter_header_has_the_focus_is_not_guessed() -> None:
    assert focus_of(frame_with(size=512)) is None


@pytest.mark.parametrize(("body", "tells"), [("nikon-z9", True), ("nikon-z6", False)])
def test_frames_of_a_session_tell_the_focus_where_it_is_known(
    camera: Cameras, connect: Sessions, body: str, tells: bool
) -> None:
    for frame in frames_of(connect(camera(body=body), role="remote")):
        expected = Focus((6048, 3400), True, (FocusArea(2724, 1500, 600, 400),))
        assert frame.focus == (expected if tells else None)
