"""Read for a long time, and note what arrives in each interval: `bench --for` and `--walk`.

The camera's objects are read one after the other, in the way that was found to be the fastest, and
dropped. A lost connection is made again until the time is up.
"""

from __future__ import annotations

import dataclasses
import time
from itertools import cycle

from ..engine.sink import CallbackSink
from ..link.patience import Patience
from ..network.interface import Interface, described, interface_of
from ..network.radio import Radio, radio_of
from ..network.tcp import tcp_state
from ..ptp.errors import NetworkError, ProtocolError, PTPError, Timeout, TransferError
from ..ptp.objects import ObjectInfo
from ..session.session import Session
from ..transfer import ObjectReader
from .plan import Watch
from .reads import Clock
from .series import Interval

INTERVAL_S = 1.0
MOST_INTERVALS = 7200  # of one run; a longer one has longer intervals
RADIO_S = 5.0  # between two looks at the bit rate, which a program tells
SILENCE_S = 0.25  # a shorter one is no stall
FIRST_PAUSE_S, MOST_PAUSE_S = 0.1, 2.0  # between attempts to connect again


def interval_s(seconds: float) -> float:
    """Return the length of the intervals of a read that lasts so long."""
    return max(INTERVAL_S, seconds / MOST_INTERVALS)


class LinkLook:
    """What the system tells of the link, between one look and the next."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._before = state = tcp_state(host, port)
        self._interface: Interface = interface_of(state.local if state else host)
        self._radio, self._radio_at = Radio(), float("-inf")

    def look(self, interval: Interval) -> Interval:
        """Return the interval with what is known of the link at its end."""
        wireless = self._interface.kind == "wireless"
        loopback = self._interface.kind == "loopback"
        state = None if loopback else tcp_state(self._host, self._port)
        before, self._before = self._before, state
        counts = (0, 0, 0)
        if state is not None:
            counts = state.segments, state.out_of_order, state.repeated
            # A new connection counts from zero.
            if before is not None and before.segments <= state.segments:
                counts = (
                    counts[0] - before.segments,
                    counts[1] - before.out_of_order,
                    counts[2] - before.repeated,
                )
        if wireless and time.monotonic() - self._radio_at >= RADIO_S:
            self._radio, self._radio_at = radio_of(self._interface.name), time.monotonic()
        signal = described(self._interface.name).signal_dbm if wireless else None
        return dataclasses.replace(
            interval,
            rtt_ms=state.rtt_ms if state is not None else None,
            segments=max(0, counts[0]),
            out_of_order=max(0, counts[1]),
            repeated=max(0, counts[2]),
            signal_dbm=self._radio.signal_dbm if signal is None else signal,
            mbit_per_s=self._radio.mbit_per_s,
        )


class LongRead:
    """A read that lasts until it is stopped. `intervals` grows meanwhile, and is kept if it fails.

    Args:
        way: Bytes of each read (0: whole objects), and requests outstanding.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        objects: list[ObjectInfo],
        way: tuple[int, int],
        look: LinkLook,
        watch: Watch,
    ) -> None:
        self._session, self._clock, self._watch = session, clock, watch
        self._objects = objects
        self._chunk, self._depth = way
        self._look = look
        self.intervals: list[Interval] = []
        self._spot, self._length_s = "", INTERVAL_S
        self._began = self._heard = self._until = 0.0  # by the clock; when the last byte came
        self._bytes, self._received, self._silence_s, self._lost = 0, 0, 0.0, 0

    def run(self, seconds: float, spot: str = "") -> None:
        """Read for so many seconds.

        Raises:
            PTPError: the camera did not come back, or none of its objects can be read.
        """
        self._spot, self._length_s = spot, interval_s(seconds)
        self._begin()
        self._until = until = self._began + seconds
        if not self._session.usable:
            self._reconnect()
        refused = 0
        for info in cycle(self._objects):
            if self._clock.now() >= until:
                break
            try:
                self._read(info)
                refused = 0
            except _TimeIsUp:
                break
            except (NetworkError, ProtocolError) as error:
                self._recover(error)
            except PTPError as error:
                refused += 1
                if refused >= len(self._objects):
                    raise TransferError(f"no object can be read: {error.message}") from error
        if self._clock.now() - self._began >= self._length_s / 2:
            self._end_interval()  # shorter ones would have rates by chance
        self._settle()

    def _read(self, info: ObjectInfo) -> None:
        self._received = 0
        self._session.habits.depth = self._depth
        sink = CallbackSink(_drop)
        try:
            reader = ObjectReader(
                self._session.camera, info, chunk=self._chunk, progress=self._arrived
            )
            reader.read(sink, 0)
            sink.finish()
        except BaseException:
            sink.abandon()
            raise
        finally:
            self._session.habits.depth = 1

    def _arrived(self, received: int, _: int | None) -> None:
        now = self._clock.now()
        if received > self._received:
            self._quiet(now)
            self._heard = now
            self._bytes += received - self._received
            self._received = received
        if now - self._began >= self._length_s:
            self._end_interval()
        if now >= self._until:
            raise _TimeIsUp

    def _quiet(self, now: float) -> None:
        silence_s = now - self._heard
        if silence_s >= SILENCE_S:
            self._silence_s = max(self._silence_s, silence_s)

    def _begin(self) -> None:
        self._began = self._heard = self._clock.now()
        self._bytes, self._silence_s, self._lost = 0, 0.0, 0

    def _end_interval(self) -> None:
        now = self._clock.now()
        self._quiet(now)
        found = self._look.look(
            Interval(
                self._began,
                now - self._began,
                self._bytes,
                self._silence_s,
                self._lost,
                spot=self._spot,
            )
        )
        self.intervals.append(found)
        self._watch.interval(found)
        self._began, self._bytes, self._silence_s, self._lost = now, 0, 0.0, 0

    def _settle(self) -> None:
        """Have what was asked for and is no longer wanted arrive, or end the connection."""
        if self._session.usable:
            self._session.link.connection.settle(self._session.timeouts.close)

    def _recover(self, error: PTPError) -> None:
        """Connect again, as long as there is time."""
        session = self._session
        if session.usable and isinstance(error, Timeout):
            self._settle()
        if session.usable:
            return
        self._lost += 1
        self._reconnect()

    def _reconnect(self) -> None:
        left_s = max(self._session.timeouts.connect, self._until - self._clock.now())
        self._session.reconnect(Patience(left_s, first_s=FIRST_PAUSE_S, most_s=MOST_PAUSE_S))


class _TimeIsUp(Exception):
    """The read is over."""


def _drop(view: memoryview) -> None:
    """Drop the bytes."""
