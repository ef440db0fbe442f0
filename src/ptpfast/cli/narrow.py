"""Help that fits narrow terminals: click's own takes 50 columns at least."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator

import click

CLICKS_LEAST = 50  # columns
LEAST = 10
KEEPS = "\b"  # begins a paragraph that click does not wrap
GOES_ON = " \\"
WORDS = re.compile(r"(?:'[^']*'|\"[^\"]*\"|\S)+")  # of a command line


class Help(click.HelpFormatter):
    """Write each description below its term when there is no room beside it."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms with their descriptions."""
        if self.width >= CLICKS_LEAST:
            super().write_dl(rows, col_max, col_spacing)
            return
        for term, text in rows:
            for words, indent in ((term, 0), (text, 4)):
                margin = " " * (self.current_indent + indent)
                lines = textwrap.wrap(
                    words,
                    max(self.width, LEAST),
                    initial_indent=margin,
                    subsequent_indent=margin + "  " * (not indent),
                    break_on_hyphens=False,
                )
                self.write("".join(f"{line}\n" for line in lines))

    def write_text(self, text: str) -> None:
        """Write paragraphs; those that keep their lines have only the long ones broken."""
        if self.width < CLICKS_LEAST:
            room = max(self.width - self.current_indent, LEAST)
            text = "\n".join(_fitted(text.splitlines(), room))
        super().write_text(text)


def _fitted(lines: Iterable[str], room: int) -> Iterator[str]:
    """Yield lines; of paragraphs that click does not wrap, those that are too long broken."""
    keeps = False
    for line in lines:
        keeps = line.strip() == KEEPS or (keeps and bool(line.strip()))
        if not keeps or len(line) <= room:
            yield line
        elif line.lstrip().startswith("ptpfast "):
            yield from _command(line, room)
        else:
            yield from _broken(line, room, line.rfind("  ") + 2)


def _command(line: str, room: int) -> Iterator[str]:
    """Yield a command line in lines that a shell takes for one."""
    margin = " " * (len(line) - len(line.lstrip()))
    current = ""
    for word in WORDS.findall(line):
        if current and len(current) + 1 + len(word) > room - len(GOES_ON):
            yield current + GOES_ON
            current = f"{margin}  {word}"
        else:
            current = f"{current} {word}" if current else margin + word
    yield current


def _broken(line: str, room: int, indent: int) -> list[str]:
    margin = " " * min(indent, room // 2)
    return textwrap.wrap(
        line, room, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


class Context(click.Context):
    """A context whose help fits the terminal."""

    formatter_class = Help


def width() -> int | None:
    """Return the columns for help on a narrow terminal; None for click's own choice."""
    columns = shutil.get_terminal_size().columns
    return max(columns - 1, 20) if columns < CLICKS_LEAST + 2 else None
