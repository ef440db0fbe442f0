"""Deleting on the camera: only what is proven, only once, and noted before and after."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import HASTY, Cameras, Sessions
from copied import contents, damage, on_card, payload, run
from deleting import deletions, fetch, noted
from noted import read_note, write_note
from ptpfast import (
    NetworkError,
    OperationCode,
    ProtocolError,
    Report,
    ResponseError,
    Session,
    SinkError,
    TransferError,
)
from ptpfast.engine.sink import Checksum
from ptpfast.library.keep import copies as copies_module
from ptpfast.library.keep import deletion as deletion_module
from ptpfast.library.keep.deletion_journal import JOURNAL_NAME, DeletionJournal
from ptpfast.library.report.observer import Observer
from ptpfast.link import patience
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state import index
from ptpfast.transfer import Download, journal
from ptpfast.transfer.hashing import digest_of
from ptpfast.transfer.journal import Identity

FIRST = 0x00040003  # the handle of the first file; two folders come before


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)


BOTH = ["IMG_0001.DNG", "IMG_0001.JPG"]


# What is deleted


def test_what_has_arrived_and_is_proven_is_deleted_and_noted(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    before = on_card(sim)
    main, one = tmp_path / "main", tmp_path / "one"
    report = fetch(sim, main, copies=[one])
    assert report.ok
    assert (report.downloaded, report.deleted, report.left) == (2, 2, 0)
    assert sim.store.files() == []
    assert contents(main) == contents(one) == before
    assert noted(main) == [(what, name) for name in BOTH for what in ("proven", "deleted")]
    proof = json.loads((main / JOURNAL_NAME).read_text().splitlines()[0])
    assert proof["sha256"] == report.files[0].transfer.sha256  # type: ignore[union-attr]
    assert (proof["file"], proof["copies"]) == ("IMG_0001.DNG", [str(one / "IMG_0001.DNG")])
    assert [result.transfer.verified for result in report.files if result.transfer] == ["disk"] * 2


def test_nothing_is_deleted_unless_asked_for(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    fetch(sim, tmp_path, delete_verified=False)
    assert deletions(sim) == 0
    assert not (tmp_path / JOURNAL_NAME).exists()


def test_only_what_was_selected_is_deleted(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=4)
    fetch(sim, tmp_path, formats=["raw"])
    assert sorted(on_card(sim)) == ["IMG_0001.JPG", "IMG_0002.JPG"]


@pytest.mark.parametrize("vendor", ["standard", "nikon"])
def test_the_proof_is_on_the_disk_before_the_camera_is_asked(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: str
) -> None:
    sim = camera(vendor, objects=2)
    name = sim.store.files()[0].name
    happened: list[str] = []
    delete, sync = Session.delete, os.fsync

    def asked(session: Session, handle: Any, **more: Any) -> None:
        happened.append(f"delete after {noted(tmp_path)[-1][0]}")
        delete(session, handle, **more)

    def synced(fd: int) -> None:
        happened.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name)
        sync(fd)

    monkeypatch.setattr(Session, "delete", asked)
    monkeypatch.setattr(os, "fsync", synced)
    fetch(sim, tmp_path, include=name)
    first = happened[: happened.index("delete after proven") + 2]
    assert first == [
        f"{name}.part",
        tmp_path.name,  # its name
        *(name, tmp_path.name),  # proven, under that name
        *(JOURNAL_NAME, tmp_path.name),
        "delete after proven",
        JOURNAL_NAME,
    ]


def test_so_are_the_folders_that_were_made_for_it(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1)
    synced: list[str] = []
    delete, sync = Session.delete, os.fsync

    def asked(session: Session, handle: Any, **more: Any) -> None:
        folders = {str(tmp_path), *(str(tmp_path / name) for name in ("a", "a/b", "c"))}
        assert folders <= set(synced)
        delete(session, handle, **more)

    def fsync(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        sync(fd)

    monkeypatch.setattr(Session, "delete", asked)
    monkeypatch.setattr(os, "fsync", fsync)
    assert fetch(sim, tmp_path / "a" / "b", copies=[tmp_path / "c" / "d"]).deleted == 1
    assert synced.count(str(tmp_path)) == 2  # above a and above c
    assert synced.count(str(tmp_path / "a")) == 1


def test_a_file_that_was_here_is_proven_by_reading_the_object_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    fetch(sim, tmp_path, delete_verified=False)
    before = payload(sim)
    damage(tmp_path / "IMG_0001.JPG")
    compared: list[str] = []

    class Watch(Observer):
        def comparing(self, path: Path) -> None:
            compared.append(path.name)

    report = fetch(sim, tmp_path, observer=Watch(), copies=[tmp_path / "one"])
    # Besides, one byte for each look at an end: before each reading, and before the deletion.
    assert payload(sim) == before + 600_000 + 3
    assert report.bytes == 600_000
    assert compared == BOTH
    raw, jpeg = report.files
    assert (raw.status, raw.deleted, raw.copies[0].status) == ("skipped", True, "stored")
    assert (jpeg.status, jpeg.deleted, jpeg.copies) == ("failed", False, [])
    assert isinstance(jpeg.error, TransferError)
    assert list(on_card(sim)) == ["IMG_0001.JPG"]
    assert run(sim, tmp_path, "--delete-verified").exit_code == 7


def test_a_file_that_is_not_what_the_camera_sends_gets_no_checksum(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    fetch(sim, tmp_path, delete_verified=False)
    before = on_card(sim)
    damage(tmp_path / "IMG_0001.JPG")
    hashed: list[str] = []

    class Watch(Observer):
        def hashing(self, path: Path) -> None:
            hashed.append(path.name)

    report = fetch(sim, tmp_path, manifest=True, observer=Watch())
    assert (report.deleted, report.failed) == (1, 1)
    known = hashlib.sha256(before["IMG_0001.DNG"]).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{known}  IMG_0001.DNG\n"
    assert hashed == []  # it has just been


def checksum(content: bytes) -> str:
    """As it is noted beside a part file."""
    taken = Checksum()
    taken.update(content)
    return digest_of(taken)


@pytest.mark.parametrize("forged", [False, True])
def test_an_object_that_an_earlier_run_has_begun_is_read_again_as_a_whole(
    camera: Cameras, tmp_path: Path, forged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1, size=3_000_000)
    whole = on_card(sim)
    sim.faults.add("drop after-total 2000000")
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0, chunk=500_000)
    part = tmp_path / "IMG_0001.DNG.part"
    if forged:
        damage(part)
        note = read_note(part.with_name(part.name + ".json"))
        kept = part.read_bytes()[: note["kept"]["size"]]
        note["kept"]["digest"] = checksum(kept)
        write_note(part.with_name(part.name + ".json"), note)
    before = payload(sim)
    monkeypatch.setattr(journal, "_own", {})  # as in another process
    report = fetch(sim, tmp_path, manifest=True)
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at > 0
    assert payload(sim) - before >= 3_000_000
    assert (tmp_path / "SHA256SUMS").exists() != forged
    (tmp_path / "SHA256SUMS").unlink(missing_ok=True)
    if forged:
        assert (report.failed, report.deleted) == (1, 0)
        assert on_card(sim) == whole
    else:
        assert report.deleted == 1
        assert contents(tmp_path) == whole


@pytest.mark.parametrize(
    ("name", "late", "lost"),
    [
        ("IMG_0001.DNG", False, False),
        ("IMG_0001-1.DNG", False, False),
        ("IMG_0001.DNG", True, False),
        ("IMG_0001.DNG", True, True),
    ],
)
def test_a_part_that_turns_up_during_the_run_is_an_earlier_one_s_too(
    camera: Cameras,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    late: bool,
    lost: bool,
) -> None:
    sim = camera(objects=1, size=3_000_000)
    whole = on_card(sim)
    sim.faults.add("drop after-total 2000000")
    other, main = tmp_path / "other", tmp_path / "main"
    with pytest.raises(NetworkError):
        fetch(sim, other, retry=0, chunk=500_000)
    part = other / "IMG_0001.DNG.part"
    damage(part)
    note = read_note(part.with_name(part.name + ".json"))
    for kept in ("kept", "arrived"):
        if kept in note:
            content = part.read_bytes()[: note[kept]["size"]]
            note[kept]["digest"] = checksum(content)
    write_note(part.with_name(part.name + ".json"), note)

    def turn_up() -> None:
        for tail in (".part", ".part.json"):
            (other / f"IMG_0001.DNG{tail}").rename(main / f"{name}{tail}")

    class Busy(Observer):
        def started(self, info: Any, path: Path, kept: int) -> None:
            assert not kept
            if not late:
                turn_up()
            if path.name != name:
                path.write_bytes(b"taken meanwhile")

    original = Download.receive

    tries: list[int] = []

    def receive(download: Download) -> Any:
        if late and not tries:
            turn_up()
        tries.append(1)
        return original(download)

    monkeypatch.setattr(Download, "receive", receive)

    if lost:  # and it goes on from what this run has then added to it
        sim.faults.add("drop after-total 2800000")
    report = fetch(sim, main, observer=Busy(), chunk=500_000)
    assert report.retries == lost
    assert [result.path.name for result in report.files if result.path] == [name]
    assert report.files[0].transfer is not None
    assert report.files[0].transfer.resumed_at > 0
    assert (report.failed, report.deleted) == (1, 0)
    assert on_card(sim) == whole


def test_an_object_continued_in_the_same_run_is_not_read_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=1, size=3_000_000, faults=["drop after-total 2000000"])
    report = fetch(sim, tmp_path, chunk=500_000)
    assert (report.deleted, report.retries) == (1, 1)
    assert payload(sim) < 3_600_000


def test_a_whole_run_again_deletes_what_an_interrupted_one_has_not(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=4, faults=["respond=0x200F on DeleteObject at 2 times 3"])
    assert fetch(sim, tmp_path).deleted == 1
    assert fetch(sim, tmp_path).deleted == 3
    assert sim.store.files() == []
    assert fetch(sim, tmp_path).objects == 0


@pytest.mark.parametrize("fault", ["", "drop on GetStorageIDs times 0"])
def test_a_new_picture_with_the_handle_of_a_deleted_one_is_not_taken_for_it(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    # What is looked at again is not that one.
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    sim = camera(objects=60, size=1000, withheld=[OperationCode.GetObjectPropList])
    fetch(sim, tmp_path, delete_verified=False)
    gone = sim.store.files()[30]

    class End(Observer):
        def finished(self, result: Any) -> None:
            if fault:
                sim.faults.add(fault)

    assert fetch(sim, tmp_path, include=[gone.name], observer=End()).deleted == 1
    sim.faults.clear()
    sim.store._next_handle = gone.handle
    sim.store.add("NEW.DNG", 1000, parent=gone.parent, captured=None)
    sim.store._objects = dict(sorted(sim.store._objects.items()))
    report = fetch(sim, tmp_path, delete_verified=False)
    assert [result.path.name for result in report.having("downloaded") if result.path] == [
        "NEW.DNG"
    ]


@pytest.mark.parametrize("here", [False, True])
@pytest.mark.parametrize("killed", [False, True])
def test_nor_is_it_after_a_run_that_ended_early(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: bool, killed: bool
) -> None:
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    sim = camera(objects=60, size=1000, withheld=[OperationCode.GetObjectPropList])
    gone = sim.store.files()[30]
    fetch(sim, tmp_path, delete_verified=False, dry_run=not here)
    if not here:
        fetch(sim, tmp_path, delete_verified=False, exclude=[gone.name])
    cache: dict[Path, bytes] = {}

    class End(Observer):
        def finished(self, result: Any) -> None:
            if result.deleted:
                cache.update((path, path.read_bytes()) for path in index.folder().iterdir())
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(sim, tmp_path, include=[gone.name], observer=End())
    if killed:  # it leaves what there was then
        for path in index.folder().iterdir():
            path.unlink()
        for path, content in cache.items():
            path.write_bytes(content)
    sim.store._next_handle = gone.handle
    sim.store.add("NEW.DNG", 1000, parent=gone.parent, captured=None)
    sim.store._objects = dict(sorted(sim.store._objects.items()))
    report = fetch(sim, tmp_path, delete_verified=False, include=["NEW.DNG"])
    assert [result.path.name for result in report.having("downloaded") if result.path] == [
        "NEW.DNG"
    ]


def test_what_is_kept_of_the_camera_is_kept_again_after_deletions(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=60, size=1000, withheld=[OperationCode.GetObjectPropList])
    first = sim.store.files()[0].name
    for expected in (124, 20):  # all of them once; then what shows whether it still holds
        before = sim.operations[OperationCode.GetObjectInfo]
        assert fetch(sim, tmp_path, include=[first]).deleted == (expected == 124)
        assert sim.operations[OperationCode.GetObjectInfo] - before < expected


# What is not


def test_nothing_is_deleted_where_files_are_replaced(camera: Cameras, tmp_path: Path) -> None:
    # After an emptied card the camera counts from 1 again.
    sim = camera(objects=2)
    (tmp_path / "IMG_0001.DNG").write_bytes(b"the only copy")
    with pytest.raises(ValueError, match="cannot be combined with delete_verified"):
        fetch(sim, tmp_path, on_conflict="overwrite")
    result = run(sim, tmp_path, "--delete-verified", "--on-conflict", "overwrite")
    assert result.exit_code == 2
    assert "you cannot combine --on-conflict overwrite with --delete-verified" in result.stderr
    assert (tmp_path / "IMG_0001.DNG").read_bytes() == b"the only copy"
    assert len(sim.store.files()) == 2


@pytest.mark.parametrize("place", ["main", "one"])
def test_a_byte_that_changes_after_a_file_was_stored_keeps_the_object(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    sim = camera(objects=2)
    original = deletion_module.Deletion.delete

    def damaged(deletion: Any, result: Any, sent: str) -> None:
        if result.path.name == "IMG_0001.DNG":
            damage(tmp_path / place / "IMG_0001.DNG")
        original(deletion, result, sent)

    monkeypatch.setattr(deletion_module.Deletion, "delete", damaged)
    words = [tmp_path / "main", "--copies", tmp_path / "one", "--delete-verified"]
    result = run(sim, *words)
    assert result.exit_code == 7
    assert list(on_card(sim)) == ["IMG_0001.DNG"]
    assert noted(tmp_path / "main") == [("proven", "IMG_0001.JPG"), ("deleted", "IMG_0001.JPG")]
    assert "differs from the bytes that the camera sent" in result.stderr
    assert "1 deleted on the camera; 1 left on the camera: " in result.stdout


@pytest.mark.parametrize("on_conflict", ["rename", "fail"])
def test_an_object_without_all_its_copies_stays(
    camera: Cameras, tmp_path: Path, on_conflict: str
) -> None:
    sim = camera(objects=2)
    main, one = tmp_path / "main", tmp_path / "one"
    one.mkdir()
    (one / "IMG_0001.DNG").write_bytes(b"mine")
    report = fetch(sim, main, copies=[one], on_conflict=on_conflict)
    assert report.deleted == (2 if on_conflict == "rename" else 1)
    assert list(on_card(sim)) == ([] if on_conflict == "rename" else ["IMG_0001.DNG"])
    if on_conflict == "fail":
        assert report.files[0].left == deletion_module.COPY_MISSING
        assert "a different file of that name" in report.files[0].copies[0].reason


def test_protected_objects_stay_and_that_is_no_failure(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    store.add("KEPT.JPG", 1000, protected=True)
    store.add("GONE.JPG", 1000)
    sim = camera(store=store)
    result = run(sim, tmp_path, "--delete-verified")
    assert result.exit_code == 0
    assert list(on_card(sim)) == ["KEPT.JPG"]
    assert result.stdout.endswith(
        "; 1 deleted on the camera; 1 left on the camera: protected on the camera\n"
    )
    assert "KEPT.JPG  1.0 kB in " in result.stderr
    assert deletions(sim) == 1
    store.add("MORE.JPG", 1000)
    sim.faults.add("respond=0x200F on DeleteObject")
    assert run(sim, tmp_path, "--delete-verified").stdout.endswith(
        "; 2 left on the camera: protected on the camera (1), "
        "the camera refused: access is denied (1)\n"
    )
    before = payload(sim)
    assert fetch(sim, tmp_path, include=["KEPT*"]).files[0].left == deletion_module.PROTECTED
    assert payload(sim) == before  # it is not read again in vain


def hook(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Does something once, after the first proof is noted and before the camera is asked."""
    original = DeletionJournal.note
    done: list[object] = []

    def note(journal: DeletionJournal, what: Any, identity: Identity, **more: Any) -> None:
        original(journal, what, identity, **more)
        if not done:
            done.append(do())

    monkeypatch.setattr(DeletionJournal, "note", note)


