"""`Session.preview`: the picture in a RAW file, without the RAW file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from ptpfast import Unsupported
from ptpfast.raw.orientation import of_jpeg
from ptpfast.sim import Store
from raw_files import KINDS, Made, cr3, jpeg, nef

NAMES = {"nef": "A.NEF", "nef-big": "B.NEF", "cr2": "C.CR2", "cr3": "D.CR3", "raf": "E.RAF"}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("body", [None, "nikon-z9", "canon-r6m2"])
def test_a_preview_comes_without_the_whole_file(
    camera: Cameras, connect: Sessions, tmp_path: Path, kind: str, body: str | None
) -> None:
    made = KINDS[kind]()
    (tmp_path / NAMES[kind]).write_bytes(made.content + bytes(3_000_000))
    sim = camera(store=Store.from_folder(tmp_path), **({} if body is None else {"body": body}))
    session = connect(sim)
    (info,) = session.objects()
    before = sim.payload_bytes
    assert session.preview(info) == made.preview
    assert sim.payload_bytes - before < len(made.preview) + (1 << 18)
    assert session.preview(info.handle) == made.preview


@pytest.mark.parametrize(("name", "make"), [("A.NEF", nef), ("A.CR3", cr3)])
def test_a_preview_says_how_its_raw_file_is_turned(
    camera: Cameras, connect: Sessions, name: str, make: Callable[..., Made]
) -> None:
    store = Store()
    store.add(name, make(turned=6).content)
    session = connect(camera(store=store))
    found, stored = session.preview(session.objects()[0]), make().preview
    assert of_jpeg(found) == 6
    assert found.endswith(stored[2:])


def test_a_jpeg_is_its_own_preview(camera: Cameras, connect: Sessions, tmp_path: Path) -> None:
    content = jpeg(100_000)
    (tmp_path / "A.JPG").write_bytes(content)
    session = connect(camera(store=Store.from_folder(tmp_path)))
    assert session.preview(session.objects()[0]) == content


def test_a_file_without_a_preview_is_said_so(camera: Cameras, connect: Sessions) -> None:
    session = connect(camera())
    with pytest.raises(Unsupported, match="no preview that ptpfast can find"):
        session.preview(session.objects()[0])
    assert session.usable


def test_a_preview_that_is_no_picture_by_its_size_is_not_read(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = KINDS["nef"]()
    (tmp_path / "A.NEF").write_bytes(made.content)
    session = connect(camera(store=Store.from_folder(tmp_path)))
    monkeypatch.setattr("ptpfast.transfer.preview.LARGEST_PREVIEW", len(made.preview) - 1)
    with pytest.raises(Unsupported, match="a preview of 300,000 bytes"):
        session.preview(session.objects()[0])
    assert session.usable
