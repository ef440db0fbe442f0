"""Bodies for the simulated camera: their identity and the operations that they answer.

Real sessions never import this module. A vendor's bodies are in `body` of its folder. They may call
the methods of `Responder` on the camera that runs them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from ..engine.wire import Event, OperationRequest
from ..ptp.codes import ObjectFormat, ResponseCode
from ..ptp.datasets import DeviceInfo, DevicePropDesc, ObjectInfoDataset, StorageInfo
from .announcement import Announces, nothing


# The answer to one operation, as the simulated camera sends it.
@dataclass
class ObjectRange:
    """Reply payload that is a range of an object in the store."""

    handle: int
    offset: int
    size: int


@dataclass
class Reply:
    """A camera's answer: response code, parameters, and the payload of a data-in phase if any.

    With code 0 it does not answer at all. With `ends` False only the response never comes:
    firmware that hangs.
    """

    code: int = ResponseCode.OK
    parameters: tuple[int, ...] = ()
    data: bytes | ObjectRange | None = None
    ends: bool = True


SILENCE = Reply(0)  # no response at all


class CrashError(Exception):
    """Raised by an operation, or by `Manners.guard`: the camera ends its connections."""


class Approval(Protocol):
    """What the camera's owner thinks of the computers that connect, by (GUID, name)."""

    def state(self, guid: bytes, name: str) -> str:
        """Return `unknown`, `approved` or `rejected`."""
        ...

    def ask(self, guid: bytes, name: str) -> None:
        """Show a computer to the owner, who may approve or reject it later."""
        ...

    def forget(self, guid: bytes, name: str) -> None:
        """Make a computer unknown again."""
        ...


class Later(Enum):
    """The answer to an Init or an operation that waits until the camera's owner has decided."""

    LATER = "later"


