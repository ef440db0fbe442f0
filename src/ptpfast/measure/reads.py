"""Ways to read objects, each limited in time and bytes. The bytes are dropped or stored.

`run` decides the order, and `verdict` the meaning. Times in an `Arrival` or a `Stall` are seconds
since `Clock` began.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..engine.channel import Timeline
from ..engine.phase import Phase
from ..engine.sink import CallbackSink
from ..link.pipelining import Request
from ..ptp.codes import OperationCode
from ..ptp.errors import PTPError, Timeout
from ..ptp.objects import ObjectInfo
from ..session.session import Session
from ..transfer import ObjectReader
from .acks import held
from .disk import AnySink, Destination
from .result import Reading, Timing
from .samples import Arrival, Spread, blocks, flow_rate, stalls

GRACE_S = 20.0  # after its time is up, a read is given up: the link may be next to dead
SAMPLES_OF_A_CHUNK, SAMPLES_OF_A_FILE = 4096, 32_768


class Clock:
    """Seconds since the run began, and everything that arrived since."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.start()

    def start(self) -> None:
        """Start the run now."""
        self._began = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._began

    @contextmanager
    def arriving(self, samples: int) -> Iterator[tuple[Timeline, list[Arrival]]]:
        """Record the arrival of what is read within; it is in the list afterwards."""
        found: list[Arrival] = []
        timeline = Timeline(samples)
        asked = self.now()
        try:
            yield timeline, found
        finally:
            answered = self.now()
            seconds, sums = timeline.samples()
            found.append(Arrival(asked, answered, seconds + asked, sums))
            self.arrivals.append(found[0])


def giving_up(until: float) -> Callable[[object], None]:
    """Return a progress callback that raises Timeout well after `until`."""

    def check(_: object) -> None:
        if time.monotonic() > until + GRACE_S:
            raise Timeout(f"the data takes too long: gave up {GRACE_S:g} s late")

    return check


class Course:
    """The ranges to read: one after the other through some objects, then from the beginning.

    So no bytes are read twice before all others were read once.
    """

    def __init__(self, objects: list[ObjectInfo]) -> None:
        self._objects = objects
        self._index = 0
        self._offset = 0

    def has(self, size: int) -> bool:
        """Return whether any object is that large."""
        return any((info.size or 0) >= size for info in self._objects)

    def take(self, size: int) -> tuple[ObjectInfo, int]:
        """Return object and offset of the next range of that size. Raises ValueError if there is
        none."""
        for _ in range(len(self._objects) + 1):
            info = self._objects[self._index]
            if self._offset + size <= (info.size or 0):
                offset, self._offset = self._offset, self._offset + size
                return info, offset
            self._index = (self._index + 1) % len(self._objects)
            self._offset = 0
        raise ValueError(f"no object has {size} bytes")


class Parts:
    """Partial reads of one size with `depth` requests outstanding. Their bytes are dropped.

    `run` may be called several times; `reading` is the result of all of them.
    """

    def __init__(
        self, session: Session, clock: Clock, course: Course, chunk: int, depth: int
    ) -> None:
        self._session = session
        self._clock = clock
        self._course = course
        self.chunk = chunk
        self.depth = depth
        self.failed = False  # set by the caller
        self._arrivals: list[Arrival] = []
        self._requests = self._bytes = 0
        self._seconds = self._cpu_s = 0.0

    def run(self, until: float, most: int) -> None:
        """Read until `until` (`time.monotonic`), at least one request, and about `most` bytes at
        most.

        Raises:
            PTPError: the read failed; earlier measurements are kept.
        """
        cpu, began = time.thread_time(), time.monotonic()
        try:
            (self._one_at_a_time if self.depth == 1 else self._ahead)(until, most)
        finally:
            self._seconds += time.monotonic() - began
            self._cpu_s += time.thread_time() - cpu

    def _request(self) -> tuple[int, tuple[int, ...], str]:
        info, offset = self._course.take(self.chunk)
        read = ObjectReader(self._session.camera, info).partial(offset + self.chunk)
        assert read is not None
        label = f"reading {self.chunk:,} bytes of {info.name} at {offset:,}"
        return read.operation, read.parameters(info.handle, offset, self.chunk), label

    def _count(self, phase: Phase) -> None:
        self._requests += 1
        self._bytes += phase.received

    def _one_at_a_time(self, until: float, most: int) -> None:
        asked = 0
        while not asked or (time.monotonic() < until and asked < most):
            asked += self.chunk
            operation, parameters, label = self._request()
            with self._clock.arriving(SAMPLES_OF_A_CHUNK) as (timeline, found):
                phase = self._session.link.transact(
                    Request(
                        operation,
                        parameters,
                        limit=self.chunk,
                        label=label,
                        on_pause=giving_up(until),
                    ),
                    timeline=timeline,
                )
            self._arrivals += found
            self._count(phase)

    def _ahead(self, until: float, most: int) -> None:
        asked = 0

        def following() -> Request | None:
            nonlocal asked
            if asked and (time.monotonic() >= until or asked >= most):
                return None
            asked += self.chunk
            operation, parameters, label = self._request()
            return Request(operation, parameters, None, self.chunk, label, giving_up(until))

        def done(request: Request, phase: Phase, error: PTPError | None) -> None:
            if error is not None:
                raise error
            self._count(phase)

        self._session.habits.depth = self.depth
        with self._clock.arriving(SAMPLES_OF_A_FILE) as (timeline, found):
            self._session.link.run(following, done, timeline=timeline)
        self._arrivals += found
        self._session.habits.depth = 1

    def reading(self, note: str = "") -> Reading:
        """Return the result so far."""
        return _completed(
            Reading(
                "parts",
                self.chunk,
                self.depth,
                self._requests,
                self._bytes,
                self._seconds,
                cpu_s=self._cpu_s,
                note=note,
            ),
            self._arrivals,
        )


