"""Selection, names, and what a pull does with a folder."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from conftest import HASTY, PATIENT, Cameras
from ptpfast import (
    Cancelled,
    ConnectFailed,
    NetworkError,
    ObjectInfo,
    OperationCode,
    ProtocolError,
    Report,
    ResponseError,
    Session,
    SinkError,
    TransferError,
    pull,
)
from ptpfast.engine.text import printable
from ptpfast.library.keep import manifest as manifest_module
from ptpfast.library.keep.manifest import Manifest
from ptpfast.library.plan import folder as folder_module
from ptpfast.library.plan.naming import (
    MAX_NAME_BYTES,
    base_name,
    local_name,
    numbered,
    numbered_bases,
)
from ptpfast.library.plan.selection import Selection
from ptpfast.library.report.observer import Observer
from ptpfast.session.address import parse_address
from ptpfast.sim import SimulatedCamera, Store

NOON = datetime(2026, 1, 2, 12, 0, 0)


# Names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DSC_0001.NEF", "DSC_0001.NEF"),
        ("../../etc/passwd", "___.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("..\\..\\evil.exe", "___.._evil.exe"),
        ("C:\\evil.NEF", "C__evil.NEF"),
        ("a\0b.NEF", "a_b.NEF"),
        ("\x1b[31mred.NEF", "__31mred.NEF".replace("__", "_[")),
        ("two\nlines.NEF", "two_lines.NEF"),
        ("\u202egpj.NEF", "_gpj.NEF"),
        ("bad\ud800.NEF", "bad_.NEF"),
        ("", "unnamed"),
        (".", "unnamed"),
        ("..", "unnamed"),
        (" . ", "unnamed"),
        (".hidden.NEF", "_hidden.NEF"),
        ("-rf.NEF", "_rf.NEF"),
        ("~root.NEF", "_root.NEF"),
        ("name.NEF. ", "name.NEF"),
        ("CON", "_CON"),
        ("nul.NEF", "_nul.NEF"),
        ("Com1.x.NEF", "_Com1.x.NEF"),
        ("CONTENT.NEF", "CONTENT.NEF"),
        ("a?b*c|d.NEF", "a_b_c_d.NEF"),
        ("cafe\u0301.NEF", "caf\u00e9.NEF"),
        ("DSC_0001.NEF.part", "DSC_0001.NEF.part_"),
        ("DSC_0001.NEF.PART.JSON", "DSC_0001.NEF.PART.JSON_"),
        ("sha256sums", "sha256sums_"),
    ],
)
def test_a_camera_name_becomes_one_safe_component(name: str, expected: str) -> None:
    assert local_name(name) == expected


@pytest.mark.parametrize(
    "name", ["x" * 300 + ".NEF", "é" * 300 + ".NEF", "日" * 255, "." + "y" * 999]
)
def test_a_long_name_is_cut_and_keeps_its_extension(name: str) -> None:
    short = local_name(name)
    assert len(short.encode()) <= MAX_NAME_BYTES
    assert short.endswith(".NEF") == name.endswith(".NEF")
    assert len(numbered(short, 123).encode()) <= MAX_NAME_BYTES


def test_a_number_goes_before_the_extension_and_comes_off_again() -> None:
    assert numbered("DSC_0001.NEF", 1) == "DSC_0001-1.NEF"
    assert numbered("README", 12) == "README-12"
    assert base_name("DSC_0001-1.NEF") == "DSC_0001.NEF"
    assert base_name("DSC_0001.NEF") is None
    assert base_name("DSC-0.NEF") is None


def test_a_number_goes_behind_a_name_whose_last_dot_begins_no_extension() -> None:
    assert numbered("a_.._b", 1) == "a_.._b-1"
    assert base_name("a_.._b-1") == "a_.._b"


@pytest.mark.parametrize(
    "name",
    ["A.NEF", "n" * 235, "n" * 228, "é" * 117, "x" * 300 + ".NEF", "a_.._b", "n-1", "日" * 99],
)
@pytest.mark.parametrize("number", [1, 9, 10, 4711, 1_000_000])
def test_a_numbered_name_is_known_again_though_it_was_cut(name: str, number: int) -> None:
    name = local_name(name)
    assert base_name(numbered(name, number)) in numbered_bases(name)


def test_text_for_a_terminal_has_no_control_characters() -> None:
    shown = printable("\x1b]0;title\x07 a\r\nb\u202ec\x9b é 日")
    assert all(unicodedata.category(char)[0] != "C" for char in shown)
    assert shown.endswith("é 日")


# Addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.1", ("192.168.1.1", 15740)),
        ("camera.local:55740", ("camera.local", 55740)),
        ("[fe80::1%eth0]:1234", ("fe80::1%eth0", 1234)),
        ("[::1]", ("::1", 15740)),
        ("::1", ("::1", 15740)),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


NO_ADDRESS = ["", ":15740", "host:", "host:x", "host:0", "host:65536", "a b"]
NO_ADDRESS += ["[::1", "-x", "x" * 70, "host:１２", "a..b"]


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_an_address_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_address(text)


# Selection


def info(
    name: str, *, captured: datetime | None = NOON, path: str = "", format: int = 0x3800
) -> ObjectInfo:
    path = path or f"DCIM/100TEST/{name}"
    return ObjectInfo(hash(path) & 0xFFFF, name, path, 100, format, captured)


RAW, JPEG, VIDEO, TEXT = (info(name) for name in ("A_1.NEF", "A_1.JPG", "B_2.MOV", "NOTE.TXT"))
ALL = [RAW, JPEG, VIDEO, TEXT]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ALL),
        ({"formats": ("raw",)}, [RAW]),
        ({"formats": ("raw", "video")}, [RAW, VIDEO]),
        ({"formats": ("all",)}, ALL),
        ({"include": ("a_*",)}, [RAW, JPEG]),
        ({"include": ("*.nef", "*.txt")}, [RAW, TEXT]),
        ({"exclude": ("*.JPG",)}, [RAW, VIDEO, TEXT]),
        ({"include": ("dcim/100*/b*",)}, [VIDEO]),
        ({"include": ("DCIM/101*/*",)}, []),
        ({"include": ("A*",), "exclude": ("*.nef",)}, [JPEG]),
    ],
)
def test_objects_are_taken_by_kind_and_name(
    options: dict[str, Any], expected: list[ObjectInfo]
) -> None:
    chosen = Selection(**options).apply(ALL)
    assert {taken.name for taken in chosen} == {wanted.name for wanted in expected}


def test_a_folder_is_never_taken_for_a_file() -> None:
    assert Selection().apply([info("100TEST", format=0x3001)]) == []


@pytest.mark.parametrize(
    ("since", "until", "taken"),
    [
        (date(2026, 1, 2), None, True),
        (date(2026, 1, 3), None, False),
        (None, date(2026, 1, 2), True),
        (None, date(2026, 1, 1), False),
        (NOON, NOON, True),
        (NOON + timedelta(seconds=1), None, False),
        (None, NOON - timedelta(seconds=1), False),
    ],
)
def test_dates_are_inclusive_and_by_the_camera_clock(
    since: date | None, until: date | None, taken: bool
) -> None:
    zoned = NOON.replace(tzinfo=timezone(timedelta(hours=9)))
    for captured in (NOON, zoned, NOON.replace(microsecond=500_000)):
        chosen = Selection(since=since, until=until).apply([info("A.NEF", captured=captured)])
        assert bool(chosen) is taken, captured


def test_an_object_without_a_date_is_in_no_range_and_is_counted() -> None:
    undated = info("X.NEF", captured=None)
    selection = Selection(since=date(2026, 1, 1))
    assert selection.apply([RAW, undated]) == [RAW]
    assert selection.undated([RAW, undated]) == 1
    assert Selection().apply([undated]) == [undated]
    assert Selection().undated([undated]) == 0


def test_order_is_by_date_then_path_and_the_undated_come_last() -> None:
    old, new = info("OLD.NEF", captured=NOON - timedelta(days=1)), info("NEW.NEF")
    twin = info("NEW.JPG", captured=NOON.replace(tzinfo=UTC))
    undated = info("AAA.NEF", captured=None)
    mixed = [undated, new, old, twin]
    assert Selection(order="oldest").apply(mixed) == [old, twin, new, undated]
    assert Selection(order="newest").apply(mixed) == [twin, new, old, undated]


@pytest.mark.parametrize(
    "options",
    [{"formats": ("png",)}, {"formats": ()}, {"order": "random"}, {"include": ""}],
)
def test_a_selection_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Selection(**options)


# Pull


def address(camera: SimulatedCamera) -> str:
    return f"{camera.host}:{camera.port}"


def fetch(camera: SimulatedCamera, folder: Path, **options: Any) -> Report:
    options.setdefault("timeouts", PATIENT)
    return pull(address(camera), folder, **options)


def reads(camera: SimulatedCamera) -> int:
    """How many operations for objects' bytes the camera has been asked."""
    return sum(
        camera.operations[code]
        for code in (OperationCode.GetObject, OperationCode.GetPartialObject)
    )


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_whole(camera: SimulatedCamera, report: Report) -> None:
    for result in report.having("downloaded"):
        assert result.path is not None
        expected = b"".join(camera.store.expected(result.handle).spans(0, result.size or 0))
        assert result.path.read_bytes() == expected


