"""Lists of checksums, of deletions, of models: the package adds to them, and to nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conftest import PATIENT, Cameras
from ptpfast import OperationCode, Report, SinkError, pull
from ptpfast.cli.failure import DISK
from ptpfast.cli.main import ptpfast
from ptpfast.library.keep.checksums import Checksums
from ptpfast.library.keep.deletion_journal import MOST_PENDING, DeletionJournal
from ptpfast.library.report.observer import Observer
from ptpfast.ownership.names import DELETIONS_NAME
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.transfer.journal import Identity

NOON = datetime(2026, 1, 2, 12, 0, 0)
SIZE = 5000
HEX = "0123456789abcdef" * 4


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{sim.host}:{sim.port}", folder, timeouts=PATIENT, **options)


def run(sim: SimulatedCamera, *words: object) -> Result:
    return CliRunner().invoke(ptpfast, ["pull", f"{sim.host}:{sim.port}", *map(str, words)])


def card(camera: Cameras, *names: str) -> tuple[SimulatedCamera, dict[str, bytes]]:
    """A camera that has objects of these names, and the content of each."""
    store = Store()
    handles = [store.add(name, SIZE, captured=NOON) for name in names]
    sim = camera(store=store)
    wanted = (b"".join(store.expected(handle).spans(0, SIZE)) for handle in handles)
    return sim, dict(zip(names, wanted, strict=True))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.iterdir() if path.is_file() and path.stat().st_size < 1 << 20)
    return {path.name: path.read_bytes() for path in files}


# The name of a list of checksums


@pytest.mark.parametrize("name", ["SUMS.TXT", "sums.txt", "Sums.txt.", "SUMS．TXT"])
@pytest.mark.parametrize("in_copies", [False, True])
def test_no_object_gets_the_name_of_the_list_of_checksums(
    camera: Cameras, tmp_path: Path, name: str, in_copies: bool
) -> None:
    sim, wanted = card(camera, "DSC_0001.NEF", "SUMS.TXT")
    main, more = tmp_path / "main", tmp_path / "more"
    listed = (more if in_copies else main) / name
    report = fetch(sim, main, copies=[more], manifest=listed, delete_verified=True)
    assert (report.ok, report.deleted) == (True, 2)
    for folder in (main, more):
        assert set(wanted.values()) <= set(contents(folder).values())
    for content in wanted.values():
        assert content != listed.read_bytes()
    assert len(listed.read_text().splitlines()) == 2


def test_nor_does_it_get_the_name_of_a_folder_on_the_way_to_the_list(
    camera: Cameras, tmp_path: Path
) -> None:
    sim, wanted = card(camera, "DSC_0001.NEF")
    report = fetch(sim, tmp_path, manifest=tmp_path / "DSC_0001.NEF" / "sums")
    assert report.ok
    assert (tmp_path / "DSC_0001-1.NEF").read_bytes() == wanted["DSC_0001.NEF"]
    assert "../DSC_0001-1.NEF" in (tmp_path / "DSC_0001.NEF" / "sums").read_text()


def test_the_list_is_not_taken_for_an_object_of_its_name_size_and_date(
    camera: Cameras, tmp_path: Path
) -> None:
    sim, wanted = card(camera, "SUMS.TXT")
    listed = tmp_path / "SUMS.TXT"
    listed.write_bytes(f"{HEX}  a\n".encode().ljust(SIZE, b"\n"))
    os.utime(listed, (NOON.timestamp(), NOON.timestamp()))
    report = fetch(sim, tmp_path, manifest=listed)
    assert report.downloaded == 1
    assert (tmp_path / "SUMS-1.TXT").read_bytes() == wanted["SUMS.TXT"]
    assert fetch(sim, tmp_path, manifest=listed, on_conflict="skip").skipped == 1


@pytest.mark.parametrize(
    "name",
    [
        "X.NEF.part",
        "X.NEF.PART.JSON",
        ".ptpfast-deletions.jsonl",
        ".ptpfast-0123",
        "cameras.json",
        f"{'0f' * 16}.sqlite",
        f"{'0f' * 16}.sqlite-journal",
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_name_that_is_ours_for_another_file_cannot_be_that_of_the_list(
    tmp_path: Path, name: str, dry_run: bool
) -> None:
    with pytest.raises(ValueError, match="gives that name to another file"):
        pull("127.0.0.1:1", tmp_path, manifest=tmp_path / name, dry_run=dry_run)
    assert os.listdir(tmp_path) == []


# What is no list of checksums


NO_LISTS = [
    b"\xff\xd8\xff" + b"x" * 100,
    b"my diary\nof the year\n",
    b"my diary",
    b"\0" * 5000,
    f"{HEX}  a\n".encode() * 2000 + b"\0",
    f"{'0' * 32}  md5\n".encode(),
    f"# of mine\n{HEX}  a\nthe first line\nthe second line\n".encode(),
    b"x" * 200_000,
]


@pytest.mark.parametrize("content", NO_LISTS)
def test_a_file_that_is_no_list_of_checksums_is_refused_before_anything_is_fetched(
    camera: Cameras, tmp_path: Path, content: bytes
) -> None:
    sim, _ = card(camera, "DSC_0001.NEF")
    listed = tmp_path / "old.jpg"
    listed.write_bytes(content)
    with pytest.raises(SinkError, match=r"old\.jpg: it is not a list of"):
        fetch(sim, tmp_path, manifest=listed)
    assert contents(tmp_path) == {"old.jpg": content}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"# of mine\n",
        f"{HEX} *a\r\n{HEX}  b\r\n".encode(),
        f"SHA256 (a) = {HEX}\n".encode(),
        f"of my archive\n{HEX}  a\n".encode(),
        f"{HEX}  a\n".encode() * 2000 + b"and so on\n" * 1000,
    ],
)
def test_a_list_of_checksums_is_added_to_and_keeps_every_line(
    camera: Cameras, tmp_path: Path, content: bytes
) -> None:
    sim, _ = card(camera, "DSC_0001.NEF")
    listed = tmp_path / "list"
    listed.write_bytes(content)
    assert fetch(sim, tmp_path, manifest=listed).ok
    assert listed.read_bytes().startswith(content)
    assert listed.read_bytes().endswith(b"  DSC_0001.NEF\n")


def test_a_list_that_has_become_something_else_meanwhile_stays_as_it_is(
    camera: Cameras, tmp_path: Path
) -> None:
    sim, wanted = card(camera, "DSC_0001.NEF")
    listed = tmp_path / "list"

    class Write(Observer):
        def finished(self, result: Any) -> None:
            listed.write_bytes(b"my diary\n")

    with pytest.raises(SinkError, match="not a list of"):
        fetch(sim, tmp_path, manifest=listed, observer=Write())
    assert contents(tmp_path) == {"list": b"my diary\n", **wanted}


def test_checksums_are_found_by_names_whose_hashes_begin_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ptpfast.library.keep.checksums._mark", lambda file: 0)
    sums = Checksums("".join(f"{n:064x}  {n % 7}\n" for n in range(20)).encode())
    assert [sums.sha256(str(n)) for n in (0, 5, 6)] == [f"{n:064x}" for n in (14, 19, 13)]
    assert "7" not in sums


def plant_folder(path: Path) -> None:
    path.mkdir()


def plant_link(path: Path) -> None:
    path.symlink_to(__file__)


def plant_text(path: Path) -> None:
    path.write_bytes(b"my diary\n")


def plant_foreign(path: Path) -> None:
    path.touch()
    os.chown(path, 12345, 12345)


def plant_zeros(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 28)


PLANTED = [plant_folder, plant_link, plant_text, plant_zeros, os.mkfifo]
if not os.geteuid():  # others cannot make another user's file
    PLANTED.append(plant_foreign)


@pytest.mark.parametrize("plant", PLANTED)
def test_a_list_that_cannot_be_added_to_costs_no_picture_and_is_told_at_the_end(
    camera: Cameras, tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    sim, wanted = card(camera, "DSC_0001.NEF", "DSC_0002.NEF")
    listed = tmp_path / "SHA256SUMS"
    plant(listed)
    before = os.lstat(listed)
    done = run(sim, tmp_path, "--manifest", "--copies", tmp_path / "more", "--delete-verified")
    assert done.exit_code == DISK
    assert done.stderr.count("SHA256SUMS") == 1
    assert "move it away" in done.stderr
    assert "2 files downloaded" in done.stdout
    assert "2 deleted on the camera" in done.stdout
    assert wanted.items() <= contents(tmp_path).items()
    after = os.lstat(listed)
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (
        after.st_ino,
        after.st_size,
        after.st_mtime_ns,
    )


@pytest.mark.parametrize("plant", PLANTED)
def test_such_a_list_that_the_caller_names_is_refused_before_anything_is_fetched(
    tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    plant(tmp_path / "list")
    with pytest.raises(SinkError, match="list"):
        pull("127.0.0.1:1", tmp_path, manifest=tmp_path / "list")


# The journal of deletions


def plant_blank(path: Path) -> None:
    path.write_bytes(b"\nmy diary\n")


def plant_zeros_and_text(path: Path) -> None:
    path.write_bytes(b"\0" * 5000 + b"\nmy diary\n")


def plant_zeros_and_entry(path: Path) -> None:
    path.write_bytes(b"\0" * 70_000 + BEGIN)


def plant_schema(path: Path) -> None:
    path.write_bytes(b'{"schema": "https://json-schema.org", "mine": 1}\n')


def plant_what(path: Path) -> None:
    path.write_bytes(b'{"schema": 2, "what": "my entry"}\n')


def plant_second_name(path: Path) -> None:
    path.write_bytes(BEGIN)
    os.link(path, path.with_name("backup"))


BEGIN = b'{"schema": 2, "what": "deleted", "when": "2026-01-02T12:00:00+00:00", "object": {}}\n'
NO_JOURNALS = [
    *PLANTED,
    plant_blank,
    plant_zeros_and_text,
    plant_zeros_and_entry,
    plant_schema,
    plant_what,
    plant_second_name,
]


@pytest.mark.parametrize("plant", NO_JOURNALS)
def test_without_a_journal_everything_is_fetched_and_nothing_deleted_and_that_is_told_once(
    camera: Cameras, tmp_path: Path, plant: Callable[[Path], None]
) -> None:
    sim, wanted = card(camera, "DSC_0001.NEF", "DSC_0002.NEF")
    path = tmp_path / DELETIONS_NAME
    plant(path)
    before = os.lstat(path)
    done = run(sim, tmp_path, "--delete-verified")
    assert done.exit_code == DISK
    assert done.stderr.count(DELETIONS_NAME) == 1
    assert "move that file away" in done.stderr
    assert "2 left on the camera: the deletion cannot be logged" in done.stdout
    assert wanted.items() <= contents(tmp_path).items()
    assert len(sim.store.files()) == 2
    after = os.lstat(path)
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (
        after.st_ino,
        after.st_size,
        after.st_mtime_ns,
    )


@pytest.mark.parametrize(
    "head",
    [
        b"",
        BEGIN,
        *(BEGIN[:cut] for cut in (1, 5, 13, 20, 25, 40)),
        BEGIN[:9] + b"\n",
        BEGIN[:15] + b"\0",
        b"\0" * 300,
        b"\0" * 300 + b"\n" + BEGIN,
        b'{"schema": 1, "what": "left", "when": "',
    ],
)
def test_a_journal_that_a_power_cut_has_torn_is_gone_on_with(
    camera: Cameras, tmp_path: Path, head: bytes
) -> None:
    sim, _ = card(camera, "DSC_0001.NEF")
    (tmp_path / DELETIONS_NAME).write_bytes(head)
    assert fetch(sim, tmp_path, delete_verified=True).deleted == 1
    assert (tmp_path / DELETIONS_NAME).read_bytes().startswith(head)


def test_a_journal_that_is_lost_during_the_run_ends_the_deletions_alone(
    camera: Cameras, tmp_path: Path
) -> None:
    sim, wanted = card(camera, "DSC_0001.NEF", "DSC_0002.NEF", "DSC_0003.NEF")

    class Replace(Observer):
        def finished(self, result: Any) -> None:
            if result.object.name == "DSC_0001.NEF":
                (tmp_path / DELETIONS_NAME).write_bytes(b"my diary\n")

    with pytest.raises(SinkError, match="cannot write") as caught:
        fetch(sim, tmp_path, delete_verified=True, observer=Replace())
    report: Report = caught.value.report  # type: ignore[attr-defined]
    assert (report.downloaded, report.deleted, report.left) == (3, 1, 2)
    assert contents(tmp_path) == {DELETIONS_NAME: b"my diary\n", **wanted}


def entry(sim: SimulatedCamera, handle: int, **more: Any) -> bytes:
    identity = {"camera": f"ptpfast Simulated Camera {sim.body.serial_number}", "handle": handle}
    identity |= {"name": "a", "size": 1, "captured": ""} | more.pop("object", {})
    written = {"schema": 2, "what": "proven", "when": "2026-01-02T12:00:00+00:00"}
    written |= {"object": identity, "sha256": HEX, "storage": 0x00010001} | more
    return json.dumps(written).encode() + b"\n"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"file": "a"},
        {"file": "../away"},
        {"file": "one", "storage": 7},
        {"file": "one", "object": {"size": float("nan")}},
        {"file": "one", "object": {"size": 2}},
    ],
)
def test_lines_that_the_card_cannot_have_had_cost_few_requests_and_are_not_found_gone(
    camera: Cameras, tmp_path: Path, more: dict[str, Any]
) -> None:
    sim, _ = card(camera, "DSC_0001.NEF")
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "one").write_bytes(b"1")
    (tmp_path / "away").write_bytes(b"1")
    planted = b"".join(entry(sim, 9000 + number, **more) for number in range(3000))
    (folder / DELETIONS_NAME).write_bytes(planted)
    report = fetch(sim, folder, delete_verified=True)
    assert (report.deleted, report.found_gone) == (1, 0)
    assert sim.operations[OperationCode.GetObjectInfo] < 20
    written = (folder / DELETIONS_NAME).read_bytes().removeprefix(planted)
    assert written.count(b"\n") == 2


def test_of_a_large_journal_the_end_is_looked_at_and_the_latest_lines(tmp_path: Path) -> None:
    journal = DeletionJournal(tmp_path)
    with journal.path.open("wb") as file:
        file.write(BEGIN)
        file.truncate(1 << 30)
    for number in range(MOST_PENDING + 5):
        journal.note("proven", Identity("c", number + 1, "A", 1, ""), sha256=HEX)
    handles = [identity.handle for identity in journal.pending("c")]
    assert handles == list(range(6, MOST_PENDING + 6))
