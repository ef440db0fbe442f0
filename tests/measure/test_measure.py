"""What samples, figures and verdicts say, on made-up measurements: no camera, no clock."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import socket
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptpfast.measure import charts, compare, svg
from ptpfast.measure import page as page_module
from ptpfast.measure.disk import Destination, DiskSpeed
from ptpfast.measure.figures import figures, round_trip, steady_rates
from ptpfast.measure.page import page
from ptpfast.measure.report import records
from ptpfast.measure.result import (
    Described,
    Latency,
    Reading,
    Result,
    Subject,
    Timing,
    chunk_words,
    named,
)
from ptpfast.measure.samples import (
    Arrival,
    Blocks,
    Spread,
    Stall,
    blocks,
    flow_rate,
    per_second,
    slope,
    stalls,
)
from ptpfast.measure.shares import SHARES, disk_share, time_shares
from ptpfast.measure.summary import Figures, read_summaries
from ptpfast.measure.text import lines
from ptpfast.measure.verdict import judge
from ptpfast.network import interface, tcp
from ptpfast.network.interface import Interface
from ptpfast.network.tcp import TcpState

MiB = 1 << 20
KiB = 1 << 10


def arrival(steps: Sequence[tuple[float, int]], asked: float = 0.0) -> Arrival:
    """Bytes that come at seconds after the request; the first with the packets' heads."""
    seconds = np.array([asked + at for at, _ in steps])
    sums = np.cumsum([size for _, size in steps]).astype(np.int64)
    return Arrival(asked, float(seconds[-1]), seconds, sums)


