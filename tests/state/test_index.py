"""The file of what earlier sessions have learnt: kept, read back, and never believed when odd."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from endless_tables import make_endless
from ptpfast.ptp.datasets import DeviceInfo
from ptpfast.ptp.objects import Description
from ptpfast.state import index as index_module
from ptpfast.state.index import Index, Remembered, identity_of, is_plausible

STORAGE, CARD = 0x00010001, "a card"
BODY = DeviceInfo(manufacturer="Maker", model="One", serial_number="0012345")
GUID = bytes(range(16))
FILE = Description(
    STORAGE, 0x3801, 0, 5_000_000_000, 7, "DSC_0001.JPG", "20260102T030405", "20260102T030405.0"
)
FOLDER = Description(STORAGE, 0x3001, 0, 0, 0, "100CARD", "", "")
KNOWN = {7: FOLDER, 8: FILE, 9: replace(FILE, name="Ä b.NEF", size=None)}


def made(identity: DeviceInfo = BODY) -> Index:
    """The index of a body in this test's cache folder."""
    found = Index.of(identity, GUID)
    assert found is not None
    return found


@pytest.fixture
def index() -> Index:
    filled = made()
    filled.keep(STORAGE, CARD, 1000, KNOWN)
    return filled


def change(index: Index, *statements: str, values: tuple[object, ...] = ()) -> None:
    with closing(sqlite3.connect(index.path)) as database, database:
        for statement in statements:
            database.execute(statement, values)


def test_what_is_kept_is_read_back_by_another_session(index: Index) -> None:
    assert made().recall(STORAGE, CARD) == Remembered(1000, KNOWN)


def test_an_index_that_is_not_there_knows_nothing_and_makes_no_file() -> None:
    index = made()
    assert index.recall(STORAGE, CARD) == Remembered()
    index.forget()
    assert not index.path.exists()


def test_another_card_or_storage_is_not_remembered(index: Index) -> None:
    assert index.recall(STORAGE, "another card") == Remembered()
    assert index.recall(0x00020001, CARD) == Remembered()


def test_keeping_replaces_a_storage_and_leaves_the_others(index: Index) -> None:
    other = {8: replace(FILE, name="OTHER.JPG")}
    index.keep(0x00020001, "second card", None, other)
    index.keep(STORAGE, CARD, None, {7: FOLDER})
    assert index.recall(STORAGE, CARD) == Remembered(None, {7: FOLDER})
    assert index.recall(0x00020001, "second card") == Remembered(None, other)


