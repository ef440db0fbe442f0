"""Downloads: part file, journal, resume, verification, the final name; and the chunk policy."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conftest import HASTY, Cameras, Sessions
from downloading import download
from noted import read_note, write_note
from objects_of import content
from ptpfast import (
    CallbackSink,
    ConnectionLost,
    OperationCode,
    ProtocolError,
    PTPError,
    SinkError,
    Timeout,
    Timeouts,
    TransferError,
)
from ptpfast.link import connection as connection_module
from ptpfast.link.chunking import HEALED
from ptpfast.link.healing import MOST_TIMES
from ptpfast.link.pace import Trickle
from ptpfast.ownership import files
from ptpfast.sim import SimulatedCamera
from ptpfast.sim.content import BytesContent
from ptpfast.transfer import ChunkPolicy, ObjectReader, Pace, seam
from ptpfast.transfer import download as download_module
from ptpfast.vendors.quirks import MOST_CHUNK

MiB = 1 << 20
SIZE = 3_000_000


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@contextmanager
def interrupted(error: type[BaseException] | tuple[type[BaseException], ...]) -> Iterator[None]:
    with pytest.raises(error):
        yield


@pytest.mark.parametrize("chunk", [None, 0, 65_536, 1_000_003])
@pytest.mark.parametrize("verify", ["size", "hash"])
def test_a_download_appears_whole_under_its_name_and_nothing_else_stays(
    camera: Cameras, connect: Sessions, tmp_path: Path, chunk: int | None, verify: str
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    path = tmp_path / info.name
    transfer = session.download(info, path, chunk=chunk, verify=verify)
    expected = content(sim, info.handle)
    assert path.read_bytes() == expected
    assert names(tmp_path) == {info.name}
    assert (transfer.size, transfer.received, transfer.resumed_at) == (SIZE, SIZE, 0)
    assert transfer.verified == verify
    if verify == "hash":
        assert transfer.sha256 == hashlib.sha256(expected).hexdigest()
    assert transfer.operation == ("GetObject" if chunk == 0 else "GetPartialObject")
    seconds, received = transfer.timeline
    assert len(seconds) == len(received) >= 1
    assert received[-1] >= SIZE


def test_the_capture_time_becomes_the_files_time(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera())
    info = session.objects()[0]
    session.download(info, tmp_path / "x")
    assert info.captured is not None
    assert (tmp_path / "x").stat().st_mtime == info.captured.timestamp()


def test_an_existing_file_is_not_replaced_unless_asked(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera()
    session = connect(sim)
    info = session.objects()[0]
    path = tmp_path / "x"
    path.write_bytes(b"mine")
    before = sim.operations.total()
    with pytest.raises(FileExistsError):
        session.download(info, path)
    assert path.read_bytes() == b"mine"
    assert sim.operations.total() == before
    session.download(info, path, overwrite=True)
    assert path.read_bytes() == content(sim, info.handle)


def test_a_file_that_appears_meanwhile_is_not_replaced_either(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera())
    path = tmp_path / "x"
    with pytest.raises(FileExistsError):
        session.download(
            session.objects()[0], path, progress=lambda *_: path.write_bytes(b"mine") and None
        )
    assert path.read_bytes() == b"mine"


def test_progress_rises_to_the_size(camera: Cameras, connect: Sessions, tmp_path: Path) -> None:
    session = connect(camera(size=SIZE))
    seen: list[tuple[int, int | None]] = []
    session.download(
        session.objects()[0], tmp_path / "x", progress=lambda *at: seen.append(at), chunk=500_000
    )
    assert seen == sorted(seen)
    assert seen[-1] == (SIZE, SIZE)
    assert len(seen) >= 6


@pytest.mark.parametrize("chunk", [None, 200_000, 0])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop after-total 2000000", ConnectionLost),
        ("reset after-total 2000000", (ConnectionLost, Timeout)),
        ("drop_command after-total 2000000", ConnectionLost),
        ("stall after-total 2000000", Timeout),
        ("black_hole after-total 2000000", Timeout),
    ],
)
def test_after_a_break_the_next_run_goes_on_and_the_file_is_right(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    fault: str,
    error: type[PTPError],
    chunk: int | None,
) -> None:
    sim = camera(size=SIZE, objects=1)
    session = connect(sim, timeouts=HASTY)
    info = session.objects()[0]
    sim.faults.add(fault)
    path = tmp_path / info.name
    with interrupted(error):
        session.download(info, path, chunk=chunk)
    session.close()
    assert names(tmp_path) == {f"{info.name}.part", f"{info.name}.part.json"}
    kept = (tmp_path / f"{info.name}.part").stat().st_size
    assert kept > 1_000_000
    assert content(sim, info.handle).startswith((tmp_path / f"{info.name}.part").read_bytes())

    sim.wait_for(lambda: sim.unclean_ends == 1, timeout=10)
    session = connect(sim)
    transfer = session.download(info, path)
    assert path.read_bytes() == content(sim, info.handle)
    assert names(tmp_path) == {info.name}
    assert transfer.resumed_at == kept
    assert transfer.received == SIZE - kept + seam.OVERLAP


def edit(journal: Path, **changes: object) -> None:
    entry = read_note(journal)
    entry["object"].update(changes)
    write_note(journal, entry)


def broken_download(
    camera: Cameras, connect: Sessions, folder: Path, verify: str = "size", **options: object
) -> tuple[SimulatedCamera, Path]:
    """A camera, and the path of a download that a drop has ended in the middle."""
    sim = camera(size=SIZE, **options)
    session = connect(sim)
    info = session.objects()[0]
    sim.faults.add("drop after-total 2000000")
    with interrupted(ConnectionLost):
        session.download(info, folder / info.name, verify=verify)
    session.close()
    sim.wait_for(lambda: sim.unclean_ends == 1, timeout=10)
    return sim, folder / info.name


def test_everything_there_but_the_response_costs_only_the_overlap(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    path = tmp_path / info.name
    sim.faults.add("drop on GetPartialObject after end at 3")
    with interrupted(ConnectionLost):
        session.download(info, path, chunk=SIZE // 3)
    assert path.with_name(path.name + ".part").stat().st_size == SIZE
    session = connect(sim)
    transfer = session.download(info, path)
    assert transfer.received == seam.OVERLAP
    assert path.read_bytes() == content(sim, info.handle)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda part, journal: part.write_bytes(b"x" * 100_000),
        lambda part, journal: part.write_bytes(part.read_bytes()[:-1] + b"?"),
        lambda part, journal: part.write_bytes(bytes(SIZE + 1)),
        lambda part, journal: part.write_bytes(b""),
        lambda part, journal: journal.write_bytes(journal.read_bytes()[:100]),
        lambda part, journal: journal.write_bytes(bytes(300)),
        lambda part, journal: edit(journal, handle=1),
        lambda part, journal: journal.write_text(json.dumps({**read_note(journal), "schema": 4})),
    ],
    ids=[
        "other bytes",
        "last byte wrong",
        "too long",
        "empty",
        "half a journal",
        "a journal of zeros",
        "another handle",
        "an earlier schema",
    ],
)
def test_a_part_file_that_is_not_proven_is_started_anew(
    camera: Cameras, connect: Sessions, tmp_path: Path, spoil
) -> None:  # type: ignore[no-untyped-def]
    sim, path = broken_download(camera, connect, tmp_path)
    part = path.with_name(path.name + ".part")
    spoil(part, path.with_name(path.name + ".part.json"))
    session = connect(sim)
    info = session.objects()[0]
    transfer = session.download(info, path)
    assert transfer.resumed_at == 0
    assert path.read_bytes() == content(sim, info.handle)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda journal: journal.unlink(), "no journal that names"),
        (lambda journal: journal.write_bytes(b"\xff\0not json"), "no journal"),
        (lambda journal: journal.write_text("[" * 100_000), "no journal"),
        (
            lambda journal: journal.write_text('{"schema": 1, "camera": 3, "evil": []}'),
            "no journal",
        ),
        (lambda journal: edit(journal, camera="another body"), "of another camera"),
        (lambda j: j.write_text(json.dumps({**read_note(j), "schema": 99})), "no journal"),
        (lambda journal: edit(journal, name="OTHER.NEF"), "of another object"),
        (lambda journal: edit(journal, captured="2001-02-03T04:05:06"), "of another object"),
    ],
)
def test_a_part_file_that_nothing_proves_to_be_this_objects_keeps_its_bytes_and_the_name(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    why: str,
) -> None:
    sim, path = broken_download(camera, connect, tmp_path)
    part, journal = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
    spoil(journal)
    before = part.read_bytes(), journal.exists() and journal.read_bytes()
    session = connect(sim)
    with pytest.raises(FileExistsError, match=why):
        session.download(session.objects()[0], path)
    assert (part.read_bytes(), journal.exists() and journal.read_bytes()) == before
    assert not path.exists()


@pytest.mark.parametrize("was", [{"size": SIZE - 1}, {"handle": 77}])
def test_an_object_that_changed_on_the_card_is_started_anew_and_that_is_said(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    was: dict[str, object],
) -> None:
    sim, path = broken_download(camera, connect, tmp_path)
    edit(path.with_name(path.name + ".part.json"), **was)
    session = connect(sim)
    info = session.objects()[0]
    there = path.with_name(path.name + ".part").stat().st_size
    transfer = session.download(info, path)
    assert (transfer.resumed_at, transfer.dropped) == (0, there)
    assert f"before it changed (another {next(iter(was))}); starting over" in caplog.text
    assert path.read_bytes() == content(sim, info.handle)


def test_without_resume_a_part_file_is_started_anew(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim, path = broken_download(camera, connect, tmp_path)
    session = connect(sim)
    assert session.download(session.objects()[0], path, resume=False).resumed_at == 0


def test_a_body_without_partial_reads_starts_anew_and_is_right(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim, path = broken_download(camera, connect, tmp_path)
    sim.faults.add("respond=0x2005 on GetPartialObject times 0")
    session = connect(sim)
    info = session.objects()[0]
    assert session.download(info, path).resumed_at == 0
    assert path.read_bytes() == content(sim, info.handle)


def test_a_resumed_file_is_hashed_from_its_first_byte(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim, path = broken_download(camera, connect, tmp_path, verify="hash")
    session = connect(sim)
    info = session.objects()[0]
    transfer = session.download(info, path, verify="hash")
    assert transfer.resumed_at > 0
    assert transfer.sha256 == hashlib.sha256(content(sim, info.handle)).hexdigest()


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_by_hash_only_bytes_count_whose_hash_is_known_from_their_arrival(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    sim, path = broken_download(camera, connect, tmp_path, verify=verify)
    part = path.with_name(path.name + ".part")
    damaged = bytearray(part.read_bytes())
    damaged[1000] ^= 1  # far before the seam
    part.write_bytes(damaged)
    session = connect(sim)
    info = session.objects()[0]
    transfer = session.download(info, path, verify="hash")
    assert transfer.resumed_at == 0
    assert path.read_bytes() == content(sim, info.handle)


def test_two_runs_do_not_write_into_one_part_file(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    first, second = camera(size=SIZE, seed=1), camera(size=SIZE, seed=2)
    one, two = connect(first), connect(second)
    mine, theirs = one.objects()[0], two.objects()[0]
    refused: list[SinkError] = []

    def meanwhile(received: int, size: int | None) -> None:
        try:
            two.download(theirs, tmp_path / "x")
        except SinkError as error:
            refused.append(error)

    one.download(mine, tmp_path / "x", progress=meanwhile)
    assert refused
    assert "another run" in str(refused[0])
    assert (tmp_path / "x").read_bytes() == content(first, mine.handle)
    assert names(tmp_path) == {"x"}


def test_a_fifo_in_the_way_of_a_part_file_takes_the_name(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "x.part")
    session = connect(camera())
    with pytest.raises(FileExistsError, match="not a regular file"):
        session.download(session.objects()[0], tmp_path / "x")
    assert names(tmp_path) == {"x.part"}


def test_a_link_in_the_way_of_a_journal_is_not_followed(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "x.part.json.new").symlink_to(victim)
    session = connect(camera())
    session.download(session.objects()[0], tmp_path / "x")
    assert victim.read_bytes() == b"precious"


def test_a_part_file_that_is_a_link_is_not_followed(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera()
    session = connect(sim)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "x.part").symlink_to(victim)
    with pytest.raises(FileExistsError, match="it is a symbolic link"):
        session.download(session.objects()[0], folder / "x")
    assert victim.read_bytes() == b"precious"
    assert names(folder) == {"x.part"}


def test_a_part_file_with_two_names_is_not_written_through(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera()
    session = connect(sim)
    first, second = session.objects()[0], session.objects()[1]
    session.download(first, tmp_path / "x")
    os.link(tmp_path / "x", tmp_path / "x.part")  # as a crash between link and unlink leaves it
    session.download(second, tmp_path / "y")
    session.download(second, tmp_path / "x", overwrite=True)
    assert (tmp_path / "x").read_bytes() == content(sim, second.handle)
    assert (tmp_path / "y").stat().st_nlink == 1
    assert not (tmp_path / "x.part").exists()


@pytest.mark.parametrize(
    "fault",
    [
        "short_data on GetPartialObject after 1000 at 2",
        "short_data on GetObject after 1000",
        "announce=unknown on GetObject",
        "length=0 after 5000 on GetObject",
        "length=4294967295 after 5000 on GetObject",
        "overrun=7 on GetObject",
        "announce=+7 on GetObject",
        "announce=1152921504606846976 on GetObject",
        "wrong_tid on GetObject",
        "no_end on GetObject",
        "response_wrong_tid on GetObject",
        "error_after=0x2007 after 5000 on GetObject",
        "vanish after 5000 on GetObject",
        "no_response on GetObject",
        "unknown_packet=0 after 5000 on GetObject",
        "response_first on GetObject",
        "ok_without_data on GetObject",
        "object_size=2999999 on GetObjectInfo times 0",
        "object_size=3000001 on GetObjectInfo times 0",
    ],
)
def test_no_broken_answer_leaves_a_wrong_file_under_the_final_name(
    camera: Cameras, connect: Sessions, tmp_path: Path, fault: str
) -> None:
    sim = camera(size=SIZE, faults=[fault])
    session = connect(sim, timeouts=HASTY)
    info = session.objects()[0]
    expected = content(sim, info.handle)
    path = tmp_path / info.name
    try:
        session.download(info, path, chunk=None if "Partial" in fault else 0)
    except PTPError:
        assert not path.exists()
    if path.exists() and "object_size" not in fault:
        assert path.read_bytes() == expected
    session.close()
    if "object_size" in fault or "vanish" in fault:
        return
    sim.wait_for(lambda: sim.sessions_closed + sim.unclean_ends == 1, timeout=10)
    connect(sim).download(info, path, overwrite=True)
    assert path.read_bytes() == expected


def test_a_size_the_camera_lists_wrongly_is_a_transfer_error(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, faults=["object_size=3000001 on GetObjectInfo times 0"])
    session = connect(sim)
    with pytest.raises(TransferError):
        session.download(session.objects()[0], tmp_path / "x", chunk=0)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_bytes_of_a_broken_answer_are_not_kept(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    sim = camera(size=SIZE, faults=["short_data on GetPartialObject after 1000 at 3"])
    session = connect(sim)
    with pytest.raises(ProtocolError):
        session.download(session.objects()[0], tmp_path / "x", chunk=500_000, verify=verify)
    assert (tmp_path / "x.part").stat().st_size == 1_000_000


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_a_broken_answer_with_requests_ahead_is_read_again_one_at_a_time(
    camera: Cameras, connect: Sessions, tmp_path: Path, verify: str
) -> None:
    sim = camera(size=SIZE, faults=["short_data on GetPartialObject after 1000 at 3"])
    session = connect(sim, depth=2)
    info = session.objects()[0]
    transfer = session.download(info, tmp_path / "x", chunk=500_000, verify=verify)
    whole = content(sim, info.handle)
    assert (tmp_path / "x").read_bytes() == whole
    assert transfer.sha256 == (hashlib.sha256(whole).hexdigest() if verify == "hash" else None)
    assert session.habits.depth == 1


def test_a_file_that_the_disk_changed_is_not_published(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera())
    part = tmp_path / "x.part"

    def spoil(received: int, size: int | None) -> None:
        with part.open("r+b") as file:
            file.write(b"spoiled")

    with pytest.raises(TransferError, match="differs from the received bytes"):
        session.download(session.objects()[0], tmp_path / "x", verify="hash", progress=spoil)
    assert names(tmp_path) == {"x.part", "x.part.json"}
    transfer = session.download(session.objects()[0], tmp_path / "x", verify="hash")
    assert transfer.resumed_at == 0  # the note says whose they are, and that none of them counts


def test_a_folder_that_does_not_exist_is_a_sink_error(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera())
    with pytest.raises(SinkError, match="No such file"):
        session.download(session.objects()[0], tmp_path / "no" / "x")
    assert session.usable


def test_a_verification_nobody_knows_is_refused(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera())
    with pytest.raises(ValueError, match="size, hash"):
        session.download(session.objects()[0], tmp_path / "x", verify="luck")


def test_an_empty_object_becomes_an_empty_file(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera(size=0))
    session.download(session.objects()[0], tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize("refused", [("rename_new",), ("rename_new", "link")])
def test_filesystems_that_cannot_rename_without_replacing_or_link_get_what_they_can(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: tuple[str, ...],
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "not on this filesystem")

    for name in refused:
        monkeypatch.setattr(files if name == "rename_new" else os, name, refuse)
    sim = camera()
    session = connect(sim)
    table = session.objects()
    session.download(table[0], tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content(sim, table[0].handle)
    assert [each.name for each in tmp_path.iterdir()] == ["x"]

    def somebody(received: int, size: int | None) -> None:
        if received == size:
            (tmp_path / "y").write_bytes(b"somebody's")

    with pytest.raises(FileExistsError):
        session.download(table[1], tmp_path / "y", progress=somebody)
    assert (tmp_path / "y").read_bytes() == b"somebody's"


# Chunks


WAIT_S = 0.010


def learn(
    policy: ChunkPolicy,
    seconds_of_body: Callable[[int], float],
    wait_s: float = WAIT_S,
    reads: int = 40,
) -> list[int]:
    """The sizes a policy asks for when each read waits and then takes so long."""
    sizes = []
    for _ in range(reads):
        size = policy.size
        sizes.append(size)
        policy.done(size, wait_s + seconds_of_body(size), wait_s)
    return sizes


def test_chunks_double_while_much_of_the_time_is_waiting_and_stop_at_the_cap() -> None:
    sizes = learn(ChunkPolicy(8 * MiB), lambda size: size / 90e6)
    assert sizes[0] == MiB
    assert sizes == sorted(sizes)
    assert sizes[-1] == 8 * MiB
    assert len([size for size in sizes if size < 8 * MiB]) <= 6


def test_chunks_grow_whatever_the_rate_does_meanwhile() -> None:
    noise = iter([1.0, 1.3, 0.9, 1.2] * 10)  # of the time a body takes
    sizes = learn(ChunkPolicy(8 * MiB), lambda size: next(noise) * size / 50e6)
    assert sizes[-1] >= 4 * MiB


def test_chunks_stay_small_where_waiting_is_a_small_part() -> None:
    assert set(learn(ChunkPolicy(8 * MiB), lambda size: size / 1e6)) == {MiB}


@pytest.mark.parametrize(
    ("rate", "largest"), [(3e6, 4 * MiB), (30e6, 32 * MiB), (110e6, 128 * MiB), (280e6, MOST_CHUNK)]
)
def test_chunks_grow_until_one_takes_about_two_seconds(rate: float, largest: int) -> None:
    sizes = learn(ChunkPolicy(MOST_CHUNK), lambda size: size / rate, wait_s=0.02)
    assert sizes[-1] == largest


def test_chunks_become_smaller_when_the_link_has_become_slower() -> None:
    policy = ChunkPolicy(MOST_CHUNK, start=64 * MiB)
    assert learn(policy, lambda size: size / 5e6, reads=40)[-1] == 16 * MiB


@pytest.mark.parametrize(
    ("cap", "total", "pieces"),
    [
        (MOST_CHUNK, 45_000_000, 10),
        (MOST_CHUNK, 4 * MiB, 1),
        (MOST_CHUNK, 8 * MiB - 1, 1),
        (MOST_CHUNK, 8 * MiB, 2),
        (MOST_CHUNK, 8 * MiB + 1, 2),
        (MOST_CHUNK, 11 * MiB, 2),
        (4 * MiB, 11 * MiB, 3),
        (4 * MiB, 4 * MiB + 1, 2),
        (6 * MiB, 7 * MiB, 2),
        (MOST_CHUNK, 1, 1),
    ],
)
def test_an_object_is_cut_into_pieces_of_one_to_two_chunks_without_a_small_rest(
    cap: int, total: int, pieces: int
) -> None:
    policy = ChunkPolicy(cap, start=4 * MiB)
    left, sizes = total, []
    while left:
        sizes.append(policy.next_size(left))
        left -= sizes[-1]
    assert len(sizes) == pieces
    assert max(sizes) <= min(cap, 8 * MiB)
    if cap == MOST_CHUNK:
        assert max(sizes) - min(sizes) < 65_536 * pieces


def test_a_size_that_was_asked_for_is_used_exactly() -> None:
    policy = ChunkPolicy(MiB, fixed=MiB)
    assert [policy.next_size(left) for left in (3 * MiB, MiB + 1, MiB, 5)] == [MiB, MiB, MiB, 5]


def test_a_size_that_the_camera_refuses_is_the_cap() -> None:
    policy = ChunkPolicy(MOST_CHUNK)
    learn(policy, lambda size: size / 280e6)
    assert policy.refuse(policy.size)
    assert policy.size == 128 * MiB
    assert policy.refuse(128 * MiB)
    assert set(learn(policy, lambda size: size / 280e6)) == {64 * MiB}
    assert policy.refused == 128 * MiB


def test_a_refused_end_of_an_object_is_no_cap_where_larger_reads_have_worked() -> None:
    policy = ChunkPolicy(MOST_CHUNK)
    learn(policy, lambda size: size / 30e6)
    assert policy.refuse(200_000)
    assert (policy.size, policy.cap, policy.refused) == (100_000, MOST_CHUNK, 0)
    assert learn(policy, lambda size: size / 30e6)[-1] > 4 * MiB


def test_a_camera_that_refuses_every_size_does_not_change_the_chunk() -> None:
    policy = ChunkPolicy(MOST_CHUNK)
    while policy.refuse(policy.size):
        pass
    assert (policy.size, policy.cap, policy.refused) == (MiB, MOST_CHUNK, 0)


def test_a_refused_chunk_is_asked_for_again_in_smaller_ones(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=3 * MiB, objects=1, faults=["respond=0x201D on GetPartialObject times 2"])
    session = connect(sim)
    info = session.objects()[0]
    assert session.read(info) == content(sim, info.handle)
    assert session.habits.chunks.cap == MiB // 4


def test_the_next_session_begins_where_the_last_one_has_settled(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=3 * MiB, objects=1, faults=["respond=0x201D on GetPartialObject times 1"])
    with connect(sim) as session:
        session.read(session.objects()[0])
        assert session.habits.chunks.size == MiB // 2
    session = connect(sim)
    assert session.habits.chunks.size == session.habits.chunks.cap == MiB // 2
    assert session.read(session.objects()[0]) == content(sim, session.objects()[0].handle)


def test_one_hiccup_does_not_make_chunks_grow() -> None:
    policy = ChunkPolicy(8 * MiB)
    policy.done(MiB, 1.0, 0.10)
    policy.done(MiB, 0.9, 0.001)
    assert policy.size == MiB


def test_chunks_grow_later_when_the_link_has_become_faster() -> None:
    policy = ChunkPolicy(8 * MiB)
    learn(policy, lambda size: size / 2.3e6)
    assert learn(policy, lambda size: size / 90e6)[-1] == 8 * MiB


def test_chunks_go_back_and_stay_where_large_ones_are_slower() -> None:
    sizes = learn(ChunkPolicy(32 * MiB), lambda size: (size / 20e6) ** 2)
    assert max(sizes) == 16 * MiB
    assert set(sizes[-20:]) == {4 * MiB}


def test_quick_chunks_go_back_where_larger_ones_are_a_little_slower() -> None:
    # As over loopback: beyond the processor's cache each byte costs more.
    rates = {MiB: 1.5e9, 2 * MiB: 1.5e9, 4 * MiB: 1.35e9, 8 * MiB: 1.2e9}
    policy = ChunkPolicy(MOST_CHUNK)
    sizes = learn(policy, lambda size: size / rates.get(size, 1e9), wait_s=0.00008)
    assert max(sizes) == 4 * MiB
    assert set(sizes[-20:]) == {2 * MiB}


def test_quick_chunks_grow_where_a_few_of_them_are_slower_by_chance() -> None:
    noise = iter([1.0, 1.2, 0.95, 1.1, 1.0] * 100)
    policy = ChunkPolicy(MOST_CHUNK)
    sizes = learn(policy, lambda size: next(noise) * size / 1e9, wait_s=0.0003, reads=80)
    assert sizes[-1] >= 8 * MiB


def test_a_cap_below_the_first_chunk_is_kept() -> None:
    assert set(learn(ChunkPolicy(MiB // 2), lambda size: size / 90e6)) == {MiB // 2}


def test_a_failure_halves_the_chunk_and_it_stays() -> None:
    policy = ChunkPolicy(8 * MiB)
    learn(policy, lambda size: size / 90e6)
    policy.failed()
    assert set(learn(policy, lambda size: size / 90e6)) == {4 * MiB}
    for _ in range(20):
        policy.failed()
    assert policy.size == 65_536


def test_chunks_grow_again_when_much_has_come_after_a_failure() -> None:
    policy = ChunkPolicy(8 * MiB)
    learn(policy, lambda size: size / 90e6)
    for _ in range(20):  # chance losses of days
        policy.failed()
        assert policy.size == 4 * MiB
        assert set(learn(policy, lambda size: size / 90e6, reads=HEALED // (4 * MiB))) == {4 * MiB}
        assert learn(policy, lambda size: size / 90e6, reads=100)[-1] == 8 * MiB


def test_the_size_at_which_a_camera_fails_each_time_is_tried_ever_more_rarely() -> None:
    policy = ChunkPolicy(8 * MiB, start=4 * MiB)
    came, at = 0, []
    while len(at) < 12:
        size = policy.size
        if size == 8 * MiB:
            policy.failed()
            at.append(came)
            continue
        policy.done(size, WAIT_S + size / 90e6, WAIT_S)
        came += size
    between = [later - before for before, later in pairwise(at)]
    assert between[0] < 1.2 * HEALED
    for before, later in pairwise(between[:6]):
        assert later > 1.8 * before
    assert MOST_TIMES * HEALED <= between[-1] < 1.1 * MOST_TIMES * HEALED


@pytest.mark.parametrize("why", ["broke off", "stalled"])
def test_objects_are_read_whole_again_when_much_has_come_after_a_failure(why: str) -> None:
    policy = ChunkPolicy(8 * MiB, fixed=0)
    for _ in range(5):
        if why == "stalled":
            policy.whole_paused(3.0, 40 * MiB)
        else:
            policy.whole_failed()
        assert not policy.is_whole(40 * MiB)
        learn(policy, lambda size: size / 90e6, reads=HEALED // MiB)
        assert policy.is_whole(40 * MiB)
        for _ in range(7):
            policy.whole_paused(0.1, 40 * MiB)


# What a read waits for its first byte, and the longest it waits later, in seconds.
JITTER = [(0.030, 0.020), (0.045, 0.160), (0.012, 0.004), (0.028, 0.400), (0.150, 0.030)]


def pause(policy: ChunkPolicy, pauses: Iterable[tuple[float | None, float]]) -> int:
    """What is asked for after reads with these pauses in them."""
    for waited, silence in pauses:
        policy.paused(waited, silence)
    return policy.size


@pytest.mark.parametrize("pauses", [(0.012, 3.0), (3.0, 0.004), (None, 3.0)])
def test_a_stall_halves_the_chunk_and_it_stays(
    pauses: tuple[float | None, float], caplog: pytest.LogCaptureFixture
) -> None:
    policy = ChunkPolicy(8 * MiB)
    pause(policy, JITTER)
    learn(policy, lambda size: size / 90e6)
    with caplog.at_level(logging.INFO, "ptpfast"):
        assert pause(policy, [pauses]) == 4 * MiB
    assert "chunks of 4096 KiB instead of 8192: nothing came for 3.0 s, usually 0.1" in caplog.text
    assert set(learn(policy, lambda size: size / 90e6)) == {4 * MiB}
    assert pause(policy, JITTER * 4) == 4 * MiB
    assert pause(policy, [pauses]) == 2 * MiB


def test_a_stall_in_the_first_read_counts_and_the_wait_for_a_card_that_slept_does_not() -> None:
    assert pause(ChunkPolicy(8 * MiB), [(0.0, 2.5)]) == MiB // 2
    assert pause(ChunkPolicy(8 * MiB), [(4.0, 0.0)]) == MiB


def test_hiccups_of_a_radio_do_not_make_chunks_smaller() -> None:
    policy = ChunkPolicy(8 * MiB)
    # Away for half a second every five, and TCP tries again a while after.
    for outage in [0.5, 0.7, 0.9, 1.2, 1.4] * 20:
        assert pause(policy, [*JITTER, (0.030, outage), (outage, 0.020)]) == MiB
    assert learn(policy, lambda size: size / 90e6)[-1] == 8 * MiB


def test_a_card_that_is_slow_to_begin_does_not_stall() -> None:
    policy = ChunkPolicy(8 * MiB)
    assert pause(policy, [(2.5, 0.1)] * 3 + [(5.0, 0.1)] * 3 + [(10.0, 0.1)] * 9) == MiB
    assert pause(policy, [(None, 0.1)] * 40 + [(10.0, 0.1)]) == MiB  # nobody knew of these waits
    assert pause(policy, [(60.0, 0.1)]) == MiB // 2


def test_stalls_alone_do_not_make_chunks_too_small_to_be_of_use() -> None:
    policy = ChunkPolicy(8 * MiB)
    assert pause(policy, [*JITTER, (0.030, 3.0)] * 20) == MiB // 2
    policy.failed()
    assert policy.size == MiB // 4
    assert pause(policy, [*JITTER, (0.030, 3.0)] * 2) == MiB // 4


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("after", [0, 300_000])
def test_a_read_that_stalls_and_goes_on_halves_the_chunk(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch, after: int, depth: int
) -> None:
    monkeypatch.setattr("ptpfast.link.chunking.STALL_S", 1.0)
    sim = camera(size=20 * MiB, objects=1)
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    session.habits.chunks.chunk = session.habits.chunks.cap = 2 * MiB
    sim.faults.add(f"stall=1.2 on GetPartialObject after {after} at 3")
    assert session.read(info) == content(sim, info.handle)
    asked = [e.parameters[2] for e in sim.log if e.operation == OperationCode.GetPartialObject]
    ahead = 3 + depth - 1  # with what had left by then
    assert asked == [2 * MiB] * ahead + [MiB] * (20 - 2 * ahead)
    assert session.habits.chunks.size == MiB
    assert session.habits.depth == depth
    assert sim.connections == 1


def test_what_our_disk_takes_is_no_stall_of_the_camera(
    camera: Cameras, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ptpfast.link.chunking.STALL_S", 0.4)
    sim = camera(size=4 * MiB, objects=1)
    session = connect(sim)
    info = session.objects()[0]
    never = threading.Event()
    arrived = bytearray()

    def slow(view: memoryview) -> None:
        if len(arrived) == MiB // 2:  # in the middle of a chunk
            never.wait(0.5)
        arrived.extend(view)

    ObjectReader(session.camera, info).read(CallbackSink(slow, chunk_size=MiB // 4), 0)
    assert arrived == content(sim, info.handle)
    assert session.habits.chunks.size >= MiB


def test_a_broken_answer_halves_the_chunk_once(camera: Cameras, connect: Sessions) -> None:
    sim = camera(size=4 * MiB, objects=1, faults=["short_data on GetPartialObject after 1000 at 2"])
    session = connect(sim, depth=2)
    info = session.objects()[0]
    session.habits.chunks.chunk = MiB
    session.habits.chunks.cap = MiB
    assert session.read(info) == content(sim, info.handle)
    assert session.habits.chunks.size == MiB // 2


def test_a_rate_is_not_compared_with_one_under_other_conditions() -> None:
    policy = ChunkPolicy(8 * MiB)
    policy.done(MiB, 0.02, 0.01)
    assert policy.size == 4 * MiB
    policy.done(4 * MiB, 0.08, 0.001)  # one of two
    policy.forget()
    policy.done(4 * MiB, 0.24, 0.06)
    assert policy.size == 8 * MiB


@pytest.mark.parametrize("depth", [1, 4])
def test_a_busy_camera_is_not_slow_because_of_the_chunk(
    camera: Cameras, connect: Sessions, depth: int
) -> None:
    sim = camera(size=20 * MiB, objects=1, faults=["busy on GetPartialObject"])
    session = connect(sim, depth=depth)
    info = session.objects()[0]
    session.habits.chunks.chunk = session.habits.chunks.cap = 2 * MiB
    session.habits.chunks._before = 1e12  # bytes per second that it will not reach again
    assert session.read(info) == content(sim, info.handle)
    assert session.habits.chunks.size == 2 * MiB


def test_a_fixed_chunk_is_not_changed() -> None:
    policy = ChunkPolicy(MiB, fixed=12_345)
    assert set(learn(policy, lambda size: 1e-9)) == {12_345}
    policy.failed()
    assert pause(policy, [*JITTER, (0.030, 3.0)]) == 12_345


def test_a_vendors_cap_bounds_what_is_asked_for(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    sim = camera("nikon", size=30 * MiB, objects=1)
    session = connect(sim)
    session.download(session.objects()[0], tmp_path / "x")
    asked = {
        entry.parameters[2]
        for entry in sim.log
        if entry.operation == OperationCode.GetPartialObject
    }
    assert asked == {MiB}


def test_a_transfer_tells_the_sizes_it_asked_for(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    session = connect(camera(size=3 * MiB, objects=2))
    first, second = session.objects()
    assert session.download(first, tmp_path / "a", chunk=MiB).chunks == [MiB]
    assert session.download(second, tmp_path / "b", chunk=0).chunks == []
    session.habits.chunks.failed()
    third = session.download(first, tmp_path / "c")
    assert third.chunks == [MiB // 2]


# Pace


def feed(pace: Pace, rates: list[float], start: float = 100.0) -> None:
    pace.resume(start)
    for second, rate in enumerate(rates, 1):
        pace.add(int(rate), start + second)


def test_a_connection_that_falls_to_a_trickle_is_noticed() -> None:
    pace = Pace()
    feed(pace, [2e6] * 60)
    with pytest.raises(Trickle, match="the rate fell from 2,000 to"):
        feed(pace, [50e3] * 60)


def test_a_short_fade_and_a_slow_link_are_no_trickle() -> None:
    pace = Pace()
    feed(pace, [2e6] * 60 + [0.1e6] * 8 + [2e6] * 60)
    feed(pace, [0.5e6] * 200)
    feed(Pace(), [30e3] * 200)


def test_a_trickle_is_told_once_and_then_taken_for_what_there_is() -> None:
    pace = Pace()
    feed(pace, [2e6] * 60)
    with pytest.raises(Trickle):
        feed(pace, [50e3] * 60)
    feed(pace, [50e3] * 200)


def test_time_between_objects_does_not_count() -> None:
    pace = Pace()
    for number in range(100):
        feed(pace, [2e6] * 2, start=1000.0 * number)


def test_a_long_silence_counts_as_all_its_seconds() -> None:
    pace = Pace()
    feed(pace, [2e6] * 40)
    pace.resume(500.0)
    with pytest.raises(Trickle):
        pace.add(1000, 520.0)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_trickling_connection_is_opened_anew_and_the_object_goes_on(
    camera: Cameras, connect: Sessions, tmp_path: Path, depth: int
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim, depth=depth)
    info = session.objects()[0]

    class Once(Pace):
        """Finds a trickle at the fourth report."""

        reports = 0

        def add(self, size: int, now: float | None = None) -> None:
            self.reports += 1
            if self.reports == 4:
                raise Trickle("the rate fell from 2,000 to 3 kB/s")

    session.habits.pace = Once()
    transfer = session.download(info, tmp_path / "x", chunk=200_000)
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)
    assert transfer.received == SIZE
    assert sim.connections == 2
    assert session.habits.depth == depth


def test_a_connection_that_trickled_is_asked_for_less_at_a_time(
    camera: Cameras, connect: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    sim = camera(size=4 * MiB, objects=1)
    session = connect(sim)
    info = session.objects()[0]

    class Once(Pace):
        """Finds a trickle at the second report."""

        reports = 0

        def add(self, size: int, now: float | None = None) -> None:
            self.reports += 1
            if self.reports == 2:
                raise Trickle("the rate fell from 2,000 to 3 kB/s")

    session.habits.pace = Once()
    session.habits.chunks.cap = MiB  # it does not grow before
    with caplog.at_level(logging.INFO, "ptpfast"):
        assert session.read(info) == content(sim, info.handle)
    assert session.habits.chunks.size == MiB // 2
    assert "chunks of 512 KiB instead of 1024: the rate fell from 2,000 to 3 kB/s" in caplog.text


def test_an_object_may_take_no_longer_than_the_total(camera: Cameras, connect: Sessions) -> None:
    timeouts = Timeouts(total=0.0)
    session = connect(camera(size=SIZE), timeouts=timeouts)
    with pytest.raises(Timeout, match="not complete after 0 s"):
        session.read(session.objects()[0])
    assert session.storage_ids()


def test_the_total_blames_neither_the_requests_sent_ahead_nor_their_size(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim, timeouts=Timeouts(total=0.0), depth=3)
    info, before = session.objects()[0], session.habits.chunks.size
    with pytest.raises(Timeout, match="not complete after 0 s") as caught:
        session.read(info)
    assert "allow more time" in caught.value.hint
    assert session.habits.depth == 3
    assert session.habits.chunks.size >= before
    assert sim.connections == 1


def test_the_first_byte_may_be_waited_for_otherwise_than_an_answer(
    camera: Cameras, connect: Sessions
) -> None:
    sim = camera(size=SIZE)
    session = connect(sim, timeouts=Timeouts(operation=30, first_byte=0.2))
    info = session.objects()[0]
    sim.faults.add("stall on GetPartialObject")
    with pytest.raises(Timeout):
        session.read(info)


@pytest.mark.parametrize(
    "change", [{"content": BytesContent(bytes(SIZE + 1000))}, {"name": "OTHER.DNG"}, {}]
)
@pytest.mark.parametrize("depth", [1, 3])
def test_an_object_that_is_another_one_at_the_end_gets_no_name(
    camera: Cameras,
    connect: Sessions,
    tmp_path: Path,
    change: dict[str, Any],
    depth: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download_module, "LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(connection_module, "PAUSE_S", 0.0)
    sim = camera(size=SIZE)
    session = connect(sim, depth=depth)
    info, after = session.objects()[:2]
    changes = [change]

    def grow(received: int, size: int | None) -> None:
        if received >= SIZE // 2 and changes and (change := changes.pop()):
            sim.store.replace(info.handle, **change)

    path = tmp_path / info.name
    options: dict[str, Any] = {"chunk": 500_000, "progress": grow, "then": [after]}
    if not change:
        download(session, info, path, **options)
        assert path.read_bytes() == content(sim, info.handle)
        return
    with pytest.raises(TransferError, match=r"is no longer .*"):
        download(session, info, path, **options)
    assert names(tmp_path) == {info.name + ".part", info.name + ".part.json"}
    now = session.object_info(info.handle)
    path = tmp_path / now.name
    assert session.download(now, path).resumed_at == 0
    assert path.read_bytes() == content(sim, info.handle)


def test_a_camera_that_will_not_describe_it_once_more_costs_no_file(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "LOOK_AGAIN_S", 0.0)
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    sim.faults.add("respond=0x2002 on GetObjectInfo times 0")
    session.download(info, tmp_path / "x", chunk=500_000)
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)


def test_a_connection_lost_while_it_is_looked_at_once_more_costs_no_byte(
    camera: Cameras, connect: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "LOOK_AGAIN_S", 0.0)
    sim = camera(size=SIZE)
    session = connect(sim)
    info = session.objects()[0]
    sim.faults.add("drop on GetObjectInfo")
    with pytest.raises(ConnectionLost):
        session.download(info, tmp_path / "x", chunk=500_000, verify="hash")
    transfer = connect(sim).download(info, tmp_path / "x", verify="hash")
    assert transfer.resumed_at == SIZE
    assert (tmp_path / "x").read_bytes() == content(sim, info.handle)
