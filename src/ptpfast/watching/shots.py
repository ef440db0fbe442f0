"""`watch`: an iterator of the new files of a camera, which ends when it is told to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Unpack

from ..library.ending import Ending, Guide
from ..library.handing import Handing, Handover
from ..library.iterating import Results
from ..library.limits import within
from ..library.plan.options import Options
from ..library.plan.places import check
from ..library.plan.planning import OnConflict
from ..library.plan.selection import Selecting, Selection
from ..library.pull import (
    CONNECTING,
    OnePath,
    check_camera,
    check_folders,
    closing_target,
    named_cameras,
    remote_run,
    target_of,
)
from ..library.report.observer import Observer
from ..library.report.report import Report
from ..library.run import Run
from ..ptp.arguments import callback, check_names, path_of, switches, texts
from ..ptp.errors import Cancelled
from ..ptp.kinds import KINDS
from ..session.connecting import connect
from ..session.session import Session
from ..trace import Trace, held
from ..transfer import Algorithm, Verify
from ..transport.timeouts import Timeouts
from .crew import Member, Setting, together, watch_all
from .previews import OnPreview
from .status import WatchStatus, merged
from .telling import Telling

# Results that may wait for a slow consumer before the next download begins.
MOST_WAITING = 1000

OnStatus = Callable[[WatchStatus], object]


class WatchOptions(Selecting, total=False):
    """The options of `watch`, for type checkers. All may be left out; `help(watch)` says what they
    mean."""

    existing: bool
    first: str | Collection[str] | None
    on_status: OnStatus | None
    preview: OnePath | None
    on_preview: OnPreview | None
    on_conflict: OnConflict
    verify: Verify
    algorithm: Algorithm | None
    chunk: int | None
    observer: Observer | None
    port: int | None
    timeouts: Timeouts | None
    depth: int | None
    trace: OnePath | Trace | None
    copies: Any
    delete_verified: bool
    keep_folders: bool
    storage_options: Mapping[str, Any] | None
    template: str | None
    bwlimit: str | int | None
    max_duration: float | None


class Watch(Results):
    """The results of a watch, each as soon as its file is finished. `watch` makes it.

    Use it in a `with`. `stop` ends the watch and leaves the last results to be taken; `close` ends
    it at once. Both wait for received files to be stored, and keep the partial file.
    """

    def __init__(
        self,
        handover: Handover,
        ending: Ending,
        tellings: Sequence[Telling],
        run: Callable[[], Report],
    ) -> None:
        self._tellings = tellings
        self._was_stopped = False
        super().__init__(handover, ending, run, "ptpfast watch")

    @property
    def status(self) -> WatchStatus:
        """What the watch is doing now.

        With several cameras it has the state of the one that needs attention most, and the files
        of all.
        """
        return merged(self.statuses)

    @property
    def statuses(self) -> tuple[WatchStatus, ...]:
        """What the watch of each camera is doing now."""
        return tuple(telling.status for telling in self._tellings)

    @property
    def out_of_time(self) -> bool:
        """Whether `max_duration` has ended the watch."""
        report = None if self._end is None else self._end.report
        return report is not None and report.out_of_time

    def stop(self) -> None:
        """Have the watch end; the iterator stops after the results that are finished by then."""
        self._was_stopped = True
        self._ending.end()

    def _was_told_to_end(self, error: BaseException) -> bool:
        return self._was_stopped and isinstance(error, Cancelled)


def watch(
    cameras: Session | str | Sequence[Session | str],
    destination: OnePath,
    **options: Unpack[WatchOptions],
) -> Watch:
    """Download each new shot as soon as the camera can be asked for it, until it is stopped.

    The shots come first, and the rest of the card in the background. If the connection is lost, it
    is made again without end, and what was shot meanwhile is fetched. The history knows what was
    fetched, so no shot is fetched twice, wherever its file is by then.

    Args:
        cameras: an open session or `HOST[:PORT]`, or a list of several, which are watched at the
            same time. An address that does not answer is tried again.
        destination: the folder, made if need be, or a URL, as in `pull`.
        existing: whether to download what is on the card at the start, too. It gives way to a new
            shot between two chunks.
        first: kinds such as `jpeg`: new shots of these kinds come before the other new ones.
        on_status: called with a `WatchStatus` whenever what the watch of a camera is doing changes,
            in its thread; one call at a time.
        preview: a folder for the previews of new RAW files, `DSC_0001.NEF.jpg`. Each is read out of
            its file before any of the new files is downloaded. It replaces no other file.
        on_preview: called with a `ShotPreview` for each, as `on_status` is.
        formats, include, exclude, folder, since, until, storage: as in `pull`.
        min_size, max_size, protected, rating: as in `pull`.
        order: `newest` takes the newest of several new shots first.
        on_conflict, verify, algorithm, chunk, copies, keep_folders, template, storage_options: as
            in `pull`.
        delete_verified: as in `pull`, for each file of this watch. The index of the camera is not
            used then, because new shots may get the handles of deleted ones.
        max_duration: seconds after which the watch ends in order (`Watch.out_of_time`).
        observer: an `Observer`, which is called in the thread of the watch.
        port, timeouts, depth, trace: as in `connect`, for an address. One trace
            has all connections.

    Returns:
        An iterator of `FileResult`: `downloaded`, or `failed` if an object could not be fetched; it
        is tried again later. `.status` says what the watch is doing, `.statuses` that of each
        camera.

    Raises:
        ValueError, TypeError: an option is wrong.
        SinkError: the destination cannot be used.

    Example:
        with ptpfast.watch("192.168.1.1", "today") as shots:
            for shot in shots:
                print(shot.path)
    """
    ending = Ending()
    handover = Handover(ending, MOST_WAITING)

    def handing(observer: Observer, camera: str) -> Observer:
        return Handing(observer, camera, handover, ending)

    tellings, run = prepared(cameras, destination, options, Guide(ending, handing))
    return Watch(handover, ending, tellings, run)


def prepared(
    cameras: Session | str | Sequence[Session | str],
    destination: OnePath,
    options: WatchOptions,
    guide: Guide,
) -> tuple[list[Telling], Callable[[], Report]]:
    """Check all arguments, and return what tells and what runs. ValueError, TypeError."""
    check_names("watch", options, WatchOptions.__optional_keys__)
    existing, first = options.get("existing", True), options.get("first")
    switches(existing=existing)
    kinds = frozenset() if first is None else frozenset(texts("first", first, KINDS))
    callback("on_status", options.get("on_status"))
    callback("on_preview", options.get("on_preview"))
    previews = None
    if (asked_previews := options.get("preview")) is not None:
        previews = path_of("preview", asked_previews)
    several = list(cameras) if isinstance(cameras, list | tuple) else None
    for each in [cameras] if several is None else several:
        check_camera(each, destination, options)
    target, place = target_of(destination, options.get("storage_options"))
    # `first` is another option of `pull`.
    shared = {name: value for name, value in options.items() if name != "first"}
    asked = Options.of(place, shared)
    make_run = Run if target is None else remote_run(target, asked)
    if target is None:
        check_folders(asked)
    if previews is not None:
        check(previews)
    connecting: dict[str, Any] = {n: v for n, v in options.items() if n in CONNECTING}
    connecting["index"] = not asked.delete_verified
    setting = Setting(
        asked,
        connecting,
        kinds,
        guide,
        make_run,
        new_only=not existing,
        previews=previews,
        on_preview=options.get("on_preview"),
    )
    if several is None:
        assert isinstance(cameras, Session | str)
        crew = [Member(cameras, setting, options.get("on_status"))]
    else:
        named = named_cameras(several, options.get("port"))
        crew = together(named, setting, options.get("on_status"))

    def run() -> Report:
        with held(connecting.get("trace")) as trace:
            connecting["trace"] = trace
            watch_all(crew, guide.ending)
        return Report(asked.destination)

    limited = within(guide.ending, asked, run)
    return [member.telling for member in crew], closing_target(target, limited)


def _spell_out() -> None:
    """Show a parameter for each option in the help of `watch`."""
    plain = inspect.signature(watch)
    two = list(plain.parameters.values())[:2]
    defaults = {name: row.default for kind in (Selection, Options) for name, row in _rows(kind)}
    of_connect = inspect.signature(connect).parameters
    defaults |= {name: of_connect[name].default for name in CONNECTING}
    defaults |= {"existing": True, "first": None, "on_status": None, "storage_options": None}
    defaults |= {"preview": None, "on_preview": None}
    more = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=hint
        )
        for name, hint in ((n, h.__forward_arg__) for n, h in WatchOptions.__annotations__.items())
    ]
    watch.__dict__["__signature__"] = plain.replace(parameters=[*two, *more])


def _rows(kind: type) -> Iterator[tuple[str, Any]]:
    yield from kind.__dataclass_fields__.items()  # type: ignore[attr-defined]


_spell_out()
