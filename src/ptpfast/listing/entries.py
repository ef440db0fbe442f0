"""The entries of a listing, one for each handle.

A description from the index is trusted until the camera has been asked. Then it is known to be
right or wrong. A table may have shown it before. If its card turns out to be another one, the
description is dropped and the object is shown again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..ptp.errors import PTPError
from ..ptp.objects import Description

Answer = Description | PTPError  # or why there is no description


@dataclass(slots=True)
class Entry:
    """The entry of one handle.

    Attributes:
        answer: None if nothing is known, or if it was found wrong.
        remembered: The answer is the index's, and was not compared in this session.
        was_right: Whether the index agreed with the camera; None if not compared.
        shown: The answer from the index that a table has shown.
        connection: The token of the connection that brought the answer; 0 if unknown.
    """

    answer: Answer | None = None
    remembered: bool = False
    was_right: bool | None = None
    shown: Description | None = None
    connection: int = 0


class Entries:
    """The entries of a listing, by handle."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._answered = 0
        # Handles that were shown, and may be wrong. Asked for at each file: never all entries.
        self._doubted: dict[int, None] = {}

    def __len__(self) -> int:
        """Return the number of known handles."""
        return self._answered

    def __contains__(self, handle: int) -> bool:
        """Return whether a handle is known."""
        return self.answer(handle) is not None

    def answer(self, handle: int) -> Answer | None:
        """Return the answer for a handle; None if there is none."""
        entry = self._entries.get(handle)
        return None if entry is None else entry.answer

    def __getitem__(self, handle: int) -> Answer:
        """Return the answer for a handle. Raises KeyError if there is none."""
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

    def put(self, handle: int, answer: Answer, connection: int = 0) -> None:
        """Store the camera's answer, and compare it with the remembered one."""
        entry = self._entries.setdefault(handle, Entry())
        if entry.remembered and isinstance(answer, Description):
            entry.was_right = self.agrees(handle, answer)
        self._answered += entry.answer is None
        entry.answer = answer
        entry.remembered = False
        entry.connection = connection

    def remember(self, descriptions: Mapping[int, Description]) -> None:
        """Store an answer from the index."""
        for handle, description in descriptions.items():
            self.put(handle, description)
            self._entries[handle].remembered = True

    def drop(self, handle: int) -> None:
        """Forget all about a handle."""
        self._doubted.pop(handle, None)
        entry = self._entries.pop(handle, Entry())
        self._answered -= entry.answer is not None

    def distrust(self, handles: Iterable[int]) -> None:
        """Drop the answers of these handles that are only remembered."""
        for handle in self.remembered(handles):
            entry = self._entries[handle]
            entry.answer, entry.remembered = None, False
            if entry.shown is not None:
                self._doubted[handle] = None
            self._answered -= 1

    def is_remembered(self, handle: int) -> bool:
        """Return whether the answer is the index's and was not compared."""
        entry = self._entries.get(handle)
        return entry is not None and entry.remembered

    def connection(self, handle: int) -> int:
        """Return the token of the connection that brought the answer; 0 if unknown."""
        entry = self._entries.get(handle)
        return 0 if entry is None else entry.connection

    def remembered(self, handles: Iterable[int]) -> list[int]:
        """Return the handles whose answer is only remembered."""
        return [handle for handle in handles if self.is_remembered(handle)]

    def were(self, handles: Iterable[int]) -> set[bool | None]:
        """Return whether the index was right about these."""
        return {self._entries[handle].was_right for handle in handles if handle in self._entries}

    def show(self, handles: Iterable[int]) -> None:
        """Note that a table shows the remembered answers of these."""
        for handle in self.remembered(handles):
            self._entries[handle].shown = self.description(handle)

    def doubted(self) -> Iterator[tuple[int, Description]]:
        """Yield each handle that was shown and is doubted, with the shown answer."""
        for handle in self._doubted:
            shown = self._entries[handle].shown
            assert shown is not None
            yield handle, shown

    def settle(self, handle: int) -> None:
        """Note that a table shows the right answer of a doubted handle."""
        self._doubted.pop(handle, None)

    def agrees(self, handle: int, other: Description) -> bool | None:
        """Return whether an answer equals the known one; None if there is nothing to compare."""
        known = self.description(handle)
        return None if known is None else known.agrees_with(other)
