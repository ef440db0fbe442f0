"""Programs that are not ours control the simulated Sony bodies: gphoto2, its Python library, and
awire, a C library for Sony cameras that finds them by SSDP."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_gphoto2 import gphoto2

from programs import module, program
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.sony.simulated import Profile, begin

pytestmark = [pytest.mark.interop, pytest.mark.matrix]

HERE = Path(__file__).parent
BODIES = ["sony-a7m4", "sony-a7r3"]


def camera_of(body: str) -> SimulatedCamera:
    """A body whose DevicePropChanged names the property, as libgphoto2 expects it."""
    camera = SimulatedCamera(body=body, objects=2, size=200_000)
    begin(camera.body, Profile()).profile.names_changes = True
    return camera


def recorded(camera: SimulatedCamera) -> set[str]:
    """SHA-256 of each file that the camera takes from now on."""
    taken = set()
    take = camera.body.capture

    def capture(*given: Any, **named: Any) -> list[int]:
        handles = take(*given, **named)
        for handle in handles:
            spans = camera.store.expected(handle).spans(0, 200_000)
            taken.add(hashlib.sha256(b"".join(spans)).hexdigest())
        return handles

    camera.body.capture = capture  # type: ignore[method-assign]
    return taken


@pytest.mark.parametrize("body", BODIES)
def test_gphoto2_takes_a_picture_with_all_its_files(tmp_path: Path, body: str) -> None:
    with camera_of(body) as camera:
        taken = recorded(camera)
        gphoto2(camera, tmp_path / "card", "--capture-image-and-download")
        files = list((tmp_path / "card").iterdir())
        assert {hashlib.sha256(file.read_bytes()).hexdigest() for file in files} == taken
        assert taken
        assert camera.protocol_errors == camera.unclean_ends == 0


@pytest.mark.parametrize("body", BODIES)
def test_gphoto2_shows_a_live_view_frame(tmp_path: Path, body: str) -> None:
    with camera_of(body) as camera:
        gphoto2(camera, tmp_path / "card", "--capture-preview")
        (frame,) = (tmp_path / "card").iterdir()
        assert frame.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("body", BODIES)
def test_gphoto2_reads_and_sets_properties(tmp_path: Path, body: str) -> None:
    with camera_of(body) as camera:
        listed = gphoto2(camera, tmp_path / "card", "--get-config", "whitebalance")
        assert "Choice: 1" in listed
        assert "Current:" in listed
    with camera_of(body) as camera:
        gphoto2(camera, tmp_path / "card", "--set-config", "/main/other/5005=4")
        assert camera.body.properties[0x5005].current == 4


@pytest.mark.parametrize("body", [*BODIES, "sony-a7sm3"])
def test_gphoto2_s_python_library_takes_a_picture(tmp_path: Path, body: str) -> None:
    module("gphoto2")
    with camera_of(body) as camera:
        taken = recorded(camera)
        done = subprocess.run(
            [sys.executable, HERE / "gphoto2_client.py", str(camera.port)],
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        came = json.loads(done.stdout)
        assert set(came["files"].values()) == taken
        assert camera.body.vendor.model.name in came["summary"]


@pytest.mark.parametrize(
    ("body", "version", "files"),
    [("sony-a7m4", "V3", 2), ("sony-a7sm3", "V3", 2), ("sony-a7r3", "V2", 1)],
)
def test_awire_finds_a_body_and_takes_its_picture(body: str, version: str, files: int) -> None:
    module("awire")
    network = [program("unshare"), "--net", "--map-root-user", program("ip"), "link"]
    if subprocess.run(network, capture_output=True).returncode:
        pytest.skip("this user may not make a network namespace")
    client = str(HERE / "awire_client.py")
    server = [sys.executable, str(HERE / "sony_network.py"), body, client, version, str(files)]
    done = subprocess.run([*network[:3], *server], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["came"]["files"] == told["taken"], done.stderr
    assert len(told["taken"]) == files
    assert told["came"]["properties"] > 20
    assert (told["came"]["changed"], told["balance"]) == (True, 0x8010)
    assert told["came"]["view"] == "ffd8"
    assert told["wrong"] == 0
