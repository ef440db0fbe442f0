"""Compare the handles now and then: an event may be lost, and some bodies have none about objects.

`watch` and `pick` share it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..link.patience import pause
from ..ptp.codes import EventCode
from ..ptp.errors import SessionNotOpen

if TYPE_CHECKING:
    from ..link.events import Event, Subscription
    from ..session.session import Session
    from .cards import Cards
    from .reported import Reported

LOOK_S = 30.0  # between two looks at the handles, where events tell of new objects
LOOK_OFTEN_S = 1.0  # where they do not, and after an event that names no object
POLL_S = 0.5  # between two polls of events while the camera is asked for other things
# The part of the time since the last event that may pass between two polls: who shoots now will
# shoot again, and who has not shot for long can wait for half a second.
POLL_PART = 1 / 20
FIRST_VENDOR_EVENT = 0xC000


class Looking:
    """The looks at the handles of one session's cards."""

    def __init__(self, session: Session, cards: Cards, reported: Reported) -> None:
        self._session = session
        self._cards = cards
        self._reported = reported
        self._stirred = time.monotonic()  # when something was reported last

    @property
    def is_deaf(self) -> bool:
        """True if no event can come: the Event connection alone has ended."""
        link = self._session.link
        return link.hub.closed and not link.dialect.polls

    @property
    def every_s(self) -> float:
        """Seconds between two looks."""
        if self._reported.has_unnamed or self.is_deaf:
            return LOOK_OFTEN_S
        tells = self._session.link.dialect.polls or tells_of_objects(self._session)
        return LOOK_S if tells else LOOK_OFTEN_S

    @property
    def poll_s(self) -> float:
        """Seconds between two polls of events: few after an event, more the longer it is quiet."""
        quirks = self._session.link.dialect.quirks
        quiet_s = time.monotonic() - self._stirred
        return min(quirks.event_poll_s, max(quirks.quick_poll_s, POLL_PART * quiet_s))

    def stir(self) -> None:
        """Note that the camera has just reported something."""
        self._stirred = time.monotonic()

    def hear(self, subscription: Subscription, most_s: float) -> Event | None:
        """Return the next event; None if there is none for `most_s` seconds, or until the next
        poll."""
        link = self._session.link
        if self.is_deaf:
            pause(most_s)
            return None
        if (event := subscription.get(0)) is not None or not link.usable:
            return event
        if link.dialect.polls:
            try:
                if link.poll():
                    return subscription.get(0)  # None if it was reported before
            except SessionNotOpen:
                return None
            most_s = min(most_s, self.poll_s)
        if link.hub.closed:  # which ends the waits of a subscription; a polling body still tells
            pause(most_s)
            return None
        return subscription.get(most_s)

    def look(self) -> list[int] | None:
        """Return the handles that the camera has now. None if its cards are others, which is
        noted as if the camera had reported it."""
        self._reported.has_unnamed = False
        if not self._cards.are_others():
            handles = self._session.handles()
            if self._cards.are_mostly_there(handles):
                return handles
        self._reported.cards_changed = True
        return None

    def poll_often(self) -> None:
        """Poll events at least every half second, also while objects are read."""
        dialect = self._session.link.dialect
        poll_s = min(POLL_S, dialect.quirks.busy_poll_s)
        dialect.quirks = replace(dialect.quirks, busy_poll_s=poll_s)


def tells_of_objects(session: Session) -> bool:
    """Return whether the camera lists an event that can tell of a new object."""
    codes = session.device_info.events_supported
    return EventCode.ObjectAdded in codes or any(code >= FIRST_VENDOR_EVENT for code in codes)
