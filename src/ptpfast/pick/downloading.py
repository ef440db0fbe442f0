"""The download of chosen files: a run of `library`, as `pull` makes it, over these alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..library.report.observer import Observer
from ..library.report.rate import Rate
from ..library.run import Run
from ..listing import Listing
from .between import Between
from .picture import Key, Status, key_of

if TYPE_CHECKING:
    from ..library.plan.options import Options
    from ..library.report.report import Report
    from ..library.report.results import FileResult, Shortage
    from ..listing import ListingProgress
    from ..ptp.errors import PTPError
    from ..ptp.objects import ObjectInfo
    from ..session.session import Session
    from .board import Board
    from .errands import Errands

Told = Callable[["FileResult"], object]
OF_STATUS: dict[str, Status] = {"downloaded": "done", "skipped": "here", "failed": "failed"}
GONE = "it is not on the card any more, or has changed"


class Downloading(Observer):
    """The downloads of a desk: runs one after the other, and what the board shows of them."""

    def __init__(
        self, session: Session, options: Options, board: Board, errands: Errands, told: Told
    ) -> None:
        """told: is called with each result."""
        self._session = session
        self._options = options
        self._board = board
        self._errands = errands
        self._told = told
        self._lock = threading.RLock()  # pages add files while others arrive
        self._keys: dict[int, Key] = {}  # of the files of the run, by handle
        self._rate = Rate(time.monotonic)
        self._moved = 0  # bytes that the camera has sent
        self._settled = 0  # bytes of the files that are done
        self._current = 0  # bytes of the file that arrives

    def add(self, infos: list[ObjectInfo]) -> None:
        """Queue files."""
        with self._lock:
            before = self._board.download
            fresh = before.state == "idle" or not self._errands.queue
            files, size, done, failed = (0, 0, 0, 0) if fresh else _counts(before)
            if fresh:
                self._settled = self._current = 0
            for info in infos:
                self._board.mark(key_of(info), "queued")
            self._board.set_download(
                state="running",
                message="",
                files=files + len(infos),
                size=size + sum(info.size or 0 for info in infos),
                done=done,
                failed=failed,
                received=self._settled + self._current,
            )
        self._errands.add(infos)

    def run(
        self,
        is_over: Callable[[], bool],
        gives_way: Callable[[], bool],
        serve: Callable[[], object],
        storage_ids: list[int],
    ) -> None:
        """Fetch the queued files, until all are settled or the run has to end early.

        Raises:
            PTPError: as `library.run.Run.go`.
        """
        self._keys = {}
        for key in self._errands.waiting():
            if (info := self._board.now(key)) is None:
                self._settle(key, "failed", GONE)
            else:
                self._keys[info.handle] = key
        if not self._keys:
            return
        news = Between(
            partial(self._begin, storage_ids),
            wants=lambda info: self._keys.get(info.handle) == key_of(info),
            is_over=is_over,
            gives_way=gives_way,
            serve=serve,
        )
        options = replace(self._options, news=news, observer=self, retry=None)
        try:
            Run(self._session, options, None, time.monotonic()).go()
            if not is_over():
                for key in set(self._keys.values()).intersection(self._errands.waiting()):
                    self._settle(key, "failed", GONE)
        finally:  # perhaps a file that has given way
            for key in self._errands.waiting():
                self._board.mark(key, "queued")

    def _begin(self, storage_ids: list[int], progress: ListingProgress) -> Listing:
        listing = Listing(self._session.link, (), handles=self._keys, progress=progress)
        listing.storage_ids = storage_ids
        return listing

    def _settle(self, key: Key, status: Status, reason: str = "") -> None:
        self._errands.settle(key)
        new = False if status in ("done", "here") else None
        self._board.mark(key, status, reason, new=new)
        with self._lock:
            was, size = self._board.download, key[2] or 0
            self._settled += size
            self._current = 0
            self._board.set_download(
                done=was.done + (status != "failed"),
                failed=was.failed + (status == "failed"),
                received=self._settled,
            )

    # Of the run

    def planned(self, report: Report, count: int, size: int) -> None:
        """Note that the folder was looked at."""

    def started(self, info: ObjectInfo, path: Path, kept: int) -> None:
        """Show that a file arrives."""
        self._board.mark(key_of(info), "now")
        self._current = kept
        self._board.set_download(name=path.name, received=self._settled + kept)

    def progress(self, info: ObjectInfo, received: int, size: int | None) -> None:
        """Show the bytes that have arrived."""
        self._moved += max(0, received - self._current)
        self._current = received
        self._rate.add(self._moved)
        self._board.set_download(received=self._settled + received, rate=self._rate.now())

    def finished(self, result: FileResult) -> None:
        """Show what came of a file."""
        if (key := self._keys.get(result.handle)) is None:
            return
        if (status := OF_STATUS.get(result.status)) is None:  # unfinished: it stays in the queue
            self._board.mark(key, "queued")
            return
        if status == "here" and result.path is None and not result.mirrored:
            status = "failed"  # left out for a reason that is not its file
        self._settle(key, status, result.reason if status == "failed" else "")
        self._told(result)

    def short(self, shortage: Shortage) -> None:
        """Say that the disk is too small."""
        text = f"the disk has room for {shortage.fit} of {shortage.count} files"
        self._board.set_download(message=text)

    def lost(self, error: PTPError) -> None:
        """Say that the camera is lost."""
        self._board.set_camera(state="lost", message=error.message)

    def storing(self, files: int, waited_s: float) -> None:
        """Show that the disk is waited for."""
        self._board.set_download(rate=self._rate.now())


def _counts(download: object) -> tuple[int, int, int, int]:
    names = ("files", "size", "done", "failed")
    files, size, done, failed = (getattr(download, name) for name in names)
    return files, size, done, failed
