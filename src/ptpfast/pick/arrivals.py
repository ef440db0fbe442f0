"""What happens on the card while the page is open: files come, change and go.

The camera's events tell, of some bodies only when they are polled. Now and then the handles are
compared as well: an event may be lost, and some bodies have none about objects.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

from ..library.plan.news import News
from ..listing import Listing
from ..session.capture import poll
from ..watching.cards import Cards
from ..watching.looking import Looking
from ..watching.reported import Reported

if TYPE_CHECKING:
    from ..listing import ListingProgress
    from ..ptp.objects import ObjectTable
    from ..session.session import Session


class Arrivals:
    """The changes of one session's cards. Only the desk's thread uses it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._news = News(self._begin)
        self._subscription = session.link.hub.subscribe()
        self._reported = Reported(self._news, self._subscription)
        self._cards = Cards(session)
        self._looking = Looking(session, self._cards, self._reported)
        self._looked = time.monotonic()

    def close(self) -> None:
        """End it."""
        self._subscription.close()

    def begin_listing(self) -> None:
        """Forget what was reported so far: the whole card is listed."""
        self._reported.forget()
        self._cards.remember()
        self._looking.poll_often()

    def end_listing(self, handles: Iterable[int]) -> None:
        """Note the handles of all that is listed."""
        self._cards.listed = set(handles)
        self._looked = time.monotonic()

    def hear(self) -> None:
        """Take the events that there are; a body that has to be polled is polled."""
        if event := poll(self._session.link, self._subscription, 0.0):
            self._reported.take(event)

    @property
    def cards_changed(self) -> bool:
        """Whether the whole card has to be listed."""
        self._reported.listen()
        return self._reported.cards_changed

    @property
    def has_events(self) -> bool:
        """Whether files are reported that are not dealt with yet."""
        reported = self._reported
        return self.cards_changed or bool(reported.changed or reported.gone) or self._news.waiting()

    @property
    def is_due(self) -> bool:
        """Whether there is something to take, or the handles have to be compared."""
        return self.has_events or time.monotonic() - self._looked >= self._looking.every_s

    def look(self) -> None:
        """Compare the handles, if it is time."""
        if time.monotonic() - self._looked < self._looking.every_s:
            return
        self._looked = time.monotonic()
        if (handles := self._looking.look()) is None:
            return
        listed, self._cards.listed = self._cards.listed, set(handles)
        self._reported.gone |= listed.difference(handles)
        for handle in handles:
            if handle not in listed:
                self._news.add(handle)

    def take_gone(self) -> set[int]:
        """Return the handles of deleted files, and forget them."""
        gone = set(self._reported.gone)
        self._reported.gone.clear()
        self._cards.listed -= gone
        return gone

    def take(self, storage_ids: list[int]) -> ObjectTable:
        """Return the files that are new or changed, and forget them.

        One that the camera cannot describe yet is asked for again, for some seconds.

        Args:
            storage_ids: the storages of the camera.
        """
        changed = set(self._reported.changed)
        self._reported.changed.clear()
        handles = [*self._news.take(), *changed]
        listing = Listing(self._session.link, (), handles=handles)
        listing.storage_ids = storage_ids
        try:
            with closing(listing):
                table = listing.next()
        except BaseException:
            for handle in handles:
                self._news.add(handle)
            raise
        assert table is not None  # the first one always is
        for handle, _ in table.failures:
            self._news.postpone(handle)
        self._cards.listed.update(handles)
        self._news.settle()
        return table

    def _begin(self, progress: ListingProgress) -> Listing:
        return Listing(self._session.link, (), progress=progress)
