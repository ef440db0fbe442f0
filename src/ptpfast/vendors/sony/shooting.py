"""The simulated body's authentication, properties, shutter, memory and live view."""

from __future__ import annotations

import time
from dataclasses import replace

from ...engine.wire import Cursor, OperationRequest
from ...ptp.codes import DataType, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc, ObjectInfoDataset, encode, read_value
from ...ptp.errors import ProtocolError
from ..body import CrashError, ObjectRange, Reply, Responder, parameter
from .codes import (
    EXTENDED,
    EXTENDED_VERSION,
    LEAST_EXTENDED,
    LIVE_VIEW,
    PRESS,
    SHOT_BUFFER,
    UPDATED,
    VERSION,
    Mode,
    SonyProperty,
    SonyResponse,
)
from .datasets import (
    DISPLAY_ONLY,
    ENABLED,
    ExtDeviceInfo,
    Property,
    encode_ext_device_info,
    encode_frame,
    encode_properties,
)
from .simulated import AUTHENTICATED, Sitting, Sony, destination, sony

POST_VIEW_ENABLE, LIVE_VIEW_ENABLE = 0xD312, 0xD313
CONTROLS = (SonyProperty.S1, SonyProperty.S2, POST_VIEW_ENABLE, LIVE_VIEW_ENABLE)
# Properties that a body describes and that no report of it has: their type, and whether they can be
# set. Their values are computed.
_COMPUTED = {
    SonyProperty.HostPriority: (DataType.INT8, True),
    SonyProperty.ContentsTransferEnabled: (DataType.UINT8, False),
}
_CONTENT_LISTS = {
    SonyProperty.ContentList1Enabled: DataType.UINT8,
    SonyProperty.ContentList2Enabled: DataType.UINT8,
    SonyProperty.ContentList1Regenerated: DataType.UINT64,
    SonyProperty.ContentList2Regenerated: DataType.UINT64,
}
JPEG = 0x3801
OLD_VERSION = 0xC8  # 2.00, which libgphoto2 asks for; that its lists are single is inferred


