"""`watch` for tasks: the results of `ptpfast.watch` as an async iterator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Unpack

from ..library.ending import Guide
from ..library.pull import OnePath
from ..library.report.report import Report
from ..watching.shots import WatchOptions, prepared
from .pulling import OneCamera, PullIterator, plain_cameras


def watch(
    cameras: OneCamera | Sequence[OneCamera],
    destination: OnePath,
    **options: Unpack[WatchOptions],
) -> PullIterator:
    """Download each new shot as soon as the camera can be asked for it; see `ptpfast.watch`.

    Args:
        cameras: an open session of `ptpfast.aio` or `ptpfast`, an address, or a list of several.
        destination: the folder, made if need be, or a URL.
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
    workers, plain = plain_cameras(cameras)

    def prepare(guide: Guide) -> Callable[[], Report]:
        _, run = prepared(plain, destination, options, guide)
        return run

    return PullIterator(prepare, workers)
