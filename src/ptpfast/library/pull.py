"""The bulk job: everything that is meant and not here yet, from a camera into a folder.

List, select, compare with what is in the folder, give names, check the room, then one object after
the other; a bad object is set aside and the rest goes on. How one object is fetched is `transfer`'s
business, what is shown meanwhile is the observer's.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..errors import PTPError, ResponseError, SinkError, TransferError
from ..handshake import Timeouts
from ..objects import ObjectInfo, ObjectTable
from ..session import Session, connect
from ..transfer.journal import part_path
from .address import parse_address
from .folder import Folder, check, make
from .manifest import Manifest
from .naming import MANIFEST_NAME, local_name
from .report import FileResult, Report
from .selection import Selection

log = logging.getLogger("ptpfast")

ON_CONFLICT = ("rename", "skip", "overwrite", "fail")
VERIFY = ("size", "hash")
ALREADY_HERE = "already here"

# For journals and folders; not so much that a card would not fit a disk of just its size.
SPARE_SPACE = 1 << 20


class Observer:
    """Is told what happens; does nothing. Override what you want to know.

    All methods are called from the thread that called `pull`; what they raise ends the run.
    """

    def listing(self, done: int, total: int) -> None:
        """`done` of `total` objects have been described."""

    def planned(self, report: Report, count: int, size: int) -> None:
        """The listing is compared: `count` objects are to be fetched, `size` bytes are missing."""

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """An object is under way to `path`; `kept` bytes of an earlier run may be of use."""

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        """`received` of its `size` bytes are here, those of an earlier run included."""

    def finished(self, result: FileResult) -> None:
        """An object is done with, one way or another."""

    def hashing(self, path: Path) -> None:
        """A file that is here already is being read for the manifest."""


def pull(
    session_or_address: Session | str,
    destination: str | os.PathLike[str],
    *,
    formats: Sequence[str] = ("all",),
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    order: str = "oldest",
    on_conflict: str = "rename",
    verify: str = "size",
    manifest: str | os.PathLike[str] | bool | None = None,
    dry_run: bool = False,
    chunk: int | None = None,
    resume: bool = True,
    observer: Observer | None = None,
    timeouts: Timeouts | None = None,
    depth: int | None = None,
) -> Report:
    """Downloads what is selected and not yet in `destination`, flat, under safe names.

    session_or_address: an open session, or `HOST[:PORT]` (then `timeouts` and `depth` apply).
    formats, include, exclude, since, until, order: see `Selection`.
    on_conflict: when a different file has the name: `rename` takes the next free number behind it,
    `skip` leaves the object, `overwrite` replaces the file, `fail` counts the object as failed.
    verify: `size`, or `hash` for a checksum of what arrives against what is on the disk.
    manifest: True for `SHA256SUMS` in the destination, or a path; implies `verify="hash"`.
    chunk: bytes a partial read; None adapts, 0 fetches whole objects. resume: continue part files.

    A file with the name of an object (or a numbered form of it), its size and, within 2 s, its
    capture date as modification time is that object: skipped. Each file is at most one object.

    Returns the report; look at `.ok`. An object that the camera refuses or that arrives wrong is in
    it as failed, and the rest goes on. What ends the run is raised, from the listing on with the
    partial report as its attribute `report`: NetworkError, InitFailed, ProtocolError, SinkError
    (the disk, or not enough room, before any byte moves), Cancelled, KeyboardInterrupt. Finished
    files and part files are then kept, and the same call continues. ValueError for senseless
    arguments.
    """
    if on_conflict not in ON_CONFLICT:
        raise ValueError(f"on_conflict is one of {', '.join(ON_CONFLICT)}, not {on_conflict!r}")
    if verify not in VERIFY:
        raise ValueError(f"verify is one of {', '.join(VERIFY)}, not {verify!r}")
    options = Options(
        Path(destination),
        Selection(tuple(formats), tuple(include), tuple(exclude), since, until, order),
        on_conflict,
        "hash" if manifest else verify,
        chunk,
        resume,
    )
    check(options.destination, writable=not dry_run)
    sums = None if dry_run else _manifest(manifest, options.destination)
    with _session(session_or_address, timeouts, depth) as session:
        run = Run(session, options, sums, observer or Observer())
        return run.plan() if dry_run else run.go()


@contextmanager
def _session(
    given: Session | str, timeouts: Timeouts | None, depth: int | None
) -> Iterator[Session]:
    """The session given, left open; or one to the address given, closed at the end."""
    if not isinstance(given, str):
        yield given
        return
    host, port = parse_address(given)
    with connect(host, port=port, timeouts=timeouts or Timeouts(), depth=depth) as session:
        yield session


def _manifest(wanted: str | os.PathLike[str] | bool | None, destination: Path) -> Manifest | None:
    if not wanted:
        return None
    path = destination / MANIFEST_NAME if wanted is True else Path(wanted)
    check(path.parent)
    return Manifest(path)


@dataclass(frozen=True)
class Options:
    """What a run was asked for."""

    destination: Path
    selection: Selection
    on_conflict: str
    verify: str
    chunk: int | None
    resume: bool


@dataclass(slots=True)
class _Job:
    """An object that is to be fetched."""

    info: ObjectInfo
    path: Path
    overwrite: bool = False


class Run:
    """One run, in the order of its methods; `report` is true at any moment."""

    def __init__(
        self, session: Session, options: Options, manifest: Manifest | None, observer: Observer
    ) -> None:
        self.report = Report(options.destination)
        self._session = session
        self._options = options
        self._manifest = manifest
        self._observer = observer
        self._jobs: list[_Job] = []
        self._folder: Folder

    def plan(self) -> Report:
        """A dry run: what would be done."""
        self._compare(self._list())
        for job in self._jobs:
            self._finish(FileResult(job.info.handle, job.info, job.path, "planned"))
        return self.report

    def go(self) -> Report:
        """The run. What ends it early carries the report."""
        try:
            self._compare(self._list())
            self._check_room()
            if self._jobs:
                make(self._options.destination)
            began = time.monotonic()
            try:
                for job in self._jobs:
                    self._fetch(job)
            finally:
                self.report.seconds = time.monotonic() - began
            self._complete_manifest()
        except BaseException as error:
            error.report = self.report  # type: ignore[attr-defined]
            self._save_manifest()
            raise
        return self.report

    def _list(self) -> list[ObjectInfo]:
        table: ObjectTable = self._session.objects(progress=self._observer.listing)
        selection = self._options.selection
        chosen = selection.apply(table)
        self.report.selected = len(chosen)
        self.report.undated = selection.undated(table)
        for handle, error in table.failures:
            reason = f"the camera cannot describe it: {error}"
            self._finish(FileResult(handle, None, None, "failed", reason, error))
        return chosen

    def _compare(self, chosen: list[ObjectInfo]) -> None:
        """Finds what is here already, and gives a name to the rest."""
        self._folder = Folder(self._options.destination)
        names = [local_name(info.name) for info in chosen]
        # Exact names first: else an object could take for itself the numbered file of another.
        here = [
            self._folder.claim_same_name(info, name)
            for info, name in zip(chosen, names, strict=True)
        ]
        for index, (info, name) in enumerate(zip(chosen, names, strict=True)):
            path = here[index] or self._folder.claim_numbered(info, name)
            if path is not None:
                self._finish(FileResult(info.handle, info, path, "skipped", ALREADY_HERE))
            else:
                self._place(info, name)
        self._observer.planned(self.report, len(self._jobs), self._missing())

    def _place(self, info: ObjectInfo, name: str) -> None:
        """Decides where an object goes that is not here, by `on_conflict` if its name is taken."""
        folder, policy = self._folder, self._options.on_conflict
        if folder.is_free(name):
            self._jobs.append(_Job(info, folder.take(name)))
        elif policy == "overwrite" and folder.can_replace(name):
            self._jobs.append(_Job(info, folder.take(name), overwrite=True))
        elif policy in ("rename", "overwrite"):
            self._jobs.append(_Job(info, folder.take_free(name)))
        else:
            path, reason = self._options.destination / name, folder.what_is(name)
            if policy == "skip":
                self._finish(FileResult(info.handle, info, path, "skipped", reason))
            else:
                error = FileExistsError(errno.EEXIST, reason, str(path))
                self._finish(FileResult(info.handle, info, path, "failed", reason, error))

    def _check_room(self) -> None:
        """SinkError before a byte moves when the objects do not fit."""
        needed = self._missing()
        free = self._folder.free_space()
        if needed and needed + SPARE_SPACE > free:
            raise SinkError(
                f"{len(self._jobs)} objects need {needed / 1e6:,.1f} MB, and "
                f"{self._options.destination} has {free / 1e6:,.1f} MB free",
                errno=errno.ENOSPC,
                hint="make room, choose another folder, or take fewer (--include, --since)",
            )

    def _missing(self) -> int:
        """Bytes that are to be fetched, as far as sizes are known."""
        return sum(max(0, (job.info.size or 0) - self._kept(job)) for job in self._jobs)

    def _kept(self, job: _Job) -> int:
        """Bytes an earlier run has left of an object."""
        return self._folder.kept_size(job.path) if self._options.resume else 0

    def _fetch(self, job: _Job) -> None:
        info = job.info
        kept = self._kept(job)
        meter = _Meter(self._observer, info, kept)
        self._observer.started(info, job.path, kept)
        try:
            transfer = self._download(job, meter)
        except (ResponseError, TransferError) as error:
            self.report.bytes += meter.moved
            self._finish(FileResult(info.handle, info, None, "failed", str(error), error))
        except BaseException as error:
            left = self._leave(job, error)
            # What was written after the last progress is received too.
            unseen = left - meter.kept if self._options.resume else 0
            self.report.bytes += max(meter.moved, unseen)
            raise
        else:
            self.report.bytes += transfer.received
            if self._manifest is not None:
                self._manifest.add(transfer.path, transfer.sha256)
            result = FileResult(info.handle, info, transfer.path, "downloaded")
            result.transfer = transfer
            self._finish(result)

    def _download(self, job: _Job, meter: _Meter) -> Any:
        """One object, under another name if somebody has just taken the planned one."""
        while True:
            try:
                return self._session.download(
                    job.info,
                    job.path,
                    resume=self._options.resume,
                    verify=self._options.verify,
                    progress=meter,
                    chunk=self._options.chunk,
                    overwrite=job.overwrite,
                )
            except FileExistsError as error:
                if isinstance(error, PTPError):
                    raise
                if self._options.on_conflict not in ("rename", "overwrite"):
                    raise TransferError(
                        f"{job.path} has just been made by somebody else"
                    ) from error
                job.path = self._folder.take_free(local_name(job.info.name))

    def _leave(self, job: _Job, error: BaseException) -> int:
        """Notes the object that was under way when the run ended, without raising again; the bytes
        that are kept of it."""
        result = FileResult(job.info.handle, job.info, job.path, "unfinished", str(error))
        result.error = error if isinstance(error, Exception) else None
        try:
            result.kept = part_path(job.path).stat().st_size
        except OSError:
            pass
        self._finish(result)
        return result.kept

    def _finish(self, result: FileResult) -> None:
        self.report.files.append(result)
        self._observer.finished(result)

    def _complete_manifest(self) -> None:
        """Adds the files that were here before and are not in it, and writes it."""
        manifest = self._manifest
        if manifest is None:
            return
        for result in self.report.having("skipped"):
            path = result.path
            if result.reason == ALREADY_HERE and path is not None and path not in manifest:
                self._observer.hashing(path)
                manifest.add(path)
        manifest.write()
        self.report.manifest = manifest.path

    def _save_manifest(self) -> None:
        """Keeps the checksums there are when a run ends early; what ended it matters more."""
        if self._manifest is None:
            return
        try:
            self._manifest.write()
            self.report.manifest = self._manifest.path
        except SinkError as error:
            log.warning("no manifest: %s", error)


class _Meter:
    """Hands on the progress of one object, and counts what it moves beyond what was `kept`."""

    def __init__(self, observer: Observer, info: ObjectInfo, kept: int) -> None:
        self._observer = observer
        self._info = info
        self.kept = kept
        self.moved = 0

    def __call__(self, received: int, size: int | None) -> None:
        if received < self.kept:  # it was not continued but begun anew
            self.kept = 0
        self.moved = received - self.kept
        self._observer.progress(self._info, received, size)
