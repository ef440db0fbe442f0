"""Which objects of a listing are meant: by kind, name, path and capture date; and in which order.

Works on what the camera says of its objects; never asks the camera anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypedDict

from ...ownership.names import same_text
from ...ptp.arguments import texts
from ...ptp.codes import ObjectFormat
from ...ptp.kinds import KINDS as OBJECT_KINDS

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo

KINDS = (*OBJECT_KINDS, "all")
LISTED = "listed"
ORDERS = (LISTED, "oldest", "newest")

OneOrSeveral = str | Sequence[str]


class Selecting(TypedDict, total=False):
    """The options of `pull` that say which objects are taken; see `Selection`."""

    formats: OneOrSeveral
    include: OneOrSeveral | None
    exclude: OneOrSeveral
    since: date | None
    until: date | None
    order: str


@dataclass(frozen=True)
class Selection:
    """What to take. ValueError for a kind or an order there is not, TypeError for no text.

    formats: one or several of `KINDS`; `all` takes every object that is not a folder.
    include, exclude: one glob or several, regardless of case. One with a slash is matched with the
    object's whole path (`DCIM/100*/*`; a `*` there crosses folders), one without with its name.
    Without `include` everything is selected. An empty list is a ValueError: a caller whose computed
    list is empty does not want everything.
    since, until: both inclusive. A date means the whole day by the camera's clock; a naive datetime
    is by the camera's clock too. An object without a date is in no range.
    order: `oldest` or `newest` first, by capture date and then path, without a date last; `listed`
    as they come.
    """

    formats: OneOrSeveral = ("all",)
    include: OneOrSeveral | None = None
    exclude: OneOrSeveral = ()
    since: date | None = None
    until: date | None = None
    order: str = LISTED

    def __post_init__(self) -> None:
        # From here on they are tuples.
        object.__setattr__(self, "formats", texts("formats", self.formats, KINDS))
        object.__setattr__(self, "exclude", texts("exclude", self.exclude))
        if self.include is not None:
            object.__setattr__(self, "include", texts("include", self.include))
            if not self.include:
                raise ValueError("include is empty; leave it out to take everything")
        if not self.formats:
            raise ValueError(f"no format given; there are: {', '.join(KINDS)}")
        if self.order not in ORDERS:
            raise ValueError(f"no order {self.order!r}; there are: {', '.join(ORDERS)}")
        for name in ("since", "until"):
            if not isinstance(bound := getattr(self, name), date | None):
                raise TypeError(f"{name} takes a date or a datetime, not {bound!r}")

    def apply(self, objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
        """Return the selected objects, in order."""
        return self.sort(info for info in objects if self.takes(info) and self.dated(info))

    @property
    def words(self) -> str:
        """What narrows it, for people: `*.CR3, since 2026-11-22`; '' when nothing does."""
        kinds = () if "all" in self.formats else self.formats
        parts = [*kinds, *(self.include or ()), *(f"not {glob}" for glob in self.exclude)]
        parts += [f"since {self.since}"] if self.since is not None else []
        parts += [f"until {self.until}"] if self.until is not None else []
        return ", ".join(parts)

    def undated(self, objects: Iterable[ObjectInfo]) -> int:
        """How many objects are left out only because they have no date to compare."""
        if self.since is None and self.until is None:
            return 0
        return sum(1 for info in objects if info.captured is None and self.takes(info))

    def takes(self, info: ObjectInfo) -> bool:
        """Whether an object is meant by its kind and its name."""
        if info.format == ObjectFormat.Association:
            return False
        if "all" not in self.formats and info.kind not in self.formats:
            return False
        if self.include and not any(_matches(info, glob) for glob in self.include):
            return False
        return not any(_matches(info, glob) for glob in self.exclude)

    def dated(self, info: ObjectInfo) -> bool:
        """Whether an object's capture date is in the range."""
        if self.since is None and self.until is None:
            return True
        if info.captured is None:
            return False
        if self.since is not None and _before(info.captured, _first(self.since)):
            return False
        return self.until is None or not _before(_last(self.until), info.captured)

    def sort(self, objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
        """Return the objects in the order of the selection."""
        if self.order == LISTED:
            return list(objects)
        ordered = sorted(objects, key=lambda info: (info.path, info.handle))
        ordered.sort(key=_wall_clock, reverse=self.order == "newest")
        ordered.sort(key=lambda info: info.captured is None)
        return ordered


def _matches(info: ObjectInfo, glob: str) -> bool:
    text = info.path if "/" in glob else info.name
    return fnmatchcase(same_text(text.strip("/")), same_text(glob.strip("/")))


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
    return info.captured.replace(tzinfo=None) if info.captured else datetime.min
