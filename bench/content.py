"""What is in the objects of the benchmarks' camera, and whether that is what arrived.

The same function as in peers/common.h: byte `offset` of object `handle` is
`table[(offset + handle * STRIDE) % PERIOD]`. PERIOD is a prime, so no slip by a packet or a chunk
maps the content onto itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PERIOD = 262147
STRIDE = 7919
BLOCK = 16 * PERIOD  # compared at a time: 4 MiB


def _table() -> NDArray[np.uint8]:
    x = np.arange(PERIOD, dtype=np.uint32) * np.uint32(2654435761)
    x ^= x >> np.uint32(15)
    x *= np.uint32(2246822519)
    x ^= x >> np.uint32(13)
    return np.tile(x.astype(np.uint8), BLOCK // PERIOD + 1)


_TABLE = _table()


class WrongContent(Exception):
    """Bytes are missing, too many, or not those of the object: no time of that run counts."""


def expected(handle: int, offset: int, size: int) -> NDArray[np.uint8]:
    """Bytes [offset, offset + size) of an object; at most BLOCK."""
    start = (offset + handle * STRIDE) % PERIOD
    return _TABLE[start : start + size]


def check_buffer(handle: int, buffer: NDArray[np.uint8], offset: int = 0) -> None:
    """Raises WrongContent unless `buffer` is what the object has at `offset`."""
    for at in range(0, buffer.size, BLOCK):
        part = buffer[at : at + BLOCK]
        if not np.array_equal(part, expected(handle, offset + at, part.size)):
            raise WrongContent(f"object {handle} differs at or after byte {offset + at:,}")


def check_file(handle: int, path: Path, size: int) -> None:
    """Raises WrongContent unless the file holds the object, all of it and nothing else."""
    if (length := path.stat().st_size) != size:
        raise WrongContent(f"{path.name} has {length:,} bytes, the object {size:,}")
    block = np.empty(BLOCK, np.uint8)
    with path.open("rb", buffering=0) as file:
        at = 0
        while got := file.readinto(block.data):
            check_buffer(handle, block[:got], at)
            at += got
