"""Reconnect and resume after a lost connection."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..link.losses import SAME_PLACE, Streak
from ..link.patience import Patience, TooSlow
from ..logs import tell
from ..ptp.errors import (
    DeviceBusy,
    ProtocolError,
    PTPError,
    ResponseError,
    StoreNotAvailable,
    Unreadable,
)
from ..ptp.scope import Scope, scope_of
from .session import Session

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
PROGRESS = 1024  # bytes; less is next to nothing, and does not come for ever
MOST_CRUMBS = 50  # connections in a row that have brought less than that

T = TypeVar("T")


Lost = Callable[[PTPError], object]


def patience_of(tries: int | None, *, told: Callable[[PTPError, float], object]) -> Patience:
    """Return the pauses between tries to connect again; None: without end."""
    return Patience(math.inf, first_s=FIRST_PAUSE_S, most_s=LONGEST_PAUSE_S, tries=tries, told=told)


class Persistence:
    """Runner of work that continues after a lost connection.

    tries: how often in a row it connects again although nothing has come since, with pauses that
    grow; 0 never, None without end. lost(error) is called for each lost connection, and
    trying(number) before each pause and try. `retries` counts. An object
    at which the connection ends again and again, or the camera stays busy, is set aside; a camera
    that fails so at one object after the other is asked only briefly, and then given up.
    """

    def __init__(
        self,
        session: Session,
        tries: int | None,
        lost: Lost,
        trying: Callable[[int], object] | None = None,
    ) -> None:
        self.session = session
        self._lost = lost
        self._trying = trying
        self._patience = patience_of(tries, told=self._tell_try)
        self.retries: int = 0
        # Losses at one place until it is the cause: with few tries, one fewer than would end all.
        self._limit = min(SAME_PLACE, tries + 1) if tries else SAME_PLACE
        self._reading = Streak()
        self._is_brief = False
        self._deleting = Streak(stops=False)  # a refused deletion is no failure

    @contextmanager
    def for_listings(self) -> Iterator[None]:
        """Reconnect here if the connection is lost while objects are described."""
        losses = self.session.link.losses
        before, losses.recover, losses.limit = losses.recover, self._recover, self._limit
        try:
            yield
        finally:
            losses.recover, losses.limit = before, SAME_PLACE

    def _recover(self, error: PTPError, is_new: bool) -> None:
        if is_new:
            self._patience.reset()
        self._connect(error)

    def read(self, work: Callable[[], T], kept: Callable[[], int], had: int | None = None) -> T:
        """Call `run` for an object that is read. Raises CameraFailing after too many failures."""
        return self._one(self._reading, work, kept, had)

    def delete(self, work: Callable[[], T]) -> T:
        """Call `run` for an object that is deleted."""
        return self._one(self._deleting, work, lambda: 0, None)

    def _one(
        self, streak: Streak, work: Callable[[], T], kept: Callable[[], int], had: int | None
    ) -> T:
        self.session.habits.is_brief = self._is_brief = streak.is_long
        try:
            done = self.run(work, kept, had)
        except (DeviceBusy, Unreadable) as error:
            cause = error.__cause__
            streak.add(cause if isinstance(cause, PTPError) else error)
            raise
        finally:
            self.session.habits.is_brief = self._is_brief = False
        streak.ended()
        return done

    def run(
        self,
        work: Callable[[], T],
        kept: Callable[[], int] | None = None,
        had: int | None = None,
        *,
        most: Callable[[], int | None] = lambda: None,
    ) -> T:
        """Run `work`, again after each lost connection, and return its result.

        Args:
            work: what to do; it continues where it stopped.
            kept: returns how many bytes need not be done again.
            had: that number before the work begins, if it is another one.
            most: called after each lost connection: how many tries are worth it now, if fewer.

        Raises:
            NetworkError, ProtocolError: the retries are used up.
            Unreadable: it ends at the same place each time (only with `kept`); other work goes on.
            PTPError: any other error of `work`.
        """
        fruitless = crumbs = 0
        limit = 1 if self._is_brief else self._limit
        asleep_at: int | None = None  # perhaps, with so many bytes kept
        so_far = had if had is not None else kept() if kept else 0
        while True:
            try:
                done = work()
            except StoreNotAvailable:
                # No card, or the last word of a camera that goes to sleep and ends the connection.
                now = so_far if kept is None else kept()
                if asleep_at == now or self._patience.is_used_up:
                    raise
                asleep_at = now
            except PTPError as error:
                if scope_of(error) is not Scope.CONNECTION:
                    raise
                now = so_far if kept is None else kept()
                crumbs = 0 if now >= so_far + PROGRESS else crumbs + 1
                if now > so_far and crumbs <= MOST_CRUMBS and not isinstance(error, TooSlow):
                    fruitless = 0
                    self._patience.reset()
                else:
                    fruitless += 1
                so_far = max(so_far, now)
                is_to_blame = kept is not None and fruitless >= limit
                if isinstance(error, ProtocolError) and self.session.usable:
                    if kept is None:  # a dataset that cannot be read: it will be no better
                        raise
                else:
                    if is_to_blame:  # the next request is about another object
                        self._patience.reset()
                    with self._patience.at_most(most()):
                        self._connect(error)
                    asleep_at = None
                if is_to_blame:
                    raise _unreadable(error, fruitless, so_far) from error
            else:
                self._patience.reset()
                return done

    def _tell_try(self, error: PTPError, waited_s: float) -> None:
        camera, attempt = self.session.link.connection.address, self._patience.waits
        tell("connection_lost", camera=camera, reason=error.message, attempt=attempt)
        if self._trying is not None:
            self._trying(self._patience.waits)

    def _connect(self, error: PTPError) -> None:
        while True:
            if self._patience.is_used_up:
                raise error
            self.retries += 1
            self._lost(error)
            self._patience.wait(error)
            try:
                self.session.reconnect(self._patience)
            except PTPError as again:
                if scope_of(again) is not Scope.CONNECTION and not isinstance(again, ResponseError):
                    raise
                error = again
            else:
                return


def _unreadable(error: PTPError, times: int, kept: int) -> Unreadable:
    """Return the error for an object that is the cause."""
    errors = "1 error" if times == 1 else f"{times} errors"
    return Unreadable(
        f"{errors} at the same place: {error.message}",
        hint="retry this object alone, or copy it from the card",
        received=kept,
    )
