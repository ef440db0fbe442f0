"""What a body is, for the simulated camera: who it claims to be and which operations it answers.

Real sessions never import this. A vendor's bodies are in `body` of its folder, and may ask of the
camera that they run in what `Responder` states.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..engine.wire import OperationRequest
from ..ptp.codes import ObjectFormat, ResponseCode
from ..ptp.datasets import DevicePropDesc


# The answer to one operation, as the simulated camera sends it.
@dataclass
class ObjectRange:
    """Payload of a reply that comes out of an object of the store."""

    handle: int
    offset: int
    size: int


@dataclass
class Reply:
    """A Responder's answer: response code and parameters, and the payload of a data-in phase if
    any."""

    code: int = ResponseCode.OK
    parameters: tuple[int, ...] = ()
    data: bytes | ObjectRange | None = None


class Responder(Protocol):
    """What a vendor's operation may ask of the simulated camera it runs in."""

    state: dict[str, Any]  # free for the vendor's operations, one dict for each camera
    marked: dict[int, None]  # handles of the objects that its user has marked for transfer

    @property
    def properties_supported(self) -> list[int]:
        """Codes of the device properties that it lists."""
        ...

    def object_size(self, handle: int) -> int | None:
        """Bytes of an object; None when there is no such handle."""
        ...

    def storage_ids(self, *, populated: bool = True) -> list[int]: ...

    def handles(self, storage_id: int) -> list[int]:
        """Return the handles of all objects of a storage, or of all storages for all ones."""
        ...

    def thumbnail(self, handle: int) -> bytes | None:
        """Return the thumbnail of an object; empty without one, None without such a handle."""
        ...

    def capture(self, transaction_id: int | None = None, *, announce: bool = True) -> list[int]:
        """Take a picture: add its objects to the store, and return their handles.

        With `announce`, ObjectAdded for each and CaptureComplete, with the id of the transaction
        that asked for it, are queued as events. There are no handles if the store is full.
        """
        ...

    def is_busy(self, *, polled: bool = False) -> bool:
        """Whether it still writes a picture. polled: asked by an operation that is there for it,
        which the camera answers so only a number of times."""
        ...

    def push_event(self, code: int, *parameters: int) -> None:
        """Queues an event the way this camera reports events (Event connection or polling)."""
        ...

    def take_events(self) -> list[tuple[int, tuple[int, ...]]]:
        """Empty and return the queue of events for polling."""
        ...


def parameter(request: OperationRequest, index: int, missing: int = 0) -> int:
    """Return a parameter of a request; trailing ones may be missing."""
    return request.parameters[index] if index < len(request.parameters) else missing


ResponderOperation = Callable[[Responder, OperationRequest, bytes], Reply]


@dataclass(frozen=True)
class Reported:
    """What a real body's DeviceInfo lists, in its order."""

    operations: tuple[int, ...]
    events: tuple[int, ...]
    properties: tuple[int, ...]
    capture_formats: tuple[int, ...]
    image_formats: tuple[int, ...]
    standard_version: int = 100
    vendor_extension_version: int = 0
    vendor_extension_desc: str = ""


@dataclass(frozen=True)
class Habits:
    """How strict and how quick a body is, where the standard leaves room or bodies differ.

    end_data: what its End Data carries (`empty`, `last`, `whole`). strict_tid: whether it refuses
    transaction ids that do not rise. needs_probe: whether its first operation hangs unless a Probe
    Request or a second's pause came before. busy_polls, busy_s: how often it says that it is busy
    after a picture, and for how many seconds at most. events: whether it reports any. idle_s: after
    how many seconds without a request it ends the connection.
    """

    end_data: str = "empty"
    strict_tid: bool = True
    needs_probe: bool = False
    busy_polls: float = 0
    busy_s: float = 0.0
    events: bool = True
    idle_s: float = math.inf


# CompressionSetting → whether a picture then has a RAW file, and a JPEG.
RAW_OR_JPEG: Mapping[int, tuple[bool, bool]] = {0: (True, False), 1: (False, True), 2: (True, True)}


@dataclass(frozen=True)
class CardFiles:
    """How a body names the files that it writes, and which RAW format it has."""

    folder: str = "100PTPIP"  # of DCIM
    stem: str = "IMG_"  # before the four digits
    raw_extension: str = "DNG"
    raw_format: int = ObjectFormat.DNG


@dataclass(frozen=True)
class Model:
    """A body for the simulated camera to be.

    One with `reported` lists what the real body lists; it answers an operation of these that the
    simulated camera does not know with AccessDenied, and a property with DevicePropNotSupported.
    """

    manufacturer: str
    name: str
    device_version: str = "1.00"
    vendor_extension_id: int = 0
    files: CardFiles = CardFiles()
    operations: Mapping[int, ResponderOperation] = field(default_factory=dict)
    withheld: frozenset[int] = frozenset()  # standard operations this body does not have
    polled_events: bool = False  # events wait for the vendor's event operation
    reported: Reported | None = None
    habits: Habits = Habits()
    serial_digits: int = 8
    compression: Mapping[int, tuple[bool, bool]] = field(default_factory=lambda: RAW_OR_JPEG)
    compression_setting: int = 2  # until it is set
    properties: tuple[DevicePropDesc, ...] = ()  # device properties beyond those every body has
