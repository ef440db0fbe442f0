"""The camera's own delays, behind the link: a pause before each operation, and a slow card."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from .content import Content
from .link import Link


class Pace:
    """The delays of a camera with this link; up to `jitter_s` is added to each pause."""

    def __init__(self, link: Link, jitter_s: float, seed: int | str) -> None:
        self.link = link
        self._jitter_s = jitter_s
        self._random = random.Random(str(seed))

    def pause(self) -> float:
        """Return the delay of the current operation, in seconds."""
        return self.link.operation + self._random.random() * self._jitter_s

    def from_card(self, content: Content, wait: Callable[[float], None]) -> Content:
        """Return the content as the card delivers it; `wait(seconds)` lets time pass."""
        if self.link.card is None:
            return content
        return SlowContent(content, self.link.card, self.link.card_block, wait)


class SlowContent:
    """Content that is read at `rate` bytes a second.

    `block` bytes (None: the whole range) are read before any of them is sent. `wait(seconds)` lets
    time pass.
    """

    def __init__(
        self, content: Content, rate: float, block: int | None, wait: Callable[[float], None]
    ) -> None:
        self.size: int = content.size
        self._content = content
        self._rate = rate
        self._block = block
        self._wait = wait

    def spans(self, offset: int, size: int) -> Iterator[memoryview]:
        block = self._block or max(1, size)
        for start in range(offset, offset + size, block):
            piece = min(block, offset + size - start)
            self._wait(piece / self._rate)
            yield from self._content.spans(start, piece)
