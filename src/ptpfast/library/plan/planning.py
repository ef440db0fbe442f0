"""Decide for each selected object: here already, fetched under which name, or skipped.

Objects arrive in download order, a few at a time, and are decided in that order. If a file in the
folder has an object's name, with or without a number, the object waits until all objects are known:
the file may belong to another one. All others are decided at once. So the decisions depend on the
card and on the folder, not on how fast the card is listed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ..report.results import ALREADY_HERE, FileResult
from .jobs import NEW, NEW_AND_FIRST, Job, Jobs
from .namer import Namer
from .resumed import Begun
from .shots import Memory, Shots

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from .folder import Found
    from .tree import Tree

KeptOf = Callable[["ObjectInfo", Path], int]
OnConflict = Literal["rename", "skip", "overwrite", "fail"]
ON_CONFLICT: tuple[OnConflict, ...] = get_args(OnConflict)


class Planner:
    """The planner of one destination.

    kept(info, path) returns how many bytes of an earlier run a download resumes from. begun: the
    part files of an earlier run, whose names may be numbered. memory: as in `Shots`.

    Attributes:
        jobs: The remaining downloads, in order.
        count: Objects planned so far.
        size: Bytes of them that are missing here.
    """

    def __init__(
        self,
        tree: Tree,
        on_conflict: str,
        kept: KeptOf,
        begun: Begun | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.jobs: Jobs = Jobs()
        self.count: int = 0
        self.size: int = 0
        self._tree = tree
        self._on_conflict = on_conflict
        self._kept = kept
        self._waiting: list[ObjectInfo] = []
        self._namer: Namer = tree.namer
        self._begun = begun
        self._shots = Shots(
            lambda info: tree.of(info).path, tree.names, tree.namer, tree.last_number, memory
        )

    def is_here(self, info: ObjectInfo) -> bool:
        """Whether there is a file of its name that is this object, by size and date."""
        return self._tree.has_copy(info)

    def add(self, chosen: Iterable[ObjectInfo], *, last: bool) -> list[FileResult]:
        """Plans some more objects, and with `last` those that had to wait for it. What is not to be
        fetched, each with its reason."""
        chosen = list(chosen)
        with self._tree.names.lock:
            self._shots.see(chosen)
        decided: list[FileResult] = []
        undecided = []
        # Exact names first: else an object could take for itself the numbered file of another.
        for info in chosen:
            if (found := self._tree.claim_first(info)) is not None:
                decided.append(self._here(info, found))
            elif not last and self._tree.concerns(info):
                self._waiting.append(info)
            else:
                undecided.append(info)
        if last:
            undecided, self._waiting = self._waiting + undecided, []
            # What is certain first, then what is likely.
            for forgiving in (False, True):
                undecided = self._claimed(undecided, decided, forgiving=forgiving)
        for info in undecided:
            decided += self._decide(info)
        return decided

    def add_new(
        self, chosen: Iterable[ObjectInfo], is_first: Callable[[ObjectInfo], bool], *, newest: bool
    ) -> list[FileResult]:
        """Plan new objects before the others; those that wait for the end of the listing stay.

        Args:
            chosen: the objects.
            is_first: whether an object comes before the other new ones.
            newest: whether new objects come before earlier new ones.
        """
        waiting, self._waiting = self._waiting, []
        before, self.jobs = self.jobs, Jobs()
        try:
            return self.add(chosen, last=True)
        finally:
            self._waiting = waiting
            new, self.jobs = self.jobs.take_all(), before
            for job in new:
                job.rank = NEW_AND_FIRST if is_first(job.info) else NEW
            self.jobs.extend(new, first=newest)

    def promote(self, handles: Collection[int], is_first: Callable[[ObjectInfo], bool]) -> None:
        """Have the jobs of these objects come first, as if they were new."""
        if not handles:
            return
        jobs = self.jobs.take_all()
        for job in jobs:
            if job.info.handle in handles:
                job.rank = NEW_AND_FIRST if is_first(job.info) else NEW
        self.jobs.extend(jobs)

    def _claimed(
        self, objects: list[ObjectInfo], decided: list[FileResult], *, forgiving: bool
    ) -> list[ObjectInfo]:
        """Move the objects whose files are here to `decided`, and return the others."""
        left = []
        for info in objects:
            found = self._tree.claim_any(info, forgiving=forgiving)
            if found is None:
                left.append(info)
            else:
                decided.append(self._here(info, found))
        return left

    def _decide(self, info: ObjectInfo) -> list[FileResult]:
        """Add a job, by `on_conflict` if its name is taken; else return the object's result."""
        with self._tree.names.lock:
            chosen = self._chosen(info)
        if isinstance(chosen, FileResult):
            return [chosen]
        path, overwrite = chosen
        self._take(info, path, overwrite=overwrite)
        return []

    def _chosen(self, info: ObjectInfo) -> tuple[Path, bool] | FileResult:
        """Return the path of an object and whether it replaces a file, or why it gets none."""
        folder, policy, name = self._tree.of(info), self._on_conflict, self._namer.name(info)
        if policy in ("rename", "overwrite") or self._namer.has_seq:
            begun = None if self._begun is None else self._begun.path_of(info)
            if begun is not None and begun.parent == folder.path:
                self._shots.suggest(info, begun)
            number = self._shots.number(info, self._is_usable)
            shared = self._namer.name(info, number)
            if folder.is_free(shared, info):
                return folder.take(shared), False
            if policy == "overwrite" and not number and folder.can_replace(name, info):
                return folder.take(name), True
            return folder.take_free(name, info), False
        if folder.is_free(name, info):
            return folder.take(name), False
        path, reason = folder.path / name, folder.what_is(name)
        if policy == "skip":
            return FileResult(info.handle, info, path, "skipped", reason)
        error = FileExistsError(errno.EEXIST, reason, str(path))
        return FileResult(info.handle, info, path, "failed", reason, error)

    def _is_usable(self, name: str, info: ObjectInfo) -> bool:
        """Whether an object can have a name that is its own or has the number of its shot."""
        folder = self._tree.of(info)
        if self._on_conflict == "overwrite" and name == self._namer.name(info):
            return folder.is_free(name, info) or folder.can_replace(name, info)
        return folder.is_free(name, info) and not folder.is_beside_another(name, info)

    def another_name(self, job: Job) -> Path:
        """Return a free name for a job whose own something else has just taken. The jobs of its
        shot that are not begun get the same number."""
        with self._tree.names.lock:
            return self._another_name(job)

    def _another_name(self, job: Job) -> Path:
        info = job.info
        others = [each for each in self.jobs if not each.there and not each.overwrite]
        siblings = (each.info for each in others)
        number = self._shots.renumber(info, job.path, siblings, self._is_unused)
        shot = self._shots.of(info)
        for each in others:
            if self._shots.of(each.info) is shot:
                each.path = self._tree.of(each.info).take(self._namer.name(each.info, number))
        return self._tree.of(info).take(self._namer.name(info, number))

    def _is_unused(self, name: str, info: ObjectInfo) -> bool:
        return self._tree.of(info).is_new(name) and self._is_usable(name, info)

    def _here(self, info: ObjectInfo, found: Found) -> FileResult:
        path, by = found
        with self._tree.names.lock:
            self._shots.is_here(info, path)
        return FileResult(info.handle, info, path, "skipped", ALREADY_HERE, known_by=by)

    def _take(self, info: ObjectInfo, path: Path, *, overwrite: bool = False) -> None:
        there = self._tree.of(info).part_size(path)
        kept = self._kept(info, path) if there else 0
        job = Job(info, path, kept, there, overwrite)
        self.jobs.append(job)
        self.count += 1
        self.size += job.missing
