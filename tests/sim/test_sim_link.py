"""The simulated camera's links: what a profile says is what its connections do, byte for byte.

Times are compared with what is physically possible only: never faster than the link, and requests
sent ahead together quicker than one after the other could be.
"""

from __future__ import annotations

import socket
import time

import pytest

from conftest import Cameras, Sessions
from ptpfast import ConnectionLost, OperationCode
from ptpfast.link.pipelining import Request
from ptpfast.sim import LINKS, Link, SimulatedCamera, check
from ptpfast.sim.link import read_profiles
from ptpfast.sim.relay import Line, Relay


def test_every_profile_says_where_it_is_from_and_what_is_assumed() -> None:
    assert len(LINKS) > 10
    for name, link in LINKS.items():
        assert len(link.about) > 10
        assert len(link.source) > 20
        if link.shapes and name != "slow-listing":
            assert {"rtt", "operation", "queue"} <= set(link.assumed)
        assert link.said()


@pytest.mark.parametrize(
    "values",
    [
        {"rate": 0.0},
        {"rate": -1.0},
        {"card": 0.0},
        {"rtt": -0.1},
        {"rtt": 0.1, "jitter": 0.2},
        {"outage": (1.0, 1.0)},
        {"cliff": (5.0, 2.0, 0.0)},
    ],
)
def test_what_no_link_can_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"above|shorter"):
        Link.of(values)


def test_a_profile_with_a_word_there_is_not_is_refused(tmp_path) -> None:
    file = tmp_path / "links.toml"
    file.write_text("[some]\nspeed = 5\n")
    with pytest.raises(TypeError, match="speed"):
        read_profiles(file)


def test_a_line_takes_as_long_as_its_rate_says_and_keeps_the_order() -> None:
    before = time.monotonic()
    line = Line(Link(rate=1000, rtt=0.5, jitter=0.5, queue=500), "seed")
    first, second = line.carry(1000), line.carry(2000)
    assert first >= before + 1.0
    assert second >= first
    assert second >= before + 3.0
    assert 2.0 < line.full_for() <= 2.5
    assert Line(Link(rtt=1.0), "seed").full_for() == 0


def test_nothing_leaves_in_an_outage() -> None:
    before = time.monotonic()
    line = Line(Link(rate=1000, outage=(100.0, 50.0)), "seed")
    after = time.monotonic()
    line.carry(60_000)  # it is under way when the outage comes
    due = line.carry(1000)
    assert before + 101 <= due <= after + 101


def test_the_rate_falls_for_as_long_as_the_profile_says() -> None:
    line = Line(Link(rate=1000, cliff=(100.0, 50.0, 10.0)), "seed")
    at = line.carry(60_000)
    assert line.carry(100) == pytest.approx(at + 10)
    at = line.carry(400)
    assert line.carry(1000) == pytest.approx(at + 1)


def test_bytes_come_whole_and_no_faster_than_the_link(camera: Cameras, connect: Sessions) -> None:
    link = Link(rate=4e6, rtt=0.01, jitter=0.01, operation=0.005)
    sim = camera(objects=2, size=1_000_000, link=link)
    session = connect(sim)
    info = session.objects()[1]
    began = time.monotonic()
    payload = session.read(info)
    seconds = time.monotonic() - began
    assert check(sim.store.expected(info.handle), payload)
    assert seconds >= len(payload) / link.rate
    began = time.monotonic()
    session.link.fetch(OperationCode.GetObjectInfo, info.handle)
    assert time.monotonic() - began >= link.rtt - link.jitter + link.operation


def test_requests_sent_ahead_are_under_way_together(camera: Cameras, connect: Sessions) -> None:
    link = Link(rtt=0.2)
    session = connect(camera(link=link), depth=10)
    left = [Request(OperationCode.GetStorageIDs) for _ in range(10)]
    done: list[object] = []
    began = time.monotonic()
    session.link.run(
        lambda: left.pop() if left else None, lambda request, phase, error: done.append(error)
    )
    seconds = time.monotonic() - began
    assert done == [None] * 10
    assert link.rtt <= seconds < 10 * link.rtt


def test_a_card_that_is_read_slowly_holds_its_bytes_back(
    camera: Cameras, connect: Sessions
) -> None:
    for block in (None, 10_000):
        link = Link(card=500_000, card_block=block)
        sim = camera(size=100_000, link=link)
        session = connect(sim)
        info = session.objects()[0]
        began = time.monotonic()
        payload = session.read(info)
        assert time.monotonic() - began >= 100_000 / 500_000
        assert check(sim.store.expected(info.handle), payload)
        session.close()


@pytest.mark.parametrize("fault", ["drop", "reset"])
def test_a_connection_the_camera_ends_ends_behind_the_link_too(
    camera: Cameras, connect: Sessions, fault: str
) -> None:
    sim = camera(link=Link(rate=10e6, rtt=0.01), faults=[f"{fault} on GetObject after 100000"])
    session = connect(sim)
    info = session.objects()[0]
    with pytest.raises(ConnectionLost):
        session.transaction(OperationCode.GetObject, info.handle)


def test_a_reset_is_not_made_an_end_of_stream() -> None:
    relay = Relay(Link(rtt=0.001), "test")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    with client:
        inner = relay.between(accepted)
        inner.sendall(b"last words")
        assert client.recv(100) == b"last words"
        inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        inner.close()
        with pytest.raises(ConnectionResetError):
            client.recv(100)
    relay.close()


def test_an_initiator_that_goes_is_noticed_behind_the_link(camera: Cameras) -> None:
    sim = camera(link=Link(rate=1e6, rtt=0.01))
    with socket.create_connection((sim.host, sim.port)) as sock:
        sock.sendall(b"\x08\0\0\0")
    assert sim.wait_for(lambda: not sim.serving)


def test_a_camera_switched_off_ends_what_is_on_its_way() -> None:
    with SimulatedCamera(objects=1, size=10, link=Link(rtt=0.2)) as sim:
        sock = socket.create_connection((sim.host, sim.port))
        assert sim.wait_for(lambda: bool(sim.serving))
        sock.sendall(b"\x08\0\0\0\0\0\0\0")
    with sock:
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass  # when the bytes came in the very last moment
