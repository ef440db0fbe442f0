"""Cancelled tasks: at random moments, in whatever they do, and what they leave behind."""

from __future__ import annotations

import random
import select
import socket
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import command_line
import ptpfast
from aio_sessions import assert_sessions_are_closed, open_at, until
from cancelled_work import LONGEST_S, WAYS, Work
from conftest import PATIENT, Cameras
from objects_of import content
from ptpfast import OperationCode, aio
from ptpfast.aio.worker import Job, Worker
from ptpfast.sim import SimulatedCamera

ROUNDS = 200
END_LIVE_VIEW = 0x9202  # of Nikon
JPEG = b"\xff\xd8"
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.mark.parametrize(("backend", "cancelled"), WAYS)
def test_task_cancelled_at_any_moment_leaves_its_session_in_order(
    camera: Cameras, tmp_path: Path, backend: str, cancelled: Any
) -> None:
    sim = camera(objects=5, size=60_000)
    chance = random.Random(f"{backend} {cancelled.__name__}")

    async def main() -> None:
        async with open_at(sim) as session:
            work = Work(sim, session, tmp_path)
            before = threading.active_count()
            for _ in range(ROUNDS):
                await cancelled(work.any(chance), chance.random() * LONGEST_S)
                assert session.usable
                assert len(await session.objects()) == len(work.handles)
            assert threading.active_count() <= before
            assert work.finished < ROUNDS
            work.assert_no_file_is_wrong()
            report = await aio.pull(session, tmp_path / "pull", history=False)
            assert report.ok
            for handle in work.handles:
                await work.download(handle)
                await work.read(handle)

    anyio.run(main, backend=backend)
    assert_sessions_are_closed(sim)


@pytest.mark.parametrize(("backend", "cancelled"), WAYS)
def test_task_cancelled_while_it_connects_leaves_no_session(
    camera: Cameras, tmp_path: Path, backend: str, cancelled: Any
) -> None:
    sim = camera(objects=2, size=1000)
    chance = random.Random(f"connect {backend} {cancelled.__name__}")

    async def use() -> None:
        # On a slow machine the thread of the last round may still be closing its session.
        async with open_at(sim, waiting=str) as session:
            assert await session.objects()

    async def fetch() -> None:
        await aio.pull(command_line.at(sim), tmp_path, timeouts=PATIENT)

    async def main() -> None:
        for _ in range(ROUNDS // 3):
            await cancelled(chance.choice([use, fetch]), chance.random() * LONGEST_S)

    anyio.run(main, backend=backend)
    for thread in threading.enumerate():
        if thread.name.startswith("ptpfast"):
            thread.join(20)
    assert_sessions_are_closed(sim)
    assert ptpfast.pull(command_line.at(sim), tmp_path, timeouts=PATIENT).ok


def open_without_end(sim: SimulatedCamera) -> aio.Connecting:
    """With timeouts that no test outlives: who waited for them would not end."""
    return open_at(sim, timeouts=ptpfast.Timeouts(operation=3600, idle=3600, close=0.1))


@BACKENDS
def test_cancelled_task_does_not_wait_for_a_silent_camera(camera: Cameras, backend: str) -> None:
    sim = camera(objects=2, faults=["no_answer on GetObjectInfo"])

    async def main() -> None:
        async with open_without_end(sim) as session, anyio.create_task_group() as tasks:
            tasks.start_soon(session.objects)
            await until(lambda: sim.operations[OperationCode.GetObjectInfo] > 0)
            tasks.cancel_scope.cancel()
        assert tasks.cancel_scope.cancelled_caught

    anyio.run(main, backend=backend)


@BACKENDS
def test_cancelled_task_hangs_up_at_an_address_that_is_silent(backend: str) -> None:
    async def connect(port: int) -> None:
        await aio.connect("127.0.0.1", port=port, timeouts=ptpfast.Timeouts(connect=3600))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connect, listening.getsockname()[1])
            await until(lambda: bool(select.select([listening], [], [], 0)[0]))
            tasks.cancel_scope.cancel()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        anyio.run(main, backend=backend)
        peer, _ = listening.accept()
        with peer:
            peer.settimeout(PATIENT.connect)
            while peer.recv(1000):  # the rest of its Init Command Request
                pass


@BACKENDS
def test_operation_that_waits_for_its_turn_is_cancelled_alone(
    camera: Cameras, backend: str
) -> None:
    sim = camera(objects=2)
    may_end, is_begun = threading.Event(), threading.Event()
    done: list[str] = []

    def hold() -> None:
        is_begun.set()
        may_end.wait()

    async def main() -> None:
        async with open_at(sim) as session, anyio.create_task_group() as tasks:
            handle = (await session.objects())[0].handle

            async def read() -> None:
                await session.worker.do(hold)
                assert await session.read(handle) == content(sim, handle)
                done.append("read")

            async def delete() -> None:
                with scope:
                    asked.set()
                    await session.delete(handle)

            asked, scope = anyio.Event(), anyio.CancelScope()
            tasks.start_soon(read)
            await until(is_begun.is_set)
            tasks.start_soon(delete)
            await asked.wait()
            scope.cancel()
            await until(lambda: scope.cancelled_caught)
            may_end.set()
        assert done == ["read"]

    anyio.run(main, backend=backend)
    assert sim.operations[OperationCode.DeleteObject] == 0


@BACKENDS
def test_task_that_is_cancelled_already_asks_the_camera_nothing(
    camera: Cameras, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2)

    async def main() -> None:
        async with open_at(sim) as session:
            handle = (await session.objects())[0].handle
            with anyio.CancelScope() as scope, monkeypatch.context() as patch:
                # As if the thread were always faster than the task.
                patch.setattr(session.worker, "submit", Job.run)
                scope.cancel()
                await session.delete(handle)
            assert scope.cancelled_caught
            assert len(await session.objects()) == 2

    anyio.run(main, backend=backend)
    assert sim.operations[OperationCode.DeleteObject] == 0


@BACKENDS
def test_live_view_is_ended_when_its_task_is_cancelled_between_two_frames(
    camera: Cameras, backend: str
) -> None:
    sim = camera(body="nikon-z9")
    ended: list[int] = []

    async def main() -> None:
        async with open_at(sim, role="remote") as session:
            with anyio.CancelScope() as scope:
                async with session.live_view() as frames:
                    assert (await anext(frames)).startswith(JPEG)
                    scope.cancel()
            ended.append(sim.operations[END_LIVE_VIEW])

    anyio.run(main, backend=backend)
    assert ended == [1]


@BACKENDS
def test_iterator_outlives_the_close_of_its_session_quietly(camera: Cameras, backend: str) -> None:
    sim = camera()

    async def main() -> None:
        async with open_at(sim) as session:
            first = (await session.objects())[0]
            async with session.stream(first, 10_000) as pieces:
                await anext(pieces)
                await session.close()

    anyio.run(main, backend=backend)


@BACKENDS
def test_result_that_comes_with_the_cancellation_is_undone(backend: str) -> None:
    undone: list[int] = []
    is_begun, may_end = threading.Event(), threading.Event()

    def seven() -> int:
        is_begun.set()
        may_end.wait()
        return 7

    async def main() -> None:
        worker = Worker("ptpfast test")
        async with anyio.create_task_group() as tasks:

            async def work() -> None:
                await worker.do(seven, undo=undone.append)

            tasks.start_soon(work)
            await until(is_begun.is_set)
            may_end.set()
            while not worker.is_idle:  # without a turn for the task: it does not know the result
                pass
            tasks.cancel_scope.cancel()
        worker.end()

    anyio.run(main, backend=backend)
    assert undone == [7]
