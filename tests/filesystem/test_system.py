"""The card of a simulated camera through fsspec: what each name does, and what is refused."""

from __future__ import annotations

import errno
import io
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest

import ptpfast
from conftest import Cameras, Files, Sessions
from ptpfast import EventCode, OperationCode
from ptpfast.filesystem import PtpIpFile, PtpIpFileSystem
from ptpfast.filesystem.blocks import FIRST_BLOCK, Blocks
from ptpfast.sim import SimulatedCamera, Store

SIZE = 3_000_000
READS = (OperationCode.GetPartialObject, 0x95C1)


def content(camera: SimulatedCamera, path: str) -> bytes:
    """The bytes of the only object with that path on the card."""
    store = camera.store
    (stored,) = [each for each in store.files() if "/" + store.path(each.handle) == path]
    return b"".join(store.expected(stored.handle).spans(0, stored.size))


def reads(camera: SimulatedCamera) -> int:
    return sum(camera.operations[each] for each in (*READS, OperationCode.GetObject))


# Names and descriptions


def test_fsspec_finds_the_filesystem_by_its_protocol(camera: Cameras, files: Files) -> None:
    assert fsspec.get_filesystem_class("ptpip") is PtpIpFileSystem
    assert isinstance(files(camera()), PtpIpFileSystem)


def test_a_card_is_listed_found_and_matched(camera: Cameras, files: Files) -> None:
    fs = files(camera())
    assert fs.ls("/", detail=False) == ["/DCIM"]
    folder = fs.ls("DCIM", detail=False)[0]
    names = fs.ls(folder, detail=False)
    assert len(names) == 4
    assert fs.find("/") == fs.find("") == names == fs.glob("/DCIM/**/*.*")
    assert fs.glob("/DCIM/*/*.JPG") == [name for name in names if name.endswith(".JPG")]
    assert fs.isdir("/DCIM")
    assert fs.isdir("/")
    assert fs.isfile(names[0])
    assert fs.exists(names[0])
    assert not fs.exists("/DCIM/none.JPG")
    assert fs.ls(names[0], detail=False) == [names[0]]
    assert [folder for folder, _, _ in fs.walk("/")] == ["/", "/DCIM", folder]
    assert fs.du("/") == sum(fs.sizes(names))


def test_a_file_is_described_in_words_and_dates(camera: Cameras, files: Files) -> None:
    store = Store()
    taken = datetime(2026, 3, 4, 5, 6, 7)
    handle = store.add("A.NEF", 1000, captured=taken, protected=True)
    store.add("B.MOV", 10, captured=None)
    fs = files(camera(store=store))
    info = fs.info("/A.NEF")
    assert info == {
        "name": "/A.NEF",
        "size": 1000,
        "type": "file",
        "format": "RAW",
        "handle": handle,
        "created": taken.astimezone(UTC),
        "mtime": taken.astimezone(UTC),
        "protected": True,
        "storage_id": 0x00010001,
        "object_name": "A.NEF",
    }
    assert fs.created("/A.NEF") == fs.modified("/A.NEF") == taken.astimezone(UTC)
    assert fs.info("/B.MOV")["format"] == "movie"
    with pytest.raises(ValueError, match="reports no date"):
        fs.created("/B.MOV")


def test_a_url_opens_a_file_and_its_name_leads_back(camera: Cameras, files: Files) -> None:
    sim = camera(size=SIZE)
    fs = files(sim, nickname="studio")
    path = fs.find("/")[0]
    url = fs.unstrip_protocol(path)
    assert url == f"ptpip://studio@{sim.host}:{sim.port}{path}"
    options = {"timeouts": fs._options["timeouts"], "vendor": fs._options["vendor"]}
    with fsspec.open(url, **options) as file:
        assert file.read() == content(sim, path)
    assert sim.sessions_opened == 1


