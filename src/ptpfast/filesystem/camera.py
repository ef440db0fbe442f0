"""The session with one camera, and what all share who read from it.

A camera takes one session. fsspec makes a filesystem for each thread and each set of arguments, so
all filesystems of a process for one address use one session. It is opened when it is first needed,
and closed when no filesystem uses it any longer. A forked child opens its own.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..library.plan.options import RETRY
from ..link.patience import Patience
from ..ptp.codes import EventCode
from ..ptp.errors import Cancelled, PTPError
from ..ptp.objects import ObjectInfo
from ..session.connecting import connect
from ..session.persistence import Persistence
from ..session.session import Session
from ..transport.contract import Address
from .queue import Range, RangeQueue
from .tree import Tree

log = logging.getLogger("ptpfast")

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
        self.queue = RangeQueue(self, f"ptpfast reads {session.link.connection.address}")
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
        guarded = _Guarded(self.session, self._reconnecting, self.queue)
        return self._persistence(guarded).run(lambda: guarded.run(work), kept)

    def _persistence(self, guarded: _Guarded) -> Persistence:
        return Persistence(cast(Session, guarded), self._retry, _tell)

    def read(self, ranges: list[Range]) -> None:
        """Have ranges read in this order; the future of each gets its bytes."""
        self.queue.add(ranges)

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
        guarded = _Guarded(self.session, self._reconnecting, self.queue)
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
        self.queue.stop()
        self.session.close()
        self.queue.join(self.session.timeouts.operation)


def _next(listing: Any) -> Callable[[Session], Any]:
    return lambda session: listing.next()


def _tell(error: PTPError) -> None:
    log.warning("%s; connecting again", error)


class _Guarded:
    """A session as `Persistence` needs it: of several threads that lost it, one reconnects."""

    def __init__(self, session: Session, lock: threading.Lock, queue: RangeQueue) -> None:
        self._session = session
        self._lock = lock
        self._queue = queue
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
            if self._queue.is_closed:
                raise Cancelled("the filesystem has been closed")
            if self._session.link.reconnects == self._seen or not self._session.usable:
                self._session.reconnect(patience)


class SharedCamera:
    """The one session of this process for an address, and who uses it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.RLock()
        self._users: dict[object, threading.Thread] = {}
        self._options: dict[str, Any] = {}
        self._open: OpenCamera | None = None

    def use(self, user: object, options: dict[str, Any]) -> OpenCamera:
        """Return the open camera; `user` counts as one who uses it until `leave`.

        Raises:
            ValueError: it is open with other options.
            PTPError: it cannot be connected to.
        """
        with self._lock:
            if self._open is not None and options != self._options:
                raise ValueError(
                    f"{self._address} is connected with other options; close the other filesystem, "
                    "or give the same vendor, timeouts and depth"
                )
            if self._open is None:
                self._open = _opened(self._address, options)
                self._options = options
            self._users[user] = threading.current_thread()
            return self._open

    def leave(self, user: object) -> None:
        """Close the session if nobody else uses it."""
        with self._lock:
            self._users.pop(user, None)
            # fsspec keeps the filesystem of a thread for ever, also when the thread has ended.
            for other in [each for each, thread in self._users.items() if not thread.is_alive()]:
                del self._users[other]
            if not self._users and self._open is not None:
                opened, self._open = self._open, None
                opened.close()


def _opened(address: Address, options: dict[str, Any]) -> OpenCamera:
    arguments = dict(options)
    retry = arguments.pop("retry", RETRY)
    port = address.port or None
    return OpenCamera(connect(address.host, port=port, waiting=_tell, **arguments), retry)


_shared: dict[Address, SharedCamera] = {}
_lock = threading.Lock()


def shared(address: Address) -> SharedCamera:
    """Return the camera at an address, as all filesystems of this process share it."""
    with _lock:
        return _shared.setdefault(address, SharedCamera(address))


def leave_soon(address: Address, user: object) -> None:
    """Leave a camera when a filesystem is collected.

    That may happen at any moment in any thread, also while that thread holds the locks.
    """
    camera = _shared.get(address)
    if camera is not None:
        try:
            threading.Thread(target=camera.leave, args=(user,), name="ptpfast leaves").start()
        except RuntimeError:  # the interpreter ends, and closes the session
            log.debug("%s is left at the end of the program", address)


def _begin_in_child() -> None:
    global _lock
    _lock = threading.Lock()
    _shared.clear()  # closes the copies of the parent's descriptors, and nothing of the parent's


os.register_at_fork(after_in_child=_begin_in_child)
