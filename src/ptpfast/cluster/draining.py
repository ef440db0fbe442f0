"""What a worker does: download one camera, and tell how far it is.

The bytes go from the camera to the destination. The scheduler sees some numbers only.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..library.pull import pull
from ..library.report.observer import Observer

if TYPE_CHECKING:
    from ..library.report.report import Report
    from ..library.report.results import FileResult
    from ..ptp.errors import PTPError

TOPIC = "ptpfast"
EVERY_S = 0.5  # between two messages of one camera
MOST_FAILURES = 100  # that are named


@dataclass(frozen=True)
class CameraResult:
    """What became of one camera.

    Attributes:
        name: the camera's.
        downloaded, skipped, failed: numbers of files.
        bytes: received in the last run. A worker that was lost took its count with it.
        seconds: of that run.
        failures: name and reason of files that failed, the first hundred.
        worker: host and process that ended it.
        error: what ended it early, in words; '' if nothing did.
    """

    name: str
    downloaded: int = 0
    skipped: int = 0
    failed: int = 0
    bytes: int = 0
    seconds: float = 0.0
    failures: tuple[tuple[str, str], ...] = ()
    worker: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether every selected file is at its destination."""
        return not self.error and not self.failed


def drain(
    name: str, address: str, destination: str, options: dict[str, Any], run: str
) -> CameraResult:
    """Download one camera; runs on a worker.

    An error of the camera is part of the result: another worker would meet it, too. If the
    worker ends, there is no result, and another worker goes on from what is stored.

    Args:
        name: the camera's name.
        address: the camera's address.
        destination: the camera's folder.
        options: options of `ptpfast.pull`.
        run: the name of the event that stops it.
    """
    from ..ptp.errors import PTPError

    teller = _Teller(name, run)
    began = time.monotonic()
    error = ""
    report: Report | None
    try:
        report = pull(address, destination, observer=teller, **options)
    except PTPError as failed:
        error = failed.message
        report = getattr(failed, "report", None)
    return _result(name, report, error, time.monotonic() - began)


def _result(name: str, report: Report | None, error: str, seconds: float) -> CameraResult:
    worker = f"{socket.gethostname()} {os.getpid()}"
    if report is None:
        return CameraResult(name, seconds=seconds, worker=worker, error=error)
    failures = [
        (each.object.name if each.object else f"object 0x{each.handle:X}", each.reason)
        for each in report.files
        if each.status == "failed"
    ]
    return CameraResult(
        name,
        report.downloaded,
        report.skipped,
        report.failed,
        report.traffic.bytes,
        seconds,
        tuple(failures[:MOST_FAILURES]),
        worker,
        error,
    )


class _Teller(Observer):
    """Observer that sends numbers to the scheduler, a few times a second."""

    def __init__(self, name: str, run: str) -> None:
        self._name = name
        self._run = run
        self._told = 0.0
        self._files = self._of = 0
        self._done = self._size = 0
        self._current = 0
        self._state = "listing"

    def planned(self, report: Report, count: int, size: int) -> None:
        """Tell how much there is."""
        self._of, self._size, self._state = count, size, "reading"
        self._tell(now=True)

    def progress(self, info: Any, received: int, size: int | None) -> None:
        """Tell how far it is."""
        self._current, self._state = received, "reading"
        self._tell()

    def finished(self, result: FileResult) -> None:
        """Count a file."""
        self._files += 1
        self._done += (result.size or 0) if result.transfer is not None else 0
        self._current = 0
        self._tell(now=self._files >= self._of)

    def lost(self, error: PTPError) -> None:
        """Tell that the camera is waited for."""
        self._state = "reconnecting"
        self._tell(now=True)

    def waiting(self, error: PTPError) -> None:
        """Tell that the camera is waited for."""
        self._state = "waiting"
        self._tell(now=True)

    def _tell(self, *, now: bool = False) -> None:
        from distributed import Event, get_worker

        from ..ptp.errors import Cancelled

        if not now and time.monotonic() - self._told < EVERY_S:
            return
        self._told = time.monotonic()
        if Event(self._run).is_set():
            raise Cancelled("stopped")
        get_worker().log_event(
            TOPIC,
            {
                "camera": self._name,
                "state": self._state,
                "files": self._files,
                "of_files": self._of,
                "bytes": self._done + self._current,
                "of_bytes": self._size,
            },
        )
