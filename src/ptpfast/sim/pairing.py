"""The client of a simulated camera: one pair of connections at a time.

A lock is never held while a socket is waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from .peer import Peer

# How long the threads of a pair that its Initiator has closed may take to see it.
_NOTICE_S = 1.0


class Pairing:
    """The camera's one place for a client.

    `ended` is called with a pair that has ended, before another client may connect. It is not
    called for a pair that `close` ends.
    """

    def __init__(self, ended: Callable[[Peer], None]) -> None:
        self._ended = ended
        self._changed = threading.Condition()
        self._peer: Peer | None = None
        self._numbers = 0
        self._closing = False

    @property
    def peer(self) -> Peer | None:
        """The connected pair, or half of it."""
        return self._peer

    def admit(self, make: Callable[[int], Peer]) -> Peer | None:
        """Return a new pair for a client; None while there is another client.

        `make` makes it from the next connection number.
        """
        with self._changed:
            old = self._peer
            if old is not None and (old.gone.is_set() or old.has_left()):
                if old.event is not None:
                    # Its threads are about to see that: a quick return must not look busy.
                    self._changed.wait_for(lambda: self._peer is not old, _NOTICE_S)
                self.part(old)
            if self._peer is not None or self._closing:
                return None
            self._numbers += 1
            self._peer = make(self._numbers)
            return self._peer

    def pending(self, number: int) -> Peer | None:
        """Return the pair that waits for an Event connection with this number."""
        peer = self._peer
        waits = peer is not None and peer.event is None and peer.number == number
        return peer if waits else None

    def attach(self, peer: Peer, attach_event: Callable[[], None]) -> None:
        """Complete a pair by `attach_event`, and wake the waiting thread."""
        attach_event()
        with self._changed:
            self._changed.notify_all()

    def is_complete(self, peer: Peer, timeout: float) -> bool:
        """Return whether the Event connection comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: peer.event is not None or peer.gone.is_set(), timeout)
        return peer.event is not None

    def part(self, peer: Peer) -> None:
        """End a pair: its other connection ends too, and another client may connect."""
        peer.leave()
        with self._changed:
            if self._peer is peer:
                if not self._closing:
                    self._ended(peer)
                self._peer = None
                self._changed.notify_all()

    def drop(self, *, reset: bool = False) -> None:
        """End the connections of the pair now, with FIN or with RST."""
        with self._changed:
            if self._peer is not None:
                self._peer.leave(reset=reset)
            self._changed.notify_all()

    def close(self) -> None:
        """End the pair, and accept no other."""
        with self._changed:
            self._closing = True
        self.drop()
