"""fsspec's own tests of downloads, on a card with the files that they expect.

The others (copy, put, pipe, open for writing) need a filesystem that can be written to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable

import pytest
from fsspec.tests.abstract import AbstractFixtures, AbstractGetTests

from conftest import Cameras, Files
from ptpfast.filesystem import PtpIpFileSystem
from ptpfast.sim import SimulatedCamera, Store


class Writer:
    """Puts files onto the simulated card, under the names that fsspec's fixtures use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folders = {"/": 0}

    def makedirs(self, path: str) -> None:
        self._folder(path)

    def touch(self, path: str) -> None:
        self.pipe(path, b"")

    def pipe(self, path: str, value: bytes) -> None:
        folder, name = posixpath.split(path)
        self._store.add(name, value, parent=self._folder(folder))

    def _folder(self, path: str) -> int:
        if path not in self._folders:
            above, name = posixpath.split(path)
            self._folders[path] = self._store.add_folder(name, parent=self._folder(above))
        return self._folders[path]


class TestGet(AbstractFixtures, AbstractGetTests):  # type: ignore[misc]
    @pytest.fixture
    def sim(self, camera: Cameras) -> SimulatedCamera:
        return camera(store=Store())

    @pytest.fixture
    def fs(
        self, sim: SimulatedCamera, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> PtpIpFileSystem:
        fs, writer = files(sim, use_listings_cache=False), Writer(sim.store)
        # One of the tests makes its folder by these.
        monkeypatch.setattr(fs, "mkdir", writer.makedirs)
        monkeypatch.setattr(fs, "touch", writer.touch)
        monkeypatch.setattr(fs, "_allow_delete", True)
        return fs

    @pytest.fixture
    def fs_path(self) -> str:
        return "/"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return posixpath.join

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, sim: SimulatedCamera) -> str:
        return str(self._bulk_operations_scenario_0(Writer(sim.store), posixpath.join, "/"))

    @pytest.fixture
    def fs_glob_edge_cases_files(self, sim: SimulatedCamera) -> str:
        return str(self._glob_edge_cases_files(Writer(sim.store), posixpath.join, "/"))

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self, sim: SimulatedCamera) -> str:
        return str(self._dir_and_file_with_same_name_prefix(Writer(sim.store), posixpath.join, "/"))

    @pytest.fixture
    def fs_10_files_with_hashed_names(self, sim: SimulatedCamera) -> str:
        return str(self._10_files_with_hashed_names(Writer(sim.store), posixpath.join, "/"))
