"""Which pictures a second pull knows again: by the history, else by name, size and date."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import PATIENT, Cameras
from ptpfast import Report, SinkError, pull
from ptpfast.cli.main import ptpfast
from ptpfast.library import history
from ptpfast.library.plan.entry import Entry
from ptpfast.library.plan.known import Known
from ptpfast.ownership import files
from ptpfast.ptp.objects import ObjectInfo
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.state import catalog_file
from ptpfast.state.catalog import Catalog

NOON = datetime(2026, 1, 2, 12, 0, 0)


def fetch(camera: SimulatedCamera, folder: Path, **options: object) -> Report:
    options.setdefault("timeouts", PATIENT)
    return pull(f"{camera.host}:{camera.port}", folder, **options)  # type: ignore[arg-type]


def run(camera: SimulatedCamera, folder: Path, *words: str) -> Result:
    where = f"{camera.host}:{camera.port}"
    result = CliRunner().invoke(ptpfast, ["pull", where, str(folder), *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def card(*names: str, seed: int = 0, size: int = 5000, captured: datetime | None = NOON) -> Store:
    store = Store(seed=seed)
    folder = store.add_folder("100TEST", parent=store.add_folder("DCIM"))
    for name in names:
        store.add(name, size, parent=folder, captured=captured)
    return store


def two_cards(*names: str, content: bytes | None = None) -> Store:
    """Cards with the same descriptions, and with the same bytes if `content` is given."""
    store = Store(storages=2)
    for storage in (0x10001, 0x20001):
        dcim = store.add_folder("DCIM", storage_id=storage)
        folder = store.add_folder("100TEST", parent=dcim)
        for name in names:
            store.add(name, content or 5000, parent=folder, captured=NOON)
    return store


def expected(camera: SimulatedCamera, index: int = 0) -> bytes:
    stored = camera.store.files()[index]
    return b"".join(camera.store.expected(stored.handle).spans(0, stored.size))


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def lose_the_history(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PTPFAST_DATA", str(tmp_path / f"lost-{time.monotonic_ns()}"))


def known_by(report: Report) -> list[str | None]:
    return [result.known_by for result in report.files]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("there", ["America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"])
def test_a_card_is_known_again_after_a_flight(
    camera: Cameras,
    tmp_path: Path,
    place: Path,
    zone: pytest.MonkeyPatch,
    there: str,
    history: bool,
) -> None:
    sim = camera(store=card("A.NEF", "B.NEF", "C.NEF"))
    zone.setenv("TZ", "Europe/Berlin")
    time.tzset()
    fetch(sim, place)
    if not history:
        lose_the_history(zone, tmp_path)
    zone.setenv("TZ", there)
    time.tzset()
    report = fetch(sim, place)
    assert (report.skipped, report.downloaded) == (3, 0)
    assert set(known_by(report)) == {"catalog" if history else "date"}
    assert listing(place) == ["A.NEF", "B.NEF", "C.NEF"]


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize(
    ("shift", "here"),
    [
        *((3600, True), (-1800, True), (26 * 3600, True), (900 * 3 + 2, True)),
        *((1800 + 300, False), (27 * 3600, False), (5, False)),
    ],
)
def test_dates_shifted_by_whole_quarter_hours_are_the_same(
    camera: Cameras,
    tmp_path: Path,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    shift: int,
    here: bool,
    history: bool,
) -> None:
    sim = camera(store=card("A.NEF"))
    fetch(sim, place)
    os.utime(place / "A.NEF", (NOON.timestamp() + shift,) * 2)
    if not history:
        lose_the_history(monkeypatch, tmp_path)
    assert fetch(sim, place).skipped == here


def test_an_exact_date_counts_before_a_shifted_one(
    camera: Cameras, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = card("A.NEF", captured=NOON + timedelta(hours=1))
    other = store.add_folder("101TEST", parent=store.files()[0].parent)
    store.add("A.NEF", 5000, parent=other, captured=NOON)
    sim = camera(store=store)
    place.mkdir()
    (place / "A.NEF").write_bytes(expected(sim, 1))
    os.utime(place / "A.NEF", (NOON.timestamp(),) * 2)
    report = fetch(sim, place)
    assert {result.status: result.handle for result in report.files} == {
        "skipped": sim.store.files()[1].handle,
        "downloaded": sim.store.files()[0].handle,
    }
    assert (place / "A-1.NEF").read_bytes() == expected(sim, 0)


def refused(fd: int, mtime: float) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def ignored(fd: int, mtime: float) -> None:
    pass


def clamped(fd: int, mtime: float) -> None:
    os.utime(fd, (min(mtime, 2.0**31 - 1),) * 2)


@pytest.mark.parametrize("dating", [refused, ignored, clamped])
@pytest.mark.parametrize("year", [2040, 9999])
def test_files_without_their_dates_are_known_by_the_history_and_that_is_said_once(
    camera: Cameras,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    dating: object,
    year: int,
) -> None:
    monkeypatch.setattr(files, "date", dating)
    sim = camera(store=card("A.NEF", "B.NEF", captured=datetime(year, 3, 4, 5, 6, 7)))
    first = run(sim, place)
    assert first.stderr.count("does not keep the dates of pictures") == 1
    for _ in range(3):
        report = fetch(sim, place)
        assert (report.skipped, report.downloaded, report.notes) == (2, 0, [])
    assert listing(place) == ["A.NEF", "B.NEF"]


@pytest.mark.parametrize("year", [1, 1601, 1969, 2116, 2263, 2447, 9999])
@pytest.mark.parametrize("choice", [[], ["--new"]])
def test_files_of_a_clock_that_is_far_off_are_known_again(
    camera: Cameras, place: Path, year: int, choice: list[str]
) -> None:
    sim = camera(store=card("A.NEF", "B.NEF", captured=datetime(year, 3, 4, 5, 6, 7)))
    for _ in range(3):
        run(sim, place, *choice)
    assert listing(place) == ["A.NEF", "B.NEF"]


def test_two_bodies_that_fired_together_are_both_kept(camera: Cameras, place: Path) -> None:
    one, two = (camera(store=card("DSC_0001.NEF", seed=seed), seed=seed) for seed in (1, 2))
    for _ in range(2):
        fetch(one, place)
        fetch(two, place)
    assert listing(place) == ["DSC_0001-1.NEF", "DSC_0001.NEF"]
    assert (place / "DSC_0001.NEF").read_bytes() == expected(one)
    assert (place / "DSC_0001-1.NEF").read_bytes() == expected(two)


@pytest.mark.parametrize(
    ("policy", "counts"), [("skip", (0, 1, 0)), ("fail", (0, 0, 1)), ("overwrite", (1, 0, 0))]
)
def test_the_picture_of_another_body_is_a_different_file(
    camera: Cameras, place: Path, policy: str, counts: tuple[int, int, int]
) -> None:
    one, two = (camera(store=card("DSC_0001.NEF", seed=seed), seed=seed) for seed in (1, 2))
    fetch(one, place)
    report = fetch(two, place, on_conflict=policy)
    assert (report.downloaded, report.skipped, report.failed) == counts


def test_another_folder_of_the_card_holds_another_object(camera: Cameras, place: Path) -> None:
    fetch(camera(store=card("A.NEF", seed=1)), place)
    store = Store(seed=2)
    folder = store.add_folder("101TEST", parent=store.add_folder("DCIM"))
    store.add("A.NEF", 5000, parent=folder, captured=NOON)
    sim = camera(store=store)  # the same body
    assert fetch(sim, place).downloaded == 1
    assert (place / "A-1.NEF").read_bytes() == expected(sim)
    assert fetch(sim, place).skipped == 1


def test_an_undated_object_of_another_folder_is_not_known_by_its_size(
    camera: Cameras, place: Path
) -> None:
    fetch(camera(store=card("X.NEF", seed=1, captured=None)), place)
    store = Store(seed=2)
    folder = store.add_folder("101TEST", parent=store.add_folder("DCIM"))
    store.add("X.NEF", 5000, parent=folder, captured=None)
    sim = camera(store=store)
    assert fetch(sim, place).downloaded == 1
    assert (place / "X-1.NEF").read_bytes() == expected(sim)


@pytest.mark.parametrize("history", [True, False])
def test_a_file_known_by_name_and_size_alone_is_said_to_be(
    camera: Cameras, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch, history: bool
) -> None:
    sim = camera(store=card("X.NEF", captured=None))
    fetch(sim, place)
    if not history:
        lose_the_history(monkeypatch, tmp_path)
    result = run(sim, place)
    assert result.stdout == (
        "Up to date: the file is already here (by name and size alone, without a date)\n"
    )


@pytest.mark.parametrize("history", [True, False])
def test_an_empty_object_without_a_date_is_known_again(
    camera: Cameras, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch, history: bool
) -> None:
    sim = camera(store=card("INDEX.MRK", size=0, captured=None))
    for _ in range(3):
        fetch(sim, place)
        if not history:
            lose_the_history(monkeypatch, tmp_path)
    assert listing(place) == ["INDEX.MRK"]


def test_a_file_that_was_changed_is_not_taken_for_what_was_stored(
    camera: Cameras, place: Path
) -> None:
    sim = camera(store=card("A.NEF"))
    fetch(sim, place)
    (place / "A.NEF").write_bytes(b"edited")
    assert fetch(sim, place).downloaded == 1
    assert listing(place) == ["A-1.NEF", "A.NEF"]


def test_a_copy_of_another_body_is_a_different_file_too(camera: Cameras, tmp_path: Path) -> None:
    one, two = (camera(store=card("DSC_0001.NEF", seed=seed), seed=seed) for seed in (1, 2))
    backup = tmp_path / "backup"
    fetch(one, tmp_path / "one", copies=backup)
    for _ in range(2):
        fetch(two, tmp_path / "two", copies=backup)
    assert listing(backup) == ["DSC_0001-1.NEF", "DSC_0001.NEF"]
    assert (backup / "DSC_0001-1.NEF").read_bytes() == expected(two)


def test_two_cards_of_one_body_with_the_same_descriptions_are_both_kept(
    camera: Cameras, place: Path
) -> None:
    sim = camera(store=two_cards("A.NEF"))
    fetch(sim, place)
    both = {path.read_bytes() for path in place.iterdir()}
    assert both == {expected(sim, 0), expected(sim, 1)}
    for order in ("oldest", "newest"):
        assert fetch(sim, place, order=order).skipped == 2


def test_the_report_and_the_json_say_by_what_files_were_known(
    camera: Cameras, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(store=card("A.NEF", "B.NEF"))
    fetch(sim, place, include="A*")
    lose_the_history(monkeypatch, tmp_path)
    fetch(sim, place, include="B*")
    records = [json.loads(line) for line in run(sim, place, "--json").stdout.splitlines()]
    by_name = {row["name"]: row["known_by"] for row in records if row["type"] == "file"}
    assert by_name == {"A.NEF": "date", "B.NEF": "catalog"}
    summary = records[-1]
    assert (summary["here"], summary["skipped"]) == (2, 2)
    assert summary["known_by"] == {"catalog": 1, "date": 1, "name and size": 0}
    said = run(sim, place).stdout
    assert said == "Up to date: all 2 files are already here (1 by name, size and date)\n"


# The catalog in a run


def test_a_damaged_history_is_said_and_the_run_goes_on(camera: Cameras, place: Path) -> None:
    sim = camera(store=card("A.NEF"))
    fetch(sim, place)
    catalog_file.path().write_bytes(b"garbage" * 5000)
    result = run(sim, place)
    assert result.exit_code == 0
    assert "Up to date: the file is already here (by name, size and date)" in result.stdout
    assert "ptpfast history rebuild FOLDER" in result.stderr
    assert "catalog-damaged-1.sqlite" in result.stderr


@pytest.mark.parametrize("data", ["/dev/null/below", "/proc/ptpfast"])
def test_a_home_that_cannot_be_written_stops_no_run(
    camera: Cameras, place: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setenv("PTPFAST_DATA", data)
    sim = camera(store=card("A.NEF"))
    assert fetch(sim, place).downloaded == 1
    assert known_by(fetch(sim, place)) == ["date"]


def test_without_the_history_nothing_is_recorded(camera: Cameras, place: Path) -> None:
    sim = camera(store=card("A.NEF"))
    assert fetch(sim, place, history=False).downloaded == 1
    assert not catalog_file.path().exists()


def test_a_dry_run_records_nothing(camera: Cameras, place: Path) -> None:
    fetch(camera(store=card("A.NEF")), place, dry_run=True)
    assert not catalog_file.path().exists()


# Only new objects


def test_new_takes_only_what_was_never_fetched(camera: Cameras, place: Path) -> None:
    store = card("A.NEF", "B.NEF")
    sim = camera(store=store)
    fetch(sim, place)
    for path in place.iterdir():
        path.unlink()
    store.add("C.NEF", 100, parent=store.files()[0].parent, captured=NOON)
    report = fetch(sim, place, new=True)
    assert (report.downloaded, report.fetched_before, report.ok) == (1, 2, True)
    assert listing(place) == ["C.NEF"]
    said = run(sim, place.with_name("elsewhere"), "--new").stdout
    assert said == "Up to date: all 3 files were downloaded before; 'ptpfast history' shows where\n"


def test_new_takes_the_pictures_of_another_body(camera: Cameras, place: Path) -> None:
    one, two = (camera(store=card("A.NEF", seed=seed), seed=seed) for seed in (1, 2))
    fetch(one, place, new=True)
    assert fetch(two, place, new=True).downloaded == 1


def test_new_takes_an_object_without_a_date_when_in_doubt(camera: Cameras, tmp_path: Path) -> None:
    sim = camera(store=card("A.NEF", captured=None))
    fetch(sim, tmp_path / "one", new=True)
    assert fetch(sim, tmp_path / "two", new=True).downloaded == 1


def test_new_takes_what_was_interrupted_and_what_failed(camera: Cameras, place: Path) -> None:
    sim = camera(store=card("A.NEF"), faults=["respond=0x2002 on GetPartialObject times 1"])
    assert fetch(sim, place, new=True).failed == 1
    assert fetch(sim, place, new=True).downloaded == 1


def test_new_without_a_history_is_refused_before_anything_is_fetched(
    camera: Cameras, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera(store=card("A.NEF"))
    with pytest.raises(ValueError, match="new needs the history"):
        fetch(sim, place, new=True, history=False)
    monkeypatch.setenv("PTPFAST_DATA", "/dev/null/below")
    with pytest.raises(SinkError, match="the history cannot be used"):
        fetch(sim, place, new=True)
    assert not place.exists()


def test_new_is_refused_once_where_the_history_was_damaged(camera: Cameras, place: Path) -> None:
    sim = camera(store=card("A.NEF"))
    assert fetch(sim, place, new=True).downloaded == 1
    path = catalog_file.path()
    path.write_bytes(b"damaged" * 1000)
    with pytest.raises(SinkError, match="cannot be used: it was damaged and is renamed") as raised:
        fetch(sim, place, new=True)
    assert "ptpfast history rebuild FOLDER" in str(raised.value.hint)
    assert fetch(sim, place, new=True).downloaded == 0


def test_new_is_refused_for_a_body_that_cannot_be_told_from_others(
    camera: Cameras, place: Path
) -> None:
    sim = camera(store=card("A.NEF"), guid=bytes(16))
    sim.body.serial_number = ""
    with pytest.raises(SinkError, match="neither a serial number nor a GUID"):
        fetch(sim, place, new=True)


# Cards


@pytest.mark.parametrize("storage", [2, [2], (2, 2)])
def test_one_card_is_taken_by_its_slot(camera: Cameras, place: Path, storage: object) -> None:
    sim = camera(store=two_cards("A.NEF"))
    report = fetch(sim, place, storage=storage)
    assert [result.object.storage_id for result in report.files if result.object] == [0x20001]
    assert report.selection == "card 2" or storage == (2, 2)
    assert run(sim, place, "--storage", "2").stdout.startswith("Up to date: the file is")


@pytest.mark.parametrize("storage", [0, -1, 1 << 16, [], "2", 2.0, True, ["2"]])
def test_a_slot_that_cannot_be_is_refused(camera: Cameras, place: Path, storage: object) -> None:
    sim = camera(store=card("A.NEF"))
    with pytest.raises((ValueError, TypeError), match="storage"):
        fetch(sim, place, storage=storage)
    assert sim.sessions_opened == 0


def test_a_card_that_is_not_there_is_said(camera: Cameras, place: Path) -> None:
    sim = camera(store=two_cards("A.NEF"))
    result = run(sim, place, "--storage", "3")
    assert result.stdout.startswith("0 of 2 files match card 3")
    assert "there is no card 3 in the camera, but card 1, card 2" in result.stderr
    listed = CliRunner().invoke(ptpfast, ["ls", f"{sim.host}:{sim.port}", "--storage", "3"])
    assert "there is no card 3 in the camera" in listed.stderr
    shown = CliRunner().invoke(ptpfast, ["info", f"{sim.host}:{sim.port}"])
    assert "Card 2 " in shown.stdout


def record(folder: Path, name: str, moment: datetime) -> None:
    """Record a file as `ptpfast history rebuild` does."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(bytes(5000))
    os.utime(folder / name, (moment.timestamp(),) * 2)
    catalog = Catalog()
    history.rebuild(catalog, folder)
    catalog.close()


