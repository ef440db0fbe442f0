"""Sessions of `ptpfast.aio` with simulated cameras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.lowlevel

from conftest import PATIENT, spoken_by, without_pauses
from ptpfast import OperationCode, aio
from ptpfast.sim import SimulatedCamera


def open_at(sim: SimulatedCamera, **options: Any) -> aio.Connecting:
    options.setdefault("timeouts", PATIENT)
    options.setdefault("vendor", without_pauses(spoken_by(sim)))
    return aio.connect(sim.host, port=sim.port, **options)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; other tasks have their turns."""
    while not condition():
        await anyio.lowlevel.checkpoint()


def assert_sessions_are_closed(sim: SimulatedCamera) -> None:
    codes = [row.operation for row in sim.log]
    opened, closed = OperationCode.OpenSession, OperationCode.CloseSession
    assert codes.count(opened) == codes.count(closed)
