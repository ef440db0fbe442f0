"""The properties of an EOS body: what its records have told of them, and their values.

A body describes no types. A value of 4, 2 or 1 bytes is a number; owner, artist, copyright and
serial number are text, and so is any other value that is ASCII up to its NULs; all else is an array
of numbers. libgphoto2 sets any property and leaves the refusal to the body, so each is writable.
"""

from __future__ import annotations

from typing import Any

from ...engine.wire import Builder, Cursor
from ...ptp.codes import DataType
from ...ptp.datasets import DevicePropDesc, read_value, write_value
from ...ptp.errors import ProtocolError
from .codes import CanonProperty
from .records import Choices, Value

TEXTS = frozenset(
    {
        CanonProperty.Owner,
        CanonProperty.Artist,
        CanonProperty.Copyright,
        CanonProperty.SerialNumber,
    }
)
IMAGE_FORMATS = frozenset(
    {
        CanonProperty.ImageFormat,
        CanonProperty.ImageFormatCF,
        CanonProperty.ImageFormatSD,
        CanonProperty.ImageFormatExtHD,
    }
)
LISTED = 3  # the kind of AvailListChanged that has values
# Arrays of numbers of 8 and of 32 bits.
BYTES, WORDS = DataType.UINT8 + 0x4000, DataType.UINT32 + 0x4000
_NUMBERS = {1: DataType.UINT8, 2: DataType.UINT16, 4: DataType.UINT32}
_FORMAT_PART = 16  # bytes of one file of an image format
MOST_PROPERTIES = 4096  # a body has about two hundred


def type_of(code: int, data: bytes) -> int:
    """Return the data type of a property's value."""
    if code in TEXTS:
        return DataType.STR
    if len(data) in _NUMBERS:
        return _NUMBERS[len(data)]
    text = data.rstrip(b"\0")
    if text and len(text) < len(data) and text.isascii() and text.decode("ascii").isprintable():
        return DataType.STR
    return BYTES if len(data) % 4 else WORDS


def decode_value(code: int, data: bytes) -> Any:
    """Decode a property's value: a number, text, or a list of numbers."""
    data_type = type_of(code, data)
    if data_type == DataType.STR:
        return data.partition(b"\0")[0].decode("utf-8", "replace")
    if data_type in (BYTES, WORDS):
        width = 4 if data_type == WORDS else 1
        data = (len(data) // width).to_bytes(4, "little") + data
    return read_value(Cursor(data, f"property 0x{code:04X}"), data_type)


def encode_value(data_type: int, value: Any) -> bytes:
    """Encode a value as a record has it: numbers in their width, text with a NUL at its end."""
    if data_type == DataType.STR:
        return str(value).encode("utf-8", "replace") + b"\0"
    builder = Builder()
    write_value(builder, data_type, value)
    encoded = bytes(builder)
    return encoded[4:] if data_type in (BYTES, WORDS) else encoded  # arrays without their count


def encode_setting_value(data_type: int, value: Any) -> bytes:
    """Encode a value for SetDevicePropValueEx, where a number has four bytes."""
    encoded = encode_value(data_type, value)
    return encoded.ljust(4, b"\0") if data_type in _NUMBERS.values() else encoded


def split_choices(choices: Choices) -> list[bytes] | None:
    """Return the values of a list; None if it has none, or they cannot be told apart.

    Image formats have a value of u32 count and 16 bytes for each file; all others four bytes, or
    two in a list of another kind (libgphoto2, indigo).
    """
    data, count = choices.data, choices.count
    if not count or count > len(data):
        return None
    if choices.code in IMAGE_FORMATS:
        return _image_formats(data, count)
    for width in (4, 2):
        if len(data) == count * width:
            return [data[at : at + width] for at in range(0, len(data), width)]
    return None


def _image_formats(data: bytes, count: int) -> list[bytes] | None:
    cursor = Cursor(data, "image formats")
    found = []
    try:
        for _ in range(count):
            files = cursor.u32()
            found.append(files.to_bytes(4, "little") + bytes(cursor.take(files * _FORMAT_PART)))
    except ProtocolError:
        return None
    return found if not cursor.remaining else None


class Properties:
    """The properties of one session by their codes."""

    def __init__(self) -> None:
        self._values: dict[int, bytes] = {}
        self._choices: dict[int, list[bytes]] = {}

    def __contains__(self, code: int) -> bool:
        return code in self._values

    @property
    def codes(self) -> list[int]:
        """The codes of all properties that have a value."""
        return sorted(self._values)

    def tell(self, value: Value) -> None:
        """Note the value of a property."""
        if value.code in self._values or len(self._values) < MOST_PROPERTIES:
            self._values[value.code] = value.data

    def offer(self, choices: Choices) -> None:
        """Note the allowed values of a property."""
        values = split_choices(choices)
        if values is None:
            self._choices.pop(choices.code, None)
        elif choices.code in self._choices or len(self._choices) < MOST_PROPERTIES:
            self._choices[choices.code] = values

    def value(self, code: int) -> Any:
        """Return the value of a property; None if it is not known."""
        data = self._values.get(code)
        return None if data is None else decode_value(code, data)

    def number(self, code: int, missing: int = 0) -> int:
        """Return a number; `missing` if the property is not known or no number."""
        value = self.value(code)
        return value if isinstance(value, int) else missing

    def setting(self, code: int, value: Any) -> tuple[bytes, Value]:
        """Return a value as SetDevicePropValueEx takes it, and as a record would tell it.

        A property that is not known is a number of 32 bits. ValueError for a value that does not
        fit.
        """
        data_type = type_of(code, self._values.get(code, bytes(4)))
        told = Value(code, encode_value(data_type, value))
        return encode_setting_value(data_type, value), told

    def desc(self, code: int) -> DevicePropDesc | None:
        """Describe a property; None if it is not known."""
        data = self._values.get(code)
        if data is None:
            return None
        data_type, current = type_of(code, data), decode_value(code, data)
        form: list[Any] | None = None
        if code in self._choices:
            offered = [decode_value(code, each) for each in self._choices[code]]
            form = [each for each in offered if type(each) is type(current)] or None
        return DevicePropDesc(code, data_type, True, current, current, form)
