"""The state of a simulated EOS body: its properties, its queue of records, its shutter.

Facts: libgphoto2 (config.c, library.c, and its reports of an EOS 60D and M3), sabaipics, indigo.
Where a body's refusal is not known, it answers DeviceBusy or OperationRefused.
"""

from __future__ import annotations

import calendar
from collections import deque
from dataclasses import dataclass, replace

from ...ptp.codes import SIZE_SATURATED, DevicePropCode, EventCode, ObjectFormat
from ...ptp.datasets import ObjectInfoDataset, parse_date_time
from ..body import Responder
from ..quirks import MiB
from .codes import CAPTURING, EOS_MODE, TO_HOST, TO_PC, CanonEvent, CanonProperty
from .datasets import FOLDER, PROTECTED, has_short_name
from .properties import LISTED
from .records import (
    REQUESTED,
    CardObject,
    Choices,
    MemoryObject,
    Record,
    Value,
    card_object_record,
    choices_record,
    memory_object_record,
    number_record,
    value_record,
)

# Of the simulated camera: which files a picture has.
COMPRESSION_SETTING = DevicePropCode.CompressionSetting
NEW, FOLDER_FLAG = 0x20, 0x10  # of an object's flags
TO_CARD = 2  # CaptureDestination of an EOS 60D
CARD_SHOTS, HOST_SHOTS = 0x0F62, 0xA5D2  # AvailableShots of an EOS 60D


@dataclass(frozen=True)
class Profile:
    """The differences between EOS bodies.

    Attributes:
        added: The record of a new object on the card.
        requested: The record of a new object in its memory.
        mode: The parameter of SetRemoteMode that allows captures.
        shows: The bits of EVFOutputDevice that live view needs: all of one of these.
        outputs: The values of EVFOutputDevice that it offers.
        output: The value that it begins with.
        destination: CaptureDestination that it begins with.
        most_from_memory: The largest read from its memory; larger ones bring no bytes.
        olc_version: OLCInfoVersion, without which libgphoto2 cannot read the button; 0: not told.
        ends_device_info_ex: Whether it sends the response of GetDeviceInfoEx.
        lists: Whether it has GetObjectInfoEx.
    """

    added: int = CanonEvent.ObjectAddedEx64
    requested: int = CanonEvent.RequestObjectTransfer64
    mode: int = EOS_MODE
    shows: tuple[int, ...] = (TO_PC,)
    outputs: tuple[int, ...] = (1, 2, 3)
    output: int = 0
    destination: int = TO_CARD
    most_from_memory: int = 64 * MiB
    olc_version: int = 0
    ends_device_info_ex: bool = True
    lists: bool = True


