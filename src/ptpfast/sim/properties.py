"""The properties of the simulated camera and its objects, and their operations.

Each object property is one row: its code, its data type, and the function for its value.

Source: ISO 15740 (device properties), MTP 1.1 (object properties).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.wire import Builder, Cursor, OperationRequest
from ..ptp.codes import (
    ALL_STORAGES,
    ROOT_OBJECTS,
    DataType,
    ObjectPropCode,
    ResponseCode,
)
from ..ptp.datasets import (
    encode_array,
    encode_prop_desc,
    read_value,
    write_value,
)
from ..ptp.errors import ProtocolError
from ..vendors.body import Reply, parameter
from .body import Body
from .stored import StoredObject

_ALL_OBJECTS = 0xFFFFFFFF
_ALL_PROPERTIES = 0xFFFFFFFF
_WHOLE_TREE = 0xFFFFFFFF


def get_device_prop_desc(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    prop = camera.properties.get(parameter(request, 0))
    if prop is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    return Reply(data=encode_prop_desc(prop))


def get_device_prop_value(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    prop = camera.properties.get(parameter(request, 0))
    if prop is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    return Reply(data=_encode(prop.data_type, prop.current))


def set_device_prop_value(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    prop = camera.properties.get(parameter(request, 0))
    if prop is None:
        return Reply(ResponseCode.DevicePropNotSupported)
    if not prop.writable:
        return Reply(ResponseCode.AccessDenied)
    try:
        value = read_value(Cursor(data, "property value"), prop.data_type)
    except ProtocolError:
        return Reply(ResponseCode.InvalidDevicePropFormat)
    if isinstance(prop.form, list) and value not in prop.form:
        return Reply(ResponseCode.InvalidDevicePropValue)
    prop.current = value
    return Reply()


def _encode(data_type: int, value: Any) -> bytes:
    builder = Builder()
    write_value(builder, data_type, value)
    return bytes(builder)


# Object properties: code, data type, value of an object.
Row = tuple[int, int, Callable[[StoredObject], Any]]
OBJECT_PROPERTIES: dict[int, Row] = {
    row[0]: row
    for row in (
        (ObjectPropCode.StorageID, DataType.UINT32, lambda stored: stored.storage_id),
        (ObjectPropCode.ObjectFormat, DataType.UINT16, lambda stored: stored.format),
        (
            ObjectPropCode.ProtectionStatus,
            DataType.UINT16,
            lambda stored: int(stored.protected),
        ),
        (ObjectPropCode.ObjectSize, DataType.UINT64, lambda stored: stored.size),
        (ObjectPropCode.ObjectFileName, DataType.STR, lambda stored: stored.name),
        (ObjectPropCode.DateCreated, DataType.STR, lambda stored: stored.info.capture_date),
        (ObjectPropCode.DateModified, DataType.STR, lambda stored: stored.info.modification_date),
        (ObjectPropCode.ParentObject, DataType.UINT32, lambda stored: stored.parent),
        (0xDC41, DataType.UINT128, lambda stored: stored.storage_id << 32 | stored.handle),
        (0xDC44, DataType.STR, lambda stored: stored.name),
    )
}


def get_object_props_supported(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    return Reply(data=encode_array(list(OBJECT_PROPERTIES), "u16"))


def get_object_prop_desc(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    row = OBJECT_PROPERTIES.get(parameter(request, 0))
    if row is None:
        return Reply(ResponseCode.InvalidObjectPropCode)
    code, data_type, _ = row
    builder = Builder()
    builder.u16(code)
    builder.u16(data_type)
    builder.u8(0)  # read-only
    write_value(builder, data_type, "" if data_type == DataType.STR else 0)
    builder.u32(0)  # group
    builder.u8(0)  # no form
    return Reply(data=bytes(builder))


def get_object_prop_value(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    stored = camera.store.get(parameter(request, 0))
    if stored is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    row = OBJECT_PROPERTIES.get(parameter(request, 1))
    if row is None:
        return Reply(ResponseCode.ObjectPropNotSupported)
    return Reply(data=_encode(row[1], row[2](stored)))


def get_object_prop_list(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    """Answer with all or one property of an object, a folder's children or tree, or all objects."""
    handle, object_format, prop, group, depth = (parameter(request, i) for i in range(5))
    if group or not prop:
        return Reply(ResponseCode.SpecificationByGroupUnsupported)
    if prop != _ALL_PROPERTIES and prop not in OBJECT_PROPERTIES:
        return Reply(ResponseCode.ObjectPropNotSupported)
    if depth not in (0, 1, _WHOLE_TREE):
        return Reply(ResponseCode.SpecificationByDepthUnsupported)
    if handle not in (0, _ALL_OBJECTS) and camera.store.get(handle) is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    chosen = [
        stored
        for stored in _reached(camera, handle, depth)
        if object_format in (0, _ALL_OBJECTS, stored.format)
    ]
    rows = OBJECT_PROPERTIES.values() if prop == _ALL_PROPERTIES else [OBJECT_PROPERTIES[prop]]
    blocks = []
    for stored in chosen:
        # An object never changes, so a second listing costs next to nothing.
        key = (stored.handle, prop)
        if key not in camera.listing_blocks or camera.listing_blocks[key][0] is not stored:
            camera.listing_blocks[key] = (stored, _listing_block(stored, tuple(rows)))
        blocks.append(camera.listing_blocks[key][1])
    count = len(chosen) * len(rows)
    return Reply(data=count.to_bytes(4, "little") + b"".join(blocks))


def _reached(camera: Body, handle: int, depth: int) -> list[StoredObject]:
    store = camera.store
    if handle == _ALL_OBJECTS or (handle == 0 and depth == _WHOLE_TREE):
        return list(store)
    handles = [handle] if handle else []
    if depth:
        handles += store.handles(ALL_STORAGES, 0, handle or ROOT_OBJECTS)
    at = 1
    while depth == _WHOLE_TREE and at < len(handles):
        handles += store.handles(ALL_STORAGES, 0, handles[at])
        at += 1
    return [stored for each in handles if (stored := store.get(each)) is not None]


def _listing_block(stored: StoredObject, rows: tuple[Row, ...]) -> bytes:
    builder = Builder()
    for code, data_type, value in rows:
        builder.u32(stored.handle)
        builder.u16(code)
        builder.u16(data_type)
        write_value(builder, data_type, value(stored))
    return bytes(builder)
