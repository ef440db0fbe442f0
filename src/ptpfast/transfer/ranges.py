"""A range of an object by partial reads, one after the other or with requests sent ahead.

With a pipeline depth of n, the next n - 1 chunks are asked for before the first has come; they
arrive in order into the same sink. When one comes short or busy, what was asked for behind it is
dropped and asked for again, so the sink only ever holds what belongs there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..engine.channel import Timeline
from ..engine.phase import Phase
from ..engine.sink import Sink
from ..link.camera import Camera
from ..link.chunking import ChunkPolicy
from ..link.pace import Overdue, Trickle
from ..link.patience import BUSY_S, SlowestPace
from ..link.pipelining import Request
from ..ptp.codes import ResponseCode
from ..ptp.errors import (
    Cancelled,
    DeviceBusy,
    NetworkError,
    ProtocolError,
    PTPError,
    ResponseError,
    TransferError,
)
from ..ptp.objects import ObjectInfo
from ..vendors.reads import PartialRead
from .chunks import Chunks

log: logging.Logger = logging.getLogger("ptpfast")

# Of a partial read: the camera may read no more than a certain size at a time.
_REFUSALS = (ResponseCode.InvalidParameter, ResponseCode.ParameterNotSupported)


class GaveWay(Cancelled):
    """The read ended between two chunks, because another object is more urgent."""


class Tempo:
    """How fast the bytes of a range come: held against the connection's own past, and against the
    least that an answer must bring."""

    def __init__(self, camera: Camera, label: str, position: int) -> None:
        self._pace = camera.habits.pace
        self._connection = camera.link.connection
        self._wait_s = camera.link.timeouts.operation
        self._label = label
        self.begin(position)

    def begin(self, position: int) -> None:
        """From now on bytes from `position` on are waited for."""
        self._last = time.monotonic()  # when a chunk was complete, or its request left
        self._pace.resume(self._last)
        self._seen = position
        self._slowest = SlowestPace(self._wait_s, position)

    def lap(self) -> float:
        """Seconds since the last lap."""
        before, self._last = self._last, time.monotonic()
        return self._last - before

    def came_to(self, position: int, report: Callable[[int], None]) -> None:
        """Bytes up to there have come; it is reported. Trickle, TooSlow."""
        if self._connection.is_limited:
            report(position)
            self.begin(position)
            return
        # Each of many answers may be in time, and bring next to nothing.
        self._slowest.require(self._label, position)
        report(position)
        self._slowest.resume()
        came, self._seen = position - self._seen, position
        self._pace.add(max(came, 0))


class RangeReader:
    """Reader of bytes `span` = [offset, end) of an object into a sink.

    Every byte before `position` came in a complete chunk.
    """

    def __init__(
        self,
        camera: Camera,
        info: ObjectInfo,
        read: PartialRead,
        sink: Sink,
        span: tuple[int, int],
        policy: ChunkPolicy,
        report: Callable[[int], None],
        timeline: Timeline | None,
    ) -> None:
        self.position: int = span[0]
        self._end = span[1]
        self._camera = camera
        self._info = info
        self._sink = sink
        # A sink may hold more than this object; what is at `position` goes here in it.
        self._shift = sink.position - self.position
        self._policy = policy
        self._report = report
        self._timeline = timeline
        self._chunks = Chunks(camera, info, read, span, policy)
        self._tempo = Tempo(camera, self._chunks.label, self.position)
        self._patience = camera.link.patience(BUSY_S)
        self._hurried_at = -1  # where a busy camera was asked again at once
        self._empty_at = -1  # where nothing came although there should be more

    @property
    def sizes(self) -> list[int]:
        """Of the chunks asked for, each time it changed."""
        return self._chunks.sizes

    def run(self) -> None:
        """Read to the end. `position` is right after any error."""
        while True:
            self._tempo.begin(self.position)
            try:
                self._camera.link.run(
                    self._next, self._done, timeline=self._timeline, looks_ahead=True
                )
                if self.position < self._end:
                    raise GaveWay(f"{self._chunks.label}: paused", received=self.position)
                return
            except Trickle as error:
                log.debug("%s: %s", self._chunks.label, error)
                self._policy.stalled(error.message)
                self._salvage(error)
                self._camera.link.reconnect_after(error)
                self._camera.compare(self._info)
            except Overdue as error:  # by our own clock: neither depth nor chunk is to blame
                self._salvage(error)
                raise
            except (NetworkError, ProtocolError) as error:
                self._policy.failed()
                if not self._salvage(error):
                    self._only_fall_back_to_serial(error)
                    raise
                if self._has_all(error):
                    return
                if not self._camera.link.fall_back_to_serial(error):
                    raise
                self._camera.compare(self._info)

    def _salvage(self, error: PTPError) -> bool:
        """Keep what is right after an error; return False if the caller has to start over.

        Every byte is right after a lost connection. After a broken rule the current chunk is not,
        and cannot be taken back if it was hashed or delivered.
        """
        if isinstance(error, ProtocolError):
            try:
                self._sink.rewind(self.position + self._shift)
            except ValueError:
                return False
        else:
            self.position = self._sink.position - self._shift
        self._chunks.lose(self.position)
        return True

    def _has_all(self, error: PTPError) -> bool:
        """Return whether only a response was lost, after bytes that will not come again."""
        once = self._camera.link.dialect.sends_once
        return once and isinstance(error, NetworkError) and self.position >= self._end

    def _only_fall_back_to_serial(self, error: PTPError) -> None:
        """Stop pipelining, so that the caller starts over with one request at a time."""
        try:
            self._camera.link.fall_back_to_serial(error)
        except PTPError as worse:
            # Not the one to raise: after a lost connection all that has come would count as right.
            log.debug("%s: reconnecting failed: %s", self._chunks.label, worse)

    def _next(self) -> Request | None:
        if self._camera.gives_way():
            return None
        if (chunk := self._chunks.next()) is None:
            return None
        offset, request = chunk
        request.sink = self._sink
        request.on_pause = lambda phase: self._came_to(offset + phase.received)
        return request

    def _done(self, request: Request, phase: Phase, error: PTPError | None) -> None:
        self._chunks.end_first()
        if request.sink is None:
            return  # dropped, because something before it was not as expected
        if isinstance(error, DeviceBusy) and not phase.received:
            self._chunks.drop(self.position)
            self._policy.forget()
            # Sent ahead, it is asked again at once, alone: it may have been too early, or
            # the camera be busy otherwise. That is so once for each chunk.
            if phase.early and self._hurried_at != self.position:
                self._hurried_at = self.position
            else:
                self._patience.wait(error)
                self._tempo.lap()
            return
        if self._is_refused(request, phase, error):
            self._chunks.drop(self.position)
            return
        if error is not None:
            raise error
        if not phase.received:
            self._nothing_came(request)
            return
        # By what arrived, not by what was asked for: a body may send less.
        self.position += phase.received
        if phase.received < request.about:
            self._chunks.drop(self.position)
        took_s = self._tempo.lap()
        self._patience.reset()
        if not self._camera.link.connection.is_limited:  # else it tells nothing of the camera
            self._learn(request, phase, took_s)
        self._came_to(self.position)

    def _learn(self, request: Request, phase: Phase, took_s: float) -> None:
        # How long one took that left before this object's turn is not known.
        self._policy.paused(None if request.left_before else phase.waited, phase.silence)
        if not request.left_before:
            self._camera.habits.waited_s += phase.waited
            self._policy.done(phase.received, took_s, phase.waited)

    def _is_refused(self, request: Request, phase: Phase, error: PTPError | None) -> bool:
        """Whether the camera refused the size of a chunk; the next one is smaller then."""
        if not isinstance(error, ResponseError) or error.code not in _REFUSALS or phase.received:
            return False
        is_unsupported = error.code == ResponseCode.ParameterNotSupported
        if is_unsupported and request.operation not in self._camera.habits.proven:
            return False  # it may be the operation that the camera refuses
        return self._policy.refuse(request.about)

    def _nothing_came(self, request: Request) -> None:
        """OK without a byte: that is believed the second time. TransferError."""
        if self._empty_at == self.position:
            raise TransferError(
                f"{request.label}: the camera sent nothing of {request.about:,} bytes",
                received=self.position,
            )
        self._empty_at = self.position
        self._chunks.drop(self.position)

    def _came_to(self, position: int) -> None:
        self._tempo.came_to(position, self._report)
