"""`ptpfast simulate`: what it says of the way to its camera, and its switches of time."""

from __future__ import annotations

import pytest

from command_line import run
from ptpfast.cli import simulate
from ptpfast.sim import SimulatedCamera


@pytest.fixture(autouse=True)
def _ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "wait_for", interrupted)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("nikon-z8", "download them with: ptpfast pull 127.0.0.1:"),
        ("fuji-xt4", "the command line finds it at port 55740; from Python: vendor='fujifilm'"),
        ("panasonic-bgh1", "panasonic(description_port="),
    ],
)
def test_a_simulated_camera_says_how_it_is_reached(body: str, said: str) -> None:
    done = run("simulate", "--body", body, "--port", 0, "--objects", 1, "--size", 1)
    assert done.exit_code == 0, done.output
    assert said in done.stderr
    assert done.stderr.count("download them with") == (body == "nikon-z8")


def test_switches_of_time_reach_the_simulated_body(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[SimulatedCamera] = []
    monkeypatch.setattr(simulate, "_announce", lambda _, camera: seen.append(camera))
    words = ("simulate", "--body", "nikon-z8", "--port", 0, "--objects", 0)
    assert run(*words).exit_code == 0
    assert run(*words, "--hold", 1, "--pause", 2, "--locked", 3).exit_code == 0
    times = [
        (sim.body.habits.hold_s, sim.body.habits.pause_s, sim.body.habits.locked_s) for sim in seen
    ]
    assert times == [(3.0, 0.8, 0.0), (1.0, 2.0, 3.0)]
    wrong = run(*words, "--locked", -1)
    assert wrong.exit_code == 2
    assert "--locked" in wrong.stderr
