"""The datasets of PTP: structured payloads, each one a dataclass whose fields are its layout.

A field's annotation names its kind on the wire (`u16`, `ptp_string`, `array_u16`…), the order of
the fields is the order of the bytes; `decode` and `encode` are the same for all. Nothing else in
the package knows where in a dataset a value lies.

Decoding is lenient where cameras are: missing strings at the end are empty, extra bytes at the end
are logged and ignored. Anything else that does not fit raises ProtocolError with the offset and the
field.

Sources: ISO 15740 and MTP 1.1 as used by libgphoto2 (ptp-pack.c), airmtp and sequoia-ptpy.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Annotated, Any, TypeVar, cast, get_type_hints

from ..engine.wire import Builder, Cursor
from .codes import DataType
from .errors import ProtocolError
from .properties import Form, allowed, parse, spell

T = TypeVar("T")

# Kinds: the name of a method of Cursor and Builder; an array's has the element's behind "array ".
u8 = Annotated[int, "u8"]
u16 = Annotated[int, "u16"]
u32 = Annotated[int, "u32"]
u64 = Annotated[int, "u64"]
ptp_string = Annotated[str, "string"]
array_u16 = Annotated[list[int], "array u16"]
array_u32 = Annotated[list[int], "array u32"]


@dataclass(slots=True)
class DeviceInfo:
    """The camera's report about itself.

    Notes:
        Source: GetDeviceInfo (0x1001), ISO 15740.
    """

    standard_version: u16 = 100
    vendor_extension_id: u32 = 0
    vendor_extension_version: u16 = 0
    vendor_extension_desc: ptp_string = ""
    functional_mode: u16 = 0
    operations_supported: array_u16 = field(default_factory=list)
    events_supported: array_u16 = field(default_factory=list)
    device_properties_supported: array_u16 = field(default_factory=list)
    capture_formats: array_u16 = field(default_factory=list)
    image_formats: array_u16 = field(default_factory=list)
    manufacturer: ptp_string = ""
    model: ptp_string = ""
    device_version: ptp_string = ""
    serial_number: ptp_string = ""

    @property
    def body(self) -> str:
        """The identity of the camera: manufacturer, model and serial number."""
        return f"{self.manufacturer} {self.model} {self.serial_number}".strip()


@dataclass(slots=True)
class StorageInfo:
    """One storage: capacity and free space in bytes, all ones if unknown.

    Notes:
        Source: GetStorageInfo (0x1005), ISO 15740.
    """

    storage_type: u16 = 4
    filesystem_type: u16 = 3
    access_capability: u16 = 0
    max_capacity: u64 = 0
    free_space_in_bytes: u64 = 0
    free_space_in_images: u32 = 0xFFFFFFFF
    storage_description: ptp_string = ""
    volume_label: ptp_string = ""


@dataclass(slots=True)
class ObjectInfoDataset:
    """One object as the Responder describes it (GetObjectInfo 0x1008).

    `object_compressed_size` is saturated at 0xFFFFFFFF for 4 GiB and more. People use
    `ptpfast.ObjectInfo`, which adds the handle, the path and the true size.
    """

    storage_id: u32 = 0
    object_format: u16 = 0
    protection_status: u16 = 0
    object_compressed_size: u32 = 0
    thumb_format: u16 = 0
    thumb_compressed_size: u32 = 0
    thumb_pix_width: u32 = 0
    thumb_pix_height: u32 = 0
    image_pix_width: u32 = 0
    image_pix_height: u32 = 0
    image_bit_depth: u32 = 0
    parent_object: u32 = 0
    association_type: u16 = 0
    association_desc: u32 = 0
    sequence_number: u32 = 0
    filename: ptp_string = ""
    capture_date: ptp_string = ""
    modification_date: ptp_string = ""
    keywords: ptp_string = ""


@dataclass(slots=True)
class DevicePropDesc:
    """A device property with its type, its values and the values that are allowed.

    Attributes:
        form: None, a range (minimum, maximum, step), or the list of allowed values.

    Notes:
        Source: GetDevicePropDesc (0x1014), ISO 15740. Values are ints, strings or lists of ints.
    """

    code: int
    data_type: int
    writable: bool
    factory_default: Any
    current: Any
    form: Form = None

    @property
    def words(self) -> str:
        """The current value in words: `1/125 s`, `daylight`."""
        return spell(self.code, self.current)

    @property
    def allowed_words(self) -> str:
        """The allowed values in words: `ISO 100 to ISO 6400`; '' if any value is allowed."""
        return allowed(self.code, self.form)

    def parse(self, text: str) -> Any:
        """Return the value that a text means: `1/125`, `daylight`, `0x8011`.

        Args:
            text: a value in words, or a number.

        Raises:
            ValueError: the text is no value of the property, or is not allowed.
        """
        return parse(self.code, self.data_type, self.form, text)


@cache
def _plan(cls: Hashable) -> tuple[tuple[str, str, str], ...]:
    hints = get_type_hints(cls, include_extras=True)
    rows: list[tuple[str, str, str]] = []
    for item in fields(cast(Any, cls)):
        method, _, element = hints[item.name].__metadata__[0].partition(" ")
        rows.append((item.name, method, element))
    return tuple(rows)


def decode(cls: type[T], buffer: Any) -> T:
    """Decode the dataset of a class at the start of a bytes-like object.

    Raises:
        ProtocolError: the bytes end before the last fixed field.
    """
    cursor = Cursor(buffer, cls.__name__)
    dataset = cls(
        *[
            getattr(cursor, method)(element) if element else getattr(cursor, method)()
            for _, method, element in _plan(cast(Hashable, cls))
        ]
    )
    cursor.finish()
    return dataset


def encode(dataset: Any) -> bytes:
    """Encode a dataset; the inverse of `decode`. ValueError for a value that does not fit."""
    builder = Builder()
    for name, method, element in _plan(cast(Hashable, type(dataset))):
        value = getattr(dataset, name)
        if element:
            getattr(builder, method)(value, element)
        else:
            getattr(builder, method)(value)
    return bytes(builder)


def decode_array(buffer: Any, kind: str = "u32", what: str = "array") -> list[int]:
    """Decode a payload that is one array, such as that of GetObjectHandles.

    Args:
        buffer: any C-contiguous bytes-like object. No bytes at all are an empty array (libgphoto2).
        kind: the type of an element, `u32` by default.
        what: the payload in words, for messages.

    Raises:
        ProtocolError: the array is cut.
    """
    cursor = Cursor(buffer, what)
    values: list[int] = cursor.array(kind) if cursor.remaining else []
    cursor.finish()
    return values


def encode_array(values: list[int], kind: str = "u32") -> bytes:
    """Encode an array; the inverse of `decode_array`."""
    builder = Builder()
    builder.array(values, kind)
    return bytes(builder)


_SCALARS: dict[int, str] = {
    DataType.INT8: "i8",
    DataType.UINT8: "u8",
    DataType.INT16: "i16",
    DataType.UINT16: "u16",
    DataType.INT32: "i32",
    DataType.UINT32: "u32",
    DataType.INT64: "i64",
    DataType.UINT64: "u64",
    DataType.INT128: "i128",
    DataType.UINT128: "u128",
    DataType.STR: "string",
}
# An array's code is its element's + 0x4000; there is no array of strings.
_ARRAYS = {code + 0x4000: kind for code, kind in _SCALARS.items() if code != DataType.STR}


def read_value(cursor: Cursor, data_type: int) -> Any:
    """Return one value of a DataTypeCode: an int, a str, or a list of ints for an array type.

    Raises:
        ProtocolError: the value is cut, or PTP does not define the data type.
    """
    if kind := _SCALARS.get(data_type):
        return getattr(cursor, kind)()
    if kind := _ARRAYS.get(data_type):
        return cursor.array(kind)
    raise ProtocolError(
        f"value at byte {cursor.offset}: undefined data type 0x{data_type:04X}",
        offset=cursor.offset,
    )


def _read_form(cursor: Cursor, data_type: int, count: int) -> list[Any]:
    values: list[Any] = []
    for _ in range(count):
        if not cursor.remaining:  # a string would read as empty there
            raise ProtocolError(
                f"DevicePropDesc: {len(values)} of {count} values in {cursor.offset} bytes",
                offset=cursor.offset,
            )
        values.append(read_value(cursor, data_type))
    return values


def write_value(builder: Builder, data_type: int, value: Any) -> None:
    """Write a value; the inverse of `read_value`. ValueError for an unknown data type."""
    if kind := _SCALARS.get(data_type):
        getattr(builder, kind)(value)
    elif kind := _ARRAYS.get(data_type):
        builder.array(value, kind)
    else:
        raise ValueError(f"undefined data type 0x{data_type:04X}")


def decode_prop_desc(buffer: Any) -> DevicePropDesc:
    """Decode a DevicePropDesc dataset, whose layout depends on its data type.

    Some cameras end it after a string or before the form flag (libgphoto2). Then the rest is empty,
    and there is no form. An EOS 60D writes the allowed values of an 8-bit property in 16 bits.

    Raises:
        ProtocolError: the dataset is cut, or PTP does not define the data type.
    """
    cursor = Cursor(buffer, "DevicePropDesc")
    code, data_type, get_set = cursor.u16(), cursor.u16(), cursor.u8()
    default, current = read_value(cursor, data_type), read_value(cursor, data_type)
    desc = DevicePropDesc(code, data_type, bool(get_set), default, current)
    form = cursor.u8() if cursor.remaining else 0
    if form == 1:
        minimum, maximum, step = _read_form(cursor, data_type, 3)
        desc.form = (minimum, maximum, step)
    elif form == 2:
        count = cursor.u16()
        rest = bytes(memoryview(buffer)[cursor.offset :])
        wide = data_type == DataType.UINT8 and len(rest) == 2 * count and not any(rest[1::2])
        desc.form = _read_form(cursor, DataType.UINT16 if wide else data_type, count)
    cursor.finish()
    return desc


def encode_prop_desc(desc: DevicePropDesc) -> bytes:
    """Encode a property; the inverse of `decode_prop_desc`."""
    builder = Builder()
    builder.u16(desc.code)
    builder.u16(desc.data_type)
    builder.u8(desc.writable)
    values = [desc.factory_default, desc.current]
    form, values_of_form = 0, []
    if isinstance(desc.form, tuple):
        form, values_of_form = 1, list(desc.form)
    elif desc.form is not None:
        form, values_of_form = 2, desc.form
    for value in values:
        write_value(builder, desc.data_type, value)
    builder.u8(form)
    if form == 2:
        builder.u16(len(values_of_form))
    for value in values_of_form:
        write_value(builder, desc.data_type, value)
    return bytes(builder)


# YYYYMMDDThhmmss, tenths or more after a dot (Canon appends ".0"), then Z or an offset.
_DATE_TIME = re.compile(
    r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(?:\.(\d{1,6})\d*)?(Z|[+-]\d{4})?", re.ASCII
)


def parse_date_time(text: str) -> datetime | None:
    """Parse a PTP DateTime string; None if it is empty or no date.

    Notes:
        Without a time zone the result is naive: the camera's local time. A zone is never guessed.
        Some cameras report `19800000T000000` for folders, which is no date.
    """
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        return None
    *numbers, fraction, zone = match.groups()
    year, month, day, hour, minute, second = (int(number) for number in numbers)
    microsecond = int((fraction or "0").ljust(6, "0"))
    tz: tzinfo | None = None
    try:
        if zone == "Z":
            tz = UTC
        elif zone:
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
            tz = timezone(-offset if zone[0] == "-" else offset)
        return datetime(year, month, day, hour, minute, second, microsecond, tz)
    except ValueError:
        return None


def format_date_time(moment: datetime) -> str:
    """Format a datetime as a PTP DateTime string; inverse of `parse_date_time` to the second."""
    text = f"{moment.year:04}{moment:%m%dT%H%M%S}"  # %Y alone does not pad on Linux
    if moment.tzinfo is None:
        return text
    offset = moment.strftime("%z")
    return text + ("Z" if offset == "+0000" else offset[:5])
