"""The dialect of Panasonic's bodies with "LUMIX Tether" over a network: experimental.

Access and some operations are known of a DC-BGH1 (webptz). Everything else is known over USB
(libgphoto2), and is used where a body lists the operation.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ptp.codes import EventCode, OperationCode
from ...ptp.errors import DeviceBusy, Unsupported
from ..dialect import Dialect, PolledEvent
from ..leaving import leaving
from ..quirks import Quirks
from .codes import (
    LIVE_VIEW_OFF,
    LIVE_VIEW_ON,
    RELEASE,
    SESSION_ID,
    PanasonicEvent,
    PanasonicOperation,
)
from .datasets import picture_of

MAX_FRAME = 16 << 20
FRAME_S = 0.04  # until the next frame is asked for, where there is none yet (libgphoto2)
MOST_BUSY = 100  # times in a row

QUIRKS = Quirks(session_id=SESSION_ID)
# Events that mean one of the standard's (libgphoto2 library.c).
_MEANING = {
    PanasonicEvent.ObjectAdded: EventCode.ObjectAdded,
    PanasonicEvent.ObjectAddedInMemory: EventCode.ObjectAdded,
    PanasonicEvent.PropertyChanged: EventCode.DevicePropChanged,
}


class PanasonicDialect(Dialect):
    """Releases and live view where the body lists them."""

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Return the standard's event for Panasonic's."""
        known = _MEANING.get(code) if parameters else None  # type: ignore[call-overload]
        return [(code if known is None else known, parameters)]

    def release(self) -> None:
        """Take a picture, as libgphoto2 does over USB; else the standard way."""
        if self.link.supports(PanasonicOperation.InitiateCapture):
            self.link.command(PanasonicOperation.InitiateCapture, RELEASE)
        else:
            self.link.command(OperationCode.InitiateCapture, 0, 0)

    def live_view(self) -> Iterator[bytes]:
        """Yield frames, asked for one by one (libgphoto2, over USB)."""
        if not self.link.supports(PanasonicOperation.LiveViewImage):
            raise Unsupported("the camera lists no live view; over HTTP it is not supported")
        self.link.command(PanasonicOperation.LiveView, LIVE_VIEW_ON)
        with leaving(self._stop_showing):
            while True:
                yield self._frame()

    def _stop_showing(self) -> None:
        self.link.command(PanasonicOperation.LiveView, LIVE_VIEW_OFF)

    def _frame(self) -> bytes:
        for _ in range(MOST_BUSY):
            try:
                frame = self.link.fetch(PanasonicOperation.LiveViewImage, limit=MAX_FRAME)
                return picture_of(frame)
            except DeviceBusy:
                self.link.pause(FRAME_S)
        raise Unsupported(f"the camera sent no live view frame in {MOST_BUSY} tries")
