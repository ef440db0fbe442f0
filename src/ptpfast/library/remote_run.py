"""The bulk download to another computer: the steps of `run`, with a remote destination.

What differs is where names are looked up (`remote.folder`), how an object gets there
(`remote.sending`), and what happens if the destination is lost: the object is sent again.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..ptp.errors import PTPError, TransferError
from ..ptp.scope import Scope, scope_of
from .fetching import Fetching, Meter
from .plan.naming import local_name
from .remote.deletion import RemoteDeletion
from .remote.failures import TargetLost, Unsorted
from .remote.folder import RemoteDestination, RemoteFolder, RemoteTree, Strays, remote
from .remote.sending import Broken, Sending
from .remote.target import Target
from .run import Run

if TYPE_CHECKING:
    from ..listing import Listing
    from ..session.session import Session
    from ..transfer.download import Download
    from .finishing import Arrival
    from .keep.deletion import Deletion
    from .keep.safekeeping import Safekeeping
    from .plan.jobs import Job
    from .plan.names import Names
    from .plan.options import Options
    from .plan.plan import Plan
    from .plan.tree import Tree
    from .report.results import FileResult

log: logging.Logger = logging.getLogger("ptpfast")

MOST_IN_A_ROW = 3  # files that fail at the destination for unknown reasons, until it is all of them
NO_CATALOG = (
    "The history cannot be used, so files at {} are not recognised: the next run stores them again."
)


class RemoteRun(Run):
    """One run with a remote destination."""

    def __init__(
        self,
        target: Target,
        session: Session,
        options: Options,
        manifest: None,
        began: float,
        names: Names | None = None,
    ) -> None:
        super().__init__(session, options, manifest, began, names)
        self._target = target
        self._destination = RemoteDestination(target)

    def _tree(self) -> Tree:
        camera = self._persistence.session.device_info.body
        keeps = self._options.keep_folders
        tree = RemoteTree(
            self._target,
            camera,
            self._known,
            keeps=keeps,
            names=self._names,
            namer=self._namer,
        )
        if not self._known.can_record:
            self._known.notes.append(NO_CATALOG.format(self._target.place))
        return tree

    def _deletion(self, listing: Listing) -> Deletion:
        chunk = self._options.chunk
        return RemoteDeletion(self._persistence, listing, self.report, chunk, self._target)

    def _fetching(self, plan: Plan, keeping: Safekeeping) -> Fetching:
        return RemoteFetching(
            self._persistence,
            self._options,
            self.report,
            self._observer,
            plan,
            keeping,
            self._sums,
            self._destination,
            target=self._target,
        )


class RemoteFetching(Fetching):
    """The downloads of such a run."""

    def __init__(self, *given: Any, target: Target) -> None:
        super().__init__(*given)
        self._target = target
        self._sending: Sending | None = None  # of the object under way
        self._unsorted = 0  # failures in a row
        self._lost: set[int] = set()  # handles of objects whose uploads may be complete

    def _read(self, job: Job, meter: Meter) -> Download:
        """Receive an object; from the beginning if the destination was lost."""
        patience, receive = self._target.patience(), partial(self._receive_by, job, meter)
        while True:
            try:
                download = self._persistence.read(receive, self._position, 0)
            except (TargetLost, Broken) as error:
                self._drop()
                self._note_lost(job, error)
                patience.wait(error)
            except BaseException:
                self._drop()
                raise
            else:
                self._sending = None
                return download

    def _note_lost(self, job: Job, error: PTPError) -> None:
        log.info("%s: %s; sending it again", job.info.name, error.message)
        if isinstance(error, TargetLost):
            self._lost.add(job.info.handle)

    def _position(self) -> int:
        return 0 if self._sending is None else self._sending.position

    def _drop(self) -> None:
        sending, self._sending, self._current = self._sending, None, None
        if sending is not None:
            sending.abandon()

    def _receive_by(self, job: Job, meter: Meter) -> Download:
        """Receive one object, under another name if the planned name was just taken."""
        while True:
            if self._sending is None:
                self._destination.prepare(job.path.parent)
                self._sending = Sending(
                    self._session.camera,
                    job.info,
                    remote(job.path),
                    self._options.of_download(overwrite=job.overwrite),
                    self._target,
                    meter,
                    name_is_ours=job.info.handle in self._lost,
                    strays=self._strays(job),
                )
                self._current = cast("Download", self._sending)
            try:
                self._sending.receive()
            except FileExistsError as error:
                if isinstance(error, PTPError):
                    raise
                self._drop()
                self._rename(job, error)
            else:
                return cast("Download", self._sending)

    def _strays(self, job: Job) -> Strays | None:
        """Return the files that may be the object's, unless its own name is free for it."""
        name = local_name(job.info.name)
        if job.path.name == name or self._options.on_conflict != "rename":
            return None
        return Strays(cast(RemoteFolder, self._plan.tree.holding(job.path)), job.info, name)

    def _rename(self, job: Job, error: FileExistsError) -> None:
        """Give the object another name. TransferError if `on_conflict` forbids it."""
        if self._options.on_conflict not in ("rename", "overwrite"):
            raise TransferError(f"{job.path} was just created by another program") from error
        job.path = self._plan.another_name(job)
        job.overwrite = False

    def _settle(self, arrival: Arrival) -> None:
        """Record a file that has its name; send it again if the destination was lost."""
        patience = self._target.patience()
        while arrival.result is None and isinstance(error := arrival.error, TargetLost):
            if patience.is_used_up:
                break
            self._note_lost(arrival.job, error)
            patience.wait(error)
            again = self._received(arrival.job)
            if again is None:
                return
            again.finish()
            again.end(None)
            arrival = again
        super()._settle(arrival)

    def _record(self, arrival: Arrival, result: FileResult) -> None:
        self._unsorted = 0
        super()._record(arrival, result)
        stored = cast(Sending, arrival.download).stored
        if stored is not None and result.object is not None and result.status == "downloaded":
            self._plan.known.record(result.object, stored, arrival.download.transfer.sha256)

    def _reach(self, error: BaseException) -> Scope:
        """Return what an error concerns. One of unknown kind concerns all after a few in a row."""
        if isinstance(error, Unsorted):
            self._unsorted += 1
            if self._unsorted >= MOST_IN_A_ROW:
                return Scope.DESTINATION
        return scope_of(error)
