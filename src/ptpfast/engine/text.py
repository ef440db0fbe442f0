"""Text from a camera, made safe to show, and file names as text.

The result of `printable` cannot control a terminal. Every error message goes through it, so a
traceback is as safe as the command line. File names are UTF-8 on the disk under every locale.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata

# Control, format (directions, joiners), surrogate, private and unassigned characters, and the two
# that separate lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ESCAPED = re.compile("[\udc80-\udcff]+")  # bytes of a name that the locale's encoding lacks
_UTF_8 = sys.getfilesystemencoding().lower() in ("utf-8", "utf8")


def on_disk(name: str) -> str:
    """Return the str with which this process opens the file of that name.

    It differs from the name under a locale that is not UTF-8, such as C. The name on the disk is
    UTF-8 under every locale, because the next run may have another locale.
    """
    return name if _UTF_8 else os.fsdecode(name.encode(errors="surrogateescape"))


def in_text(name: str) -> str:
    """Return the text of a file name or path as this process has it; the inverse of `on_disk`."""
    return name if _UTF_8 else os.fsencode(name).decode(errors="surrogateescape")


def printable(text: str) -> str:
    """Return `text` for a terminal or a log: one line, with `?` for control and invisible
    characters."""
    return replace_unseen(text, "?")


def replace_unseen(text: str, by: str) -> str:
    """Return `text` with `by` for each character that is invisible or controls a terminal."""
    if text.isascii() and text.isprintable():
        return text
    text = unescaped(text)
    return "".join(by if unicodedata.category(char) in _UNSEEN else char for char in text)


def unescaped(text: str) -> str:
    """Return `text` with the UTF-8 characters that Python could not decode in a file name."""
    return _ESCAPED.sub(_decoded, text)


def _decoded(match: re.Match[str]) -> str:
    return match.group().encode(errors="surrogateescape").decode(errors="surrogateescape")
