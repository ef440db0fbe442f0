"""The standard operations of the simulated camera: a table of code → handler.

A handler gets the body, the request and the payload of its data-out phase, and returns a Reply. A
vendor's model replaces or removes entries.

Source: ISO 15740; where it leaves room, AOSP's MtpServer and libgphoto2.
"""

from __future__ import annotations

from ..engine.wire import OperationRequest
from ..ptp.codes import (
    ALL_STORAGES,
    ROOT_OBJECTS,
    ObjectFormat,
    OperationCode,
    ResponseCode,
)
from ..ptp.datasets import DeviceInfo, encode, encode_array
from ..vendors.body import ObjectRange, Reply, parameter
from .body import Body, Operation
from .properties import (
    get_device_prop_desc,
    get_device_prop_value,
    get_object_prop_desc,
    get_object_prop_list,
    get_object_prop_value,
    get_object_props_supported,
    set_device_prop_value,
)

ALL_OBJECTS = 0xFFFFFFFF  # as the handle of DeleteObject
_MOST = 0xFFFFFFFF  # as GetPartialObject's size: to the end


def get_device_info(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    model = camera.vendor.model
    reported = model.reported
    info = DeviceInfo(
        vendor_extension_id=model.vendor_extension_id,
        operations_supported=camera.operations_supported,
        events_supported=camera.events_supported,
        device_properties_supported=camera.properties_supported,
        capture_formats=[ObjectFormat.EXIF_JPEG, model.files.raw_format],
        image_formats=[ObjectFormat.EXIF_JPEG, model.files.raw_format, ObjectFormat.Association],
        manufacturer=model.manufacturer,
        model=model.name,
        device_version=model.device_version,
        serial_number=camera.serial_number,
    )
    if reported is not None:
        info.standard_version = reported.standard_version
        info.vendor_extension_version = reported.vendor_extension_version
        info.vendor_extension_desc = reported.vendor_extension_desc
        info.capture_formats = list(reported.capture_formats)
        info.image_formats = list(reported.image_formats)
    return Reply(data=encode(model.manners.device_info(camera, info)))


def get_storage_ids(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    return Reply(data=encode_array(camera.storage_ids(populated=False)))


def get_storage_info(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    storage_id = parameter(request, 0)
    if storage_id not in camera.storage_ids(populated=False):
        return Reply(ResponseCode.InvalidStorageID)
    if storage_id not in camera.storage_ids():
        return Reply(ResponseCode.StoreNotAvailable)
    return Reply(data=encode(camera.store.storage_info(storage_id)))


def get_num_objects(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    handles = _selected(camera, request)
    return Reply(handles) if isinstance(handles, int) else Reply(parameters=(len(handles),))


def get_object_handles(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    handles = _selected(camera, request)
    return Reply(handles) if isinstance(handles, int) else Reply(data=encode_array(handles))


def _selected(camera: Body, request: OperationRequest) -> list[int] | int:
    """Return the handles that a request selects, or a response code."""
    storage_id = parameter(request, 0, ALL_STORAGES)
    object_format = parameter(request, 1)
    parent = parameter(request, 2)
    if storage_id != ALL_STORAGES and storage_id not in camera.storage_ids():
        known = storage_id in camera.storage_ids(populated=False)
        return ResponseCode.StoreNotAvailable if known else ResponseCode.InvalidStorageID
    if parent not in (0, ROOT_OBJECTS):
        folder = camera.store.get(parent)
        if folder is None:
            return ResponseCode.InvalidObjectHandle
        if not folder.is_folder:
            return ResponseCode.InvalidParentObject
    # Some initiators write all ones for "any format".
    return camera.store.handles(
        storage_id, 0 if object_format == 0xFFFFFFFF else object_format, parent
    )


def get_object_info(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    stored = camera.store.get(parameter(request, 0))
    if stored is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=stored.encoded_info)


def get_object(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    handle = parameter(request, 0)
    size = camera.file_size(handle)
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=ObjectRange(handle, 0, size))


def get_partial_object(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    handle, offset, most = (parameter(request, index) for index in range(3))
    size = camera.file_size(handle)
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    if offset > size:
        return Reply(ResponseCode.InvalidParameter)
    left = size - offset
    sent = min(left if most == _MOST else most, left)
    # To the end of an object of 4 GiB and more is more than the response can say.
    return Reply(parameters=(min(sent, 0xFFFFFFFF),), data=ObjectRange(handle, offset, sent))


def get_thumb(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    thumbnail = camera.thumbnail(parameter(request, 0))
    if thumbnail is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def delete_object(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    handle, object_format = parameter(request, 0), parameter(request, 1)
    store = camera.store
    if store.read_only:
        return Reply(ResponseCode.StoreReadOnly)
    if handle == ALL_OBJECTS:
        doomed = store.handles(ALL_STORAGES, object_format, 0 if object_format else ROOT_OBJECTS)
        left = [each for each in doomed if not store.delete(each)]
        return Reply(ResponseCode.PartialDeletion if left else ResponseCode.OK)
    stored = store.get(handle)
    if stored is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    if stored.protected:
        return Reply(ResponseCode.ObjectWriteProtected)
    return Reply() if store.delete(handle) else Reply(ResponseCode.PartialDeletion)


def initiate_capture(camera: Body, request: OperationRequest, data: bytes) -> Reply:
    storage_id = parameter(request, 0)
    if storage_id and storage_id not in camera.storage_ids():
        return Reply(ResponseCode.InvalidStorageID)
    if camera.store.read_only:
        return Reply(ResponseCode.StoreReadOnly)
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    return Reply() if camera.capture(request.transaction_id) else Reply(ResponseCode.StoreFull)


OPERATIONS: dict[int, Operation] = {
    OperationCode.GetDeviceInfo: get_device_info,
    OperationCode.GetStorageIDs: get_storage_ids,
    OperationCode.GetStorageInfo: get_storage_info,
    OperationCode.GetNumObjects: get_num_objects,
    OperationCode.GetObjectHandles: get_object_handles,
    OperationCode.GetObjectInfo: get_object_info,
    OperationCode.GetObject: get_object,
    OperationCode.GetThumb: get_thumb,
    OperationCode.DeleteObject: delete_object,
    OperationCode.InitiateCapture: initiate_capture,
    OperationCode.GetDevicePropDesc: get_device_prop_desc,
    OperationCode.GetDevicePropValue: get_device_prop_value,
    OperationCode.SetDevicePropValue: set_device_prop_value,
    OperationCode.GetPartialObject: get_partial_object,
    OperationCode.GetObjectPropsSupported: get_object_props_supported,
    OperationCode.GetObjectPropDesc: get_object_prop_desc,
    OperationCode.GetObjectPropValue: get_object_prop_value,
    OperationCode.GetObjectPropList: get_object_prop_list,
}
