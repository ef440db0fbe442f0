"""The display of a run: one status line on a terminal, otherwise plain lines.

Everything goes to standard error. `display` chooses; a display is an `Observer`.
"""

from __future__ import annotations

import copy
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.text import printable
from ..library.report.observer import Observer
from ..library.report.report import Report
from ..library.report.results import FileResult
from .bars import live_line
from .busy import BusyLines
from .failure import explain
from .file_lines import finished_line, is_held, plan_line, waiting_line
from .output import Output, in_lines, is_terminal
from .shortage import short_line
from .signals import INTERRUPTED
from .status import Status, storing_words
from .statuses import Statuses

if TYPE_CHECKING:
    from ..library.report.results import Shortage
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo

CONFIRMING = "comparing with the camera"  # what is known of it from an earlier run
LISTING_LINE_S = 5.0  # without a terminal: a line about a long listing not more often
SILENCE_S = 30.0  # without a terminal: a line at least so often
TICK_S = 1.0
LINE_WIDTH = 200  # of a line that says how the run stands, without a terminal
BUSY = "the camera is busy"
HELD = "the camera is busy with an earlier session"
OWNER = "waiting for the camera's owner"


@contextmanager
def display(output: Output, *, tries: int | None = None, place: str = "disk") -> Iterator[Observer]:
    """Yield the display for these streams: nothing, plain lines, or a status line.

    Args:
        output: the streams.
        tries: how often a lost connection is made again, for "try 2 of 8"; None without limit.
        place: what is waited for when files come faster than they are stored.
    """
    if output.quiet:
        yield Observer()
        return
    # A status line and log lines would write over each other.
    if not (output.verbose or output.plain) and is_terminal(sys.stderr) and has_rich():
        with StatusLine(output, Status(tries), place) as shown:
            yield shown
        return
    with Lines(output, Status(tries), place=place) as lines:
        yield lines


def has_rich() -> bool:
    try:
        import rich.live  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


