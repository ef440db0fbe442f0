"""gphoto2 (Debian's) and python-gphoto2 (a newer libgphoto2) with each body: all that they can do.

`CANNOT` has the rest, with its reason. It is tried, too: the day it works, its row has to go.
Panasonic's body is behind an HTTP gate, which neither program knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from programs import module, program
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.content import read
from ptpfast.sim.counters import Observer, Transaction
from ptpfast.vendors.sony.simulated import Profile, begin

pytestmark = [pytest.mark.interop, pytest.mark.matrix]

CLIENT = Path(__file__).with_name("every_body_client.py")
BODIES = [body for body, vendor in vendors.BODIES.items() if vendor != "panasonic"]
FUJIFILM = [body for body in BODIES if vendors.BODIES[body] == "fujifilm"]
SONY = [body for body in BODIES if vendors.BODIES[body] == "sony"]
SUMMARY, LIST, DOWNLOAD, EVENTS = "summary", "list", "download", "events"
CAPTURE, PROPERTIES, LIVE_VIEW = "capture", "properties", "live view"
ABILITIES = (SUMMARY, PROPERTIES, LIST, DOWNLOAD, CAPTURE, EVENTS, LIVE_VIEW)

NO_VIEWER = "over Wi-Fi it knows remote control, and no viewer of pictures"
NO_NAME = "the events of this body name no file: it shows their numbers"
ONLY_REMOTE = "it connects for remote control, in which this body hides its card"
OUTPUT = "it sends EVFOutputDevice 2, and an R body needs 3 (gphoto2 issue 356)"
# (body, ability) → why both programs cannot do it.
CANNOT = {
    ("canon-r6m2", LIVE_VIEW): OUTPUT,
    ("ricoh-theta-m15", LIVE_VIEW): "it has none over PTP/IP",
    **{(body, ability): NO_VIEWER for body in FUJIFILM for ability in (LIST, DOWNLOAD, CAPTURE)},
    **{(body, EVENTS): NO_NAME for body in FUJIFILM},
    **{(body, ability): ONLY_REMOTE for body in SONY for ability in (LIST, DOWNLOAD)},
}
# What only the older libgphoto2 of gphoto2 cannot do.
OLDER_CANNOT = CANNOT | {
    ("sony-a7sm3", CAPTURE): "it asks for CompressionSetting, which this body does not list",
}
NEWER_CANNOT = CANNOT | {
    (body, PROPERTIES): "it takes each code in the body's descriptions for 0" for body in FUJIFILM
}
# Vendor → a setting by its name there, the word for another value, and where the body keeps it.
SETTINGS: dict[str, tuple[str, str, int, Any]] = {
    "nikon": ("/main/other/5004", "4", 0x5004, 4),
    "canon": ("iso", "800", 0xD103, 0x60),
    "sony": ("/main/other/5005", "4", 0x5005, 4),
    "fujifilm": ("whitebalance", "Daylight", 0x5005, 4),
    "ricoh": ("/main/other/5005", "32769", 0x5005, 0x8001),
}
# Operations at which the owner takes a picture: those that ask for events, or begin a session.
WHEN = {
    "nikon": (0x90C7, 0x941C),
    "canon": (0x9116,),
    "sony": (0x9209,),
    "fujifilm": (0x101C,),
    "ricoh": (0x1004,),
}


class Taken(dict[str, str]):
    """Names and SHA-256 of the files that a camera takes from now on."""

    def __init__(self, camera: SimulatedCamera) -> None:
        super().__init__()
        take = camera.body.capture

        def capture(*given: Any, **named: Any) -> list[int]:
            handles = take(*given, **named)
            for handle in handles:
                stored = camera.store.get(handle)
                assert stored is not None
                self[stored.name] = digest(camera, handle)
            return handles

        camera.body.capture = capture  # type: ignore[method-assign]


def digest(camera: SimulatedCamera, handle: int) -> str:
    return hashlib.sha256(read(camera.store.expected(handle))).hexdigest()


@contextmanager
def camera_of(body: str) -> Iterator[SimulatedCamera]:
    """A body as both programs need it, which connect again at once.
    Why: test_sony_programs and test_gphoto2_fujifilm."""
    with SimulatedCamera(body=body, objects=3, size=200_000, pause_s=0) as camera:
        if vendors.BODIES[body] == "sony":
            begin(camera.body, Profile()).profile.names_changes = True
        camera.body.habits = replace(camera.body.habits, deaf_s=0)
        yield camera
        assert (camera.protocol_errors, camera.defects) == (0, 0)


def port_of(camera: SimulatedCamera) -> tuple[list[str], str]:
    """The options for its model, and its port: Fujifilm's events have one of their own."""
    if camera.body.vendor.model.containers is None:
        return [], f"ptpip:{camera.host}:{camera.port}:{camera.port}"
    return ["Fuji X (WLAN)"], f"ptpip:{camera.host}:{camera.port}:{camera.port + 1}"


