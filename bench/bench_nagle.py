"""Does a camera that leaves Nagle's algorithm on wait for us?

Many firmwares leave it on and send Start Data, End Data and the response one after the other: the
second is held back until the first is acknowledged, and a kernel left alone takes 40 ms for that.
The same camera four ways: TCP_NODELAY, Nagle with packets written apart, Nagle with each Data
packet written as head and payload, and the second again with ptpfast's quick acknowledgements
switched off, which shows what they are for. Over loopback, where an acknowledgement takes no time
but the kernel's; the camera takes some milliseconds for each operation, as the quickest ones do,
and sends chunks at the rate of the quickest Wi-Fi: at memory's rate, which no camera has, the
kernel's part in an acknowledgement is all that is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from .harness import Case, Range, Sample, alternate
from .sides import Imitation, far_side, sample

NODELAY, APART, PIECES = "NODELAY", "Nagle, packets apart", "Nagle, packets in pieces"
WITHOUT = "Nagle, packets apart, without quick ACKs"
CAMERAS: dict[str, dict[str, Any]] = {
    NODELAY: {"writes": "apart"},
    APART: {"writes": "apart", "nagle": True},
    PIECES: {"writes": "pieces", "nagle": True},
}
WITHIN = 0.95
SHOWN = 0.9  # what must be missed without quick acknowledgements, or the check could not fail
CHUNK = 1 << 20
CHUNK_RATE = 110_000_000  # bytes/s: what gigabit Ethernet carries; no camera's Wi-Fi is faster
OPERATION_S = 0.005
ROUNDS = {"listing": 5, "small": 5, "chunks": 9}


def measure(what: str, title: str, objects: int, size: int, few: int, *, rounds: int) -> Case:
    """The same card from each camera; `few` are the objects without quick acknowledgements, which
    take so long."""
    link = Imitation(rate=CHUNK_RATE if what == "chunks" else 0)
    with ExitStack() as stack:

        def side(count: int, name: str) -> int:
            return stack.enter_context(
                far_side(link, count, size, OPERATION_S, **CAMERAS[name])
            ).camera

        def at(port: int, count: int, quick: bool) -> Callable[[], Sample]:
            options = {"objects": count, "size": size, "chunk": CHUNK, "quick-acks": int(quick)}
            return lambda: sample(link, what, port, **options)

        turns = {name: at(side(objects, name), objects, True) for name in CAMERAS}
        case = alternate(title, turns, rounds)
        slow = alternate("", {WITHOUT: at(side(few, APART), few, False)}, 1, warm_up=False)
    for name in (APART, PIECES):
        each = case.ratio(NODELAY, name, lambda s: s.seconds)
        case.claim(f"{name}: rate, of NODELAY's", each, WITHIN)
    case.samples[WITHOUT] = slow.samples[WITHOUT]
    apiece = [s.seconds / s.bytes for s in case.samples[NODELAY]]
    slower = slow.samples[WITHOUT][0]
    ratio = Range.of([each * slower.bytes / slower.seconds for each in apiece])
    # Of large answers the kernel acknowledges every second segment: how many then wait is chance.
    shown = None if what == "chunks" else SHOWN
    case.claim(f"{WITHOUT}: rate, of NODELAY's", ratio, shown, at_least=False)
    return NagleCase(case.name, case.samples, case.claims) if what == "listing" else case


class NagleCase(Case):
    """Rows of a listing; `bytes` of a run are its objects."""

    def row(self, name: str) -> str:
        """A camera's figures, without its name."""
        each = Range.of([1e3 * s.seconds / s.bytes for s in self.samples[name]])
        return f"{self.samples[name][0].bytes:,} objects, {each.text(3)} ms each"


def run(quick: bool) -> Iterator[Case]:
    """The cases of this benchmark."""
    many, large, few = (60, 1, 1) if quick else (300, 6, 4)
    where = f"from a camera of {OPERATION_S * 1e3:g} ms"
    at_rate = f" and {CHUNK_RATE / 1e6:g} MB/s"
    cases = (
        ("listing", f"listing, {many:,} objects {where}", many, 1, 60),
        ("small", f"thumbnails, {many:,} × 20 KB {where}", many, 20_000, 60),
        ("chunks", f"1 MiB chunks, {large} × 25 MB {where}{at_rate}", large, 25_000_000, few),
    )
    for what, title, objects, size, few in cases:
        yield measure(what, title, objects, size, few, rounds=1 if quick else ROUNDS[what])
