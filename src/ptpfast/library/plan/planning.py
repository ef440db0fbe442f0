"""Decide for each selected object: here already, fetched under which name, or skipped.

Objects arrive in download order, a few at a time, and are decided in that order. If a file in the
folder has an object's name, with or without a number, the object waits until all objects are known:
the file may belong to another one. All others are decided at once. So the decisions depend on the
card and on the folder, not on how fast the card is listed.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ..report.results import ALREADY_HERE, FileResult
from .naming import local_name

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from .folder import Folder

KeptOf = Callable[["ObjectInfo", Path], int]
OnConflict = Literal["rename", "skip", "overwrite", "fail"]
ON_CONFLICT: tuple[OnConflict, ...] = get_args(OnConflict)


@dataclass(slots=True)
class Job:
    """An object to fetch.

    kept: bytes of its part file that the download resumes from. there: bytes in its part file.
    """

    info: ObjectInfo
    path: Path
    kept: int = 0
    there: int = 0
    overwrite: bool = False

    @property
    def missing(self) -> int:
        """Bytes that are not here, as far as its size is known."""
        return max(0, (self.info.size or 0) - self.kept)

    @property
    def room(self) -> int:
        """Bytes that the disk must have for it, as far as its size is known."""
        return max(0, (self.info.size or 0) - self.there)


class Planner:
    """Plans for one folder. `jobs` are those still to be done, in order; `count` and `size` are of
    all there have been: objects, and the bytes missing of them. kept(info, path) says how many
    bytes of an earlier run a download goes on from."""

    def __init__(self, folder: Folder, on_conflict: str, kept: KeptOf) -> None:
        self.jobs: deque[Job] = deque()
        self.count = 0
        self.size = 0
        self._folder = folder
        self._on_conflict = on_conflict
        self._kept = kept
        self._waiting: list[ObjectInfo] = []

    def is_here(self, info: ObjectInfo) -> bool:
        """Whether there is a file of its name that is this object, by size and date."""
        return self._folder.has_copy(info, local_name(info.name))

    def add(self, chosen: Iterable[ObjectInfo], *, last: bool) -> list[FileResult]:
        """Plans some more objects, and with `last` those that had to wait for it. What is not to be
        fetched, each with its reason."""
        decided, undecided = [], []
        # Exact names first: else an object could take for itself the numbered file of another.
        for info in chosen:
            path = self._folder.claim_same_name(info, local_name(info.name))
            if path is not None:
                decided.append(FileResult(info.handle, info, path, "skipped", ALREADY_HERE))
            elif not last and self._folder.concerns(local_name(info.name)):
                self._waiting.append(info)
            else:
                undecided.append(info)
        if last:
            undecided, self._waiting = self._waiting + undecided, []
        for info in undecided:
            decided += self._decide(info, local_name(info.name))
        return decided

    def _decide(self, info: ObjectInfo, name: str) -> list[FileResult]:
        """Return a job, by `on_conflict` if its name is taken; or the result if there is none."""
        folder, policy = self._folder, self._on_conflict
        path = folder.claim_numbered(info, name)
        if path is not None:
            return [FileResult(info.handle, info, path, "skipped", ALREADY_HERE)]
        if folder.is_free(name, info):
            self._take(info, folder.take(name))
        elif policy == "overwrite" and folder.can_replace(name, info):
            self._take(info, folder.take(name), overwrite=True)
        elif policy in ("rename", "overwrite"):
            self._take(info, folder.take_free(name, info))
        else:
            path, reason = folder.path / name, folder.what_is(name)
            if policy == "skip":
                return [FileResult(info.handle, info, path, "skipped", reason)]
            error = FileExistsError(errno.EEXIST, reason, str(path))
            return [FileResult(info.handle, info, path, "failed", reason, error)]
        return []

    def _take(self, info: ObjectInfo, path: Path, *, overwrite: bool = False) -> None:
        there = self._folder.part_size(path)
        kept = self._kept(info, path) if there else 0
        job = Job(info, path, kept, there, overwrite)
        self.jobs.append(job)
        self.count += 1
        self.size += job.missing
