"""What is not ours stays as it is: by name, by content, by kind and by owner."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from conftest import PATIENT, Cameras
from noted import read_note, write_note
from ptpfast import NetworkError, Report, SinkError, pull
from ptpfast.engine.sink import Descriptor
from ptpfast.library.plan.naming import local_name
from ptpfast.library.report.observer import Observer
from ptpfast.ownership import files, folders
from ptpfast.ownership.names import is_reserved, temporaries
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.sim.content import BytesContent
from ptpfast.state.index import folder as index_folder
from ptpfast.transfer import checkpoint, journal, part
from ptpfast.transfer.notes import OF_A_COPY, Identity
from ptpfast.transfer.verify import hash_from_disk

NOON = datetime(2026, 1, 2, 12, 0, 0)
SIZE = 300_000


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


def on_card(sim: SimulatedCamera, handle: int) -> bytes:
    size = {stored.handle: stored.size for stored in sim.store.files()}[handle]
    return b"".join(sim.store.expected(handle).spans(0, size))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# Names


OURS = [
    *("X.NEF.part", "X.NEF.part.json", "X.NEF.PART", "X.NEF.part.", "X.NEF.part .", "sha256sums"),
    *("SHA256SUMS", "SHA256SUMS. ", ".ptpfast-deletions.jsonl", "X.NEF.ｐart", "X.NEF.p\u00adart"),
    *(os.path.basename(next(temporaries(f"/x/{name}"))) for name in ("SHA256SUMS", "X.part.json")),
]


@pytest.mark.parametrize("name", OURS)
def test_a_name_of_ours_is_reserved_and_no_object_gets_it(name: str) -> None:
    assert is_reserved(name)
    assert not is_reserved(local_name(name))


@pytest.mark.parametrize(
    "name", ["X.NEF.part.json.new", ".SHA256SUMS.new", *OURS, "X.NEF.part.json.part.json"]
)
def test_an_object_that_is_called_like_a_file_of_ours_is_fetched_whole(
    camera: Cameras, tmp_path: Path, name: str
) -> None:
    store = Store()
    handles = [store.add(name, 5000), store.add("X.NEF", SIZE)]
    sim = camera(store=store)
    wanted = [on_card(sim, handle) for handle in handles]
    report = fetch(sim, tmp_path, delete_verified=True, manifest=True)
    assert report.downloaded == 2
    assert fetch(sim, tmp_path, manifest=True).ok
    here = contents(tmp_path)
    assert all(content in here.values() for content in wanted)


# Part files of other objects


@pytest.fixture
def interrupted(camera: Cameras, tmp_path: Path) -> tuple[SimulatedCamera, Path]:
    """A camera, and a folder that holds two thirds of its only object."""
    store = Store()
    store.add("DSC_0001.NEF", SIZE, captured=NOON)
    sim = camera(store=store, faults=["drop after-total 200000 times 0"])
    with pytest.raises(NetworkError):
        fetch(sim, tmp_path / "card", retry=0, chunk=50_000)
    sim.faults.clear()
    return sim, tmp_path / "card"


ANOTHER: list[dict[str, Any]] = [
    {"captured": NOON + timedelta(days=1), "size": SIZE},
    {"captured": NOON, "size": 2 * SIZE},
    {"captured": None, "size": SIZE},
]


@pytest.mark.parametrize("another", ANOTHER)
@pytest.mark.parametrize("options", [{}, {"resume": False}, {"verify": "hash"}])
def test_a_part_file_stays_when_another_object_of_its_name_is_fetched(
    interrupted: tuple[SimulatedCamera, Path], another: dict[str, Any], options: dict[str, Any]
) -> None:
    sim, folder = interrupted
    before = contents(folder)
    for stored in sim.store.files():
        sim.store.delete(stored.handle)
    handle = sim.store.add("DSC_0001.NEF", another["size"], captured=another["captured"])
    report = fetch(sim, folder, index=False, **options)
    assert report.downloaded == 1
    here = contents(folder)
    assert here.pop("DSC_0001-1.NEF") == on_card(sim, handle)
    assert here == before
    assert [left.path.name for left in report.leftovers] == ["DSC_0001.NEF.part"]


def test_a_part_file_of_another_camera_stays_in_a_further_folder(
    camera: Cameras, interrupted: tuple[SimulatedCamera, Path], tmp_path: Path
) -> None:
    _, further = interrupted
    before = contents(further)
    store = Store()
    handle = store.add("DSC_0001.NEF", SIZE, captured=NOON)
    sim = camera(store=store, seed=2)
    report = fetch(sim, tmp_path / "dest", copies=[further])
    here = contents(further)
    assert here.pop("DSC_0001-1.NEF") == on_card(sim, handle)
    assert here == before
    assert [left.path for left in report.leftovers] == [further / "DSC_0001.NEF.part"]


@pytest.mark.parametrize("policy", ["skip", "fail"])
def test_the_reason_why_a_name_is_taken_is_said(
    camera: Cameras, tmp_path: Path, policy: str
) -> None:
    store = Store()
    store.add("DSC_0001.NEF", SIZE)
    (tmp_path / "DSC_0001.NEF.part").write_bytes(b"somebody's")
    report = fetch(camera(store=store), tmp_path, on_conflict=policy)
    (result,) = report.files
    assert (
        "DSC_0001.NEF.part stays unchanged: it has no journal that names its object"
        in result.reason
    )
    assert (tmp_path / "DSC_0001.NEF.part").read_bytes() == b"somebody's"


NO_NOTES = {
    "zeros and data": bytes(64) + b"an image of a disk",
    "a later version": b'{"schema": 12, "object": {"camera": "mine',
    "another object": b'{"schema": 5, "object": {"camera": "mine"}}',
    "another schema": b'{"schema": "https://example.com", "object": {"camera": "mine"}}',
    "a note and more": b'{"schema": 5, "object": {"camera": "mine"\nand more',
    "too large": b'{"schema": 5, "object": {"camera": "' + b"x" * (1 << 16),
}


@pytest.mark.parametrize("text", NO_NOTES.values(), ids=NO_NOTES)
@pytest.mark.parametrize("finished", [False, True])
def test_a_file_that_only_begins_like_a_note_stays_with_the_part_file_beside_it(
    camera: Cameras, tmp_path: Path, text: bytes, finished: bool
) -> None:
    store = Store()
    handle = store.add("X.NEF", SIZE)
    sim = camera(store=store)
    if finished:
        assert fetch(sim, tmp_path).ok
    planted = {"X.NEF.part.json": text, "X.NEF.part": b"somebody's"}
    for name, content in planted.items():
        (tmp_path / name).write_bytes(content)
    assert fetch(sim, tmp_path).ok
    here = contents(tmp_path)
    assert here.pop("X.NEF" if finished else "X-1.NEF") == on_card(sim, handle)
    assert here == planted


def test_a_part_file_of_a_camera_that_says_nothing_of_itself_is_no_copy(tmp_path: Path) -> None:
    picture = Identity("", 7, "X.NEF", 1000, "")
    copy = Identity(OF_A_COPY, 7, "X.NEF", 1000, "")
    for body in ("", "maker model 1"):
        other = Identity(body, 8, "X.NEF", 2000, "")
        assert not other.is_of(picture)
        assert other.is_of(copy)


def test_no_more_of_a_part_file_is_read_than_the_object_has(
    interrupted: tuple[SimulatedCamera, Path],
) -> None:
    sim, folder = interrupted
    part, note = folder / "DSC_0001.NEF.part", folder / "DSC_0001.NEF.part.json"
    told = read_note(note)
    told["kept"] = {"size": 8 << 40, "digest": told["kept"]["digest"]}
    told.pop("arrived", None)
    write_note(note, told)
    os.truncate(part, 8 << 40)  # sparse: to read it would take an hour
    assert fetch(sim, folder).downloaded == 1
    (info,) = sim.store.files()
    assert (folder / "DSC_0001.NEF").read_bytes() == on_card(sim, info.handle)


def test_what_a_camera_has_written_into_the_beginning_since_is_noticed(
    interrupted: tuple[SimulatedCamera, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, folder = interrupted
    monkeypatch.setattr(journal, "_own", {})  # another process
    (info,) = sim.store.files()
    rated = bytearray(on_card(sim, info.handle))
    rated[100:110] = b"five stars"
    sim.store.replace(info.handle, content=BytesContent(bytes(rated)))
    assert fetch(sim, folder).downloaded == 1
    assert (folder / "DSC_0001.NEF").read_bytes() == bytes(rated)


def test_a_part_file_that_appears_with_a_file_of_the_name_is_not_moved(
    camera: Cameras, tmp_path: Path
) -> None:
    """As a browser makes them: an empty file, and its part file."""

    class Browser(Observer):
        def started(self, info: Any, path: Path, kept: int) -> None:
            if info.name == second.name and not path.exists():
                path.touch()
                path.with_name(f"{path.name}.part").write_bytes(b"somebody's")

    sim = camera(objects=2)
    second = sim.store.files()[1]
    assert fetch(sim, tmp_path, observer=Browser()).ok
    here = contents(tmp_path)
    assert here[second.name] == b""
    assert here[f"{second.name}.part"] == b"somebody's"
    assert on_card(sim, second.handle) in here.values()


def test_an_empty_file_beside_a_complete_part_file_stays(
    interrupted: tuple[SimulatedCamera, Path],
) -> None:
    sim, folder = interrupted
    (info,) = sim.store.files()
    whole = on_card(sim, info.handle)
    (folder / "DSC_0001.NEF.part").write_bytes(whole)
    (folder / "DSC_0001.NEF").touch()
    assert fetch(sim, folder).ok
    assert (folder / "DSC_0001.NEF").read_bytes() == b""
    assert (folder / "DSC_0001-1.NEF").read_bytes() == whole


def test_a_folder_that_somebody_holds_locked_is_waited_for_once(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "TURN_S", 0.01)
    pauses: list[float] = []
    monkeypatch.setattr(folders.time, "sleep", pauses.append)
    with Descriptor(tmp_path, os.O_RDONLY) as held:
        fcntl.flock(held.number, fcntl.LOCK_EX)
        assert fetch(camera(objects=1), tmp_path).ok
        first = pauses.count(folders._PAUSE_S)  # a session may pause at its end, too
        assert fetch(camera(objects=3), tmp_path).ok
    assert pauses.count(folders._PAUSE_S) == first > 0


# Kind and owner


def plant_folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_bytes(b"precious")


def plant_link(path: Path) -> None:
    path.with_name("precious").write_bytes(b"precious")
    path.symlink_to("precious")


def plant_second_name(path: Path) -> None:
    path.with_name("precious").write_bytes(b"")
    os.link(path.with_name("precious"), path)


PLANTED = [plant_folder, plant_link, os.mkfifo, plant_second_name]


@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("at", ["X.NEF.part", "X.NEF.part.json", "temporary"])
def test_what_is_planted_at_a_name_of_ours_stays_and_costs_no_picture(
    camera: Cameras, tmp_path: Path, plant: Callable[[Path], None], at: str
) -> None:
    store = Store()
    handle = store.add("X.NEF", SIZE)
    sim = camera(store=store)
    note = os.fspath(tmp_path / "X.NEF.part.json")
    path = Path(next(temporaries(note))) if at == "temporary" else tmp_path / at
    plant(path)
    before = os.lstat(path)
    for _ in range(2):
        assert fetch(sim, tmp_path, chunk=50_000).ok
    assert on_card(sim, handle) in contents(tmp_path).values() if plant is not os.mkfifo else True
    after = os.lstat(path)
    assert (before.st_ino, before.st_mode, before.st_size) == (
        after.st_ino,
        after.st_mode,
        after.st_size,
    )
    if plant in (plant_folder, plant_link):
        kept = path / "inside" if plant is plant_folder else tmp_path / "precious"
        assert kept.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["SHA256SUMS", ".SHA256SUMS.new", "temporary"])
def test_a_folder_planted_where_a_manifest_is_written_first_is_passed_by(
    camera: Cameras, tmp_path: Path, name: str
) -> None:
    sim = camera(objects=1)
    manifest = tmp_path / "SHA256SUMS"
    if name == "SHA256SUMS":
        manifest.mkdir()
        with pytest.raises(SinkError, match="SHA256SUMS"):
            fetch(sim, tmp_path, manifest=True)
        return
    path = Path(next(temporaries(os.fspath(manifest)))) if name == "temporary" else tmp_path / name
    plant_folder(path)
    assert fetch(sim, tmp_path, manifest=True).ok
    assert manifest.is_file()
    assert (path / "inside").read_bytes() == b"precious"


def test_an_empty_file_of_another_user_is_not_written_into(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store()
    handle = store.add("A.NEF", SIZE)
    sim = camera(store=store)
    wanted = on_card(sim, handle)
    part = tmp_path / "A.NEF.part"
    part.touch()
    part.chmod(0o666)
    if os.geteuid() == 0:
        os.chown(part, 12345, 12345)
    else:
        theirs, is_owner = part.stat().st_ino, files.is_owner
        monkeypatch.setattr(
            files, "is_owner", lambda status, at: status.st_ino != theirs and is_owner(status, at)
        )
    with part.open("r+b") as held:
        report = fetch(sim, tmp_path, delete_verified=True)
        held.write(b"changed afterwards")
    assert report.ok
    assert (tmp_path / "A-1.NEF").read_bytes() == wanted
    assert part.read_bytes() == b"changed afterwards"


def test_an_empty_part_file_that_somebody_holds_open_is_replaced_by_a_new_one(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=1)
    (info,) = sim.store.files()
    part = tmp_path / f"{info.name}.part"
    with part.open("wb") as held:
        assert fetch(sim, tmp_path).ok
        held.write(b"changed afterwards")
    assert contents(tmp_path) == {info.name: on_card(sim, info.handle)}


# Read back


def test_a_manifest_that_is_a_link_is_not_read(camera: Cameras, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of mine\n")
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "SHA256SUMS").symlink_to(secret)
    with pytest.raises(SinkError, match="symbolic link"):
        fetch(camera(objects=1), folder, manifest=True)
    assert (folder / "SHA256SUMS").is_symlink()
    assert secret.read_text() == "of mine\n"
    assert b"of mine\n" not in contents(folder).values() or (folder / "SHA256SUMS").is_symlink()


def test_a_manifest_keeps_its_rights(camera: Cameras, tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("")
    (tmp_path / "SHA256SUMS").chmod(0o600)
    fetch(camera(objects=1), tmp_path, manifest=True)
    assert stat.S_IMODE((tmp_path / "SHA256SUMS").stat().st_mode) == 0o600
    assert (tmp_path / "SHA256SUMS").read_text()


@pytest.mark.parametrize("make", [os.mkfifo, plant_link, plant_folder])
def test_a_file_that_was_swapped_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "x")
    with pytest.raises(SinkError):
        hash_from_disk(os.fspath(tmp_path / "x"))


def test_a_file_swapped_for_a_fifo_before_it_is_hashed_for_the_manifest_is_an_error(
    camera: Cameras, tmp_path: Path
) -> None:
    class Swap(Observer):
        def hashing(self, path: Path) -> None:
            path.unlink()
            os.mkfifo(path)

    sim = camera(objects=1)
    fetch(sim, tmp_path)
    with pytest.raises(SinkError, match="not a regular file"):
        fetch(sim, tmp_path, manifest=True, observer=Swap())


# Beside the index


def test_a_journal_planted_beside_an_index_is_never_shown_to_sqlite(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(objects=2)
    fetch(sim, tmp_path / "card")
    (index,) = index_folder().glob("*.sqlite")
    victim = tmp_path / "precious"
    victim.write_bytes(b"precious")
    journal = Path(f"{index}-journal")
    name = os.fsencode(victim)
    # A hot journal whose end names a super-journal: SQLite removes that file when it is done.
    total = sum(byte if byte < 128 else byte - 256 for byte in name) & 0xFFFFFFFF
    magic = bytes.fromhex("d9d505f920a163d7")
    head = magic + bytes(4) + bytes(4) + (1).to_bytes(4, "big") + (512).to_bytes(4, "big")
    lock = (0x40000000 // 4096 + 1).to_bytes(4, "big")
    tail = lock + name + len(name).to_bytes(4, "big") + total.to_bytes(4, "big") + magic
    journal.write_bytes(head.ljust(512, b"\0") + tail)
    copy = tmp_path / "copy.sqlite"
    shutil.copy(index, copy)
    shutil.copy(journal, f"{copy}-journal")
    with closing(sqlite3.connect(copy)) as database, suppress(sqlite3.DatabaseError):
        database.execute("SELECT count(*) FROM sqlite_master")  # what would become of it
    was_real = not victim.exists()
    victim.write_bytes(b"precious")
    assert fetch(sim, tmp_path / "card").ok
    assert victim.read_bytes() == b"precious"
    assert not journal.exists()
    assert was_real, "SQLite did not follow the journal: this test proves nothing"


def test_an_index_in_a_folder_where_others_can_write_is_not_used(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTPFAST_CACHE", str(tmp_path / "cache"))
    sim = camera(objects=1)
    fetch(sim, tmp_path / "card")
    index_folder().chmod(0o777)
    (index,) = index_folder().glob("*.sqlite")
    planted = Path(f"{index}-journal")
    planted.write_bytes(b"planted")
    before = index.read_bytes()
    assert fetch(sim, tmp_path / "card").ok
    assert index.read_bytes() == before
    assert planted.read_bytes() == b"planted"


# The step to the final name, and the folder


def test_without_renames_that_refuse_and_without_links_somebodys_file_is_not_replaced(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """exFAT: a file that appears between the look and the rename."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, "not on this filesystem")

    sim = camera(objects=1)
    (info,) = sim.store.files()
    rename, is_there = os.rename, []

    def appear(path: str, mode: int = 0o666) -> Any:
        if os.path.basename(path) == info.name and not is_there:
            Path(path).write_bytes(b"somebody's")  # just before the name is reserved
            is_there.append(path)
        return create(path, mode)

    create = files.create
    monkeypatch.setattr(files, "rename_new", refuse)
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(files, "create", appear)
    report = fetch(sim, tmp_path)
    assert is_there
    assert os.rename is rename
    assert report.ok
    assert (tmp_path / info.name).read_bytes() == b"somebody's"
    assert on_card(sim, info.handle) in contents(tmp_path).values()


