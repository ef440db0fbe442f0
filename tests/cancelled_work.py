"""Operations of a session that are cancelled at random moments, and the ways to cancel them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from objects_of import content
from ptpfast import aio
from ptpfast.sim import SimulatedCamera

LONGEST_S = 0.02  # of what is cancelled


class Work:
    """What is cancelled: operations of one session, each with a check of what it returned."""

    def __init__(self, sim: SimulatedCamera, session: aio.Session, folder: Path) -> None:
        self.sim = sim
        self.session = session
        self.folder = folder
        self.handles = [stored.handle for stored in sim.store.files()]
        self.finished = 0

    def wanted(self, handle: int) -> bytes:
        return content(self.sim, handle)

    async def list(self, handle: int) -> None:
        assert len(await self.session.objects()) == len(self.handles)

    async def read(self, handle: int) -> None:
        assert await self.session.read(handle) == self.wanted(handle)

    async def download(self, handle: int) -> None:
        path = self.folder / f"{handle}.NEF"
        await self.session.download(handle, path, chunk=10_000, overwrite=True)
        assert path.read_bytes() == self.wanted(handle)

    async def stream(self, handle: int) -> None:
        async with self.session.stream(handle, 10_000) as pieces:
            read = b"".join([bytes(piece) async for piece in pieces])
        assert read == self.wanted(handle)

    async def leave(self, handle: int) -> None:
        async for _ in self.session.stream(handle, 10_000):
            await anyio.lowlevel.checkpoint()

    async def pull(self, handle: int) -> None:
        report = await aio.pull(self.session, self.folder / "pull", history=False, chunk=10_000)
        assert report.ok

    async def pull_iter(self, handle: int) -> None:
        options: Any = {"history": False, "chunk": 10_000}
        async with aio.pull_iter(self.session, self.folder / f"{handle}", **options) as results:
            async for result in results:
                assert result.path is not None
                assert result.path.read_bytes() == self.wanted(result.handle)

    async def events(self, handle: int) -> None:
        async for _ in self.session.events():
            pass

    def any(self, chance: random.Random) -> Callable[[], Awaitable[None]]:
        names = ("list", "read", "download", "stream", "leave", "pull", "pull_iter", "events")
        work, handle = getattr(self, chance.choice(names)), chance.choice(self.handles)

        async def run() -> None:
            await work(handle)
            self.finished += 1

        return run

    def assert_no_file_is_wrong(self) -> None:
        wanted = {self.wanted(handle) for handle in self.handles}
        there = [path for path in self.folder.rglob("*") if path.is_file()]
        named = [path for path in there if ".part" not in path.name and path.name[0] != "."]
        assert {path.read_bytes() for path in named} <= wanted


async def cancelled_by_scope(work: Callable[[], Awaitable[None]], after_s: float) -> None:
    with anyio.move_on_after(after_s):
        await work()


async def cancelled_twice(work: Callable[[], Awaitable[None]], after_s: float) -> None:
    """As asyncio cancels a task, and again while it ends."""
    task = asyncio.ensure_future(work())
    await asyncio.wait([task], timeout=after_s)
    task.cancel()
    await asyncio.wait([task], timeout=0)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


WAYS = [
    ("asyncio", cancelled_by_scope),
    ("asyncio", cancelled_twice),
    ("trio", cancelled_by_scope),
]
