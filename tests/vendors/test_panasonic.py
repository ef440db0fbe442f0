"""Panasonic: the gate, the first packets, and datasets of a GH5."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import HASTY
from ptpfast import ConnectFailed, ProtocolError
from ptpfast.ptp.codes import EventCode
from ptpfast.ptp.datasets import DeviceInfo
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors import elsewhere
from ptpfast.vendors.fujifilm.transport import FujifilmTransport
from ptpfast.vendors.panasonic import PANASONIC, datasets, gate, panasonic
from ptpfast.vendors.panasonic.body import TOKEN
from ptpfast.vendors.panasonic.datasets import LiveViewSize
from raw_initiator import Code, Initiator

BODY = "panasonic-bgh1"
# Sizes of live view of a GC9 (libgphoto2 ptp.c).
GC9_SIZES = bytes.fromhex(
    "1200800d 1c000000 0300 0800 e0018002 20001e00 d002c003 5e011e00 c0030005 bc021e00"
)
# The Init Command Request and OpenSession of webptz.
INIT = bytes.fromhex(
    "34000000 01000000" + "ff" * 16 + "4c0055004d00490058005400650074006800650072000000 00000100"
)
OPEN_SESSION = bytes.fromhex("26000000 06000000 01000000 0210 00000000 01000100" + "00" * 16)


def through(camera: SimulatedCamera, token: str | None = "") -> Any:
    port = camera.gate_port
    assert port is not None
    return panasonic(token, description_port=port, access_port=port)


def test_nothing_listens_until_the_gate_has_let_a_computer_in() -> None:
    with SimulatedCamera(body=BODY, objects=2, size=1000) as camera:
        with pytest.raises(ConnectFailed, match="nothing listens"):
            ptpfast.connect(camera.host, port=camera.port, vendor="standard", timeouts=HASTY)
        with ptpfast.connect(camera.host, port=camera.port, vendor=through(camera)) as session:
            assert session.vendor.name == "panasonic"
            assert len(session.objects()) == 2
        assert camera.initiators == [(b"\xff" * 16, "LUMIXTether")]


def test_a_password_needs_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with SimulatedCamera(body=BODY, objects=2, size=1000) as camera:
        camera.body.state["password"] = True
        for wrong in ("", "0" * 16):
            with pytest.raises(ConnectFailed, match="gives no access: err_reject") as caught:
                ptpfast.connect(camera.host, port=camera.port, vendor=through(camera, wrong))
            assert "token" in caught.value.hint
        with ptpfast.connect(camera.host, port=camera.port, vendor=through(camera, TOKEN)):
            pass
        monkeypatch.setenv(gate.TOKEN_VARIABLE, TOKEN)
        with ptpfast.connect(camera.host, port=camera.port, vendor=through(camera, None)):
            pass


def test_connect_tries_the_gate_where_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with SimulatedCamera(body=BODY, objects=2, size=1000) as camera:
        spoken = through(camera)
        monkeypatch.setattr(elsewhere, "DEFAULT_PORT", camera.port)
        transport = type(spoken.transport)(spoken.transport.gate, camera.port)
        monkeypatch.setattr(elsewhere, "transports", lambda: [transport])
        with ptpfast.connect(camera.host, port=camera.port) as session:
            assert session.vendor.name == "panasonic"


@pytest.mark.parametrize(
    "text",
    ["", "<html>a router</html>", "panasonic" * 9999, "\xff\0<result>ok</result>"],
)
def test_another_device_at_the_gate_is_told_from_a_camera(text: str) -> None:
    with SimulatedCamera(body=BODY, objects=0) as camera:
        port = camera.gate_port
        camera._ports._gate._answer = lambda _: (text, False)  # type: ignore[union-attr]
        door = gate.Gate("", None, port or 0, port or 0)
        with pytest.raises(ConnectFailed):
            door.describe(camera.host)
            door.enter(camera.host)


def _answer(server: socket.socket, head: bytes, again: bytes) -> None:
    """Answers one question; then again and again, until the other side has enough."""
    client, _ = server.accept()
    with client, suppress(OSError):
        client.recv(4096)
        client.sendall(head)
        while again:
            client.sendall(again)
            select.select([client], [], [], 0.001)


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * (1 << 16)),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\npanasonic", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"panasonic" * 999),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 999),
        (b"\xff\0panasonic", b""),
        (b"panasonic", b""),
    ],
)
def test_an_answer_at_the_gate_costs_little_and_is_no_camera(head: bytes, again: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=_answer, args=(server, head, again))
        thread.start()
        began = time.monotonic()
        with pytest.raises(ConnectFailed):
            gate.Gate("", None, port, port).describe("127.0.0.1", within_s=0.5)
        assert time.monotonic() - began < 20
        thread.join()


def test_another_device_at_a_vendors_port_does_not_hide_the_first_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        SimulatedCamera(body=BODY, objects=0) as camera,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        monkeypatch.setattr(elsewhere, "DEFAULT_PORT", camera.port)
        camera.body.state["password"] = True
        gated = through(camera, "").transport
        strange = FujifilmTransport()
        monkeypatch.setattr(FujifilmTransport, "port", silent.getsockname()[1])
        monkeypatch.setattr(elsewhere, "transports", lambda: [strange, gated])
        with pytest.raises(ConnectFailed, match=f"nothing listens at .*:{camera.port}") as caught:
            ptpfast.connect(camera.host, port=camera.port, timeouts=HASTY)
        assert "gives no access" in caught.value.hint
        assert "token" in caught.value.hint


def test_what_a_body_tells_at_its_gate_is_read() -> None:
    with SimulatedCamera(body=BODY, objects=0) as camera:
        port = camera.gate_port
        door = gate.Gate("", None, port or 0, port or 0)
        assert door.describe(camera.host) == ("BGH1-XLU", 15740)


def test_first_packets_are_those_of_webptz() -> None:
    from ptpfast.engine.wire import InitCommandRequest, pack
    from ptpfast.vendors.panasonic.transport import GUID

    assert pack(InitCommandRequest(GUID, gate.APPLICATION, 0x10000)) == INIT
    assert PANASONIC.transport.request(0x1002, 0, (0x00010001,), None) == OPEN_SESSION


def test_a_session_has_the_one_id_and_the_event_connection_number_one() -> None:
    with SimulatedCamera(body=BODY, objects=1, size=10) as camera:
        camera._listener.accept()  # past the gate
        with Initiator(camera, session=False) as initiator:
            assert initiator.ack.connection_number == 1
            assert initiator.ask(0x1002, 1).code == Code.InvalidParameter
            assert initiator.ask(0x1002, 0x00010001).code == Code.OK
            assert initiator.ask(0x9404, 0x03000011).code == Code.OK
            assert initiator.event.receive().code == 0xC108
            assert initiator.ask(0x9402, 0x02000030).data[:8] == bytes.fromhex("3000000204000000")
            sizes = datasets.parse_live_view_sizes(initiator.ask(0x9414, 0x0D800012).data)
            assert sizes == [LiveViewSize(480, 640, 32, 30), LiveViewSize(720, 1280, 700, 30)]


def test_events_of_panasonic_mean_the_standards() -> None:
    dialect = PANASONIC.dialect(None, DeviceInfo(), PANASONIC.quirks)  # type: ignore[arg-type]
    assert dialect.meaning(0xC108, (7,)) == [(EventCode.ObjectAdded, (7,))]
    assert dialect.meaning(0xC101, (9,)) == [(EventCode.DevicePropChanged, (9,))]
    assert dialect.meaning(0xC108, ()) == [(0xC108, ())]
    assert dialect.meaning(0xC201, (1,)) == [(0xC201, (1,))]


# Datasets


def test_live_view_sizes_of_a_gc9_are_decoded() -> None:
    assert datasets.parse_live_view_sizes(GC9_SIZES) == [
        LiveViewSize(480, 640, 32, 30),
        LiveViewSize(720, 960, 350, 30),
        LiveViewSize(960, 1280, 700, 30),
    ]


def test_all_that_a_gh5_sends_is_decoded_and_encoded_back_but_its_first_answer() -> None:
    folder = os.environ.get("PTPFAST_VECTORS")
    if not folder:
        pytest.skip("PTPFAST_VECTORS names no folder with bytes of real cameras")
    text = (Path(folder) / "panasonic-gh5.hex").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    # Its first answer to GetSizes has another form, which nobody has explained.
    unknown = bytes.fromhex(lines.pop(0).removeprefix("0x9107 (): "))
    with pytest.raises(ProtocolError):
        datasets.parse_records(unknown, with_data=False)
    values = 0
    for line in lines:
        operation, _, payload = line.partition(": ")
        raw = bytes.fromhex(payload)
        if operation.startswith("0x9402"):
            found = datasets.parse_values(raw)
            assert datasets.pack_values(found) == raw
            values += len(found)
        elif operation.startswith("0x9108"):
            (record,) = datasets.parse_records(raw, with_data=True)
            assert record.size == len(record.data)
            assert datasets.pack_records([record]) == raw
        else:
            assert operation.startswith("0x9107")
            records = datasets.parse_records(raw, with_data=False)
            assert records[0].parts == len(records) - 1
            assert datasets.pack_records(records) == raw
    assert (len(lines), values) == (14, 16)


@pytest.mark.parametrize(
    "payload", [b"\1", b"\1\0\0\0\xff\xff\xff\xff", bytes(8) + b"\1\0\0\0\2\0\0\0\0"]
)
def test_property_values_that_are_cut_are_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        datasets.parse_values(payload)


@pytest.mark.parametrize(
    "payload",
    [
        bytes(8),
        b"\1\0\0\0\x14\0\0\0" + bytes(16) + b"\xff\xff\xff\xff",
        b"\1\0\0\0\xff\xff\xff\xff",
    ],
)
def test_records_with_wrong_sizes_are_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        datasets.parse_records(payload, with_data=True)


@pytest.mark.parametrize(
    "payload", [b"", GC9_SIZES[:-1], GC9_SIZES[:8] + b"\xff\xff\x08\0", bytes(8)]
)
def test_live_view_sizes_with_wrong_counts_are_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        datasets.parse_live_view_sizes(payload)


def test_a_live_view_image_without_a_picture_is_refused() -> None:
    assert datasets.picture_of(bytes(9) + b"\xff\xd8x") == b"\xff\xd8x"
    with pytest.raises(ProtocolError):
        datasets.picture_of(bytes(100))