def test_a_changed_file_has_another_key_and_an_unchanged_one_the_same(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    fs = files(sim)
    one, two = fs.find("/")[:2]
    before = fs.ukey(one)
    assert before != fs.ukey(two)
    fs.close()
    assert fs.ukey(one) == before
    handle = fs.info(one)["handle"]
    sim.store.replace(handle, captured=datetime(2027, 1, 1))
    fs.close()
    fs.invalidate_cache()
    assert fs.ukey(one) != before


# Reading


@pytest.mark.parametrize("cache", ["ptpip", "none", "readahead", "bytes"])
@pytest.mark.parametrize("depth", [1, 3])
def test_reads_in_any_order_get_the_right_bytes(
    camera: Cameras, files: Files, cache: str, depth: int
) -> None:
    sim = camera(size=SIZE)
    fs = files(sim, depth=depth)
    path = fs.find("/")[0]
    expected = content(sim, path)
    chance = random.Random(4)
    with fs.open(path, cache_type=cache, block_size=200_000) as file:
        assert file.size == SIZE
        assert file.seek(0, io.SEEK_END) == SIZE
        assert file.read() == b""
        for _ in range(12):
            at, size = chance.randrange(SIZE), chance.randrange(500_000)
            file.seek(at)
            assert file.read(size) == expected[at : at + size]
            buffer = bytearray(1000)
            at = file.tell()
            count = file.readinto(buffer)
            assert buffer[:count] == expected[at : at + 1000]
        file.seek(0)
        assert file.read() == expected


def test_a_file_read_in_order_asks_for_each_byte_once(camera: Cameras, files: Files) -> None:
    sim = camera(size=8_000_000)
    fs = files(sim)
    path = fs.find("/")[0]
    with fs.open(path) as file:
        pieces = []
        while piece := file.read(70_000):
            pieces.append(piece)
        assert file.cache.total_requested_bytes == 8_000_000
    assert b"".join(pieces) == content(sim, path)
    assert sim.payload_bytes < 8_000_000 + 100_000


def test_a_header_costs_one_small_read(camera: Cameras, files: Files) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    path = fs.find("/")[0]
    before = sim.payload_bytes
    with fs.open(path) as file:
        assert file.read(8) == content(sim, path)[:8]
        assert isinstance(file.cache, Blocks)
    assert reads(sim) == 1
    assert sim.payload_bytes - before < FIRST_BLOCK + 10_000


def test_text_and_lines_are_read_as_from_any_file(camera: Cameras, files: Files) -> None:
    store = Store()
    store.add("A.CSV", "name,größe\na,1\nb,2\n".encode())
    fs = files(camera(store=store))
    with fs.open("/A.CSV", "r", encoding="utf-8") as file:
        assert list(file) == ["name,größe\n", "a,1\n", "b,2\n"]
    assert fs.read_text("/A.CSV", encoding="utf-8").startswith("name")
    with fs.open("/A.CSV") as file:
        assert [len(line) for line in file] == [13, 4, 4]
        assert file.tell() == 21


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *[(None, None), (0, 10), (100, None), (-10, None), (-10, -3), (5, -5)],
        *[(SIZE - 5, SIZE + 9), (7, 7), (9, 3), (SIZE + 1, SIZE + 2)],
    ],
)
def test_cat_file_cuts_a_range_as_python_slices(
    camera: Cameras, files: Files, start: int | None, end: int | None
) -> None:
    sim = camera(size=SIZE, objects=1)
    fs = files(sim)
    path = fs.find("/")[0]
    assert fs.cat_file(path, start, end) == content(sim, path)[start:end]


def test_ranges_of_several_files_come_in_order_and_neighbours_in_one_read(
    camera: Cameras, files: Files
) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    one, two = fs.find("/")[:2]
    fs.ls("/")
    before = reads(sim)
    spans = [(two, 900, 1000), (one, 0, 100), (one, 2_000_000, 2_000_100), (one, 150, 60_000)]
    paths, starts, ends = (list(column) for column in zip(*spans, strict=True))
    got = fs.cat_ranges(paths, starts, ends)
    assert got == [content(sim, path)[start:end] for path, start, end in spans]
    assert reads(sim) - before == 3
    assert fs.cat_ranges(paths, starts, ends, max_gap=0) == got
    assert reads(sim) - before == 3 + 4


def test_a_range_that_fails_is_returned_or_raised_as_asked(camera: Cameras, files: Files) -> None:
    fs = files(camera())
    path = fs.find("/")[0]
    paths = [path, "/none", "/DCIM"]
    good, missing, folder = fs.cat_ranges(paths, 0, 10)
    assert len(good) == 10
    assert isinstance(missing, FileNotFoundError)
    assert isinstance(folder, IsADirectoryError)
    with pytest.raises(FileNotFoundError):
        fs.cat_ranges(paths, 0, 10, on_error="raise")
    with pytest.raises(ValueError, match="length"):
        fs.cat_ranges(paths, [0], 10)


