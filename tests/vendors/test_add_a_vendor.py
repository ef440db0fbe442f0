"""docs/add-a-vendor.md, built and run as it stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import draw_cameras
import draw_menus
import ptpfast
from ptpfast import connect, vendors
from ptpfast.sim import SimulatedCamera

PAGE = Path(__file__).parents[2] / "docs" / "add-a-vendor.md"
BLOCKS = dict(re.findall(r"```python (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
FILES = {name: text for name, text in BLOCKS.items() if name.endswith(".py")}


@pytest.fixture
def _acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder, and the word in the registry."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(vendors, "__path__", [*vendors.__path__, str(tmp_path)])
    monkeypatch.setattr(vendors, "NAMES", (*vendors.NAMES, "acme"))
    yield
    vendors.named.cache_clear()
    for name in [name for name in sys.modules if name.startswith("ptpfast.vendors.acme")]:
        del sys.modules[name]


def test_the_page_has_the_files_of_a_vendor_and_a_session() -> None:
    assert set(FILES) == {
        f"acme/{name}.py" for name in ("__init__", "codes", "dialect", "body", "abilities")
    }
    assert "session" in BLOCKS


@pytest.mark.usefixtures("_acme")
def test_the_session_of_the_page_runs() -> None:
    exec(BLOCKS["session"], {"SimulatedCamera": SimulatedCamera, "connect": connect})


@pytest.mark.usefixtures("_acme")
def test_each_part_of_the_dialect_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.link.events.LOOK_S", 0.05)
    with SimulatedCamera("acme", objects=3, size=1000) as camera:
        camera.faults.add("respond=0xAA01 on GetObjectInfo at 2")
        address = f"{camera.host}:{camera.port}"
        report = ptpfast.pull(address, tmp_path / "card")
        assert report.downloaded == 3
        assert report.failed == 0
        assert camera.operations[0x9A01] > 0
        with connect(camera.host, port=camera.port) as session:
            subscription = session.link.hub.subscribe()
            camera.push_event(0x4003, 7)
            event = subscription.get(30)
            assert event is not None
            assert (event.code, event.parameters) == (0x4003, (7,))
            assert camera.operations[0x9A02] > 0
            # Left alone, it is given a sign of life, unless its events are asked for anyway.
            session.link.dialect.keep_awake()
            assert camera.operations[0x9A03] == 1
        modules = {name for name in sys.modules if name.startswith("ptpfast.vendors.acme.")}
        assert "ptpfast.vendors.acme.dialect" in modules


@pytest.mark.usefixtures("_acme")
def test_the_pages_of_cameras_are_drawn_from_the_folder_alone() -> None:
    assert "### Acme\n\n" in draw_cameras.table()
    assert "| Rocket | both | list, read in parts | official | Acme's own manual |" in (
        draw_cameras.table()
    )
    assert "\n| Acme | " in draw_menus.table()


@pytest.mark.usefixtures("_acme")
def test_a_real_session_never_imports_a_body() -> None:
    vendors.named("acme")
    assert "ptpfast.vendors.acme.body" not in sys.modules
