"""Events of the Event connection and of polls, as one stream.

Some bodies report the same event both ways, some only one way; a subscriber sees each once. The
reader of the Event connection and the session publish, and subscribers wait.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from queue import Empty, SimpleQueue

from ..engine.channel import Channel
from ..engine.process import Owner
from ..ptp.codes import EventCode, name_of
from ..ptp.errors import Cancelled, LimitReached, NetworkError, ProtocolError, Timeout
from ..transport.contract import Heard

log: logging.Logger = logging.getLogger("ptpfast")


class Source(Enum):
    """The origin of an event."""

    CONNECTION = "event connection"
    POLL = "polling"


@dataclass(frozen=True, slots=True)
class Event:
    """An event that the camera reported.

    Attributes:
        code: An `EventCode`, or a vendor's number.
        parameters: Up to five numbers; for events about objects the first is the handle.
        transaction_id: The transaction that caused it; 0 if none.
        source: The Event connection, or a poll.
    """

    code: int
    parameters: tuple[int, ...] = ()
    transaction_id: int = 0
    source: Source = Source.CONNECTION

    def __str__(self) -> str:
        parameters = ", ".join(f"0x{value:X}" for value in self.parameters)
        return f"{name_of(EventCode, self.code)}({parameters})"


# How long the second report of one event may lag behind the first. Polls are up to some seconds
# apart.
SAME_EVENT_S = 5.0
MOST_REPEATS = 100  # of one event by one source, that still wait for the other's
# A subscriber that does not read keeps the newest of this many.
QUEUE_SIZE = 10_000
LOOK_S = 1.0  # without an event, after which it is looked whether all is quiet
MAX_PARAMETERS = 5  # of an event; ISO 15740 has three, Fujifilm four, a packet room for more
# An object that was described is another one now, or gone; its handle is the first parameter.
ALTERING = frozenset({EventCode.ObjectInfoChanged, EventCode.ObjectRemoved})


class Subscription:
    """A queue of events of one subscriber; `get` waits."""

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub
        self._queue: deque[Event] = deque(maxlen=QUEUE_SIZE)

    def get(self, timeout: float | None = None) -> Event | None:
        """Return the next event; None after `timeout` seconds, or at the end (`hub.closed`)."""
        self._hub.owner.require()
        with self._hub.changed:
            self._hub.changed.wait_for(lambda: self._queue or self._hub.closed, timeout)
            return self._queue.popleft() if self._queue else None

    @property
    def is_empty(self) -> bool:
        """True if no event waits."""
        return not self._queue

    def close(self) -> None:
        """End the subscription."""
        with self._hub.changed, contextlib.suppress(ValueError):  # dropped before
            self._hub.subscriptions.remove(self)

    def put(self, event: Event) -> None:
        """Add an event. Only the hub calls this, holding its lock."""
        self._queue.append(event)


class EventHub:
    """Receiver of events from all sources. It gives each to every subscriber once. Thread-safe."""

    def __init__(self) -> None:
        self.owner: Owner = Owner("session")
        self.changed: threading.Condition = threading.Condition()
        self.subscriptions: list[Subscription] = []
        self.closed: bool = False
        self._listeners: list[Callable[[], object]] = []
        # Reported by one source and not yet by the other: (source, code, parameters) → times.
        self._reported: dict[tuple[Source, int, tuple[int, ...]], deque[float]] = {}
        self._altered: dict[int, None] = {}  # handles, the newest of them
        # What the packets of the Event connection mean; the dialect knows. Not `publish`: a dialect
        # that publishes has translated already.
        self.meaning: Callable[[int, tuple[int, ...]], Iterable[tuple[int, tuple[int, ...]]]] = (
            lambda code, parameters: [(code, parameters)]
        )

    def subscribe(self) -> Subscription:
        """Return a queue of all events from now on."""
        self.owner.require()
        subscription = Subscription(self)
        with self.changed:
            self.subscriptions.append(subscription)
        return subscription

    def drop_subscriptions(self) -> None:
        """Send no more events to the present subscribers, so that no queue of theirs grows."""
        with self.changed:
            self.subscriptions.clear()

    def publish(self, event: Event) -> None:
        """Pass an event to all subscribers, unless the other source has just reported it."""
        if len(event.parameters) > MAX_PARAMETERS:
            event = replace(event, parameters=event.parameters[:MAX_PARAMETERS])
        with self.changed:
            if self._is_repeat(event):
                return
            if event.code in ALTERING and event.parameters:
                self._altered[event.parameters[0]] = None
                if len(self._altered) > QUEUE_SIZE:
                    del self._altered[next(iter(self._altered))]
            for subscription in self.subscriptions:
                subscription.put(event)
            self._notify()

    def is_altered(self, handle: int) -> bool:
        """Return whether the camera has reported the object as changed or gone.

        `take_altered` resets this.
        """
        with self.changed:
            return handle in self._altered

    def take_altered(self, handle: int) -> bool:
        """Return whether an object was reported as changed or removed, and forget that."""
        with self.changed:
            altered = handle in self._altered
            self._altered.pop(handle, None)
            return altered

    def close(self) -> None:
        """End the stream, and wake all subscribers."""
        with self.changed:
            self.closed = True
            self._notify()

    @contextlib.contextmanager
    def listening(self, changed: Callable[[], object]) -> Iterator[None]:
        """Call `changed`, which may not wait, after each event and at the end of the stream."""
        with self.changed:
            self._listeners.append(changed)
        try:
            yield
        finally:
            with self.changed:
                self._listeners.remove(changed)

    def _notify(self) -> None:
        self.changed.notify_all()
        for changed in self._listeners:
            changed()

    def reopen(self) -> None:
        """Reopen the stream for another connection."""
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
        # The newest last, so that the old ones are found without a look at all.
        mine = self._reported.pop((event.source, *identity), deque(maxlen=MOST_REPEATS))
        while mine and now - mine[0] >= SAME_EVENT_S:
            mine.popleft()
        mine.append(now)
        self._reported[(event.source, *identity)] = mine
        self._forget_old(now)
        return False

    def _forget_old(self, now: float) -> None:
        """Forget what no other source will report again: of each new object one would stay."""
        while self._reported:
            oldest = next(iter(self._reported))
            times = self._reported[oldest]
            if times and now - times[-1] < SAME_EVENT_S and len(self._reported) <= QUEUE_SIZE:
                return
            del self._reported[oldest]


class EventReader:
    """Thread of an Event connection: it publishes events and answers probes.

    While nothing comes it calls `when_quiet`.
    """

    def __init__(self, hear: Callable[[bytes], Heard], hub: EventHub, host: str) -> None:
        """hear: what a packet comes to, as the transport says."""
        self.when_quiet: Callable[[], object] | None = None  # called about once a second
        self._hear = hear
        self._channel: Channel | None = None
        self._hub = hub
        self._host = host
        self._closed = False
        # Not an Event: a connection that is collected closes this, in whichever thread that is, and
        # an Event has a lock.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def is_started(self) -> bool:
        """True after `start` was called."""
        return self._thread is not None

    def start(self, channel: Channel | None, early: list[bytes]) -> None:
        """Begin, with packets that came during the handshake.

        Without a channel, for a camera that has no Event connection, it is quiet all the time.
        """
        self._channel = channel
        thread = threading.Thread(
            target=self._run, args=(early,), name=f"ptpfast events {self._host}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            raise LimitReached.of(error) or error from error
        self._thread = thread

    def close(self, timeout_s: float) -> None:
        """Close the connection and wait for the thread, unless this is the thread itself."""
        self.disown()
        try:
            if self._thread is not None and self._thread is not threading.current_thread():
                with contextlib.suppress(RuntimeError):  # interrupted before it was started
                    self._thread.join(timeout_s)
        finally:
            self._hub.close()

    @property
    def is_this_thread(self) -> bool:
        """True in the thread of the events."""
        return self._thread is threading.current_thread()

    def disown(self) -> None:
        """Close the connection without waiting for the thread.

        A forked child does not have the thread, and its locks may be held for ever.
        """
        self._closed = True
        self._wake.put(None)
        if self._channel is not None:
            self._channel.close()

    def take(self, raw: bytes) -> None:
        """Handle one packet, from either connection; ignore an unknown one."""
        try:
            event, reply = self._hear(raw)
        except ProtocolError as error:
            log.debug("ignored: %s", error)
            return
        if reply and self._channel is not None:
            self._channel.send(reply)
        if event is not None:
            for code, parameters in self._hub.meaning(event.code, event.parameters):
                self._hub.publish(Event(code, parameters, event.transaction_id))

    def _run(self, early: list[bytes]) -> None:
        try:
            for packet in early:
                self.take(packet)
            while not self._closed:
                if not self._take_next() and self.when_quiet is not None:
                    self.when_quiet()
        except (NetworkError, Cancelled, ProtocolError) as error:
            if not self._closed:
                log.warning("the Event connection to %s ended: %s", self._host, error)
        finally:
            self._hub.close()

    def _take_next(self) -> bool:
        """Return whether a packet came in time."""
        if self._channel is None:
            with contextlib.suppress(Empty):
                self._wake.get(timeout=LOOK_S)
            return self._closed
        try:
            self.take(self._channel.receive_packet(timeout_s=LOOK_S))
        except Timeout:
            return False
        return True
