"""A run outlives its connection: after a loss it connects again and goes on where it was."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import TypeVar

from ..errors import NetworkError, ProtocolError, PTPError, StoreNotAvailable, Unreadable
from ..patience import Patience
from ..session import Session

log = logging.getLogger("ptpfast")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
# An object at which the connection ends so often, while it can be made anew, is to blame itself.
SAME_PLACE = 3

T = TypeVar("T")


Lost = Callable[[PTPError], object]


class Persistence:
    """Does things with a session that a lost connection may end, and then again.

    tries: how often in a row it connects again although nothing has come since, with pauses that
    grow; 0 never, None without end. lost(error) is called before each. `retries` counts.
    """

    def __init__(self, session: Session, tries: int | None, lost: Lost) -> None:
        self._session = session
        self._lost = lost
        self._patience = Patience(
            math.inf, first_s=FIRST_PAUSE_S, most_s=LONGEST_PAUSE_S, tries=tries
        )
        self.retries = 0

    def run(
        self, work: Callable[[], T], kept: Callable[[], int] | None = None, had: int | None = None
    ) -> T:
        """What `work` returns. `kept` says how much of it need not be done again, `had` how much of
        that there is before it begins, if that is another number.

        Raises what `work` raises if that is not the connection's fault, the NetworkError or
        ProtocolError when the tries are used up, and with `kept` Unreadable when the connection
        ends again and again at the same place: then it stands anew, and other work can be done.
        """
        fruitless = 0
        asleep = False  # perhaps
        so_far = had if had is not None else kept() if kept else 0
        while True:
            try:
                done = work()
            except StoreNotAvailable:
                # No card; but it is also the last word of a camera that goes to sleep, and then the
                # next try finds the connection at its end.
                if asleep or self._patience.is_used_up:
                    raise
                asleep = True
            except (NetworkError, ProtocolError) as error:
                if kept is not None and (now := kept()) > so_far:
                    so_far, fruitless = now, 0
                    self._patience.reset()
                else:
                    fruitless += 1
                if isinstance(error, ProtocolError) and self._session.usable:
                    if kept is None:  # a dataset that cannot be read: it will be no better
                        raise
                else:
                    self._connect(error)
                    asleep = False
                if kept is not None and fruitless == SAME_PLACE:
                    raise Unreadable(
                        f"it went wrong {SAME_PLACE} times at the same place: {error.message}",
                        hint="try it by itself, or fetch it from the card",
                        received=so_far,
                    ) from error
            else:
                self._patience.reset()
                return done

    def _connect(self, error: PTPError) -> None:
        while True:
            if self._patience.is_used_up:
                raise error
            self.retries += 1
            self._lost(error)
            self._patience.wait(error)
            try:
                self._session.reconnect(self._patience)
            except PTPError as again:
                log.debug("connected again in vain: %s", again)
                error = again
            else:
                return
