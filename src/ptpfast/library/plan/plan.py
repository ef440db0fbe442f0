"""The plan of a run, which grows as the camera's objects are listed.

It lists, selects, compares with the folder, gives names and checks the room. `planning` chooses
names, and `room` checks the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ...ptp.errors import NetworkError
from ...ptp.objects import ObjectTable
from ...transfer.part import part_size
from ...transfer.proof import counted
from ..report.results import ALREADY_HERE, FETCHED_BEFORE, FileResult
from .jobs import NEW_AND_FIRST, Job, Jobs
from .leftovers import Leftovers
from .mirrors import Mirrors
from .news import MOST
from .picking import Picker
from .planning import Planner
from .resumed import Begun
from .room import Room, on_disk_of
from .selection import LISTED
from .storages import Storages

if TYPE_CHECKING:
    from pathlib import Path

    from ...listing import Listing
    from ...ptp.objects import ObjectInfo
    from ...session.persistence import Persistence
    from ..report.observer import Observer
    from ..report.report import Report
    from ..report.results import Leftover
    from .known import Known
    from .options import Options
    from .tree import Tree

# Results of objects whose files were here before.
_SAFE = {("skipped", ALREADY_HERE), ("skipped", FETCHED_BEFORE)}
UNDATED = "Files whose date the camera does not tell have 'undated' in their names or folders."
# Handles described between two downloads: some tenths of a second where each is a round trip.
PIECE = 64
# Tries to reach a camera that has probably switched off: a quarter of a minute of pauses.
GONE_TRIES = 5


class Plan:
    """The plan of a run. finish(result) is called for each object that is not to be fetched."""

    def __init__(
        self,
        persistence: Persistence,
        options: Options,
        report: Report,
        observer: Observer,
        listing: Listing,
        finish: Callable[[FileResult], object],
        known: Known,
        tree: Tree,
    ) -> None:
        """tree: the folders of the destination."""
        session = persistence.session
        camera = session.device_info.body
        self._persistence = persistence
        self._options = options
        self._report = report
        self._observer = observer
        self._listing = listing
        self._finish = finish
        self.known = known
        self.tree: Tree = tree
        self.storages: Storages = Storages(persistence, listing, report.card, options.selection)
        places = 1 + len(on_disk_of(options.destination, options.copies))
        self.room: Room = Room(self.tree.root, places)
        begun = Begun(tree, camera)
        memory = None if options.news is None else options.news.shots
        self._planner = Planner(self.tree, options.on_conflict, self._kept, begun, memory)
        self._mirrors = Mirrors(persistence)
        self._picker = Picker(options.selection)
        self._marked = self._handles_marked()
        self._leftovers = Leftovers(self.tree, camera)
        self._found: set[int] = set()  # handles of files
        # What was decided on the word of an earlier session alone, by handle.
        self._believed: dict[int, FileResult] = {}
        self._fetched: set[int] = set()  # of the piece: remembered, and fetched by an earlier run
        self._is_short = False  # and that is said
        self._last: ObjectInfo | None = None  # of those that were listed
        if not listing.handles:
            self._add(ObjectTable([]))

    def _handles_marked(self) -> set[int] | None:
        """Return the objects that are marked on the camera; None if all are meant."""
        if not self._options.marked:
            return None
        return set(self._persistence.run(self._persistence.session.marked))

    @property
    def jobs(self) -> Jobs:
        """The objects still to be fetched, in order."""
        return self._planner.jobs

    def advance(self) -> bool:
        """Plans the next piece of the listing; all of it where its order is not the camera's. False
        when there is none."""
        selection = self._options.selection
        size = PIECE if selection.order == LISTED and not selection.counts else None
        piece = self._persistence.run(partial(self._listing.next, size))
        if piece is None:
            return False
        self._add(piece)
        return True

    def is_over(self) -> bool:
        """Return whether the listing no longer holds; what is left of it is listed again."""
        news = self._options.news
        return news is not None and news.is_over()

    def gives_way(self, job: Job) -> bool:
        """Return whether a job must pause, because new objects come first."""
        news = self._options.news
        return news is not None and job.rank != NEW_AND_FIRST and news.waiting()

    def take_news(self) -> None:
        """Plan the objects that the camera has reported since, before all others."""
        news = self._options.news
        if news is None or (news.bite is not None and self.jobs.has_first):
            return  # those come first, and the camera is asked for the others later
        if not (handles := news.take()):
            return
        self._planner.promote(self._found.intersection(handles), news.is_first)
        # The others of those are done: a handle has one object in a session.
        if new := [handle for handle in handles if handle not in self._found]:
            self._add(self._persistence.run(partial(self._listing.ahead, new)), is_new=True)
        taken = set(handles)
        for job in [job for job in self.jobs.new() if job.info.handle in taken]:
            news.show(job.info, job.path)

    def put_back(self, job: Job) -> None:
        """Have a job come again, whose download has given way to a new object."""
        job.there = part_size(os.fspath(job.path))
        job.kept = self._kept(job.info, job.path) if job.there else 0
        self.jobs.extend([job], first=True)

    def more(self) -> bool:
        """Return whether the camera offers further objects, now that all listed ones are settled.

        A camera that sends what its owner chooses offers one after the other.
        """
        taken = {
            result.handle
            for result in self._report.files
            if result.status == "downloaded" or (result.status, result.reason) in _SAFE
        }
        if self._is_offered_more(taken):
            return True
        news = self._options.news
        if news is not None and len(self._report.files) < MOST and news.waiting():
            return True
        self._tell_if_stuck(taken)
        return False

    def _is_offered_more(self, taken: set[int]) -> bool:
        """Return whether the camera offers more. One that is gone after what may have been its last
        object is looked for briefly: most have switched off."""
        dialect = self._persistence.session.link.dialect
        most = lambda: GONE_TRIES if dialect.may_be_over else None  # noqa: E731
        try:
            if self._persistence.run(partial(self._listing.more, taken), most=most):
                return True
        except NetworkError:
            if not dialect.may_be_over:
                raise
        if words := dialect.may_be_over:
            self._report.presumed_over = True
            self.known.notes.append(words)
        return False

    def _tell_if_stuck(self, taken: set[int]) -> None:
        """Say which object the camera still offers, if that was neither fetched nor has failed."""
        offered = self._last
        if offered is None or not self._persistence.session.link.dialect.offers_one:
            return
        failed = {each.handle for each in self._report.files if each.status != "skipped"}
        if offered.handle not in taken | failed:
            self.known.notes.append(
                f"The camera offers {offered.name}, which was not wanted, and no other file until "
                "this one was fetched. Files behind it may be waiting."
            )

    def _add(self, piece: ObjectTable, *, is_new: bool = False) -> None:
        """Select objects, find the files that are here, and name the rest."""
        card, selection, news = self._report.card, self._options.selection, self._options.news
        self._retract(piece)
        self._fetched.clear()
        piece = self._confirmed(piece)
        self._leftovers.see(piece)
        card.listed = self._listing.complete
        meant = self._meant(piece)
        matching = selection.matching(meant)
        if news is not None:
            matching = [info for info in matching if news.wants(info)]
        self._picker.forget(info.handle for info in piece)
        self._picker.forget(handle for handle, _ in piece.failures)
        chosen = self._picker.take(matching, last=card.listed)
        self._last = piece[-1] if len(piece) else self._last
        self._found.update(info.handle for info in piece)
        card.found = len(self._found)
        card.selected += len(chosen)
        card.undated += selection.undated(meant)
        card.unsized += selection.unsized(meant)
        card.unrated += selection.unrated(meant)
        card.unpreferred = self._picker.left_out if card.listed else 0
        for handle, error in piece.failures:
            if news is not None and news.postpone(handle):
                continue
            reason = f"the camera cannot describe it: {error}"
            self._finish(FileResult(handle, None, None, "failed", reason, error))
        self.known.see(piece, self._listing.storage_ids)
        chosen = self._mirrors.sort_out(chosen)
        decided = self._fetched_before(chosen) if self._options.new else []
        chosen = [info for info in chosen if info.handle not in {each.handle for each in decided}]
        self._plan(chosen, decided, is_new=is_new)

    def _plan(
        self, chosen: list[ObjectInfo], decided: list[FileResult], *, is_new: bool = False
    ) -> None:
        if is_new and (news := self._options.news) is not None:
            newest = self._options.selection.order == "newest"
            planned = self._planner.add_new(chosen, news.is_first, newest=newest)
        else:
            planned = self._planner.add(chosen, last=self._report.listed)
        if UNDATED not in self.known.notes and any(map(self.tree.namer.is_undated, chosen)):
            self.known.notes.append(UNDATED)
        for result in [*decided, *planned]:
            self._finish(result)
            if result.object is not None and result.object.remembered:
                self._believed[result.handle] = result
        self._observer.planned(self._report, self._planner.count, self._planner.size)

    def _fetched_before(self, chosen: list[ObjectInfo]) -> list[FileResult]:
        """Return the results of the objects that an earlier run has fetched."""
        return [
            FileResult(info.handle, info, None, "skipped", FETCHED_BEFORE)
            for info in chosen
            if info.handle in self._fetched or self.known.was_fetched(info)
        ]

    def _confirmed(self, piece: ObjectTable) -> ObjectTable:
        """Return the piece with the objects to fetch as the camera describes them now.

        The name of a file must not be an error of an earlier session.
        """
        while doubtful := [
            info
            for info in self._options.selection.apply(self._meant(piece))
            if info.remembered and not self._is_here(info)
        ]:
            piece = self._confirm(piece, doubtful)
        return piece

    def _meant(self, piece: ObjectTable) -> list[ObjectInfo]:
        """Return the objects of a piece, with `marked` only those."""
        return [info for info in piece if self._marked is None or info.handle in self._marked]

    def _is_here(self, info: ObjectInfo) -> bool:
        """Return whether an object from the index is not to be fetched, so that no name hangs on
        it."""
        if info.handle in self._fetched or self._planner.is_here(info):
            return True
        if self._options.new and self.known.was_fetched(info):
            self._fetched.add(info.handle)  # which is asked for again soon
            return True
        return False

    def _confirm(self, piece: ObjectTable, doubtful: list[ObjectInfo]) -> ObjectTable:
        confirm = partial(self._listing.confirm, doubtful, self._observer.confirming)
        now = self._persistence.run(confirm)
        objects: dict[int, ObjectInfo | None] = {info.handle: info for info in piece}
        objects.update((info.handle, None) for info in doubtful)
        objects.update((info.handle, info) for info in now)
        return ObjectTable(
            [info for info in objects.values() if info is not None],
            [*piece.failures, *now.failures],
        )

    def _retract(self, piece: ObjectTable) -> None:
        """Retract decisions on objects that differ from the index.

        Also release the file names that such objects were to have. When an object is described
        again, it turns out whether the file is its own or another object's.
        """
        described = {info.handle for info in piece}
        for handle in [*described, *(handle for handle, _ in piece.failures)]:
            if (result := self._believed.pop(handle, None)) is not None:
                self._report.files.remove(result)
                self._report.card.selected -= 1
                if handle in described and result.path and result.reason == ALREADY_HERE:
                    self.tree.holding(result.path).release(result.path.name)

    def _kept(self, info: ObjectInfo, path: Path) -> int:
        """Of the bytes that an earlier run has left, those a download will go on from."""
        if not self._options.resume:
            return 0
        return counted(self._persistence.session.camera, info, path)

    def recall(self) -> None:
        """When there are no jobs left: add those for which there is room by now, and the objects on
        a mirrored card whose twins failed."""
        self.room.recall(self.jobs)
        if not self.jobs:
            self.settle_mirrors()

    def settle_mirrors(self) -> None:
        """Decide about the objects on mirrored cards."""
        left, needed = self._mirrors.settle(self._report.files)
        if left or needed:
            self._plan(needed, left)

    def another_name(self, job: Job) -> Path:
        """Return another name for a job whose own something else has just taken."""
        return self._planner.another_name(job)

    def keep_to_what_fits(self) -> None:
        """Leaves for later what there is no room for, and says so."""
        planner = self._planner
        self.room.keep_to(planner.jobs)
        if self._is_short and not self._report.listed:
            return
        shortage = self.room.shortage(planner.jobs, planner.count, planner.size)
        if shortage is not None:
            self._is_short = True
            self._observer.short(shortage)

    def check_room(self) -> None:
        """SinkError when some objects were left out because there was no room."""
        if (error := self.room.error(self._planner.count)) is not None:
            raise error

    def leftovers(self) -> list[Leftover]:
        """Part files that stay. What is on a card that cannot be read is not gone."""
        return [] if self._report.storages else self._leftovers.found(self._report)

    def tidy(self) -> None:
        """Delete what a killed run has left beside complete files."""
        for result in self._report.having("skipped"):
            if result.reason == ALREADY_HERE and result.path is not None:
                self.tree.holding(result.path).tidy(result.path)
