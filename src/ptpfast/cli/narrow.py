"""Help that fits narrow terminals: click's own takes 50 columns at least."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable

import click

CLICKS_LEAST = 50  # columns


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
                    max(self.width, 10),
                    initial_indent=margin,
                    subsequent_indent=margin + "  " * (not indent),
                    break_on_hyphens=False,
                )
                self.write("".join(f"{line}\n" for line in lines))


class Context(click.Context):
    """A context whose help fits the terminal."""

    formatter_class = Help


def width() -> int | None:
    """Return the columns for help on a narrow terminal; None for click's own choice."""
    columns = shutil.get_terminal_size().columns
    return max(columns - 1, 20) if columns < CLICKS_LEAST + 2 else None
