"""What survives: a power cut, a dead process, a disk that lies; and what is checked before a file
gets its name."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import resource
from pathlib import Path
from types import ModuleType

import pytest

from conftest import Cameras, Sessions
from noted import read_note
from ptpfast import ConnectionLost, ObjectInfo, ProtocolError, SinkError, TransferError
from ptpfast.link import connection
from ptpfast.ownership import files
from ptpfast.ownership.names import temporaries
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.transfer import VERIFY, checkpoint, journal
from ptpfast.transfer import verify as verify_module
from ptpfast.transfer.flushing import Flush

MiB = 1 << 20
SIZE = 8 * MiB


def content(camera: SimulatedCamera, handle: int) -> bytes:
    return b"".join(camera.store.expected(handle).spans(0, SIZE))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends a download ends it as `kill -9` does: nothing is noted any more."""
    monkeypatch.setattr(checkpoint.Checkpoint, "keep_if_possible", lambda self: None)


@pytest.fixture
def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each flush ends before more bytes come, so that the order of all calls is certain."""
    monkeypatch.setattr(Flush, "start", Flush._run)


def broken(
    camera: Cameras, connect: Sessions, folder: Path, verify: str
) -> tuple[SimulatedCamera, ObjectInfo, Path]:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    sim.faults.add("drop after-total 5000000")
    with pytest.raises(ConnectionLost):
        session.download(info, folder / "x", verify=verify, chunk=MiB)
    return sim, info, folder / "x.part"


def lose_power(part: Path) -> int:
    """Zeros where nothing had reached the disk, the length as if it had; how much had."""
    kept: int = read_note(part.with_name(part.name + ".json"))["kept"]["size"]
    length = part.stat().st_size
    with part.open("r+b") as file:
        file.truncate(kept)
        file.truncate(length)
    return kept


@pytest.mark.parametrize("verify", ["size", "hash"])
@pytest.mark.parametrize("keep_s", [0.0, 1e9], ids=["noted often", "never noted"])
@pytest.mark.usefixtures("killed")
def test_after_a_power_cut_only_what_had_reached_the_disk_is_continued(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keep_s: float,
    verify: str,
) -> None:
    monkeypatch.setattr(checkpoint, "KEEP_S", keep_s)
    sim, info, part = broken(camera, connect, tmp_path, verify)
    kept = lose_power(part)
    assert (kept > 0) == (keep_s == 0)
    transfer = connect(sim).download(info, tmp_path / "x", verify=verify)
    assert transfer.resumed_at == kept
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


@pytest.mark.usefixtures("killed")
@pytest.mark.parametrize("verify", ["size", "hash"])
def test_after_a_killed_process_all_but_the_last_note_is_continued(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verify: str,
) -> None:
    monkeypatch.setattr(checkpoint, "NOTE_S", 0.0)  # over loopback all is there in 5 ms
    monkeypatch.setattr(checkpoint, "NOTE_SHARE", 1e9)
    sim, info, part = broken(camera, connect, tmp_path, verify)
    there = part.stat().st_size
    transfer = connect(sim).download(info, tmp_path / "x", verify=verify)
    assert there >= transfer.resumed_at >= there - 2 * MiB > MiB  # a note for each chunk
    assert transfer.dropped == there - transfer.resumed_at
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_an_orderly_end_is_safe_from_a_power_cut(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, info, part = broken(camera, connect, tmp_path, "size")
    length = part.stat().st_size
    assert lose_power(part) == length
    assert connect(sim).download(info, tmp_path / "x").resumed_at == length


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("verify", ["size", "hash"])
@pytest.mark.parametrize("depth", [1, 3])
def test_only_what_is_not_taken_back_any_more_is_noted(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    depth: int,
    verify: str,
) -> None:
    noted: list[int] = []
    write = journal.Journal.write

    def spy(
        self: journal.Journal,
        kept: journal.Kept = journal.NOTHING_KEPT,
        arrived: journal.Kept | None = None,
        *,
        sync: bool = False,
    ) -> None:
        noted.append(kept.size)
        write(self, kept, arrived, sync=sync)

    monkeypatch.setattr(journal.Journal, "write", spy)
    renew = journal.Journal.renew

    def spy_renewal(self: journal.Journal, kept: journal.Kept) -> None:
        noted.append(kept.size)
        renew(self, kept)

    monkeypatch.setattr(journal.Journal, "renew", spy_renewal)
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    monkeypatch.setattr(connection, "PAUSE_S", 0.0)  # progress whenever something has come
    sim = camera(size=SIZE)
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    session.download(info, tmp_path / "x", chunk=MiB, verify=verify)
    assert noted == [size * MiB for size in range(9)]
    noted.clear()
    sim.faults.add("wrong_tid on GetPartialObject at 4")
    if depth > 1:  # goes on without pipelining
        session.download(info, tmp_path / "y", chunk=MiB, verify=verify)
        assert set(noted) <= {size * MiB for size in range(9)}
        return
    with pytest.raises(ProtocolError):
        session.download(info, tmp_path / "y", chunk=MiB, verify=verify)
    assert noted == [0, MiB, 2 * MiB, 3 * MiB, 3 * MiB]  # the last: nothing behind it counts
    assert (tmp_path / "y.part").stat().st_size == 3 * MiB


@pytest.mark.usefixtures("in_turn")
def test_data_reaches_the_disk_before_the_journal_speaks_of_it_and_the_name_stands_last(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of it all, seen at the system calls that matter."""
    happened: list[tuple[str, str, int]] = []
    part = tmp_path / "x.part"
    new_note = os.path.basename(next(temporaries(str(tmp_path / "x.part.json"))))
    flushed = {"x.part": "data", new_note: "note", tmp_path.name: "folder"}

    def seen(module: ModuleType, name: str) -> None:
        original = getattr(module, name)

        def call(*args, **options):  # type: ignore[no-untyped-def]
            size = part.stat().st_size if part.exists() else -1
            what = os.readlink(f"/proc/self/fd/{args[0]}") if name == "fsync" else args[0]
            happened.append((name, flushed.get(os.path.basename(what), "name"), size))
            return original(*args, **options)

        monkeypatch.setattr(module, name, call)

    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    session = connect(camera(size=3 * MiB))
    info = session.objects()[0]
    for name in ("fsync", "unlink"):
        seen(os, name)
    seen(files, "rename_new")
    session.download(info, tmp_path / "x", chunk=MiB)

    def kept(size: int) -> list[tuple[str, str, int]]:
        return [("fsync", what, size) for what in ("data", "note", "folder")]

    assert happened == [
        *kept(MiB),
        *kept(2 * MiB),
        *kept(3 * MiB),
        ("fsync", "data", 3 * MiB),
        ("rename_new", "data", 3 * MiB),
        ("unlink", "name", -1),  # the journal
        ("fsync", "folder", -1),
    ]


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("when", ["at the end", "on the way"])
@pytest.mark.parametrize("verify", ["size", "hash"])
def test_after_a_failed_sync_only_what_had_reached_the_disk_before_counts(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    verify: str,
) -> None:
    """The system tells of it once; the next sync of the same file may say that all is well."""
    fsync, calls = os.fsync, iter(range(100))

    def fail_once(fd: int) -> None:
        if os.readlink(f"/proc/self/fd/{fd}").endswith(".part") and next(calls) == 2:
            raise OSError(5, "Input/output error")
        fsync(fd)

    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    if when == "at the end":
        next(calls), next(calls)
    else:
        monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    monkeypatch.setattr(os, "fsync", fail_once)
    with pytest.raises(OSError, match="Input/output error"):
        session.download(info, tmp_path / "x", chunk=MiB, verify=verify)
    assert not (tmp_path / "x").exists()
    transfer = session.download(info, tmp_path / "x", verify=verify)
    assert transfer.resumed_at == (0 if when == "at the end" else 2 * MiB)
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_a_disk_that_fills_up_leaves_what_can_be_continued_by_hash(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_001, before[1]))
    try:
        with pytest.raises(SinkError):
            session.download(info, tmp_path / "x", verify="hash")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    transfer = session.download(info, tmp_path / "x", verify="hash")
    assert transfer.resumed_at > MiB
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


