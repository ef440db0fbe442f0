"""The names that the objects of a run have got, shared by the cameras of the run."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Hashable
from pathlib import Path


class Given:
    """The names of one folder.

    Attributes:
        lock: Held while a name is looked for and given.
        claimed: Names of files that are an object's.
        taken: Keys of names given to objects and folders of this run.
        numbers: The last number tried, by the key of a name.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self.lock: threading.RLock = lock
        self.claimed: set[str] = set()
        self.taken: set[str] = set()
        self.numbers: dict[str, int] = {}


class Names:
    """The names in all folders of a run. Any thread may use it, with the lock.

    Attributes:
        lock: That of all folders.
        owners: The shots, by folder, stem and number.
        last: The last number tried for a shot, by folder and stem.
        folders: The folders below a destination, by parent and key of the name.
    """

    def __init__(self) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.owners: dict[tuple[Hashable, str, int], object] = {}
        self.last: dict[tuple[Hashable, str], int] = defaultdict(int)
        self.folders: dict[tuple[Path, str], Path] = {}
        self._given: dict[Path, Given] = {}

    def of(self, folder: Path) -> Given:
        """Return the names of a folder."""
        with self.lock:
            if folder not in self._given:
                self._given[folder] = Given(self.lock)
            return self._given[folder]
