"""What the records of one session have told: events in the standard's codes, and the body's state.

It asks the camera nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar, TypeVar

from ...ptp.codes import SIZE_SATURATED, EventCode
from ...ptp.errors import ProtocolError
from ..dialect import PolledEvent
from .codes import CAPTURING, CanonEvent, CanonProperty
from .properties import Properties
from .records import (
    ADDED,
    CHANGED,
    REQUESTED,
    MemoryObject,
    Record,
    parse_button,
    parse_card_object,
    parse_choices,
    parse_memory_object,
    parse_value,
)

log: logging.Logger = logging.getLogger("ptpfast")
T = TypeVar("T")

MOST_OBJECTS = 10_000  # in the camera's memory, and large ones on its cards; the newest are kept

# Records about one object or storage that have an event in the standard.
_PLAIN = {
    CanonEvent.ObjectRemoved: EventCode.ObjectRemoved,
    CanonEvent.ObjectContentChanged: EventCode.ObjectInfoChanged,
    CanonEvent.StorageStatusChanged: EventCode.StorageInfoChanged,
    CanonEvent.StorageInfoChanged: EventCode.StorageInfoChanged,
    CanonEvent.StoreAdded: EventCode.StoreAdded,
    CanonEvent.StoreRemoved: EventCode.StoreRemoved,
}
# Events that are worth telling also if they were reported before the session was ready.
ABOUT_OBJECTS = frozenset(
    {EventCode.ObjectAdded, EventCode.ObjectRemoved, EventCode.ObjectInfoChanged}
)


class News:
    """The state of a body as its records tell it.

    Attributes:
        properties: The properties with their values.
        memory: The pictures in the camera's memory that wait for this computer, by handle.
        sizes: The sizes of objects of 4 GiB and more, by handle.
        capturing: Whether the body takes a picture now.
        button: The last button value; 4 after a successful release (libgphoto2).
        focused: Whether the body has told of its focus since this was reset.
        sleeps_soon: Whether the body has announced that it switches itself off.
    """

    def __init__(self) -> None:
        self.properties: Properties = Properties()
        self.memory: dict[int, MemoryObject] = {}
        self.sizes: dict[int, int] = {}
        self.begin()

    def begin(self) -> None:
        """Forget what belongs to the last session. Pictures in the camera's memory may last."""
        self.capturing: bool = False
        self.button: int | None = None
        self.focused: bool = False
        self.sleeps_soon: bool = False
        self._shot, self._added = False, False

    def take(self, record: Record) -> list[PolledEvent]:
        """Note a record, and return its events.

        A record that is not known, or is damaged, is an event with its own code and its first
        numbers.
        """
        try:
            return self._meaning(record)
        except ProtocolError as error:
            log.warning("a record 0x%X is not understood: %s", record.code, error)
            return [(record.code, record.numbers())]

    def _meaning(self, record: Record) -> list[PolledEvent]:
        code = record.code
        if code in ADDED:
            item = parse_card_object(record)
            self._note_size(item.handle, item.size)
            return [(EventCode.ObjectAdded, (item.handle,)), *self._completed(added=True)]
        if code in CHANGED:
            item = parse_card_object(record)
            self._note_size(item.handle, item.size)
            return [(EventCode.ObjectInfoChanged, (item.handle,))]
        if code in REQUESTED:
            picture = parse_memory_object(record)
            _keep(self.memory, picture.handle, picture)
            return [(EventCode.ObjectAdded, (picture.handle,)), *self._completed(added=True)]
        if code in _PLAIN:
            return [(_PLAIN[CanonEvent(code)], record.numbers(1))]
        state = self._STATES.get(code)
        return state(self, record) if state else [(code, record.numbers())]

    def _value(self, record: Record) -> list[PolledEvent]:
        value = parse_value(record)
        self.properties.tell(value)
        if value.code == CanonProperty.FocusInfoEx:
            self.focused = True
        return [(EventCode.DevicePropChanged, (value.code,))]

    def _choices(self, record: Record) -> list[PolledEvent]:
        choices = parse_choices(record)
        self.properties.offer(choices)
        return [(EventCode.DevicePropChanged, (choices.code,))]

    def _status(self, record: Record) -> list[PolledEvent]:
        numbers = record.numbers(1)
        self.capturing = numbers == (CAPTURING,)
        if self.capturing:
            self._shot, self._added = True, False
        return [(record.code, numbers), *self._completed()]

    def _button(self, record: Record) -> list[PolledEvent]:
        if (button := parse_button(record)) is not None:
            self.button = button
        return [(record.code, record.numbers())]

    def _focus(self, record: Record) -> list[PolledEvent]:
        self.focused = True
        return [(record.code, record.numbers())]

    def _shutdown(self, record: Record) -> list[PolledEvent]:
        self.sleeps_soon = True
        return [(record.code, record.numbers())]

    _STATES: ClassVar[dict[int, Callable[[News, Record], list[PolledEvent]]]] = {
        CanonEvent.PropValueChanged: _value,
        CanonEvent.AvailListChanged: _choices,
        CanonEvent.CameraStatusChanged: _status,
        CanonEvent.OLCInfoChanged: _button,
        CanonEvent.AfResult: _focus,
        CanonEvent.WillSoonShutdown: _shutdown,
    }

    def _completed(self, *, added: bool = False) -> list[PolledEvent]:
        """Return CaptureComplete once a shot has brought an object and the body is idle again.

        EOS bodies have no such event.
        """
        self._added = self._added or added
        if self.capturing or not (self._shot and self._added):
            return []
        self._shot = self._added = False
        return [(EventCode.CaptureComplete, ())]

    def _note_size(self, handle: int, size: int) -> None:
        if size >= SIZE_SATURATED:
            _keep(self.sizes, handle, size)
        else:
            self.sizes.pop(handle, None)

    @property
    def destination(self) -> int | None:
        """CaptureDestination; None if it is not known."""
        value = self.properties.value(CanonProperty.CaptureDestination)
        return value if isinstance(value, int) else None


def _keep(table: dict[int, T], handle: int, value: T) -> None:
    """Note a value; the oldest one gives way."""
    if len(table) >= MOST_OBJECTS and handle not in table:
        del table[next(iter(table))]
    table[handle] = value
