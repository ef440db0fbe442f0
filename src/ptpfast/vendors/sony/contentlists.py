"""Reading the card by content lists, in the mode "Remote control with transfer".

Source: Sony's Camera Control PTP 3 Reference alone. No capture of a real camera is published.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from ...ptp.codes import EventCode, ResponseCode
from ...ptp.errors import (
    DeviceBusy,
    InvalidObjectHandle,
    ProtocolError,
    PTPError,
    ResponseError,
    TransferError,
    Unsupported,
    response_error,
)
from ...ptp.objects import ObjectInfo
from ..bulk import BulkListing, Described
from ..dialect import PolledEvent
from ..quirks import MiB, Quirks
from ..reads import PartialRead, WholeRead
from .catalogue import Card, Entry, Handles, add, slot_of, storage_of
from .codes import ENABLED, REGENERATED, UPDATED, Mode, SonyEvent, SonyOperation
from .contents import ContentInfoList, parse_capture_times, parse_contents
from .datasets import low_high
from .deleting import Deletions
from .sdio import SdioDialect, no_such_object

log: logging.Logger = logging.getLogger("ptpfast")

PAGE, MOST_IN_PAGE = 256, 1 << 16  # contents of one request
MOST_OF_ONE = 16 << 10  # bytes of a content in a page, on average; one of two files has 600
FEW = 16  # contents, to see one again
MOST_FILES = 1 << 19
MAX_LIST = 64 << 20  # bytes of an answer
ADDED = 1  # kind of a change of a list
RESTARTS = 3  # of a listing whose database was renewed
LOCAL = 1  # type of the time parameter
# Files that are still written are listed again after a second, or when the camera says so.
WRITE_TRIES, WRITE_PAUSE_S = 5, 1.0
BUSY_S = 10.0  # for a deletion, unless the caller says another time
QUIRKS = Quirks(
    # The largest request that has been seen (public notes on Sony's own program).
    max_chunk=3 * MiB,
    whole_objects=False,
    keep_awake_s=5.0,  # airmtp
)


class ContentLists(SdioDialect):
    """A session that reads the card, while the camera goes on taking pictures."""

    mode: ClassVar[Mode] = Mode.REMOTE_WITH_TRANSFER
    takes_priority: ClassVar[bool] = False
    asks_between_reads = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.quirks = QUIRKS
        self._handles = Handles()
        self._cards: dict[int, Card] = {}  # by slot, as last listed
        self._fresh: set[int] = set()  # handles whose description has just been listed
        self._newest: dict[int, int] = {}  # by slot: the last capture time when the session began
        # Slots that the camera has reported, or that are written → whether files may be gone.
        self._changed: dict[int, bool] = {}
        self._read: dict[int, tuple[int | None, int, int]] = {}  # what is read, by handle
        self._looked: set[int] = set()  # of these: was compared at the end
        self._deletions = Deletions(self.link)

    def begin(self) -> None:
        """Authenticate. Lists from before a reconnect are dropped if the camera renewed its own."""
        super().begin()
        self._fresh.clear()
        for slot, card in list(self._cards.items()):
            renewed = self.value(REGENERATED[slot])
            if renewed is None or renewed != card.data_time:
                del self._cards[slot]
        for slot in self._slots():
            self._newest[slot] = self._last_capture(slot)

    def _slots(self) -> list[int]:
        enabled = [slot for slot, code in ENABLED.items() if self.value(code)]
        return enabled if any(code in self.now for code in ENABLED.values()) else [1]

    def _last_capture(self, slot: int) -> int:
        """Return the newest capture time of a slot: later ones are new pictures."""
        try:
            operation = SonyOperation.GetCapturedDateList
            times = parse_capture_times(self.link.fetch(operation, slot, limit=MAX_LIST))
        except (ResponseError, ProtocolError) as error:
            log.debug("slot %d says no capture times: %s", slot, error)
            return 0
        return max(times, default=0)

    # Listing

    def storages(self) -> list[int]:
        """Return the slots whose content list is enabled."""
        self.look()
        return [storage_of(slot) for slot in self._slots()]

    def handles(self, storage_id: int, parent: int) -> list[int]:
        """Ask for the list of a slot; ask again for some seconds while the camera writes a file."""
        slot, code = slot_of(storage_id), ResponseCode.InvalidStorageID
        if slot not in ENABLED:
            what = f"content list of 0x{storage_id:08X}"
            raise response_error(code, SonyOperation.GetContentInfoList, doing=what)
        card = self._listed(slot)
        for _ in range(WRITE_TRIES):
            if all(entry.is_written for entry in card.entries.values()):
                break
            self.link.pause(WRITE_PAUSE_S)
            card = self._listed(slot)
        self._fresh.update(card.entries)
        return card.handles(parent)

    def _listed(self, slot: int) -> Card:
        """Return the card of a slot as it is now."""
        for _ in range(RESTARTS):
            card = Card()
            if self._fill(card, slot):
                self._cards[slot] = card
                self._newest[slot] = max(self._newest.get(slot, 0), card.newest)
                return card
        raise ProtocolError(f"the content list of slot {slot} was renewed {RESTARTS} times")

    def _continued(self, slot: int, before: Card) -> Card | None:
        """Return a card with what is new on it; None if nothing is, or the list was renewed."""
        card = Card(dict(before.entries), dict(before.folders), before.data_time)
        written = [each for each in card.entries.values() if not each.is_written]
        since = min((each.content.created_local for each in written), default=before.newest)
        if not self._fill(card, slot, since) or card.entries == before.entries:
            return None
        self._cards[slot] = card
        return card

    def _fill(self, card: Card, slot: int, since: int = 0) -> bool:
        """Add all contents from a time on; return False if the list was renewed in between."""
        found: set[int] = set()
        limit = PAGE
        while True:
            page = self._page(slot, since, limit)
            if card.data_time not in (None, page.data_time):
                return False
            card.data_time = page.data_time
            new = [each for each in page.contents if each.content_id not in found]
            if not new and len(page.contents) < limit:
                return True
            if not new:  # so many of one moment
                limit *= 4
            found.update(each.content_id for each in new)
            add(card, slot, new, self._handles)
            if max(len(found), len(card.entries)) > MOST_FILES or limit > MOST_IN_PAGE:
                raise ProtocolError(f"slot {slot} lists more than {MOST_FILES:,} files")
            since = max((each.created_local for each in page.contents), default=since)

    def _page(self, slot: int, since: int, limit: int) -> ContentInfoList:
        request = SonyOperation.GetContentInfoList, *low_high(since), limit, slot, LOCAL
        most = min(max(limit, PAGE) * MOST_OF_ONE, MAX_LIST)
        return parse_contents(self.link.fetch(*request, limit=most))

    def described(self, handle: int) -> Described:
        """Describe a file: from the listing that has just been made, else as it is now.

        Raises:
            InvalidObjectHandle: the camera does not list it any longer.
            DeviceBusy: the camera still writes it.
        """
        for card in list(self._cards.values()):
            if handle in card.folders:
                return card.folders[handle].described
        entry = self._find(handle)
        if entry is None or handle not in self._fresh:
            entry = self._seen_again(handle, entry)
        self._fresh.discard(handle)
        if self._read.get(handle, self._source(entry)) != self._source(entry):
            raise TransferError(
                f"the camera has renewed its list while {entry.name} was read",
                hint="read it again",
            )
        if not entry.is_written:
            what = f"{entry.name} is still being written"
            raise DeviceBusy(ResponseCode.DeviceBusy, SonyOperation.GetContentInfoList, doing=what)
        return entry.described

    def _find(self, handle: int) -> Entry | None:
        cards = list(self._cards.values())
        return next((card.entries[handle] for card in cards if handle in card.entries), None)

    def _seen_again(self, handle: int, known: Entry | None) -> Entry:
        """Return an entry as the camera lists it now. Raises InvalidObjectHandle."""
        if known is not None:
            card = self._cards[known.slot]
            page = self._page(known.slot, known.content.created_local, FEW)
            if page.data_time == card.data_time:
                seen = add(Card(), known.slot, page.contents, self._handles)
                for entry in seen:
                    if entry.handle == handle:
                        card.entries[handle] = entry
                        return entry
        for slot in self._slots():
            card = self._listed(slot)
            if handle in card.entries:
                return card.entries[handle]
        raise no_such_object(handle)

    # Reading

    def rating(self, handle: int) -> int | None:
        """Return the rating in the content list; None if there is none."""
        return None if (entry := self._find(handle)) is None else entry.stars

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return none: the content list has described everything."""
        return ()

    def reads(self) -> tuple[PartialRead, ...]:
        """Return GetContentData, with offsets of 64 bits."""
        return (PartialRead(SonyOperation.GetContentData, 64, self._data_parameters),)

    def _data_parameters(self, handle: int, offset: int, size: int) -> tuple[int, ...]:
        """Return the parameters of a read. The end-point flag, which nothing explains, is 0."""
        return *self._named(handle), *low_high(offset), size & 0x7FFFFFFF

    def _named(self, handle: int) -> tuple[int, int]:
        """Return content and file of a handle as parameters. Raises InvalidObjectHandle."""
        if (entry := self._find(handle)) is None:
            raise no_such_object(handle)
        return entry.content_id, entry.file_parameter

    def whole(self) -> None:
        """Return None: contents are read in parts."""

    def thumb(self) -> WholeRead:
        """Return GetContentCompressedData for thumbnails."""
        operation = SonyOperation.GetContentCompressedData
        return WholeRead(operation, lambda handle: (*self._named(handle), 1))

    def before_thumbnail(self, handle: int) -> None:
        """List the slots that this session has not listed yet: the handle may be of an earlier."""
        if self._find(handle) is None:
            for slot in set(self._slots()) - self._cards.keys():
                self._listed(slot)

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Note which content is read, to see whether its id names another one in the end.

        Raises:
            TransferError: the camera has renewed its list.
        """
        handle = info.handle
        if (entry := self._find(handle)) is not None:
            self._read[handle] = self._source(entry)
        self._looked.discard(handle)
        try:
            yield
            if handle not in self._looked and self.may_have_changed(handle):
                self.described(handle)
        finally:
            self._read.pop(handle, None)

    def _source(self, entry: Entry) -> tuple[int | None, int, int]:
        return self._cards[entry.slot].data_time, entry.content_id, entry.file_parameter

    def may_have_changed(self, handle: int) -> bool:
        """Return whether the camera has renewed the list that names the content.

        The ids may then name other contents, so Sony's reference says to start the file over. Also
        True if the body does not report when it generated the list.
        """
        self._looked.add(handle)
        entry = self._find(handle)
        if entry is None:
            return True
        self.look(changes=True)
        renewed = self.value(REGENERATED[entry.slot])
        if renewed == self._cards[entry.slot].data_time:
            return False
        self._fresh.discard(handle)
        return True

    # Deleting

    @property
    def deletes(self) -> bool:
        """True if the body deletes contents."""
        return self.link.supports(SonyOperation.DeleteContent)

    def undeletable(self, handle: int) -> str:
        """Return why a file is not deleted: the camera deletes all files of a picture together."""
        entry = self._find(handle)
        others = [] if entry is None else [one for one in entry.content.files if one != entry.file]
        if not others:
            return ""
        names = ", ".join(one.path.rpartition("/")[2] for one in others[:3])
        return f"the camera would delete {names} with it"

    def delete(self, handle: int, busy_s: float | None = None) -> None:
        """Delete a file that is the only one of its content; return when it is gone.

        A list that is renewed gives the content's id to another one. So the id is looked up after
        each pause, right before the camera is asked.

        Raises:
            Unsupported: the content has other files.
            TransferError: the camera still lists the file, or may have deleted another one.
        """
        give_up = time.monotonic() + (BUSY_S if busy_s is None else busy_s)
        while True:
            self._deletions.pause()
            entry, data_time = self._to_delete(handle)
            try:
                self._deletions.ask(entry.content_id, entry.slot)
                break
            except DeviceBusy:
                if time.monotonic() >= give_up:
                    raise
        is_gone = False
        try:
            self._seen_again(handle, entry)
        except InvalidObjectHandle:
            is_gone = True
        renewed = self._cards[entry.slot].data_time != data_time
        # Without a UMID the handle is of the id, which a renewed list gives to another content.
        if is_gone and (any(entry.file.umid) or not renewed):
            return
        if renewed:
            raise TransferError(
                f"the camera has renewed its list while {entry.name} was deleted",
                hint="list the objects again: another picture may have been deleted instead",
            )
        raise TransferError(f"the camera still lists {entry.name} after it was asked to delete it")

    def _to_delete(self, handle: int) -> tuple[Entry, int | None]:
        """Return a file as the camera lists it now, and when it generated that list."""
        card = self._cards[self._seen_again(handle, self._find(handle)).slot]
        if handle not in card.entries:  # the poll has listed it once more
            raise no_such_object(handle)
        entry = card.entries[handle]
        if reason := self.undeletable(handle):
            raise Unsupported(f"{entry.name} is not deleted: {reason}")
        return entry, card.data_time

    # Events

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Note changes of the lists and results of deletions; `poll` reports the objects."""
        if code == SonyEvent.ContentInfoListChanged:
            slot, kind = (*parameters, 1, 0)[:2] if parameters else (1, 0)
            if slot in ENABLED:
                self._changed[slot] = self._changed.get(slot, False) or kind != ADDED
            return []
        if code == SonyEvent.DeleteResult:
            self._deletions.note(parameters)
            return []
        return super().meaning(code, parameters)

    def poll(self) -> list[PolledEvent]:
        """Report changed properties, and the files that are new or gone."""
        changed = super().poll()
        for code in UPDATED.keys() & {code for _, (code,) in changed}:
            self._changed.setdefault(UPDATED[code], True)
        for slot in self._slots():
            if slot not in self._changed:
                continue
            may_be_gone = self._changed.pop(slot)
            try:
                changed += self._news(slot, may_be_gone)
            except PTPError:  # the next poll lists it
                self._changed[slot] = self._changed.get(slot, False) or may_be_gone
                if not changed:
                    raise
        return changed

    def _news(self, slot: int, may_be_gone: bool) -> Iterable[PolledEvent]:
        """List a slot that has changed; it is listed again while a new file is written."""
        before = self._cards.get(slot)
        known = None if before is None else {h for h, e in before.entries.items() if e.is_written}
        since = self._newest.get(slot, 0)
        later = None if before is None or may_be_gone else self._continued(slot, before)
        entries = (later or self._listed(slot)).entries
        news = [
            entry
            for handle, entry in entries.items()
            if (entry.content.created_local > since if known is None else handle not in known)
        ]
        if not all(entry.is_written for entry in news):
            self._changed.setdefault(slot, False)
        added = [(EventCode.ObjectAdded, (e.handle,)) for e in news if e.is_written]
        gone = [] if before is None else [h for h in before.entries if h not in entries]
        return [*added, *((EventCode.ObjectRemoved, (handle,)) for handle in gone)]
