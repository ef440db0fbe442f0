"""Finds out how a camera is best read, with harmless operations first, each bounded in time.

1. Some GetObjectInfo one at a time: the round trip.
2. The same with requests sent ahead, deeper and deeper: answers must be equal, and quicker.
3. Partial reads sent ahead: bytes must be equal.
4. The rate of chunks of several sizes, and of small ones sent ahead.

A camera that misbehaves at some depth is connected to again (the session does that) and is left at
the last depth it coped with.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from .._sink import CallbackSink, MemorySink
from ..errors import ConnectFailed, PTPError, TransferError
from ..objects import ObjectInfo, ObjectTable
from ..session import Session
from ..transfer import ObjectReader
from ..vendors import Tuning

MiB = 1 << 20
DEPTHS = (2, 4, 8, 16)
CHUNKS = (1 * MiB, 2 * MiB, 4 * MiB, 8 * MiB)
SAMPLE = 32  # objects described at each depth
STEP_S = 4.0  # about how long each rate is measured
SILENCE_S = 3.0  # a camera that ignores a request is given up after this
QUICKER = 1.1  # a deeper pipeline must be at least this much quicker
ENOUGH = 0.97  # of the best rate: the smallest chunk that reaches it is the safest
COMPARED = 8 * 65_536


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing measured: `what` with `depth` requests outstanding, `value` in `unit`."""

    what: str
    depth: int
    value: float
    unit: str
    chunk: int | None = None
    problem: str = ""


class Tuner:
    """One camera's measurements; `findings` grows as they are made."""

    def __init__(self, session: Session, tell: Callable[[Finding], None]) -> None:
        self._session = session
        self._tell = tell
        self.findings: list[Finding] = []

    def run(self) -> Tuning:
        """All steps. TransferError when there is nothing on the card to measure with."""
        session = self._session
        session.pipeline_depth = 1
        handles = session.handles()[:SAMPLE]
        table = self._describe(handles, 1)
        largest = max((o for o in table if o.size), key=lambda o: o.size or 0, default=None)
        if largest is None:
            raise TransferError("no object to measure with", hint="take a picture first")
        depth = self._deepest(handles, table)
        if depth > 1 and not self._reads_ahead(largest):
            depth = 1
        return self._fastest(largest, depth)

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
        """The deepest pipeline that is answered right and pays."""
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

    def _reads_ahead(self, info: ObjectInfo) -> bool:
        size = min(info.size or 0, COMPARED)
        expected = self._range(info, size, 1)
        return self._copes(2, lambda: self._range(info, size, 2), expected)

    def _range(self, info: ObjectInfo, size: int, depth: int) -> object:
        self._session.pipeline_depth = depth
        sink = MemorySink()
        ObjectReader(self._session, info, chunk=65_536).read(sink, 0, size)
        return sink.finish()

    def _copes(self, depth: int, what: Callable[[], object], expected: object) -> bool:
        """Whether something done at a depth gives what it gave before, and the depth stands."""
        session = self._session
        session.pipeline_depth = depth
        problem = ""
        try:
            if what() != expected:
                problem = "other answers than one at a time"
        except ConnectFailed:
            raise
        except PTPError as error:
            problem = error.message
            if not session.usable:
                session.reconnect()
        if not problem and session.pipeline_depth != depth:
            problem = "it lost the connection, was busy, or answered wrong or not at all"
        if problem:
            self._find(Finding("requests sent ahead", depth, 0.0, "", problem=problem))
        session.pipeline_depth = 1
        return not problem

    def _fastest(self, info: ObjectInfo, depth: int) -> Tuning:
        cap = self._session.vendor.quirks.max_chunk
        reads_depth = min(depth, 2)  # more does not hide more of one round trip
        candidates = [(1, chunk) for chunk in CHUNKS if chunk <= cap]
        candidates += [(2, MiB)] if reads_depth == 2 else []
        rates: dict[tuple[int, int], float] = {}
        for key in candidates:
            rates[key] = self._rate(info, *key, about=max(rates.values(), default=0.0))
        baseline = rates[1, candidates[0][1]]
        best = max(rates.values())
        # Small chunks are gentle with firmware and cheap to resume; depth costs nothing more.
        chosen = min(
            (key for key, rate in rates.items() if rate >= ENOUGH * best),
            key=lambda key: (key[1], key[0]),
        )
        gain = rates[chosen] / baseline if baseline else 1.0
        note = f"measured {date.today().isoformat()} with {info.extension or 'an object'}"
        chunk = chosen[1]
        return Tuning(depth if chosen[0] > 1 else 1, chunk, round(gain, 3), note)

    def _rate(self, info: ObjectInfo, depth: int, chunk: int, *, about: float) -> float:
        """MB/s of the object's bytes in chunks of a size, for some seconds. `about` MB/s are to be
        expected."""
        # At the end of each read nothing is sent ahead any more: what is to come in this time is
        # one read, or depth would lose there what it gains. Without depth there is nothing to lose,
        # and the time is looked at after each chunk.
        at_once = min(max(int(about * 1e6 * STEP_S) // chunk, depth), 64) if depth > 1 else 1
        self._session.pipeline_depth = depth
        size = info.size or 0
        began, offset = time.monotonic(), 0
        moved = 0
        while (seconds := time.monotonic() - began) < STEP_S and moved < 64 * chunk:
            want = min(at_once * chunk, size - offset)
            sink = CallbackSink(lambda view: None)
            moved += ObjectReader(self._session, info, chunk=chunk).read(sink, offset, want)
            offset = offset + want if offset + want < size else 0
        seconds = time.monotonic() - began
        rate = moved / seconds / 1e6 if seconds else 0.0
        self._find(Finding("reading in parts", depth, rate, "MB/s", chunk=chunk))
        self._session.pipeline_depth = 1
        return rate


def tune(session: Session, tell: Callable[[Finding], None] = lambda _: None) -> Tuning:
    """Measures the session's camera; `tell` is given each finding as it is made.

    Reads only: nothing on the camera changes. Raises what the session raises when the camera is
    lost or cannot be connected to again, TransferError when the card is empty. The session is left
    at the depth found.
    """
    timeouts = session.connection.timeouts
    hasty = dataclasses.replace(timeouts, operation=min(SILENCE_S, timeouts.operation))
    session.connection.timeouts = hasty
    session.remembers = False  # what is found is the caller's to keep, or not to
    try:
        found = Tuner(session, tell).run()
    finally:
        session.remembers = True
        session.connection.timeouts = timeouts
    session.pipeline_depth = found.depth
    return found