class Responder(Protocol):
    """The methods of the simulated camera that a vendor's operation may call."""

    state: dict[str, Any]  # free for the vendor's operations, one dict for each camera
    ratings: dict[int, int]  # stars that the owner has given, by handle
    marked: dict[int, None]  # handles of the objects that its user has marked for transfer
    properties: dict[int, DevicePropDesc]  # `current` can be set
    initiator: tuple[bytes, str]  # GUID and name of the connected computer
    opening: OperationRequest  # that has opened the session
    habits: Habits

    @property
    def approval(self) -> Approval:
        """The owner's decisions about computers."""
        ...

    @property
    def properties_supported(self) -> list[int]:
        """The codes of the device properties that it lists."""
        ...

    def object_size(self, handle: int) -> int | None:
        """Return the size of an object in bytes; None if there is no such handle."""
        ...

    def object_info(self, handle: int) -> ObjectInfoDataset | None:
        """Return the description of an object; None if there is no such handle."""
        ...

    def frame(self) -> bytes:
        """Return the next live view frame: a JPEG."""
        ...

    def storage_ids(self, *, populated: bool = True) -> list[int]: ...

    def storage_info(self, storage_id: int) -> StorageInfo | None:
        """Return the size of a storage and its free space; None if there is no such storage."""
        ...

    def handles(self, storage_id: int, parent: int = 0) -> list[int]:
        """Return the handles of a storage, or of all storages for all ones.

        Args:
            storage_id: the storage.
            parent: 0 for all handles, all ones for those in the root, else a folder.
        """
        ...

    def thumbnail(self, handle: int) -> bytes | None:
        """Return the thumbnail of an object; empty without one, None without such a handle."""
        ...

    def capture(
        self,
        transaction_id: int | None = None,
        *,
        announce: bool = True,
        to_memory: bool | None = None,
    ) -> list[int]:
        """Take a picture: add its objects to the store, and return their handles.

        With `to_memory`, by default as `Manners.to_memory` says, they can be described and read
        by their handles, but no listing has them;
        `forget` removes them.

        With `announce`, ObjectAdded for each object and CaptureComplete are queued as events.
        CaptureComplete has the id of the transaction that asked for the picture. The list is empty
        if the store is full.
        """
        ...

    def forget(self, handle: int) -> bool:
        """Remove an object from the camera's memory; return False if it is not there."""
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

    def is_on_card(self, handle: int) -> bool:
        """Return whether an object is on a card, not in the camera's memory."""
        ...

    def path(self, handle: int) -> str:
        """Return the path of an object: `DCIM/100PTPIP/IMG_0001.DNG`."""
        ...

    def delete(self, handle: int) -> None:
        """Delete an object from a card, with an event. Raises KeyError."""
        ...

    def take_events(self) -> list[tuple[int, tuple[int, ...]]]:
        """Empty and return the queue of events for polling."""
        ...

    def switch_off(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        ...

    def open_ports(self, *, opened: bool) -> None:
        """Open or close the ports for events and live view, if the body has such."""
        ...


def parameter(request: OperationRequest, index: int, missing: int = 0) -> int:
    """Return a parameter of a request; trailing ones may be missing."""
    return request.parameters[index] if index < len(request.parameters) else missing


ResponderOperation = Callable[[Responder, OperationRequest, bytes], Reply | Later]


@dataclass(frozen=True)
class Manners:
    """What a body does between operations, beyond answering them.

    Attributes:
        admit: Asked at the Init of a computer with its GUID and name. Returns a reason for Init
            Fail, None to accept it, or Later to keep it waiting.
        opened: Called after OpenSession: reset what belongs to a session.
        closed: Called at the end of a session; with True after CloseSession, else False.
        guard: Asked before each operation in a session, also before the standard's. Returns the
            refusal of an operation that is out of order or in the wrong mode, None to perform it.
        device_info: Returns the DeviceInfo as the body reports it now.
        report: Returns what the body sends for an event of the standard, and notes it for a poll.
        openings: Operations that open a session, beside OpenSession. The first parameter is the
            session's id; `opened` finds the others in `Responder.opening`.
        to_memory: Whether a picture that is taken by the button is in the camera's memory only.
    """

    admit: Callable[[Responder, bytes, str], int | Later | None] = lambda _camera, _guid, _name: (
        None
    )
    opened: Callable[[Responder], None] = lambda _: None
    closed: Callable[[Responder, bool], None] = lambda _camera, _orderly: None
    guard: Callable[[Responder, OperationRequest], Reply | None] = lambda _camera, _request: None
    device_info: Callable[[Responder, DeviceInfo], DeviceInfo] = lambda _camera, info: info
    report: Callable[[Responder, int, tuple[int, ...]], Iterable[tuple[int, tuple[int, ...]]]] = (
        lambda _camera, code, parameters: [(code, parameters)]
    )
    openings: frozenset[int] = frozenset()
    to_memory: Callable[[Responder], bool] = lambda _: False


@dataclass(frozen=True)
class Containers:
    """The packets of a body that does not use PTP/IP's: containers, after a handshake of its own.

    It has three ports: for operations, then for events, then for live view frames. The last two
    are open while the body says so (`Responder.open_ports`).

    Attributes:
        hello: Parses the first packet of a client into its GUID and name. Raises ProtocolError.
        welcome: Returns the answer to it, from a number and the camera's GUID and name.
        refusal: Returns the answer that refuses it, from a reason.
        event: Returns an event as it is sent.
        frame: Returns a live view frame as it is sent, from its number and its JPEG.
        farewell: The packet with which a client leaves.
        data_out: The operations with a data-out phase.
        version_reason: The reason for refusing a client whose first packet is another.
    """

    hello: Callable[[bytes], tuple[bytes, str]]
    welcome: Callable[[int, bytes, str], bytes]
    refusal: Callable[[int], bytes]
    event: Callable[[Event], bytes]
    frame: Callable[[int, bytes], bytes]
    farewell: bytes
    data_out: frozenset[int]
    version_reason: int


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
        deaf_s: Seconds after Init Command Ack for which it refuses the Event connection.
        connection_number: The number of each connection; None counts them.
        cancels: Whether it knows Cancel packets; otherwise one ends the connection.
        session_id: The only id of a session that it accepts; None: any.
        hold_s: Seconds that a session must last, or it loses the approval that it was given.
        pause_s: Seconds after a session for which it refuses connections.
        locked_s: Seconds for which it does so after a session that ended without CloseSession.
    """

    end_data: str = "empty"
    strict_tid: bool = True
    needs_probe: bool = False
    busy_polls: float = 0
    busy_s: float = 0.0
    events: bool = True
    idle_s: float = math.inf
    deaf_s: float = 0.0
    connection_number: int | None = None
    cancels: bool = True
    session_id: int | None = None
    hold_s: float = 0.0
    pause_s: float = 0.0
    locked_s: float = 0.0


# CompressionSetting → whether a picture then has a RAW file, and a JPEG.
RAW_OR_JPEG: Mapping[int, tuple[bool, bool]] = {0: (True, False), 1: (False, True), 2: (True, True)}


@dataclass(frozen=True)
class CardFiles:
    """The file names and the RAW format of a body, and what of a card it shows.

    Attributes:
        has_raw: Whether it shows RAW files.
        has_folders: Whether it shows folders; otherwise all files are in the root.
        first_handle: The handle of the first object; None: the simulator's.
    """

    folder: str = "100PTPIP"  # of DCIM
    stem: str = "IMG_"  # before the four digits
    raw_extension: str = "DNG"
    raw_format: int = ObjectFormat.DNG
    has_raw: bool = True
    has_folders: bool = True
    first_handle: int | None = None


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
    unlisted: frozenset[int] = frozenset()  # operations it has and does not list
    polled_events: bool = False  # events wait for the vendor's event operation
    reported: Reported | None = None
    habits: Habits = Habits()
    serial_digits: int = 8
    compression: Mapping[int, tuple[bool, bool]] = field(default_factory=lambda: RAW_OR_JPEG)
    compression_setting: int = 2  # until it is set
    properties: tuple[DevicePropDesc, ...] = ()  # device properties beyond those every body has
    manners: Manners = Manners()
    containers: Containers | None = None  # instead of PTP/IP's packets
    # Answers a path that is asked for over HTTP; with True the port of the camera opens, which
    # refuses connections before.
    gate: Callable[[Responder, str], tuple[str, bool]] | None = None
    announces: Announces = nothing  # what it tells the network, if it is asked to
    guid_head: bytes = b""  # the first bytes of its GUID, which all bodies of the model share
