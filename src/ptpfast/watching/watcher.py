"""Watch one session: fetch what is new, look at the card now and then, and survive everything.

Each piece of work is a `Run` of `library`, which selects, names, fetches and records as `pull`
does. The first run, and the first one after each reconnect or change of a card, lists the whole
card. While it is at work it takes up what the camera reports (`News`). Between two runs the watcher
waits for events, and now and then compares the handles, in case an event was lost.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..library.plan.known import Known
from ..library.plan.news import News
from ..library.remote.failures import TargetLost
from ..link.patience import Patience, go_on
from ..listing import Listing
from ..ptp.errors import ConnectionLost, PTPError, SinkError, StoreNotAvailable
from ..ptp.scope import Scope, scope_of
from ..session import persistence
from ..session.persistence import Persistence
from .cards import Cards
from .ledger import Ledger, is_settled
from .looking import Looking
from .reported import Reported

if TYPE_CHECKING:
    from pathlib import Path

    from ..library.plan.options import Options
    from ..library.run import Run
    from ..listing import ListingProgress
    from ..ptp.objects import Description, ObjectInfo
    from ..session.session import Session
    from .previews import Previews
    from .telling import Telling

    Runs = Callable[[Session, Options], AbstractContextManager[Run]]

log: logging.Logger = logging.getLogger("ptpfast")

LIST_S = 600.0  # between two listings of the whole card
STEP_S = 0.25  # how long a wait takes at most to see that the watch is to end
PIECE = 64
MOST_KNOWN = 2000  # descriptions of new objects in memory: less than 1 MB
BITE = 8  # new objects that are described before the first of them is fetched
# Scopes of errors that are not the camera's.
ENDS_WATCH = (Scope.DESTINATION, Scope.COMPUTER, Scope.STOPPED)


def patience() -> Patience:
    """Return the pauses between tries without end."""
    first_s, most_s = persistence.FIRST_PAUSE_S, persistence.LONGEST_PAUSE_S
    return Patience(math.inf, first_s=first_s, most_s=most_s)


class Watcher:
    """The watcher of a session. It ends by an error only, and by Cancelled."""

    def __init__(
        self,
        session: Session,
        options: Options,
        telling: Telling,
        *,
        first: frozenset[str] = frozenset(),
        new_only: bool = False,
        runs: Runs,
        previews: Previews | None = None,
    ) -> None:
        """options: of each run. first: the kinds of new objects that come before the others.
        runs: makes each run. previews: stores those of new RAW files."""
        self._session = session
        self._telling = telling
        self._new_only = new_only
        self._runs = runs
        self._ledger = Ledger()
        self._news = News(
            self._begin,
            listen=self._listen,
            is_over=self._is_over,
            wants=self._ledger.wants,
            is_first=lambda info: not first or info.kind in first,
            show=_nothing if previews is None else partial(previews.show, session.camera),
        )
        if previews is None and options.selection.order != "newest":
            self._news.bite = BITE
        self._subscription = session.link.hub.subscribe()
        self._reported = Reported(self._news, self._subscription)
        self._options = replace(options, observer=telling, retry=None, news=self._news, new=True)
        self._persistence = Persistence(session, None, telling.lost, telling.reconnecting)
        self._patience = patience()
        self._cards = Cards(session)
        self._known: dict[int, Description] = {}  # that the index does not have yet
        self._looking = Looking(session, self._cards, self._reported)
        self._listing: Listing | None = None
        self._session_number = session.link.reconnects
        self._is_due = True  # a listing of the whole card

    def run(self) -> None:
        """Watch until something ends it."""
        try:
            while True:
                try:
                    self._step()
                except PTPError as error:
                    self._survive(error)
        finally:
            self._subscription.close()

    def _look_at_history(self) -> None:
        """Find out whether the history tells which objects were fetched, wherever their files are.

        It may fail for a while, or be damaged. That ends no watch.
        """
        known = Known.of(self._session, history=True)
        can_tell = True
        try:
            known.require()
        except SinkError as error:
            can_tell = False
            if self._options.new:
                log.warning("only files in the folder count as downloaded: %s", error)
        finally:
            known.close()
        if can_tell != self._options.new:
            self._options = replace(self._options, new=can_tell)

    def _survive(self, error: PTPError) -> None:
        """Wait after an error of the camera. Raises the error if it is not the camera's."""
        comes_back = isinstance(error, TargetLost) and self._telling.was_watching
        if scope_of(error) in ENDS_WATCH and not comes_back:
            raise error
        log.info("%s; trying again", error)
        was_calm = self._telling.status.state == "watching"
        if comes_back:
            self._telling.become("no destination", error.message)
        elif isinstance(error, StoreNotAvailable):
            self._telling.become("no card", error.message)
        elif scope_of(error) is Scope.CONNECTION:
            self._telling.become("away", error.message)
        else:
            self._telling.become("failing", error.message)
        self._is_due = True
        if not was_calm or self._session.usable:  # else there is a pause before the next connection
            self._patience.wait(error)

    def _step(self) -> None:
        go_on()
        if self._is_over():
            self._is_due = True
        if self._is_due:
            self._list()
        elif self._news.waiting():
            self._run()
        self._telling.complete()
        if not self._has_work():  # else not all that the camera has reported is here
            self._telling.become("watching")
        self._patience.reset()
        self._wait()

    # Runs

    def _list(self) -> None:
        """Fetch everything on the card that is not here yet."""
        self._persistence.run(self._connected)
        self._telling.become("listing")
        self._begin_session()
        if not self._cards.remember():
            self._known.clear()
        if self._new_only:
            self._new_only = False
            self._note_existing()
        self._run()

    def _connected(self) -> None:
        """Raise ConnectionLost if the session has ended; it is made again then."""
        if not self._session.usable:
            status = self._telling.status
            known = status.reason if status.state == "away" else ""
            known = known or self._session.link.connection.ended_by
            raise ConnectionLost(known or "the connection to the camera is lost")

    def _begin_session(self) -> None:
        link = self._session.link
        # After a restart a camera reports the same cards again. Another card is only one that is
        # reported while the connection lasts.
        is_other_card = self._reported.cards_changed and link.reconnects == self._session_number
        if is_other_card:
            link.losses.forget()
            self._known.clear()
        self._session_number = link.reconnects
        self._ledger.begin_session(is_other_card=is_other_card)
        self._reported.forget()
        self._looking.poll_often()

    def _note_existing(self) -> None:
        """With `new_only`: have the objects that are on the card count as unwanted."""
        begin = partial(self._session.listing, progress=self._telling.listing)
        with self._persistence.for_listings(), closing(self._persistence.run(begin)) as listing:
            while (piece := self._persistence.run(partial(listing.next, PIECE))) is not None:
                self._ledger.note_existing(piece)

    def _run(self) -> None:
        self._look_at_history()
        with self._runs(self._session, self._options) as run:
            try:
                run.go()
            finally:
                listing, self._listing = self._listing, None
                listed = listing.handles if listing is not None else ()
                self._ledger.learn(run.report.files, listed)
                learned = self._learned(listing)
                self._known.update(learned)
                settled = [result.handle for result in run.report.files if is_settled(result)]
                self._news.settle(settled)
        if not self._is_over():
            if self._is_due:
                self._known = learned  # the index has the others now
            self._is_due = False
            self._news.settle()
        self._looking.stir()

    def _learned(self, listing: Listing | None) -> dict[int, Description]:
        """Return what a listing has learned and the index will not have."""
        if listing is None or self._session.index is None:
            return {}
        return listing.beyond_index()

    def _begin(self, progress: ListingProgress) -> Listing:
        """Return the listing of the next run: of the whole card, or of what is reported alone."""
        if self._is_due:
            link, index = self._session.link, self._session.index
            self._listing = Listing(link, None, index=index, progress=progress, known=self._known)
            handles = self._listing.handles
            self._ledger.keep(handles)
            # What was shot while the connection was lost comes before older files.
            new = self._ledger.news_of_reconnect(self._cards.list(handles))
            urgent = self._news.unsettled.union(new)
            for handle in handles:
                if handle in urgent:
                    self._news.add(handle)
        else:
            self._listing = Listing(self._session.link, ())
            self._listing.storage_ids = self._cards.storage_ids
        return self._listing

    # What the camera reports

    def _listen(self) -> None:
        self._reported.listen()

    def _is_over(self) -> bool:
        self._reported.listen()
        link = self._session.link
        return self._reported.cards_changed or link.reconnects != self._session_number

    def _wait(self) -> None:
        """Wait until there is something to fetch, or the connection has ended."""
        looked = listed = time.monotonic()  # at the earliest
        if len(self._known) >= MOST_KNOWN:  # a listing of the card moves them to the index
            self._is_due = True
            return
        was_deaf = self._looking.is_deaf
        while not self._has_work():
            go_on()
            now = time.monotonic()
            # The Event connection has ended: alone, or because the camera is gone.
            is_looking, was_deaf = self._looking.is_deaf and not was_deaf, self._looking.is_deaf
            if now - listed >= LIST_S:
                self._is_due = True
                return
            if not self._session.usable:
                self._persistence.run(self._connected)
                return
            if is_looking or now - looked >= self._looking.every_s:
                self._look()
                looked = time.monotonic()
            else:
                self._hear()

    def _hear(self) -> None:
        """Wait a moment for the next event."""
        if event := self._looking.hear(self._subscription, self._step_s()):
            self._looking.stir()
            self._reported.take(event)

    def _has_work(self) -> bool:
        reported = self._reported
        if reported.changed or reported.gone:
            self._forget(reported.gone | reported.changed)
            for handle in reported.changed:
                self._news.add(handle)
            reported.changed.clear()
            reported.gone.clear()
        for handle in self._ledger.due():
            self._session.link.losses.forgive(handle)
            self._news.add(handle)
        return self._news.waiting() or self._is_over()

    def _forget(self, handles: Collection[int]) -> None:
        """Forget objects that are gone, or that have changed."""
        self._ledger.forget(handles)
        for handle in handles:
            self._known.pop(handle, None)

    def _step_s(self) -> float:
        """Return how long to wait for an event at a time."""
        link = self._session.link
        step_s = link.dialect.quirks.event_poll_s if link.dialect.polls else STEP_S
        due_s = self._news.due_s
        return step_s if due_s is None else min(step_s, due_s)

    def _look(self) -> None:
        """Compare the handles, in case an event was lost."""
        if (handles := self._looking.look()) is None:
            return
        self._forget(self._cards.listed.difference(handles))
        self._cards.list(handles)
        for handle in self._ledger.unknown(handles):
            self._news.add(handle)
        if self._session.link.dialect.offers_one:
            # A picture that is offered again has to be told to be here, before another one comes.
            for handle in self._ledger.here.intersection(handles):
                self._news.add(handle)


def _nothing(info: ObjectInfo, path: Path) -> None:
    pass
