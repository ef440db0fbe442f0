"""The channel that is recorded: it does what another channel does, and logs the bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from ..engine.channel import Channel, Timeline
from ..engine.phase import Phase
from ..engine.tap import CAMERA, US, Flow, TappedPhase
from ..ptp.errors import ConnectionLost, ProtocolError
from .operations import DATASETS
from .packets import HEAD_SIZE, Asked, packets, request_in
from .redaction import Redactor

MOST_ASKED = 1000  # requests whose answers may still come


class Book(NamedTuple):
    """Where a connection is recorded, and how.

    Attributes:
        write: adds whole blocks to the trace.
        redactor: replaces names; None keeps them.
        payload: whether the bytes of pictures are kept.
    """

    write: Callable[[bytes], object]
    redactor: Redactor | None
    payload: bool


class TappedChannel:
    """A `Channel` that is recorded. It has the same methods."""

    def __init__(self, channel: Channel, flow: Flow, book: Book, *, containers: bool) -> None:
        self._channel = channel
        self._flow = flow
        self._book = book
        self._containers = containers
        self._asked: dict[int, Asked] = {}  # by transaction id
        # A channel is used by one thread at a time, and closed by any.
        self._use = threading.Lock()
        self._ended = False
        flow.open()
        book.write(flow.take())

    @property
    def bytes_received(self) -> int:
        """The number of received bytes."""
        return self._channel.bytes_received

    @property
    def reads(self) -> int:
        """The number of reads."""
        return self._channel.reads

    @property
    def closed(self) -> bool:
        """True after `close` was called."""
        return self._channel.closed

    def cancel(self) -> None:
        """Cancel as `Channel.cancel` does."""
        self._channel.cancel()

    def resume(self) -> None:
        """Undo a `cancel`."""
        self._channel.resume()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()
        if self._use.acquire(blocking=False):  # else the thread that uses it sees that
            try:
                self._end()
            finally:
                self._use.release()

    def send(self, data: Any, *, timeout_s: float = 30.0) -> None:
        """Send as `Channel.send` does, and log the bytes."""
        if not self._use.acquire(blocking=False):
            self._channel.send(data, timeout_s=timeout_s)
            return
        try:
            self._log_sent(bytes(data))
            self._channel.send(data, timeout_s=timeout_s)
        finally:
            self._written()
            self._use.release()

    def receive_packet(self, *, timeout_s: float | None = None) -> bytes:
        """Return the next packet as `Channel.receive_packet` does, and log it."""
        if not self._use.acquire(blocking=False):
            return self._channel.receive_packet(timeout_s=timeout_s)
        try:
            packet = self._channel.receive_packet(timeout_s=timeout_s)
            redactor = self._book.redactor
            shown = packet
            if redactor is not None:
                shown = redactor.init(packet, containers=self._containers)
            self._flow.add(CAMERA, shown)
            return packet
        finally:
            self._written()
            self._use.release()

    def receive(
        self,
        phase: Phase,
        *,
        first_s: float = 30.0,
        idle_s: float = 30.0,
        slice_s: float | None = None,
        timeline: Timeline | None = None,
        most: int | None = None,
    ) -> bool:
        """Receive a phase as `Channel.receive` does, and log the bytes that it uses."""
        if not self._use.acquire(blocking=False):
            return self._channel.receive(
                phase, first_s=first_s, idle_s=idle_s, slice_s=slice_s, timeline=timeline, most=most
            )
        asked = self._asked.get(phase.transaction_id)
        keeping = self._keeping(asked)
        tapped = TappedPhase(phase, self._flow, keeping)
        broken = False
        try:
            return self._channel.receive(
                tapped,
                first_s=first_s,
                idle_s=idle_s,
                slice_s=slice_s,
                timeline=timeline,
                most=most,
            )
        except (ProtocolError, ConnectionLost):
            broken = True
            raise
        finally:
            tapped.finish()
            if phase.done:
                self._asked.pop(phase.transaction_id, None)
            if keeping == "held" and asked is not None and (phase.done or broken):
                self._log_held(asked, whole=phase.done)
            if broken and (rest := self._flow.take_rest()):
                # It is not known what is in it.
                keep_all = self._book.redactor is None
                self._flow.add(CAMERA, rest if keep_all else rest[:HEAD_SIZE])
            self._flow.acknowledge()
            self._written()
            self._use.release()

    def _keeping(self, asked: Asked | None) -> Literal["heads", "whole", "held"]:
        if asked is not None and asked.operation in DATASETS:
            return "whole" if self._book.redactor is None else "held"
        return "whole" if self._book.payload else "heads"

    def _log_held(self, asked: Asked, *, whole: bool) -> None:
        """Log a dataset, when no more of it comes."""
        joined, redactor, containers = (
            self._flow.take_held(),
            self._book.redactor,
            self._containers,
        )
        if redactor is None:
            return
        if whole:
            joined = redactor.stream(
                joined, asked.operation, asked.parameters, containers=containers
            )
        else:
            joined = redactor.blank(joined, containers=containers)
        for start, end in packets(joined):
            self._flow.add(CAMERA, joined[start:end])

    def _log_sent(self, data: bytes) -> None:
        redactor, containers = self._book.redactor, self._containers
        start, end = next(packets(data), (0, 0))
        asked = request_in(data[start:end], containers=containers)
        if asked is not None:
            if len(self._asked) >= MOST_ASKED:
                del self._asked[next(iter(self._asked))]
            self._asked[asked.transaction_id] = asked
            if redactor is not None:
                data = redactor.sent(data, asked.operation, asked.parameters, containers=containers)
        elif redactor is not None:
            data = redactor.init(data, containers=containers)
        for start, end in packets(data):
            self._flow.add(US, data[start:end])

    def _written(self) -> None:
        """Write what was logged, so that a crash loses nothing of it."""
        if self._channel.closed:
            self._end()
        else:
            self._book.write(self._flow.take())

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._flow.close()
        self._book.write(self._flow.take())