class Display(Observer):
    """Keep a `Status`, and say what stays on the screen; `say` decides how."""

    def __init__(self, output: Output, status: Status, place: str = "disk") -> None:
        self.status = status
        self._place = place
        self.statuses: Statuses = Statuses(status)
        self._above: Display | None = None  # that of all cameras
        self._name = ""  # of one of several cameras
        self._output = output
        self._busy = BusyLines()
        self._full: set[Path] = set()  # folders for copies that are full, as was said

    def of_camera(self, name: str) -> Display:
        shown = copy.copy(self)
        shown.status, shown._above, shown._name = self.statuses.add(name), self, name
        shown._busy = BusyLines()
        return shown

    def say(self, text: str) -> None:
        """Write a line that stays."""
        if self._above is None:
            self.write(text)
        else:
            self._above.say(f"{self._name}: {text}")

    def write(self, text: str) -> None:
        """Write a line of the whole run."""
        self._output.note(text)

    def ended(self, report: Report, error: BaseException | None) -> None:
        self.status.end()
        if error is not None and (failure := explain(error)).status != INTERRUPTED:
            self.say("; ".join(filter(None, (failure.message, failure.hint))))

    def listing(self, done: int, total: int) -> None:
        self._counting("listing", done, total)

    def confirming(self, done: int, total: int) -> None:
        self._counting(CONFIRMING, done, total)

    def _counting(self, what: str, done: int, total: int) -> None:
        self.status.counting(what, done, total)

    def planned(self, report: Report, count: int, size: int) -> None:
        self.status.planned(count, size, listed=report.listed)
        # That there is nothing to do is said once, by the summary; with --json that is a record.
        if report.listed and (count or self._output.json):
            self.say(plan_line(report, count, size))

    def short(self, shortage: Shortage) -> None:
        self.say(short_line(shortage))

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self.status.started(info, path, kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        self.status.progress(received, size)

    def finished(self, result: FileResult) -> None:
        was_begun = self.status.finished(result.handle, stopped=result.status == "unfinished")
        if (text := finished_line(result, self._full)) is not None:
            self.say(self._numbered(text, result, was_begun=was_begun))

    def _numbered(self, text: str, result: FileResult, *, was_begun: bool) -> str:
        return text

    def lost(self, error: PTPError) -> None:
        self.status.lost()

    def reconnecting(self, tries: int) -> None:
        self.status.trying(tries)

    def waiting(self, error: PTPError) -> None:
        self.status.waits_for(HELD if is_held(error) else OWNER)
        self.say(waiting_line(error))

    def busy(self, error: PTPError, waited_s: float) -> None:
        self.status.waits_for(BUSY, waited_s)

    def storing(self, files: int, waited_s: float) -> None:
        self.status.waits_for(storing_words(files, self._place), waited_s)

    def hashing(self, path: Path) -> None:
        self.status.waits_for(f"computing the checksum of {printable(path.name)}")

    def comparing(self, path: Path) -> None:
        self.status.waits_for(f"reading {printable(path.name)} again to verify it")


class Lines(Display):
    """A line whenever something changes, and at least every `SILENCE_S` seconds.

    The lines in between come from a thread, because the run may wait for a silent camera.
    `clock` is for tests, which call `tick` themselves.
    """

    def __init__(
        self,
        output: Output,
        status: Status,
        clock: Callable[[], float] = time.monotonic,
        place: str = "disk",
    ) -> None:
        super().__init__(output, status, place)
        self._clock = clock
        self._said = self._listed = clock()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick_on, name="status", daemon=True)

    def __enter__(self) -> Lines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2 * TICK_S)

    def _tick_on(self) -> None:
        while not self._stop.wait(TICK_S):
            self.tick()

    def tick(self) -> None:
        """Say how the run stands, if nothing was said for `SILENCE_S` seconds."""
        with self._lock:
            if self._clock() - self._said < SILENCE_S or self._stop.is_set():
                return
            self._said = self._clock()
            self._output.note(self.statuses.line(LINE_WIDTH))

    def write(self, text: str) -> None:
        with self._lock:
            self._said = self._clock()
            self._output.note(text)

    def _counting(self, what: str, done: int, total: int) -> None:
        super()._counting(what, done, total)
        if self._clock() - self._listed > LISTING_LINE_S:
            self._listed = self._clock()
            self.say(f"{what}: {done:,} of {total:,}")

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if self.status.progress(received, size):
            self.say(f"{self.status.in_flight.name}: connected again, continuing")

    def _numbered(self, text: str, result: FileResult, *, was_begun: bool) -> str:
        return f"[{self.status.ended}] {text}" if result.status == "downloaded" else text

    def lost(self, error: PTPError) -> None:
        super().lost(error)
        flight, tries = self.status.in_flight, self.status.of_tries
        self.say(flight.lost_line(error, tries, verbose=self._output.verbose))

    def reconnecting(self, tries: int) -> None:
        super().reconnecting(tries)
        if tries > 1:  # `lost` has told of the first
            self.say(self.status.line(LINE_WIDTH))

    def busy(self, error: PTPError, waited_s: float) -> None:
        super().busy(error, waited_s)
        self._busy(error, waited_s, self.say)

    def hashing(self, path: Path) -> None:
        super().hashing(path)
        self.say(f"{path.name}: computing the checksum of the existing file")

    def comparing(self, path: Path) -> None:
        super().comparing(path)
        self.say(f"{path.name} is here; reading it from the camera again to verify it")


class StatusLine(Display):
    """One line that says what the run does now; it leaves nothing behind on the terminal."""

    def __init__(self, output: Output, status: Status, place: str = "disk") -> None:
        super().__init__(output, status, place)
        self._live = live_line(self.statuses.line)

    def __enter__(self) -> StatusLine:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def write(self, text: str) -> None:
        console = self._live.console
        console.print(in_lines(printable(text), console.width), overflow="fold")

    def lost(self, error: PTPError) -> None:
        super().lost(error)
        if self.status.is_first_try:  # the status line counts the next ones
            self.say(self.status.in_flight.lost_line(error, self.status.of_tries))
