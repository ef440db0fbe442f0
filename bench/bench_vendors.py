"""Does each vendor's body come as fast as the standard one over the same link?

A whole pull of the same card from every simulated body, one after the other, over one link. Where a
vendor's cameras cannot be asked for much at a time, the standard body is also read with that limit:
what is left is the cost of the vendor's own operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ptpfast import vendors
from ptpfast.sim import Store
from ptpfast.vendors.quirks import MOST_CHUNK, Quirks

from .harness import PACED, Case, Range, Sample, alternate, scratch
from .radio import Radio, profiles, why_not
from .sides import Far, check_and_remove, far_side, near

MIB = 1 << 20
LINK = "mirrorless-11ac-2x2"
OBJECTS, SIZE, ROUNDS = 4, 25_000_000, 3
QUICK = ("canon-r6m2", "nikon-z8", "sony-a7m4", "fuji-xt4", "ricoh-theta-m15", "panasonic-bgh1")
STANDARD = "standard"
MUST = 0.95
# Where the numbers of a body are that its session goes by: Sony has a way for each generation.
_TABLES = {
    "canon": "canon.dialect",
    "nikon": "nikon.dialect",
    "fujifilm": "fujifilm.dialect",
    "panasonic": "panasonic.dialect",
    "sony-a7m4": "sony.contentlists",
    "sony-a7r3": "sony.sending",
    "sony-a7sm3": "sony.contenttransfer",
}
# Why so much at a time, in short; the tables have it in full.
EVIDENCE = {
    "canon.dialect": "an EOS R answers 5 MiB with no bytes (gphoto2 issue 198)",
    "nikon.dialect": "larger reads make bodies slower until they halt (airmtp)",
    "fujifilm.dialect": "an X-A2 stalls at more (fudge)",
    "sony.contentlists": "the largest request that was seen of Sony's own program",
    "sony.contenttransfer": "programs are known to read up to 10 MiB",
}


@dataclass(frozen=True)
class Limit:
    """The most that a body may be asked for at a time, in bytes, and the table that says so; None
    where no limit is known."""

    most: int | None
    table: str = ""

    @classmethod
    def of(cls, body: str) -> Limit:
        """From the vendor's table."""
        table = _TABLES.get(body) or _TABLES.get(vendors.BODIES[body])
        if table is None:
            return cls(None)
        quirks: Quirks = import_module(f"ptpfast.vendors.{table}").QUIRKS
        return cls(None if quirks.max_chunk == MOST_CHUNK else quirks.max_chunk, table)

    @property
    def rival(self) -> str:
        """The standard body, read with this limit."""
        return STANDARD if self.most is None else f"{STANDARD}, {self.most // MIB} MiB at most"


class BodiesCase(Case):
    """A comparison on one link: rates in MB/s, and what part of the standard body's they are."""

    @property
    def key(self) -> str:
        """The link, without how much it carries."""
        return self.name.partition(":")[0]

    def row(self, name: str) -> str:
        """A body's figures, without its name."""
        samples = self.samples[name]
        rate = Range.of([s.bytes / s.seconds / 1e6 for s in samples])
        line = f"{rate.text(1)} MB/s, {self.of(STANDARD, name).text(3)} of {STANDARD}"
        requests = Range.of([float(s.requests) for s in samples])
        return f"{line}, {requests.median:.0f} requests"

    def of(self, rival: str, name: str) -> Range:
        """The rate of a body, as a part of another one's in the same round."""
        return self.ratio(rival, name, lambda s: s.seconds)


@dataclass(frozen=True)
class Turns:
    """Everybody who takes a turn on the link, with the same card."""

    link: Radio
    directory: Path
    objects: int
    size: int

    def fetching(self, far: Far, body: str | None, most: int | None) -> Callable[[], Sample]:
        """A pull of the card of a body, or of the standard one with a limit; the files are
        compared."""
        model = vendors.named(STANDARD).model if body is None else vendors.with_body(body).model
        store = Store.synthetic(self.objects, self.size, model=model)
        options: dict[str, Any] = {"dir": self.directory, "gate": far.gate, "max-chunk": most or 0}
        options |= {} if body is None else {"body": body}

        def run() -> Sample:
            far.requests()
            self.link.restart()
            sample = Sample.of(near(self.link, "pull", far.camera, **options))
            sample.requests = far.requests().total()
            check_and_remove(self.directory, store)
            return sample

        return run


def judge(case: Case, limits: dict[str, Limit]) -> None:
    """What must hold of each body, and of the slowest one in each round."""
    compared = BodiesCase(case.name, case.samples)
    shares = []
    for body, limit in limits.items():
        if limit.most is not None:
            case.claim(f"{body}: rate, of {STANDARD}", compared.of(STANDARD, body), None)
            case.notes.append(f"{body}: {limit.most // MIB} MiB at a time: {EVIDENCE[limit.table]}")
        case.claim(f"{body}: rate, of {limit.rival}", compared.of(limit.rival, body), MUST)
        pairs = zip(case.samples[limit.rival], case.samples[body], strict=True)
        shares.append([a.seconds / b.seconds for a, b in pairs])
    slowest = [min(of_round) for of_round in zip(*shares, strict=True)]
    case.claim("the slowest body: rate, of standard, its limit", Range.of(slowest), MUST)


def run(quick: bool) -> Iterator[Case]:
    """One case: every body on the same link."""
    reason = why_not()
    if reason is not None:
        yield Case("vendors", missing={"vendors": reason})
        return
    objects, size, rounds = (1, 4_000_000, 1) if quick else (OBJECTS, SIZE, ROUNDS)
    profile = profiles()[LINK]
    limits = {body: Limit.of(body) for body in (QUICK if quick else vendors.BODIES)}
    title = f"every body on {LINK}: {objects} × {size / 1e6:g} MB"
    with ExitStack() as stack:
        directory, _ = stack.enter_context(scratch(2 * objects * size))
        radio = stack.enter_context(Radio.of(profile))

        def far(body: str | None) -> Far:
            side = far_side(radio, objects, size, profile.operation, body=body)
            return stack.enter_context(side)

        turns, plain = Turns(radio, directory, objects, size), far(None)
        everybody = {STANDARD: turns.fetching(plain, None, None)}
        for limit in limits.values():
            everybody.setdefault(limit.rival, turns.fetching(plain, None, limit.most))
        for body in limits:
            everybody[body] = turns.fetching(far(body), body, None)
        measured = alternate(title, everybody, rounds, warm_up=False)
    case = BodiesCase(title, measured.samples, kind=PACED)
    judge(case, limits)
    yield case