def test_cat_returns_the_files_that_a_pattern_matches(camera: Cameras, files: Files) -> None:
    sim = camera()
    found = files(sim).cat("/DCIM/*/*.JPG")
    assert len(found) == 2
    assert all(data == content(sim, path) for path, data in found.items())


# Downloads


def test_get_downloads_whole_files_under_their_final_names(
    camera: Cameras, files: Files, tmp_path: Path
) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    fs.get("/DCIM", str(tmp_path), recursive=True)
    for path in fs.find("/"):
        assert (tmp_path / path[1:]).read_bytes() == content(sim, path)
    assert not list(tmp_path.rglob("*.part*"))
    one, two = fs.find("/")[:2]
    target = tmp_path / "new" / "X.NEF"
    fs.get_file(one, str(target))
    fs.get_file(two, str(target))  # replaced, as fsspec does it
    assert target.read_bytes() == content(sim, two)
    memory = io.BytesIO()
    fs.get_file(one, memory)
    assert memory.getvalue() == content(sim, one)


def test_get_tells_its_callback_how_far_it_is(
    camera: Cameras, files: Files, tmp_path: Path
) -> None:
    fs = files(camera(size=SIZE))
    callback = fsspec.callbacks.Callback()
    fs.get_file(fs.find("/")[0], tmp_path / "x", callback=callback)
    assert (callback.size, callback.value) == (SIZE, SIZE)


# What is refused


Refused = Callable[[PtpIpFileSystem, str], Any]
WRITES: dict[str, Refused] = {
    "open": lambda fs, path: fs.open(path, "wb"),
    "append": lambda fs, path: fs.open(path, "ab"),
    "text": lambda fs, path: fs.open(path, "w"),
    "update": lambda fs, path: fs.open(path, "r+b"),
    "pipe": lambda fs, path: fs.pipe(path, b"x"),
    "pipes": lambda fs, path: fs.pipe({path: b"x"}),
    "touch": lambda fs, path: fs.touch(path),
    "put": lambda fs, path: fs.put(__file__, path),
    "put_file": lambda fs, path: fs.put_file(__file__, path),
    "upload": lambda fs, path: fs.upload(__file__, path),
    "copy": lambda fs, path: fs.copy(path, "/x"),
    "cp_file": lambda fs, path: fs.cp_file(path, "/x"),
    "move": lambda fs, path: fs.move(path, "/x"),
    "rename": lambda fs, path: fs.rename(path, "/x", recursive=True),
    "mkdir": lambda fs, path: fs.mkdir("/x"),
    "makedirs": lambda fs, path: fs.makedirs("/DCIM", exist_ok=False),
    "rmdir": lambda fs, path: fs.rmdir("/DCIM"),
    "write_text": lambda fs, path: fs.write_text(path, "x"),
}


@pytest.mark.parametrize("write", sorted(WRITES))
def test_everything_that_writes_is_refused_as_by_a_read_only_disk(
    camera: Cameras, files: Files, write: str
) -> None:
    sim = camera()
    fs = files(sim, allow_delete=True)
    before = fs.find("/")
    with pytest.raises(OSError, match="read-only") as caught:
        WRITES[write](fs, before[0])
    assert caught.value.errno == errno.EROFS
    fs.makedirs("/DCIM", exist_ok=True)
    fs.invalidate_cache()
    assert fs.find("/") == before


def test_deletion_is_refused_unless_it_was_allowed(camera: Cameras, files: Files) -> None:
    sim = camera()
    fs = files(sim)
    before = fs.find("/")
    for delete in (fs.rm, fs.rm_file, fs.delete):
        with pytest.raises(PermissionError, match="allow_delete=True"):
            delete(before[0])
    assert len(sim.store.files()) == 4


