"""What is seen of a run: bars on a terminal, a plain line for each finished file elsewhere.

Everything goes to standard error. `display` chooses; a display is an `Observer` of `library.pull`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..library.naming import printable
from ..library.observer import Observer
from ..library.report import ALREADY_HERE, FileResult, Report
from ..text import in_text, unescaped
from .bars import bars
from .ls import object_record
from .output import Output, human_seconds, human_size, is_terminal, plural
from .shortage import has_no_room, short_line, short_record

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, Task, TaskID

    from ..errors import PTPError
    from ..library.room import Shortage
    from ..objects import ObjectInfo
    from ..transfer import Transfer

CONFIRMING = "comparing with the camera"  # what is known of it from an earlier run
LISTING_LINE_S = 5.0  # without a terminal: a line about a long listing not more often


@contextmanager
def display(output: Output) -> Iterator[Observer]:
    """The display for this run's streams: nothing, plain lines, or bars. Gone when it ends."""
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
        self._begun = False  # with an object; what fails before was not to be fetched
        self._done = 0
        self._listed = time.monotonic()

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
        self._begun = True

    def finished(self, result: FileResult) -> None:
        if self._begun:
            self._begun = False
            self._done += 1
        text = finished_line(result)
        if text is not None:
            total = "" if self._count is None else f"/{self._count}"
            place = f"[{self._done}{total}] " if result.status == "downloaded" else ""
            self._output.note(place + text)

    def lost(self, error: PTPError) -> None:
        self._output.note(lost_line(error))

    def waiting(self, error: PTPError) -> None:
        self._output.note(waiting_line(error))

    def hashing(self, path: Path) -> None:
        self._output.note(f"{path.name}: checksum of the file that is here")

    def comparing(self, path: Path) -> None:
        self._output.note(f"{path.name} is here; the camera's is read again to prove it")


class Bars(Observer):
    """A bar for the file in flight and one for all, or one for what is counted before."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bars: Progress
        self._whole: TaskID | None = None
        self._file: TaskID | None = None
        self._counts: dict[str, TaskID] = {}
        self._before = 0  # bytes of the objects that are done with, this run's share
        self._kept = 0  # bytes of the object in flight that an earlier run has left

    def __enter__(self) -> Bars:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bars = bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            _of_bytes(DownloadColumn()),
            _of_bytes(TransferSpeedColumn()),
            TimeRemainingColumn(compact=True),
        )
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
        self._kept = kept
        self._file = self._bars.add_task(printable(path.name), total=info.size, completed=kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if self._file is None or self._whole is None:
            return
        self._bars.update(self._file, completed=received, total=size)
        # What an earlier run has left is not in the whole: rate and time left are this run's.
        self._bars.update(self._whole, completed=self._before + max(0, received - self._kept))

    def finished(self, result: FileResult) -> None:
        if self._file is not None:
            self._bars.remove_task(self._file)
            self._file = None
            if result.status == "skipped":  # its bar was for a check
                self._kept = result.size or 0
            self._before += max(0, (result.size or 0) - self._kept)
            if self._whole is not None:
                self._bars.update(self._whole, completed=self._before)
        text = finished_line(result)
        if text is not None:
            self._print(text)

    def lost(self, error: PTPError) -> None:
        self._print(lost_line(error))

    def waiting(self, error: PTPError) -> None:
        self._print(waiting_line(error))

    def hashing(self, path: Path) -> None:
        self._check(f"checksum of {printable(path.name)}")

    def comparing(self, path: Path) -> None:
        self._check(f"reading {printable(path.name)} again")

    def _check(self, description: str) -> None:
        if self._file is not None:
            self._bars.remove_task(self._file)
        self._file = self._bars.add_task(description, total=None)


def _of_bytes(column: ProgressColumn) -> ProgressColumn:
    """The column, empty for a bar that does not count bytes."""
    render = column.render

    def show(task: Task) -> Any:
        return "" if task.fields.get("counts_objects") else render(task)

    column.render = show  # type: ignore[method-assign]
    return column


def plan_line(report: Report, count: int, size: int) -> str:
    """What a run is going to do."""
    here = sum(1 for result in report.files if result.reason == ALREADY_HERE)
    parts = [f"{plural(report.selected, 'object')} selected"]
    if here:
        parts.append(f"{here:,} already here")
    parts.append(f"{count:,} to fetch ({human_size(size)})" if count else "nothing to fetch")
    return ", ".join(parts)


def finished_line(result: FileResult) -> str | None:
    """A line about a file that is done with; None for one that was here already, unless something
    was done with it."""
    name = result.path.name if result.path else name_of(result)
    kept = kept_text(result)
    transfer = result.transfer
    if transfer is not None and result.status == "downloaded":
        return f"{name}  {_arrived(transfer)}{kept}"
    if result.status == "failed":
        return f"{name} failed: {result.reason}"
    if result.reason == ALREADY_HERE and kept:
        return f"{name} was here{kept}"
    if result.status == "skipped" and result.reason != ALREADY_HERE:
        return f"{name} skipped: {result.reason}"
    if result.status == "unfinished" and has_no_room(result):
        return None  # the error at the end tells of them
    if result.status == "unfinished":
        return f"{name} unfinished; {human_size(result.kept)} kept"
    return None


def _arrived(transfer: Transfer) -> str:
    """How a file arrived; the rate is that of what was fetched, which may be a part or twice."""
    rate = transfer.received / transfer.seconds / 1e6 if transfer.seconds > 0 else 0.0
    took = f"{human_seconds(transfer.seconds)} ({rate:.1f} MB/s)"
    size, fetched = human_size(transfer.size), human_size(transfer.received)
    if transfer.resumed_at:
        return f"{size}: {human_size(transfer.resumed_at)} were here, {fetched} fetched in {took}"
    begun = ""
    if transfer.dropped:
        there = human_size(transfer.dropped)
        begun = f", begun anew: the {there} from before were not certainly of it"
    more = f": {fetched} fetched" if fetched != size else ""
    return f"{size}{more} in {took}{begun}"


def kept_text(result: FileResult) -> str:
    """What else was done with a file, to go on a line about it; '' when nothing was."""
    text = ""
    if stored := sum(copy.status == "stored" for copy in result.copies):
        text += ", " + plural(stored, "copy", "copies")
    if result.deleted:
        text += ", deleted on the camera"
    elif result.left:
        text += f", left on the camera: {result.left}"
    for copy in result.copies:
        if copy.status == "failed":
            text += f"; no copy {copy.path}: {copy.reason}"
    return text


def name_of(result: FileResult) -> str:
    """The object's own name, its handle where it has none."""
    if result.object is not None and result.object.name:
        return result.object.name
    return f"object 0x{result.handle:X}"


