"""The operations of one camera, retries while it is busy, and the life of a session.

Sources: libgphoto2 (library.c) and airmtp for the order of opening and closing; the pauses are the
vendors' quirks.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..engine.channel import Timeline
from ..engine.phase import Phase
from ..engine.process import Owner
from ..engine.sink import MemorySink
from ..engine.wire import OperationResponse
from ..logs import tell
from ..ptp.codes import FailReason
from ..ptp.datasets import DeviceInfo
from ..ptp.errors import (
    ConnectFailed,
    DeviceBusy,
    InitFailed,
    NetworkError,
    OwnerAsked,
    ProtocolError,
    PTPError,
    ResponseError,
    owner_asked,
)
from ..transport.timeouts import Timeouts
from ..vendors import STANDARD, Asks, Dialect, ReconnectFirst, Role, Vendor, select
from ..vendors.leaving import leaving
from .answers import outcome, request_label, response_of
from .chunking import ChunkPolicy
from .connection import Connection
from .courtesy import begin_reconnect_pause, close_at_exit, do_not_close_at_exit
from .events import Event, EventHub, Source
from .habits import Habits, tuned
from .losses import Losses
from .opening import MAX_STRUCTURE, ask_device_info, close_session, name_who_answered, open_session
from .owner import await_owner
from .patience import BRIEF_BUSY_S, BUSY_S, Patience, pause
from .pipelining import Following, Request
from .renewal import reopen, require_same
from .upkeep import Interrupted, Upkeep

log: logging.Logger = logging.getLogger("ptpfast")

# The memory limit of a payload. Larger payloads that are no objects do not exist: 10,000 handles
# are 40 KB, an embedded preview some MB.
MAX_DATASET = 64 << 20
# How often the vendor's part of a beginning may ask for another connection.
MOST_RECONNECTS = 3


class Link:
    """An open session with a camera, as the layers below `Session` know it.

    Attributes:
        operations: The operations that the camera lists.
        habits: How to ask it.
        reconnects: The number of reconnects.
        on_busy: Called before each pause while the camera is busy, with its answer and the seconds.
    """

    def __init__(
        self,
        connection: Connection,
        vendor: Vendor | None = None,
        role: Role = "download",
        told: Callable[[PTPError], object] | None = None,
    ) -> None:
        """role: the purpose of the session. told: called when the camera's owner has to act."""
        self.connection: Connection = connection
        self._role, self._told = role, told
        self.vendor: Vendor = vendor or STANDARD
        self.operations: frozenset[int] = frozenset()
        self.losses: Losses = Losses()
        self.reconnects: int = 0
        self.on_busy: Callable[[PTPError, float], object] | None = None
        self._of_thread = threading.local()  # the thread's plan
        self._owner = Owner("session")
        self._guid = connection.guid
        self._closed, self._opened_at = False, 0.0
        self.device_info: DeviceInfo = DeviceInfo()
        self.dialect: Dialect = self._make_dialect()
        self._upkeep = Upkeep(self.dialect)
        self.habits: Habits = Habits(ChunkPolicy(self.dialect.quirks.max_chunk), 1)
        try:
            self.device_info = connection.opened.device_info or ask_device_info(self.transact)
        except NetworkError as error:
            name_who_answered(error, self.connection)
            raise
        self.operations = frozenset(self.device_info.operations_supported)
        self.vendor = vendor or select(self.device_info)
        self.dialect = self._make_dialect()
        self._upkeep = Upkeep(self.dialect)
        known = tuned(self.device_info, self.vendor)
        self.habits = Habits.of(self.device_info, self.dialect.quirks, known)
        self._begin()

    # Transactions

    def supports(self, operation: int) -> bool:
        """Return whether the camera lists the operation."""
        return operation in self.operations

    def patience(self, limit_s: float) -> Patience:
        """Return how long to retry while busy: `limit_s`, less if it has been busy for long."""
        brief = self.habits.is_brief or self.losses.streak.is_long
        return Patience(min(limit_s, BRIEF_BUSY_S) if brief else limit_s, told=self.on_busy)

    def transact(
        self, request: Request, *, busy_s: float | None = None, timeline: Timeline | None = None
    ) -> Phase:
        """Run one operation and return the finished phase; its payload goes into the request's
        sink. A busy camera is asked again for `busy_s` (10 s by default). Raises ResponseError
        unless OK, ProtocolError for a short payload."""
        if not request.label:
            request.label = request_label(self.vendor, request.operation, request.parameters)
        if request.sink is None and request.limit is None:
            request.limit = MAX_STRUCTURE  # dropped on arrival, but bounded
        request.in_passing = self._upkeep.in_passing
        patience = None
        while True:
            phase = self.connection.transact(request, timeline)
            error = outcome(self.vendor, self.dialect, request, phase)
            self._learn(request.operation, phase, error)
            if error is None:
                return phase
            if not isinstance(error, DeviceBusy) or phase.received:
                raise error
            if busy_s is None:
                busy_s = 0.0 if self._upkeep.in_passing else BUSY_S
            patience = patience or self.patience(busy_s)
            patience.wait(error)

    def fetch(
        self,
        operation: int,
        *parameters: int,
        limit: int = MAX_DATASET,
        busy_s: float | None = None,
    ) -> bytearray:
        """Run an operation with data-in and return its payload; `busy_s` as for `transact`. Raises
        ResponseError unless OK, and ProtocolError for a payload above `limit` bytes."""
        sink = MemorySink()
        self.transact(Request(operation, parameters, sink, limit), busy_s=busy_s)
        return sink.finish() or bytearray()

    def command(
        self,
        operation: int,
        *parameters: int,
        data: Any = None,
        busy_s: float | None = None,
        owner: OwnerAsked | None = None,
    ) -> OperationResponse:
        """Run an operation without data-in; with `data` (bytes-like) send a data-out phase."""
        request = Request(operation, parameters, data=data)
        if owner is not None:
            return response_of(await_owner(self, request, owner))
        return response_of(self.transact(request, busy_s=busy_s))

    def run(
        self,
        next_request: Callable[[], Request | None],
        done: Callable[[Request, Phase, PTPError | None], None],
        *,
        timeline: Timeline | None = None,
        looks_ahead: bool = False,
    ) -> None:
        """Run many operations, pipelined as the camera allows; see `Connection.run`.

        `done` is called with the error of each, or None; DeviceBusy is not retried. looks_ahead:
        requests from `plan` may follow the last one.
        """

        def finished(request: Request, phase: Phase) -> None:
            error = outcome(self.vendor, self.dialect, request, phase)
            self.habits.pipelined += phase.early and not isinstance(error, DeviceBusy)
            self._learn(request.operation, phase, error)
            done(request, phase, error)

        following = getattr(self._of_thread, "plan", None) if looks_ahead else None
        requests = Interrupted(self._upkeep, next_request, following)
        for _ in requests.runs():
            self.connection.run(
                requests.next,
                finished,
                depth=self.habits.depth_now,
                timeline=timeline,
                following=None if following is None else requests.following,
            )
        self.habits.went_well()

    @contextmanager
    def plan(self, following: Following | None) -> Iterator[None]:
        """Let `following` announce the first requests of the next run; see `Connection.run`. It
        yields them from the beginning each time, for this thread and while the context lasts."""
        before = getattr(self._of_thread, "plan", None)
        self._of_thread.plan = following
        try:
            yield
        finally:
            self._of_thread.plan = before

    def _learn(self, operation: int, phase: Phase, error: PTPError | None) -> None:
        if not self._upkeep.in_passing and self.habits.learn(operation, phase, error):
            self.one_at_a_time("it is busy while others are outstanding", to_blame=True)

    @property
    def sent_ahead(self) -> Request | None:
        """The requests that are already outstanding for the next `run`."""
        return self.connection.sent_ahead

    # The methods of `Asks`, besides `supports`, `command` and `fetch`

    def publish(self, code: int, parameters: tuple[int, ...] = ()) -> None:
        """Pass an event to all subscribers."""
        self.hub.publish(Event(code, parameters, source=Source.POLL))

    def refresh(self) -> DeviceInfo:
        """Ask for DeviceInfo again: the lists in it can change with the camera's mode."""
        self._take_info(ask_device_info(self.transact, in_session=True))
        return self.device_info

    def _take_info(self, info: DeviceInfo) -> None:
        self.device_info = self.dialect.info = info
        self.operations = frozenset(info.operations_supported)

    def pause(self, seconds: float) -> None:
        """Wait so many seconds while other threads may use the session."""
        pause(seconds)

    def waiting(self, what: str, within_s: float | None = None) -> None:
        """Tell the user the reason for a wait, such as a button to press on the camera."""
        tell("owner_awaited", camera=self.connection.address, reason=what)
        if self._told is not None:
            self._told(owner_asked(what, within_s, self.vendor.name))

    def poll(self) -> int:
        """Poll for events and publish them; return how many."""
        return self._upkeep.ask()

    # Beginning and end

    def _make_dialect(self) -> Dialect:
        # Weakly: without a circle a session that is forgotten ends its connections at once.
        link: Asks = weakref.proxy(self)
        return self.vendor.dialect(link, self.device_info, self.vendor.quirks, self._role)

    def _begin(self) -> None:
        """Begin a session, on another connection if the vendor's part asks for one."""
        for left in reversed(range(MOST_RECONNECTS + 1)):
            try:
                self._begin_here()
                return
            except ReconnectFirst as asked:
                if not left:
                    raise ConnectFailed("the camera asks to connect again every time") from asked
            self._connect_again(self._patience(), final=FailReason.REJECTED_INITIATOR)

    def _begin_here(self) -> None:
        """Open the session, then do the vendor's part; on failure close it again."""
        self._opened_at = time.monotonic()
        try:
            try:
                open_session(self.transact, self.dialect.opening, self.dialect.quirks.session_id)
            except NetworkError as error:
                name_who_answered(error, self.connection)
                raise
            self._opened_at = time.monotonic()
            close_at_exit(self)
            self.hub.meaning = self.dialect.meaning
            self.dialect.begin()
            self.connection.listen(events=self.dialect.has_event_connection)
            self._upkeep.start(self.connection)
        except BaseException:
            self._end()
            raise

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts of this session."""
        return self.connection.timeouts

    @property
    def hub(self) -> EventHub:
        """The hub of events from all sources."""
        return self.connection.events

    @property
    def usable(self) -> bool:
        """True while operations can be tried."""
        return not self._closed and self.connection.usable

    def close(self) -> None:
        """End the session: CloseSession, then both connections. See `Session.close`."""
        if not self._closed:
            self._closed = True
            if self._owner.is_us:
                self.habits.keep_chunk(self.device_info)
                self._end()
                tell("disconnected", camera=self.connection.address)
            else:
                self.connection.close()

    def _end(self) -> None:
        """Close session and connections; `reconnect` may open them again."""
        do_not_close_at_exit(self)
        self._upkeep.stop()
        quirks, timeouts = self.dialect.quirks, self.connection.timeouts
        try:
            if self.connection.settle(timeouts.close):
                pause_s = self._opened_at + quirks.close_after_open_s - time.monotonic()
                time.sleep(max(0.0, pause_s))
                hasty = Timeouts(timeouts.connect, timeouts.close, timeouts.close, timeouts.close)
                self.connection.timeouts = hasty
                with leaving(lambda: close_session(self.transact, timeouts.close)):
                    self.dialect.end()
        except (PTPError, RuntimeError, OSError) as error:
            log.debug("the session did not end in order: %s", error)
        except Exception:
            log.warning("the session did not end in order", exc_info=True)
        finally:
            self.connection.timeouts = timeouts  # the next connection inherits them
            self.connection.close()
            if quirks.reconnect_pause_s:
                begin_reconnect_pause(self.connection.address, quirks.reconnect_pause_s)

    def cancel(self) -> None:
        """Cancel the running transaction; it raises Cancelled in its thread."""
        self.connection.cancel()

    # Connecting again

    def reconnect(self, patience: Patience | None = None) -> None:
        """Connect to the same camera again and open a session. See `Session.reconnect`."""
        self._owner.require()
        began = time.monotonic()
        self._upkeep.stop()
        self._connect_again(patience or self._patience())
        self._begin()
        self.reconnects += 1
        tell("reconnected", camera=self.connection.address, seconds=time.monotonic() - began)

    def _patience(self) -> Patience:
        return Patience(self.connection.timeouts.connect, first_s=0.1, most_s=2.0)

    def _connect_again(self, patience: Patience, *, final: int | None = None) -> None:
        pause_s = self.dialect.quirks.reconnect_pause_s
        self.connection = reopen(self.connection, pause_s, patience, final=final)
        try:
            info = self.connection.opened.device_info or ask_device_info(self.transact)
            agree = self.connection.guid == self._guid
            require_same(info, self.device_info, guids_agree=agree)
        except BaseException:
            self.connection.close()
            raise
        self._take_info(info)

    def reconnect_after(self, error: PTPError) -> None:
        """Reconnect in the middle of work that `error` has ended. Raises `error`, for which the
        caller may have more patience, if the camera refuses."""
        tell("connection_lost", camera=self.connection.address, reason=error.message, attempt=1)
        try:
            self.reconnect()
        except (InitFailed, ResponseError) as again:
            raise error from again

    def fall_back_to_serial(self, error: PTPError) -> bool:
        """Stop pipelining and reconnect after an error; return False if nothing was pipelined."""
        if error.in_passing or self._upkeep.has_ended(self.connection):  # not by what was asked
            self.reconnect_after(error)
            return True
        if self.habits.depth == 1:
            return False
        # A lost connection is the radio's fault as a rule; the camera's if it never went well.
        never_well = self.habits.pipelined < 2 * self.habits.depth
        to_blame = isinstance(error, ProtocolError) or never_well
        self.one_at_a_time(error.message, to_blame=to_blame)
        self.reconnect_after(error)
        return True

    def one_at_a_time(self, why: str, *, to_blame: bool) -> None:
        """Stop pipelining. why: the reason, for the log. to_blame: for good, because the camera
        cannot handle it; the model is remembered, too."""
        self.habits.one_at_a_time(for_good=to_blame)
        tell("pipelining_off", camera=self.connection.address, reason=why)
        if to_blame and self.habits.remembers:
            from ..state import tuning

            tuning.distrust(self.device_info, tuned(self.device_info, self.vendor), why)
