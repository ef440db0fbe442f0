"""Tuning: what is found of each temperament, remembered, believed only as far as it makes sense."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import HASTY, Cameras, Sessions, without_pauses
from ptpfast import DeviceInfo, TransferError, tuning
from ptpfast.cli.main import ptpfast
from ptpfast.measure import Finding, tune
from ptpfast.sim import Link, Temperament
from ptpfast.tuning import Tuning

BODY = DeviceInfo(manufacturer="Maker", model="Model", device_version="1.0", serial_number="7")


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.05)
    monkeypatch.setattr("ptpfast.measure.tuner.QUICKER", 0.0)


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
    assert session.remembers
    assert found.is_sane()
    assert found.chunk
    assert len(session.objects()) == 12


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
    assert session.pipeline_depth == 4
    assert session.chunks.next_size() == 123_456
    session.close()
    assert connect(sim, depth=1).pipeline_depth == 1


def test_a_camera_that_stops_coping_is_remembered(camera: Cameras, connect: Sessions) -> None:
    sim = camera(objects=20, temperament="drop")
    session = connect(sim, timeouts=HASTY, depth=1)
    tuning.save(session.device_info, Tuning(depth=8))
    session.pipeline_depth = 8
    assert len(session.objects()) == 20
    known = tuning.load(session.device_info)
    assert known is not None
    assert known.depth == 1
    assert "does not cope" in known.note


def test_what_a_camera_does_not_cope_with_is_remembered_where_depth_was_asked_for_by_hand(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    sim = camera(objects=20, temperament="swap")
    with caplog.at_level(logging.INFO, "ptpfast"), connect(sim, depth=4) as session:
        assert tuning.load(session.device_info) is None
        assert len(session.objects()) == 20
        assert session.pipeline_depth == 1
    assert f"remembered in {tuning.path()}" in caplog.text
    kept = json.loads(tuning.path().read_text())
    assert [(entry["depth"], entry["chunk"]) for entry in kept.values()] == [(1, None)]
    with connect(sim, depth=None) as session:
        assert session.pipeline_depth == 1
    with connect(sim, depth=4, index=False) as session:  # asked for again: tried again
        assert session.pipeline_depth == 4
        assert len(session.objects()) == 20
        assert session.pipeline_depth == 1
    assert json.loads(tuning.path().read_text()) == kept


def test_what_is_remembered_of_depth_leaves_the_chunk_that_was_measured() -> None:
    tuning.save(BODY, Tuning(1, 2 << 20, 1.4, "measured"))
    tuning.distrust(BODY, Tuning(1, 2 << 20, 1.4, "measured"), "busy")
    note = "does not cope with requests sent ahead: busy"
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
        assert (session.pipeline_depth, session.chunks.fixed) == (4, 1 << 16)
        info = session.objects()[0]  # the camera loses its temper
        assert session.pipeline_depth == 1
        assert session.read(info) == session.read(info)
        found = tuning.load(session.device_info)
    assert found is not None
    assert (found.depth, found.chunk) == (1, 1 << 16)
    assert "does not cope" in found.note
    with connect(sim, vendor=vendor, depth=None) as session:
        assert session.pipeline_depth == 1


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
        "\0\xff",
        "[]",
        "[" * 100_000,
        '{"Maker Model 1.0": 5}',
        '{"Maker Model 1.0": {"depth": -1}}',
        '{"Maker Model 1.0": {"depth": 1e99}}',
        '{"Maker Model 1.0": {"depth": true}}',
        '{"Maker Model 1.0": {"chunk": "big"}}',
        '{"Maker Model 1.0": {"chunk": -4096}}',
        '{"Maker Model 1.0": {"evil": 1}}',
        '{"Maker Model 1.0": {"gain": 1e999}}',
        '{"Maker Model 1.0": {"gain": NaN}}',
    ],
)
def test_a_damaged_file_is_as_good_as_none(text: str) -> None:
    file = tuning.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="latin-1")
    assert tuning.load(BODY) is None
    tuning.save(BODY, Tuning(depth=2))
    assert tuning.load(BODY) == Tuning(depth=2)


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
    assert command("--show") == (0, [], "nothing is remembered\n")
    tuning.save(BODY, Tuning(4, 2_000_000, 1.25, "measured 2026-11-25 with NEF"))
    file = tuning.save(other, Tuning(depth=1))
    entries = json.loads(file.read_text())
    file.write_text(json.dumps({**entries, "Odd": 5}))
    status, lines, told = command("--show")
    assert status == 0
    assert lines == [
        "Maker Model 1.0: 4 requests at a time, 2.0 MB each: 1.25 times the rate of one at a time; "
        "measured 2026-11-25 with NEF",
        "Other? Body 2: 1 request at a time: 1.00 times the rate of one at a time",
        "Odd: what is kept of it makes no sense, and is not used",
    ]
    assert told == f"3 models in {file}\n"
    _, first, _, odd = map(json.loads, command("--show", "--json")[1])
    assert first == {
        "type": "tuning",
        "model": "Maker Model 1.0",
        "depth": 4,
        "chunk": 2_000_000,
        "gain": 1.25,
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
    assert "nothing is kept of 'Odd'; --show lists what is" in told
