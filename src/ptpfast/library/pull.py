"""`pull`: everything that is meant and not here yet, from a camera into a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from ..ownership.names import MANIFEST_NAME, is_ours_for_another_use
from ..ptp.arguments import folders, path, switches, texts
from ..session.address import parse_address
from ..session.connecting import connect
from ..session.session import Session
from ..transfer import VERIFY
from ..transport.timeouts import Timeouts
from .keep.manifest import Manifest
from .keep.volatile import check_lasting
from .plan.apart import check_different
from .plan.folder import check
from .plan.options import Options
from .plan.selection import LISTED, OneOrSeveral, Selection
from .report.observer import Observer
from .report.report import Report
from .run import Run

OnePath = str | os.PathLike[str]

RETRY = 8  # about a minute of pauses
NEEDS_SHA256 = "manifest, copies and delete_verified compare by SHA-256: no other algorithm"


def pull(
    session_or_address: Session | str,
    destination: str | os.PathLike[str],
    *,
    formats: OneOrSeveral = ("all",),
    include: OneOrSeveral | None = None,
    exclude: OneOrSeveral = (),
    since: date | None = None,
    until: date | None = None,
    order: str = LISTED,
    on_conflict: str = "rename",
    verify: str = "size",
    algorithm: str | None = None,
    manifest: str | os.PathLike[str] | bool | None = None,
    dry_run: bool = False,
    chunk: int | None = None,
    resume: bool = True,
    observer: Observer | None = None,
    timeouts: Timeouts | None = None,
    depth: int | None = None,
    index: bool = True,
    retry: int | None = RETRY,
    copies: OnePath | Sequence[OnePath] = (),
    delete_verified: bool = False,
) -> Report:
    """Downloads what is selected and not yet in `destination`, flat, under safe names.

    session_or_address: an open session, or `HOST[:PORT]`, for which `timeouts`, `depth` and `index`
    are as in `connect`. formats, include, exclude, since, until, order: see `Selection`; one value
    alone will do. An empty `include` is refused. Downloads begin with the first objects described.
    on_conflict: when a different file has the name: `rename` takes the next free number behind it,
    `skip` leaves the object, `overwrite` replaces the file, `fail` counts the object as failed.
    verify, algorithm, chunk, resume: see `Session.download`; what implies a verify needs `sha256`.
    manifest: True for `SHA256SUMS` in the destination, or a path; implies at least `verify="hash"`.
    retry: how often in a row to connect again, with growing pauses, after the connection was lost
    and nothing has come since; then the object goes on where it was. 0 never, None without end.
    copies: further folders that get every file; at least `verify="hash"`. delete_verified: deletes
    on the camera what is proven (`library.keep`); at least `verify="disk"`, no `overwrite`.
    Folders in memory are refused then (`library.keep.volatile`).

    A file with the name of an object (or a numbered form of it), its size and, within 2 s, its
    capture date as modification time is that object: skipped. Each file is at most one object.
    Returns the report; look at `.ok`. What is refused or arrives wrong is in it as failed. What
    ends the run is raised, with the report so far as `error.report`: NetworkError, InitFailed,
    ProtocolError, SinkError, Cancelled, KeyboardInterrupt. ValueError, TypeError: bad options.
    """
    began = time.monotonic()
    switches(dry_run=dry_run, resume=resume, index=index, delete_verified=delete_verified)
    to, more = path("destination", destination), folders("copies", copies)
    take = Selection(formats, _meant(include), exclude, since, until, order)
    least = "disk" if delete_verified else "hash" if manifest or more else ""
    verify = _verification(least, verify, algorithm)
    file = _manifest(manifest, to)
    options = Options(
        to, take, on_conflict, verify, algorithm, chunk, resume, retry, more, delete_verified, file
    )
    sums = _check(options, writable=not dry_run)
    with _session(session_or_address, timeouts, depth, index, options, observer) as session:
        run = Run(session, options, sums, observer or Observer(), began)
        return run.plan() if dry_run else run.go()


@contextmanager
def _session(
    given: Session | str,
    timeouts: Timeouts | None,
    depth: int | None,
    index: bool,
    options: Options,
    observer: Observer | None,
) -> Iterator[Session]:
    """The session given, left open; or one to the address given, closed at the end."""
    if not isinstance(given, str):
        yield given
        return
    host, port = parse_address(given)
    # Who does not want to try again does not want to wait for the first time either.
    waiting = None if options.retry == 0 else (observer or Observer()).waiting
    with connect(
        host, port=port, timeouts=timeouts, depth=depth, index=index, waiting=waiting
    ) as session:
        yield session


def _verification(least: str, verify: str, algorithm: str | None) -> str:
    """How much is verified: `verify`, or `least` where that is more ('' is less than all).
    ValueError where who asks for the least needs another algorithm."""
    if least and algorithm not in (None, "sha256"):
        raise ValueError(NEEDS_SHA256)
    least = least or ("hash" if algorithm else "size")
    return least if verify in VERIFY[: VERIFY.index(least)] else verify


def _check(options: Options, *, writable: bool) -> Manifest | None:
    """The list of checksums as it is there, where one is to be written. ValueError, SinkError for
    folders or a list that cannot do."""
    check_different(options.destination, options.copies, mark=writable)
    for folder in (options.destination, *options.copies):
        check(folder, writable=writable)
        if options.delete_verified:
            check_lasting(folder)
    if not writable or options.manifest is None:
        return None
    check(options.manifest.parent)
    is_usual = options.manifest == options.destination / MANIFEST_NAME
    sums = Manifest(options.manifest, later=is_usual)
    if not is_usual:  # else no picture waits for it: the run tells at its end
        sums.check()
    return sums


def _meant(include: OneOrSeveral | None) -> tuple[str, ...]:
    """The globs of `include`, none for everything. ValueError for a list of none: whoever has
    worked out what to take, and that there is nothing, does not want everything."""
    if include is None:
        return ()
    globs = texts("include", include)
    if not globs:
        raise ValueError("include is empty; leave it out to take everything")
    return globs


def _manifest(wanted: OnePath | bool | None, destination: Path) -> Path | None:
    """The list of checksums that is meant. ValueError for the name of another file of ours."""
    if wanted is None or wanted is False:
        return None
    if wanted is True:
        return destination / MANIFEST_NAME
    file = path("manifest", wanted)
    if is_ours_for_another_use(file.name):
        raise ValueError(f"manifest cannot be {file}: ptpfast gives that name to another file")
    return file
