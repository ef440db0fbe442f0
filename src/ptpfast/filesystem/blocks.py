"""The blocks of an open file: which to request, and which to keep.

A first or a random read asks for a small block, as programs that look into a header do. Each block
that continues the one before is four times as large, up to the chunk size that the session has
learned. From the second one on, the next blocks are requested ahead, so that the camera works while
the caller does.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from fsspec.caching import BaseCache

from ..engine.buffers import renewed

FIRST_BLOCK = 256 << 10
LARGEST_BLOCK = 8 << 20
GROWTH = 4
AHEAD = 2  # blocks that are requested and not read yet
# Bytes of all blocks of a file: the one that is being read, those ahead, and small ones of headers.
KEPT = (1 + AHEAD) * LARGEST_BLOCK + (2 << 20)
MOST_BLOCKS = 32  # of a file; they are searched one by one

Request = Callable[[int, int, bytearray], Future[Any]]


class _Block:
    __slots__ = ("end", "future", "start", "used")

    def __init__(self, start: int, end: int, future: Future[Any]) -> None:
        self.start = start
        self.end = end
        self.future = future
        self.used = False


class Blocks(BaseCache):  # type: ignore[misc]
    """The cache of a file. Not thread-safe, like the file.

    `request(start, size, memory)` asks for bytes. `largest()` is the largest block now; `fixed`
    replaces all sizes.
    """

    name = "ptpip"

    def __init__(
        self, request: Request, largest: Callable[[], int], size: int, fixed: int | None = None
    ) -> None:
        super().__init__(fixed or LARGEST_BLOCK, None, size)
        self._request = request
        self._largest = largest
        self._fixed = fixed
        self._blocks: list[_Block] = []  # the one that was used last is the last
        # Memory of blocks that were forgotten: new memory costs the system more than the copying.
        self._free: list[bytearray] = []
        self._end = -1  # of the blocks in a row that were requested last
        self._block_size = 0  # of the last of them
        self._row = 0  # how many they are

    def _fetch(self, start: int | None, stop: int | None) -> bytes:
        start = 0 if start is None else start
        stop = self.size if stop is None else min(stop, self.size)
        parts = []
        while start < stop:
            block = self._at(start, stop)
            part = memoryview(block.future.result())[start - block.start : stop - block.start]
            start += len(part)
            parts.append(part)
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    def read_into(self, start: int, buffer: Any) -> int:
        """Copy the bytes from `start` on into a buffer; return how many there are."""
        with memoryview(buffer).cast("B") as into:
            stop = min(start + len(into), self.size)
            done = 0
            while start < stop:
                block = self._at(start, stop)
                part = memoryview(block.future.result())[start - block.start : stop - block.start]
                into[done : done + len(part)] = part
                done += len(part)
                start += len(part)
            return done

    def close(self) -> None:
        """Request no more, and forget all blocks."""
        for block in self._blocks:
            block.future.cancel()
        self.forget()

    def forget(self) -> None:
        """Forget all blocks, without a look at them."""
        self._blocks.clear()
        self._free.clear()
        self._end, self._block_size, self._row = -1, 0, 0

    def _at(self, start: int, stop: int) -> _Block:
        """Return the block with the byte at `start`, complete; a read goes on to `stop`."""
        block = next((each for each in self._blocks if each.start <= start < each.end), None)
        if block is None:
            self.miss_count += 1
            if start != self._end:
                self._begin_row(start)
            block = self._ask(stop - start)
        else:
            self.hit_count += 1
            self._blocks.remove(block)
            self._blocks.append(block)
        block.used = True
        while self._row > 1 and self._ahead_of(block) < AHEAD and self._end < self.size:
            self._ask(0)
        try:
            block.future.result()
        except CancelledError:  # the session has been closed: with another one
            self._drop(block)
            return self._at(start, stop)
        except BaseException:
            self._drop(block)  # asked for again by the next read
            raise
        return block

    def _begin_row(self, start: int) -> None:
        """Begin at another place: what was requested ahead is not needed any more."""
        for block in [each for each in self._blocks if each.future.cancel()]:
            self._blocks.remove(block)
        self._end, self._block_size, self._row = start, 0, 0

    def _ahead_of(self, block: _Block) -> int:
        return sum(block.end <= each.start < self._end for each in self._blocks)

    def _ask(self, wanted: int) -> _Block:
        """Request the block that continues the row, and make room for it."""
        largest = max(self._largest(), 1)
        size = self._fixed or min(max(FIRST_BLOCK, GROWTH * self._block_size, wanted), largest)
        start, end = self._end, min(self._end + size, self.size)
        self._make_room(end - start)
        block = _Block(start, end, self._request(start, end - start, self._memory(end - start)))
        self.total_requested_bytes += end - start
        self._blocks.append(block)
        self._end, self._block_size = end, size
        self._row += 1
        return block

    def _make_room(self, size: int) -> None:
        """Forget blocks that have been read, but for the last one: the oldest first, and small ones
        last, as headers are read again."""
        total = size + sum(each.end - each.start for each in self._blocks)
        read = [each for each in self._blocks if each.used][:-1]
        for each in sorted(read, key=lambda block: block.end - block.start <= FIRST_BLOCK):
            if total <= KEPT and len(self._blocks) < MOST_BLOCKS:
                return
            self._blocks.remove(each)
            self._free = [each.future.result(), *self._free[:AHEAD]]
            total -= each.end - each.start

    def _memory(self, size: int) -> bytearray:
        """Return memory for a block; no memory of which a reader still has a view."""
        for memory in self._free:
            if len(memory) == size:
                self._free.remove(memory)
                return renewed(memory)
        return bytearray(size)

    def _drop(self, block: _Block) -> None:
        self.close()
        self._begin_row(block.start)
