"""The bulk job, step by step.

List, select, compare with what is in the folder, give names, check the room, then one object after
the other; a bad object is set aside and the rest goes on. Unless an order is asked for that only
the whole listing tells, downloads begin with its first piece, and each further piece is listed
between two of them. How one object is fetched is `transfer`'s business, what it is called
`planning`'s, what becomes of a lost connection `persistence`'s, what is shown the observer's.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ownership.folders import Held
from ..ownership.names import PART_SUFFIX
from ..ptp.errors import PTPError, SinkError, TransferError
from ..ptp.objects import ObjectInfo, ObjectTable
from ..ptp.scope import Scope, scope_of
from ..session.persistence import Persistence
from ..session.session import Session
from ..transfer.download import Download
from ..transfer.journal import Identity
from ..transfer.part import NotOurs, move_part, part_size
from ..transfer.proof import counted
from .keep.copies import on_disk_of
from .keep.listed import Listed
from .keep.manifest import Manifest
from .keep.safekeeping import Safekeeping
from .keep.sums import Sums
from .meter import Meter
from .plan.folder import Folder, check, folder_error, make
from .plan.leftovers import Leftovers
from .plan.naming import local_name
from .plan.options import Options
from .plan.planning import Job, Planner
from .plan.room import Room
from .plan.selection import LISTED
from .plan.storages import Storages
from .report.observer import Observer
from .report.report import Report
from .report.results import ALREADY_HERE, FileResult, not_had

if TYPE_CHECKING:
    from ..listing import Listing

log = logging.getLogger("ptpfast")

# Handles described between two downloads: some tenths of a second where each is a round trip.
PIECE = 64


class Run:
    """One run; `report` is true at any moment."""

    def __init__(
        self,
        session: Session,
        options: Options,
        manifest: Manifest | None,
        began: float,
    ) -> None:
        """began: when it was asked for, by `time.monotonic`."""
        self.report = Report(
            options.destination, verify=options.verify, algorithm=options.algorithm or "sha256"
        )
        self.report.selection = options.selection.words
        self._began = began
        self._session = session
        self._options = options
        self._manifest = manifest
        self._sums = Sums(manifest)
        self._observer = observer = options.observer or Observer()
        self._persistence = Persistence(session, options.retry, self._lost)
        self._safekeeping = Safekeeping(session, self._persistence, self.report, observer, options)
        self._storages = Storages(session, self._persistence, self.report)
        self._found: set[int] = set()  # handles of files
        self._listed = Listed(options.destination)
        self._listing: Listing
        self._folder: Folder
        self._planner: Planner
        self._leftovers: Leftovers
        self._held: Held | None = None
        self._room: Room
        self._is_short = False  # and that is said
        # What was decided on the word of an earlier session alone, by handle.
        self._believed: dict[int, FileResult] = {}

    def plan(self) -> Report:
        """A dry run: what would be done."""
        with self._at_the_camera():
            while (piece := self._next()) is not None:
                self._plan(piece)
        for job in self._planner.jobs:
            result = FileResult(job.info.handle, job.info, job.path, "planned", kept=job.kept)
            self._safekeeping.plan(result)
            self._finish(result)
        self._safekeeping.plan_rest()
        self._find_leftovers()
        self.report.elapsed = time.monotonic() - self._began
        return self.report

    def go(self) -> Report:
        """The run. What ends it early carries the report."""
        try:
            with self._at_the_camera():
                self._work()
                # Only now is it known whether a file that was here already is what it is to be.
                self._safekeeping.finish(self._manifest)
            self._tidy()
            self._find_leftovers()
            self._sums.complete(self.report, self._safekeeping.proven, self._observer, self._held)
            self._safekeeping.check()
            if (error := self._room.error(self._planner.count)) is not None:
                raise error
        except BaseException as error:
            error.report = self.report  # type: ignore[attr-defined]
            self._sums.save(self.report, self._held)
            self._safekeeping.tell_rest()
            raise
        finally:
            self.report.elapsed = time.monotonic() - self._began
            self._safekeeping.close()
            if self._held is not None:
                self._held.close()
        return self.report

    @contextmanager
    def _at_the_camera(self) -> Iterator[None]:
        """Begins with the listing. A camera that is busy, or lost meanwhile, is waited for, and the
        observer is told."""
        session = self._session
        before, session.link.told_busy = session.link.told_busy, self._observer.busy
        try:
            with self._persistence.for_listings(), closing(self._begin()):
                yield
        finally:
            session.link.told_busy = before

    def _begin(self) -> Listing:
        camera = self._session.device_info.body
        self._folder = Folder(self._options.destination, camera, self._options.manifest)
        self._planner = Planner(self._folder, self._options.on_conflict, self._kept)
        same_disk = on_disk_of(self._options.destination, self._options.copies)
        self._room = Room(self._folder, 1 + len(same_disk))
        self._leftovers = Leftovers(self._folder, camera)
        begin = partial(self._session.listing, progress=self._observer.listing)
        self._listing = self._persistence.run(begin)
        self._storages.follow(self._listing)
        self._safekeeping.follow(self._listing)
        if not self._listing.handles:
            self._plan(ObjectTable([]))
        return self._listing

    def _next(self) -> ObjectTable | None:
        """The next piece of the listing; all of it where its order is not the camera's."""
        size = PIECE if self._options.selection.order == LISTED else None
        return self._persistence.run(partial(self._listing.next, size))

    def _work(self) -> None:
        """A piece of the listing, an object, and so on; then the rest of the objects, and those for
        which there was no room before."""
        while True:
            if (piece := self._next()) is not None:
                self._plan(piece)
                self._keep_to_what_fits()
            elif not self._planner.jobs:
                self._room.recall(self._planner.jobs)
            if jobs := self._planner.jobs:
                if self._held is None:  # the first
                    self._make_destination()
                self._check_destination()
                self._fetch(jobs.popleft())
            elif piece is None:
                break
        for job in self._room.give_up():
            error = SinkError("there is no room for it", errno=errno.ENOSPC)
            self._leave(job, error)

    def _make_destination(self) -> None:
        make(self._options.destination)
        try:
            self._held = Held(self._options.destination)
        except OSError as error:
            raise folder_error(self._options.destination, error) from error

    def _check_destination(self) -> None:
        """SinkError when another folder, or none, has the destination's name by now."""
        if self._held is not None:
            self._held.check()

    def _plan(self, piece: ObjectTable) -> None:
        """Selects, finds what is here already, and gives a name to the rest."""
        report, selection = self.report, self._options.selection
        self._retract(piece)
        piece = self._confirmed(piece)
        self._leftovers.see(piece)
        chosen = selection.apply(piece)
        report.listed = self._listing.complete
        self._found.update(info.handle for info in piece)
        report.found = len(self._found)
        report.selected += len(chosen)
        report.undated += selection.undated(piece)
        for handle, error in piece.failures:
            reason = f"the camera cannot describe it: {error}"
            self._finish(FileResult(handle, None, None, "failed", reason, error))
        for result in self._planner.add(chosen, last=report.listed):
            self._finish(result)
            if result.object is not None and result.object.remembered:
                self._believed[result.handle] = result
        self._observer.planned(report, self._planner.count, self._planner.size)

    def _confirmed(self, piece: ObjectTable) -> ObjectTable:
        """The piece, in which what is to be fetched is as the camera describes it now: the name a
        file gets must not be an earlier session's mistake."""
        doubtful = [
            info
            for info in self._options.selection.apply(piece)
            if info.remembered and not self._planner.is_here(info)
        ]
        if not doubtful:
            return piece
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
        """Takes back what was decided on objects that are otherwise than remembered."""
        for handle in [*(info.handle for info in piece), *(handle for handle, _ in piece.failures)]:
            if (result := self._believed.pop(handle, None)) is not None:
                self.report.files.remove(result)
                self.report.selected -= 1

    def _kept(self, info: ObjectInfo, path: Path) -> int:
        """Of the bytes that an earlier run has left, those a download will go on from."""
        if not self._options.resume:
            return 0
        by = None if self._options.verify == "size" else self._options.algorithm or "sha256"
        return counted(self._session.camera, info, path, by)

    def _keep_to_what_fits(self) -> None:
        """Leaves for later what there is no room for, and says so."""
        planner = self._planner
        self._room.keep_to(planner.jobs)
        shortage = self._room.shortage(planner.jobs, planner.count, planner.size)
        if shortage is not None and (self.report.listed or not self._is_short):
            self._is_short = True
            self._observer.short(shortage)

    def _fetch(self, job: Job) -> None:
        info = job.info
        if (gone := self._storages.unavailable(info)) is not None:
            self._finish(FileResult(info.handle, info, None, "failed", gone.reason, gone.error))
            return
        meter = Meter(self._observer, info, job.kept)
        self._observer.started(info, job.path, job.kept)
        began = time.monotonic()
        result = None
        try:
            with self._listed.storing(job.path):
                transfer = self._persistence.read(
                    partial(self._download, job, meter),
                    lambda: part_size(os.fspath(job.path)),
                    job.kept,
                )
        except BaseException as error:
            if self._is_set_aside(job, error):
                self.report.bytes += meter.moved
                return
            left = self._leave(job, error)
            # What was written after the last progress is received too.
            unseen = left - meter.kept if self._options.resume else 0
            self.report.bytes += max(meter.moved, unseen)
            if not self._room.is_used_up(job, error, self._planner.jobs):
                raise
        else:
            # After a lost connection the transfer knows of its last part only.
            self.report.bytes += max(transfer.received, meter.moved)
            result = FileResult(info.handle, info, transfer.path, "downloaded")
            result.transfer = transfer
        finally:
            self.report.seconds += time.monotonic() - began
        if result is not None:
            try:
                self._listed.stored(transfer.path, transfer.sha256)
                self._safekeeping.settle(result)
            finally:
                if result.status != "failed":
                    self._sums.add(transfer.path, transfer.sha256)
                self._finish(result)

    def _is_set_aside(self, job: Job, error: BaseException) -> bool:
        """Whether the error concerns no more than the object or its storage: then the next one is
        fetched."""
        scope = self._reach(error)
        if not isinstance(error, Exception) or scope not in (Scope.OBJECT, Scope.STORAGE):
            return False
        info = job.info
        self._finish(not_had(info, error))
        if scope is Scope.STORAGE:
            self._storages.look(info)
        return True

    def _reach(self, error: BaseException) -> Scope:
        """What an error concerns. What the system says of one file it says of each where no file
        can be made at all: then it is the folder's."""
        scope = scope_of(error)
        if scope is Scope.OBJECT and isinstance(error, OSError):
            try:
                check(self._options.destination)
            except SinkError as of_folder:
                log.debug("%s", of_folder)
                return Scope.DESTINATION
        return scope

    def _download(self, job: Job, meter: Meter) -> Any:
        """One object, under another name if somebody has just taken the planned one."""
        while True:
            try:
                return Download(
                    self._session.camera,
                    job.info,
                    job.path,
                    self._options.of_download(overwrite=job.overwrite),
                    progress=meter,
                    then=self._next_objects(),
                ).run()
            except SinkError:
                self._check_destination()  # the clearer error, if it is that
                raise
            except FileExistsError as error:
                if isinstance(error, PTPError):
                    raise
                why = f"{job.path} has just been made by somebody else"
                if isinstance(error, NotOurs):
                    why = f"{error.filename} stays as it is: {error.why}"
                    self._folder.refused[Path(f"{job.path}{PART_SUFFIX}")] = error.why
                if self._options.on_conflict not in ("rename", "overwrite"):
                    raise TransferError(why) from error
                taken = job.path
                job.path = self._folder.take_free(local_name(job.info.name), job.info)
                job.overwrite = False  # nothing was asked to be replaced under that name
                # With deletion every byte must be this run's; of a moved part that is hard to tell.
                if not (isinstance(error, NotOurs) or self._safekeeping.active):
                    identity = Identity.of(self._session.device_info.body, job.info)
                    move_part(os.fspath(taken), os.fspath(job.path), identity)

    def _next_objects(self) -> list[ObjectInfo]:
        """Those that will be fetched from their beginning after this one, as many as may matter;
        none when a piece of the listing comes between, or what is done with the file."""
        if not self.report.listed or self._safekeeping.active:
            return []
        jobs = islice(self._planner.jobs, self._session.habits.depth)
        return [job.info for job in takewhile(lambda job: not job.kept, jobs)]

    def _leave(self, job: Job, error: BaseException) -> int:
        """Notes the object that was under way when the run ended, without raising again; the bytes
        that are kept of it."""
        result = FileResult(job.info.handle, job.info, job.path, "unfinished", str(error))
        result.error = error if isinstance(error, Exception) else None
        result.kept = counted(self._session.camera, job.info, job.path)
        self._finish(result)
        return result.kept

    def _lost(self, error: PTPError) -> None:
        self.report.retries += 1
        self._observer.lost(error)

    def _finish(self, result: FileResult) -> None:
        self.report.files.append(result)
        if not self._safekeeping.waits(result):
            self._observer.finished(result)

    def _find_leftovers(self) -> None:
        # What is on a card that cannot be read is not gone.
        found = [] if self.report.storages else self._leftovers.found(self.report)
        self.report.leftovers = found + self._safekeeping.leftovers()

    def _tidy(self) -> None:
        """Removes what a killed run has left beside files that are whole."""
        for result in self.report.having("skipped"):
            if result.reason == ALREADY_HERE and result.path is not None:
                self._folder.tidy(result.path)
