"""How much to ask for at a time: the adaptive chunk of a camera.

PTP runs one transaction at a time, so every chunk costs a round trip; but large partial reads make
some firmware slow down or crash. So: start small, double while the rate rises and nothing stalls,
never above the vendor's cap; halve and stay after a stall or an error.
"""

from __future__ import annotations

START_CHUNK = 1 << 20  # what libgphoto2 and airmtp use throughout
SMALLEST_CHUNK = 1 << 16
# A larger chunk must be at least this much faster to be worth its risk.
WORTH_GROWING = 1.05


class ChunkPolicy:
    """The chunk size of one camera, learned over the objects of a session.

    cap: the largest ever (bytes). fixed: always this much instead. Call `next_size()` before a
    read, `done(size, seconds)` after it, `failed()` when it stalled or was refused.
    """

    def __init__(self, cap: int, *, fixed: int | None = None) -> None:
        self.cap = max(cap, SMALLEST_CHUNK)
        self.fixed = fixed
        self.chunk = min(START_CHUNK, self.cap)
        self._settled = False
        self._best = 0.0  # bytes per second at the size before
        self._rates: list[float] = []

    def next_size(self) -> int:
        """Bytes to ask for."""
        return self.fixed or self.chunk

    def done(self, size: int, seconds: float) -> None:
        """A full chunk of `size` bytes took `seconds`."""
        if self.fixed or self._settled or size < self.chunk:
            return
        self._rates.append(size / max(seconds, 1e-6))
        if len(self._rates) < 2:  # one sample may be a hiccup, the better of two rarely is
            return
        rate = max(self._rates)
        self._rates.clear()
        if rate < self._best * WORTH_GROWING:
            self._settled = True
            # Not faster: what was before was enough, and safer.
            self.chunk = max(self.chunk // 2, min(START_CHUNK, self.cap))
            return
        self._best = rate
        if self.chunk >= self.cap:
            self._settled = True
        else:
            self.chunk = min(2 * self.chunk, self.cap)

    def failed(self) -> None:
        """A read stalled or was refused: half as much from now on."""
        self.chunk = max(self.chunk // 2, SMALLEST_CHUNK)
        self._settled = True
