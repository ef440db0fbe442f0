"""`watch` for tasks: the results of `ptpfast.watch` as an async iterator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from ..library.ending import Guide
from ..library.pull import OnePath
from ..library.report.report import Report
from ..watching.shots import WatchOptions, prepared
from .pulling import OneCamera, PullIterator
from .session import Session


def watch(camera: OneCamera, destination: OnePath, **options: Unpack[WatchOptions]) -> PullIterator:
    """Download each new shot as soon as the camera can be asked for it; see `ptpfast.watch`.

    Args:
        camera: an open session of `ptpfast.aio` or `ptpfast`, or an address.
        destination: the folder; it is made if need be.
        options: all options of `ptpfast.watch`. `observer` and `on_status` are called in the thread
            of the watch.

    Returns:
        An async iterator of `FileResult`. The watch begins with the first result that is awaited.
        It ends when the iterator is closed, or the task is cancelled.

    Example:
        async with ptpfast.aio.watch("192.168.1.1", "today") as shots:
            async for shot in shots:
                print(shot.path)
    """
    workers = [camera.worker] if isinstance(camera, Session) else []
    plain: Any = camera.sync if isinstance(camera, Session) else camera

    def prepare(guide: Guide) -> Callable[[], Report]:
        _, run = prepared(plain, destination, options, guide)
        return run

    return PullIterator(prepare, workers)