def test_an_object_that_is_protected_meanwhile_stays(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2)
    hook(monkeypatch, lambda: sim.store.replace(FIRST, protected=True))
    report = fetch(sim, tmp_path)
    assert report.files[0].left == deletion_module.PROTECTED
    assert list(on_card(sim)) == ["IMG_0001.DNG"]
    assert deletions(sim) == 1  # the camera was not even asked


def test_what_is_remembered_as_protected_is_looked_at_again(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=20, size=1000, withheld=[OperationCode.GetObjectPropList])
    for protected, deleted in ((True, 0), (False, 20)):
        for stored in sim.store.files():
            sim.store.replace(stored.handle, protected=protected)
        if protected:
            fetch(sim, tmp_path, delete_verified=False)
        report = fetch(sim, tmp_path)
        assert any(result.object and result.object.remembered for result in report.files)
        assert report.deleted == deleted


def test_a_remembered_object_that_has_changed_is_not_held_against_its_file(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=20, size=1000, withheld=[OperationCode.GetObjectPropList])
    fetch(sim, tmp_path, delete_verified=False)

    class Change(Observer):
        def comparing(self, path: Path) -> None:
            for stored in sim.store.files():
                if stored.name == path.name:
                    sim.store.replace(stored.handle, captured=None)

    report = fetch(sim, tmp_path, observer=Change())
    assert (report.deleted, report.left, report.failed) == (0, 20, 0)
    assert any("cannot be read again" in result.left for result in report.files)