def even(rate: float, size: int, wait: float = 0.02, step: float = 0.002) -> Arrival:
    """Data that trickle at a rate after a wait."""
    piece = int(rate * step)
    return arrival([(wait + step * n, piece) for n in range(1, size // piece + 1)])


def in_blocks(count: int, size: int, pause: float, step: float = 0.001) -> Arrival:
    """Data that come in blocks of four samples, with a pause before each."""
    at, rows = 0.0, []
    for _ in range(count):
        at += pause
        for _ in range(4):
            rows.append((at, size // 4))
            at += step
    return arrival(rows)


# Samples


def test_a_spread_has_only_the_percentiles_its_values_can_tell() -> None:
    few, some, many = (Spread.of(range(1, count + 1)) for count in (5, 20, 100))
    assert (few.count, few.least, few.p50, few.most) == (5, 1, 3, 5)
    assert (few.p90, few.p95, few.p99) == (None, None, None)
    assert some.p90 == pytest.approx(18.1)
    assert some.p95 is not None
    assert some.p99 is None
    assert many.p99 == pytest.approx(99.01)
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])


def test_a_wait_ends_with_the_first_payload_and_not_with_start_data() -> None:
    found = arrival([(0.010, 20), (0.050, 1012), (0.060, 1000)], asked=5.0)
    assert found.wait == pytest.approx(0.050)
    assert found.flow == pytest.approx(0.010)
    nothing = Arrival(1.0, 1.5, np.array([1.4]), np.array([14]))
    assert (nothing.wait, nothing.flow) == (pytest.approx(0.5), 0)


def test_the_rate_while_data_flow_is_that_of_the_link_however_small_the_chunk() -> None:
    for size in (256 * KiB, 1 * MiB, 8 * MiB):
        assert flow_rate([even(30e6, size)]) == pytest.approx(30e6, rel=0.01)
    assert flow_rate([arrival([(0.1, 100_000), (0.101, 100_000)])]) is None
    assert flow_rate([]) is None


def test_stalls_are_gaps_in_data_that_had_begun_to_come() -> None:
    late = arrival([(0.9, 20), (1.9, 1000), (2.0, 1000), (2.5, 1000), (2.6, 10)])
    assert stalls([late]) == [Stall(pytest.approx(2.0), pytest.approx(0.5))]


def test_blocks_that_are_there_at_once_are_seen_when_no_radio_sends_as_much() -> None:
    at_once = [arrival([(0.03 * n, 128 * KiB) for n in range(1, 12)])]
    found = blocks(at_once)
    assert found is not None
    assert (found.size, found.rate) == (128 * KiB, None)
    assert found.pause == pytest.approx(0.029)
    assert blocks([arrival([(0.03 * n, 32 * KiB) for n in range(1, 12)])]) is None


def test_blocks_of_one_size_with_pauses_between_are_seen_as_a_cameras() -> None:
    found = blocks([in_blocks(8, 256 * KiB, 0.020), in_blocks(8, 256 * KiB, 0.020)])
    assert found is not None
    assert found.size == pytest.approx(256 * KiB, rel=0.01)
    assert found.pause == pytest.approx(0.020, abs=0.002)
    assert found.rate == pytest.approx(64 * KiB / 0.001, rel=0.01)


@pytest.mark.parametrize(
    "arrivals",
    [
        [],
        [even(2e6, 4 * MiB)],
        [in_blocks(5, 256 * KiB, 0.020)],
        [in_blocks(20, 4 * KiB, 0.020)],
        [arrival([(0.01 * n + 0.01 * (n % 7 == n % 3), 5000 * (n % 9)) for n in range(1, 90)])],
    ],
    ids=["nothing", "even", "few", "small", "irregular"],
)
def test_what_comes_evenly_or_by_chance_is_not_taken_for_blocks(arrivals: list[Arrival]) -> None:
    assert blocks(arrivals) is None


def test_seconds_count_what_came_in_each_of_them() -> None:
    found = per_second([arrival([(0.5, 10), (1.2, 20), (1.9, 5), (3.0, 7)])], 3.0)
    assert found == [10, 25, 7]
    assert per_second([], 0.0) == [0]


def test_waits_that_grow_with_the_chunk_tell_how_fast_the_card_is_read() -> None:
    chunks = [256 * KiB, MiB, 4 * MiB]
    assert slope(chunks, [0.01 + chunk / 20e6 for chunk in chunks]) == pytest.approx(1 / 20e6)
    assert slope(chunks, [0.020, 0.021, 0.019]) is None
    assert slope(chunks, [0.1, 0.2, 0.01]) is None
    assert slope([MiB], [0.1]) is None


# Verdicts


def parts(
    chunk: int,
    *,
    wait_ms: float,
    rate: float,
    depth: int = 1,
    requests: int = 10,
    **more: Any,
) -> Reading:
    """A reading of parts that wait, then flow at a rate (MB/s)."""
    waited, flowed = requests * wait_ms / 1e3, requests * chunk / rate / 1e6
    of_each = {"blocks", "held_s", "each_mb_per_s"}
    timing = Timing(
        Spread.of([wait_ms] * requests) if depth == 1 else None,
        waited if depth == 1 else 0.0,
        flowed if depth == 1 else 0.0,
        rate if depth == 1 else None,
        **{name: value for name, value in more.items() if name in of_each},
    )
    more = {name: value for name, value in more.items() if name not in of_each}
    total = requests * chunk
    return Reading("parts", chunk, depth, requests, total, waited + flowed, timing, **more)


def cells(wait_ms: float, rate: float, **more: Any) -> list[Reading]:
    return [parts(chunk, wait_ms=wait_ms, rate=rate, **more) for chunk in (256 * KiB, MiB, 4 * MiB)]


def measured(**fields: Any) -> Figures:
    """Figures of which only these are known."""
    return Figures.of(fields)


def earlier_than(figures: Figures) -> Figures:
    """The figures of a run like it, but for its time and its best rate."""
    return Figures.of(figures.flat() | {"best_mb_per_s": 1.5, "when": "2026-11-01T10:00:00"})


def row(readings: list[Reading], **more: Any) -> Figures:
    """Figures as a run with these readings has them."""
    result = Result(readings=readings, interface=Interface(more.pop("link", "wireless")))
    return Figures.of(figures(result).flat() | {"rtt_ms": 5.0, "rtt_from": "probe"} | more)


SLOW_READS = [parts(c, wait_ms=5 + c / 8e3, rate=50) for c in (256 * KiB, MiB, 4 * MiB)]
BLOCKY = [
    parts(c, wait_ms=8, rate=6, blocks=Blocks(256 * KiB, 0.040, 0.8 * 10 * c / 6e6, 40e6))
    for c in (256 * KiB, MiB, 4 * MiB)
]
CASES: dict[str, tuple[list[Reading], dict[str, Any], str, str, str]] = {
    "slow radio": (cells(23, 2.3), {}, "link", "likely", "not known"),
    "lossy radio": (cells(23, 2.3), {"loss": 0.02}, "link", "clear", "out of order"),
    "full cable": (
        cells(1, 112, requests=30),
        {"link": "wired", "link_mb_per_s": 125.0},
        "link",
        "clear",
        "1000 Mbit/s",
    ),
    "slow operations": (cells(130, 60), {}, "camera", "clear", "waits 130 ms"),
    "unknown round trip": (
        cells(130, 60),
        {"rtt_ms": None, "rtt_from": ""},
        "camera",
        "likely",
        "not known",
    ),
    "reads all before it sends": (SLOW_READS, {}, "camera", "clear", "8.0 MB/s, before"),
    "reads block by block": (BLOCKY, {}, "camera", "clear", "blocks of 256 KiB"),
    "slow disk": (
        cells(5, 80),
        {"memory_mb_per_s": 70.0, "file_mb_per_s": 15.0, "disk_mb_per_s": 15.5, "flushed": 0.3},
        "disk",
        "clear",
        "sustains 15.5 MB/s",
    ),
    "busy computer": (cells(1, 900), {"cpu": 0.9}, "computer", "clear", "90%"),
    "no link at all": (cells(0.2, 2000), {"link": "loopback"}, "computer", "clear", "no link"),
    "two of a kind": (cells(21, 50.0)[1:2], {"rtt_ms": 0.1}, "link", "close", "waits 21 ms"),
    "nothing measured": ([], {}, "unclear", "unclear", "one request at a time"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_names_the_limit_how_certain_it_is_and_why(name: str) -> None:
    readings, more, limit, certainty, why = CASES[name]
    verdict = judge(row(readings, **more), readings)
    assert (verdict.limit, verdict.certainty) == (limit, certainty)
    assert any(why in reason for reason in verdict.reasons), verdict.reasons
    if readings:
        assert verdict.help
        assert sum(verdict.shares.values()) == pytest.approx(1)
        assert set(verdict.shares) == set(SHARES)
    assert verdict.second == ("camera" if certainty == "close" else "")


def test_the_verdict_says_what_would_help_with_its_gain() -> None:
    slow = cells(130, 60)
    said = " ".join(judge(row(slow), slow).help)
    assert "--chunk" not in said  # pull grows its chunks to that size without being told
    assert "ptpfast tune" in said
    deep = [*slow, parts(MiB, wait_ms=0, rate=55, depth=2)]
    said = " ".join(judge(row(deep), deep).help)
    assert "--depth 2 --chunk 1MiB" in said
    assert "ptpfast tune" not in said
    radio = " ".join(judge(row(cells(23, 2.3)), cells(23, 2.3)).help)
    assert "5 GHz" in radio
    wired = cells(2, 30)
    assert "5 GHz" not in " ".join(judge(row(wired, link="wired"), wired).help)


def test_a_gain_is_one_over_the_default_settings_and_at_least_five_percent() -> None:
    usual = [parts(chunk, wait_ms=10, rate=110) for chunk in (MiB, 4 * MiB, 8 * MiB)]
    fast = max(reading.mb_per_s for reading in usual)
    for factor, advised in ((1.04, False), (1.06, True)):
        deep = Reading("parts", MiB, 2, 10, 10 * MiB, 10 * MiB / (factor * fast * 1e6))
        found = row([*usual, deep])
        assert found.rates.usual_mb_per_s == fast
        said = " ".join(judge(found, [*usual, deep]).help)
        assert (f"{factor:.2f} times the rate that pull reaches by default" in said) == advised


def whole(mb_per_s: float, size: int = 25_000_000) -> Reading:
    """A whole object, read at a rate."""
    return Reading("whole", 0, 1, 1, size, size / mb_per_s / 1e6)


@pytest.mark.parametrize(("factor", "advised"), [(1.10, False), (1.20, True)])
def test_whole_objects_are_advised_where_they_are_much_faster(factor: float, advised: bool) -> None:
    slow = cells(130, 60)
    fastest = max(reading.mb_per_s for reading in slow)
    readings = [*slow, whole(factor * fastest)]
    found = row(readings)
    said = " ".join(judge(found, readings).help)
    assert ("--chunk 0, for whole objects" in said) == advised
    assert "--chunk 4MiB" not in said
    assert (found.rates.best_chunk == 0) == advised
    deep = [*readings, parts(MiB, wait_ms=0, rate=factor * fastest, depth=2)]
    assert row(deep).rates.best_chunk == MiB  # as fast, and may be broken off


SLOW_LISTING = [parts(chunk, wait_ms=133, rate=55) for chunk in (MiB, 4 * MiB, 8 * MiB)]


def test_a_camera_slow_in_everything_is_named_before_a_link_of_about_its_share() -> None:
    slow = {"rtt_ms": 3.0, "operation_ms": 133.0}
    verdict = judge(row(SLOW_LISTING, **slow), SLOW_LISTING)
    assert verdict.shares["data"] > verdict.shares["camera"] > 0.4
    assert (verdict.limit, verdict.certainty, verdict.second) == ("camera", "close", "link")
    assert any("GetObjectInfo takes 133 ms" in reason for reason in verdict.reasons)
    for other in (
        {"rtt_ms": 3.0, "operation_ms": 20.0},  # quick with all but reading
        {"rtt_ms": 120.0, "operation_ms": 133.0},  # far away
        {"rtt_ms": None, "operation_ms": 133.0},  # perhaps far away
    ):
        assert judge(row(SLOW_LISTING, **other), SLOW_LISTING).limit == "link"
    radio = [parts(chunk, wait_ms=133, rate=2.3) for chunk in (MiB, 4 * MiB)]
    assert judge(row(radio, **slow), radio).limit == "link"


def test_what_varies_or_is_weak_is_said_whatever_the_limit() -> None:
    readings = cells(23, 2.3)
    more = {"steady_p5_mb_per_s": 0.4, "steady_p50_mb_per_s": 2.2, "signal_dbm": -81.0}
    said = " ".join(judge(row(readings, **more), readings).reasons)
    assert "one second in twenty has 0.4 MB/s or less" in said
    assert "-81 dBm" in said
    stalled = [dataclasses.replace(r, stalls=(Stall(1.0, 0.3 * r.seconds),)) for r in readings]
    said = " ".join(judge(row(stalled), stalled).reasons)
    assert "stalls, the longest of" in said


def test_shares_of_time_are_what_each_request_waits_and_flows() -> None:
    reading = parts(MiB, wait_ms=50, rate=10.48576)  # 100 ms of data
    shares = time_shares(row([reading], rtt_ms=10.0), reading)
    assert shares["round trips"] == pytest.approx(10 / 150)
    assert shares["camera"] == pytest.approx(40 / 150)
    assert shares["data"] == pytest.approx(100 / 150)
    assert shares["disk"] == shares["stalls"] == 0


@pytest.mark.parametrize(
    ("figures", "share"),
    [
        (measured(), 0.0),
        (measured(flushed=0.2), 0.2),
        (
            measured(memory_mb_per_s=40, file_mb_per_s=10, disk_mb_per_s=11, flushed=0.1),
            0.75,
        ),
        # A disk that is much faster is not to blame for a link that was slower just then.
        (
            measured(memory_mb_per_s=40, file_mb_per_s=10, disk_mb_per_s=400, flushed=0.01),
            0.01,
        ),
        (measured(memory_mb_per_s=40, file_mb_per_s=44, disk_mb_per_s=45), 0.0),
    ],
)
def test_the_disk_is_blamed_only_for_what_it_can_have_caused(
    figures: Figures, share: float
) -> None:
    assert disk_share(figures) == pytest.approx(share)


# Figures


def latency(what: str, *ms: float) -> Latency:
    return Latency(what, Spread.of(ms))


def state(**more: Any) -> TcpState:
    return TcpState(**{**dict.fromkeys(tcp_fields(), 0), "local": "192.0.2.1"} | more)


def tcp_fields() -> list[str]:
    return [field.name for field in dataclasses.fields(TcpState)]


@pytest.mark.parametrize(
    ("pings", "tcp_ms", "kind", "expected"),
    [
        ([9.0], None, "unknown", (9.0, "probe")),
        ([9.0], 3.0, "wireless", (3.0, "tcp")),
        ([2.0], 30.0, "wireless", (2.0, "probe")),
        ([], 30.0, "wireless", (30.0, "tcp")),
        ([9.0], 0.02, "loopback", (9.0, "probe")),
        ([], 0.02, "loopback", (None, "")),
        ([], None, "unknown", (None, "")),
    ],
)
def test_the_round_trip_is_the_shorter_of_those_that_mean_the_link(
    pings: list[float], tcp_ms: float | None, kind: str, expected: tuple[float | None, str]
) -> None:
    result = Result(
        latencies=[latency("ping", *pings)] if pings else [],
        tcp=state(rtt_ms=tcp_ms) if tcp_ms is not None else None,
        interface=Interface(kind),
    )
    assert round_trip(result) == expected


def sample_result() -> Result:
    """A whole run with everything in it."""
    readings = [*cells(20, 2.2), parts(MiB, wait_ms=0, rate=2.25, depth=2)]
    readings += [
        Reading("whole", 0, 1, note="not measured: one object takes about 11 s"),
        Reading("memory", MiB, 2, 2, 8 * MiB, 3.9, cpu_s=0.1),
        Reading("file", MiB, 2, 2, 8 * MiB, 4.0, flushed_s=0.1, stalls=(Stall(5.5, 0.4),)),
    ]
    return Result(
        Subject("192.0.2.9:15740", "Maker", "Body", "1.2", "2026-11-24T10:00:00+01:00"),
        seconds=12.0,
        complete=True,
        latencies=[latency("ping", 5, 6, 9), latency("GetObjectInfo", *range(20, 40))],
        listing=Described(40, 1.0),
        readings=readings,
        disk=DiskSpeed(200_000_000, 1.0, 0.4),
        folder="/pictures",
        tcp=state(min_rtt_ms=4.0, rtt_ms=20.0, segments=9000, out_of_order=3),
        interface=Interface("wireless", "wlan0", signal_dbm=-60.0),
        notes=["connected again 0.4 s after the connection was lost"],
        phases=[("listing", 0.0, 1.0), ("parts of 4 MiB", 1.0, 8.0), ("downloads", 8.0, 12.0)],
        arrivals=[even(2.2e6, 30 * MiB)],
    )


def test_figures_are_those_of_the_measurements_they_name() -> None:
    found = figures(sample_result())
    assert found.about.camera == "Maker Body"
    assert (found.network.link, found.network.signal_dbm) == ("wireless", -60.0)
    assert found.answers.operation_ms == 29.5
    assert found.answers.listing_per_s == 40
    assert found.storing.disk_mb_per_s == 200
    assert found.storing.file_mb_per_s == pytest.approx(8 * MiB / 4e6)
    assert found.storing.flushed == pytest.approx(0.025)
    assert (found.steadiness.stalls, found.steadiness.longest_stall_s) == (1, 0.4)
    assert found.network.loss == pytest.approx(3 / 9000)
    # The gentlest of those about as fast as the best.
    assert (found.rates.best_chunk, found.rates.best_depth) == (MiB, 2)
    assert found.rates.flow_mb_per_s == 2.2
    assert steady_rates(sample_result()) == pytest.approx([2.2] * 9, rel=0.05)


def test_figures_of_a_run_that_has_just_begun_are_empty_and_not_wrong() -> None:
    found = figures(Result())
    assert all(value in (None, "", 0, False, "unknown") for value in found.flat().values())


# Lines of JSON, and back


def json_lines(result: Result) -> str:
    found = figures(result)
    verdict = judge(found, result.readings)
    rows = [{"type": kind, **fields} for kind, fields in records(result, found, verdict)]
    return "\n".join(map(json.dumps, rows))


def test_a_run_has_a_line_for_each_measurement_and_a_summary_last() -> None:
    rows = [json.loads(line) for line in json_lines(sample_result()).splitlines()]
    kinds = [row["type"] for row in rows]
    assert kinds.count("latency") == 2
    assert kinds.count("read") == 7
    for kind in ("camera", "listing", "disk", "tcp", "interface", "timeline", "verdict", "note"):
        assert kinds.count(kind) == 1
    assert rows[-1]["type"] == "summary"
    assert rows[-1]["schema"] == 1
    assert rows[-1]["limit"] == "link"
    timeline = next(row for row in rows if row["type"] == "timeline")
    assert sum(timeline["bytes"]) == pytest.approx(30 * MiB, rel=0.01)
    assert "local" not in next(row for row in rows if row["type"] == "tcp")


def test_what_was_written_is_read_back_run_by_run(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    later = json_lines(Result(Subject(when="2027")))
    file.write_text(json_lines(sample_result()) + "\n" + later + "\n")
    first, second = read_summaries(file)
    assert first.about.camera == "Maker Body"
    assert first.rates.best_mb_per_s == pytest.approx(2.25, rel=0.001)
    assert first.about.complete
    assert second.rates.best_mb_per_s is None
    assert second.about.when == "2027"


SUMMARY = '{"type": "summary", "schema": 1, "best_mb_per_s": %s}'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no summary"),
        ("\0\xff\n", "lines of JSON"),
        ("[" * 100_000, "lines of JSON"),
        ("[1]\n5\nnull\n", "no summary"),
        ('{"type": "summary", "objects": 5}', "no summary"),
        ('{"type": "summary", "schema": 99, "best_mb_per_s": 1}', "schema is 99"),
        (SUMMARY % ("1" * 5000), "lines of JSON"),
    ],
)
def test_a_file_that_is_no_result_is_refused_with_the_reason(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "odd"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=complaint):
        read_summaries(file)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, '"fast"', "true", "[1]"]
)
def test_a_figure_that_is_none_is_as_if_it_were_not_there(tmp_path: Path, value: str) -> None:
    file = tmp_path / "odd"
    file.write_text(SUMMARY % value)
    (found,) = read_summaries(file)
    assert found.rates.best_mb_per_s is None
    assert page(Result(), measured(), judge(measured(), []), [found])


# What people see


class Checker(HTMLParser):
    """Whether a page is well-formed, and what it refers to outside of itself."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href", "action") or name.startswith("on"):
                self.outside.append(f"{name}={value}")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(text: str) -> Checker:
    checker = Checker()
    checker.feed(text)
    checker.close()
    assert checker.open == []
    assert checker.outside == []
    assert "script" not in checker.tags
    assert not re.search(r"url\(|@import|https?:", text)
    return checker


def made(result: Result, earlier: Sequence[Figures] = ()) -> str:
    found = figures(result)
    return page(result, found, judge(found, result.readings), earlier)


def test_the_page_is_whole_shows_every_chart_and_needs_nothing_else() -> None:
    result = sample_result()
    earlier = earlier_than(figures(result))
    text = made(result, [earlier])
    # Shares, rates, one request, latencies, disk, seconds, and five comparisons.
    assert checked(text).tags.count("svg") == 6 + 5
    assert "The radio link is the limit" in text
    assert "<small>+50%</small>" in text
    assert "nan" not in re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    "result",
    [
        Result(),
        Result(latencies=[latency("handshake", 3.0)]),
        Result(readings=[Reading("whole", 0, 1, 1, 5_000_000, 1.0)]),
        Result(readings=[parts(MiB, wait_ms=0.0, rate=1e9, requests=1)], phases=[("x", 0.0, 0.0)]),
    ],
    ids=["nothing", "interrupted early", "only whole objects", "no time at all"],
)
def test_a_run_with_next_to_nothing_in_it_still_makes_a_page_and_lines(result: Result) -> None:
    checked(made(result))
    assert list(lines(result, figures(result), judge(figures(result), result.readings)))
    assert json_lines(result)


def test_numbers_over_columns_never_reach_into_one_another() -> None:
    for depths, rate in itertools.product(((1,), (1, 2), (1, 2, 4)), (0.2, 29.5, 117.0, 2400.0)):
        shown = [
            parts(chunk, wait_ms=0, rate=rate, depth=depth)
            for chunk in (KiB << 8, MiB, 4 * MiB, 8 * MiB)
            for depth in depths
        ]
        drawn = charts.rates([*shown, whole(rate)], None)
        found = re.findall(r'<text x="([\d.]+)"[^>]* class="(value[^"]*)">([^<]*)<', drawn)
        assert len(found) == len(shown) + 1
        ends = 0.0
        for x, kind, text in found:
            # DejaVu Sans Bold, a wide font: a digit is 0.7 of the size, a point 0.38.
            size = 10.5 if "small" in kind else 14.5
            half = size * sum(0.38 if mark in ",." else 0.7 for mark in text) / 2
            if text:
                assert float(x) - half >= ends, (depths, rate, text)
                ends = float(x) + half
        assert found[0][2] or len(depths) > 2  # left out only where there is no room at all
        assert found[-1][1:] == ("value", svg.number(rate))
    assert "svg .small { font-size: 10.5px; }" in page_module.STYLE.read_text(encoding="utf-8")


def test_what_is_to_be_typed_is_code_and_code_is_not_broken_across_lines() -> None:
    slow = cells(130, 60)
    result = Result(readings=[*slow, parts(MiB, wait_ms=0, rate=55, depth=2)])
    result.notes = ["use a longer --budget", "<--x>", "'ptpfast bench --depth 2' by how much"]
    text = made(result)
    checked(text)
    assert "<code>--depth 2</code> <code>--chunk 1MiB</code>: " in text
    assert "se a longer <code>--budget</code>" in text
    assert "&lt;<code>--x</code>&gt;" in text
    assert "<code>ptpfast bench --depth 2</code> by how much" in text
    assert re.search(r"code \{[^}]*white-space: nowrap", text)


def test_a_disk_that_is_hardly_waited_for_is_not_blamed_with_nought_percent() -> None:
    readings = cells(5, 80)
    slow = {"memory_mb_per_s": 70.0, "file_mb_per_s": 15.0, "disk_mb_per_s": 15.5}
    for flushed, said in (0.004, False), (0.01, True):
        verdict = judge(row(readings, flushed=flushed, **slow), readings)
        assert verdict.limit == "disk"
        assert any("waiting for the disk" in reason for reason in verdict.reasons) == said


def test_the_tiles_fill_their_rows_at_every_width() -> None:
    text = made(sample_result())
    count = text.count('<div class="tile">')
    columns = re.findall(r"\.tiles \{[^}]*repeat\(([^,]+),", text)
    assert len(columns) >= 3
    assert all(number.isdigit() and count % int(number) == 0 for number in columns), columns


def test_whatever_a_camera_or_an_earlier_run_says_is_only_text_in_the_page() -> None:
    evil = '<script>alert("&amp;")</script><img src=x onerror=y>"\x1b[31m'
    result = sample_result()
    result.camera = Subject(evil, evil, evil, evil, result.camera.when)
    result.notes = [evil]
    result.folder = evil
    result.phases = [(evil, 0.0, 9.0)]
    result.readings.append(Reading("parts", MiB, 4, note=evil))
    earlier = measured(camera=evil, when=evil, best_mb_per_s=1.0)
    text = made(result, [earlier])
    checked(text)
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_the_lines_say_verdict_reasons_and_figures() -> None:
    result = sample_result()
    found = figures(result)
    before = earlier_than(found)
    text = "\n".join(lines(result, found, judge(found, result.readings), [before]))
    for words in (
        "Maker Body, firmware 1.2, at 192.0.2.9:15740",
        "The radio link is the limit (likely, not certain)",
        "What would help:",
        "data in transit",
        "parts of 1 MiB, 2 at a time",
        "not measured: one object takes about 11 s",
        "Compared with 2026-11-01 10:00:",
        "best rate: 2.2 MB/s, was 1.5 (+50%)",
        "GetObjectInfo: 29.5 ms, was 29.5",
        "Two runs of an unchanged link also differ",
        "note: connected again",
    ):
        assert words in text


def test_two_runs_say_what_has_changed_and_not_that_it_is_better() -> None:
    before = measured(best_mb_per_s=2.0, operation_ms=10.0, rtt_ms=0.0)
    now = measured(best_mb_per_s=1.0, operation_ms=8.0, rtt_ms=5.0, listing_per_s=9.0)
    assert compare.told(now, [before]) == [
        "best rate: 1.0 MB/s, was 2.0 (-50%)",
        "GetObjectInfo: 8.0 ms, was 10.0 (-20%)",
    ]


def test_a_run_beyond_all_of_three_is_better_or_worse_by_the_figures_kind() -> None:
    before = [measured(best_mb_per_s=2.0 + i, operation_ms=10.0 + i) for i in (0.5, 0.0, 0.25)]
    assert compare.told(measured(best_mb_per_s=3.0, operation_ms=11.0), before) == [
        "best rate: 3.0 MB/s, was 2.0 to 2.5 in 3 runs (better than in all)",
        "GetObjectInfo: 11.0 ms, was 10.0 to 10.5 in 3 runs (worse than in all)",
    ]
    within = measured(best_mb_per_s=2.4, operation_ms=10.1)
    assert all(line.endswith("in 3 runs") for line in compare.told(within, before))
    text = compare.comparison(measured(best_mb_per_s=1.0, operation_ms=10.1), before)
    assert '<small class="worse">worse than in all of 3 runs</small>' in text
    assert "<small>as in earlier runs</small>" in text


def test_changes_of_a_fraction_of_a_millisecond_show_both_numbers() -> None:
    before, now = measured(rtt_ms=0.029), measured(rtt_ms=0.049)
    assert compare.told(now, [before]) == ["round trip: 0.049 ms, was 0.029 (+69%)"]


def test_chunks_and_ways_have_names() -> None:
    assert chunk_words(0) == "whole objects"
    assert chunk_words(256 * KiB) == "256 KiB"
    assert chunk_words(1_500_000) == "1.43051 MiB"
    assert named(Reading("file", 0, 1)) == "a download, whole objects, stored"


@pytest.mark.parametrize("most", [0.0, 0.003, 1.0, 7.3, 24, 99.5, 2400.0, 3.5e9, float("inf")])
def test_ticks_are_round_rise_and_reach_the_most(most: float) -> None:
    found = svg.ticks(most)
    assert found == sorted(set(found))
    assert 2 <= len(found) <= 12
    assert found[0] == 0
    if np.isfinite(most):
        assert found[-1] >= most


@pytest.mark.parametrize(
    ("least", "most"), [(0.05, 0.05), (1, 1), (0.3, 140.0), (20, 30), (0.0, 1e6), (1e-9, 1e-8)]
)
def test_logarithmic_ticks_enclose_what_they_are_for(least: float, most: float) -> None:
    found = svg.log_ticks(least, most)
    assert len(found) >= 2
    assert found == sorted(found)
    assert found[0] <= max(least, 1e-6)
    assert found[-1] >= min(most, 1e6)


# The system's own words


def tcp_info(**values: int) -> bytes:
    """A `tcp_info` with these fields, by linux/tcp.h."""
    info = bytearray(256)
    for name, value in values.items():
        offset, size = tcp._FIELDS[name]
        info[offset : offset + size] = value.to_bytes(size, sys.byteorder)
    return bytes(info)


def test_what_linux_says_of_a_connection_is_read_by_its_layout() -> None:
    info = tcp_info(rtt_us=9000, rtt_var_us=500, min_rtt_us=3000, data_segs_in=200, rcv_ooopack=5)
    found = tcp.parse(info, "here")
    assert found is not None
    state = found[1]
    assert (state.min_rtt_ms, state.rtt_ms, state.rtt_var_ms) == (3.0, 9.0, 0.5)
    assert state.loss == 0.025
    unknown = tcp.parse(tcp_info(min_rtt_us=0xFFFFFFFF), "here")
    assert unknown is not None
    assert unknown[1].min_rtt_ms is None
    assert tcp.parse(info[:200], "here") is None


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO as Linux has it")
def test_our_own_connection_is_found_among_this_process_sockets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert tcp.tcp_state("127.0.0.1", port) is None
        with socket.create_connection(("127.0.0.1", port)) as near, listener.accept()[0] as far:
            before = len(os.listdir("/proc/self/fd"))
            far.sendall(b"x" * 5000)
            near.recv(5000, socket.MSG_WAITALL)
            found = tcp.tcp_state("127.0.0.1", port)
            assert len(os.listdir("/proc/self/fd")) == before
    assert found is not None
    assert found.segments >= 1
    assert found.local == "127.0.0.1"
    assert found.min_rtt_ms is not None
    assert interface.interface_of(found.local) == Interface("loopback", "lo")


def test_interfaces_are_told_apart_by_the_systems_files(tmp_path: Path) -> None:
    net = tmp_path / "sys/class/net"
    for name in ("wlan0/wireless", "eth0/device", "eth1/device", "br0"):
        (net / name).mkdir(parents=True)
    (net / "eth0/speed").write_text("1000\n")
    (net / "eth1/speed").write_text("-1\n")
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/wireless").write_text(
        "Inter-| sta-|   Quality        |\n face | tus | link level noise |\n"
        " wlan0: 0000   54.  -61.  -256        0      0      0      0      0        0\n"
    )
    look = [interface.described(name, tmp_path) for name in ("wlan0", "eth0", "eth1", "br0")]
    assert look == [
        Interface("wireless", "wlan0", signal_dbm=-61.0),
        Interface("wired", "eth0", 125.0),
        Interface("wired", "eth1"),
        Interface("unknown", "br0"),
    ]
    assert interface.interface_of("nonsense") == Interface()
    assert interface.interface_of("::1").kind == "loopback"
    assert interface.interface_of("192.0.2.77").kind == "unknown"


# The disk


def test_a_disk_is_measured_without_leaving_anything(tmp_path: Path) -> None:
    with Destination(tmp_path) as destination:
        assert list(tmp_path.iterdir()) == []
        speed = destination.measure(0.05)
        assert speed.bytes >= MiB
        assert speed.mb_per_s > 0
        sink = destination.open(1000)
        sink.finish()
        assert list(tmp_path.iterdir()) == []
        assert destination.room() > 0
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_nothing_more_is_a_sink_error(tmp_path: Path) -> None:
    from ptpfast import SinkError

    class Full(Destination):
        def write(self, block: bytes) -> None:
            raise OSError(28, "No space left on device")

    with (
        Full(tmp_path) as destination,
        pytest.raises(SinkError, match="No space left") as caught,
    ):
        destination.measure(1.0)
    assert caught.value.errno == 28
    with pytest.raises(SinkError, match="cannot write in"), Destination(tmp_path / "none"):
        pass
