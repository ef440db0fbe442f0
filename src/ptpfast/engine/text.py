"""A camera's text made safe to show: what comes out of `printable` cannot steer a terminal.

Every error's message goes through it, so that a traceback is as safe as the command line. And the
names of files as text: on the disk they are UTF-8 under every locale.
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
    """Return the str by which this process opens the file of that name. They differ under a locale
    that is not UTF-8, such as C: the file's name is UTF-8 all the same, as the next run, under
    another locale, will look for it."""
    return name if _UTF_8 else os.fsdecode(name.encode(errors="surrogateescape"))


def in_text(name: str) -> str:
    """Return the text of a file name or path as this process has it; the inverse of `on_disk`."""
    return name if _UTF_8 else os.fsencode(name).decode(errors="surrogateescape")


def printable(text: str) -> str:
    """`text` for a terminal or a log: on one line, every control or unseen character as `?`."""
    return replace_unseen(text, "?")


def replace_unseen(text: str, by: str) -> str:
    """`text` with `by` for each character that is not seen or does something to a terminal."""
    if text.isascii() and text.isprintable():
        return text
    text = unescaped(text)
    return "".join(by if unicodedata.category(char) in _UNSEEN else char for char in text)


def unescaped(text: str) -> str:
    """Return `text` with the characters that the bytes of a file's name stand for, where Python
    could not decode them by the locale, and they are UTF-8."""
    return _ESCAPED.sub(_decoded, text)


def _decoded(match: re.Match[str]) -> str:
    return match.group().encode(errors="surrogateescape").decode(errors="surrogateescape")
