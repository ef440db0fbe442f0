"""The pictures that a camera's owner has marked in its playback menu, for transfer.

Source: airmtp (README, airmtp.py). A D7200 and a D750 keep the marks when they are switched off; a
D7200 cannot mark movies, a J4 only JPEGs; a WU-1a adapter has none.
"""

from __future__ import annotations

import logging

from ...ptp.datasets import DeviceInfo, decode_array
from ...ptp.errors import ResponseError
from ..dialect import Asks
from ..leaving import leaving
from .codes import NikonOperation, NikonResponse

log: logging.Logger = logging.getLogger("ptpfast")

MAX_LIST = 4 + (4 << 20)  # bytes of handles: a million
_NONE_MARKED = (NikonResponse.NoTransferList, NikonResponse.NoTransferListOfAdapter)
# These have the list, and do not list its operation (airmtp).
_UNLISTED = frozenset({"J4", "NIKON 1 J4"})


class TransferList:
    """The transfer list of one session."""

    def __init__(self, link: Asks) -> None:
        self._link = link
        self._marked: set[int] = set()  # as it was read last
        self._started: set[int] = set()

    def begin(self) -> None:
        """Forget the state of an earlier session."""
        self._started.clear()

    @property
    def is_in_use(self) -> bool:
        """True if marked objects have not been started."""
        return not self._marked <= self._started

    def read(self, info: DeviceInfo) -> list[int] | None:
        """Return the marked handles; None if the camera has no transfer list."""
        if not self._link.supports(NikonOperation.GetTransferList) and info.model not in _UNLISTED:
            return None
        self._lock(1)
        with leaving(lambda: self._lock(0)):
            try:
                payload = self._link.fetch(NikonOperation.GetTransferList, limit=MAX_LIST)
            except ResponseError as error:
                if error.code not in _NONE_MARKED:
                    raise
                payload = bytearray()
        handles = decode_array(payload, "u32", "GetTransferList") if payload else []
        self._marked = set(handles)
        return list(dict.fromkeys(handles))

    def _lock(self, flag: int) -> None:
        """Keep the list as it is while it is read."""
        if self._link.supports(NikonOperation.SetTransferListLock):
            self._tell(NikonOperation.SetTransferListLock, flag)

    def start(self, handle: int) -> None:
        """Tell the camera that a marked object is going to be read."""
        if handle in self._marked and handle not in self._started:
            self._started.add(handle)
            self._tell(NikonOperation.NotifyFileAcquisitionStart, handle)

    def unmark(self, handle: int) -> None:
        """Remove the mark of an object."""
        self.start(handle)
        self._link.command(NikonOperation.NotifyFileAcquisitionEnd, handle)
        self._marked.discard(handle)
        self._started.discard(handle)

    def _tell(self, operation: int, parameter: int) -> None:
        try:
            self._link.command(operation, parameter)
        except ResponseError as error:
            log.debug("goes on without: %s", error)
