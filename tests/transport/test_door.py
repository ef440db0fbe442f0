"""What is said when no connection comes about: who answered, at which step, and what to try."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import ptpfast
from conftest import HASTY, Cameras, Sessions
from ptpfast import ConnectFailed, ConnectionLost, InitFailed, OperationCode, Timeout
from ptpfast.engine.wire import InitCommandAck, pack
from ptpfast.transport import handshake
from ptpfast.vendors import elsewhere
from raw_responder import Responder, Send


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "AFTER_DROP_S", 0.05)
    monkeypatch.setattr(handshake, "PROBE_ANSWER_S", 0.2)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("event_silence", ConnectFailed, "and then stopped answering in the second handshake"),
        (
            "no_answer on GetDeviceInfo",
            Timeout,
            "and then stopped answering: asking who the camera is",
        ),
        ("no_answer on OpenSession", Timeout, "and then stopped answering: opening the session"),
        (
            "black_hole on GetDeviceInfo",
            Timeout,
            "and then stopped answering: asking who the camera is",
        ),
        (
            "drop on GetDeviceInfo",
            ConnectionLost,
            "and then closed the connection: asking who the camera is",
        ),
        (
            "reset on OpenSession",
            ConnectionLost,
            "and then closed the connection: opening the session",
        ),
    ],
)
def test_a_camera_that_answered_and_fell_silent_is_named_with_the_step(
    camera: Cameras, fault: str, error: type[ptpfast.PTPError], words: str
) -> None:
    sim = camera(faults=[fault], name="Desk camera")
    with pytest.raises(error) as caught:
        ptpfast.connect(sim.host, port=sim.port, timeouts=HASTY)
    assert str(caught.value).startswith(f"Desk camera answered at {sim.host}:{sim.port} {words}")


def nothing(_: object, send: Send) -> None:
    """The connection stays, silent."""


def test_a_camera_without_a_name_is_a_camera_all_the_same() -> None:
    with Responder(event=nothing) as responder, pytest.raises(ConnectFailed) as caught:
        ptpfast.connect(responder.host, port=responder.port, timeouts=HASTY)
    where = f"{responder.host}:{responder.port}"
    assert str(caught.value).startswith(f"a camera answered at {where} and then stopped answering")


def test_an_init_that_is_never_answered_is_said_by_its_step(camera: Cameras) -> None:
    sim = camera(faults=["init_silence"])
    with pytest.raises(ConnectFailed, match="does not answer the handshake"):
        ptpfast.connect(sim.host, port=sim.port, timeouts=HASTY)


@contextmanager
def camera_with_one_connection() -> Iterator[int]:
    """Takes the Command connection, says who it is, and listens no more. Its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        listener.close()
        with sock:
            sock.recv(1000)
            sock.sendall(pack(InitCommandAck(1, bytes(16), "D5300", 0x10000)))
            sock.recv(1000)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()


def test_a_refused_second_connection_is_told_from_nothing_that_listens() -> None:
    with camera_with_one_connection() as port, pytest.raises(ConnectFailed) as caught:
        ptpfast.connect("127.0.0.1", port=port, timeouts=HASTY)
    said = "and then refused the second connection"
    assert str(caught.value).startswith(f"D5300 answered at 127.0.0.1:{port} {said}")


# Another brand's port


@pytest.fixture
def usual_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The port that cameras listen at, for this test: nothing listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    monkeypatch.setattr(elsewhere, "DEFAULT_PORT", port)
    return port


def test_nothing_at_the_usual_port_names_the_ports_of_other_brands(usual_port: int) -> None:
    with pytest.raises(ConnectFailed, match=r"ports were tried, too: 55740") as caught:
        ptpfast.connect("127.0.0.1", port=usual_port, timeouts=HASTY)
    assert caught.value.message == f"nothing listens at 127.0.0.1:{usual_port}"
    assert "connect to PC" in caught.value.hint


def test_only_the_usual_port_leads_to_a_look_at_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    connect = socket.create_connection

    def noting(address: tuple[str, int], **options: float) -> socket.socket:
        tried.append(address[1])
        return connect(address, **options)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(socket, "create_connection", noting)
    with pytest.raises(ConnectFailed, match="nothing listens"):
        ptpfast.connect("127.0.0.1", port=port, timeouts=HASTY)
    assert tried == [port]


# A camera that does not stand our probe


def test_a_camera_that_drops_us_at_the_probe_is_connected_to_without(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["event_probe_drop times 0"])
    session = connect(sim)
    assert session.storage_ids()
    assert sim.connections == 2
    session.reconnect()
    assert session.storage_ids()
    assert sim.connections == 3  # remembered: no probe


def test_without_a_probe_the_first_operation_waits_for_the_pause(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "PROBE_ANSWER_S", 1.0)
    sim = camera(faults=["event_probe_drop times 0"], needs_probe=True)
    assert connect(sim).storage_ids()
    assert sim.connections == 2


def test_a_camera_that_drops_us_without_a_probe_too_is_not_tried_for_ever() -> None:
    inits: list[object] = []

    def init(request: object, send: Send) -> None:
        inits.append(request)
        send(pack(InitCommandAck(1, bytes(16), "D5300", 0x10000)))

    def hang_up(_: object, send: Send) -> None:
        raise OSError

    with Responder(init=init, event=hang_up) as responder, pytest.raises(ConnectFailed) as caught:
        ptpfast.connect(responder.host, port=responder.port, timeouts=HASTY)
    assert "D5300 answered" in str(caught.value)
    assert len(inits) <= 2


def test_a_camera_that_is_still_busy_with_the_dropped_connection_is_waited_for(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(faults=["event_probe_drop", "init_fail=2 at 2 times 2"])
    assert connect(sim).storage_ids()
    refused = camera(faults=["event_probe_drop", "init_fail=1 at 2"])
    with pytest.raises(InitFailed, match="not registered"):
        connect(refused)


def test_a_probe_that_is_answered_costs_no_second_connection(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    connect(sim)
    assert sim.connections == 1
    assert sim.operations[OperationCode.GetDeviceInfo] == 1


@pytest.mark.parametrize(
    ("reason", "text"),
    [(0x2019, "paired under another name"), (0x201D, "another version of the handshake")],
)
def test_a_vendors_reason_for_a_refusal_is_said_in_words(
    camera: Cameras, reason: int, text: str
) -> None:
    sim = camera(faults=[f"init_fail={reason} times 0"])
    with pytest.raises(InitFailed, match=text) as caught:
        ptpfast.connect(sim.host, port=sim.port, timeouts=HASTY)
    assert caught.value.reason == reason
    assert caught.value.message.startswith(f"the camera at {sim.host}:{sim.port} refused")
