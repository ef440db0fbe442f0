"""The habits of a camera, learned in a session: how it reads best, and what it cannot handle."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Self

from ..engine.phase import Phase
from ..ptp.errors import DeviceBusy, PTPError
from ..state import settled
from ..vendors import Tuning
from .chunking import START_CHUNK, ChunkPolicy
from .healing import Healing
from .pace import Pace
from .pipelining import BusyDetector

if TYPE_CHECKING:
    from ..ptp.datasets import DeviceInfo
    from ..vendors import Vendor
    from ..vendors.quirks import Quirks

log: logging.Logger = logging.getLogger("ptpfast")

# Runs of requests that end well, after a lost connection, until requests are sent ahead again.
HEALED = 64


class Habits:
    """The learned way to ask this camera.

    Attributes:
        depth: Requests that may be outstanding; 1 unless the camera is known to pipeline.
        pipelined: Transactions that succeeded with others outstanding.
        chunks: The size of partial reads.
        pace: How fast bytes arrive.
        waited_s: Seconds that partial reads waited for their first byte.
        refused: Operations that are listed but refused.
        proven: Partial reads that have worked.
        lost_at_end: Connections lost by a read behind an object's end, by operation.
        lost_in_bulk: Connections lost by a bulk listing, without one that was answered since.
        is_brief: Wait only shortly for a busy camera.
        remembers: Store for the model what the camera cannot handle.
    """

    def __init__(self, chunks: ChunkPolicy, depth: int) -> None:
        self.chunks = chunks
        self.depth: int = depth
        self.pipelined = 0
        self.pace: Pace = Pace()
        self.waited_s: float = 0.0
        self.refused: set[int] = set()
        self.proven: set[int] = set()
        self.lost_at_end: dict[int, int] = {}
        self.lost_in_bulk = 0
        self.is_brief = False
        self.remembers = True
        self._busy_detector = BusyDetector()
        self._healing = Healing(HEALED)

    @classmethod
    def of(cls, info: DeviceInfo, quirks: Quirks, known: Tuning) -> Self:
        """Return the habits to begin with: as tuned, with the chunk that the last session with such
        a body has settled on."""
        cap, start, refused = quirks.max_chunk, START_CHUNK, 0
        if (before := settled.load(info)) is not None:
            start, refused = before
            cap = min(cap, refused // 2) if refused else cap
        fixed = quirks.fixed_chunk if known.chunk is None else known.chunk
        chunks = ChunkPolicy(cap, start=start, fixed=fixed, most_whole=known.whole_size)
        chunks.refused = refused
        return cls(chunks, known.depth)

    def keep_chunk(self, info: DeviceInfo) -> None:
        """Remember the chunk for the next session with such a body. Never raises."""
        if self.remembers and self.chunks.is_known:
            settled.save(info, settled.Settled(self.chunks.chunk, self.chunks.refused))

    def depth_now(self) -> int:
        """Return how many requests may be outstanding now.

        It is one while it is not known whether pipelining makes the camera busy.
        """
        return 1 if self._busy_detector.is_open else self.depth

    def learn(self, operation: int, phase: Phase, error: PTPError | None) -> bool:
        """Learn from an answer; return True if pipelining turns out to make the camera busy."""
        busy = isinstance(error, DeviceBusy)
        if not self._busy_detector.answered(operation, early=phase.early, busy=busy):
            return False
        self._busy_detector = BusyDetector()
        return self.depth > 1

    def went_well(self) -> None:
        """Note that a run of requests has ended without a lost connection."""
        self._healing.went_well(1)

    def one_at_a_time(self, *, for_good: bool) -> None:
        """Stop pipelining, `for_good` or until enough runs went well."""
        if not for_good:
            self._healing.give_up("pipelining", partial(self._pipeline, self.depth))
        self.depth = 1
        self.chunks.forget()  # without requests ahead every chunk takes longer

    def _pipeline(self, depth: int) -> None:
        log.info("%d requests are sent ahead again", depth)
        self.depth = depth
        self.chunks.forget()


def tuned(info: DeviceInfo, vendor: Vendor) -> Tuning:
    """Return the settings of a model: as the user measured them, or from the vendor."""
    from ..state import tuning  # it would be a good part of `import ptpfast`

    return tuning.load(info) or vendor.tunings.get(tuning.model_key(info)) or Tuning()
