"""A further connection that only sends packets behind their length."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from ptpfast import ConnectFailed, ConnectionLost, ProtocolError, Timeout
from ptpfast.transport.contract import Address
from ptpfast.transport.side import SideConnection

LARGEST = 1000


@pytest.fixture
def ends() -> Iterator[tuple[SideConnection, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        side = SideConnection.open(Address(*server.getsockname()), 5, LARGEST)
        camera, _ = server.accept()
    yield side, camera
    side.close()
    camera.close()


Ends = tuple[SideConnection, socket.socket]


def packet(payload: bytes) -> bytes:
    return (4 + len(payload)).to_bytes(4, "little") + payload


def test_packets_come_whole_however_they_are_cut(ends: Ends) -> None:
    side, camera = ends
    camera.sendall(packet(b"one") + packet(b"") + packet(b"three")[:5])
    assert side.receive(5) == b"one"
    assert side.receive(5) == b""
    with pytest.raises(Timeout):
        side.receive(0.05)
    camera.sendall(packet(b"three")[5:])
    assert side.receive(5) == b"three"


def test_packets_of_before_are_skipped_and_half_a_packet_is_kept(ends: Ends) -> None:
    side, camera = ends
    side.skip()
    camera.sendall(packet(b"old") * 5 + packet(b"new")[:4])
    assert side.receive(5) == b"old"
    side.skip()
    camera.sendall(packet(b"new")[4:])
    assert side.receive(5) == b"new"


@pytest.mark.parametrize("length", [0, 3, LARGEST + 1, 0xFFFFFFFF])
def test_an_impossible_length_is_refused_at_once(ends: Ends, length: int) -> None:
    side, camera = ends
    camera.sendall(length.to_bytes(4, "little"))
    with pytest.raises(ProtocolError):
        side.receive(5)


def test_the_end_of_the_connection_is_told(ends: Ends) -> None:
    side, camera = ends
    camera.sendall(packet(b"last"))
    camera.close()
    assert side.receive(5) == b"last"
    with pytest.raises(ConnectionLost):
        side.receive(5)


def test_a_port_that_stays_closed_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(*server.getsockname())
    with pytest.raises(ConnectFailed, match="nothing listens"):
        SideConnection.open(address, 0.15, LARGEST)
