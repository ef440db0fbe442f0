"""A part file that another run removes while it is made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ptpfast import SinkError
from ptpfast.engine.sink import Descriptor
from ptpfast.ownership import files
from ptpfast.transfer.journal import Identity, Journal
from ptpfast.transfer.part import PartFile

IDENTITY = Identity("Nikon D5300 1", 0x40002, "DSC_0001.NEF", 1000, "2026-01-02T12:00:00")


def taken_by_another(monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """Have another run find each new file, unlocked and empty, and remove it, so many times."""
    made: list[str] = []
    create = files.create

    def create_and_lose(path: str, mode: int = 0o666) -> Descriptor:
        held = create(path, mode)
        if path.endswith(".part"):
            made.append(path)
            if len(made) <= times:
                os.unlink(path)
        return held

    monkeypatch.setattr(files, "create", create_and_lose)
    return made


def test_a_new_part_that_another_run_removes_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = taken_by_another(monkeypatch, 3)
    path = str(tmp_path / "DSC_0001.NEF")
    with PartFile(path, Journal(path, IDENTITY)) as part:
        assert len(made) == 4
        assert part.is_new
        assert (tmp_path / "DSC_0001.NEF.part").samefile(f"/proc/self/fd/{part.fd}")
        assert Journal(path, IDENTITY).read() is not None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_while_a_part_is_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    create = files.create

    def create_and_lose(path: str, mode: int = 0o666) -> Descriptor:
        held = create(path, mode)
        shutil.rmtree(folder)
        return held

    monkeypatch.setattr(files, "create", create_and_lose)
    path = str(folder / "DSC_0001.NEF")
    with pytest.raises(SinkError, match="cannot write"):
        PartFile(path, Journal(path, IDENTITY)).open()
