"""What a session has learnt of its camera: how it reads best, and what it does not cope with."""

from __future__ import annotations

from ..engine.phase import Phase
from ..ptp.errors import DeviceBusy, PTPError
from .chunking import ChunkPolicy
from .pace import Pace
from .pipelining import BusyDetector


class Habits:
    """How to ask this camera.

    depth: how many requests may be outstanding; 1 unless the camera is known to pipeline.
    pipelined: transactions that succeeded with others outstanding. chunks: the size of partial
    reads. pace: how fast bytes arrive. refused: operations that are listed but refused.
    proven: partial reads that have worked. lost_at_end: connections lost by a read behind an
    object's end, by operation. is_brief: wait only shortly for a busy camera. remembers: keep for
    its model what the camera cannot handle.
    """

    def __init__(self, chunks: ChunkPolicy, depth: int) -> None:
        self.chunks = chunks
        self.depth = depth
        self.pipelined = 0
        self.pace = Pace()
        self.refused: set[int] = set()
        self.proven: set[int] = set()
        self.lost_at_end: dict[int, int] = {}
        self.is_brief = False
        self.remembers = True
        self._busy_detector = BusyDetector()

    def depth_now(self) -> int:
        """How many requests may be outstanding at the moment: one while it is in doubt whether the
        camera is busy with what is sent ahead."""
        return 1 if self._busy_detector.is_open else self.depth

    def learn(self, operation: int, phase: Phase, error: PTPError | None) -> bool:
        """From each answer: True when the camera turns out to be busy with what is sent ahead."""
        busy = isinstance(error, DeviceBusy)
        if not self._busy_detector.answered(operation, early=phase.early, busy=busy):
            return False
        self._busy_detector = BusyDetector()
        return self.depth > 1

    def one_at_a_time(self) -> None:
        """Stop pipelining."""
        self.depth = 1
        self.chunks.forget()  # without requests ahead every chunk takes longer
