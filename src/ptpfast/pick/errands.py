"""What the pages have asked for and the desk has not done yet. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from ..ptp.objects import ObjectInfo
from .picture import Key, key_of

# Previews that wait: who leafs on no longer wants those from before.
MOST_PREVIEWS = 3
Preview = Future[bytes]


class Errands:
    """The errands of a desk.

    Attributes:
        queue: The files to download, in order.
        paused: Whether the download has to wait.
        listing_due: Whether the card has to be listed.
        is_forgiving: Whether that was asked for: then what was set aside is tried again.
    """

    def __init__(self) -> None:
        self.queue: dict[Key, ObjectInfo] = {}
        self.paused: bool = False
        self.listing_due: bool = True
        self.is_forgiving: bool = False
        self._previews: dict[int, Preview] = {}  # by picture, the newest last
        self._changed = threading.Condition()

    def wait(self, within_s: float) -> None:
        """Wait for the next errand, or so many seconds."""
        with self._changed:
            self._changed.wait(within_s)

    def wake(self) -> None:
        """End `wait`."""
        with self._changed:
            self._changed.notify_all()

    def preview(self, number: int) -> Preview:
        """Ask for the preview of a picture; it may be cancelled by newer requests."""
        dropped = []
        with self._changed:
            wanted = self._previews.pop(number, None) or Preview()
            self._previews[number] = wanted
            while len(self._previews) > MOST_PREVIEWS:
                dropped.append(self._previews.pop(next(iter(self._previews))))
            self._changed.notify_all()
        for each in dropped:
            each.cancel()
        return wanted

    def next_preview(self) -> tuple[int, Preview] | None:
        """Return the picture whose preview was asked for last, and take it from the list."""
        with self._changed:
            return self._previews.popitem() if self._previews else None

    @property
    def has_preview(self) -> bool:
        """Whether a preview is asked for."""
        return bool(self._previews)

    def drop_previews(self) -> None:
        """Cancel all previews."""
        with self._changed:
            dropped, self._previews = list(self._previews.values()), {}
        for each in dropped:
            each.cancel()

    def add(self, infos: Iterable[ObjectInfo]) -> None:
        """Have files downloaded, after those that wait."""
        with self._changed:
            self.queue.update((key_of(info), info) for info in infos)
            self.paused = False
            self._changed.notify_all()

    def settle(self, key: Key) -> None:
        """Take a file from the queue."""
        with self._changed:
            self.queue.pop(key, None)

    def waiting(self) -> list[Key]:
        """Return the files of the queue."""
        with self._changed:
            return list(self.queue)

    def clear(self) -> list[Key]:
        """Empty the queue, and return what was in it."""
        with self._changed:
            keys = list(self.queue)
            self.queue.clear()
            self._changed.notify_all()
            return keys

    def pause(self, *, paused: bool) -> None:
        """Have the download wait, or go on."""
        with self._changed:
            self.paused = paused
            self._changed.notify_all()

    def list_again(self) -> None:
        """Have the card listed."""
        with self._changed:
            self.listing_due = self.is_forgiving = True
            self._changed.notify_all()
