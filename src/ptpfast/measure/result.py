"""What a run of `ptpfast bench` found: its measurements, and the figures that are compared.

`Result` grows while the run goes on and makes sense at any moment of it. `Figures` are its numbers
in one flat row: what the verdict is made from, what `--json` ends with, and what `--compare` reads
back, as untrusted input.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..ownership.readback import read_back
from ..transport.handshake import acknowledges_at_once
from ..vendors.quirks import MiB
from .disk import DiskSpeed
from .interface import Interface
from .samples import Arrival, Blocks, Spread, Stall, per_second
from .tcp import TcpState

SCHEMA = 1
ENOUGH = 0.97  # of the best rate: the smallest chunk that reaches it is the gentlest
# Whole objects end only with the object and make some firmware stall: so much faster than the best
# parts they must be to be worth it.
WHOLE_GAIN = 1.15
LARGEST_FILE = 64 << 20
LONGEST_LINE = 64 << 10  # a summary has some 2 KiB; a run's own samples are not read back
LONGEST_TEXT = 1000
LOOKED_AT = 1000  # lines, whether they are JSON; of more only those that can be a summary
MOST_SUMMARIES = 1000  # of a file, the last ones


@dataclass(frozen=True, slots=True)
class Latency:
    """How long something takes, in ms."""

    what: str
    ms: Spread


@dataclass(frozen=True, slots=True)
class Reading:
    """Objects' bytes read in one way, for some seconds.

    way: `parts` (partial reads), `whole` (GetObject), `memory` and `file` (a download as `pull`
    makes it, dropped and stored). chunk in bytes, 0 for whole objects. With one request at a time:
    wait_ms from each request to its first payload, waited_s and flowed_s what these and the data
    took together, each_mb_per_s the rates of the single requests, flow_mb_per_s that while data
    flowed. held_s: of waited_s and of flowed_s what was spent in pauses as long as a delayed
    acknowledgement. flushed_s: waiting for the disk at the end of files. cpu_s: of our thread.
    """

    way: str
    chunk: int
    depth: int
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    wait_ms: Spread | None = None
    waited_s: float = 0.0
    flowed_s: float = 0.0
    flow_mb_per_s: float | None = None
    each_mb_per_s: Spread | None = None
    blocks: Blocks | None = None
    stalls: tuple[Stall, ...] = ()
    flushed_s: float = 0.0
    cpu_s: float = 0.0
    note: str = ""  # why it is not there, or not all of it
    held_s: tuple[float, float] = (0.0, 0.0)

    @property
    def mb_per_s(self) -> float:
        return self.bytes / self.seconds / 1e6 if self.seconds else 0.0


@dataclass
class Result:
    """Everything measured so far. `phases` are (name, from, to) in seconds of the run."""

    address: str = ""
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    when: str = ""
    seconds: float = 0.0
    complete: bool = False
    latencies: list[Latency] = field(default_factory=list)
    listed: int = 0
    listing_s: float = 0.0
    readings: list[Reading] = field(default_factory=list)
    disk: DiskSpeed | None = None
    folder: str = ""
    tcp: TcpState | None = None
    interface: Interface = field(default_factory=Interface)
    notes: list[str] = field(default_factory=list)
    phases: list[tuple[str, float, float]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list, repr=False)
    quick_acks: bool = field(default_factory=acknowledges_at_once)

    def latency(self, what: str) -> Spread | None:
        """The spread of an operation, in ms."""
        return next((row.ms for row in self.latencies if row.what == what), None)

    def measured(self, *ways: str) -> list[Reading]:
        """What has been read in these ways, without what failed."""
        return [row for row in self.readings if row.way in ways and row.bytes]

    def best(self, *, depth: int | None = None) -> Reading | None:
        """The gentlest of the fastest ways to read parts; whole objects where they are much
        faster, and where there is nothing else."""
        ways = [row for row in self.measured("parts", "whole") if depth in (None, row.depth)]
        parts = [row for row in ways if row.way == "parts"]
        fastest = max((row.mb_per_s for row in parts), default=0.0)
        much = WHOLE_GAIN * fastest
        whole = [row for row in ways if row.way == "whole" and row.mb_per_s >= much]
        ways = whole or parts
        if not ways:
            return None
        enough = ENOUGH * max(row.mb_per_s for row in ways)
        return min(
            (row for row in ways if row.mb_per_s >= enough), key=lambda row: (row.chunk, row.depth)
        )

    def second_by_second(self) -> list[int]:
        """Bytes of objects that came in each second of the run."""
        last = max((arrival.answered for arrival in self.arrivals), default=0.0)
        return per_second(self.arrivals, last)


@dataclass(frozen=True, slots=True)
class Figures:
    """A run in one row; None is what was not measured. Rates in MB/s (10^6), times in ms.

    rtt_from says what the round trip is of: `probe` (PTP/IP's own ping) or `tcp` (the kernel's).
    ack_wait_ms: what each answer seems to wait for an acknowledgement (see `acks`).
    file, memory: a download into the folder, and the same without a file; flushed: the part of the
    former that was waiting for the disk. steady_p5 and steady_p50 are of the single seconds of
    long reads.
    """

    camera: str = ""
    firmware: str = ""
    address: str = ""
    when: str = ""
    complete: bool = False
    link: str = "unknown"
    link_mb_per_s: float | None = None
    signal_dbm: float | None = None
    connect_ms: float | None = None
    rtt_ms: float | None = None
    rtt_from: str = ""
    tcp_rtt_ms: float | None = None
    loss: float | None = None
    operation_ms: float | None = None
    operation_p95_ms: float | None = None
    ack_wait_ms: float | None = None
    listing_per_s: float | None = None
    best_mb_per_s: float | None = None
    best_chunk: int | None = None  # 0: whole objects
    best_depth: int | None = None
    one_mib_mb_per_s: float | None = None
    flow_mb_per_s: float | None = None
    whole_mb_per_s: float | None = None
    memory_mb_per_s: float | None = None
    file_mb_per_s: float | None = None
    flushed: float | None = None
    disk_mb_per_s: float | None = None
    steady_p5_mb_per_s: float | None = None
    steady_p50_mb_per_s: float | None = None
    stalls: int = 0
    longest_stall_s: float = 0.0
    cpu: float | None = None  # of one core, during long reads
    limit: str = ""
    certainty: str = ""

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        """From a summary read back: what is not of its kind, infinite, negative or endless is as if
        it were not there."""
        kept: dict[str, Any] = {}
        for row in dataclasses.fields(cls):
            value = fields.get(row.name)
            if _is_sane(value, str(row.type)):
                kept[row.name] = value
        return cls(**kept)


def _is_sane(value: object, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, str) and len(value) <= LONGEST_TEXT
    if kind == "bool":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if "int" in kind:
        return isinstance(value, int) and 0 <= value < 1 << 63
    return -1e3 <= value < 1e12 and math.isfinite(value)


def chunk_words(chunk: int) -> str:
    """`256 KiB`, `4 MiB`; `whole objects` for 0."""
    if not chunk:
        return "whole objects"
    return f"{chunk / MiB:g} MiB" if chunk >= MiB else f"{chunk / 1024:g} KiB"


def named(reading: Reading) -> str:
    """A way of reading, in words."""
    words = chunk_words(reading.chunk)
    if reading.depth > 1:
        words += f", {reading.depth} at a time"
    return {
        "parts": f"parts of {words}",
        "whole": "a whole object",
        "memory": f"a download, {words}, dropped",
        "file": f"a download, {words}, stored",
    }[reading.way]


def read_summaries(path: Path) -> list[Figures]:
    """The runs in a file of `ptpfast bench --json`, in its order. OSError; ValueError says what is
    wrong with it."""
    text = read_back(os.path.realpath(path), LARGEST_FILE + 1)  # a link is the user's wish
    if len(text) > LARGEST_FILE:
        raise ValueError("it is too large to be a result of 'ptpfast bench --json'")
    found: deque[dict[str, Any]] = deque(maxlen=MOST_SUMMARIES)
    for row in _rows(text):
        if row.get("type") == "summary" and "best_mb_per_s" in row:
            if row.get("schema") != SCHEMA:
                raise ValueError(f"its schema is {row.get('schema')!r:.40}, {SCHEMA} is known")
            found.append(row)
    if not found:
        raise ValueError("it holds no summary of 'ptpfast bench --json'")
    return [Figures.of(row) for row in found]


def _rows(text: bytes) -> Iterator[dict[str, Any]]:
    # One line after the other: a list of all could take many times the file's size.
    for number, line in enumerate(re.finditer(rb"[^\r\n]+", text)):
        if not line[0].strip():
            continue
        if len(line[0]) > LONGEST_LINE:
            if not line[0].lstrip().startswith(b"{"):
                raise ValueError("it is not made of lines of JSON")
            continue
        if number >= LOOKED_AT and b'"summary"' not in line[0]:
            continue
        try:
            row = json.loads(line[0])
        except (ValueError, RecursionError):
            raise ValueError("it is not made of lines of JSON") from None
        if isinstance(row, dict):
            yield row
