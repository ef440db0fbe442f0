"""Choices that need more than one object: one file of a pair, and a number of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from ...ownership.names import same_text
from ...ptp.kinds import Kind
from ...state.fetched import wall_clock

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo

Prefer = Literal["raw", "jpeg", "both"]
PREFER: tuple[Prefer, ...] = get_args(Prefer)
# A camera dates a file when it writes it, and a RAW file takes a moment. A file of the same name
# that is further apart is another shot: the number was used again after a deletion.
APART_S = 10.0
RAW: frozenset[Kind] = frozenset({"raw"})
JPEG: frozenset[Kind] = frozenset({"jpeg", "heif"})


def preferred(objects: Sequence[ObjectInfo], prefer: Prefer) -> list[ObjectInfo]:
    """Return the objects without those whose preferred companion is among them."""
    if prefer == "both":
        return list(objects)
    wanted, other = (RAW, JPEG) if prefer == "raw" else (JPEG, RAW)
    companions: dict[tuple[object, ...], list[ObjectInfo]] = {}
    for info in objects:
        if info.kind in wanted:
            for key in _keys(info):
                companions.setdefault(key, []).append(info)
    return [
        info
        for info in objects
        if info.kind not in other
        or not any(is_near(info, each) for key in _keys(info) for each in companions.get(key, ()))
    ]


def pick_first(
    objects: Sequence[ObjectInfo],
    first: int | None,
    last: int | None,
    date_of: Callable[[ObjectInfo], datetime],
) -> list[ObjectInfo]:
    """Return the oldest or the newest objects, so many, in the order in which they are given.

    Objects of one date are in the order of their paths.
    """
    by_date = sorted(objects, key=lambda info: (date_of(info), info.path, info.handle))
    taken = by_date[:first] if first is not None else by_date[-(last or 0) :]
    handles = {info.handle for info in taken}
    return [info for info in objects if info.handle in handles]


def _keys(info: ObjectInfo) -> list[tuple[object, ...]]:
    """Return what the files of one shot share: folder and stem, or stem and capture time."""
    folder, _, name = info.path.rpartition("/")
    stem = same_text(name.rpartition(".")[0] or name)
    keys: list[tuple[object, ...]] = [(info.storage_id, same_text(folder), stem)]
    if captured := wall_clock(info.captured):
        keys.append((stem, captured))
    return keys


def is_near(one: ObjectInfo, other: ObjectInfo) -> bool:
    """Whether two files can be of one shot, by their capture times."""
    if one.captured is None or other.captured is None:
        return True
    apart = one.captured.replace(tzinfo=None) - other.captured.replace(tzinfo=None)
    return abs(apart.total_seconds()) <= APART_S
