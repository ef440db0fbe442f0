"""Names: a camera's file name made safe for a local folder, and a camera's text made safe to show.

A camera's strings are untrusted. What comes out of `local_name` is one path component that means
the same on Linux, macOS and Windows; what comes out of `printable` cannot steer a terminal. Knows
no folder: whether a name is taken is `folder`'s business.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from ..transfer.journal import journal_path, part_path

# 255 bytes is the limit of ext4, APFS and NTFS; ".part.json" and a little more must fit behind it.
MAX_NAME_BYTES = 255 - 20
NAMELESS = "unnamed"
MANIFEST_NAME = "SHA256SUMS"

# What a transfer puts beside the file: endings no file of an object may have.
_OWN_ENDINGS = tuple(place(Path("-")).name[1:] for place in (part_path, journal_path))
_MOST_DIGITS = 7  # of a number behind a name
_MAX_EXTENSION_BYTES = 16  # behind a longer one the dot was not meant for an extension
_RESERVED_CHARACTERS = re.compile(r'[<>:"/\\|?*]')
# Hidden, blank or read as an option or a home folder by a shell.
_BAD_START = re.compile(r"^[.\s~-]+")
_BAD_END = re.compile(r"[.\s]+$")
# Windows takes these for devices, whatever extension follows.
_DEVICES = re.compile(
    r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def local_name(name: str) -> str:
    """A file name for an object the camera calls `name`: a single safe component, never empty.

    Separators, control characters and what Windows refuses become `_`; so do a leading dot, blank,
    `-` or `~`. The result is in Unicode form NFC, at most `MAX_NAME_BYTES` bytes of UTF-8 with the
    extension kept, and none of the names this package uses for its own files.
    """
    text = unicodedata.normalize("NFC", _replace_unseen(name, "_"))
    text = _RESERVED_CHARACTERS.sub("_", text)
    text = _BAD_END.sub("", text)
    text = _BAD_START.sub(lambda match: "_" * len(match.group()), text)
    if not text.strip("_"):
        text = NAMELESS
    if _DEVICES.match(text):
        text = "_" + text
    folded = same_name(text)
    if folded.endswith(_OWN_ENDINGS) or folded == same_name(MANIFEST_NAME):
        text += "_"
    return _shorten(text)


def numbered(name: str, number: int) -> str:
    """`name` with a number before its extension, for one that is taken: `DSC_0001-1.NEF`."""
    stem, tail = _split(name)
    return _shorten(stem, f"-{number}{tail}")


def base_name(name: str) -> str | None:
    """The name `name` is a numbered form of; None when it carries no number."""
    stem, tail = _split(name)
    match = re.fullmatch(r"(.+)-[1-9][0-9]*", stem, re.DOTALL)
    return match.group(1) + tail if match else None


def numbered_bases(name: str) -> list[str]:
    """What `base_name` makes of the numbered forms of `name`: `name` itself, and for one so long
    that it is cut to make room for a number, what is left of it."""
    if len(name.encode()) + _MOST_DIGITS < MAX_NAME_BYTES:
        return [name]
    forms = [numbered(name, 10**digits) for digits in range(_MOST_DIGITS)]
    return list(dict.fromkeys(base for form in forms if (base := base_name(form))))


def same_name(name: str) -> str:
    """A key that is equal for names some filesystem takes for the same one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def printable(text: str) -> str:
    """`text` for a terminal or a log: on one line, every control or unseen character as `?`."""
    return _replace_unseen(text, "?")


def _replace_unseen(text: str, by: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(by if unicodedata.category(char) in _UNSEEN else char for char in text)


def _split(name: str) -> tuple[str, str]:
    """The stem and the extension with its dot, '' where there is none: `a_.._b` has none."""
    stem, dot, tail = name.rpartition(".")
    if not stem or stem.endswith(".") or not tail or len(tail.encode()) > _MAX_EXTENSION_BYTES:
        return name, ""
    return stem, dot + tail


def _shorten(name: str, tail: str | None = None) -> str:
    """`name` + `tail`, cut in the name (before its extension without a tail) to what fits."""
    if tail is None:
        name, tail = _split(name)
    room = MAX_NAME_BYTES - len(tail.encode())
    if len(name.encode()) > room:
        name = name.encode()[:room].decode(errors="ignore").rstrip(". ")
    return name + tail
