"""`--notify`: tell the user on the desktop that a command has ended, or by the terminal's bell."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from html import escape
from typing import Literal

from ..engine.text import on_disk, printable
from .output import is_terminal

log: logging.Logger = logging.getLogger("ptpfast")

PATIENCE_S = 5.0  # for the program that shows it
LONGEST = 200  # characters
_SCRIPT = ("on run words", 'display notification (item 1 of words) with title "ptpfast"', "end run")
_DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")


By = Literal["desktop", "bell"]


def notify(text: str) -> By | None:
    """Show a text on the desktop, else ring the terminal's bell. Never raises for want of either.

    Args:
        text: one sentence; it may have names from a camera.

    Returns:
        What told the user; None if nothing could.
    """
    words = _program()
    shown = printable(text)[:LONGEST]
    if words and _runs([*words, on_disk(_as_read(words[0], shown))]):
        return "desktop"
    if sys.stderr is None or not is_terminal(sys.stderr):
        log.debug("no notification: there is no desktop and no terminal")
        return None
    try:
        sys.stderr.write("\a")
        sys.stderr.flush()
    except OSError as error:
        log.debug("the bell cannot be rung: %s", error)
        return None
    return "bell"


def _program() -> list[str]:
    """Return the program of this desktop, up to the text; nothing without a desktop."""
    if sys.platform == "darwin":
        return ["osascript", *(word for line in _SCRIPT for word in ("-e", line)), "--"]
    if any(os.environ.get(name) for name in _DESKTOPS) and shutil.which("notify-send"):
        return ["notify-send", "--app-name=ptpfast", "--", "ptpfast"]
    return []


def _as_read(program: str, text: str) -> str:
    """Return what a program shows as the text. `notify-send` reads escapes, and desktops markup,
    which can load pictures and make links."""
    return escape(text.replace("\\", r"\\"), quote=False) if program == "notify-send" else text


def _runs(words: list[str]) -> bool:
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.debug("%s cannot show a notification: %s", words[0], error)
        return False
    return done.returncode == 0
