"""Draws docs/pull.svg: `ptpfast pull` in a terminal, at a moment of a real run.

    python tests/draw_terminal.py

A simulated camera behind a simulated Wi-Fi link loses its connection once. The run takes place in a
pseudo-terminal; the picture is its screen at a moment when a file is under way.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

from ptpfast.sim import SimulatedCamera

PICTURE = Path(__file__).parents[1] / "docs" / "pull.svg"
COLUMNS, ROWS = 100, 11
COMMAND = "$ ptpfast pull 192.168.1.1 ~/Pictures/today"
SHOWN = "IMG_0003.DNG"  # the picture is taken when so much of it is here
PART = 0.6


def run() -> pyte.Screen:
    """The screen of a run, at that moment."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatedCamera(
            objects=12, size=25_000_000, link="mirrorless-11ac-1x1", faults="drop after-total 40M"
        ) as camera,
    ):
        leader, follower = pty.openpty()
        address = f"{camera.host}:{camera.port}"
        process = subprocess.Popen(
            [sys.executable, "-m", "ptpfast", "pull", address, "today"],
            cwd=folder,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "COLUMNS": str(COLUMNS),
                "LINES": str(ROWS),
                "PTPFAST_CACHE": folder,
                "PTPFAST_CONFIG": folder,
                "PTPFAST_DATA": folder,
            },
        )
        os.close(follower)
        stream.feed(f"{COMMAND}\r\n".encode())
        try:
            while not is_the_moment(screen):
                stream.feed(os.read(leader, 1 << 16))
        finally:
            process.kill()
            process.wait()
            os.close(leader)
    return screen


def is_the_moment(screen: pyte.Screen) -> bool:
    """Whether so much of the file is here."""
    lines = (line for line in screen.display if f" {SHOWN} ━" in line)
    amounts = (re.search(r" ([\d.]+) of ([\d.]+) MB", line) for line in lines)
    return any(found and float(found[1]) / float(found[2]) > PART for found in amounts)


def drawn(screen: pyte.Screen) -> str:
    """The screen as a picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for row in range(ROWS):
        text = Text()
        for column in range(COLUMNS):
            char = screen.buffer[row][column]
            color = None if char.fg == "default" else char.fg
            if color is not None and len(color) == 6:
                color = f"#{color}"
            text.append(char.data, Style(color=color, bold=char.bold))
        text.rstrip()
        console.print(text, no_wrap=True, overflow="crop")
    return console.export_svg(title="ptpfast")


if __name__ == "__main__":
    PICTURE.write_text(drawn(run()), encoding="utf-8")
