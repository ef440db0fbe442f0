"""The shares of each second of a download."""

from __future__ import annotations

from collections.abc import Sequence

from .result import Reading
from .samples import slope
from .summary import Figures

# In the order they are shown.
SHARES = ("disk", "camera", "acks", "round trips", "stalls", "data", "computer")
FAST_ENOUGH = 1.5  # a disk this much faster than the camera is no reason to wait


def time_shares(figures: Figures, basis: Reading) -> dict[str, float]:
    """Return the shares of each second of a stored download.

    Args:
        figures: of the run.
        basis: a reading with one request at a time. Without a round trip to subtract, its waits
            count as the camera's.
    """
    disk = disk_share(figures)
    seconds, timing = basis.seconds or 1.0, basis.timing
    trips = min(timing.waited_s, basis.requests * (figures.network.rtt_ms or 0.0) / 1e3)
    waited, held = timing.held_s if figures.answers.ack_wait_ms is not None else (0.0, 0.0)
    paused = timing.blocks.paused if timing.blocks else 0.0
    stalled = sum(stall.seconds for stall in basis.stalls)
    parts = {
        "camera": max(0.0, timing.waited_s - trips - waited) + paused,
        "acks": waited + held,
        "round trips": trips,
        "stalls": stalled,
        "data": max(0.0, timing.flowed_s - held - paused - stalled),
        "computer": max(0.0, seconds - timing.waited_s - timing.flowed_s),
    }
    whole = sum(parts.values()) or 1.0
    rest = {name: (1.0 - disk) * value / whole for name, value in parts.items()}
    return {name: disk if name == "disk" else rest[name] for name in SHARES}


def disk_share(figures: Figures) -> float:
    """Return the disk's part of the time of a stored download."""
    storing = figures.storing
    flushed = storing.flushed or 0.0
    memory, file, disk = storing.memory_mb_per_s, storing.file_mb_per_s, storing.disk_mb_per_s
    if not memory or not file or (disk is not None and disk >= FAST_ENOUGH * memory):
        return min(1.0, flushed)
    return min(1.0, max(flushed, 1.0 - file / memory))


def card_rate(readings: Sequence[Reading]) -> float | None:
    """Return the rate of the camera's card reads in bytes/s, if waits grow with the chunk."""
    rows = one_at_a_time(readings)
    found = slope([r.chunk for r in rows], [r.timing.waited_s / r.requests for r in rows])
    return 1.0 / found if found else None


def one_at_a_time(readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings with one request at a time."""
    return [r for r in readings if r.way == "parts" and r.depth == 1 and r.requests]
