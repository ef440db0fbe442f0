"""Tuning: what is found of each temperament, remembered, believed only as far as it makes sense."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import HASTY, Cameras, Sessions, without_pauses
from ptpfast import Cancelled, DeviceInfo, OperationCode, SinkError, TransferError, pull, vendors
from ptpfast.cli.main import ptpfast
from ptpfast.engine.wire import OperationRequest
from ptpfast.measure import Finding, tune
from ptpfast.sim import Link, SimulatedCamera, Temperament
from ptpfast.state import tuning
from ptpfast.state.tuning import Tuning
from ptpfast.vendors.body import ObjectRange, Reply, Responder

BODY = DeviceInfo(manufacturer="Maker", model="Model", device_version="1.0", serial_number="7")


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.05)
    monkeypatch.setattr("ptpfast.measure.tuner.QUICKER", 0.0)
    monkeypatch.setattr("ptpfast.measure.tuner.WHOLE_GAIN", 1e9)  # nothing is that much quicker


@pytest.mark.parametrize("temperament", list(Temperament), ids=lambda t: t.value)
def test_every_temperament_is_found_out_and_survived(
    camera: Cameras, connect: Sessions, temperament: Temperament
) -> None:
    sim = camera(objects=12, size=2_000_000, temperament=temperament)
    session = connect(sim, timeouts=HASTY)
    findings: list[Finding] = []
    found = tune(session, findings.append)
    copes = temperament is Temperament.QUEUE
    assert any(finding.problem for finding in findings) == (not copes)
    if not copes:
        assert found.depth == 1
    assert tuning.load(session.device_info) is None  # that is for whoever measures
    assert session.habits.remembers
    assert found.is_sane()
    assert found.chunk
    assert len(session.objects()) == 12


@pytest.mark.paced
def test_sending_ahead_is_found_to_be_as_quick_as_the_link(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.6)
    monkeypatch.setattr("ptpfast.measure.tuner.CHUNKS", (1 << 20, 2 << 20))
    link = Link(rate=50e6, rtt=0.002, operation=0.01)
    found = tune(connect(camera(objects=2, size=40_000_000, link=link)))
    assert found.depth > 1
    assert found.chunk == 1 << 20


def test_a_rate_is_measured_for_no_longer_than_one_request_more(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=2, size=40_000_000, link=Link(rate=40e6))
    tune(connect(sim))
    # 0.05 s are 2 MB: one request of each size up to 8 MiB is more than enough.
    assert sim.payload_bytes < 40e6


def test_an_empty_card_cannot_be_measured(camera: Cameras, connect: Sessions) -> None:
    with pytest.raises(TransferError, match="no object"):
        tune(connect(camera(objects=0)))


def test_what_was_found_is_used_by_the_next_session(camera: Cameras, connect: Sessions) -> None:
    sim = camera()
    session = connect(sim)
    tuning.save(session.device_info, Tuning(depth=4, chunk=123_456))
    session.close()
    session = connect(sim)
    assert session.habits.depth == 4
    assert session.habits.chunks.size == 123_456
    session.close()
    assert connect(sim, depth=1).habits.depth == 1


def test_a_camera_that_stops_coping_is_remembered(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=20, temperament="drop")
    session = connect(sim, timeouts=HASTY, depth=1)
    tuning.save(session.device_info, Tuning(depth=8))
    session.habits.depth = 8
    assert len(session.objects()) == 20
    known = tuning.load(session.device_info)
    assert known is not None
    assert known.depth == 1
    assert "cannot handle" in known.note


def test_what_a_camera_does_not_cope_with_is_remembered_where_depth_was_asked_for_by_hand(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    sim = camera(objects=20, temperament="swap")
    with caplog.at_level(logging.INFO, "ptpfast"), connect(sim, depth=4) as session:
        assert tuning.load(session.device_info) is None
        assert len(session.objects()) == 20
        assert session.habits.depth == 1
    assert f"remembered in {tuning.path()}" in caplog.text
    kept = json.loads(tuning.path().read_text())
    assert [(entry["depth"], entry["chunk"]) for entry in kept.values()] == [(1, None)]
    with connect(sim, depth=None) as session:
        assert session.habits.depth == 1
    with connect(sim, depth=4, index=False) as session:  # asked for again: tried again
        assert session.habits.depth == 4
        assert len(session.objects()) == 20
        assert session.habits.depth == 1
    assert json.loads(tuning.path().read_text()) == kept


def test_what_is_remembered_of_depth_leaves_the_chunk_that_was_measured() -> None:
    tuning.save(BODY, Tuning(1, 2 << 20, 1.4, "measured"))
    tuning.distrust(BODY, Tuning(1, 2 << 20, 1.4, "measured"), "busy")
    note = "cannot handle pipelined requests: busy"
    assert tuning.load(BODY) == Tuning(1, 2 << 20, 1.4, note)
    tuning.distrust(BODY, Tuning(4, 1 << 20, 2.0, "measured"), "busy")
    assert tuning.load(BODY) == Tuning(1, 1 << 20, 1.0, note)


def test_what_a_vendors_file_knows_of_a_model_is_used_until_the_user_knows_better(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(temperament="drop")
    with connect(sim) as session:
        key = tuning.model_key(session.device_info)
    known = Tuning(4, 1 << 16, 1.9, "measured by nobody")
    vendor = replace(without_pauses("standard"), tunings={key: known, "Another 1": Tuning(8)})
    with connect(sim, vendor=vendor, depth=None, timeouts=HASTY) as session:
        assert (session.habits.depth, session.habits.chunks.fixed) == (4, 1 << 16)
        info = session.objects()[0]  # the camera loses its temper
        assert session.habits.depth == 1
        assert session.read(info) == session.read(info)
        found = tuning.load(session.device_info)
    assert found is not None
    assert (found.depth, found.chunk) == (1, 1 << 16)
    assert "cannot handle" in found.note
    with connect(sim, vendor=vendor, depth=None) as session:
        assert session.habits.depth == 1


def test_entries_of_other_models_are_kept() -> None:
    other = DeviceInfo(manufacturer="Other", model="Body", device_version="2")
    tuning.save(BODY, Tuning(depth=2))
    file = tuning.save(other, Tuning(depth=3))
    assert tuning.load(BODY) == Tuning(depth=2)
    assert tuning.load(other) == Tuning(depth=3)
    assert set(json.loads(file.read_text())) == {"Maker Model 1.0", "Other Body 2"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\0",
        '{"Maker Model 1.0": 5}',
        '{"Maker Model 1.0": {"depth": -1}}',
        '{"Maker Model 1.0": {"depth": 1e99}}',
        '{"Maker Model 1.0": {"depth": true}}',
        '{"Maker Model 1.0": {"chunk": "big"}}',
        '{"Maker Model 1.0": {"chunk": -4096}}',
        '{"Maker Model 1.0": {"evil": 1}}',
        '{"Maker Model 1.0": {"gain": 1e999}}',
        '{"Maker Model 1.0": {"gain": NaN}}',
        '{"Maker Model 1.0": {"whole": 1}}',
        '{"Maker Model 1.0": {"whole_mb_per_s": "fast"}}',
        '{"Maker Model 1.0": {"whole_mb_per_s": NaN}}',
        '{"Maker Model 1.0": {"whole_mb_per_s": true}}',
        '{"Maker Model 1.0": {"whole_size": -1}}',
        '{"Maker Model 1.0": {"whole_size": 1e9}}',
    ],
)
def test_a_damaged_entry_is_as_good_as_none(text: str) -> None:
    file = tuning.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="latin-1")
    assert tuning.load(BODY) is None
    tuning.save(BODY, Tuning(depth=2))
    assert tuning.load(BODY) == Tuning(depth=2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\0\xff", "not valid JSON"),
        ("of my own", r"not valid JSON \(line 1, column 1\)"),
        ('["list of my cameras"]', "not a JSON object"),
        ('{"Other Body 2": {"depth": 3, "note": "measured for hours"},}', "line 1, column"),
        ("[" * 100_000, "not readable JSON"),
        ('{"Other Body 2": ' + "1" * 5000 + "}", "not readable JSON"),
        ('{"Other Body 2": {"depth": 3}}' + " " * tuning.MAX_FILE_SIZE + "tail", "too large"),
        ("\0" * tuning.MAX_FILE_SIZE + "tail", "too large"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_as_good_as_none_and_stays_as_it_is(
    camera: Cameras, text: str, why: str
) -> None:
    file = tuning.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="latin-1")
    assert tuning.load(BODY) is None
    for change in (lambda: tuning.save(BODY, Tuning(depth=2)), lambda: tuning.forget("Body 2")):
        with pytest.raises(SinkError, match=why):
            change()
    sim = camera(objects=1)
    done = CliRunner().invoke(ptpfast, ["tune", f"{sim.host}:{sim.port}"])
    assert done.exit_code == 6
    assert "cannot add to" in done.stderr
    assert "repair it, or move it away" in done.stderr
    assert sim.sessions_opened == 0  # it is told before anything is measured
    tuning.distrust(BODY, Tuning(depth=2), "no")
    assert file.read_text(encoding="latin-1") == text


def test_the_file_lies_where_the_platform_wants_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PTPFAST_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert tuning.path() == tmp_path / "ptpfast" / "cameras.json"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "darwin")
    assert tuning.path() == tmp_path / "Library/Application Support/ptpfast/cameras.json"


@pytest.mark.paced
def test_the_command_tells_what_it_found_and_keeps_it(camera: Cameras) -> None:
    sim = camera(objects=4, size=200_000)
    for dry, kept in (["--dry-run"], False), ([], True):
        words = ["tune", f"{sim.host}:{sim.port}", "--json", *dry]
        done = subprocess.run(
            [sys.executable, "-m", "ptpfast", *words], capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr
        header, *findings, last = map(json.loads, done.stdout.splitlines())
        assert header["command"] == "tune"
        assert {line["type"] for line in findings} == {"finding"}
        assert last["type"] == "tuning"
        assert last["depth"] >= 1
        assert tuning.path().exists() == kept
        assert sim.wait_for(lambda: sim.sessions_closed == sim.sessions_opened, timeout=10)


def command(*words: str) -> tuple[int, list[str], str]:
    """`ptpfast tune` with these words: its status, its lines, and what it told people."""
    result = CliRunner().invoke(ptpfast, ["tune", *words])
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_what_is_remembered_is_shown_and_forgotten_without_a_camera() -> None:
    other = DeviceInfo(manufacturer="Other\x1b", model="Body", device_version="2")
    assert command("--show") == (0, [], "no models are remembered\n")
    tuning.save(BODY, Tuning(4, 2 << 20, 1.25, "measured 2026-11-25 with NEF"))
    file = tuning.save(other, Tuning(depth=1))
    entries = json.loads(file.read_text())
    file.write_text(json.dumps({**entries, "Odd": 5}))
    status, lines, told = command("--show")
    assert status == 0
    assert lines == [
        "Maker Model 1.0: 4 requests at a time, 2 MiB each: 1.25 times the rate of 1 MiB one at a "
        "time; whole objects were not tried; measured 2026-11-25 with NEF",
        "Other? Body 2: 1 request at a time: 1.00 times the rate of 1 MiB one at a time; whole "
        "objects were not tried",
        "Odd: the entry is damaged and not used",
    ]
    assert told == f"3 models in {file}\n"
    _, first, _, odd = map(json.loads, command("--show", "--json")[1])
    assert first == {
        "type": "tuning",
        "model": "Maker Model 1.0",
        "depth": 4,
        "chunk": 2 << 20,
        "gain": 1.25,
        "whole": None,
        "whole_mb_per_s": None,
        "whole_size": None,
        "note": "measured 2026-11-25 with NEF",
        "file": str(file),
    }
    assert odd == {"type": "unusable", "model": "Odd", "file": str(file)}

    assert command("--forget", lines[1].partition(":")[0])[1] == ["Other? Body 2: forgotten"]
    _, row = map(json.loads, command("--forget", "Odd", "--json")[1])
    assert row == {"type": "forgotten", "model": "Odd", "file": str(file)}
    assert json.loads(file.read_text()) == {"Maker Model 1.0": entries["Maker Model 1.0"]}
    status, _, told = command("--forget", "Odd")
    assert status == 2
    assert "'Odd' is not remembered; --show lists the models" in told


# Whole objects

GET_OBJECT, GET_PARTIAL_OBJECT = OperationCode.GetObject, OperationCode.GetPartialObject


def content(camera: SimulatedCamera, handle: int) -> bytes:
    """An object's bytes, as the camera has them."""
    stored = camera.store.get(handle)
    assert stored is not None
    return b"".join(camera.store.expected(handle).spans(0, stored.size))