def test_nothing_is_asked_ahead_of_a_deletion(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=3)
    size = sum(stored.size for stored in sim.store.files())
    fetch(sim, tmp_path)
    asked = [
        (OperationCode(row.operation).name, row.parameters[0] - FIRST)
        for row in sim.log
        if row.operation in (OperationCode.GetPartialObject, OperationCode.DeleteObject)
    ]
    # What is asked ahead would have to be dropped, and asked again.
    assert size <= payload(sim) < size + 100  # some bytes at each end are read again
    assert [number for name, number in asked if name == "DeleteObject"] == [0, 1, 2]
    for number in range(3):
        order = list(dict.fromkeys(name for name, of in asked if of == number))
        assert order == ["GetPartialObject", "DeleteObject"]


def test_a_handle_that_has_gone_to_another_object_is_not_deleted(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2)
    hook(monkeypatch, lambda: sim.store.replace(FIRST, name="NEW.DNG"))
    report = fetch(sim, tmp_path)
    assert report.files[0].left == deletion_module.CHANGED
    assert list(on_card(sim)) == ["NEW.DNG"]
    assert noted(tmp_path)[:2] == [("proven", "IMG_0001.DNG"), ("left", "IMG_0001.DNG")]


def test_an_object_that_somebody_else_has_deleted_is_not_claimed(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2)
    hook(monkeypatch, lambda: sim.store.delete(FIRST))
    report = fetch(sim, tmp_path)
    assert (report.files[0].deleted, report.files[0].left) == (False, deletion_module.GONE)
    assert deletions(sim) == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("0x200F", "the camera refused: access is denied"),
        ("0x200E", "the camera refused: the card is write-protected"),
        ("0x200D", "protected on the camera"),
        ("0x2012", "the camera refused: it deleted a part only"),
    ],
)
def test_a_camera_that_refuses_is_quoted_and_that_is_no_failure(
    camera: Cameras, tmp_path: Path, code: str, reason: str
) -> None:
    sim = camera(objects=2, faults=[f"respond={code} on DeleteObject times 0"])
    report = fetch(sim, tmp_path)
    assert report.ok
    assert (report.downloaded, report.deleted) == (2, 0)
    assert {result.left for result in report.files} == {reason}
    assert [what for what, _ in noted(tmp_path)] == ["proven", "left"] * 2


