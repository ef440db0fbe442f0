"""What a vendor file states: the shape of `Vendor`, and the two sides it is written for.

The Initiator's side is a few hooks named by when they run; their defaults are what the standard
says (`standard.py`). The Responder's side is a `Model` for the simulated camera: who it claims to
be and which operations it answers. Both stand in the one file of a vendor, because they are the two
readings of the same facts. Vendor files import neither the session nor the simulated camera: what
they may ask of either is stated here as a Protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from ..engine.wire import OperationRequest, OperationResponse
from ..ptp.codes import ObjectFormat, OperationCode, ResponseCode
from ..ptp.datasets import DeviceInfo, DevicePropDesc
from .bulk import GET_OBJECT_PROP_LIST, BulkListing

MiB = 1 << 20
MAX_DEPTH = 64  # of a tuning


class Initiator(Protocol):
    """What a hook may ask of the session."""

    @property
    def device_info(self) -> DeviceInfo: ...

    def supports(self, operation: int) -> bool:
        """Whether the Responder lists the operation."""
        ...

    def command(
        self, operation: int, *parameters: int, data: Any = None, busy_s: float | None = None
    ) -> OperationResponse:
        """An operation that carries no data in; ResponseError unless OK."""
        ...

    def fetch(self, operation: int, *parameters: int, limit: int = ...) -> bytearray:
        """An operation with data-in: its payload; ResponseError unless OK, ProtocolError for more
        than `limit` bytes."""
        ...


@dataclass(frozen=True)
class PartialRead:
    """An operation that reads a range of an object.

    `parameters(handle, offset, size)` are the request's; the range must end below `1 <<
    offset_bits`.
    """

    operation: int
    offset_bits: int
    parameters: Callable[[int, int, int], tuple[int, ...]]


GET_PARTIAL_OBJECT = PartialRead(
    OperationCode.GetPartialObject, 32, lambda handle, offset, size: (handle, offset, size)
)


@dataclass(frozen=True)
class Quirks:
    """Where cameras of a vendor differ; each value's evidence stands where the vendor sets it."""

    close_after_open_s: float = 0.0  # CloseSession not sooner than this after OpenSession
    reconnect_pause_s: float = 0.0  # between a close and the next Init Command Request
    max_chunk: int = 8 * MiB  # largest partial read asked for
    whole_objects: bool = True  # whether bodies stand GetObject of what is not small
    event_poll_s: float = 0.5  # between two polls of the vendor's event operation
    capture_s: float = 70.0  # how long a capture's events may take (libgphoto2's figure)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How to read from a model. depth: requests outstanding at a time. chunk: bytes of each partial
    read, 0 for whole objects, None adaptive. gain: measured rate ÷ that of 1 MiB one at a time.
    note: when and how this became known; in a vendor's file, the evidence. whole: whether GetObject
    works, None untried; whole_mb_per_s: its rate (10^6 bytes a second); whole_size: bytes of the
    object it was measured with. With chunk 0 larger ones are read in parts all the same."""

    depth: int = 1
    chunk: int | None = None
    gain: float = 1.0
    note: str = ""
    whole: bool | None = None
    whole_mb_per_s: float | None = None
    whole_size: int | None = None

    def is_sane(self) -> bool:
        """Whether the values can be what was once written."""
        return (
            type(self.depth) is int
            and 1 <= self.depth <= MAX_DEPTH
            and (self.chunk is None or (type(self.chunk) is int and 0 <= self.chunk < 1 << 32))
            and isinstance(self.gain, (int, float))
            and 0 <= self.gain < 1e6
            and isinstance(self.note, str)
            and (self.whole is None or isinstance(self.whole, bool))
            and (self.whole_mb_per_s is None or _is_rate(self.whole_mb_per_s))
            and (self.whole_size is None or (type(self.whole_size) is int and self.whole_size > 0))
        )


def _is_rate(value: object) -> bool:
    """In MB/s; what was read back may be anything."""
    return type(value) in (int, float) and 0 <= value < 1e6  # type: ignore[operator]


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

    def thumbnail(self, handle: int) -> bytes | None:
        """An object's thumbnail, empty when it has none; None when there is no such handle."""
        ...

    def capture(self, transaction_id: int | None = None, *, announce: bool = True) -> list[int]:
        """Takes a picture: adds its objects to the store; their handles, none when it is full.

        With `announce`, ObjectAdded for each and CaptureComplete, with the id of the transaction
        that asked for it, are queued as events.
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
        """Empties the queue of events kept for polling."""
        ...


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
    after a picture, and for how many seconds at most. events: whether it reports any.
    """

    end_data: str = "empty"
    strict_tid: bool = True
    needs_probe: bool = False
    busy_polls: float = 0
    busy_s: float = 0.0
    events: bool = True


# CompressionSetting → whether a picture then has a RAW file, and a JPEG.
RAW_OR_JPEG: Mapping[int, tuple[bool, bool]] = {0: (True, False), 1: (False, True), 2: (True, True)}


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
    folder: str = "100PTPIP"  # of DCIM
    file_stem: str = "IMG_"  # before the four digits
    raw_extension: str = "DNG"
    raw_format: int = ObjectFormat.DNG
    operations: Mapping[int, ResponderOperation] = field(default_factory=dict)
    withheld: frozenset[int] = frozenset()  # standard operations this body does not have
    polled_events: bool = False  # events wait for the vendor's event operation
    reported: Reported | None = None
    habits: Habits = Habits()
    serial_digits: int = 8
    compression: Mapping[int, tuple[bool, bool]] = field(default_factory=lambda: RAW_OR_JPEG)
    compression_setting: int = 2  # as long as nobody sets another one
    properties: tuple[DevicePropDesc, ...] = ()  # device properties beyond those every body has


@dataclass(frozen=True)
class Vendor:
    """All that sets a vendor apart. Every default is the standard's behaviour."""

    name: str
    matches: Callable[[DeviceInfo], bool] = lambda _: False
    operations: type[IntEnum] | None = None
    responses: type[IntEnum] | None = None
    events: type[IntEnum] | None = None
    quirks: Quirks = Quirks()
    # What was measured of models, by manufacturer, model and firmware (`tuning.model_key`): for
    # whoever has not measured it, and with the evidence. None is known for certain so far.
    tunings: Mapping[str, Tuning] = field(default_factory=dict)
    # Partial reads in order of preference; the first that is supported and reaches far enough is
    # used.
    partial_reads: tuple[PartialRead, ...] = (GET_PARTIAL_OBJECT,)
    # Operations that describe many objects at once, in order of preference.
    bulk_listings: tuple[BulkListing, ...] = (GET_OBJECT_PROP_LIST,)
    after_open_session: Callable[[Initiator], None] = lambda _: None
    before_close_session: Callable[[Initiator], None] = lambda _: None
    # Events that only an operation gives: (code, parameters) each; None when there is no such
    # thing.
    poll_events: Callable[[Initiator], list[tuple[int, tuple[int, ...]]]] | None = None
    # Takes a picture and returns when the camera accepts operations again.
    release_shutter: Callable[[Initiator], None] = lambda camera: _initiate_capture(camera)
    # The 64-bit size of an object whose ObjectInfo says 4 GiB or more; None when it cannot be told.
    object_size: Callable[[Initiator, int], int | None] = lambda _camera, _handle: None
    model: Model = Model("ptpfast", "Simulated Camera")
    # Further bodies for the simulated camera, by name; `model` is the one it is by default.
    bodies: Mapping[str, Model] = field(default_factory=dict)


def _initiate_capture(camera: Initiator) -> None:
    camera.command(OperationCode.InitiateCapture, 0, 0)
