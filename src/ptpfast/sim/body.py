"""The simulated camera without its network: card, properties, shutter, and the operations it knows.

This is what operations get to see, a vendor's too (`vendors.vendor.Responder`). It knows no
packets, no connections and no sessions; an event goes to whoever was given as `emit`.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from .._wire import OperationRequest
from ..codes import EventCode, OperationCode, ResponseCode
from ..vendors import Reply, Vendor
from .operations import OPERATIONS, Operation
from .properties import (
    COMPRESSION_SETTING,
    JPEG_ONLY,
    RAW_AND_JPEG,
    RAW_ONLY,
    device_properties,
)
from .store import FIRST_DATE, Store
from .stored import StoredObject

SESSION_OPERATIONS = (OperationCode.OpenSession, OperationCode.CloseSession)

Parameters = tuple[int, ...]


class Body:
    """One camera body: what it is, has and does."""

    def __init__(
        self,
        vendor: Vendor,
        store: Store,
        *,
        seed: int | str,
        capture_size: int,
        emit: Callable[[int, Parameters], None],
        withheld: Iterable[int] = (),
    ) -> None:
        model = vendor.model
        self.vendor = vendor
        self.store = store
        self.capture_size = capture_size
        identity = hashlib.sha256(f"{model.name} {seed}".encode(errors="surrogatepass")).digest()
        self.guid = identity[:16]
        self.serial_number = f"{int.from_bytes(identity[16:19], 'big'):08d}"
        self.properties = device_properties(FIRST_DATE, RAW_AND_JPEG)
        self.state: dict[str, Any] = {}  # the vendor's operations', see Responder
        self.listing_blocks: dict[tuple[int, int], tuple[StoredObject, bytes]] = {}
        self._emit = emit
        self._polled: deque[tuple[int, Parameters]] = deque()
        self._shutter = threading.Lock()
        self._table: dict[int, Operation] = {
            code: handler for code, handler in OPERATIONS.items() if code not in model.withheld
        }
        self._table.update(model.operations)
        for code in withheld:
            self._table.pop(code, None)

    @property
    def operations_supported(self) -> list[int]:
        return sorted({*SESSION_OPERATIONS, *self._table})

    def perform(self, request: OperationRequest, data: bytes) -> Reply:
        """The answer to one operation; `data` is the payload of its data-out phase."""
        handler = self._table.get(request.code)
        return handler(self, request, data) if handler else _NOT_SUPPORTED

    def object_size(self, handle: int) -> int | None:
        stored = self.store.get(handle)
        return None if stored is None else stored.size

    def file_size(self, handle: int) -> int | None:
        """As `object_size`, and None for a folder, which has no bytes to hand out."""
        stored = self.store.get(handle)
        return None if stored is None or stored.is_folder else stored.size

    def thumbnail(self, handle: int) -> bytes | None:
        stored = self.store.get(handle)
        return None if stored is None else stored.thumbnail

    def storage_ids(self, *, populated: bool = True) -> list[int]:
        return self.store.storage_ids(populated=populated)

    def capture(self, *, announce: bool = True) -> list[int]:
        """Takes a picture, RAW and JPEG as CompressionSetting says; the handles of its files."""
        setting = self.properties[COMPRESSION_SETTING].current
        with self._shutter:
            handles = self.store.add_shot(
                self.capture_size, raw=setting != JPEG_ONLY, jpeg=setting != RAW_ONLY
            )
        if announce:
            for handle in handles:
                self.push_event(EventCode.ObjectAdded, handle)
            self.push_event(EventCode.CaptureComplete)
        return handles

    def delete(self, handle: int) -> None:
        """Deletes an object with the camera's own buttons; KeyError when there is none."""
        if self.store.delete(handle):
            self.push_event(EventCode.ObjectRemoved, handle)

    def push_event(self, code: int, *parameters: int) -> None:
        """Reports an event the way this body does."""
        if self.vendor.model.polled_events:
            self._polled.append((code, parameters))
        else:
            self._emit(code, parameters)

    def take_events(self) -> list[tuple[int, Parameters]]:
        events = []
        while self._polled:
            events.append(self._polled.popleft())
        return events


_NOT_SUPPORTED = Reply(ResponseCode.OperationNotSupported)
