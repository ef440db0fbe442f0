"""Nikon: DSLR and Nikon 1 bodies with built-in Wi-Fi or a WU-1 adapter, of the D5300's kind.

What real bodies list is in `body.py`.

Not yet here: the pairing and application modes of Z bodies.
Sources: libgphoto2 (ptp.h, library.c), airmtp (airmtp.py, README), zcine; each fact names its own.
"""

from __future__ import annotations

import time
from enum import IntEnum

from ...engine.wire import Builder, Cursor, OperationRequest
from ...ptp.codes import OperationCode, ResponseCode
from ...ptp.datasets import DeviceInfo, encode_array
from ...ptp.errors import DeviceBusy, ProtocolError
from ..vendor import (
    GET_PARTIAL_OBJECT,
    Initiator,
    MiB,
    ObjectRange,
    PartialRead,
    Quirks,
    Reply,
    Responder,
    ResponderOperation,
    Vendor,
)
from . import body


class NikonOperation(IntEnum):
    """Nikon's operations used here (libgphoto2 ptp.h)."""

    InitiateCaptureRecInSdram = 0x90C0
    AfDrive = 0x90C1
    ChangeCameraMode = 0x90C2
    DeleteImagesInSdram = 0x90C3
    GetLargeThumb = 0x90C4
    GetEvent = 0x90C7
    DeviceReady = 0x90C8
    GetVendorPropCodes = 0x90CA
    AfAndCaptureRecInSdram = 0x90CB
    AfDriveCancel = 0x9206
    InitiateCaptureRecInMedia = 0x9207
    GetVendorStorageIDs = 0x9209
    SetTransferListLock = 0x9407
    GetTransferList = 0x9408
    NotifyFileAcquisitionStart = 0x9409
    NotifyFileAcquisitionEnd = 0x940A
    GetEventEx = 0x941C
    GetObjectSize = 0x9421
    GetPartialObjectEx = 0x9431


class NikonResponse(IntEnum):
    """Nikon's response codes (libgphoto2 ptp.h)."""

    HardwareError = 0xA001
    OutOfFocus = 0xA002
    ChangeCameraModeFailed = 0xA003
    InvalidStatus = 0xA004
    SetPropertyNotSupported = 0xA005
    WbResetError = 0xA006
    DustReferenceError = 0xA007
    ShutterSpeedBulb = 0xA008
    MirrorUpSequence = 0xA009
    CameraModeNotAdjustFNumber = 0xA00A
    NotLiveView = 0xA00B
    StoreError = 0xA021
    StoreUnformatted = 0xA022
    BulbReleaseBusy = 0xA200
    SilentReleaseBusy = 0xA201
    MovieFrameReleaseBusy = 0xA202
    NoTransferList = 0xA205


class NikonEvent(IntEnum):
    """Nikon's events (libgphoto2 ptp.h)."""

    ObjectAddedInSDRAM = 0xC101
    CaptureCompleteRecInSdram = 0xC102
    AdvancedTransfer = 0xC103
    PreviewImageAdded = 0xC104
    MovieRecordInterrupted = 0xC105
    MovieRecordComplete = 0xC108
    MovieRecordStarted = 0xC10A


# Parameters of InitiateCaptureRecInMedia (libgphoto2 ptp.c): without autofocus; to the card.
NO_AUTOFOCUS = 0xFFFFFFFF
TO_CARD = 0

MAX_EVENTS = 1 << 20  # bytes of polled events; a body has a handful at a time

# DeviceReady is asked every 100 ms, and for as long as the longest exposure (libgphoto2 library.c).
READY_POLL_S = 0.1
READY_S = 1000.0


def _low_high(value: int) -> tuple[int, int]:
    return value & 0xFFFFFFFF, value >> 32


