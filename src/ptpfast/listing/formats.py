"""The selection of a listing, by format code or kind."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..ptp.arguments import listed, number_in, whole_number
from ..ptp.kinds import KINDS
from ..ptp.objects import ObjectTable

Formats = Collection[int | str] | int | str

_WHAT = "a format code, a kind"


def wanted_formats(given: Any) -> frozenset[int | str] | None:
    """Return the selected format codes and kinds; None for every object, as with `all`.

    Raises:
        ValueError: a kind is unknown, or none is given.
        TypeError: anything else.
    """
    if given is None:
        return None
    alone = isinstance(given, str) or whole_number(given) is not None
    values = (given,) if alone else listed("formats", given, _WHAT)
    if not values:
        raise ValueError("formats is empty; leave it out for every object")
    wanted: set[int | str] = set()
    for value in values:
        if not isinstance(value, str):
            wanted.add(number_in("formats", value, _WHAT))
        elif value == "all" or value in KINDS:
            wanted.add(value)
        else:
            raise ValueError(
                f"unknown format {value!r}; use {', '.join(KINDS)}, all, or a format code"
            )
    return None if "all" in wanted else frozenset(wanted)


def only(table: ObjectTable, formats: frozenset[int | str] | None) -> ObjectTable:
    """Return the objects of these formats and kinds; all of them for None."""
    if formats is None:
        return table
    chosen = [info for info in table if info.format in formats or info.kind in formats]
    return ObjectTable(chosen, table.failures, table.unlisted)
