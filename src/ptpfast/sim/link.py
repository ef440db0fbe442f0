"""Simulated links between camera and computer, and their profiles.

`Link` describes a link, `LINKS` are the profiles of links.toml, and `relay.py` carries the bytes.
It simulates a rate, a delay with jitter, a queue, outages and falls of the rate. It cannot simulate
lost packets, two directions that share the air, or TCP's own round trip.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

PROFILES = Path(__file__).with_name("links.toml")


@dataclass(frozen=True)
class Link:
    """A link between camera and computer, and the camera's own delays.

    Rates are the bytes a second of one TCP stream, times are in seconds, sizes in bytes.
    """

    about: str = ""
    source: str = ""  # where the rate is from
    assumed: tuple[str, ...] = ()  # values that are assumed, not measured
    rate: float | None = None  # None: as fast as the machine
    rtt: float = 0.0  # of a round trip, half of it each way
    jitter: float = 0.0  # ± of a round trip
    queue: int = 192_000  # bytes that may wait before the radio, each way
    outage: tuple[float, float] | None = None  # every so long nothing passes for so long
    cliff: tuple[float, float, float] | None = None  # interval, duration, rate during it
    loss: float = 0.0  # of packets: for a link under TCP; not imitated between sockets
    operation: float = 0.0  # the camera's time for each operation
    card: float | None = None  # at which rate the camera reads its card; None: at once
    card_block: int | None = None  # how much of it before it sends that; None: all asked for
    object_size: int = 25_000_000  # a file of the cameras that have such a link

    def __post_init__(self) -> None:
        """Raise ValueError for impossible values."""
        rates = (self.rate, self.card, self.card_block, self.cliff and self.cliff[2])
        if any(value is not None and value <= 0 for value in rates):
            raise ValueError("a rate must be above 0")
        if min(self.rtt, self.jitter, self.operation, self.queue) < 0 or self.jitter > self.rtt:
            raise ValueError("times must not be negative, and jitter not above the round trip")
        for period in (self.outage, self.cliff):
            if period is not None and not 0 <= period[1] < period[0]:
                raise ValueError("an outage or a fall of the rate must be shorter than its period")

    @property
    def shapes(self) -> bool:
        """True if the link delays bytes."""
        return bool(self.rate or self.rtt or self.outage)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """Return the link of a profile entry. Raises TypeError or ValueError."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        return cls(**values)

    def said(self) -> str:
        """Return its values in words: `2.3 MB/s, round trip 8 ± 5 ms, camera 15 ms an operation`"""
        words = [f"{self.rate / 1e6:g} MB/s" if self.rate else "no limit"]
        if self.rtt:
            jitter = f" ± {self.jitter * 1e3:g}" if self.jitter else ""
            words.append(f"round trip {self.rtt * 1e3:g}{jitter} ms")
        if self.cliff:
            every, length, rate = self.cliff
            words.append(f"{rate / 1e6:g} MB/s for {length:g} s every {every:g} s")
        if self.outage:
            words.append(f"nothing for {self.outage[1]:g} s every {self.outage[0]:g} s")
        if self.operation:
            words.append(f"camera {self.operation * 1e3:g} ms an operation")
        if self.card:
            block = f" in blocks of {self.card_block:,}" if self.card_block else ""
            words.append(f"card {self.card / 1e6:g} MB/s{block}")
        return ", ".join(words)


def read_profiles(path: Path) -> dict[str, Link]:
    """Return the links of a profile file by name. Raises TypeError or ValueError."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: Link.of(entry) for name, entry in entries.items()}


LINKS = read_profiles(PROFILES)
