"""Capture: release the shutter, and wait for the events and the new object.

Source: libgphoto2 (library.c) for the order and the oddities of a capture's events.
"""

from __future__ import annotations

import logging
import time

from ..link.describing import describe_one
from ..link.events import Event, Subscription
from ..link.link import Link
from ..link.patience import pause
from ..ptp.codes import EventCode, ObjectFormat, ResponseCode
from ..ptp.errors import ProtocolError, ResponseError, SessionNotOpen
from ..ptp.objects import ObjectInfo
from ..vendors.dialect import IN_MEMORY

log: logging.Logger = logging.getLogger("ptpfast")

# Right after ObjectAdded some bodies cannot describe the object yet: asked again for 5 s (airmtp).
DESCRIBE_S, DESCRIBE_PAUSE_S = 5.0, 0.25
_NOT_YET = frozenset({ResponseCode.GeneralError, ResponseCode.InvalidObjectHandle})
# After CaptureComplete, how long the second file of a RAW and JPEG pair may take to be reported.
SECOND_FILE_S = 0.5
# Without an event for so long the card is looked at, in case the camera reports none.
QUIET_S = 2.0
MOST_NEW = 100  # objects of one capture; if there are more, the first list was not whole


def poll(link: Link, subscription: Subscription, timeout: float | None) -> Event | None:
    """Return the next event from any source; None after `timeout` seconds or at the end."""
    polls, interval = link.dialect.polls, link.dialect.quirks.event_poll_s
    give_up = None if timeout is None else time.monotonic() + timeout
    while True:
        if (event := subscription.get(0)) is not None:
            return event
        if not link.usable:
            return None
        if polls:
            try:
                found = link.poll()
            except SessionNotOpen:
                return None
            if found:
                continue
        elif link.hub.closed:
            return None
        left = None if give_up is None else give_up - time.monotonic()
        if left is not None and left <= 0:
            return None
        wait = interval if polls else left
        wait = wait if left is None or wait is None else min(wait, left)
        if link.hub.closed:  # which ends the waits of a subscription; a polling body still tells
            pause(wait or 0.0)
            continue
        event = subscription.get(wait)
        if event is not None:
            return event


def capture(link: Link) -> ObjectInfo | None:
    """Release the shutter; wait for CaptureComplete and the new object or objects.

    Without events the new objects are found by comparing the handles before and after.
    """
    subscription = link.hub.subscribe()
    try:
        before = _handles(link)
        link.dialect.release()
        return _NewObjects(link, subscription, before).wait()
    finally:
        subscription.close()


class _NewObjects:
    """The new objects after one release of the shutter."""

    def __init__(self, link: Link, subscription: Subscription, before: dict[int, set[int]]) -> None:
        self._link = link
        self._subscription = subscription
        self._before = before
        # An event that was still queued may tell of a picture from before.
        self._seen = set().union(*before.values())
        self._complete = False
        self._found: ObjectInfo | None = None

    def wait(self) -> ObjectInfo | None:
        """Return the RAW of a pair, else the last new file; None if there is no new object."""
        give_up = time.monotonic() + self._link.dialect.quirks.capture_s
        looks = 0
        while (left := give_up - time.monotonic()) > 0 and self._link.usable:
            if self._listen(min(left, self._patience(looks))):
                if self._complete and self._found is not None and self._found.is_raw:
                    break
                continue
            # Nothing more is reported: the card tells.
            looks += 1
            known = self._found
            self._look()
            if self._found is not None and (self._found.is_raw or known is not None):
                break
            if self._complete and looks > 1:
                break
        return self._found

    def _patience(self, looks: int) -> float:
        """Return the seconds without an event until the card is checked; it grows each time."""
        if self._complete and not looks:
            return SECOND_FILE_S
        if self._complete or self._found is not None:
            return QUIET_S / 2 if looks else QUIET_S
        return QUIET_S * 2.0**looks

    def _listen(self, wait_s: float) -> bool:
        """Take the next event; return False if none comes for `wait_s` seconds."""
        until = time.monotonic() + wait_s
        event = poll(self._link, self._subscription, wait_s)
        if event is None:
            # Without an Event connection there is nothing to wait at.
            if self._link.usable and (left := until - time.monotonic()) > 0:
                time.sleep(left)
            return False
        if event.code == EventCode.CaptureComplete:
            self._complete = True
        elif event.code == EventCode.ObjectAdded and event.parameters:
            self._take(event.parameters[0])
        return True

    def _look(self) -> None:
        """Find the new handles, storage by storage."""
        for storage, after in _handles(self._link).items():
            before = self._before.get(storage)
            if before is None:
                continue
            # Handles stay in a session (ISO 15740); where they do not, they tell nothing.
            new, gone = after - before, before - after
            if len(new) <= MOST_NEW and 2 * len(gone) <= len(before):
                for handle in sorted(new):
                    self._take(handle)

    def _take(self, handle: int) -> None:
        if handle in self._seen:
            return
        self._seen.add(handle)
        info = _describe(self._link, handle)
        # A new folder is reported like a picture.
        if info is not None and info.format != ObjectFormat.Association:
            found = self._found
            self._found = info if found is None or (info.is_raw and not found.is_raw) else found


def _handles(link: Link) -> dict[int, set[int]]:
    """Return the handles in each storage that can be listed now."""
    from ..listing import Listing, storages_of

    found: dict[int, set[int]] = {}
    try:
        for storage in storages_of(link)[0]:
            try:
                found[storage] = set(Listing(link, [storage], 0).handles)
            except (ResponseError, ProtocolError) as error:
                log.debug("storage 0x%X is not compared: %s", storage, error)
    except (ResponseError, ProtocolError) as error:
        log.debug("no storages are compared: %s", error)
    return found


def is_on_card(link: Link, info: ObjectInfo) -> bool:
    """Return whether a storage lists an object. One in the camera's memory alone is lost at the end
    of the session."""
    listed = (storage for storage, handles in _handles(link).items() if info.handle in handles)
    return info.storage_id != IN_MEMORY and any(storage != IN_MEMORY for storage in listed)


def _describe(link: Link, handle: int) -> ObjectInfo | None:
    from ..listing import Folders

    give_up = time.monotonic() + DESCRIBE_S
    while True:
        try:
            return Folders(link).object_info(handle, describe_one(link, handle))
        except ResponseError as error:
            if error.code not in _NOT_YET:
                raise
            if time.monotonic() > give_up:
                return None
        time.sleep(DESCRIBE_PAUSE_S)
