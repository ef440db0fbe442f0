"""The camera's own reading of its card: an object's bytes that are there only after a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .content import Content


class SlowContent:
    """Content that is read at `rate` bytes a second, `block` bytes (None: the whole range) before
    any of them is handed out. `wait(seconds)` is how time passes."""

    def __init__(
        self, content: Content, rate: float, block: int | None, wait: Callable[[float], None]
    ) -> None:
        self.size = content.size
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
