"""The longest time of a run, after which it ends in order, and its highest rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Timer

from ..link.limiting import RateLimit
from ..ptp.errors import Cancelled
from ..session.session import Session
from .ending import Ending
from .plan.options import Options
from .report.report import Report, report_of


def within(ending: Ending, options: Options, run: Callable[[], Report]) -> Callable[[], Report]:
    """Return what runs for `options.max_duration` seconds at most.

    The partial file is kept, as after each end, and the report says that the time was over.
    """
    if (seconds := options.max_duration) is None:
        return run
    is_over = Event()

    def end() -> None:
        is_over.set()
        ending.end()

    def run_within() -> Report:
        timer = Timer(seconds, end)
        timer.name, timer.daemon = "ptpfast duration", True
        timer.start()
        try:
            return run()
        except Cancelled as error:
            if not is_over.is_set():
                raise
            report = report_of(error) or Report(options.destination, verify=options.verify)
            report.out_of_time = True
            return report
        finally:
            timer.cancel()
            timer.join()

    return run_within


@contextmanager
def limited(session: Session, limit: RateLimit | None) -> Iterator[None]:
    """Limit what a session receives, on this connection and on those that follow it."""
    before, session.link.connection.limit = session.link.connection.limit, limit
    try:
        yield
    finally:
        session.link.connection.limit = before
