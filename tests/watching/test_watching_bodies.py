"""`watch` on every body of the simulator, under a burst and with drops."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors import BODIES
from watched import Statuses, assert_each_once, bytes_of, hurried, start, take


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)


def burst(
    sim: SimulatedCamera, connect: Sessions, folder: Path, shots: int, drops: int = 0
) -> None:
    """Take pictures, with drops between them; each comes once, and with its bytes."""
    statuses = Statuses()
    with start(connect(sim), folder, on_status=statuses) as watch:
        statuses.wait_for("watching")
        wanted = [stored.handle for stored in sim.store.files()]
        bytes_ = [bytes_of(sim.store, handle) for handle in wanted]
        taken = take(watch, len(wanted))
        for number in range(shots):
            handles = sim.capture()
            bytes_ += [bytes_of(sim.store, handle) for handle in handles]
            wanted += handles
            if drops and number % (shots // drops) == shots // drops // 2:
                taken += take(watch, len(wanted) - len(taken) - len(handles))
                sim.drop_connections()
        taken += take(watch, len(wanted) - len(taken))
    assert_each_once(folder, bytes_)


@pytest.mark.matrix
@pytest.mark.parametrize("body", sorted(BODIES))
def test_burst_on_each_body_arrives_whole_and_once(
    camera: Cameras, connect: Sessions, tmp_path: Path, body: str
) -> None:
    burst(camera(body=body, objects=2, size=20_000), connect, tmp_path, shots=4, drops=1)


@pytest.mark.tools
@pytest.mark.parametrize("body", sorted(BODIES))
def test_burst_of_many_shots_with_three_drops_on_each_body(
    camera: Cameras, connect: Sessions, tmp_path: Path, body: str
) -> None:
    burst(camera(body=body, objects=10, size=20_000), connect, tmp_path, shots=200, drops=3)
