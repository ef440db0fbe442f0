"""The thread of one session: it runs the session's operations one by one, for all tasks.

A shared pool of threads could be used up by cameras that do not answer. So each session has its
own thread.
"""

from __future__ import annotations

import contextvars
import logging
import math
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import anyio
import anyio.lowlevel

from ..engine.errors import LimitReached
from ..engine.process import Owner
from ..link.patience import stopped_by
from ..ptp.errors import ConnectionLost
from .loops import soon

log: logging.Logger = logging.getLogger("ptpfast")

T = TypeVar("T")

# How long a cancelled task waits for the end of what its thread does; the thread ends it later.
GRACE_S = 5.0
# A lost connection that is being made again does not see a cancel, so it is repeated.
AGAIN_S = 0.5


def _nothing() -> None:
    pass


class Job(Generic[T]):
    """Work for the thread, and its outcome.

    Attributes:
        stop: Interrupts the pauses of the work when set.
        undo: Called with the result if the task was cancelled and does not get it.
        was_cancelled: Whether the task was cancelled, or the session closed, before the end.
    """

    def __init__(
        self, work: Callable[[], T], done: Callable[[], object], interrupt: Callable[[], object]
    ) -> None:
        self.stop: threading.Event = threading.Event()
        self.undo: Callable[[T], object] | None = None
        self.was_cancelled: bool = False
        self._work = work
        self._context = contextvars.copy_context()
        self._done = done
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._has_begun = self._has_ended = False
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work, in the thread. Never raises."""
        with self._lock:
            if self._has_ended:  # cancelled before
                return
            self._has_begun = True
        try:
            with stopped_by(self.stop):
                self._result.append(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001  raised by `outcome`
            self._error = error
        with self._lock:
            self._has_ended = True
            unwanted = self.was_cancelled and self._error is None
        if unwanted and self.undo is not None:
            self.undo(self._result[0])
        self._done()

    def refuse(self, error: Exception) -> None:
        """End with an error, without doing the work."""
        with self._lock:
            if self._has_ended:
                return
            self._has_ended, self._error = True, error
        self._done()

    def cancel(self) -> None:
        """Interrupt the work if it has begun; else it will not be done."""
        with self._lock:
            if self._has_ended:
                return
            self.was_cancelled = True
            if self._has_begun:
                self.stop.set()
                self._interrupt()
            else:
                self._has_ended = True
                self._done()

    def take_unwanted(self) -> list[T]:
        """Return the result in a list if it came just before the task was cancelled."""
        with self._lock:
            return [] if self.was_cancelled or not self._has_ended else self._result

    def outcome(self) -> T:
        """Return the result of the work, or raise its error."""
        error, self._error = self._error, None  # it knows the frames of this call
        if error is not None:
            raise error
        return self._result[0]


class Worker:
    """One thread. `interrupt` cancels what it does; `calm` is called after that."""

    def __init__(self, name: str) -> None:
        self.interrupt: Callable[[], object] = _nothing
        self.calm: Callable[[], object] = _nothing
        self._owner = Owner("session")  # a forked child has no such thread
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._running: Job[Any] | None = None
        self._last: Job[Any] | None = None  # the job that closes the session
        self._finished: anyio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise LimitReached.of(error) or error from error

    @property
    def is_idle(self) -> bool:
        """True if nothing is done or waits."""
        return self._running is None and self._jobs.empty()

    async def do(
        self,
        work: Callable[[], T],
        *,
        undo: Callable[[T], object] | None = None,
        grace_s: float = GRACE_S,
    ) -> T:
        """Do the work in the thread, and return its result.

        If the task is cancelled, the work is interrupted, and the task waits for its end, at most
        `grace_s` seconds. A task that is cancelled already asks the camera nothing.
        """
        await anyio.lowlevel.checkpoint_if_cancelled()
        done = anyio.Event()
        job = Job(work, partial(soon(), done.set), lambda: self.interrupt())
        job.undo = undo
        self.submit(job)
        try:
            await done.wait()
        except GeneratorExit:  # the loop is gone: no waiting
            job.cancel()
            raise
        except BaseException:
            job.cancel()
            await _end_of(job, done, grace_s)
            if undo is not None:
                for result in job.take_unwanted():
                    await self._undo(partial(undo, result), grace_s)
            raise
        return job.outcome()

    async def do_anyway(self, work: Callable[[], T], *, grace_s: float = GRACE_S) -> T:
        """Do the work even if the task is cancelled, which then waits at most `grace_s` seconds."""
        if not self._owner.is_us:  # it gives something back: here, a copy of it
            return work()
        done = anyio.Event()
        job = Job(work, partial(soon(), done.set), lambda: self.interrupt())
        self.submit(job)
        try:
            await done.wait()
        except GeneratorExit:  # the loop is gone: no waiting
            raise
        except BaseException:
            await shielded(done, grace_s)
            raise
        return job.outcome()

    async def _undo(self, undo: Callable[[], object], grace_s: float) -> None:
        done = anyio.Event()
        self._jobs.put(Job(undo, partial(soon(), done.set), _nothing))
        await shielded(done, grace_s)

    async def finish(self, work: Callable[[], object]) -> None:
        """Interrupt what the thread does, refuse what waits, do a last work, and end the thread.

        It is done even if the task is cancelled, and once, for all tasks that ask for it. A forked
        child closes its copies.
        """
        if not self._owner.is_us:
            work()
            return
        if self._finished is None:
            self._finished = anyio.Event()
            self._last = Job(work, partial(soon(), self._finished.set), _nothing)
            self._jobs.put(self._last)
            self._jobs.put(None)
        came: BaseException | None = None
        while not self._finished.is_set():
            running = self._running
            if running is not None and running is not self._last:
                running.cancel()
            came = await shielded(self._finished, AGAIN_S) or came
        if came is not None:
            raise came

    def end(self) -> None:
        """End the thread after all that waits."""
        self._jobs.put(None)

    def cancel(self) -> None:
        """Interrupt what the thread does now."""
        if self._running is not None:
            self.interrupt()

    def submit(self, job: Job[Any]) -> None:
        """Add a job, refused if the session has been closed. RuntimeError in a forked child."""
        self._owner.require()
        if self._last is not None:
            job.refuse(_closed())
        else:
            self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._last is not None and job is not self._last:
                job.refuse(_closed())
                continue
            self._running = job
            try:
                job.run()
                if job.was_cancelled:
                    self.calm()
            except Exception:
                log.warning("the end of a cancelled operation failed", exc_info=True)
            finally:
                self._running = None
            del job  # it knows the result


async def _end_of(job: Job[Any], done: anyio.Event, grace_s: float) -> None:
    """Wait for the end of a cancelled job, at most `grace_s` seconds."""
    until = anyio.current_time() + grace_s
    while not done.is_set() and anyio.current_time() < until:
        await shielded(done, AGAIN_S)
        job.cancel()


async def shielded(done: anyio.Event, seconds: float = math.inf) -> BaseException | None:
    """Wait for an event although this task is cancelled, and return a cancellation that came.

    Only asyncio's own come here: they know no shield. Raise it when all is in order.
    """
    came: BaseException | None = None
    until = anyio.current_time() + seconds
    while not done.is_set() and anyio.current_time() < until:
        try:
            with anyio.CancelScope(shield=True, deadline=until):
                await done.wait()
        except anyio.get_cancelled_exc_class() as error:
            came = error
    return came


def _closed() -> ConnectionLost:
    return ConnectionLost("this session has been closed", hint="connect again")
