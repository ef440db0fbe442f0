"""Safe local names for a camera's file names.

A camera's strings are untrusted. `local_name` returns one path component that means the same on
Linux, macOS and Windows. `folder` knows which names are taken.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ...engine.text import in_text, on_disk, replace_unseen
from ...ownership.names import is_reserved

# 255 bytes is the limit of ext4, APFS and NTFS; ".part.json" and a little more must fit behind it.
MAX_NAME_BYTES = 255 - 20
NAMELESS = "unnamed"
_MOST_DIGITS = 7  # of a number behind a name
_MAX_EXTENSION_BYTES = 16  # behind a longer one the dot was not meant for an extension
_RESERVED_CHARACTERS = re.compile(r'[<>:"/\\|?*]')
# Hidden, blank or read as an option or a home folder by a shell.
_BAD_START = re.compile(r"^[.\s~-]+")
_BAD_END = re.compile(r"[.\s]+$")
# Windows takes these for devices, with any extension.
_DEVICES = re.compile(
    r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE
)


@lru_cache(maxsize=1024)  # planning asks for the name of a file several times in a row
def local_name(name: str) -> str:
    """Return a safe file name for an object: one component, never empty.

    Separators, control characters and what Windows refuses become `_`; so does a leading dot,
    blank, `-` or `~`. The result is Unicode NFC, at most `MAX_NAME_BYTES` bytes of UTF-8 with its
    extension, and none of the names of ptpfast's own files. It is as this process opens it
    (`text.on_disk`).
    """
    text = unicodedata.normalize("NFC", replace_unseen(name, "_"))
    text = _RESERVED_CHARACTERS.sub("_", text)
    text = _BAD_END.sub("", text)
    text = _BAD_START.sub(lambda match: "_" * len(match.group()), text)
    # Cut before each look at it: what is left when it is cut counts.
    text = _shorten(text)
    if not text.strip("_"):
        text = NAMELESS
    if _DEVICES.match(text):
        text = _shorten("_" + text)
    if is_reserved(text):
        text = _shorten(text, "_")
    return on_disk(text)


def numbered(name: str, number: int) -> str:
    """`name` with a number before its extension, for one that is taken: `DSC_0001-1.NEF`."""
    stem, tail = _split(in_text(name))
    return on_disk(_shorten(stem, f"-{number}{tail}"))


def base_name(name: str) -> str | None:
    """Return the name without its number; None if it has none."""
    name = in_text(name)
    # Where a cut has left an end that now looks like an extension, the number is behind it.
    for stem, tail in (_split(name), (name, "")):
        if match := re.fullmatch(r"(.+)-[1-9][0-9]*", stem, re.DOTALL):
            return on_disk(match.group(1) + tail)
    return None


def root_name(name: str) -> str:
    """Return the name without any numbers: the same for all its numbered forms."""
    while (base := base_name(name)) is not None:
        name = base
    return name


def numbered_bases(name: str) -> list[str]:
    """Return what `base_name` makes of the numbered forms of `name`.

    This is `name` itself, and its cut form if it is too long for a number.
    """
    if _size(in_text(name)) + _MOST_DIGITS < MAX_NAME_BYTES:
        return [name]
    forms = [numbered(name, 10**digits) for digits in range(_MOST_DIGITS)]
    return list(dict.fromkeys(base for form in forms if (base := base_name(form))))


def split_name(name: str) -> tuple[str, str]:
    """Return the stem of a local name, and its extension with the dot; '' without one."""
    return _split(in_text(name))


def _split(name: str) -> tuple[str, str]:
    """Return the stem and the extension with its dot; '' without one.

    `a_.._b` and `a. b-1` have none: otherwise a number after them would look like one within them.
    """
    stem, dot, tail = name.rpartition(".")
    if not stem or stem.endswith(".") or not tail.isalnum() or _size(tail) > _MAX_EXTENSION_BYTES:
        return name, ""
    return stem, dot + tail


def _shorten(name: str, tail: str | None = None) -> str:
    """`name` + `tail`, cut in the name (before its extension without a tail) to what fits."""
    if tail is None:
        name, tail = _split(name)
    room = MAX_NAME_BYTES - _size(tail)
    if _size(name) > room:
        name = _BAD_END.sub("", name.encode()[:room].decode(errors="ignore"))
    return name + tail


def _size(name: str) -> int:
    """Bytes in UTF-8, also of a name in the folder that is not valid in it."""
    return len(name.encode(errors="surrogatepass"))
