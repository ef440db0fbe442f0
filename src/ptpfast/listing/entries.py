"""What a listing knows of each handle: one entry a handle.

What the index remembers of an object is believed until the camera has been asked, and then known to
have been right or wrong. A table may have shown it before that; when its card turns out to be
another one, it is dropped, doubted, and shown again as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..ptp.errors import PTPError
from ..ptp.objects import Description

Answer = Description | PTPError  # or why there is no description


@dataclass(slots=True)
class Entry:
    """One handle.

    answer: None if nothing is known, or if it was found wrong.
    remembered: the answer is the index's, and has not been compared in this session.
    was_right: whether the index agreed with the camera; None if not compared.
    shown: what a table has shown of it from the index.
    doubted: it was shown, and what was shown may be wrong.
    """

    answer: Answer | None = None
    remembered: bool = False
    was_right: bool | None = None
    shown: Description | None = None
    doubted: bool = False


class Entries:
    """The entries of a listing, by handle."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._answered = 0

    def __len__(self) -> int:
        """How many handles something is known of."""
        return self._answered

    def __contains__(self, handle: int) -> bool:
        """Whether something is known of a handle."""
        return self.answer(handle) is not None

    def answer(self, handle: int) -> Answer | None:
        """Return what is known of a handle; None for nothing."""
        entry = self._entries.get(handle)
        return None if entry is None else entry.answer

    def __getitem__(self, handle: int) -> Answer:
        """Return what is known of a handle. KeyError for nothing."""
        if (answer := self.answer(handle)) is None:
            raise KeyError(handle)
        return answer

    def description(self, handle: int) -> Description | None:
        """Return the description of a handle, if there is one."""
        answer = self.answer(handle)
        return None if isinstance(answer, PTPError) else answer

    def answers(self) -> dict[int, Answer]:
        """Return all that is known."""
        return {
            handle: entry.answer
            for handle, entry in self._entries.items()
            if entry.answer is not None
        }

    def put(self, handle: int, answer: Answer) -> None:
        """Take what the camera says now; what was remembered of it is compared."""
        entry = self._entries.setdefault(handle, Entry())
        if entry.remembered and isinstance(answer, Description):
            entry.was_right = self.agrees(handle, answer)
        self._answered += entry.answer is None
        entry.answer = answer
        entry.remembered = False

    def remember(self, descriptions: Mapping[int, Description]) -> None:
        """Take what the index says."""
        for handle, description in descriptions.items():
            self.put(handle, description)
            self._entries[handle].remembered = True

    def drop(self, handle: int) -> None:
        """Forget all about a handle."""
        entry = self._entries.pop(handle, Entry())
        self._answered -= entry.answer is not None

    def distrust(self, handles: Iterable[int]) -> None:
        """Believe nothing of these that is only remembered."""
        for handle in self.remembered(handles):
            entry = self._entries[handle]
            entry.answer, entry.remembered = None, False
            entry.doubted = entry.shown is not None
            self._answered -= 1

    def is_remembered(self, handle: int) -> bool:
        """Return whether what is known is the index's, and was not compared."""
        entry = self._entries.get(handle)
        return entry is not None and entry.remembered

    def remembered(self, handles: Iterable[int]) -> list[int]:
        """Return those of which that is so."""
        return [handle for handle in handles if self.is_remembered(handle)]

    def were(self, handles: Iterable[int]) -> set[bool | None]:
        """Return whether the index was right about these: all the answers that there are."""
        return {self._entries[handle].was_right for handle in handles if handle in self._entries}

    def show(self, handles: Iterable[int]) -> None:
        """Note that a table shows these, as far as they are remembered."""
        for handle in self.remembered(handles):
            self._entries[handle].shown = self.description(handle)

    def doubted(self) -> Iterator[tuple[int, Description]]:
        """Yield the handles that were shown and are no longer believed, with what was shown."""
        for handle, entry in self._entries.items():
            if entry.doubted and entry.shown is not None:
                yield handle, entry.shown

    def settle(self, handle: int) -> None:
        """Note that a table shows a doubted one as it is."""
        self._entries[handle].doubted = False

    def agrees(self, handle: int, other: Description) -> bool | None:
        """Return whether what is known of a handle is the same; None where that cannot be told."""
        known = self.description(handle)
        return None if known is None else known.agrees_with(other)
