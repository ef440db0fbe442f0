"""The spots of a walk test, asked for on the terminal or read from standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ..engine.text import printable
from .bench_display import Quiet
from .output import say

MOST_LETTERS = 60
MOST_SPOTS = 200
QUESTION = "Go to a spot, type its name and press Enter (an empty line ends): "


def asked_spots(shown: Quiet) -> Iterator[str]:
    """Yield the name of one spot after the other, until an empty line or the end of the input."""
    for _ in range(MOST_SPOTS):
        with shown.paused():
            name = _ask()
        if not name:
            return
        yield name
        shown.left()
    say(f"{MOST_SPOTS} spots are the most in one walk")


def _ask() -> str:
    if sys.stdin is None:
        return ""
    if sys.stderr is not None:
        sys.stderr.write(QUESTION)
        sys.stderr.flush()
    # A longer line is read in pieces, each of which would be a spot.
    line = sys.stdin.readline(1 << 16)
    return printable(line.strip())[:MOST_LETTERS].strip()
