"""Bars on a terminal that leave nothing behind on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress, ProgressColumn

# Columns for the ^C that a terminal shows where the cursor is, also if it comes twice.
ECHO = 4


def _console() -> Console:
    """Return standard error. rich itself looks at NO_COLOR, FORCE_COLOR and TERM."""
    from rich.console import Console

    no_color = True if os.environ.get("CLICOLOR") == "0" else None
    # soft_wrap: lines come in the right length; rich would break a long path at its spaces.
    return Console(
        stderr=True,
        highlight=False,
        markup=False,
        emoji=False,
        no_color=no_color,
        soft_wrap=True,
    )


def bars(*columns: ProgressColumn) -> Progress:
    """Bars on standard error, gone when they end. They stop short of the terminal's edge: a ^C that
    it shows behind them would go into the next line, and the bars above it stay for good."""
    from rich.console import RenderableType
    from rich.constrain import Constrain
    from rich.progress import Progress

    console = _console()

    class Narrow(Progress):
        def get_renderable(self) -> RenderableType:
            return Constrain(super().get_renderable(), max(1, console.width - ECHO))

    return Narrow(*columns, console=console, expand=True, transient=True)


def live_line(line: Callable[[int], str]) -> Live:
    """Return a line on standard error that is drawn again four times a second.

    Args:
        line: returns the text for a number of columns.
    """
    from rich.console import ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.text import Text

    console = _console()

    class Line:
        def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
            yield Text(line(max(1, options.max_width - ECHO)), no_wrap=True, overflow="crop")

    return Live(Line(), console=console, transient=True, refresh_per_second=4)


def live_table(rows: Callable[[], list[tuple[str, ...]]]) -> Live:
    """Return a table on standard error that is drawn again four times a second.

    Args:
        rows: returns the cells of each row.
    """
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    class Rows:
        def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
            table = Table.grid(padding=(0, 2))
            for row in rows():
                table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
            yield table

    return Live(Rows(), console=console, transient=True, refresh_per_second=4)
