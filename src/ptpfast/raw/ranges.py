"""Ranges of a file that is far away: few, large reads, and never one beyond the file."""

from __future__ import annotations

from collections.abc import Callable

# read(offset, size) → that many bytes, or fewer at the end of the file.
Read = Callable[[int, int], bytes]
BLOCK = 1 << 16
MOST_BLOCKS = 64  # 4 MiB: no header is larger


class TooMuch(Exception):
    """The header leads to more places than any real one."""


class Ranges:
    """A file that is read in blocks, each of them once.

    Attributes:
        size: bytes of the file.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self.size = size
        self._blocks: dict[int, bytes] = {}

    def at(self, offset: int, size: int) -> bytes:
        """Return bytes [offset, offset + size), fewer where the file ends.

        Args:
            offset: first byte.
            size: number of bytes, up to `BLOCK`.

        Raises:
            TooMuch: more than `MOST_BLOCKS` blocks would be read.
        """
        end = min(offset + min(size, BLOCK), self.size)
        if not 0 <= offset < end:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        whole = b"".join(self._block(number) for number in range(first, last + 1))
        return whole[offset - first * BLOCK : end - first * BLOCK]

    def _block(self, number: int) -> bytes:
        if (block := self._blocks.get(number)) is None:
            if len(self._blocks) >= MOST_BLOCKS:
                raise TooMuch
            start = number * BLOCK
            block = self._read(start, min(BLOCK, self.size - start))
            self._blocks[number] = block
        return block
