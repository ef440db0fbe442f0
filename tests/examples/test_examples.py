"""The examples run against a simulated camera, and do what they say."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import runpy
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image, ImageFilter

import command_line
from conftest import Cameras
from dng import dng
from objects_of import content
from programs import module
from ptpfast.sim import SimulatedCamera, Store
from remote_folders import contents
from remote_servers import begin_loop_of_fsspec, s3

EXAMPLES = Path(__file__).parents[2] / "examples"
GROUP = "--group examples"
MOST_LINES = 60
MiB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def _loop_of_fsspec() -> None:
    begin_loop_of_fsspec()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ModuleType]]:
    """Imports an example; skips the test without the packages that it needs."""
    monkeypatch.syspath_prepend(EXAMPLES)
    loaded: list[str] = []

    def load(name: str, *needs: str) -> ModuleType:
        for each in needs:
            module(each, GROUP)
        loaded.append(name)
        return importlib.import_module(name)

    yield load
    for name in loaded:
        sys.modules.pop(name, None)


Example = Callable[..., ModuleType]


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


def test_the_sharpest_picture_is_found_in_memory(
    camera: Cameras, example: Example, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sharp = Image.effect_noise((320, 240), 80)
    store = Store()
    for name, blur in (("A.JPG", 3), ("B.JPG", 0), ("C.JPG", 1)):
        store.add(name, jpeg(sharp.filter(ImageFilter.GaussianBlur(blur)) if blur else sharp))
    monkeypatch.chdir(tmp_path)
    name, sharpness = example("to_numpy").sharpest(command_line.at(camera(store=store)))
    assert name == "B.JPG"
    assert sharpness > 0
    assert list(tmp_path.iterdir()) == []


def test_raw_files_are_decoded_while_the_next_ones_arrive(
    camera: Cameras, example: Example, tmp_path: Path
) -> None:
    colours = [(60_000, 2_000, 2_000), (2_000, 60_000, 2_000), (2_000, 2_000, 60_000)] * 20
    store = Store()
    for number, colour in enumerate(colours):
        store.add(f"P{number:04}.DNG", dng(*colour))
    sim = camera(store=store)
    found = example("decode_while_downloading", "rawpy").decoded(command_line.at(sim), tmp_path)
    previews = [next(found)]
    # Others come although only one was decoded, and not all of them: the download waits.
    assert sim.wait_for(lambda: sim.payload_bytes >= 3 * len(dng(*colours[0])), 60)
    assert len(list(tmp_path.glob("*.DNG"))) < len(colours)
    previews += found
    for number, (path, colour) in enumerate(zip(previews, colours, strict=True)):
        assert path.name == f"P{number:04}.preview.jpg"
        assert (tmp_path / f"P{number:04}.DNG").read_bytes() == dng(*colour)
        with Image.open(path) as image:
            pixel: Any = image.getpixel((image.width // 2, image.height // 2))
        assert pixel.index(max(pixel)) == colour.index(max(colour))


def test_pictures_go_into_a_bucket_one_after_the_other(
    camera: Cameras, example: Example, tmp_path: Path
) -> None:
    sim = camera(objects=4, size=300_000)
    with s3(tmp_path / "site") as site:
        found = example("to_object_store").stored(command_line.at(sim), site.url, **site.storage)
        assert [place.rpartition("/")[2] for place in found] == [
            item.name for item in sim.store.files()
        ]
        assert sorted(site.files().values()) == contents(sim)


@pytest.mark.parametrize("body", [{}, {"body": "nikon-z6"}], ids=["standard", "nikon-z6"])
def test_the_booth_shows_each_picture_that_it_takes(
    camera: Cameras, example: Example, tmp_path: Path, body: dict[str, str]
) -> None:
    sim = camera(objects=0, **body)
    shown: list[bytes] = []
    booth = example("photo_booth").booth
    folder = tmp_path / "booth"
    booth(command_line.at(sim), folder, ["\n"] * 2, lambda path: shown.append(path.read_bytes()))
    taken = {content(sim, item.handle) for item in sim.store.files()}
    assert len(set(shown)) == 2
    assert set(shown) <= taken
    assert {path.read_bytes() for path in folder.iterdir()} == set(shown)


def test_the_booth_has_thirty_lines_of_code() -> None:
    text = (EXAMPLES / "photo_booth.py").read_text(encoding="utf-8")
    code = text.partition('"""\n')[2].rpartition('"""\n')[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 30


class Browser:
    """A client of an ASGI application, which takes the next part when `may_take` is set."""

    def __init__(self, app: Any, path: str) -> None:
        self.may_take = asyncio.Event()
        self.is_answered = asyncio.Event()
        self.status = 0
        self.body = b""
        self._app = app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "root_path": "",
        }
        self._is_asked = False

    async def run(self) -> None:
        await self._app(self._scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._is_asked:  # it does not hang up
            await asyncio.Event().wait()
        self._is_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.body += message.get("body", b"")
        self.is_answered.set()
        await self.may_take.wait()


async def got(app: Any, path: str) -> Browser:
    """The whole answer."""
    browser = Browser(app, path)
    browser.may_take.set()
    await browser.run()
    return browser


def served(sim: SimulatedCamera, example: Example, use: Callable[[Any], Awaitable[None]]) -> None:
    """Use the application while its session is open."""
    app = example("web_service", "fastapi", "anyio").make_app(command_line.at(sim))

    async def main() -> None:
        async with app.router.lifespan_context(app):
            await use(app)

    asyncio.run(main())


def test_the_service_lists_and_streams_every_object(camera: Cameras, example: Example) -> None:
    sim = camera(objects=3, size=2_500_000)

    async def use(app: Any) -> None:
        rows = json.loads((await got(app, "/objects")).body)
        assert [row["name"] for row in rows] == [item.name for item in sim.store.files()]
        for row in rows:
            answer = await got(app, f"/objects/{row['handle']}")
            assert (answer.status, answer.body) == (200, content(sim, row["handle"]))
        assert (await got(app, "/objects/12345")).status == 404

    served(sim, example, use)


def test_a_slow_browser_slows_the_camera_down(camera: Cameras, example: Example) -> None:
    sim = camera(objects=1, size=30 * MiB)
    (item,) = sim.store.files()

    async def use(app: Any) -> None:
        browser = Browser(app, f"/objects/{item.handle}")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(browser.run())
            await browser.is_answered.wait()
            # The session does one thing after the other: what is read ahead is read by now.
            await app.state.session.storage_ids()
            assert len(browser.body) == MiB
            assert sim.payload_bytes < 10 * MiB
            browser.may_take.set()
        assert browser.body == content(sim, item.handle)

    served(sim, example, use)


def test_the_notebook_shows_a_sheet_and_live_view(
    camera: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(body="nikon-z9", objects=12)
    shown: list[Image.Image] = []
    monkeypatch.setattr(sys, "argv", ["live_preview.py", command_line.at(sim)])
    runpy.run_path(str(EXAMPLES / "live_preview.py"), {"display": shown.append})
    sheet, *frames = shown
    jpegs = [item for item in sim.store.files() if item.name.endswith(".JPG")]
    assert sheet.size == (4 * 160, -(-len(jpegs) // 4) * 120)
    colours = sheet.getcolors(1 << 16)
    assert colours is not None
    assert len(colours) > 4
    assert len(frames) == 20


def scripts() -> list[Path]:
    return sorted(EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("path", scripts(), ids=lambda path: path.name)
def test_example_is_short_and_in_the_list_of_examples(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert text.startswith('"""')
    assert f"({path.name})" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
