"""Folders whose contents the camera did not list.

Asked for all objects, most cameras list the whole tree; some list only the root. So each folder
without listed contents is asked for them once, and the folders found in it too. A camera that lists
the tree is asked about its empty folders only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..link.link import Link
from ..link.many import Many
from ..link.tally import Tally
from ..ptp.codes import OperationCode
from ..ptp.datasets import decode_array
from ..ptp.errors import ProtocolError, PTPError, Unreadable
from ..ptp.objects import Description
from .cards import MAX_HANDLES
from .entries import Answer
from .folders import MAX_DEPTH
from .recall import Card

log: logging.Logger = logging.getLogger("ptpfast")

MOST_FOLDERS = 10_000  # that may be asked for; DCF allows a card 900
Known = Mapping[int, Answer]


class Opening:
    """Opener of folders of some cards.

    Attributes:
        failures: The folders that could not be opened, with the errors.
    """

    def __init__(self, link: Link, cards: list[Card], tally: Tally) -> None:
        self.failures: list[tuple[int, PTPError]] = []
        self._link = link
        self._cards = cards
        self._tally = tally
        self._opened: set[int] = set()
        self._levels = 0

    def open(self, known: Known) -> list[int]:
        """Look into folders; return the handles that no list had, and add them to their cards."""
        parents = {each.parent for each in known.values() if isinstance(each, Description)}
        waiting = {
            handle: card
            for card in self._cards
            for handle in card.handles
            if handle not in parents and handle not in self._opened and _is_folder(known, handle)
        }
        if not waiting or self._levels == MAX_DEPTH:
            return []
        if len(self._opened) + len(waiting) > MOST_FOLDERS:
            log.warning("more than %d folders seem to be empty: not opened", MOST_FOLDERS)
            return []
        self._levels += 1
        self._opened.update(waiting)
        # One folder with something in it shows that the camera lists trees.
        return self._ask(waiting, lists_trees=any(_is_folder(known, each) for each in parents))

    def _ask(self, waiting: dict[int, Card], *, lists_trees: bool) -> list[int]:
        listed = {handle for card in self._cards for handle in card.handles}
        new: list[int] = []

        def answered(folder: int, answer: bytearray | PTPError) -> None:
            try:
                if isinstance(answer, PTPError):
                    raise answer
                found = decode_array(answer, "u32", "GetObjectHandles") if answer else []
            except PTPError as error:
                log.debug("folder 0x%X cannot be opened: %s", folder, error)
                if not lists_trees or isinstance(error, Unreadable):
                    self.failures.append((folder, error))
                return
            for handle in found:
                if handle not in listed:
                    listed.add(handle)
                    waiting[folder].handles.append(handle)
                    new.append(handle)

        Many(
            self._link,
            OperationCode.GetObjectHandles,
            4 + 4 * MAX_HANDLES,
            lambda folder: (waiting[folder].storage_id, 0, folder),
            self._tally,
        ).ask(waiting, answered)
        if len(listed) > MAX_HANDLES:
            raise ProtocolError(f"the camera lists more than {MAX_HANDLES:,} objects")
        return new


def _is_folder(known: Known, handle: int) -> bool:
    description = known.get(handle)
    return isinstance(description, Description) and description.is_folder