# Both halves of offset and size, low half first (libgphoto2 ptp.c, ptp_nikon_getpartialobjectex).
GET_PARTIAL_OBJECT_EX = PartialRead(
    NikonOperation.GetPartialObjectEx,
    64,
    lambda handle, offset, size: (handle, *_low_high(offset), *_low_high(size)),
)


def matches(info: DeviceInfo) -> bool:
    """By manufacturer: newer bodies report Microsoft's or MTP's vendor extension (libgphoto2)."""
    return "nikon" in info.manufacturer.lower()


def parse_events(payload: bytes | bytearray) -> list[tuple[int, tuple[int, ...]]]:
    """GetEvent's dataset: u16 count, then u16 code and u32 parameter each (libgphoto2)."""
    cursor = Cursor(payload, "GetEvent")
    if not cursor.remaining:
        return []
    count = cursor.u16()
    events: list[tuple[int, tuple[int, ...]]] = [
        (cursor.u16(), (cursor.u32(),)) for _ in range(count)
    ]
    cursor.finish()
    return events


def parse_events_ex(payload: bytes | bytearray) -> list[tuple[int, tuple[int, ...]]]:
    """GetEventEx: u32 count, then u16 code, u16 n, n × u32 each (zcine; libgphoto2: u16 + 2)."""
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


def poll_events(camera: Initiator) -> list[tuple[int, tuple[int, ...]]]:
    """Asks for queued events; the Event connection can stay silent for a whole session (airmtp)."""
    if camera.supports(NikonOperation.GetEventEx):
        return parse_events_ex(camera.fetch(NikonOperation.GetEventEx, limit=MAX_EVENTS))
    if camera.supports(NikonOperation.GetEvent):
        return parse_events(camera.fetch(NikonOperation.GetEvent, limit=MAX_EVENTS))
    return []


def wait_ready(camera: Initiator) -> None:
    """Returns when the body accepts operations again; raises the error of what it was doing."""
    if not camera.supports(NikonOperation.DeviceReady):
        return
    give_up = time.monotonic() + READY_S
    while True:
        try:
            camera.command(NikonOperation.DeviceReady, busy_s=0.0)
        except DeviceBusy:
            if time.monotonic() > give_up:
                raise
            time.sleep(READY_POLL_S)
        else:
            return


def release_shutter(camera: Initiator) -> None:
    """Takes a picture to the card without autofocus, as libgphoto2 does; else the standard way."""
    if camera.supports(NikonOperation.InitiateCaptureRecInMedia):
        camera.command(NikonOperation.InitiateCaptureRecInMedia, NO_AUTOFOCUS, TO_CARD)
    else:
        camera.command(OperationCode.InitiateCapture, 0, 0)
    wait_ready(camera)


def object_size(camera: Initiator, handle: int) -> int | None:
    """GetObjectSize: u64, for objects of 4 GiB and more (libgphoto2 ptp.h)."""
    if not camera.supports(NikonOperation.GetObjectSize):
        return None
    cursor = Cursor(camera.fetch(NikonOperation.GetObjectSize, handle), "GetObjectSize")
    size = cursor.u64()
    cursor.finish()
    return size


# Each with its evidence.
QUIRKS = Quirks(
    # A D7200 and a J5 whose session was closed sooner did not answer the next Init (airmtp).
    close_after_open_s=1.0,
    # An Init sooner after a close can wedge a body until its battery is pulled (zcine).
    reconnect_pause_s=1.2,
    # Whole objects and large partial reads make bodies slower and slower until they halt; 1 MiB
    # pieces do not, and libgphoto2, EOS Utility and airmtp all use them (airmtp README, gp#218).
    max_chunk=1 * MiB,
    whole_objects=False,
)


# Responder side: the same operations as the simulated camera answers them.
# Facts: libgphoto2 ptp.c and library.c (parameters, answers), airmtp (events, framing).


