"""Describe many objects with one request, if the camera has an operation for it.

One request covers the whole tree, or else one folder. Some bodies cut such a list, contradict it in
single descriptions, or close the connection. So a few objects are also requested alone and must
agree, and missing ones are requested alone. A body that fails is not asked like this again in the
session; if it only lost the connection, after the second time.

Source: libgphoto2 (library.c), which goes folder by folder and falls back to each object.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ..engine.phase import Phase
from ..engine.sink import MemorySink
from ..link.link import Link
from ..link.many import Many
from ..link.pipelining import Request
from ..link.tally import Tally
from ..ptp.errors import (
    ConnectFailed,
    DeviceBusy,
    NetworkError,
    ProtocolError,
    PTPError,
    ResponseError,
)
from ..ptp.objects import Description
from ..vendors import BulkListing

log: logging.Logger = logging.getLogger("ptpfast")

# Below this many objects single requests are as fast, and every body has them.
WORTH_IT = 32
MOST_OF_THEM = 8  # they must be at least one in so many objects of the answer
# An object has some dozen properties of 8 bytes and a value, most of them numbers.
BYTES_EACH = 4096
BYTES_BESIDE = 1 << 20
MAX_BULK = 256 << 20
MAX_LOST = 2  # connections in a row; one may be chance

Found = dict[int, Description]


class Bulk:
    """The bulk listings of a camera. `progress` is called with the received part of an answer."""

    def __init__(
        self, link: Link, tally: Tally, progress: Callable[[float], None] = lambda _: None
    ) -> None:
        self._link = link
        self._tally = tally
        self._progress = progress

    def is_worth_it(self, unknown: int, total: int) -> bool:
        """Return whether a bulk listing is available and faster for so many unknown objects."""
        enough = unknown >= WORTH_IT and unknown * MOST_OF_THEM >= total
        return enough and self._operation() is not None

    def describe(self, storage_ids: Iterable[int], parent: int, handles: list[int]) -> Found:
        """Ask the camera to describe many objects at once.

        Args:
            storage_ids: the storages.
            parent: a folder handle, or 0 for whole storages.
            handles: all handles of the storages or the folder.

        Returns:
            The descriptions by handle; perhaps not of each. Empty if the camera cannot do this.
        """
        operation = self._operation()
        if operation is None:
            return {}
        wanted = set(handles)
        try:
            answer = None
            if not parent:
                answer = self._tree(operation, wanted)
            if answer is None:
                answer = {}
                for storage_id in storage_ids:
                    self._folders(operation, storage_id, parent, wanted, answer)
        except DeviceBusy:
            return {}
        except (NetworkError, ProtocolError) as error:
            self._recover(operation, error)
            return {}
        self._link.habits.lost_in_bulk = 0
        if not answer:
            self.refuse("it says nothing")
        return answer

    def refuse(self, why: str) -> None:
        """Stop using the bulk operation in this session, and log why."""
        operation = self._operation()
        if operation is not None:
            log.warning("objects are not listed in bulk: %s", why)
            self._link.habits.refused.add(operation.operation)

    def _operation(self) -> BulkListing | None:
        for listing in self._link.dialect.bulk():
            code = listing.operation
            if self._link.supports(code) and code not in self._link.habits.refused:
                return listing
        return None

    def _limit(self, wanted: set[int]) -> int:
        return min(BYTES_BESIDE + BYTES_EACH * len(wanted), MAX_BULK)

    def _tree(self, operation: BulkListing, wanted: set[int]) -> Found | None:
        """Describe everything at once; None if the camera refuses."""
        if operation.tree is None:
            return None
        sink = MemorySink()
        self._tally.count(1)
        try:
            request = Request(
                operation.operation,
                operation.tree,
                sink,
                self._limit(wanted),
                on_pause=self._report,
            )
            self._link.transact(request)
        except ResponseError as error:
            if isinstance(error, DeviceBusy):
                raise
            log.debug("no list of the whole tree: %s", error)
            return None
        return _descriptions(operation, sink.finish() or bytearray(), wanted)

    def _report(self, phase: Phase) -> None:
        if phase.total:
            self._progress(min(1.0, phase.received / phase.total))

    def _folders(
        self,
        operation: BulkListing,
        storage_id: int,
        parent: int,
        wanted: set[int],
        found: Found,
    ) -> None:
        """Describe a folder's contents; without `parent` also all levels below."""
        asked: set[int] = set()

        def answered(handle: int, answer: bytearray | PTPError) -> None:
            if isinstance(answer, PTPError):
                log.debug("no list of folder 0x%X: %s", handle, answer)
            else:
                found.update(_descriptions(operation, answer, wanted))

        many = Many(
            self._link,
            operation.operation,
            self._limit(wanted),
            lambda handle: operation.folder(storage_id, handle),
            self._tally,
        )
        level = [parent]
        while level:
            many.ask(level, answered)
            asked.update(level)
            level = [
                handle
                for handle, known in found.items()
                if known.is_folder and known.storage_id == storage_id and handle not in asked
            ]
            if parent:
                return

    def _recover(self, operation: BulkListing, error: NetworkError | ProtocolError) -> None:
        """Reconnect, and stop using the operation if it may have made the camera fail."""
        habits = self._link.habits
        habits.lost_in_bulk += isinstance(error, NetworkError)
        if isinstance(error, NetworkError) and habits.lost_in_bulk < MAX_LOST:
            log.info("objects are listed one by one now: %s", error)
        else:
            self.refuse(str(error))
        if isinstance(error, NetworkError) or not self._link.usable:
            try:
                self._link.reconnect_after(error)
            except ConnectFailed:
                raise error from None


def _descriptions(operation: BulkListing, payload: bytearray, wanted: set[int]) -> Found:
    return {
        handle: Description.of(dataset, size)
        for handle, (dataset, size) in operation.parse(payload, wanted).items()
    }
