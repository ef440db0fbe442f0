"""The figures of a run, for comparison with other runs.

The verdict is computed from them. `--json` ends with them as one flat row, and `--compare` reads
them back, as untrusted input. None stands for a figure that was not measured. Rates are in MB/s
(10^6), times in ms.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from ..ownership.readback import read_back

SCHEMA = 1
LARGEST_FILE = 64 << 20
LONGEST_LINE = 64 << 10  # a summary has some 2 KiB; a run's own samples are not read back
LONGEST_TEXT = 1000
LOOKED_AT = 1000  # lines, whether they are JSON; of more only those that can be a summary
MOST_SUMMARIES = 1000  # of a file, the last ones


@dataclass(frozen=True, slots=True)
class About:
    """The identity of a run."""

    camera: str = ""
    firmware: str = ""
    address: str = ""
    when: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """The path to the camera.

    Attributes:
        rtt_from: The source of the round trip: `probe` (PTP/IP's own ping) or `tcp` (the kernel's).
    """

    link: str = "unknown"
    link_mb_per_s: float | None = None
    signal_dbm: float | None = None
    rtt_ms: float | None = None
    rtt_from: str = ""
    tcp_rtt_ms: float | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """The response times of the camera.

    Attributes:
        ack_wait_ms: The wait of each answer for an acknowledgement (see `acks`).
    """

    connect_ms: float | None = None
    operation_ms: float | None = None
    operation_p95_ms: float | None = None
    ack_wait_ms: float | None = None
    listing_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """How quickly objects are read. best_chunk: 0 for whole objects. cpu: of one core.

    usual_mb_per_s: the best of one request at a time with chunks that `pull` takes by default.
    engine_mb_per_s: what the engine can do on this computer, over loopback.
    """

    best_mb_per_s: float | None = None
    best_chunk: int | None = None
    best_depth: int | None = None
    one_mib_mb_per_s: float | None = None
    usual_mb_per_s: float | None = None
    flow_mb_per_s: float | None = None
    whole_mb_per_s: float | None = None
    cpu: float | None = None
    engine_mb_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Storing:
    """A download into the folder (file), and the same without a file (memory).

    Attributes:
        flushed: The part of the former that was waiting for the disk.
    """

    memory_mb_per_s: float | None = None
    file_mb_per_s: float | None = None
    flushed: float | None = None
    disk_mb_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Steadiness:
    """The variation of the rate. steady_p5 and steady_p50 are of the seconds of long reads."""

    steady_p5_mb_per_s: float | None = None
    steady_p50_mb_per_s: float | None = None
    stalls: int = 0
    longest_stall_s: float = 0.0

    @property
    def words(self) -> str:
        """The stalls in words; '' if there were none."""
        return f"{self.stalls}, the longest {self.longest_stall_s:.1f} s" if self.stalls else ""


@dataclass(frozen=True, slots=True)
class Lasting:
    """A long read, if there was one.

    Attributes:
        long_p50_mb_per_s, long_p5_mb_per_s: Of its intervals, the usual rate, and the rate that one
            in twenty does not reach.
        long_lost: Connections that were lost.
    """

    long_s: float | None = None
    long_mb_per_s: float | None = None
    long_p50_mb_per_s: float | None = None
    long_p5_mb_per_s: float | None = None
    long_lost: int | None = None


Group = TypeVar("Group", About, Network, Answers, Rates, Storing, Steadiness, Lasting)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a run, finished or not. No two groups have a name in common."""

    about: About
    network: Network
    answers: Answers
    rates: Rates
    storing: Storing
    steadiness: Steadiness
    lasting: Lasting = Lasting()

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Return the figures of a flat row. Values of a wrong type, infinite, negative or too long
        are ignored."""
        return cls(
            _group(About, row),
            _group(Network, row),
            _group(Answers, row),
            _group(Rates, row),
            _group(Storing, row),
            _group(Steadiness, row),
            _group(Lasting, row),
        )

    def flat(self) -> dict[str, Any]:
        """Return all figures in one row."""
        row: dict[str, Any] = {}
        for group in dataclasses.asdict(self).values():
            row |= group
        return row


def _group(kind: type[Group], row: dict[str, Any]) -> Group:
    kept: dict[str, Any] = {}
    for each in dataclasses.fields(kind):
        value = row.get(each.name)
        if _is_sane(value, str(each.type)):
            kept[each.name] = value
    return kind(**kept)


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


def read_summaries(path: Path) -> list[Figures]:
    """Return the runs in a file of `ptpfast bench --json`. Raises OSError or ValueError."""
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
