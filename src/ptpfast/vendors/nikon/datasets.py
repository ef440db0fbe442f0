"""Parsers for the answers to Nikon's operations."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ...engine.wire import Cursor
from ...ptp.datasets import DevicePropDesc, decode_prop_desc
from ...ptp.errors import ProtocolError
from ..dialect import PolledEvent
from ..frames import Focus, FocusArea, LivePicture


def parse_events(payload: bytes | bytearray) -> list[PolledEvent]:
    """Parse GetEvent's dataset: u16 count, then u16 code and u32 parameter each (libgphoto2)."""
    cursor = Cursor(payload, "GetEvent")
    if not cursor.remaining:
        return []
    count = cursor.u16()
    events: list[PolledEvent] = [(cursor.u16(), (cursor.u32(),)) for _ in range(count)]
    cursor.finish()
    return events


def parse_events_ex(payload: bytes | bytearray) -> list[PolledEvent]:
    """Parse GetEventEx: u32 count, then u16 code, u16 n, n × u32 each (zcine, libgphoto2)."""
    cursor = Cursor(payload, "GetEventEx")
    if not cursor.remaining:
        return []
    count = cursor.u32()
    if count > cursor.remaining // 4:
        raise ProtocolError(f"GetEventEx: {count} events in {cursor.remaining} bytes")
    events = [
        (cursor.u16(), tuple(cursor.u32() for _ in range(cursor.u16()))) for _ in range(count)
    ]
    cursor.finish()
    return events


def parse_object_size(payload: bytes | bytearray) -> int:
    """Parse GetObjectSize: u64 (libgphoto2 ptp.h)."""
    cursor = Cursor(payload, "GetObjectSize")
    size = cursor.u64()
    cursor.finish()
    return size


def parse_wide_prop_desc(payload: bytes | bytearray) -> DevicePropDesc:
    """Parse GetDevicePropDescEx: as the standard's dataset, with a code of 32 bits (zcine)."""
    code = Cursor(payload, "GetDevicePropDescEx").u32()
    desc = decode_prop_desc(bytes(payload[:2]) + bytes(payload[4:]))
    return replace(desc, code=code)


JPEG_START = b"\xff\xd8"
# The header of GetLiveViewImageEx. The Z 6 and its generation send half of it (zcine).
LONG_HEADER, SHORT_HEADER = 1024, 512
# What is where in it, big-endian (zcine): the JPEG's length, the size of the whole picture, the
# result of focusing, how many areas there are, the areas; and the sound level behind them.
_LENGTH_AT, _SIZE_AT, _RESULT_AT, _COUNT_AT, _AREAS_AT, _SOUND_AT = 12, 16, 42, 44, 48, 824
_AREA = 8  # bytes
_SHARP = {1: False, 2: True}


def parse_frame(payload: bytes | bytearray) -> bytes | None:
    """Return the JPEG of a live view frame; None if it has none, as a first frame may.

    GetLiveViewImageEx has a header with the length of the JPEG behind it. The header of
    GetLiveViewImg differs by model, so the JPEG is looked for (libgphoto2).
    """
    for header in (LONG_HEADER, SHORT_HEADER):
        if payload[header : header + 2] == JPEG_START:
            length = int.from_bytes(payload[_LENGTH_AT : _LENGTH_AT + 4], "big")
            if 2 <= length <= len(payload) - header:
                picture = LivePicture(payload[header : header + length])
                picture.focus = _focus(bytes(payload[:header]))
                return picture
    start = payload.find(JPEG_START)
    return bytes(payload[start:]) if start >= 0 else None


def _focus(header: bytes) -> Focus | None:
    """Read the focus from a header of GetLiveViewImageEx (zcine, of a ZR).

    Where the shorter header has it is not known. Numbers that cannot be are left out: the picture
    is good without them.
    """
    if len(header) != LONG_HEADER:
        return None
    width, height = _big(header, _SIZE_AT), _big(header, _SIZE_AT + 2)
    count = header[_COUNT_AT]
    ends = _AREAS_AT + _AREA * count
    areas = range(_AREAS_AT, ends, _AREA) if ends <= _SOUND_AT else ()
    found = [_area(header, at) for at in areas]
    inside = [each for each in found if each.width and each.height and _fits(each, width, height)]
    return Focus((width, height), _SHARP.get(header[_RESULT_AT]), tuple(inside))


def _fits(area: FocusArea, width: int, height: int) -> bool:
    """Return whether the middle of an area is in the picture."""
    return area.left + area.width // 2 <= width and area.top + area.height // 2 <= height


def _area(header: bytes, at: int) -> FocusArea:
    """Read width, height, and the middle."""
    width, height, x, y = (_big(header, at + 2 * index) for index in range(4))
    return FocusArea(x - width // 2, y - height // 2, width, height)


def _big(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 2], "big")


class Job(NamedTuple):
    """A picture that the camera's owner sends: its handle and its path on the card."""

    handle: int
    path: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.replace("\\", "/").rpartition("/")[2]

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of its folders, the outermost first."""
        *folders, _ = self.path.replace("\\", "/").split("/")
        return tuple(name for name in folders if name not in ("", ".", ".."))


def parse_job(payload: bytes | bytearray) -> Job:
    """Parse AdvancedTransfer: u32 handle, then the path as a PTP string; more may follow (camcon).

    Raises:
        ProtocolError: it is cut, or names no object.
    """
    cursor = Cursor(payload, "AdvancedTransfer")
    job = Job(cursor.u32(), cursor.string())
    if not job.handle or not job.name:
        raise ProtocolError(f"AdvancedTransfer: no object in {len(payload)} bytes")
    return job


# A pairing number has so many digits (camcon, zcine).
DIGITS = (4, 6)
MOST_CHARACTERS = 64  # a larger number in front is no count


def parse_pairing_number(payload: bytes | bytearray) -> str:
    """Parse GetPairingInfo: return the digits that the camera shows.

    A body with known bytes sends u32 count, then one digit in each byte (camcon). zcine has also
    met ASCII, UTF-16 and two digits in each byte.

    Raises:
        ProtocolError: no form fits.
    """
    bodies = [bytes(payload)]
    if len(payload) >= 4 and (count := Cursor(payload, "GetPairingInfo").u32()) <= MOST_CHARACTERS:
        bodies = [bytes(payload[4 : 4 + count]), bytes(payload[4:])]
    for read in (_digit_bytes, _text_digits, _packed_digits):
        for body in bodies:
            if len(digits := read(body)) in DIGITS:
                return digits
    raise ProtocolError(f"GetPairingInfo: no number in {len(payload)} bytes")


def _digit_bytes(body: bytes) -> str:
    return "".join(map(str, body)) if len(body) in DIGITS and max(body) <= 9 else ""


def _text_digits(body: bytes) -> str:
    """Read ASCII or UTF-16, perhaps with a count of characters in front and NULs behind."""
    for text in (body, body[1:]):
        digits = bytes(text[::2]) if not any(text[1::2]) else text
        digits = digits.rstrip(b"\0")
        if len(digits) in DIGITS and digits.isdigit():
            return digits.decode("ascii")
    return ""


def _packed_digits(body: bytes) -> str:
    digits = body.rstrip(b"\0").hex() if 2 * len(body) not in DIGITS else body.hex()
    return digits if digits.isdecimal() else ""


def low_high(value: int) -> tuple[int, int]:
    """Return a number of 64 bits as two parameters, the low half first (libgphoto2 ptp.c)."""
    return value & 0xFFFFFFFF, value >> 32
