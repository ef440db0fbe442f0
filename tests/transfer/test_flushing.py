"""A long file is flushed while its bytes go on: what the journal says, and what a failure does."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from conftest import Cameras, Sessions
from noted import read_note
from objects_of import content
from ptpfast import SinkError
from ptpfast.transfer import checkpoint, part
from ptpfast.transfer.flushing import Flush

MiB = 1 << 20
SIZE = 6 * MiB


class SlowDisk:
    """A disk on which the first flush of a part file lasts until `go_on` is set."""

    def __init__(self, error: OSError | None = None) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.ended = threading.Event()
        self._error = error
        self._original = part.sync_file

    def sync(self, fd: int) -> None:
        if self.begun.is_set():
            self._original(fd)
            return
        self.begun.set()
        assert self.go_on.wait(20)
        if self._error is not None:
            raise self._error
        self._original(fd)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    slow = SlowDisk()
    monkeypatch.setattr(part, "sync_file", slow.sync)
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    return slow


def test_bytes_go_on_while_a_flush_lasts(
    camera: Cameras, connect: Sessions, tmp_path: Path, disk: SlowDisk
) -> None:
    session = connect(camera(size=SIZE))
    info = session.objects()[0]
    begun: list[int] = []

    def progress(received: int, size: int | None) -> None:
        if disk.begun.is_set():
            begun.append(received)
        if received == SIZE:
            disk.go_on.set()

    session.download(info, tmp_path / "x", chunk=MiB, progress=progress)
    assert begun[0] < begun[-1] == SIZE
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_the_journal_speaks_of_a_flush_when_it_has_ended_and_of_its_bytes_only(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowDisk()
    flush = checkpoint.Checkpoint._flush_and_note

    def seen(self: checkpoint.Checkpoint, kept: checkpoint.Kept) -> None:
        flush(self, kept)
        slow.ended.set()

    monkeypatch.setattr(part, "sync_file", slow.sync)
    monkeypatch.setattr(checkpoint.Checkpoint, "_flush_and_note", seen)
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    monkeypatch.setattr(checkpoint, "NOTE_S", 0.0)
    monkeypatch.setattr(checkpoint, "NOTE_SHARE", 1e9)
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    told: dict[int, tuple[int, int]] = {}

    def progress(received: int, size: int | None) -> None:
        note = read_note(tmp_path / "x.part.json")
        arrived = note.get("arrived", {"size": 0})["size"]
        told[received] = note["kept"]["size"], arrived
        if received == 4 * MiB:
            monkeypatch.setattr(checkpoint, "KEEP_S", 1e9)  # no second one
            slow.go_on.set()
            assert slow.ended.wait(20)

    session.download(info, tmp_path / "x", chunk=MiB, progress=progress)
    kept, arrived = told[4 * MiB]
    assert kept == 0  # the flush was under way
    assert MiB <= arrived <= 3 * MiB
    assert told[5 * MiB][0] == told[6 * MiB][0] == MiB
    assert told[5 * MiB][1] >= arrived  # no note was lost meanwhile
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_a_flush_that_fails_fails_the_file_at_the_latest_at_its_end(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowDisk(OSError(5, "Input/output error"))
    monkeypatch.setattr(part, "sync_file", slow.sync)
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]

    def progress(received: int, size: int | None) -> None:
        if received == SIZE:
            slow.go_on.set()

    with pytest.raises(SinkError, match="Input/output error"):
        session.download(info, tmp_path / "x", chunk=MiB, progress=progress)
    assert not (tmp_path / "x").exists()
    assert session.download(info, tmp_path / "x").resumed_at == 0
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_the_end_of_a_download_waits_for_a_flush_under_way(
    camera: Cameras, connect: Sessions, tmp_path: Path, disk: SlowDisk
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]

    def progress(received: int, size: int | None) -> None:
        if received >= 3 * MiB:
            threading.Timer(0.05, disk.go_on.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.download(info, tmp_path / "x", chunk=MiB, progress=progress)
    assert disk.go_on.is_set()
    assert read_note(tmp_path / "x.part.json")["kept"]["size"] == 3 * MiB
    session.reconnect()
    assert session.download(info, tmp_path / "x").resumed_at == 3 * MiB
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_without_a_thread_the_flush_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[int] = []
    flush = Flush(lambda: done.append(os.getpid()))
    flush.start()
    assert done == [os.getpid()]
    assert flush.is_done
    flush.settle()
