"""How much to ask for at a time: the adaptive chunk of a camera.

Every chunk costs a wait, for the round trip and for the camera to begin; but large partial reads
make some firmware slow down or crash. So: start small, and double while too much of the time goes
by waiting, until one takes about a quarter of a second. What counts is that share and not the rate:
a rate over radio swings by more than a doubling gains. Back and no further if twice as much is
clearly slower; half and no further after a stall or a failure; smaller where one takes seconds;
never above the vendor's cap, nor as much as the camera has refused.

A stall is a silence in a read that is long in itself and far above what this camera's reads usually
have in them: longer than a radio's hiccup, which says nothing of the size. What a radio does can
still be so long, and no size helps against it: so stalls, unlike failures, never make chunks
smaller than half of what every camera is asked for to begin with.
"""

from __future__ import annotations

import logging
from collections import deque

log = logging.getLogger("ptpfast")

START_CHUNK = 1 << 20  # what libgphoto2 and airmtp use throughout
SMALLEST_CHUNK = 1 << 16
WORTH_GROWING = 0.02  # of the time was spent waiting for the first byte
SURELY_WORTH = 0.15  # so much that one chunk is proof enough
SLOWER = 0.8  # of the rate before: then larger chunks do harm
LONG_ENOUGH_S = 0.33  # no chunk takes longer: what it waits is a small part of that
TOO_LONG_S = 1.5  # the link has become slower: less is lost, and told sooner, with smaller ones
# A radio that is away for half a second is heard again when TCP next tries, after up to twice that
# time and more: 1.4 s as a rule. No data arrives before that.
STALL_S = 2.0
UNUSUAL = 5  # times the usual silence: a card may be slow to begin, and the more so with more of it
SMALLEST_STALLED = START_CHUNK // 2
REMEMBERED = 15  # reads whose silences are known


class ChunkPolicy:
    """The chunk size of one camera, learned over the objects of a session.

    cap: the largest ever (bytes). start: the first one. fixed: always this much instead; 0: whole
    objects of up to `most_whole` bytes (None: of any size), larger ones in adaptive chunks.
    refused: the smallest size that the camera refused, 0 if none. Call `next_size()` before a read,
    `paused(waited, silence)` and `done(size, seconds, waited)` after it, `refuse(size)` when the
    camera refused it, `failed()` when it broke off, `stalled(why)` when its bytes nearly ceased.
    """

    def __init__(
        self,
        cap: int,
        *,
        start: int = START_CHUNK,
        fixed: int | None = None,
        most_whole: int | None = None,
    ) -> None:
        self.cap = max(cap, SMALLEST_CHUNK)
        self.fixed = fixed
        self._most_whole = most_whole
        self.chunk = max(min(start, self.cap), SMALLEST_CHUNK)
        self.refused = 0
        self.is_known = False  # by reads of this session
        self._before_refusals: tuple[int, int, int] | None = None
        self._settled = False
        self._before = 0.0  # bytes per second at the size before
        self._samples: list[tuple[float, float]] = []  # rate, share of waiting
        self._silences: deque[float] = deque(maxlen=REMEMBERED)  # seconds, of each read

    def next_size(self) -> int:
        """Bytes to ask for."""
        return self.fixed or self.chunk

    def is_whole(self, size: int | None) -> bool:
        """Return whether to read an object of that size (None: unknown) whole."""
        return self.fixed == 0 and (self._most_whole is None or (size or 0) <= self._most_whole)

    def whole_paused(self, silence: float) -> None:
        """Note the longest silence (seconds) within a whole object."""
        if silence >= STALL_S:
            self.whole_failed(f"nothing came for {silence:.1f} s in one")

    def whole_failed(self, why: str = "one broke off") -> None:
        """No more whole objects; what is left of one comes in parts."""
        if self.fixed == 0:
            log.warning("whole objects are no longer used: %s", why)
            self.fixed = None

    def done(self, size: int, seconds: float, waited: float) -> None:
        """Note that `size` bytes took `seconds`, of them `waited` until the first byte."""
        self._before_refusals = None  # this size was not refused
        if self.fixed or self._settled or size < self.chunk:
            return
        self.is_known = True
        seconds = max(seconds, 1e-6)
        share = waited / seconds
        self._samples.append((size / seconds, share))
        # One sample may be a hiccup; the better of two rarely is.
        if len(self._samples) < 2 and share < SURELY_WORTH:
            return
        rate = max(rate for rate, _ in self._samples)
        share = min(share for _, share in self._samples)
        self._samples.clear()
        if rate < SLOWER * self._before:
            self._settle(f"{rate / 1e6:.1f} MB/s after {self._before / 1e6:.1f}")
        elif self.chunk > START_CHUNK and self.chunk > rate * TOO_LONG_S:
            self._change(max(self.chunk // 2, START_CHUNK), "one takes too long")
        elif (
            share > WORTH_GROWING
            and self.chunk < self.cap
            and 2 * self.chunk <= rate * LONG_ENOUGH_S
        ):
            self._before = rate
            self._change(min(2 * self.chunk, self.cap), f"{share:.0%} of the time was waiting")
        else:
            self._before = 0.0  # what comes now is the radio's doing, not this size's

    def paused(self, waited: float | None, silence: float) -> None:
        """In a read nothing came for `waited` seconds before its first byte (None: unknown),
        and for at most `silence` later. The first wait of all does not count: the card may have
        slept."""
        known = sorted(self._silences)
        usual = known[len(known) // 2] if known else 0.0  # the upper median
        longest = max(silence, (waited or 0.0) if known else 0.0)
        if waited is not None:
            self._silences.append(max(silence, waited))
        if longest >= STALL_S and longest > UNUSUAL * usual:
            self.stalled(f"nothing came for {longest:.1f} s, usually {usual:.2f}")

    def stalled(self, why: str) -> None:
        """Bytes ceased to come for long: half as much from now on, but not ever less."""
        self._settle(why, SMALLEST_STALLED)

    def forget(self) -> None:
        """Something else than the size has changed what a read takes, as does a busy camera, or one
        that is asked one at a time from now on: what comes is not slower by its size."""
        self._before = 0.0
        self._samples.clear()

    def refuse(self, size: int) -> bool:
        """Note that the camera refused to read `size` bytes at a time.

        Returns:
            Whether to ask again for less. False also where all sizes are refused: then the size is
            not the reason, and the chunk is as before.
        """
        if self.fixed:
            return False
        if self._before_refusals is None:
            self._before_refusals = self.chunk, self.cap, self.refused
        if size <= SMALLEST_CHUNK:
            self.chunk, self.cap, self.refused = self._before_refusals
            return False
        self.refused = size
        self.cap = max(size // 2, SMALLEST_CHUNK)
        self._change(self.cap, "the camera refused the size")
        return True

    def failed(self) -> None:
        """Note that a read broke off: halve the chunk."""
        self._settle("a read failed")

    def _settle(self, why: str, smallest: int = SMALLEST_CHUNK) -> None:
        if self.fixed:
            return
        self._settled = True
        self._samples.clear()
        self._change(max(self.chunk // 2, min(smallest, self.chunk)), why)

    def _change(self, chunk: int, why: str) -> None:
        if chunk != self.chunk:
            log.info("chunks of %d KiB instead of %d: %s", chunk >> 10, self.chunk >> 10, why)
            self.chunk = chunk
