"""Numbers for shots: RAW file, JPEG, sidecar and sound of one shot get the same number.

The files of a shot have the same stem and the same folder on the card. If a camera writes RAW files
and JPEGs to different cards or folders, the capture time joins them.

A number is free for a shot if it is free for all its files, and if no other shot has the stem with
that number in one of its folders. Otherwise a RAW file of March could lie beside a JPEG of January
as if both were one shot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...engine.text import in_text
from ...ownership.names import same_name, same_text
from ...state.fetched import wall_clock
from .names import Names
from .naming import local_name, numbered, split_name

if TYPE_CHECKING:
    from pathlib import Path

    from ...ptp.objects import ObjectInfo

_NUMBER = re.compile(r"-([1-9][0-9]*)$")
Usable = Callable[[str, "ObjectInfo"], bool]


@dataclass(slots=True, eq=False)
class Shot:
    """The selected files of one shot, by the key of their names. `number` is None until it is
    decided."""

    stem: str
    files: dict[str, ObjectInfo] = field(default_factory=dict)
    number: int | None = None

    @property
    def is_picture(self) -> bool:
        """True if it has more than sounds and files of unknown kinds (a card's own lists)."""
        return any(info.kind not in ("other", "audio") for info in self.files.values())


class Shots:
    """The shots of one camera.

    folder_of(info) returns the folder that an object's file goes into; `names` has the numbers that
    the cameras of the run have given. Its lock is held by the caller.
    """

    def __init__(
        self,
        folder_of: Callable[[ObjectInfo], Hashable] = lambda _: None,
        names: Names | None = None,
    ) -> None:
        self._folder_of = folder_of
        self._names = names or Names()
        self._of: dict[int, Shot] = {}  # by handle
        self._by_place: dict[tuple[Any, ...], Shot] = {}
        self._by_time: dict[tuple[Any, ...], Shot] = {}

    def see(self, objects: Iterable[ObjectInfo]) -> None:
        """Add selected objects to their shots."""
        for info in objects:
            self.of(info)

    def of(self, info: ObjectInfo) -> Shot:
        """Return the shot of an object."""
        if (known := self._of.get(info.handle)) is not None:
            return known
        name = local_name(info.name)
        stem, key = same_text(split_name(name)[0]), same_name(name)
        folder = same_text(info.path.rpartition("/")[0])
        place = (info.storage_id, folder, stem)
        captured = wall_clock(info.captured)
        moment = (stem, captured) if captured else (stem, captured, folder)
        shot = self._by_place.get(place) or self._by_time.get(moment)
        if shot is None or key in shot.files:  # a second file of that name is another shot
            shot = Shot(stem)
        self._by_place.setdefault(place, shot)
        self._by_time.setdefault(moment, shot)
        shot.files[key] = info
        self._own(shot, info)
        self._of[info.handle] = shot
        return shot

    def is_here(self, info: ObjectInfo, path: Path) -> None:
        """Note that an object has a file in the folder; the rest of its shot gets its number."""
        shot = self.of(info)
        if shot.number is None:
            self._decide(shot, _number_of(path.name, local_name(info.name)))

    def number(self, info: ObjectInfo, is_usable: Usable) -> int:
        """Return the number of an object's shot; 0 for none.

        `is_usable(name, info)` returns whether an object can have a name.
        """
        shot = self.of(info)
        if shot.number is None:
            self._decide(shot, self._first(shot, list(shot.files.values()), is_usable, (0,)))
        assert shot.number is not None
        return shot.number

    def renumber(
        self, info: ObjectInfo, taken: Path, others: Iterable[ObjectInfo], is_usable: Usable
    ) -> int:
        """Return another number for an object whose name `taken` now belongs to another file.

        The `others` of its shot, which are not begun, get the same number.
        """
        shot = self.of(info)
        mine = [info, *(each for each in others if self._of.get(each.handle) is shot)]
        # A sibling may have got another number while this object was under way.
        mine_was = _number_of(taken.name, local_name(info.name))
        first = () if shot.number in (None, mine_was) else (shot.number,)
        shot.number = self._first(shot, mine, is_usable, first)
        self._decide(shot, shot.number)
        return shot.number

    def is_owned(self, info: ObjectInfo, number: int) -> bool:
        """Return whether another shot has the stem with that number in the object's folder."""
        shot = self.of(info)
        key = (self._folder_of(info), shot.stem, number)
        return shot.is_picture and self._names.owner(key) not in (None, shot)

    def _first(
        self, shot: Shot, files: list[ObjectInfo], is_usable: Usable, first: Iterable[int]
    ) -> int:
        place = (self._folder_of(files[0]), shot.stem)
        for number in self._candidates(place, first):
            if all(
                not self.is_owned(info, number)
                and is_usable(name_with(local_name(info.name), number), info)
                for info in files
            ):
                return number
        raise AssertionError("numbers have no end")

    def _candidates(self, place: tuple[Hashable, str], first: Iterable[int]) -> Iterator[int]:
        yield from first
        while True:  # going on where the last search ended: a card can hold thousands of one name
            self._names.last[place] += 1
            yield self._names.last[place]

    def _decide(self, shot: Shot, number: int) -> None:
        shot.number = number
        for info in shot.files.values():
            self._own(shot, info)

    def _own(self, shot: Shot, info: ObjectInfo) -> None:
        if shot.number is not None and shot.is_picture:
            key = (self._folder_of(info), shot.stem, shot.number)
            self._names.owners.setdefault(key, shot)


def name_with(name: str, number: int) -> str:
    """Return the name with a number; 0 for none."""
    return numbered(name, number) if number else name


def _number_of(name: str, plain: str) -> int:
    """Return the number in a name that is a form of `plain`."""
    if same_name(name) == same_name(plain):
        return 0
    match = _NUMBER.search(split_name(name)[0]) or _NUMBER.search(in_text(name))
    return int(match[1]) if match else 0
