"""Taking a picture and hearing of it: events that must be asked for, and the capture that waits for
them.

Sources: libgphoto2 (library.c) for the order of a capture's events and for what may be odd about
them.
"""

from __future__ import annotations

import time
from typing import Protocol

from .codes import EventCode, ObjectFormat, ResponseCode
from .errors import ResponseError, SessionNotOpen
from .events import Event, EventHub, Source, Subscription
from .objects import ObjectInfo
from .vendors.vendor import Initiator, Vendor

# Right after ObjectAdded some bodies cannot describe the object yet: asked again for 5 s (airmtp).
DESCRIBE_S, DESCRIBE_PAUSE_S = 5.0, 0.25
_NOT_YET = frozenset({ResponseCode.GeneralError, ResponseCode.InvalidObjectHandle})
# After CaptureComplete, how long the second file of a RAW and JPEG pair may take to be reported.
SECOND_FILE_S = 0.5


class Camera(Initiator, Protocol):
    """What capturing asks of the session."""

    @property
    def vendor(self) -> Vendor: ...
    @property
    def hub(self) -> EventHub: ...
    @property
    def usable(self) -> bool: ...
    def object_info(self, handle: int) -> ObjectInfo: ...


def poll(camera: Camera, subscription: Subscription, timeout: float | None) -> Event | None:
    """The next event from wherever it comes; None after `timeout` seconds or at the session's
    end."""
    poll_events, interval = camera.vendor.poll_events, camera.vendor.quirks.event_poll_s
    give_up = None if timeout is None else time.monotonic() + timeout
    while True:
        if (event := subscription.get(0)) is not None:
            return event
        if not camera.usable:
            return None
        if poll_events is not None:
            try:
                found = poll_events(camera)
            except SessionNotOpen:
                return None
            for code, parameters in found:
                camera.hub.publish(Event(code, parameters, source=Source.POLL))
            if found:
                continue
        elif camera.hub.closed:
            return None
        left = None if give_up is None else give_up - time.monotonic()
        if left is not None and left <= 0:
            return None
        wait = interval if poll_events is not None else left
        event = subscription.get(wait if left is None or wait is None else min(wait, left))
        if event is not None:
            return event


def capture(camera: Camera) -> ObjectInfo | None:
    """Releases the shutter and waits for CaptureComplete and the new object, or objects."""
    subscription = camera.hub.subscribe()
    try:
        camera.vendor.release_shutter(camera)
        return _new_object(camera, subscription)
    finally:
        subscription.close()


def _new_object(camera: Camera, subscription: Subscription) -> ObjectInfo | None:
    give_up = time.monotonic() + camera.vendor.quirks.capture_s
    found: ObjectInfo | None = None
    complete = False
    while (left := give_up - time.monotonic()) > 0:
        event = poll(camera, subscription, min(left, SECOND_FILE_S) if complete else left)
        if event is None:
            break
        if event.code == EventCode.CaptureComplete:
            complete = True
        elif event.code == EventCode.ObjectAdded and event.parameters:
            info = _describe(camera, event.parameters[0])
            # A new folder is reported like a picture.
            if info is not None and info.format != ObjectFormat.Association:
                found = info if found is None or info.is_raw else found
        if complete and found is not None and found.is_raw:
            break
    return found


def _describe(camera: Camera, handle: int) -> ObjectInfo | None:
    give_up = time.monotonic() + DESCRIBE_S
    while True:
        try:
            return camera.object_info(handle)
        except ResponseError as error:
            if error.code not in _NOT_YET:
                raise
            if time.monotonic() > give_up:
                return None
        time.sleep(DESCRIBE_PAUSE_S)
