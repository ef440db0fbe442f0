"""The text of a list of checksums, as `sha256sum` writes it, and where in it each file stands.

Anybody can have written it, so it is one `bytes` and stays so: an object for each of sixteen
million empty lines would take gigabytes. Only lines that are checksums are noted, by their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Each repeat has an end, so that the time is that of the text's length; a longer name is no file's.
_LINE = re.compile(rb"^(\\?)([0-9a-fA-F]{64}) [ *]([^\n]{1,8192})$", re.MULTILINE)


class Checksums:
    """The lines of a list of checksums; the last one of a file counts."""

    def __init__(self, content: bytes = b"") -> None:
        self._content = content
        # File → where its line begins: ten times less memory than the match or the line itself.
        self._places = {file: match.start() for match, file in _lines(content)}

    def __contains__(self, file: str) -> bool:
        return _bytes(file) in self._places

    def sha256(self, file: str) -> str | None:
        """The checksum of a file, in hexadecimal; None when there is none."""
        place = self._places.get(_bytes(file))
        match = None if place is None else _LINE.match(self._content, place)
        return None if match is None else match[2].decode().lower()

    def with_lines(self, lines: dict[str, str | None]) -> bytes:
        """The text with these lines, by file: each in the place of the file's own, or at the end;
        with none the file's own is gone. All other lines stay as they are."""
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
        return bytes(text)


def is_line(line: bytes) -> bool:
    """Return whether a line, without its end, is a checksum."""
    return _LINE.fullmatch(line) is not None


def is_line_begun(line: bytes) -> bool:
    """Return whether a line that was cut short can have been a checksum."""
    return re.fullmatch(rb"\\?[0-9a-fA-F]{0,64}( ([ *][^\0\n]{0,8192})?)?", line) is not None


def _lines(content: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
    """The lines that are checksums, and the file of each."""
    for match in _LINE.finditer(content):
        file = match[3].removesuffix(b"\r")
        if match[1]:
            parts = file.split(b"\\\\")  # between two of them no backslash is escaped
            parts = [part.replace(b"\\n", b"\n").replace(b"\\r", b"\r") for part in parts]
            file = b"\\".join(parts)
        if file := file.removeprefix(b"./"):  # as of `sha256sum ./*`
            yield match, file


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
