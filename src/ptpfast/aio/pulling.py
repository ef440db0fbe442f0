"""`pull` and `pull_iter` for tasks: the run of `ptpfast.pull_iter`, whose results a task takes."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from queue import Empty
from types import TracebackType
from typing import Any, Self, Unpack

import anyio
import anyio.lowlevel

from ..engine.errors import LimitReached
from ..engine.process import Owner
from ..library.ending import Ending, Guide
from ..library.handing import End, Handing, Handover
from ..library.iterating import work_on
from ..library.pull import OnePath, PullOptions, prepared, spell_out
from ..library.report.observer import Observer
from ..library.report.report import Report
from ..library.report.results import FileResult
from ..ptp.errors import Cancelled
from ..session.session import Session as SyncSession
from .loops import soon
from .session import Session
from .worker import GRACE_S, Job, Worker, shielded

log: logging.Logger = logging.getLogger("ptpfast")

LOOK_S = 0.1  # how often a run that waits for its sessions looks whether it is to end

OneCamera = Session | SyncSession | str


class _Sessions:
    """The open sessions of a run: their other operations wait for its end."""

    def __init__(self, workers: Sequence[Worker], ending: Ending) -> None:
        self._ending = ending
        self._free = threading.Event()
        self._held = [threading.Event() for _ in workers]
        self._workers = workers

    def ask(self) -> None:
        """Ask for all of them, in the loop, so that two runs do not wait for each other."""
        for worker, held in zip(self._workers, self._held, strict=True):
            hold = partial(self._hold, held)
            worker.submit(Job(hold, held.set, self._ending.end))

    def _hold(self, held: threading.Event) -> None:
        held.set()
        self._free.wait()

    def wait(self) -> None:
        """Wait in the thread of the run until no other operation uses them. Cancelled."""
        for held in self._held:
            while not held.wait(LOOK_S):
                if self._ending.stop.is_set():
                    raise Cancelled("stopped")

    def free(self) -> None:
        """Let the other operations continue."""
        self._free.set()


class PullIterator(AsyncIterator[FileResult]):
    """The results of a run, each as soon as its file is finished. `pull_iter` makes it.

    Use it in an `async with`: if the loop ends early, the run then ends in order. It also does if
    the task is cancelled while it waits for a result.
    """

    def __init__(
        self, prepare: Callable[[Guide], Callable[[], Report]], workers: Sequence[Worker]
    ) -> None:
        self._prepare = prepare
        self._workers = workers
        self._ending = Ending()
        self._handover: Handover | None = None
        self._changed = anyio.Event()
        self._end: End | None = None
        self._owner = Owner("iterator")  # a forked child has no thread of the run

    def _begin(self) -> Handover:
        """Start the thread, which does not know this object, so that it can be collected."""
        ending, handover = self._ending, Handover(self._ending)
        sessions = _Sessions(self._workers, ending)
        prepare, later, this = self._prepare, soon(), weakref.ref(self)

        def changed() -> None:
            later(lambda: _wake(this))

        def handing(observer: Observer, camera: str) -> Observer:
            return Handing(observer, camera, handover, ending)

        def run() -> Report:
            try:
                work = prepare(Guide(ending, handing))
                sessions.wait()
                return work()
            finally:
                sessions.free()

        handover.when_changed = changed
        thread = threading.Thread(target=work_on, args=(run, handover), name="ptpfast pull")
        try:
            thread.start()
        except RuntimeError as error:
            raise LimitReached.of(error) or error from error
        sessions.ask()
        weakref.finalize(self, ending.end)
        return handover

    @property
    def report(self) -> Report:
        """The report of the run, once it has ended.

        Raises:
            RuntimeError: the run has not ended.
        """
        if self._end is None or self._end.report is None:
            raise RuntimeError("the report is complete when the run has ended")
        return self._end.report

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FileResult:
        if self._end is not None:
            raise StopAsyncIteration
        self._owner.require()
        self._handover = self._handover or self._begin()
        try:
            await anyio.lowlevel.checkpoint()
            item = await self._next(self._handover)
        except GeneratorExit:
            self._ending.end()
            raise
        except BaseException:
            await self.aclose()
            raise
        if not isinstance(item, End):
            return item
        self._end = End(item.report)
        if item.error is not None:
            raise item.error
        raise StopAsyncIteration

    async def _next(self, handover: Handover) -> FileResult | End:
        while True:
            self._changed = anyio.Event()
            try:
                return handover.take(wait=False)
            except Empty:
                await self._changed.wait()

    def wake(self) -> None:
        """Look for results again."""
        self._changed.set()

    async def aclose(self) -> None:
        """End the run in order, if it has not ended, also if the task is cancelled.

        It waits for the end, at most 5 seconds; the thread of the run needs longer if it waits for
        an address that does not answer.
        """
        if not self._owner.is_us:  # the run goes on in the parent
            return
        if self._handover is None:
            self._end = self._end or End(None)
        came: BaseException | None = None
        until = anyio.current_time() + GRACE_S
        while self._end is None:
            self._ending.end()
            self._changed = anyio.Event()
            try:
                self._take_rest()
            except Empty:
                came = await shielded(self._changed, LOOK_S) or came
                if anyio.current_time() > until:
                    self._end = End(None)
        if came is not None:
            raise came

    def _take_rest(self) -> None:
        """Take the results up to the end. Raises Empty if it has not come."""
        assert self._handover is not None
        while self._end is None:
            item = self._handover.take(wait=False)
            if isinstance(item, End):
                self._end = End(item.report)
                if item.error is not None and not isinstance(item.error, Cancelled):
                    log.warning("the run did not end in order: %s", item.error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _wake(this: weakref.ref[PullIterator]) -> None:
    if (iterator := this()) is not None:
        iterator.wake()


def plain_cameras(cameras: OneCamera | Sequence[OneCamera]) -> tuple[list[Worker], Any]:
    """Return the workers of the open sessions, and the cameras as `ptpfast.pull` takes them."""
    given = list(cameras) if isinstance(cameras, list | tuple) else [cameras]
    workers = [each.worker for each in given if isinstance(each, Session)]
    plain: Any = [each.sync if isinstance(each, Session) else each for each in given]
    return workers, plain if isinstance(cameras, list | tuple) else plain[0]


def pull_iter(
    cameras: OneCamera | Sequence[OneCamera],
    destination: OnePath,
    **options: Unpack[PullOptions],
) -> PullIterator:
    """Download as `pull` does, and yield the result of each object when its file is finished.

    Args:
        cameras: as in `pull`.
        destination: as in `pull`.
        options: as in `pull`.

    Returns:
        An async iterator of `FileResult`, whose `.report` is that of `pull` once the run has ended.
        The run begins with the first result that is awaited.

    Example:
        async with ptpfast.aio.pull_iter("192.168.1.1", "today") as results:
            async for result in results:
                print(result.path, result.status)
    """
    began = time.monotonic()
    workers, plain = plain_cameras(cameras)

    def prepare(guide: Guide) -> Callable[[], Report]:
        return prepared("pull_iter", plain, destination, options, began, guide)

    return PullIterator(prepare, workers)


async def pull(
    cameras: OneCamera | Sequence[OneCamera],
    destination: OnePath,
    **options: Unpack[PullOptions],
) -> Report:
    """Download the selected objects that are not in a folder yet; see `ptpfast.pull`.

    If the task is cancelled, the run ends in order: received files are stored, the partial file is
    kept, and the session that it opened is closed. The other operations of a given session wait
    for the end of the run.

    Args:
        cameras: an open session of `ptpfast.aio` or `ptpfast`, an address, or a list of several.
        destination: the folder; it is made if need be.
        options: all options of `ptpfast.pull`. The `observer` is called in the threads of the run.

    Returns:
        A `Report`.

    Raises:
        PTPError, ValueError, TypeError: as `ptpfast.pull`, with the report as `error.report`.
    """
    async with pull_iter(cameras, destination, **options) as results:
        async for _ in results:
            pass
    return results.report


spell_out(pull)
spell_out(pull_iter)
