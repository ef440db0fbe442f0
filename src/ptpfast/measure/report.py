"""A run as lines of JSON: one for each measurement, the verdict, and last a summary to compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from .figures import long_course
from .result import Reading, Result
from .samples import Spread
from .series import Course, Interval, spots
from .summary import SCHEMA, Figures
from .verdict import Verdict

Fields = dict[str, Any]


def records(result: Result, figures: Figures, verdict: Verdict) -> Iterator[tuple[str, Fields]]:
    """Yield type and fields of each line, in order. The name of a time ends with its unit."""
    yield (
        "camera",
        {
            "manufacturer": result.camera.manufacturer,
            "model": result.camera.model,
            "firmware": result.camera.firmware,
            "address": result.camera.address,
            "when": result.camera.when,
        },
    )
    for row in result.latencies:
        yield "latency", {"what": row.what, **spread(row.ms, "ms")}
    if result.listing.objects:
        yield (
            "listing",
            {
                "objects": result.listing.objects,
                "seconds": _short(result.listing.seconds),
                "per_s": _short(result.listing.per_s),
            },
        )
    for reading in result.readings:
        yield "read", _reading(reading)
    if result.disk is not None:
        yield (
            "disk",
            {
                "folder": result.folder,
                "bytes": result.disk.bytes,
                "seconds": _short(result.disk.seconds),
                "mb_per_s": _short(result.disk.mb_per_s),
                "flush_ms": _short(result.disk.flush_ms),
            },
        )
    yield "interface", _rounded(dataclasses.asdict(result.interface))
    if result.tcp is not None:
        state = dataclasses.asdict(result.tcp)
        del state["local"]  # private
        yield "tcp", _rounded(state)
    yield (
        "timeline",
        {
            "bytes": result.second_by_second(),
            "phases": [
                {"name": name, "from_s": _short(began), "to_s": _short(ended)}
                for name, began, ended in result.phases
            ],
        },
    )
    yield from _long(result)
    for note in result.notes:
        yield "note", {"text": note}
    yield "verdict", _rounded(dataclasses.asdict(verdict))
    judged = {"limit": verdict.limit, "certainty": verdict.certainty}
    yield "summary", {"schema": SCHEMA, **_rounded(figures.flat()), **judged}


def _long(result: Result) -> Iterator[tuple[str, Fields]]:
    if (whole := long_course(result)) is not None:
        yield "long", course_fields(whole)
    for spot in spots(result.intervals):
        yield "spot", course_fields(spot)
    if result.engine_mb_per_s is not None:
        yield "engine", {"mb_per_s": _short(result.engine_mb_per_s)}


def spread(values: Spread, unit: str) -> Fields:
    """Return a spread with its unit, without percentiles of too few values."""
    found: Fields = {"count": values.count}
    for name in ("least", "p50", "p90", "p95", "p99", "most"):
        value = getattr(values, name)
        if value is not None:
            found[f"{name}_{unit}"] = _short(value)
    if values.bounds:
        found["bounds"] = {
            f"p{percent}_{unit}": [_short(low), _short(high)]
            for percent, (low, high) in values.bounds.items()
        }
    return found


def interval_fields(found: Interval) -> Fields:
    """Return the fields of an interval of a long read."""
    return {
        "at_s": _short(found.at),
        "seconds": _short(found.seconds),
        "bytes": found.bytes,
        "mb_per_s": _short(found.mb_per_s),
        "silence_s": _short(found.silence_s),
        "lost": found.lost,
        "rtt_ms": found.rtt_ms,
        "segments": found.segments,
        "out_of_order": found.out_of_order,
        "repeated": found.repeated,
        "signal_dbm": found.signal_dbm,
        "mbit_per_s": found.mbit_per_s,
        "spot": found.spot,
    }


def course_fields(found: Course) -> Fields:
    """Return the fields of a whole long read, or of a spot."""
    fields: Fields = {
        "spot": found.spot,
        "seconds": _short(found.seconds),
        "bytes": found.bytes,
        "mb_per_s": _short(found.mb_per_s),
        "intervals": spread(found.rate, "mb_per_s"),
        "p5_mb_per_s": None if found.worst is None else _short(found.worst),
        "longest_silence_s": _short(found.longest_silence_s),
        "lost": found.lost,
        "loss": None if found.loss is None else _short(found.loss),
    }
    for name in ("rtt_ms", "signal_dbm", "mbit_per_s"):
        value = getattr(found, name)
        fields[name] = None if value is None else [_short(each) for each in value]
    return fields


def _reading(reading: Reading) -> Fields:
    found: Fields = {
        "way": reading.way,
        "chunk": reading.chunk,
        "depth": reading.depth,
        "requests": reading.requests,
        "bytes": reading.bytes,
        "seconds": _short(reading.seconds),
        "mb_per_s": _short(reading.mb_per_s),
        "cpu_s": _short(reading.cpu_s),
    }
    if reading.timing.wait_ms is not None:
        found["wait"] = spread(reading.timing.wait_ms, "ms")
    if reading.timing.each_mb_per_s is not None:
        found["each"] = spread(reading.timing.each_mb_per_s, "mb_per_s")
    if reading.timing.flow_mb_per_s is not None:
        found["flow_mb_per_s"] = _short(reading.timing.flow_mb_per_s)
    if reading.timing.blocks is not None:
        found["blocks"] = _rounded(dataclasses.asdict(reading.timing.blocks))
    if reading.stalls:
        found["stalls"] = [
            {"at_s": _short(stall.at), "seconds": _short(stall.seconds)} for stall in reading.stalls
        ]
    if reading.way == "file":
        found["flushed_s"] = _short(reading.flushed_s)
    if reading.note:
        found["note"] = reading.note
    return found


def _short(value: float) -> float:
    return round(value, 4)


def _rounded(fields: Fields) -> Fields:
    return {
        name: _rounded(value)
        if isinstance(value, dict)
        else _short(value)
        if isinstance(value, float)
        else value
        for name, value in fields.items()
    }
