"""Threads do not survive a fork: a child of their process is told, and hangs nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from aio_sessions import open_at
from conftest import PATIENT, Cameras
from forking import in_child
from ptpfast import aio, pull_iter

WHOSE = "belongs to the process that opened it"


def run(work: Callable[[], Coroutine[Any, Any, object]]) -> object:
    """Runs it on a loop of its own, as a child has to."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


@pytest.mark.parametrize("leaves", ["close", "exit"])
def test_session_of_asyncio_is_the_parent_s(camera: Cameras, leaves: str) -> None:
    sim = camera(objects=2, size=1000)

    async def main() -> None:
        async with open_at(sim) as session:
            first = (await session.objects())[0]

            async def child() -> None:
                with pytest.raises(RuntimeError, match=WHOSE):
                    await session.read(first)
                if leaves == "close":
                    await session.close()
                    await session.close()
                else:
                    await session.__aexit__(None, None, None)

            in_child(lambda: run(child))
            assert len(await session.read(first)) == 1000
            assert (sim.sessions_opened, sim.sessions_closed) == (1, 0)

    asyncio.run(main())


def test_stream_of_asyncio_is_left_in_a_child_without_a_word(camera: Cameras) -> None:
    sim = camera(objects=1, size=3_000_000)

    async def main() -> None:
        async with open_at(sim) as session:
            first = (await session.objects())[0]
            stream = session.stream(first)
            received = len(await anext(stream))

            async def child() -> None:
                await stream.aclose()

            in_child(lambda: run(child))
            async for piece in stream:
                received += len(piece)
            assert received == 3_000_000

    asyncio.run(main())


def test_pull_iter_of_asyncio_is_the_parent_s(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=3, size=1000)

    async def main() -> None:
        where = f"{sim.host}:{sim.port}"
        async with aio.pull_iter(where, tmp_path, timeouts=PATIENT) as results:
            taken = [await anext(results)]

            async def child() -> None:
                with pytest.raises(RuntimeError, match=WHOSE):
                    await anext(results)
                await results.aclose()

            in_child(lambda: run(child))
            taken += [each async for each in results]
            assert [each.status for each in taken] == ["downloaded"] * 3

    asyncio.run(main())


def test_pull_iter_is_the_parent_s(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=3, size=1000)
    with pull_iter(f"{sim.host}:{sim.port}", tmp_path, timeouts=PATIENT) as results:
        taken = [next(results)]

        def child() -> None:
            for _ in range(4):  # the first ones may have been ready
                with pytest.raises(RuntimeError, match=WHOSE):
                    next(results)
            results.close()

        in_child(child)
        taken += list(results)
    assert [each.status for each in taken] == ["downloaded"] * 3
