"""Part files of an earlier run, by the object whose bytes they have.

A file that is numbered in sequence has no name of its own, and one may have been numbered because
another camera's had its name. So a part file is found by its journal.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...transfer.journal import Identity, whose

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from .tree import Tree


class Begun:
    """The part files in the folders of a destination, each folder as it is first asked about."""

    def __init__(self, tree: Tree, camera: str) -> None:
        self._tree = tree
        self._camera = camera
        self._paths: dict[tuple[Path, tuple[Any, ...]], Path] = {}
        self._seen: set[Path] = set()

    def path_of(self, info: ObjectInfo) -> Path | None:
        """Return the file whose part file an object has begun, in its folder; None without one."""
        folder = self._tree.of(info)
        if folder.path not in self._seen:
            self._seen.add(folder.path)
            for name in folder.parts():
                known = whose(os.fspath(folder.path / name))
                if known is not None and known.camera == self._camera:
                    self._paths.setdefault((folder.path, known[2:]), folder.path / name)
        return self._paths.get((folder.path, Identity.of(self._camera, info)[2:]))
