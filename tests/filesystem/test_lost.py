"""Filesystems of difficult cameras: lost sessions, cards that change, reads that are refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from conftest import Cameras, Files
from ptpfast import OperationCode, Unreadable
from ptpfast.session import persistence
from ptpfast.sim import SimulatedCamera, Store

SIZE = 3_000_000
PARTIAL64 = 0x95C1


@pytest.fixture(autouse=True)
def _reconnects_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(persistence, "LONGEST_PAUSE_S", 0.001)


def content(camera: SimulatedCamera, handle: int, size: int = SIZE) -> bytes:
    return b"".join(camera.store.expected(handle).spans(0, size))


BREAKS = [
    *("drop after 100000", "reset after 100000", "drop", "sleep on GetPartialObject"),
    *("length=0x7FFFFFFF after 200000", "wrong_tid", "cut_data=3 on GetObjectInfo"),
]


@pytest.mark.parametrize("fault", BREAKS)
@pytest.mark.parametrize("depth", [1, 3])
def test_a_file_is_read_through_lost_sessions_without_a_wrong_byte(
    camera: Cameras, files: Files, fault: str, depth: int
) -> None:
    sim = camera(size=SIZE, objects=1)
    fs = files(sim, depth=depth)
    path = fs.find("/")[0]
    handle = fs.info(path)["handle"]
    expected = content(sim, handle)
    words = fault if " on " in fault else f"{fault} on GetPartialObject"
    with fs.open(path) as file:
        assert file.read(10) == expected[:10]
        for at in (1, 3, 5):
            sim.faults.add(f"{words} at {at}")
        pieces = [expected[:10]]
        while piece := file.read(50_000):
            pieces.append(piece)
    assert b"".join(pieces) == expected
    assert fs.cat_file(path) == expected


def test_ranges_of_several_files_survive_a_lost_session(camera: Cameras, files: Files) -> None:
    sim = camera(size=SIZE)
    fs = files(sim)
    paths = fs.find("/")
    handles = [fs.info(path)["handle"] for path in paths]
    sim.faults.add("drop on GetPartialObject after 1000 at 2")
    got = fs.cat_ranges(paths, 5, 500_000)
    assert got == [content(sim, handle)[5:500_000] for handle in handles]
    assert sim.sessions_opened == 2


def test_a_download_goes_on_after_a_lost_session(
    camera: Cameras, files: Files, tmp_path: Path
) -> None:
    sim = camera(size=SIZE, objects=1)
    fs = files(sim)
    path = fs.find("/")[0]
    sim.faults.add("drop on GetPartialObject after 500000")
    fs.get_file(path, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content(sim, fs.info(path)["handle"])
    assert sim.sessions_opened == 2


def test_a_listing_goes_on_after_a_lost_session(camera: Cameras, files: Files) -> None:
    sim = camera(faults=["drop on GetObjectInfo at 3"], withheld=[0x9805])
    assert len(files(sim).find("/")) == 4


def test_a_file_at_which_every_session_ends_is_an_error_and_no_end_of_all(
    camera: Cameras, files: Files
) -> None:
    sim = camera(size=SIZE, faults=["drop on GetPartialObject times 0"])
    fs = files(sim, retry=1)
    path = fs.find("/")[0]
    with fs.open(path) as file, pytest.raises(Unreadable, match="at the same place"):
        file.read()
    sim.faults.clear()
    assert fs.cat_file(path) == content(sim, fs.info(path)["handle"])


def test_a_handle_that_was_given_to_another_picture_is_not_read_for_it(
    camera: Cameras, files: Files
) -> None:
    store = Store()
    handle = store.add("A.NEF", SIZE)
    sim = camera(store=store)
    fs = files(sim)
    with fs.open("/A.NEF") as file:
        assert file.read(100) == content(sim, handle)[:100]
        fs.close()  # as a lost session, in which handles end
        store.replace(handle, name="B.NEF")
        file.seek(SIZE - 100)
        with pytest.raises(FileNotFoundError, match="no longer on the card"):
            file.read(100)


def test_a_picture_is_found_again_under_another_handle(camera: Cameras, files: Files) -> None:
    store = Store()
    taken = datetime.datetime(2026, 3, 4)
    first = store.add("A.NEF", SIZE, captured=taken)
    second = store.add("B.NEF", SIZE, captured=taken)
    sim = camera(store=store)
    fs = files(sim)
    with fs.open("/A.NEF") as file:
        file.read(100)
        fs.close()
        store.replace(first, name="B.NEF")
        store.replace(second, name="A.NEF")
        file.seek(SIZE - 100)
        assert file.read() == content(sim, second)[-100:]


# Cameras that cannot send parts


@pytest.mark.parametrize("chunk", [1000, 4_000_000])
def test_a_camera_without_partial_reads_is_read_whole_once(
    camera: Cameras, files: Files, chunk: int
) -> None:
    sim = camera(size=SIZE, objects=1, withheld=[OperationCode.GetPartialObject, PARTIAL64])
    fs = files(sim)
    path = fs.find("/")[0]
    expected = content(sim, fs.info(path)["handle"])
    with fs.open(path, block_size=chunk) as file:
        file.seek(1_000_000)
        assert file.read(10) == expected[1_000_000:1_000_010]
        file.seek(5)
        assert file.read(100_000) == expected[5:100_005]
        assert sim.operations[OperationCode.GetObject] == 1
    assert fs.cat_file(path, -10) == expected[-10:]
    assert fs.cat_ranges([path] * 2, [0, 2_000_000], [10, 2_000_010]) == [
        expected[:10],
        expected[2_000_000:2_000_010],
    ]


def test_partial_reads_that_are_listed_and_refused_are_done_without(
    camera: Cameras, files: Files
) -> None:
    refused = [f"respond=0x2005 on {each} times 0" for each in ("GetPartialObject", "0x95C1")]
    sim = camera(size=SIZE, objects=1, faults=refused)
    fs = files(sim)
    path = fs.find("/")[0]
    expected = content(sim, fs.info(path)["handle"])
    with fs.open(path) as file:
        file.seek(2_000_000)
        assert file.read(10) == expected[2_000_000:2_000_010]
        file.seek(0)
        assert file.read() == expected


def test_a_lost_session_amid_a_whole_read_begins_it_again(camera: Cameras, files: Files) -> None:
    withheld = [OperationCode.GetPartialObject, PARTIAL64]
    sim = camera(size=SIZE, objects=1, withheld=withheld)
    fs = files(sim)
    path = fs.find("/")[0]
    sim.faults.add("drop on GetObject after 1000000")
    with fs.open(path) as file:
        file.seek(10)
        assert file.read() == content(sim, fs.info(path)["handle"])[10:]


@pytest.mark.parametrize("size", [0, SIZE])
def test_an_object_of_unknown_size_is_read_to_its_end(
    camera: Cameras, files: Files, size: int
) -> None:
    store = Store()
    handle = store.add("A.NEF", size)
    sim = camera(store=store, withheld=[0x9805, 0x9803])
    sim.faults.add("object_size=0 times 0")
    fs = files(sim)
    with fs.open("/A.NEF") as file:
        assert file.size == size
        assert file.read() == content(sim, handle, size)
    assert fs.cat_file("/A.NEF", -100) == content(sim, handle, size)[-100:]


def test_a_card_without_objects_or_a_camera_without_a_card_is_told(
    camera: Cameras, files: Files
) -> None:
    assert files(camera(store=Store())).ls("/") == []
    fs = files(camera(store=Store(storages=0, empty_slots=1)))
    with pytest.raises(Exception, match="no memory card"):
        fs.ls("/")
    assert not fs.exists("/DCIM")


def test_objects_that_cannot_be_described_are_left_out_and_counted(
    camera: Cameras, files: Files
) -> None:
    store = Store()
    bad = store.add("BAD.NEF", 10)
    store.add("GOOD.NEF", 10)
    fault = f"respond=0x2002 on GetObjectInfo handle {bad} times 0"
    fs = files(camera(store=store, faults=[fault], withheld=[0x9805]))
    assert fs.find("/") == ["/GOOD.NEF"]
    with pytest.raises(FileNotFoundError, match="1 object of the card could not be described"):
        fs.info("/BAD.NEF")
