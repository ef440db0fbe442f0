"""Tries `ptpfast pick` with a card of 5,000 pictures, and prints how long a person waits.

    python tests/trial_pick.py

Prints seconds until the page shows thumbnails, and the times between two frames while the whole
sheet is scrolled through. Needs chromium, and the packages of the group `browser`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from browser import chromium
from draw_pick import page_of
from ptpfast.sim import SimulatedCamera

FILES = 10_000  # RAW and JPEG of 5,000 pictures
FRAMES = 300
SCROLL = """frames => new Promise(done => {
  const sheet = document.getElementById("sheet");
  const step = (sheet.scrollHeight - sheet.clientHeight) / frames;
  const times = [];
  let last = performance.now();
  const tick = (now) => {
    times.push(now - last);
    last = now;
    sheet.scrollTop += step;
    if (times.length <= frames) requestAnimationFrame(tick);
    else done(times.slice(1));
  };
  sheet.scrollTop = 0;
  requestAnimationFrame(tick);
})"""


def main() -> None:
    say = sys.stdout.write
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatedCamera(objects=FILES, size=1000) as camera,
        chromium() as opened,
        page_of(camera, Path(folder)) as address,
    ):
        began = time.monotonic()
        page = opened(address)
        thumbnails = page.locator(".tile .image[src]:visible")
        for what, found in (
            ("first thumbnail", thumbnails.first),
            ("view full", thumbnails.nth(20)),
            ("card listed", page.locator("#link[data-state=ready]")),
        ):
            found.wait_for()
            say(f"{what:<16} {time.monotonic() - began:5.1f} s\n")
        for which in ("first scroll", "second scroll"):
            times = sorted(page.evaluate(SCROLL, FRAMES))
            middle, late = times[len(times) // 2], times[len(times) * 95 // 100]
            say(
                f"{which:<16} median {middle:.1f} ms, 95 % {late:.1f} ms, most {times[-1]:.1f} ms\n"
            )
        say(f"{'tiles':<16} {page.locator('.tile').count()} elements\n")


if __name__ == "__main__":
    main()
