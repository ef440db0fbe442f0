"""Requests at which a camera closes the connection, hangs or stays busy every time.

A connection can be lost anywhere. If it is lost at the same request again and again, although
reconnecting works, the request is the cause: its object is set aside so that the rest can be
downloaded. An answer clears the request, so that chance losses over days do not add up. If one
object after the other fails like this, the run ends.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from ..ptp.errors import CameraFailing, DeviceBusy, PTPError, Unreadable

log: logging.Logger = logging.getLogger("ptpfast")

# If the connection ends this often at an object, although reconnecting works, it is the cause.
SAME_PLACE = 3
# Where only its description is asked for: each loss may cost the whole timeout.
SAME_DESCRIPTION = 2
# Objects in a row: from then on each is asked for once and hardly waited for; then it is over.
BRIEF_AFTER = 3
STOP_AFTER = 10

T = TypeVar("T")
Recover = Callable[[PTPError, bool], object]


class Streak:
    """Objects in a row at which the camera failed.

    Attributes:
        stops: Whether many of them end the run.
    """

    def __init__(self, *, stops: bool = True) -> None:
        self._stops = stops
        self._length = 0
        self._since = time.monotonic()

    @property
    def is_long(self) -> bool:
        """True if the camera may fail at every next object, so that timeouts should be short."""
        return self._length >= BRIEF_AFTER

    def ended(self) -> None:
        """Note that an object was received."""
        self._length = 0
        self._since = time.monotonic()

    def add(self, error: PTPError) -> None:
        """Count one more object that ended with `error`. Raises CameraFailing if there are too
        many."""
        self._length += 1
        if self._stops and self._length >= STOP_AFTER:
            count, took = self._length, time.monotonic() - self._since
            self.ended()
            raise CameraFailing(error, count, took) from error


class Losses:
    """The lost connections of a session, by operation and its object.

    recover(error, is_new) reconnects, or raises if that cannot help. `is_new` is True if something
    was answered or set aside since the last loss. Without `recover` the error is raised, and the
    loss is counted too.

    Attributes:
        limit: The losses at the same place that are enough.
        streak: Counts failures at objects.
    """

    def __init__(self) -> None:
        self.recover: Recover | None = None
        self.limit = SAME_PLACE
        self.streak: Streak = Streak()
        self._is_new = True
        self._counts: Counter[tuple[int, int]] = Counter()
        self._aside: dict[tuple[int, int], Unreadable] = {}

    def set_aside(self, operation: int, about: int) -> Unreadable | None:
        """Return why the object was set aside; None if it was not."""
        return self._aside.get((operation, about))

    def add(
        self, operation: int, about: int, error: PTPError, limit: int = SAME_PLACE
    ) -> Unreadable | None:
        """Note that the connection was lost at a request, and reconnect.

        Returns:
            The error if the request is the cause, that is after `limit` losses; else None, and the
            request may be tried again.

        Raises:
            PTPError: as `recover` raises.
        """
        place = operation, about
        self._counts[place] += 1
        aside = None
        if self._counts[place] >= (1 if self.streak.is_long else min(limit, self.limit)):
            aside = self._aside[place] = Unreadable(
                f"the camera closes the connection or hangs at this object every time; set aside "
                f"({error.message})",
                hint="look at it on the camera, or copy it from the card",
            )
            log.warning("0x%X is set aside: %s", about, error)
            self.streak.add(error)
        is_new, self._is_new = self._is_new or aside is not None, aside is not None
        if self.recover is None:
            raise error
        self.recover(error, is_new)
        return aside

    def answered(self, operation: int, about: int, error: PTPError | None = None) -> None:
        """Note that the camera answered a request about one object, perhaps with an error.

        Raises:
            CameraFailing: the camera stays busy for one object after the other.
        """
        if self._counts:
            self._counts.pop((operation, about), None)
        if isinstance(error, DeviceBusy):
            self.streak.add(error)
        else:
            self._is_new = True
            self.streak.ended()

    def forgive(self, about: int) -> None:
        """Have an object that was set aside be asked for again."""
        for place in [place for place in self._aside if place[1] == about]:
            del self._aside[place]
            self._counts.pop(place, None)

    def forget(self) -> None:
        """Forget all objects: the handles are those of another card."""
        self._counts.clear()
        self._aside.clear()
