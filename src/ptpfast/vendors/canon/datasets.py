"""Datasets of EOS bodies beside the records of GetEvent: listings, lists of codes, frames.

Sources: libgphoto2 (ptp-pack.c, ptp.h, library.c) and indigo (indigo_ptp_canon.c).
"""

from __future__ import annotations

import logging
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime

from ...engine.wire import Builder, Cursor
from ...ptp.codes import SIZE_SATURATED, ObjectFormat
from ...ptp.datasets import ObjectInfoDataset, format_date_time
from ...ptp.errors import ProtocolError
from ..bulk import BulkListing, Described
from .codes import LISTING_FLAGS, CanonOperation
from .records import CardObject, encode_short_name, read_card_object, write_card_object

log: logging.Logger = logging.getLogger("ptpfast")

ROOT = 0xFFFFFFFF  # of GetObjectInfoEx: the objects that lie in no folder
ENTRY, WIDE_ENTRY = 0x38, 0x3C  # bytes of an entry with a size of 32 and of 64 bits
PROTECTED = 0x01  # of an object's flags
FOLDER = 1  # an object's kind


def parse_entries(payload: bytes | bytearray) -> tuple[list[CardObject], ProtocolError | None]:
    """Parse GetObjectInfoEx as far as it is valid.

    Layout: u32 count, then for each object u32 size (with these four bytes) and its description, as
    in the records of GetEvent. Neither the count nor a size is trusted.

    Returns:
        The objects, and the error that ended the list.

    Notes:
        An entry of 0x3C bytes is read as one with a size of 64 bits, as the record of a new object
        has it. This is inferred; the listing compares a few objects with GetObjectInfo. An entry
        whose name may be cut is left out.
    """
    cursor = Cursor(payload, "GetObjectInfoEx")
    found: list[CardObject] = []
    try:
        for _ in range(cursor.u32()):
            size = cursor.u32()
            if size < ENTRY:
                raise ProtocolError(f"GetObjectInfoEx: an entry of {size} bytes")
            entry = Cursor(cursor.take(size - 4), "GetObjectInfoEx entry")
            try:
                found.append(read_card_object(entry, wide=size == WIDE_ENTRY))
                entry.finish()
            except ProtocolError as error:
                log.debug("an entry is left out: %s", error)
        cursor.finish()
    except ProtocolError as error:
        return found, error
    return found, None


def parse_listing(payload: bytes | bytearray, wanted: Container[int]) -> dict[int, Described]:
    """Return the descriptions of the wanted objects in GetObjectInfoEx. Raises nothing.

    Objects that occur twice with different descriptions are left out. So are those of 4 GiB and
    more in entries of 32 bits.
    """
    entries, error = parse_entries(payload)
    if error is not None:
        log.debug("the rest of the list is left out: %s", error)
    found: dict[int, CardObject] = {}
    wrong: set[int] = set()
    for item in entries:
        if item.handle in wanted and found.setdefault(item.handle, item) != item:
            wrong.add(item.handle)
    return {
        handle: described(item)
        for handle, item in found.items()
        if handle not in wrong and item.size != SIZE_SATURATED
    }


def described(item: CardObject) -> Described:
    """Return an object's description in the standard's form, and its size."""
    date = local_date(item.time)
    dataset = ObjectInfoDataset(
        storage_id=item.storage_id,
        object_format=item.format,
        protection_status=item.flags & PROTECTED,
        object_compressed_size=min(item.size, SIZE_SATURATED),
        parent_object=item.parent,
        association_type=1 if item.format == ObjectFormat.Association else 0,
        filename=item.name,
        capture_date=date,
        modification_date=date,
    )
    return dataset, item.size


def local_date(seconds: int) -> str:
    """Return seconds since 1970 by the camera's clock as a PTP date; empty for 0."""
    if not seconds:
        return ""
    return format_date_time(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))


