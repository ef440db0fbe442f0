"""The time between two sessions: close at exit, pause, and wait for a busy camera.

Open sessions are closed at exit. A camera gets its pause before the next connection. If it still
holds the last session, ptpfast waits.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from ..ptp.errors import ConnectFailed, InitFailed, PTPError
from ..transport.contract import Address
from ..vendors.elsewhere import BUSY, explain
from .connection import Connection
from .patience import Patience, pause

# Address → when a camera that needs a pause after a close may be asked again. Guarded by a
# lock: it must outlive sessions, because the next one is a new object.
_not_before: dict[Address, float] = {}
_not_before_lock = threading.Lock()


class _Closable(Protocol):
    def close(self) -> None: ...


# Links still open when the program exits are closed then: otherwise a camera can refuse the next
# Init for half a minute and more.
_open_links: weakref.WeakSet[_Closable] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for link in list(_open_links):
        link.close()


def _forget_parents() -> None:
    """Forget the parent's sessions in a forked child, which must not close them.

    The lock is renewed, because another thread of the parent may have held it.
    """
    global _not_before_lock
    _not_before_lock = threading.Lock()
    _open_links.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


def close_at_exit(link: _Closable) -> None:
    """Close a link when the program ends, unless `do_not_close_at_exit` comes first."""
    _open_links.add(link)


def do_not_close_at_exit(link: _Closable) -> None:
    """Note that a link is closed."""
    _open_links.discard(link)


def begin_reconnect_pause(address: Address, pause_s: float) -> None:
    """Do not connect to this address for so many seconds."""
    with _not_before_lock:
        _not_before[address] = time.monotonic() + pause_s


def honour_reconnect_pause(address: Address) -> None:
    """Wait until this address may be connected to again."""
    with _not_before_lock:
        wait_s = _not_before.pop(address, 0.0) - time.monotonic()
    if wait_s > 0:
        pause(wait_s)


def connect_when_free(
    connect: Callable[[], Connection],
    address: Address,
    held_s: float,
    waiting: Callable[[PTPError], object] | None,
) -> Connection:
    """Return the result of `connect`, retried while the camera is busy.

    It may still hold the session of an aborted run. With `waiting`, which is called once, this
    retries for `held_s` seconds.
    """
    patience = Patience(held_s, first_s=0.2, most_s=5.0)
    while True:
        try:
            return connect()
        except ConnectFailed as error:
            raise explain(error, address) from error.__cause__
        except InitFailed as error:
            refused = explain(error, address)
            # One that says nothing is not waited for: that may as well be a wrong address.
            if waiting is None or error.reason not in BUSY:
                raise refused from None
            if not patience.waits and not patience.is_used_up:
                waiting(refused)
            patience.wait(refused)
