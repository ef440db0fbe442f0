"""Watch an EOS body: take its events, keep it awake, change its properties, free its memory.

Sources: libgphoto2 (library.c, ptp.c), sabaipics; each fact names its own.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from ...ptp.codes import EventCode, ResponseCode
from ...ptp.datasets import DeviceInfo
from ...ptp.errors import DeviceBusy, ProtocolError, PTPError, ResponseError
from ..dialect import Asks, Dialect, PolledEvent, Role
from ..quirks import Quirks
from .codes import CanonOperation, CanonResponse
from .datasets import encode_setting
from .news import ABOUT_OBJECTS, News
from .records import split_records

log: logging.Logger = logging.getLogger("ptpfast")

MAX_EVENTS = 4 << 20  # bytes of one list; the first of a session has about 11 KB
MOST_LISTS = 100  # that are asked for in a row, should a body always have another one
STAY_AWAKE_S = 30.0  # between two KeepDeviceOn; the shortest auto power off is 30 s to a minute
FREE_AFTER_S = 5.0  # of a picture in the camera's memory, once it was read
# Answers that mean "not yet" (libgphoto2): after a capture, and before the first live view frame.
_BUSY = frozenset(
    {
        ResponseCode.DeviceBusy,
        CanonResponse.ObjectNotReady,
        CanonResponse.MemoryStatusNotReady,
    }
)


class Watching(Dialect):
    """Events by polling, and the operations that go with them.

    Attributes:
        news: What the records have told.
        watches: Whether the body reports events.
        unstored: The pictures in the camera's memory that were read in this session, but are not
            safe yet.
        fetched: Those that are safe, with the time since when.
    """

    def __init__(
        self, link: Asks, info: DeviceInfo, quirks: Quirks, role: Role = "download"
    ) -> None:
        super().__init__(link, info, quirks, role)
        self.news: News = News()
        self.watches: bool = False
        self.unstored: set[int] = set()
        self.fetched: dict[int, float] = {}
        self._held: list[PolledEvent] = []
        self._awake_at = 0.0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Reset the state of a session."""
        self.news.begin()
        self.unstored.clear()  # their handles may be those of other pictures now
        self.fetched.clear()
        self.watches = False
        self._awake_at = time.monotonic()

    @property
    def polls(self) -> bool:
        """True once the body reports events; its Event connection stays silent."""
        return self.watches

    def poll(self) -> list[PolledEvent]:
        """Return all queued events; keep the body awake, and free what is safe of its memory."""
        now = time.monotonic()
        if self.news.sleeps_soon or now - self._awake_at >= STAY_AWAKE_S:
            self._awake_at, self.news.sleeps_soon = now, False
            self.try_command(CanonOperation.KeepDeviceOn)
        self.free([handle for handle, at in list(self.fetched.items()) if now - at >= FREE_AFTER_S])
        return self.drain()

    def drain(self) -> list[PolledEvent]:
        """Ask for lists of events until an empty one comes, and return the events.

        If a list is damaged, or the connection ends, the events before are published first.
        """
        found, self._held = self._held, []
        try:
            for _ in range(MOST_LISTS):
                if not self._take_list(found):
                    break
        except PTPError:
            self._publish(found)
            raise
        return found

    def _take_list(self, found: list[PolledEvent]) -> bool:
        """Ask for one list and add its events; return False if it was empty.

        A property's value and its allowed values are often told together: one event.
        """
        payload = self.link.fetch(CanonOperation.GetEvent, limit=MAX_EVENTS)
        told = {event for event in found if event[0] == EventCode.DevicePropChanged}
        some = False
        with self._lock:
            for record in split_records(payload):
                some = True
                for event in self.news.take(record):
                    if event not in told:
                        found.append(event)
                    if event[0] == EventCode.DevicePropChanged:
                        told.add(event)
        return some

    def settle(self) -> None:
        """Take the queued events, and hold those about objects for the next poll.

        The first lists of a session have every property; those are not news. Nobody listens yet.
        """
        self._held = [event for event in self._drain_leniently() if event[0] in ABOUT_OBJECTS]

    def look(self) -> None:
        """Take the queued events within an operation, and publish all."""
        self._publish(self._drain_leniently())

    def _drain_leniently(self) -> list[PolledEvent]:
        """Drain as far as the lists are well-formed: the operation goes on."""
        try:
            return self.drain()
        except ProtocolError as error:
            log.warning("some events may be missing: %s", error)
            return []

    def _publish(self, events: list[PolledEvent]) -> None:
        for code, parameters in events:
            self.link.publish(code, parameters)

    def keep_awake(self) -> None:
        """Reset the timer of auto power off, if the body has that operation."""
        if self.link.supports(CanonOperation.KeepDeviceOn):
            self.link.command(CanonOperation.KeepDeviceOn)
        else:
            super().keep_awake()

    def is_busy(self, code: int) -> bool:
        """Return whether a response code means "retry later"."""
        return code in _BUSY

    def try_command(self, operation: int, *parameters: int) -> bool:
        """Run an operation that a body may lack or refuse; return whether it was accepted."""
        if not self.link.supports(operation):
            return False
        try:
            self.link.command(operation, *parameters, busy_s=0.0)
        except ResponseError as error:
            log.debug("refused: %s", error)
            return False
        return True

    def change(self, code: int, value: Any) -> None:
        """Set a property, and note its value. Raises ResponseError."""
        setting, told = self.news.properties.setting(code, value)
        data = encode_setting(code, setting)
        self.link.command(CanonOperation.SetDevicePropValueEx, data=data)
        with self._lock:
            self.news.properties.tell(told)

    def free(self, handles: list[int]) -> None:
        """Tell the body that pictures which are safe need not stay in its memory."""
        for handle in handles:
            at = self.fetched.pop(handle, None)
            if at is None:
                continue
            try:
                self.link.command(CanonOperation.TransferComplete, handle, busy_s=0.0)
            except DeviceBusy:
                self.fetched[handle] = at  # the next call tries again
                continue
            except ResponseError as error:
                log.debug("it is not in the camera's memory any longer: %s", error)
            self.news.memory.pop(handle, None)

    def free_all(self) -> None:
        """Free all pictures that are safe."""
        self.free(list(self.fetched))
