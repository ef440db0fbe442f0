"""The measurements of an open session, and the recovery from errors.

1. Some objects are described: the rate of a listing.
2. Small operations in turn: latencies.
3. Parts of objects, chunk by chunk size, in two rounds so that changes affect all alike. Also with
   pipelined requests, if asked for or if `ptpfast tune` found that the camera can handle them.
4. A whole object, if there is time and the maker's bodies can handle it.
5. The disk alone. Then downloads in the best of these ways, discarded and stored in turn.

Each step has a share of the time. A read that would take longer is left out, with a note. After a
lost connection the run reconnects, a few times.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..link.patience import Patience
from ..ptp.errors import NetworkError, ProtocolError, PTPError, SinkError, Timeout, TransferError
from ..transfer import ObjectReader
from ..vendors.quirks import MiB
from .long import LinkLook, LongRead
from .reads import Course, Downloads, Parts, whole
from .result import Described, Latency, Reading, Result, named
from .samples import Spread
from .waits import latencies

if TYPE_CHECKING:
    from ..listing import Listing
    from ..ptp.objects import ObjectInfo
    from ..session.session import Session
    from .disk import Destination
    from .plan import Plan, Watch
    from .reads import Clock

CHUNKS = (MiB // 4, MiB, 4 * MiB, 8 * MiB)
# How the time is shared out.
OPERATIONS = LISTING = WHOLE = 0.08
PARTS, DOWNLOADS, DISK = 0.42, 0.24, 0.06
ROUNDS = 2
TOO_LONG = 3.0  # times its share, one read may take
MOST_BYTES = 1 << 30  # of one step
DISK_S = 2.0
PIECE = 16  # handles described at a time, in a listing
FURTHER = 16  # objects described, from all of the card, where that was cut short
COURSE = 16  # objects read, at most
SILENCE_S = 3.0  # a camera that ignores requests sent ahead is given up after this
MOST_LOSSES = 3
NOT_TRIED = "not tried: the camera cannot handle pipelined requests"


def note(result: Result, watch: Watch, text: str) -> None:
    """Record a note about the run, and report it."""
    result.notes.append(text)
    watch.found("note", text)


class Steps:
    """The steps of a run, whose `result` they fill."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        plan: Plan,
        result: Result,
        watch: Watch,
        destination: Destination | None,
    ) -> None:
        self._session = session
        self._clock = clock
        self._plan = plan
        self._result = result
        self._watch = watch
        self._destination = destination
        self._losses = 0
        self._mb_per_s = 0.0  # the best seen so far
        self._objects: list[ObjectInfo] = []
        found = (session.habits.depth,) if session.habits.depth > 1 else ()
        self._depths = found if plan.depths is None else plan.depths
        session.habits.depth = 1
        session.link.losses.recover = lambda error, _: self._recover(error)  # one object may end it

    def run(self) -> None:
        """Run all steps.

        Raises:
            PTPError: the camera is lost for good.
            TransferError: there is no object to measure with.
        """
        listing = self._session.listing()
        handles = listing.handles
        if handles:
            self._step("listing", LISTING, lambda until: self._list(listing, until))
        if not self._objects:
            raise TransferError("no object to measure with", hint="take a picture first")
        self._step("small operations", OPERATIONS, lambda until: self._small(handles, until))
        self._parts()
        self._step("a whole object", WHOLE, self._whole)
        if self._destination is not None:
            self._step("the disk", DISK, self._disk)
        self._step("downloads", DOWNLOADS, self._downloads)
        if self._plan.long_s or self._plan.spots is not None:
            self._long()

    def _step(self, what: str, share: float, work: Callable[[float], None]) -> PTPError | None:
        """Do something for a share of the time, and record what went wrong."""
        self._watch.step(what)
        began = self._clock.now()
        try:
            work(time.monotonic() + share * self._plan.budget_s)
        except SinkError as error:
            self._note(f"{what}: {error.message}")
            return error
        except PTPError as error:
            self._note(f"{what}: {error.message}")
            self._recover(error)
            return error
        finally:
            self._result.phases.append((what, began, self._clock.now()))
        return None

    def _note(self, text: str) -> None:
        note(self._result, self._watch, text)

    def _recover(self, error: PTPError) -> None:
        """Reconnect if the connection has ended; raise `error` if that was too often."""
        session = self._session
        if session.habits.depth > 1 and isinstance(error, (NetworkError, ProtocolError)):
            session.link.fall_back_to_serial(error)
        session.habits.depth = 1
        if session.usable and isinstance(error, Timeout):  # the rest may take as long
            session.link.connection.settle(session.timeouts.close)
        if session.usable:
            return
        self._losses += 1
        if self._losses > MOST_LOSSES:
            raise error
        began = self._clock.now()
        session.reconnect(Patience(session.timeouts.connect, first_s=0.1, most_s=2.0))
        self._note(
            f"connected again {self._clock.now() - began:.1f} s after the connection was lost"
        )

    # The steps

    def _list(self, listing: Listing, until: float) -> None:
        """List as `pull` does, without an index, as far as the time allows."""
        tally, found, began = listing.tally, [], time.monotonic()
        try:
            for piece in listing.pieces(PIECE):
                found += list(piece)
                if time.monotonic() > until:
                    break
        finally:
            described = Described(tally.asked + tally.bulk, time.monotonic() - began)
            self._result.listing = described
        if not listing.complete:  # the oldest pictures may all be of one kind
            step = max(1, len(listing.handles) // FURTHER)
            found += list(self._session.describe(listing.handles[::step]))
        self._objects = sorted((o for o in found if o.size), key=lambda o: -(o.size or 0))[:COURSE]
        self._watch.found("describing objects", f"{described.per_s:.0f} a second")

    def _small(self, handles: list[int], until: float) -> None:
        took: dict[str, list[float]] = {}
        try:
            latencies(self._session, handles, self._objects[0], until, took)
        finally:
            for what, ms in took.items():
                self._result.latencies.append(Latency(what, Spread.of(ms)))
                self._watch.found(what, f"{Spread.of(ms).p50:.1f} ms")

    def _parts(self) -> None:
        """Measure every way of reading parts, in rounds."""
        course = Course(self._objects)
        ways = [
            Parts(self._session, self._clock, course, chunk, depth)
            for depth in (1, *(self._depths))
            for chunk in self._chunks()
            if course.has(chunk)
        ]
        notes: dict[Parts, str] = {}
        share = PARTS / max(1, len(ways)) / ROUNDS
        try:
            for turn in range(ROUNDS):
                for way in ways:
                    if not notes.get(way):
                        notes[way] = self._turn(way, turn, share)
                    if notes[way] and way.depth > 1 and way.failed:
                        # A read at which it failed is not tried again.
                        notes |= {o: notes.get(o) or NOT_TRIED for o in ways if o.depth > 1}
        finally:
            for way in ways:
                reading = way.reading(notes.get(way, "interrupted"))
                self._result.readings.append(reading)
                self._watch.found(named(reading), reading.note or f"{reading.mb_per_s:.2f} MB/s")

    def _chunks(self) -> Iterable[int]:
        if ObjectReader(self._session.camera, self._objects[0]).partial() is None:
            self._note("the camera has no partial reads, only whole objects")
            return ()
        if self._plan.chunks is not None:
            return self._plan.chunks
        cap = self._session.link.dialect.quirks.max_chunk
        return [chunk for chunk in CHUNKS if chunk <= cap]

    def _turn(self, way: Parts, turn: int, share: float) -> str:
        """Measure one round of one way; return why not, if it cannot be."""
        allowed_s = share * self._plan.budget_s
        expected_s = self._expected_s(way.chunk * way.depth)
        if expected_s > TOO_LONG * allowed_s:
            return _no_room("read", expected_s)
        if expected_s > allowed_s and turn:
            return ""
        connection = self._session.link.connection
        timeouts = connection.timeouts
        if way.depth > 1:  # one that ignores requests must not cost half a minute
            hasty = min(timeouts.operation, max(SILENCE_S, TOO_LONG * expected_s))
            connection.timeouts = dataclasses.replace(timeouts, operation=hasty)
        try:
            what = named(way.reading())
            error = self._step(what, share, lambda until: way.run(until, MOST_BYTES))
        finally:
            self._session.link.connection.timeouts = timeouts
        self._mb_per_s = max(self._mb_per_s, way.reading().mb_per_s)
        if error is None or (way.depth == 1 and isinstance(error, NetworkError)):
            return ""  # one request at a time is not why a connection is lost
        way.failed = True
        return error.message

    def _expected_s(self, size: int) -> float:
        """Return the expected time for so many bytes, in seconds; 0 if unknown."""
        return size / (1e6 * self._mb_per_s) if self._mb_per_s else 0.0

    def _whole(self, until: float) -> None:
        """Return the largest object for which there is time."""
        allowed_s = until - time.monotonic()
        suffers = not self._session.link.dialect.quirks.whole_objects
        smallest = self._objects[-1]
        note = ""
        if suffers and self._result.measured("parts"):
            note = "left out: cameras of this maker fail at large reads"
        elif (expected_s := self._expected_s(smallest.size or 0)) > TOO_LONG * allowed_s:
            note = _no_room("object", expected_s)
        if note:
            self._result.readings.append(Reading("whole", 0, 1, note=note))
            return
        fits = iter(self._fitting(allowed_s))
        # Without any rate known, a movie might take an hour: the smallest says how long.
        info = next(fits, smallest) if self._mb_per_s else smallest
        reading = whole(self._session, self._clock, info, until)
        self._result.readings.append(reading)
        self._watch.found(named(reading), f"{reading.mb_per_s:.2f} MB/s")
        if not self._mb_per_s and info is not self._objects[0]:
            self._mb_per_s = reading.mb_per_s
            self._whole(until)

    def _fitting(self, allowed_s: float) -> list[ObjectInfo]:
        """Return the objects that take no longer, the largest first."""
        return [o for o in self._objects if self._expected_s(o.size or 0) <= allowed_s]

    def _downloads(self, until: float) -> None:
        best = self._result.best()
        if best is None:
            return
        turns = [None, self._destination] * ROUNDS if self._destination else [None]
        objects = self._objects
        if not best.chunk:  # these end only with the object
            objects = self._fitting((until - time.monotonic()) / len(turns)) or objects[-1:]
        downloads = Downloads(
            self._session, self._clock, objects, (best.chunk, best.depth), best.mb_per_s
        )
        found: dict[str, Reading] = {}
        for turn, where in enumerate(turns):
            now = time.monotonic()
            end = now + (until - now) / (len(turns) - turn)
            most = MOST_BYTES
            if where is not None:  # bytes that memory takes at once could take the disk a minute
                most = min(where.room(), self._disk_takes(end - now))
            reading = downloads.run(where, end, max(most, 1))
            if (before := found.get(reading.way)) is not None:
                self._result.readings.remove(before)
                reading = joined(before, reading)
            found[reading.way] = reading
            self._result.readings.append(reading)
        for reading in found.values():
            self._watch.found(named(reading), f"{reading.mb_per_s:.2f} MB/s")

    def _long(self) -> None:
        """Read for a long time, or at each spot of a walk, in the best of the ways."""
        best = self._result.best()
        way = (best.chunk, best.depth) if best else (0, 1)
        address = self._session.link.connection.address
        look = LinkLook(address.host, address.port)
        read = LongRead(self._session, self._clock, self._objects, way, look, self._watch)
        self._result.intervals = read.intervals
        try:
            if self._plan.long_s:
                self._watch.step("a long read")
                read.run(self._plan.long_s)
            for spot in self._plan.spots or ():
                self._watch.step(f"at {spot}")
                read.run(self._plan.spot_s, spot)
        except PTPError as error:
            self._note(f"the read ended early: {error.message}")

    def _disk_takes(self, seconds: float) -> int:
        """Return the bytes that the disk takes in a time, as far as is known."""
        disk = self._result.disk
        return MOST_BYTES if disk is None else int(1e6 * disk.mb_per_s * max(seconds, 0.5))

    def _disk(self, until: float) -> None:
        assert self._destination is not None
        self._result.disk = self._destination.measure(min(DISK_S, until - time.monotonic()))
        self._watch.found("the disk alone", f"{self._result.disk.mb_per_s:.0f} MB/s")


def _no_room(what: str, expected_s: float) -> str:
    return f"not measured: one {what} takes about {expected_s:.0f} s; use a longer --budget"


def joined(one: Reading, other: Reading) -> Reading:
    """Return the sum of two turns of one reading."""
    return dataclasses.replace(
        one,
        requests=one.requests + other.requests,
        bytes=one.bytes + other.bytes,
        seconds=one.seconds + other.seconds,
        stalls=one.stalls + other.stalls,
        flushed_s=one.flushed_s + other.flushed_s,
        cpu_s=one.cpu_s + other.cpu_s,
    )