def _word(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


_RAW_FILE, _JPEG_FILE = _word(0x10, 6, 0, 4), _word(0x10, 1, 0, 3)
# ImageFormat → the simulated camera's setting.
IMAGE_FORMATS = {
    _word(1) + _JPEG_FILE: 1,
    _word(1) + _RAW_FILE: 0,
    _word(2) + _RAW_FILE + _JPEG_FILE: 2,
}
# Told only once RequestDevicePropValue has asked for them (libgphoto2's report of an EOS 60D).
_ASKED_FOR: dict[int, bytes] = {
    CanonProperty.Owner: b"\0",
    CanonProperty.Artist: bytes(64),
    CanonProperty.Copyright: bytes(64),
    CanonProperty.SerialNumber: b"000000000000\0",
}
_LISTS: dict[int, tuple[int, ...]] = {
    CanonProperty.Aperture: (0x25, 0x28, 0x2B, 0x2D, 0x30),
    CanonProperty.ShutterSpeed: (0x60, 0x63, 0x65, 0x68, 0x6B, 0x6D),
    CanonProperty.ISOSpeed: (0x00, 0x48, 0x50, 0x58, 0x60, 0x68),
    CanonProperty.CaptureDestination: (TO_CARD, TO_HOST),
    CanonProperty.EVFMode: (0, 1),
}


class Eos:
    """One simulated EOS body.

    Attributes:
        values: The bytes of each property's value.
        mode: The parameter of the last SetRemoteMode.
        watched: Whether events are queued.
        is_told: Whether the first list, with all properties, was taken.
        memory: The handles of the pictures in its memory.
        has_room: Whether the computer has told of its room.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        lists = {**_LISTS, CanonProperty.EVFOutputDevice: profile.outputs}
        self.choices: dict[int, list[bytes]] = {
            code: [_word(each) for each in values] for code, values in lists.items()
        }
        self.choices[CanonProperty.ImageFormat] = list(IMAGE_FORMATS)
        self.values: dict[int, bytes] = {
            **{code: values[-1] for code, values in self.choices.items()},
            CanonProperty.AvailableShots: _word(0 if profile.destination & TO_HOST else CARD_SHOTS),
            CanonProperty.CaptureDestination: _word(profile.destination),
            CanonProperty.EVFOutputDevice: _word(profile.output),
            **_ASKED_FOR,
        }
        if profile.olc_version:
            self.values[CanonProperty.OLCInfoVersion] = _word(profile.olc_version)
        self.memory: set[int] = set()
        self.begin()

    def begin(self) -> None:
        """Reset the state of a session; settings and pictures stay."""
        self.mode = 0
        self.watched: bool = False
        self.is_told: bool = False
        self.has_room: bool = False
        self.capturing: bool = False
        self._records: deque[Record] = deque()

    @property
    def is_remote(self) -> bool:
        """Whether it is in the mode that allows captures."""
        return self.mode == self.profile.mode

    def number(self, code: int) -> int:
        """Return a property that is a number."""
        return int.from_bytes(self.values[code], "little")

    def offers(self, code: int, data: bytes) -> bool:
        """Whether a property can have a value. EVFOutputDevice takes values that are not listed:
        libgphoto2 sets 2 on EOS M bodies, which list 0 and 8."""
        free = code == CanonProperty.EVFOutputDevice or code not in self.choices
        return free or data in self.choices[code]

    def change(self, code: int, data: bytes) -> None:
        """Change a property, and queue its record."""
        self.values[code] = data
        self.queue(value_record(Value(code, data)))
        if code == CanonProperty.CaptureDestination:
            shots = 0 if self.number(code) & TO_HOST and not self.has_room else CARD_SHOTS
            self.change(CanonProperty.AvailableShots, _word(shots))

    def make_room(self) -> None:
        """Note that the computer has room for pictures."""
        self.has_room = True
        if self.number(CanonProperty.CaptureDestination) & TO_HOST:
            self.change(CanonProperty.AvailableShots, _word(HOST_SHOTS))

    def queue(self, *records: Record) -> None:
        """Queue records, if events are asked for."""
        if self.watched:
            self._records.extend(records)

    def tell(self, code: int) -> bool:
        """Queue a property's record; return False if there is no such property."""
        if code in self.values:
            self.queue(value_record(Value(code, self.values[code])))
        return code in self.values

    def shows(self) -> bool:
        """Whether live view frames come."""
        output = self.number(CanonProperty.EVFOutputDevice)
        enough = any(output & bits == bits for bits in self.profile.shows)
        return enough and self.number(CanonProperty.EVFMode) == 1

    def shoot(self, camera: Responder, transaction_id: int) -> bool:
        """Take a picture, for the card or into its memory; return False if the card is full."""
        self._begin_shot()
        if self.number(CanonProperty.CaptureDestination) != TO_HOST:
            return bool(camera.capture(transaction_id))
        for handle in camera.capture(announce=False, to_memory=True):
            self.memory.add(handle)
            camera.push_event(self.profile.requested, handle)
        return True

    def _begin_shot(self) -> None:
        if not self.capturing:
            self.capturing = True
            self.queue(number_record(CanonEvent.CameraStatusChanged, CAPTURING))

    def take_records(self, camera: Responder) -> list[Record]:
        """Empty and return the queue; the first time with all properties before it."""
        if not self.watched:
            return []
        if not self.is_told:
            self.is_told = True
            self._records.extendleft(reversed(self._everything()))
        for code, parameters in camera.take_events():
            self._records.extend(self._translate(camera, code, parameters))
        if self.capturing and not camera.is_busy(polled=True):
            self.capturing = False
            self.queue(number_record(CanonEvent.CameraStatusChanged, 0))
        found = list(self._records)
        self._records.clear()
        return found

    def _everything(self) -> list[Record]:
        values = [
            value_record(Value(code, data))
            for code, data in self.values.items()
            if code not in _ASKED_FOR
        ]
        lists = [
            choices_record(Choices(code, LISTED, len(each), b"".join(each)))
            for code, each in self.choices.items()
        ]
        return values + lists

    def _translate(self, camera: Responder, code: int, parameters: tuple[int, ...]) -> list[Record]:
        """Return the records for an event of the simulated camera."""
        first = parameters[0] if parameters else 0
        info = camera.object_info(first)
        if code == EventCode.ObjectAdded and info is not None:
            self._begin_shot()
            return [
                added_record(self.profile.added, card_object(camera, first, info)),
                # An EOS 80D sends both after a shot (sabaipics).
                number_record(CanonEvent.StorageStatusChanged, info.storage_id),
                number_record(CanonEvent.StorageInfoChanged, info.storage_id),
            ]
        if code in REQUESTED and info is not None:
            size = camera.object_size(first) or 0
            picture = MemoryObject(first, info.object_format, size, first, info.filename, (0, 6))
            return [memory_object_record(code, picture)]
        if code == EventCode.ObjectRemoved:
            return [number_record(CanonEvent.ObjectRemoved, first)]
        if code == EventCode.CaptureComplete:
            return []  # the status says so
        return [number_record(code, *parameters)]


def card_object(camera: Responder, handle: int, info: ObjectInfoDataset) -> CardObject:
    """Describe an object of the simulated card as a record does."""
    folder = info.object_format == ObjectFormat.Association
    moment = parse_date_time(info.capture_date)
    seconds = 0 if moment is None else calendar.timegm(moment.timetuple())
    flags = (PROTECTED if info.protection_status else 0) | (FOLDER_FLAG if folder else NEW)
    return CardObject(
        handle,
        info.storage_id,
        info.object_format,
        FOLDER if folder else 0,
        flags,
        camera.object_size(handle) or 0,
        info.parent_object,
        handle,
        info.filename,
        min(max(seconds, 0), 0xFFFFFFFF),
    )


def added_record(code: int, item: CardObject) -> Record:
    """Encode the record of a new object: in that of long names, if the name is one."""
    if not has_short_name(item.name):
        code = CanonEvent.ObjectAddedEx64LongName
    return card_object_record(code, saturated(item) if code == CanonEvent.ObjectAddedEx else item)


def saturated(item: CardObject) -> CardObject:
    """Return an object whose size fits into 32 bits."""
    return replace(item, size=min(item.size, SIZE_SATURATED))
