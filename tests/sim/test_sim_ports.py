"""The ports of a simulated camera: closed and opened again, three in a row, and a gate."""

from __future__ import annotations

import socket

import pytest

from ptpfast.sim import SimulatedCamera
from ptpfast.sim.counters import Counters
from ptpfast.sim.listener import Listener

LOOPBACK = "127.0.0.1"


def is_open(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_listener_refuses_connections_and_accepts_again_at_its_port() -> None:
    served: list[socket.socket] = []
    counters = Counters()
    listener = Listener(LOOPBACK, 0, lambda sock: sock, served.append, counters, accepts=False)
    try:
        listener.start()
        assert not is_open(listener.port)
        for _ in range(3):
            listener.accept()
            assert is_open(listener.port)
            listener.refuse()
            assert not is_open(listener.port)
        listener.refuse_for(0.05)
        listener.accept()
        assert is_open(listener.port)
    finally:
        listener.close()
    assert not is_open(listener.port)


def test_a_listener_that_was_never_started_can_be_closed() -> None:
    listener = Listener(LOOPBACK, 0, lambda sock: sock, lambda _: None, Counters())
    assert is_open(listener.port)
    listener.close()
    assert not is_open(listener.port)


def test_a_body_of_containers_needs_two_more_ports() -> None:
    with pytest.raises(OSError, match="no two ports"):
        SimulatedCamera(body="fuji-xt2", objects=0, port=0xFFFF)
    with SimulatedCamera(body="fuji-xt2", objects=0) as first:
        assert first.gate_port is None
        with pytest.raises(OSError, match="in use"):
            SimulatedCamera(body="fuji-xt2", objects=0, port=first.port - 2)
        with SimulatedCamera(body="fuji-xt2", objects=0) as second:
            assert abs(first.port - second.port) > 2


def asked(port: int, question: bytes) -> bytes:
    with socket.create_connection((LOOPBACK, port), 5) as sock:
        sock.sendall(question)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(4096), b""))


@pytest.mark.parametrize(
    "question", [b"", b"POST / HTTP/1.1\r\n\r\n", b"GET\r\n\r\n", b"\xff" * 20_000]
)
def test_a_gate_answers_nothing_but_questions(question: bytes) -> None:
    with SimulatedCamera(body="panasonic-bgh1", objects=0) as camera:
        assert camera.gate_port is not None
        try:
            answer = asked(camera.gate_port, question)
        except ConnectionResetError:
            answer = b""
        assert answer == b""
        assert not is_open(camera.port)
        path = "/cam.cgi?mode=accctrl&type=req_acc_a&value=X&value2=box"
        assert b"<result>ok</result>" in asked(
            camera.gate_port, f"GET {path} HTTP/1.1\r\n\r\n".encode()
        )
        assert is_open(camera.port)
