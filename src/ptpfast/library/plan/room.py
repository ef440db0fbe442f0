"""The room on the disk of the destination.

A small disk is filled with whole files, in the order of the run. An object without room waits, and
smaller ones behind it come first. Waiting objects that fit at the end are fetched then. If some are
missing, the run ends with a SinkError.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...ptp.errors import SinkError
from ..report.results import Shortage
from .jobs import Jobs, on_disk
from .places import nearest

if TYPE_CHECKING:
    from .folder import Folder
    from .jobs import Job

# For journals and folders; not so much that a card would not fit a disk of just its size.
SPARE_SPACE = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT)
_NAMED = 3  # of the missing objects, in the error


def on_disk_of(destination: Path, copies: Sequence[Path]) -> list[Path]:
    """Those of the folders that are, or would be made, on the disk of the destination; as where the
    disk that was meant is not mounted."""
    if not copies:
        return []
    try:
        disk = nearest(destination).stat().st_dev
        return [folder for folder in copies if nearest(folder).stat().st_dev == disk]
    except OSError:  # the run will say what is wrong there
        return []


class Room:
    """The room in the destination. times: how often a file takes its size there, its copies on the
    same disk included."""

    def __init__(self, folder: Folder, times: int = 1) -> None:
        self._folder = folder
        self._times = times
        self._waiting: list[Job] = []
        self._missing: list[Job] = []
        self._refused = math.inf  # the disk had no room for this much, despite its free space
        self._refusal: SinkError | None = None

    def keep_to(self, jobs: Jobs) -> None:
        """Remove from `jobs` those that do not fit; they wait."""
        self._waiting += self._taken_out(jobs)

    def recall(self, jobs: Jobs) -> None:
        """Put waiting jobs back for which there is room now."""
        again, self._waiting = Jobs(self._waiting), []
        self.keep_to(again)
        jobs.extend(again.take_all())

    def give_up(self) -> list[Job]:
        """Those that still wait; they are missing."""
        given_up, self._waiting = self._waiting, []
        self._missing += given_up
        return given_up

    def is_used_up(self, job: Job, error: BaseException, jobs: Jobs) -> bool:
        """Whether the error says that the disk was full in the midst of an object of known size.
        Then no other as large is tried, and `jobs` keep to what fits."""
        size = job.info.size
        if not isinstance(error, SinkError) or error.errno not in FULL or not size:
            return False
        self._missing.append(job)
        self._refusal = self._refusal or error
        self._refused = min(self._refused, size)
        self.keep_to(jobs)
        return True

    def shortage(self, jobs: Iterable[Job], count: int, size: int) -> Shortage | None:
        """Return what is missing for `count` files of `size` bytes; None if all fit."""
        free, behind = self._folder.free_space(), [*self._waiting, *self._missing]
        if free is None or not behind:
            return None
        missing = sum(job.missing for job in behind)
        done = size - missing - sum(job.missing for job in jobs)
        fit = count - len(behind)
        return Shortage(self._folder.path, free + self._times * done, fit, count, size - missing)

    def error(self, count: int) -> SinkError | None:
        """Return the error of a run of `count` files in which some did not fit."""
        missing = self._missing
        if not missing:
            return None
        needed = f"{sum(job.missing for job in missing) / 1e6:,.1f} MB"
        names = ", ".join(job.info.name for job in missing[:_NAMED])
        more = len(missing) - _NAMED
        names += f" and {more:,} more" if more > 0 else ""
        what = "1 file needs" if len(missing) == 1 else f"{len(missing):,} files need"
        if len(missing) < count:
            what = f"{count - len(missing):,} of {count:,} files fit; {what}"
        free, number = self._folder.free_space(), errno.ENOSPC
        why = "is full" if free is None else f"has {free / 1e6:,.1f} MB free"
        if self._refusal is not None:
            number = self._refusal.errno or number
            why = "has no disk quota left for you" if number == errno.EDQUOT else "is full"
        return SinkError(
            f"{what} {needed}, and {self._folder.path} {why} (missing: {names})",
            errno=number,
            hint="make room, choose another folder, or select fewer files (--include, --since)",
        )

    def is_short_for(self, jobs: Jobs) -> bool:
        """Return whether not all of these fit."""
        return self._need(jobs) > self._left()

    def _left(self) -> float:
        free = self._folder.free_space()
        return math.inf if free is None else on_disk(free - SPARE_SPACE)

    def _taken_out(self, jobs: Jobs) -> list[Job]:
        left = self._left()
        if self._need(jobs) <= left and math.isinf(self._refused):
            return []
        kept, out = [], []
        for job in jobs.take_all():
            need = self._need(job)
            if (need <= left or not need) and (job.info.size or 0) < self._refused:
                left -= need
                kept.append(job)
            else:
                out.append(job)
        jobs.extend(kept)
        return out

    def _need(self, jobs: Job | Jobs) -> int:
        return jobs.room + (self._times - 1) * jobs.size
