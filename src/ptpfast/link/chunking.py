"""The adaptive chunk size of a camera.

Every chunk costs a round trip and the camera's start-up time. But large partial reads make some
firmware slow down or crash. So the size starts small, and grows while too much of the time is
waiting, until a chunk takes about two seconds. The share of waiting decides, not the rate: a
radio's rate varies by more than a doubling gains. If the larger size is clearly slower, the size
goes back and stays. Where chunks take milliseconds, many can be compared, and a little slower
is enough: on very fast links large chunks fill the socket's buffer beyond the processor's cache.
After a stall or a failure the size is halved, and so it is while a chunk takes longer than five
seconds. When much has arrived after that without another one, larger sizes are tried again
(`healing`). It never exceeds the vendor's limit, nor reaches a size that the camera refused.

An object is cut into equal pieces of one to two chunks: a small rest would cost a round trip more.

A stall is a silence within a read that is long, and far longer than usual for this camera. A short
silence may be the radio's and says nothing about the size. A long one may be, too, and no size
helps against it. So stalls, unlike failures, never push the size below half of the first one.
"""

from __future__ import annotations

import logging
from collections import deque

from .healing import Healing

log: logging.Logger = logging.getLogger("ptpfast")

START_CHUNK = 1 << 20  # the fixed size of libgphoto2 and airmtp
SMALLEST_CHUNK = 1 << 16
WORTH_GROWING = 0.01  # of the time was spent waiting for the first byte
WORTH_QUADRUPLING = 0.04
SURELY_WORTH = 0.15  # so much that one chunk is proof enough
SLOWER = 0.8  # of the rate before: then larger chunks do harm
QUICK_S = 0.02  # chunks that take no longer are compared by the median of several
QUICK_SAMPLES = 6
QUICK_SLOWER = 0.97  # of their median rate before
QUICK_WAITS = 0.08  # only where the time that larger ones could save is no more than this
LONG_ENOUGH_S = 2.0  # no chunk takes longer: what it waits is a small part of that
TOO_LONG_S = 5.0  # the link has become slower: less is lost, and told sooner, with smaller ones
# A radio that is away for half a second is heard again when TCP next tries, after up to twice that
# time and more: 1.4 s as a rule. No data arrives before that.
STALL_S = 2.0
UNUSUAL = 5  # times the usual silence: a card may be slow to begin, and the more so with more of it
SMALLEST_STALLED = START_CHUNK // 2
REMEMBERED = 15  # reads whose silences are known
HEALED = 256 << 20  # bytes without a failure, after which larger sizes are tried again


