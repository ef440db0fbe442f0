"""No camera waits for us: requests leave in one segment, and answers are acknowledged at once.

A camera that leaves Nagle's algorithm on holds the rest of an answer back until what it has sent is
acknowledged, and a kernel that is left alone thinks about that for 40 ms. Times are bounds that
are ten times as far away, or below what the kernel's timer allows.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conftest import Cameras, Sessions
from ptpfast import OperationCode, Session
from ptpfast.engine import wire
from ptpfast.engine.channel import Channel
from ptpfast.engine.framing import DataPhase
from ptpfast.engine.sink import MemorySink
from ptpfast.link.pipelining import Request
from ptpfast.sim import LINKS, Link, SimulatedCamera, Writes, check
from ptpfast.transfer import ObjectReader
from ptpfast.transport import handshake

MANY = 300
FEW = 60  # the first sixteen are acknowledged at once whatever we do
DELAY_S = 0.04  # TCP_DELACK_MIN in net/tcp.h
HALF_OF_ALL_S = 0.5 * (FEW - 16) * DELAY_S
QUICK_S = MANY * DELAY_S / 3
DATE_TIME = b"\x10" + "20260101T000000\0".encode("utf-16-le")

needs_quick_acks = pytest.mark.skipif(
    not hasattr(socket, "TCP_QUICKACK"), reason="this system has no TCP_QUICKACK"
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The camera's end, with Nagle's algorithm, and ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with theirs, ours:
        ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield theirs, ours


def send_in_pieces(sock: socket.socket, *pieces: bytes) -> None:
    for piece in pieces:
        sock.sendall(piece)


def probe(theirs: socket.socket, channel: Channel, count: int) -> float:
    """As on the Event connection: an event in two pieces behind each of our packets; how long all
    of them took."""
    asked, event = wire.pack(wire.ProbeRequest()), wire.pack(wire.Event(0x4002, 0, (1,)))
    began = time.monotonic()
    for _ in range(count):
        channel.send(asked)
        assert theirs.recv(1000) == asked
        send_in_pieces(theirs, event[:8], event[8:])
        assert channel.receive_packet(timeout_s=20) == event
    return time.monotonic() - began


def transact(theirs: socket.socket, channel: Channel, count: int) -> float:
    """Answers whose packets are sent apart, each to a request; how long all of them took."""
    began = time.monotonic()
    for number in range(1, count + 1):
        request = wire.pack(wire.OperationRequest(1, 0x1001, number, ()))
        channel.send(request)
        assert theirs.recv(1000) == request
        send_in_pieces(
            theirs,
            wire.pack(wire.StartData(number, 10)),
            wire.pack(wire.EndData(number, b"0123456789")),
            wire.pack(wire.OperationResponse(0x2001, number, ())),
        )
        phase = DataPhase(number, MemorySink())
        assert channel.receive(phase, first_s=20, idle_s=20)
        assert phase.received == 10
    return time.monotonic() - began


@needs_quick_acks
@pytest.mark.parametrize("work", [probe, transact])
def test_a_channel_acknowledges_what_it_has_read_before_it_waits(pair, work) -> None:
    theirs, ours = pair
    channel = Channel(ours)
    try:
        assert work(theirs, channel, MANY) < QUICK_S
    finally:
        channel.close()


@needs_quick_acks
@pytest.mark.parametrize("work", [probe, transact])
def test_without_that_the_kernel_waits(pair, work) -> None:
    """So that the test above is known to be able to fail."""
    theirs, ours = pair
    channel = Channel(ours, quick_acks=False)
    try:
        assert work(theirs, channel, FEW) > HALF_OF_ALL_S
    finally:
        channel.close()


def describe(session: Session, count: int) -> float:
    """How long GetObjectInfo takes for the first object, so many times."""
    handle = next(iter(session.objects())).handle
    began = time.monotonic()
    for _ in range(count):
        session.link.transact(Request(OperationCode.GetObjectInfo, (handle,)))
    return time.monotonic() - began


@needs_quick_acks
@pytest.mark.parametrize("link", [None, Link(rtt=0.001)], ids=["direct", "link"])
@pytest.mark.parametrize("writes", [Writes.APART, Writes.PIECES], ids=lambda w: w.value)
def test_small_transactions_never_wait_for_an_acknowledgement(
    camera: Cameras, connect: Sessions, writes: Writes, link: Link | None
) -> None:
    sim = camera(nagle=True, writes=writes, link=link)
    assert describe(connect(sim), MANY) < QUICK_S


@needs_quick_acks
@pytest.mark.parametrize("link", [None, Link(rtt=0.001)], ids=["direct", "link"])
@pytest.mark.parametrize("writes", [Writes.APART, Writes.PIECES], ids=lambda w: w.value)
def test_the_simulated_camera_really_waits_where_we_do_not_acknowledge(
    camera: Cameras,
    connect: Sessions,
    monkeypatch: pytest.MonkeyPatch,
    writes: Writes,
    link: Link | None,
) -> None:
    """Its link does not put together again what it writes apart."""
    monkeypatch.setattr(handshake, "QUICK_ACKS", False)
    sim = camera(nagle=True, writes=writes, link=link)
    assert describe(connect(sim), FEW) > HALF_OF_ALL_S


@needs_quick_acks
def test_whole_answers_and_no_nagle_know_no_such_wait(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "QUICK_ACKS", False)
    for options in ({"nagle": True}, {"writes": "apart"}, {"writes": "pieces"}):
        sim = camera(**options)
        with connect(sim) as session:
            assert describe(session, MANY) < QUICK_S, options


@pytest.mark.parametrize("writes", list(Writes), ids=lambda w: w.value)
@pytest.mark.parametrize("end_data", ["empty", "last", "whole"])
@pytest.mark.parametrize("chunk", [None, 100_000])
def test_bytes_are_right_however_a_camera_writes(
    camera: Cameras, connect: Sessions, writes: Writes, end_data: str, chunk: int | None
) -> None:
    sim = camera(nagle=True, writes=writes, end_data=end_data, data_packet_size=20_000)
    session = connect(sim)
    for info in session.objects():
        sink = MemorySink()
        ObjectReader(session.camera, info, chunk=chunk).read(sink, 0, info.size or 0)
        received = sink.finish()
        assert received is not None
        assert check(sim.store.expected(info.handle), received)


def test_a_link_with_writes_apart_keeps_the_bytes_and_the_order(
    camera: Cameras, connect: Sessions
) -> None:
    link = Link(rate=20e6, rtt=0.002, jitter=0.001)
    sim = camera(nagle=True, writes="pieces", link=link, size=1_000_000, data_packet_size=5000)
    session = connect(sim)
    info = next(iter(session.objects()))
    assert check(sim.store.expected(info.handle), session.read(info))


def sockets(sim: SimulatedCamera, *, of_camera: bool) -> list[socket.socket]:
    """Duplicates of this process's sockets that are the camera's, or that are connected to it."""
    found = []
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            sock = socket.socket(fileno=os.dup(descriptor))
        except OSError:  # no socket
            continue
        try:
            port = (sock.getsockname() if of_camera else sock.getpeername())[1]
        except (OSError, IndexError):  # not connected, or no address with a port
            port = None
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if port == sim.port and not listens:
            found.append(sock)
        else:
            sock.close()
    return found


def sent_segments(sock: socket.socket) -> int:
    """Segments with data that left: tcpi_data_segs_out of struct tcp_info (linux/tcp.h)."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int.from_bytes(info[156:160], sys.byteorder)


