"""Metrics for Prometheus: counted by an observer of a run, and shown by a small HTTP server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from ..library.report.observer import Observer
from ..library.report.passing import Passing
from ..library.report.rate import Rate
from .table import BUCKETS, METRICS
from .waits import Wait

if TYPE_CHECKING:
    from ..library.report.report import Report
    from ..library.report.results import FileResult
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo

log: logging.Logger = logging.getLogger("ptpfast")

LOOPBACK = "127.0.0.1"
PREFIX = "ptpfast_"
SLOWEST_S = 10.0  # that a program may take for a piece of its request
_CAMERA_WAITS = ("busy", "lost", "reconnecting", "waiting")
_ONLY_TELLS = ("finished", "ended", "short")  # also at the end of a run that has no connection


class Metrics:
    """The metrics of all runs that it observes.

    Args:
        registry: where they are registered; by default a registry of their own. With
            `prometheus_client.REGISTRY` they are beside the other metrics of your program.

    Attributes:
        registry: That registry.

    Example:
        metrics = ptpfast.metrics.Metrics()
        with metrics.serving(9180):
            ptpfast.pull("192.168.1.1", "today", observer=metrics.observer("192.168.1.1"))
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry: CollectorRegistry = CollectorRegistry() if registry is None else registry
        self._all: dict[str, Any] = {}
        for row in METRICS:
            if row.kind == "histogram":
                made: Any = Histogram(
                    row.name, row.meaning, row.labels, registry=self.registry, buckets=BUCKETS
                )
            else:
                kind = Counter if row.kind == "counter" else Gauge
                made = kind(row.name, row.meaning, row.labels, registry=self.registry)
            self._all[row.name] = made

    def of(self, name: str, camera: str, **labels: str) -> Any:
        """Return a metric of one camera.

        Args:
            name: its name, without `ptpfast_`.
            camera: the camera's address.
            labels: its further labels.
        """
        return self._all[PREFIX + name].labels(camera=camera, **labels)

    def observer(self, camera: str = "", observer: Observer | None = None) -> Observer:
        """Return an observer for `pull` that counts.

        Args:
            camera: the label for a run with one camera. A run with several uses their addresses.
            observer: another observer, to which all calls are passed on.
        """
        return Counting(self, camera, observer or Observer(), time.monotonic)

    @contextmanager
    def serving(self, port: int, host: str = LOOPBACK) -> Iterator[int]:
        """Show the metrics at `http://HOST:PORT/metrics` during a block.

        Args:
            port: the TCP port; 0 for a free one.
            host: the address to listen at: by default only this computer can read them.

        Yields:
            The port.

        Raises:
            OSError: the port is in use, or the address is not of this computer.
        """
        server, thread = start_http_server(port, host, self.registry)
        # Any program can connect. None of them keeps a thread, or writes on the terminal.
        handler: Any = server.RequestHandlerClass
        server.RequestHandlerClass = type("Handler", (handler,), {"timeout": SLOWEST_S})
        server.handle_error = _log_lost  # type: ignore[method-assign]
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _log_lost(request: object, client_address: object) -> None:
    log.debug("a connection to the metrics is lost", exc_info=True)


class Counting(Passing):
    """Count the calls of a run with one camera, and pass them on."""

    def __init__(
        self, metrics: Metrics, camera: str, observer: Observer, clock: Callable[[], float]
    ) -> None:
        super().__init__(observer)
        self._metrics = metrics
        self._camera = camera
        self._clock = clock
        self._rate: Rate | None = None
        self._moved = 0  # bytes of this run
        self._at = 0  # bytes of the current object that are here
        self._begun: dict[int, float] = {}  # handle → when its download began
        self._report: Report | None = None
        self._done = 0
        self._planned = 0
        self._is_lost = False
        self._at_camera = self._waiting("camera_wait_seconds_total")
        self._at_disk = self._waiting("disk_wait_seconds_total")

    def of_camera(self, name: str) -> Observer:
        """Return the observer of one camera of several."""
        return Counting(self._metrics, name, self._observer.of_camera(name), self._clock)

    def _of(self, name: str, **labels: str) -> Any:
        return self._metrics.of(name, self._camera, **labels)

    def _waiting(self, name: str) -> Wait:
        return Wait(lambda seconds: self._of(name).inc(seconds), self._clock)

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Count a call, and pass it on."""
        self._count_waits(name, given)
        if (count := _COUNTED.get(name)) is not None:
            count(self, *given)
        super().passed(name, *given, **named)

    def _count_waits(self, name: str, given: tuple[Any, ...]) -> None:
        if name in _CAMERA_WAITS:
            self._at_camera.goes_on(given[1] if name == "busy" else 0.0)
        else:
            self._at_camera.ends()
        if name == "storing":
            self._at_disk.goes_on(given[1])
        else:
            self._at_disk.ends()
        if self._is_lost and name not in (*_CAMERA_WAITS, *_ONLY_TELLS, "storing"):
            self._is_lost = False
            self._of("reconnects_total").inc()

    def _lost(self, error: PTPError) -> None:
        self._is_lost = True
        self._of("retries_total").inc()

    def _plan(self, report: Report, count: int, size: int) -> None:
        if report is not self._report:  # a watch has many runs
            self._report, self._done = report, 0
        self._planned = count
        self._show_left()

    def _start(self, info: ObjectInfo, path: Path, kept: int) -> None:
        if self._rate is None:
            self._rate = Rate(self._clock)
            self._of("rate_bytes_per_second").set_function(self._rate.now)
        self._rate.add(self._moved)
        self._begun[info.handle] = self._clock()
        self._at = kept
        self._show_left()

    def _progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        if received < self._at:  # it was restarted, or is read once more
            self._at = 0
        more, self._at = received - self._at, received
        self._of("received_bytes_total").inc(more)
        self._moved += more
        if self._rate is not None:
            self._rate.add(self._moved)

    def _finish(self, result: FileResult) -> None:
        began = self._begun.pop(result.handle, None)
        if result.status == "planned":  # of a dry run
            return
        self._of("files_total", outcome=result.status).inc()
        if began is None:
            return
        self._done += result.status != "unfinished"
        if result.status == "downloaded":
            self._of("file_seconds").observe(self._clock() - began)
        self._show_left()

    def _show_left(self) -> None:
        self._of("files_left").set(max(0, self._planned - self._done))
        self._of("files_in_progress").set(len(self._begun))


_COUNTED: dict[str, Any] = {
    "lost": Counting._lost,
    "planned": Counting._plan,
    "started": Counting._start,
    "progress": Counting._progress,
    "finished": Counting._finish,
}