def whole_finding(findings: list[Finding]) -> Finding:
    """The last of those about whole objects."""
    return [finding for finding in findings if finding.what == "reading a whole object"][-1]


def test_a_whole_object_is_tried_and_recorded_and_used_only_where_it_is_much_quicker(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.5)  # of a slow machine, too
    sim = camera(objects=3, size=2_000_000)
    findings: list[Finding] = []
    with connect(sim) as session:
        found = tune(session, findings.append)
    assert found.whole is True
    assert found.whole_size == 2_000_000
    assert found.whole_mb_per_s == pytest.approx(whole_finding(findings).value, abs=0.001)
    assert found.chunk
    assert sim.operations[GET_OBJECT] == 1

    monkeypatch.setattr("ptpfast.measure.tuner.WHOLE_GAIN", 0.0)
    session = connect(sim)
    found = tune(session)
    assert (found.chunk, found.whole, found.whole_size) == (0, True, 2_000_000)
    assert sim.operations[GET_OBJECT] == 3  # once more, in turn with parts
    assert found.is_sane()
    tuning.save(session.device_info, found)
    assert tuning.load(session.device_info) == found


def test_whole_objects_are_read_up_to_the_size_that_was_tried(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(objects=1, size=300_000)
    with connect(sim) as session:
        key = tuning.model_key(session.device_info)
    for most, operation in (300_000, GET_OBJECT), (299_999, GET_PARTIAL_OBJECT):
        known = Tuning(chunk=0, whole=True, whole_size=most)
        vendor = replace(without_pauses("standard"), tunings={key: known})
        before = Counter(sim.operations)
        with connect(sim, vendor=vendor, depth=None) as session:
            (info,) = session.objects()
            assert session.read(info) == content(sim, info.handle)
        used = set(sim.operations - before) & {GET_OBJECT, GET_PARTIAL_OBJECT}
        assert used == {operation}


@pytest.mark.parametrize(
    "fault",
    [
        "respond=0x2002 on GetObject times 0",
        "drop on GetObject after 70000 times 0",
        "reset on GetObject after 70000 times 0",
        "short_data on GetObject after 70000 times 0",
        "stall on GetObject after 70000 times 0",
        "no_answer on GetObject times 0",
        "overrun on GetObject times 0",
        "wrong_tid on GetObject times 0",
    ],
    ids=lambda fault: fault.partition(" ")[0],
)
def test_a_camera_that_fails_with_a_whole_object_is_left_in_step_and_read_in_parts(
    camera: Cameras, connect: Sessions, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.5)
    monkeypatch.setattr("ptpfast.measure.tuner.WHOLE_GAIN", 0.0)
    sim = camera(objects=3, size=2_000_000, faults=[fault])
    session = connect(sim, timeouts=HASTY)
    findings: list[Finding] = []
    found = tune(session, findings.append)
    assert whole_finding(findings).problem
    assert found.whole is False
    assert found.chunk
    assert (sim.connections == 1) == fault.startswith("respond")
    for info in session.objects():
        assert session.read(info) == content(sim, info.handle)


def test_a_whole_object_whose_data_take_too_long_is_given_up(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.WHOLE_S", 0.2)
    sim = camera(withheld=[GET_PARTIAL_OBJECT], objects=1, size=4_000_000, link=Link(rate=1e6))
    session = connect(sim)
    findings: list[Finding] = []
    found = tune(session, findings.append)
    assert "not complete after" in whole_finding(findings).problem
    assert (found.whole, found.chunk) == (False, None)
    assert session.usable
    assert sim.connections >= 2  # a camera may hold the old session for a moment
    assert sim.payload_bytes < 4_000_000


def test_other_bytes_than_in_parts_are_noticed(camera: Cameras, connect: Sessions) -> None:
    def another(camera: Responder, request: OperationRequest, _: bytes) -> Reply:
        return Reply(data=ObjectRange(request.parameters[0], 1000, 1_000_000))

    vendor = without_pauses("standard")
    model = replace(vendor.model, operations={GET_OBJECT: another})
    sim = camera(replace(vendor, body=model), objects=1, size=1_000_000)
    assert tune(connect(sim)).whole is False


def test_a_cancelled_measurement_says_nothing_of_the_camera(
    camera: Cameras, connect: Sessions
) -> None:
    session = connect(camera(objects=2, size=500_000, faults=["stall=20 on GetObject after 1000"]))
    findings: list[Finding] = []

    def cancel_soon(finding: Finding) -> None:
        findings.append(finding)
        if finding.chunk:  # the last before the whole object
            timer.start()

    timer = threading.Timer(0.5, session.cancel)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Cancelled):
        patch.setattr("ptpfast.measure.tuner.CHUNKS", (1 << 20,))
        patch.setattr("ptpfast.measure.tuner.DEPTHS", ())
        tune(session, cancel_soon)
    timer.join()
    assert not any(finding.problem for finding in findings)
    assert session.habits.remembers


def test_bodies_that_suffer_from_whole_objects_are_not_asked_for_one(
    camera: Cameras, connect: Sessions
) -> None:
    assert not vendors.named("nikon").quirks.whole_objects
    sim = camera("nikon", objects=2, size=1_500_000)
    findings: list[Finding] = []
    found = tune(connect(sim), findings.append)
    assert (found.whole, found.whole_mb_per_s, found.whole_size) == (None, None, None)
    assert "fail at it" in whole_finding(findings).skipped
    assert GET_OBJECT not in sim.operations


def test_a_whole_object_that_would_take_too_long_is_not_begun(
    camera: Cameras, connect: Sessions
) -> None:
    # 0.05 s are 2 MB.
    sim = camera(objects=2, size=40_000_000, link=Link(rate=40e6))
    findings: list[Finding] = []
    found = tune(connect(sim), findings.append)
    assert found.whole is None
    assert "every object takes longer" in whole_finding(findings).skipped
    assert GET_OBJECT not in sim.operations


@pytest.mark.parametrize("how", ["missing", "refused"])
def test_a_camera_without_partial_reads_is_measured_by_a_whole_object(
    camera: Cameras, connect: Sessions, how: str
) -> None:
    if how == "missing":
        sim = camera(objects=2, size=2_000_000, withheld=[GET_PARTIAL_OBJECT])
    else:
        fault = "respond=0x2005 on GetPartialObject times 0"
        sim = camera(objects=2, size=2_000_000, faults=[fault])
    findings: list[Finding] = []
    found = tune(connect(sim), findings.append)
    assert (found.whole, found.chunk) == (True, None)
    assert found.whole_mb_per_s
    assert any(finding.what == "reading in parts" and finding.problem for finding in findings)


@pytest.mark.parametrize("fault", ["reset on GetObject after 70000", "respond=0x2002 on GetObject"])
def test_a_whole_object_that_fails_though_it_worked_when_tuned_comes_in_parts(
    camera: Cameras, connect: Sessions, tmp_path: Path, fault: str
) -> None:
    sim = camera(objects=2, size=600_000, faults=[fault])
    session = connect(sim, depth=None)
    tuning.save(session.device_info, Tuning(chunk=0, whole=True, whole_size=600_000))
    session.close()
    with connect(sim, depth=None) as session:
        assert pull(session, tmp_path, retry=2).failed == 0
    assert sim.operations[GET_OBJECT] == 1
    assert GET_PARTIAL_OBJECT in sim.operations
    for stored in sim.store.files():
        assert (tmp_path / stored.name).read_bytes() == content(sim, stored.handle)


def test_after_a_whole_object_that_stalls_the_others_come_in_parts(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.link.chunking.STALL_S", 0.2)
    sim = camera(objects=3, size=600_000, faults=["stall=0.4 on GetObject after 70000"])
    known = Tuning(chunk=0, whole=True, whole_size=600_000)
    with connect(sim) as session:
        key = tuning.model_key(session.device_info)
    vendor = replace(without_pauses("standard"), tunings={key: known})
    with connect(sim, vendor=vendor, depth=None) as session:
        for info in session.objects():
            assert session.read(info) == content(sim, info.handle)
    assert sim.operations[GET_OBJECT] == 1


def test_what_was_kept_before_whole_objects_were_tried_is_still_read() -> None:
    file = tuning.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    old = {"depth": 4, "chunk": 1 << 20, "gain": 1.5, "note": "measured 2026-11-20 with NEF"}
    file.write_text(json.dumps({"Maker Model 1.0": old}))
    assert tuning.load(BODY) == Tuning(4, 1 << 20, 1.5, "measured 2026-11-20 with NEF")


def test_losing_its_temper_takes_nothing_from_what_is_known_of_whole_objects() -> None:
    known = Tuning(4, 0, 2.0, "measured", True, 42.0, 25_000_000)
    tuning.distrust(BODY, known, "it hung up")
    kept = tuning.load(BODY)
    assert kept is not None
    assert (kept.depth, kept.chunk, kept.whole, kept.whole_size) == (1, 0, True, 25_000_000)


def test_whole_objects_are_told_of() -> None:
    tuning.save(BODY, Tuning(1, 0, 6.25, "measured", True, 42.42, 25_000_000))
    assert command("--show")[1] == [
        "Maker Model 1.0: 1 request at a time, whole objects up to 25.0 MB: 6.25 times the rate of "
        "1 MiB one at a time; whole objects work, at 42.4 MB/s; measured"
    ]
    (_, row) = map(json.loads, command("--show", "--json")[1])
    assert (row["whole"], row["whole_mb_per_s"], row["whole_size"]) == (True, 42.42, 25_000_000)
    tuning.save(BODY, Tuning(1, 1 << 20, whole=False))
    assert "1 MiB each: 1.00 times" in command("--show")[1][0]
    assert command("--show")[1][0].endswith("; no whole objects")
