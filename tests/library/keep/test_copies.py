"""Further folders that get every file too: what is in them, and what a copy that fails leaves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from cards import card, replaced
from conftest import PATIENT, Cameras
from copied import contents, damage, on_card, payload, run
from ptpfast import (
    NetworkError,
    ObjectInfo,
    OperationCode,
    Report,
    SinkError,
    TransferError,
    pull,
)
from ptpfast.cli.main import ptpfast
from ptpfast.library.keep import copies as copies_module
from ptpfast.library.plan import folder as folder_module
from ptpfast.library.plan import plan as plan_module
from ptpfast.library.report.observer import Observer
from ptpfast.ownership import files
from ptpfast.sim import SimulatedCamera
from ptpfast.transfer import journal
from ptpfast.transfer import part as part_module
from ptpfast.transfer.notes import OF_A_COPY

SIZE = 300_000


def fetch(camera: SimulatedCamera, folder: Path, *copies: Path, **options: Any) -> Report:
    options.setdefault("timeouts", PATIENT)
    return pull(f"{camera.host}:{camera.port}", folder, copies=copies, **options)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    return tmp_path / "main", tmp_path / "one", tmp_path / "two" / "below"


Folders = tuple[Path, Path, Path]


def test_every_file_is_in_every_folder_whole_and_with_its_date(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera()
    report = fetch(sim, *folders)
    assert report.ok
    assert (report.copies("stored"), report.copies("failed")) == (8, 0)
    for folder in folders:
        assert contents(folder) == on_card(sim)
    for result in report.files:
        assert result.path is not None
        for copy in result.copies:
            assert copy.path.stat().st_mtime == result.path.stat().st_mtime
            assert not copy.path.samefile(result.path)


def test_copies_are_compared_with_what_arrived_so_that_is_hashed(
    camera: Cameras, folders: Folders
) -> None:
    for level, expected in (("size", "hash"), ("reread", "reread")):
        report = fetch(camera(objects=1), *folders, verify=level)
        assert report.files[0].transfer is not None
        assert report.files[0].transfer.verified == expected
        for folder in folders:
            (folder / "IMG_0001.DNG").unlink()


def test_a_second_run_moves_no_camera_byte_and_completes_what_is_missing(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera()
    main, one, two = folders
    fetch(sim, main, one)
    (one / "IMG_0001.JPG").unlink()
    before = payload(sim)
    report = fetch(sim, main, one, two)
    assert payload(sim) == before
    assert (report.skipped, report.copies("stored"), report.copies("already here")) == (4, 5, 3)
    assert report.unread_copies == 3
    assert contents(one) == contents(two) == on_card(sim)
    report = fetch(sim, main, one, two)
    assert (report.copies("stored"), report.copies("already here")) == (0, 8)


def test_the_note_of_an_interrupted_download_is_not_left_beside_the_bytes_of_a_copy(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1, size=3_000_000, faults=["drop after-total 2000000"])
    main, one, _ = folders
    with pytest.raises(NetworkError):
        fetch(sim, one, retry=0, chunk=500_000)
    names = [path.name for path in one.iterdir()]
    assert sorted(names) == ["IMG_0001.DNG.part", "IMG_0001.DNG.part.json"]
    found: list[list[str]] = []
    told: list[object] = []
    original = copies_module._pour

    def pour(*args: Any) -> tuple[int, str]:
        result = original(*args)
        found.append([path.name for path in one.iterdir()])  # what a killed process leaves
        path = os.fspath(one / "IMG_0001.DNG")
        whose = journal.whose(path)
        assert whose is not None
        told.extend((whose.camera, journal.Journal(path, whose).read().kept))  # type: ignore[union-attr]
        return result

    monkeypatch.setattr(copies_module, "_pour", pour)
    report = fetch(sim, main, one)
    assert sorted(found[0]) == ["IMG_0001.DNG.part", "IMG_0001.DNG.part.json"]
    assert told == [OF_A_COPY, journal.NOTHING_KEPT]
    assert report.copies("stored") == 1
    assert contents(one) == on_card(sim)


def test_an_earlier_file_is_held_against_its_checksum_before_it_is_copied(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera(objects=2)
    main, one, _ = folders
    fetch(sim, main, manifest=True)
    damage(main / "IMG_0001.DNG")
    report = fetch(sim, main, one)
    assert [result.copies[0].status for result in report.files] == ["failed", "stored"]
    assert isinstance(report.files[0].copies[0].error, TransferError)
    assert [path.name for path in one.iterdir()] == ["IMG_0001.JPG"]
    assert run(sim, main, "--copies", one).exit_code == 7


@pytest.mark.parametrize("on_conflict", ["rename", "overwrite", "skip", "fail"])
@pytest.mark.parametrize("size", [4, SIZE])
def test_a_different_file_in_a_further_folder_is_never_replaced(
    camera: Cameras, folders: Folders, on_conflict: str, size: int
) -> None:
    sim = camera(objects=1)
    main, one, _ = folders
    one.mkdir()
    (one / "IMG_0001.DNG").write_bytes(b"m" * size)
    report = fetch(sim, main, one, on_conflict=on_conflict)
    assert (one / "IMG_0001.DNG").read_bytes() == b"m" * size
    (copy,) = report.files[0].copies
    assert report.files[0].status == "downloaded"
    if on_conflict in ("rename", "overwrite"):
        assert (copy.status, copy.path) == ("stored", one / "IMG_0001-1.DNG")
        assert copy.path.read_bytes() == on_card(sim)["IMG_0001.DNG"]
    else:
        assert copy.status == "failed"
        assert "a different file of that name" in copy.reason
        assert not report.ok
        assert len(list(one.iterdir())) == 1


def test_a_copy_that_is_there_already_is_known_by_its_bytes_and_not_stored_twice(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera(objects=1)
    main, one, _ = folders
    one.mkdir()
    (one / "img_0001-3.dng").write_bytes(on_card(sim)["IMG_0001.DNG"])  # whatever its date
    report = fetch(sim, main, one)
    (copy,) = report.files[0].copies
    assert (copy.status, copy.path.name) == ("already here", "img_0001-3.dng")
    assert len(list(one.iterdir())) == 1


def test_of_a_copy_that_is_there_already_it_is_said_whether_it_was_read(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera(objects=2)
    main, one, two = folders
    fetch(sim, main, one, two)
    (main / "IMG_0001.JPG").unlink()
    (two / "IMG_0001.DNG").unlink()
    lines = run(sim, main, "--copies", one, "--copies", two, "--json").stdout.splitlines()
    *_, jpeg, raw, summary = map(json.loads, lines)
    known = {
        (row["name"], Path(copy["file"]).parent.name): (copy["status"], copy["compared"])
        for row in (jpeg, raw)
        for copy in row["copies"]
    }
    assert known == {
        ("IMG_0001.JPG", "one"): ("already here", True),
        ("IMG_0001.JPG", "below"): ("already here", True),
        ("IMG_0001.DNG", "one"): ("already here", False),
        ("IMG_0001.DNG", "below"): ("stored", True),
    }
    assert (summary["copied"], summary["copies_here"], summary["copies_unread"]) == (1, 3, 1)
    assert summary["copies_known_by"] == {"catalog": 1, "date": 0, "name and size": 0}
    (main / "IMG_0001.JPG").unlink()
    said = run(sim, main, "--copies", one, "--copies", two).stdout
    assert "; 2 copies already there, read and compared" in said
    assert "; 2 copies already there, known by the history, not read" in said
    said = run(sim, main, "--copies", one, "--no-history").stdout
    assert "; 2 copies already there, known by name, size and date, not read" in said


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_another_name_of_the_file_itself_is_no_copy(
    camera: Cameras, folders: Folders, link: Callable[[Path, Path], None]
) -> None:
    sim = camera(objects=1)
    main, one, _ = folders
    fetch(sim, main)
    one.mkdir()
    link(main / "IMG_0001.DNG", one / "IMG_0001.DNG")
    report = fetch(sim, main, one)
    (copy,) = report.files[0].copies
    if link is os.link:
        assert copy.status == "failed"
        assert "not a copy" in copy.reason
    else:
        assert (copy.status, copy.path.name) == ("stored", "IMG_0001-1.DNG")


# What goes wrong


def writing(monkeypatch: pytest.MonkeyPatch, write: Callable[..., int]) -> None:
    """`write(original, fd, data, offset)` in place of each write into a copy."""
    original = os.pwrite
    monkeypatch.setattr(
        copies_module.os, "pwrite", lambda fd, data, at: write(original, fd, data, at)
    )


def test_a_disk_that_changes_a_byte_of_a_copy_is_found_out(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(original: Callable[..., int], fd: int, data: Any, at: int) -> int:
        return original(fd, bytes([data[0] ^ 1]) + bytes(data[1:]), at)

    writing(monkeypatch, wrong)
    sim = camera(objects=1)
    main, one, _ = folders
    report = fetch(sim, main, one)
    (copy,) = report.files[0].copies
    assert (copy.status, report.files[0].status) == ("failed", "downloaded")
    assert "differs from the received bytes" in copy.reason
    assert list(one.iterdir()) == []
    assert contents(main) == on_card(sim)


def test_a_short_write_is_gone_on_with_where_it_ended(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing(monkeypatch, lambda original, fd, data, at: original(fd, data[:7777], at))
    sim = camera()
    assert fetch(sim, *folders).ok
    assert contents(folders[1]) == on_card(sim)


def test_a_further_disk_that_fills_up_is_told_for_each_file_and_spoils_nothing_else(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one, two = folders

    def full(original: Callable[..., int], fd: int, data: Any, at: int) -> int:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(f"{one}/IMG_0001.JPG"):
            if at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[:1000]
        return original(fd, data, at)

    writing(monkeypatch, full)
    sim = camera()
    result = run(sim, main, "--copies", one, "--copies", two)
    assert result.exit_code == 6
    assert result.stdout.endswith("; 7 copies stored; 1 copy failed\n")
    assert f"IMG_0001.JPG: cannot write {one / 'IMG_0001.JPG.part'}: No space left" in result.stderr
    assert contents(main) == contents(two) == on_card(sim)
    assert sorted(contents(one)) == ["IMG_0001.DNG", "IMG_0002.DNG", "IMG_0002.JPG"]
    monkeypatch.undo()
    assert run(sim, main, "--copies", one, "--copies", two, "--quiet").output == ""
    assert contents(one) == on_card(sim)


def test_a_copy_for_which_there_is_no_room_is_not_begun(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one, _ = folders
    monkeypatch.setattr(
        folder_module.Folder,
        "free_space",
        lambda folder: 1000 if folder.path == one else 1 << 40,
    )
    sim = camera(objects=1)
    result = run(sim, main, "--copies", one, "--quiet")
    assert result.exit_code == 6
    assert "a copy of 0.3 MB does not fit" in result.stderr  # an error is said all the same
    assert list(one.iterdir()) == []


def test_a_folder_that_is_taken_away_is_not_made_anew_elsewhere(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one, _ = folders
    original = copies_module.store

    def store_and_unplug(*args: Any) -> None:
        original(*args)
        one.rename(one.with_name("unplugged"))

    monkeypatch.setattr(copies_module, "store", store_and_unplug)
    report = fetch(camera(objects=3), main, one)
    assert [result.copies[0].status for result in report.files] == ["stored", "failed", "failed"]
    assert report.downloaded == 3
    assert not one.exists()


def test_a_name_that_somebody_takes_meanwhile_is_left_to_them(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one, _ = folders
    original = copies_module._pour

    def pour(*args: Any) -> tuple[int, str]:
        (one / "IMG_0001.DNG").write_bytes(b"theirs")
        return original(*args)

    monkeypatch.setattr(copies_module, "_pour", pour)
    sim = camera(objects=1)
    report = fetch(sim, main, one)
    assert report.files[0].copies[0].path == one / "IMG_0001-1.DNG"
    whole = on_card(sim)["IMG_0001.DNG"]
    assert contents(one) == {"IMG_0001.DNG": b"theirs", "IMG_0001-1.DNG": whole}
    (one / "IMG_0001-1.DNG").unlink()
    (one / "IMG_0001.DNG").unlink()
    report = fetch(sim, main, one, on_conflict="fail")
    assert report.files[0].copies[0].status == "failed"
    assert contents(one)["IMG_0001.DNG"] == b"theirs"


def test_what_a_killed_process_has_left_of_a_copy_is_begun_anew(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(objects=1)
    main, one, _ = folders
    original = copies_module._pour

    def die(*args: Any) -> tuple[int, str]:
        original(*args)
        for name in ("IMG_0001.DNG.part", "IMG_0001.DNG.part.json"):
            shutil.copy(one / name, main)  # before it is tidied away
        raise OSError(errno.EIO, "killed")

    with monkeypatch.context() as patched:
        patched.setattr(copies_module, "_pour", die)
        assert not fetch(sim, main, one).ok
    for name in ("IMG_0001.DNG.part", "IMG_0001.DNG.part.json"):
        (main / name).rename(one / name)
    with (one / "IMG_0001.DNG.part").open("r+b") as file:
        file.write(b"x" * 100)
    assert fetch(sim, main, one).ok
    assert contents(one) == on_card(sim)


def test_a_part_file_without_a_note_stays_in_a_further_folder(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera(objects=1)
    main, one, _ = folders
    one.mkdir()
    (one / "IMG_0001.DNG.part").write_bytes(b"x" * 2 * SIZE)
    report = fetch(sim, main, one)
    assert (one / "IMG_0001.DNG.part").read_bytes() == b"x" * 2 * SIZE
    assert (one / "IMG_0001-1.DNG").read_bytes() == (main / "IMG_0001.DNG").read_bytes()
    assert [left.path for left in report.leftovers] == [one / "IMG_0001.DNG.part"]


def test_bytes_that_have_their_name_are_not_cut_when_the_rest_fails(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one, _ = folders
    original = part_module.sync_folder

    def fail(folder: str, **options: Any) -> None:
        if Path(folder) == one:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        original(folder, **options)

    monkeypatch.setattr(part_module, "sync_folder", fail)
    sim = camera(objects=1)
    report = fetch(sim, main, one)
    assert report.files[0].copies[0].status == "failed"
    assert contents(one) == on_card(sim)


def test_a_copy_reaches_the_disk_before_it_has_its_name(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, one, _ = folders
    sim = camera(objects=1)
    fetch(sim, main)
    happened: list[str] = []

    def seen(module: ModuleType, name: str) -> None:
        original = getattr(module, name)

        def call(*args: Any, **options: Any) -> Any:
            of_folder = name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode)
            happened.append(name + ("folder" if of_folder else ""))
            return original(*args, **options)

        monkeypatch.setattr(module, name, call)

    for name in ("fsync", "posix_fadvise"):
        seen(os, name)
    seen(files, "rename_new")
    fetch(sim, main, one)
    assert happened.pop(0) == "fsyncfolder"  # the name of the folder, which is new
    # The file's own copy in memory is dropped, then the new one's; only then it is read back.
    assert happened == ["posix_fadvise", "fsync", "posix_fadvise", "rename_new", "fsyncfolder"]


# What is asked for


def test_folders_that_are_the_same_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    main, other = tmp_path / "main", tmp_path / "other"
    main.mkdir()
    (tmp_path / "link").symlink_to(main)
    for copies in ([main], [tmp_path / "link"], [other, tmp_path / "x" / ".." / "other"]):
        with pytest.raises(ValueError, match="the same folder"):
            pull("127.0.0.1:1", main, copies=copies)
        words = [word for folder in copies for word in ("--copies", str(folder))]
        result = CliRunner().invoke(ptpfast, ["pull", "127.0.0.1:1", str(main), *words])
        assert result.exit_code == 2
        assert "are the same folder; give --copies a folder on another disk" in result.stderr
    assert not other.exists()
    with pytest.raises(ValueError, match="the same folder"):
        pull("127.0.0.1:1", main, copies=str(main))


def test_a_further_folder_that_cannot_be_one_is_told_before_connecting(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="is not a folder"):
        pull("127.0.0.1:1", tmp_path / "main", copies=[tmp_path / "file"])
    words = ["pull", "127.0.0.1:1", str(tmp_path), "--copies", str(tmp_path / "file")]
    assert CliRunner().invoke(ptpfast, words).exit_code == 6


def test_a_dry_run_says_which_copies_would_be_stored_and_stores_none(
    camera: Cameras, folders: Folders
) -> None:
    sim = camera(objects=2)
    main, one, two = folders
    fetch(sim, main, one, include=["*.DNG"])
    result = run(sim, main, "--copies", one, "--copies", two, "--dry-run")
    assert result.exit_code == 0
    jpeg, raw, summary = result.stdout.splitlines()
    assert f"-> {main / 'IMG_0001.JPG'} (300.0 kB), copy {one / 'IMG_0001.JPG'}, copy {two}" in jpeg
    assert raw.endswith(f"is here as {main / 'IMG_0001.DNG'}, copy {two / 'IMG_0001.DNG'}")
    assert summary == "1 file to download, 300.0 kB; 1 already here; 3 copies to store"
    assert not two.exists()
    assert list(contents(one)) == ["IMG_0001.DNG"]


@pytest.mark.parametrize("delete", [False, True])
def test_what_was_believed_of_a_card_and_taken_back_is_not_copied(
    camera: Cameras, folders: Folders, monkeypatch: pytest.MonkeyPatch, delete: bool
) -> None:
    monkeypatch.setattr("random.sample", lambda population, count: list(population)[:count])
    monkeypatch.setattr(plan_module, "PIECE", 8)
    main, one, _ = folders
    sim = camera(store=card(60), withheld=[OperationCode.GetObjectPropList])
    fetch(sim, main)
    (main / "DSC_0007.NEF").unlink()
    replaced(sim.store, 20)  # believed to be the file that is here
    replaced(sim.store, 40)
    (main / "DSC_0040.NEF").unlink()  # so this one is about to be fetched, and compared
    before = on_card(sim)
    told: list[int] = []

    class Told(Observer):
        def finished(self, result: Any) -> None:
            told.append(result.handle)

    report = fetch(sim, main, one, observer=Told(), delete_verified=delete)
    assert report.ok
    assert contents(one) == before
    assert (report.downloaded, report.skipped, len(set(told)), len(told)) == (3, 57, 60, 60)
    assert report.deleted == (60 if delete else 0)
    assert len(sim.store.files()) == 60 - report.deleted


def test_what_is_remembered_wrongly_of_a_card_makes_no_copy_of_another_file(
    camera: Cameras, folders: Folders
) -> None:
    main, one, _ = folders
    sim = camera(objects=2)
    fetch(sim, main)
    first = sim.store.files()[0]
    sim.store.replace(first.handle, name="IMG_0009.DNG")
    told: list[tuple[str, str]] = []

    class Told(Observer):
        def finished(self, result: Any) -> None:
            info: ObjectInfo = result.object
            told.append((info.name, result.status))

    report = fetch(sim, main, one, observer=Told())
    assert sorted(contents(one)) == ["IMG_0001.JPG", "IMG_0009.DNG"]
    assert report.ok
    assert sorted(told) == [("IMG_0001.JPG", "skipped"), ("IMG_0009.DNG", "downloaded")]
