"""The result of `ptpfast bench`. It grows during the run and is valid at any moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..network.interface import Interface
from ..network.tcp import TcpState
from ..transport.handshake import acknowledges_at_once
from ..vendors.quirks import MiB
from .disk import DiskSpeed
from .samples import Arrival, Blocks, Spread, Stall, per_second
from .series import Interval

ENOUGH = 0.97  # of the best rate: the smallest chunk that reaches it is the gentlest
# Whole objects end only with the object and make some firmware stall: so much faster than the best
# parts they must be to be worth it.
WHOLE_GAIN = 1.15


@dataclass(frozen=True, slots=True)
class Latency:
    """The time of an operation, in ms."""

    what: str
    ms: Spread


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of requests that are made one at a time.

    Attributes:
        wait_ms: From each request to its first payload.
        waited_s: The sum of these waits.
        flowed_s: The sum of the times in which data arrived.
        each_mb_per_s: The rate of each request.
        flow_mb_per_s: The rate while data arrived.
        held_s: The parts of waited_s and flowed_s in pauses as long as a delayed acknowledgement.
    """

    wait_ms: Spread | None = None
    waited_s: float = 0.0
    flowed_s: float = 0.0
    flow_mb_per_s: float | None = None
    each_mb_per_s: Spread | None = None
    blocks: Blocks | None = None
    held_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """Objects read in one way, for some seconds.

    Attributes:
        way: `parts` (partial reads), `whole` (GetObject), or a download as `pull` makes it:
            discarded (`memory`) or stored (`file`).
        chunk: Bytes of each read, 0 for whole objects.
        flushed_s: The wait for the disk at the end of files.
        cpu_s: The processor time of the thread.
    """

    way: str
    chunk: int
    depth: int
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    timing: Timing = Timing()
    stalls: tuple[Stall, ...] = ()
    flushed_s: float = 0.0
    cpu_s: float = 0.0
    note: str = ""  # why it is not there, or not all of it

    @property
    def mb_per_s(self) -> float:
        return self.bytes / self.seconds / 1e6 if self.seconds else 0.0


@dataclass
class Subject:
    """The measured camera, and the time of the run."""

    address: str = ""
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """The number of described objects, and the time for them."""

    objects: int = 0
    seconds: float = 0.0

    @property
    def per_s(self) -> float:
        return self.objects / self.seconds if self.seconds else 0.0


@dataclass
class Result:
    """Everything measured so far. `phases` are (name, from, to) in seconds of the run."""

    camera: Subject = field(default_factory=Subject)
    seconds: float = 0.0
    complete: bool = False
    latencies: list[Latency] = field(default_factory=list)
    listing: Described = Described()
    readings: list[Reading] = field(default_factory=list)
    disk: DiskSpeed | None = None
    folder: str = ""
    tcp: TcpState | None = None
    interface: Interface = field(default_factory=Interface)
    notes: list[str] = field(default_factory=list)
    phases: list[tuple[str, float, float]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list, repr=False)
    intervals: list[Interval] = field(default_factory=list, repr=False)
    engine_mb_per_s: float | None = None
    quick_acks: bool = field(default_factory=acknowledges_at_once)

    def latency(self, what: str) -> Spread | None:
        """Return the spread of an operation, in ms."""
        return next((row.ms for row in self.latencies if row.what == what), None)

    def measured(self, *ways: str) -> list[Reading]:
        """Return the successful readings of these kinds."""
        return [row for row in self.readings if row.way in ways and row.bytes]

    def best(self, *, depth: int | None = None) -> Reading | None:
        """Return the most careful of the fastest ways to read.

        Whole objects are returned if they are much faster, or if there is nothing else.
        """
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
        """Return the bytes of objects that came in each second of the run."""
        last = max((arrival.answered for arrival in self.arrivals), default=0.0)
        return per_second(self.arrivals, last)


def chunk_words(chunk: int) -> str:
    """Return a chunk size in words: `256 KiB`, `4 MiB`; `whole objects` for 0."""
    if not chunk:
        return "whole objects"
    return f"{chunk / MiB:g} MiB" if chunk >= MiB else f"{chunk / 1024:g} KiB"


def named(reading: Reading) -> str:
    """Return a way of reading, in words."""
    words = chunk_words(reading.chunk)
    if reading.depth > 1:
        words += f", {reading.depth} at a time"
    return {
        "parts": f"parts of {words}",
        "whole": "a whole object",
        "memory": f"a download, {words}, discarded",
        "file": f"a download, {words}, stored",
    }[reading.way]
