"""A run as lines of text for a terminal: the verdict first, then the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .charts import SHARE_WORDS
from .compare import label, told
from .result import Result, named
from .summary import Figures
from .svg import number
from .verdict import CERTAINTY, Verdict, sentence


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
    yield from (f"note: {note}" for note in result.notes)
    if earlier:
        before = earlier[-1]
        yield ""
        yield f"Compared with {label(before, figures)}:"
        yield from (f"  {line}" for line in told(figures, before))


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
        yield row.what, f"{ms.p50:.1f} ms{tail}"
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
    if figures.steadiness.stalls:
        yield "stalls", figures.steadiness.words
