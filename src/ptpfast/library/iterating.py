"""`pull_iter`: `pull` on a thread, with an iterator of the results as they are finished."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from ..engine.errors import LimitReached
from ..engine.process import Owner
from ..ptp.errors import Cancelled
from .ending import Ending, Guide
from .handing import End, Handing, Handover
from .pull import OnePath, PullOptions, prepared, spell_out
from .report.report import Report, report_of
from .report.results import FileResult

if TYPE_CHECKING:
    from ..session.session import Session
    from .report.observer import Observer

log: logging.Logger = logging.getLogger("ptpfast")


class Results(Iterator[FileResult]):
    """The results of a run in a thread of its own, each as soon as its file is finished."""

    def __init__(
        self, handover: Handover, ending: Ending, run: Callable[[], Report], thread_name: str
    ) -> None:
        self._handover = handover
        self._ending = ending
        self._end: End | None = None
        self._owner = Owner("iterator")  # a forked child has no such thread
        # The thread does not know this object, so that it can be collected.
        work = partial(work_on, run, handover)
        self._thread = threading.Thread(target=work, name=thread_name)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._end = End(None)
            raise LimitReached.of(error) or error from error

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> FileResult:
        """Wait for the next result.

        Raises:
            StopIteration: the run has ended, and all its results are taken.
            RuntimeError: this is a forked child of the process of the run.
            PTPError: the error that ended the run.
        """
        if self._end is not None:
            raise StopIteration
        self._owner.require()
        self._handover.taker = threading.current_thread()
        try:
            item = self._handover.take()
        except BaseException:  # Ctrl-C
            self.close()
            raise
        if not isinstance(item, End):
            return item
        error = self._take_end(item)
        if error is None or self._was_told_to_end(error):
            raise StopIteration
        raise error

    def _was_told_to_end(self, error: BaseException) -> bool:
        """Return whether the run has ended because it was told to."""
        return False

    def _take_end(self, end: End) -> BaseException | None:
        """Note the end, and return its error; it is not kept, as it knows the frames."""
        self._end = End(end.report)
        self._thread.join()
        return end.error

    def close(self) -> None:
        """End the run, if it has not ended, and wait for its end. Does not raise its error."""
        if not self._owner.is_us:  # the run goes on in the parent
            return
        while self._end is None:
            self._ending.end()
            item = self._handover.take()
            if isinstance(item, End):
                error = self._take_end(item)
                if error is not None and not isinstance(error, Cancelled):
                    log.warning("%s did not end in order: %s", self._thread.name, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_end", True) is not None or not self._owner.is_us:
            return
        if threading.current_thread() is self._handover.taker:
            self.close()
        else:  # perhaps a thread of the run itself, which would wait for itself
            self._ending.end()


class PullIterator(Results):
    """The results of a run, each as soon as its file is finished. `pull_iter` makes it.

    Use it in a `with`, or in a `for`. If the loop ends early, the run ends in order: received files
    are stored, the partial file is kept, and the session is closed. `close` does the same.
    """

    def __init__(self, handover: Handover, ending: Ending, run: Callable[[], Report]) -> None:
        super().__init__(handover, ending, run, "ptpfast pull")

    @property
    def report(self) -> Report:
        """The report of the run, once it has ended.

        Raises:
            RuntimeError: the run has not ended.
        """
        if self._end is None or self._end.report is None:
            raise RuntimeError("the report is complete when the run has ended")
        return self._end.report


def work_on(run: Callable[[], Report], handover: Handover) -> None:
    """Run, and hand the end over. Never raises."""
    try:
        end = End(run())
    except BaseException as error:  # noqa: BLE001  raised where the results are taken
        end = End(report_of(error), error)
    handover.add(end)


def pull_iter(
    cameras: Session | str | Sequence[Session | str],
    destination: OnePath,
    **options: Unpack[PullOptions],
) -> PullIterator:
    """Download as `pull` does, and yield the result of each object when its file is finished.

    The run is in a thread. It waits when 8 results are not taken yet, so that the files of a slow
    consumer do not pile up; at most 25 finished files of each camera wait.

    Args:
        cameras: as in `pull`; with several, `result.camera` is the address.
        destination: as in `pull`.
        options: all options of `pull`. The `observer` is called from the threads of the run.

    Returns:
        An iterator of `FileResult`, whose `.report` is that of `pull` once the run has ended.

    Raises:
        ValueError, TypeError: as in `pull`, at once. Other errors of `pull` are raised by the
            iterator, after the results that came before.

    Example:
        with ptpfast.pull_iter("192.168.1.1", "today") as results:
            for result in results:
                print(result.path, result.status)
        print(results.report.downloaded)
    """
    ending, began = Ending(), time.monotonic()
    handover = Handover(ending)

    def handing(observer: Observer, camera: str) -> Observer:
        return Handing(observer, camera, handover, ending)

    guide = Guide(ending, handing)
    run = prepared("pull_iter", cameras, destination, options, began, guide)
    return PullIterator(handover, ending, run)


spell_out(pull_iter)