def test_what_is_forgotten_is_gone(index: Index) -> None:
    index.forget()
    assert list(index.path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../evil", "a/b", "..", "", "new\nline", "\x1b[2J", "\udc80", "x" * 2000]
)
def test_a_name_of_no_sense_is_not_kept_and_the_card_not_whole(name: str) -> None:
    index = made()
    index.keep(STORAGE, CARD, 1000, {**KNOWN, 10: replace(FILE, name=name)})
    assert index.recall(STORAGE, CARD) == Remembered(None, KNOWN)


# Whose it is


@pytest.mark.parametrize(
    ("serial", "guid", "known"),
    [
        ("0012345", GUID, True),
        (" 12345 ", bytes(16), True),
        ("", GUID, True),
        ("00000000", GUID, True),
        ("", bytes(16), False),
        ("0000", b"\xff" * 16, False),
    ],
)
def test_a_body_is_known_by_its_number_else_by_its_guid(
    serial: str, guid: bytes, known: bool
) -> None:
    info = replace(BODY, serial_number=serial)
    assert (identity_of(info, guid) is not None) is known
    assert (Index.of(info, guid) is not None) is known


def test_bodies_differ_by_maker_model_number_and_else_by_guid() -> None:
    infos = [
        BODY,
        replace(BODY, manufacturer="Other"),
        replace(BODY, model="Two"),
        replace(BODY, serial_number="0012346"),
        replace(BODY, serial_number=""),
        replace(BODY, manufacturer='Maker", "One', model=""),
    ]
    identities = [identity_of(info, GUID) for info in infos]
    identities.append(identity_of(replace(BODY, serial_number=""), bytes(range(1, 17))))
    assert len(set(identities)) == len(identities)
    assert identity_of(replace(BODY, serial_number=" 12345"), bytes(16)) == identities[0]


def test_the_file_lies_where_the_platform_wants_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PTPFAST_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert index_module.folder() == tmp_path / "own" / "ptpfast"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert index_module.folder() == tmp_path / ".cache" / "ptpfast"
    monkeypatch.setattr("sys.platform", "darwin")
    assert index_module.folder() == tmp_path / "Library" / "Caches" / "ptpfast"


def test_a_user_without_a_home_has_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("PTPFAST_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert Index.of(BODY, GUID) is None


def test_the_oldest_of_too_many_files_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "MAX_FILES", 3)
    indexes = [made(replace(BODY, model=f"Model {number}")) for number in range(5)]
    for age, index in enumerate(indexes):
        index.keep(STORAGE, CARD, None, KNOWN)
        os.utime(index.path, (1000 + age, 1000 + age))
    assert [index.path.exists() for index in indexes] == [False, False, True, True, True]


# What is not believed


def garbage(index: Index) -> None:
    index.path.write_bytes(random.Random(1).randbytes(50_000))


def text(index: Index) -> None:
    index.path.write_text("not a database at all\n" * 1000)


def others(index: Index) -> None:
    other = made(replace(BODY, model="Another"))
    other.keep(STORAGE, CARD, 1000, KNOWN)
    shutil.copy(other.path, index.path)


def older(index: Index) -> None:
    change(index, "PRAGMA user_version = 0")


def newer(index: Index) -> None:
    change(index, "PRAGMA user_version = 2")


def foreign(index: Index) -> None:
    change(index, "PRAGMA application_id = 1")


def foreign_tables(index: Index) -> None:
    index.path.unlink()
    change(index, "CREATE TABLE bookmarks (url TEXT)")


def another_table(index: Index) -> None:
    change(index, "CREATE TABLE more (x)")


def another_column(index: Index) -> None:
    change(index, "ALTER TABLE object ADD COLUMN evil TEXT")


def a_trigger(index: Index) -> None:
    change(index, "CREATE TRIGGER t AFTER DELETE ON object BEGIN DELETE FROM body; END")


def two_bodies(index: Index) -> None:
    change(index, "INSERT INTO body SELECT * FROM body")


def no_body(index: Index) -> None:
    change(index, "DELETE FROM body")


def unwritable(index: Index) -> None:
    content = bytearray(index.path.read_bytes())
    content[18] = 3  # the format's version for who writes: newer than any
    index.path.write_bytes(content)


def billions(index: Index) -> None:
    change(
        index,
        "DROP TABLE object",
        "CREATE VIEW object AS WITH RECURSIVE n(h) AS (SELECT 1 UNION ALL SELECT h + 1 FROM n) "
        "SELECT 65537 listed, h handle, 65537 storage_id, 14337 format, 0 protection, 1 size, "
        "0 parent, 'A' name, '' captured, '' modified FROM n",
    )


def too_large(index: Index) -> None:
    with index.path.open("ab") as file:
        file.truncate(index_module.MAX_FILE_SIZE + 1)


def free_text(index: Index) -> None:
    change(index, "UPDATE storage SET free = 'plenty'")


def a_link(index: Index) -> None:
    target = index.path.with_name("target")
    index.path.rename(target)
    index.path.symlink_to(target)


def a_pipe(index: Index) -> None:
    index.path.unlink()
    os.mkfifo(index.path)


ODD = [
    *(garbage, text, others, older, newer, foreign, foreign_tables, another_table),
    *(another_column, a_trigger, two_bodies, no_body, billions, unwritable),
    *(too_large, free_text),
    *(a_link, a_pipe),
]


@pytest.mark.parametrize("spoil", ODD, ids=lambda spoil: spoil.__name__)
def test_a_file_that_is_not_ours_is_discarded_and_made_anew(
    index: Index, spoil: Callable[[Index], None], caplog: pytest.LogCaptureFixture
) -> None:
    spoil(index)
    assert index.recall(STORAGE, CARD) == Remembered()
    assert "discarded" in caplog.text
    assert not os.path.lexists(index.path)
    index.keep(STORAGE, CARD, 2000, KNOWN)
    assert index.recall(STORAGE, CARD) == Remembered(2000, KNOWN)


def test_a_link_is_taken_away_and_what_it_points_to_left_alone(index: Index) -> None:
    a_link(index)
    target = index.path.readlink()
    before = target.read_bytes()
    index.keep(STORAGE, CARD, None, {})
    assert target.read_bytes() == before


def test_a_folder_in_its_place_is_left_alone_and_done_without(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    index.path.unlink()
    index.path.mkdir()
    assert index.recall(STORAGE, CARD) == Remembered()
    index.keep(STORAGE, CARD, None, KNOWN)
    index.forget()
    assert index.path.is_dir()
    assert "cannot discard" in caplog.text


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("handle", 0),
        ("handle", -1),
        ("handle", 1 << 32),
        ("handle", "eight"),
        ("storage_id", None),
        ("storage_id", 1 << 32),
        ("format", 70_000),
        ("format", 1.5),
        ("protection", -1),
        ("size", -1),
        ("size", 1 << 60),
        ("size", "many"),
        ("size", b"\x01"),
        ("parent", 1 << 40),
        ("parent", None),
        ("name", None),
        ("name", b"DSC_0001.JPG"),
        ("name", ""),
        ("name", ".."),
        ("name", "../../evil"),
        ("name", "/etc/passwd"),
        ("name", "two\nlines"),
        ("name", "x" * 10_000_000),
        ("captured", None),
        ("modified", "\x00"),
    ],
    ids=repr,
)
def test_a_value_no_camera_could_have_said_makes_the_index_worthless(
    index: Index, column: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    change(index, f"UPDATE object SET {column} = ? WHERE handle = 8", values=(value,))
    assert index.recall(STORAGE, CARD) == Remembered()
    assert "discarded" in caplog.text
    assert not index.path.exists()


def test_text_that_is_no_text_makes_the_index_worthless(index: Index) -> None:
    change(index, "UPDATE object SET name = CAST(x'FFFE41' AS TEXT) WHERE handle = 8")
    assert index.recall(STORAGE, CARD) == Remembered()
    assert not index.path.exists()


def test_more_objects_than_a_card_lists_make_the_index_worthless(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "MAX_OBJECTS", len(KNOWN))
    assert index.recall(STORAGE, CARD).descriptions == KNOWN
    monkeypatch.setattr(index_module, "MAX_OBJECTS", len(KNOWN) - 1)
    assert index.recall(STORAGE, CARD) == Remembered()


def test_reading_that_takes_too_long_makes_the_index_worthless(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.keep(STORAGE, CARD, None, dict.fromkeys(range(1, 20000), FILE))
    monkeypatch.setattr(index_module, "LONGEST_S", 0.0)
    assert index.recall(STORAGE, CARD) == Remembered()
    assert not index.path.exists()


@pytest.mark.parametrize("name", ["sqlite_master", "object"])
def test_tables_without_end_make_the_index_worthless(
    index: Index, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "LONGEST_S", 1.0)
    monkeypatch.setattr(index_module, "MAX_OBJECTS", 10_000)
    make_endless(index.path, name)
    assert made().recall(STORAGE, CARD) == Remembered()
    assert not index.path.exists()


def test_a_name_of_megabytes_is_not_read_and_makes_the_index_worthless(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    change(index, "UPDATE object SET name = zeroblob(3 << 20)")
    assert made().recall(STORAGE, CARD) == Remembered()
    assert not index.path.exists()
    assert "too big" in caplog.text


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of some pages."""
    index = Index(tmp_path_factory.mktemp("healthy") / "a.sqlite", identity_of(BODY, GUID) or "")
    names = {handle: replace(FILE, name=f"DSC_{handle}.JPG") for handle in range(1, 200)}
    index.keep(STORAGE, CARD, 1000, names)
    return index.path.read_bytes()


@settings(max_examples=300, deadline=None)
@example(changes=[(27549, 1)], cut=None)  # rows out of order: the key does not find all of them
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8
    ),
    cut=st.none() | st.integers(0, 1 << 20),
)
def test_a_damaged_file_is_read_as_what_a_camera_may_have_said_or_not_at_all(
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
    index = Index(tmp_path_factory.mktemp("damaged") / "a.sqlite", identity_of(BODY, GUID) or "")
    index.path.write_bytes(damaged)
    for handle, description in index.recall(STORAGE, CARD).descriptions.items():
        assert is_plausible(handle, description)
    index.keep(STORAGE, CARD, 7, KNOWN)
    assert index.recall(STORAGE, CARD) in (Remembered(7, KNOWN), Remembered())


# What the disk does


@pytest.mark.parametrize("place", ["/dev/null/below", "/proc/ptpfast"])
def test_a_folder_that_cannot_be_made_is_logged_and_done_without(
    monkeypatch: pytest.MonkeyPatch, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PTPFAST_CACHE", place)
    index = made()
    index.keep(STORAGE, CARD, 1000, KNOWN)
    assert "cannot write the index" in caplog.text
    assert index.recall(STORAGE, CARD) == Remembered()
    index.forget()


def test_a_file_another_run_holds_is_not_waited_for_long(
    index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(index_module, "BUSY_S", 0.01)
    with closing(sqlite3.connect(index.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert index.recall(STORAGE, CARD) == Remembered()
        index.keep(STORAGE, CARD, 7, {})
        assert caplog.text.count("locked") == 2
    assert index.recall(STORAGE, CARD) == Remembered(1000, KNOWN)


def test_a_write_that_fails_half_way_leaves_what_was_there(
    index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = sqlite3.connect

    def small(*args: Any, **options: Any) -> sqlite3.Connection:
        database = real(*args, **options)
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages + 2}")  # the disk is full then
        return database

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        index.keep(STORAGE, CARD, 7, dict.fromkeys(range(1, 5000), FILE))
    assert "full" in caplog.text
    assert index.recall(STORAGE, CARD) == Remembered(1000, KNOWN)


def test_runs_side_by_side_do_not_break_each_other(
    index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(index_module, "BUSY_S", 60.0)  # turns of a disk that others use, too
    seen: list[Remembered] = []

    def run(number: int) -> None:
        for _ in range(20):
            mine = made()
            mine.keep(STORAGE, CARD, number, {number: FILE, number + 100: FILE})
            seen.append(mine.recall(STORAGE, CARD))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = [Remembered(n, {n: FILE, n + 100: FILE}) for n in range(1, 5)]
    assert len(seen) == 80
    assert all(found in whole for found in seen)
    assert caplog.text == ""


def test_a_read_only_file_is_read_and_not_written(
    index: Index, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = sqlite3.connect

    def read_only(path: Path, **options: Any) -> sqlite3.Connection:
        return real(f"file:{path}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    assert index.recall(STORAGE, CARD) == Remembered(1000, KNOWN)
    index.keep(STORAGE, CARD, 7, {})
    assert "readonly" in caplog.text
    assert index.recall(STORAGE, CARD) == Remembered(1000, KNOWN)
