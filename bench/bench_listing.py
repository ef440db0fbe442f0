"""What does a round trip cost where there are many small answers: listings and thumbnails?

8 ms of round trip on a link fast enough not to matter, 10,000 objects; then 5,000 answers of
20 KB, the size of a thumbnail, on a link where they do. The camera takes no time of its own: what
is to be seen is the round trip.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from .bench_wifi import far_side, near
from .harness import Case, Claim, Range, Sample, alternate
from .radio import Radio, why_not

RTT = 0.008
DEPTHS = (1, 4, 16)
FAST = 110e6
COLD_S = 8.0  # for 10,000 objects, with pipelining
THUMBNAIL = 20_000
THUMBNAIL_RATE = 30e6
# The kernel's own work, the scheduler's and the simulated camera's come on top of each round trip.
ROUND_TRIP = 1.2
WIRE = 0.9


class ManyCase(Case):
    """A comparison of how long many small operations take, of `size` payload bytes each."""

    def __init__(self, case: Case, objects: int, size: int, rate: float) -> None:
        super().__init__(case.name, case.samples)
        self._objects = objects
        self._size = size
        self._wire_s = size / rate  # what the payload of one takes

    def seconds(self, name: str) -> Range:
        """Of all runs."""
        return Range.of([s.seconds for s in self.samples[name]])

    def trips(self, name: str) -> Range:
        """Round trips of the link that one object takes, beside the wire's time for it."""
        each = [s.seconds / self._objects - self._wire_s for s in self.samples[name]]
        return Range.of([seconds / RTT for seconds in each])

    def show(self) -> None:
        """Prints it."""
        print(f"\n{self.name}")
        for name, samples in self.samples.items():
            took = statistics.median(s.seconds for s in samples)
            line = f"{self.seconds(name).text()} s, {self._objects / took:,.0f} objects/s"
            if self._size:
                line += f", {self._objects * self._size / took / 1e6:.1f} MB/s"
            print(f"  {name:<10} {line}, {self.trips(name).text(3)} round trips each")
        for claim in self.claims:
            print(claim.line(), flush=True)


def measure(what: str, title: str, objects: int, size: int, rate: float, rounds: int) -> ManyCase:
    """The same at each depth."""
    with (
        Radio(rate=rate, rtt=RTT, queue=1 << 20) as radio,
        far_side(radio, objects, max(size, 1), 0.0) as (port, _),
    ):

        def at(depth: int) -> Callable[[], Sample]:
            options = {"depth": depth, "objects": objects, "size": max(size, 1)}
            return lambda: near(radio, what, port, **options)

        case = alternate(title, {f"depth {depth}": at(depth) for depth in DEPTHS}, rounds)
    return ManyCase(case, objects, size, rate)


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark; none, with the reason printed, where there can be no link."""
    if (reason := why_not()) is not None:
        print(f"\nlisting: not measured, {reason}", flush=True)
        return
    objects = 1_000 if quick else 10_000
    title = f"listing, {objects:,} objects over {RTT * 1e3:g} ms"
    case = measure("listing", title, objects, 0, FAST, 1)
    deepest = f"depth {DEPTHS[-1]}"
    limit = COLD_S * objects / 10_000
    case.claims.append(Claim(f"cold, {deepest}", case.seconds(deepest), limit, False, "s"))
    case.claims.append(Claim("round trips, depth 1", case.trips("depth 1"), ROUND_TRIP, False))
    yield case
    objects = 250 if quick else 5_000
    title = f"thumbnails, {objects:,} × {THUMBNAIL // 1000} KB"
    title += f" over {RTT * 1e3:g} ms at {THUMBNAIL_RATE / 1e6:g} MB/s"
    case = measure("small", title, objects, THUMBNAIL, THUMBNAIL_RATE, 1)
    if not quick:  # a short run ends before TCP's window is open
        parts = [objects * THUMBNAIL / s.seconds / THUMBNAIL_RATE for s in case.samples[deepest]]
        part = Range.of(parts)
        case.claims.append(Claim(f"of the wire, {deepest}", part, WIRE, at_least=True))
    case.claims.append(Claim("round trips, depth 1", case.trips("depth 1"), ROUND_TRIP, False))
    yield case
