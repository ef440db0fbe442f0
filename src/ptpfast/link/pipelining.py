"""Pipelined requests: which to send, when, and whose answer comes next.

This module uses no socket. `Connection.run` sends the requests that `Run` returns, receives in that
order, and keeps outstanding ones between two runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..engine.phase import Phase
from ..engine.sink import Sink
from ..ptp.errors import ProtocolError

# Payload that may be asked for on behalf of the next run, if that is more than one request: should
# something else come first, all of it has to be read and dropped.
AHEAD_SIZE = 8 << 20
TIMES = 2  # once may be chance: a picture that was finished just then


@dataclass(slots=True)
class Request:
    """An operation with its parameters, and the destination of its data.

    Attributes:
        operation, parameters: The request.
        sink: The destination of a data-in phase; None drops it.
        limit: Bytes of payload that were requested; more is a ProtocolError.
        label: The operation in words, for messages.
        on_pause: Called every 100 ms while bytes arrive, and when the sink is full
            (`phase.sink_full`). Then it must set another sink.
        about: The caller's key for the request.
        data: Bytes-like, for a data-out phase.
        in_session: False for the first two operations of a session.
        any_transaction_id: Accept a response with another transaction id.
        in_passing: Send it only if nothing is outstanding, else raise TransactionRunning.
        left_before: Whether it was sent before its run began.
    """

    operation: int
    parameters: tuple[int, ...] = ()
    sink: Sink | None = None
    limit: int | None = None
    label: str = ""
    on_pause: Callable[[Phase], None] | None = None
    about: Any = None
    data: Any = None
    in_session: bool = True
    any_transaction_id: bool = False
    in_passing: bool = False
    left_before: bool = False

    def asks(self) -> tuple[int, tuple[int, ...]]:
        """Return the operation and its parameters."""
        return self.operation, self.parameters


class TransactionRunning(Exception):
    """A poll or a keep-alive was not sent: it would have ended a half-received answer."""


class Overfull(ProtocolError):
    """The camera sent more data than the sink of a request takes."""


Following = Callable[[], Iterable[Request]]


class Ahead:
    """The requests that were sent for the next run, in order. The next run may be another one."""

    def __init__(self) -> None:
        self._sent: deque[tuple[Request, Phase]] = deque()

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def first(self) -> Request | None:
        """The next of these requests."""
        return self._sent[0][0] if self._sent else None

    def starts_with(self, phase: Phase) -> bool:
        """Return whether that is the next answer."""
        return bool(self._sent) and self._sent[0][1] is phase

    def take(self, request: Request) -> Phase | None:
        """Return the phase of this request if it is the next one."""
        if not self._sent or self._sent[0][0].asks() != request.asks():
            return None
        request.left_before = True
        return self._sent.popleft()[1]

    def take_all(self) -> list[Phase]:
        """Return all of them and forget them."""
        phases = [phase for _, phase in self._sent]
        self._sent.clear()
        return phases

    def extend(
        self, requests: Iterable[Request], send: Callable[[Request], Phase], most: int
    ) -> None:
        """Send those of the requests that have not left yet, up to `most` in all.

        The requests are the beginning of the next run. Nothing is sent if something else has left
        already.
        """
        size = 0
        for number, request in enumerate(requests):
            size += request.limit or 0
            if number >= most or (number and size > AHEAD_SIZE):
                return
            if number == len(self._sent):
                self._sent.append((request, send(request)))
            elif self._sent[number][0].asks() != request.asks():
                return


class BusyDetector:
    """Decide whether DeviceBusy means that the camera is working or that it rejects pipelining.

    Some firmware has room for one request and answers DeviceBusy to any request that arrives before
    the last response. But every camera is busy now and then, for example while it takes a picture.
    The test: after DeviceBusy to a pipelined request, the same request is sent alone (`is_open`).
    If the camera is busy for that too, it is working. If it answers, that may be chance: requests
    are pipelined again, from none outstanding. If this happens twice, with no pipelined request
    answered in between, the camera rejects pipelining.
    """

    def __init__(self) -> None:
        self._operation: int | None = None  # the operation to send alone next
        self._busy_last = False
        self._times = 0

    @property
    def is_open(self) -> bool:
        """True if the next request must be sent alone."""
        return self._operation is not None

    def answered(self, operation: int, *, early: bool, busy: bool) -> bool:
        """Note an answer; return True if the camera cannot handle pipelining.

        `early`: the request was sent before the previous answer had come.
        """
        after_an_answer, self._busy_last = not self._busy_last, busy
        if early:
            # Requests outstanding when the doubt arose prove nothing: they may have been early or
            # not.
            if not self.is_open and not busy:
                self._times = 0
            elif not self.is_open and after_an_answer:
                self._operation = operation
            return False
        if operation != self._operation:
            return False
        self._operation = None
        self._times = 0 if busy else self._times + 1
        return self._times >= TIMES


class Run:
    """The requests of one `Connection.run`, of which at most `depth()` are outstanding.

    Requests sent ahead count too.

    Attributes:
        first: The first requests from `next_request`.
    """

    def __init__(
        self,
        first: Request,
        next_request: Callable[[], Request | None],
        send: Callable[[Request], Phase],
        ahead: Ahead,
        depth: Callable[[], int],
        following: Following | None,
    ) -> None:
        self._held: Request | None = first  # has its turn, and has not left yet
        self._next_request = next_request
        self._send = send
        self._ahead = ahead
        self._depth = depth
        self._following = following
        self._waiting: deque[tuple[Request | None, Phase]] = deque()

    def due(self) -> tuple[Request | None, Phase] | None:
        """Send all requests that may leave now, and return the next answer to receive.

        Returns:
            The request and its phase; the request is None if its answer is no longer wanted. None
            at the end of the run.
        """
        waiting, ahead, depth = self._waiting, self._ahead, self._depth()
        while len(waiting) < depth:
            request = self._held or self._next_request()
            if request is None:
                break
            phase = ahead.take(request)
            if phase is None and ahead:
                # An answer came short, and there is more to ask before what was sent ahead.
                waiting.extend((None, phase) for phase in ahead.take_all())
                self._held = request
                continue
            self._held = None
            waiting.append((request, phase or self._send(request)))
        # Not for each free place: looking for the next requests takes time.
        few = not waiting or 2 * (len(waiting) + len(ahead)) <= depth
        if self._following is not None and self._held is None and few:
            ahead.extend(self._following(), self._send, depth - len(waiting))
        return waiting.popleft() if waiting else None
