"""The trace of a session: it changes nothing for the session, and holds what happened."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import ptpfast
from conftest import PATIENT
from ptpfast import OperationCode
from ptpfast.engine.tap import CAMERA, US
from ptpfast.sim import SimulatedCamera
from ptpfast.trace.conversation import Conversation, conversation
from ptpfast.trace.reading import segments
from traced import BODIES, SIZE, camera_of, read_all, record, secrets_of, session_with


def expected(camera: SimulatedCamera) -> dict[str, bytes]:
    found = {}
    for stored in camera.store.files():
        content = camera.store.expected(stored.handle)
        found[camera.store.path(stored.handle)] = b"".join(content.spans(0, content.size))
    return found


def payload_of(told: Conversation, operation: int) -> int:
    return sum(
        each if isinstance(each, int) else len(each)
        for exchange in told.exchanges
        if exchange.operation == operation
        for each in exchange.pieces or []
    )


def bytes_of(told: Conversation, operation: int) -> bytes:
    return b"".join(
        each
        for exchange in told.exchanges
        if exchange.operation == operation
        for each in exchange.pieces or []
        if isinstance(each, bytes)
    )


@pytest.mark.parametrize("body", BODIES)
def test_trace_has_every_request_and_answer_of_the_session(tmp_path: Path, body: str) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of(body) as camera:
        assert record(camera, body, file) == expected(camera)
        log = list(camera.log)
    told = conversation(file)
    assert [(each.operation, each.parameters, each.code) for each in told.exchanges] == [
        (entry.operation, tuple(entry.parameters), entry.response) for entry in log
    ]
    sizes = [
        sum(p if isinstance(p, int) else len(p) for p in each.pieces or [])
        for each in told.exchanges
    ]
    assert sizes == [entry.payload for entry in log]


@pytest.mark.parametrize("body", BODIES)
def test_default_trace_has_no_name_number_or_guid_in_any_form(tmp_path: Path, body: str) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of(body) as camera:
        record(camera, body, file)
        secrets = secrets_of(camera)
    data = file.read_bytes()
    assert [secret for secret in secrets if secret in data] == []


@pytest.mark.parametrize("body", BODIES)
def test_trace_that_is_asked_for_names_has_them(tmp_path: Path, body: str) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of(body) as camera:
        record(camera, body, file, trace_names=True)
        secrets = secrets_of(camera)
    data = file.read_bytes()
    assert len([secret for secret in secrets if secret in data]) >= 4


@pytest.mark.parametrize("body", BODIES)
def test_default_trace_has_no_bytes_of_pictures_or_thumbnails(tmp_path: Path, body: str) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of(body) as camera:
        files = record(camera, body, file)
    data = file.read_bytes()
    assert b"\xff\xd8\xff" not in data
    for content in files.values():
        assert all(content[at : at + 16] not in data for at in range(0, SIZE - 16, 1000))
    assert len(data) < SIZE


def test_trace_that_is_asked_for_payload_has_the_bytes_of_pictures(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera:
        files = record(camera, "standard", file, trace_payload=True)
        secrets = secrets_of(camera)
    recorded = bytes_of(conversation(file), OperationCode.GetPartialObject)
    assert recorded == b"".join(files.values())
    assert [secret for secret in secrets if secret in file.read_bytes()] == []


def test_names_that_properties_and_cards_hold_are_replaced_too(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    name = b"\x04" + "Zo\u00eb\0".encode("utf-16-le")
    with (
        camera_of("standard") as camera,
        session_with(camera, "standard", trace=file) as session,
        pytest.raises(ptpfast.ResponseError),  # the body has no such property
    ):
        session.transaction(OperationCode.SetDevicePropValue, 0x501E, data=name)
    assert name not in file.read_bytes()
    assert b"\x04" + "xxx\0".encode("utf-16-le") in file.read_bytes()


def test_existing_file_is_never_replaced_by_a_trace(tmp_path: Path) -> None:
    file = tmp_path / "picture.nef"
    file.write_bytes(b"mine")
    with camera_of("standard") as camera:
        with pytest.raises(FileExistsError):
            session_with(camera, "standard", trace=file)
        assert camera.connections == 0
    assert file.read_bytes() == b"mine"


def test_link_is_not_followed_by_a_trace(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with camera_of("standard") as camera, pytest.raises(FileExistsError):
        session_with(camera, "standard", trace=tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_trace_is_readable_at_any_moment_of_a_session(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera, session_with(camera, "standard", trace=file) as session:
        seen = len(conversation(file).exchanges)
        assert seen == len(camera.log)
        session.objects()
        told = conversation(file)
        assert len(told.exchanges) == len(camera.log) > seen
        assert all(exchange.code for exchange in told.exchanges)


def test_full_disk_ends_the_trace_and_not_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera, session_with(camera, "standard", trace=file) as session:
        write = os.write

        def full(fd: int, data: bytes) -> int:
            if os.path.samestat(os.fstat(fd), os.stat(file)):
                write(fd, bytes(data)[: len(data) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(fd, data)

        size = file.stat().st_size
        monkeypatch.setattr(os, "write", full)
        files = read_all(session)
        assert files == expected(camera)
        assert file.stat().st_size == size  # only whole blocks
    assert "No space left" in caplog.text
    assert conversation(file).exchanges


def test_connection_that_is_opened_again_is_in_the_same_trace(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard") as camera, session_with(camera, "standard", trace=file) as session:
        session.reconnect()
        files = read_all(session)
    assert files
    ports = {segment.connection[0] for segment in segments(file)}
    assert len(ports) == 4
    opened = [e for e in conversation(file).exchanges if e.operation == OperationCode.OpenSession]
    assert len(opened) == 2


def test_two_cameras_in_one_trace_have_their_own_addresses(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with (
        camera_of("standard", host="127.0.0.2") as one,
        camera_of("standard", host="127.0.0.3") as other,
        ptpfast.Trace(file) as trace,
        session_with(one, "standard", trace=trace),
        session_with(other, "standard", trace=trace),
    ):
        pass
    assert {segment.connection[1][3] for segment in segments(file)} == {2, 3}


def test_pull_records_several_cameras_in_one_trace(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with (
        camera_of("standard", host="127.0.0.2") as one,
        camera_of("standard", host="127.0.0.3", seed=1) as other,
    ):
        report = ptpfast.pull(
            [one.address, other.address], tmp_path / "to", trace=file, timeouts=PATIENT
        )
    assert report.ok
    assert {segment.connection[1][3] for segment in segments(file)} == {2, 3}


def test_packet_that_breaks_the_protocol_is_in_the_trace(tmp_path: Path) -> None:
    file = tmp_path / "trace.pcapng"
    with (
        camera_of("standard", faults=["length=3 on GetObjectInfo"]) as camera,
        session_with(camera, "standard", trace=file) as session,
    ):
        handle = camera.store.files()[0].handle
        with pytest.raises(ptpfast.ProtocolError):
            session.object_info(handle)
    packets = [s.kept for s in segments(file) if s.side == CAMERA]
    assert any(packet.startswith(b"\x03\0\0\0\x0a\0\0\0") for packet in packets)


def test_probe_of_a_camera_within_a_transaction_and_its_answer_are_in_the_trace(
    tmp_path: Path,
) -> None:
    file = tmp_path / "trace.pcapng"
    with camera_of("standard", faults=["probe on GetObjectInfo"]) as camera:
        with session_with(camera, "standard", trace=file) as session:
            assert len(session.objects()) == 3
        assert camera.wait_for(lambda: camera.counters.probe_responses > 0)
    answers = [s for s in segments(file) if s.side == US and s.kept[4:8] == b"\x0e\0\0\0"]
    assert answers


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"trace": 5}, TypeError),
        ({"trace": ""}, ValueError),
        ({"trace_payload": True}, ValueError),
        ({"trace_names": "no"}, TypeError),
    ],
)
def test_wrong_argument_about_a_trace_is_refused_before_connecting(
    given: dict[str, object], error: type[Exception]
) -> None:
    with camera_of("standard") as camera:
        with pytest.raises(error):
            ptpfast.connect(camera.address, **given)  # type: ignore[arg-type]
        assert camera.connections == 0
