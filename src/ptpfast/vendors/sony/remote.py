"""Remote control: the shutter, the pictures in the camera's memory, and live view.

Sources: Sony's Camera Control PTP 3 Reference for the order; alpha-fairy and libgphoto2 for the
waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from ...engine.text import printable
from ...ptp.codes import DevicePropCode, EventCode, OperationCode, ResponseCode
from ...ptp.errors import InvalidObjectHandle, PTPError, ResponseError, Unsupported
from ...ptp.objects import ObjectInfo
from ..bulk import BulkListing, Described
from ..dialect import IN_MEMORY, PolledEvent
from ..leaving import leaving
from ..reads import PartialRead, WholeRead
from .codes import (
    FOCUSED,
    LIVE_VIEW,
    PRESS,
    RAW_AND_JPEG,
    RELEASE,
    TO_CAMERA,
    Mode,
    SonyEvent,
    SonyOperation,
    SonyProperty,
)
from .datasets import parse_frame
from .sdio import SdioDialect
from .shots import Shots

# Seconds; each with its source.
SETTLE_S = 3.0  # after the beginning, in which some bodies take no picture (reference)
SLOW_TO_BEGIN = frozenset(
    {
        *("ZV-E10", "ZV-1", "DSC-RX100M7", "DSC-RX0M2", "ILCE-1", "ILCE-9M2", "ILCE-7C"),
        *("ILCE-7RM4", "ILCE-7RM4A", "ILCE-7M3", "ILCE-7M4", "ILCE-7M5", "ILCE-7SM3"),
    }
)
FOCUS_S = 1.0  # for autofocus, as half a press of the shutter (reference)
LONGEST_EXPOSURE_S = 3600.0  # that is waited for, whatever the camera says
PICTURE_S = 35.0  # and the exposure, until the picture is in the memory (libgphoto2)
SECOND_FILE_S = 5.0  # from a JPEG that was received to its RAW
POLL_S = 0.2  # of the property list while a picture is waited for (saba)
FRAME_S = 1 / 30  # between two live view frames at least (reference)
FIRST_FRAME_S = 10.0
MAX_FRAME = 16 << 20
MOST_NAMED = 20  # pictures in a warning
_NO_FRAME = (ResponseCode.AccessDenied, ResponseCode.DeviceBusy)

log: logging.Logger = logging.getLogger("ptpfast")


class RemoteControl(SdioDialect):
    """A session that takes pictures. The card cannot be read."""

    mode: ClassVar[Mode] = Mode.REMOTE

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.shots: Shots = Shots(self, self.link)
        self._ready_at = 0.0

    def begin(self) -> None:
        """Authenticate, and note when the body will take pictures."""
        super().begin()
        settle_s = SETTLE_S if self.info.model in SLOW_TO_BEGIN else 0.0
        self._ready_at = time.monotonic() + settle_s

    def end(self) -> None:
        """Name the pictures that are lost: those that were received, but not read."""
        if names := self.shots.unread:
            log.warning(
                "%d pictures from the camera's memory were not read and are lost: %s",
                len(names),
                printable(", ".join(names[:MOST_NAMED]) + (", …" if names[MOST_NAMED:] else "")),
            )

    # Pictures in the memory

    def storages(self) -> list[int]:
        """Return the camera's memory: its cards are not available in this mode."""
        return [IN_MEMORY]

    def handles(self, storage_id: int, parent: int) -> list[int]:
        """Return the pictures in the camera's memory that have been seen."""
        return self.shots.handles

    def described(self, handle: int) -> Described:
        """Describe a picture; the camera confirms that it still has it."""
        shot = self.shots.get(handle)
        if shot.held is None:
            self.shots.require_first(handle)
        return shot.described

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return none: there is one object at a time."""
        return ()

    def reads(self) -> tuple[PartialRead, ...]:
        """Return none: a picture in the memory is read as a whole."""
        return ()

    def whole(self) -> WholeRead:
        """Return GetObject of the memory, for a picture that is the first there."""
        return WholeRead(
            OperationCode.GetObject, lambda handle: (self.shots.require_first(handle),)
        )

    def held(self, handle: int) -> bytearray | None:
        """Return a picture that was received to see the one behind it."""
        try:
            return self.shots.get(handle).held
        except InvalidObjectHandle:
            return None

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Note the end of a read, which removes the picture from the camera's memory."""
        yield
        self.shots.received(info.handle)

    @property
    def deletes(self) -> bool:
        """False: the card is not available."""
        return False

    def delete(self, handle: int, busy_s: float | None = None) -> None:
        """Raise Unsupported."""
        raise Unsupported("the card cannot be changed in the role remote")

    # Events

    def poll(self) -> list[PolledEvent]:
        """Report changed properties, and the picture that is now the first in the memory."""
        changed = super().poll()
        if (self.shots.first is not None) != self.shots.is_ready:
            self.look()  # the list of changes may be behind what was read
            self.shots.look()
        added = self.shots.take_unreported()
        return [*changed, *((EventCode.ObjectAdded, (handle,)) for handle in added)]

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Leave out the events of the memory: they all name one handle, and `poll` knows more."""
        if code in (SonyEvent.ObjectAdded, SonyEvent.ObjectRemoved):
            return []
        return super().meaning(code, parameters)

    # The shutter

    def release(self) -> None:
        """Take a picture, and wait until its files can be read.

        The pictures in the memory are received first, because the camera takes none while its
        memory has one. The JPEG of a pair is received to see its RAW.

        Raises:
            PTPError: the camera has taken no picture.
        """
        self.link.pause(max(0.0, self._ready_at - time.monotonic()))
        self._empty_memory()
        self._press_shutter()
        if self.value(SonyProperty.SaveDestination) != TO_CAMERA:
            self._await_picture()
        self.link.publish(EventCode.CaptureComplete)

    def _empty_memory(self) -> None:
        self.look()
        while self._see():
            self.shots.hold()
            self.look()

    def _see(self) -> bool:
        """Look at the memory and report a new picture; return whether there is a first one."""
        self.shots.look()
        for handle in self.shots.take_unreported():
            self.link.publish(EventCode.ObjectAdded, (handle,))
        return self.shots.first is not None

    def _press_shutter(self) -> None:
        with leaving(lambda: self._control(SonyProperty.S1, RELEASE)):
            self._control(SonyProperty.S1, PRESS)
            self._await_focus()
            with leaving(lambda: self._control(SonyProperty.S2, RELEASE)):
                self._control(SonyProperty.S2, PRESS)

    def _control(self, control: int, value: int) -> None:
        data = value.to_bytes(2, "little")
        self.link.command(SonyOperation.ControlDevice, control, data=data)

    def _await_focus(self) -> None:
        """Wait until the camera is focused; not longer, because it may be set to manual focus."""
        give_up = time.monotonic() + FOCUS_S
        while time.monotonic() < give_up:
            self.look(changes=True)
            focus = self.number(SonyProperty.FocusIndication, None)
            if focus is None or focus in FOCUSED:
                return
            self.link.pause(POLL_S / 2)

    def _await_picture(self) -> None:
        if not self._await_first(PICTURE_S + self._exposure_s()):
            raise PTPError(
                "the camera has taken no picture",
                hint="it may not have found the focus: aim at something else, or set manual focus",
            )
        while self._has_more():
            self.shots.hold()
            if not self._await_first(SECOND_FILE_S):
                return

    def _await_first(self, limit_s: float) -> bool:
        """Wait until the memory shows a picture; return whether it does."""
        give_up = time.monotonic() + limit_s
        while True:
            self.look()
            if self._see():
                return True
            if time.monotonic() > give_up:
                return False
            self.link.pause(POLL_S)

    def _has_more(self) -> bool:
        """Return whether the RAW of a pair is behind the first picture, as the settings say."""
        first = self.shots.first
        if first is None or first.is_raw:
            return False
        setting = self.number(DevicePropCode.CompressionSetting, None)
        return setting in RAW_AND_JPEG or (setting is None and self.shots.count > 1)

    def _exposure_s(self) -> float:
        """Return the exposure in seconds: the numerator is in the upper half; 0 for bulb."""
        speed = self.number(SonyProperty.ShutterSpeed, 0) & 0xFFFFFFFF
        numerator, denominator = speed >> 16, speed & 0xFFFF
        if not denominator or speed == 0xFFFFFFFF:
            return 0.0
        return min(numerator / denominator, LONGEST_EXPOSURE_S)

    # Live view

    def live_view(self) -> Iterator[bytes]:
        """Yield live view frames, at most thirty a second."""
        if self.look().get(SonyProperty.LiveViewStatus) and not self._is_live():
            raise Unsupported("live view is switched off on the camera")
        give_up = time.monotonic() + FIRST_FRAME_S
        while True:
            began = time.monotonic()
            if frame := self._frame():
                yield frame
                give_up = time.monotonic() + FIRST_FRAME_S
            elif time.monotonic() > give_up:
                raise PTPError("the camera sends no live view frames")
            self.link.pause(max(0.0, began + FRAME_S - time.monotonic()))

    def _is_live(self) -> bool:
        return bool(self.value(SonyProperty.LiveViewStatus) == 1)

    def _frame(self) -> bytes:
        try:
            payload = self.link.fetch(OperationCode.GetObject, LIVE_VIEW, limit=MAX_FRAME)
        except ResponseError as error:
            if error.code not in _NO_FRAME:
                raise
            return b""
        return parse_frame(payload)
