"""Pulls into folders of other filesystems: network, FUSE, FAT. Each has its own odd manner."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conftest import PATIENT, Cameras
from fuse.manners import BROKEN, KIND, WITHOUT_DATES
from fuse.mounted import mounted, need_fuse
from ptpfast import ConnectionLost, Report, SinkError, pull
from ptpfast.engine.sink import Descriptor
from ptpfast.sim import SimulatedCamera, Store

SIZES = {"A.NEF": 300_000, "B.NEF": 20_000, "Ü a longer name.MOV": 3_000_000}
SUMS, DELETIONS = "SHA256SUMS", ".ptpfast-deletions.jsonl"
REFUSALS = (errno.EIO, errno.ENOTCONN, errno.EFBIG, errno.EILSEQ, errno.ENAMETOOLONG)
Mount = Callable[[dict[str, Any]], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    need_fuse()
    with ExitStack() as stack:
        yield lambda manner: stack.enter_context(mounted(tmp_path / "fuse", manner))


@pytest.fixture
def sim(camera: Cameras) -> SimulatedCamera:
    store = Store()
    for name, size in SIZES.items():
        store.add(name, size)
    return camera(store=store)


def fetch(sim: SimulatedCamera, folder: Path, **options: Any) -> Report:
    return pull(f"{sim.host}:{sim.port}", folder, **({"timeouts": PATIENT} | options))


def contents(sim: SimulatedCamera) -> dict[str, bytes]:
    return {
        one.name: b"".join(sim.store.expected(one.handle).spans(0, one.size))
        for one in sim.store.files()
    }


def in_folder(folder: Path, *, but: tuple[str, ...] = (SUMS, DELETIONS)) -> dict[str, bytes]:
    return {name: content_of(folder / name) for name in os.listdir(folder) if name not in but}


def content_of(path: Path) -> bytes:
    with Descriptor(path, os.O_RDONLY) as held:  # which does not mind how a close is answered
        return os.pread(held.number, os.fstat(held.number).st_size, 0)


def put(path: Path, content: bytes) -> None:
    with Descriptor(path, os.O_WRONLY | os.O_CREAT) as held:
        os.write(held.number, content)


ALL = KIND | WITHOUT_DATES
broken = pytest.mark.parametrize("manner", BROKEN)


def of(manners: dict[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    cases = pytest.mark.parametrize("manner", list(manners))
    return lambda test: pytest.mark.matrix(cases(test))


@of(KIND)
def test_files_come_whole_and_are_known_again(
    sim: SimulatedCamera, mount: Mount, manner: str
) -> None:
    folder = mount(KIND[manner])
    report = fetch(sim, folder, manifest=True)
    assert (report.downloaded, report.ok) == (3, True)
    tidied = without_litter(in_folder(folder), manner)
    assert tidied == contents(sim)
    again = fetch(sim, folder, manifest=True)
    assert (again.downloaded, again.skipped, again.ok) == (0, 3, True)
    assert without_litter(in_folder(folder), manner) == tidied


def without_litter(found: dict[str, bytes], manner: str) -> dict[str, bytes]:
    """Where nothing can be removed, notes and empty files stay."""
    if manner == "nothing is removed":
        litter = (".part.json", ".part.json.new")
        return {
            name: text
            for name, text in found.items()
            if not name.endswith(litter) and ((text and len(text) != 32) or ".ptpfast-" not in name)
        }
    return found


@pytest.mark.parametrize("manner", WITHOUT_DATES)
def test_files_come_whole_where_dates_are_not_kept_and_that_is_said_once(
    sim: SimulatedCamera, mount: Mount, manner: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = mount(WITHOUT_DATES[manner])
    assert fetch(sim, folder).downloaded == 3
    assert in_folder(folder) == contents(sim)
    said = [row.message for row in caplog.records if "date" in row.message]
    assert len(said) == 1
    assert str(folder) in said[0]
    assert "only the history knows them again" in said[0]


@of(ALL)
def test_download_is_continued_after_a_lost_connection_and_in_the_next_run(
    sim: SimulatedCamera, mount: Mount, manner: str
) -> None:
    folder = mount(ALL[manner])
    sim.faults.add("drop after-total 2000000 times 0")
    with pytest.raises(ConnectionLost):
        fetch(sim, folder, retry=0)
    sim.faults.clear()
    report = fetch(sim, folder, on_conflict="skip")
    (continued,) = report.having("downloaded")
    assert continued.transfer is not None
    assert continued.transfer.resumed_at > 0
    assert without_litter(in_folder(folder), manner) == contents(sim)


@of(ALL)
def test_objects_are_deleted_only_when_file_and_copy_are_proven(
    sim: SimulatedCamera, mount: Mount, tmp_path: Path, manner: str
) -> None:
    folder, expected = mount(ALL[manner]), contents(sim)
    report = fetch(
        sim, folder / "to", copies=folder / "copies", delete_verified=True, verify="disk"
    )
    # What cannot be flushed is not proven to be on the disk.
    deleted = 0 if manner in ("no fsync, EINVAL", "no fsync, ENOTSUP") else 3
    assert (report.downloaded, report.copies("stored")) == (deleted, 3), [
        (c.path, c.reason) for f in report.files for c in f.copies
    ]
    assert (report.deleted, len(sim.store.files())) == (deleted, 3 - deleted)
    for name in ("to", "copies"):
        assert without_litter(in_folder(folder / name), manner) == expected


@of(ALL)
@pytest.mark.parametrize("policy", ["rename", "skip", "fail"])
def test_file_of_somebody_else_is_never_replaced(
    sim: SimulatedCamera, mount: Mount, manner: str, policy: str
) -> None:
    folder = mount(ALL[manner])
    put(folder / "A.NEF", b"somebody's")
    report = fetch(sim, folder, on_conflict=policy)
    assert report.downloaded == (3 if policy == "rename" else 2)
    found = without_litter(in_folder(folder), manner)
    assert found.pop("A.NEF") == b"somebody's"
    expected = contents(sim)
    first = expected.pop("A.NEF")
    assert found == expected | ({"A-1.NEF": first} if policy == "rename" else {})


@of(KIND)
def test_file_is_replaced_where_that_is_asked_for(
    sim: SimulatedCamera, mount: Mount, manner: str
) -> None:
    folder = mount(KIND[manner])
    put(folder / "A.NEF", b"to be replaced")
    fetch(sim, folder, on_conflict="overwrite")
    assert without_litter(in_folder(folder), manner) == contents(sim)


@broken
def test_no_file_stands_under_its_name_that_may_not_be_whole(
    sim: SimulatedCamera, mount: Mount, manner: str
) -> None:
    folder, expected = mount(BROKEN[manner]), contents(sim)
    try:
        report = fetch(sim, folder)
    except SinkError as error:
        ended: Any = error
    else:
        ended = next(result.error for result in report.files if result.error)
        assert not report.ok
    assert isinstance(ended, SinkError)
    assert ended.errno in REFUSALS
    assert ended.hint
    for name, content in in_folder(folder).items():
        if not name.endswith((".part", ".json", ".new")):
            assert content == expected[name]
            assert manner not in ("flush fails", "fsync fails", "renames fail")
