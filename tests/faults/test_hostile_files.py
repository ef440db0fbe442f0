"""Files of ours read back: journal, checksums, tunings, as anybody may have left them there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PATIENT, Cameras, Sessions
from noted import read_note
from ptpfast import DeviceInfo, ObjectInfo, SinkError, pull
from ptpfast.library.keep import manifest as manifest_module
from ptpfast.library.keep.manifest import Manifest
from ptpfast.ownership.names import JOURNAL_SUFFIX, PART_SUFFIX
from ptpfast.ownership.readback import read_back
from ptpfast.ptp.datasets import parse_date_time
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state import tuning
from ptpfast.state.tuning import Tuning
from ptpfast.transfer import download as download_module
from ptpfast.transfer import journal
from ptpfast.transfer.journal import Found, Identity, Journal, Kept

BODY = DeviceInfo(manufacturer="Maker", model="Model", device_version="1.0")
IDENTITY = Identity("Maker Model 1", 7, "x", 100, "")

SIZE = 300_000


def journal_path(path: Path) -> Path:
    return path.with_name(path.name + JOURNAL_SUFFIX)


def part_path(path: Path) -> Path:
    return path.with_name(path.name + PART_SUFFIX)


def content(camera: SimulatedCamera, info: ObjectInfo) -> bytes:
    return b"".join(camera.store.expected(info.handle).spans(0, info.size or 0))


# Anything but a regular file


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


ODD: list[Callable[[Path], None]] = [make_fifo, make_folder, make_endless]


@pytest.mark.parametrize("make", ODD)
def test_what_is_no_regular_file_is_neither_waited_for_nor_read(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "x")
    with pytest.raises(OSError):
        read_back(tmp_path / "x", 100)


def test_no_more_than_asked_for_is_read_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(1000))
    assert read_back(tmp_path / "x", 100) == bytes(100)
    assert read_back(tmp_path / "x", 5000) == bytes(1000)


@pytest.mark.parametrize("make", ODD)
def test_a_journal_that_is_no_regular_file_is_none_and_takes_the_name(
    camera: Cameras, connect: Sessions, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    sim = camera(objects=1, size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    path = tmp_path / info.name
    make(journal_path(path))
    assert Journal(str(path), IDENTITY).read() is None
    with pytest.raises(FileExistsError, match="something else has the name"):
        session.download(info, path)
    assert os.listdir(tmp_path) == [journal_path(path).name]


@pytest.mark.parametrize("make", ODD)
def test_checksums_that_are_no_regular_file_end_the_pull_before_it_begins(
    camera: Cameras, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "sums")
    sim = camera(objects=1, size=SIZE)
    with pytest.raises(SinkError, match="sums"):
        pull(f"{sim.host}:{sim.port}", tmp_path, manifest=tmp_path / "sums", timeouts=PATIENT)
    assert os.listdir(tmp_path) == ["sums"]


@pytest.mark.parametrize("make", ODD)
def test_tunings_that_are_no_regular_file_are_none(make: Callable[[Path], None]) -> None:
    file = tuning.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    make(file)
    assert tuning.load(BODY) is None


def test_checksums_beyond_any_reason_are_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_module, "MAX_SIZE", 1000)
    (tmp_path / "SHA256SUMS").write_bytes(b"x" * 1001)
    with pytest.raises(SinkError, match="too large"):
        Manifest(tmp_path / "SHA256SUMS")
    assert (tmp_path / "SHA256SUMS").stat().st_size == 1001


# Anything in them


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
any_identity = st.fixed_dictionaries(
    dict.fromkeys(("camera", "handle", "name", "size", "captured"), json_values)
)
any_kept = json_values | st.fixed_dictionaries({"size": json_values, "digest": json_values})
any_entry = json_values | st.fixed_dictionaries(
    {
        "schema": st.just(journal.SCHEMA),
        "object": any_identity | st.just(IDENTITY._asdict()),
        "arrived": any_kept,
        "kept": any_kept,
    }
)
any_json = any_entry.map(lambda entry: json.dumps(entry).encode()) | st.binary(max_size=60)
briefly = settings(max_examples=200, deadline=None)


@briefly
@given(any_json)
def test_any_journal_is_sane_or_nothing(tmp_path_factory: Any, written: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    journal_path(path).write_bytes(written)
    known = Journal(str(path), IDENTITY).read()
    if known is not None:
        for kept in (known.kept, *known.arrived):
            assert type(kept.size) is int
            assert kept.size >= 0
            assert kept.digest is None or isinstance(kept.digest, str)


any_text = st.text(st.characters(), max_size=8)  # lone surrogates, quotes and line ends among them
sizes = st.integers(0, 1 << 50)
any_note = st.builds(Kept, sizes, st.none() | st.just("0" * 64))


@briefly
@given(
    st.builds(
        Identity, any_text, st.integers(0, 0xFFFFFFFF), any_text, st.none() | sizes, st.just("")
    ),
    any_note,
    st.none() | any_note,
)
def test_a_journal_of_any_names_is_read_back_as_it_was_written(
    tmp_path_factory: Any, identity: Identity, kept: Kept, arrived: Kept | None
) -> None:
    written = Journal(str(tmp_path_factory.getbasetemp() / "names"), identity)
    written.write(kept, arrived)
    assert written.read() == Found(kept, () if arrived is None else (arrived,))


@briefly
@given(st.dictionaries(st.just(tuning.model_key(BODY)), json_values) | json_values)
def test_any_tuning_is_sane_or_nothing(entries: Any) -> None:
    tuning.path().parent.mkdir(parents=True, exist_ok=True)
    tuning.path().write_text(json.dumps(entries))
    found = tuning.load(BODY)
    assert found is None or found.is_sane()
    if not isinstance(entries, dict):
        with pytest.raises(SinkError, match="not a JSON object"):
            tuning.save(BODY, Tuning(2))
        assert tuning.path().read_text() == json.dumps(entries)
        return
    tuning.save(BODY, Tuning(2))
    assert tuning.load(BODY) == Tuning(2)


@briefly
@given(
    st.binary(max_size=200),
    st.text(st.characters(exclude_characters="\0/"), min_size=1).filter(lambda name: name != "."),
)
def test_any_checksums_are_kept_and_added_to(
    tmp_path_factory: Any, before: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "SHA256SUMS"
    path.write_bytes(before := f"{'a' * 64}  another\n".encode() * 200 + before)
    if b"\0" in before:
        with pytest.raises(SinkError, match="NUL"):
            Manifest(path)
        assert path.read_bytes() == before
        return
    manifest = Manifest(path)
    file = path.with_name(name)
    try:
        manifest.add(file, "0" * 64)
        manifest.write()
    except UnicodeEncodeError:
        return  # no name of a file
    assert file in Manifest(path)
    assert set(before.split(b"\n")) <= set(path.read_bytes().split(b"\n")) | {b""}


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
@pytest.mark.parametrize("name", ["plain", "back\\slash", "new\nline", "re\rturn", "*star", " a "])
def test_any_name_in_the_checksums_is_understood_by_sha256sum(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"content")
    manifest = Manifest(tmp_path / "SHA256SUMS")
    manifest.add(tmp_path / name, hashlib.sha256(b"content").hexdigest())
    manifest.write()
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, check=True)
    assert tmp_path / name in Manifest(tmp_path / "SHA256SUMS")


@pytest.mark.parametrize("size", [-5, 0, True, 1.5, 10**30, SIZE + 1, "1", None, [1]])
def test_a_forged_proof_of_what_is_there_gives_no_wrong_file(
    camera: Cameras, connect: Sessions, tmp_path: Path, size: object
) -> None:
    sim = camera(objects=1, size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    path = tmp_path / info.name
    Journal(str(path), Identity.of(session.device_info.body, info)).write()
    entry = read_note(journal_path(path))
    entry["kept"] = {"size": size, "digest": "sha256:" + hashlib.sha256(b"").hexdigest()}
    journal_path(path).write_text(json.dumps(entry))
    part_path(path).write_bytes(b"forged")
    session.download(info, path, verify="hash")
    assert path.read_bytes() == content(sim, info)


def test_a_part_file_of_somebody_else_s_bytes_is_not_continued(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(objects=1, size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    path = tmp_path / info.name
    forged = bytearray(content(sim, info)[: SIZE // 2])
    forged[0] ^= 1  # before the overlap that is read again
    right = hashlib.sha256(content(sim, info)[: len(forged)]).hexdigest()
    journal = Journal(str(path), Identity.of(session.device_info.body, info))
    journal.write(Kept(len(forged), f"sha256:{right}"))
    part_path(path).write_bytes(forged)
    session.download(info, path, verify="hash")
    assert path.read_bytes() == content(sim, info)


def test_a_time_the_filesystem_cannot_keep_costs_no_file(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, times: object) -> None:
        raise OverflowError("timestamp out of range for this filesystem")

    monkeypatch.setattr(download_module.os, "utime", refuse)
    sim = camera(objects=1, size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    session.download(info, tmp_path / info.name)
    assert (tmp_path / info.name).read_bytes() == content(sim, info)


@pytest.mark.parametrize("date", ["00010101T000000", "99991231T235959Z", "19000101T000000"])
def test_a_camera_s_clock_can_say_any_year(camera: Cameras, tmp_path: Path, date: str) -> None:
    store = Store()
    store.add("a.NEF", 1000, captured=parse_date_time(date))
    sim = camera(store=store)
    report = pull(f"{sim.host}:{sim.port}", tmp_path, timeouts=PATIENT)
    assert report.downloaded == 1
