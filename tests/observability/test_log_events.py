"""The log: every record has an event of the table and the fields that the table promises."""

from __future__ import annotations

import ast
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import PATIENT, Cameras, Sessions
from ptpfast import SinkError, logs
from ptpfast.library.report.observer import Observer
from ptpfast.library.report.report import Report
from ptpfast.library.report.results import FileResult, Shortage
from ptpfast.library.report.telling import Telling
from ptpfast.ptp.errors import PTPError
from ptpfast.sim import SimulatedCamera
from ptpfast.testing import FLAKY

PACKAGE = Path(ptpfast.__file__).parent
OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
# The compiled modules that see every byte.
BYTE_LOOP = ("channel", "phase", "framing", "sink", "checksum")


class Kept(logging.Handler):
    """Keeps the records of the package."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    log, kept = logging.getLogger("ptpfast"), Kept()
    log.addHandler(kept)
    log.setLevel(logging.DEBUG)
    yield kept.records
    log.setLevel(logging.NOTSET)
    log.removeHandler(kept)
    for record in kept.records:
        assert_promised(record)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in OWN}


def assert_promised(record: logging.LogRecord) -> None:
    """The record is as its row of the table says."""
    fields = fields_of(record)
    event = fields.pop("event")
    if event == logs.DETAIL:
        assert record.name == logs.ROOT
        return
    row = logs.EVENTS[event]
    assert (record.name, record.levelno) == (row.logger, row.level)
    assert set(fields) == set(row.fields)
    assert "\n" not in record.getMessage()


def told(records: list[logging.LogRecord], event: str) -> list[dict[str, Any]]:
    return [fields_of(each) for each in records if each.__dict__.get("event") == event]


def at(camera: SimulatedCamera) -> str:
    return f"{camera.host}:{camera.port}"


def calls_of_tell() -> Iterator[tuple[str, str, set[str]]]:
    """(place, event, fields) of every call in the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name not in ("tell", "_tell") or not node.args:
                continue
            events = [each.value for each in ast.walk(node.args[0]) if is_text(each)]
            fields = {str(keyword.arg) for keyword in node.keywords if keyword.arg}
            if name == "_tell" and path.name == "telling.py":
                fields.add("camera")
            for event in events:
                yield f"{path.name}:{node.lineno}", event, fields


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def variable_events() -> set[str]:
    """Events whose name is in a variable where they are told."""
    return {"file_failed", "file_skipped"}


def test_every_call_gives_an_event_exactly_the_fields_of_the_table() -> None:
    seen = set(variable_events())
    for place, event, fields in calls_of_tell():
        if event in logs.EVENTS:
            assert fields == set(logs.EVENTS[event].fields), place
            seen.add(event)
    assert seen == set(logs.EVENTS)


def test_every_field_of_the_table_is_described_and_fits_into_the_text() -> None:
    used = {name for row in logs.EVENTS.values() for name in row.fields}
    assert used == set(logs.FIELDS)
    assert not used & OWN
    for row in logs.EVENTS.values():
        shown = re.findall(r"%\((\w+)\)", row.text)
        assert set(shown) <= set(row.fields), row.name
        assert row.text % dict.fromkeys(row.fields, 1)


def test_modules_that_see_every_byte_do_not_log() -> None:
    for name in BYTE_LOOP:
        for path in PACKAGE.joinpath("engine").glob(f"{name}.*"):
            if path.suffix in (".pyx", ".pxd", ".h"):
                assert "logging" not in path.read_text(encoding="utf-8"), path.name


def test_events_of_a_run_tell_what_happened_to_each_file(
    camera: Cameras, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    sim = camera(objects=3, size=50_000)
    (tmp_path / "other").mkdir()
    report = ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT)
    again = ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT)
    assert report.ok
    assert again.ok
    names = {item.name: item.size for item in sim.store.files()}
    assert {row["object"]: row["bytes"] for row in told(records, "file_downloaded")} == names
    assert {row["object"] for row in told(records, "file_started")} == set(names)
    assert {row["object"]: row["bytes"] for row in told(records, "object_received")} == names
    assert {row["path"] for row in told(records, "object_stored")} == {
        str(tmp_path / name) for name in names
    }
    assert {row["reason"] for row in told(records, "file_skipped")} == {"already here"}
    assert len(told(records, "connected")) == len(told(records, "disconnected")) == 2
    first, second = told(records, "run_ended")
    assert (first["downloaded"], first["skipped"], first["failed"]) == (3, 0, 0)
    assert (second["downloaded"], second["skipped"], second["failed"]) == (0, 3, 0)
    assert first["bytes"] == sum(names.values())
    assert first["reason"] == second["reason"] == ""
    assert {row["camera"] for row in told(records, "run_started")} == {at(sim)}


