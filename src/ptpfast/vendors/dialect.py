"""How cameras of a vendor are spoken to, where the standard leaves room or they differ from it.

A `Dialect` is made for each session and may hold state. It answers with the standard's behaviour; a
vendor's says otherwise where its cameras do, with the evidence. What it may ask of the session's
link is `Asks`, and nothing else.
Sources: ISO 15740, MTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from ..engine.wire import OperationResponse
from ..ptp.codes import OperationCode, ResponseCode
from ..ptp.datasets import DeviceInfo
from ..ptp.objects import ObjectInfo
from .bulk import GET_OBJECT_PROP_LIST, BulkListing
from .quirks import Quirks
from .reads import GET_PARTIAL_OBJECT, PartialRead

# Code and parameters of an event that had to be asked for.
PolledEvent = tuple[int, tuple[int, ...]]


class Asks(Protocol):
    """What a dialect may ask of the link."""

    def supports(self, operation: int) -> bool:
        """Whether the camera lists the operation."""
        ...

    def command(
        self, operation: int, *parameters: int, data: Any = None, busy_s: float | None = None
    ) -> OperationResponse:
        """Run an operation without data-in; ResponseError unless OK."""
        ...

    def fetch(self, operation: int, *parameters: int, limit: int = ...) -> bytearray:
        """Run an operation with data-in; ResponseError, ProtocolError above `limit` bytes."""
        ...

    def publish(self, code: int, parameters: tuple[int, ...] = ()) -> None:
        """Hand an event to all who listen."""
        ...

    def refresh(self) -> DeviceInfo:
        """Ask for DeviceInfo again: what a camera lists can change with its mode."""
        ...

    def pause(self, seconds: float) -> None:
        """Do nothing for so long, with the session's turn left to others."""
        ...

    def waiting(self, what: str) -> None:
        """Tell the user what is waited for, such as a press on the camera."""
        ...


class Dialect:
    """The standard's behaviour. `link` is what may be asked, `info` what the camera says of itself;
    `quirks` are those of this body."""

    def __init__(self, link: Asks, info: DeviceInfo, quirks: Quirks) -> None:
        self.link = link
        self.info = info
        self.quirks = quirks

    def begin(self) -> None:
        """After OpenSession, each time."""

    def end(self) -> None:
        """Before CloseSession, if the connection still stands."""

    @property
    def polls(self) -> bool:
        """Whether there is anything to `poll`."""
        return False

    def poll(self) -> list[PolledEvent]:
        """Return the events that the camera gives only when it is asked."""
        return []

    def keep_awake(self) -> None:
        """Ask for something that costs nothing, so that an idle camera stays."""
        self.link.fetch(OperationCode.GetStorageIDs)

    def is_busy(self, code: int) -> bool:
        """Return whether a response code means that the same will be answered later."""
        return code == ResponseCode.DeviceBusy

    def storages(self) -> list[int] | None:
        """Return the storage ids; None to ask for them as the standard does."""
        return None

    def handles(self, storage_id: int, parent: int) -> list[int] | None:
        """Return the handles in a storage: all of them with parent 0, those in the root with all
        ones, else those in a folder; None to ask for them as the standard does."""
        return None

    def bulk(self) -> tuple[BulkListing, ...]:
        """Return the operations that describe many objects at once, in order of preference."""
        return (GET_OBJECT_PROP_LIST,)

    def reads(self) -> tuple[PartialRead, ...]:
        """Return the partial reads in order of preference; the first that is supported and reaches
        far enough is used."""
        return (GET_PARTIAL_OBJECT,)

    @contextmanager
    def reading(self, info: ObjectInfo) -> Iterator[None]:
        """Surround the reading of one object."""
        yield

    def true_size(self, handle: int) -> int | None:
        """Return the size in 64 bits of an object whose ObjectInfo says 4 GiB or more; None when it
        cannot be told."""
        return None

    def release(self) -> None:
        """Take a picture; returns when the camera accepts operations again."""
        self.link.command(OperationCode.InitiateCapture, 0, 0)
