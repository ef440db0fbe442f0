"""`pull`: download the selected objects that are not in a folder yet."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ..ownership.names import MANIFEST_NAME
from ..ptp.arguments import check_names, path_of, switches
from ..ptp.codes import DEFAULT_PORT
from ..ptp.errors import ConnectFailed, NetworkError
from ..session.address import address_of, are_swapped
from ..session.connecting import connect
from ..session.persistence import patience_of
from ..session.session import Session
from ..trace import Trace, held, opened
from ..transfer import Algorithm, Verify
from ..transport.timeouts import Timeouts
from .ending import Ending, Guide
from .keep.manifest import Manifest
from .keep.volatile import check_lasting
from .limits import limited, within
from .plan.apart import check_different
from .plan.options import Options
from .plan.places import check, check_readable
from .plan.planning import OnConflict
from .plan.selection import Choosing, Selection
from .remote.place import is_url, local_folder
from .report.observer import Observer
from .report.report import Report
from .run import Run
from .several import Camera, Several

if TYPE_CHECKING:
    from .remote.target import Target

OnePath = str | os.PathLike[str]

# Options that are those of `connect`.
CONNECTING = ("port", "timeouts", "depth", "index", "trace")


class PullOptions(Choosing, total=False):
    """The options of `pull`, for type checkers and wrappers. All may be left out; `help(pull)` says
    what they mean."""

    on_conflict: OnConflict
    verify: Verify
    algorithm: Algorithm | None
    manifest: OnePath | bool | None
    dry_run: bool
    chunk: int | None
    resume: bool
    observer: Observer | None
    port: int | None
    timeouts: Timeouts | None
    depth: int | None
    index: bool
    trace: OnePath | Trace | None
    retry: int | None
    copies: OnePath | Sequence[OnePath]
    delete_verified: bool
    new: bool
    history: bool
    keep_folders: bool
    marked: bool
    template: str | None
    storage_options: Mapping[str, Any] | None
    bwlimit: str | int | None
    max_duration: float | None


def pull(
    cameras: Session | str | Sequence[Session | str],
    destination: OnePath,
    **options: Unpack[PullOptions],
) -> Report:
    """Download the selected objects that are not in a folder yet.

    The files get names that are safe everywhere. An object whose file is here is skipped: the
    history knows the file as the object's; or the history does not know the file, and name (or a
    numbered one), size and capture time match, apart from whole quarter hours. A file counts once.

    Args:
        cameras: an open session or `HOST[:PORT]`, or a list of several, which are read at the same
            time.
        destination: the folder, made if need be; or the URL of one for fsspec (`s3://bucket/folder`).
        formats, include, exclude, folder, since, until: what is selected; see `Selection`.
        min_size, max_size, protected, rating, storage: what is selected, too.
        prefer, first, last: what of this is taken: of a pair `raw`, `jpeg` or `both` (default); the
            oldest or newest files, so many, for which the whole card is listed first.
        marked: take only what the camera's owner has marked for transfer (`Session.marked`).
        order: `listed` (default), `oldest` or `newest` first.
        on_conflict: what to do when a different file has the name. `rename` (default) takes the
            next free number, `skip` leaves the object, `overwrite` replaces the file, `fail` counts
            the object as failed.
        verify, algorithm, chunk, resume: as in `Session.download`.
        manifest: True for `SHA256SUMS` in the destination, or the path of a list of checksums.
            Implies at least `verify="hash"`, with `sha256`.
        dry_run: report what would be done, and change nothing.
        observer: an `Observer`, whose methods are called during the run.
        port, timeouts, depth, index, trace: as in `connect`, for an address.
        retry: reconnects in a row without a byte before giving up (default 8); None: no limit.
        copies: further folders that get every file. Implies `verify="hash"` with `sha256`.
        delete_verified: delete an object on the camera when its file and all copies are proven.
            Implies at least `verify="disk"`, with `sha256`; refused with `overwrite` and with
            folders in memory.
        new: take only objects that were never fetched from this body, wherever their files went.
        history: whether to use and update the history of downloads on this computer.
        keep_folders: keep the card's folders below `destination`, instead of no subfolders. Files
            that the history knows there from runs with the other setting count as here.
        template: names the files: `{date}/{time}_{name}` (see docs/choosing-and-naming.md).
        storage_options: arguments for the filesystem of a URL, such as `key` and `secret`.
        bwlimit: bytes per second of all cameras together, or `2M`, or `08:00,2M 18:00,off`.
        max_duration: seconds after which the run ends in order (`Report.out_of_time`).

    Returns:
        A `Report`; look at `.ok`. Objects that are refused or arrive wrong are in it as failed.
        With several cameras it is the sum of all, and `.cameras` has the part of each.

    Raises:
        NetworkError, InitFailed, ProtocolError: the connection stays lost, is refused, or broken.
        SinkError: the destination failed, or `new` has no history.
        Cancelled, KeyboardInterrupt: the run was stopped.
        ValueError, TypeError, ImportError: an option is wrong, or needs a package; it is named.

    Notes:
        What ends a run that has begun carries the report so far as `error.report`. What ends one of
        several cameras is raised when the others are done; `error.report.cameras` has all errors.
    """
    return prepared("pull", cameras, destination, options, time.monotonic())()


def prepared(
    name: str,
    cameras: Session | str | Sequence[Session | str],
    destination: OnePath,
    options: PullOptions,
    began: float,
    guide: Guide | None = None,
) -> Callable[[], Report]:
    """Check all arguments of the function `name`, and return what runs. ValueError, TypeError."""
    check_names(name, options, PullOptions.__optional_keys__)
    switches(index=options.get("index", True))
    several = cameras if isinstance(cameras, list | tuple) else None
    for camera in (cameras,) if several is None else several:
        check_camera(camera, destination, options)
    target, place = target_of(destination, options.get("storage_options"))
    asked = Options.of(place, options)
    sums, make_run = None, remote_run(target, asked) if target is not None else Run
    if target is None:
        sums = check_folders(asked)
    connecting = {name: value for name, value in options.items() if name in CONNECTING}
    if several is not None and connecting.get("trace") is not None:
        connecting["trace"] = opened(connecting["trace"])  # one for all of them
    guide = guide or Guide()
    if several is not None:
        each = _each_camera(several, asked, connecting)
        work = within(guide.ending, asked, Several(each, asked, sums, guide, make_run).run)
        return closing_target(target, work)
    assert isinstance(cameras, Session | str)
    asked = replace(asked, observer=guide.observer(asked.observer or Observer(), ""))
    run = partial(make_run, options=asked, manifest=sums, began=began)
    work = partial(_run_one, cameras, asked, connecting, run, guide.ending)
    return closing_target(target, within(guide.ending, asked, work))


def _run_one(
    camera: Session | str,
    options: Options,
    connecting: dict[str, Any],
    make_run: Callable[..., Run],
    ending: Ending,
) -> Report:
    with (
        ending.interrupts_pauses(),
        _session(camera, options, connecting) as session,
        ending.interrupts(session),
        limited(session, options.bwlimit),
    ):
        run = make_run(session)
        return run.plan() if options.dry_run else run.go()


def _each_camera(
    given: Sequence[Session | str], options: Options, connecting: dict[str, Any]
) -> list[Camera]:
    """Return the cameras, each with its address as its name. ValueError."""

    def connect(each: Session | str, observer: Observer) -> AbstractContextManager[Session]:
        return _session(each, replace(options, observer=observer), connecting)

    named = named_cameras(given, connecting.get("port"))
    return [Camera(name, partial(connect, each)) for name, each in named.items()]


def named_cameras(given: Sequence[Session | str], port: int | None) -> dict[str, Session | str]:
    """Return the cameras by name: the address, without the usual port. ValueError."""
    found: dict[str, Session | str] = {}
    for each in given:
        if isinstance(each, Session):
            address = each.link.connection.address
        else:
            address = address_of(each, port)
        name = address.host if address.port == DEFAULT_PORT else str(address)
        if name in found:
            raise ValueError(f"the camera {name} is given twice")
        found[name] = each
    if not found:
        raise ValueError("give at least one camera")
    return found


def check_camera(given: Any, destination: Any, options: Mapping[str, Any]) -> None:
    """TypeError, ValueError unless the camera is a session or an address, and comes first."""
    if isinstance(given, Session):
        for name in ("port", "timeouts", "depth", "trace"):
            if options.get(name) is not None:
                raise ValueError(f"{name} is an option of connect: the session is open already")
        return
    if isinstance(given, os.PathLike):
        raise TypeError(f"{given!r:.60} is a path: the camera comes first, then the folder")
    if not isinstance(given, str):
        raise TypeError(f"the camera is a Session or an address, not {given!r:.60}")
    if are_swapped(given, destination):
        raise ValueError(
            f"{given!r} is a folder and {str(destination)!r} an address: "
            "the camera comes first, then the folder"
        )
    address_of(given, options.get("port"))


def target_of(destination: OnePath, given: Mapping[str, Any] | None) -> tuple[Target | None, Path]:
    """Return a destination on another computer, None for a folder of this one; and its folder.

    Args:
        destination: the folder or URL.
        given: arguments for the filesystem of a URL.
    """
    local = local_folder(destination)
    if not is_url(local):
        if given is not None:
            raise ValueError("storage_options are for a URL: leave them out with a folder")
        return None, path_of("destination", local)
    if given is not None and not isinstance(given, Mapping):
        raise TypeError(f"storage_options takes a mapping, not {given!r:.60}")
    from .remote.target import Target  # nothing of it is loaded for a folder

    target = Target(str(local), given)
    return target, target.path


def _check_remote(options: Options, target: Target) -> None:
    """Check the options of a run to another computer. ValueError, SinkError."""
    for name in ("copies", "manifest"):
        if getattr(options, name):
            raise ValueError(f"{name} needs a folder of this computer: leave it out with a URL")
    if not options.history:
        raise ValueError("files at a URL are known by the history only: leave history=False out")
    target.limit_tries(options.retry)
    if options.delete_verified:
        target.check_lasting()


def remote_run(target: Target, options: Options) -> Callable[..., Run]:
    """Return what makes a run to another computer. ValueError, SinkError for its options."""
    _check_remote(options, target)
    from .remote_run import RemoteRun

    return partial(RemoteRun, target)


def closing_target(target: Target | None, run: Callable[[], Report]) -> Callable[[], Report]:
    """Return what runs, and then closes the connections to the destination."""
    if target is None:
        return run

    def run_and_close() -> Report:
        with closing(target):
            return run()

    return run_and_close


def spell_out(function: Callable[..., Any]) -> None:
    """Show a parameter for each option of `pull` in the help of a function."""
    defaults = {row.name: row.default for kind in (Selection, Options) for row in fields(kind)}
    of_connect = inspect.signature(connect).parameters
    defaults |= {name: of_connect[name].default for name in CONNECTING}
    plain = inspect.signature(function)
    two = list(plain.parameters.values())[:2]
    names = sorted(PullOptions.__optional_keys__, key=list(defaults).index)
    hints = {name: hint.__forward_arg__ for name, hint in PullOptions.__annotations__.items()}
    by_name = inspect.Parameter.KEYWORD_ONLY
    more = [
        inspect.Parameter(name, by_name, default=defaults[name], annotation=hints[name])
        for name in names
    ]
    function.__dict__["__signature__"] = plain.replace(parameters=[*two, *more])


spell_out(pull)


@contextmanager
def _session(
    given: Session | str, options: Options, connecting: dict[str, Any]
) -> Iterator[Session]:
    """Yield the given session, or one to the given address that is closed at the end."""
    if not isinstance(given, str):
        yield given
        return
    with (
        held(connecting.get("trace")) as trace,
        _opened(given, options, {**connecting, "trace": trace}) as session,
    ):
        yield session


def _opened(given: str, options: Options, connecting: dict[str, Any]) -> Session:
    """Connect; again if the connection is lost while the session opens.

    An address where nothing answers is an error at once, unless a camera has answered before.
    """
    observer = options.observer or Observer()
    # Who does not want to try again does not want to wait for the first time either.
    waiting = None if options.retry == 0 else observer.waiting
    patience = patience_of(options.retry, told=lambda *_: observer.reconnecting(patience.waits))
    while True:
        try:
            return connect(given, waiting=waiting, **connecting)
        except NetworkError as error:
            is_first = isinstance(error, ConnectFailed) and not patience.waits
            if is_first or patience.is_used_up:
                raise
            observer.lost(error)
            patience.wait(error)


def check_folders(options: Options) -> Manifest | None:
    """Check folders and manifest, and return the existing manifest. ValueError, SinkError."""
    writable = not options.dry_run
    check_different(options.destination, options.copies, mark=writable)
    for folder in (options.destination, *options.copies):
        check(folder, writable=writable)
        check_readable(folder)
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
