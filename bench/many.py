"""A comparison of how long many small operations take, one for each object: round trips count."""

from __future__ import annotations

import statistics

from .harness import PACED, Case, Range


class ManyCase(Case):
    """`objects` operations over a link of `rtt` seconds, with `size` bytes of payload each (0 for
    none to speak of) at `rate` bytes a second. The contenders are depths, or cameras."""

    def __init__(self, case: Case, objects: int, size: int, rate: float, rtt: float) -> None:
        super().__init__(case.name, case.samples, kind=PACED)
        self._objects = objects
        self._size = size
        self._rate = rate
        self._rtt = rtt

    def seconds(self, name: str) -> Range:
        """Of all runs."""
        return Range.of([s.seconds for s in self.samples[name]])

    def trips(self, name: str) -> Range:
        """Round trips of the link that one object takes, beside the wire's time for its payload."""
        wire_s = self._size / self._rate
        each = [s.seconds / self._objects - wire_s for s in self.samples[name]]
        return Range.of([seconds / self._rtt for seconds in each])

    def part_of_wire(self, name: str) -> Range:
        """What part of the link's rate the payload reached."""
        total = self._objects * self._size
        return Range.of([total / s.seconds / self._rate for s in self.samples[name]])

    def requests(self, name: str) -> Range:
        """Requests for content that one object took."""
        return Range.of([s.requests / self._objects for s in self.samples[name]])

    def row(self, name: str) -> str:
        """A contender's figures, without its name."""
        samples = self.samples[name]
        took = statistics.median(s.seconds for s in samples)
        line = f"{self.seconds(name).text()} s, {self._objects / took:,.0f} objects/s"
        if self._size:
            line += f", {self._objects * self._size / took / 1e6:.1f} MB/s"
        line += f", {self.trips(name).text(3)} round trips each"
        if any(s.requests for s in samples):
            line += f", {self.requests(name).text(3)} requests each"
        return f"{line}, peak {max(s.peak_kib for s in samples) / 1024:.0f} MiB"
