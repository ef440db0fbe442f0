"""Tasks that wait for a camera's owner, who has to accept this computer on the camera."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

import command_line
from aio_sessions import open_at, until
from conftest import Cameras
from ptpfast import PTPError, Timeouts, aio, vendors
from ptpfast.sim import SimulatedCamera
from ptpfast.transport import handshake
from ptpfast.vendors.nikon import approval
from ptpfast.vendors.nikon.body_network import PcConnection, with_pc_connection

# No test outlives them: who waited for them would not end.
ENDLESS = Timeouts(connect=3600, operation=3600, idle=3600, approval=3600)
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture(autouse=True)
def _asks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "CONFIRM_AFTER_S", 0.01)
    monkeypatch.setattr(approval, "CONFIRM_S", 3600)
    for name in ("POLL_S", "HOLD_S", "NUMBER_PAUSE_S"):
        monkeypatch.setattr(approval, name, 0.01)


def sony(camera: Cameras) -> SimulatedCamera:
    """Answers the handshake when its owner has decided."""
    return camera(body="sony-a7m4", approval="unknown")


def nikon(camera: Cameras) -> SimulatedCamera:
    """Lets every computer in, and asks its owner in the session."""
    rules = PcConnection(hold_s=0, pause_s=0)
    vendor = vendors.with_body("nikon-z8")
    vendor = replace(vendor, body=with_pc_connection(vendor.model, rules))
    return camera(vendor, approval="unknown")


BODIES = pytest.mark.parametrize("body", [sony, nikon])


def approve(sim: SimulatedCamera) -> None:
    for computer in sim.approvals.asking:
        sim.approvals.approve(*computer)


def assert_nothing_is_open(sim: SimulatedCamera) -> None:
    assert sim.wait_for(lambda: sim.counters.serving == 0)
    assert sim.unclean_ends == 0


async def cancelled_while_it_asks(
    sim: SimulatedCamera, work: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    """Cancel the work when the camera shows this computer, and wait until it has hung up."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await until(lambda: bool(sim.approvals.asking))
        tasks.cancel_scope.cancel()
    await until(lambda: sim.counters.serving == 0)


@BACKENDS
@BODIES
def test_other_tasks_run_while_the_owner_is_asked(
    camera: Cameras, backend: str, body: Callable[[Cameras], SimulatedCamera]
) -> None:
    sim = body(camera)
    told: list[PTPError] = []

    async def main() -> None:
        async with anyio.create_task_group() as tasks:

            async def use() -> None:
                async with open_at(sim, timeouts=ENDLESS, waiting=told.append) as session:
                    assert len(await session.objects()) == 4

            tasks.start_soon(use)
            await until(lambda: bool(told and sim.approvals.asking))
            approve(sim)

    anyio.run(main, backend=backend)
    assert all("this computer" in error.message for error in told)
    assert_nothing_is_open(sim)


@BACKENDS
@BODIES
def test_cancelled_task_hangs_up_before_the_owner_decides(
    camera: Cameras, backend: str, body: Callable[[Cameras], SimulatedCamera]
) -> None:
    sim = body(camera)

    async def connect() -> None:
        await open_at(sim, timeouts=ENDLESS, waiting=str)

    async def main() -> None:
        await cancelled_while_it_asks(sim, connect)
        approve(sim)
        async with open_at(sim, waiting=str) as session:
            assert len(await session.objects()) == 4

    anyio.run(main, backend=backend)
    assert_nothing_is_open(sim)


@BACKENDS
@BODIES
def test_cancelled_pull_hangs_up_before_the_owner_decides(
    camera: Cameras,
    tmp_path: Path,
    backend: str,
    body: Callable[[Cameras], SimulatedCamera],
) -> None:
    sim = body(camera)

    async def pull() -> None:
        await aio.pull(command_line.at(sim), tmp_path, timeouts=ENDLESS, history=False)

    async def main() -> None:
        await cancelled_while_it_asks(sim, pull)
        approve(sim)
        await pull()

    anyio.run(main, backend=backend)
    assert len([path for path in tmp_path.iterdir() if path.is_file()]) == 4
    assert_nothing_is_open(sim)
