"""What the camera reports: new objects, and that its cards may be others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ptp.codes import EventCode

if TYPE_CHECKING:
    from ..library.plan.news import News
    from ..link.events import Event, Subscription

# After these the handles may be those of other objects.
OF_CARDS = frozenset({EventCode.StoreAdded, EventCode.StoreRemoved, EventCode.DeviceReset})
# After these there may be objects that no event has named.
UNNAMED = frozenset({EventCode.UnreportedStatus, EventCode.CaptureComplete})


class Reported:
    """The events of a session, as handles of new objects and as reasons to look at the card.

    Attributes:
        cards_changed: The listed handles may be those of other objects now.
        has_unnamed: There may be objects that no event has named.
        changed: Handles of known objects that are to be looked at again.
        gone: Handles of objects that were deleted.
    """

    def __init__(self, news: News, subscription: Subscription) -> None:
        self.cards_changed: bool = False
        self.has_unnamed: bool = False
        self.changed: set[int] = set()
        self.gone: set[int] = set()
        self._news = news
        self._subscription = subscription

    def listen(self) -> None:
        """Take all events that have arrived, without waiting."""
        while not self._subscription.is_empty:
            if (event := self._subscription.get(0)) is not None:
                self.take(event)

    def take(self, event: Event) -> None:
        """Take one event."""
        handle = event.parameters[0] if event.parameters else 0
        if event.code in OF_CARDS:
            self.cards_changed = True
        elif event.code in UNNAMED or (event.code == EventCode.ObjectAdded and not handle):
            self.has_unnamed = True
        elif event.code == EventCode.ObjectAdded:
            self._news.add(handle)
        elif event.code == EventCode.ObjectInfoChanged:
            self.changed.add(handle)
        elif event.code == EventCode.ObjectRemoved:
            self._news.drop(handle)
            self.gone.add(handle)

    def forget(self) -> None:
        """Forget everything: the whole card is listed."""
        self.listen()
        self._news.clear()
        self.cards_changed = self.has_unnamed = False
        self.changed.clear()
        self.gone.clear()