class ChunkPolicy:
    """The chunk size of one camera, learned over the objects of a session.

    Before a read call `next_size(left)`, after it `paused(waited, silence)` and
    `done(size, seconds, waited)`. Call `refuse(size)` if the camera refused the size, `failed()` if
    the read broke off, and `stalled(why)` if almost no bytes came any longer.

    Attributes:
        cap: The largest size.
        start: The first size.
        fixed: Use this size always; 0: whole objects of up to `most_whole` bytes (None: of any
            size), and adaptive chunks for larger ones.
        refused: The smallest size that the camera refused; 0 if none.
    """

    def __init__(
        self,
        cap: int,
        *,
        start: int = START_CHUNK,
        fixed: int | None = None,
        most_whole: int | None = None,
    ) -> None:
        self.cap: int = max(cap, SMALLEST_CHUNK)
        self.fixed = fixed
        self._most_whole = most_whole
        self.chunk: int = max(min(start, self.cap), SMALLEST_CHUNK)
        self.refused: int = 0
        self.is_known: bool = False  # by reads of this session
        self._before_refusals: tuple[int, int, int] | None = None
        self._largest = 0  # size that the camera has read
        self._settled = False
        self._before = 0.0  # bytes per second at the size before
        self._smaller = 0  # that size
        self._slower = SLOWER  # the share of it that is clearly slower
        self._samples: list[tuple[float, float]] = []  # rate, share of waiting
        self._silences: deque[float] = deque(maxlen=REMEMBERED)  # seconds, of each read
        self._healing = Healing(HEALED)

    @property
    def size(self) -> int:
        """The present size of a chunk."""
        return self.fixed or self.chunk

    def next_size(self, left: int) -> int:
        """Return the number of bytes to request when `left` remain of an object."""
        size = self.size
        if self.fixed or left < 2 * size:
            longest = size if self.fixed else min(2 * size, self.cap)
            return left if left <= longest else size
        even = left // (left // size)
        aligned = -(-even // SMALLEST_CHUNK) * SMALLEST_CHUNK
        return aligned if aligned <= self.cap else size

    def is_whole(self, size: int | None) -> bool:
        """Return whether to read an object of that size (None: unknown) whole."""
        return self.fixed == 0 and (self._most_whole is None or (size or 0) <= self._most_whole)

    def whole_paused(self, silence: float, size: int) -> None:
        """Note the longest silence (seconds) within a whole object of so many bytes."""
        if silence >= STALL_S:
            self.whole_failed(f"nothing came for {silence:.1f} s in one")
        elif self.fixed == 0:
            self._healing.went_well(size)

    def whole_failed(self, why: str = "one broke off") -> None:
        """Stop reading whole objects for a while; the rest of this one is read in chunks."""
        if self.fixed == 0:
            log.warning("objects are read in chunks instead of whole: %s", why)
            self.fixed = None
            self._healing.give_up("whole objects", self._use_whole)

    def _use_whole(self) -> None:
        log.info("whole objects are read again")
        self.fixed = 0

    def done(self, size: int, seconds: float, waited: float) -> None:
        """Note that `size` bytes took `seconds`, of them `waited` until the first byte."""
        self._before_refusals = None  # this size was not refused
        self._largest = max(self._largest, size)
        self._healing.went_well(size)
        if self.fixed or self._settled or size < self.chunk:
            return
        self.is_known = True
        seconds = max(seconds, 1e-6)
        share = waited / seconds
        self._samples.append((size / seconds, share))
        # One sample may be a hiccup; the better of two rarely is.
        quick = seconds < QUICK_S and share < SURELY_WORTH
        if len(self._samples) < (QUICK_SAMPLES if quick else 2) and share < SURELY_WORTH:
            return
        rates = sorted(rate for rate, _ in self._samples)
        rate = rates[len(rates) // 2] if quick else rates[-1]
        share = min(share for _, share in self._samples)
        self._samples.clear()
        if rate < self._slower * self._before:
            self._settle(f"{rate / 1e6:.1f} MB/s after {self._before / 1e6:.1f}", self._smaller)
        elif self.chunk > START_CHUNK and self.chunk > rate * TOO_LONG_S:
            self._change(max(self.chunk // 2, START_CHUNK), "one takes too long")
        elif larger := self._larger(rate, share, quick=quick):
            self._before, self._smaller = rate, self.chunk
            self._slower = QUICK_SLOWER if quick and share < QUICK_WAITS else SLOWER
            self._change(larger, f"{share:.0%} of the time was waiting")
        else:
            self._before = 0.0  # from here on the radio decides, not the size

    def _larger(self, rate: float, share: float, *, quick: bool) -> int:
        """Return the size to try next; 0 if the present one is large enough."""
        if share <= WORTH_GROWING or self.chunk >= self.cap:
            return 0
        steps = (4, 2) if share > WORTH_QUADRUPLING and not quick else (2,)
        sizes = (min(step * self.chunk, self.cap) for step in steps)
        return next((size for size in sizes if size <= rate * LONG_ENOUGH_S), 0)

    def paused(self, waited: float | None, silence: float) -> None:
        """Note the silences of a read, in seconds.

        The very first wait does not count, because the card may have been asleep.

        Args:
            waited: until its first byte; None: unknown.
            silence: the longest one after that.
        """
        known = sorted(self._silences)
        usual = known[len(known) // 2] if known else 0.0  # the upper median
        longest = max(silence, (waited or 0.0) if known else 0.0)
        if waited is not None:
            self._silences.append(max(silence, waited))
        if longest >= STALL_S and longest > UNUSUAL * usual:
            self.stalled(f"nothing came for {longest:.1f} s, usually {usual:.2f}")

    def stalled(self, why: str) -> None:
        """Note a long silence: halve the chunk, down to a minimum."""
        self._halve(why, SMALLEST_STALLED)

    def forget(self) -> None:
        """Forget the measured rates, because something other than the size has changed them.

        Examples: a busy camera, or the fallback to one request at a time.
        """
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
        smaller = max(size // 2, SMALLEST_CHUNK)
        # Of the end of an object the size is not the reason where larger reads have worked.
        if size >= self.chunk or size > self._largest:
            self.refused, self.cap = size, smaller
        self.forget()  # smaller ones are slower, which is no reason to stay there
        self._change(smaller, "the camera refused the size")
        return True

    def failed(self) -> None:
        """Note that a read broke off: halve the chunk."""
        self._halve("a read failed", SMALLEST_CHUNK)

    def _halve(self, why: str, smallest: int) -> None:
        if not self.fixed:
            self._healing.give_up("larger chunks", self._unsettle)
        self._settle(why, max(self.chunk // 2, min(smallest, self.chunk)))

    def _settle(self, why: str, chunk: int) -> None:
        if self.fixed:
            return
        self._settled = True
        self._samples.clear()
        self._change(chunk, why)

    def _unsettle(self) -> None:
        self._settled = False
        self.forget()

    def _change(self, chunk: int, why: str) -> None:
        if chunk != self.chunk:
            log.info("chunks of %d KiB instead of %d: %s", chunk >> 10, self.chunk >> 10, why)
            self.chunk = chunk