def owner(camera: SimulatedCamera, operations: tuple[int, ...]) -> Observer:
    """Presses the button once, when one of these operations has been answered."""
    done: list[int] = []

    def ended(transaction: Transaction) -> None:
        if transaction.operation in operations and not done:
            done.append(transaction.operation)
            camera.body.capture()

    return Observer(lambda _: None, ended)


class Gphoto2:
    """Runs gphoto2 with a camera."""

    def __init__(self, camera: SimulatedCamera, folder: Path) -> None:
        self.camera, self.card, self.home = camera, folder / "card", folder / "home"
        self.vendor = vendors.BODIES[str(camera.settings.body.body)]
        self.taken = Taken(camera)
        self.card.mkdir()
        self.home.mkdir(exist_ok=True)

    def __call__(self, *arguments: str) -> str:
        model, port = port_of(self.camera)
        done = subprocess.run(
            [
                program("gphoto2"),
                *(["--camera", *model] if model else []),
                "--port",
                port,
                *arguments,
            ],
            cwd=self.card,
            env={**os.environ, "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fetched(self) -> dict[str, str]:
        """SHA-256 of the files that came, by name."""
        found = {path.name: path.read_bytes() for path in self.card.iterdir()}
        return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}

    def summary(self) -> None:
        told = self("--summary")
        # An X-T4 does not describe itself over Wi-Fi, and gphoto2 takes a name of its own.
        assert "FUJIFILM" in told or f"Model: {self.camera.body.vendor.model.name}" in told

    def list(self) -> None:
        told = self("--list-files")
        assert all(f" {stored.name} " in told for stored in self.camera.store.files())

    def download(self) -> None:
        self("--get-all-files")
        stored = self.camera.store.files()
        assert self.fetched() == {each.name: digest(self.camera, each.handle) for each in stored}

    def events(self) -> None:
        self.camera.counters.observer = owner(self.camera, WHEN[self.vendor])
        told = self("--wait-event=FILEADDED" if self.vendor != "fujifilm" else "--wait-event=2s")
        assert "FILEADDED" in told

    def capture(self) -> None:
        self("--capture-image-and-download")
        assert self.fetched()
        assert set(self.fetched().values()) <= set(self.taken.values())

    def properties(self) -> None:
        name, word, code, value = SETTINGS[self.vendor]
        self("--set-config", f"{name}={word}")
        assert setting_of(self.camera, code) == value

    def live_view(self) -> None:
        self("--capture-preview")
        (frame,) = self.card.iterdir()
        assert frame.read_bytes().startswith(b"\xff\xd8")


def setting_of(camera: SimulatedCamera, code: int) -> Any:
    if (eos := camera.body.state.get("eos")) is not None:
        return eos.number(code)
    return camera.body.properties[code].current


@pytest.mark.parametrize("ability", ABILITIES)
@pytest.mark.parametrize("body", BODIES)
def test_gphoto2_does_with_each_body_what_it_can(tmp_path: Path, body: str, ability: str) -> None:
    with camera_of(body) as camera:
        tried: Callable[[], None] = getattr(Gphoto2(camera, tmp_path), ability.replace(" ", "_"))
        if (body, ability) in OLDER_CANNOT:
            with pytest.raises(AssertionError):
                tried()
        else:
            tried()


def python_gphoto2(camera: SimulatedCamera, ability: str, home: Path) -> dict[str, Any]:
    """Runs the client: what it did, or why not. Live view after anything else ends its process."""
    name, word, *_ = SETTINGS[vendors.BODIES[str(camera.settings.body.body)]]
    model, port = port_of(camera)
    process = subprocess.Popen(
        [sys.executable, CLIENT, port, *(model or ["PTP/IP Camera"]), name, word, ability],
        env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if ability == EVENTS and process.stdout.readline() == "ready\n":
            camera.capture()
        said, _ = process.communicate("go\n", timeout=100)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    came: dict[str, Any] = json.loads(said)[ability]
    return came


@pytest.mark.parametrize("body", BODIES)
def test_python_gphoto2_does_with_each_body_what_it_can(tmp_path: Path, body: str) -> None:
    module("gphoto2")
    did = {}
    with camera_of(body) as camera:
        taken = Taken(camera)
        on_card = {each.name: digest(camera, each.handle) for each in camera.store.files()}
        for ability in ABILITIES:
            came = python_gphoto2(camera, ability, tmp_path)
            assert ("failed" in came) == ((body, ability) in NEWER_CANNOT), came
            did[ability] = came.get("did")
        _, _, code, value = SETTINGS[vendors.BODIES[body]]
        assert (setting_of(camera, code) == value) == bool(did[PROPERTIES])
    assert "FUJIFILM" in did[SUMMARY] or camera.body.vendor.model.name in did[SUMMARY]
    if did[DOWNLOAD]:
        assert sorted(did[LIST]) == sorted(on_card)
        assert did[DOWNLOAD] == on_card
    assert set((did[CAPTURE] or {}).values()) <= set(taken.values())
    # A Canon body names a picture in its memory, to which the program gives another name.
    assert did[EVENTS] is None or did[EVENTS] in taken or did[EVENTS].startswith("capt")
    assert did[LIVE_VIEW] in (None, "ffd8")
