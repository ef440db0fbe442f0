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
from .output import Output, human_size, in_lines, is_terminal, plural
from .progress import has_rich
from .status import columns, cut, human_wait

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo
    from ..watching import WatchStatus

# States in which the camera is waited for.
WAITS = {
    "connecting": "waiting for the camera",
    "away": "connection lost",
    "no card": "waiting for a card",
    "failing": "the camera fails",
    "no destination": "destination lost",
}


class CameraLine(Observer):
    """What the watch of one camera does now. Another thread may read it: each change replaces an
    attribute.

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

    @property
    def is_quiet(self) -> bool:
        """True if everything that the camera has reported is stored."""
        return self.status is not None and self.status.state == "watching"

    def text(self, *, named: bool = True) -> str:
        """Return what it does, without the counts; named: with the camera's address."""
        status = self.status
        address = f" {self._camera}" if named else ""
        if status is None:
            return f"connecting to{address}" if named else "connecting"
        if (words := WAITS.get(status.state)) is not None:
            waited_s = (datetime.now() - status.since).total_seconds()
            return f"{words} for {human_wait(waited_s)}"
        if status.state == "fetching":
            name, received, size = self._flight
            return f"{name} {100 * received // size}%" if size else name
        return f"{status.state}{address}"


class WatchLine(Observer):
    """What a watch does now, with one camera or several."""

    def __init__(self, cameras: list[str]) -> None:
        self._each = {camera: CameraLine(camera) for camera in cameras}
        self._only = self._each[cameras[0]] if len(cameras) == 1 else None

    def of_camera(self, name: str) -> Observer:
        return self._each[name]

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        if self._only is not None:
            self._only.started(info, path, kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if self._only is not None:
            self._only.progress(info, received, size)

    def tell(self, status: WatchStatus) -> None:
        """Take note of what a watch does now."""
        (self._only or self._each[status.camera]).status = status

    def line(self, width: int) -> str:
        """Return the line, cut to `width` columns."""
        statuses = [each.status for each in self._each.values() if each.status is not None]
        files, size = sum(each.files for each in statuses), sum(each.size for each in statuses)
        done = f"{plural(files, 'file')}, {human_size(size)}" if statuses else ""
        if self._only is not None:
            return cut(printable("; ".join(filter(None, (self._only.text(), done)))), width)
        head = "; ".join(filter(None, (f"watching {len(self._each)} cameras", done)))
        busy = {name: each for name, each in self._each.items() if not each.is_quiet}
        parts = [f"{name}: {each.text(named=False)}" for name, each in busy.items()]
        for count in range(len(parts), -1, -1):
            more = [f"{len(parts) - count} more"] if count < len(parts) else []
            text = printable("; ".join([head, *parts[:count], *more]))
            if columns(text) <= width:
                return text
        return cut(printable(head), width)

    @contextmanager
    def shown(self, output: Output) -> Iterator[Callable[[str], object]]:
        """Show the line if a person looks; yield what writes a line that stays."""
        if (
            output.quiet
            or output.verbose
            or output.plain
            or not is_terminal(sys.stderr)
            or not has_rich()
        ):
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
