"""The state of a simulated Sony body, and its switches. Real sessions never import this."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ...ptp.codes import ResponseCode
from ..body import Reply, Responder
from .codes import (
    READY,
    TO_BOTH,
    TO_CAMERA,
    TO_HOST,
    VERSION,
    Mode,
    SonyEvent,
    SonyProperty,
)

AUTHENTICATED = 3  # the last phase of SDIOConnect
_KEY = "sony"


@dataclass
class Profile:
    """What differs between bodies; tests change it.

    Attributes:
        hangs_at_all_storages: Whether a listing of all storages hangs; otherwise it is refused.
        empty_device_infos: How often GetExtDeviceInfo has no data in a session.
        quiet_s: Seconds after the authentication in which the shutter does nothing.
        counted_times: Whether the list of capture times begins with a count.
        most_read: Bytes of one GetContentData.
        zone_h: Hours by which the camera's clock is before UTC.
        sleeps: Whether a body whose "Send to Computer" has ended accepts another session only if it
            was told to sleep.
        focus: FocusIndication after half a press.
        vendor_code_version: × 100; from 310 on it has extended codes.
        names_changes: Whether DevicePropChanged names a property: the reference says that it has no
            parameters, libgphoto2 reports an error without one.
    """

    hangs_at_all_storages: bool = False
    empty_device_infos: int = 0
    quiet_s: float = 0.0
    counted_times: bool = True
    most_read: int = 3 << 20
    zone_h: int = 9
    sleeps: bool = True
    focus: int = 2
    vendor_code_version: int = VERSION
    names_changes: bool = False


@dataclass
class Sitting:
    """The state of one session.

    Attributes:
        mode: The function mode; None until the session shows which one it is.
        stage: The phase of the authentication.
        version: The version of the protocol that was asked for.
        is_extended: Whether the extended codes were asked for.
        has_card: Whether content transfer is on.
        pressed: The controls that are pressed.
        enabled: The view controls that are on.
        sends: Whether "Send to Computer" has begun; None while a status was not asked for.
    """

    mode: Mode | None = None
    stage: int = 0
    empty_left: int = 0
    version: int = VERSION
    is_extended: bool = False
    began: float = field(default_factory=time.monotonic)
    has_card: bool = False
    pressed: set[int] = field(default_factory=set)
    enabled: set[int] = field(default_factory=set)
    sends: bool = False
    owes_status: bool = False
    told_to_sleep: bool = False
    reported: dict[int, bytes] = field(default_factory=dict)
    deleted_at: float = 0.0

    @property
    def shows_card(self) -> bool:
        """Whether the standard's operations reach the cards."""
        return self.mode is None or (self.mode == Mode.CONTENT_TRANSFER and self.has_card)


@dataclass
class Sony:
    """The state of one body.

    Attributes:
        memory: Handles of the pictures in its memory, the first one first.
        given: The first one was read, and is removed when the next request comes.
        shot: Handles of the picture that is being taken.
        writing: Handles of files that it still writes.
        data_time: When the content lists were generated.
        updated: By slot, when its content list was changed last.
        id_shift: What is added to handles to make the ids of contents.
        refuses: "Send to Computer" has ended: the next Init is not answered.
    """

    profile: Profile
    sitting: Sitting = field(default_factory=Sitting)
    memory: list[int] = field(default_factory=list)
    given: bool = False
    shot: list[int] = field(default_factory=list)
    writing: set[int] = field(default_factory=set)
    data_time: int = 1_767_000_000_000
    updated: dict[int, int] = field(default_factory=dict)
    id_shift: int = 0
    refuses: bool = False
    destination: int = TO_HOST

    def settle(self, camera: Responder) -> None:
        """Remove the picture that was read."""
        if self.given:
            self.given = False
            camera.forget(self.memory.pop(0))
            camera.push_event(SonyEvent.ObjectRemoved, 0xFFFFC001)
            camera.push_event(*self.changed())

    def renew_lists(self, shift: int) -> None:
        """Renew the content lists. The ids then name other contents."""
        self.data_time += 1
        self.id_shift += shift

    def update_list(self, slot: int) -> None:
        """Note that the content list of a slot has changed."""
        self.updated[slot] = self.updated.get(slot, self.data_time) + 1

    @property
    def in_memory(self) -> int:
        """The value of ObjectInMemory."""
        return READY | len(self.memory) if self.memory else 0

    def take(self, camera: Responder) -> list[tuple[int, tuple[int, ...]]]:
        """Put the picture that was taken into the memory, JPEG first; return the events."""
        taken, self.shot = self.shot, []
        if self.destination == TO_CAMERA:
            return [(SonyEvent.Captured, ())]
        taken.sort(key=lambda handle: not camera.path(handle).endswith(".JPG"))
        self.memory += taken
        added: list[tuple[int, tuple[int, ...]]] = [
            (SonyEvent.ObjectAdded, (0xFFFFC001,)) for _ in taken
        ]
        code, *parameters = self.changed()
        return [*added, (code, tuple(parameters)), (SonyEvent.Captured, ())]

    def changed(self) -> tuple[int, ...]:
        """Return the event for a change of ObjectInMemory: code and parameters."""
        named = (SonyProperty.ObjectInMemory,) if self.profile.names_changes else ()
        return (SonyEvent.DevicePropChanged, *named)


def sony(camera: Responder) -> Sony:
    """Return the state of a simulated body."""
    state: Sony = camera.state[_KEY]
    return state


def begin(camera: Responder, profile: Profile) -> Sony:
    """Return the state; make it when it is first needed."""
    state: Sony = camera.state.setdefault(_KEY, Sony(profile))
    return state


def destination(camera: Responder) -> int:
    """Return where pictures are saved."""
    known = camera.properties.get(SonyProperty.SaveDestination)
    return TO_BOTH if known is None else int(known.current)


REFUSED = Reply(ResponseCode.AccessDenied)
