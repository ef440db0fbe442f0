"""The records that GetEvent answers with: framing, layouts, and their encoders.

A list is a sequence of u32 size (with these eight bytes), u32 code and data; a record of eight
bytes with code 0 ends it. Records that are not known here keep their bytes.

Sources: libgphoto2 (ptp-pack.c; issues 1028 and 1162, gphoto2 issue 198) and indigo
(indigo_ptp_canon.c) for the layouts. Bytes of an EOS 400D, 60D, 80D, R6 Mark II and R5 Mark II
agree with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...engine.wire import Builder, Cursor
from ...ptp.errors import ProtocolError
from .codes import CanonEvent

HEAD = 8  # size and code
NAME_SIZE = 16  # of the ASCII name in the records without a long one

ADDED = frozenset(
    {
        CanonEvent.ObjectAddedEx,
        CanonEvent.ObjectAddedEx64,
        CanonEvent.ObjectAddedEx64LongName,
    }
)
CHANGED = frozenset(
    {
        CanonEvent.ObjectInfoChangedEx,
        CanonEvent.ObjectInfoChangedEx64,
        CanonEvent.ObjectInfoChangedEx64LongName,
    }
)
REQUESTED = frozenset(
    {
        CanonEvent.RequestObjectTransfer,
        CanonEvent.RequestObjectTransfer64,
        CanonEvent.RequestObjectTransfer64LongName,
    }
)
_WIDE = frozenset({CanonEvent.ObjectAddedEx64, CanonEvent.ObjectInfoChangedEx64})
_LONG_NAME = frozenset(
    {CanonEvent.ObjectAddedEx64LongName, CanonEvent.ObjectInfoChangedEx64LongName}
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its code and the bytes behind size and code."""

    code: int
    data: bytes

    def numbers(self, most: int = 5) -> tuple[int, ...]:
        """Return the first numbers of 32 bits of the data, to show them."""
        whole = min(len(self.data) // 4, most)
        return tuple(
            int.from_bytes(self.data[4 * each : 4 * each + 4], "little") for each in range(whole)
        )


def split_records(payload: bytes | bytearray) -> Iterator[Record]:
    """Yield the records of a list up to the one that ends it.

    Raises:
        ProtocolError: a size is less than eight bytes or leads past the end. The records before it
            are yielded first.

    Notes:
        A list may end without the closing record: the first one of an EOS 60D does (libgphoto2's
        report of that body). No bytes at all are an empty list.
    """
    cursor = Cursor(payload, "GetEvent")
    while cursor.remaining:
        place = cursor.offset
        size, code = cursor.u32(), cursor.u32()
        if size == HEAD and code == 0:
            return
        if size < HEAD or size - HEAD > cursor.remaining:
            raise ProtocolError(
                f"GetEvent: a record of {size:,} bytes at byte {place:,} of {len(payload):,}",
                offset=place,
            )
        yield Record(code, bytes(cursor.take(size - HEAD)))


def join_records(records: Iterable[Record], *, ends: bool = True) -> bytes:
    """Encode a list; the inverse of `split_records`. `ends`: with the record that closes it."""
    builder = Builder()
    for record in records:
        builder.u32(HEAD + len(record.data))
        builder.u32(record.code)
        builder.payload(record.data)
    if ends:
        builder.u32(HEAD)
        builder.u32(0)
    return bytes(builder)


@dataclass(frozen=True, slots=True)
class CardObject:
    """An object on a card, as ObjectAddedEx and its relatives and GetObjectInfoEx describe it.

    Attributes:
        kind: 0 for a file, 1 for a folder.
        flags: 0x20 not fetched yet, 0x01 protected, 0x10 seen on folders.
        group: The handle that the files of one shot share.
        time: Seconds since 1970 by the camera's local clock.
    """

    handle: int
    storage_id: int
    format: int
    kind: int
    flags: int
    size: int
    parent: int
    group: int
    name: str
    time: int


def read_card_object(cursor: Cursor, *, wide: bool, long_name: bool = False) -> CardObject:
    """Read the description of an object at the cursor.

    Args:
        cursor: behind size and code, or behind the size of an entry of GetObjectInfoEx.
        wide: the size has 64 bits.
        long_name: the name is a PTP string behind the time.

    Raises:
        ProtocolError: the bytes end too soon, or the name fills its 16 bytes or is not ASCII, so
            that it may be cut.
    """
    handle, storage_id, object_format = cursor.u32(), cursor.u32(), cursor.u16()
    cursor.u16()
    kind, flags = cursor.u32(), cursor.u32()
    size = cursor.u64() if wide else cursor.u32()
    parent, group = cursor.u32(), cursor.u32()
    name = "" if long_name else _short_name(bytes(cursor.take(NAME_SIZE)))
    time = cursor.u32()
    if long_name:
        name = cursor.string()
        if cursor.remaining:
            raise ProtocolError(f"{cursor.remaining} bytes behind a long name")
    return CardObject(
        handle, storage_id, object_format, kind, flags, size, parent, group, name, time
    )


def write_card_object(
    builder: Builder, item: CardObject, *, wide: bool, long_name: bool = False
) -> None:
    """Write what `read_card_object` reads. ValueError for a name that does not fit."""
    for value in (item.handle, item.storage_id, item.format, item.kind, item.flags):
        builder.u32(value)
    if wide:
        builder.u64(item.size)
    else:
        builder.u32(item.size)
    builder.u32(item.parent)
    builder.u32(item.group)
    if not long_name:
        builder.payload(encode_short_name(item.name))
    builder.u32(item.time)
    if long_name:
        builder.string(item.name)


def encode_short_name(name: str) -> bytes:
    """Encode a name for the 16 bytes of a record. ValueError if it does not fit with a NUL."""
    encoded = name.encode("ascii")
    if len(encoded) >= NAME_SIZE:
        raise ValueError(f"a name has fewer than {NAME_SIZE} ASCII characters, not {len(encoded)}")
    return encoded.ljust(NAME_SIZE, b"\0")


def _short_name(field: bytes) -> str:
    name, nul, _ = field.partition(b"\0")
    if not nul:
        raise ProtocolError("a name fills its 16 bytes and may be cut")
    try:
        return name.decode("ascii")
    except UnicodeDecodeError as error:
        raise ProtocolError("a name is not ASCII") from error


def parse_card_object(record: Record) -> CardObject:
    """Parse a record of `ADDED` or `CHANGED`. Raises ProtocolError."""
    long_name = record.code in _LONG_NAME
    cursor = Cursor(record.data, f"record 0x{record.code:X}")
    item = read_card_object(cursor, wide=long_name or record.code in _WIDE, long_name=long_name)
    cursor.finish()
    return item


def card_object_record(code: int, item: CardObject) -> Record:
    """Encode a record of `ADDED` or `CHANGED`. ValueError for a value that does not fit."""
    builder = Builder()
    long_name = code in _LONG_NAME
    write_card_object(builder, item, wide=long_name or code in _WIDE, long_name=long_name)
    return Record(code, bytes(builder))


# File name endings of formats; a name in the camera's memory may be empty (indigo).
EXTENSIONS = {0x3801: "JPG", 0xB103: "CR2", 0xB108: "CR3"}


@dataclass(frozen=True, slots=True)
class MemoryObject:
    """A picture in the camera's memory that waits for this computer.

    Attributes:
        name: Empty if the record has none, or at a place that is not certain.
        unknown: Numbers whose meaning is not known, in their order.
    """

    handle: int
    format: int
    size: int
    group: int = 0
    name: str = ""
    unknown: tuple[int, ...] = ()

    @property
    def file_name(self) -> str:
        """The name, or one of the handle and the format."""
        if self.name:
            return self.name
        tail = EXTENSIONS.get(self.format)
        return f"IMG_{self.handle:08X}" + (f".{tail}" if tail else "")


def parse_memory_object(record: Record) -> MemoryObject:
    """Parse a record of `REQUESTED`. Raises ProtocolError.

    Notes:
        The name in RequestObjectTransfer64 is not read: libgphoto2 reads four bytes of a handle as
        its beginning (gphoto2 issue 198), so its place is only inferred.
    """
    cursor = Cursor(record.data, f"record 0x{record.code:X}")
    handle, object_format = cursor.u32(), cursor.u16()
    cursor.u16()
    first = cursor.u32()
    if record.code == CanonEvent.RequestObjectTransfer:
        size, second = cursor.u32(), cursor.u32()
        ascii_name = bytes(cursor.take(cursor.remaining)).partition(b"\0")[0]
        text = ascii_name.decode("ascii") if ascii_name.isascii() else ""
        return MemoryObject(handle, object_format, size, 0, text, (first, second))
    size, group = cursor.u64(), cursor.u32()
    if record.code == CanonEvent.RequestObjectTransfer64:
        return MemoryObject(handle, object_format, size, group, "", (first,))
    second, name = cursor.u32(), cursor.string()
    cursor.finish()
    return MemoryObject(handle, object_format, size, group, name, (first, second))


def memory_object_record(code: int, item: MemoryObject) -> Record:
    """Encode a record of `REQUESTED`. ValueError for a value that does not fit."""
    first, second = (*item.unknown, 0, 0)[:2]
    builder = Builder()
    builder.u32(item.handle)
    builder.u32(item.format)
    builder.u32(first)
    if code == CanonEvent.RequestObjectTransfer:
        builder.u32(item.size)
        builder.u32(second)
        builder.payload(item.name.encode("ascii") + b"\0")
        return Record(code, bytes(builder))
    builder.u64(item.size)
    builder.u32(item.group)
    if code == CanonEvent.RequestObjectTransfer64LongName:
        builder.u32(second)
        builder.string(item.name)
    return Record(code, bytes(builder))


def number_record(code: int, *numbers: int) -> Record:
    """Encode a record whose data are numbers of 32 bits."""
    builder = Builder()
    for number in numbers:
        builder.u32(number)
    return Record(code, bytes(builder))


@dataclass(frozen=True, slots=True)
class Value:
    """PropValueChanged: a property and the bytes of its value."""

    code: int
    data: bytes


def parse_value(record: Record) -> Value:
    """Parse PropValueChanged. Raises ProtocolError."""
    cursor = Cursor(record.data, "PropValueChanged")
    return Value(cursor.u32(), bytes(cursor.take(cursor.remaining)))


def value_record(value: Value) -> Record:
    """Encode PropValueChanged."""
    return Record(CanonEvent.PropValueChanged, value.code.to_bytes(4, "little") + value.data)


@dataclass(frozen=True, slots=True)
class Choices:
    """AvailListChanged: a property and the bytes of its allowed values.

    Attributes:
        kind: 3 for a list of values of 32 bits, 1 for one of 16 bits (indigo); 0, 1 and 7 were seen
            with none.
        count: The number of values as the camera gives it.
    """

    code: int
    kind: int
    count: int
    data: bytes


def parse_choices(record: Record) -> Choices:
    """Parse AvailListChanged. Raises ProtocolError."""
    cursor = Cursor(record.data, "AvailListChanged")
    code, kind, count = cursor.u32(), cursor.u32(), cursor.u32()
    return Choices(code, kind, count, bytes(cursor.take(cursor.remaining)))


def choices_record(choices: Choices) -> Record:
    """Encode AvailListChanged."""
    builder = Builder()
    for value in (choices.code, choices.kind, choices.count):
        builder.u32(value)
    builder.payload(choices.data)
    return Record(CanonEvent.AvailListChanged, bytes(builder))


def parse_button(record: Record) -> int | None:
    """Return the button value of OLCInfoChanged; None if the record has none.

    The first group has it, so that the sizes of the others do not matter: u32 length, u16 mask of
    the groups, u16, and the groups in the order of their bits. Raises ProtocolError.
    """
    cursor = Cursor(record.data, "OLCInfoChanged")
    cursor.u32()
    mask = cursor.u16()
    cursor.u16()
    return cursor.u16() if mask & 1 else None


def button_record(value: int) -> Record:
    """Encode an OLCInfoChanged that has the button alone."""
    builder = Builder()
    builder.u32(10)  # with these four bytes
    for number in (1, 0, value):
        builder.u16(number)
    return Record(CanonEvent.OLCInfoChanged, bytes(builder))
