"""Choices that need the whole card, while it is listed piece by piece.

What a later piece may decide is held back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .pairs import JPEG, RAW, preferred

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from .selection import Selection


class Picker:
    """The picks of one run, as the card is listed."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._seen: dict[int, ObjectInfo] = {}  # all that match, by handle
        self._taken: set[int] = set()
        self._is_needed = selection.counts or selection.prefer != "both"

    @property
    def left_out(self) -> int:
        """How many objects a preferred companion stands for, as far as the card is listed."""
        seen = list(self._seen.values())
        return len(seen) - len(preferred(seen, self._selection.prefer))

    def forget(self, handles: Iterable[int]) -> None:
        """Forget these objects: the camera describes them again."""
        for handle in handles:
            self._seen.pop(handle, None)
            self._taken.discard(handle)

    def take(self, matching: list[ObjectInfo], *, last: bool) -> list[ObjectInfo]:
        """Return the objects that can be taken now.

        Args:
            matching: further objects that match one by one.
            last: whether the whole card is listed.
        """
        if not self._is_needed:
            return matching
        self._seen.update((info.handle, info) for info in matching)
        seen = list(self._seen.values())
        if last:
            ready = self._selection.pick(seen)
        elif self._selection.counts:
            ready = []
        else:
            held = JPEG if self._selection.prefer == "raw" else RAW
            ready = [info for info in matching if info.kind not in held]
        ready = [info for info in ready if info.handle not in self._taken]
        self._taken.update(info.handle for info in ready)
        return self._selection.sort(ready)
