"""Operations that describe many objects at once: their requests and the parsers of their answers.

MTP's GetObjectPropList is here; a vendor's own operation is in the vendor's folder. `listing.bulk`
checks the answers, because some bodies cut or garble them (libgphoto2 and libmtp list such bodies).

Sources: MTP 1.1; libgphoto2 (ptp.c) and libmtp for the parameters that bodies understand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from ..engine.wire import Cursor
from ..ptp.codes import SIZE_SATURATED, ObjectPropCode, OperationCode
from ..ptp.datasets import ObjectInfoDataset, read_value
from ..ptp.errors import ProtocolError

log: logging.Logger = logging.getLogger("ptpfast")

# The answer about an object: its ObjectInfo with a saturated size, and the true size.
Described = tuple[ObjectInfoDataset, int]


@dataclass(frozen=True)
class BulkListing:
    """An operation whose data describes many objects.

    Attributes:
        tree: The parameters that request all objects of all storages; None if there are none.
        folder: Makes the parameters for one folder of a storage (storage id, handle; 0: the root).
        parse: Returns the complete descriptions of the requested handles in a payload. It skips
            truncated, repeated and invalid ones and raises nothing.
    """

    operation: int
    tree: tuple[int, ...] | None
    folder: Callable[[int, int], tuple[int, ...]]
    parse: Callable[[bytes | bytearray, Container[int]], dict[int, Described]]


_ALL = 0xFFFFFFFF

# The properties used here, with the most each can be; None for text.
_MOST: dict[int, int | None] = {
    ObjectPropCode.StorageID: (1 << 32) - 1,
    ObjectPropCode.ObjectFormat: (1 << 16) - 1,
    ObjectPropCode.ProtectionStatus: (1 << 16) - 1,
    ObjectPropCode.ObjectSize: (1 << 64) - 1,
    ObjectPropCode.ObjectFileName: None,
    ObjectPropCode.DateCreated: None,
    ObjectPropCode.DateModified: None,
    ObjectPropCode.ParentObject: (1 << 32) - 1,
}
# Without dates a description can be whole, if ObjectInfo has none either; `listing.bulk` compares.
_NEEDED = _MOST.keys() - {
    ObjectPropCode.ProtectionStatus,
    ObjectPropCode.DateCreated,
    ObjectPropCode.DateModified,
}


def parse_object_prop_list(
    payload: bytes | bytearray, wanted: Container[int]
) -> dict[int, Described]:
    """Parse GetObjectPropList's dataset as far as it is valid.

    Layout: u32 count, then u32 handle, u16 property, u16 data type and a value each, in any order.
    Neither the count nor the end is trusted.
    """
    found: dict[int, dict[int, Any]] = {}
    wrong: set[int] = set()
    cursor = Cursor(payload, "GetObjectPropList")
    try:
        for _ in range(cursor.u32()):
            handle, code, data_type = cursor.u32(), cursor.u16(), cursor.u16()
            if not cursor.remaining:  # a string would read as empty there
                break
            value = read_value(cursor, data_type)
            if code in _MOST and handle in wanted:
                known = found.setdefault(handle, {}).setdefault(code, value)
                if known != value or not _is_sane(code, value):
                    wrong.add(handle)
        else:
            cursor.finish()
    except ProtocolError as error:
        log.debug("the rest of the list is left out: %s", error)
    return {
        handle: _described(values)
        for handle, values in found.items()
        if handle not in wrong and values.keys() >= _NEEDED
    }


def _is_sane(code: int, value: Any) -> bool:
    most = _MOST[code]
    return type(value) is str if most is None else type(value) is int and 0 <= value <= most


def _described(values: dict[int, Any]) -> Described:
    size = values[ObjectPropCode.ObjectSize]
    dataset = ObjectInfoDataset(
        storage_id=values[ObjectPropCode.StorageID],
        object_format=values[ObjectPropCode.ObjectFormat],
        protection_status=values.get(ObjectPropCode.ProtectionStatus, 0),
        object_compressed_size=min(size, SIZE_SATURATED),
        parent_object=values[ObjectPropCode.ParentObject],
        filename=values[ObjectPropCode.ObjectFileName],
        capture_date=values.get(ObjectPropCode.DateCreated, ""),
        modification_date=values.get(ObjectPropCode.DateModified, ""),
    )
    return dataset, size


# All properties, but not those MTP calls slow: thumbnails are among them. Many bodies do not know
# the whole tree (SpecificationByDepthUnsupported), more of them a folder's children (libgphoto2).
GET_OBJECT_PROP_LIST = BulkListing(
    OperationCode.GetObjectPropList,
    tree=(_ALL, 0, _ALL, 0, _ALL),
    folder=lambda _storage_id, handle: (handle, 0, _ALL, 0, 1),
    parse=parse_object_prop_list,
)
