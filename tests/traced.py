"""Sessions with simulated bodies that are recorded in a trace, and what must not be in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import ptpfast
from conftest import PATIENT, without_pauses
from ptpfast import vendors
from ptpfast.sim import SimulatedCamera
from ptpfast.vendors.panasonic import panasonic

# One of each generation and transport.
BODIES = [
    "standard",
    "nikon-d7200",
    "nikon-z6-3",
    "canon-r6m2",
    "sony-a7m4",
    "fuji-xt4",
    "ricoh-theta-m15",
    "panasonic-bgh1",
]
NAME = "Anna's cam"  # of the camera
HOST = "anna-laptop"
CAMERA_GUID = bytes.fromhex("8f3a51c27be046d99d10a4e6f25b7c83")
HOST_GUID = bytes.fromhex("4e1d90b6a37f5c82000000000000beef")
SIZE = 200_000


def camera_of(body: str, **options: Any) -> SimulatedCamera:
    options = {"objects": 3, "size": SIZE, "name": NAME, "guid": CAMERA_GUID, **options}
    if body == "standard":
        return SimulatedCamera(**options)
    return SimulatedCamera(body=body, **options)


def session_with(camera: Any, body: str, **options: Any) -> ptpfast.Session:
    vendor = vendors.named(vendors.BODIES.get(body, body))
    gate = getattr(camera, "gate_port", None)
    if gate is not None:
        vendor = panasonic(description_port=gate, access_port=gate)
    elif body == "panasonic-bgh1":  # a replayed camera has no gate
        vendor = vendors.STANDARD
    given = {"name": HOST, "guid": HOST_GUID, "timeouts": PATIENT, "index": False, **options}
    return ptpfast.connect(camera.host, port=camera.port, vendor=without_pauses(vendor), **given)


def secrets_of(camera: SimulatedCamera) -> list[bytes]:
    """What a default trace must not have: GUIDs, names and serial number, in every form."""
    texts = [NAME, HOST]
    for guid in (CAMERA_GUID, HOST_GUID):
        texts += [guid.hex(), guid.hex().upper(), str(UUID(bytes=guid))]
    serial = camera.body.serial_number.lstrip("0")
    texts.append(serial)
    found = [CAMERA_GUID, HOST_GUID]
    for text in texts:
        found += [text.encode("ascii"), text.encode("utf-16-le")]
    return found


def read_all(session: ptpfast.Session) -> dict[str, bytes]:
    """Path → bytes of each file."""
    return {info.path: bytes(session.read(info)) for info in session.objects()}


def record(camera: SimulatedCamera, body: str, file: Path, **options: Any) -> dict[str, bytes]:
    """Record a session that lists, reads all files and looks at a thumbnail; return the files."""
    with session_with(camera, body, trace=file, **options) as session:
        files = read_all(session)
        session.thumbnail(session.objects()[0])
    return files