@needs_quick_acks
def test_every_request_leaves_in_one_segment_with_its_data(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera()
    session = connect(sim)
    handle = next(iter(session.objects())).handle
    with ExitStack() as stack:
        ends = [stack.enter_context(sock) for sock in sockets(sim, of_camera=False)]
        event, command = sorted(ends, key=sent_segments)
        assert sent_segments(event) == 2  # Init Event Request and Probe Request
        asked = (
            lambda: session.link.command(OperationCode.GetObjectInfo, handle),
            lambda: session.link.transact(
                Request(OperationCode.GetObject, (handle,), limit=1 << 20)
            ),
            # Start Data and End Data go with the request.
            lambda: session.link.command(OperationCode.SetDevicePropValue, 0x5011, data=DATE_TIME),
        )
        for ask in asked:
            before = sent_segments(command)
            ask()
            assert sent_segments(command) == before + 1
        for sock in ends:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@needs_quick_acks
@pytest.mark.parametrize("link", [None, LINKS["gbe"]], ids=["direct", "link"])
@pytest.mark.parametrize("nagle", [False, True])
def test_the_cameras_sockets_are_as_its_option_says(
    camera: Cameras, connect: Sessions, nagle: bool, link: Link | None
) -> None:
    sim = camera(nagle=nagle, link=link)
    connect(sim)
    with ExitStack() as stack:
        ends = [stack.enter_context(sock) for sock in sockets(sim, of_camera=True)]
        assert len(ends) == 2
        for sock in ends:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != nagle