def test_allowed_deletion_removes_the_files_and_keeps_folders(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    fs = files(sim, allow_delete=True)
    one, *others = fs.find("/")
    fs.rm(one)
    assert fs.find("/") == others
    with pytest.raises(IsADirectoryError):
        fs.rm("/DCIM")
    with pytest.raises(FileNotFoundError):
        fs.rm("/none")
    fs.rm("/DCIM/*/*.JPG")
    assert [path for path in others if not path.endswith("JPG")] == fs.find("/")
    fs.rm("/DCIM", recursive=True)
    assert fs.find("/") == []
    assert sim.store.files() == []
    assert fs.isdir("/DCIM")


def test_a_protected_file_is_a_missing_permission(camera: Cameras, files: Files) -> None:
    store = Store()
    store.add("A.NEF", 10, protected=True)
    fs = files(camera(store=store), allow_delete=True)
    with pytest.raises(PermissionError, match="protected"):
        fs.rm("/A.NEF")
    assert fs.exists("/A.NEF")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "name the camera"),
        ({"host": "h", "colour": 1}, "no argument 'colour'"),
        ({"host": "a b"}, "not an address"),
        ({"host": "h", "port": 0}, "port"),
        ({"host": "h", "allow_delete": "no"}, "allow_delete"),
        ({"host": "h", "storage": "x"}, "storage"),
        ({"host": "h", "timeouts": {"operation": "x"}}, "operation"),
    ],
)
def test_wrong_arguments_are_refused_before_a_camera_is_asked(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        fsspec.filesystem("ptpip", **options)


def test_no_file_is_opened_where_there_is_none_or_a_folder(camera: Cameras, files: Files) -> None:
    fs = files(camera())
    with pytest.raises(FileNotFoundError) as caught:
        fs.open("/DCIM/none.NEF")
    assert caught.value.filename == "/DCIM/none.NEF"
    with pytest.raises(IsADirectoryError):
        fs.open("/DCIM")
    with pytest.raises(FileNotFoundError):
        fs.ls("/none")
    with pytest.raises(ValueError, match="block_size"):
        fs.open(fs.find("/")[0], block_size=0)


# Cards that change


def test_a_new_picture_is_listed_when_the_camera_has_reported_it(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    fs = files(sim)
    before = fs.find("/")
    sim.capture()
    for event in fs.session.events(timeout=20):
        if event.code == EventCode.CaptureComplete:
            break
    assert len(fs.find("/")) > len(before)


def test_a_change_that_is_not_reported_is_seen_after_a_refresh(
    camera: Cameras, files: Files
) -> None:
    sim = camera()
    fs = files(sim)
    fs.find("/")
    sim.store.add("NEW.NEF", 10)
    assert not fs.exists("/NEW.NEF")
    assert {"/NEW.NEF"} < set(fs.ls("/", detail=False, refresh=True))
    sim.store.add("NEXT.NEF", 10)
    fs.invalidate_cache()
    assert fs.exists("/NEXT.NEF")
    sim.store.add("LAST.NEF", 10)
    uncached = files(sim, use_listings_cache=False)
    assert uncached.exists("/LAST.NEF")
    sim.store.add("MORE.NEF", 10)
    assert files(sim, listings_expiry_time=0).exists("/MORE.NEF")


def test_a_file_deleted_while_it_is_open_is_not_found(camera: Cameras, files: Files) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    path = fs.find("/")[0]
    with fs.open(path) as file:
        first = file.read(10)
        assert first == content(sim, path)[:10]
        sim.store.delete(fs.info(path)["handle"])
        file.seek(SIZE - 10)
        with pytest.raises((FileNotFoundError, ptpfast.InvalidObjectHandle)):
            file.read(10)


def test_two_cards_and_a_chosen_one_are_listed(camera: Cameras, files: Files) -> None:
    sim = camera(store=Store.synthetic(4, 1000, storages=2, pairs=False))
    fs = files(sim)
    assert fs.ls("/", detail=False) == ["/card1", "/card2"]
    assert len(fs.find("/")) == 4
    of_two = files(sim, storage=2)
    assert of_two.ls("/", detail=False) == ["/DCIM"]
    for path in of_two.find("/"):
        handle = of_two.info(path)["handle"]
        assert of_two.cat_file(path) == b"".join(sim.store.expected(handle).spans(0, 1000))
        assert fs.cat_file("/card2" + path) == of_two.cat_file(path)


def test_a_session_and_a_filesystem_name_the_same_objects(
    camera: Cameras, files: Files, connect: Sessions
) -> None:
    sim = camera()
    fs = files(sim)
    listed = {"/" + info.path: info.handle for info in fs.session.objects()}
    assert {path: fs.info(path)["handle"] for path in fs.find("/")} == listed
    assert isinstance(fs.open(next(iter(listed))), PtpIpFile)
