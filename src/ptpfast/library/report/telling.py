"""The events of a run in the log."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...logs import tell
from .passing import Passing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...ptp.errors import PTPError
    from ...ptp.objects import ObjectInfo
    from .observer import Observer
    from .report import Report
    from .results import FileResult, Shortage


class Telling(Passing):
    """Log what a run does with one camera, and pass all calls on."""

    def __init__(self, observer: Observer, camera: object) -> None:
        """camera: its address."""
        super().__init__(observer)
        self._camera = str(camera)
        self._waited_s = {"busy": 0.0, "storing": 0.0}  # of the current wait

    @contextmanager
    def of_run(self, report: Report) -> Iterator[None]:
        """Log the beginning and the end of the run."""
        began, reason, path = time.monotonic(), "", report.destination
        self._tell("run_started", path=path)
        try:
            yield
        except BaseException as error:
            reason = str(error) or type(error).__name__
            raise
        finally:
            self._tell(
                "run_ended",
                path=path,
                downloaded=report.downloaded,
                skipped=report.skipped,
                failed=report.failed,
                bytes=report.bytes,
                seconds=time.monotonic() - began,
                reason=reason,
            )

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Log the calls that are events."""
        if (told := _TOLD.get(name)) is not None:
            told(self, *given)
        super().passed(name, *given, **named)

    def _tell(self, event: str, **fields: object) -> None:
        tell(event, camera=self._camera, **fields)

    def _begins_to_wait(self, name: str, waited_s: float) -> bool:
        """Return whether this is another wait than the last one, which had taken so long."""
        before, self._waited_s[name] = self._waited_s[name], waited_s
        return waited_s < before or not before

    def _busy(self, error: PTPError, waited_s: float) -> None:
        if self._begins_to_wait("busy", waited_s):
            self._tell("camera_busy", reason=error.message)

    def _storing(self, files: int, waited_s: float) -> None:
        if self._begins_to_wait("storing", waited_s):
            self._tell("disk_slow", files=files)

    def _short(self, shortage: Shortage) -> None:
        left = shortage.count - shortage.fit
        self._tell("disk_full", path=shortage.folder, bytes=shortage.free, files=left)

    def _started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._tell("file_started", handle=info.handle, object=info.name, path=path, bytes=kept)

    def _finished(self, result: FileResult) -> None:
        handle, name = result.handle, result.object.name if result.object is not None else ""
        if result.status == "downloaded":
            transfer = result.transfer
            self._tell(
                "file_downloaded",
                handle=handle,
                object=name,
                path=result.path,
                bytes=transfer.size if transfer is not None else 0,
                seconds=transfer.seconds if transfer is not None else 0.0,
            )
        elif result.status == "planned":
            self._tell("file_planned", handle=handle, object=name, path=result.path)
        elif result.status == "unfinished":
            kept, reason = result.kept, result.reason
            self._tell("file_unfinished", handle=handle, object=name, bytes=kept, reason=reason)
        else:
            event = "file_failed" if result.status == "failed" else "file_skipped"
            self._tell(event, handle=handle, object=name, reason=result.reason)
        if result.deleted:
            self._tell("object_deleted", handle=handle, object=name)


_TOLD: dict[str, Any] = {
    "busy": Telling._busy,
    "storing": Telling._storing,
    "short": Telling._short,
    "started": Telling._started,
    "finished": Telling._finished,
}
