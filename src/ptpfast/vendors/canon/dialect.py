"""The dialect of Canon's EOS bodies: listing, reading, properties; `remote` takes the pictures.

Reading the card needs no remote mode: SetEventMode and GetEvent alone report new pictures while the
body stays usable (logs of an EOS R6 Mark II and an EOS 80D, sabaipics).

Sources: libgphoto2 (config.c, library.c, ptp.c), indigo, sabaipics; each fact names its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ...ptp.codes import ROOT_OBJECTS, SIZE_SATURATED, OperationCode
from ...ptp.datasets import DeviceInfo, DevicePropDesc, ObjectInfoDataset, decode, decode_array
from ...ptp.errors import ProtocolError, ResponseError, Unsupported
from ...ptp.objects import ObjectInfo
from ..bulk import GET_OBJECT_PROP_LIST, BulkListing, Described
from ..dialect import IN_MEMORY, Asks, Role
from ..quirks import MiB, Quirks
from ..reads import GET_PARTIAL_OBJECT, PartialRead
from .codes import CanonOperation, CanonProperty
from .datasets import GET_OBJECT_INFO_EX
from .records import MemoryObject
from .remote import Remote
from .watching import Watching

log: logging.Logger = logging.getLogger("ptpfast")

MAX_OBJECT_INFO = 1 << 16
MAX_STORAGE_IDS = 1 << 12  # bytes
FIRST_VENDOR_PROPERTY = 0xD000

# libgphoto2 ptp.c; indigo reads the memory of an EOS R1 and R5 Mark II with it.
GET_PARTIAL_OBJECT_EOS = PartialRead(
    CanonOperation.GetPartialObjectEOS,
    32,
    lambda handle, offset, size: (handle, offset, size),
)

# Each with its evidence.
QUIRKS = Quirks(
    # An EOS R answers a read of 5 MiB from its memory with no bytes, and 1 MiB works (gphoto2 issue
    # 198). libgphoto2 and EOS Utility read everything in pieces of 1 MiB.
    max_chunk=1 * MiB,
    # GetObject of files above 28 MB is slow or fails on EOS M and 200D bodies (libgphoto2 issues
    # 248 and 255). Objects of 4 GiB and more have no other way.
    whole_objects=False,
    # While tethering, GetEvent is asked every 50 to 200 ms (sabaipics).
    event_poll_s=0.1,
    quick_poll_s=0.05,
)


class CanonDialect(Watching):
    """Polled events, the listing of folders, pictures in the camera's memory, remote control."""

    def __init__(
        self, link: Asks, info: DeviceInfo, quirks: Quirks, role: Role = "download"
    ) -> None:
        super().__init__(link, info, quirks, role)
        self.remote: Remote | None = Remote(self) if role == "remote" else None

    # Beginning and end

    def begin(self) -> None:
        """Ask for events; in the remote role prepare the body for captures.

        A body that refuses events, as some may in the mode for phone apps, can still be read.
        """
        super().begin()
        if self.remote is not None:
            self.remote.prepare()
            self.watches: bool = True
        elif self.link.supports(CanonOperation.GetEvent):
            try:
                self.link.command(CanonOperation.SetEventMode, 1)
                self.settle()
                self.watches = True
            except ResponseError as error:
                log.warning("the camera reports no events: %s", error)

    def end(self) -> None:
        """Free the memory of pictures that are safe, leave remote control, and end the events."""
        self.free_all()
        if self.news.memory:
            count = len(self.news.memory)
            log.warning("%d pictures were not fetched from the camera's memory", count)
        if self.remote is not None:
            self.remote.leave()
        elif self.watches:
            self.try_command(CanonOperation.SetEventMode, 0)

    # Objects

    def storages(self) -> list[int] | None:
        """Return the cards, and the camera's memory while it has pictures for this computer.

        None if it has none: no listing of the body shows them.
        """
        if self.remote is not None:
            self.look()
        if not self.news.memory:
            return None
        try:
            payload = self.link.fetch(OperationCode.GetStorageIDs, limit=MAX_STORAGE_IDS)
            cards = decode_array(payload, "u32", "GetStorageIDs")
        except ProtocolError as error:
            log.warning("the pictures in the camera's memory are not listed: %s", error)
            return None
        return [*(each for each in dict.fromkeys(cards) if each & 0xFFFF), IN_MEMORY]

    def handles(self, storage_id: int, parent: int) -> list[int] | None:
        """Return the pictures in the camera's memory; None for a card."""
        if storage_id != IN_MEMORY:
            return None
        return list(self.news.memory) if parent in (0, ROOT_OBJECTS) else []

    def undeletable(self, handle: int) -> str:
        """Return why a picture in the camera's memory is not deleted."""
        return "it is in the camera's memory" if handle in self.news.memory else ""

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return the listing of folders first, then MTP's."""
        return (GET_OBJECT_INFO_EX, GET_OBJECT_PROP_LIST)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the partial reads below 4 GiB. No layout of a larger one is known for certain:
        larger objects are read whole."""
        return (GET_PARTIAL_OBJECT, GET_PARTIAL_OBJECT_EOS)

    def true_size(self, handle: int) -> int | None:
        """Return the size that the record of a new object had; a listing has 32 bits."""
        return self.news.sizes.get(handle)

    def described(self, handle: int) -> Described | None:
        """Describe a picture in the camera's memory: as GetObjectInfo does, else by its record."""
        picture = self.news.memory.get(handle)
        if picture is None:
            return None
        try:
            payload = self.link.fetch(OperationCode.GetObjectInfo, handle, limit=MAX_OBJECT_INFO)
            dataset = decode(ObjectInfoDataset, payload)
        except (ResponseError, ProtocolError) as error:
            log.debug("described by its record: %s", error)
            dataset = _dataset_of(picture)
        return replace(dataset, storage_id=IN_MEMORY, parent_object=0), picture.size

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Note that a picture in the camera's memory was read to its end.

        It can be read again until it is `stored`, should the disk fail.
        """
        self.fetched.pop(info.handle, None)
        self.unstored.discard(info.handle)
        yield
        if info.handle in self.news.memory:
            self.unstored.add(info.handle)

    def stored(self, handle: int) -> None:
        """Have a picture in the camera's memory freed by TransferComplete: before the next release,
        at the end of the session, or after some seconds."""
        if handle in self.unstored:
            self.unstored.discard(handle)
            self.fetched[handle] = time.monotonic()

    @contextmanager
    def reading_part(self, info: ObjectInfo) -> Iterator[None]:
        """Keep a picture of which only a part is read."""
        yield

    # Properties

    def properties(self) -> list[int]:
        """Return the codes of DeviceInfo, and of the properties that events have told."""
        listed = super().properties()
        return listed + [code for code in self.news.properties.codes if code not in listed]

    def property_desc(self, code: int) -> DevicePropDesc | None:
        """Describe a property that the body reports by events; ask for one that it has not."""
        listed = code in self.info.device_properties_supported
        known = code in self.news.properties
        if not known and not listed and code >= FIRST_VENDOR_PROPERTY and self.watches:
            if not self.try_command(CanonOperation.RequestDevicePropValue, code):
                return None
            self.look()
        return self.news.properties.desc(code)

    def set_property(self, desc: DevicePropDesc, value: Any) -> bool:
        """Set a property that the body reports by events."""
        if desc.code not in self.news.properties:
            return False
        if not self.link.supports(CanonOperation.SetDevicePropValueEx):
            return False
        if desc.code == CanonProperty.CaptureDestination and self.remote is not None:
            self.remote.send_pictures_to(value)
        else:
            self.change(desc.code, value)
        return True

    # Remote control

    def release(self) -> None:
        """Take a picture. Raises Unsupported in the download role."""
        self._control().release()

    def live_view(self) -> Iterator[bytes]:
        """Yield live view frames. Raises Unsupported in the download role."""
        return self._control().frames()

    def _control(self) -> Remote:
        if self.remote is None:
            text = "this session was opened to read the card"
            raise Unsupported(text, hint="connect with role='remote'")
        return self.remote


def _dataset_of(picture: MemoryObject) -> ObjectInfoDataset:
    return ObjectInfoDataset(
        object_format=picture.format,
        object_compressed_size=min(picture.size, SIZE_SATURATED),
        filename=picture.file_name,
    )
