"""What has changed since an open page was last told: one `Feed` for each page."""

from __future__ import annotations

import asyncio
import threading
from typing import NamedTuple


class Changes(NamedTuple):
    """The changes that a page does not know yet.

    Attributes:
        all: Whether the page has to forget what it knows.
        pictures, thumbnails: The numbers of the pictures that have changed.
        state: Whether the state of camera or download has changed.
    """

    all: bool
    pictures: set[int]
    thumbnails: set[int]
    state: bool


class Feed:
    """The changes for one page. They are numbers only, so a slow page costs next to nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """loop: the loop of the task that awaits `next`; other methods may be called anywhere."""
        self._loop = loop
        self._wake = asyncio.Event()
        self._wake.set()  # everything is news to a page that has just been opened
        self._lock = threading.Lock()
        self._all = True
        self._state = True
        self._pictures: set[int] = set()
        self._thumbnails: set[int] = set()
        self.has_ended: bool = False

    def picture(self, number: int) -> None:
        """Note that a picture has changed."""
        with self._lock:
            self._pictures.add(number)
        self._tell()

    def thumbnail(self, number: int) -> None:
        """Note that a picture has got its thumbnail."""
        with self._lock:
            self._thumbnails.add(number)
        self._tell()

    def state(self) -> None:
        """Note that camera or download have changed."""
        with self._lock:
            self._state = True
        self._tell()

    def reset(self) -> None:
        """Have the page begin again: pictures are gone."""
        with self._lock:
            self._all = True
        self._tell()

    def end(self) -> None:
        """End the feed: `next` returns None."""
        self.has_ended = True
        self._tell()

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:  # the loop has ended, and the page with it
            pass

    async def next(self, within_s: float) -> Changes | None:
        """Return the changes, perhaps none after `within_s` seconds; None at the end."""
        try:
            async with asyncio.timeout(within_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        if self.has_ended:
            return None
        with self._lock:
            changes = Changes(self._all, self._pictures, self._thumbnails, self._state)
            self._all = self._state = False
            self._pictures, self._thumbnails = set(), set()
        return changes
