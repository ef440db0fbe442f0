"""The bytes that a session must have received: those of the simulated camera's objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from ptpfast.sim import Store
from ptpfast.vendors.sony.catalogue import Handles
from ptpfast.vendors.sony.codes import SHOT_BUFFER

from .cameras import CARD_SEED

CHOSEN = 1  # the handle that a body has for each of the pictures that its owner has chosen
# What the handles of a session are: the camera's own, those of the files of a content list, of the
# pictures in a camera's memory that were seen, or the turns of pictures that come in a row.
SPACES = ("camera", "contents", "memory", "turns")


@dataclass
class Told:
    """What the responder tells at the end of a session.

    Attributes:
        done: What was done to the packets, in words.
        risky: The handles whose bytes may be wrong, as the camera was asked for them.
        vague: Whether a list that gives the objects their ids was changed.
        taken: The pictures that were taken: handle, size, path.
        defects: How often the simulated camera itself has failed.
    """

    done: list[str] = field(default_factory=list)
    risky: set[int] = field(default_factory=set)
    vague: bool = False
    taken: list[tuple[int, int, str]] = field(default_factory=list)
    defects: int = 0

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Self:
        """Return what an answer of the responder tells."""
        taken = [(handle, size, path) for handle, size, path in answer["taken"]]
        return cls(**{**answer, "risky": set(answer["risky"]), "taken": taken})


class Truth:
    """The objects of a camera, by the handles that a session has for them."""

    def __init__(self, card: Store, space: str, told: Told) -> None:
        self._card = card
        self._space = space
        self._told = told
        self._taken = {handle: (size, path) for handle, size, path in told.taken}
        self._files = {stored.handle: stored.size for stored in card.files()}
        self._by_content: dict[int, int] = {}
        if space == "contents":
            self._by_content = self._of_contents()

    def _of_contents(self) -> dict[int, int]:
        """The handle of a file in a content list → the camera's."""
        handles, found = Handles(), {}
        paths = {handle: self._card.path(handle) for handle in self._files}
        for handle, path in {**paths, **{h: path for h, (_, path) in self._taken.items()}}.items():
            umid = hashlib.sha256(f"1 {handle}".encode()).digest()
            found[handles.of((1, umid, f"/{path}"))] = handle
        return found

    def sources(self, handle: int) -> list[int]:
        """Return the camera's handles of the objects that a session's handle may mean."""
        match self._space:
            case "contents":
                handle = self._by_content.get(handle, 0)
            case "memory":
                return list(self._taken)
            case "turns":
                return [*self._files, *self._taken]
        return [handle] if handle in self._files or handle in self._taken else []

    def is_risky(self, sources: Iterable[int]) -> bool:
        """Return whether the bytes of these may be wrong, so that only their number counts."""
        if self._told.vague and self._space == "contents":
            return True
        named = {"memory": [SHOT_BUFFER], "turns": [CHOSEN]}.get(self._space, sources)
        return not self._told.risky.isdisjoint(named)

    def size(self, source: int) -> int:
        """Return the size of an object."""
        return self._taken[source][0] if source in self._taken else self._files[source]

    def expected(self, source: int, size: int) -> bytes:
        """Return the first bytes of an object."""
        card = self._card
        if source in self._taken:
            card = Store(seed=CARD_SEED, first_handle=source)
            card.add("taken", self.size(source))
        return b"".join(card.expected(source).spans(0, min(size, self.size(source))))