def whole(session: Session, clock: Clock, info: ObjectInfo, until: float) -> Reading:
    """Read one whole object, and drop its bytes; give up long after `until` (`time.monotonic`)."""
    cpu, began = time.thread_time(), time.monotonic()
    with clock.arriving(SAMPLES_OF_A_FILE) as (timeline, found):
        phase = session.link.transact(
            Request(
                OperationCode.GetObject,
                (info.handle,),
                limit=info.size,
                label=f"reading the whole of {info.name}",
                on_pause=giving_up(until),
            ),
            timeline=timeline,
        )
    seconds = time.monotonic() - began
    cpu = time.thread_time() - cpu
    return _completed(Reading("whole", 0, 1, 1, phase.received, seconds, cpu_s=cpu), found)


def _completed(reading: Reading, arrivals: list[Arrival]) -> Reading:
    """Return a reading with the figures of its samples. Pipelined requests have no waits."""
    if reading.depth == 1 and arrivals:
        waits = [arrival.wait for arrival in arrivals]
        rate = flow_rate(arrivals)
        timing = Timing(
            wait_ms=Spread.of(1e3 * wait for wait in waits),
            waited_s=sum(waits),
            flowed_s=sum(arrival.flow for arrival in arrivals),
            held_s=held(arrivals),
            flow_mb_per_s=None if rate is None else rate / 1e6,
            each_mb_per_s=_each(reading, arrivals) if reading.chunk else None,
            blocks=blocks(arrivals),
        )
        reading = dataclasses.replace(reading, timing=timing)
    return dataclasses.replace(reading, stalls=tuple(stalls(arrivals)))


def _each(reading: Reading, arrivals: list[Arrival]) -> Spread:
    return Spread.of(reading.chunk / (a.answered - a.asked) / 1e6 for a in arrivals)


class Downloads:
    """Objects read as `pull` reads them, as much of each as the time allows.

    They are dropped (`memory`) and stored (`file`) in turn, so that both can be compared.

    Attributes:
        chunk: Bytes of each read; 0 for whole objects.
        mb_per_s: The expected rate, which limits the requested size.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        objects: list[ObjectInfo],
        way: tuple[int, int],
        mb_per_s: float,
    ) -> None:
        self._session = session
        self._clock = clock
        self._objects = objects
        self._chunk, self._depth = way
        self._bytes_per_s = 1e6 * mb_per_s
        self._next = 0

    def run(self, destination: Destination | None, until: float, most: int) -> Reading:
        """Read until about `until` (`time.monotonic`), `most` bytes at most. Raises PTPError."""
        arrivals: list[Arrival] = []
        cpu, began = time.thread_time(), time.monotonic()
        size, flushed_s = 0, 0.0
        self._session.habits.depth = self._depth
        while not arrivals or (time.monotonic() < until and size < most):
            info = self._objects[self._next % len(self._objects)]
            self._next += 1
            there_is_time = self._bytes_per_s * max(0.0, until - time.monotonic())
            want = min(info.size or 0, most - size, max(self._chunk, int(there_is_time)))
            if not self._chunk:
                want = info.size or 0
            sink = CallbackSink(_drop) if destination is None else destination.open(want)
            here = self._read(info, sink, want, until, arrivals)
            size += sink.position
            flushed_s += time.monotonic() - here
        seconds, cpu = time.monotonic() - began, time.thread_time() - cpu
        self._session.habits.depth = 1
        return Reading(
            "memory" if destination is None else "file",
            self._chunk,
            self._depth,
            len(arrivals),
            size,
            seconds,
            stalls=tuple(stalls(arrivals)),
            flushed_s=0.0 if destination is None else flushed_s,
            cpu_s=cpu,
        )

    def _read(
        self, info: ObjectInfo, sink: AnySink, size: int, until: float, arrivals: list[Arrival]
    ) -> float:
        """Read a part of an object and end its sink; return the time when all bytes were here."""
        late = giving_up(until)
        try:
            with self._clock.arriving(SAMPLES_OF_A_FILE) as (timeline, found):
                reader = ObjectReader(
                    self._session.camera,
                    info,
                    chunk=self._chunk,
                    progress=lambda received, _: late(received),
                    timeline=timeline,
                )
                reader.read(sink, 0, size)
            arrivals += found
            here = time.monotonic()
            sink.finish()
            return here
        except BaseException:
            sink.abandon()
            raise


def _drop(view: memoryview) -> None:
    """Drop the bytes of a sink."""
