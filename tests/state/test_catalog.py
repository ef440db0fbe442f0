"""The catalog: kept, shared by processes, survived when it is damaged, and never in a run's way."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptpfast.ptp.datasets import DeviceInfo
from ptpfast.state import catalog as catalog_module
from ptpfast.state import catalog_file
from ptpfast.state.catalog import Catalog
from ptpfast.state.fetched import Fetched, Record, Stored, body_identity, is_weak

BODY = json.dumps(["Maker", "One", "12345"])
OTHER = json.dumps(["Maker", "One", "67890"])
OBJECT = Fetched(
    BODY, 0x10001, "DCIM/100ABCDE/DSC_0001.NEF", 5_000_000_000, "2026-01-02T03:04:05", "", None, 7
)
FILE = Stored("/pictures", "DSC_0001.NEF", 5_000_000_000, 1_767_323_045_000_000_000)


@pytest.fixture
def made() -> Iterator[Callable[[], Catalog]]:
    """Opens catalogs of this test's data folder, closed at its end."""
    catalogs: list[Catalog] = []

    def make() -> Catalog:
        catalogs.append(Catalog())
        return catalogs[-1]

    yield make
    for catalog in catalogs:
        catalog.close()


Made = Callable[[], Catalog]


@pytest.fixture
def path(made: Made) -> Path:
    """A catalog of one record, closed."""
    catalog = made()
    assert catalog.store([(OBJECT, FILE)]) == 1
    catalog.close()
    return catalog_file.path()


def change(path: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement, values)


def known(catalog: Catalog) -> Any:
    return catalog.at(FILE.folder, FILE.name)


def names(path: Path) -> list[str]:
    return sorted(os.listdir(path.parent))


def test_what_is_stored_is_found_by_another_run(path: Path, made: Made) -> None:
    catalog = made()
    assert known(catalog) == (OBJECT, FILE)
    assert catalog.at("/pictures", "DSC_0002.NEF") is None
    assert catalog.at("/elsewhere", FILE.name) is None
    assert catalog.seen(BODY, OBJECT.path) == [OBJECT]
    assert catalog.seen(OTHER, OBJECT.path) == []
    assert list(catalog.records()) == [Record(1, OBJECT, 1, FILE)]
    assert (catalog.notes, catalog.why) == ([], "")


def test_a_catalog_that_is_not_there_knows_nothing_and_is_not_made_by_reading(made: Made) -> None:
    catalog = made()
    assert known(catalog) is None
    assert catalog.forget(lambda record: True) == 0
    assert names(catalog_file.path()) == []


def test_the_folder_is_private_and_nothing_temporary_stays_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: Made
) -> None:
    monkeypatch.setenv("PTPFAST_DATA", str(tmp_path / "a" / "b"))
    catalog = made()
    catalog.store([(OBJECT, FILE)])
    catalog.close()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert names(catalog_file.path()) == ["catalog.sqlite"]


def test_an_object_that_is_fetched_again_is_one_object_with_two_files(
    path: Path, made: Made
) -> None:
    catalog = made()
    again = replace(OBJECT, sha256="0" * 64, fetched=9)
    catalog.store([(again, replace(FILE, folder="/backup"))])
    assert catalog.seen(BODY, OBJECT.path) == [again]
    assert {record.file.folder for record in catalog.records() if record.file} == {
        "/pictures",
        "/backup",
    }


def test_an_object_whose_file_was_replaced_is_still_known_as_fetched(
    path: Path, made: Made
) -> None:
    catalog = made()
    other = replace(OBJECT, identity=OTHER, fetched=9)
    catalog.store([(other, FILE)])
    assert known(catalog) == (other, FILE)
    assert catalog.seen(BODY, OBJECT.path) == [OBJECT]
    assert [record.file for record in catalog.records()] == [FILE, None]


def test_what_is_forgotten_is_gone_with_its_last_file(path: Path, made: Made) -> None:
    catalog = made()
    catalog.store([(OBJECT, replace(FILE, folder="/backup"))])
    assert catalog.forget(lambda r: r.file is not None and r.file.folder == "/backup") == 1
    assert catalog.seen(BODY, OBJECT.path) == [OBJECT]
    assert catalog.forget(lambda record: True) == 1
    assert catalog.seen(BODY, OBJECT.path) == []
    assert list(catalog.records()) == []


def test_names_that_are_no_text_are_kept_as_they_are(path: Path, made: Made) -> None:
    catalog = made()
    odd = replace(OBJECT, path="DCIM/\ud800.NEF")
    file = Stored(os.fsdecode(b"/pictures\xff"), os.fsdecode(b"\xfe.NEF"), 1, -5)
    assert catalog.store([(odd, file)]) == 1
    assert catalog.at(file.folder, file.name) == (odd, file)


