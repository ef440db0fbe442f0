"""The objects that are still to be fetched, in order, and the room that they need.

The totals are kept while jobs come and go: a run asks for them with each piece of its listing, and
a sum over a large card each time would grow with the square of its size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo

# Ranks of jobs.
NEW_AND_FIRST, NEW, LISTED_BEFORE = range(3)
_BLOCK = 1 << 12  # files take whole ones


def on_disk(size: int) -> int:
    """Return the bytes that a file of a size takes on a disk."""
    return -(-size // _BLOCK) * _BLOCK


@dataclass(slots=True)
class Job:
    """An object to fetch.

    kept: bytes of its part file that the download resumes from. there: bytes in its part file.
    rank: jobs of a lower rank come first, and those of rank 0 give way to no other.
    """

    info: ObjectInfo
    path: Path
    kept: int = 0
    there: int = 0
    overwrite: bool = False
    rank: int = LISTED_BEFORE

    @property
    def missing(self) -> int:
        """Bytes that are not here, as far as its size is known."""
        return max(0, (self.info.size or 0) - self.kept)

    @property
    def room(self) -> int:
        """Bytes that the disk must have for it, as far as its size is known, in whole blocks."""
        return on_disk(max(0, (self.info.size or 0) - self.there))

    @property
    def size(self) -> int:
        """Bytes that one more copy of it takes, in whole blocks."""
        return on_disk(self.info.size or 0)


class Jobs:
    """Jobs, those of a lower rank first, else as they were added.

    A job must not change in `rank` or `there` while it is in here.

    Attributes:
        room: The sum of the jobs' `room`.
        size: The sum of the jobs' `size`.
    """

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self.room = 0
        self.size = 0
        self._ranks: tuple[deque[Job], ...] = (deque(), deque(), deque())
        self.extend(jobs)

    def __iter__(self) -> Iterator[Job]:
        return chain(*self._ranks)

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    def append(self, job: Job) -> None:
        """Add a job behind the others of its rank."""
        self._ranks[job.rank].append(job)
        self._count(job, 1)

    def extend(self, jobs: Iterable[Job], *, first: bool = False) -> None:
        """Add jobs behind the others of their ranks, or before them."""
        if not first:
            for job in jobs:
                self.append(job)
            return
        for job in reversed(list(jobs)):
            self._ranks[job.rank].appendleft(job)
            self._count(job, 1)

    def take(self) -> Job:
        """Remove the first job and return it. IndexError without one."""
        jobs = next((jobs for jobs in self._ranks if jobs), self._ranks[0])
        job = jobs.popleft()
        self._count(job, -1)
        return job

    def take_all(self) -> list[Job]:
        """Remove all jobs and return them in their order."""
        jobs = list(self)
        for rank in self._ranks:
            rank.clear()
        self.room = self.size = 0
        return jobs

    @property
    def has_first(self) -> bool:
        """True if there is a job that gives way to no other."""
        return bool(self._ranks[NEW_AND_FIRST])

    def new(self) -> Iterator[Job]:
        """Yield the jobs of new objects, which come before those that were listed."""
        return chain(*self._ranks[:LISTED_BEFORE])

    def _count(self, job: Job, sign: int) -> None:
        self.room += sign * job.room
        self.size += sign * job.size
