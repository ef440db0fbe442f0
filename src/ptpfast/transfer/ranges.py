"""A range of an object by partial reads, one after the other or with requests sent ahead.

With a pipeline depth of n, the next n - 1 chunks are asked for before the first has come; they
arrive in order into the same sink. When one comes short or busy, what was asked for behind it is
dropped and asked for again, so the sink only ever holds what belongs there.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

from ..engine.channel import Timeline
from ..engine.phase import Phase
from ..engine.sink import Sink
from ..link.answers import operation_name
from ..link.camera import Camera
from ..link.chunking import ChunkPolicy
from ..link.pace import Overdue, Trickle
from ..link.patience import BUSY_S, SlowestPace
from ..link.pipelining import Request
from ..ptp.errors import (
    DeviceBusy,
    NetworkError,
    ProtocolError,
    PTPError,
    TransferError,
)
from ..ptp.objects import ObjectInfo
from ..vendors.reads import PartialRead

log = logging.getLogger("ptpfast")


def object_label(info: ObjectInfo) -> str:
    """An object for messages: name and handle."""
    return f"{info.name or 'object'} (0x{info.handle:X})"


def read_label(camera: Camera, info: ObjectInfo, read: PartialRead) -> str:
    """A partial read of an object for messages."""
    return f"{operation_name(camera.link.vendor, read.operation)} of {object_label(info)}"


def chunk_request(read: PartialRead, handle: int, offset: int, size: int, label: str) -> Request:
    """A partial read of `size` bytes, which is what it is `about`."""
    return Request(
        read.operation,
        read.parameters(handle, offset, size),
        limit=size,
        label=f"{label} at {offset:,}",
        about=size,
    )


class RangeReader:
    """Bytes `span` = [offset, end) of an object into a sink. `position` is how far it is: every
    byte before it came in a chunk that was whole."""

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
        self.position, self._end = span
        self._camera = camera
        self._info = info
        self._read = read
        self._sink = sink
        # A sink may hold more than this object; what is at `position` goes here in it.
        self._shift = sink.position - self.position
        self._policy = policy
        self._label = read_label(camera, info, read)
        self._report = report
        self._timeline = timeline
        self._seen = self.position  # how far the pace knows of
        self._hurried_at = -1  # where a busy camera was asked again at once
        self._empty_at = -1  # where nothing came although there should be more
        self.sizes: list[int] = []  # of the chunks asked for, each time it changed
        self._asked = self.position  # up to where requests have left
        self._ahead: deque[Request] = deque()
        self._last = 0.0  # when the last chunk was complete, or its request left
        self._patience = camera.link.patience(BUSY_S)
        self._slowest = SlowestPace(camera.link.timeouts.operation, self.position)

    def run(self) -> None:
        """Reads to the end. Raises what ends it; `position` is right then."""
        while True:
            self._last = time.monotonic()
            self._camera.habits.pace.resume(self._last)
            self._seen = self.position
            self._slowest = SlowestPace(self._camera.link.timeouts.operation, self.position)
            try:
                self._camera.link.run(
                    self._next, self._done, timeline=self._timeline, looks_ahead=True
                )
                return
            except Trickle as error:
                log.warning("%s: %s; connecting again", self._label, error)
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
                if not self._camera.link.fall_back_to_serial(error):
                    raise
                self._camera.compare(self._info)

    def _salvage(self, error: PTPError) -> bool:
        """What a lost connection leaves is right up to its last byte; what broke the rules is not.
        False when that is hashed or delivered already: then the caller has to begin anew."""
        if isinstance(error, ProtocolError):
            try:
                self._sink.rewind(self.position + self._shift)
            except ValueError:
                return False
        else:
            self.position = self._sink.position - self._shift
        self._asked = self.position
        self._ahead.clear()
        return True

    def _only_fall_back_to_serial(self, error: PTPError) -> None:
        """So that who begins anew does so with one request at a time."""
        try:
            self._camera.link.fall_back_to_serial(error)
        except PTPError as worse:
            # Not the one to raise: after a lost connection all that has come would count as right.
            log.debug("%s: connected again in vain: %s", self._label, worse)

    def _next(self) -> Request | None:
        if self._asked >= self._end:
            return None
        offset, chunk = self._asked, self._policy.next_size()
        request = self._sent_ahead(offset) or self._request(offset, min(chunk, self._end - offset))
        request.sink = self._sink
        request.on_pause = lambda phase: self._came_to(offset + phase.received)
        self._asked += request.about
        if self.sizes[-1:] != [chunk]:
            self.sizes.append(chunk)
        self._ahead.append(request)
        return request

    def _request(self, offset: int, size: int) -> Request:
        return chunk_request(self._read, self._info.handle, offset, size, self._label)

    def _sent_ahead(self, offset: int) -> Request | None:
        """What the camera is already at work on, if that is the chunk at `offset`."""
        ahead = self._camera.link.sent_ahead
        if ahead is None or self._asked + ahead.about > self._end:
            return None
        request = self._request(offset, ahead.about)
        if request.asks() != ahead.asks():
            return None
        return request

    def _done(self, request: Request, phase: Phase, error: PTPError | None) -> None:
        self._ahead.popleft()
        if request.sink is None:
            return  # dropped, because something before it was not as expected
        if isinstance(error, DeviceBusy) and not phase.received:
            self._drop_ahead()
            self._policy.forget()
            # Sent ahead, it is asked again at once, and by itself: it may have been too early, or
            # the camera be busy otherwise. That is so once for each chunk.
            if phase.early and self._hurried_at != self.position:
                self._hurried_at = self.position
            else:
                self._patience.wait(error)
                self._last = time.monotonic()
            return
        if error is not None:
            raise error
        if not phase.received:
            self._nothing_came(request)
            return
        # By what arrived, not by what was asked for: a body may send less.
        self.position += phase.received
        if phase.received < request.about:
            self._drop_ahead()
        now = time.monotonic()
        # How long one took that left before this object's turn is not known.
        self._policy.paused(None if request.left_before else phase.waited, phase.silence)
        if not request.left_before:
            self._policy.done(phase.received, now - self._last, phase.waited)
        self._last = now
        self._patience.reset()
        self._came_to(self.position)

    def _nothing_came(self, request: Request) -> None:
        """OK without a byte: that is believed the second time. TransferError."""
        if self._empty_at == self.position:
            raise TransferError(
                f"{request.label}: the camera sent nothing of {request.about:,} bytes",
                received=self.position,
            )
        self._empty_at = self.position
        self._drop_ahead()

    def _came_to(self, position: int) -> None:
        # Each of many answers may be in time, and bring next to nothing.
        self._slowest.require(self._label, position)
        self._report(position)
        self._slowest.resume()
        came, self._seen = position - self._seen, position
        self._camera.habits.pace.add(max(came, 0))

    def _drop_ahead(self) -> None:
        for request in self._ahead:
            request.sink = request.on_pause = None
        self._asked = self.position
