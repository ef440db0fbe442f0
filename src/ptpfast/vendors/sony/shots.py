"""The pictures in the camera's memory, which all have one handle.

The camera shows the first of them only, under the handle 0xFFFFC001, and shows the next when that
one was read. So each gets a handle here when it is first seen, and 0xFFFFC001 is read for it only
after the camera has confirmed that it is still the first.

Sources: Sony's Camera Control PTP 3 Reference; alpha-fairy for the order of JPEG and RAW, and for
cameras that crash when the handle is read too early.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace

from ...ptp.codes import SIZE_SATURATED, OperationCode
from ...ptp.datasets import ObjectInfoDataset, decode
from ...ptp.errors import TransferError
from ...ptp.kinds import kind_of
from ..bulk import Described
from ..dialect import IN_MEMORY, Asks
from .codes import READY, SHOT_BUFFER, SonyProperty
from .sdio import SdioDialect, no_such_object

MAX_INFO = 1 << 16
MAX_PICTURE = 1 << 30  # of a picture that is held here; the largest RAW files have 130 MB
MOST_HELD = 1 << 30  # bytes of pictures that are held here


@dataclass
class Shot:
    """A picture that the camera's memory has, or had until it was received.

    Attributes:
        seen: Its description by the camera.
        held: Its bytes, if they were received to see the picture behind it.
        was_read: It may be dropped to make room.
    """

    handle: int
    seen: ObjectInfoDataset
    held: bytearray | None = None
    was_read: bool = False

    @property
    def is_raw(self) -> bool:
        """True for a RAW picture, by its name."""
        return kind_of(self.seen.filename) == "raw"

    @property
    def described(self) -> Described:
        """The description with this picture's own handle and no folder."""
        size = self.seen.object_compressed_size
        return replace(self.seen, storage_id=IN_MEMORY, parent_object=0), size


class Shots:
    """The pictures in the memory of one camera. The user's threads and the poll both look at it.

    Attributes:
        first: The picture that the camera shows; None if it shows none, or was not looked at.
    """

    def __init__(self, dialect: SdioDialect, link: Asks) -> None:
        self.first: Shot | None = None
        self._dialect = dialect
        self._link = link
        self._lock = threading.RLock()
        self._unreported: list[int] = []
        self._known: dict[int, Shot] = {}
        self._gone: ObjectInfoDataset | None = None  # was read last, and may be shown a little yet
        # Different in each session, so that no list of an earlier one names these pictures.
        self._next = 0x40000000 | int.from_bytes(os.urandom(3), "little") << 6

    @property
    def handles(self) -> list[int]:
        """The handles of the pictures that can be read."""
        return list(self._known)

    @property
    def is_ready(self) -> bool:
        """True if the last property list said that the first picture can be read."""
        return bool(self._dialect.number(SonyProperty.ObjectInMemory, 0) & READY)

    @property
    def count(self) -> int:
        """The number of pictures in the memory; a RAW and its JPEG may count as one."""
        return self._dialect.number(SonyProperty.ObjectInMemory, 0) & ~READY

    @property
    def unread(self) -> list[str]:
        """The names of the pictures that are held here and were not read."""
        held = [shot for shot in list(self._known.values()) if shot.held is not None]
        return [shot.seen.filename for shot in held if not shot.was_read]

    def get(self, handle: int) -> Shot:
        """Return a picture. Raises InvalidObjectHandle."""
        if handle not in self._known:
            raise no_such_object(handle)
        return self._known[handle]

    def take_unreported(self) -> list[int]:
        """Return the handles that were given since the last time."""
        with self._lock:
            found, self._unreported = self._unreported, []
        return found

    def look(self) -> None:
        """See which picture is the first, and give it a handle if it is a new one.

        The property list must be fresh: some cameras crash if the handle is read too early.
        """
        with self._lock:
            if not self.is_ready:
                self._lose_first()
                return
            payload = self._link.fetch(OperationCode.GetObjectInfo, SHOT_BUFFER, limit=MAX_INFO)
            seen = decode(ObjectInfoDataset, payload)
            if seen == self._gone or (self.first is not None and self.first.seen == seen):
                return
            self._lose_first()
            self.first = Shot(self._next, seen)
            self._next += 1
            self._known[self.first.handle] = self.first
            self._unreported.append(self.first.handle)

    def require_first(self, handle: int) -> int:
        """Return the handle to read for a picture: the camera confirms that it is the first.

        Raises:
            InvalidObjectHandle: the camera does not have this picture any longer.
        """
        with self._lock:
            self._dialect.look()
            self.look()
            if self.first is None or self.first.handle != handle:
                raise no_such_object(handle)
        return SHOT_BUFFER

    def received(self, handle: int) -> None:
        """Note that a picture was read to its end: the camera removes it from its memory."""
        with self._lock:
            shot = self._known.get(handle)
            if shot is not None and shot is self.first:
                self._gone = shot.seen
                self._lose_first()
            elif shot is not None:
                shot.was_read = True

    def hold(self) -> None:
        """Receive the first picture and keep it here, so that the camera shows the next.

        Raises:
            TransferError: it does not have the size that the camera has described, or too many
                pictures are held already.
        """
        with self._lock:
            if self.first is not None:
                self._hold(self.first)

    def _hold(self, shot: Shot) -> None:
        self._make_room(shot.seen.object_compressed_size)
        self.require_first(shot.handle)
        payload = self._link.fetch(OperationCode.GetObject, SHOT_BUFFER, limit=MAX_PICTURE)
        size = shot.seen.object_compressed_size
        if size != SIZE_SATURATED and len(payload) != size:
            raise TransferError(
                f"{shot.seen.filename}: received {len(payload):,} bytes, but the camera lists "
                f"{size:,}",
                received=len(payload),
            )
        shot.held = payload
        self._gone, self.first = shot.seen, None

    def _make_room(self, size: int) -> None:
        held = [shot for shot in self._known.values() if shot.held is not None]
        total = size + sum(len(shot.held or b"") for shot in held)
        for shot in held:
            if total <= MOST_HELD:
                return
            if shot.was_read:
                total -= len(shot.held or b"")
                del self._known[shot.handle]
        if held and total > MOST_HELD:
            raise TransferError(
                f"{len(held)} pictures from the camera's memory have not been read",
                hint="read or download the pictures that the session lists, then go on",
            )

    def _lose_first(self) -> None:
        if self.first is not None and self.first.held is None:
            self._known.pop(self.first.handle, None)
        self.first = None
