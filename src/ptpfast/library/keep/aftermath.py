"""Check what deletions did on the camera.

A camera may answer OK and delete nothing, or delete another object, or all files of a shot. So the
list of handles from before the first deletion is compared with later lists. This happens after the
first deletion, then after twice as many each time, when an object still exists, and at the end of
the run. A list of ten thousand handles is 40 KB, too much for each deletion.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ...listing import describe_one
from ...ptp.errors import InvalidObjectHandle, NetworkError, ProtocolError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...session.persistence import Persistence
    from ...session.session import Session

log: logging.Logger = logging.getLogger("ptpfast")

STILL_THERE = "the camera reported the deletion, but the picture is still there"
MOST_IN_VAIN = 3  # deletions in a row, until no more are asked for
IN_VAIN = f"not deleted: the camera confirmed {MOST_IN_VAIN} deletions in a row and deleted nothing"
OTHERS_VANISHED = "not deleted: other objects vanished from the camera"
# A list that lacks handles may be cut short: so many of those are asked for.
MOST_ASKED = 16


class Aftermath:
    """Check what deletions really did.

    stopped: why no more objects are deleted; '' while deletion goes on.
    vanished: handles of objects that disappeared without being deleted by this run.
    """

    def __init__(self, session: Session, persistence: Persistence) -> None:
        self.stopped: str = ""
        self.vanished: list[int] = []
        self._session = session
        self._persistence = persistence
        self._asked: set[int] = set()
        self._connection: object = None  # to which the handles belong
        self._before: dict[int, set[int]] = {}  # handles by storage
        self._done = 0
        self._due = 1  # number of deletions after which the lists are compared
        self._in_vain = 0

    def before(self, handle: int) -> None:
        """Run before each DeleteObject: ask for the handles once per connection."""
        self._asked.add(handle)
        if self._connection is not self._session.link.connection:
            self._before = self._handles()
            self._connection = self._session.link.connection

    def after(self, outcome: str, is_folder: Callable[[int], bool]) -> list[int]:
        """After each DeleteObject that was answered OK, '' or STILL_THERE; handles that have
        vanished without being asked for, which `is_folder` does not know as those of folders."""
        self._done += 1
        self._in_vain = self._in_vain + 1 if outcome else 0
        found: list[int] = []
        if outcome or self._done == self._due:
            self._due = max(self._due, 2 * self._done)
            found = self.compare(is_folder)
        if self._in_vain >= MOST_IN_VAIN and not self.stopped:
            self.stopped = IN_VAIN
            log.warning("nothing more is deleted: the camera answers OK but deletes nothing")
        return found

    def compare(self, is_folder: Callable[[int], bool]) -> list[int]:
        """Compare the handles with those from before; record those that vanished unasked."""
        if not self._before or self._connection is not self._session.link.connection:
            return []
        try:
            now = self._persistence.run(self._handles)
        except NetworkError as error:  # no reason to fail: what there was to do is done
            log.debug("the handles cannot be compared: %s", error)
            return []
        if self._connection is not self._session.link.connection:
            return []  # handles are promised for one connection
        # A storage that is no longer listed is a card that was taken out.
        missing = [
            handle
            for storage_id in self._before.keys() & now.keys()
            for handle in sorted(self._before[storage_id] - now[storage_id] - self._asked)
            if not is_folder(handle)
        ]
        missing = [
            handle
            for number, handle in enumerate(missing)
            if number >= MOST_ASKED or self._is_gone(handle)
        ]
        if missing:
            self.stopped = OTHERS_VANISHED
            self.vanished += missing
            self._asked.update(missing)  # each is told once
        return missing

    def _handles(self) -> dict[int, set[int]]:
        """Return the handles by storage; empty if the camera does not list them."""
        try:
            return {
                storage_id: set(self._session.handles(storage_id))
                for storage_id in self._session.storage_ids()
            }
        except (ResponseError, ProtocolError) as error:
            if not self._session.usable:
                raise
            log.debug("the handles cannot be compared: %s", error)
            return {}

    def _is_gone(self, handle: int) -> bool:
        def look() -> bool:
            try:
                describe_one(self._session.link, handle)
            except InvalidObjectHandle:
                return True
            return False

        try:
            return self._persistence.run(look)
        except (ResponseError, ProtocolError):
            if not self._session.usable:
                raise
            return False
