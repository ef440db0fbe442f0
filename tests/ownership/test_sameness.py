"""A name and an open file are compared while another thread writes to the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ptpfast.ownership import sameness
from ptpfast.ownership.sameness import are_same, stands_for


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object], int], None]:
    """Have something be written before each of the next looks at a name."""

    def arrange(write: Callable[[], object], times: int) -> None:
        left = [times]

        def look(path: str | os.PathLike[str]) -> os.stat_result:
            if left[0]:
                left[0] -= 1
                write()
            return lstat(path)

        lstat = os.lstat
        monkeypatch.setattr(sameness.os, "lstat", look)

    return arrange


def test_a_name_stands_for_its_file_while_bytes_are_written_to_it(
    tmp_path: Path, written: Callable[[Callable[[], object], int], None]
) -> None:
    path, other = tmp_path / "x.part", tmp_path / "y.part"
    other.write_bytes(b"")
    with path.open("wb", buffering=0) as file:
        written(lambda: file.write(b"more"), 5)
        assert stands_for(path, file.fileno())
        written(lambda: file.write(b"more"), 5)
        assert not stands_for(other, file.fileno())


def test_a_file_that_never_stops_changing_is_not_looked_at_for_ever(
    tmp_path: Path, written: Callable[[Callable[[], object], int], None]
) -> None:
    path = tmp_path / "x.part"
    with path.open("wb", buffering=0) as file:
        written(lambda: file.write(b"more"), 10_000)
        assert not stands_for(path, file.fileno())
    assert path.stat().st_size < 4_000


def test_two_ways_to_a_folder_are_one_while_files_are_made_in_it(
    tmp_path: Path, written: Callable[[Callable[[], object], int], None]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    made: list[int] = []

    def make() -> None:
        made.append(0)
        (folder / str(len(made))).mkdir()

    written(make, 3)
    assert are_same(folder, folder.stat)
    written(make, 3)
    assert not are_same(tmp_path, folder.stat)
