"""The folder of a soak, compared with the card: what has a final name is right, at any moment."""

from __future__ import annotations

import os
from pathlib import Path

from ptpfast.ownership.names import JOURNAL_SUFFIX, PART_SUFFIX, temporaries
from ptpfast.sim import Store, check

# What a run that ended may leave beside the files, to be continued.
UNFINISHED = (PART_SUFFIX, JOURNAL_SUFFIX)
SETBACK = 8 << 20  # bytes: more than a hash that was not noted yet, or a broken read, can cost


class Checked:
    """A folder, whose files are compared when they appear, and again at the end."""

    def __init__(self, path: Path, store: Store) -> None:
        self.path = path
        self.right: dict[str, tuple[int, int]] = {}  # inode and time of what has been compared
        self.wrong: list[str] = []
        self._begun: dict[str, int] = {}  # bytes of unfinished files, at the last look
        self._expected = {stored.name: stored.handle for stored in store.files()}
        unfinished = [f"{name}{suffix}" for name in self._expected for suffix in UNFINISHED]
        # A killed run can leave a note that was about to replace one, too.
        self._passing = {*unfinished, *(next(temporaries(name)) for name in unfinished)}
        self._store = store

    @property
    def complete(self) -> bool:
        """Whether every file of the card is here."""
        return len(self.right) == len(self._expected)

    def missing(self) -> int:
        """Bytes of files that are not here."""
        return sum(
            self._store.expected(handle).size
            for name, handle in self._expected.items()
            if name not in self.right
        )

    def look(self) -> list[str]:
        """What is wrong with what has come since the last look."""
        wrong = []
        for entry in os.scandir(self.path) if self.path.exists() else ():
            name = entry.name
            if name in self._expected:
                status = entry.stat(follow_symlinks=False)
                now = status.st_ino, status.st_mtime_ns
                if self.right.get(name) != now:
                    if name in self.right:
                        wrong.append(f"{name} has been replaced")
                    wrong += self._compare(name)
                    self.right[name] = now
            elif name not in self._passing:
                wrong.append(f"{name} is of no object of the card")
        self.wrong += wrong
        return wrong

    def setbacks(self) -> list[str]:
        """Unfinished files of which much less is there than at the last look, and not because they
        are finished."""
        before, self._begun = self._begun, {}
        for name in self._expected.keys() - self.right.keys():
            try:
                self._begun[name] = (self.path / f"{name}{PART_SUFFIX}").stat().st_size
            except FileNotFoundError:
                self._begun[name] = 0
        return [
            f"{name} went back from {size:,} bytes to {self._begun[name]:,}"
            for name, size in before.items()
            if size - self._begun.get(name, size) > SETBACK
        ]

    def _compare(self, name: str) -> list[str]:
        content = self._store.expected(self._expected[name])
        path = self.path / name
        if path.is_symlink() or not check(content, path):
            return [f"{name} is not the camera's object"]
        return []

    def finish(self) -> list[str]:
        """What is wrong at the end, when nothing may be here but the card, every byte of it."""
        here = set(os.listdir(self.path)) if self.path.exists() else set()
        wrong = [f"{name} is missing" for name in sorted(set(self._expected) - here)]
        wrong += [f"{name} is left" for name in sorted(here - set(self._expected))]
        for name in sorted(here & set(self._expected)):
            wrong += self._compare(name)
        self.wrong += wrong
        return wrong
