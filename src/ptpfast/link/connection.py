"""The two TCP connections to a camera: transactions, events, and the end of the connection.

This module does not know the meaning of operations, or vendors. The handshake and the packets are
known to the `Transport` only.

It is over 400 lines because a transaction, what it waits for and its end share one turn.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from ..engine.buffers import plain_bytes
from ..engine.channel import Timeline
from ..engine.phase import Phase
from ..engine.sink import Sink
from ..ptp.errors import (
    Cancelled,
    ConnectionLost,
    NetworkError,
    ProtocolError,
    PTPError,
    SinkError,
)
from ..transport.contract import Address, Transport
from ..transport.identity import Identity
from ..transport.ptpip import PTP_IP
from ..transport.timeouts import Timeouts
from .events import EventHub, EventReader
from .limiting import RateLimit
from .outstanding import Outstanding
from .patience import SlowestPace, go_on
from .pipelining import Following, Overfull, Request, Run, TransactionRunning
from .turn import Turn

log: logging.Logger = logging.getLogger("ptpfast")

LAST_TRANSACTION_ID = 0xFFFFFFFE  # 0 and all ones are reserved (ISO 15740)
PAUSE_S = 0.1  # how often a long transaction reports
LOOK_S = 1.0  # how often the pace of an unwatched transaction is checked


def _one() -> int:
    """Return the pipeline depth of one request at a time."""
    return 1


class Connection:
    """The Command/Data connection and the Event connection to one camera.

    `open` makes it. One transaction runs at a time; `transact` may be called from several threads.
    A separate thread serves events until the connection ends. After a ConnectionLost or
    ProtocolError it has ended (`usable`). After a Timeout the next transaction first waits for the
    end of that one.

    Attributes:
        token: A number that no other connection has, also not one of another process.
    """

    def __init__(
        self,
        address: Address,
        identity: Identity,
        timeouts: Timeouts,
        events: EventHub,
        transport: Transport,
        *,
        probes: bool = True,
    ) -> None:
        asked = identity._replace(look=go_on)  # by `stopped_by`
        opened = transport.open(address, asked, timeouts, probes=probes)
        self.address = address
        self.timeouts = timeouts
        self.events = events
        self._transport = transport
        self._identity = identity
        self.opened = opened
        self.token: int = secrets.randbits(63) | 1  # an ObjectInfo can come from another process
        self._command = opened.command
        self._events = EventReader(transport.hear, events, address.host)
        self._last_id = 0
        self.last_used: float = time.monotonic()  # when the last transaction ended
        self.limit: RateLimit | None = None  # of what objects bring; `limited` sets it
        self._turn = Turn()
        self._outstanding = Outstanding(opened.command)
        try:
            if opened.event is not None:
                self._events.start(opened.event, opened.early)
        except BaseException:
            self.close()
            raise

    def __del__(self) -> None:
        # The thread of the events holds their channel, not this: a connection that a signal handler
        # has kept from its variable, or interrupted in `close`, would stay open with it.
        if hasattr(self, "_turn"):
            self._turn.over = True
            self._events.disown()
            self.opened.close()

    @classmethod
    def open(
        cls,
        address: Address,
        identity: Identity | None = None,
        timeouts: Timeouts | None = None,
        *,
        transport: Transport = PTP_IP,
    ) -> Connection:
        """Connect to a camera.

        Raises:
            ConnectFailed, InitFailed: as `Transport.open`.
        """
        return cls(address, identity or Identity(), timeouts or Timeouts(), EventHub(), transport)

    def reopen(self) -> Connection:
        """Close this connection and open another with the same settings and subscribers."""
        self.close()
        self.events.reopen()
        try:
            again = Connection(
                self.address,
                self._identity._replace(confirm=None),  # the camera knows this computer already
                self.timeouts,
                self.events,
                self._transport,
                probes=self.opened.probes,
            )
        except BaseException:
            self.events.close()
            raise
        again.limit = self.limit
        return again

    def listen(self, *, events: bool = True) -> None:
        """Serve events from now on, since a session is open, and tell `watch` when it is quiet.

        Args:
            events: open the Event connection, if it is not open yet.

        Raises:
            ConnectFailed: the Event connection failed.
        """
        if not self._events.is_started:
            event = None
            if events:
                event = self._transport.open_events(self.opened, self.address, self.timeouts)
            self._events.start(event, [])

    @property
    def guid(self) -> bytes:
        """The GUID of the camera."""
        return self.opened.guid

    @property
    def name(self) -> str:
        """The name of the camera."""
        return self.opened.name

    @property
    def number(self) -> int:
        """The camera's number for this connection."""
        return self.opened.number

    @property
    def is_limited(self) -> bool:
        """True if a limit slows it down now, so that its rate tells nothing of the camera."""
        return self.limit is not None and self.limit.rate is not None

    @property
    def is_idle(self) -> bool:
        """True if no thread is in a transaction, and nothing is outstanding."""
        return self.usable and not self._turn.held_by_other_thread and not self._outstanding

    def watch(self, when_quiet: Callable[[], object] | None) -> None:
        """Call a function about once a second, in the event thread, while no events come."""
        self._events.when_quiet = when_quiet

    def next_transaction_id(self) -> int:
        """Return 1 after OpenSession, then one more each; wraps before the reserved value."""
        self._last_id = self._last_id % LAST_TRANSACTION_ID + 1
        return self._last_id

    def transact(self, request: Request, timeline: Timeline | None = None) -> Phase:
        """Run one transaction and return its finished phase. The response code is not checked.

        Raises:
            NetworkError, ProtocolError, SinkError, Cancelled: the transaction failed.
        """
        if request.in_passing and self._turn.held_by_other_thread:
            raise TransactionRunning(request.label)
        with self._turn.now():
            if request.in_passing and self._outstanding:
                raise TransactionRunning(request.label)
            self._settle(self.timeouts.operation)
            phase = self._send(request)
            try:
                self._receive(request, phase, timeline)
            except Cancelled:
                if request.in_passing and self._events.is_this_thread:
                    self._hand_on_cancel()
                raise
            return phase

    def _hand_on_cancel(self) -> None:
        """Cancel the next transaction: the user did not mean a poll or a keep-alive."""
        if not self._turn.over:
            self._settle(self.timeouts.close)
            self._command.cancel()

    def run(
        self,
        next_request: Callable[[], Request | None],
        done: Callable[[Request, Phase], None],
        *,
        depth: Callable[[], int] = _one,
        timeline: Timeline | None = None,
        following: Following | None = None,
    ) -> None:
        """Run many transactions with up to `depth()` of them outstanding (pipelined).

        `depth` is called after each transaction; if it shrinks, outstanding requests finish first.
        `next_request` is called whenever there is room and returns None when there is nothing to
        send now. `done` is called with each finished phase, in the order of the requests. None of
        them may use the connection. A request's sink is used when its data arrives. The run ends
        when nothing is outstanding and there is no next request. Raises as `transact`, and what
        the callbacks raise; outstanding answers are then dropped before the next transaction.

        `following` yields the requests that the next run will start with, each time from the
        beginning. They leave when all of this run's have left, at depth 1 after all have been
        answered, so that the camera is never idle. If another transaction comes instead,
        their answers are read and dropped.
        """
        with self._turn.now():
            if (first := next_request()) is None:
                return
            if not self._outstanding.is_ahead(first):
                self._settle(self.timeouts.operation)
            run = Run(first, next_request, self._send, self._outstanding.ahead, depth, following)
            while (due := run.due()) is not None:
                request, phase = due
                self._receive(request or Request(0), phase, timeline)
                if request is not None:
                    done(request, phase)

    @property
    def sent_ahead(self) -> Request | None:
        """The next request from the last run's `following`, if it is still outstanding."""
        return self._outstanding.ahead.first

    def begin(self, request: Request) -> Phase:
        """Send a request; `proceed` then receives its payload in pieces."""
        with self._turn.now():
            self._settle(self.timeouts.operation)
            return self._send(request)

    def proceed(self, phase: Phase, sink: Sink | None, timeline: Timeline | None = None) -> bool:
        """Continue a request that `begin` sent: True when it is done, False when the sink is full.

        Raises:
            RuntimeError: another operation ran in between and dropped the rest.
        """
        with self._turn.now():
            if not self._outstanding.is_first(phase):
                raise RuntimeError(f"{phase.label}: another operation interrupted it")
            self._receive(Request(0, sink=sink), phase, timeline, until_full=True)
            return phase.done

    def _send(self, request: Request) -> Phase:
        payload = None if request.data is None else plain_bytes(request.data)
        transaction_id = self.next_transaction_id() if request.in_session else 0
        packets = self._transport.request(
            request.operation, transaction_id, request.parameters, payload
        )
        phase = self._transport.phase(
            transaction_id,
            limit=request.limit,
            any_transaction_id=request.any_transaction_id,
            label=request.label,
        )
        try:
            self._command.send(packets, timeout_s=self.timeouts.operation)
        except BaseException as error:
            self._broken(error)  # it is unknown how much of the request has left
            if isinstance(error, PTPError):
                error.precede(request.label)
            raise
        self._outstanding.add(phase)
        return phase

    def _receive(
        self,
        request: Request,
        phase: Phase,
        timeline: Timeline | None,
        *,
        until_full: bool = False,
    ) -> None:
        """Receive the answer to a request, or as much of it as its sink takes."""
        phase.sink = request.sink
        wait_s, on_pause = self.timeouts.operation, request.on_pause
        if request.in_passing:
            wait_s = self.timeouts.close
        elif phase.sink is not None and self.timeouts.first_byte is not None:
            wait_s = self.timeouts.first_byte
        counted = phase.received
        pace = SlowestPace(wait_s, phase.received)
        slice_s = PAUSE_S if on_pause is not None else LOOK_S
        limit = None if phase.sink is None or request.in_passing else self.limit
        try:
            while not self._command.receive(
                phase,
                first_s=wait_s,
                idle_s=self.timeouts.idle,
                slice_s=slice_s,
                timeline=timeline,
                most=None if limit is None else limit.wait(),
            ):
                pace.require(phase.label, phase.received)
                if on_pause is not None:
                    on_pause(phase)
                if limit is not None:
                    limit.count(phase.received - counted)
                    counted = phase.received
                    limit.wait()  # before `resume`: the camera is not to blame
                pace.resume()
                if phase.sink_full and until_full:
                    return
                if phase.sink_full:
                    raise Overfull(
                        f"{phase.label}: the camera sent more data than fits",
                        received=phase.received,
                    )
                wait_s = self.timeouts.idle
        except SinkError:
            # Our disk's fault, not the camera's: keep the connection if that is cheap.
            try:
                self._settle(self.timeouts.close)
            except (NetworkError, ProtocolError, Cancelled) as error:
                log.debug("gave up the rest: %s", error)
            raise
        except (ConnectionLost, ProtocolError) as error:
            self._broken(error)
            raise
        if limit is not None:
            limit.count(phase.received - counted)  # the next answer waits for it
        self.last_used = time.monotonic()
        self._outstanding.end_first()
        for raw in phase.foreign_packets:
            self._events.take(raw)

    def _settle(self, timeout_s: float) -> None:
        """Receive interrupted transactions to their end and drop their payload."""
        try:
            self._outstanding.drain(timeout_s)
        except (NetworkError, ProtocolError) as error:
            self._broken(error)
            raise

    def _broken(self, error: BaseException) -> None:
        """Close the connection: it is lost, or out of step."""
        if isinstance(error, PTPError):  # kept, because no caller gets the error of a poll
            self._turn.ended_by = self._turn.ended_by or error.message
        self._outstanding.clear()
        self._command.close()

    @property
    def ended_by(self) -> str:
        """What the error said that has ended the connection; empty if none has."""
        return self._turn.ended_by

    @property
    def usable(self) -> bool:
        """True while another transaction can be tried."""
        return self._turn.owner.is_us and not self._turn.over and not self._command.closed

    def cancel(self) -> None:
        """Cancel the running transaction; it raises Cancelled. May be called from any thread."""
        self._command.cancel()

    def forget_cancel(self) -> None:
        """Withdraw a `cancel` that no transaction has met."""
        if self.usable:
            with suppress(ConnectionLost), self._turn.now():  # a poll hands a cancel on
                self._command.resume()

    def settle(self, timeout_s: float) -> bool:
        """End an interrupted transaction; return whether another one can be tried.

        A transaction of another thread is cancelled. Returns False within this thread's own one.
        """
        try:
            if self._turn.held_by_other_thread:
                self._command.cancel()
            with self._turn.within(timeout_s):
                self._command.resume()
                self._settle(timeout_s)
        except (NetworkError, ProtocolError, Cancelled, RuntimeError) as error:
            log.debug("gave up an interrupted transaction: %s", error)
            return False
        return self.usable

    def close(self) -> None:
        """Close both connections, the Event connection first. Safe to call twice.

        In a forked child this closes the child's descriptors only.
        """
        if self._turn.over:
            return
        self._turn.over = True
        if not self._turn.owner.is_us:
            self._events.disown()
            self.opened.close()
            return
        try:
            self._command.cancel()  # a request of the event thread
            self._events.close(self.timeouts.close)
            farewell = self._transport.farewell()
            if farewell and not self._outstanding and not self._command.closed:
                with suppress(NetworkError, Cancelled):
                    self._command.resume()
                    self._command.send(farewell, timeout_s=self.timeouts.close)
        finally:
            self.opened.close()
