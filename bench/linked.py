"""A simulated camera behind one emulated Wi-Fi link, for what is measured over loopback, too.

What costs a few percent where every microsecond counts must cost nothing behind a radio.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import peers
from .harness import PACED, Case, Range
from .radio import Radio, profiles, why_not
from .sides import Far, far_side, sample

LINK = "mirrorless-11ac-2x2"  # 55 MB/s
LEAST = 0.99  # of the plain way's rate
CARRIES = 0.95  # a link with less of its rate is not what its profile says: nothing is judged
RAW_BYTES = 100_000_000


@dataclass
class Linked:
    """The camera and its link, as long as `behind_link` lasts.

    raw_bytes: of a raw TCP stream that shows what the link carries.
    carried: what parts of the link's rate raw TCP streams got, one for each `look`.
    """

    radio: Radio
    far: Far
    rate: float
    raw_bytes: int
    carried: list[float] = field(default_factory=list)

    @property
    def options(self) -> dict[str, object]:
        """What a contender needs to find the camera."""
        return {"host": self.radio.host, "port": self.far.camera}

    def near(self, command: list[str]) -> list[str]:
        """A command that runs on the computer's side."""
        return self.radio.near([*peers.PYTHON, *command])

    def look(self) -> None:
        """See what the link carries now."""
        raw = sample(self.radio, "raw", self.far.raw, bytes=self.raw_bytes)
        self.carried.append(raw.bytes / raw.seconds / self.rate)

    def least(self, case: Case) -> float | None:
        """Claim what the link carried; return what a way must reach, None if it carried less."""
        case.kind = PACED
        value = Range.of(self.carried)
        case.claim("the link itself, of its rate", value, CARRIES)
        if value.median >= CARRIES:
            return LEAST
        case.notes.append("this machine cannot carry such a link: nothing else is judged")
        return None


@contextmanager
def behind_link(objects: int, size: int, raw_bytes: int = RAW_BYTES) -> Iterator[Linked]:
    """The link with a camera that has such a card. RuntimeError where there can be no link."""
    profile = profiles()[LINK]
    with (
        Radio.of(profile) as radio,
        far_side(radio, objects, size, profile.operation) as far,
    ):
        yield Linked(radio, far, profile.rate, raw_bytes)


def missing(bench: str) -> Case | None:
    """The case of a computer that can have no link; None where it can."""
    reason = why_not()
    return None if reason is None else Case(f"{bench}, {LINK}", missing={"link": reason})
