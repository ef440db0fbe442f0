"""A run as lines of text for a terminal: the verdict first, then the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .charts import SHARE_WORDS
from .compare import ENOUGH_RUNS, label, told
from .figures import long_course
from .result import Result, named
from .samples import Spread
from .series import Course, spots
from .summary import Figures
from .svg import number
from .verdict import CERTAINTY, Verdict, sentence

FEW_RUNS = (
    "Two runs of an unchanged link also differ: "
    f"with {ENOUGH_RUNS} earlier runs, better and worse can be told"
)


def lines(
    result: Result, figures: Figures, verdict: Verdict, earlier: Sequence[Figures] = ()
) -> Iterator[str]:
    """Return the report. Text from the camera is unchanged: make it printable."""
    about = figures.about
    firmware = f", firmware {about.firmware}" if about.firmware else ""
    unfinished = "" if result.complete else " (unfinished run)"
    yield f"{about.camera or 'a camera'}{firmware}, at {about.address}{unfinished}"
    yield ""
    yield f"{verdict.title} ({CERTAINTY[verdict.certainty]})"
    yield from (f"  - {sentence(line)}" for line in verdict.reasons)
    if verdict.help:
        yield "What would help:"
        yield from (f"  - {sentence(line)}" for line in verdict.help)
    yield ""
    shares = [
        f"{words} {verdict.shares[share]:.0%}"
        for share, words in SHARE_WORDS.items()
        if verdict.shares.get(share, 0.0) >= 0.005
    ]
    if shares:
        yield f"{'Where the time goes':<42}{', '.join(shares)}"
    yield from (f"{name:<42}{value}" for name, value in _facts(result, figures))
    yield from _long(result)
    yield from (f"note: {note}" for note in result.notes)
    if earlier:
        few = len(earlier) < ENOUGH_RUNS
        yield ""
        yield f"Compared with {label(earlier[-1], figures) if few else 'the earlier runs'}:"
        lines = told(figures, earlier)
        yield from (f"  {line}" for line in lines)
        if any("%" in line for line in lines):
            yield f"  {FEW_RUNS}"


def _facts(result: Result, figures: Figures) -> Iterator[tuple[str, str]]:
    if figures.network.rtt_ms is not None:
        of = {"probe": "a ping", "tcp": "TCP's own"}[figures.network.rtt_from]
        yield "round trip", f"{figures.network.rtt_ms:.1f} ms ({of}, median)"
    for row in result.latencies:
        ms = row.ms
        tail = "".join(
            f", {name} {value:.1f}"
            for name, value in (("p90", ms.p90), ("p95", ms.p95), ("p99", ms.p99))
            if value is not None
        )
        tail += f", most {ms.most:.1f}" if ms.count > 1 else ""
        yield row.what, f"{ms.p50:.1f} ms{_bounds(ms)}{tail}"
    if figures.answers.listing_per_s:
        yield "objects described", f"{number(figures.answers.listing_per_s)} a second"
    for reading in result.readings:
        if not reading.bytes:
            yield named(reading), reading.note or "not measured"
            continue
        wait = f", waits {waited.p50:.1f} ms" if (waited := reading.timing.wait_ms) else ""
        note = f"; {reading.note}" if reading.note else ""
        yield named(reading), f"{reading.mb_per_s:.2f} MB/s{wait}{note}"
    if result.disk is not None:
        speed = f"{number(result.disk.mb_per_s)} MB/s"
        yield "the disk alone", f"{speed}, a flush {result.disk.flush_ms:.1f} ms"
    if figures.rates.engine_mb_per_s is not None:
        speed = f"{number(figures.rates.engine_mb_per_s)} MB/s"
        yield "this computer alone", f"{speed}, read from a simulated camera on it"
    if figures.steadiness.stalls:
        yield "stalls", figures.steadiness.words


def _bounds(values: Spread) -> str:
    """Return the uncertainty of a median, in words; '' if it is not known."""
    if (bounds := values.bounds.get(50)) is None:
        return ""
    return f" ({bounds[0]:.1f} to {bounds[1]:.1f})"


def _long(result: Result) -> Iterator[str]:
    """Return the lines about a long read and a walk test."""
    if (course := long_course(result)) is not None:
        yield ""
        yield f"A read of {duration(course.seconds)}: {course.bytes / 1e9:,.2f} GB"
        yield from (f"  {name:<40}{value}" for name, value in course_facts(course))
    places = sorted(spots(result.intervals), key=lambda place: -place.mb_per_s)
    if places:
        yield ""
        yield "Spots, the fastest first:"
        width = max(len(place.spot) for place in places)
        yield from (f"  {place.spot:<{width}}  {spot_words(place)}" for place in places)


def course_facts(course: Course) -> Iterator[tuple[str, str]]:
    """Yield name and value of each figure of a long read."""
    yield "its rate", f"{course.mb_per_s:.2f} MB/s"
    slowest = f"; one in twenty below {course.worst:.2f}" if course.worst is not None else ""
    yield "an interval, median", f"{course.rate.p50:.2f} MB/s{_bounds(course.rate)}{slowest}"
    yield "longest silence", f"{course.longest_silence_s:.1f} s"
    yield "connections lost", f"{course.lost}"
    if course.loss is not None:
        yield "packets out of order", f"{course.loss:.2%}"
    ranges = (
        ("round trip", course.rtt_ms, "ms"),
        ("signal", course.signal_dbm, "dBm"),
        ("bit rate", course.mbit_per_s, "Mbit/s"),
    )
    for name, found, unit in ranges:
        if found is not None:
            least, middle, most = found
            yield name, f"{middle:.4g} {unit}, {least:.4g} to {most:.4g}"


def spot_words(course: Course) -> str:
    """Return the figures of a spot in one line."""
    words = f"{course.mb_per_s:.2f} MB/s{_bounds(course.rate)}"
    if course.lost:
        words += f", {plural(course.lost, 'lost connection')}"
    if course.longest_silence_s:
        words += f", silent for {course.longest_silence_s:.1f} s"
    if course.signal_dbm is not None:
        words += f", signal {course.signal_dbm[1]:.0f} dBm"
    if course.rtt_ms is not None:
        words += f", round trip {course.rtt_ms[1]:.1f} ms"
    return words


def duration(seconds: float) -> str:
    """Return a time in words: `45 s`, `12 min`, `1 h 30 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