@pytest.mark.parametrize(
    ("item", "file"),
    [
        (replace(OBJECT, path=""), FILE),
        (replace(OBJECT, size=-1), FILE),
        (replace(OBJECT, captured="yesterday"), FILE),
        (replace(OBJECT, identity="nobody"), FILE),
        (OBJECT, replace(FILE, folder="relative")),
        (OBJECT, replace(FILE, name="../evil")),
    ],
)
def test_a_record_that_could_not_be_read_back_is_not_written(
    made: Made, item: Fetched, file: Stored
) -> None:
    catalog = made()
    assert catalog.store([(item, file), (OBJECT, FILE)]) == 1
    assert [record.object for record in catalog.records()] == [OBJECT]


def test_a_body_without_a_number_has_a_weak_identity() -> None:
    info = DeviceInfo(manufacturer="Maker", model="One", serial_number="0000")
    assert is_weak(body_identity(info, bytes(16)))
    assert not is_weak(body_identity(info, bytes(range(16))))
    assert not is_weak(body_identity(replace(info, serial_number="7"), bytes(16)))


def test_the_catalog_lies_where_the_platform_wants_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PTPFAST_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    assert catalog_file.folder() == tmp_path / "own" / "ptpfast"
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert catalog_file.folder() == tmp_path / ".local/share" / "ptpfast"
    monkeypatch.setattr("sys.platform", "darwin")
    assert catalog_file.folder() == tmp_path / "Library/Application Support/ptpfast"


# Several processes


WRITER = """
import json, sys
from ptpfast.state.catalog import Catalog
from ptpfast.state.fetched import Fetched, Stored
catalog, own = Catalog(), sys.argv[1]
body = json.dumps(["Maker", "One", own])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    name = f"{own}_{number}.NEF"
    stored = catalog.store([(Fetched(body, 1, name, 1, ""), Stored("/shared", name, 1, 1))])
    assert stored == 1, catalog.why
    print(number, flush=True)
assert not catalog.notes
"""


