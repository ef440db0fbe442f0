"""gphoto2 and python-gphoto2, which are not ours, control the simulated EOS bodies.

gphoto2 is Debian's (libgphoto2 2.5.30), python-gphoto2 brings a newer one. Neither can show live
view of the R6 Mark II over PTP/IP: they send EVFOutputDevice 2, and it needs 3 (gphoto2 issue 356).
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_gphoto2 import digests, gphoto2

from programs import module
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera

pytestmark = [pytest.mark.interop, pytest.mark.matrix]

BODIES = [name for name, vendor in vendors.BODIES.items() if vendor == "canon"]
WITHOUT_PREVIEW = {"canon-r6m2"}
SIZE = 200_000
CLIENT = Path(__file__).with_name("eos_client.py")


@pytest.fixture(params=BODIES)
def camera(request):
    with SimulatedCamera(body=request.param, objects=3, size=SIZE) as camera:
        yield camera
        assert camera.defects == 0
        assert camera.protocol_errors == 0


def kept_digests(camera):
    """SHA-256 of every picture that is taken from now on, also of those it deletes."""
    found = []
    take = camera.body.capture

    def keep(*given, **more):
        handles = take(*given, **more)
        for handle in handles:
            content = camera.store.expected(handle)
            found.append(hashlib.sha256(b"".join(content.spans(0, content.size))).hexdigest())
        return handles

    camera.body.capture = keep
    return found


def files_in(folder):
    return [path.read_bytes() for path in folder.iterdir()]


def test_gphoto2_recognises_the_body_as_an_eos(tmp_path, camera):
    summary = gphoto2(camera, tmp_path / "card", "--summary")
    assert f"Model: {camera.body.vendor.model.name}" in summary
    assert "Canon EOS Capture" in summary
    assert "error" not in summary


def test_gphoto2_downloads_the_card_with_equal_checksums(tmp_path, camera):
    gphoto2(camera, tmp_path / "card", "--get-all-files")
    fetched = [hashlib.sha256(data).hexdigest() for data in files_in(tmp_path / "card")]
    assert sorted(fetched) == sorted(digests(camera).elements())
    assert camera.operations[0x9109] > 0
    assert camera.operations[0x1008] == 0


def test_gphoto2_takes_a_picture_into_the_memory_and_fetches_it(tmp_path, camera):
    taken = kept_digests(camera)
    gphoto2(camera, tmp_path / "card", "--capture-image-and-download")
    fetched = {hashlib.sha256(data).hexdigest() for data in files_in(tmp_path / "card")}
    assert fetched == set(taken)
    assert camera.operations[0x9117] == len(taken) == 2
    assert len(camera.store.files()) == 3


def test_gphoto2_sets_and_reads_properties(tmp_path, camera):
    told = gphoto2(camera, tmp_path / "card", "--set-config", "iso=800", "--get-config", "iso")
    assert re.search(r"^Current: 800$", told, re.MULTILINE)


def test_gphoto2_shows_live_view_where_it_can(tmp_path, camera):
    if camera.settings.body.body in WITHOUT_PREVIEW:
        with pytest.raises(AssertionError, match="Error"):
            gphoto2(camera, tmp_path / "card", "--capture-preview")
        return
    gphoto2(camera, tmp_path / "card", "--capture-preview")
    (frame,) = files_in(tmp_path / "card")
    assert frame.startswith(b"\xff\xd8")


def test_python_gphoto2_lists_reads_captures_watches_and_sets(tmp_path, camera):
    module("gphoto2", "gphoto2")
    taken = kept_digests(camera)
    process = subprocess.Popen(
        [sys.executable, CLIENT, camera.host, str(camera.port)],
        env={**os.environ, "HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        names = [camera.store.get(handle).name for handle in camera.capture()]
        output, _ = process.communicate("go\n", timeout=60)
    finally:
        process.kill()
        process.communicate()
    done = json.loads(output)
    assert camera.body.vendor.model.name in done["summary"]
    assert sorted(done["files"].values()) == sorted(digests_of_first(camera))
    assert done["captured"][1] == taken[0]
    added = [path for path in done["added"] if path.startswith("/store_")]
    assert added == [f"/store_00010001/DCIM/100CANON/{name}" for name in names]
    assert done["iso"] == ["1600", "800"]
    if camera.settings.body.body in WITHOUT_PREVIEW:
        assert done["preview"].startswith("[-1]")
    else:
        assert done["preview"] == "ffd8"


def digests_of_first(camera):
    """SHA-256 of the files that were on the card from the beginning."""
    found = []
    for stored in camera.store.files()[:3]:
        content = camera.store.expected(stored.handle)
        found.append(hashlib.sha256(b"".join(content.spans(0, content.size))).hexdigest())
    return found
