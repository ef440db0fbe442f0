"""The cameras of a watch: each has its session and its `Watcher`, several a thread each.

They share the names in the folders. The observer and `on_status` get one call at a time. An error
of a camera never ends a watch; what does, such as a full disk, ends that of all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..engine.errors import LimitReached
from ..library.limits import limited
from ..library.plan.names import Together
from ..library.report.observer import Observer
from ..library.several import OneAtATime
from ..ptp.errors import Cancelled, PTPError
from ..ptp.scope import scope_of
from ..session.connecting import connect
from .previews import OnPreview, Previews, ShotPreview
from .telling import Telling
from .watcher import ENDS_WATCH, Watcher, patience

if TYPE_CHECKING:
    from pathlib import Path

    from ..library.ending import Ending, Guide
    from ..library.plan.options import Options
    from ..library.run import Run
    from ..session.session import Session
    from .status import WatchStatus

    OnStatus = Callable[[WatchStatus], object]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the cameras of a watch have in common.

    Attributes:
        options: Of each run.
        connecting: Arguments of `connect`.
        first: Kinds of new objects that come before the others.
        guide: What another thread has to do with the watch.
        make_run: Makes a run, from the arguments of `Run`.
        new_only: Whether what is on the card at the start is left.
        previews: The folder for previews, if they are wanted.
        on_preview: Called with each of them.
    """

    options: Options
    connecting: dict[str, Any]
    first: frozenset[str]
    guide: Guide
    make_run: Callable[..., Run]
    new_only: bool
    previews: Path | None = None
    on_preview: OnPreview | None = None


class Member:
    """One camera of a watch.

    Attributes:
        name: Its address, if there are several.
        telling: Tells what it does.
    """

    def __init__(
        self,
        given: Session | str,
        setting: Setting,
        on_status: OnStatus | None,
        name: str = "",
        observer: Observer | None = None,
        names: Together | None = None,
    ) -> None:
        """name, observer, names: of one of several cameras."""
        own = observer or setting.options.observer or Observer()
        self.telling: Telling = Telling(setting.guide.observer(own, name), on_status, name)
        self.name: str = name
        self._given = given
        self._setting = setting
        self._names = names or Together()

    def watch(self) -> None:
        """Watch in this thread until something ends it, by an error."""
        setting, ending = self._setting, self._setting.guide.ending
        previews = None
        if setting.previews is not None:
            previews = Previews(
                setting.previews, setting.options.destination, setting.on_preview, self.name
            )
        with (
            ending.interrupts_pauses(),
            self._session() as session,
            ending.interrupts(session),
            limited(session, setting.options.bwlimit),
        ):
            Watcher(
                session,
                setting.options,
                self.telling,
                first=setting.first,
                new_only=setting.new_only,
                runs=self._run,
                previews=previews,
            ).run()

    @contextmanager
    def _run(self, session: Session, options: Options) -> Iterator[Run]:
        with self._names.names() as names:
            yield self._setting.make_run(session, options, None, time.monotonic(), names)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Yield the given session, or one to the given address; wait for a camera that is away."""
        if not isinstance(self._given, str):
            yield self._given
            return
        pauses, telling = patience(), self.telling
        while True:
            try:
                session = connect(self._given, waiting=telling.waiting, **self._setting.connecting)
            except PTPError as error:
                if scope_of(error) in ENDS_WATCH:
                    raise
                telling.become("connecting", error.message)
                pauses.wait(error)
            else:
                break
        session.link.hub.drop_subscriptions()  # of `Session.events`, which nobody reads here
        with session:
            yield session


def together(
    named: Mapping[str, Session | str], setting: Setting, on_status: OnStatus | None
) -> list[Member]:
    """Return the members for several cameras."""
    turn, names, stop = threading.RLock(), Together(), setting.guide.ending.stop
    shared = setting.options.observer or Observer()

    def one_at_a_time(status: WatchStatus) -> None:
        with turn:
            if on_status is not None:
                on_status(status)

    def one_by_one(preview: ShotPreview) -> None:
        with turn:
            if setting.on_preview is not None:
                setting.on_preview(preview)

    each = replace(setting, on_preview=one_by_one)
    return [
        Member(
            given,
            each,
            one_at_a_time,
            name,
            OneAtATime(shared.of_camera(name), turn, stop),
            names,
        )
        for name, given in named.items()
    ]


def watch_all(crew: Sequence[Member], ending: Ending) -> None:
    """Watch all cameras, until an error ends them: of several, the one that came first."""
    if len(crew) == 1:
        crew[0].watch()
        return
    errors: list[BaseException] = []

    def watch(member: Member) -> None:
        try:
            member.watch()
        except BaseException as error:  # noqa: BLE001  raised below
            errors.append(error)
            ending.end()

    threads: list[threading.Thread] = []
    try:
        for member in crew:
            thread = threading.Thread(
                target=watch, args=(member,), name=f"ptpfast watch {member.name}"
            )
            thread.start()
            threads.append(thread)
    except RuntimeError as error:
        errors.append(LimitReached.of(error) or error)
        ending.end()
    for thread in threads:
        thread.join()
    errors.sort(key=lambda error: isinstance(error, Cancelled))  # by the first that is none
    raise errors[0]