def _answer_get_event(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """One parameter for each event, the first: there is no room for more in this dataset."""
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
    return Reply(ResponseCode.DeviceBusy) if camera.is_busy(polled=True) else Reply()


def _answer_capture_to_card(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    if not camera.capture(request.transaction_id):
        return Reply(ResponseCode.StoreFull)
    return Reply()


def _answer_capture_in_media(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    to_card = _parameter(request, 1) == TO_CARD
    answer = _answer_capture_to_card if to_card else _answer_capture_to_memory
    return answer(camera, request, data)


def _answer_capture_to_memory(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Announced by the events of the camera's memory, though the picture lies on the card here."""
    if camera.is_busy():
        return Reply(ResponseCode.DeviceBusy)
    for handle in camera.capture(announce=False):
        camera.push_event(NikonEvent.ObjectAddedInSDRAM, handle)
    camera.push_event(NikonEvent.CaptureCompleteRecInSdram)
    return Reply()


def _answer_ok(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply()


def _answer_property_codes(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    vendors_own = [code for code in camera.properties_supported if code >= 0xD000]
    return Reply(data=encode_array(vendors_own, "u16"))


def _answer_transfer_list(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    marked = [handle for handle in camera.marked if camera.object_size(handle) is not None]
    if not marked:
        return Reply(NikonResponse.NoTransferList)
    return Reply(data=encode_array(marked))


def _answer_acquisition_start(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    known = camera.object_size(_parameter(request, 0)) is not None
    return Reply() if known else Reply(ResponseCode.InvalidObjectHandle)


def _answer_acquisition_end(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """The object has been fetched: its mark goes (airmtp README)."""
    camera.marked.pop(_parameter(request, 0), None)
    return _answer_acquisition_start(camera, request, data)


def _answer_large_thumb(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """The stock thumbnail: bodies send about 640 by 424 here, but no less valid a JPEG."""
    thumbnail = camera.thumbnail(_parameter(request, 0))
    if thumbnail is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def _answer_storage_ids(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply(data=encode_array(camera.storage_ids(populated=True)))


def _answer_object_size(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    size = camera.object_size(_parameter(request, 0))
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=size.to_bytes(8, "little"))


def _answer_partial_object_ex(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    handle = _parameter(request, 0)
    offset = _parameter(request, 1) | _parameter(request, 2) << 32
    most = _parameter(request, 3) | _parameter(request, 4) << 32
    size = camera.object_size(handle)
    if size is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    if offset > size:
        return Reply(ResponseCode.InvalidParameter)
    sent = min(most, size - offset)
    return Reply(parameters=_low_high(sent), data=ObjectRange(handle, offset, sent))


def _parameter(request: OperationRequest, index: int) -> int:
    return request.parameters[index] if index < len(request.parameters) else 0


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
    NikonOperation.GetVendorPropCodes: _answer_property_codes,
    NikonOperation.InitiateCaptureRecInMedia: _answer_capture_in_media,
    NikonOperation.GetVendorStorageIDs: _answer_storage_ids,
    NikonOperation.SetTransferListLock: _answer_ok,
    NikonOperation.GetTransferList: _answer_transfer_list,
    NikonOperation.NotifyFileAcquisitionStart: _answer_acquisition_start,
    NikonOperation.NotifyFileAcquisitionEnd: _answer_acquisition_end,
    NikonOperation.GetEventEx: _answer_get_event_ex,
    NikonOperation.GetObjectSize: _answer_object_size,
    NikonOperation.GetPartialObjectEx: _answer_partial_object_ex,
}

BODIES = body.models(RESPONDER_OPERATIONS)

NIKON = Vendor(
    name="nikon",
    matches=matches,
    operations=NikonOperation,
    responses=NikonResponse,
    events=NikonEvent,
    quirks=QUIRKS,
    partial_reads=(GET_PARTIAL_OBJECT, GET_PARTIAL_OBJECT_EX),
    poll_events=poll_events,
    release_shutter=release_shutter,
    object_size=object_size,
    model=BODIES["nikon-d5300"],
    bodies=BODIES,
)
