"""Which bytes of a part file a download goes on from: those whose checksum was noted as they came,
and is still theirs."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cameras, Sessions, without_pauses
from noted import read_note
from ptpfast import NetworkError, ObjectInfo
from ptpfast.library import pull
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.content import BytesContent
from ptpfast.transfer import VERIFY, checkpoint, journal, proof
from ptpfast.transfer.checkpoint import Checkpoint
from ptpfast.transfer.flushing import Flush

MiB = 1 << 20
SIZE = 8 * MiB
NAME = "IMG_0001.DNG"


def content(sim: SimulatedCamera, handle: int) -> bytes:
    return b"".join(sim.store.expected(handle).spans(0, SIZE))


def interrupted(
    camera: Cameras, connect: Sessions, folder: Path, **options: object
) -> tuple[SimulatedCamera, ObjectInfo, Path]:
    """A camera whose first object was interrupted behind its middle; what is here of it."""
    sim = camera(objects=1, size=SIZE, **options)
    session = connect(sim)
    (info,) = session.objects()
    sim.faults.add("drop after-total 5000000")
    with pytest.raises(NetworkError):
        session.download(info, folder / NAME, chunk=MiB)
    return sim, info, folder / f"{NAME}.part"


@pytest.fixture
def other_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What is known of a part file is then what is on the disk."""

    def forget() -> None:
        monkeypatch.setattr(journal, "_own", {})
        monkeypatch.setattr(proof, "_proven", {})

    return forget


def zeros(part: Path, at: int = MiB, size: int = 65536) -> None:
    """As a disk that has lost pages: same file, same length."""
    with part.open("r+b") as file:
        file.seek(at)
        file.write(bytes(size))


@pytest.mark.parametrize("verify", VERIFY)
@pytest.mark.parametrize("same_process", [False, True])
def test_pages_that_were_lost_are_found_and_the_object_is_read_again(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    verify: str,
    same_process: bool,
) -> None:
    sim, info, part = interrupted(camera, connect, tmp_path)
    zeros(part)
    there = part.stat().st_size
    if not same_process:
        other_process()
    transfer = connect(sim).download(info, tmp_path / NAME, verify=verify)
    assert (transfer.resumed_at, transfer.dropped) == (0, there)
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)
    assert f"restarted: the {there / 1e6:.1f} MB from an earlier run could not be" in caplog.text


def test_a_second_process_does_not_believe_the_length_of_a_killed_one_s_part(
    camera: Cameras, tmp_path: Path
) -> None:
    """From outside: `kill -9` in the middle, the pages lost, the same command again."""
    sim = camera(objects=1, size=40 * MiB, faults=["stall=60 after-total 25000000"])
    command = [sys.executable, "-m", "ptpfast", "pull", f"{sim.host}:{sim.port}", str(tmp_path)]
    command += ["--quiet", "--chunk", "1M"]
    part = tmp_path / f"{NAME}.part"
    first = subprocess.Popen(command)
    sim.wait_for(lambda: part.exists() and part.stat().st_size > 20 * MiB, timeout=60)
    first.kill()
    first.wait()
    zeros(part, 4 * MiB, 8 * MiB)
    sim.faults.clear()
    subprocess.run(command, check=True, timeout=120)
    (handle,) = [stored.handle for stored in sim.store.files()]
    expected = b"".join(sim.store.expected(handle).spans(0, 40 * MiB))
    assert (tmp_path / NAME).read_bytes() == expected
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_what_is_right_is_continued_by_another_process_too(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    verify: str,
) -> None:
    sim, info, part = interrupted(camera, connect, tmp_path)
    there = part.stat().st_size
    other_process()
    transfer = connect(sim).download(info, tmp_path / NAME, verify=verify)
    assert transfer.resumed_at == there
    assert transfer.begun_elsewhere
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)


