"""`ptpfast.aio.watch` on asyncio and trio."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from aio_sessions import assert_sessions_are_closed
from command_line import at
from conftest import PATIENT, Cameras
from ptpfast import aio
from watched import assert_each_once, contents, hurried


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_watch_yields_new_shots_and_ends_when_its_task_does(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    hurried(monkeypatch)
    sim = camera(objects=2)
    seen: list[str] = []

    async def main() -> None:
        with anyio.fail_after(100):
            async with aio.watch(at(sim), tmp_path, timeouts=PATIENT) as shots:
                async for shot in shots:
                    seen.append(shot.status)
                    if len(seen) == 2:
                        sim.capture()
                    if len(seen) == len(sim.store.files()) > 2:
                        break
            with anyio.move_on_after(0):
                async with aio.watch(at(sim), tmp_path, timeouts=PATIENT) as shots:
                    await anext(shots)

    anyio.run(main, backend=backend)
    assert set(seen) == {"downloaded"}
    assert_each_once(tmp_path, contents(sim))
    assert_sessions_are_closed(sim)
