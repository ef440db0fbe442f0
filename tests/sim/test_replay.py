"""A camera that answers from a trace: what was recorded comes out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import ptpfast
from conftest import HASTY
from ptpfast import EventCode, OperationCode
from ptpfast.sim.replay import ReplayedCamera
from ptpfast.trace.conversation import conversation
from traced import BODIES, SIZE, camera_of, read_all, session_with


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., tuple[Path, dict[str, bytes], list[object]]]:
    """The trace of a body, and what the session got."""

    def make(body: str, **options: object) -> tuple[Path, dict[str, bytes], list[object]]:
        file = tmp_path / f"{body}.pcapng"
        camera_options = options.pop("camera", {})
        assert isinstance(camera_options, dict)
        with (
            camera_of(body, **camera_options) as camera,
            session_with(camera, body, trace=file, **options) as session,
        ):
            files = read_all(session)
            rows: list[object] = list(_rows(session))
        return file, files, rows

    return make


def _rows(session: ptpfast.Session) -> list[tuple[object, ...]]:
    return [(i.handle, i.path, i.size, i.captured, i.format) for i in session.objects()]


@pytest.mark.parametrize("body", BODIES)
def test_replayed_camera_has_the_same_listing_and_the_same_bytes(
    body: str, recorded: Callable[..., tuple[Path, dict[str, bytes], list[object]]]
) -> None:
    file, files, rows = recorded(body, trace_payload=True)
    unknown: list[str] = []
    with (
        ReplayedCamera(conversation(file), unknown.append) as camera,
        session_with(camera, body) as session,
    ):
        assert read_all(session) == files
        assert _rows(session) == rows
    assert unknown == []


@pytest.mark.parametrize("body", BODIES)
def test_default_trace_is_replayed_with_generated_bytes_of_the_right_length(
    body: str, recorded: Callable[..., tuple[Path, dict[str, bytes], list[object]]]
) -> None:
    file, files, rows = recorded(body)
    with (
        ReplayedCamera(conversation(file)) as camera,
        session_with(camera, body) as session,
    ):
        replayed = read_all(session)
        assert _rows(session) == rows
        assert {path: len(data) for path, data in replayed.items()} == {
            path: len(data) for path, data in files.items()
        }
        assert read_all(session) == replayed  # the same again


def test_object_is_put_together_when_it_is_read_in_other_pieces(
    recorded: Callable[..., tuple[Path, dict[str, bytes], list[object]]],
) -> None:
    file, files, _ = recorded("standard", trace_payload=True)
    with (
        ReplayedCamera(conversation(file)) as camera,
        session_with(camera, "standard") as session,
    ):
        session.habits.depth = 1
        for info in session.objects():
            got = bytearray()
            while len(got) < SIZE:
                answer = session.transaction(
                    OperationCode.GetPartialObject, info.handle, len(got), 70_001
                )
                got += answer.data
            assert bytes(got) == files[info.path]


def test_pieces_of_a_cut_object_agree_with_the_whole(
    recorded: Callable[..., tuple[Path, dict[str, bytes], list[object]]],
) -> None:
    file, _, _ = recorded("standard")
    with (
        ReplayedCamera(conversation(file)) as camera,
        session_with(camera, "standard") as session,
    ):
        info = session.objects()[0]
        whole = bytes(session.read(info))
        for offset, size in ((0, 10), (1, 5000), (SIZE - 10, 10), (SIZE - 5, 100)):
            answer = session.transaction(OperationCode.GetPartialObject, info.handle, offset, size)
            assert bytes(answer.data) == whole[offset : offset + size]


def test_request_that_is_not_in_the_trace_is_refused_and_told(
    recorded: Callable[..., tuple[Path, dict[str, bytes], list[object]]],
) -> None:
    file, _, _ = recorded("standard")
    unknown: list[str] = []
    with (
        ReplayedCamera(conversation(file), unknown.append) as camera,
        session_with(camera, "standard") as session,
    ):
        with pytest.raises(ptpfast.ResponseError, match="GeneralError"):
            session.transaction(OperationCode.GetObjectInfo, 0x77)
        with pytest.raises(ptpfast.ResponseError, match="OperationNotSupported"):
            session.transaction(OperationCode.FormatStore, 1)
        assert session.objects()
    assert unknown == [
        "the trace has no answer to GetObjectInfo (0x1008)(0x77)",
        "the trace has no answer to FormatStore (0x100F)(0x1)",
    ]


def test_answers_to_equal_requests_come_in_their_order_and_the_last_again(
    tmp_path: Path,
) -> None:
    def value(session: ptpfast.Session) -> bytes:
        return bytes(session.transaction(OperationCode.GetDevicePropValue, 0x5011).data or b"")

    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera, session_with(camera, "standard", trace=file) as session:
        told = [value(session)]
        session.set_property(0x5011, "20270102T030405")
        told.append(value(session))
    with (
        ReplayedCamera(conversation(file)) as camera,
        session_with(camera, "standard") as session,
    ):
        again = [value(session) for _ in range(3)]
    assert told[0] != told[1]
    assert again == [*told, told[-1]]


def test_events_of_a_trace_come_behind_the_same_answers(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera, session_with(camera, "standard", trace=file) as session:
        events = session.events(timeout=20)
        session.objects()
        camera.capture()
        added = next(event for event in events if event.code == EventCode.ObjectAdded)
        data = bytes(session.read(added.parameters[0]))
    with (
        ReplayedCamera(conversation(file)) as camera,
        session_with(camera, "standard") as session,
    ):
        events = session.events(timeout=20)
        session.objects()
        session.read(added.parameters[0])
        again = next(event for event in events if event.code == EventCode.ObjectAdded)
        assert again.parameters[:1] == added.parameters[:1]
        assert len(session.read(again.parameters[0])) == len(data)


def test_request_without_an_answer_in_the_trace_stays_without_one(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with (
        camera_of("standard", faults=["no_answer on GetThumb"]) as camera,
        session_with(camera, "standard", trace=file) as session,
    ):
        handle = session.objects()[0].handle
        session.link.connection.timeouts = HASTY  # for the answer that does not come
        with pytest.raises(ptpfast.Timeout):
            session.thumbnail(handle)
    unknown: list[str] = []
    with (
        ReplayedCamera(conversation(file), unknown.append) as camera,
        session_with(camera, "standard") as session,
    ):
        assert session.objects()[0].handle == handle
        session.link.connection.timeouts = HASTY
        with pytest.raises(ptpfast.Timeout):
            session.thumbnail(handle)
    assert unknown == [
        f"GetThumb (0x100A)({handle:#x}) was not answered in the trace; nor is it now"
    ]