def test_if_the_last_note_does_not_agree_what_was_flushed_before_counts(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    monkeypatch.setattr(Flush, "start", Flush._run)  # ended before more arrives
    sim = camera(objects=1, size=SIZE)
    session = connect(sim)
    (info,) = session.objects()
    part = tmp_path / f"{NAME}.part"

    def noted_once(received: int, size: int | None) -> None:
        if received >= 3 * MiB:  # from here on without the disk
            monkeypatch.setattr(checkpoint, "KEEP_S", 1e9)
            monkeypatch.setattr(checkpoint, "NOTE_S", 0.0)
            monkeypatch.setattr(checkpoint, "NOTE_SHARE", 1e9)
            monkeypatch.setattr(Checkpoint, "keep_if_possible", lambda self: None)  # killed

    sim.faults.add("drop after-total 5000000")
    with pytest.raises(NetworkError):
        session.download(info, tmp_path / NAME, chunk=MiB, progress=noted_once)
    note = read_note(part.with_name(part.name + ".json"))
    assert note["arrived"]["size"] > note["kept"]["size"] > 0
    zeros(part, note["kept"]["size"] + 1000, 1000)
    other_process()
    transfer = connect(sim).download(info, tmp_path / NAME)
    assert transfer.resumed_at == note["kept"]["size"]
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)


@pytest.mark.parametrize("verify", VERIFY)
def test_a_retry_does_not_read_again_what_the_process_has_written_itself(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verify: str,
) -> None:
    sim = camera(objects=1, size=SIZE)
    session = connect(sim)
    (info,) = session.objects()
    sim.faults.add("drop after-total 5000000")
    with pytest.raises(NetworkError):
        session.download(info, tmp_path / NAME, verify=verify)

    def read(*args: object) -> None:
        raise AssertionError("the part file was read")

    monkeypatch.setattr(proof, "_read", read)
    transfer = connect(sim).download(info, tmp_path / NAME, verify=verify)
    assert transfer.resumed_at > MiB
    assert not transfer.begun_elsewhere
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)


