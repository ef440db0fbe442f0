"""The dialect of Nikon's DSLR, Nikon 1 and Z bodies.

Sources: libgphoto2 (ptp.h, library.c), airmtp (airmtp.py, README), zcine, camcon; each fact names
its own.
"""

from __future__ import annotations

import time

from ...ptp.codes import EventCode, OperationCode
from ...ptp.errors import DeviceBusy
from ..dialect import Dialect, PolledEvent, ReconnectFirst
from ..quirks import MiB, Quirks
from ..reads import GET_PARTIAL_OBJECT, PartialRead
from .approval import approve, not_kept
from .codes import NO_AUTOFOCUS, TO_CARD, NikonEvent, NikonOperation, NikonResponse
from .datasets import low_high, parse_events, parse_events_ex, parse_object_size
from .generations import awaits_approval, is_nikon_1

MAX_EVENTS = 1 << 20  # bytes of polled events; a body has a handful at a time

# DeviceReady is asked every 100 ms, and for as long as the longest exposure (libgphoto2 library.c).
READY_POLL_S = 0.1
READY_S = 1000.0


# Both halves of offset and size, low half first (libgphoto2 ptp.c, ptp_nikon_getpartialobjectex).
GET_PARTIAL_OBJECT_EX = PartialRead(
    NikonOperation.GetPartialObjectEx,
    64,
    lambda handle, offset, size: (handle, *low_high(offset), *low_high(size)),
)


# Each with its evidence.
QUIRKS = Quirks(
    # A D7200 and a J5 whose session was closed sooner did not answer the next Init (airmtp).
    close_after_open_s=1.0,
    # An Init sooner after a close can wedge a body until its battery is pulled (zcine).
    reconnect_pause_s=1.2,
    # Whole objects and large partial reads make bodies slower and slower until they halt; 1 MiB
    # pieces do not, and libgphoto2, EOS Utility and airmtp all use them (airmtp README, gp#218).
    max_chunk=1 * MiB,
    whole_objects=False,
)


# "Retry later", besides the standard's DeviceBusy (libgphoto2 ptp.h).
BUSY = frozenset(
    {
        NikonResponse.BulbReleaseBusy,
        NikonResponse.SilentReleaseBusy,
        NikonResponse.MovieFrameReleaseBusy,
        NikonResponse.Waiting2ndRelease,
    }
)
# The handle of the picture in the camera's memory, where an event names none (libgphoto2 ptp.h).
IN_SDRAM = 0xFFFF0001


class NikonDialect(Dialect):
    """Approval, polled events, sizes and reads of 64 bits, capture to the card."""

    _was_approved = False  # on the connection before

    def begin(self) -> None:
        """Have this computer approved if the camera asks for that.

        The application mode stays off: a body hides its card while it is on.
        """
        if not awaits_approval(self.info.operations_supported):
            self._was_approved = False
            return
        if self._was_approved:
            self._was_approved = False
            raise not_kept()
        self._was_approved = approve(self.link)
        raise ReconnectFirst

    @property
    def polls(self) -> bool:
        """True if this body lists an operation for polling that works."""
        if self.link.supports(NikonOperation.GetEventEx):
            return True
        return self.link.supports(NikonOperation.GetEvent) and not is_nikon_1(self.info)

    def poll(self) -> list[PolledEvent]:
        """Ask for queued events; the Event connection can stay silent for a whole session
        (airmtp)."""
        if not self.polls:
            return []
        if self.link.supports(NikonOperation.GetEventEx):
            found = parse_events_ex(self.link.fetch(NikonOperation.GetEventEx, limit=MAX_EVENTS))
        else:
            found = parse_events(self.link.fetch(NikonOperation.GetEvent, limit=MAX_EVENTS))
        return [meant for event in found for meant in self.meaning(*event)]

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Translate the events about pictures in the camera's memory (libgphoto2)."""
        if code == NikonEvent.ObjectAddedInSDRAM:
            handle = parameters[0] if parameters else 0
            return [(EventCode.ObjectAdded, (handle or IN_SDRAM,))]
        if code == NikonEvent.CaptureCompleteRecInSdram:
            return [(EventCode.CaptureComplete, ())]
        return [(code, parameters)]

    def is_busy(self, code: int) -> bool:
        """Return whether a response code means "retry later"."""
        return code in BUSY or super().is_busy(code)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the standard's read below 4 GiB, Nikon's above."""
        return (GET_PARTIAL_OBJECT, GET_PARTIAL_OBJECT_EX)

    def true_size(self, handle: int) -> int | None:
        """Ask GetObjectSize, for objects of 4 GiB and more (libgphoto2 ptp.h)."""
        if not self.link.supports(NikonOperation.GetObjectSize):
            return None
        return parse_object_size(self.link.fetch(NikonOperation.GetObjectSize, handle))

    def release(self) -> None:
        """Take a picture to the card without autofocus, as libgphoto2 does; else the standard
        way."""
        if self.link.supports(NikonOperation.InitiateCaptureRecInMedia):
            self.link.command(NikonOperation.InitiateCaptureRecInMedia, NO_AUTOFOCUS, TO_CARD)
        else:
            self.link.command(OperationCode.InitiateCapture, 0, 0)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Wait until the body accepts operations again; raise the error of the last operation."""
        if not self.link.supports(NikonOperation.DeviceReady):
            return
        give_up = time.monotonic() + READY_S
        while True:
            try:
                self.link.command(NikonOperation.DeviceReady, busy_s=0.0)
            except DeviceBusy:
                if time.monotonic() > give_up:
                    raise
                self.link.pause(READY_POLL_S)
            else:
                return
