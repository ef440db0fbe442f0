"""A file in a folder, and whether it looks like an object: by name, size and date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...transfer.ends import FOUR_GIB
from ...transfer.part import capture_time
from .dates import is_same_clock, is_same_time

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ..report.results import KnownBy


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the folder. `size` (bytes) and `modified` (seconds since 1970) mean nothing if it
    is not a regular file. `is_folder` is false for a symbolic link."""

    name: str
    regular: bool
    size: int
    modified: float
    is_folder: bool = False

    def likeness(self, info: ObjectInfo, *, forgiving: bool) -> KnownBy | None:
        """Return by what this is the object, as far as name, size and date can tell; None if it is
        not. The name has been compared.

        An object without a size needs the date to agree, one without a date the size. One without
        either is an empty file. forgiving: whether times may differ by whole quarter hours.
        """
        size = info.size or None  # some bodies say 0 for what is large
        dated = info.captured is not None or info.modified is not None
        if not self.regular:
            return None
        if size is None and not dated:
            return "name and size" if info.size == 0 and not self.size else None
        # A movie's size is 4 GiB or some more than a camera says that has 32 bits for it.
        if size is not None and (self.size < size or (self.size - size) % FOUR_GIB):
            return None
        moment = capture_time(info)
        if moment is None:  # without a date, or it is not a time of this system's
            return "name and size" if size is not None else None
        is_same = is_same_clock if forgiving else is_same_time
        return "date" if is_same(moment, self.modified) else None