# Verification


@pytest.mark.parametrize("verify", VERIFY)
def test_every_level_lets_right_bytes_through(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    transfer = session.download(info, tmp_path / "x", verify=verify)
    whole = content(sim, info.handle)
    assert (tmp_path / "x").read_bytes() == whole
    assert transfer.verified == verify
    assert transfer.sha256 == (None if verify == "size" else hashlib.sha256(whole).hexdigest())
    assert transfer.received == (2 * SIZE if verify == "reread" else SIZE)


@pytest.mark.parametrize("verify", ["hash", "disk", "reread"])
def test_a_disk_that_changes_a_byte_is_found_out(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    session = connect(camera(size=SIZE))
    info = session.objects()[0]

    def change(received: int, size: int | None) -> None:
        if received == size:
            with (tmp_path / "x.part").open("r+b") as file:
                file.seek(1234)
                file.write(b"?!")

    with pytest.raises(TransferError, match="differs from the received bytes"):
        session.download(info, tmp_path / "x", verify=verify, progress=change)
    assert not (tmp_path / "x").exists()


def test_a_file_that_cannot_be_read_back_gets_no_name_and_is_not_lost(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FailingDisk(ModuleType):
        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

        def pread(self, *_: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    with monkeypatch.context() as patched:
        patched.setattr(verify_module, "os", FailingDisk("os"))
        with pytest.raises(SinkError, match="read back"):
            session.download(info, tmp_path / "x", verify="disk")
    assert not (tmp_path / "x").exists()
    assert (tmp_path / "x.part").stat().st_size == SIZE
    session.download(info, tmp_path / "x", verify="disk")
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_a_part_file_that_has_another_name_is_left_alone(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim, info, _ = broken(camera, connect, tmp_path, "size")
    os.link(tmp_path / "x.part", tmp_path / "backup")
    kept = (tmp_path / "backup").read_bytes()
    with pytest.raises(FileExistsError, match="it has another name, too"):
        connect(sim).download(info, tmp_path / "x")
    assert (tmp_path / "backup").read_bytes() == kept
    assert (tmp_path / "x.part").samefile(tmp_path / "backup")


@pytest.mark.parametrize(("verify", "noticed"), [("disk", False), ("reread", True)])
def test_a_camera_that_does_not_send_the_same_twice_is_found_out_by_reading_again(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str, noticed: bool
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    other = Store.synthetic(1, SIZE, seed=99)

    def change(received: int, size: int | None) -> None:
        if received == size:
            sim.store = other

    assert content(sim, info.handle) != b"".join(other.expected(info.handle).spans(0, SIZE))
    if not noticed:
        session.download(info, tmp_path / "x", verify=verify, progress=change)
        return
    with pytest.raises(TransferError, match="different bytes"):
        session.download(info, tmp_path / "x", verify=verify, progress=change)
    assert not (tmp_path / "x").exists()


@pytest.mark.usefixtures("killed")
def test_what_was_noted_without_the_disk_does_not_count_after_a_power_cut(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, info, part = broken(camera, connect, tmp_path, "hash")
    noted = read_note(part.with_name(part.name + ".json"))
    assert noted["arrived"]["size"] >= checkpoint.NOTE_SIZE > noted["kept"]["size"] == 0
    lose_power(part)
    assert connect(sim).download(info, tmp_path / "x", verify="hash").resumed_at == 0
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_after_broken_packets_all_whole_reads_before_them_are_continued(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    sim.faults.add("length=5 on GetPartialObject after 500000 at 3")
    with pytest.raises(ProtocolError):
        session.download(info, tmp_path / "x", verify=verify, chunk=MiB)
    transfer = connect(sim).download(info, tmp_path / "x", verify=verify)
    assert transfer.resumed_at == 2 * MiB
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


@pytest.mark.parametrize(
    "fault",
    ["respond=0x2002", "respond=0x2005", "respond=0x2009", "ok_without_data", "busy"],
)
def test_a_seam_that_cannot_be_read_this_once_is_read_again_and_nothing_begun_anew(
    camera: Cameras, connect: Sessions, tmp_path: Path, fault: str
) -> None:
    sim, info, part = broken(camera, connect, tmp_path, "size")
    there = part.stat().st_size
    sim.faults.add(f"{fault} on GetPartialObject")
    transfer = connect(sim).download(info, tmp_path / "x")
    assert transfer.resumed_at == there > 4 * MiB
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_an_interrupt_in_the_middle_of_an_fsync_costs_nothing_of_what_is_there(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, info, part = broken(camera, connect, tmp_path, "size")
    there = part.stat().st_size
    session = connect(sim)
    sync = os.fsync

    def interrupted(fd: int) -> None:
        sync(fd)
        monkeypatch.setattr(os, "fsync", sync)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.download(info, tmp_path / "x", chunk=MiB)
    assert part.stat().st_size >= there
    assert session.download(info, tmp_path / "x").resumed_at >= there


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_an_fsync_that_fails_at_the_seam_costs_what_had_not_reached_the_disk_before(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, info, part = broken(camera, connect, tmp_path, verify)
    kept = read_note(part.with_name(part.name + ".json"))["kept"]["size"]
    assert 0 < kept <= part.stat().st_size
    session = connect(sim)

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(SinkError):
        patch.setattr(os, "fsync", fail)
        session.download(info, tmp_path / "x", verify=verify, chunk=MiB)
    assert part.stat().st_size == kept
    assert session.download(info, tmp_path / "x", verify=verify).resumed_at == kept
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_an_interrupt_at_the_lock_leaves_none_behind(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(camera(size=SIZE))
    info = session.objects()[0]
    lock = fcntl.flock

    def interrupted(fd: int, operation: int) -> None:
        lock(fd, operation)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fcntl, "flock", interrupted)
        session.download(info, tmp_path / "x")
    assert session.download(info, tmp_path / "x").size == SIZE


@pytest.mark.usefixtures("in_turn")
def test_a_note_that_does_not_fit_the_disk_leaves_no_litter(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(camera(size=SIZE))
    info = session.objects()[0]
    write, notes = os.write, []

    def full(fd: int, data: bytes) -> int:
        if data.startswith(b'{"schema"'):
            notes.append(data)
            if len(notes) > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    session.download(info, tmp_path / "x", chunk=MiB)
    assert len(notes) > 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_that_is_not_described_this_time_costs_nothing_of_what_is_there(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim, info, part = broken(camera, connect, tmp_path, "size")
    there = part.stat().st_size
    sim.faults.add(f"respond=0x2002 on GetObjectInfo handle {info.parent:#x} times 0")
    session = connect(sim, index=False)
    again = session.objects()[0]
    assert again.path != info.path
    assert session.download(again, tmp_path / "x").resumed_at == there
