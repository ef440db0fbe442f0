"""One small operation for each of many objects, pipelined if the camera can handle it.

If it cannot, ptpfast reconnects and falls back to one request at a time. If an object is refused or
always ends the connection, the others continue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from ..engine.phase import Phase
from ..engine.sink import MemorySink
from ..ptp.codes import OperationCode
from ..ptp.errors import (
    DeviceBusy,
    ProtocolError,
    PTPError,
    ResponseError,
    StoreNotAvailable,
    Unreadable,
)
from ..ptp.scope import Scope, scope_of
from ..ptp.words import label_of
from .answers import operation_name
from .asking import attempt, has_ended
from .link import Link
from .losses import SAME_DESCRIPTION
from .pipelining import Request
from .tally import Tally

Done = Callable[[int, "bytearray | PTPError"], None]


def _itself(handle: int) -> tuple[int, ...]:
    return (handle,)


class Many:
    """An operation with data-in of at most `limit` bytes, for many objects.

    Attributes:
        parameters: Those of the request about a handle; by default the handle alone.
    """

    def __init__(
        self,
        link: Link,
        operation: OperationCode | int,
        limit: int,
        parameters: Callable[[int], tuple[int, ...]] = _itself,
        tally: Tally | None = None,
    ) -> None:
        self._link = link
        self._operation = operation
        self._name = operation_name(link.vendor, operation)  # once, not for each object
        self._limit = limit
        self._parameters = parameters
        self._tally = tally or Tally()
        self._to_ask: deque[int] = deque()
        self._asked = 0  # last
        self._later: list[int] = []  # to be asked once more

    def ask(self, handles: Iterable[int], done: Done) -> None:
        """Ask about each handle once; call `done` with its payload or its error.

        The error is a ResponseError, a ProtocolError, or Unreadable if the connection always ends
        there.

        Raises:
            PTPError: the session has ended, unless it reconnects (`Losses`).
        """
        losses = self._link.losses
        left = dict.fromkeys(handles)
        self._tally.count(len(left), self._link.habits.depth)
        for handle in list(left):
            if (aside := losses.set_aside(self._operation, handle)) is not None:
                del left[handle]
                done(handle, aside)

        def answered(handle: int, answer: bytearray | PTPError) -> None:
            del left[handle]
            done(handle, answer)

        finished = partial(self._finished, answered)
        while True:
            self._to_ask.extend(left)
            try:
                self._link.run(partial(self._next, answered), finished)
                break
            except PTPError as error:
                if not has_ended(self._link, error):
                    raise
                self._to_ask.clear()
                self._later.clear()
                if self._link.fall_back_to_serial(error):
                    continue
                # One at a time: it is the last that was asked.
                asked = self._asked
                aside = losses.add(self._operation, asked, error, SAME_DESCRIPTION)
                if aside is not None:
                    answered(asked, aside)
        later, self._later = self._later, []
        for handle in later:  # one at a time now, with retries
            self._tally.count(1)
            answer = self._ask_one(handle)
            if isinstance(answer, DeviceBusy):
                losses.answered(self._operation, handle, answer)
            answered(handle, answer)

    def _next(self, done: Done) -> Request | None:
        while self._to_ask:
            self._asked = self._to_ask.popleft()
            try:
                return self._request(self._asked)
            except ResponseError as error:  # it is known to be gone, and not asked about
                done(self._asked, error)
        return None

    def _request(self, handle: int) -> Request:
        return Request(
            self._operation,
            self._parameters(handle),
            MemorySink(),
            limit=self._limit,
            label=label_of(self._operation, (handle,), self._name),
            about=handle,
        )

    def _finished(self, done: Done, request: Request, phase: Phase, error: PTPError | None) -> None:
        payload = _payload(request)
        # A camera also answers "no store" before it sleeps and closes its connections.
        if isinstance(error, DeviceBusy | StoreNotAvailable):
            self._later.append(request.about)
        elif isinstance(error, ResponseError) and scope_of(error) is Scope.CONNECTION:
            raise error
        else:
            self._link.losses.answered(self._operation, request.about, error)
            done(request.about, error or payload)

    def _ask_one(self, handle: int) -> bytearray | PTPError:
        def ask() -> bytearray:
            request = self._request(handle)
            self._link.transact(request)
            return _payload(request)

        try:
            return attempt(self._link, self._operation, handle, ask)
        except (ResponseError, ProtocolError, Unreadable) as error:
            if not self._link.usable:
                raise
            return error


def _payload(request: Request) -> bytearray:
    assert isinstance(request.sink, MemorySink)
    return request.sink.finish() or bytearray()
