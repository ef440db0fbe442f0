"""Draws docs/pick.jpg: the page of `ptpfast pick` in Debian's Chromium, during a download.

    python tests/draw_pick.py [FOLDER]

With a folder it also draws the sheet, the preview and the keys there, at every width, light and
dark, to be looked at. Needs chromium, and the packages of the group `browser`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import photos
from browser import SCHEMES, SIZES, Opening, chromium, ready
from ptpfast.sim import SimulatedCamera

PICTURE = Path(__file__).parents[1] / "docs" / "pick.jpg"
SHOTS = 60


@contextmanager
def page_of(camera: SimulatedCamera, folder: Path) -> Iterator[str]:
    """The address of the page of a run."""
    home = {f"PTPFAST_{name}": str(folder / name) for name in ("CONFIG", "CACHE", "DATA")}
    words = [sys.executable, "-m", "ptpfast", "pick", f"{camera.host}:{camera.port}"]
    process = subprocess.Popen(
        [*words, "--to", str(folder / "Pictures" / "today"), "--no-browser", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **home, "PTPFAST_ALLOW_MEMORY": "1", "HOME": str(folder)},
    )
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.terminate()
        process.communicate()


def choose(page: Any, *numbers: int) -> None:
    for number in numbers:
        page.locator(f"#p{number} .check").click()


def draw_picture(opened: Opening, address: str) -> None:
    page = opened(address, 1440, "dark")
    ready(page, 20)
    choose(page, 2, 3, 5, 8, 9)
    page.keyboard.press("d")
    choose(page, 12, 13, 16)
    page.locator(".badge.done:visible").first.wait_for()
    page.locator("#transfer-text", has_text="MB/s").wait_for()
    page.screenshot(path=str(PICTURE), type="jpeg", quality=88)
    page.locator("#clear").click()
    page.close()


def draw_all(opened: Opening, address: str, folder: Path) -> None:
    for scheme in SCHEMES:
        for width in SIZES:
            page = opened(address, width, scheme)
            ready(page, 9)
            choose(page, 1, 4, 6)
            page.screenshot(path=str(folder / f"sheet-{width}-{scheme}.png"))
            page.keyboard.press("Enter")
            page.locator("#viewer-image:not(.small)").wait_for()
            page.screenshot(path=str(folder / f"preview-{width}-{scheme}.png"))
            page.keyboard.press("Escape")
            page.keyboard.press("?")
            page.screenshot(path=str(folder / f"keys-{width}-{scheme}.png"))
            page.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = photos.folder_of(folder / "card", SHOTS, raw_size=6_000_000)
        with (
            SimulatedCamera(store=store, body="nikon-z9", bytes_per_s=6_000_000) as camera,
            page_of(camera, folder) as address,
            chromium() as opened,
        ):
            draw_picture(opened, address)
            for given in sys.argv[1:]:
                Path(given).mkdir(parents=True, exist_ok=True)
                draw_all(opened, address, Path(given))


if __name__ == "__main__":
    main()
