"""The bulk download, step by step.

List, select, compare with the folder, give names, check the free space, then fetch one object after
the other; a bad object is set aside and the rest goes on. Unless the order needs the whole listing,
downloads begin with its first piece, and each further piece is listed between two downloads. `plan`
decides, `fetching` fetches, `session.persistence` reconnects, and the observer displays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ..session.persistence import Persistence
from .fetching import Fetching
from .keep.copies import Copies
from .keep.deletion import Deletion
from .keep.safekeeping import Safekeeping
from .keep.sums import Sums
from .plan.destination import Destination
from .plan.known import Known
from .plan.namer import CameraWords, Namer
from .plan.plan import Plan
from .plan.room import on_disk_of
from .plan.tree import Tree
from .report.observer import Observer
from .report.report import Report, attach
from .report.results import FileResult
from .report.telling import Telling

if TYPE_CHECKING:
    from ..listing import Listing
    from ..ptp.errors import PTPError
    from ..session.session import Session
    from .keep.manifest import Manifest
    from .plan.names import Names
    from .plan.options import Options


NOT_KNOWN_AGAIN = (
    "The history cannot be used, so files with names of this template are not recognised: the next "
    "run stores them again."
)
log: logging.Logger = logging.getLogger("ptpfast")


class Run:
    """One run; `report` is true at any moment."""

    def __init__(
        self,
        session: Session,
        options: Options,
        manifest: Manifest | None,
        began: float,
        names: Names | None = None,
    ) -> None:
        """began: when it was asked for, by `time.monotonic`. names: those that the cameras of the
        run have got."""
        self.report: Report = Report(
            options.destination,
            selection=options.words,
            verify=options.verify,
            algorithm=options.algorithm or "sha256",
        )
        self._began = began
        self._options = options
        address = session.link.connection.address
        self._observer = Telling(options.observer or Observer(), address)
        self._persistence = Persistence(
            session, options.retry, self._lost, self._observer.reconnecting
        )
        self._destination = Destination(options.destination)
        self._manifest = manifest
        self._sums = Sums(manifest, self._destination, self.report)
        camera = session.device_info.body
        self._known = Known.of(session, history=options.history)
        self._names = names
        self._namer = _namer(session, options)
        self._copies = Copies(options, camera, self._known, names, self._namer)
        if options.delete_verified:
            self.report.clearing.same_disk = on_disk_of(options.destination, options.copies)
        for folder in self.report.same_disk:
            log.warning("%s is on the same disk as %s", folder, options.destination)

    def plan(self) -> Report:
        """Return the report of a dry run."""
        try:
            with self._observer.of_run(self.report):
                return self._plan()
        finally:
            self._end()

    def _plan(self) -> Report:
        with self._at_the_camera() as listing:
            keeping = self._keeping(listing)
            plan = self._planned(listing, keeping)
            while plan.advance():
                pass
            plan.settle_mirrors()
        for job in plan.jobs:
            result = FileResult(job.info.handle, job.info, job.path, "planned", kept=job.kept)
            result.replaces = job.overwrite
            keeping.plan(result)
            keeping.add(result)
        keeping.plan_rest()
        self._find_leftovers(plan)
        self.report.traffic.elapsed = time.monotonic() - self._began
        return self.report

    def go(self) -> Report:
        """Run, and return the report. An error that ends the run carries the report."""
        try:
            with self._observer.of_run(self.report):
                self._go()
        except BaseException as error:
            attach(self.report, error)
            self._sums.save()
            raise
        finally:
            self.report.traffic.elapsed = time.monotonic() - self._began
            self._copies.close()
            self._destination.close()
            self._end()
        return self.report

    def _end(self) -> None:
        self._known.close()
        self.report.notes = self._known.all_notes()

    def _go(self) -> None:
        with self._at_the_camera() as listing:
            keeping = self._keeping(listing)
            with keeping.telling_rest():
                plan = self._planned(listing, keeping)
                self._fetching(plan, keeping).run()
                # Only now is it known whether each existing file has the right content.
                keeping.finish(self._manifest)
        plan.tidy()
        self._find_leftovers(plan)
        self._sums.complete(keeping.proven, self._observer)
        keeping.check()
        plan.check_room()

    @contextmanager
    def _at_the_camera(self) -> Iterator[Listing]:
        """Yield the listing; wait for a camera that is busy or lost, and tell the observer."""
        session, observer = self._persistence.session, self._observer
        if self._options.new:
            self._known.require()
        elif not self._options.dry_run:
            self._known.prepare()  # not while files arrive
        before, session.link.on_busy = session.link.on_busy, observer.busy
        if (news := self._options.news) is not None:
            begin = partial(news.begin, observer.listing)
        else:
            begin = partial(session.listing, progress=observer.listing)
        try:
            with self._persistence.for_listings(), closing(self._persistence.run(begin)) as listing:
                yield listing
        finally:
            session.link.on_busy = before

    def _planned(self, listing: Listing, keeping: Safekeeping) -> Plan:
        if self._namer.needs_record and not self._known.can_record:
            self._known.notes.append(NOT_KNOWN_AGAIN)
        return Plan(
            self._persistence,
            self._options,
            self.report,
            self._observer,
            listing,
            keeping.add,
            self._known,
            self._tree(),
        )

    def _tree(self) -> Tree:
        options, camera = self._options, self._persistence.session.device_info.body
        tree = Tree(
            options.destination,
            camera,
            options.manifest,
            self._known,
            keeps_folders=options.keep_folders,
            names=self._names,
            namer=self._namer,
        )
        tree.leave(options.copies)
        return tree

    def _keeping(self, listing: Listing) -> Safekeeping:
        deletion = self._deletion(listing) if self._options.delete_verified else None
        return Safekeeping(self._copies, deletion, self.report, self._observer)

    def _deletion(self, listing: Listing) -> Deletion:
        return Deletion(self._persistence, listing, self.report, self._options.chunk)

    def _fetching(self, plan: Plan, keeping: Safekeeping) -> Fetching:
        return Fetching(
            self._persistence,
            self._options,
            self.report,
            self._observer,
            plan,
            keeping,
            self._sums,
            self._destination,
        )

    def _find_leftovers(self, plan: Plan) -> None:
        self.report.leftovers = plan.leftovers() + self._copies.leftovers()

    def _lost(self, error: PTPError) -> None:
        self.report.traffic.retries += 1
        self._observer.lost(error)


def _namer(session: Session, options: Options) -> Namer:
    """Return what names the files of a session's camera."""
    return Namer() if options.template is None else Namer(options.template, CameraWords.of(session))
