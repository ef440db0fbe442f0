"""What lies beside the catalog, tables without end, and catalogs that are open twice."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from endless_tables import make_endless
from ptpfast.ownership.names import TEMPORARY_PREFIX
from ptpfast.state import catalog as catalog_module
from ptpfast.state import catalog_file, catalog_log
from ptpfast.state.catalog import Catalog
from ptpfast.state.fetched import Fetched, Stored

BODY = json.dumps(["Maker", "One", "12345"])
OBJECT = Fetched(BODY, 0x10001, "DCIM/A.NEF", 5, "2026-01-02T03:04:05", "", None, 7)
FILE = Stored("/pictures", "A.NEF", 5, 17)
COUNT = 20
SET_ASIDE = "catalog-damaged-1.sqlite"


def some(first: int, count: int = COUNT) -> list[tuple[Fetched, Stored]]:
    names = [f"{number}.NEF" for number in range(first, first + count)]
    return [(replace(OBJECT, path=name), replace(FILE, name=name)) for name in names]


def filled(first: int = 0) -> Path:
    """Make a catalog of COUNT records, and close it."""
    with closing(Catalog()) as catalog:
        assert catalog.store(some(first)) == COUNT
    return catalog_file.path()


@pytest.fixture
def path() -> Path:
    return filled()


@pytest.fixture
def catalog(path: Path) -> Iterator[Catalog]:
    """Opens the file of `path` when it is used first."""
    with closing(Catalog()) as found:
        yield found


def names(path: Path) -> set[str]:
    return set(os.listdir(path.parent))


def check_whole(catalog: Catalog, path: Path, *aside: str, note: str = "") -> None:
    """Check that the history is there and can be written, and what was renamed and told."""
    assert len(list(catalog.records())) == COUNT
    assert catalog.store([(OBJECT, FILE)]) == 1
    assert catalog.why == ""
    assert [note in each for each in catalog.notes] == ([True] if note else [])
    catalog.close()
    assert names(path) == {"catalog.sqlite", *aside}


# Companions that are not SQLite's


def a_pipe(at: Path) -> None:
    os.mkfifo(at)


def a_folder(at: Path) -> None:
    at.mkdir()


def a_link(at: Path) -> None:
    at.symlink_to("/dev/zero")


def another_name(at: Path) -> None:
    at.write_bytes(b"private")
    os.link(at, at.with_name("theirs"))


@pytest.mark.parametrize("tail", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("plant", [a_pipe, a_folder, a_link, another_name])
def test_a_companion_that_is_no_file_of_ours_is_renamed_and_the_history_stays(
    path: Path, catalog: Catalog, tail: str, plant: Callable[[Path], None]
) -> None:
    plant(Path(f"{path}{tail}"))
    before = os.lstat(f"{path}{tail}")
    theirs = {"theirs"} & names(path)
    check_whole(catalog, path, f"{SET_ASIDE}{tail}", *theirs)
    assert os.path.samestat(os.lstat(path.with_name(f"{SET_ASIDE}{tail}")), before)


# A log that a killed process left, and others


def left_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the log of another catalog."""
    own = os.environ["PTPFAST_DATA"]
    monkeypatch.setenv("PTPFAST_DATA", str(tmp_path / "other"))
    with closing(Catalog()) as other:
        other.store(some(1000))
        log = shutil.copy(f"{catalog_file.path()}-wal", tmp_path / "log")
    monkeypatch.setenv("PTPFAST_DATA", own)
    return Path(log)


