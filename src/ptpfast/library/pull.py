"""`pull`: everything that is meant and not here yet, from a camera into a folder."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Unpack

from ..ownership.names import MANIFEST_NAME
from ..ptp.arguments import check_names, path, switches
from ..session.address import parse_address
from ..session.connecting import connect
from ..session.session import Session
from ..transport.timeouts import Timeouts
from .keep.manifest import Manifest
from .keep.volatile import check_lasting
from .plan.apart import check_different
from .plan.folder import check
from .plan.options import Options
from .plan.selection import Selecting, Selection
from .report.observer import Observer
from .report.report import Report
from .run import Run

OnePath = str | os.PathLike[str]

# Options that are those of `connect`.
_CONNECTING = ("timeouts", "depth", "index")


class PullOptions(Selecting, total=False):
    """The options of `pull`, whose help says what they mean. All may be left out."""

    on_conflict: str
    verify: str
    algorithm: str | None
    manifest: OnePath | bool | None
    dry_run: bool
    chunk: int | None
    resume: bool
    observer: Observer | None
    timeouts: Timeouts | None
    depth: int | None
    index: bool
    retry: int | None
    copies: OnePath | Sequence[OnePath]
    delete_verified: bool


def pull(
    session_or_address: Session | str, destination: OnePath, **options: Unpack[PullOptions]
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
    on the camera what is proven (`library.keep`); at least `verify="disk"`, no `overwrite`. Folders
    in memory are refused then (`library.keep.volatile`).
    dry_run: reports what would be done, and does nothing. observer: an `Observer`, which is told
    how the run gets on.

    A file with the name of an object (or a numbered form of it), its size and, within 2 s, its
    capture date as modification time is that object: skipped. Each file is at most one object.
    Returns the report; look at `.ok`. What is refused or arrives wrong is in it as failed. What
    ends the run is raised, with the report so far as `error.report`: NetworkError, InitFailed,
    ProtocolError, SinkError, Cancelled, KeyboardInterrupt. ValueError, TypeError: bad options.
    """
    began = time.monotonic()
    check_names("pull", options, PullOptions.__optional_keys__)
    switches(index=options.get("index", True))
    asked = Options.of(path("destination", destination), options)
    sums = _check(asked)
    connecting = {name: value for name, value in options.items() if name in _CONNECTING}
    with _session(session_or_address, asked, connecting) as session:
        run = Run(session, asked, sums, began)
        return run.plan() if asked.dry_run else run.go()


def _spelled_out() -> inspect.Signature:
    """Return the signature of `pull` with a parameter and its default for each option, for help."""
    defaults = {row.name: row.default for kind in (Selection, Options) for row in fields(kind)}
    of_connect = inspect.signature(connect).parameters
    defaults |= {name: of_connect[name].default for name in _CONNECTING}
    plain = inspect.signature(pull)
    two = list(plain.parameters.values())[:2]
    names = sorted(PullOptions.__optional_keys__, key=list(defaults).index)
    more = [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=defaults[n]) for n in names
    ]
    return plain.replace(parameters=[*two, *more])


pull.__dict__["__signature__"] = _spelled_out()


@contextmanager
def _session(
    given: Session | str, options: Options, connecting: dict[str, Any]
) -> Iterator[Session]:
    """The session given, left open; or one to the address given, closed at the end."""
    if not isinstance(given, str):
        yield given
        return
    host, port = parse_address(given)
    # Who does not want to try again does not want to wait for the first time either.
    waiting = None if options.retry == 0 else (options.observer or Observer()).waiting
    with connect(host, port=port, waiting=waiting, **connecting) as session:
        yield session


def _check(options: Options) -> Manifest | None:
    """The list of checksums as it is there, where one is to be written. ValueError, SinkError for
    folders or a list that cannot do."""
    writable = not options.dry_run
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
