"""Bodies for the simulated camera: their identity and the operations that they answer.

Real sessions never import this module. A vendor's bodies are in `body` of its folder. They may call
the methods of `Responder` on the camera that runs them.
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
    """Reply payload that is a range of an object in the store."""

    handle: int
    offset: int
    size: int


@dataclass
class Reply:
    """A camera's answer: response code, parameters, and the payload of a data-in phase if any."""

    code: int = ResponseCode.OK
    parameters: tuple[int, ...] = ()
    data: bytes | ObjectRange | None = None


class Responder(Protocol):
    """The methods of the simulated camera that a vendor's operation may call."""

    state: dict[str, Any]  # free for the vendor's operations, one dict for each camera
    marked: dict[int, None]  # handles of the objects that its user has marked for transfer

    @property
    def properties_supported(self) -> list[int]:
        """The codes of the device properties that it lists."""
        ...

    def object_size(self, handle: int) -> int | None:
        """Return the size of an object in bytes; None if there is no such handle."""
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

        With `announce`, ObjectAdded for each object and CaptureComplete are queued as events.
        CaptureComplete has the id of the transaction that asked for the picture. The list is empty
        if the store is full.
        """
        ...

    def is_busy(self, *, polled: bool = False) -> bool:
        """Return whether the camera still writes a picture.

        Args:
            polled: the caller is an operation for polling, which the camera answers with busy a
                limited number of times.
        """
        ...

    def push_event(self, code: int, *parameters: int) -> None:
        """Queue an event the way this camera reports events (Event connection or polling)."""
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
    """The lists in a real body's DeviceInfo, in its order."""

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
    """The behaviour of a body where the standard leaves room or bodies differ.

    Attributes:
        end_data: The payload of its End Data (`empty`, `last`, `whole`).
        strict_tid: Whether it refuses transaction ids that do not rise.
        needs_probe: Whether its first operation hangs without a Probe Request or a pause of a
            second.
        busy_polls: How often it reports busy after a picture.
        busy_s: For how many seconds at most it reports busy after a picture.
        events: Whether it reports events.
        idle_s: Seconds without a request after which it ends the connection.
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
    """The file names and the RAW format of a body."""

    folder: str = "100PTPIP"  # of DCIM
    stem: str = "IMG_"  # before the four digits
    raw_extension: str = "DNG"
    raw_format: int = ObjectFormat.DNG


@dataclass(frozen=True)
class Model:
    """A body for the simulated camera.

    A body with `reported` lists the operations and properties of the real body. If the simulated
    camera lacks one of them, it answers AccessDenied or DevicePropNotSupported.
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
