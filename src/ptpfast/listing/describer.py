"""Descriptions of handles: in bulk if the answer can be trusted, else one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ..link.describing import describe_each
from ..link.link import Link
from ..link.tally import ListingProgress, Tally
from ..ptp.objects import Description
from .bulk import Bulk, Found
from .entries import Answer, Entries
from .recall import samples

log: logging.Logger = logging.getLogger("ptpfast")


class Describer:
    """Filler of the entries of a listing.

    Attributes:
        handles: All handles of the listing.
        storage_ids: Their storages.
    """

    def __init__(
        self,
        link: Link,
        entries: Entries,
        tally: Tally,
        parent: int,
        progress: ListingProgress | None,
    ) -> None:
        self.handles: list[int] = []
        self.storage_ids: list[int] = []
        self.bulk_is_due: bool = True  # once, and again when much is doubted
        self._link = link
        self._entries = entries
        self._tally = tally
        self._parent = parent
        self._bulk = Bulk(link, tally, self._tell_part)
        self._progress = progress
        self._done = 0  # as told to `progress`

    def describe(self, handles: Iterable[int]) -> None:
        """Describe all of these handles that are unknown."""
        if self.bulk_is_due and self.storage_ids:
            self.bulk_is_due = False
            self._describe_in_bulk()
        self.ask([handle for handle in handles if handle not in self._entries])
        self._tell()

    def ask(self, handles: Iterable[int], asked: Callable[[], object] = lambda: None) -> None:
        """Ask for each handle, then call `asked`; compare with the index."""

        # The one at the start: if it is lost in between, some answers count as older than they are.
        connection = self._link.connection.token

        def told(handle: int, answer: Answer) -> None:
            self._entries.put(handle, answer, connection)
            if isinstance(answer, Description):
                self._tally.asked += 1
            else:
                self._tally.failed += 1
                log.warning("object 0x%X cannot be described: %s", handle, answer)
            self._tell()
            asked()

        describe_each(self._link, handles, told, self._tally)

    def compare_in_bulk(self, doubtful: list[int]) -> None:
        """Compare all remembered descriptions with a bulk listing, if it is worth it and valid."""
        if not self._bulk.is_worth_it(len(doubtful), len(doubtful)):
            return
        connection, found = self._found()
        told = [handle for handle in self._entries.remembered(self.handles) if handle in found]
        if told and self._holds(told, found):
            for handle in self._entries.remembered(told):
                self._entries.put(handle, found[handle], connection)

    def _describe_in_bulk(self) -> None:
        """Describe all unknown handles with a bulk listing, if that is worth it and valid."""
        unknown = [handle for handle in self.handles if handle not in self._entries]
        if not self._bulk.is_worth_it(len(unknown), len(self.handles)):
            return
        connection, found = self._found()
        told = [handle for handle in unknown if handle in found]
        if told and self._holds(told, found):
            for handle in told:
                if handle not in self._entries:
                    self._entries.put(handle, found[handle], connection)

    def _found(self) -> tuple[int, Found]:
        """Return a bulk listing, and the connection at its start."""
        connection = self._link.connection.token
        return connection, self._bulk.describe(self.storage_ids, self._parent, self.handles)

    def _holds(self, told: list[int], found: Found) -> bool:
        """Return whether a bulk listing agrees with some objects that are requested alone."""
        compared = samples(told, found)
        self.ask(compared)
        answers = [self._entries.agrees(handle, found[handle]) for handle in compared]
        if False in answers or True not in answers:
            self._bulk.refuse("it says other things than of each object")
            return False
        self._tally.bulk += len(told) - len(compared)
        return True

    def _tell_part(self, part: float) -> None:
        """Report which part of the unknown descriptions has arrived."""
        if self._progress is not None:
            done = len(self._entries)
            self._progress(done + int(part * (len(self.handles) - done)), len(self.handles))

    def _tell(self) -> None:
        done = min(len(self._entries), len(self.handles))
        if self._progress is not None and done != self._done:
            self._done = done
            self._progress(done, len(self.handles))