def test_lost_connections_and_busy_answers_are_events(
    camera: Cameras, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    sim = camera(faults=[*FLAKY, "busy on GetPartialObject at 1 times 2"])
    assert ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT).ok
    lost, regained = told(records, "connection_lost"), told(records, "reconnected")
    assert len(regained) == sim.connections - 1 > 0
    assert len(lost) >= len(regained)
    assert {row["camera"] for row in lost + regained} == {at(sim)}
    assert all(row["reason"] for row in lost)
    assert min(row["attempt"] for row in lost) == 1
    assert told(records, "camera_busy")


def test_a_failed_file_is_a_warning_with_its_reason(
    camera: Cameras, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    sim = camera(faults=["respond=0x2002 on GetPartialObject at 1 times 0"])
    assert not ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT).ok
    failed = told(records, "file_failed")
    assert len(failed) == len(sim.store.files())
    assert all(row["reason"] for row in failed)


def test_an_error_that_ends_a_run_is_the_reason_of_its_end(
    camera: Cameras, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    class Stopping(Observer):
        def progress(self, *_: object) -> None:
            raise SinkError("the test ends it")

    with pytest.raises(SinkError):
        ptpfast.pull(at(camera()), tmp_path, timeouts=PATIENT, observer=Stopping())
    (end,) = told(records, "run_ended")
    assert "the test ends it" in end["reason"]
    assert told(records, "file_unfinished")


def test_a_dry_run_tells_what_it_would_do(
    camera: Cameras, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    sim = camera()
    ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT, dry_run=True)
    assert len(told(records, "file_planned")) == len(sim.store.files())


def test_a_deleted_object_is_told_after_its_file(
    camera: Cameras, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    sim = camera(objects=2)
    names = {item.name for item in sim.store.files()}
    ptpfast.pull(at(sim), tmp_path, timeouts=PATIENT, delete_verified=True)
    assert {row["object"] for row in told(records, "object_deleted")} == names
    assert sim.store.files() == []


def test_waits_are_told_when_they_begin_and_not_again(records: list[logging.LogRecord]) -> None:
    observer = Telling(Observer(), "192.168.1.1:15740")
    for waited_s in (0.1, 0.2, 0.3, 0.1, 0.2):  # two waits
        observer.passed("storing", 5, waited_s)
        observer.passed("busy", PTPError("busy"), waited_s)
    assert len(told(records, "disk_slow")) == len(told(records, "camera_busy")) == 2
    observer.passed("short", Shortage(Path("here"), free=10, fit=2, count=5, size=99))
    (full,) = told(records, "disk_full")
    assert (full["path"], full["bytes"], full["files"]) == ("here", 10, 3)


def test_pipelining_and_the_owner_are_told_with_the_camera(
    camera: Cameras, connect: Sessions, records: list[logging.LogRecord]
) -> None:
    session = connect(camera())
    session.link.one_at_a_time("a test", to_blame=False)
    session.link.waiting("press OK")
    for event, reason in (("pipelining_off", "a test"), ("owner_awaited", "press OK")):
        (row,) = told(records, event)
        assert row["reason"] == reason
        assert row["camera"] == str(session.link.connection.address)


def test_a_download_makes_as_many_records_in_ten_chunks_as_in_one(
    camera: Cameras, connect: Sessions, tmp_path: Path, records: list[logging.LogRecord]
) -> None:
    session = connect(camera(objects=1, size=1_000_000))
    info = session.objects()[0]
    counts = []
    for chunk in (100_000, 1_000_000):
        before = len(records)
        session.download(info, tmp_path / f"{chunk}", chunk=chunk)
        counts.append(len(records) - before)
    assert counts == [2, 2]


def test_what_a_camera_says_cannot_break_a_line_of_the_log(
    records: list[logging.LogRecord],
) -> None:
    logs.tell("pipelining_off", camera="c", reason="a\nERROR forged\x1b[2J")
    (record,) = records
    assert "\n" not in record.getMessage()
    assert "\x1b" not in record.__dict__["reason"]


def test_other_records_of_the_package_are_details(records: list[logging.LogRecord]) -> None:
    logging.getLogger("ptpfast").warning("something")
    assert [record.__dict__["event"] for record in records] == [logs.DETAIL]


def test_nothing_is_printed_unless_logging_is_configured(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(faults=list(FLAKY))
    code = (
        "import sys, ptpfast, logging\n"
        "ptpfast.pull(sys.argv[1], sys.argv[2])\n"
        "logging.getLogger('ptpfast').warning('of a detail')\n"
        "logging.getLogger('ptpfast.run').warning('of a child')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, at(sim), str(tmp_path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sim.connections > 1


def test_a_result_without_an_object_is_told_too(records: list[logging.LogRecord]) -> None:
    observer = Telling(Observer(), "c")
    error = PTPError("cannot be described")
    observer.passed("finished", FileResult(7, None, None, "failed", str(error), error))
    (row,) = told(records, "file_failed")
    assert (row["handle"], row["object"]) == (7, "")


def test_the_run_of_a_report_is_told_with_its_folder(records: list[logging.LogRecord]) -> None:
    with Telling(Observer(), "c").of_run(Report(Path("here"))):
        pass
    assert [row["path"] for row in told(records, "run_started")] == ["here"]
