"""Fetch one object after the other; a bad one is set aside.

`transfer` fetches one object, `plan` names it, `finishing` gives its file the final name, `keep`
makes copies and deletes, and `session.persistence` reconnects.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from ..ownership.names import PART_SUFFIX
from ..ptp.errors import PTPError, SinkError, TransferError
from ..ptp.scope import Scope, scope_of
from ..transfer.download import Download
from ..transfer.journal import Identity
from ..transfer.part import NotOurs, another_object, move_part, part_size
from ..transfer.proof import counted
from ..transfer.ranges import GaveWay
from .finishing import Arrival, Finishing
from .keep.listed import Listed
from .plan.places import check
from .report.report import Timed
from .report.results import FileResult, failed_result

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo
    from ..session.persistence import Persistence
    from .keep.safekeeping import Safekeeping
    from .keep.sums import Sums
    from .plan.destination import Destination
    from .plan.jobs import Job
    from .plan.options import Options
    from .plan.plan import Plan
    from .report.observer import Observer
    from .report.report import Report

log: logging.Logger = logging.getLogger("ptpfast")


class Meter:
    """Count the bytes of one object beyond those that were `kept`, and pass progress on.

    Each time it calls `meanwhile`: earlier files may have been stored.
    """

    def __init__(
        self, observer: Observer, info: ObjectInfo, kept: int, meanwhile: Callable[[], object]
    ) -> None:
        self._observer = observer
        self._info = info
        self._meanwhile = meanwhile
        self.kept: int = kept
        self.moved: int = 0

    def __call__(self, received: int, size: int | None) -> None:
        if received < self.kept:  # it was restarted, not continued
            self.kept = 0
        self.moved = received - self.kept
        self._meanwhile()
        self._observer.progress(self._info, received, size)


class Fetching:
    """The downloads of a run, once its plan has begun."""

    def __init__(
        self,
        persistence: Persistence,
        options: Options,
        report: Report,
        observer: Observer,
        plan: Plan,
        keeping: Safekeeping,
        sums: Sums,
        destination: Destination,
    ) -> None:
        self._session = persistence.session
        self._persistence = persistence
        self._options = options
        self._report = report
        self._observer = observer
        self._plan = plan
        self._keeping = keeping
        self._sums = sums
        self._destination = destination
        self._listed = Listed(destination.path)
        copy = keeping.copy if keeping.copies else None
        self._finishing = Finishing(observer.storing, copy)
        self._waited_before = persistence.session.habits.waited_s
        self._current: Download | None = None  # the last one that was received, or is being

    def run(self) -> None:
        """Fetch objects, with a piece of the listing between two; last those that had no room."""
        try:
            self._fetch_all()
            self._settle_all(self._finishing.rest())
            self._give_up()
        except BaseException:
            self._end_early()
            raise
        finally:
            self._finishing.close()
            if self._current is not None:
                self._current.abandon()  # if a signal handler raised before it was in the queue
            traffic = self._report.traffic
            traffic.waited_s += self._finishing.waited_s
            traffic.round_trips_s += self._session.habits.waited_s - self._waited_before

    def _give_up(self) -> None:
        """Record the objects for which there was no room."""
        for job in self._plan.room.give_up():
            error = SinkError("there is no room for it", errno=errno.ENOSPC)
            self._keeping.add(self._unfinished(job, error))

    def _fetch_all(self) -> None:
        plan = self._plan
        while not plan.is_over():
            plan.take_news()
            # A new shot waits for no piece of the listing.
            more = not plan.jobs.has_first and plan.advance()
            if more:
                if self._finishing.is_at_work and plan.room.is_short_for(plan.jobs):
                    # Unfinished files take more room than finished ones.
                    self._settle_all(self._finishing.rest())
                plan.keep_to_what_fits()
                if self._report.listed:
                    self._look_for_room()
            elif not plan.jobs:
                # A file that waits for the disk may turn out to have had no room.
                self._settle_all(self._finishing.rest())
                plan.recall()
            if plan.jobs:
                self._destination.prepare()
                self._fetch(plan.jobs.take())
            elif not more and not plan.more():
                return

    def _look_for_room(self) -> None:
        """Say once, before the last files are fetched, which folders for copies are too small."""
        sizes = [job.info.size or 0 for job in self._plan.jobs]
        for shortage in self._keeping.shortages(sizes, self._plan.tree.root):
            self._observer.short(shortage)

    def _fetch(self, job: Job) -> None:
        info = job.info
        if (gone := self._plan.storages.unavailable(info)) is not None:
            result = FileResult(info.handle, info, None, "failed", gone.reason, gone.error)
            self._finishing.put(result)
            return
        self._observer.started(info, job.path, job.kept)
        if (arrival := self._received(job)) is not None:
            with Timed(self._report.traffic):
                self._finishing.add(arrival)
            self._settle_all(self._finishing.ready())

    def _received(self, job: Job) -> Arrival | None:
        """Receive an object. None if it was set aside."""
        meter = Meter(self._observer, job.info, job.kept, self._settle_stored)
        traffic = self._report.traffic
        self._listed.drop(job.path)
        try:
            with Timed(self._report.traffic):
                download = self._read(job, meter)
        except GaveWay:
            traffic.bytes += meter.moved
            self._plan.put_back(job)
            return None
        except BaseException as error:
            result = self._failed(job, error)
            self._finishing.put(result)
            # What was written after the last progress is received too.
            unseen = result.kept - meter.kept if self._options.resume else 0
            traffic.bytes += max(meter.moved, unseen)
            if self._ends_run(job, result, error):
                raise
            return None
        # After a lost connection the transfer knows of its last part only.
        traffic.bytes += max(download.transfer.received, meter.moved)
        return Arrival(job, download)

    def _read(self, job: Job, meter: Meter) -> Download:
        receive = partial(self._receive, job, meter)
        kept = lambda: part_size(os.fspath(job.path))  # noqa: E731
        try:
            return self._persistence.read(receive, kept, job.kept)
        except Exception as error:
            if scope_of(error) is not Scope.COMPUTER or not self._finishing.is_at_work:
                raise
            # The files in the queue are open: without them this computer may allow one more.
            self._settle_all(self._finishing.rest())
            return self._persistence.read(receive, kept, job.kept)

    def _settle_all(self, done: Iterator[Arrival | FileResult]) -> None:
        while True:
            with Timed(self._report.traffic):
                each = next(done, None)
            if each is None:
                return
            if isinstance(each, FileResult):
                self._keeping.add(each)
            else:
                self._settle(each)

    def _settle_stored(self) -> None:
        """Record what was stored while another file arrives; what needs the camera waits."""
        if self._keeping.deletes:
            return
        for each in self._finishing.stored():
            if isinstance(each, FileResult):
                self._keeping.add(each)
            elif each.result is not None:
                self._store(each, each.result)

    def _settle(self, arrival: Arrival) -> None:
        """Record a file that has its name, or deal with the error that kept it from it."""
        job, error, result = arrival.job, arrival.error, arrival.result
        if result is not None:
            if error is not None:  # of the copying thread, and not of one copy
                self._leave(arrival, result)
                raise error
            self._store(arrival, result)
        elif isinstance(error, FileExistsError) and not isinstance(error, PTPError):
            self._finish_renamed(job, error)
        else:
            error = self._clearest(error or SinkError("not stored"))
            result = self._failed(job, error)
            self._keeping.add(result)
            if self._ends_run(job, result, error):
                raise error

    def _record(self, arrival: Arrival, result: FileResult) -> None:
        """Record a file that has its name, in all places, whatever one of them raises."""
        path, sha256 = arrival.download.transfer.path, arrival.download.transfer.sha256
        try:
            if result.status != "failed":
                try:
                    self._sums.add(path, sha256)
                finally:
                    self._session.link.dialect.stored(result.handle)
        finally:
            self._plan.known.stored(result)  # before it is told: then the file may be moved
            self._keeping.add(result)

    def _store(self, arrival: Arrival, result: FileResult) -> None:
        try:
            self._listed.stored(arrival.job.path, arrival.download.transfer.sha256)
            self._keeping.settle(result)
        finally:
            self._record(arrival, result)

    def _finish_renamed(self, job: Job, error: FileExistsError) -> None:
        """Finish a received file under another name: its own was taken in the meantime."""
        self._listed.restore(job.path)
        try:
            self._rename(job, error)
        except TransferError as taken:
            self._keeping.add(failed_result(job.info, taken))
            return
        job.kept = counted(self._session.camera, job.info, job.path)
        if (arrival := self._received(job)) is not None:
            arrival.finish()
            arrival.end(self._keeping.copy)
            self._settle(arrival)

    def _end_early(self) -> None:
        """After an error: wait for the files that are already received, and record them."""
        try:
            self._record_rest()
        finally:
            # An observer may have raised, or a second Ctrl-C: what is stored by now is recorded.
            self._finishing.close()
            self._record_rest()

    def _record_rest(self) -> None:
        for each in self._finishing.rest():
            try:
                if isinstance(each, FileResult):
                    self._keeping.add(each)
                elif each.result is not None:
                    self._leave(each, each.result)
                else:
                    self._listed.restore(each.job.path)
                    error = each.error or SinkError("not stored")
                    self._keeping.add(self._unfinished(each.job, error))
            except Exception as error:  # noqa: BLE001  the error that ended the run is the one to tell
                log.debug("%s", error)

    def _leave(self, arrival: Arrival, result: FileResult) -> None:
        """Record a file whose object will not be deleted, because the run ends."""
        self._listed.stored(arrival.job.path, arrival.download.transfer.sha256)
        self._keeping.leave(result)
        self._record(arrival, result)

    def _failed(self, job: Job, error: BaseException) -> FileResult:
        """Return the result of an object that did not get its file; the error may end the run."""
        self._listed.restore(job.path)
        scope = self._reach(error)
        if not isinstance(error, Exception) or scope not in (Scope.OBJECT, Scope.STORAGE):
            return self._unfinished(job, error)
        if scope is Scope.STORAGE:
            self._plan.storages.look(job.info)
        return failed_result(job.info, error)

    def _ends_run(self, job: Job, result: FileResult, error: BaseException) -> bool:
        """Return whether the error concerns more than the object, its storage or its room."""
        is_set_aside = result.status != "unfinished"
        return not (is_set_aside or self._plan.room.is_used_up(job, error, self._plan.jobs))

    def _clearest(self, error: BaseException) -> BaseException:
        """Return the error, or what has become of the destination if that explains it."""
        if isinstance(error, SinkError):
            try:
                self._destination.check()
            except SinkError as clearer:
                clearer.__cause__ = error
                return clearer
        return error

    def _reach(self, error: BaseException) -> Scope:
        """Return what an error concerns.

        An error of one file concerns the folder if no file can be created there at all.
        """
        scope = scope_of(error)
        if scope is Scope.OBJECT and isinstance(error, OSError):
            try:
                check(self._destination.path)
            except SinkError as of_folder:
                log.debug("%s", of_folder)
                return Scope.DESTINATION
        return scope

    def _receive(self, job: Job, meter: Meter) -> Download:
        """Receive one object, under another name if the planned name was just taken."""
        while True:
            self._destination.prepare(job.path.parent)
            download = self._current = Download(
                self._session.camera,
                job.info,
                job.path,
                self._options.of_download(overwrite=job.overwrite),
                progress=meter,
                then=self._next_objects(),
            )
            self._session.camera.give_way = partial(self._plan.gives_way, job)
            try:
                download.receive()
            except SinkError as error:
                self._destination.check()  # the clearer error, if it is that
                identity = Identity.of(self._session.device_info.body, job.info)
                if (taken := another_object(error, os.fspath(job.path), identity)) is None:
                    raise
                self._rename(job, taken)
            except FileExistsError as error:
                if isinstance(error, PTPError):
                    raise
                self._rename(job, error)
            else:
                return download
            finally:
                self._session.camera.give_way = None

    def _rename(self, job: Job, error: FileExistsError) -> None:
        """Give object and part file another name. TransferError if `on_conflict` forbids it."""
        why = f"{job.path} was just created by another program"
        if isinstance(error, NotOurs):
            why = f"{error.filename} stays unchanged: {error.why}"
            folder = self._plan.tree.holding(job.path)
            folder.refused[Path(f"{job.path}{PART_SUFFIX}")] = error.why
        if self._options.on_conflict not in ("rename", "overwrite"):
            raise TransferError(why) from error
        taken = job.path
        job.path = self._plan.another_name(job)
        job.overwrite = False  # nothing was asked to be replaced under that name
        # With deletion every byte must be this run's; of a moved part that is hard to tell.
        if not (isinstance(error, NotOurs) or self._keeping.active):
            identity = Identity.of(self._session.device_info.body, job.info)
            move_part(os.fspath(taken), os.fspath(job.path), identity)

    def _next_objects(self) -> list[ObjectInfo]:
        """Return the objects to fetch next from their start; none if other work is due."""
        if not self._report.listed or self._keeping.deletes:
            return []
        jobs = islice(self._plan.jobs, self._session.camera.next_wanted)
        return [job.info for job in takewhile(lambda job: not job.kept, jobs)]

    def _unfinished(self, job: Job, error: BaseException) -> FileResult:
        """Return the result of an object under way when the run ended. Never raises."""
        result = FileResult(job.info.handle, job.info, job.path, "unfinished", str(error))
        result.error = error if isinstance(error, Exception) else None
        result.kept = counted(self._session.camera, job.info, job.path)
        return result