def test_where_dates_cannot_be_set_a_retry_reads_what_is_there(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a write in the same moment, which leaves no other time, is found."""

    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", refuse)
        sim, info, part = interrupted(camera, connect, tmp_path)
    there = part.stat().st_size
    before = part.stat()
    transfer = connect(sim).download(info, tmp_path / NAME)
    assert transfer.resumed_at == there
    assert not transfer.begun_elsewhere  # its own, by the checksum
    (tmp_path / NAME).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", refuse)
        sim, info, part = interrupted(camera, connect, tmp_path)
    zeros(part)
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert connect(sim).download(info, tmp_path / NAME).resumed_at == 0
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)


def test_the_note_of_an_earlier_version_proves_nothing(
    camera: Cameras, connect: Sessions, tmp_path: Path, other_process: Callable[[], None]
) -> None:
    sim, info, part = interrupted(camera, connect, tmp_path)
    note = part.with_name(part.name + ".json")
    told = read_note(note)
    for kept in ("kept", "arrived"):
        if kept in told:
            told[kept]["digest"] = None
    note.write_text(json.dumps(told | {"schema": 4, "boot": "this one"}))
    other_process()
    assert connect(sim).download(info, tmp_path / NAME).resumed_at == 0
    note.unlink(missing_ok=True)
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)


# Weak descriptions


def twin(whole: bytes, *places: int) -> bytes:
    """Another object that has the same bytes but there."""
    other = bytearray(whole)
    for at in places:
        other[at : at + 64] = bytes(byte ^ 0xFF for byte in whole[at : at + 64])
    return bytes(other)


@pytest.mark.parametrize("missing", ["date", "serial number"])
@pytest.mark.parametrize("differs_at", [0, 2 * MiB])
@pytest.mark.parametrize("same_process", [False, True])
def test_another_object_with_the_same_bytes_at_the_seam_is_told_apart_elsewhere(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    missing: str,
    differs_at: int,
    same_process: bool,
) -> None:
    sim = camera(objects=1, size=SIZE)
    (stored,) = sim.store.files()
    whole = content(sim, stored.handle)
    if missing == "date":
        sim.store.replace(stored.handle, captured=None)
    else:
        sim.body.serial_number = "00000000"
    session = connect(sim, index=False)
    (info,) = session.objects()
    sim.faults.add("drop after-total 5000000")
    with pytest.raises(NetworkError):
        session.download(info, tmp_path / NAME, chunk=MiB)
    # All of the first or of the interior that a few places could be in.
    places = [0] if not differs_at else range(64 * 1024, 4 * MiB, 4096)
    other = twin(whole, *places)
    sim.store.replace(stored.handle, content=BytesContent(other))
    if not same_process:
        other_process()
    transfer = connect(sim, index=False).download(info, tmp_path / NAME)
    assert transfer.resumed_at == 0
    assert (tmp_path / NAME).read_bytes() == other


def test_a_camera_that_says_nothing_of_itself_is_continued_by_the_same_process_only(
    camera: Cameras, connect: Sessions, tmp_path: Path, other_process: Callable[[], None]
) -> None:
    vendor = without_pauses("standard")
    model = dataclasses.replace(vendor.model, manufacturer="", name="")
    vendor = dataclasses.replace(vendor, body=model)
    for elsewhere in (False, True):
        sim = camera(vendor=vendor, objects=1, size=SIZE)
        sim.body.serial_number = ""
        session = connect(sim)
        assert session.device_info.body == ""
        (info,) = session.objects()
        sim.faults.add("drop after-total 5000000")
        with pytest.raises(NetworkError):
            session.download(info, tmp_path / NAME, chunk=MiB)
        if elsewhere:
            other_process()
        transfer = connect(sim).download(info, tmp_path / NAME)
        assert (transfer.resumed_at == 0) == elsewhere
        assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)
        (tmp_path / NAME).unlink()


# What is said


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("verify", ["size", "hash"])
def test_a_plan_and_a_run_that_ends_early_name_only_bytes_that_will_count(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    spoilt: bool,
    verify: str,
) -> None:
    sim, _, part = interrupted(camera, connect, tmp_path)
    there = part.stat().st_size
    with part.open("ab") as file:
        file.write(bytes(300_000))  # killed before these were noted
    if spoilt:
        zeros(part)
    other_process()
    address, counted = f"{sim.host}:{sim.port}", 0 if spoilt else there
    (planned,) = pull(address, tmp_path, dry_run=True, verify=verify).files
    assert planned.kept == counted
    sim.faults.add("drop on GetPartialObject times 0")
    with pytest.raises(NetworkError) as caught:
        pull(address, tmp_path, retry=0, verify=verify)
    report = caught.value.report  # type: ignore[attr-defined]
    assert [result.kept for result in report.files] == [counted]


def test_what_a_plan_has_read_is_not_read_again_by_the_download(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim, _, part = interrupted(camera, connect, tmp_path)
    there = part.stat().st_size
    other_process()
    monkeypatch.setattr(proof, "SETTLED_S", -1e9)  # as if it were days later
    reads: list[int] = []
    read = proof._read

    def counted(descriptor: int, length: int, *rest: object) -> object:
        reads.append(length)
        return read(descriptor, length, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(proof, "_read", counted)
    report = pull(f"{sim.host}:{sim.port}", tmp_path)
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at == there
    assert reads == [there]


def test_a_part_file_that_changed_a_moment_ago_is_read_again_by_the_download(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    other_process: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between plan and download the same moment can have another write."""
    sim, info, part = interrupted(camera, connect, tmp_path)
    other_process()
    os.utime(part)
    session = connect(sim)
    assert proof.counted(session.camera, info, tmp_path / NAME) == part.stat().st_size
    before = part.stat()
    zeros(part)
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert session.download(info, tmp_path / NAME).resumed_at == 0
    assert (tmp_path / NAME).read_bytes() == content(sim, info.handle)
