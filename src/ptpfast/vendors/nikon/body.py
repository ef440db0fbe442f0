"""Nikon bodies for the simulated camera: the operations they answer, and what each lists.

Facts: libgphoto2 ptp.c and library.c (parameters, answers), airmtp (events, framing).
"""

from __future__ import annotations

from dataclasses import replace

from ...engine.wire import Builder, OperationRequest
from ...ptp.codes import DataType, ObjectFormat, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc, encode_array
from ..body import (
    CardFiles,
    Habits,
    Manners,
    Model,
    ObjectRange,
    Reply,
    Reported,
    Responder,
    ResponderOperation,
    parameter,
)
from .announcement import announcing, guid_head
from .body_live_view import answer_end, answer_frame, answer_start, starts
from .body_network import PcConnection, answer_application_mode, card_guard, with_pc_connection
from .body_properties import (
    answer_desc_ex,
    answer_property_codes,
    answer_set_value_ex,
    answer_value_ex,
    answer_vendor_codes,
)
from .codes import TO_CARD, NikonEvent, NikonOperation, NikonProperty, NikonResponse
from .datasets import low_high
from .reported import D850, D5300, D7200, Z_6, Z_6_3, Z_8, Z_9


def _answer_get_event(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the first parameter of each event: this dataset has room for one."""
    events = camera.take_events()
    builder = Builder()
    builder.u16(len(events))
    for code, parameters in events:
        builder.u16(code)
        builder.u32(parameters[0] if parameters else 0)
    return Reply(data=bytes(builder))


def _answer_get_event_ex(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    events = camera.take_events()
    builder = Builder()
    builder.u32(len(events))
    for code, parameters in events:
        builder.u16(code)
        builder.u16(len(parameters))
        builder.parameters(parameters)
    return Reply(data=bytes(builder))


def _answer_device_ready(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    is_busy = starts(camera) or camera.is_busy(polled=True)
    return Reply(ResponseCode.DeviceBusy) if is_busy else Reply()


def _answer_capture_to_card(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    if not camera.capture(request.transaction_id):
        return Reply(ResponseCode.StoreFull)
    return Reply()


def _answer_capture_in_media(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    to_card = parameter(request, 1) == TO_CARD
    answer = _answer_capture_to_card if to_card else _answer_capture_to_memory
    return answer(camera, request, data)


def _answer_capture_to_memory(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Announce the picture with the events of the camera's memory; it is on the card here."""
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    for handle in camera.capture(announce=False):
        camera.push_event(NikonEvent.ObjectAddedInSDRAM, handle)
    camera.push_event(NikonEvent.CaptureCompleteRecInSdram)
    return Reply()


def _answer_ok(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply()


def _answer_transfer_list(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    marked = [handle for handle in camera.marked if camera.object_size(handle) is not None]
    if not marked:
        return Reply(NikonResponse.NoTransferList)
    return Reply(data=encode_array(marked))


def _answer_acquisition_start(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    known = camera.object_size(parameter(request, 0)) is not None
    return Reply() if known else Reply(ResponseCode.InvalidObjectHandle)


def _answer_acquisition_end(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Remove the mark of an object that was fetched (airmtp README)."""
    camera.marked.pop(parameter(request, 0), None)
    return _answer_acquisition_start(camera, request, data)


def _answer_large_thumb(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the stock thumbnail; bodies send a JPEG of about 640 by 424."""
    thumbnail = camera.thumbnail(parameter(request, 0))
    if thumbnail is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def _answer_storage_ids(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply(data=encode_array(camera.storage_ids(populated=True)))


def _answer_object_size(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    size = camera.object_size(parameter(request, 0))
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=size.to_bytes(8, "little"))


def _answer_partial_object_ex(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    handle = parameter(request, 0)
    offset = parameter(request, 1) | parameter(request, 2) << 32
    most = parameter(request, 3) | parameter(request, 4) << 32
    size = camera.object_size(handle)
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    if offset > size:
        return Reply(ResponseCode.InvalidParameter)
    sent = min(most, size - offset)
    return Reply(parameters=low_high(sent), data=ObjectRange(handle, offset, sent))


RESPONDER_OPERATIONS: dict[int, ResponderOperation] = {
    OperationCode.InitiateCapture: _answer_capture_to_card,
    NikonOperation.InitiateCaptureRecInSdram: _answer_capture_to_memory,
    NikonOperation.AfAndCaptureRecInSdram: _answer_capture_to_memory,
    NikonOperation.AfDrive: _answer_ok,
    NikonOperation.AfDriveCancel: _answer_ok,
    NikonOperation.ChangeCameraMode: _answer_ok,
    NikonOperation.DeleteImagesInSdram: _answer_ok,
    NikonOperation.GetLargeThumb: _answer_large_thumb,
    NikonOperation.GetEvent: _answer_get_event,
    NikonOperation.DeviceReady: _answer_device_ready,
    NikonOperation.GetVendorPropCodes: answer_property_codes,
    NikonOperation.StartLiveView: answer_start,
    NikonOperation.EndLiveView: answer_end,
    NikonOperation.GetLiveViewImg: answer_frame,
    NikonOperation.GetLiveViewImageEx: answer_frame,
    NikonOperation.InitiateCaptureRecInMedia: _answer_capture_in_media,
    NikonOperation.GetVendorStorageIDs: _answer_storage_ids,
    NikonOperation.SetTransferListLock: _answer_ok,
    NikonOperation.GetTransferList: _answer_transfer_list,
    NikonOperation.NotifyFileAcquisitionStart: _answer_acquisition_start,
    NikonOperation.NotifyFileAcquisitionEnd: _answer_acquisition_end,
    NikonOperation.GetEventEx: _answer_get_event_ex,
    NikonOperation.GetVendorCodes: answer_vendor_codes,
    NikonOperation.GetDevicePropDescEx: answer_desc_ex,
    NikonOperation.GetDevicePropValueEx: answer_value_ex,
    NikonOperation.SetDevicePropValueEx: answer_set_value_ex,
    NikonOperation.ChangeApplicationMode: answer_application_mode,
    NikonOperation.GetObjectSize: _answer_object_size,
    NikonOperation.GetPartialObjectEx: _answer_partial_object_ex,
}

_RAW, _JPEG, _BOTH = (True, False), (False, True), (True, True)
# CompressionSetting, as published clients set it. Newer bodies have two JPEG qualities for each of
# the D5300's, and some a TIFF (6), which is a JPEG here.
_OLDER_FILES = {0: _JPEG, 1: _JPEG, 2: _JPEG, 4: _RAW, 5: _BOTH, 6: _BOTH, 7: _BOTH}
_NEWER_FILES = {**dict.fromkeys(range(7), _JPEG), 7: _RAW, **dict.fromkeys(range(8, 14), _BOTH)}
_Z_9_FILES = {setting: files for setting, files in _NEWER_FILES.items() if setting != 6}

# One End Data carries all payload (airmtp: D7200, J4, D750); ids that do not rise are accepted (the
# D5300's and airmtp's Python clients send such); a body writes for a moment after a picture.
HABITS = Habits(end_data="whole", strict_tid=False, busy_polls=2, busy_s=2.0)


# As a D7200 and a Z 6 describe them (libgphoto2).
_PROPERTIES = (
    DevicePropDesc(NikonProperty.RecordingMedia, DataType.UINT8, True, 0, 0, (0, 2, 1)),
    DevicePropDesc(NikonProperty.LiveViewStatus, DataType.UINT8, False, 0, 0, (0, 1, 1)),
    DevicePropDesc(NikonProperty.LiveViewProhibition, DataType.UINT32, False, 0, 0),
    DevicePropDesc(NikonProperty.ApplicationMode, DataType.UINT8, True, 0, 0, (0, 1, 1)),
)


def _body(
    name: str,
    version: str,
    extension: int,
    folder: str,
    reported: Reported,
    compression: dict[int, tuple[bool, bool]],
    product: int | None = None,
) -> Model:
    """Return a body; those with a USB product id announce themselves."""
    model = Model(
        manufacturer="Nikon Corporation",
        name=name,
        device_version=version,
        vendor_extension_id=extension,
        files=CardFiles(folder, "DSC_", "NEF", ObjectFormat.Undefined),
        operations={
            code: answer
            for code, answer in RESPONDER_OPERATIONS.items()
            if code in reported.operations
        },
        polled_events=True,
        reported=reported,
        habits=HABITS,
        manners=Manners(guard=card_guard),
        serial_digits=32,  # as the D5300 has it: zeros in front
        compression=compression,
        compression_setting=max(compression),
        properties=_PROPERTIES,
    )
    if product is None:
        return model
    return replace(model, announces=announcing(product), guid_head=guid_head(product))


def _z_body(name: str, version: str, folder: str, reported: Reported, product: int) -> Model:
    """Return a body of the third generation, which asks its owner about computers."""
    model = _body(name, version, 0xFFFFFFFF, folder, reported, _Z_9_FILES, product)
    return with_pc_connection(model, PcConnection())


# The last number is the USB product id (libgphoto2).
# The folder of the Z 6 is that of its cards, as people's scripts that copy from one name it. The
# other folders, and the Z 8's version, are made up after the same pattern.
BODIES = {
    "nikon-d5300": _body("D5300", "V1.03", 0x00000006, "100D5300", D5300, _OLDER_FILES),
    "nikon-d7200": _body("D7200", "V1.00", 0x0000000A, "100D7200", D7200, _OLDER_FILES),
    "nikon-d850": _body("D850", "V1.02", 0x0000000A, "100ND850", D850, _NEWER_FILES, 0x441),
    "nikon-z6": _body("Z 6", "V1.00", 0x0000000A, "100NCZ_6", Z_6, _NEWER_FILES, 0x443),
    "nikon-z6-3": _z_body("Z6_3", "V1.00", "100NZ6_3", Z_6_3, 0x454),
    "nikon-z8": _z_body("Z 8", "V1.00", "100NCZ_8", Z_8, 0x451),
    "nikon-z9": _z_body("Z 9", "V1.11", "100NCZ_9", Z_9, 0x450),
}
MODEL = BODIES["nikon-d5300"]
