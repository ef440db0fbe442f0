"""What does a listing cost: where the round trip is all, and where the camera itself is slow?

8 ms of round trip on a link fast enough not to matter, 10,000 objects; then cameras that take 7 to
170 ms of their own for each description, of which nobody can spare them any.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial

from .harness import PACED, Case, Range, Sample, alternate
from .many import ManyCase
from .radio import Radio, profiles, why_not
from .sides import far_side, sample

RTT = 0.008
DEPTHS = (1, 4, 16)
FAST = 110e6
COLD_S = 8.0  # for 10,000 objects, with pipelining
AGAIN_S = 0.5  # the second time
# The kernel's own work, the scheduler's and the simulated camera's come on top of each round trip.
ROUND_TRIP = 1.2
SLOW = "listing-slow"
SLOW_RUN_S = 5.0  # of a slow camera's own time
OVER_ITS_OWN = 1.25


def cold(objects: int) -> ManyCase:
    """The same listing at each depth."""
    title = f"listing, {objects:,} objects over {RTT * 1e3:g} ms"
    with (
        Radio(rate=FAST, rtt=RTT, queue=1 << 20) as radio,
        far_side(radio, objects, 1, 0.0) as far,
    ):

        def at(depth: int) -> Callable[[], Sample]:
            return lambda: sample(
                radio, "listing", far.camera, depth=depth, objects=objects, size=1
            )

        case = alternate(title, {f"depth {depth}": at(depth) for depth in DEPTHS}, 1)
    return ManyCase(case, objects, 0, FAST, RTT)


def again(objects: int) -> ManyCase:
    """What is listed before, and what describes itself in bulk."""
    title = f"listing again, {objects:,} objects over {RTT * 1e3:g} ms"
    with (
        tempfile.TemporaryDirectory(prefix="ptpfast-bench-") as cache,
        Radio(rate=FAST, rtt=RTT, queue=1 << 20) as radio,
        far_side(radio, objects, 1, 0.0) as far,
        far_side(radio, objects, 1, 0.0, bulk=True) as told,
    ):
        listing = partial(sample, radio, "listing", objects=objects, size=1)
        listing(port=far.camera, depth=DEPTHS[-1], cache=cache)
        turns = {
            f"depth {depth}, seen before": partial(
                listing, port=far.camera, depth=depth, cache=cache
            )
            for depth in DEPTHS
        }
        turns["depth 1, in bulk"] = partial(listing, port=told.camera, depth=1)
        case = alternate(title, turns, 3)
    return ManyCase(case, objects, 0, FAST, RTT)


class SlowCase(Case):
    """What each object of a listing took, camera by camera; `bytes` of a run are its objects."""

    def row(self, name: str) -> str:
        """A camera's figures, without its name."""
        each = Range.of([1e3 * s.seconds / s.bytes for s in self.samples[name]])
        return f"{self.samples[name][0].bytes} objects, {each.text(1)} ms each"


def slow(seconds: float) -> Case:
    """As it comes, from cameras that each take so many seconds in all for their answers."""
    profile = profiles()[SLOW]
    cards = {own: max(10, round(seconds / own)) for own in profile.operations}

    def listing(own: float) -> Sample:
        with (
            Radio.of(profile) as radio,
            far_side(radio, cards[own], 1, own) as far,
        ):
            return sample(radio, "listing", far.camera, objects=cards[own], size=1)

    turns = {f"{own * 1e3:g} ms": partial(listing, own) for own in cards}
    case = alternate(f"{SLOW}: cameras that take their time for each object", turns, 1)
    case = SlowCase(case.name, case.samples, kind=PACED)
    for name, own in zip(turns, cards, strict=True):
        value = Range.of([s.seconds / s.bytes / (own + profile.rtt) for s in case.samples[name]])
        what = f"{name}: time, over the camera's and a round trip"
        case.claim(what, value, OVER_ITS_OWN, at_least=False)
    return case


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark; the reason instead, where there can be no link."""
    if (reason := why_not()) is not None:
        yield Case("listing", missing={"listing": reason})
        return
    objects = 150 if quick else 10_000
    case = cold(objects)
    deepest = f"depth {DEPTHS[-1]}"
    limit = COLD_S * objects / 10_000
    case.claim(f"cold, {deepest}", case.seconds(deepest), limit, at_least=False, unit="s")
    case.claim("round trips, depth 1", case.trips("depth 1"), ROUND_TRIP, at_least=False)
    yield case
    case = again(objects)
    name = f"depth {DEPTHS[0]}, seen before"
    case.claim("the second time, depth 1", case.seconds(name), AGAIN_S, at_least=False, unit="s")
    yield case
    if not quick:
        yield slow(SLOW_RUN_S)
