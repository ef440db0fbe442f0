"""Numbers for shots: RAW file, JPEG, sidecar and sound of one shot get the same number.

The files of a shot have the same stem and the same folder on the card. If a camera writes RAW files
and JPEGs to different cards or folders, the capture time joins them.

With a template, all files of a shot have the date and the name of one of them, and its number is
that of the sequence, if the template has one.

A number is free for a shot if it is free for all its files, and if no other shot has the stem with
that number in one of its folders. Otherwise a RAW file of March could lie beside a JPEG of January
as if both were one shot.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...ownership.names import same_name, same_text
from ...state.fetched import wall_clock
from .namer import Namer
from .names import Names
from .naming import local_name, split_name
from .pairs import is_near

if TYPE_CHECKING:
    from pathlib import Path

    from ...ptp.objects import ObjectInfo

# The file whose date and name a shot gets: the one that is surely a picture's first.
_LEADS = ("raw", "jpeg", "heif", "video", "other", "audio")
MOST_REMEMBERED = 2000  # keys of shots in a memory, two for each
Key = tuple[Any, ...]
Usable = Callable[[str, "ObjectInfo"], bool]


@dataclass(slots=True, eq=False)
class Shot:
    """The selected files of one shot, by the key of their names. `number` and `lead` are None until
    they are decided."""

    files: dict[str, ObjectInfo] = field(default_factory=dict)
    number: int | None = None
    lead: ObjectInfo | None = None
    suggested: int | None = None

    @property
    def is_picture(self) -> bool:
        """True if it has more than sounds and files of unknown kinds (a card's own lists)."""
        return any(info.kind not in ("other", "audio") for info in self.files.values())


Memory = dict[Key, Shot]


class Shots:
    """The shots of one camera.

    folder_of(info) returns the folder that an object's file goes into; `names` has the numbers that
    the cameras of the run have given. Its lock is held by the caller. begin(info) returns the
    number behind which a sequence goes on in the folder of an object.
    """

    def __init__(
        self,
        folder_of: Callable[[ObjectInfo], Hashable] = lambda _: None,
        names: Names | None = None,
        namer: Namer | None = None,
        begin: Callable[[ObjectInfo], int] = lambda _: 0,
        memory: Memory | None = None,
    ) -> None:
        """memory: the shots of earlier runs that continue with this one; with a template only."""
        self._folder_of = folder_of
        self._names = names or Names()
        self._namer = namer or Namer()
        self._namer.lead_of = self.lead_of
        self._begin = begin
        self._memory = memory if self._namer.template is not None else None
        self._of: dict[int, Shot] = {}  # by handle
        self._by_place: dict[Key, Shot] = {}
        self._by_time: dict[Key, Shot] = {}

    def see(self, objects: Iterable[ObjectInfo]) -> None:
        """Add selected objects to their shots."""
        for info in objects:
            self._forget_older(info)
            self.of(info)

    def _forget_older(self, info: ObjectInfo) -> None:
        """Forget what a handle was said to be before: a shot is not named after it."""
        shot = self._of.get(info.handle)
        if shot is None or not self._namer.template or info in shot.files.values():
            return
        del self._of[info.handle]
        shot.files = {key: each for key, each in shot.files.items() if each.handle != info.handle}
        if shot.lead is not None and shot.lead.handle == info.handle:
            shot.lead = None

    def forget(self, handle: int) -> None:
        """Forget an object that is gone: the camera may give its handle to another one."""
        if (shot := self._of.pop(handle, None)) is not None:
            shot.files = {key: each for key, each in shot.files.items() if each.handle != handle}

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
            shot = self._recalled(info, place, moment)
        self._by_place.setdefault(place, shot)
        self._by_time.setdefault(moment, shot)
        shot.files[key] = info
        self._of[info.handle] = shot
        self._own(shot, info)
        return shot

    def _recalled(self, info: ObjectInfo, *keys: Key) -> Shot:
        """Return a new shot, with the number and the lead of its files in an earlier run."""
        shot = Shot()
        if self._memory is None:
            return shot
        before = next((self._memory[key] for key in keys if key in self._memory), None)
        if before is not None and before.lead is not None and _is_beside(info, before.lead):
            shot.number, shot.lead = before.number, before.lead
        for key in keys:
            self._memory.pop(key, None)
            self._memory[key] = shot
        while len(self._memory) > MOST_REMEMBERED:
            del self._memory[next(iter(self._memory))]
        return shot

    def lead_of(self, info: ObjectInfo) -> ObjectInfo:
        """Return the file whose date and name all files of an object's shot get."""
        shot = self._of.get(info.handle)
        if shot is None or not shot.files:
            return info
        if (lead := shot.lead) is None:
            lead = min(shot.files.values(), key=lambda each: _LEADS.index(each.kind))
            shot.lead = lead
        return lead if _is_beside(info, lead) else info

    def is_here(self, info: ObjectInfo, path: Path) -> None:
        """Note that an object has a file in the folder; the rest of its shot gets its number."""
        shot = self.of(info)
        if shot.number is None:
            number = self._namer.number_in(path.name, info)
            if number is not None:
                self._decide(shot, number)

    def suggest(self, info: ObjectInfo, path: Path) -> None:
        """Have a shot without a number try that of a file that an earlier run has begun."""
        self.of(info).suggested = self._namer.number_in(path.name, info)

    def number(self, info: ObjectInfo, is_usable: Usable) -> int:
        """Return the number of an object's shot; 0 for none.

        `is_usable(name, info)` returns whether an object can have a name.
        """
        shot = self.of(info)
        if shot.number is None:
            first = () if self._namer.has_seq else (0,)
            first = first if shot.suggested is None else (shot.suggested, *first)
            self._decide(shot, self._first(shot, list(shot.files.values()), is_usable, first))
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
        mine_was = self._namer.number_in(taken.name, info)
        first = () if shot.number in (None, mine_was) else (shot.number,)
        shot.number = self._first(shot, mine, is_usable, first)
        self._decide(shot, shot.number)
        return shot.number

    def is_owned(self, info: ObjectInfo, number: int) -> bool:
        """Return whether another shot has the stem with that number in the object's folder."""
        shot = self.of(info)
        key = (self._folder_of(info), self._namer.stem(info), number)
        return shot.is_picture and self._names.owner(key) not in (None, shot)

    def _first(
        self, shot: Shot, files: list[ObjectInfo], is_usable: Usable, first: Iterable[int]
    ) -> int:
        place = (self._folder_of(files[0]), self._namer.stem(files[0]))
        if self._namer.has_seq and place not in self._names.last:
            self._names.last[place] = self._begin(files[0])
        for number in self._candidates(place, first):
            if all(
                not self.is_owned(info, number) and is_usable(self._namer.name(info, number), info)
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
            key = (self._folder_of(info), self._namer.stem(info), shot.number)
            self._names.owners.setdefault(key, shot)


def _is_beside(info: ObjectInfo, lead: ObjectInfo) -> bool:
    """Whether a file belongs to the shot of another one.

    A picture that was taken at another time only has the same name on the card.
    """
    return info.kind in ("other", "audio") or is_near(info, lead)
