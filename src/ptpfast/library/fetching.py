"""One object after the other, each planned, fetched and kept; a bad one is set aside.

How one object is fetched is `transfer`'s business, what it is called `plan`'s, what becomes of its
file `keep`'s, and what becomes of a lost connection `session.persistence`'s.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ownership.names import PART_SUFFIX
from ..ptp.errors import PTPError, SinkError, TransferError
from ..ptp.scope import Scope, scope_of
from ..transfer.download import Download
from ..transfer.journal import Identity
from ..transfer.part import NotOurs, move_part, part_size
from ..transfer.proof import counted
from .keep.listed import Listed
from .plan.folder import check
from .plan.naming import local_name
from .report.results import FileResult, failed_result

if TYPE_CHECKING:
    from ..ptp.objects import ObjectInfo
    from ..session.persistence import Persistence
    from .keep.safekeeping import Safekeeping
    from .keep.sums import Sums
    from .plan.destination import Destination
    from .plan.options import Options
    from .plan.plan import Plan
    from .plan.planning import Job
    from .report.observer import Observer
    from .report.report import Report

log = logging.getLogger("ptpfast")


class Meter:
    """Hands on the progress of one object, and counts what it moves beyond what was `kept`."""

    def __init__(self, observer: Observer, info: ObjectInfo, kept: int) -> None:
        self._observer = observer
        self._info = info
        self.kept = kept
        self.moved = 0

    def __call__(self, received: int, size: int | None) -> None:
        if received < self.kept:  # it was restarted, not continued
            self.kept = 0
        self.moved = received - self.kept
        self._observer.progress(self._info, received, size)


class Fetching:
    """What a run does at the camera once its plan has begun."""

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

    def run(self) -> None:
        """Fetch objects, with a piece of the listing between two; last those that had no room."""
        plan = self._plan
        while True:
            if more := plan.advance():
                plan.keep_to_what_fits()
            elif not plan.jobs:
                plan.room.recall(plan.jobs)
            if plan.jobs:
                self._destination.prepare()
                self._fetch(plan.jobs.popleft())
            elif not more:
                break
        for job in plan.room.give_up():
            error = SinkError("there is no room for it", errno=errno.ENOSPC)
            self._leave(job, error)

    def _fetch(self, job: Job) -> None:
        info = job.info
        if (gone := self._plan.storages.unavailable(info)) is not None:
            self._keeping.add(
                FileResult(info.handle, info, None, "failed", gone.reason, gone.error)
            )
            return
        meter = Meter(self._observer, info, job.kept)
        self._observer.started(info, job.path, job.kept)
        began = time.monotonic()
        arrived = None
        try:
            with self._listed.storing(job.path):
                transfer = self._persistence.read(
                    partial(self._download, job, meter),
                    lambda: part_size(os.fspath(job.path)),
                    job.kept,
                )
        except BaseException as error:
            if self._is_set_aside(job, error):
                self._report.traffic.bytes += meter.moved
                return
            left = self._leave(job, error)
            # What was written after the last progress is received too.
            unseen = left - meter.kept if self._options.resume else 0
            self._report.traffic.bytes += max(meter.moved, unseen)
            if not self._plan.room.is_used_up(job, error, self._plan.jobs):
                raise
        else:
            # After a lost connection the transfer knows of its last part only.
            self._report.traffic.bytes += max(transfer.received, meter.moved)
            arrived = FileResult(info.handle, info, transfer.path, "downloaded")
            arrived.transfer = transfer
        finally:
            self._report.traffic.seconds += time.monotonic() - began
        if arrived is not None:
            try:
                self._listed.stored(transfer.path, transfer.sha256)
                self._keeping.settle(arrived)
            finally:
                if arrived.status != "failed":
                    self._sums.add(transfer.path, transfer.sha256)
                self._keeping.add(arrived)

    def _is_set_aside(self, job: Job, error: BaseException) -> bool:
        """Whether the error concerns no more than the object or its storage: then the next one is
        fetched."""
        scope = self._reach(error)
        if not isinstance(error, Exception) or scope not in (Scope.OBJECT, Scope.STORAGE):
            return False
        info = job.info
        self._keeping.add(failed_result(info, error))
        if scope is Scope.STORAGE:
            self._plan.storages.look(info)
        return True

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

    def _download(self, job: Job, meter: Meter) -> Any:
        """Fetch one object, under another name if the planned name was just taken."""
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
                self._destination.check()  # the clearer error, if it is that
                raise
            except FileExistsError as error:
                if isinstance(error, PTPError):
                    raise
                why = f"{job.path} was just created by another program"
                if isinstance(error, NotOurs):
                    why = f"{error.filename} stays as it is: {error.why}"
                    self._plan.folder.refused[Path(f"{job.path}{PART_SUFFIX}")] = error.why
                if self._options.on_conflict not in ("rename", "overwrite"):
                    raise TransferError(why) from error
                taken = job.path
                job.path = self._plan.folder.take_free(local_name(job.info.name), job.info)
                job.overwrite = False  # nothing was asked to be replaced under that name
                # With deletion every byte must be this run's; of a moved part that is hard to tell.
                if not (isinstance(error, NotOurs) or self._keeping.active):
                    identity = Identity.of(self._session.device_info.body, job.info)
                    move_part(os.fspath(taken), os.fspath(job.path), identity)

    def _next_objects(self) -> list[ObjectInfo]:
        """Those that will be fetched from their beginning after this one, as many as may matter;
        none when a piece of the listing comes between, or what is done with the file."""
        if not self._report.listed or self._keeping.active:
            return []
        jobs = islice(self._plan.jobs, self._session.habits.depth)
        return [job.info for job in takewhile(lambda job: not job.kept, jobs)]

    def _leave(self, job: Job, error: BaseException) -> int:
        """Record the object under way when the run ended, with its kept bytes. Never raises."""
        result = FileResult(job.info.handle, job.info, job.path, "unfinished", str(error))
        result.error = error if isinstance(error, Exception) else None
        result.kept = counted(self._session.camera, job.info, job.path)
        self._keeping.add(result)
        return result.kept
