"""The simulated cameras of the fuzzed sessions: the same for whoever plays and whoever checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ptpfast.sim import Store
from ptpfast.sim.store import FIRST_DATE

SIZES = (1, 11, 5_000, 12_288, 70_000, 200_000)  # of the files, in bytes


@dataclass(frozen=True)
class Body:
    """A camera: whose operations it has and how it cuts its payload."""

    vendor: str
    packet_size: int
    end_data: str
    announces_total: bool = True


BODIES = (
    Body("standard", 4096, "empty"),
    Body("standard", 65_536, "last"),
    Body("standard", 1000, "last"),
    Body("standard", 16_384, "empty", announces_total=False),
    Body("nikon", 65_536, "whole"),
    Body("nikon", 8192, "last"),
    Body("ricoh", 16_384, "whole"),
    Body("canon", 65_536, "empty"),
)


def card() -> Store:
    """The card in each of them: some files in two folders, and a picture that lies in none."""
    store = Store(seed=7)
    folders = [store.add_folder(name) for name in ("100FUZZY", "101FUZZY")]
    for number, size in enumerate(SIZES):
        tail = "JPG" if number % 3 == 0 else "NEF"
        parent = folders[number % 2] if number else 0
        moment = FIRST_DATE + number * timedelta(seconds=60)
        store.add(f"IMG_{number:04d}.{tail}", size, parent=parent, captured=moment)
    return store
