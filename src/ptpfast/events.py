"""Events: one stream out of the Event connection and of whatever a vendor makes us ask for.

Some bodies report the same event both ways, some only one way; a subscriber sees each once. Nothing
here reads a socket: the connection and the session publish, subscribers wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum

from .codes import EventCode, name_of


class Source(Enum):
    """Where an event came from."""

    CONNECTION = "event connection"
    POLL = "polling"


@dataclass(frozen=True, slots=True)
class Event:
    """Something the camera reports. `code` is an `EventCode` number or a vendor's."""

    code: int
    parameters: tuple[int, ...] = ()
    transaction_id: int = 0
    source: Source = Source.CONNECTION

    def __str__(self) -> str:
        parameters = ", ".join(f"0x{value:X}" for value in self.parameters)
        return f"{name_of(EventCode, self.code)}({parameters})"


# How long the second report of one event may lag behind the first. Polls are some hundred ms apart.
SAME_EVENT_S = 5.0
# A subscriber that does not read keeps the newest of this many.
QUEUE_SIZE = 10_000


class Subscription:
    """A queue of events of one subscriber; `get` waits."""

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub
        self._queue: deque[Event] = deque(maxlen=QUEUE_SIZE)

    def get(self, timeout: float | None = None) -> Event | None:
        """The next event; None after `timeout` seconds, or when no more can come (`hub.closed`)."""
        with self._hub.changed:
            self._hub.changed.wait_for(lambda: self._queue or self._hub.closed, timeout)
            return self._queue.popleft() if self._queue else None

    def close(self) -> None:
        """Ends the subscription."""
        with self._hub.changed:
            self._hub.subscriptions.remove(self)

    def put(self, event: Event) -> None:
        """For the hub, which holds its lock."""
        self._queue.append(event)


class EventHub:
    """Takes events from all sources and gives each to every subscriber once. Thread-safe."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.subscriptions: list[Subscription] = []
        self.closed = False
        # Reported by one source and not yet by the other: (source, code, parameters) → times.
        self._reported: dict[tuple[Source, int, tuple[int, ...]], deque[float]] = {}

    def subscribe(self) -> Subscription:
        """A new queue, of what comes from now on."""
        subscription = Subscription(self)
        with self.changed:
            self.subscriptions.append(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        """Hands an event to everybody, unless the other source has just reported the same one."""
        with self.changed:
            if self._is_repeat(event):
                return
            for subscription in self.subscriptions:
                subscription.put(event)
            self.changed.notify_all()

    def close(self) -> None:
        """No more events will come: wakes everybody who waits."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def reopen(self) -> None:
        """Events come again: from another connection."""
        with self.changed:
            self.closed = False

    def _is_repeat(self, event: Event) -> bool:
        now = time.monotonic()
        # A poll gives one parameter where the packet has three (the others zero): compare one.
        identity = (event.code, event.parameters[:1] or (0,))
        other = Source.POLL if event.source is Source.CONNECTION else Source.CONNECTION
        seen = self._reported.get((other, *identity))
        while seen:
            if now - seen.popleft() < SAME_EVENT_S:
                return True
        mine = self._reported.setdefault((event.source, *identity), deque())
        while mine and now - mine[0] >= SAME_EVENT_S:
            mine.popleft()
        mine.append(now)
        if len(self._reported) > QUEUE_SIZE:
            self._reported.clear()
        return False
