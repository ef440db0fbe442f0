"""Which handles of a session are dealt with, and which failed and are tried again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..library.report.results import FileResult
    from ..ptp.objects import ObjectInfo

FIRST_PAUSE_S = 10.0  # before an object that failed is tried again; doubled each time
LONGEST_PAUSE_S = 3600.0

Key = tuple[str, int | None, datetime | None]


class Ledger:
    """What is known of the handles of a session, and of the objects from before the watch.

    Attributes:
        seen: Handles that need nothing more.
        here: Those of them whose files are here.
        before: What `seen` was before the last reconnect, until the card is listed again; empty
            for another card.
        existing: With `new_only`, the objects that were on the card at the start.
    """

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.here: set[int] = set()
        self.before: set[int] = set()
        self.existing: set[Key] = set()
        self._failed: dict[int, tuple[float, float]] = {}  # handle → when it is due, next pause

    def begin_session(self, *, is_other_card: bool) -> None:
        """Forget the handles: after a reconnect they may be those of other objects.

        What failed keeps its pause, except on another card: each try may cost a connection.
        """
        self.before, self.seen = self.seen, set()
        self.here.clear()
        if is_other_card:
            self.before.clear()
            self._failed.clear()

    def keep(self, handles: Iterable[int]) -> None:
        """Forget what failed except these, which the camera still has."""
        still_there = self._failed.keys() & set(handles)
        self._failed = {handle: self._failed[handle] for handle in still_there}

    def learn(self, results: Iterable[FileResult], listed: Iterable[int]) -> None:
        """Note the end of a run.

        Args:
            results: of the objects that it dealt with.
            listed: the handles that it knew, also those of folders and of unwanted objects.
        """
        self.seen.update(listed)
        for result in results:
            handle = result.handle
            if is_settled(result):
                self._failed.pop(handle, None)
                self.here.add(handle)
            else:
                self.seen.discard(handle)
                self._postpone(handle)

    def _postpone(self, handle: int) -> None:
        now = time.monotonic()
        due, pause_s = self._failed.get(handle, (now, FIRST_PAUSE_S))
        if due <= now:
            self._failed[handle] = (now + pause_s, min(2 * pause_s, LONGEST_PAUSE_S))

    def due(self) -> list[int]:
        """Return the handles that failed and are to be tried again now."""
        now = time.monotonic()
        return [handle for handle, (due, _) in self._failed.items() if due <= now]

    def news_of_reconnect(self, handles: Iterable[int]) -> list[int]:
        """Return those of these handles that needed something when the last session ended."""
        before, self.before = self.before, set()
        return [handle for handle in handles if handle not in before]

    def unknown(self, handles: Iterable[int]) -> list[int]:
        """Return those of the camera's handles that are new."""
        return [h for h in handles if h not in self.seen and h not in self._failed]

    def forget(self, handles: Iterable[int]) -> None:
        """Forget objects that are gone, or that have changed."""
        for handle in handles:
            self.seen.discard(handle)
            self.here.discard(handle)
            self._failed.pop(handle, None)

    def note_existing(self, objects: Iterable[ObjectInfo]) -> None:
        """Note objects that are not to be fetched."""
        self.existing.update(map(_key, objects))

    def wants(self, info: ObjectInfo) -> bool:
        """Return whether an object is not one from before the watch."""
        return not self.existing or _key(info) not in self.existing


def is_settled(result: FileResult) -> bool:
    """Return whether an object needs no further download in this session."""
    if result.status == "skipped":
        # Of 0 bytes and not sent: perhaps the camera still writes it.
        return result.object is None or bool(result.object.size) or result.path is not None
    return result.status == "downloaded"


def _key(info: ObjectInfo) -> Key:
    return info.path, info.size, info.captured
