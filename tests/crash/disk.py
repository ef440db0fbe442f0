"""The shim's log played back: what a disk holds after a power cut at the log's end.

A disk owes a process only what was flushed: data by fsync of the file, names by fsync of the
folder. What else is there afterwards is the disk's choice, so each `Survival` chooses differently.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

PAGE = 4096


class Survival(Enum):
    """What is there of that which was never flushed."""

    NOTHING = "nothing that was not flushed"
    NAMES = "names, lengths, and zeros for data"
    DATA = "data, no names"
    SOME = "some pages, some lengths, some names in their order"


@dataclass
class Record:
    """A call that succeeded."""

    what: str
    call: int
    inode: int
    first: int
    second: int
    one: str
    two: bytes


@dataclass
class Left:
    """A file after a power cut; modified: nanoseconds since 1970, None for some time of its own."""

    data: bytes
    modified: int | None


@dataclass
class Content:
    """A file's bytes and date: as a process sees them, as flushed, and which lengths it had."""

    now: bytearray = field(default_factory=bytearray)
    modified: int | None = None
    flushed: Left = field(default_factory=lambda: Left(b"", None))
    lengths: list[int] = field(default_factory=list)  # since then

    def write(self, offset: int, data: bytes) -> None:
        if len(self.now) < offset + len(data):
            self.truncate(offset + len(data))
        self.now[offset : offset + len(data)] = data
        self.modified = None

    def truncate(self, length: int) -> None:
        del self.now[length:]
        self.now.extend(bytes(length - len(self.now)))
        self.lengths.append(length)
        self.modified = None

    def flush(self) -> None:
        self.flushed = Left(bytes(self.now), self.modified)
        self.lengths = []

    def after(self, survival: Survival, dice: random.Random) -> Left:
        if survival is Survival.NOTHING:
            return self.flushed
        if survival is Survival.DATA:
            return Left(bytes(self.now), self.modified)
        data, length = self.flushed.data, len(self.now)
        if survival is Survival.NAMES:
            return Left(data[:length].ljust(length, b"\0"), self.flushed.modified)
        length = dice.choice([len(data), length, *self.lengths[-1:], *self.lengths[:1]])
        left = bytearray(data[:length].ljust(length, b"\0"))
        starts = range(0, min(length, len(self.now)), PAGE)
        for start in dice.choice([_any(starts, dice), *_halves(starts, dice)]):
            end = min(start + PAGE, length, len(self.now))
            left[start:end] = self.now[start:end]
        return Left(bytes(left), dice.choice([self.modified, self.flushed.modified]))


class Disk:
    """One folder's files by name, and what of it all has been flushed."""

    def __init__(self, before: Path) -> None:
        """With the files that are there already, flushed."""
        self._names: dict[str, Content] = {}
        self._by_inode: dict[int, Content] = {}
        self._folders: set[str] = {str(before)}
        for path in sorted(before.rglob("*")):
            if path.is_dir():
                self._folders.add(str(path))
                continue
            content = Content(bytearray(path.read_bytes()), path.stat().st_mtime_ns)
            content.flush()
            self._names[str(path)] = self._by_inode[path.stat().st_ino] = content
        # Changes of names since the last flush of their folder, in their order.
        self._flushed = dict(self._names)
        self._pending: list[tuple[str, str, Content | None]] = []

    def play(self, log: bytes) -> None:
        """All that the log says."""
        for record in records(log):
            _PLAYED[record.what](self, record)

    def _written(self, record: Record) -> None:
        if (content := self._by_inode.get(record.inode)) is not None:
            content.write(record.first, record.two)

    def _cut(self, record: Record) -> None:
        if (content := self._by_inode.get(record.inode)) is not None:
            content.truncate(record.first)

    def _dated(self, record: Record) -> None:
        if (content := self._by_inode.get(record.inode)) is not None:
            content.modified = record.first * 10**9 + record.second

    def _synced(self, record: Record) -> None:
        if record.one in self._folders:
            self._flush_names(record.one)
        elif (content := self._by_inode.get(record.inode)) is not None:
            content.flush()

    def _created(self, record: Record) -> None:
        content = self._by_inode[record.inode] = Content()
        self._set(record.two.decode(), content)

    def _linked(self, record: Record) -> None:
        self._set(record.two.decode(), self._names[record.one])

    def _renamed(self, record: Record) -> None:
        content = self._names[record.one]
        self._set(record.two.decode(), content, moved=record.one)

    def _unlinked(self, record: Record) -> None:
        self._set(record.one, None)

    def _made(self, record: Record) -> None:
        self._folders.add(record.one)  # an empty folder more or less is no matter

    def _set(self, name: str, content: Content | None, *, moved: str = "") -> None:
        for names in (name, moved):
            self._names.pop(names, None)
        if content is not None:
            self._names[name] = content
        self._pending.append((name, moved, content))

    def _flush_names(self, folder: str) -> None:
        left = []
        for change in self._pending:
            if str(Path(change[0]).parent) == folder:
                _apply(self._flushed, change)
            else:
                left.append(change)
        self._pending = left

    def after(self, survival: Survival, dice: random.Random) -> dict[str, Left]:
        """The files by name that are there when the power is back."""
        names = dict(self._flushed)
        kept = len(self._pending) if survival is Survival.NAMES else 0
        if survival is Survival.SOME:
            kept = dice.randint(0, len(self._pending))
        for change in self._pending[:kept]:
            _apply(names, change)
        contents = {id(c): c.after(survival, dice) for c in names.values()}
        return {name: contents[id(content)] for name, content in names.items()}


_PLAYED = {
    "W": Disk._written,
    "T": Disk._cut,
    "M": Disk._dated,
    "S": Disk._synced,
    "C": Disk._created,
    "L": Disk._linked,
    "R": Disk._renamed,
    "U": Disk._unlinked,
    "D": Disk._made,
}


def _any(pages: range, dice: random.Random) -> list[int]:
    return [page for page in pages if dice.random() < 0.5]


def _halves(pages: range, dice: random.Random) -> tuple[range, range]:
    """The pages before and behind any of them."""
    split = dice.randint(0, len(pages))
    return pages[:split], pages[split:]


def _apply(names: dict[str, Content], change: tuple[str, str, Content | None]) -> None:
    name, moved, content = change
    for gone in (name, moved):
        names.pop(gone, None)
    if content is not None:
        names[name] = content


def records(log: bytes) -> Iterator[Record]:
    """A log's lines; one that the end has cut short is none."""
    at = 0
    while (end := log.find(b"\n", at)) >= 0:
        what, *figures = log[at:end].split()
        call, inode, first, second, one, two = map(int, figures)
        middle = end + 1 + one
        last = middle + two
        if last > len(log):
            return
        name = log[end + 1 : middle].decode()
        yield Record(what.decode(), call, inode, first, second, name, log[middle:last])
        at = last
