"""The simulated camera's card: the bytes of its objects, their names, dates and thumbnails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ptpfast import vendors
from ptpfast.ptp.datasets import (
    parse_date_time,
)
from ptpfast.sim import (
    SimulatedCamera,
    Store,
    check,
    first_difference,
)
from ptpfast.sim.content import PAGE_SIZE, Page, read
from ptpfast.sim.thumbnail import Thumbnails
from raw_initiator import Code, Initiator, Op


def test_any_range_of_a_synthetic_object_is_the_same_however_it_is_cut() -> None:
    content = Page("seed").content(7, 3 * PAGE_SIZE)
    whole = read(content)
    assert len(whole) == 3 * PAGE_SIZE
    for offset, size in ((0, 1), (PAGE_SIZE - 1, 2), (1 << 20, 1 << 21), (5, PAGE_SIZE + 9)):
        assert read(content, offset, size) == whole[offset : offset + size]


def test_content_differs_by_seed_by_object_and_by_any_usual_shift() -> None:
    content = Page(1).content(1, 1 << 22)
    assert read(content, 0, 64) != read(Page(2).content(1, 64), 0, 64)
    assert read(content, 0, 64) != read(Page(1).content(2, 64), 0, 64)
    for shift in (1, 512, 1 << 16, 1 << 20, 1 << 21):
        assert read(content, 0, 64) != read(content, shift, 64)


def test_checking_a_copy_finds_the_first_wrong_byte(tmp_path: Path) -> None:
    content = Page().content(3, 2_500_000)
    copy = bytearray(read(content))
    path = tmp_path / "copy"
    path.write_bytes(copy)
    assert check(content, path)
    assert check(content, memoryview(copy)[100:200], 100, 100)
    copy[1_234_567] ^= 1
    path.write_bytes(copy)
    assert first_difference(content, path) == 1_234_567
    assert first_difference(content, copy[1_000_000:], 1_000_000) == 1_234_567
    assert not check(content, path)
    assert not check(content, read(content)[:-1])
    assert first_difference(content, read(content) + b"x") == content.size


def test_synthetic_card_has_pairs_in_dcf_folders_with_dates() -> None:
    store = Store.synthetic(2 * 1000, 10, model=vendors.named("nikon").model)
    files = store.files()
    assert len(files) == 2000
    assert store.path(files[0].handle) == "DCIM/100D5300/DSC_0001.NEF"
    assert store.path(files[1].handle) == "DCIM/100D5300/DSC_0001.JPG"
    assert store.path(files[-1].handle) == "DCIM/101D5300/DSC_1000.JPG"
    assert files[0].captured == files[1].captured
    assert parse_date_time(files[0].info.capture_date) == files[0].captured
    assert store.find("DCIM/100D5300/DSC_0002.NEF") == files[2].handle
    with pytest.raises(KeyError):
        store.find("DCIM/nothing")


def test_object_of_4_gib_has_a_saturated_size() -> None:
    store = Store()
    below, above = store.add("A.MOV", 0xFFFFFFFE), store.add("B.MOV", 1 << 32)
    sizes = [store.get(handle).info.object_compressed_size for handle in (below, above)]  # type: ignore[union-attr]
    assert sizes == [0xFFFFFFFE, 0xFFFFFFFF]


def test_thumbnails_are_jpegs_and_all_different() -> None:
    thumbnails = Thumbnails()
    made = {thumbnails.make(number, f"IMG_{number}.DNG") for number in range(200)}
    assert len(made) == 200
    assert all(t.startswith(b"\xff\xd8\xff") and t.endswith(b"\xff\xd9") for t in made)


def test_real_folder_is_kept_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "DCIM" / "100ABC"
    folder.mkdir(parents=True)
    (folder / "A.NEF").write_bytes(b"raw" * 1000)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "link.jpg").symlink_to(folder / "A.NEF")
    (folder / "loop").symlink_to(tmp_path)
    (folder / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"x")
    os.utime(folder / "A.NEF", (1_700_000_000, 1_700_000_000))
    with SimulatedCamera(folder=tmp_path) as camera, Initiator(camera) as initiator:
        store = camera.store
        assert store.left_out == 3
        assert [store.path(each.handle) for each in store.files()] == [
            "DCIM/100ABC/A.NEF",
            "DCIM/100ABC/empty.jpg",
        ]
        handle = store.find("DCIM/100ABC/A.NEF")
        assert store.get(handle).captured.timestamp() == 1_700_000_000  # type: ignore[union-attr]
        assert initiator.ask(Op.GetObject, handle).data == b"raw" * 1000
        assert initiator.ask(Op.DeleteObject, handle).code == Code.OK
    assert (folder / "A.NEF").exists()


@contextmanager
def folders_within(root: Path, deep: int) -> Iterator[None]:
    """So many folders, each in the last one: their path is too long for one call. They are removed
    at the end, because pytest would call itself for each of them."""
    here = os.open(root, os.O_RDONLY)
    try:
        for _ in range(deep):
            os.mkdir("d", dir_fd=here)
            here = _moved(here, "d")
        yield
    finally:
        while not os.path.samestat(os.fstat(here), os.stat(root)):
            here = _moved(here, "..")
            os.rmdir("d", dir_fd=here)
        os.close(here)


def _moved(here: int, name: str) -> int:
    there = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    return there


def test_a_folder_deeper_than_calls_can_be_is_served_whole(tmp_path: Path) -> None:
    deep = sys.getrecursionlimit() + 100
    (tmp_path / "A.NEF").write_bytes(b"raw")
    with folders_within(tmp_path, deep):
        store = Store.from_folder(tmp_path)
        assert [each.name for each in store.files()] == ["A.NEF"]
        assert len(list(store)) > deep or store.left_out == 1
    assert [path.name for path in tmp_path.iterdir()] == ["A.NEF"]


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_what_takes_the_place_of_a_file_is_not_served(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "A.JPG"
    path.write_bytes(b"raw")
    stored = Store.from_folder(tmp_path).files()[0]
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(__file__)
    with pytest.raises(OSError, match=r"regular file|symbolic link"):
        read(stored.content)
    assert stored.thumbnail == b""


def test_embedded_thumbnail_of_a_real_jpeg_is_used(tmp_path: Path) -> None:
    inner = Thumbnails().make(1, "inner")
    exif = b"Exif\0\0MM" + inner
    head = b"\xff\xd8\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "A.JPG").write_bytes(head + b"\xff\xd9")
    stored = Store.from_folder(tmp_path).files()[0]
    assert stored.thumbnail == inner
