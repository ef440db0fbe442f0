"""What is seen of a run: bars on a terminal, a plain line for each finished file elsewhere.

Everything goes to standard error. `display` chooses; a display is an `Observer` of `library.pull`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import printable
from ..library.report.observer import Observer
from ..library.report.report import Report
from ..library.report.results import FileResult
from .bars import download_bars
from .busy import BusyLines
from .file_lines import (
    finished_line,
    plan_line,
    waiting_line,
)
from .in_flight import InFlight
from .output import Output, is_terminal, plural
from .shortage import short_line

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ..library.report.results import Shortage
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo

CONFIRMING = "comparing with the camera"  # what is known of it from an earlier run
LISTING_LINE_S = 5.0  # without a terminal: a line about a long listing not more often


@contextmanager
def display(output: Output) -> Iterator[Observer]:
    """Yield the display for these streams: nothing, plain lines, or bars."""
    if output.quiet:
        yield Observer()
    # Bars and log lines would write over each other.
    elif output.verbose or not is_terminal(sys.stderr):
        yield Lines(output)
    else:
        try:
            import rich.progress  # noqa: F401
        except ModuleNotFoundError:
            yield Lines(output)
            return
        with Bars(output) as bars:
            yield bars


class Lines(Observer):
    """A line for each file that is done."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._count: int | None = None  # how many there are to fetch, when all are listed
        self._begun: set[int] = set()  # handles of files under way
        self._in_flight = InFlight()
        self._done = 0
        self._listed = time.monotonic()
        self._busy = BusyLines()

    def listing(self, done: int, total: int) -> None:
        self._tell_count("listing", done, total)

    def confirming(self, done: int, total: int) -> None:
        self._tell_count(CONFIRMING, done, total)

    def _tell_count(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._listed > LISTING_LINE_S:
            self._listed = now
            self._output.note(f"{what}: {done:,} of {total:,}")

    def planned(self, report: Report, count: int, size: int) -> None:
        if report.listed:
            self._count = count
            self._output.note(plan_line(report, count, size))

    def short(self, shortage: Shortage) -> None:
        self._output.note(short_line(shortage))

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._begun.add(info.handle)
        self._in_flight.begin(info, path, kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        self._in_flight.come_to(received, size)

    def finished(self, result: FileResult) -> None:
        self._in_flight.end(result.handle)
        if result.handle in self._begun:
            self._begun.remove(result.handle)
            self._done += 1
        text = finished_line(result)
        if text is not None:
            total = "" if self._count is None else f"/{self._count}"
            place = f"[{self._done}{total}] " if result.status == "downloaded" else ""
            self._output.note(place + text)

    def lost(self, error: PTPError) -> None:
        self._output.note(self._in_flight.lost_line(error))

    def waiting(self, error: PTPError) -> None:
        self._output.note(waiting_line(error))

    def busy(self, error: PTPError, waited_s: float) -> None:
        self._busy(error, waited_s, self._output.note)

    def hashing(self, path: Path) -> None:
        self._output.note(f"{path.name}: computing the checksum of the existing file")

    def comparing(self, path: Path) -> None:
        self._output.note(f"{path.name} is here; reading it from the camera again to verify it")


class Bars(Observer):
    """A bar for the file in flight and one for all, or one for what is counted before."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bars = download_bars()
        self._whole: TaskID | None = None
        self._file: TaskID | None = None
        self._in_flight = InFlight()
        self._counts: dict[str, TaskID] = {}
        self._busy = BusyLines()
        self._before = 0  # bytes received in this run of the files before the one under way
        self._moved = 0  # and of that one
        self._kept = 0  # bytes of the object in flight that an earlier run has left

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def _print(self, text: str) -> None:
        self._bars.console.print(printable(text), soft_wrap=True)

    def listing(self, done: int, total: int) -> None:
        self._tell_count("listing", done, total)

    def confirming(self, done: int, total: int) -> None:
        self._tell_count(CONFIRMING, done, total)

    def _tell_count(self, what: str, done: int, total: int) -> None:
        if (task := self._counts.get(what)) is None:
            task = self._counts[what] = self._bars.add_task(what, total=total, counts_objects=True)
        words = f"{what} {done:,}/{total:,}"
        self._bars.update(task, completed=done, total=total, description=words)
        if done >= total:
            self._bars.remove_task(self._counts.pop(what))

    def planned(self, report: Report, count: int, size: int) -> None:
        if report.listed:
            self._print(plan_line(report, count, size))
        if count and self._whole is None:
            self._whole = self._bars.add_task("", total=size)
        if self._whole is not None:
            more = "" if report.listed else " so far"
            description = f"{plural(count, 'file')}{more}"
            self._bars.update(self._whole, total=size, description=description)

    def short(self, shortage: Shortage) -> None:
        self._print(short_line(shortage))

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._before += self._moved
        self._kept, self._moved = kept, 0
        self._in_flight.begin(info, path, kept)
        if self._file is not None:
            self._bars.remove_task(self._file)
        self._file = self._bars.add_task(printable(path.name), total=info.size, completed=kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        self._in_flight.come_to(received, size)
        if self._file is None or self._whole is None:
            return
        self._bars.update(self._file, completed=received, total=size)
        # What an earlier run has left is not in the whole: rate and time left are this run's.
        self._moved = max(0, received - self._kept)
        self._bars.update(self._whole, completed=self._before + self._moved)

    def finished(self, result: FileResult) -> None:
        if self._in_flight.end(result.handle) and self._file is not None:
            self._bars.remove_task(self._file)
            self._file = None
        text = finished_line(result)
        if text is not None:
            self._print(text)

    def lost(self, error: PTPError) -> None:
        self._print(self._in_flight.lost_line(error))

    def waiting(self, error: PTPError) -> None:
        self._print(waiting_line(error))

    def busy(self, error: PTPError, waited_s: float) -> None:
        self._busy(error, waited_s, self._print)

    def hashing(self, path: Path) -> None:
        self._check(f"checksum of {printable(path.name)}")

    def comparing(self, path: Path) -> None:
        self._check(f"reading {printable(path.name)} again")

    def _check(self, description: str) -> None:
        if self._file is not None:
            self._bars.remove_task(self._file)
        self._file = self._bars.add_task(description, total=None)