def test_the_log_of_another_catalog_does_not_replace_the_history(
    path: Path, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(left_log(tmp_path, monkeypatch), f"{path}-wal")
    check_whole(catalog, path, f"{SET_ASIDE}-wal", note="The log beside the catalog is not used")


def test_the_log_of_another_program_does_not_replace_the_history(
    path: Path, catalog: Catalog, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "other", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE t (x)")
        other.execute("INSERT INTO t VALUES (zeroblob(100000))")
        shutil.copy(tmp_path / "other-wal", f"{path}-wal")
    check_whole(catalog, path, f"{SET_ASIDE}-wal", note="The log beside the catalog is not used")


def killed_with(path: Path) -> None:
    """Leave the catalog and its log as a killed process does that has stored COUNT records more."""
    with closing(Catalog()) as writing:
        assert writing.store(some(COUNT)) == COUNT
        for tail in ("", "-wal", "-shm"):
            shutil.copy(f"{path}{tail}", path.with_name(f"saved{tail}"))
    for tail in ("", "-wal", "-shm"):
        path.with_name(f"saved{tail}").rename(f"{path}{tail}")


def test_the_log_of_a_killed_process_is_applied(path: Path, catalog: Catalog) -> None:
    killed_with(path)
    assert len(list(catalog.records())) == 2 * COUNT
    catalog.close()
    assert names(path) == {"catalog.sqlite"}


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_disk_that_refuses_the_copy_does_not_cost_the_log(
    path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    killed_with(path)
    opened = []
    connect = catalog_file.connect

    def refuse(copy: Path, until: list[float]) -> sqlite3.Connection:
        opened.append(copy)
        database = connect(copy, until)
        if len(opened) == refused:  # no room for another page, as on a full disk
            with closing(database):
                database.execute("PRAGMA max_page_count = 1")
                database.execute("CREATE TABLE t AS SELECT zeroblob(100000) AS x")
        return database

    with monkeypatch.context() as patch:
        patch.setattr(catalog_file, "connect", refuse)
        assert list(catalog.records()) == []
    assert path not in opened
    assert "full" in catalog.why
    assert catalog.notes == []
    with closing(Catalog()) as later:
        assert len(list(later.records())) == 2 * COUNT
    assert names(path) == {"catalog.sqlite"}


def test_a_log_that_goes_when_its_process_closes_is_not_missed(
    path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_log, "is_left", lambda path: True)  # and then it is gone
    check_whole(catalog, path)


def test_copies_of_a_process_that_was_killed_at_a_log_are_removed(
    path: Path, catalog: Catalog
) -> None:
    killed_with(path)
    for tail in ("", "-wal", "-shm"):
        path.with_name(f"{TEMPORARY_PREFIX}{'0' * 16}{tail}").write_bytes(b"SQLite")
    assert len(list(catalog.records())) == 2 * COUNT
    catalog.close()
    assert names(path) == {"catalog.sqlite"}


def test_an_old_log_is_not_applied_to_a_later_state(path: Path, catalog: Catalog) -> None:
    killed_with(path)
    log = Path(f"{path}-wal").read_bytes()
    with closing(Catalog()) as later:
        for number in range(5):
            later.store(some(100 + number, 1))
    Path(f"{path}-wal").write_bytes(log)
    assert len(list(catalog.records())) == 2 * COUNT + 5
    assert f"{SET_ASIDE}-wal" in names(path)


def test_a_log_of_a_terabyte_of_nothing_is_not_read(path: Path, catalog: Catalog) -> None:
    with open(f"{path}-wal", "wb") as log:
        log.truncate(catalog_log.MOST + 1)
    check_whole(catalog, path, f"{SET_ASIDE}-wal", note="The log beside the catalog is not used")


def test_a_log_in_use_by_another_process_is_left_alone(path: Path, catalog: Catalog) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    with open(f"{path}-wal", "rb") as log:
        before = os.fstat(log.fileno())
    assert not catalog_log.is_left(path)
    assert len(list(catalog.records())) == COUNT + 1
    assert os.path.samestat(os.stat(f"{path}-wal"), before)
    holder.communicate("\n")
    assert len(list(catalog.records())) == COUNT + 1
    assert names(path) == {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}


HOLDER = """
import json, sys
from ptpfast.state.catalog import Catalog
from ptpfast.state.fetched import Fetched, Stored
catalog = Catalog()
body = json.dumps(["Maker", "Two", "1"])
item = Fetched(body, 1, "B.NEF", 1, "")
print(catalog.store([(item, Stored("/b", "B.NEF", 1, 1))]), flush=True)
sys.stdin.readline()
catalog.close()
"""


# Several connections, and a file that is replaced


def test_a_second_catalog_of_a_process_keeps_the_locks_of_the_first(
    path: Path, catalog: Catalog
) -> None:
    assert catalog.store([(OBJECT, FILE)]) == 1
    with closing(Catalog()) as second:
        assert second.at(FILE.folder, FILE.name) is not None
    holder = subprocess.run(
        [sys.executable, "-c", HOLDER], input="\n", stdout=subprocess.PIPE, text=True, check=True
    )
    assert holder.stdout == "1\n"
    # The other process would have deleted the log, as the last one that uses it.
    assert "catalog.sqlite-wal" in names(path)
    assert catalog.store(some(COUNT)) == COUNT
    with closing(Catalog()) as third:
        assert len(list(third.records())) == 2 * COUNT + 2


def test_a_catalog_that_is_replaced_during_a_run_is_opened_again(
    path: Path, catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copy(path, path.with_name("copy"))
    assert catalog.store([(OBJECT, FILE)]) == 1
    os.replace(copy, path)
    with caplog.at_level(logging.WARNING, "ptpfast"):
        assert catalog.store(some(COUNT)) == COUNT
    assert "replaced or removed" in caplog.text
    catalog.close()
    with closing(Catalog()) as later:
        # What was in the log of the first fits the copy of its own state, so it is kept.
        assert len(list(later.records())) == 2 * COUNT + 1
        assert later.notes == []


def test_a_catalog_that_is_removed_during_a_run_is_made_again(path: Path, catalog: Catalog) -> None:
    assert catalog.store([(OBJECT, FILE)]) == 1
    path.unlink()
    assert list(catalog.records()) == []
    assert catalog.store(some(0)) == COUNT
    catalog.close()
    with closing(Catalog()) as later:
        assert len(list(later.records())) == COUNT


# A folder that is read-only


@pytest.fixture
def read_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalog's folder be read-only, also for root."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda at, how: at != path.parent and access(at, how))


@pytest.mark.usefixtures("read_only")
def test_a_catalog_in_a_read_only_folder_is_read_and_nothing_is_made_beside_it(
    path: Path, catalog: Catalog
) -> None:
    assert catalog.at(FILE.folder, "1.NEF") is not None
    assert names(path) == {"catalog.sqlite"}
    assert catalog.store([(OBJECT, FILE)]) == 0
    assert catalog.forget(lambda record: True) == 0
    assert len(list(catalog.records())) == COUNT
    assert names(path) == {"catalog.sqlite"}
    assert (catalog.why, catalog.notes) == ("", [])


@pytest.mark.usefixtures("read_only")
def test_a_catalog_of_an_older_version_in_a_read_only_folder_stays_as_it_is(
    path: Path, catalog: Catalog
) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE origin")
        database.execute("PRAGMA user_version = 1")
    before = path.read_bytes()
    assert list(catalog.records()) == []
    assert "an older version" in catalog.why
    assert catalog.notes == []
    assert path.read_bytes() == before


# Tables without end, and values that are too long


def ask_everything(catalog: Catalog) -> None:
    for ask in (
        lambda: catalog.at(FILE.folder, "1.NEF"),
        lambda: catalog.seen(BODY, "1.NEF"),
        lambda: catalog.files_of(BODY, "1.NEF"),
        lambda: catalog.names_in(BODY, FILE.folder),
        lambda: list(catalog.records()),
        lambda: catalog.forget(lambda record: True),
    ):
        ask()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("object_of", "more rows than it has room for"),
        ("sqlite_autoindex_file_1", "more rows than it has room for"),
        ("object", "malformed"),
        ("file", "malformed"),
    ],
)
def test_tables_without_end_take_no_memory_and_end(
    path: Path, catalog: Catalog, name: str, why: str
) -> None:
    make_endless(path, name)
    ask_everything(catalog)
    assert path.with_name(SET_ASIDE).exists()
    assert [why in note for note in catalog.notes] == [True]


def test_a_schema_without_end_does_not_hold_a_run(
    path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_module, "LONGEST_S", 1.0)
    make_endless(path, "sqlite_master")
    ask_everything(catalog)
    assert path.with_name(SET_ASIDE).exists()
    assert len(catalog.notes) == 1


def test_a_value_of_megabytes_is_not_read(path: Path, catalog: Catalog) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE object SET path = zeroblob(3 << 20) WHERE id = 3")
    assert list(catalog.records()) == []
    assert ["too big" in note for note in catalog.notes] == [True]


def test_much_is_forgotten_in_the_time_that_it_takes(
    path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_module, "SLOWEST", 1)
    assert catalog.prepare()
    monkeypatch.setattr(catalog_module, "LONGEST_S", -1.0)
    assert catalog.forget(lambda record: True) == COUNT
    assert catalog.notes == []
