"""The dialect of Fujifilm's bodies with Wi-Fi, of 2014 to 2021. Later ones are untested.

Sources: fudge (lib/fuji.c, docs), vcam (src/fuji/fuji.c), malc0mn/ptp-ip, libgphoto2
(fujiptpip.c); each fact names its own.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from ...ptp.codes import EventCode, OperationCode
from ...ptp.datasets import DeviceInfo, DevicePropDesc
from ...ptp.errors import NetworkError, ResponseError, Unsupported
from ...ptp.objects import ObjectInfo
from ..bulk import BulkListing, Described
from ..dialect import Asks, Dialect, PolledEvent, Role
from ..quirks import MiB, Quirks
from ..reads import PartialRead, WholeRead
from .codes import (
    PIECE,
    THUMB_NEEDS_INFO,
    CameraState,
    FujifilmEvent,
    FujifilmOperation,
    FujifilmProperty,
)
from .functions import Functions
from .packets import picture_of
from .selected import Selected

STORAGE = 0x00010001  # bodies show one card, and no id of it
PREVIEW_S = 10.0  # for the preview of a picture
MAX_PREVIEW = 16 << 20
MOST_ADDED = 1000  # pictures reported at once

QUIRKS = Quirks(
    # An X-A2 stalls at more (fudge). All clients that are known read in pieces of 1 MiB.
    max_chunk=1 * MiB,
    fixed_chunk=1 * MiB,
    whole_objects=False,
)
GET_PARTIAL_OBJECT = PartialRead(
    OperationCode.GetPartialObject,
    32,
    lambda handle, offset, size: (handle, offset, min(size, PIECE)),
)


class FujifilmDialect(Dialect):
    """Functions that are entered, changes that are polled, and pictures by number."""

    asks_between_reads = True

    def __init__(
        self, link: Asks, info: DeviceInfo, quirks: Quirks, role: Role = "download"
    ) -> None:
        super().__init__(link, info, quirks, role)
        self._selected = Selected(link)
        self._reset()

    def _reset(self) -> None:
        self._functions = Functions(self.link, self.info.model)
        self._described: set[int] = set()
        self._reported = 0  # pictures that are known or were reported
        self._preview = threading.Event()
        self._owes_preview = False  # of the last picture, which is not read yet

    def begin(self) -> None:
        """Wait for the owner, then take the function of this session's role."""
        self._reset()
        self._selected.reconnected()
        self._functions.begin(self.role)
        self._functions.changed.clear()
        self._reported = self._functions.count

    @property
    def has_event_connection(self) -> bool:
        """True for remote control; other functions do not open the port."""
        return self._functions.state == CameraState.REMOTE

    # Events

    @property
    def polls(self) -> bool:
        """True: changes are told only when asked for, and asking keeps the body awake."""
        return True

    def poll(self) -> list[PolledEvent]:
        """Ask for the changes: new pictures by their count, else changed properties."""
        functions = self._functions
        functions.news()
        changed, functions.changed = functions.changed, {}
        events: list[PolledEvent] = [
            (EventCode.DevicePropChanged, (code,))
            for code in changed
            if code != FujifilmProperty.ObjectCount
        ]
        new = range(self._reported + 1, min(functions.count, self._reported + MOST_ADDED) + 1)
        self._reported = max(self._reported, functions.count)
        return [*events, *((EventCode.ObjectAdded, (handle,)) for handle in new)]

    def meaning(self, code: int, parameters: tuple[int, ...]) -> list[PolledEvent]:
        """Note a preview. ObjectAdded comes without a handle, which a poll then tells."""
        if code == FujifilmEvent.PreviewAvailable:
            self._preview.set()
        return [(code, parameters)]

    def keep_awake(self) -> None:
        """Ask for changes (fudge)."""
        self._functions.news()

    # Pictures

    def storages(self) -> list[int]:
        """Return the one storage."""
        return [STORAGE]

    def handles(self, storage_id: int, parent: int) -> list[int]:
        """Return 1 to the number of pictures; a body shows no folders."""
        if parent not in (0, 0xFFFFFFFF):
            return []
        if self._is_selection:
            self._functions.show_full_sizes()
            return self._selected.handles()
        self._selected.left()
        return list(range(1, self._functions.ask_count() + 1))

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return none: nothing of the kind is known over Wi-Fi."""
        return ()

    def described(self, handle: int) -> Described | None:
        """Prepare GetObjectInfo, so that it tells the true size."""
        self._functions.show_pictures()
        self._functions.show_full_sizes()
        if self._is_selection:
            return self._selected.describe(handle)
        self._described.add(handle)
        return None

    def more(self, taken: Collection[int]) -> list[int]:
        """Return the next picture, of those that were chosen on the body."""
        if not self._is_selection:
            return []
        self._functions.show_full_sizes()
        return self._selected.after(taken)

    @property
    def offers_one(self) -> bool:
        """True for pictures that were chosen on the body."""
        return self._is_selection

    @property
    def sends_once(self) -> bool:
        """True for pictures that were chosen on the body."""
        return self._is_selection

    @property
    def may_be_over(self) -> str:
        """What is not known after a chosen picture: bodies do not tell how many were chosen, and
        switch off after the last one (fudge)."""
        return self._selected.unsaid

    @property
    def _is_selection(self) -> bool:
        return self._functions.state == CameraState.MULTIPLE_TRANSFER

    def before_thumbnail(self, handle: int) -> None:
        """Ask for the description first, without which later bodies never answer (fudge)."""
        self._functions.show_pictures()
        if self._is_selection:
            self._functions.show_full_sizes()  # the description is kept
            with suppress(ResponseError):  # the read of the thumbnail says it, too
                self._selected.describe(handle)
            return
        version = self._functions.versions.get(FujifilmProperty.RemoteVersion) or 0
        if version > THUMB_NEEDS_INFO and handle not in self._described:
            self._describe(handle)

    def thumb(self) -> WholeRead:
        """Return GetThumb, of the picture that the body offers if it was chosen there."""
        return self._selected.thumb if self._is_selection else super().thumb()

    def _describe(self, handle: int) -> None:
        with suppress(ResponseError):  # what is asked next will say it, too
            self.link.fetch(OperationCode.GetObjectInfo, handle, limit=1 << 16)
            self._described.add(handle)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the standard's read, in pieces of at most 1 MiB."""
        if self._is_selection:
            return (self._selected.read,)
        return (GET_PARTIAL_OBJECT,)

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Ask for what fudge asks around each picture."""
        functions = self._functions
        functions.show_pictures()
        functions.news()
        functions.show_full_sizes()
        if info.handle not in self._described and not self._is_selection:
            self._describe(info.handle)
        functions.number(FujifilmProperty.CompressionCutOff)
        self._selected.begin(info.handle, info.size)
        try:
            yield
        except BaseException:
            self._selected.end(arrived=False)
            raise
        is_through = self._selected.end(arrived=True)
        try:
            functions.news()
        except NetworkError:
            # After the last picture that was chosen the body switches off. This one is complete.
            if not is_through:
                raise

    # The camera

    def release(self) -> None:
        """Take a picture; read its preview, without which the next one is refused (malc0mn)."""
        self._require_remote("pictures can be taken")
        self._functions.show_camera()
        if self._owes_preview:  # it was announced too late, or its event was lost
            with suppress(ResponseError):
                self._read_preview()
        self._preview.clear()
        self.link.command(OperationCode.InitiateCapture, 0, 0)
        self._owes_preview = True
        if self._preview.wait(PREVIEW_S):
            self._read_preview()

    def _read_preview(self) -> None:
        self.link.fetch(FujifilmOperation.GetCapturePreview, limit=MAX_PREVIEW)
        self._owes_preview = False

    def properties(self) -> list[int]:
        """Return the codes of the properties of remote control."""
        return [desc.code for desc in self._functions.descriptions()]

    def property_desc(self, code: int) -> DevicePropDesc | None:
        """Return a property with its current value; None to ask as the standard does."""
        found = (desc for desc in self._functions.descriptions() if desc.code == code)
        return next(found, None)

    def live_view(self) -> Iterator[bytes]:
        """Yield the frames that the body sends on its third port all the time."""
        self._require_remote("there is a live view")
        self._functions.show_camera()
        frames = self.link.connection.opened.live_view
        if frames is None:
            raise Unsupported("the camera has opened no connection for live view")
        frames.skip()  # frames that arrived before this call
        while True:
            yield picture_of(frames.newest(self.link.connection.timeouts.idle))

    def _require_remote(self, what: str) -> None:
        if self.role != "remote":
            raise Unsupported(
                f"{what} only under remote control", hint='connect with role="remote"'
            )
