"""A camera's text on a terminal, in errors, in JSON and in files: nothing of it steers anything."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
from click.testing import CliRunner

import ptpfast
from conftest import HASTY, Cameras
from ptpfast import PTPError
from ptpfast.cli import output as output_module
from ptpfast.cli.main import ptpfast as command
from ptpfast.cli.output import Output
from ptpfast.engine.text import printable
from ptpfast.ptp.datasets import ObjectInfoDataset, StorageInfo, encode, encode_array
from ptpfast.ptp.errors import (
    ConnectFailed,
    InitFailed,
    ProtocolError,
    SinkError,
    Timeout,
    TransferError,
)
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state import tuning
from ptpfast.vendors import STANDARD
from raw_responder import Responder, payload

# A title for the window, a colour in eight bits, a line of its own, letters from right to left.
EVIL = "\x1b]0;gotcha\x07\x9b31m\r\nforged\u202eline\x7f\u2028"
HARMFUL = set(EVIL) - set("]0;gotcha31mforgedline")


class LabelledStore(Store):
    """A card whose slot says it, too."""

    def storage_info(self, storage_id: int) -> StorageInfo:
        told = super().storage_info(storage_id)
        return dataclasses.replace(told, storage_description=EVIL, volume_label=EVIL)


@pytest.fixture
def evil(camera: Cameras) -> SimulatedCamera:
    """A camera that says it wherever it can."""
    store = LabelledStore()
    folder = store.add_folder(f"DIR{EVIL}")
    store.add(f"a{EVIL}.NEF", 3000, parent=folder)
    store.add(f"b{EVIL}.JPG", 2000)
    model = dataclasses.replace(
        STANDARD.model, manufacturer=EVIL, name=f"M{EVIL}", device_version=EVIL
    )
    vendor = dataclasses.replace(STANDARD, body=model)
    return camera(vendor=vendor, store=store, name=f"N{EVIL}")


COMMANDS = {
    "info": ["info", "AT"],
    "ls": ["ls", "AT"],
    "ls verbose": ["ls", "AT", "--verbose"],
    "dry run": ["pull", "AT", "DEST", "--dry-run"],
    "pull": ["pull", "AT", "DEST", "--manifest"],
    "pull verbose": ["pull", "AT", "DEST", "--verbose"],
    "conflict": ["pull", "AT", "DEST", "--on-conflict", "fail"],
    "tune": ["tune", "AT", "--dry-run"],
    "bench": ["bench", "AT", "--budget", "1"],
    "bench verbose": ["bench", "AT", "--budget", "1", "--verbose"],
    "bench page": ["bench", "AT", "--budget", "1", "--html", "PAGE"],
}


def words(name: str, camera: SimulatedCamera, folder: Path) -> list[str]:
    places = {"AT": f"{camera.host}:{camera.port}", "DEST": str(folder)}
    places["PAGE"] = str(folder / "page.html")
    return [places.get(word, word) for word in COMMANDS[name]]


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptpfast.measure.tuner.STEP_S", 0.01)


FAULTS = ["", "respond=0x2002 on GetObjectInfo at 2", "short_data on GetPartialObject after 100"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_lets_a_camera_steer_the_terminal(
    evil: SimulatedCamera, tmp_path: Path, name: str, fault: str
) -> None:
    if fault:
        evil.faults.add(fault)
    if name == "conflict":
        (tmp_path / printable(f"b{EVIL}.JPG").replace("?", "_")).write_bytes(b"mine")
    result = CliRunner().invoke(command, words(name, evil, tmp_path))
    assert "gotcha" in result.output
    assert not HARMFUL & set(result.output) - {"\n"}
    assert not any(line.startswith("forged") for line in result.output.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_plain_ascii_and_says_exactly_what_the_camera_said(
    evil: SimulatedCamera, tmp_path: Path, name: str
) -> None:
    out = CliRunner().invoke(command, [*words(name, evil, tmp_path), "--json"]).stdout
    assert all(char == "\n" or " " <= char <= "~" for char in out)
    rows = [json.loads(line) for line in out.splitlines()]
    said = [value for row in rows for value in row.values() if isinstance(value, str)]
    assert any(EVIL in value for value in said) or name == "tune"


MARKUP = "<script>alert(1)</script>\"'&amp;\u200b\u2066\ufeff\u00ad"


@pytest.mark.parametrize("compared", [False, True])
def test_a_page_shows_what_a_camera_says_as_text_that_is_seen(
    camera: Cameras, tmp_path: Path, compared: bool
) -> None:
    store = Store()
    store.add(f"a{EVIL}{MARKUP}.NEF", 3_000_000)
    model = dataclasses.replace(
        STANDARD.model, manufacturer=EVIL + MARKUP, name=MARKUP, device_version=MARKUP + EVIL
    )
    sim = camera(vendor=dataclasses.replace(STANDARD, body=model), store=store)
    file, arguments = tmp_path / "page.html", ["bench", f"{sim.host}:{sim.port}", "--budget", "1"]
    if compared:
        rows = CliRunner().invoke(command, [*arguments, "--json"]).stdout
        (tmp_path / "before").write_text(rows.replace('"when": "', '"when": "\\u202e<b>'))
        arguments += ["--compare", str(tmp_path / "before")]
    result = CliRunner().invoke(command, [*arguments, "--html", str(file)])
    assert result.exit_code == 0, result.output
    text = file.read_text()
    assert "gotcha" in text
    assert text == "".join(char if char == "\n" else printable(char) for char in text)
    assert not any(line.startswith("forged") for line in text.splitlines())
    assert "<script" not in text
    assert "<b>T" not in text
    assert not HARMFUL & set(result.output) - {"\n"}


def test_bars_show_names_that_cannot_steer_them(evil: SimulatedCamera, tmp_path: Path) -> None:
    pytest.importorskip("rich")
    master, slave = os.openpty()
    shown = io.BytesIO()

    def read() -> None:
        while True:
            try:
                shown.write(os.read(master, 65536))
            except OSError:
                return

    reader = threading.Thread(target=read)
    reader.start()
    arguments = [sys.executable, "-m", "ptpfast", *words("pull", evil, tmp_path)]
    subprocess.run(arguments, stdout=slave, stderr=slave, timeout=60, check=True)
    os.close(slave)
    reader.join()
    os.close(master)
    text = shown.getvalue().decode()
    assert "gotcha" in text
    assert "\x1b]0" not in text
    assert not {"\x07", "\x9b", "\u202e", "\u2028"} & set(text)


FAILURES = [
    ProtocolError(f"{EVIL}: broken"),
    TransferError(EVIL, hint=f"do {EVIL}"),
    SinkError(EVIL, hint=EVIL),
    ConnectFailed(f"another camera answers now: {EVIL}"),
    InitFailed(3, where=EVIL),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_an_error_s_own_words_and_its_traceback_are_safe_for_a_terminal(error: PTPError) -> None:
    for text in (str(error), error.message, error.hint, *error.args):
        assert text == printable(text)
    shown = "".join(traceback.format_exception(error))
    assert not HARMFUL & set(shown) - {"\n"}


def test_errors_of_a_session_quote_names_that_are_safe_for_a_terminal(tmp_path: Path) -> None:
    card = {
        "GetStorageIDs": payload(encode_array([0x10001])),
        "GetObjectHandles": payload(encode_array([7])),
        "GetObjectInfo": payload(
            encode(ObjectInfoDataset(filename=EVIL, object_compressed_size=10))
        ),
        "GetObject": payload(b"short"),
        "GetPartialObject": payload(b""),
    }
    with (
        Responder(**card) as responder,
        ptpfast.connect(responder.host, port=responder.port, timeouts=HASTY) as session,
        pytest.raises(PTPError, match="gotcha") as caught,
    ):
        session.download(7, tmp_path / "x")
    assert not HARMFUL & set(str(caught.value))


def test_a_lost_camera_s_error_quotes_names_that_are_safe_for_a_terminal(tmp_path: Path) -> None:
    described = payload(encode(ObjectInfoDataset(filename=EVIL, object_compressed_size=10)))
    with (
        Responder(GetObjectInfo=described, GetPartialObject=lambda *_: None) as responder,
        ptpfast.connect(responder.host, port=responder.port, timeouts=HASTY) as session,
        pytest.raises(Timeout, match="gotcha") as caught,
    ):
        session.download(7, tmp_path / "x")
    assert not HARMFUL & set(str(caught.value))


def test_the_log_of_the_library_is_safe_for_a_terminal(
    evil: SimulatedCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ptpfast")
    evil.faults.add("cut_data=7 on GetObjectInfo times 0")
    with ptpfast.connect(evil.host, port=evil.port) as session:
        session.objects()
    assert caplog.records
    for record in caplog.records:
        assert not HARMFUL & set(record.getMessage())


def test_a_defect_s_traceback_is_safe_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    error = KeyError("x")
    error.add_note(EVIL)
    failure = output_module.Failure("a defect", "", 70, defect=True)
    Output("pull", verbose=True).fail(failure, error)
    shown = capsys.readouterr().err
    assert "gotcha" in shown
    assert not HARMFUL & set(shown) - {"\n"}


def test_the_file_of_tunings_is_plain_ascii(evil: SimulatedCamera) -> None:
    with ptpfast.connect(evil.host, port=evil.port) as session:
        file = tuning.save(session.device_info, tuning.Tuning(2, 1 << 20))
        assert tuning.load(session.device_info) == tuning.Tuning(2, 1 << 20)
    assert all(char == "\n" or " " <= char <= "~" for char in file.read_text())