def same_names(*folders: str, size: int = 50_000, apart: int = 60) -> Store:
    """A card with DSC_0001.NEF in several folders."""
    store = Store()
    dcim = store.add_folder("DCIM")
    for number, name in enumerate(folders):
        parent = store.add_folder(name, parent=dcim)
        captured = NOON + timedelta(seconds=number * apart)
        store.add("DSC_0001.NEF", size, parent=parent, captured=captured)
    return store


def test_everything_arrives_whole_with_its_date_in_a_folder_that_is_made(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera()
    report = fetch(sim, tmp_path / "new" / "folder")
    assert report.ok
    assert (report.objects, report.downloaded, report.skipped, report.failed) == (4, 4, 0, 0)
    assert report.bytes == 4 * 300_000
    assert report.mb_per_s > 0
    assert_whole(sim, report)
    assert listing(tmp_path / "new" / "folder") == sorted(s.name for s in sim.store.files())
    for result in report.files:
        assert result.path is not None
        assert result.object is not None
        assert result.object.captured is not None
        assert result.path.stat().st_mtime == result.object.captured.timestamp()


def test_an_open_session_is_used_and_left_open(
    camera: Cameras, connect: Callable[..., Session], tmp_path: Path
) -> None:
    sim = camera()
    session = connect(sim)
    assert pull(session, tmp_path).downloaded == 4
    assert session.usable
    assert sim.sessions_opened == 1


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_second_pull_moves_no_payload_byte(camera: Cameras, tmp_path: Path, order: str) -> None:
    sim = camera(objects=6)
    fetch(sim, tmp_path)
    before = reads(sim)
    report = fetch(sim, tmp_path, order=order)
    assert (report.skipped, report.downloaded, report.bytes) == (6, 0, 0)
    assert report.ok
    assert reads(sim) == before


@pytest.mark.parametrize("apart", [60, 0])
@pytest.mark.parametrize("second", ["oldest", "newest"])
def test_same_names_in_several_folders_all_arrive_and_are_known_again(
    camera: Cameras, tmp_path: Path, apart: int, second: str
) -> None:
    sim = camera(store=same_names("100A", "101A", "102A", apart=apart))
    report = fetch(sim, tmp_path)
    assert_whole(sim, report)
    assert listing(tmp_path) == ["DSC_0001-1.NEF", "DSC_0001-2.NEF", "DSC_0001.NEF"]
    before = reads(sim)
    assert fetch(sim, tmp_path, order=second).skipped == 3
    assert reads(sim) == before


@pytest.mark.parametrize("name", ["n" * 240, "n" * 254, "é" * 200, "n" * 240 + ".NEF"])
def test_equal_names_that_are_too_long_are_known_again(
    camera: Cameras, tmp_path: Path, name: str
) -> None:
    sim = camera(objects=2, size=10_000, faults=[f"name={name} times 0"])
    assert fetch(sim, tmp_path).downloaded == 2
    before = reads(sim)
    for _ in range(3):
        assert fetch(sim, tmp_path).skipped == 2
    assert reads(sim) == before
    assert len(listing(tmp_path)) == 2


def test_thousands_of_one_name_get_numbers_without_a_search_for_each(tmp_path: Path) -> None:
    folder = folder_module.Folder(tmp_path)
    info = ObjectInfo(1, "DSC_0001.NEF", "DSC_0001.NEF", 1, 0x3000)
    paths = {folder.take_free("DSC_0001.NEF", info) for _ in range(20_000)}
    assert len(paths) == 20_000
    assert tmp_path / "DSC_0001-19999.NEF" in paths


def test_a_file_that_was_deleted_here_is_fetched_again_and_only_it(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=same_names("100A", "101A"))
    fetch(sim, tmp_path)
    (tmp_path / "DSC_0001.NEF").unlink()
    report = fetch(sim, tmp_path)
    assert (report.downloaded, report.skipped) == (1, 1)
    assert listing(tmp_path) == ["DSC_0001-1.NEF", "DSC_0001.NEF"]


def test_names_that_differ_in_case_only_do_not_share_a_file(
    camera: Cameras, tmp_path: Path
) -> None:
    store = Store()
    for name in ("a.NEF", "A.nef", "caf\u00e9.NEF", "cafe\u0301.NEF"):
        store.add(name, 1000)
    sim = camera(store=store)
    report = fetch(sim, tmp_path)
    assert report.downloaded == 4
    assert_whole(sim, report)
    assert len({unicodedata.normalize("NFC", n).casefold() for n in listing(tmp_path)}) == 4


def test_hostile_names_stay_in_the_folder(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    evil = ["../../evil", "/tmp/evil", "..", "\x1b[2J.NEF", "x" * 240 + ".NEF", "SHA256SUMS"]
    for name in evil:
        store.add(name, 1000)
    destination = tmp_path / "in"
    report = fetch(camera(store=store), destination, manifest=True)
    assert report.downloaded == len(evil)
    assert listing(tmp_path) == ["in"]
    assert len(listing(destination)) == len(evil) + 1


def _different(folder: Path) -> bytes:
    other = b"another picture"
    (folder / "DSC_0001.NEF").write_bytes(other)
    return other


@pytest.mark.parametrize(
    ("policy", "names", "counts"),
    [
        ("rename", ["DSC_0001-1.NEF", "DSC_0001.NEF"], (1, 0, 0)),
        ("skip", ["DSC_0001.NEF"], (0, 1, 0)),
        ("overwrite", ["DSC_0001.NEF"], (1, 0, 0)),
        ("fail", ["DSC_0001.NEF"], (0, 0, 1)),
    ],
)
def test_a_different_file_of_that_name_is_dealt_with_as_asked(
    camera: Cameras, tmp_path: Path, policy: str, names: list[str], counts: tuple[int, int, int]
) -> None:
    other = _different(tmp_path)
    sim = camera(store=same_names("100A"))
    report = fetch(sim, tmp_path, on_conflict=policy)
    assert (report.downloaded, report.skipped, report.failed) == counts
    assert report.ok is (policy != "fail")
    assert listing(tmp_path) == names
    assert_whole(sim, report)
    if policy != "overwrite":
        assert (tmp_path / "DSC_0001.NEF").read_bytes() == other
    if policy in ("skip", "fail"):
        assert "different file" in report.files[0].reason


def test_overwrite_never_replaces_what_this_run_has_fetched(
    camera: Cameras, tmp_path: Path
) -> None:
    _different(tmp_path)
    sim = camera(store=same_names("100A", "101A"))
    report = fetch(sim, tmp_path, on_conflict="overwrite")
    assert_whole(sim, report)
    assert listing(tmp_path) == ["DSC_0001-1.NEF", "DSC_0001.NEF"]


@pytest.mark.parametrize("policy", ["rename", "overwrite"])
@pytest.mark.parametrize("where", ["DSC_0001.NEF", "DSC_0001.NEF.part"])
@pytest.mark.parametrize("what", ["link", "dangling link", "folder", "fifo"])
def test_what_is_no_regular_file_is_never_written_through(
    camera: Cameras, tmp_path: Path, policy: str, where: str, what: str
) -> None:
    target, folder = tmp_path / "target", tmp_path / "in"
    folder.mkdir()
    if what == "folder":
        (folder / where).mkdir()
    elif what == "fifo":
        os.mkfifo(folder / where)
    else:
        (folder / where).symlink_to(target)
        if what == "link":
            target.write_bytes(b"precious")
    kind = stat.S_IFMT((folder / where).lstat().st_mode)
    sim = camera(store=same_names("100A"))
    report = fetch(sim, folder, on_conflict=policy)
    assert report.downloaded == 1
    assert listing(folder) == sorted([where, "DSC_0001-1.NEF"])
    assert stat.S_IFMT((folder / where).lstat().st_mode) == kind
    assert_whole(sim, report)
    assert target.read_bytes() == b"precious" if what == "link" else not target.exists()


def test_a_part_file_without_a_note_is_left_alone(camera: Cameras, tmp_path: Path) -> None:
    (tmp_path / "DSC_0001.NEF.part").write_bytes(bytes(50_000))
    os.utime(tmp_path / "DSC_0001.NEF.part", (NOON.timestamp(),) * 2)
    sim = camera(store=same_names("100A"))
    report = fetch(sim, tmp_path)
    assert report.downloaded == 1
    assert_whole(sim, report)
    assert listing(tmp_path) == ["DSC_0001-1.NEF", "DSC_0001.NEF.part"]
    assert (tmp_path / "DSC_0001.NEF.part").read_bytes() == bytes(50_000)
    [left] = report.leftovers
    assert left.path.name == "DSC_0001.NEF.part"
    assert "it has no journal that names its object" in left.reason


def test_what_has_arrived_when_its_name_is_taken_is_finished_under_another(
    camera: Cameras, tmp_path: Path
) -> None:
    class Somebody(Observer):
        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if received == size:
                (tmp_path / "DSC_0001.NEF").write_bytes(b"somebody's")

    sim = camera(store=same_names("100A"))
    report = fetch(sim, tmp_path, observer=Somebody())
    assert report.downloaded == 1
    assert listing(tmp_path) == ["DSC_0001-1.NEF", "DSC_0001.NEF"]
    assert (tmp_path / "DSC_0001.NEF").read_bytes() == b"somebody's"
    assert_whole(sim, report)
    assert report.files[0].transfer.resumed_at == report.files[0].object.size  # type: ignore[union-attr]


@pytest.mark.parametrize(("wrong", "skipped"), [(0, 1), (2, 1), (3, 0), (-3, 0)])
def test_the_date_decides_to_two_seconds(
    camera: Cameras, tmp_path: Path, wrong: int, skipped: int
) -> None:
    sim = camera(store=same_names("100A"))
    fetch(sim, tmp_path)
    os.utime(tmp_path / "DSC_0001.NEF", (NOON.timestamp() + wrong,) * 2)
    assert fetch(sim, tmp_path).skipped == skipped


def test_an_object_of_unknown_size_is_known_by_its_date_and_never_by_name_alone(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(store=same_names("100A"), faults=["object_size=0 times 0"])
    assert fetch(sim, tmp_path).downloaded == 1
    assert fetch(sim, tmp_path).skipped == 1
    os.utime(tmp_path / "DSC_0001.NEF", (0, 0))
    assert fetch(sim, tmp_path).downloaded == 1
    assert listing(tmp_path) == ["DSC_0001-1.NEF", "DSC_0001.NEF"]


def test_an_object_without_a_date_is_known_by_its_size(camera: Cameras, tmp_path: Path) -> None:
    store = Store()
    store.add("X.NEF", 1000, captured=None)
    sim = camera(store=store)
    assert fetch(sim, tmp_path).downloaded == 1
    assert fetch(sim, tmp_path).skipped == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("respond=0x2002 on GetPartialObject handle 0x00040004", ResponseError),
        ("respond=0x200F on GetPartialObject handle 0x00040004", ResponseError),
        ("respond=0x2002 on GetObjectInfo handle 0x00040004", ResponseError),
        ("empty_data on GetObjectInfo handle 0x00040004", ProtocolError),
    ],
)
def test_one_bad_object_is_set_aside_and_the_rest_arrives(
    camera: Cameras, tmp_path: Path, fault: str, error: type[Exception]
) -> None:
    sim = camera(faults=[f"{fault} times 0"])
    report = fetch(sim, tmp_path)
    (bad,) = report.having("failed")
    assert isinstance(bad.error, error)
    assert bad.handle == 0x40004
    assert (report.objects, report.downloaded, report.failed) == (4, 3, 1)
    assert not report.ok
    assert_whole(sim, report)


def test_what_ends_the_run_carries_the_report_and_the_next_run_goes_on(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera(size=3_000_000)
    seen: list[str] = []

    class Impatient(Observer):
        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if info.handle == 0x40005 and received >= 1_000_000:
                raise KeyboardInterrupt

        def finished(self, result: Any) -> None:
            seen.append(result.status)

    with pytest.raises(KeyboardInterrupt) as caught:
        fetch(sim, tmp_path, observer=Impatient(), chunk=500_000)
    report: Report = caught.value.report  # type: ignore[attr-defined]
    assert seen == ["downloaded", "downloaded", "unfinished"]
    assert (report.downloaded, report.remaining) == (2, 2)
    (unfinished,) = report.having("unfinished")
    assert unfinished.kept == 1_000_000
    assert report.bytes == 7_000_000
    assert not report.ok

    report = fetch(sim, tmp_path)
    transfers = [result.transfer for result in report.having("downloaded")]
    assert [transfer.resumed_at for transfer in transfers if transfer] == [1_000_000, 0]
    assert report.skipped == 2
    assert_whole(sim, report)
    assert len(listing(tmp_path)) == 4


def test_what_another_run_has_in_a_part_file_is_not_counted_as_this_runs(
    camera: Cameras, tmp_path: Path
) -> None:
    first, second = camera(objects=1, size=400_000), camera(objects=1, size=400_000)  # one body
    reports: list[Report] = []

    class Meanwhile(Observer):
        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if not reports:
                reports.append(pull(address(second), tmp_path, timeouts=PATIENT))

    assert pull(address(first), tmp_path, chunk=100_000, observer=Meanwhile()).ok
    (result,) = reports[0].files
    assert (result.status, result.kept) == ("failed", 0)
    assert "another run is writing" in result.reason
    assert reports[0].bytes == 0
    assert not reports[0].ok


def test_what_another_camera_has_in_a_part_file_takes_the_name(
    camera: Cameras, tmp_path: Path
) -> None:
    first, second = camera(objects=1, size=400_000, seed=1), camera(objects=1, size=400_000, seed=2)
    others: list[Report] = []

    class Meanwhile(Observer):
        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            if not others:
                others.append(pull(address(second), tmp_path, timeouts=PATIENT))

    report = pull(address(first), tmp_path, chunk=100_000, observer=Meanwhile())
    assert_whole(first, report)
    assert_whole(second, others[0])
    assert listing(tmp_path) == ["IMG_0001-1.DNG", "IMG_0001.DNG"]


def test_a_camera_that_cannot_be_reached_is_told_before_a_report_exists(tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed) as caught:
        pull("127.0.0.1:1", tmp_path, timeouts=HASTY)
    assert not hasattr(caught.value, "report")


def test_room_is_checked_before_a_byte_moves(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()
    monkeypatch.setattr(folder_module.Folder, "free_space", lambda _: 1_200_000)
    with pytest.raises(SinkError, match=r"4 files need 1\.2 MB.* 1\.2 MB free") as caught:
        fetch(sim, tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert reads(sim) == 0
    assert listing(tmp_path) == []


def test_what_is_here_needs_no_room(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = camera()
    fetch(sim, tmp_path)
    monkeypatch.setattr(folder_module.Folder, "free_space", lambda _: 0)
    assert fetch(sim, tmp_path).skipped == 4


@pytest.mark.parametrize("destination", ["file", "file/below", "/proc/ptpfast"])
def test_a_destination_that_cannot_be_a_folder_is_told_before_connecting(
    tmp_path: Path, destination: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError):
        pull("127.0.0.1:1", tmp_path / destination)


def test_a_folder_is_made_only_for_what_is_fetched(camera: Cameras, tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed):
        pull("127.0.0.1:1", tmp_path / "new", timeouts=HASTY, manifest=tmp_path / "sums" / "all")
    assert fetch(camera(), tmp_path / "new", include=["nothing"]).ok
    assert listing(tmp_path) == []


def test_a_link_to_nowhere_is_no_destination(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(SinkError, match="link is not a folder"):
        pull("127.0.0.1:1", tmp_path / "link" / "below")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera()
    report = fetch(sim, tmp_path / "new", dry_run=True, manifest=True)
    assert report.count("planned") == 4
    assert report.ok
    assert not (tmp_path / "new").exists()
    assert reads(sim) == 0
    fetch(sim, tmp_path / "new", formats=["raw"])
    report = fetch(sim, tmp_path / "new", dry_run=True)
    assert (report.count("planned"), report.skipped) == (2, 2)


def test_the_observer_hears_of_everything_in_order(camera: Cameras, tmp_path: Path) -> None:
    heard: list[Any] = []

    class Recorder(Observer):
        def listing(self, done: int, total: int) -> None:
            heard.append("listing")

        def planned(self, report: Report, count: int, size: int) -> None:
            heard.append(("planned", count, size))

        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            heard.append(("started", info.name))

        def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
            assert 0 < received <= (size or 0)

        def finished(self, result: Any) -> None:
            heard.append((result.status, result.path.name))

    sim = camera(objects=2)
    fetch(sim, tmp_path, observer=Recorder())
    first, second = (stored.name for stored in sim.store.files())
    assert heard[0] == "listing"
    rest = [item for item in heard if item != "listing"]
    assert rest[0] == ("planned", 2, 600_000)
    # The second may begin before the first is on the disk.
    assert [item for item in rest if item[0] == "started"] == [
        ("started", first),
        ("started", second),
    ]
    assert rest[1] == ("started", first)
    assert [item for item in rest if item[0] == "downloaded"] == [
        ("downloaded", first),
        ("downloaded", second),
    ]
    assert rest[-1] == ("downloaded", second)


@pytest.mark.parametrize(
    "options", [{"on_conflict": "ask"}, {"verify": "hope"}, {"formats": ["x"]}]
)
def test_arguments_that_make_no_sense_are_refused_at_once(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        pull("127.0.0.1:1", tmp_path, **options)


def test_cancelled_and_lost_runs_raise_what_they_are() -> None:
    assert issubclass(NetworkError, OSError)
    assert not issubclass(Cancelled, (ResponseError, TransferError))


# Manifest


def sums(folder: Path) -> dict[str, str]:
    rows = (line.split("  ", 1) for line in (folder / "SHA256SUMS").read_text().splitlines())
    return {name: checksum for checksum, name in rows}


def test_the_manifest_has_every_file_those_of_earlier_runs_too(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = camera()
    fetch(sim, tmp_path, formats=["raw"])
    report = fetch(sim, tmp_path, manifest=True)
    assert report.manifest == tmp_path / "SHA256SUMS"
    found = sums(tmp_path)
    assert set(found) == {stored.name for stored in sim.store.files()}
    for name, checksum in found.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == checksum
    transfers = [result.transfer for result in report.having("downloaded")]
    assert all(transfer is not None and transfer.verified == "hash" for transfer in transfers)


def test_an_existing_manifest_is_added_to_and_keeps_what_it_does_not_understand(
    tmp_path: Path,
) -> None:
    old = f"{'a' * 64}  OLD.NEF\n# a remark\n\\{'b' * 64} *odd\\\\name\n"
    (tmp_path / "SHA256SUMS").write_text(old)
    (tmp_path / "NEW.NEF").write_bytes(b"new")
    manifest = Manifest(tmp_path / "SHA256SUMS")
    assert tmp_path / "OLD.NEF" in manifest
    assert tmp_path / "odd\\name" in manifest
    manifest.add(tmp_path / "NEW.NEF")
    manifest.write()
    text = (tmp_path / "SHA256SUMS").read_text()
    assert text == old + f"{hashlib.sha256(b'new').hexdigest()}  NEW.NEF\n"
    assert listing(tmp_path) == ["NEW.NEF", "SHA256SUMS"]


def test_two_runs_that_add_to_one_manifest_keep_each_others_lines(tmp_path: Path) -> None:
    for name in ("A.NEF", "B.NEF", "C.NEF"):
        (tmp_path / name).write_bytes(name.encode())
    one, two = Manifest(tmp_path / "SHA256SUMS"), Manifest(tmp_path / "SHA256SUMS")
    for manifest, name in ((one, "A.NEF"), (two, "B.NEF"), (one, "C.NEF")):
        manifest.add(tmp_path / name)
        manifest.write()
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["A.NEF", "B.NEF", "C.NEF"]
    assert tmp_path / "B.NEF" in one  # now that it has been read


def test_a_manifest_another_run_is_writing_is_waited_for_so_long_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_module, "TURN_S", 0.05)
    (tmp_path / "A.NEF").write_bytes(b"new")
    manifest = Manifest(tmp_path / "SHA256SUMS")
    manifest.add(tmp_path / "A.NEF")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(SinkError):
            manifest.write()
    finally:
        os.close(folder)
    assert listing(tmp_path) == ["A.NEF"]
    manifest.write()
    assert listing(tmp_path) == ["A.NEF", "SHA256SUMS"]


def test_a_manifest_keeps_odd_lines_as_they_are(tmp_path: Path) -> None:
    odd = "# same\n\n# same\n\n# page\x0c\x0bbreak\x85 \u2028 here\n"
    old = f"{odd}{'a' * 64}  A\u2028B.NEF\n{'b' * 64}  DOS.NEF\r\n"
    (tmp_path / "SHA256SUMS").write_bytes(old.encode())
    (tmp_path / "NEW.NEF").write_bytes(b"new")
    manifest = Manifest(tmp_path / "SHA256SUMS")
    assert tmp_path / "A\u2028B.NEF" in manifest
    assert tmp_path / "DOS.NEF" in manifest
    manifest.add(tmp_path / "NEW.NEF")
    manifest.write()
    text = (tmp_path / "SHA256SUMS").read_bytes().decode()
    assert text == old + f"{hashlib.sha256(b'new').hexdigest()}  NEW.NEF\n"


def test_a_manifest_elsewhere_names_the_files_from_there(camera: Cameras, tmp_path: Path) -> None:
    path = tmp_path / "lists" / "today.txt"
    fetch(camera(objects=1), tmp_path / "in", manifest=path)
    assert path.read_text().rstrip().endswith("  ../in/IMG_0001.DNG")


def test_a_manifest_in_a_folder_reached_by_a_link_is_one_sha256sum_accepts(
    camera: Cameras, tmp_path: Path
) -> None:
    real = tmp_path / "deep" / "lists"
    real.mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    fetch(camera(objects=1), tmp_path / "in", manifest=tmp_path / "link" / "sums")
    assert (real / "sums").read_text().endswith("  ../../in/IMG_0001.DNG\n")
    # The destination by another way: it is the same folder.
    fetch(camera(objects=2), tmp_path / "link", manifest=real / "sums")
    assert (real / "sums").read_text().count("  IMG_0001.") == 2


def test_an_interrupted_run_keeps_the_checksums_it_has(camera: Cameras, tmp_path: Path) -> None:
    class Impatient(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            if info.handle == 0x40005:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(camera(), tmp_path, manifest=True, observer=Impatient())
    assert len(sums(tmp_path)) == 2


def test_a_manifest_that_cannot_be_read_is_told_before_connecting(tmp_path: Path) -> None:
    (tmp_path / "sums").mkdir()
    with pytest.raises(SinkError, match="sums"):
        pull("127.0.0.1:1", tmp_path, manifest=tmp_path / "sums")
