"""Find part files that no run will resume: the object left the card, or its file is complete.

They are kept, because such a file may be all that is left of a picture. The report lists them with
the reason.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ownership.names import PART_SUFFIX
from ...transfer.journal import Identity, whose
from ..report.report import Report
from ..report.results import ALREADY_HERE, Leftover

if TYPE_CHECKING:
    from ...ptp.objects import ObjectTable
    from .tree import Tree

VANISHED = "its object is no longer on the card"
OVERTAKEN = "its file is already complete"


class Leftovers:
    """The part files that were in the folders of a destination when they were read, as far as the
    notes beside them say that they are of this camera. Another camera's may still be gone on with.
    """

    def __init__(self, tree: Tree, camera: str) -> None:
        self._tree = tree
        self._camera = camera
        self._seen: set[tuple[Any, ...]] = set()
        # The card's folders are read one by one: any object may have a part file in a later one.
        self._may_be_any = tree.has_subfolders or bool(self._parts())

    def _parts(self) -> list[tuple[Path, Identity]]:
        found = []
        for path in self._tree.parts():
            known = whose(os.fspath(path))
            if known is not None and known.camera == self._camera:
                found.append((path, known))
        return found

    def see(self, piece: ObjectTable) -> None:
        """Note objects on the card, selected or not."""
        if not self._may_be_any:
            return
        for info in piece:
            seen = Identity.of(self._camera, info)
            self._seen.add(seen[2:])  # its handle may be another one in each session
            self._seen.add((seen.handle, seen.name))  # it may have grown since
        self._seen.update((handle,) for handle, _ in piece.failures)  # it may be any

    def found(self, report: Report) -> list[Leftover]:
        """Those that are still here, when the whole card has been seen."""
        here = {result.path for result in report.files if result.reason == ALREADY_HERE}
        left = []
        for path, known in sorted(self._parts() if self._may_be_any else []):
            if not self._is_on_card(known):
                reason = VANISHED
            elif path in here:
                reason = OVERTAKEN
            else:
                continue
            part = Path(f"{path}{PART_SUFFIX}")
            try:
                size = part.lstat().st_size
            except OSError:
                continue
            left.append(Leftover(part, size, reason))
        told = {each.path for each in left}
        return left + [each for each in in_the_way(self._tree.refused) if each.path not in told]

    def _is_on_card(self, known: Identity) -> bool:
        ways = (known[2:], (known.handle, known.name), (known.handle,))
        return not self._seen.isdisjoint(ways)


def in_the_way(refused: dict[Path, str]) -> list[Leftover]:
    """Return the part files that are not touched because nothing proves them an object's of the
    run, each with the reason; of those only that are still here."""
    left = []
    for part, why in sorted(refused.items()):
        try:
            status = part.lstat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            left.append(Leftover(part, status.st_size, why))
    return left
