"""gphoto2 and the newer libgphoto2 of python-gphoto2 with each simulated body of Nikon."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from test_gphoto2 import digests, gphoto2

from programs import module
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.counters import Observer

pytestmark = [pytest.mark.interop, pytest.mark.matrix]

NIKONS = [body for body in vendors.BODIES if body.startswith("nikon")]
every_body = pytest.mark.parametrize("body", NIKONS)
START, END = 0x9201, 0x9202

# Run in its own process: a folder tree, a file, a preview and the property codes, by libgphoto2.
SCRIPT = """
import hashlib, sys
import gphoto2 as gp

camera = gp.Camera()
ports = gp.PortInfoList()
ports.load()
camera.set_port_info(ports[ports.lookup_path(sys.argv[1])])
abilities = gp.CameraAbilitiesList()
abilities.load()
camera.set_abilities(abilities[abilities.lookup_model("PTP/IP Camera")])
camera.init()

def entries(found):
    return [found.get_name(at) for at in range(found.count())]

def walk(folder):
    for name in entries(camera.folder_list_files(folder)):
        yield folder, name
    for name in entries(camera.folder_list_folders(folder)):
        yield from walk(folder.rstrip("/") + "/" + name)

for folder, name in walk("/"):
    file = camera.file_get(folder, name, gp.GP_FILE_TYPE_NORMAL)
    data = file.get_data_and_size()
    print("file", name, hashlib.sha256(memoryview(data)).hexdigest())
frame = camera.capture_preview()
data = frame.get_data_and_size()
print("frame", bytes(memoryview(data)[:2]).hex())
camera.exit()
"""


@every_body
def test_gphoto2_downloads_the_card_of_every_body(tmp_path: Path, body: str) -> None:
    with SimulatedCamera(body=body, objects=4, size=1_234_567) as camera:
        gphoto2(camera, tmp_path / "card", "--get-all-files")
        files = (tmp_path / "card").iterdir()
        assert Counter(hashlib.sha256(f.read_bytes()).hexdigest() for f in files) == digests(camera)
        assert camera.protocol_errors == 0


@every_body
def test_gphoto2_captures_with_every_body(tmp_path: Path, body: str) -> None:
    with SimulatedCamera(body=body, objects=1, size=100_000) as camera:
        gphoto2(camera, tmp_path / "card", "--capture-image-and-download")
        assert [path.stat().st_size for path in (tmp_path / "card").iterdir()] == [100_000]
        assert camera.protocol_errors == camera.defects == 0


@every_body
def test_gphoto2_sees_a_live_view_frame_of_every_body(tmp_path: Path, body: str) -> None:
    with SimulatedCamera(body=body, objects=1, size=100) as camera:
        gphoto2(camera, tmp_path / "card", "--capture-preview")
        (frame,) = (tmp_path / "card").iterdir()
        assert frame.read_bytes().startswith(b"\xff\xd8")
        assert camera.operations[START] == 1
        assert camera.operations[END] >= 1
        assert camera.protocol_errors == camera.defects == 0


@pytest.mark.parametrize("body", ["nikon-d7200", "nikon-z6", "nikon-z9"])
def test_gphoto2_hears_of_a_picture_that_the_owner_takes(tmp_path: Path, body: str) -> None:
    with SimulatedCamera(body=body, objects=1, size=100) as camera:
        camera.counters.observer = Observer(_Shutter(camera), lambda _: None)
        said = gphoto2(camera, tmp_path / "card", "--wait-event=3s")
        assert "FILEADDED DSC_0002" in said


class _Shutter:
    """Takes a picture when events are asked for the first time."""

    def __init__(self, camera: SimulatedCamera) -> None:
        self._camera = camera
        self._taken = False

    def __call__(self, operation: int) -> None:
        if operation in (0x90C7, 0x941C) and not self._taken:
            self._taken = True
            self._camera.capture()


@every_body
def test_python_gphoto2_reads_files_and_live_view_of_every_body(tmp_path: Path, body: str) -> None:
    module("gphoto2")
    with SimulatedCamera(body=body, objects=3, size=300_000) as camera:
        port = f"ptpip:{camera.host}:{camera.port}:{camera.port}"
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, port],
            env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        lines = [line.split() for line in done.stdout.splitlines()]
        assert Counter(words[2] for words in lines if words[0] == "file") == digests(camera)
        assert lines[-1] == ["frame", "ffd8"]
        assert camera.protocol_errors == camera.defects == 0
