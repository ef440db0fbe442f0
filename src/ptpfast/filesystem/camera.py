"""The session with one camera: what is run there again after a loss, and the listing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..link.patience import Patience
from ..ptp.codes import EventCode
from ..ptp.errors import Cancelled, PTPError
from ..ptp.objects import ObjectInfo
from ..session.persistence import Persistence
from ..session.session import Session
from .tree import Tree

log: logging.Logger = logging.getLogger("ptpfast")

T = TypeVar("T")

_CHANGES = frozenset(
    {
        EventCode.ObjectAdded,
        EventCode.ObjectRemoved,
        EventCode.ObjectInfoChanged,
        EventCode.StoreAdded,
        EventCode.StoreRemoved,
    }
)


class OpenCamera:
    """An open session with the listing of its cards and the ranges that are read."""

    def __init__(self, session: Session, retry: int | None) -> None:
        """retry: how often in a row a lost session is opened again."""
        self.session = session
        self.stop: threading.Event = threading.Event()  # set when the session is closed for good
        self._retry = retry
        self._events = session.link.hub.subscribe()
        self._lock = threading.RLock()  # of the listing
        self._reconnecting = threading.Lock()
        self._tree: Tree | None = None
        self._listed_at = 0.0
        self._reconnects = 0  # when it was listed

    def run(self, work: Callable[[Session], T], kept: Callable[[], int] | None = None) -> T:
        """Run `work` with the session; open a lost session again and repeat it.

        Args:
            work: what to do; it continues where it stopped.
            kept: returns the number of bytes that need not be read again.

        Raises:
            PTPError: as `work` raises, or the session is lost again and again.
        """
        guarded = _Guarded(self.session, self._reconnecting, self.stop)
        return self._persistence(guarded).run(lambda: guarded.run(work), kept)

    def _persistence(self, guarded: _Guarded) -> Persistence:
        return Persistence(cast(Session, guarded), self._retry, _nothing)

    def tree(self, max_age_s: float | None = None) -> Tree:
        """Return the folders, listed if they are not known or may have changed.

        Args:
            max_age_s: list again if they were listed longer ago; None: at any time.
        """
        with self._lock:
            old = max_age_s is not None and time.monotonic() - self._listed_at >= max_age_s
            changed = self._has_changed()
            if self._tree is None or old or changed:
                self._tree = None
                reconnects, began = self.session.link.reconnects, time.monotonic()
                self._tree = self._list()
                self._reconnects, self._listed_at = reconnects, began
            return self._tree

    def forget_tree(self) -> None:
        """List again before the next use."""
        with self._lock:
            self._tree = None

    def _has_changed(self) -> bool:
        changed = self.session.link.reconnects != self._reconnects
        while (event := self._events.get(0)) is not None:
            changed |= event.code in _CHANGES
        return changed

    def _list(self) -> Tree:
        guarded = _Guarded(self.session, self._reconnecting, self.stop)
        persistence = self._persistence(guarded)
        with persistence.for_listings():
            listing = persistence.run(lambda: guarded.run(Session.listing))
            files: dict[int, ObjectInfo] = {}
            failures: dict[int, PTPError] = {}
            try:
                while (piece := persistence.run(lambda: guarded.run(_next(listing)))) is not None:
                    files.update((info.handle, info) for info in piece)
                    failures.update(piece.failures)
            finally:
                listing.close()
        for handle, error in failures.items():
            files.pop(handle, None)
            log.warning("0x%X is left out: %s", handle, error)
        return Tree.of(listing, files.values(), len(failures))

    def found_again(self, info: ObjectInfo, error: PTPError) -> ObjectInfo:
        """Return an object under its new handle.

        Raises:
            FileNotFoundError: it is gone, or another one has its path now.
        """
        self.forget_tree()
        for found in self.tree().files():
            known = (info.storage_id, info.path, info.size, info.captured)
            if (found.storage_id, found.path, found.size, found.captured) == known:
                return found
        raise FileNotFoundError(
            f"{info.path} is no longer on the card, or has changed; list the folder again"
        ) from error

    def close(self) -> None:
        """End the session. What is being read fails."""
        self.stop.set()
        self.session.close()


def _next(listing: Any) -> Callable[[Session], Any]:
    return lambda session: listing.next()


def _nothing(error: PTPError) -> None:
    """Say nothing: the log has it."""


def tell_busy(error: PTPError) -> None:
    """Log that a camera is waited for."""
    log.warning("%s; waiting", error)


class _Guarded:
    """A session as `Persistence` needs it: of several threads that lost it, one reconnects."""

    def __init__(self, session: Session, lock: threading.Lock, stop: threading.Event) -> None:
        self._session = session
        self._lock = lock
        self._stop = stop
        self._seen = session.link.reconnects
        self.link, self.habits = session.link, session.habits

    def run(self, work: Callable[[Session], T]) -> T:
        self._seen = self._session.link.reconnects
        return work(self._session)

    @property
    def usable(self) -> bool:
        return self._session.usable

    def reconnect(self, patience: Patience | None = None) -> None:
        with self._lock:
            if self._stop.is_set():
                raise Cancelled("the filesystem has been closed")
            if self._session.link.reconnects == self._seen or not self._session.usable:
                self._session.reconnect(patience)
