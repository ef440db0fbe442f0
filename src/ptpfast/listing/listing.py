"""A listing: handles, remembered descriptions, and requests for the rest, piece by piece.

`describer` describes handles, and `memory` loads and stores the index.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping

from ..link.link import Link
from ..link.tally import Count, ListingProgress, Tally
from ..logs import tell
from ..ptp.errors import ProtocolError, PTPError
from ..ptp.objects import Description, ObjectInfo, ObjectTable
from ..state.index import Index
from .cards import (
    MAX_HANDLES,
    Unlisted,
    cards_of,
    no_card,
    question,
    storages_of,
)
from .describer import Describer
from .entries import Answer, Entries
from .folders import Folders
from .formats import Formats, only, wanted_formats
from .memory import Memory
from .opening import Opening
from .recall import Card


class Listing:
    """The files of some storages, of one folder, or of some handles, as `ObjectTable`s.

    With an index, objects from an earlier session are not requested again if they pass its checks.
    They are `remembered` in the tables, and `confirm` compares them with the camera.

    Attributes:
        handles: All handles of files and folders.
        complete: Whether each of them was in a table.
        tally: The sources of the descriptions, and their cost.
        unlisted: The storages that could not be listed, with the errors. 0 stands for storages
            missing from a list that was cut.
        doubts: Reasons in words why a card that lists nothing may not be empty.
    """

    def __init__(
        self,
        link: Link,
        storage_ids: Iterable[int] | None,
        parent: int = 0,
        *,
        handles: Iterable[int] = (),
        index: Index | None = None,
        progress: ListingProgress | None = None,
        known: Mapping[int, Description] | None = None,
    ) -> None:
        """storage_ids: None for all; StoreNotAvailable where there is no card. known: what this
        session has learned since the index was stored; it counts as a part of the index."""
        self.tally: Tally = Tally()
        self.unlisted: Unlisted = {}
        self.doubts: list[str] = []
        self._link = link
        self._entries = Entries()
        self._folders = Folders(link, self._entries, self.tally)
        self._describer = Describer(link, self._entries, self.tally, parent, progress)
        self._at = 0  # of the handles, in tables so far
        self._closed = False
        self.handles: list[int] = list(dict.fromkeys(handles))
        cards = self._find(storage_ids, parent)
        self.storage_ids: list[int] = [card.storage_id for card in cards]
        self._describer.storage_ids = self.storage_ids
        index = None if parent else index
        self._memory = Memory(index, cards, self._entries, self._describer, known or {})
        self._opening = Opening(link, [] if parent else cards, self.tally)
        self.complete: bool = not self.handles

    def _find(self, storage_ids: Iterable[int] | None, parent: int) -> list[Card]:
        """Return the cards with their handles."""
        cut = None
        if storage_ids is None:
            storage_ids, cut = storages_of(self._link)
            if not storage_ids:
                raise no_card()
        cards, self.unlisted = cards_of(self._link, storage_ids, parent, self.tally)
        if cut is not None:
            self.unlisted[0] = cut
        listed = dict.fromkeys(self.handles)
        for card in cards:
            if not card.handles and not parent:
                self.doubts += filter(None, [question(self._link, card, self.tally)])
            listed.update(dict.fromkeys(card.handles))
        if len(listed) > MAX_HANDLES:
            raise ProtocolError(f"the camera lists more than {MAX_HANDLES:,} objects")
        self._list(list(listed))
        return cards

    def _list(self, handles: list[int]) -> None:
        self.handles = self._describer.handles = handles

    def pieces(self, size: int | None = None) -> Generator[ObjectTable, None, None]:
        """Yield tables as `next` returns them, then `close`."""
        try:
            while (table := self.next(size)) is not None:
                yield table
        finally:
            self.close()

    def next(self, size: int | None = None) -> ObjectTable | None:
        """Return a table of the files among the next `size` handles; of all the rest by default.

        A last table repeats objects that earlier tables had wrong from the index.

        Returns:
            The table; None at the end.

        Raises:
            NetworkError, ProtocolError: the session has ended. After a reconnect, call this again.
        """
        self._memory.recall(self._link, self.tally, self._open_folders)
        if not self.complete:
            end = self._end(size)
            last = end == len(self.handles)
            table = self._piece(self.handles[self._at : end], last=last)
            self._at, self.complete = end, last
            return table
        if doubted := dict(self._entries.doubted()):
            return self._corrected(doubted)
        self.close()
        return None

    def _end(self, size: int | None) -> int:
        """Return the end of the next table, with everything before it described.

        At the end of the list it also opens folders that seem empty.
        """
        while True:
            there = len(self.handles)
            end = there if size is None else min(self._at + size, there)
            self._describer.describe(self.handles[self._at : end])
            if end < there or not self._open_folders(self._entries.answers()):
                return end

    def ahead(self, handles: Iterable[int]) -> ObjectTable:
        """Return a table of these handles before those that are still to be listed.

        They are added to the list, or taken out of its rest, and are described in any case.

        Args:
            handles: of new objects. None of them was in a table.
        """
        self._memory.recall(self._link, self.tally, self._open_folders)
        new = dict.fromkeys(handles)
        rest = [handle for handle in self.handles[self._at :] if handle not in new]
        before = [handle for handle in self.handles[: self._at] if handle not in new]
        for handle in new:
            self._entries.drop(handle)
        self._list([*before, *new, *rest])
        self._at, self.complete = len(before) + len(new), not rest
        self._describer.ask(new)
        self._closed = False
        return self._table(new)

    def more(self, taken: Collection[int]) -> bool:
        """Add what the camera offers next, if it offers its objects one after the other.

        Args:
            taken: the listed handles whose files are complete here.

        Returns:
            Whether there is more to list.
        """
        listed = set(self.handles)
        new = [handle for handle in self._link.dialect.more(taken) if handle not in listed]
        if new:
            self._list(self.handles + new)
            self.complete = False
        return bool(new)

    def _open_folders(self, known: Mapping[int, Answer]) -> bool:
        """Open folders that seem empty; return whether they had more handles."""
        new = self._opening.open(known)
        listed = set(self.handles)
        self._list(self.handles + [handle for handle in new if handle not in listed])
        self._describer.bulk_is_due |= bool(new)
        return len(self.handles) > len(listed)

    def close(self) -> None:
        """Store in the index what is known so far."""
        if self._closed:
            return
        self._closed = True
        self._memory.keep(complete=self.complete)
        self.tally.remembered = len(self._entries.remembered(self.handles))
        camera, count = self._link.connection.address, len(self.handles)
        tell("listed", camera=camera, objects=count, tally=self.tally)

    def known(self, handle: int) -> Description | None:
        """Return the known description of an object or folder, without asking the camera."""
        return self._entries.description(handle)

    def beyond_index(self) -> dict[int, Description]:
        """Return the known descriptions that `close` does not store in the index."""
        return self._memory.not_kept(self.handles)

    def files_if_cheap(self, most: int) -> list[Description] | None:
        """Return all files if at most `most` objects are not in the index; else None.

        Takes one request for each of these, and a few to check the index.
        """
        self._memory.recall(self._link, self.tally, self._open_folders)
        missing = [handle for handle in self.handles if handle not in self._entries]
        if len(missing) > most:
            return None
        self._describer.ask(missing)
        known = map(self._entries.description, self.handles)
        return [each for each in known if each is not None and not each.is_folder]

    def withdraw(self) -> None:
        """Delete the index of this listing, and store nothing until `restore`.

        Objects are about to be deleted, and new ones may get their handles.
        """
        self._memory.withdraw()

    def restore(self, *, without: Collection[int]) -> None:
        """Store in the index again, after `withdraw`, without these handles."""
        self._memory.restore()
        for handle in without:
            self._entries.drop(handle)
        self._memory.keep(complete=self.complete)

    def table(self, formats: Formats | None = None) -> ObjectTable:
        """Return all files that were in no table yet.

        Args:
            formats: one or several format codes and kinds.
        """
        wanted = wanted_formats(formats)
        objects: dict[int, ObjectInfo] = {}
        failures: dict[int, PTPError] = {}
        for piece in self.pieces():
            objects.update((info.handle, info) for info in piece)
            failures.update(piece.failures)
        for handle in failures:
            objects.pop(handle, None)
        unlisted = list(self.unlisted.items())
        table = ObjectTable(list(objects.values()), list(failures.items()), unlisted)
        return only(table, wanted)

    def confirm(
        self, objects: Iterable[ObjectInfo], progress: ListingProgress | None = None
    ) -> ObjectTable:
        """Return these objects as the camera describes them now.

        Takes one request for each `remembered` object, or one for all if there are many. If one of
        them has changed, everything remembered of its storage is discarded.

        Args:
            objects: the objects.
            progress: called with (compared, all to compare).
        """
        handles = [info.handle for info in objects]
        doubtful = self._entries.remembered(handles)
        tell = Count(len(doubtful), progress)
        tell(0)
        self._describer.compare_in_bulk(doubtful)
        left = self._entries.remembered(doubtful)
        tell(len(doubtful) - len(left))
        self._describer.ask(left, lambda: tell(tell.done + 1))
        self._memory.distrust_wrong()
        return self._table(handles)

    def _piece(self, handles: list[int], *, last: bool) -> ObjectTable:
        self._closed = False
        if last:
            self._memory.distrust_unexplained()
            self._describer.describe(handles)  # the doubted ones again; usually none
        table = self._table(handles)
        self._entries.show(handles)
        return table

    def _corrected(self, shown: Mapping[int, Description]) -> ObjectTable:
        """Return the objects that a table showed from the index and that are different."""
        doubted = [handle for handle in self.handles if handle in shown]
        self._describer.describe(doubted)
        table = self._table(h for h in doubted if not self._entries.agrees(h, shown[h]))
        for handle in shown:
            self._entries.settle(handle)
        return table

    def _table(self, handles: Iterable[int]) -> ObjectTable:
        objects, failures = [], []
        for handle in handles:
            known = self._entries[handle]
            if isinstance(known, PTPError):
                failures.append((handle, known))
            elif not known.is_folder:
                remembered = self._entries.is_remembered(handle)
                connection = self._entries.connection(handle)
                objects.append(
                    self._folders.object_info(
                        handle, known, remembered=remembered, connection=connection
                    )
                )
        failures += self._opening.failures
        self._opening.failures.clear()
        return ObjectTable(objects, failures)
