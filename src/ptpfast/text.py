"""A camera's text made safe to show: what comes out of `printable` cannot steer a terminal.

Every error's message goes through it, so that a traceback is as safe as the command line.
"""

from __future__ import annotations

import unicodedata

# Control, format (directions, joiners), surrogate, private and unassigned characters, and the two
# that separate lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """`text` for a terminal or a log: on one line, every control or unseen character as `?`."""
    return replace_unseen(text, "?")


def replace_unseen(text: str, by: str) -> str:
    """`text` with `by` for each character that is not seen or does something to a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(by if unicodedata.category(char) in _UNSEEN else char for char in text)