def test_a_name_that_a_killed_process_has_reserved_is_taken_again(
    interrupted: tuple[SimulatedCamera, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, folder = interrupted

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, "not on this filesystem")

    class Killed(BaseException):
        pass

    def kill(old: str, new: str) -> None:
        if str(new).endswith("DSC_0001.NEF"):
            raise Killed
        rename(old, new)

    rename = os.rename
    monkeypatch.setattr(files, "rename_new", refuse)
    monkeypatch.setattr(os, "link", refuse)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", kill)
        patched.setattr(files, "remove_made", lambda path, fd: None)
        patched.setattr(files, "remove_open", lambda path, held: False)
        patched.setattr(checkpoint, "seal", lambda descriptor: None)
        with pytest.raises(Killed):
            fetch(sim, folder)
    assert (folder / "DSC_0001.NEF").stat().st_size == 0
    report = fetch(sim, folder)
    assert report.downloaded == 1
    (info,) = sim.store.files()
    assert (folder / "DSC_0001.NEF").read_bytes() == on_card(sim, info.handle)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_destination_that_is_renamed_away_is_not_made_anew(
    camera: Cameras, tmp_path: Path, replaced: bool
) -> None:
    folder, away = tmp_path / "card", tmp_path / "away"

    class Rename(Observer):
        def finished(self, result: ptpfast.FileResult) -> None:
            if not away.exists():
                folder.rename(away)
                if replaced:
                    folder.mkdir()

    sim = camera(objects=60, size=20_000)  # more than are received before the first is told of
    with pytest.raises(SinkError, match="renamed, removed or replaced during the run") as caught:
        fetch(sim, folder, manifest=True, observer=Rename())
    report: Report = caught.value.report  # type: ignore[attr-defined]
    assert folder.exists() == replaced
    assert not replaced or list(folder.iterdir()) == []
    stored = [*away.glob("*.DNG"), *away.glob("*.JPG")]
    assert len(stored) == report.downloaded  # the next files may have been stored by then
    assert 1 <= len(stored) < 60
