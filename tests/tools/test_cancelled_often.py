"""Ten thousand tasks, cancelled at random moments in whatever they do, over several sessions."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from aio_sessions import assert_sessions_are_closed, open_at, until
from cancelled_work import LONGEST_S, WAYS, Work
from conftest import PATIENT, Cameras
from ptpfast import aio
from ptpfast.sim import SimulatedCamera

pytestmark = [pytest.mark.tools, pytest.mark.timeout(600)]

CANCELLED = int(os.environ.get("PTPFAST_CANCELLATIONS", "10000"))
SESSIONS = 6
LOOK = 50  # cancelled tasks between two looks at the session


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


class Lane:
    """One session whose tasks are cancelled one after the other."""

    def __init__(self, sim: SimulatedCamera, session: aio.Session, folder: Path, seed: str) -> None:
        self.work = Work(sim, session, folder)
        self.cancelled = 0
        self._chance = random.Random(seed)

    async def run(self, count: int, cancel: Any) -> None:
        before = self.work.finished
        for number in range(count):
            await cancel(self.work.any(self._chance), self._chance.random() * LONGEST_S)
            assert self.work.session.usable
            if number % LOOK == 0:
                assert len(await self.work.session.objects()) == len(self.work.handles)
        self.cancelled = count - (self.work.finished - before)

    async def is_in_order(self) -> None:
        """The session does all that it did at first, and no file is wrong."""
        self.work.assert_no_file_is_wrong()
        report = await aio.pull(self.work.session, self.work.folder / "pull", history=False)
        assert report.ok
        for handle in self.work.handles:
            await self.work.download(handle)
            await self.work.read(handle)


@pytest.mark.parametrize(("backend", "cancel"), WAYS)
def test_ten_thousand_cancelled_tasks_leave_nothing_behind(
    camera: Cameras, tmp_path: Path, backend: str, cancel: Any
) -> None:
    sims = [camera(objects=5, size=60_000) for _ in range(SESSIONS)]
    each = -(-CANCELLED // (len(WAYS) * SESSIONS))
    lanes: list[Lane] = []

    async def main() -> None:
        async with AsyncExitStack() as stack:
            for number, sim in enumerate(sims):
                session = await stack.enter_async_context(open_at(sim))
                folder = tmp_path / str(number)
                folder.mkdir()
                lanes.append(Lane(sim, session, folder, f"{backend} {cancel.__name__} {number}"))
            for lane in lanes:  # all that is made once is made
                await lane.is_in_order()
            threads, files = threading.active_count(), descriptors()
            async with anyio.create_task_group() as tasks:
                for lane in lanes:
                    tasks.start_soon(lane.run, each, cancel)
            with anyio.fail_after(PATIENT.operation):  # a thread may be about to end
                await until(lambda: threading.active_count() <= threads)
                await until(lambda: descriptors() <= files)
            if backend == "asyncio":
                assert asyncio.all_tasks() == {asyncio.current_task()}
            for lane in lanes:
                await lane.is_in_order()

    anyio.run(main, backend=backend)
    assert sum(lane.cancelled for lane in lanes) > each * SESSIONS / 20  # they did not just end
    for sim in sims:
        assert_sessions_are_closed(sim)
