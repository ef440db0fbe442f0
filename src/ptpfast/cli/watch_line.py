"""The line on the terminal that says what a watch does now."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import printable
from ..library.report.observer import Observer
from .bars import live_line
from .output import Output, human_seconds, human_size, in_lines, is_terminal, plural
from .progress import has_rich
from .status import cut

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo
    from ..watching import WatchStatus

# States in which the camera is waited for.
WAITS = {
    "connecting": "waiting for the camera",
    "away": "connection lost",
    "no card": "waiting for a card",
    "failing": "the camera fails",
}


class WatchLine(Observer):
    """What a watch does now. Another thread may call `line`: each change replaces an attribute.

    Attributes:
        status: What the watch has told last.
    """

    def __init__(self, camera: str) -> None:
        self.status: WatchStatus | None = None
        self._camera = camera
        self._flight = ("", 0, 0)  # name, received bytes, size

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._flight = (info.name, kept, info.size or 0)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        self._flight = (info.name, received, size or 0)

    def line(self, width: int) -> str:
        """Return the line, cut to `width` columns."""
        status = self.status
        if status is None:
            return cut(f"connecting to {self._camera}", width)
        done = f"{plural(status.files, 'file')}, {human_size(status.size)}"
        if (words := WAITS.get(status.state)) is not None:
            waited_s = (datetime.now() - status.since).total_seconds()
            text = f"{words} for {human_seconds(max(0.0, round(waited_s)))}; {done}"
        elif status.state == "fetching":
            name, received, size = self._flight
            part = f" {100 * received // size}%" if size else ""
            text = f"{name}{part}; {done}"
        else:
            text = f"{status.state} {self._camera}; {done}"
        return cut(printable(text), width)

    @contextmanager
    def shown(self, output: Output) -> Iterator[Callable[[str], object]]:
        """Show the line if a person looks; yield what writes a line that stays."""
        if output.quiet or output.verbose or not is_terminal(sys.stderr) or not has_rich():
            yield output.note
            return
        live = live_line(self.line)

        def note(text: str) -> None:
            console = live.console
            console.print(in_lines(printable(text), console.width), overflow="fold")

        live.start()
        try:
            yield note
        finally:
            live.stop()
