"""The simulated camera without its network: card, properties, shutter and operations.

The operations, also a vendor's, receive a `Body` (`vendors.body.Responder`). It knows no packets,
connections or sessions; events are passed to `emit`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.wire import OperationRequest
from ..ptp.arguments import numbers
from ..ptp.codes import EventCode, FailReason, OperationCode, ResponseCode
from ..ptp.datasets import DevicePropDesc, ObjectInfoDataset, StorageInfo
from ..vendors import Vendor
from ..vendors.body import Habits, Later, Model, Reply
from .approvals import Approvals
from .device_properties import COMPRESSION_SETTING, device_properties
from .store import FIRST_DATE, Store
from .stored import StoredObject
from .thumbnail import live_view_frame

SESSION_OPERATIONS = (OperationCode.OpenSession, OperationCode.CloseSession)
EVENTS = (
    EventCode.ObjectAdded,
    EventCode.ObjectRemoved,
    EventCode.DevicePropChanged,
    EventCode.StoreFull,
    EventCode.CaptureComplete,
)

Parameters = tuple[int, ...]
# The handler of an operation: called with body, request, payload of the data-out phase.
Operation = Callable[["Body", OperationRequest, bytes], Reply | Later]


@dataclass
class Busy:
    """The time for which a body reports busy after a picture."""

    polls: float = 0.0  # how often it says so when it is asked
    until: float = 0.0  # by time.monotonic


class Body:
    """One camera body."""

    def __init__(
        self,
        vendor: Vendor,
        store: Store,
        operations: Mapping[int, Operation],
        seed: int | str,
        capture_size: int,
        emit: Callable[[int, Parameters], None],
        withheld: Iterable[int] | int = (),
        approval: Approvals | None = None,
    ) -> None:
        model = vendor.model
        self.vendor = vendor
        self.habits: Habits = model.habits
        self.store = store
        self.capture_size = capture_size
        self.serial_number: str = identity(model, seed)[1]
        self.properties: dict[int, DevicePropDesc] = device_properties(FIRST_DATE, model)
        self.state: dict[str, Any] = {}  # the vendor's operations', see Responder
        self.initiator: tuple[bytes, str] = (bytes(16), "")
        self.opening: OperationRequest = OperationRequest(1, OperationCode.OpenSession, 0, (1,))
        self.approval: Approvals = approval or Approvals()
        self._frames = 0
        self.marked: dict[int, None] = {}
        self.ratings: dict[int, int] = {}
        self.ports: Callable[[bool], object] = lambda _: None  # the door's, see Responder
        self.off: Callable[[], object] = lambda: None  # the door's, too
        self.listing_blocks: dict[tuple[int, int], tuple[StoredObject, bytes]] = {}
        self._emit = emit
        self._polled: deque[tuple[int, Parameters]] = deque()
        self._shutter = threading.Lock()
        self._busy = Busy()
        self._free_at = 0.0  # by time.monotonic: refuses connections until then
        self._table: dict[int, Operation] = {
            code: handler for code, handler in operations.items() if code not in model.withheld
        }
        self._table.update(model.operations)
        left_out = numbers("withheld", withheld, "an operation code")
        listed = model.reported.operations if model.reported else ()
        if listed:
            answered = {*listed, *model.unlisted}
            self._table = {code: each for code, each in self._table.items() if code in answered}
        own = sorted({*SESSION_OPERATIONS, *self._table} - {*listed, *model.unlisted})
        self._order = [*listed, *own]  # of the operations, as the real body lists them
        self._listed = set(self._order) - set(left_out)
        for code in left_out:
            self._table.pop(code, None)

    @property
    def operations_supported(self) -> list[int]:
        return [code for code in self._order if code in self._listed]

    @property
    def events_supported(self) -> list[int]:
        reported = self.vendor.model.reported
        return list(reported.events if reported else EVENTS)

    @property
    def properties_supported(self) -> list[int]:
        reported = self.vendor.model.reported
        return list(reported.properties if reported else self.properties)

    def admit(self, guid: bytes, name: str) -> int | Later | None:
        """Return the reason to refuse a computer, None to accept it, or Later."""
        answer = self.vendor.model.manners.admit(self, guid, name)
        is_locked = time.monotonic() < self._free_at
        return FailReason.BUSY if is_locked and answer in (None, Later.LATER) else answer

    @property
    def openings(self) -> frozenset[int]:
        """The operations that open a session."""
        return self.vendor.model.manners.openings | {OperationCode.OpenSession}

    def begin_session(self, initiator: tuple[bytes, str], opening: OperationRequest) -> None:
        """Note the computer whose session begins, and the request that has opened it."""
        self.initiator = initiator
        self.opening = opening
        self.vendor.model.manners.opened(self)

    def end_session(self, *, orderly: bool) -> None:
        """End a session, by CloseSession or with its connection."""
        lasting_s = 0.0 if orderly else self.habits.locked_s
        self._free_at = time.monotonic() + max(self.habits.pause_s, lasting_s)
        self.vendor.model.manners.closed(self, orderly)

    def perform(self, request: OperationRequest, data: bytes) -> Reply | Later:
        """Answer one operation; `data` is the payload of its data-out phase. Later: ask again."""
        refusal = self.vendor.model.manners.guard(self, request)
        if refusal is not None:
            return refusal
        handler = self._table.get(request.code)
        if handler:
            return handler(self, request, data)
        return _NOT_NOW if request.code in self._listed else _NOT_SUPPORTED

    def object_size(self, handle: int) -> int | None:
        stored = self.store.get(handle)
        return None if stored is None else stored.size

    def file_size(self, handle: int) -> int | None:
        """Return the size as `object_size` does; None for a folder, which has no bytes."""
        stored = self.store.get(handle)
        return None if stored is None or stored.is_folder else stored.size

    def thumbnail(self, handle: int) -> bytes | None:
        stored = self.store.get(handle)
        return None if stored is None else stored.thumbnail

    def object_info(self, handle: int) -> ObjectInfoDataset | None:
        stored = self.store.get(handle)
        return None if stored is None else stored.info

    def is_on_card(self, handle: int) -> bool:
        return self.store.is_on_card(handle)

    def path(self, handle: int) -> str:
        return self.store.path(handle)

    def frame(self) -> bytes:
        """Return the next live view frame, a JPEG with its number in a comment."""
        self._frames += 1
        return live_view_frame(self._frames)

    def storage_ids(self, *, populated: bool = True) -> list[int]:
        return self.store.storage_ids(populated=populated)

    def storage_info(self, storage_id: int) -> StorageInfo | None:
        known = storage_id in self.store.storage_ids()
        return self.store.storage_info(storage_id) if known else None

    def handles(self, storage_id: int, parent: int = 0) -> list[int]:
        return self.store.handles(storage_id, 0, parent)

    def capture(
        self,
        transaction_id: int | None = None,
        *,
        announce: bool = True,
        to_memory: bool | None = None,
    ) -> list[int]:
        """Take a picture, RAW and JPEG as CompressionSetting says; return the handles of its files.

        Files that do not fit on the card are missing. StoreFull is reported then; otherwise
        CaptureComplete, with the id of the transaction that asked for the picture, if any. With
        `to_memory` the files are in the camera's memory only: no listing has them. None leaves it
        to the body.
        """
        if to_memory is None:
            to_memory = self.vendor.model.manners.to_memory(self)
        setting = self.properties[COMPRESSION_SETTING].current
        raw, jpeg = self.vendor.model.compression[setting]
        with self._shutter:
            storage_id, free = self.store.next_storage()
            fit = free // self.capture_size if self.capture_size else raw + jpeg
            full = fit < raw + jpeg
            raw, jpeg = raw and fit > 0, jpeg and fit > raw
            handles = (
                self.store.add_shot(self.capture_size, raw=raw, jpeg=jpeg) if raw or jpeg else []
            )
        if to_memory:
            for handle in handles:
                self.store.keep_in_memory(handle)
        if handles:
            self._busy = Busy(self.habits.busy_polls, time.monotonic() + self.habits.busy_s)
        if announce:
            for handle in handles:
                self.push_event(EventCode.ObjectAdded, handle)
            if full:
                self.push_event(EventCode.StoreFull, storage_id)
            else:
                named = () if transaction_id is None else (transaction_id,)
                self.push_event(EventCode.CaptureComplete, *named)
        return handles

    def forget(self, handle: int) -> bool:
        """Remove an object from the camera's memory; return False if it is not there."""
        return self.store.forget(handle)

    def is_busy(self, *, polled: bool = False) -> bool:
        """Return whether the camera still writes a picture.

        Args:
            polled: the caller is an operation for polling, which is answered with busy a limited
                number of times.
        """
        if self._busy.polls <= 0 or time.monotonic() >= self._busy.until:
            return False
        self._busy.polls -= polled
        return True

    def delete(self, handle: int) -> None:
        """Delete an object with the buttons of the camera. Raises KeyError."""
        self.marked.pop(handle, None)
        if self.store.delete(handle):
            self.push_event(EventCode.ObjectRemoved, handle)

    def push_event(self, code: int, *parameters: int) -> None:
        """Report an event the way this body does, if it does."""
        if not self.habits.events:
            return
        for each in self.vendor.model.manners.report(self, code, parameters):
            if self.vendor.model.polled_events:
                self._polled.append(each)
            else:
                self._emit(*each)

    def switch_off(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        self.off()

    def open_ports(self, *, opened: bool) -> None:
        """Open or close the ports for events and live view, if the body has such."""
        self.ports(opened)

    def take_events(self) -> list[tuple[int, Parameters]]:
        events = []
        while self._polled:
            events.append(self._polled.popleft())
        return events


_NOT_SUPPORTED = Reply(ResponseCode.OperationNotSupported)
# For operations that the real body lists and this one lacks.
_NOT_NOW = Reply(ResponseCode.AccessDenied)


def identity(model: Model, seed: int | str) -> tuple[bytes, str]:
    """Return the GUID and the serial number of one camera of a model."""
    digest = hashlib.sha256(f"{model.name} {seed}".encode(errors="surrogatepass")).digest()
    number = int.from_bytes(digest[16:19], "big")
    guid = (model.guid_head + digest[:16])[:16]
    return guid, f"{number:0{model.serial_digits}d}"