class Recorder(Observer):
    """Hands everything on to a display, and prints what is a result: a record for each object with
    `--json`, a line for each that a dry run would fetch without."""

    def __init__(self, output: Output, shown: Observer) -> None:
        self._output = output
        self._shown = shown
        self.listing = shown.listing  # type: ignore[method-assign]
        self.confirming = shown.confirming  # type: ignore[method-assign]
        self.planned = shown.planned  # type: ignore[method-assign]
        self.started = shown.started  # type: ignore[method-assign]
        self.progress = shown.progress  # type: ignore[method-assign]
        self.hashing = shown.hashing  # type: ignore[method-assign]
        self.comparing = shown.comparing  # type: ignore[method-assign]

    def lost(self, error: PTPError) -> None:
        self._shown.lost(error)
        if self._output.json:
            self._output.record("retry", reason=error.message)

    def short(self, shortage: Shortage) -> None:
        self._shown.short(shortage)
        self._output.record("short", **short_record(shortage))

    def waiting(self, error: PTPError) -> None:
        self._shown.waiting(error)
        if self._output.json:
            self._output.record("waiting", reason=error.message)

    def finished(self, result: FileResult) -> None:
        self._shown.finished(result)
        if self._output.json:
            self._output.record("file", **file_record(result))
        elif (text := planned_line(result)) is not None:
            self._output.result(text)


def planned_line(result: FileResult) -> str | None:
    """What a dry run would do with an object; None for nothing."""
    info = result.object
    if info is None:
        return None
    copies = [f", copy {copy.path}" for copy in result.copies if copy.status == "planned"]
    more = "".join(copies) + (", then deleted on the camera" if result.to_delete else "")
    if result.status == "planned":
        size = human_size(info.size) + (f", {human_size(result.kept)} here" if result.kept else "")
        return printable(f"{info.path} -> {result.path} ({size}){more}")
    return printable(f"{info.path} is here as {result.path}{more}") if more else None


def lost_line(error: PTPError) -> str:
    """What is said when the connection is about to be made again."""
    return printable(f"{error.message}; connecting again")


def waiting_line(error: PTPError) -> str:
    """What is said while a camera that is busy is asked again."""
    why = "it may still hold the session of a run that was cut off"
    return printable(f"{error.message}; asking again for a while: {why}")


def file_record(result: FileResult) -> dict[str, Any]:
    """What became of an object, in JSON."""
    fields: dict[str, Any] = {
        "status": result.status,
        "file": in_text(str(result.path)) if result.path else None,
        "reason": unescaped(result.reason) or None,
        "handle": result.handle,
    }
    if result.object is not None:
        fields |= object_record(result.object)
    if result.status in ("unfinished", "planned"):
        fields["kept"] = result.kept
    if result.copies:
        fields["copies"] = [
            {
                "status": copy.status,
                "file": in_text(str(copy.path)),
                "reason": unescaped(copy.reason) or None,
                "compared": copy.compared,
            }
            for copy in result.copies
        ]
    if result.deleted or result.left or result.to_delete:
        fields |= {"deleted": result.deleted, "left": result.left or None}
    if result.to_delete:
        fields["to_delete"] = True
    if result.compared:
        fields["verified"] = "compared"
    transfer = result.transfer
    if transfer is not None:
        fields |= {
            "size": transfer.size,
            "received": transfer.received,
            "resumed_at": transfer.resumed_at,
            "dropped": transfer.dropped,
            "seconds": round(transfer.seconds, 6),
            "verified": transfer.verified,
            "sha256": transfer.sha256,
            "xxh3": transfer.xxh3,
            "operation": transfer.operation,
            "chunks": transfer.chunks,
        }
    return fields
