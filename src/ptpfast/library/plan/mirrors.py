"""Cards that mirror each other: a camera in backup mode writes each picture to both slots.

Objects of two storages with the same path, size and capture time are twins. Two storages are
mirrors if the bytes in the middle of their first twins are equal. Then the second twin is fetched
only if the first one fails. The size of a compressed picture tells it from others. Twins of a size
that other pictures share, such as uncompressed ones, are all compared.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ...ptp.errors import ProtocolError, ResponseError
from ...ptp.objects import card_name
from ...transfer.seam import sample
from ..report.results import FileResult

if TYPE_CHECKING:
    from ...ptp.objects import ObjectInfo
    from ...session.persistence import Persistence

log: logging.Logger = logging.getLogger("ptpfast")

COMPARED = 3  # twins, besides those whose size is not their own
Key = tuple[str, int, datetime]


@dataclass(slots=True)
class _Pair:
    """Two storages: how many of their twins were equal, and whether two twins differed."""

    equal: int = 0
    differs: bool = False


class Mirrors:
    """The twins among the selected objects of a run."""

    def __init__(self, persistence: Persistence) -> None:
        self._persistence = persistence
        self._first: dict[Key, ObjectInfo] = {}
        self._sizes: Counter[int] = Counter()  # of the first ones
        self._keys: dict[int, Key] = {}  # of the first ones, by handle
        self._pairs: dict[tuple[int, int], _Pair] = {}
        self._held: dict[int, tuple[ObjectInfo, ObjectInfo]] = {}  # second and first, by handle

    def sort_out(self, objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
        """Return the objects to plan now, without the second ones of twins.

        The result includes objects of earlier calls that turned out not to be twins.
        """
        planned = []
        for info in objects:
            self._held.pop(info.handle, None)  # it is listed again, because it has changed
            planned += self._forget(info)
            first = self._first_of(info)
            if first is None:
                planned.append(info)
                continue
            pair = self._pairs.setdefault((first.storage_id, info.storage_id), _Pair())
            if self._are_mirrors(pair, first, info):
                self._held[info.handle] = (info, first)
            else:
                planned += self._released(pair) if pair.differs else []
                planned.append(info)
        return planned

    def settle(self, results: Iterable[FileResult]) -> tuple[list[FileResult], list[ObjectInfo]]:
        """Decide about the second twins when everything else is done.

        Args:
            results: The results of the run so far.

        Returns:
            The results of the skipped twins, and the objects that must be fetched because their
                first twins failed.
        """
        if not self._held:
            return [], []
        failed = {result.handle for result in results if result.status == "failed"}
        left, needed = [], []
        for info, first in self._held.values():
            if first.handle in failed:
                needed.append(info)
            else:
                reason = f"{card_name(first.storage_id)} has the same picture"
                left.append(FileResult(info.handle, info, None, "skipped", reason, mirrored=True))
        self._held.clear()
        return left, needed

    def _first_of(self, info: ObjectInfo) -> ObjectInfo | None:
        """Return the first twin of an object; None if the object itself is the first, or has no
        twin."""
        if not info.size or info.captured is None:
            return None
        key = (info.path, info.size, info.captured)
        if key not in self._first:
            self._sizes[info.size] += 1
        first = self._first.setdefault(key, info)
        if first is info or first.storage_id == info.storage_id:
            self._keys.setdefault(info.handle, key)
            return None
        return first

    def _forget(self, info: ObjectInfo) -> list[ObjectInfo]:
        """Forget an object that is listed again, and return the objects that were held as its
        twins."""
        key = self._keys.pop(info.handle, None)
        if key is None or self._first.get(key, info).handle != info.handle:
            return []
        del self._first[key]
        again = [second for second, first in self._held.values() if first.handle == info.handle]
        for second in again:
            del self._held[second.handle]
        return again

    def _are_mirrors(self, pair: _Pair, first: ObjectInfo, second: ObjectInfo) -> bool:
        if pair.differs:
            return False
        if pair.equal >= COMPARED and self._sizes[second.size or 0] == 1:
            return True
        is_equal = self._is_equal(first, second)
        # One picture that cannot be read says nothing about the others.
        pair.differs = is_equal is False or not (is_equal or pair.equal)
        pair.equal += bool(is_equal)
        return bool(is_equal)

    def _is_equal(self, first: ObjectInfo, second: ObjectInfo) -> bool | None:
        """Return whether two objects are equal in their middle; None if one cannot be read."""
        camera = self._persistence.session.camera
        try:
            one, other = (
                self._persistence.run(partial(sample, camera, info)) for info in (first, second)
            )
        except (ResponseError, ProtocolError) as error:
            if not self._persistence.session.usable:
                raise
            log.debug("%s cannot be compared with its twin: %s", second.path, error)
            return None
        return one == other if one and other else None

    def _released(self, pair: _Pair) -> list[ObjectInfo]:
        """Return the objects that were held as mirrored before a twin differed."""
        storages = next(key for key, value in self._pairs.items() if value is pair)
        released = [
            info
            for info, first in self._held.values()
            if (first.storage_id, info.storage_id) == storages
        ]
        for info in released:
            del self._held[info.handle]
        return released