def test_a_camera_that_does_not_offer_to_delete_is_not_asked(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, withheld=[OperationCode.DeleteObject])
    report = fetch(sim, tmp_path)
    assert report.ok
    assert report.left == 2
    assert deletions(sim) == 0


@pytest.mark.parametrize(
    "faults",
    [
        ["object_size=0 on GetObjectInfo times 0", "ok_without_data on GetObject times 0"],
        [
            "object_size=0 on GetObjectInfo times 0",
            "announce=unknown on GetObject times 0",
            "short_data after 1000 on GetObject times 0",
        ],
        ["object_size=0xFFFFFFFF on GetObjectInfo times 0", "ok_without_data on GetObject times 0"],
        ["object_size=0 on GetObjectInfo times 0"],
    ],
)
@pytest.mark.parametrize("here", [False, True])
def test_an_object_of_unknown_size_stays(
    camera: Cameras, tmp_path: Path, faults: list[str], here: bool
) -> None:
    withheld = [OperationCode.GetObjectPropList, OperationCode.GetObjectPropValue]
    sim = camera(objects=2, withheld=withheld, faults=faults)
    if here:
        fetch(sim, tmp_path, delete_verified=False)
    before = payload(sim)
    report = fetch(sim, tmp_path)
    assert (deletions(sim), report.deleted, len(sim.store.files())) == (0, 0, 2)
    if "ok_without_data" in faults[-1]:
        assert report.failed == 2
        assert list(contents(tmp_path)) == []  # an empty file is no picture
    else:
        assert {result.left for result in report.files} == {deletion_module.SIZE_UNKNOWN}
        assert not here or payload(sim) == before  # nor is it read again in vain


