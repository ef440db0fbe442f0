"""A run as one HTML page: the verdict, the charts, the numbers.

It has no script and loads no other file. All text from the camera or an earlier result is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from .. import _version
from . import charts, long_charts
from .compare import comparison
from .figures import long_course
from .result import Reading, Result, chunk_words, named
from .series import spots
from .summary import Figures
from .svg import number, shown
from .text import course_facts, duration, spot_words
from .verdict import CERTAINTY, Verdict, sentence

# A command in quotes, or an option with its value.
OPTION = re.compile(r"(?:'|&#x27;)(ptpfast [^'&]+)(?:'|&#x27;)|(?<![\w-])--[a-z]+(?: \d\w*)?")
STYLE = Path(__file__).with_name("page.css")


def page(
    result: Result, figures: Figures, verdict: Verdict, earlier: Sequence[Figures] = ()
) -> str:
    """Return the HTML page; `earlier` are runs to compare with, the oldest first."""
    name = figures.about.camera or "a camera"
    sections = [
        _header(result, figures),
        _verdict(verdict, figures),
        _tiles(result, figures),
        _charts(result, figures),
        *_long(result),
        comparison(figures, earlier) if earlier else "",
        _readings(result.readings),
        _latencies(result),
        _notes(result.notes),
        _footer(figures),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{shown(name)}: how fast it is</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, sections))
        + "\n</main>\n</body>\n</html>\n"
    )


def _header(result: Result, figures: Figures) -> str:
    of = figures.about
    firmware = f"firmware {of.firmware}, " if of.firmware else ""
    about = f"{firmware}{of.address}, {_day(of.when)}"
    badge = "" if result.complete else '<span class="badge">unfinished run</span>'
    name = shown(of.camera or "A camera")
    return f'<header><h1>{name}</h1><span class="about">{shown(about)}</span>{badge}</header>'


def _day(when: str) -> str:
    """Return a moment for people: `29 November 2026, 14:30`."""
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        return when
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def _verdict(verdict: Verdict, figures: Figures) -> str:
    heading = "Where the time of a download goes"
    if (figures.rates.best_depth or 1) > 1:
        heading += ", asked for one part at a time"
    elif figures.rates.best_chunk == 0 and figures.rates.one_mib_mb_per_s:
        heading += ", read in parts"
    legend = "".join(
        f'<span><i class="{charts.kind_of(share)}"></i>{words} {verdict.shares[share]:.0%}</span>'
        for share, words in charts.SHARE_WORDS.items()
        if verdict.shares.get(share, 0.0) >= 0.005
    )
    bar = f'{charts.share_bar(verdict.shares)}<div class="legend">{legend}</div>'
    return (
        f'<section class="card verdict limit-{shown(verdict.limit)}"><div class="title">'
        f"<h2>{shown(verdict.title)}</h2>"
        f'<span class="badge">{CERTAINTY[verdict.certainty]}</span></div>'
        f"{f'<h3>{heading}</h3>{bar}' if verdict.shares else ''}"
        f'<div class="columns"><div><h3>Why</h3>{_list(verdict.reasons)}</div>'
        f"<div><h3>What would help</h3>{_list(verdict.help)}</div></div></section>"
    )


def _list(lines: Sequence[str]) -> str:
    if not lines:
        return "–"
    return f"<ul>{''.join(f'<li>{_options(sentence(line))}</li>' for line in lines)}</ul>"


def _options(line: str) -> str:
    """Escape a line; mark commands and their options as code, which does not wrap."""
    return OPTION.sub(lambda found: f"<code>{found[1] or found[0]}</code>", shown(line))


def _tiles(result: Result, figures: Figures) -> str:
    f, steady = figures, figures.steadiness
    trips = {"probe": "a ping, median", "tcp": "TCP's, smoothed"}
    best = result.best()
    way = named(best) if best else "not measured"
    trip = trips.get(f.network.rtt_from, "not measured")
    stalls = f"longest {steady.longest_stall_s:.1f} s" if steady.stalls else "of 0.25 s and more"
    rows: list[tuple[str, float | None, str, str]] = [
        ("Best rate", f.rates.best_mb_per_s, "MB/s", way),
        ("To disk", f.storing.file_mb_per_s, "MB/s", "a download, flushed"),
        ("Round trip", f.network.rtt_ms, "ms", trip),
        ("Operation", f.answers.operation_ms, "ms", "GetObjectInfo, median"),
        ("Listing", f.answers.listing_per_s, "a second", "objects described"),
        ("Stalls", steady.stalls, "", stalls),
    ]
    tiles = "".join(
        f'<div class="tile"><h3>{label}</h3><b>{_value(value, unit)}</b>'
        f"<span>{shown(about)}</span></div>"
        for label, value, unit, about in rows
    )
    return f'<section class="tiles">{tiles}</section>'


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    shown = f"{value:,}" if isinstance(value, int) else number(value)
    return f"{shown} <small>{unit}</small>"


def _card(title: str, about: str, drawing: str, kind: str = "") -> str:
    return f'<section class="card {kind}"><h2>{title}</h2><p>{shown(about)}</p>{drawing}</section>'


def _charts(result: Result, figures: Figures) -> str:
    left = [_rates(result, figures), _latency_chart(result)]
    right = [_one_request(result, figures), _disk(result, figures), _link(result, figures)]
    columns = "".join(f"<div>{''.join(column)}</div>" for column in (left, right) if any(column))
    pair = f'<div class="pair free">{columns}</div>' if columns else ""
    sizes = result.second_by_second()
    if not any(sizes):
        return pair
    about = "What arrived in each second of the run, and what was being measured."
    legend = [("c-data", "received in that second"), ("phase-mark", "one step of the measurement")]
    drawing = charts.seconds(sizes, result.phases) + _legend(legend)
    return pair + _card("Second by second", about, drawing, "wide")


def _long(result: Result) -> Iterator[str]:
    """Yield the sections about a long read and a walk test."""
    if (course := long_course(result)) is not None:
        facts = "".join(f"<dt>{n}</dt><dd>{shown(v)}</dd>" for n, v in course_facts(course))
        intervals = [each for each in result.intervals if not each.spot]
        legend = [
            ("d-0", "median of the intervals of a moment"),
            ("spread", "slowest to fastest of them"),
            ("c-stalls", "a lost connection"),
        ]
        drawing = f"{long_charts.over_time(intervals)}{_legend(legend)}<dl>{facts}</dl>"
        about = f"{course.bytes / 1e9:,.2f} GB in {duration(course.seconds)}."
        yield _card("A long read", about, drawing, "wide")
    if places := spots(result.intervals):
        about = "The same objects read at each spot. Lines reach from slowest to fastest interval."
        words = "".join(
            f"<dt>{shown(place.spot)}</dt><dd>{shown(spot_words(place))}</dd>" for place in places
        )
        yield _card("Walk test", about, f"{long_charts.walk(places)}<dl>{words}</dl>", "wide")


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    words = "".join(f'<span><i class="{kind}"></i>{text}</span>' for kind, text in entries)
    return f'<div class="legend">{words}</div>'


def _rates(result: Result, figures: Figures) -> str:
    if not result.measured("parts", "whole"):
        return ""
    depths = sorted({r.depth for r in result.measured("parts", "whole")})
    legend = [(f"d-{min(n, 3)}", f"{depth} at a time") for n, depth in enumerate(depths)]
    if figures.rates.flow_mb_per_s:
        legend.append(("dash", f"{number(figures.rates.flow_mb_per_s)} MB/s while data flow"))
    if any(r.timing.each_mb_per_s for r in result.measured("parts")):
        legend.append(("range", "slowest to quickest request"))
    drawing = charts.rates(result.readings, figures.rates.flow_mb_per_s)
    about = (
        "Reads by chunk size, and of whole objects. Lines reach from the slowest to the fastest."
    )
    return _card("Rate by chunk size", about, drawing + _legend(legend))


def _one_request(result: Result, figures: Figures) -> str:
    if not any(r.depth == 1 for r in result.measured("parts")):
        return ""
    names = ["round trips", "acks", "camera", "data"]
    seen = figures.answers.ack_wait_ms is not None
    if not seen:
        names.remove("acks")
    legend = [(charts.kind_of(n), charts.SHARE_WORDS[n]) for n in names]
    drawing = charts.request_anatomy(result.readings, figures.network.rtt_ms, acks=seen)
    about = "Where the time of a request goes, by chunk size. The total is on the right."
    return _card("One request", about, drawing + _legend(legend))


def _latency_chart(result: Result) -> str:
    if not result.latencies:
        return ""
    about = "How long one operation takes; the scale is logarithmic."
    legend = [
        ("range flat", "quickest to slowest"),
        ("d-0 round", "median"),
        ("band", "median to the slowest but one in ten (p90)"),
    ]
    return _card("Latency", about, charts.latencies(result.latencies) + _legend(legend))


def _disk(result: Result, figures: Figures) -> str:
    if not (figures.storing.file_mb_per_s or figures.storing.disk_mb_per_s):
        return ""
    about = f"A download discarded and stored, and the disk of {result.folder} alone."
    legend = [("d-0", "discarded"), ("c-disk", "stored"), ("c-disk faint", "the disk alone")]
    if charts.disk_is_cut(figures):
        legend.append(("cut", "longer than drawn"))
    return _card("Disk", about, charts.disk_bars(figures) + _legend(legend))


def _link(result: Result, figures: Figures) -> str:
    """Return what is known about the path between camera and computer."""
    ping, tcp, trip_ms = result.latency("ping"), result.tcp, figures.network.tcp_rtt_ms
    steady = figures.steadiness
    p5, p50 = steady.steady_p5_mb_per_s, steady.steady_p50_mb_per_s
    facts: list[tuple[str, str]] = [("network interface", _interface(result, figures))]
    if ping is not None:
        facts.append(("pings", f"{ping.least:.1f} to {ping.most:.1f} ms, median {ping.p50:.1f}"))
    if tcp is not None and trip_ms is not None:
        facts.append(("TCP's round trip", f"{trip_ms:.1f} ms at least"))
        facts.append(("packets out of order", f"{tcp.out_of_order:,} of {tcp.segments:,}"))
        facts.append(("requests repeated", f"{tcp.repeated:,}"))
    if p5 is not None and p50 is not None:
        text = f"half have {number(p50)} MB/s or more, one in twenty {number(p5)} or less"
        facts.append(("single seconds", text))
    facts.append(("stalls", steady.words or "none"))
    if figures.rates.engine_mb_per_s is not None:
        text = f"{number(figures.rates.engine_mb_per_s)} MB/s from a simulated camera on it"
        facts.append(("this computer alone", text))
    rows = "".join(f"<dt>{name}</dt><dd>{shown(value)}</dd>" for name, value in facts)
    return f'<section class="card"><h2>Link</h2><dl>{rows}</dl></section>'


def _interface(result: Result, figures: Figures) -> str:
    name = f" ({result.interface.name})" if result.interface.name else ""
    network = figures.network
    match network.link:
        case "loopback":
            return "loopback: the camera is on this computer"
        case "wireless":
            signal = f", signal {network.signal_dbm:.0f} dBm" if network.signal_dbm else ""
            return f"wireless{name}{signal}"
        case "wired":
            rate = network.link_mb_per_s
            return f"wired{name}" + (f", {8 * rate:.0f} Mbit/s" if rate else "")
    return f"unknown{name}"


def _readings(readings: Sequence[Reading]) -> str:
    if not readings:
        return ""
    rows = []
    for r in readings:
        wait = r.timing.wait_ms
        cells = [
            f"{r.requests:,}" if r.requests else "–",
            f"{r.bytes / 1e6:,.1f}" if r.bytes else "–",
            f"{r.seconds:.2f}" if r.bytes else "–",
            f"<b>{r.mb_per_s:,.2f}</b>" if r.bytes else "–",
            f"{wait.p50:.1f}" if wait else "–",
            f"{wait.p90:.1f}" if wait and wait.p90 is not None else "–",
            f"{r.timing.flow_mb_per_s:,.2f}" if r.timing.flow_mb_per_s else "–",
            f"{len(r.stalls)}" if r.bytes else "–",
        ]
        note = f'<td class="note">{shown(r.note)}</td>'
        rows.append(f"<tr><td>{_way(r)}</td>{''.join(f'<td>{c}</td>' for c in cells)}{note}</tr>")
    heads = ["read", "requests", "MB", "s", "MB/s", "wait ms", "p90", "flow MB/s", "stalls", ""]
    return _table("Every way of reading", heads, rows)


def _way(reading: Reading) -> str:
    words = {"parts": "parts", "whole": "whole", "memory": "download", "file": "download, stored"}
    ahead = f", {reading.depth} at a time" if reading.depth > 1 else ""
    chunk = f" of {chunk_words(reading.chunk)}" if reading.chunk else " object"
    return f"{words[reading.way]}{chunk}{ahead}"


def _latencies(result: Result) -> str:
    if not result.latencies:
        return ""
    rows = []
    for row in result.latencies:
        values = [row.ms.least, row.ms.p50, row.ms.p90, row.ms.p95, row.ms.p99, row.ms.most]
        cells = [str(row.ms.count), *("–" if v is None else f"{v:.2f}" for v in values)]
        rows.append(f"<tr><td>{shown(row.what)}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    heads = ["ms", "times", "least", "median", "p90", "p95", "p99", "most"]
    return _table("Latency", heads, rows)


def _table(title: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        f'<section class="card wide"><h2>{title}</h2><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></section>"
    )


def _notes(notes: Sequence[str]) -> str:
    return f'<section class="card"><h2>Notes</h2>{_list(notes)}</section>' if notes else ""


def _footer(figures: Figures) -> str:
    unseen = (
        "The camera is on this computer, so TCP's round trip and losses are left out. "
        if figures.network.link == "loopback"
        else ""
    )
    return (
        "<footer><p>A wait is the time from a request to the first byte of the object. The part "
        "beyond the link's round trip is the camera's. Pipelined requests have no waits. "
        f"{unseen}A percentile is shown if at least one sample lies beyond it. Rates are in "
        "megabytes (10<sup>6</sup> bytes) per second.</p>"
        f"<p>Measured with ptpfast {shown(_version.__version__)}.</p></footer>"
    )
