"""What do round trips cost, by how much is asked for at a time and how far ahead?

Objects of 25 MB over a link of 50 MB/s with a round trip of 8 ms and a camera that takes no time
of its own: the figures that a calculation on paper begins with.
"""

from __future__ import annotations

from collections.abc import Iterator

from ptpfast.sim import Store

from .bench_wifi import MIB, LinkCase, Turns
from .contenders import PTPFAST, command
from .harness import Case, alternate, scratch
from .radio import Radio, why_not
from .sides import far_side

RATE, RTT = 50e6, 0.008
QUEUE = 1_000_000  # bytes; more than is under way in a round trip
OBJECTS, SIZE, ROUNDS = 8, 25_000_000, 3
STREAM = "one TCP stream"
AHEAD = "1 MiB, next request already sent"
# Bytes at a time (0: the whole object) and requests outstanding.
WAYS = {
    "1 MiB, one at a time": (MIB, 1),
    "4 MiB, one at a time": (4 * MIB, 1),
    "8 MiB, one at a time": (8 * MIB, 1),
    "whole objects, one at a time": (0, 1),
    AHEAD: (MIB, 2),
}
MUST = 0.97  # of the stream, for a small chunk whose round trip is hidden


def run(quick: bool) -> Iterator[Case]:
    """One case: every way on the same link."""
    reason = why_not()
    if reason is not None:
        yield Case("chunks", missing={"chunks": reason})
        return
    objects, rounds = (1, 1) if quick else (OBJECTS, ROUNDS)
    title = f"round trips: {RATE / 1e6:g} MB/s, {RTT * 1e3:g} ms; {objects} × {SIZE / 1e6:g} MB"
    store = Store.synthetic(objects, SIZE)
    with (
        scratch(2 * objects * SIZE) as (directory, _),
        Radio(rate=RATE, rtt=RTT, queue=QUEUE) as radio,
        far_side(radio, objects, SIZE, 0.0) as far,
    ):
        turns = Turns(radio, far, directory, store, objects * SIZE)
        where = {"into": "file", "warm": 0, "host": radio.host, "dir": directory}
        everybody = {STREAM: turns.raw}
        for name, (chunk, depth) in WAYS.items():
            words = command(PTPFAST, far.camera, depth=depth, chunk=chunk, then=1, **where)
            everybody[name] = turns.fetching(name, words)
        plain = alternate(title, everybody, rounds, warm_up=False)
    case = LinkCase(title, plain.samples, raw=STREAM)
    for name in WAYS:
        must = MUST if name == AHEAD and not quick else None
        case.claim(f"{name}, of one TCP stream", case.part_of_raw(name), must)
    yield case
