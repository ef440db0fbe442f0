"""Sony's property list, extended device info and live view frame.

Sources: Sony's Camera Control PTP 3 Reference; libgphoto2 (ptp-pack.c) for the bodies before it,
whose enumerations have one list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...engine.wire import Builder, Cursor
from ...ptp.datasets import DevicePropDesc, encode_array, read_value, write_value
from ...ptp.errors import ProtocolError

# A second list of an enumeration begins with its count; property codes are larger (libgphoto2).
LEAST_CODE = 0x200
# A property has two codes, two flags, two values of a byte or more, and a form.
SMALLEST_PROPERTY = 9
# Values of `is_enabled`; 0 is disabled.
ENABLED, DISPLAY_ONLY = 1, 2
RANGE, ENUMERATION = 1, 2
HEADER = 16  # of a live view frame: two offsets and two sizes


@dataclass(slots=True)
class Property:
    """A property as GetAllExtDevicePropInfo describes it.

    Attributes:
        is_enabled: 0: it has no valid value now, 1: it has, 2: it can be shown only.
        settable: The range, or the values that it can be set to.
        readable: The values that it can have; None if the body has one list for both.
    """

    code: int
    data_type: int
    get_set: int = 0
    is_enabled: int = ENABLED
    default: Any = 0
    current: Any = 0
    settable: tuple[Any, Any, Any] | list[Any] | None = None
    readable: list[Any] | None = None

    @property
    def desc(self) -> DevicePropDesc:
        """The property as the standard describes one."""
        writable = self.get_set == 1 and self.is_enabled == ENABLED
        form = self.settable
        if isinstance(form, list) and not writable and self.readable:
            form = self.readable
        return DevicePropDesc(self.code, self.data_type, writable, self.default, self.current, form)


def parse_properties(payload: bytes | bytearray) -> dict[int, Property]:
    """Parse GetAllExtDevicePropInfo (0x9209): u64 count, then the properties; by code."""
    cursor = Cursor(payload, "GetAllExtDevicePropInfo")
    if not cursor.remaining:
        return {}
    count = cursor.u64()
    if count > cursor.remaining // SMALLEST_PROPERTY:
        raise ProtocolError(f"property list: {count} properties in {cursor.remaining} bytes")
    view = memoryview(payload)
    found = [_property(cursor, view) for _ in range(count)]
    cursor.finish()
    return {each.code: each for each in found}


def _property(cursor: Cursor, view: memoryview) -> Property:
    code, data_type = cursor.u16(), cursor.u16()
    get_set, is_enabled = cursor.u8(), cursor.u8()
    default, current = _value(cursor, data_type), _value(cursor, data_type)
    found = Property(code, data_type, get_set, is_enabled, default, current)
    form = cursor.u8()
    if form == RANGE:
        low, high, step = (_value(cursor, data_type) for _ in range(3))
        found.settable = (low, high, step)
    elif form == ENUMERATION:
        found.settable = _values(cursor, data_type, cursor.u16())
        ahead = view[cursor.offset : cursor.offset + 2]
        if len(ahead) == 2 and int.from_bytes(ahead, "little") < LEAST_CODE:
            found.readable = _values(cursor, data_type, cursor.u16())
    elif form:
        raise ProtocolError(f"property 0x{code:04X}: undefined form {form}", offset=cursor.offset)
    return found


def _value(cursor: Cursor, data_type: int) -> Any:
    if not cursor.remaining:  # a string would read as empty there
        raise ProtocolError(f"property list: cut at byte {cursor.offset}", offset=cursor.offset)
    return read_value(cursor, data_type)


def _values(cursor: Cursor, data_type: int, count: int) -> list[Any]:
    return [_value(cursor, data_type) for _ in range(count)]


def encode_properties(properties: Iterable[Property]) -> bytes:
    """Encode properties; the inverse of `parse_properties`."""
    found = list(properties)
    builder = Builder()
    builder.u64(len(found))
    for each in found:
        builder.u16(each.code)
        builder.u16(each.data_type)
        builder.u8(each.get_set)
        builder.u8(each.is_enabled)
        write_value(builder, each.data_type, each.default)
        write_value(builder, each.data_type, each.current)
        _write_form(builder, each)
    return bytes(builder)


def _write_form(builder: Builder, each: Property) -> None:
    if each.settable is None:
        builder.u8(0)
        return
    lists = [each.settable] if each.readable is None else [each.settable, each.readable]
    builder.u8(RANGE if isinstance(each.settable, tuple) else ENUMERATION)
    for values in lists:
        if isinstance(values, list):
            builder.u16(len(values))
        for value in values:
            write_value(builder, each.data_type, value)


@dataclass(slots=True)
class ExtDeviceInfo:
    """The version, properties and controls of a body (GetExtDeviceInfo, 0x9202)."""

    version: int = 0
    properties: list[int] = field(default_factory=list)
    controls: list[int] = field(default_factory=list)


def parse_ext_device_info(payload: bytes | bytearray) -> ExtDeviceInfo:
    """Parse GetExtDeviceInfo: u16 version, then two arrays of u16.

    Old bodies end it after the first array (libgphoto2).
    """
    cursor = Cursor(payload, "GetExtDeviceInfo")
    version, properties = cursor.u16(), cursor.array("u16")
    controls = cursor.array("u16") if cursor.remaining else []
    cursor.finish()
    return ExtDeviceInfo(version, list(properties), list(controls))


def encode_ext_device_info(info: ExtDeviceInfo) -> bytes:
    """Encode the device info; the inverse of `parse_ext_device_info`."""
    builder = Builder()
    builder.u16(info.version)
    return (
        bytes(builder) + encode_array(info.properties, "u16") + encode_array(info.controls, "u16")
    )


def parse_frame(payload: bytes | bytearray) -> bytes:
    """Return the JPEG of a live view frame; empty if the camera has none ready.

    Layout: u32 offset and size of the image, u32 offset and size of the focal frame info, padding,
    and these two.
    """
    cursor = Cursor(payload, "live view frame")
    if not cursor.remaining:
        return b""
    offset, size = cursor.u32(), cursor.u32()
    if not size:
        return b""
    if offset < 8 or offset + size > len(payload):
        raise ProtocolError(
            f"live view frame: {size} bytes at {offset} in {len(payload)} bytes", offset=0
        )
    return bytes(memoryview(payload)[offset : offset + size])


def encode_frame(image: bytes, info: bytes = b"", *, padding: int = 0) -> bytes:
    """Encode a live view frame; `parse_frame` returns its image."""
    start = HEADER + padding
    builder = Builder()
    for number in (start, len(image), start + len(image), len(info)):
        builder.u32(number)
    return bytes(builder) + bytes(padding) + image + info


def low_high(value: int) -> tuple[int, int]:
    """Return a number of 64 bits as two parameters, the low half first."""
    return value & 0xFFFFFFFF, value >> 32