def writer(own: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, own, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_that_write_at_once_lose_nothing(made: Made) -> None:
    processes = [writer(own, 150) for own in ("a", "b")]
    for process in processes:  # both make the catalog
        begin(process)
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert sum(1 for _ in made().records()) == 300
    companions = ["catalog.sqlite-shm", "catalog.sqlite-wal"]  # while it is open
    assert names(catalog_file.path()) == ["catalog.sqlite", *companions]


def test_a_process_that_is_killed_while_it_writes_leaves_whole_records(made: Made) -> None:
    process = writer("a", 100_000)
    begin(process)
    assert process.stdout is not None
    for line in process.stdout:
        if line == "200\n":
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    catalog = made()
    found = [record.object.path for record in catalog.records()]
    assert len(found) > 200
    assert set(found) == {f"a_{number}.NEF" for number in range(len(found))}
    assert catalog.store([(OBJECT, FILE)]) == 1
    assert (catalog.notes, catalog.why) == ([], "")


def test_a_transaction_that_fails_half_way_leaves_what_was_there(path: Path, made: Made) -> None:
    catalog = made()
    assert catalog.prepare()

    def items() -> Iterator[tuple[Fetched, Stored]]:
        yield replace(OBJECT, path="new"), replace(FILE, name="new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog.store(items())
    assert [record.object for record in catalog.records()] == [OBJECT]
    assert catalog.store([(replace(OBJECT, path="new"), FILE)]) == 1


def test_a_file_that_another_process_holds_is_not_waited_for_long(
    path: Path, made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catalog_file, "BUSY_S", 0.01)
    catalog = made()
    assert catalog.prepare()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert known(catalog) == (OBJECT, FILE)
        assert catalog.store([(OBJECT, replace(FILE, name="B"))]) == 0
        assert "locked" in caplog.text
    assert catalog.store([(OBJECT, replace(FILE, name="B"))]) == 1


def test_a_file_that_another_process_holds_for_long_is_waited_for_once(
    path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_file, "BUSY_S", 2.0)
    catalog = made()
    assert catalog.prepare()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for _ in range(20):
            assert catalog.store([(OBJECT, replace(FILE, name="B"))]) == 0
        assert time.monotonic() - began < 20.0


def test_a_lock_that_outlasts_a_question_is_no_damage(
    path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_file, "BUSY_S", 0.01)
    catalog = made()
    assert catalog.prepare()
    monkeypatch.setattr(catalog_module, "LONGEST_S", -1.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert catalog.store([(OBJECT, replace(FILE, name="B"))]) == 0
    assert catalog.notes == []
    assert path.exists()


def test_a_catalog_that_is_deleted_is_made_again(path: Path, made: Made) -> None:
    path.unlink()
    catalog = made()
    assert known(catalog) is None
    assert catalog.store([(OBJECT, FILE)]) == 1
    assert known(made()) == (OBJECT, FILE)
    assert catalog.notes == []


def test_a_log_beside_a_missing_catalog_is_not_applied_to_a_new_one(path: Path, made: Made) -> None:
    catalog = made()
    catalog.store([(replace(OBJECT, path="old"), replace(FILE, name="old"))])
    saved = path.with_name("saved")
    shutil.copy(f"{path}-wal", saved)
    catalog.close()
    path.unlink()
    shutil.move(saved, f"{path}-wal")
    catalog = made()
    assert catalog.store([(OBJECT, FILE)]) == 1
    assert [record.object for record in catalog.records()] == [OBJECT]
    assert catalog.notes == []


# What is not believed


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(50_000))


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("not a database at all\n" * 1000)


def foreign(path: Path) -> None:
    change(path, "PRAGMA application_id = 1")


def another_table(path: Path) -> None:
    change(path, "CREATE TABLE more (x)")


def a_trigger(path: Path) -> None:
    change(path, "CREATE TRIGGER t AFTER INSERT ON file BEGIN DELETE FROM body; END")


def no_log(path: Path) -> None:
    change(path, "PRAGMA journal_mode = DELETE")


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(8192)


def negative(path: Path) -> None:
    change(path, "UPDATE object SET size = -1")


def a_name_above(path: Path) -> None:
    change(path, "UPDATE object SET path = x'00' || zeroblob(100000)")


def a_date_of_no_sense(path: Path) -> None:
    change(path, "UPDATE object SET captured = 'noon'")


def no_camera(path: Path) -> None:
    change(path, "UPDATE body SET identity = '[1, 2, 3]'")


def a_deep_camera(path: Path) -> None:
    change(path, "UPDATE body SET identity = ?", values=("[" * 4000,))


def a_link(path: Path) -> None:
    path.rename(path.with_name("target"))
    path.symlink_to(path.with_name("target"))


def a_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def text_that_is_none(path: Path) -> None:
    change(path, "UPDATE object SET captured = CAST(x'ff' AS TEXT)")


def another_name(path: Path) -> None:
    os.link(path, path.with_name("other"))


ODD = [garbage, nothing, text, foreign, another_table, a_trigger, no_log, cut, negative]
ODD += [a_name_above, a_date_of_no_sense, no_camera, a_deep_camera, a_link, a_dangling_link]
ODD += [a_pipe, another_name, text_that_is_none]


@pytest.mark.parametrize("spoil", ODD, ids=lambda spoil: spoil.__name__)
def test_a_file_that_cannot_be_used_is_renamed_and_said_and_another_one_is_made(
    path: Path, made: Made, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    spoil(path)
    before = path.lstat()
    catalog = made()
    assert known(catalog) is None
    [note] = catalog.notes
    aside = path.with_name("catalog-damaged-1.sqlite")
    assert "ptpfast history rebuild FOLDER" in note
    assert str(aside) in note
    assert "cannot be used" in caplog.text
    assert os.path.samestat(aside.lstat(), before)
    assert catalog.store([(OBJECT, FILE)]) == 1
    assert known(made()) == (OBJECT, FILE)


def test_a_folder_in_its_place_is_renamed_too(path: Path, made: Made) -> None:
    path.unlink()
    path.mkdir()
    catalog = made()
    assert known(catalog) is None
    assert path.with_name("catalog-damaged-1.sqlite").is_dir()
    assert catalog.store([(OBJECT, FILE)]) == 1


def test_each_damaged_file_gets_a_name_of_its_own(path: Path, made: Made) -> None:
    for _ in range(3):
        garbage(path)
        made().store([(OBJECT, FILE)])
    for number in (1, 2, 3):
        assert path.with_name(f"catalog-damaged-{number}.sqlite").exists()


def test_a_newer_schema_is_left_as_it_is_and_said(path: Path, made: Made) -> None:
    change(path, f"PRAGMA user_version = {catalog_file.SCHEMA + 1}", "CREATE TABLE new (x)")
    before = path.read_bytes()
    catalog = made()
    assert known(catalog) is None
    assert catalog.store([(OBJECT, FILE)]) == 0
    assert not catalog.prepare()
    catalog.close()
    assert path.read_bytes() == before
    [note] = catalog.notes
    assert "is not used: its schema is" in note
    assert names(path) == ["catalog.sqlite"]


def test_an_older_schema_is_migrated_and_keeps_its_records(
    path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = (*catalog_file.MIGRATIONS, ("CREATE TABLE tag (x)", "INSERT INTO tag VALUES (1)"))
    monkeypatch.setattr(catalog_file, "MIGRATIONS", newer)
    monkeypatch.setattr(catalog_file, "SCHEMA", len(newer))
    assert known(made()) == (OBJECT, FILE)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT x FROM tag").fetchall() == [(1,)]
        assert database.execute("PRAGMA user_version").fetchone() == (len(newer),)


def test_a_journal_beside_the_catalog_is_renamed_before_it_is_obeyed(
    path: Path, made: Made
) -> None:
    journal = Path(f"{path}-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    assert known(made()) == (OBJECT, FILE)
    assert not journal.exists()
    assert path.with_name("catalog-damaged-1.sqlite-journal").exists()


def test_a_folder_that_others_can_write_to_is_not_used(
    path: Path, made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.chmod(0o777)
    catalog = made()
    assert known(catalog) is None
    assert catalog.store([(OBJECT, FILE)]) == 0
    assert "other users can write to the folder" in caplog.text
    assert names(path) == ["catalog.sqlite"]


@pytest.mark.parametrize("place", ["/dev/null/below", "/proc/ptpfast"])
def test_a_home_that_cannot_be_written_is_logged_and_done_without(
    monkeypatch: pytest.MonkeyPatch, made: Made, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PTPFAST_DATA", place)
    catalog = made()
    assert known(catalog) is None
    assert catalog.store([(OBJECT, FILE)]) == 0
    assert catalog.store([(OBJECT, FILE)]) == 0
    assert caplog.text.count("the catalog") == 1
    assert not catalog.prepare()
    assert catalog.why


def test_a_user_without_a_home_has_no_catalog(monkeypatch: pytest.MonkeyPatch, made: Made) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("PTPFAST_DATA")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    catalog = made()
    assert catalog.store([(OBJECT, FILE)]) == 0
    assert known(catalog) is None
    assert catalog.why == "no home"


def test_a_full_disk_is_logged_and_what_was_there_stays(
    path: Path, made: Made, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = made()
    assert catalog.prepare()
    assert catalog._database is not None
    catalog._database.execute("PRAGMA max_page_count = 12")
    many = [(replace(OBJECT, path=f"{n}"), replace(FILE, name=f"{n}")) for n in range(5000)]
    assert catalog.store(many) == 0
    assert "full" in caplog.text
    assert [record.object for record in catalog.records()] == [OBJECT]


def test_reading_that_takes_too_long_sets_the_file_aside(
    path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = made()
    many = [(replace(OBJECT, path=f"{n}"), replace(FILE, name=f"{n}")) for n in range(5000)]
    assert catalog.store(many) == 5000
    monkeypatch.setattr(catalog_module, "LONGEST_S", -1.0)
    catalog.forget(lambda record: True)
    assert "takes too long" in catalog.notes[0]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of some pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PTPFAST_DATA", str(tmp_path_factory.mktemp("healthy")))
        catalog = Catalog()
        catalog.store(
            (replace(OBJECT, path=f"DSC_{n}.NEF"), replace(FILE, name=f"DSC_{n}.NEF"))
            for n in range(200)
        )
        catalog.close()
        return catalog_file.path().read_bytes()


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8
    ),
    cut=st.none() | st.integers(0, 1 << 20),
)
def test_a_damaged_file_never_raises_and_is_never_deleted(
    healthy: bytes,
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, int]],
    cut: int | None,
) -> None:
    damaged = bytearray(healthy)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    if cut is not None:
        del damaged[cut % len(damaged) :]
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("damaged")
        folder.chmod(0o700)
        patch.setenv("PTPFAST_DATA", str(folder))
        catalog_file.path().write_bytes(damaged)
        catalog = Catalog()
        try:
            for number in range(0, 200, 7):
                catalog.at("/pictures", f"DSC_{number}.NEF")
                catalog.seen(BODY, f"DSC_{number}.NEF")
            catalog.store([(OBJECT, FILE)])
            list(catalog.records())
        finally:
            catalog.close()
        kept = [folder / "catalog-damaged-1.sqlite", folder / "catalog-damaged-2.sqlite"]
        assert not catalog.notes or kept[0].exists() or "newer" in catalog.why or catalog.why


def test_threads_of_a_run_share_a_catalog(made: Made) -> None:
    catalog = made()

    def run(own: int) -> None:
        for number in range(100):
            name = f"{own}_{number}"
            stored = catalog.store([(replace(OBJECT, path=name), replace(FILE, name=name))])
            assert stored == 1
            assert catalog.at(FILE.folder, name) is not None

    threads = [threading.Thread(target=run, args=(own,)) for own in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(1 for _ in catalog.records()) == 300
    assert (catalog.notes, catalog.why) == ([], "")
