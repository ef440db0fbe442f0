"""The results of a run, for programs and for pipes: on standard output, beside the display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..library.report.observer import Observer
from ..library.report.report import Report
from ..library.report.results import FileResult
from .busy import BusyLines
from .failure import explain
from .file_lines import file_record, planned_line, planned_paths
from .output import Output, say
from .shortage import short_record
from .signals import INTERRUPTED

if TYPE_CHECKING:
    from ..library.report.results import Shortage
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo
    from .hook import Hook


class Recorder(Observer):
    """Hands everything on to a display, and prints what is a result: a record for each object with
    `--json`, a line for each that a dry run would fetch without."""

    def __init__(
        self, output: Output, shown: Observer, camera: str = "", hook: Hook | None = None
    ) -> None:
        """camera: the address of one camera of several. hook: gets the downloaded files."""
        self._hook = hook
        self._camera = camera
        self._output = output
        self._shown = shown
        self._busy = BusyLines()

    def of_camera(self, name: str) -> Recorder:
        return Recorder(self._output, self._shown.of_camera(name), name, self._hook)

    def ended(self, report: Report, error: BaseException | None) -> None:
        self._shown.ended(report, error)
        if error is None or (failure := explain(error)).status == INTERRUPTED:
            return
        if self._output.quiet:  # an error is said all the same
            say(f"ptpfast: {self._camera}: {failure.message}")
        hint = failure.hint or None
        self._record("error", message=failure.message, hint=hint, status=failure.status)

    def _record(self, type: str, /, **fields: object) -> None:
        camera = {"camera": self._camera} if self._camera else {}
        self._output.record(type, **camera, **fields)

    def listing(self, done: int, total: int) -> None:
        self._shown.listing(done, total)

    def confirming(self, done: int, total: int) -> None:
        self._shown.confirming(done, total)

    def planned(self, report: Report, count: int, size: int) -> None:
        self._shown.planned(report, count, size)

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._shown.started(info, path, kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        self._shown.progress(info, received, size)

    def hashing(self, path: Path) -> None:
        self._shown.hashing(path)

    def comparing(self, path: Path) -> None:
        self._shown.comparing(path)

    def lost(self, error: PTPError) -> None:
        self._shown.lost(error)
        if self._output.json:
            self._record("retry", reason=error.message)

    def reconnecting(self, tries: int) -> None:
        self._shown.reconnecting(tries)

    def busy(self, error: PTPError, waited_s: float) -> None:
        self._shown.busy(error, waited_s)
        self._busy(error, waited_s, lambda text: self._record("waiting", reason=text))

    def storing(self, files: int, waited_s: float) -> None:
        self._shown.storing(files, waited_s)

    def short(self, shortage: Shortage) -> None:
        self._shown.short(shortage)
        self._record("short", **short_record(shortage))

    def waiting(self, error: PTPError) -> None:
        self._shown.waiting(error)
        if self._output.json:
            self._record("waiting", reason=error.message)

    def finished(self, result: FileResult) -> None:
        self._shown.finished(result)
        if self._hook is not None and result.status == "downloaded":
            self._hook.add(result, self._camera)
        if self._output.json:
            self._record("file", **file_record(result))
        elif (text := planned_line(result)) is not None:
            line = f"{self._camera}: {text}" if self._camera else text
            self._output.result(line, paths=planned_paths(result))