@pytest.mark.parametrize("hours", [0, 1, -5])
def test_new_takes_a_picture_taken_whole_hours_from_one_in_a_rebuilt_history(
    camera: Cameras, tmp_path: Path, place: Path, hours: int
) -> None:
    record(tmp_path / "other", "A.NEF", NOON + timedelta(hours=hours))
    sim = camera(store=card("A.NEF"))
    assert fetch(sim, place, new=True).downloaded == (1 if hours else 0)


def described(size: int | None, captured: datetime | None) -> ObjectInfo:
    return replace(INFO, size=size, captured=captured, modified=None)


INFO = ObjectInfo(handle=1, storage_id=0x10001, name="A.NEF", path="DCIM/A.NEF", size=5, format=0)
BODY = json.dumps(["Maker", "One", "12345"])


@pytest.mark.parametrize(
    ("before", "now", "is_here"),
    [
        # It was still being recorded: more of it is another size.
        (described(None, NOON), described(9000, NOON), False),
        (described(0, NOON), described(9000, NOON), False),
        (described(None, NOON), described(5000, NOON), True),
        (described(None, NOON), described(None, NOON), True),
        # Nothing but the name.
        (described(None, None), described(None, None), None),
        (described(5000, None), described(5000, None), True),
    ],
)
def test_a_description_that_lacks_something_is_not_taken_for_another_one(
    place: Path, before: ObjectInfo, now: ObjectInfo, is_here: bool | None
) -> None:
    place.mkdir()
    (place / "A.NEF").write_bytes(bytes(5000))
    known = Known(Catalog(), BODY)
    known.stored_at(before, place / "A.NEF", None)
    known.close()
    known = Known(Catalog(), BODY)
    known.see([now], [0x10001])
    found = known.at(str(place), "A.NEF")
    assert found is not None
    entry = Entry("A.NEF", True, 5000, (place / "A.NEF").stat().st_mtime)
    assert known.verdict(found, entry, now, complete=True) is is_here
    assert known.was_stored_here(found, entry, now) is bool(is_here)
    if is_here is not True:
        assert not known.was_fetched(now)
    known.close()


def test_records_that_another_process_has_kept_from_the_catalog_are_written_at_the_end(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.mkdir()
    monkeypatch.setattr(catalog_file, "BUSY_S", 0.01)
    known = Known(Catalog(), BODY)
    known.prepare()
    with closing(sqlite3.connect(catalog_file.path(), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(200):
            path = place / f"{number}.NEF"
            path.write_bytes(b"x")
            known.stored_at(replace(INFO, path=path.name), path, None)
    known.close()
    catalog = Catalog()
    assert len(list(catalog.records())) == 200
    catalog.close()


@pytest.mark.parametrize("new", [False, True])
def test_a_file_whose_folders_were_not_all_described_is_known_again(
    camera: Cameras, tmp_path: Path, new: bool
) -> None:
    sim = camera(objects=3, faults=["respond=0x2002 on GetObjectInfo"])
    first = pull(f"{sim.host}:{sim.port}", tmp_path)
    assert (first.downloaded, first.failed) == (3, 1)
    again = pull(f"{sim.host}:{sim.port}", tmp_path / "other" if new else tmp_path, new=new)
    assert again.downloaded == 0
    assert (again.fetched_before, again.here) == ((3, 0) if new else (0, 3))
