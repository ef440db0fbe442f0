"""The search for the best settings of a camera, with safe operations first.

1. Some GetObjectInfo one at a time: the round trip.
2. Pipelined, at growing depths: the answers must be equal, and faster.
3. Pipelined partial reads: the bytes must be equal.
4. The rates of chunks of several sizes, and of small pipelined ones.
5. One whole object, the largest that fits into the time, unless the maker's bodies fail at it. Its
   bytes must be equal. Downloads take whole objects only if these are much faster, twice. They
   cannot be interrupted, and large ones make some firmware stall.

If a camera fails at some depth, the session reconnects, and the last good depth is kept. A camera
that fails at a whole object is not asked for one again. A read that can end in time is never
interrupted.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from ..engine.sink import CallbackSink, MemorySink
from ..ptp.errors import (
    Cancelled,
    ConnectFailed,
    PTPError,
    ResponseError,
    TransferError,
    Unreadable,
)
from ..ptp.objects import ObjectInfo, ObjectTable
from ..session.session import Session
from ..transfer import ObjectReader
from ..transport.timeouts import Timeouts
from ..vendors import Tuning
from .result import WHOLE_GAIN

MiB = 1 << 20
DEPTHS = (2, 4, 8, 16)
CHUNKS = (1 * MiB, 2 * MiB, 4 * MiB, 8 * MiB)
SAMPLE = 32  # objects described at each depth
STEP_S = 4.0  # about how long each rate is measured
SILENCE_S = 3.0  # a camera that ignores a request is given up after this
WHOLE_S = 10.0  # and a whole object, which is to take STEP_S at most
QUICKER = 1.1  # a deeper pipeline must be at least this much quicker
ENOUGH = 0.97  # of the best rate: the smallest chunk that reaches it is the safest
COMPARED = 8 * 65_536

Way = tuple[int, int]  # to read parts: depth, and bytes of each


@dataclass(frozen=True, slots=True)
class Finding:
    """One measurement: `what` with `depth` requests outstanding, `value` in `unit`.

    Attributes:
        problem: What the camera did wrong.
        skipped: Why it was not tried.
    """

    what: str
    depth: int
    value: float
    unit: str
    chunk: int | None = None
    problem: str = ""
    skipped: str = ""


class Tuner:
    """The measurements of one camera; `findings` grows as they are made."""

    def __init__(self, session: Session, tell: Callable[[Finding], None]) -> None:
        self._session = session
        self._tell = tell
        self._timeouts = session.link.connection.timeouts
        self.findings: list[Finding] = []

    def run(self) -> Tuning:
        """Run all steps. Raises TransferError if there is no object to measure with."""
        session = self._session
        session.habits.depth = 1
        handles, table = self._sample()
        largest = max((o for o in table if o.size), key=lambda o: o.size or 0, default=None)
        if largest is None:
            raise TransferError("no object to measure with", hint="take a picture first")
        depth = self._deepest(handles, table)
        note = f"measured {date.today().isoformat()} with {largest.extension or 'an object'}"
        objects = [info for info in table if info.size]
        if not self._reads_parts(largest):
            return self._with_whole(objects, Tuning(depth, None, 1.0, note), None, {})
        if depth > 1 and not self._reads_ahead(largest):
            depth = 1
        chosen, rates = self._fastest(largest, depth)
        plain = next(iter(rates.values()))  # the smallest chunk, one at a time
        gain = rates[chosen] / plain if plain else 1.0
        found = Tuning(depth if chosen[0] > 1 else 1, chosen[1], round(gain, 3), note)
        return self._with_whole(objects, found, chosen, rates)

    def _sample(self) -> tuple[list[int], ObjectTable]:
        """Return described handles, without those at which the camera ends the connection."""
        session = self._session
        session.link.losses.recover = lambda error, _: session.link.reconnect_after(error)
        try:
            handles = session.handles()[:SAMPLE]
            table = self._describe(handles, 1)
            if not table:  # folders whose contents the camera does not list with them
                handles = [info.handle for info in session.objects()][:SAMPLE]
                table = self._describe(handles, 1)
        finally:
            session.link.losses.recover = None
        aside = {handle for handle, error in table.failures if isinstance(error, Unreadable)}
        return [handle for handle in handles if handle not in aside], table

    def _find(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._tell(finding)

    def _describe(self, handles: list[int], depth: int) -> ObjectTable:
        began = time.monotonic()
        table = self._session.describe(handles)
        each_ms = 1000 * (time.monotonic() - began) / max(len(handles), 1)
        self._find(Finding("describing an object", depth, each_ms, "ms"))
        return table

    def _names(self, handles: list[int], depth: int) -> list[str]:
        return self._describe(handles, depth).names

    def _deepest(self, handles: list[int], expected: ObjectTable) -> int:
        """Return the deepest pipeline that is answered correctly and is faster."""
        best = 1
        for depth in DEPTHS:
            before = self.findings[-1].value
            names = partial(self._names, handles, depth)
            if not self._copes(depth, names, expected.names):
                break
            if self.findings[-1].value * QUICKER > before and best > 1:
                break
            best = depth
        return best

    def _reads_parts(self, info: ObjectInfo) -> bool:
        """Return whether the camera has partial reads that work."""
        problem = ""
        try:
            self._range(info, min(info.size or 0, COMPARED), 1)
        except (ResponseError, TransferError) as error:
            problem = error.message
        if ObjectReader(self._session.camera, info).partial() is None:
            problem = "the camera has whole objects only"
        if problem:
            self._find(Finding("reading in parts", 1, 0.0, "", problem=problem))
        return not problem

    def _reads_ahead(self, info: ObjectInfo) -> bool:
        size = min(info.size or 0, COMPARED)
        expected = self._range(info, size, 1)
        return self._copes(2, lambda: self._range(info, size, 2), expected)

    def _range(self, info: ObjectInfo, size: int, depth: int) -> object:
        self._session.habits.depth = depth
        sink = MemorySink()
        ObjectReader(self._session.camera, info, chunk=65_536).read(sink, 0, size)
        return sink.finish()

    def _copes(self, depth: int, what: Callable[[], object], expected: object) -> bool:
        """Return whether a step at a depth gives the right result and the depth stays."""
        session = self._session
        session.habits.depth = depth
        problem = ""
        try:
            if what() != expected:
                problem = "different answers than one at a time"
        except (Cancelled, ConnectFailed):
            raise
        except PTPError as error:
            problem = error.message
            if not session.usable:
                session.reconnect()
        if not problem and session.habits.depth != depth:
            problem = "it lost the connection, was busy, or answered wrong or not at all"
        if problem:
            self._find(Finding("requests sent ahead", depth, 0.0, "", problem=problem))
        session.habits.depth = 1
        return not problem

    def _fastest(self, info: ObjectInfo, depth: int) -> tuple[Way, dict[Way, float]]:
        """Return the most careful of the fastest chunk sizes, and the rates of all."""
        cap = self._session.link.dialect.quirks.max_chunk
        reads_depth = min(depth, 2)  # more does not hide more of one round trip
        candidates = [(1, chunk) for chunk in CHUNKS if chunk <= cap]
        candidates += [(2, MiB)] if reads_depth == 2 else []
        rates: dict[Way, float] = {}
        for key in candidates:
            rates[key] = self._rate(info, *key, about=max(rates.values(), default=0.0))
        best = max(rates.values())
        # Small chunks are gentle with firmware and cheap to resume; depth costs nothing more.
        chosen = min(
            (key for key, rate in rates.items() if rate >= ENOUGH * best),
            key=lambda key: (key[1], key[0]),
        )
        return chosen, rates

    def _rate(self, info: ObjectInfo, depth: int, chunk: int, *, about: float) -> float:
        """Measure MB/s at a chunk size for a few seconds. about: the expected rate in MB/s."""
        # At the end of a read the pipeline drains. So all chunks of this time are one read, or the
        # drain would hide the gain of depth. At depth 1 the time is checked after each chunk.
        at_once = min(max(int(about * 1e6 * STEP_S) // chunk, depth), 64) if depth > 1 else 1
        self._session.habits.depth = depth
        size = info.size or 0
        began, offset = time.monotonic(), 0
        moved = 0
        while (seconds := time.monotonic() - began) < STEP_S and moved < 64 * chunk:
            want = min(at_once * chunk, size - offset)
            sink = CallbackSink(lambda view: None)
            moved += ObjectReader(self._session.camera, info, chunk=chunk).read(sink, offset, want)
            offset = offset + want if offset + want < size else 0
        seconds = time.monotonic() - began
        rate = moved / seconds / 1e6 if seconds else 0.0
        self._find(Finding("reading in parts", depth, rate, "MB/s", chunk=chunk))
        self._session.habits.depth = 1
        return rate

    def _with_whole(
        self,
        objects: list[ObjectInfo],
        found: Tuning,
        chosen: Way | None,
        rates: dict[Way, float],
    ) -> Tuning:
        """Return `found`, with the result of one whole object.

        Args:
            objects: to choose from.
            found: the settings so far.
            chosen: the best chunks; without them there is nothing to compare with.
            rates: of all chunks.
        """
        best = max(rates.values(), default=0.0)
        if self._session.link.dialect.quirks.whole_objects:
            info = self._fitting(objects, best)
            skipped = f"not tried: every object takes longer than {STEP_S:g} s"
        else:
            info, skipped = None, "not tried: cameras of this maker fail at it"
        if info is None:
            self._find(Finding("reading a whole object", 1, 0.0, "", skipped=skipped))
            return found
        if (rate := self._whole(info, chosen)) is None:
            return dataclasses.replace(found, whole=False)
        chunk, gain = found.chunk, found.gain
        if chosen and best and rate >= WHOLE_GAIN * best:
            # A radio's rate swings by as much: once more, of the same object.
            again = self._rate(info, *chosen, about=best)
            second = self._whole(info, chosen)
            if second is None:
                return dataclasses.replace(found, whole=False)
            rate = min(rate, second)
            if rate >= WHOLE_GAIN * max(best, again):
                chunk, gain = 0, round(found.gain * rate / rates[chosen], 3)
        return dataclasses.replace(
            found,
            chunk=chunk,
            gain=gain,
            whole=True,
            whole_mb_per_s=round(rate, 3),
            whole_size=info.size,
        )

    def _fitting(self, objects: list[ObjectInfo], rate: float) -> ObjectInfo | None:
        """Return the largest object that takes no longer than other steps, at a rate in MB/s.

        Without a known rate it is the smallest object.
        """
        by_size = sorted(objects, key=lambda info: info.size or 0)
        if not rate:
            return by_size[0]
        fits = [info for info in by_size if (info.size or 0) <= rate * 1e6 * STEP_S]
        return fits[-1] if fits else None

    def _whole(self, info: ObjectInfo, chosen: Way | None) -> float | None:
        """Return the MB/s of one GetObject; None if the camera fails at it.

        After a failure the session reconnects, because the rest of the object may still come. After
        a refusal it does not.
        """
        session = self._session
        hasty = session.link.connection.timeouts
        size = min(info.size or 0, COMPARED)
        expected = None if chosen is None else self._range(info, size, 1)
        came = bytearray()
        sink = CallbackSink(lambda view: came.extend(view[: size - len(came)]))
        problem, refused, seconds = "", False, 0.0
        session.link.connection.timeouts = _bounded(self._timeouts, WHOLE_S)
        began = time.monotonic()
        try:
            ObjectReader(session.camera, info, chunk=0).read(sink)
            sink.finish()
            seconds = time.monotonic() - began
        except Cancelled:  # by the user, not by the camera
            raise
        except PTPError as error:
            problem, refused = error.message, isinstance(error, ResponseError)
        finally:
            session.link.connection.timeouts = hasty
        if problem and not refused:
            session.reconnect()
        elif not problem and expected is not None and came != expected:
            problem = "different bytes than in parts"
        rate = (info.size or 0) / max(seconds, 1e-9) / 1e6
        finding = Finding("reading a whole object", 1, rate, "MB/s", chunk=0)
        if problem:
            finding = Finding("reading a whole object", 1, 0.0, "", problem=problem)
        self._find(finding)
        return None if problem else rate


def _bounded(timeouts: Timeouts, most_s: float) -> Timeouts:
    """Limit each wait for an object, and all of them together, to so many seconds."""
    first_s = timeouts.operation if timeouts.first_byte is None else timeouts.first_byte
    return dataclasses.replace(
        timeouts,
        operation=min(timeouts.operation, most_s),
        first_byte=min(first_s, most_s),
        idle=min(timeouts.idle, most_s),
        total=most_s if timeouts.total is None else min(timeouts.total, most_s),
    )


def tune(session: Session, tell: Callable[[Finding], None] = lambda _: None) -> Tuning:
    """Measure the session's camera; call `tell` with each finding.

    Only reads: nothing on the camera changes. The session keeps the depth found.

    Raises:
        PTPError: the camera is lost, or cannot be connected to again.
        TransferError: the card is empty.
    """
    timeouts = session.link.connection.timeouts
    tuner = Tuner(session, tell)
    hasty = dataclasses.replace(timeouts, operation=min(SILENCE_S, timeouts.operation))
    session.link.connection.timeouts = hasty
    session.habits.remembers = False  # the caller decides whether to store the result
    try:
        found = tuner.run()
    finally:
        session.habits.remembers = True
        session.link.connection.timeouts = timeouts
    session.habits.depth = found.depth
    return found
