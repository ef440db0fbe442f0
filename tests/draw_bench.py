"""Draws docs/bench.jpg: the page of `ptpfast bench --html` in Debian's Chromium.

    python tests/draw_bench.py

A simulated camera behind a simulated Wi-Fi link is measured. Needs chromium, and the packages of
the group `browser`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import chromium
from ptpfast.sim import SimulatedCamera

PICTURE = Path(__file__).parents[1] / "docs" / "bench.jpg"
SECONDS = 40


def measure(folder: Path) -> Path:
    """The page of a run."""
    home = {f"PTPFAST_{name}": str(folder / name) for name in ("CONFIG", "CACHE", "DATA")}
    page = folder / "camera.html"
    with SimulatedCamera(objects=20, size=45_000_000, link="mirrorless-11ac-1x1") as camera:
        words = [sys.executable, "-m", "ptpfast", "bench", f"{camera.host}:{camera.port}"]
        options = ["--depth", "2", "--budget", str(SECONDS), "--html", str(page), "--quiet"]
        subprocess.run(
            [*words, *options],
            cwd=folder,
            check=True,
            env={**os.environ, **home, "PTPFAST_ALLOW_MEMORY": "1"},
            stdout=subprocess.DEVNULL,
        )
    return page


def main() -> None:
    with tempfile.TemporaryDirectory() as name, chromium() as opened:
        page = opened(measure(Path(name)).as_uri(), 1440, "light")
        page.screenshot(path=str(PICTURE), type="jpeg", quality=88)


if __name__ == "__main__":
    main()
