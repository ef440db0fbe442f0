"""The names that the objects of a run have got, shared by the cameras of the run."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Given:
    """The names of one folder.

    Attributes:
        lock: Held while a name is looked for and given.
        claimed: Names of files that are an object's.
        taken: Keys of names given to objects and folders of this run.
        numbers: The last number tried, by the key of a name.
    """

    def __init__(
        self, lock: threading.RLock, beside: Callable[[], Iterable[Given]] = tuple
    ) -> None:
        """beside: returns the names of the folder in runs that are at work at the same time."""
        self.lock: threading.RLock = lock
        self.claimed: set[str] = _Joint(lambda: (each.claimed for each in beside()))
        self.taken: set[str] = _Joint(lambda: (each.taken for each in beside()))
        self.numbers: dict[str, int] = {}


class Names:
    """The names in all folders of a run. Any thread may use it, with the lock.

    Attributes:
        lock: That of all folders.
        owners: The shots, by folder, stem and number.
        last: The last number tried for a shot, by folder and stem.
        folders: The folders below a destination, by parent and key of the name.
    """

    def __init__(
        self,
        lock: threading.RLock | None = None,
        beside: Callable[[], Iterable[Names]] = tuple,
    ) -> None:
        """
        Args:
            lock: that of all folders, if it is shared.
            beside: returns the names of other runs, which count as well.
        """
        self.lock: threading.RLock = lock or threading.RLock()
        self._beside = beside
        self.owners: dict[tuple[Hashable, str, int], object] = {}
        self.last: dict[tuple[Hashable, str], int] = defaultdict(int)
        self.folders: dict[tuple[Path, str], Path] = {}
        self._given: dict[Path, Given] = {}

    def of(self, folder: Path) -> Given:
        """Return the names of a folder."""
        with self.lock:
            if folder not in self._given:
                self._given[folder] = Given(self.lock, lambda: self._beside_in(folder))
            return self._given[folder]

    def _beside_in(self, folder: Path) -> Iterator[Given]:
        for each in self._beside():
            if (given := each._given.get(folder)) is not None:
                yield given

    def owner(self, key: tuple[Hashable, str, int]) -> object | None:
        """Return the shot that has a number, in this run or one beside it; None if none has."""
        for each in (self, *self._beside()):
            if (owner := each.owners.get(key)) is not None:
                return owner
        return None


class Together:
    """Runs of several cameras that begin and end each for itself, and share no name meanwhile.

    What a run has stored is in the folder when it ends, where the next ones find it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._at_work: list[Names] = []

    @contextmanager
    def names(self) -> Iterator[Names]:
        """Yield the names of one run, for as long as it is at work."""
        names = Names(self._lock, lambda: [each for each in self._at_work if each is not names])
        with self._lock:
            self._at_work.append(names)
        try:
            yield names
        finally:
            with self._lock:
                self._at_work.remove(names)


class _Joint(set[str]):
    """A set of one run; `in` looks at the same sets of the runs beside it as well."""

    def __init__(self, beside: Callable[[], Iterable[set[str]]]) -> None:
        super().__init__()
        self._beside = beside

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or any(
            set.__contains__(each, name) for each in self._beside()
        )
