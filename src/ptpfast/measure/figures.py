"""The figures of a run, computed from its measurements."""

from __future__ import annotations

import statistics

import numpy as np

from ..vendors.quirks import MiB, Quirks
from .acks import ack_wait
from .result import Reading, Result, named
from .samples import Spread
from .series import Course
from .summary import About, Answers, Figures, Lasting, Network, Rates, Steadiness, Storing

AS_FAST = 0.9  # of the best rate, to be looked at second by second
ENOUGH_SECONDS = 10  # for one in twenty to mean something


def figures(result: Result) -> Figures:
    """Return the figures of a run, complete or not."""
    operation = result.latency("GetObjectInfo")
    handshake = result.latency("handshake")
    rtt_ms, rtt_from = round_trip(result)
    tcp = result.tcp if result.interface.kind != "loopback" else None
    subject, interface = result.camera, result.interface
    return Figures(
        About(
            f"{subject.manufacturer} {subject.model}".strip(),
            subject.firmware,
            subject.address,
            subject.when,
            result.complete,
        ),
        Network(
            link=interface.kind,
            link_mb_per_s=interface.mb_per_s,
            signal_dbm=interface.signal_dbm,
            rtt_ms=rtt_ms,
            rtt_from=rtt_from,
            tcp_rtt_ms=tcp.min_rtt_ms if tcp else None,
            loss=tcp.loss if tcp else None,
        ),
        Answers(
            connect_ms=handshake.p50 if handshake else None,
            operation_ms=operation.p50 if operation else None,
            operation_p95_ms=operation.p95 if operation else None,
            ack_wait_ms=None if result.quick_acks else ack_wait(result.latencies, rtt_ms),
            listing_per_s=result.listing.per_s or None,
        ),
        _rates(result),
        _storing(result),
        _steadiness(result),
        _lasting(result),
    )


def _rates(result: Result) -> Rates:
    best, flow = result.best(), result.best(depth=1)
    plain = next((r for r in result.measured("parts") if (r.chunk, r.depth) == (MiB, 1)), None)
    whole = next(iter(result.measured("whole")), None)
    # Chunks of `pull` grow to this size while that is quicker.
    usual = [r for r in result.measured("parts") if r.depth == 1 and r.chunk <= Quirks().max_chunk]
    return Rates(
        best_mb_per_s=best.mb_per_s if best else None,
        best_chunk=best.chunk if best else None,
        best_depth=best.depth if best else None,
        one_mib_mb_per_s=plain.mb_per_s if plain else None,
        usual_mb_per_s=max((r.mb_per_s for r in usual), default=None),
        flow_mb_per_s=flow.timing.flow_mb_per_s if flow else None,
        whole_mb_per_s=whole.mb_per_s if whole else None,
        cpu=_cpu(result.measured("parts", "whole", "memory")),
        engine_mb_per_s=result.engine_mb_per_s,
    )


def _storing(result: Result) -> Storing:
    memory = next(iter(result.measured("memory")), None)
    file = next(iter(result.measured("file")), None)
    return Storing(
        memory_mb_per_s=memory.mb_per_s if memory else None,
        file_mb_per_s=file.mb_per_s if file else None,
        flushed=file.flushed_s / file.seconds if file else None,
        disk_mb_per_s=result.disk.mb_per_s if result.disk else None,
    )


def _steadiness(result: Result) -> Steadiness:
    steady = steady_rates(result)
    stalls = [stall for reading in result.readings for stall in reading.stalls]
    return Steadiness(
        float(np.percentile(steady, 5)) if len(steady) >= ENOUGH_SECONDS else None,
        statistics.median(steady) if steady else None,
        len(stalls),
        max((stall.seconds for stall in stalls), default=0.0),
    )


def _lasting(result: Result) -> Lasting:
    if (course := long_course(result)) is None:
        return Lasting()
    return Lasting(course.seconds, course.mb_per_s, course.rate.p50, course.worst, course.lost)


def long_course(result: Result) -> Course | None:
    """Return the figures of the long read; None if there was none."""
    intervals = [each for each in result.intervals if not each.spot]
    return Course.of(intervals) if intervals else None


def round_trip(result: Result) -> tuple[float | None, str]:
    """Return the round trip of the link in ms, and how it was measured.

    Notes:
        A ping includes the camera's response time, and TCP's smoothed value its delayed
        acknowledgements. Both can only be too long, so the shorter one counts. TCP's value is that
        of the loopback interface if the camera is on this computer, and is not used then.
    """
    ping: Spread | None = result.latency("ping")
    tcp = result.tcp.rtt_ms if result.tcp and result.interface.kind != "loopback" else None
    if ping is not None and (tcp is None or ping.p50 <= tcp):
        return ping.p50, "probe"
    return (tcp, "tcp") if tcp is not None else (None, "")


def steady_rates(result: Result) -> list[float]:
    """Return the MB/s of each second within reads that are almost as fast as the best.

    So their differences come from the link or the camera.
    """
    best = max((r.mb_per_s for r in result.measured("parts", "whole", "memory")), default=0.0)
    fast = [r for r in result.readings if r.mb_per_s >= AS_FAST * best > 0]
    names = {named(reading) for reading in fast}
    if result.measured("file") and any(reading.way == "file" for reading in fast):
        names.add("downloads")
    seconds = result.second_by_second()
    found = []
    for name, began, ended in result.phases:
        if name in names:
            whole = range(int(began) + 1, min(int(ended), len(seconds)))
            found += [seconds[second] / 1e6 for second in whole]
    return found


def _cpu(readings: list[Reading]) -> float | None:
    seconds = sum(reading.seconds for reading in readings)
    return sum(reading.cpu_s for reading in readings) / seconds if seconds else None
