"""The dialect of Nikon's DSLR, Nikon 1 and Z bodies.

Sources: libgphoto2 (ptp.h, library.c), airmtp (airmtp.py, README), zcine, camcon; each fact names
its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...ptp.codes import ALL_STORAGES, ROOT_OBJECTS, EventCode, OperationCode
from ...ptp.datasets import DeviceInfo, DevicePropDesc
from ...ptp.errors import ProtocolError, ResponseError, Unsupported
from ...ptp.objects import ObjectInfo
from ..bulk import Described
from ..dialect import Asks, Dialect, PolledEvent, ReconnectFirst, Role
from ..quirks import MiB, Quirks
from ..reads import GET_PARTIAL_OBJECT, PartialRead
from . import live_view, properties
from .approval import approve, not_kept
from .codes import (
    NO_AUTOFOCUS,
    TO_CARD,
    NikonEvent,
    NikonOperation,
    NikonProperty,
    NikonResponse,
)
from .datasets import low_high, parse_events, parse_events_ex, parse_object_size
from .generations import awaits_approval, is_nikon_1
from .readiness import wait_until_ready
from .send_queue import SendQueue
from .transfer_list import TransferList

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
    # pieces do not, and libgphoto2 and airmtp use them (airmtp README, libgphoto2 issue 218).
    max_chunk=1 * MiB,
    whole_objects=False,
    # While tethering, programs ask for events every 50 to 200 ms (zcine).
    quick_poll_s=0.05,
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

    def __init__(
        self, link: Asks, info: DeviceInfo, quirks: Quirks, role: Role = "download"
    ) -> None:
        super().__init__(link, info, quirks, role)
        self._was_approved = False  # on the connection before
        self._queue = SendQueue(link)
        self._list = TransferList(link)

    def begin(self) -> None:
        """Have this computer approved if the camera asks for that.

        The application mode stays off: a body hides its card while it is on.
        """
        if not awaits_approval(self.info.operations_supported):
            self._was_approved = False
            self._queue.begin()
            self._list.begin()
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

    def uncover(self) -> bool:
        """Switch the application mode of a first Z body off, which another program has left on.

        It hides the card (libgphoto2 config.c). Later bodies do not tell whether it is on.
        """
        code = NikonProperty.ApplicationMode
        if code not in self.info.device_properties_supported:
            return False
        if not properties.number(self.link, code, "u8"):
            return False
        return properties.set_number(self.link, code, 0)

    def handles(self, storage_id: int, parent: int) -> list[int] | None:
        """Return the picture that the camera offers, if it sends what its owner chooses; else ask
        as the standard does."""
        listed = None if parent else self._queue.try_out(storage_id)
        if not self._queue.is_in_use:
            return listed
        job = self._queue.current()
        if job is None or parent not in (0, ROOT_OBJECTS):
            return []
        described = self._queue.described(job.handle)
        elsewhere = described is not None and described[0].storage_id not in (0, storage_id)
        return [] if elsewhere else [job.handle]

    def described(self, handle: int) -> Described | None:
        """Describe the picture that the camera offers."""
        return self._queue.described(handle)

    def more(self, taken: Collection[int]) -> list[int]:
        """Return the next picture that the camera's owner sends."""
        job = self._queue.after(taken) if self._queue.is_in_use else None
        return [] if job is None else [job.handle]

    @property
    def offers_one(self) -> bool:
        """True in the picture transfer profile."""
        return bool(self._queue.is_in_use)

    def marked(self) -> list[int] | None:
        """Return the picture that the camera offers, or the transfer list of a DSLR."""
        self._queue.try_out(ALL_STORAGES)
        if self._queue.is_in_use:
            job = self._queue.current()
            return [] if job is None else [job.handle]
        return self._list.read(self.info)

    def unmark(self, handle: int) -> None:
        """Have the camera offer the next picture, or remove a mark."""
        if self._queue.is_in_use:
            self._queue.after({handle})
        else:
            self._list.unmark(handle)

    @property
    def asks_between_reads(self) -> bool:
        """True while marked objects are to be read."""
        return self._list.is_in_use

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Tell the camera before a marked object is read. The mark stays until `unmark`: what was
        read may be a part, or may not be stored yet."""
        self._list.start(info.handle)
        yield

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the standard's read below 4 GiB, Nikon's above.

        Nikon's is never locked, so it comes first for what the camera's owner sends.
        """
        reads = (GET_PARTIAL_OBJECT, GET_PARTIAL_OBJECT_EX)
        return reads[::-1] if self._queue.is_in_use else reads

    def true_size(self, handle: int) -> int | None:
        """Ask GetObjectSize, for objects of 4 GiB and more (libgphoto2 ptp.h)."""
        if not self.link.supports(NikonOperation.GetObjectSize):
            return None
        return parse_object_size(self.link.fetch(NikonOperation.GetObjectSize, handle))

    def release(self) -> None:
        """Take a picture to the card without autofocus, as libgphoto2 does; else the standard
        way."""
        self._require_control()
        if self.link.supports(NikonOperation.InitiateCaptureRecInMedia):
            self.link.command(NikonOperation.InitiateCaptureRecInMedia, NO_AUTOFOCUS, TO_CARD)
        else:
            self.link.command(OperationCode.InitiateCapture, 0, 0)
        wait_until_ready(self.link, READY_POLL_S, READY_S)

    def _require_control(self) -> None:
        """Raise Unsupported in the profile that has no remote control, although it lists it."""
        if self._queue.is_in_use:
            raise Unsupported(
                "the camera takes no pictures for a computer in its picture transfer profile",
                hint="choose the camera control profile in its connect-to-PC menu",
            )

    def live_view(self) -> Iterator[bytes]:
        """Yield live view frames."""
        self._require_control()
        return live_view.frames(self.link, self.info, self._publish_polled)

    def _publish_polled(self) -> bool:
        """Poll in the middle of a stream of frames; return whether there were events.

        A refusal or a malformed answer is ignored.
        """
        some = False
        with suppress(ResponseError, ProtocolError):
            for code, parameters in self.poll():
                self.link.publish(code, parameters)
                some = True
        return some

    def properties(self) -> list[int]:
        """Return the listed codes, and those that only Nikon's operations list."""
        return properties.codes(self.link, self.info)

    def property_desc(self, code: int) -> DevicePropDesc | None:
        """Describe a property with a code of 32 bits; None for the others."""
        if not properties.is_wide(self.info, code):
            return None
        return properties.describe(self.link, code)

    def set_property(self, desc: DevicePropDesc, value: Any) -> bool:
        """Set a property with a code of 32 bits; False for the others."""
        if not properties.is_wide(self.info, desc.code):
            return False
        properties.set_wide(self.link, desc, value)
        return True
