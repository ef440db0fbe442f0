"""Spans for OpenTelemetry: one for the run, one for each connection, one for each file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from .._version import __version__
from ..engine.text import printable
from ..library.report.observer import Observer
from ..library.report.passing import Passing

if TYPE_CHECKING:
    from ..library.report.report import Report
    from ..library.report.results import FileResult
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo

RUN, CONNECTION, FILE = "ptpfast.run", "ptpfast.connection", "ptpfast.file"
# Calls of a run that has a connection.
_CONNECTED = ("listing", "confirming", "planned", "started", "progress", "comparing")


@contextmanager
def tracing(
    camera: str = "", observer: Observer | None = None, tracer: Tracer | None = None
) -> Iterator[Observer]:
    """Trace the run of a block; yields the observer for `pull`.

    The span `ptpfast.run` has children `ptpfast.connection` and `ptpfast.file`.

    Args:
        camera: the attribute `ptpfast.camera` for a run with one camera. A run with several uses
            their addresses.
        observer: another observer, to which all calls are passed on.
        tracer: by default that of the program's OpenTelemetry provider.

    Example:
        with ptpfast.metrics.tracing("192.168.1.1") as observer:
            ptpfast.pull("192.168.1.1", "today", observer=observer)
    """
    tracer = tracer or trace.get_tracer("ptpfast", __version__)
    with tracer.start_as_current_span(RUN) as run:
        made: list[Tracing] = []
        first = Tracing(tracer, run, camera, observer or Observer(), made)
        try:
            yield first
        finally:
            for each in made:
                each.close()


class Tracing(Passing):
    """Trace a run with one camera, and pass the calls on."""

    def __init__(
        self, tracer: Tracer, run: Span, camera: str, observer: Observer, made: list[Tracing]
    ) -> None:
        """made: all observers of the run."""
        super().__init__(observer)
        self._tracer = tracer
        self._run = run
        self._camera = camera
        self._made = made
        self._connection: Span | None = None
        self._files: dict[int, Span] = {}
        made.append(self)

    def of_camera(self, name: str) -> Observer:
        """Return the observer of one camera of several."""
        own = self._observer.of_camera(name)
        return Tracing(self._tracer, self._run, name, own, self._made)

    def close(self) -> None:
        """End the spans that are open."""
        for span in self._files.values():
            span.end()
        self._files.clear()
        if self._connection is not None:
            self._connection.end()
            self._connection = None

    def passed(self, name: str, *given: Any, **named: Any) -> None:
        """Trace a call, and pass it on."""
        if self._connection is None and name in _CONNECTED:
            self._connection = self._begin(CONNECTION)
        if (traced := _TRACED.get(name)) is not None:
            traced(self, *given)
        super().passed(name, *given, **named)

    def _begin(self, name: str, **attributes: Any) -> Span:
        span = self._tracer.start_span(name, trace.set_span_in_context(self._run))
        _set(span, camera=self._camera, **attributes)
        return span

    def _lost(self, error: PTPError) -> None:
        if self._connection is not None:
            self._connection.set_status(Status(StatusCode.ERROR, printable(error.message)))
            self._connection.end()
            self._connection = None

    def _reconnecting(self, tries: int) -> None:
        more: Any = {"ptpfast.camera": self._camera, "ptpfast.attempt": tries}
        self._run.add_event("reconnecting", more)

    def _started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        self._files[info.handle] = self._begin(
            FILE, handle=info.handle, object=info.name, path=str(path), kept=kept
        )

    def _finished(self, result: FileResult) -> None:
        span = self._files.pop(result.handle, None)
        if span is None:  # it was skipped
            return
        _set(span, outcome=result.status)
        if result.size is not None:
            _set(span, bytes=result.size)
        if result.status in ("failed", "unfinished"):
            span.set_status(Status(StatusCode.ERROR, printable(result.reason)))
        span.end()

    def _ended(self, report: Report, error: BaseException | None) -> None:
        self.close()


_TRACED: dict[str, Any] = {
    "lost": Tracing._lost,
    "reconnecting": Tracing._reconnecting,
    "started": Tracing._started,
    "finished": Tracing._finished,
    "ended": Tracing._ended,
}


def _set(span: Span, **attributes: Any) -> None:
    for name, value in attributes.items():
        shown = printable(value) if isinstance(value, str) else value
        span.set_attribute(f"ptpfast.{name}", shown)
