"""gphoto2, an Initiator that is not ours, reads cards from the simulated camera byte for byte."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from programs import program
from ptpfast.sim import SimulatedCamera

pytestmark = pytest.mark.interop


def gphoto2(camera: SimulatedCamera, folder: Path, *arguments: str) -> str:
    """Runs it on the camera with `folder` as its working folder; what it printed."""
    home = folder.with_name("home")  # it writes settings there
    home.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            program("gphoto2"),
            "--port",
            f"ptpip:{camera.host}:{camera.port}:{camera.port}",
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


def digests(camera: SimulatedCamera) -> Counter[str]:
    """SHA-256 of every file on the simulated card."""
    found: Counter[str] = Counter()
    for item in camera.store.files():
        digest = hashlib.sha256()
        for span in camera.store.expected(item.handle).spans(0, item.size):
            digest.update(span)
        found[digest.hexdigest()] += 1
    return found


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_gphoto2_downloads_the_whole_card_with_equal_checksums(tmp_path: Path, vendor: str) -> None:
    with SimulatedCamera(vendor=vendor, objects=7, size=2_345_678) as camera:
        gphoto2(camera, tmp_path / "card", "--get-all-files")
        files = list((tmp_path / "card").iterdir())
        assert Counter(hashlib.sha256(f.read_bytes()).hexdigest() for f in files) == digests(camera)
        names = {item.info.filename for item in camera.store.files()}
        assert {f.name for f in files} == names
        assert camera.protocol_errors == 0


@pytest.mark.parametrize("shape", ["whole", "last", "empty"])
def test_gphoto2_reads_every_shape_of_end_data(tmp_path: Path, shape: str) -> None:
    with SimulatedCamera(objects=2, size=700_001, end_data=shape, data_packet_size=8192) as camera:
        gphoto2(camera, tmp_path / "card", "--get-all-files")
        files = (tmp_path / "card").iterdir()
        assert Counter(hashlib.sha256(f.read_bytes()).hexdigest() for f in files) == digests(camera)


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_gphoto2_lists_names_and_sizes_as_they_are(tmp_path: Path, vendor: str) -> None:
    with SimulatedCamera(vendor=vendor, objects=6, size=2_048_000) as camera:
        listing = gphoto2(camera, tmp_path / "card", "--list-files")
        for item in camera.store.files():
            assert re.search(rf"{re.escape(item.info.filename)}\s.*\b2000 KB", listing), listing


def test_gphoto2_sees_the_camera_it_was_promised(tmp_path: Path) -> None:
    with SimulatedCamera(vendor="nikon", objects=2, size=1000) as camera:
        summary = gphoto2(camera, tmp_path / "card", "--summary")
        assert "Nikon Corporation" in summary
        assert camera.body.vendor.model.name in summary


def test_gphoto2_gets_a_folder_of_real_files(tmp_path: Path) -> None:
    source = tmp_path / "source" / "DCIM" / "100REAL"
    source.mkdir(parents=True)
    contents = {f"REAL_{n:04}.NEF": os.urandom(100_000 + n) for n in range(3)}
    for name, data in contents.items():
        (source / name).write_bytes(data)
    with SimulatedCamera(folder=tmp_path / "source") as camera:
        gphoto2(camera, tmp_path / "card", "--get-all-files")
    assert {f.name: f.read_bytes() for f in (tmp_path / "card").iterdir()} == contents


@pytest.mark.parametrize("body", [None, "nikon-d5300", "nikon-z6"])
def test_gphoto2_takes_a_picture_and_fetches_it(tmp_path: Path, body: str | None) -> None:
    with SimulatedCamera(body=body, objects=2, size=200_000) as camera:
        before = {item.handle for item in camera.store.files()}
        expected = {}

        def keep(handles: list[int]) -> list[int]:
            for handle in handles:
                spans = camera.store.expected(handle).spans(0, 200_000)
                expected[handle] = b"".join(spans)  # gphoto2 deletes what it has fetched
            return handles

        take = camera.body.capture
        camera.body.capture = lambda *given, **more: keep(take(*given, **more))  # type: ignore[method-assign]
        gphoto2(camera, tmp_path / "card", "--capture-image-and-download")
        fetched = [path.read_bytes() for path in (tmp_path / "card").iterdir()]
        assert fetched
        assert not before & expected.keys()
        assert all(picture in expected.values() for picture in fetched)
        assert camera.protocol_errors == 0
