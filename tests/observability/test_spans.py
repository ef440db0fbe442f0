"""Spans: one for the run, one for each connection, one for each file."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, Tracer

import command_line
import ptpfast
from conftest import PATIENT, Cameras
from ptpfast.metrics import tracing
from ptpfast.ptp.errors import PTPError
from ptpfast.testing import FLAKY, assert_complete


class Spans:
    """A tracer, and the spans that have ended."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer: Tracer = provider.get_tracer("tests")

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self._kept.get_finished_spans() if span.name == name]

    @property
    def run(self) -> ReadableSpan:
        (run,) = self.named("ptpfast.run")
        return run


@pytest.fixture
def spans() -> Spans:
    return Spans()


def of(span: ReadableSpan, name: str) -> object:
    assert span.attributes is not None
    return span.attributes.get(f"ptpfast.{name}")


def assert_children(spans: Spans) -> None:
    assert spans.run.context is not None
    for span in spans.named("ptpfast.connection") + spans.named("ptpfast.file"):
        assert span.parent is not None
        assert span.parent.span_id == spans.run.context.span_id


def test_each_file_of_a_run_is_a_span_with_its_outcome(
    camera: Cameras, tmp_path: Path, spans: Spans
) -> None:
    sim = camera(objects=3)
    with tracing("cam", tracer=spans.tracer) as observer:
        assert ptpfast.pull(command_line.at(sim), tmp_path, timeouts=PATIENT, observer=observer).ok
    assert_complete(sim, tmp_path)
    files = spans.named("ptpfast.file")
    sizes = {item.name: item.size for item in sim.store.files()}
    assert {of(span, "object"): of(span, "bytes") for span in files} == sizes
    assert {of(span, "outcome") for span in files} == {"downloaded"}
    assert {of(span, "camera") for span in files} == {"cam"}
    assert len(spans.named("ptpfast.connection")) == 1
    assert_children(spans)


def test_each_connection_is_a_span_that_says_why_it_was_lost(
    camera: Cameras, tmp_path: Path, spans: Spans
) -> None:
    sim = camera(faults=list(FLAKY))
    with tracing(tracer=spans.tracer) as observer:
        report = ptpfast.pull(command_line.at(sim), tmp_path, timeouts=PATIENT, observer=observer)
    assert_complete(sim, tmp_path)
    connections = spans.named("ptpfast.connection")
    *lost, last = connections
    assert lost
    assert all(span.status.status_code is StatusCode.ERROR for span in lost)
    assert all(span.status.description for span in lost)
    assert last.status.status_code is not StatusCode.ERROR
    events = [event for event in spans.run.events if event.name == "reconnecting"]
    assert len(events) == report.retries
    assert_children(spans)


def test_failed_files_and_an_ended_run_are_errors(
    camera: Cameras, tmp_path: Path, spans: Spans
) -> None:
    sim = camera(faults=["respond=0x2002 on GetPartialObject at 1 times 0"])
    with tracing(tracer=spans.tracer) as observer:
        ptpfast.pull(command_line.at(sim), tmp_path, timeouts=PATIENT, observer=observer)
    files = spans.named("ptpfast.file")
    assert len(files) == len(sim.store.files())
    assert {span.status.status_code for span in files} == {StatusCode.ERROR}
    sim.close()
    with pytest.raises(PTPError), tracing(tracer=spans.tracer) as observer:
        ptpfast.pull(command_line.at(sim), tmp_path, timeouts=PATIENT, observer=observer, retry=0)
    assert spans.named("ptpfast.run")[1].status.status_code is StatusCode.ERROR


def test_spans_of_several_cameras_have_their_addresses(
    camera: Cameras, tmp_path: Path, spans: Spans
) -> None:
    sims = [camera(objects=1), camera(objects=2)]
    addresses = [command_line.at(sim) for sim in sims]
    with tracing(tracer=spans.tracer) as observer:
        assert ptpfast.pull(addresses, tmp_path, timeouts=PATIENT, observer=observer).ok
    by_camera = sorted(str(of(span, "camera")) for span in spans.named("ptpfast.file"))
    assert by_camera == sorted([addresses[0], addresses[1], addresses[1]])
    assert {of(span, "camera") for span in spans.named("ptpfast.connection")} == set(addresses)
    assert_children(spans)


def test_without_a_provider_a_run_is_as_without_spans(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    with tracing() as observer:
        assert ptpfast.pull(command_line.at(sim), tmp_path, timeouts=PATIENT, observer=observer).ok
    assert_complete(sim, tmp_path)
