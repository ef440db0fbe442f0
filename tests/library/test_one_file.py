"""An error of the disk about one file does not end the run; one about every file does."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from adversity import assert_right, expected_files, finished_files
from conftest import Cameras
from ptpfast import ObjectInfo, SinkError
from ptpfast.library.report.observer import Observer
from ptpfast.sim import SimulatedCamera, Store

LIMIT = 1_000_000  # bytes that a file may have, as 4 GiB on a FAT card reader
TIMEOUT_S = 60

Refuses = Callable[[str], int]  # the errno for a path, 0 for none


def shots(camera: Cameras, *sizes: int) -> SimulatedCamera:
    store = Store()
    for number, size in enumerate(sizes, 1):
        store.add(f"IMG_{number:04d}.NEF", size)
    return camera(store=store)


def fetched(sim: SimulatedCamera, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """`ptpfast pull` in a process in which no file can have more than `LIMIT` bytes."""
    words = [sys.executable, "-m", "ptpfast", "pull", f"{sim.host}:{sim.port}", str(folder), *more]

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    return subprocess.run(
        words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, preexec_fn=limited
    )


def pull(sim: SimulatedCamera, folder: Path, **options: Any) -> ptpfast.Report:
    return ptpfast.pull(f"{sim.host}:{sim.port}", folder, **options)


def refuse(monkeypatch: pytest.MonkeyPatch, refuses: Refuses) -> None:
    """Lets the system refuse to open or to make some files."""
    opens = os.open

    def refusing(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if (number := refuses(os.fspath(path))) and (flags & os.O_CREAT or os.path.lexists(path)):
            raise OSError(number, os.strerror(number), path)
        return opens(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)


@pytest.mark.parametrize("more", [[], ["--chunk", "100k"], ["--chunk", "0"], ["--verify", "hash"]])
def test_a_file_too_large_for_the_disk_fails_alone_and_is_fetched_where_it_fits(
    camera: Cameras, tmp_path: Path, more: list[str]
) -> None:
    sim = shots(camera, 300_000, 3_000_000, 300_000)
    done = fetched(sim, tmp_path, *more)
    assert done.returncode == 1, done.stderr
    assert "IMG_0002.NEF failed: cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert "2 files downloaded" in done.stdout
    assert_right(tmp_path, expected_files(sim))
    assert len(finished_files(tmp_path)) == 2
    assert pull(sim, tmp_path).ok
    assert len(finished_files(tmp_path)) == 3
    assert_right(tmp_path, expected_files(sim))


def test_where_no_file_fits_the_disk_is_the_reason(camera: Cameras, tmp_path: Path) -> None:
    done = fetched(shots(camera, 3_000_000, 2_000_000), tmp_path)
    assert done.returncode == 6, done.stderr
    assert done.stderr.count("failed: cannot write") == 2


def test_a_copy_too_large_for_its_disk_does_not_keep_the_other_copies_out(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = shots(camera, 300_000, 3_000_000, 300_000)
    main, copies = tmp_path / "main", tmp_path / "copies"
    assert pull(sim, main).ok
    done = fetched(sim, main, "--copies", str(copies))
    assert done.returncode == 6, done.stderr
    assert "IMG_0002.NEF: cannot write" in done.stderr
    assert sorted(path.name for path in finished_files(copies)) == ["IMG_0001.NEF", "IMG_0003.NEF"]
    assert_right(copies, expected_files(sim))


def test_a_part_file_that_another_program_has_locked_keeps_no_other_from_coming(
    camera: Cameras, tmp_path: Path
) -> None:
    sim = shots(camera, *[100_000] * 3)
    with (tmp_path / "IMG_0001.NEF.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        report = pull(sim, tmp_path)
    assert [result.status for result in report.files] == ["failed", "downloaded", "downloaded"]
    assert "another run is writing" in report.files[0].reason
    assert pull(sim, tmp_path).downloaded == 1
    assert_right(tmp_path, expected_files(sim))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENAMETOOLONG])
@pytest.mark.parametrize("suffix", [".part", ".part.json"])
def test_a_file_that_cannot_be_made_keeps_no_other_from_coming(
    camera: Cameras,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    number: int,
) -> None:
    sim = shots(camera, *[100_000] * 3)
    with monkeypatch.context() as patch:
        refuse(patch, lambda path: number if path.endswith(f"IMG_0002.NEF{suffix}") else 0)
        report = pull(sim, tmp_path)
    assert [result.status for result in report.files] == ["downloaded", "failed", "downloaded"]
    assert isinstance(report.files[1].error, SinkError)
    assert pull(sim, tmp_path).downloaded == 1
    assert_right(tmp_path, expected_files(sim))


def test_a_folder_in_which_no_file_can_be_made_any_more_ends_the_run(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = shots(camera, *[100_000] * 20)
    locked: list[str] = []

    class Locking(Observer):
        def finished(self, result: ptpfast.FileResult) -> None:
            locked.append(str(tmp_path))

    refuse(
        monkeypatch,
        lambda path: errno.EACCES if any(path.startswith(each) for each in locked) else 0,
    )
    with pytest.raises(SinkError, match="Permission denied") as caught:
        pull(sim, tmp_path, observer=Locking())
    report: ptpfast.Report = caught.value.report  # type: ignore[attr-defined]
    statuses = [result.status for result in report.files]
    assert statuses[0] == "downloaded"
    assert set(statuses[1:]) == {"unfinished"}  # those received by then, and the one under way
    assert len(statuses) < 20
    assert report.failed == 0


def test_a_file_of_before_that_cannot_be_read_keeps_no_other_out_of_the_manifest(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim = shots(camera, *[100_000] * 3)
    assert pull(sim, tmp_path).ok
    refuse(monkeypatch, lambda path: errno.EIO if path.endswith("IMG_0002.NEF") else 0)
    with pytest.raises(SinkError, match=r"IMG_0002\.NEF: Input/output error"):
        pull(sim, tmp_path, manifest=True)
    listed = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert [line.split("  ")[1] for line in listed] == ["IMG_0001.NEF", "IMG_0003.NEF"]


def test_an_observer_is_told_of_a_file_that_cannot_be_made(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim, told = shots(camera, *[100_000] * 2), []

    class Told(Observer):
        def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
            told.append(f"{info.name} started")

        def finished(self, result: ptpfast.FileResult) -> None:
            told.append(f"{result.path and result.path.name} {result.status}")

    refuse(monkeypatch, lambda path: errno.EPERM if path.endswith("1.NEF.part") else 0)
    pull(sim, tmp_path, observer=Told())
    # The next file may begin before the result of the last one is told.
    assert [each for each in told if each.endswith("started")] == [
        "IMG_0001.NEF started",
        "IMG_0002.NEF started",
    ]
    assert told[0] == "IMG_0001.NEF started"
    assert [each for each in told if not each.endswith("started")] == [
        "None failed",
        "IMG_0002.NEF downloaded",
    ]