def encode_entries(items: list[CardObject], *, wide: bool = False) -> bytes:
    """Encode GetObjectInfoEx; the inverse of `parse_entries`. ValueError for a long name."""
    builder = Builder()
    builder.u32(len(items))
    for item in items:
        builder.u32(WIDE_ENTRY if wide else ENTRY)
        write_card_object(builder, item, wide=wide)
    return bytes(builder)


def has_short_name(name: str) -> bool:
    """Return whether a name fits into an entry."""
    try:
        encode_short_name(name)
    except ValueError:
        return False
    return True


# One request for each folder of a storage (libgphoto2). The EOS R5 Mark II does not have it.
GET_OBJECT_INFO_EX = BulkListing(
    CanonOperation.GetObjectInfoEx,
    tree=None,
    folder=lambda storage_id, handle: (storage_id, handle or ROOT, LISTING_FLAGS),
    parse=parse_listing,
)


@dataclass(frozen=True, slots=True)
class ExtendedInfo:
    """GetDeviceInfoEx: the codes of records and properties, and numbers of unknown meaning."""

    events: tuple[int, ...] = ()
    properties: tuple[int, ...] = ()
    others: tuple[int, ...] = ()


def parse_extended_info(payload: bytes | bytearray) -> ExtendedInfo:
    """Parse GetDeviceInfoEx: u32 total size and three arrays (libgphoto2). Raises ProtocolError."""
    cursor = Cursor(payload, "GetDeviceInfoEx")
    cursor.u32()
    events, properties = cursor.array("u32"), cursor.array("u32")
    others = cursor.array("u32") if cursor.remaining else []
    cursor.finish()
    return ExtendedInfo(tuple(events), tuple(properties), tuple(others))


def encode_extended_info(info: ExtendedInfo) -> bytes:
    """Encode GetDeviceInfoEx; the inverse of `parse_extended_info`."""
    builder = Builder()
    for codes in (info.events, info.properties, info.others):
        builder.array(codes, "u32")
    return (len(builder) + 4).to_bytes(4, "little") + bytes(builder)


def encode_setting(code: int, value: bytes) -> bytes:
    """Encode SetDevicePropValueEx: u32 total size, u32 property, value (libgphoto2)."""
    builder = Builder()
    builder.u32(8 + len(value))
    builder.u32(code)
    builder.payload(value)
    return bytes(builder)


def parse_setting(payload: bytes | bytearray) -> tuple[int, bytes]:
    """Parse SetDevicePropValueEx into property and value. Raises ProtocolError."""
    cursor = Cursor(payload, "SetDevicePropValueEx")
    size, code = cursor.u32(), cursor.u32()
    if size != len(payload):
        raise ProtocolError(f"SetDevicePropValueEx: {size:,} bytes said, {len(payload):,} came")
    return code, bytes(cursor.take(cursor.remaining))


_JPEG = frozenset({1, 9, 11})  # kinds of chunks: still, movie mode, and one more (libgphoto2)


def parse_frame(payload: bytes | bytearray) -> bytes | None:
    """Return the JPEG in the answer of GetViewFinderData; None if there is none.

    Layout: chunks of u32 size (with the eight bytes of the head), u32 kind and data. A size of 0
    ends them.

    Raises:
        ProtocolError: a size leads past the end.
    """
    cursor = Cursor(payload, "GetViewFinderData")
    while cursor.remaining >= 8:
        size, kind = cursor.u32(), cursor.u32()
        if not size:
            break
        if size < 8 or size - 8 > cursor.remaining:
            raise ProtocolError(f"GetViewFinderData: a chunk of {size:,} bytes")
        chunk = cursor.take(size - 8)
        if kind in _JPEG:
            return bytes(chunk)
    return None


def encode_frame(jpeg: bytes, kind: int = 1) -> bytes:
    """Encode a frame as `parse_frame` reads it. libgphoto2 never ends at a size of 0, so none is
    sent."""
    builder = Builder()
    builder.u32(8 + len(jpeg))
    builder.u32(kind)
    builder.payload(jpeg)
    return bytes(builder)
