"""No body sends a part of a picture twice, whatever its dialect asks between two pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

import ptpfast
from conftest import Cameras, Sessions
from ptpfast import vendors

OBJECTS, SIZE = 3, 4_000_000
OTHERWISE = 300_000  # bytes of lists, properties and descriptions


@pytest.mark.parametrize("body", vendors.BODIES)
def test_no_byte_of_a_picture_is_asked_for_twice(
    camera: Cameras, connect: Sessions, tmp_path: Path, body: str
) -> None:
    sim = camera(body=body, objects=OBJECTS, size=SIZE)
    session = connect(sim)
    before = sim.payload_bytes
    assert ptpfast.pull(session, tmp_path, order="oldest").ok
    assert sim.payload_bytes - before < OBJECTS * SIZE + OTHERWISE


def test_marked_pictures_are_sent_once_too(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(body="nikon-d7200", objects=OBJECTS, size=SIZE)
    for item in sim.store.files():
        sim.mark(item.handle)
    session = connect(sim)
    assert len(session.marked()) == OBJECTS
    before = sim.payload_bytes
    assert ptpfast.pull(session, tmp_path, order="oldest").ok
    assert sim.payload_bytes - before < OBJECTS * SIZE + OTHERWISE
