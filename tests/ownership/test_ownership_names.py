"""Pictures and other files of one name: the package's own, and another camera's."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from conftest import Cameras
from ptpfast import pull
from ptpfast.cli.main import ptpfast
from ptpfast.sim import Store


@pytest.mark.parametrize("variable", ["PTPFAST_CACHE", "PTPFAST_CONFIG", "PTPFAST_DATA"])
@pytest.mark.parametrize("way", ["itself", "a link", "still to be made"])
def test_a_folder_of_the_packages_own_files_takes_no_pictures(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, way: str
) -> None:
    sim = camera(objects=1)
    place = own = tmp_path / "own"
    if way != "still to be made":
        own.mkdir()
    if way == "a link":
        place = tmp_path / "link"
        place.symlink_to(own)
    monkeypatch.setenv(variable, str(own))
    at = f"{sim.host}:{sim.port}"
    for words in (place, []), (tmp_path / "card", [place]):
        with pytest.raises(ValueError, match=rf"ptpfast keeps its \w+ \({variable}\)"):
            pull(at, words[0], copies=words[1])
        copies = [word for folder in words[1] for word in ("--copies", str(folder))]
        done = CliRunner().invoke(ptpfast, ["pull", at, str(words[0]), *copies])
        assert done.exit_code == 2
        assert variable in done.stderr
    assert sim.sessions_opened == 0
    assert not own.exists() or os.listdir(own) == []
    assert pull(at, tmp_path / "card").ok


def test_another_cameras_file_of_the_same_name_size_and_date_is_told_as_such(
    camera: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sims = []
    for seed in (1, 2):
        store = Store(seed=seed)
        store.add("DSC_0001.NEF", 5000, captured=datetime(2026, 1, 2, 12, 0, 0))
        sims.append(camera(store=store, seed=seed))
    one, two = (f"{sim.host}:{sim.port}" for sim in sims)
    pull(one, tmp_path)
    before = (tmp_path / "DSC_0001.NEF").read_bytes()
    monkeypatch.setenv("PTPFAST_DATA", str(tmp_path / "lost"))  # the history would tell them apart
    done = CliRunner().invoke(ptpfast, ["pull", two, str(tmp_path), "--delete-verified"])
    assert done.exit_code == 7
    assert "it is from another camera, or damaged; move the file away" in done.stderr
    assert "check the disk" not in done.stderr
    assert len(sims[1].store.files()) == 1
    assert (tmp_path / "DSC_0001.NEF").read_bytes() == before
