"""`pick` with the simulated bodies of real models: the sheet fills, and the choice arrives."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from pages import picking
from ptpfast import vendors
from watched import bytes_of, files_in


@pytest.mark.parametrize("body", sorted(vendors.BODIES))
def test_the_chosen_picture_of_every_body_arrives(
    camera: Cameras, connect: Sessions, tmp_path: Path, body: str
) -> None:
    sim = camera(body=body, objects=6, size=50_000)
    files = {stored.name: bytes_of(sim.store, stored.handle) for stored in sim.store.files()}
    with picking(connect, sim, tmp_path / "to") as opened:
        page = opened.page
        page.wait_for(lambda: page.camera.get("state") == "ready" and page.pictures)
        picture = max(page.pictures.values(), key=lambda each: each["name"])
        count = page.command(do="download", ids=[picture["id"]])["files"]
        assert count == len(picture["types"])
        page.wait_for(lambda: page.pictures[picture["id"]]["status"] in ("done", "failed"))
        assert page.pictures[picture["id"]]["reason"] == ""
    have = {path.name: path.read_bytes() for path in files_in(tmp_path / "to")}
    assert have == {name: files[name] for name in have}
    assert {name.partition(".")[0] for name in have} == {picture["name"]}
    assert len(have) == count
