"""A described size is not believed where it may be wrong: the object is read behind its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras, Sessions
from ptpfast import ObjectInfo, OperationCode, Report, Session, TransferError, Unreadable, pull
from ptpfast.library.keep import deletion as deletion_module
from ptpfast.library.keep import endings
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store, check
from ptpfast.transfer import ObjectReader
from ptpfast.vendors.body import ObjectRange, Reply
from ptpfast.vendors.nikon import NikonOperation

SAID, SIZE = 300_000, 3_000_000
LIES = f"object_size={SAID} on GetObjectInfo times 0"
NO_BULK = [OperationCode.GetObjectPropList]  # it tells true sizes
PARTIAL, WIDE = OperationCode.GetPartialObject, NikonOperation.GetPartialObjectEx


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(deletion_module, "LATE_S", 0)


def card(name: str = "CLIP.MOV", size: int = SIZE) -> Store:
    store = Store()
    store.add(name, size)
    return store


def fetch(camera: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{camera.host}:{camera.port}", folder, timeouts=PATIENT, **options)


def assert_whole_or_failed(sim: SimulatedCamera, folder: Path, report: Report) -> bool:
    """The true object is here, or it has failed; what has failed is on the card. Whether it is."""
    (result,) = report.files
    (path,) = [entry for entry in folder.iterdir() if entry.suffix in (".MOV", ".NEF")] or [None]
    if result.status == "failed":
        assert isinstance(result.error, TransferError)
        assert path is None
        assert sim.store.files()
        return False
    assert path is not None
    assert check(CONTENTS.pop(), path)
    return True


CONTENTS: list[Any] = []


@pytest.fixture
def lying(camera: Cameras) -> Any:
    def make(name: str = "CLIP.MOV", size: int = SIZE, said: int = SAID, **more: Any) -> Any:
        store = card(name, size)
        CONTENTS[:] = [store.expected(store.files()[0].handle)]
        more.setdefault("withheld", NO_BULK)
        more.setdefault("faults", [f"object_size={said} on GetObjectInfo times 0"])
        return camera(more.pop("vendor", "standard"), store=store, **more)

    return make


def described(session: Session) -> ObjectInfo:
    (info,) = session.objects()
    return info


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("chunk", [None, 100_000, 0])
@pytest.mark.parametrize(("name", "delete"), [("A.MOV", False), ("A.MOV", True), ("A.NEF", True)])
def test_an_object_that_is_larger_than_described_is_whole_or_fails(
    lying: Any, tmp_path: Path, vendor: str, depth: int, chunk: int | None, name: str, delete: bool
) -> None:
    sim = lying(name, vendor=vendor)
    report = fetch(sim, tmp_path, chunk=chunk, depth=depth, delete_verified=delete)
    assert assert_whole_or_failed(sim, tmp_path, report)
    assert report.files[0].size == SIZE
    assert report.deleted == delete


@pytest.mark.parametrize("delete", [False, True])
def test_a_whole_object_that_no_partial_read_reaches_tells_itself(
    lying: Any, tmp_path: Path, delete: bool
) -> None:
    sim = lying(withheld=[*NO_BULK, PARTIAL])
    report = fetch(sim, tmp_path, delete_verified=delete)
    assert not assert_whole_or_failed(sim, tmp_path, report)
    assert report.deleted == 0


@pytest.mark.parametrize("name", ["CLIP.MOV", "CLIP"])
def test_what_goes_to_memory_is_whole(lying: Any, connect: Sessions, name: str) -> None:
    session = connect(lying(name))
    info = described(session)
    assert info.size == SAID
    whole = b"".join(CONTENTS[0].spans(0, SIZE))
    assert session.read(info) == whole
    assert b"".join(map(bytes, session.stream(info, 70_000))) == whole
    buffer = bytearray(SIZE)
    assert (session.read_into(info, buffer), buffer) == (SIZE, whole)
    assert session.read_into(info, buffer, offset=SAID - 10, size=1000) == 1000
    assert buffer[:1000] == whole[SAID - 10 : SAID + 990]
    with session.open(info) as file:
        assert file.read() == whole


@pytest.mark.parametrize("room", [SAID, SIZE - 1])
@pytest.mark.parametrize(("offset", "size"), [(0, None), (0, SIZE), (1, None)])
def test_an_object_that_outgrows_a_buffer_of_the_listed_size_is_a_transfer_error(
    lying: Any, connect: Sessions, room: int, offset: int, size: int | None
) -> None:
    session = connect(lying())
    info = described(session)
    buffer = bytearray(room - offset)
    with pytest.raises(TransferError, match=r"has 3,000,000 bytes, but .* lists 300,000") as caught:
        session.read_into(info, buffer, offset=offset, size=size)
    assert caught.value.hint == f"use a buffer of {SIZE - offset:,} bytes"
    assert not any(buffer)
    assert session.read_into(info, bytearray(SIZE)) == SIZE


@pytest.mark.parametrize("name", ["CLIP.MOV", "A.NEF"])
def test_a_buffer_smaller_than_what_is_listed_is_refused_before_the_end_is_looked_for(
    lying: Any, connect: Sessions, name: str
) -> None:
    sim = lying(name)
    session = connect(sim)
    info = described(session)
    for offset, size, needed in ((0, None, SAID), (10, None, SAID - 10), (0, 1000, 1000)):
        with pytest.raises(ValueError, match=f"{needed:,} bytes do not fit into a buffer of"):
            session.read_into(info, bytearray(needed - 1), offset=offset, size=size)
    assert not reads(sim)


def test_an_object_of_unknown_size_that_does_not_fit_is_a_transfer_error(
    lying: Any, connect: Sessions
) -> None:
    session = connect(lying(said=0))
    info = described(session)
    buffer = bytearray(1000)
    with pytest.raises(TransferError, match="1,000 bytes; its size is not known") as caught:
        session.read_into(info, buffer)
    assert caught.value.received == 1000
    assert buffer == b"".join(CONTENTS[0].spans(0, 1000))
    with pytest.raises(ValueError, match="2,000 bytes do not fit"):
        session.read_into(info, buffer, size=2000)


def test_a_held_object_of_unknown_size_that_does_not_fit_is_a_transfer_error(
    lying: Any, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connect(lying(said=0))
    info = described(session)
    monkeypatch.setattr(session.link.dialect, "held", lambda handle: bytes(range(100)))
    with pytest.raises(TransferError, match="a buffer of 99 bytes; its size is not known"):
        session.read_into(info, bytearray(99))
    buffer = bytearray(100)
    assert session.read_into(info, buffer) == 100
    assert buffer == bytes(range(100))


def test_a_part_of_an_object_in_memory_costs_no_look_at_its_end(
    lying: Any, connect: Sessions
) -> None:
    sim = lying()
    session = connect(sim)
    session.read_into(described(session), bytearray(100), offset=5, size=100)
    assert reads(sim) == [(5, 100)]


@pytest.mark.parametrize("delete", [False, True])
@pytest.mark.parametrize("here", [100_000, SAID])
def test_a_part_of_what_was_described_is_continued_to_the_true_end(
    lying: Any, connect: Sessions, tmp_path: Path, delete: bool, here: int
) -> None:
    sim = lying()
    sim.faults.add(f"drop on GetPartialObject after-total {here + 2000}")
    with pytest.raises(Exception, match="connection"):
        fetch(sim, tmp_path, chunk=50_000, retry=0)
    sim.faults.clear()
    sim.faults.add(LIES)
    report = fetch(sim, tmp_path, chunk=50_000, delete_verified=delete)
    assert assert_whole_or_failed(sim, tmp_path, report)


# Sizes modulo 4 GiB. The bytes are made up as they are sent.

LARGE = (1 << 32) + 700_000


@pytest.mark.parametrize("body", [None, "nikon-z6"])
def test_the_true_size_is_found_where_reads_reach_it(
    lying: Any, connect: Sessions, body: str | None
) -> None:
    sim = lying(size=LARGE, said=700_000, body=body)
    session = connect(sim)
    info = described(session)
    assert info.size == 700_000
    reader = ObjectReader(session.camera, info)
    reader.find_end()
    # Where 32 bits are all there is, the whole object tells.
    assert reader.size == (LARGE if body else None)
    assert sim.payload_bytes < 10_000


@pytest.mark.parametrize("body", [None, "nikon-z6"])
@pytest.mark.parametrize("delete", [False, True])
def test_an_object_of_more_than_four_gib_is_never_stored_by_its_size_modulo(
    lying: Any, tmp_path: Path, body: str | None, delete: bool
) -> None:
    sim = lying(size=LARGE, said=700_000, body=body)
    sim.faults.add("drop after-total 1500000 times 0")
    with pytest.raises(Exception, match="connection"):
        fetch(sim, tmp_path, retry=0, delete_verified=delete)
    assert not (tmp_path / "CLIP.MOV").exists()
    assert (tmp_path / "CLIP.MOV.part").stat().st_size > 700_000
    assert sim.store.files()


def test_a_movie_whose_size_is_described_modulo_is_known_again(
    lying: Any, connect: Sessions, tmp_path: Path
) -> None:
    sim = lying(size=LARGE, said=700_000)
    with connect(sim) as session:
        info = session.objects()[0]
    assert info.captured is not None
    file = tmp_path / "CLIP.MOV"
    with file.open("wb") as made:
        made.truncate(LARGE)
    os.utime(file, (info.captured.timestamp(),) * 2)
    assert fetch(sim, tmp_path).skipped == 1
    os.truncate(file, LARGE - 1)
    os.utime(file, (info.captured.timestamp(),) * 2)
    assert fetch(sim, tmp_path, dry_run=True).count("planned") == 1


# What proves an end, and what does not


def reads(sim: SimulatedCamera) -> list[tuple[int, ...]]:
    return [row.parameters[1:3] for row in sim.log if row.operation == PARTIAL]


def test_a_picture_that_stays_costs_one_read(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=8)
    fetch(sim, tmp_path)
    assert reads(sim) == [(0, 300_000)] * 8


def test_a_movie_costs_one_read_more(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card(size=300_000))
    fetch(sim, tmp_path)
    assert reads(sim) == [(299_999, 2), (0, 300_000)]


def behaves(
    monkeypatch: pytest.MonkeyPatch,
    sim: SimulatedCamera,
    answer: Callable[[int, int, int], Reply | None],
    code: int = PARTIAL,
) -> None:
    """Answers a partial read of (handle, offset, size) in another way, None in the usual one."""
    original = sim.body._table[code]

    def read(body: Any, request: Any, data: bytes) -> Any:
        handle, offset, *more = request.parameters
        if code == WIDE:
            offset += more.pop(0) << 32
        return answer(handle, offset, more[0]) or original(body, request, data)

    monkeypatch.setitem(sim.body._table, code, read)


@pytest.mark.parametrize("code", [0x201D, 0x2002, 0x2006, 0x2009])
@pytest.mark.parametrize("said", [SIZE, SAID])
def test_a_body_that_refuses_reads_behind_the_end_proves_it_so(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: int
) -> None:
    sim = lying("A.NEF", said=said)
    behaves(monkeypatch, sim, lambda _, at, size: Reply(code) if at + size > SIZE else None)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert assert_whole_or_failed(sim, tmp_path, report)
    assert report.deleted == 1


def test_a_refusal_proves_nothing_where_the_last_byte_is_refused_too(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = lying("A.NEF")
    behaves(monkeypatch, sim, lambda _, at, size: Reply(0x2002) if size < 1000 else None)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert (report.deleted, report.files[0].left) == (0, endings.END_UNKNOWN)
    assert sim.store.files()


def test_a_refusal_where_a_body_cannot_count_further_is_no_end(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = lying(size=LARGE, said=700_000)
    behaves(monkeypatch, sim, lambda _, at, size: Reply(0x201D) if at + size > 1 << 31 else None)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert not assert_whole_or_failed(sim, tmp_path, report)
    assert "its end cannot be found" in str(report.files[0].error)


@pytest.mark.parametrize("fault", ["respond=0x2002", "busy", "ok_without_data", "drop"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_whim_while_the_end_is_looked_for_proves_nothing(
    lying: Any, tmp_path: Path, fault: str, at: int
) -> None:
    sim = lying(faults=[LIES, f"{fault} on GetPartialObject at {at}"])
    report = fetch(sim, tmp_path, delete_verified=True)
    assert_whole_or_failed(sim, tmp_path, report)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TransferError("more came"), f"{endings.LONGER}: more came"),
        (
            Unreadable("2 errors at the same place"),
            f"{endings.END_UNKNOWN}: 2 errors at the same place",
        ),
        (OSError(5, "Input/output error"), "the file here is not proven: Input/output error"),
    ],
)
def test_an_error_while_the_end_is_looked_for_deletes_nothing(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    class Failing(ObjectReader):
        def find_end(self) -> None:
            raise error

    monkeypatch.setattr(endings, "ObjectReader", Failing)
    sim = lying("A.NEF")
    report = fetch(sim, tmp_path, delete_verified=True)
    assert (report.deleted, report.files[0].left) == (0, reason)
    assert sim.store.files()


def test_a_body_that_a_read_behind_the_end_breaks_is_not_asked_for_ever(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = lying(said=SIZE)

    def breaks(handle: int, offset: int, size: int) -> None:
        if offset + size > SIZE:
            raise ConnectionResetError

    behaves(monkeypatch, sim, breaks)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert assert_whole_or_failed(sim, tmp_path, report)
    assert (report.deleted, report.files[0].left) == (0, endings.END_UNKNOWN)


def test_a_body_that_counts_modulo_in_reads_too_is_asked_with_wider_offsets(
    lying: Any, connect: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = lying(size=LARGE, said=700_000, body="nikon-z6")

    def clipped(handle: int, offset: int, size: int) -> Reply:
        return Reply(data=ObjectRange(handle, offset, max(min(size, 700_000 - offset), 0)))

    behaves(monkeypatch, sim, clipped)
    session = connect(sim)
    reader = ObjectReader(session.camera, described(session))
    reader.find_end()
    assert reader.size == LARGE


@pytest.mark.parametrize("said", [SIZE, SAID])
@pytest.mark.parametrize("code", [PARTIAL, WIDE])
def test_a_camera_that_sends_bytes_at_any_offset_proves_nothing(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: int
) -> None:
    sim = lying(body="nikon-z6", said=said)

    def padded(handle: int, offset: int, size: int) -> Reply:
        return Reply(data=ObjectRange(handle, min(offset, SIZE - size), size))

    behaves(monkeypatch, sim, padded, code)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert assert_whole_or_failed(sim, tmp_path, report) == (code == WIDE and said == SIZE)


def test_an_object_that_grows_before_its_deletion_stays(
    lying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = lying("A.NEF", said=SAID, size=SAID)
    original = deletion_module.Deletion._proven

    def proven(deletion: Any, *args: Any) -> bool:
        stored = sim.store.files()[0]
        sim.store.replace(stored.handle, content=card(size=SIZE).files()[0].content)
        return original(deletion, *args)

    monkeypatch.setattr(deletion_module.Deletion, "_proven", proven)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert (report.deleted, report.files[0].left) == (0, endings.LONGER)


@pytest.mark.parametrize("withheld", [[], [PARTIAL]])
def test_a_head_that_an_earlier_run_has_stored_is_no_proof(
    lying: Any, connect: Sessions, tmp_path: Path, withheld: list[int]
) -> None:
    sim = lying("A.NEF", withheld=[*NO_BULK, *withheld])
    with connect(sim) as session:
        info = session.objects()[0]
    assert info.captured is not None
    head = b"".join(sim.store.expected(info.handle).spans(0, SAID))
    (tmp_path / "A.NEF").write_bytes(head)
    os.utime(tmp_path / "A.NEF", (info.captured.timestamp(),) * 2)
    report = fetch(sim, tmp_path, delete_verified=True)
    assert report.deleted == 0
    assert sim.store.files()


def test_a_whole_object_is_proven_by_its_end_where_there_are_no_partial_reads(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, withheld=[PARTIAL])
    fetch(sim, tmp_path)
    assert fetch(sim, tmp_path, delete_verified=True).deleted == 2
