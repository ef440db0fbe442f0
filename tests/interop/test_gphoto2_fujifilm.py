"""gphoto2 with the simulated bodies of Fujifilm and Ricoh, as far as it goes.

Over Wi-Fi gphoto2 knows Fujifilm's remote control, and no viewer: a strict body shows it no
pictures. Its second try to open a refused connection uses the same socket, which Linux does not
allow, so a Theta has to listen at once for it.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from programs import program
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.content import read

pytestmark = [pytest.mark.interop, pytest.mark.matrix]


def gphoto2(camera: SimulatedCamera, folder: Path, *arguments: str) -> str:
    """Runs it with `folder` as its working folder; what it printed."""
    home = folder.with_name("home")
    for each in (home, folder):
        each.mkdir(exist_ok=True)
    events, model = camera.port, []
    if camera.body.vendor.model.containers is not None:
        events, model = camera.port + 1, ["--camera", "Fuji X (WLAN)"]
    done = subprocess.run(
        [
            program("gphoto2"),
            *model,
            "--port",
            f"ptpip:{camera.host}:{camera.port}:{events}",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=["fuji-xt4", "fuji-xt2"])
def fuji(request: pytest.FixtureRequest) -> Iterator[SimulatedCamera]:
    with SimulatedCamera(body=request.param, objects=3, size=300_000) as camera:
        yield camera
        assert (camera.protocol_errors, camera.defects) == (0, 0)


@pytest.fixture
def theta() -> Iterator[SimulatedCamera]:
    with SimulatedCamera(body="ricoh-theta-m15", objects=3, size=300_000) as camera:
        camera.body.habits = replace(camera.body.habits, deaf_s=0)
        yield camera
        assert (camera.protocol_errors, camera.defects) == (0, 0)


def test_gphoto2_describes_a_fujifilm_body_and_its_properties(
    fuji: SimulatedCamera, tmp_path: Path
) -> None:
    summary = gphoto2(fuji, tmp_path / "card", "--summary")
    assert "FUJIFILM" in summary
    assert re.search(r"White Balance\(0x5005\):\(readwrite\).*Automatic", summary)


def test_gphoto2_sets_a_property_of_a_fujifilm_body(fuji: SimulatedCamera, tmp_path: Path) -> None:
    gphoto2(fuji, tmp_path / "card", "--set-config", "whitebalance=Daylight")
    assert fuji.body.properties[0x5005].current == 4


def test_gphoto2_shows_the_live_view_of_a_fujifilm_body(
    fuji: SimulatedCamera, tmp_path: Path
) -> None:
    gphoto2(fuji, tmp_path / "card", "--capture-preview")
    (frame,) = (tmp_path / "card").iterdir()
    assert frame.read_bytes().startswith(b"\xff\xd8")


def test_gphoto2_releases_the_shutter_of_a_fujifilm_body(
    fuji: SimulatedCamera, tmp_path: Path
) -> None:
    gphoto2(fuji, tmp_path / "card", "--trigger-capture")
    assert len(fuji.store.files()) == 4


def test_gphoto2_downloads_the_whole_card_of_a_theta(
    theta: SimulatedCamera, tmp_path: Path
) -> None:
    gphoto2(theta, tmp_path / "card", "--get-all-files")
    found = Counter(
        hashlib.sha256(path.read_bytes()).digest() for path in (tmp_path / "card").iterdir()
    )
    expected = [read(theta.store.expected(stored.handle)) for stored in theta.store.files()]
    assert found == Counter(hashlib.sha256(content).digest() for content in expected)


def test_gphoto2_takes_a_picture_with_a_theta(theta: SimulatedCamera, tmp_path: Path) -> None:
    before = len(theta.store.files())
    gphoto2(theta, tmp_path / "card", "--capture-image")
    assert len(theta.store.files()) == before + 1
