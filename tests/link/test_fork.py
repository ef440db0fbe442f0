"""A forked child that uses or leaves what its parent has opened: the parent's work goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import PATIENT, Cameras, Sessions
from forking import LONG_S, in_child
from ptpfast import Session
from ptpfast.engine.sink import FileSink
from ptpfast.link import courtesy
from ptpfast.sim import SimulatedCamera
from ptpfast.transfer.journal import Identity, Journal
from ptpfast.transfer.part import PartFile
from ptpfast.transport.contract import Address


def leave(session: Session) -> None:
    with pytest.raises(SystemExit), session:
        sys.exit(0)


def close_connection(session: Session) -> None:
    session.link.connection.close()


ENDS: list[Callable[[Session], object]] = [
    Session.close,
    leave,
    close_connection,
    lambda session: session.link.connection._command.close(),
]


@pytest.mark.parametrize("end", ENDS)
def test_a_child_that_closes_a_session_leaves_its_parent_s_alone(
    camera: Cameras, connect: Sessions, end: Callable[[Session], object]
) -> None:
    sim = camera(objects=2, size=1000)
    session = connect(sim)
    for _ in range(2):
        in_child(lambda: end(session))
    assert len(session.objects()) == 2
    sim.push_event(0x4002, 7)
    event = session._events.get(10)
    assert event is not None
    assert event.parameters == (7,)
    assert (sim.sessions_closed, sim.unclean_ends, sim.connections) == (0, 0, 1)


USES: dict[str, Callable[[Session], Any]] = {
    "list": lambda session: session.objects(),
    "read": lambda session: session.read_into(0x40004, bytearray(10)),
    "transaction": lambda session: session.transaction(0x1001),
    "reconnect": lambda session: session.reconnect(),
    "cancel": lambda session: session.cancel(),
    "events": lambda session: session.link.hub.subscribe(),
    "next event": lambda session: session._events.get(1),
}


@pytest.mark.parametrize("use", USES)
def test_a_child_cannot_use_its_parent_s_session(
    camera: Cameras, connect: Sessions, use: str
) -> None:
    sim = camera(objects=2, size=1000)
    session = connect(sim)

    def work() -> None:
        with pytest.raises(RuntimeError, match="belongs to the process that opened it"):
            USES[use](session)
        assert not session.usable
        session.close()
        session.close()  # safe to call twice

    before = sim.operations.total()
    in_child(work)
    assert sim.operations.total() == before
    assert len(session.objects()) == 2


def test_a_child_can_connect_for_itself(camera: Cameras, connect: Sessions) -> None:
    sim, other = camera(objects=2), camera(objects=3)
    session = connect(sim)

    def work() -> None:
        session.close()
        with ptpfast.connect(other.host, port=other.port, timeouts=PATIENT) as own:
            assert len(own.objects()) == 3

    in_child(work)
    assert len(session.objects()) == 2


def test_locks_that_other_threads_hold_at_the_fork_do_not_stop_a_child_s_close(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=2)
    session = connect(sim)
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            session.link.connection._turn.now(),
            session.link.hub.changed,
            courtesy._not_before_lock,
        ):
            held.set()
            over.wait(LONG_S)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(LONG_S)
    try:

        def work() -> None:
            session.close()
            courtesy.honour_reconnect_pause(Address("127.0.0.1", 1))

        in_child(work)
    finally:
        over.set()
        thread.join()
    assert len(session.objects()) == 2


def test_a_child_forked_during_another_thread_s_transfer_leaves_it_alone(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=1, size=3_000_000, bytes_per_s=3_000_000)
    session = connect(sim)
    info = session.objects()[0]
    read: list[bytearray] = []
    thread = threading.Thread(target=lambda: read.append(session.read(info)))
    thread.start()
    assert sim.wait_for(lambda: sim.operations.total() > 5)
    in_child(session.close)
    thread.join()
    assert len(read[0]) == 3_000_000


def test_a_child_forked_in_a_download_keeps_its_hands_off_the_part_file(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=1, size=9_000_000)
    session = connect(sim)
    info = session.objects()[0]
    path, forked = tmp_path / info.name, []

    def progress(*_: object) -> None:
        if forked:
            return
        forked.append(1)
        child = os.fork()
        if not child:
            signal.alarm(LONG_S)
            raise SystemExit(7)
        forked.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    parent = os.getpid()
    try:
        session.download(info, path, progress=progress)
    except BaseException:  # the child's way out, through all that the download puts in order
        if os.getpid() != parent:
            session.close()
            os._exit(7)
        raise
    assert forked[1] == 7
    expected = b"".join(sim.store.expected(info.handle).spans(0, 9_000_000))
    assert path.read_bytes() == expected
    assert os.listdir(tmp_path) == [path.name]


def test_a_child_cuts_and_removes_no_part_file(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    identity = Identity("camera", 1, "x", 1000, "")
    with PartFile(path, Journal(path, identity)) as part:
        sink = FileSink(part.path, size=1000, descriptor=part.fd)

        def work() -> None:
            os.pwrite(part.fd, b"parent", 0)  # has written on since
            sink.abandon()
            part.__exit__(None, None, None)

        in_child(work)
        assert sorted(os.listdir(tmp_path)) == ["x.part", "x.part.json"]
        assert Path(part.path).read_bytes() == b"parent"
        with pytest.raises(ptpfast.SinkError, match="another run"):
            PartFile(path, Journal(path, identity)).__enter__()
        sink.abandon()


def test_a_child_that_closes_a_simulated_camera_leaves_its_parent_s_alone(
    camera: Cameras, connect: Sessions
) -> None:
    sim: SimulatedCamera = camera(objects=2)
    session = connect(sim)
    in_child(sim.close)
    assert len(session.objects()) == 2
    session.close()
    assert len(connect(sim).objects()) == 2