def connect(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer SDIOConnect, whose phases have an order."""
    sitting, phase = sony(camera).sitting, parameter(request, 0)
    if sitting.sends or phase not in (1, 2, 3) or phase > sitting.stage + 1:
        return Reply(ResponseCode.GeneralError)
    if phase == AUTHENTICATED and sitting.empty_left >= 0:
        return Reply(SonyResponse.AuthenticationFailed)  # without GetExtDeviceInfo
    sitting.stage = max(sitting.stage, phase)
    if sitting.mode is None:
        sitting.mode = Mode.REMOTE
    if phase == AUTHENTICATED:
        sitting.began = time.monotonic()
    return Reply(data=bytes(8))


def ext_device_info(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetExtDeviceInfo: without data at first, while the body prepares itself."""
    sitting, version = sony(camera).sitting, parameter(request, 0)
    if sitting.stage < 2:
        return Reply(ResponseCode.GeneralError)
    if version not in (VERSION, OLD_VERSION):
        return Reply(SonyResponse.AuthenticationFailed)
    if sitting.empty_left > 0:
        sitting.empty_left -= 1
        return Reply(data=b"")
    sitting.empty_left, sitting.version = -1, version
    vendor_version = sony(camera).profile.vendor_code_version
    asks_for_all = parameter(request, 1) == EXTENDED
    sitting.is_extended = asks_for_all and vendor_version >= EXTENDED_VERSION
    codes = list(described(camera, extended=asks_for_all))
    info = ExtDeviceInfo(
        version,
        [code for code in codes if code not in CONTROLS],
        [code for code in codes if code in CONTROLS],
    )
    return Reply(parameters=(vendor_version,), data=encode_ext_device_info(info))


def described(camera: Responder, *, extended: bool) -> dict[int, Property]:
    """Return the properties of the body as they are now.

    Args:
        camera: the body.
        extended: with the extended codes, for a request with their flag. The body has them only in
            a session that has asked for them at its beginning.
    """
    body, listed = sony(camera), set(camera.properties_supported)
    found = {
        code: _property(desc, has_both=body.sitting.version == VERSION)
        for code, desc in camera.properties.items()
        if code in listed
    }
    for code, (data_type, is_set) in _COMPUTED.items():
        found[code] = Property(code, data_type, int(is_set), current=_computed(body, code))
    for control in CONTROLS:
        found[control] = Property(control, DataType.UINT16, 1, ENABLED, 1, 1, [1, 2])
    if body.sitting.mode == Mode.REMOTE_WITH_TRANSFER:
        for code, data_type in _CONTENT_LISTS.items():
            slot = 2 if code in (0xD1D5, 0xD1D7) else 1
            there = any(storage >> 16 == slot for storage in camera.storage_ids())
            value = body.data_time if data_type == DataType.UINT64 else 1
            found[code] = Property(code, data_type, current=value if there else 0)
        for update, slot in UPDATED.items():
            found[update] = Property(update, DataType.UINT64, current=body.updated.get(slot, 0))
    memory = SonyProperty.ObjectInMemory
    found[memory] = Property(
        memory, DataType.UINT16, 0, DISPLAY_ONLY, 0, body.in_memory, (0, 0xFFFF, 1)
    )
    if (focus := found.get(SonyProperty.FocusIndication)) is not None:
        focus.current = body.profile.focus if SonyProperty.S1 in body.sitting.pressed else 1
    if not (extended and body.sitting.is_extended):
        found = {code: each for code, each in found.items() if code < LEAST_EXTENDED}
    return found


def _property(desc: DevicePropDesc, *, has_both: bool) -> Property:
    """Return a property as the asked version describes it: older ones have one list of values."""
    return Property(
        desc.code,
        desc.data_type,
        int(desc.writable),
        ENABLED if desc.writable else DISPLAY_ONLY,
        desc.factory_default,
        desc.current,
        desc.form,
        list(desc.form) if has_both and isinstance(desc.form, list) else None,
    )


def _computed(body: Sony, code: int) -> int:
    return int(code == SonyProperty.ContentsTransferEnabled and body.sitting.has_card)


def all_properties(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetAllExtDevicePropInfo; only what has changed, if that is asked for."""
    sitting = sony(camera).sitting
    found = described(camera, extended=parameter(request, 1) == EXTENDED)
    encoded = {code: encode_properties([each]) for code, each in found.items()}
    if parameter(request, 0) == 1:
        changed = [
            each for code, each in found.items() if sitting.reported.get(code) != encoded[code]
        ]
    else:
        changed = list(found.values())
    sitting.reported = encoded
    return Reply(data=encode_properties(changed))


def set_property(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer SetExtDevicePropValue."""
    code = parameter(request, 0)
    desc = camera.properties.get(code)
    if code == SonyProperty.HostPriority:
        return Reply()
    if desc is None or code not in camera.properties_supported:
        return Reply(ResponseCode.DevicePropNotSupported)
    if not desc.writable:
        return Reply(ResponseCode.AccessDenied)
    try:
        value = read_value(Cursor(data, "property value"), desc.data_type)
    except ProtocolError:
        return Reply(ResponseCode.InvalidDevicePropFormat)
    if isinstance(desc.form, list) and value not in desc.form:
        return Reply(ResponseCode.InvalidDevicePropValue)
    desc.current = value
    return Reply()


def control(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer ControlDevice: OK, even if the control has no effect.

    The shutter works if S1 is pressed, the memory is empty and the body is not quiet any more.
    """
    body, code = sony(camera), parameter(request, 0)
    is_pressed = int.from_bytes(data[:2], "little") == PRESS
    sitting = body.sitting
    if code in (POST_VIEW_ENABLE, LIVE_VIEW_ENABLE):
        (sitting.enabled.add if is_pressed else sitting.enabled.discard)(code)
        return Reply()
    was_pressed = code in sitting.pressed
    (sitting.pressed.add if is_pressed else sitting.pressed.discard)(code)
    shoots = code == SonyProperty.S2 and is_pressed and not was_pressed
    if shoots and SonyProperty.S1 in sitting.pressed and not body.memory and not _is_quiet(body):
        camera.capture(request.transaction_id)
    return Reply()


def _is_quiet(body: Sony) -> bool:
    return time.monotonic() < body.sitting.began + body.profile.quiet_s


def to_memory(camera: Responder) -> bool:
    """Return whether pictures go into the memory only."""
    body = sony(camera)
    body.destination = destination(camera)
    return body.sitting.mode == Mode.REMOTE and body.destination == 1


def object_info(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetObjectInfo, of the first picture in the memory and of live view too."""
    if parameter(request, 0) == LIVE_VIEW:
        frame = _live_view(camera).data
        if not isinstance(frame, bytes):
            return Reply(ResponseCode.InvalidObjectHandle)
        info = ObjectInfoDataset(object_format=JPEG, object_compressed_size=len(frame))
        return Reply(data=encode(info))
    handle = _shown(camera, parameter(request, 0))
    stored = None if handle is None else camera.object_info(handle)
    if stored is None:
        return Reply(ResponseCode.InvalidObjectHandle)
    if handle != parameter(request, 0):
        stored = replace(stored, parent_object=0)
    return Reply(data=encode(stored))


def get_object(camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer GetObject, of the memory and of live view too."""
    asked = parameter(request, 0)
    if asked == LIVE_VIEW:
        return _live_view(camera)
    handle = _shown(camera, asked)
    info = None if handle is None else camera.object_info(handle)
    size = None if handle is None else camera.object_size(handle)
    is_file = info is not None and info.object_format != 0x3001
    if handle is None or size is None or not is_file:
        return Reply(ResponseCode.InvalidObjectHandle)
    if handle != asked:
        sony(camera).given = True
    return Reply(data=ObjectRange(handle, 0, size))


def _shown(camera: Responder, handle: int) -> int | None:
    """Return the object that a handle stands for; None if there is none now.

    Raises:
        CrashError: the memory is read while it has no picture.
    """
    body = sony(camera)
    if handle != SHOT_BUFFER:
        return handle if body.sitting.shows_card and camera.is_on_card(handle) else None
    if not _may_see(body.sitting, POST_VIEW_ENABLE):
        return None
    if not body.memory:
        raise CrashError("the memory is read while it has no picture")
    return body.memory[0]


def _live_view(camera: Responder) -> Reply:
    status = camera.properties.get(SonyProperty.LiveViewStatus)
    is_on = status is None or status.current == 1
    if not is_on or not _may_see(sony(camera).sitting, LIVE_VIEW_ENABLE):
        return Reply(ResponseCode.InvalidObjectHandle)
    return Reply(data=encode_frame(camera.frame(), padding=120))


def _may_see(sitting: Sitting, control: int) -> bool:
    """Return whether the mode has that view: with transfer it has to be enabled first."""
    if sitting.mode == Mode.REMOTE_WITH_TRANSFER:
        return control in sitting.enabled
    return sitting.mode == Mode.REMOTE


OPERATIONS = {
    OperationCode.GetObjectInfo: object_info,
    OperationCode.GetObject: get_object,
    0x9201: connect,
    0x9202: ext_device_info,
    0x9205: set_property,
    0x9207: control,
    0x9209: all_properties,
}
