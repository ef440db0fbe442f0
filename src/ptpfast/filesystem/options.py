"""The arguments of a filesystem that are for `ptpfast.connect`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..transport.timeouts import Timeouts

_OF_CONNECT = frozenset({"vendor", "timeouts", "depth", "index", "role", "name", "guid", "retry"})
_OF_FSSPEC = frozenset({"use_listings_cache", "listings_expiry_time", "max_paths"})
_OF_FSSPEC |= {"asynchronous", "loop", "batch_size"}


def of_connect(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those for `connect`, and `retry`; timeouts may be a dict, as in a catalog of JSON.

    Raises:
        TypeError, ValueError: an argument is unknown, or a timeout is wrong.
    """
    if unknown := sorted(set(options) - _OF_CONNECT - _OF_FSSPEC):
        raise TypeError(f"the ptpip filesystem has no argument {unknown[0]!r}")
    chosen = {name: options[name] for name in _OF_CONNECT & set(options)}
    if isinstance(timeouts := chosen.get("timeouts"), dict):
        chosen["timeouts"] = Timeouts(**timeouts)
    return chosen
