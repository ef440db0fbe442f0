"""Which objects of a listing are meant: by kind, name, folder, date, size, protection and number;
and in which order.

Works on what the camera says of its objects; never asks the camera anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from ...ownership.names import same_text
from ...ptp.arguments import choice, numbers, switches, texts, whole
from ...ptp.codes import ObjectFormat
from ...ptp.kinds import KINDS as OBJECT_KINDS
from ...ptp.kinds import Kind as OneKind
from ...ptp.objects import LARGEST_OBJECT, card_name
from .moments import is_later, moment
from .pairs import PREFER, Prefer, pick_first, preferred

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo

Format = OneKind | Literal["all"]
KINDS: tuple[Format, ...] = (*OBJECT_KINDS, "all")
Order = Literal["listed", "oldest", "newest"]
ORDERS: tuple[Order, ...] = get_args(Order)
LISTED: Order = "listed"

MOST_STARS = 5
LAST_SLOT = 0xFFFF  # a storage id has 16 bits for the slot

OneOrSeveral = str | Sequence[str]

SIZE = "a number of bytes, such as 1_000_000"


class Selecting(TypedDict, total=False):
    """The options of `pull` that say which objects are taken; see `Selection`."""

    formats: Format | Collection[Format]
    include: OneOrSeveral | None
    exclude: OneOrSeveral
    folder: OneOrSeveral | None
    since: date | str | None
    until: date | str | None
    min_size: int | None
    max_size: int | None
    protected: bool | None
    rating: int | None
    order: Order
    storage: int | Sequence[int] | None


class Choosing(Selecting, total=False):
    """Those that need the whole card to be listed; `watch` has none of them."""

    prefer: Prefer
    first: int | None
    last: int | None


@dataclass(frozen=True)
class Selection:
    """The selected objects of a listing. Raises ValueError or TypeError for a wrong option.

    Attributes:
        formats: One or several of `KINDS`; `all` takes every object that is not a folder.
        include, exclude: One glob or several, regardless of case. A glob with a slash is matched
            with the whole path (`DCIM/100*/*`; a `*` there crosses folders), one without with the
            name. Without `include` everything is selected. An empty list is a ValueError, because a
            caller whose computed list is empty does not want everything.
        folder: One name or glob of a folder on the card, or several, regardless of case. A glob
            without a slash is compared with each folder of the path, one with a slash with the path
            from the root of the card. Folders below it are included.
        since, until: Both inclusive: a date, a datetime, or a text: `2026-11-22`,
            `2026-11-22T14:30`, `2026-11`, `2026`, `today`, `yesterday`, `2d`, `12h`. A date means
            the whole day by the camera's clock; a naive datetime is by that clock, too. They are
            compared with the capture date, or with the modification date if there is none. An
            object without either is in no range.
        min_size, max_size: Bytes, both inclusive. An object of unknown size is in no range.
        protected: True takes the objects that are protected on the camera, False the others.
        rating: The least stars, 1 to 5. An object whose rating the camera does not tell is left
            out.
        order: `oldest` or `newest` by that date and the path, without a date last; or `listed`.
        storage: One slot number or several, the N of `card N`; None for all cards.
        prefer: `raw` leaves out a JPEG or HEIF file if the RAW file of its shot is selected, `jpeg`
            the other way round, `both` neither. The files of a shot have the same folder and stem,
            or the same stem and capture time. If their times are more than 10 s apart, both are
            taken.
        first, last: Of all that is selected otherwise, the oldest or the newest files, so many.
            Objects without a date are left out.
    """

    formats: str | Collection[str] = ("all",)
    include: OneOrSeveral | None = None
    exclude: OneOrSeveral = ()
    since: date | str | None = None
    until: date | str | None = None
    order: Order = LISTED
    storage: int | Sequence[int] | None = None
    folder: OneOrSeveral | None = None
    min_size: int | None = None
    max_size: int | None = None
    protected: bool | None = None
    rating: int | None = None
    prefer: Prefer = "both"
    first: int | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        # From here on they are tuples.
        object.__setattr__(self, "formats", texts("formats", self.formats, KINDS))
        object.__setattr__(self, "exclude", texts("exclude", self.exclude))
        if self.include is not None:
            object.__setattr__(self, "include", texts("include", self.include))
            if not self.include:
                raise ValueError("include is empty; leave it out to take everything")
        if self.folder is not None:
            object.__setattr__(self, "folder", texts("folder", self.folder))
            if not self.folder or not all(each.strip("/") for each in self.folder):
                raise ValueError("folder is empty; leave it out to take every folder")
        if self.storage is not None:
            object.__setattr__(self, "storage", _slots(self.storage))
        if not self.formats:
            raise ValueError(f"no format given; use one of {', '.join(KINDS)}")
        choice("order", self.order, ORDERS)
        choice("prefer", self.prefer, PREFER)
        self._check_numbers()
        if self.since is not None:
            object.__setattr__(self, "since", moment("since", self.since))
        if self.until is not None:
            object.__setattr__(self, "until", moment("until", self.until))
        since, until = self._range
        if since is not None and until is not None and is_later(since, until):
            raise ValueError(f"until ({until}) is before since ({since}): nothing could match")

    def _check_numbers(self) -> None:
        for name in ("min_size", "max_size"):
            if (size := getattr(self, name)) is not None:
                whole(name, size, SIZE, 0, LARGEST_OBJECT)
        for name in ("first", "last"):
            if (count := getattr(self, name)) is not None:
                whole(name, count, "a number of files", 1)
        if self.rating is not None:
            whole("rating", self.rating, "a number of stars", 1, MOST_STARS)
        if self.first is not None and self.last is not None:
            raise ValueError("first and last cannot be combined; use one of them")
        if self.protected is not None:
            switches(protected=self.protected)
        least, most = self.min_size, self.max_size
        if least is not None and most is not None and least > most:
            raise ValueError(
                f"max_size ({most:,}) is below min_size ({least:,}): nothing could match"
            )

    def apply(self, objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
        """Return the selected objects of a whole listing, in order."""
        return self.sort(self.pick(self.matching(objects)))

    def matching(self, objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
        """Return the objects that match one by one, in order, without `prefer`, `first`, `last`."""
        return self.sort(
            info for info in objects if self.takes(info) and self.sized(info) and self.dated(info)
        )

    def pick(self, matching: Sequence[ObjectInfo]) -> list[ObjectInfo]:
        """Return what `prefer`, `first` and `last` take of all objects that match."""
        left = preferred(matching, self.prefer)
        if not self.counts:
            return left
        dated = [info for info in left if _date_of(info) is not None]
        return pick_first(dated, self.first, self.last, _wall_clock)

    @property
    def counts(self) -> bool:
        """Whether it takes a number of files, for which the whole card must be listed."""
        return self.first is not None or self.last is not None

    @property
    def words(self) -> str:
        """What narrows it, for people: `*.CR3, since 2026-11-22`; '' when nothing does."""
        kinds = () if "all" in self.formats else self.formats
        cards = [card_name(slot << 16) for slot in self._cards]
        folders = (f"folder {glob}" for glob in self.folder or ())
        parts = [*cards, *folders, *kinds, *(self.include or ())]
        parts += [f"not {glob}" for glob in self.exclude]
        parts += [f"since {self.since}"] if self.since is not None else []
        parts += [f"until {self.until}"] if self.until is not None else []
        parts += [f"from {self.min_size:,} bytes"] if self.min_size is not None else []
        parts += [f"up to {self.max_size:,} bytes"] if self.max_size is not None else []
        if self.protected is not None:
            parts.append(f"{'' if self.protected else 'not '}protected on the camera")
        parts += [f"rated {self.rating} or more"] if self.rating is not None else []
        parts += [f"the first {self.first:,}"] if self.first is not None else []
        parts += [f"the last {self.last:,}"] if self.last is not None else []
        return ", ".join(parts)

    def undated(self, objects: Iterable[ObjectInfo]) -> int:
        """How many objects are left out only because they have no date to compare."""
        if self.since is None and self.until is None and not self.counts:
            return 0
        return sum(
            1
            for info in objects
            if _date_of(info) is None and self.takes(info) and self.sized(info)
        )

    def unsized(self, objects: Iterable[ObjectInfo]) -> int:
        """How many objects are left out only because the camera cannot tell their size."""
        if self.min_size is None and self.max_size is None:
            return 0
        return sum(
            1 for info in objects if info.size is None and self.takes(info) and self.dated(info)
        )

    def unrated(self, objects: Iterable[ObjectInfo]) -> int:
        """How many objects are left out only because the camera does not tell their rating."""
        if self.rating is None:
            return 0
        others = replace(self, rating=None)
        return sum(
            1
            for info in objects
            if info.rating is None
            and others.takes(info)
            and others.sized(info)
            and others.dated(info)
        )

    def takes(self, info: ObjectInfo) -> bool:
        """Whether an object is meant by its card, folder, kind, name, protection and rating."""
        if info.format == ObjectFormat.Association or not self.takes_card(info.storage_id):
            return False
        if "all" not in self.formats and info.kind not in self.formats:
            return False
        if self.protected is not None and info.protected != self.protected:
            return False
        if self.rating is not None and (info.rating is None or info.rating < self.rating):
            return False
        if self.folder and not any(_is_below(info, glob) for glob in self.folder):
            return False
        if self.include and not any(_matches(info, glob) for glob in self.include):
            return False
        return not any(_matches(info, glob) for glob in self.exclude)

    @property
    def _cards(self) -> tuple[int, ...]:
        return self.storage if isinstance(self.storage, tuple) else ()

    def takes_card(self, storage_id: int) -> bool:
        """Whether the objects of a storage are meant."""
        return self.storage is None or storage_id >> 16 in self._cards

    def missing_cards(self, storage_ids: Iterable[int]) -> list[str]:
        """Return a sentence for each card that is meant and not in the camera."""
        there = list(storage_ids)
        slots = {storage_id >> 16 for storage_id in there}
        cards = ", ".join(card_name(storage_id) for storage_id in there) or "no card"
        return [
            f"there is no {card_name(slot << 16)} in the camera, but {cards}"
            for slot in self._cards
            if slot not in slots
        ]

    def sized(self, info: ObjectInfo) -> bool:
        """Whether an object's size is in the range."""
        if self.min_size is None and self.max_size is None:
            return True
        if info.size is None or (self.min_size is not None and info.size < self.min_size):
            return False
        return self.max_size is None or info.size <= self.max_size

    def dated(self, info: ObjectInfo) -> bool:
        """Whether an object's date is in the range."""
        since, until = self._range
        if since is None and until is None:
            return True
        taken = _date_of(info)
        if taken is None or (since is not None and _before(taken, _first(since))):
            return False
        return until is None or not _before(_last(until), taken)

    @property
    def _range(self) -> tuple[date | None, date | None]:
        """`since` and `until`, which are no texts any more."""
        since, until = self.since, self.until
        assert not isinstance(since, str)
        assert not isinstance(until, str)
        return since, until

    def sort(self, objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
        """Return the objects in the order of the selection."""
        if self.order == LISTED:
            return list(objects)
        ordered = sorted(objects, key=lambda info: (info.path, info.handle))
        ordered.sort(key=_wall_clock, reverse=self.order == "newest")
        ordered.sort(key=lambda info: _date_of(info) is None)
        return ordered


def _slots(given: int | Sequence[int]) -> tuple[int, ...]:
    """Return slot numbers. TypeError, ValueError."""
    slots = numbers("storage", given, "the number of a slot")
    if not slots:
        raise ValueError("storage is empty; leave it out to take every card")
    for slot in slots:
        if not 1 <= slot <= LAST_SLOT:
            raise ValueError(f"storage takes the number of a slot, from 1 on, not {slot}")
    return slots


def _matches(info: ObjectInfo, glob: str) -> bool:
    text = info.path if "/" in glob else info.name
    return fnmatchcase(same_text(text.strip("/")), same_text(glob.strip("/")))


def _is_below(info: ObjectInfo, glob: str) -> bool:
    """Whether an object is in a folder, or below it."""
    folders = [same_text(name) for name in info.path.split("/")[:-1] if name]
    pattern = same_text(glob.strip("/"))
    if "/" in glob:
        paths = ("/".join(folders[: count + 1]) for count in range(len(folders)))
        return any(fnmatchcase(path, pattern) for path in paths)
    return any(fnmatchcase(name, pattern) for name in folders)


def _first(bound: date) -> datetime:
    return bound if isinstance(bound, datetime) else datetime.combine(bound, time.min)


def _last(bound: date) -> datetime:
    if isinstance(bound, datetime):
        # A datetime to the second takes that whole second: capture dates may carry tenths.
        return bound if bound.microsecond else bound + timedelta(microseconds=999_999)
    return datetime.combine(bound, time.max)


def _before(first: datetime, second: datetime) -> bool:
    """Compare as instants if both have a time zone, else as the clocks show them."""
    if first.tzinfo is not None and second.tzinfo is not None:
        return first < second
    return first.replace(tzinfo=None) < second.replace(tzinfo=None)


def _wall_clock(info: ObjectInfo) -> datetime:
    taken = _date_of(info)
    return taken.replace(tzinfo=None) if taken else datetime.min


def _date_of(info: ObjectInfo) -> datetime | None:
    """Return the capture date; without one the modification date: some bodies tell only that."""
    return info.captured or info.modified
