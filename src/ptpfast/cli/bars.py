"""Bars on a terminal that leave nothing behind on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

# Columns for the ^C that a terminal shows where the cursor is, also if it comes twice.
ECHO = 4


def bars(*columns: ProgressColumn) -> Progress:
    """Bars on standard error, gone when they end. They stop short of the terminal's edge: a ^C that
    it shows behind them would go into the next line, and the bars above it stay for good."""
    from rich.console import Console, RenderableType
    from rich.constrain import Constrain
    from rich.progress import Progress

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)

    class Narrow(Progress):
        def get_renderable(self) -> RenderableType:
            return Constrain(super().get_renderable(), max(1, console.width - ECHO))

    return Narrow(*columns, console=console, expand=True, transient=True)


def download_bars() -> Progress:
    """Bars of bytes, with what has come, how fast, and the time left. A task with the field
    `counts_objects` counts those: its amounts are in its description."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    def is_of_bytes(task: Task) -> bool:
        return not task.fields.get("counts_objects")

    class Amount(DownloadColumn):
        def render(self, task: Task) -> Text:
            return super().render(task) if is_of_bytes(task) else Text()

    class Rate(TransferSpeedColumn):
        def render(self, task: Task) -> Text:
            return super().render(task) if is_of_bytes(task) else Text()

    return bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        Amount(),
        Rate(),
        TimeRemainingColumn(compact=True),
    )