def test_the_handle_that_stands_for_the_whole_card_is_never_deleted(
    camera: Cameras, tmp_path: Path
) -> None:
    store = Store(first_handle=0xFFFFFFFE)
    store.add("A.JPG", 1000)
    store.add("B.JPG", 1000)
    report = fetch(camera(store=store), tmp_path)
    assert [stored.name for stored in store.files()] == ["B.JPG"]
    assert "more than one" in report.files[-1].left


def test_an_object_for_which_a_different_file_is_in_the_way_stays(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    (tmp_path / "IMG_0001.DNG").write_bytes(b"mine")
    report = fetch(sim, tmp_path, on_conflict="skip")
    assert list(on_card(sim)) == ["IMG_0001.DNG"]
    assert (report.ok, report.deleted, report.left) == (True, 1, 1)


def test_an_object_that_cannot_be_read_again_stays(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    fetch(sim, tmp_path, delete_verified=False)
    sim.faults.add(f"respond=0x200F on GetPartialObject handle {FIRST} times 0")
    report = fetch(sim, tmp_path)
    assert (report.ok, report.deleted, report.left) == (True, 1, 1)
    assert "cannot be read again" in report.files[0].left


@pytest.mark.parametrize("fault", ["cut_data", "respond=0x2002"])
def test_an_object_that_cannot_be_looked_at_before_it_is_deleted_stays(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    sim = camera(objects=2)
    hook(monkeypatch, lambda: sim.faults.add(f"{fault} on GetObjectInfo times 3"))
    report = fetch(sim, tmp_path)
    assert report.files[0].left
    assert "IMG_0001.DNG" in on_card(sim)


def test_a_busy_camera_is_looked_at_before_it_is_asked_again(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2, faults=[f"busy on DeleteObject handle {FIRST} times 2"])
    fetch(sim, tmp_path)
    assert sim.store.files() == []
    asked = [
        OperationCode(row.operation).name
        for row in sim.log
        if row.operation in (OperationCode.GetObjectInfo, OperationCode.DeleteObject)
        and row.parameters[0] == FIRST
    ]
    # And once more when it has answered OK.
    assert asked[-7:] == ["GetObjectInfo", "DeleteObject"] * 3 + ["GetObjectInfo"]


def test_a_handle_that_goes_to_a_new_picture_while_the_camera_is_busy_is_spared(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2, faults=[f"busy on DeleteObject handle {FIRST} times 1"])
    original = patience.pause

    def pause(seconds: float) -> None:
        if sim.operations[OperationCode.DeleteObject]:
            sim.store.replace(FIRST, name="NEW.DNG")
        original(seconds)

    monkeypatch.setattr(patience, "pause", pause)
    report = fetch(sim, tmp_path)
    assert "is not known" in report.files[0].left
    assert list(on_card(sim)) == ["NEW.DNG"]


def test_a_camera_that_stays_busy_keeps_the_object(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion_module, "BUSY_S", 0.1)
    sim = camera(objects=2, faults=["busy on DeleteObject times 0"])
    report = fetch(sim, tmp_path)
    assert {result.left for result in report.files} == {"the camera refused: it is busy"}
    assert len(sim.store.files()) == 2


# Connections that end in the middle of it


@pytest.mark.parametrize(("fault", "asked"), [("", 2), ("after 0", 1)])
def test_after_a_lost_connection_it_is_looked_whether_the_object_is_still_there(
    camera: Cameras, tmp_path: Path, fault: str, asked: int
) -> None:
    sim = camera(objects=2, faults=[f"drop on DeleteObject handle {FIRST} {fault}"])
    report = fetch(sim, tmp_path)
    assert report.ok
    assert (report.deleted, report.retries) == (2, 1)
    requests = [row for row in sim.log if row.operation == OperationCode.DeleteObject]
    assert sum(row.parameters[0] == FIRST for row in requests) == asked
    assert sim.store.files() == []


def test_an_answer_that_never_comes_is_not_asked_for_twice(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2, faults=["no_response on DeleteObject"])
    report = fetch(sim, tmp_path, timeouts=HASTY)
    assert (report.deleted, deletions(sim)) == (2, 2)


def test_a_handle_that_goes_to_a_new_picture_while_the_connection_is_lost_is_spared(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=2, faults=["drop on DeleteObject"])
    original = Session.reconnect

    def reconnect(session: Session, *args: Any) -> None:
        sim.store.replace(FIRST, name="NEW.DNG")
        original(session, *args)

    monkeypatch.setattr(Session, "reconnect", reconnect)
    report = fetch(sim, tmp_path)
    assert "is not known" in report.files[0].left
    assert list(on_card(sim)) == ["NEW.DNG"]


@pytest.mark.parametrize("answer", [[], [0x00020001], ResponseError(0x2013, 0x1004)])
def test_an_object_whose_card_is_not_to_be_seen_does_not_count_as_deleted(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    sim = camera(objects=2, faults=[f"drop on DeleteObject handle {FIRST} after 0"])
    original = Session.reconnect

    def storage_ids(session: Session) -> list[int]:
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    def reconnect(session: Session, *args: Any) -> None:
        original(session, *args)
        monkeypatch.setattr(Session, "storage_ids", storage_ids)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "reconnect", reconnect)
        monkeypatch.setattr(deletion_module.Deletion, "renew_index", lambda deletion: None)
        report = fetch(sim, tmp_path)
    assert (report.deleted, report.found_gone) == (0, 0)
    left = [deletion_module.INTERRUPTED, deletion_module.UNSEEN]
    assert [result.left for result in report.files] == left
    assert noted(tmp_path) == [("proven", name) for name in BOTH]
    monkeypatch.undo()
    assert fetch(sim, tmp_path).found_gone == 2
    assert noted(tmp_path)[2:] == [("gone", name) for name in BOTH]


def test_a_deletion_that_always_ends_the_connection_is_set_aside(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=3, faults=[f"drop on DeleteObject handle {FIRST} times 0"])
    report = fetch(sim, tmp_path, retry=None)
    assert (report.downloaded, report.deleted, report.left) == (3, 2, 1)
    assert "3 errors at the same place" in report.files[0].left
    assert list(on_card(sim)) == ["IMG_0001.DNG"]


def test_a_camera_that_is_lost_for_good_leaves_a_proof_without_an_end(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2, faults=["drop on DeleteObject after 0"])
    with pytest.raises(NetworkError) as caught:
        fetch(sim, tmp_path, retry=0)
    report: Report = caught.value.report  # type: ignore[attr-defined]
    assert report.files[0].status == "downloaded"
    assert report.files[0].left == deletion_module.INTERRUPTED
    assert noted(tmp_path) == [("proven", "IMG_0001.DNG")]
    report = fetch(sim, tmp_path)
    assert (report.deleted, report.found_gone) == (1, 1)
    assert noted(tmp_path)[-1] == ("gone", "IMG_0001.DNG")
    assert fetch(sim, tmp_path).found_gone == 0


def test_two_copies_that_are_one_file_count_as_one(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=1)
    main, one, two = tmp_path / "main", tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (one / "IMG_0001.DNG").write_bytes(on_card(sim)["IMG_0001.DNG"])
    os.link(one / "IMG_0001.DNG", two / "IMG_0001.DNG")
    report = fetch(sim, main, copies=[one, two])
    assert report.files[0].left == deletion_module.COPY_MISSING
    assert deletions(sim) == 0


@contextmanager
def started(sim: SimulatedCamera, *words: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ptpfast", "pull", f"{sim.host}:{sim.port}", *map(str, words)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("done", [False, True])
def test_a_process_killed_between_proof_and_deletion_leaves_what_the_next_run_needs(
    camera: Cameras, tmp_path: Path, done: bool
) -> None:
    sim = camera(objects=2)
    sim.faults.add("stall=0 on DeleteObject" + (" after 0" if done else ""))
    with started(sim, tmp_path, "--delete-verified") as process:
        assert sim.wait_for(lambda: bool(sim.faults.fired), 20)
        process.kill()
        process.wait()
    assert noted(tmp_path) == [("proven", "IMG_0001.DNG")]
    assert sorted(on_card(sim)) == (BOTH[1:] if done else BOTH)
    result = run(sim, tmp_path, "--delete-verified")
    assert result.exit_code == 0
    assert sim.store.files() == []
    assert sorted(contents(tmp_path)) == BOTH
    if done:
        assert (
            "1 deleted on the camera; 1 of an interrupted deletion gone from the camera"
            in result.stdout
        )
    else:
        assert "2 deleted on the camera" in result.stdout


def test_an_interrupted_run_tells_of_all_and_goes_on_later(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=3)
    fetch(sim, tmp_path, delete_verified=False, include=["*.DNG"])
    told: list[str] = []

    class Told(Observer):
        def finished(self, result: Any) -> None:
            told.append(result.path.name)

    def interrupt(session: Session, handle: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "delete", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(sim, tmp_path, observer=Told())
    assert sorted(told) == ["IMG_0001.DNG", "IMG_0001.JPG", "IMG_0002.DNG"]
    monkeypatch.undo()
    assert fetch(sim, tmp_path).deleted == 3


# The journal


IDENTITY = Identity("camera", 7, "A.JPG", 5, "")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"schema": 1, "what": "deleted", "object": IDENTITY._asdict()}).encode(),
        json.dumps({"schema": 2, "what": "deleted", "object": {"handle": 7}}).encode(),
        json.dumps({"schema": 2, "what": "sold", "object": IDENTITY._asdict()}).encode(),
        json.dumps({"schema": 2, "what": ["x"], "object": IDENTITY._asdict()}).encode(),
        json.dumps({"schema": 2, "what": "proven", "object": IDENTITY._asdict()}).encode(),
        json.dumps(
            {"schema": 2, "what": "proven", "sha256": 7, "object": IDENTITY._asdict()}
        ).encode(),
        json.dumps(
            {"schema": 2, "what": "deleted", "object": IDENTITY._asdict() | {"size": [1]}}
        ).encode(),
        json.dumps(
            {"schema": 2, "what": "deleted", "object": IDENTITY._asdict() | {"handle": 1 << 40}}
        ).encode(),
        json.dumps(
            {"schema": 2, "what": "deleted", "object": IDENTITY._asdict() | {"name": None}}
        ).encode(),
        json.dumps(
            {"schema": 2, "what": "deleted", "storage": "x", "object": IDENTITY._asdict()}
        ).encode(),
    ],
)
def test_odd_lines_of_the_journal_are_passed_over(tmp_path: Path, line: bytes) -> None:
    journal = DeletionJournal(tmp_path)
    assert journal.pending("camera") == {}
    journal.note("proven", IDENTITY, sha256="0" * 64)
    with journal.path.open("ab") as file:
        file.write(line)  # torn: without its end
    assert journal.pending("camera") == {IDENTITY: (None, "")}
    assert journal.pending("another") == {}
    journal.note("deleted", IDENTITY)
    assert journal.pending("camera") == {}


def test_a_forged_proof_deletes_nothing(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    fetch(sim, tmp_path, delete_verified=False)
    device = f"ptpfast Simulated Camera {sim.body.serial_number}"
    for stored in sim.store.files():
        captured = stored.captured.isoformat() if stored.captured else ""
        identity = Identity(device, stored.handle, stored.name, stored.size, captured)
        DeletionJournal(tmp_path).note("proven", identity, sha256="0" * 64)
    report = fetch(sim, tmp_path, include=["nothing"])
    assert (deletions(sim), report.found_gone) == (0, 0)
    damage(tmp_path / "IMG_0001.DNG")
    fetch(sim, tmp_path)
    assert list(on_card(sim)) == ["IMG_0001.DNG"]


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "full"])
def test_what_cannot_be_noted_is_not_deleted(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sim = camera(objects=2)
    main, target = tmp_path / "main", tmp_path / "target"
    main.mkdir()
    match kind:
        case "link":
            (main / JOURNAL_NAME).symlink_to(target)
        case "folder":
            (main / JOURNAL_NAME).mkdir()
        case "fifo":
            os.mkfifo(main / JOURNAL_NAME)
        case "full":
            original = os.write

            def write(fd: int, data: bytes) -> int:
                if os.readlink(f"/proc/self/fd/{fd}").endswith(JOURNAL_NAME):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return original(fd, data)

            monkeypatch.setattr(os, "write", write)
    with pytest.raises(SinkError, match="cannot write") as caught:
        fetch(sim, main)
    assert deletions(sim) == 0
    assert not target.exists()
    report: Report = caught.value.report  # type: ignore[attr-defined]
    assert report.files[0].status == "downloaded"
    assert contents(main)["IMG_0001.DNG"] == on_card(sim)["IMG_0001.DNG"]


def test_a_journal_that_cannot_be_read_is_no_reason_to_delete_or_to_fail(
    camera: Cameras, connect: Sessions, tmp_path: Path
) -> None:
    (tmp_path / JOURNAL_NAME).mkdir()
    assert DeletionJournal(tmp_path).pending("camera") == {}


@pytest.mark.parametrize("fault", ["cut_data", "respond=0x2002"])
def test_what_became_of_an_interrupted_deletion_is_told_when_the_camera_says(
    camera: Cameras, tmp_path: Path, fault: str
) -> None:
    sim = camera(objects=2, faults=["drop on DeleteObject"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path, retry=0)
    sim.faults.add(f"{fault} on GetObjectInfo handle {FIRST} times 0")
    try:
        report = fetch(sim, tmp_path, include=["nothing"])
    except ProtocolError:
        pytest.fail("an object that cannot be described ends nothing")
    assert report.found_gone == 0
    assert noted(tmp_path) == [("proven", "IMG_0001.DNG")]


# What is said


def test_lines_of_json_say_what_became_of_each_object_once(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(objects=2)
    main, one = tmp_path / "main", tmp_path / "one"
    fetch(sim, main, delete_verified=False, include=["*.DNG"])
    sim.faults.add(f"respond=0x200F on DeleteObject handle {FIRST}")
    result = run(sim, main, "--copies", one, "--delete-verified", "--json")
    _, jpeg, raw, summary = map(json.loads, result.stdout.splitlines())
    assert (jpeg["status"], jpeg["deleted"], jpeg["left"]) == ("downloaded", True, None)
    assert jpeg["copies"] == [
        {
            "status": "stored",
            "file": str(one / "IMG_0001.JPG"),
            "reason": None,
            "compared": True,
            "known_by": None,
        }
    ]
    assert (raw["status"], raw["deleted"]) == ("skipped", False)
    assert raw["left"] == "the camera refused: access is denied"
    counts = [summary[key] for key in ("copied", "copies_failed", "deleted", "left", "found_gone")]
    assert counts == [2, 0, 1, 1, 0]


@pytest.mark.parametrize("where", ["here", "not made yet", "elsewhere"])
@pytest.mark.parametrize("delete", [False, True])
def test_copies_on_the_disk_of_the_destination_are_warned_of(
    camera: Cameras,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
    delete: bool,
) -> None:
    sim = camera(objects=1)
    main, backup = tmp_path / "main", tmp_path / "backup"
    folder = backup / "today"
    if where != "not made yet":
        folder.mkdir(parents=True)
    if where == "elsewhere":
        original = Path.stat

        def stat(path: Path, **options: Any) -> os.stat_result:
            found = list(original(path, **options))
            if path == folder:
                found[2] += 1  # another device
            return os.stat_result(found)

        monkeypatch.setattr(copies_module.Path, "stat", stat)
    warned = delete and where != "elsewhere"
    words = [main, "--copies", folder, *(["--delete-verified"] if delete else [])]
    result = run(sim, *words, "--dry-run")
    text = f"{folder} is on the same disk as {main}"
    assert (text in result.stdout) == warned
    assert (f"{text}: if that disk fails, both are lost" in result.stderr) == warned
    assert (text in caplog.text) == warned
    summary = run(sim, *words, "--dry-run", "--json").stdout.splitlines()[-1]
    assert json.loads(summary)["same_disk"] == [str(folder)] * warned


def test_a_dry_run_says_what_would_be_deleted_and_deletes_nothing(
    camera: Cameras, tmp_path: Path
) -> None:
    store = Store()
    for name in ("A.JPG", "B.JPG", "C.JPG"):
        store.add(name, 1000, protected=name == "C.JPG")
    sim = camera(store=store)
    fetch(sim, tmp_path, delete_verified=False, include=["A.JPG"])
    result = run(sim, tmp_path, "--delete-verified", "--dry-run")
    assert result.stdout.splitlines() == [
        f"B.JPG -> {tmp_path / 'B.JPG'} (1.0 kB), then deleted on the camera",
        f"C.JPG -> {tmp_path / 'C.JPG'} (1.0 kB)",
        f"A.JPG is here as {tmp_path / 'A.JPG'}, then deleted on the camera",
        "2 files to download, 2.0 kB; 1 already here; 2 to delete on the camera; "
        "1 left on the camera: protected on the camera",
    ]
    assert deletions(sim) == 0
    assert not (tmp_path / JOURNAL_NAME).exists()
    rows = run(sim, tmp_path, "--delete-verified", "--dry-run", "--json").stdout.splitlines()
    assert [json.loads(row).get("to_delete") for row in rows[1:-1]] == [True, None, True]
