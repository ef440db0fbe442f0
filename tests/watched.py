"""A watch of a simulated camera, and what must hold of its files."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import ptpfast
from ptpfast import FileResult, Session, Watch, WatchStatus
from ptpfast.ownership.names import DELETIONS_NAME
from ptpfast.sim import SimulatedCamera, Store
from ptpfast.watching import looking


def bytes_of(store: Store, handle: int) -> bytes:
    stored = store.get(handle)
    assert stored is not None
    return b"".join(store.expected(handle).spans(0, stored.size))


def contents(sim: SimulatedCamera) -> list[bytes]:
    """The bytes of each file on the card."""
    return [bytes_of(sim.store, stored.handle) for stored in sim.store.files()]


def take(shots: Watch, count: int) -> list[FileResult]:
    """The next downloaded files; there may be no other results."""
    taken = [next(shots) for _ in range(count)]
    assert [result.status for result in taken] == ["downloaded"] * count, taken
    return taken


def files_in(folder: Path) -> list[Path]:
    there = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in there if path.name != DELETIONS_NAME]


def assert_each_once(folder: Path, wanted: list[bytes]) -> None:
    """The folder has each of these files once, and nothing else."""
    have = Counter(path.read_bytes() for path in files_in(folder))
    assert have == Counter(wanted), f"{have.total()} files instead of {len(wanted)}"


class Statuses:
    """The statuses of a watch; `wait_for` waits for a state."""

    def __init__(self) -> None:
        self.seen: list[WatchStatus] = []
        self._changed = threading.Condition()

    def __call__(self, status: WatchStatus) -> None:
        with self._changed:
            self.seen.append(status)
            self._changed.notify_all()

    def wait_for(self, state: str, *, times: int = 1) -> None:
        def is_there() -> bool:
            return sum(status.state == state for status in self.seen) >= times

        with self._changed:
            assert self._changed.wait_for(is_there, 60), self.seen

    def wait_for_last(self, state: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.seen[-1].state == state, 60), self.seen


def start(session: Session | str, folder: Path, **options: Any) -> Watch:
    return ptpfast.watch(session, folder, **options)


def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between tries, and looks at the handles all the time."""
    monkeypatch.setattr("ptpfast.session.persistence.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("ptpfast.session.persistence.LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(looking, "LOOK_S", 0.05)
    monkeypatch.setattr(looking, "LOOK_OFTEN_S", 0.05)
