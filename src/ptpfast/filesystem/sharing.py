"""The one session with a camera in a process, and who uses it.

A camera takes one session. fsspec makes a filesystem for each thread and each set of arguments, so
all filesystems of a process for one address use one session. It is opened when it is first needed,
and closed when no filesystem uses it any longer. A forked child opens its own.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from ..library.plan.options import RETRY
from ..session.connecting import connect
from ..transport.contract import Address
from .camera import OpenCamera, tell_busy
from .queue import RangeQueue

log: logging.Logger = logging.getLogger("ptpfast")


class SharedCamera:
    """The one session of this process for an address, and who uses it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = threading.RLock()
        self._users: dict[object, threading.Thread] = {}
        self._options: dict[str, Any] = {}
        self._open: RangeQueue | None = None

    def use(self, user: object, options: dict[str, Any]) -> RangeQueue:
        """Return the queue of the open camera; `user` counts as one who uses it until `leave`.

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
        """End the use of the session by `user`. Close it after the last one."""
        with self._lock:
            self._users.pop(user, None)
            # fsspec keeps the filesystem of a thread for ever, also when the thread has ended.
            for other in [each for each, thread in self._users.items() if not thread.is_alive()]:
                del self._users[other]
            if not self._users and self._open is not None:
                opened, self._open = self._open, None
                opened.close()


def _opened(address: Address, options: dict[str, Any]) -> RangeQueue:
    arguments = dict(options)
    retry = arguments.pop("retry", RETRY)
    port = address.port or None
    session = connect(address.host, port=port, waiting=tell_busy, **arguments)
    return RangeQueue(OpenCamera(session, retry), f"ptpfast reads {address}")


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
