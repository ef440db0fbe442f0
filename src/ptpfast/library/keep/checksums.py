"""The text of a list of checksums, as `sha256sum` writes it, and the place of each file in it.

The list is untrusted, so it stays one `bytes`: an object for each of sixteen million empty lines
would take gigabytes.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator

# Each repeat has an end, so that the time is that of the text's length; a longer name is no file's.
_LINE = re.compile(rb"^(\\?)([0-9a-fA-F]{64}) [ *]([^\n]{1,8192})$", re.MULTILINE)
_BSD = re.compile(rb"SHA256 \([^\n]{1,8192}\) = [0-9a-fA-F]{64}\r?")  # of `sha256sum --tag`
_HEAD = 1 << 16  # bytes that tell what a file is
_PLACE_BITS = 32  # of a place, in one number with a hash of the file's name before it


class Checksums:
    """The lines of a list of checksums; the last one of a file counts."""

    def __init__(self, content: bytes | bytearray = b"") -> None:
        self._content = content
        # Where each file's line begins, by a hash of its name: 8 bytes a line, where a dictionary
        # takes two hundred.
        self._places = array("Q", sorted(_mark(file) | at.start() for at, file in _lines(content)))

    def __contains__(self, file: str) -> bool:
        return self.sha256(file) is not None

    def sha256(self, file: str) -> str | None:
        """Return the checksum of a file in hex; None without one."""
        wanted = _bytes(file)
        mark, found = _mark(wanted), None
        for at in range(bisect_left(self._places, mark), len(self._places)):
            entry = self._places[at]
            if entry >> _PLACE_BITS != mark >> _PLACE_BITS:
                break
            for match, name in _lines(self._content, entry & (1 << _PLACE_BITS) - 1):
                if name == wanted:  # else another one with its hash
                    found = match[2].decode().lower()
                break
        return found

    def with_lines(self, lines: dict[str, str | None]) -> bytearray:
        """Return the text with these lines, by file.

        A line replaces the old line of its file, or is appended; None deletes it. Other lines stay.
        """
        wanted = {_bytes(file): _bytes(line or "") for file, line in lines.items()}
        content, text, at = memoryview(self._content), bytearray(), 0
        waiting = dict(wanted)
        for match, file in _lines(self._content):
            if file in wanted:
                text += content[at : match.start()]
                if line := waiting.pop(file, None):
                    text += line + b"\n"
                at = match.end() + 1
        text += content[at:]
        if text and not text.endswith(b"\n"):
            text += b"\n"
        for line in filter(None, waiting.values()):
            text += line + b"\n"
        return text


def is_line(line: bytes) -> bool:
    """Return whether a line, without its end, is a checksum."""
    return bool(_LINE.fullmatch(line) or _BSD.fullmatch(line))


def is_line_begun(line: bytes) -> bool:
    """Return whether a line that was cut short can have been a checksum."""
    return re.fullmatch(rb"\\?[0-9a-fA-F]{0,64}( ([ *][^\0\n]{0,8192})?)?", line) is not None


def why_no_list(content: bytes) -> str:
    """Return why a file is not a list of checksums; '' if it is one.

    Most of its first lines that are neither blank nor comments must be checksums. An empty file is
    a list, too.
    """
    if b"\0" in content:
        return "it is not a list of checksums: it contains NUL bytes"
    lines = content[:_HEAD].split(b"\n")
    if len(content) > _HEAD and len(lines) > 1:
        lines.pop()  # it is cut
    told = [line for line in lines if line.strip() and not line.startswith(b"#")]
    good = sum(map(is_line, told))
    return "" if 2 * good >= len(told) else "it is not a list of SHA-256 checksums"


def _lines(content: bytes | bytearray, begin: int = 0) -> Iterator[tuple[re.Match[bytes], bytes]]:
    """Yield the lines that are checksums, from a position on, and the file of each."""
    for match in _LINE.finditer(content, begin):
        file = match[3].removesuffix(b"\r")
        if match[1]:
            parts = file.split(b"\\\\")  # between two of them no backslash is escaped
            parts = [part.replace(b"\\n", b"\n").replace(b"\\r", b"\r") for part in parts]
            file = b"\\".join(parts)
        if file := file.removeprefix(b"./"):  # as of `sha256sum ./*`
            yield match, file


def _mark(file: bytes) -> int:
    """Return a hash of a file's name, with room for a position."""
    return (hash(file) & (1 << 64 - _PLACE_BITS) - 1) << _PLACE_BITS


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
