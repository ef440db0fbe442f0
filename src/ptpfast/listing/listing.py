"""A listing: handles, what is remembered of them, the rest asked for, a piece at a time.

Sources: airmtp for asking only for what is new.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Iterable, Mapping

from ..link.describing import describe_each
from ..link.link import Link
from ..link.tally import Count, ListingProgress, Tally
from ..ptp.errors import ProtocolError, PTPError
from ..ptp.objects import Description, ObjectInfo, ObjectTable
from ..state.index import Index
from .bulk import Bulk
from .cards import (
    MAX_HANDLES,
    Unlisted,
    cards_of,
    introduce,
    no_card,
    question,
    storages_of,
)
from .entries import Answer, Entries
from .folders import Folders
from .formats import Formats, only, wanted_formats
from .opening import Opening
from .recall import Card, samples

log = logging.getLogger("ptpfast")


class Listing:
    """The files of some storages, of one folder, or of some handles, as `ObjectTable`s.

    With an index, what an earlier session has learnt and still holds is not asked for again; it is
    `remembered` in the tables, and `confirm` compares it with the camera before it is relied on.
    `handles` are all those of files and folders, `complete` says whether each has been in a table,
    `tally` where everything came from and what it cost. `unlisted` are storages that could not be
    listed, and why (0: those that a cut list of storages does not name); `doubts` says in words why
    a card that lists nothing may not be empty.
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
    ) -> None:
        """storage_ids: None for all; StoreNotAvailable where there is no card."""
        self.tally = Tally()
        self.unlisted: Unlisted = {}
        self.doubts: list[str] = []
        self._link = link
        self._parent = parent
        self._index = None if parent else index
        self._bulk = Bulk(link, self.tally, self._tell_part)
        self._bulk_is_due = True  # once, and again when much is doubted
        self._progress = progress
        self._done = 0  # as told to `progress`
        self._entries = Entries()
        self._folders = Folders(link, self._entries, self.tally)
        self._recalled = self._index is None
        self._at = 0  # of the handles, in tables so far
        self._closed = False
        self._withdrawn = False
        self._cards: list[Card] = []
        self.handles = list(dict.fromkeys(handles))
        self._find(storage_ids)
        self._opening = Opening(link, [] if parent else self._cards, self.tally)
        self.complete = not self.handles

    def _find(self, storage_ids: Iterable[int] | None) -> None:
        """The cards, and the handles of each."""
        cut = None
        if storage_ids is None:
            storage_ids, cut = storages_of(self._link)
            if not storage_ids:
                raise no_card()
        self._cards, self.unlisted = cards_of(self._link, storage_ids, self._parent, self.tally)
        if cut is not None:
            self.unlisted[0] = cut
        listed = dict.fromkeys(self.handles)
        for card in self._cards:
            if not card.handles and not self._parent:
                self.doubts += filter(None, [question(self._link, card, self.tally)])
            listed.update(dict.fromkeys(card.handles))
        if len(listed) > MAX_HANDLES:
            raise ProtocolError(f"the camera lists more than {MAX_HANDLES:,} objects")
        self.handles = list(listed)

    def pieces(self, size: int | None = None) -> Generator[ObjectTable, None, None]:
        """The files in the camera's order, as `next` has them, and then `close`."""
        try:
            while (table := self.next(size)) is not None:
                yield table
        finally:
            self.close()

    def next(self, size: int | None = None) -> ObjectTable | None:
        """The files among the next `size` handles, by default among all that are left. None when
        there are no more.

        A last table holds again what earlier ones had wrong from the index, if anything. Raises
        NetworkError, and a ProtocolError that ends the session; when it stands again, this may be
        asked again, and goes on.
        """
        self._recall()
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
        """Where the next table ends, with all before it described and, where that is all there is,
        the folders opened that nothing of the list is in."""
        while True:
            there = len(self.handles)
            end = there if size is None else min(self._at + size, there)
            self._describe(self.handles[self._at : end])
            if end < there or not self._open_folders(self._entries.answers()):
                return end

    def _open_folders(self, known: Mapping[int, Answer]) -> bool:
        """Whether there are more handles now."""
        new = self._opening.open(known)
        listed = set(self.handles)
        self.handles += [handle for handle in new if handle not in listed]
        self._bulk_is_due |= bool(new)
        return len(self.handles) > len(listed)

    def close(self) -> None:
        """Keeps in the index what is known, if not all then that."""
        if self._closed:
            return
        self._closed = True
        self._keep()
        self.tally.remembered = len(self._entries.remembered(self.handles))
        log.info("listed %s objects: %s", f"{len(self.handles):,}", self.tally)

    def known(self, handle: int) -> Description | None:
        """What is known of an object or a folder, without asking; None when nothing is."""
        return self._entries.description(handle)

    def withdraw(self) -> None:
        """Forgets what is kept of the camera and keeps nothing of this listing until `restore`:
        objects are about to be deleted, and new ones may get their handles."""
        self._withdrawn = True
        if self._index is not None:
            self._index.forget()

    def restore(self, *, without: Collection[int]) -> None:
        """Keeps, after `withdraw` and at the end, what is known but for these handles."""
        self._withdrawn = False
        for handle in without:
            self._entries.drop(handle)
        self._keep()

    def table(self, formats: Formats | None = None) -> ObjectTable:
        """All files no table has had yet; `formats`: one or several format codes and kinds."""
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
        """These objects as the camera describes them now. One request for each that is
        `remembered`, or one for all if there are many; when one is wrong all that is remembered of
        its storage is. progress(done, total) is told how many of those are compared."""
        handles = [info.handle for info in objects]
        doubtful = self._entries.remembered(handles)
        tell = Count(len(doubtful), progress)
        tell(0)
        if self._bulk.is_worth_it(len(doubtful), len(doubtful)):
            self._compare_in_bulk()
        left = self._entries.remembered(doubtful)
        tell(len(doubtful) - len(left))
        self._ask(left, lambda: tell(tell.done + 1))
        self._distrust(card for card in self._cards if False in self._entries.were(card.remembered))
        return self._table(handles)

    def _recall(self) -> None:
        """Fills in, once, what is remembered and stands up to a look at some of it."""
        if self._recalled:
            return
        for card in self._cards:
            if card.name is None:
                self._introduce(card)
        chosen = (handle for card in self._cards for handle in card.samples())
        self._ask(self._entries.remembered(chosen))
        for card in self._cards:
            answers = self._entries.were(card.remembered)
            if card.remembered and (False in answers or True not in answers):
                self._distrust([card])
        self._recalled = True

    def _introduce(self, card: Card) -> None:
        """Asks for what the card says of itself, and recalls what is known of it."""
        introduce(self._link, card, self.tally)
        if self._index is None or card.name is None:
            return
        remembered = self._index.recall(card.storage_id, card.name)
        there = set(card.handles)
        if any(
            handle not in there and each.parent in there
            for handle, each in remembered.descriptions.items()
        ):
            # Gone, or never listed but in its folder.
            self._open_folders({**remembered.descriptions, **self._entries.answers()})
        card.remember(remembered)
        self._entries.remember(card.remembered)

    def _distrust(self, cards: Iterable[Card]) -> None:
        """Believes nothing remembered of these any more, and asks for it when its turn comes."""
        for card in cards:
            log.warning(
                "what was remembered of storage 0x%08X does not hold; it is read anew",
                card.storage_id,
            )
            self._entries.distrust(card.remembered)
            card.forget()
            self._bulk_is_due = True
            if self._index is not None and card.name is not None:
                self._index.keep(card.storage_id, card.name, None, {})

    def _piece(self, handles: list[int], *, last: bool) -> ObjectTable:
        self._closed = False
        if last:
            self._distrust(card for card in self._cards if not self._space_is_explained(card))
            self._describe(handles)  # again what has just been doubted; nothing as a rule
        table = self._table(handles)
        self._entries.show(handles)
        return table

    def _space_is_explained(self, card: Card) -> bool:
        came = (
            known
            for handle in card.handles
            if handle not in card.remembered
            and (known := self._entries.description(handle)) is not None
        )
        return not card.remembered or card.space_is_explained(came)

    def _corrected(self, shown: Mapping[int, Description]) -> ObjectTable:
        """What a table has shown from the index and is otherwise."""
        doubted = [handle for handle in self.handles if handle in shown]
        self._describe(doubted)
        table = self._table(h for h in doubted if not self._entries.agrees(h, shown[h]))
        for handle in shown:
            self._entries.settle(handle)
        return table

    def _describe(self, handles: Iterable[int]) -> None:
        """Sees to it that all of these are known."""
        if self._bulk_is_due and self._cards:
            self._bulk_is_due = False
            self._describe_in_bulk()
        unknown = [handle for handle in handles if handle not in self._entries]
        self._ask(unknown)
        self._tell_progress()

    def _describe_in_bulk(self) -> None:
        """All that is unknown, if that is better asked for together, and holds."""
        unknown = [handle for handle in self.handles if handle not in self._entries]
        if not self._bulk.is_worth_it(len(unknown), len(self.handles)):
            return
        storage_ids = [card.storage_id for card in self._cards]
        found = self._bulk.describe(storage_ids, self._parent, self.handles)
        told = [handle for handle in unknown if handle in found]
        compared = samples(told, found)
        self._ask(compared)
        answers = [self._entries.agrees(handle, found[handle]) for handle in compared]
        if False not in answers and True in answers:
            self.tally.bulk += len(told) - len(compared)
            for handle in told:
                if handle not in self._entries:
                    self._entries.put(handle, found[handle])
        elif told:
            self._bulk.refuse("it says other things than of each object")

    def _compare_in_bulk(self) -> None:
        """All that is remembered with what the camera says of it together, if that holds."""
        storage_ids = [card.storage_id for card in self._cards]
        found = self._bulk.describe(storage_ids, self._parent, self.handles)
        told = [handle for handle in self._entries.remembered(self.handles) if handle in found]
        if not told:
            return
        compared = samples(told, found)
        self._ask(compared)
        answers = [self._entries.agrees(handle, found[handle]) for handle in compared]
        if False in answers or True not in answers:
            self._bulk.refuse("it says other things than of each object")
            return
        self.tally.bulk += len(told) - len(compared)
        for handle in self._entries.remembered(told):
            self._entries.put(handle, found[handle])

    def _ask(self, handles: Iterable[int], asked: Callable[[], object] = lambda: None) -> None:
        """Asks for each, and calls `asked` then; what was remembered of it is compared."""

        def told(handle: int, answer: Answer) -> None:
            self._entries.put(handle, answer)
            if isinstance(answer, Description):
                self.tally.asked += 1
            else:
                self.tally.failed += 1
                log.warning("object 0x%X cannot be described: %s", handle, answer)
            self._tell_progress()
            asked()

        describe_each(self._link, handles, told, self.tally)

    def _tell_part(self, part: float) -> None:
        """That a part of what is unknown has come."""
        if self._progress is not None:
            done = len(self._entries)
            self._progress(done + int(part * (len(self.handles) - done)), len(self.handles))

    def _tell_progress(self) -> None:
        done = min(len(self._entries), len(self.handles))
        if self._progress is not None and done != self._done:
            self._done = done
            self._progress(done, len(self.handles))

    def _table(self, handles: Iterable[int]) -> ObjectTable:
        objects, failures = [], []
        for handle in handles:
            known = self._entries[handle]
            if isinstance(known, PTPError):
                failures.append((handle, known))
            elif not known.is_folder:
                remembered = self._entries.is_remembered(handle)
                objects.append(self._folders.object_info(handle, known, remembered=remembered))
        failures += self._opening.failures
        self._opening.failures.clear()
        return ObjectTable(objects, failures)

    def _keep(self) -> None:
        """Writes what is known into the index if it differs; the free space if all is known."""
        if self._index is None or self._withdrawn:
            return
        for card in self._cards:
            if card.name is None:
                continue
            described = {
                handle: known
                for handle in card.handles
                if (known := self._entries.description(handle)) is not None
            }
            free = card.free if self.complete and len(described) == len(card.handles) else None
            same = len(described) == len(card.remembered) and not card.gone
            if not same or free is None or free != card.was_free:
                self._index.keep(card.storage_id, card.name, free, described)
