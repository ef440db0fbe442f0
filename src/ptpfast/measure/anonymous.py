"""A run without what tells whose it is, or where: a file to show to others.

The maker, the model and the firmware of the camera stay. Its serial number is in no result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from .result import Result

Fields = dict[str, Any]


def without_place(
    records: Iterable[tuple[str, Fields]], result: Result
) -> Iterator[tuple[str, Fields]]:
    """Yield the records without address, folder, interface, time of day, zone and names of spots.

    Spots are numbered in the order of the walk.
    """
    names = dict.fromkeys(each.spot for each in result.intervals if each.spot)
    numbers = {name: f"spot {number}" for number, name in enumerate(names, 1)}
    host = result.camera.address
    private = {
        host: "the camera",
        host.rpartition(":")[0] or host: "the camera",
        result.folder: "the folder",
        result.interface.name: "the interface",
    }
    for type, fields in records:
        kept = {name: value for name, value in fields.items() if name not in ("address", "folder")}
        if "when" in kept:
            kept["when"] = _day(kept["when"])
        if "spot" in kept:
            kept["spot"] = numbers.get(kept["spot"], "")
        if type == "interface":
            kept.pop("name", None)
        yield type, _scrubbed(kept, private)


def _day(when: str) -> str:
    """Return the day of a moment (UTC): the zone tells the place."""
    try:
        return datetime.fromisoformat(when).astimezone(UTC).date().isoformat()
    except ValueError:
        return ""


def _scrubbed(value: Any, private: dict[str, str]) -> Any:
    """Return the value with every private text in it replaced."""
    if isinstance(value, dict):
        return {name: _scrubbed(each, private) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(each, private) for each in value]
    if isinstance(value, str):
        for text, words in private.items():
            if len(text) > 2:
                value = value.replace(text, words)
    return value
