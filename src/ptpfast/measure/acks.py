"""Detect Nagle's algorithm on the camera against delayed acknowledgements on the computer.

A camera with Nagle's algorithm sends Start Data and holds back the rest until the computer
acknowledges it. The computer delays that acknowledgement: by 40 ms on Linux, by up to 200 ms
elsewhere (RFC 1122, 4.2.3.2, allows 500). So every small answer with data takes that delay. An
answer without data is one segment and does not. Pure functions of the measurements.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import numpy as np

from .result import Latency
from .samples import HEADS, Arrival
from .summary import Figures

# Operations whose small answers have a data phase, and one whose answer has none.
WITH_DATA = ("GetStorageIDs", "GetObjectInfo", "GetThumb", "reading 1 kB")
WITHOUT_DATA = "GetNumObjects"
DELAYS_MS = ((35.0, 50.0), (190.0, 215.0))  # of acknowledgements, with the usual additions
NARROW = 1.15  # nine of ten take at most so many times the median
LEAST_KINDS, LEAST_SAMPLES = 2, 3
SMALL = 0.5  # of the delay: the maximum for a round trip and an answer without data


def ack_wait(latencies: Sequence[Latency], rtt_ms: float | None) -> float | None:
    """Return the ms that each answer waits for an acknowledgement; None if none does.

    A camera that is slow at every operation has no such wait: its answer without data is slow, too.
    """
    if rtt_ms is None:
        return None
    measured = {row.what: row.ms for row in latencies}
    spreads = [measured[what] for what in WITH_DATA if what in measured]
    waits = []
    for ms in spreads:
        wait = ms.p50 - rtt_ms
        narrow = (ms.most if ms.p90 is None else ms.p90) <= NARROW * ms.p50
        if narrow and ms.count >= LEAST_SAMPLES and any(a <= wait <= b for a, b in DELAYS_MS):
            waits.append(wait)
    # One that the camera has to think about takes longer than the others.
    if len(waits) < LEAST_KINDS or 2 * len(waits) <= len(spreads):
        return None
    found = statistics.median(waits)
    plain = measured.get(WITHOUT_DATA)
    if rtt_ms > SMALL * found or (plain is not None and plain.p50 - rtt_ms > SMALL * found):
        return None
    return found


def held(arrivals: Iterable[Arrival]) -> tuple[float, float]:
    """Return the seconds in pauses as long as a delayed acknowledgement.

    They are before the first payload and after it: the rest of an answer waits behind Start Data,
    or before the last segment.
    """
    before = after = 0.0
    for arrival in arrivals:
        steps = np.diff(arrival.seconds)
        like = np.zeros(len(steps), np.bool_)
        for least, most in DELAYS_MS:
            like |= (1e3 * steps >= least) & (1e3 * steps <= most)
        flows = arrival.sums[:-1] > HEADS
        before += float(steps[like & ~flows].sum())
        after += float(steps[like & flows].sum())
    return before, after


def reason(figures: Figures) -> str:
    """Return the reason for waits of 40 ms, in words."""
    assert figures.answers.ack_wait_ms is not None
    return (
        f"each answer waits about {figures.answers.ack_wait_ms:.0f} ms for an acknowledgement: the "
        "camera's TCP (Nagle's algorithm) and this computer's delayed ACK wait for each other; a "
        f"ping takes {figures.network.rtt_ms or 0.0:.1f} ms"
    )


HELP = (
    "ptpfast on Linux, where it acknowledges at once; elsewhere, switching delayed ACKs off in the "
    "system's TCP settings (Windows: TcpAckFrequency 1, macOS: net.inet.tcp.delayed_ack 0)"
)
