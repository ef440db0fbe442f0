"""A session's beginning and end: DeviceInfo, OpenSession, the vendor's part, CloseSession, and
again.

What one can do in a session is in `session`. Sources: libgphoto2 (library.c) and airmtp for the
order; the pauses are the vendors' quirks.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..engine.process import Owner
from ..engine.sink import MemorySink
from ..ptp.codes import FailReason, OperationCode, ResponseCode
from ..ptp.datasets import DeviceInfo, decode
from ..ptp.errors import (
    ConnectFailed,
    InitFailed,
    NetworkError,
    ProtocolError,
    PTPError,
    ResponseError,
    Timeout,
)
from ..state import tuning
from ..transport.handshake import Timeouts, bracketed
from ..vendors import STANDARD, Tuning, Vendor, select
from .chunking import ChunkPolicy
from .connection import Connection
from .events import EventHub
from .pace import Pace
from .patience import Patience
from .transactions import MAX_STRUCTURE, Transactions

log = logging.getLogger("ptpfast")
log.addHandler(logging.NullHandler())  # a library is silent unless its user listens

# (host, port) → when a camera that needs a pause after a close may be asked again. Guarded by a
# lock: it must outlive sessions, because the next one is a new object.
_not_before: dict[tuple[str, int], float] = {}
_not_before_lock = threading.Lock()

# Sessions that a program ends without closing are closed as it exits: a camera that is not told
# can refuse the next Init for half a minute and more.
_open_sessions: weakref.WeakSet[Lifetime] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for session in list(_open_sessions):
        session.close()


def _forget_parents() -> None:
    """In a forked child, which must not say good-bye on its parent's sockets; another thread of the
    parent may have held the lock."""
    global _not_before_lock
    _not_before_lock = threading.Lock()
    _open_sessions.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


def wait_until_welcome(host: str, port: int) -> None:
    """Pauses until a camera that was just left may be asked again."""
    with _not_before_lock:
        wait_s = _not_before.pop((host, port), 0.0) - time.monotonic()
    if wait_s > 0:
        time.sleep(wait_s)


def admitted(
    knock: Callable[[], Connection], held_s: float, waiting: Callable[[PTPError], object] | None
) -> Connection:
    """What `knock` returns; with `waiting`, which is called once, tried for `held_s` while the
    camera says that it is busy: it may hold the session of a run that was cut off."""
    patience = Patience(held_s, first_s=0.2, most_s=5.0)
    while True:
        try:
            return knock()
        except (ConnectFailed, InitFailed) as error:
            # One that says nothing is not waited for: that may as well be a wrong address.
            is_busy = isinstance(error, InitFailed) and error.reason == FailReason.BUSY
            if waiting is None or not is_busy:
                raise
            if not patience.waits and not patience.is_used_up:
                waiting(error)
            patience.wait(error)


class Lifetime(Transactions):
    """How a session opens, ends, and is opened again when the connection was lost."""

    def __init__(self, connection: Connection, vendor: Vendor | None = None) -> None:
        super().__init__(connection, vendor or STANDARD)
        self.refused: set[int] = set()  # operations listed and yet refused
        self.proven: set[int] = set()  # partial reads that have worked
        self.lost_at_end: dict[int, int] = {}  # reads behind an end that lost the connection
        self.remembers = True  # what the camera does not cope with
        self._events = connection.events.subscribe()
        self._closed = False
        self._owner = Owner("session")
        try:
            self.device_info = self._get_device_info(in_session=False)
        except NetworkError as error:
            self._name_who_answered(error)
            raise
        self.operations = frozenset(self.device_info.operations_supported)
        self.vendor = vendor or select(self.device_info)
        known = self._tuned()
        self.pipeline_depth = known.depth
        self.chunks = ChunkPolicy(
            self.vendor.quirks.max_chunk, fixed=known.chunk, most_whole=known.whole_size
        )
        self.pace = Pace()
        self._guid = connection.guid
        self._begin()

    def _get_device_info(self, *, in_session: bool) -> DeviceInfo:
        """Fujifilm's X-T4 answers with nothing at all (libgphoto2): then nothing is known. Others
        may do so once, and of a camera that does not say who it is no part file is continued."""
        for _ in range(2):
            sink = MemorySink()
            self.receive(
                OperationCode.GetDeviceInfo, sink=sink, limit=MAX_STRUCTURE, in_session=in_session
            )
            if payload := sink.finish():
                return decode(DeviceInfo, payload)
        return DeviceInfo()

    def _open_session(self) -> None:
        """Session ids 1, 2, 3…: left-overs of an unclean end make a body refuse some
        (libgphoto2)."""
        for session_id in range(1, 11):
            try:
                self.receive(OperationCode.OpenSession, session_id, sink=None, in_session=False)
            except ResponseError as error:
                if error.code == ResponseCode.SessionAlreadyOpened:
                    return
                if error.code != ResponseCode.InvalidTransactionID or session_id == 10:
                    raise
            else:
                return

    def _begin(self) -> None:
        """OpenSession and the vendor's part; a session that is opened is also closed."""
        self._opened_at = time.monotonic()
        try:
            try:
                self._open_session()
            except NetworkError as error:
                self._name_who_answered(error)
                raise
            self._opened_at = time.monotonic()
            _open_sessions.add(self)
            self.vendor.after_open_session(self)
        except BaseException:
            self._end()
            raise

    def _name_who_answered(self, error: NetworkError) -> None:
        """Says of a camera that fell silent after the handshake who it is."""
        where = bracketed(self.connection.host, self.connection.port)
        end = "stopped answering" if isinstance(error, Timeout) else "ended the connection"
        error.precede(f"{self.connection.name or 'a camera'} answered at {where} and then {end}")

    @property
    def timeouts(self) -> Timeouts:
        """How long is waited for what."""
        return self.connection.timeouts

    @property
    def hub(self) -> EventHub:
        """Where events of all sources meet."""
        return self.connection.events

    @property
    def usable(self) -> bool:
        """Whether operations can still be tried."""
        return not self._closed and self.connection.usable

    def close(self) -> None:
        """Ends the session in order: CloseSession, then both connections. Never raises for a camera
        that does not answer; safe to call twice. Takes at most about the close timeout, plus the
        pause some cameras need. In a forked child only its copies of the descriptors are closed."""
        if not self._closed:
            self._closed = True
            if self._owner.is_us:
                self._end()
            else:
                self.connection.close()

    def _end(self) -> None:
        """Closes what stands; `reconnect` may make it stand again."""
        _open_sessions.discard(self)
        quirks, timeouts = self.vendor.quirks, self.connection.timeouts
        try:
            if self.connection.settle(timeouts.close):
                pause_s = self._opened_at + quirks.close_after_open_s - time.monotonic()
                if pause_s > 0:
                    time.sleep(pause_s)
                hasty = Timeouts(timeouts.connect, timeouts.close, timeouts.close, timeouts.close)
                self.connection.timeouts = hasty
                self.vendor.before_close_session(self)
                self.receive(
                    OperationCode.CloseSession,
                    sink=None,
                    busy_s=0.0,
                    any_transaction_id=True,
                    on_pause=_until(time.monotonic() + timeouts.close),
                )
        except (PTPError, RuntimeError, OSError) as error:
            log.debug("the session did not end in order: %s", error)
        finally:
            self.connection.timeouts = timeouts  # the next connection inherits them
            self.connection.close()
            if quirks.reconnect_pause_s:
                with _not_before_lock:
                    where = (self.connection.host, self.connection.port)
                    _not_before[where] = time.monotonic() + quirks.reconnect_pause_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def reconnect(self, patience: Patience | None = None) -> None:
        """Connects again, to the same camera, and opens a session; events keep their subscribers.

        Tried until `patience` (default: the connect timeout) is used up, because a camera may hold
        the old session for a while. ConnectFailed, also when another camera answers; InitFailed.
        """
        self._owner.require()
        patience = patience or Patience(self.connection.timeouts.connect, first_s=0.1, most_s=2.0)
        pause_s = self.vendor.quirks.reconnect_pause_s
        while True:
            self.connection.close()
            time.sleep(pause_s)
            try:
                self.connection = self.connection.reopen()
                break
            except (ConnectFailed, InitFailed) as error:
                patience.wait(error)
        info = self._get_device_info(in_session=False)
        if _body(info) != _body(self.device_info) or self.connection.guid != self._guid:
            self.connection.close()
            who = f"{info.model} {info.serial_number}".strip() or "one that does not say which"
            raise ConnectFailed(f"another camera answers now: {who}")
        self._begin()

    def leave_pipeline(self, error: PTPError) -> bool:
        """After an error with requests sent ahead: gives that up for good and connects again. False
        when nothing was sent ahead, so that it is not to blame."""
        if self.pipeline_depth == 1:
            return False
        # A lost connection is the radio's fault as a rule; the camera's if it never went well.
        never_well = self.pipelined < 2 * self.pipeline_depth
        to_blame = isinstance(error, ProtocolError) or never_well
        self.one_at_a_time(error.message, to_blame=to_blame)
        self.reconnect_after(error)
        return True

    def one_at_a_time(self, why: str, *, to_blame: bool) -> None:
        """Sends no requests ahead any more. to_blame: it is the camera that does not cope, which is
        remembered of its model, unless somebody is just measuring that (`remembers`)."""
        super().one_at_a_time(why, to_blame=to_blame)
        self.chunks.forget()  # without requests ahead every chunk takes longer
        log.warning("requests are not sent ahead any more, after: %s", why)
        if to_blame and self.remembers:
            tuning.distrust(self.device_info, self._tuned(), why)

    def _tuned(self) -> Tuning:
        """What is known of the model: by the user's own measurement, or by the vendor's file."""
        key = tuning.model_key(self.device_info)
        return tuning.load(self.device_info) or self.vendor.tunings.get(key) or Tuning()

    def reconnect_after(self, error: PTPError) -> None:
        """`reconnect`, in the middle of work that `error` has ended. Raises `error`, for which
        somebody may have more patience, when the camera is there and will not have us back."""
        try:
            self.reconnect()
        except (InitFailed, ResponseError) as again:
            raise error from again

    def cancel(self) -> None:
        """Makes the transaction that runs now raise Cancelled, in its thread. From any thread."""
        self.connection.cancel()


def _until(moment: float) -> Callable[[object], None]:
    """For a transaction that may not last longer, however much of an answer comes."""

    def look(_: object) -> None:
        if time.monotonic() > moment:
            raise Timeout("the answer does not end")

    return look


def _body(info: DeviceInfo) -> tuple[str, str]:
    """What tells one camera from another."""
    return info.model, info.serial_number
