"""EOS bodies for the simulated camera: the operations they answer, and what each lists.

Facts: libgphoto2 (ptp.c, config.c, library.c) for parameters and answers; `eos` has the state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...engine.wire import OperationRequest
from ...ptp.codes import DataType, FailReason, ObjectFormat, OperationCode, ResponseCode
from ...ptp.datasets import DevicePropDesc, encode, encode_array
from ...ptp.errors import ProtocolError
from ..body import (
    CardFiles,
    Habits,
    Later,
    Manners,
    Model,
    ObjectRange,
    Reply,
    Reported,
    Responder,
    ResponderOperation,
    parameter,
)
from ..quirks import MiB
from .announcement import GUID_HEAD, announces
from .codes import (
    BOTH,
    FULL,
    HALF,
    M_MODE,
    TO_DISPLAY,
    TO_HOST,
    TO_MOBILE_2,
    TO_PC,
    CanonEvent,
    CanonOperation,
    CanonProperty,
    CanonResponse,
)
from .datasets import (
    ROOT,
    ExtendedInfo,
    encode_entries,
    encode_extended_info,
    encode_frame,
    has_short_name,
    parse_setting,
)
from .eos import COMPRESSION_SETTING, IMAGE_FORMATS, Eos, Profile, card_object, saturated
from .properties import TEXTS
from .records import button_record, join_records, number_record
from .remote import PRESSED
from .reported import EOS_80D, M50, R6_MARK_II

CR2, CR3 = 0xB103, 0xB108
_UNKNOWN = "Unknown Initiator"

_Answer = Callable[[Eos, Responder, OperationRequest, bytes], Reply]
_REFUSED = Reply(CanonResponse.OperationRefused)
_BUSY = Reply(ResponseCode.DeviceBusy)
_NO_HANDLE = Reply(ResponseCode.InvalidObjectHandle)


def _set_remote_mode(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    eos.mode = parameter(request, 0)
    return Reply()


def _set_event_mode(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    mode = parameter(request, 0)
    eos.watched = mode != 0
    eos.is_told = eos.is_told and mode != 1
    return Reply()


def _get_event(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the queued records and always with the one that ends them: libgphoto2 drops the
    last one of a list without it."""
    return Reply(data=join_records(eos.take_records(camera)))


def _keep_device_on(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply()


def _device_info_ex(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    # The last numbers are an EOS 60D's. libgphoto2 refuses a dataset without any.
    info = ExtendedInfo(tuple(sorted(CanonEvent)), tuple(sorted(eos.values)), (0, 1, 2, 4))
    return Reply(data=encode_extended_info(info), ends=eos.profile.ends_device_info_ex)


def _storage_ids(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply(data=encode_array(camera.storage_ids(populated=False)))


def _storage_info(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Answer with the standard's dataset, as an EOS 60D does (libgphoto2's report of it)."""
    info = camera.storage_info(parameter(request, 0))
    return Reply(ResponseCode.StoreNotAvailable) if info is None else Reply(data=encode(info))


def _object_info_ex(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Describe the objects of a folder. Those with a name that does not fit are missing."""
    if not eos.profile.lists:
        return Reply(ResponseCode.OperationNotSupported)
    storage_id, parent = parameter(request, 0), parameter(request, 1)
    if storage_id not in camera.storage_ids():
        return Reply(ResponseCode.InvalidStorageID)
    if parent != ROOT and camera.object_info(parent) is None:
        return _NO_HANDLE
    entries = []
    for handle in camera.handles(storage_id, parent):
        info = camera.object_info(handle)
        if info is not None and has_short_name(info.filename):
            entries.append(saturated(card_object(camera, handle, info)))
    answer = encode_entries(entries)
    return Reply(parameters=(0, len(answer)), data=answer)


def _partial_object(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    handle, offset, most = (parameter(request, index) for index in range(3))
    info, size = camera.object_info(handle), camera.object_size(handle)
    if info is None or size is None or info.object_format == ObjectFormat.Association:
        return _NO_HANDLE
    if offset > size:
        return Reply(ResponseCode.InvalidParameter)
    if handle in eos.memory and most > eos.profile.most_from_memory:
        return Reply(parameters=(0,), data=b"")
    sent = min(most, size - offset)
    return Reply(parameters=(sent,), data=ObjectRange(handle, offset, sent))


def _get_object(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    handle = parameter(request, 0)
    info, size = camera.object_info(handle), camera.object_size(handle)
    if info is None or size is None or info.object_format == ObjectFormat.Association:
        return _NO_HANDLE
    return Reply(data=ObjectRange(handle, 0, size))


def _get_thumb(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    thumbnail = camera.thumbnail(parameter(request, 0))
    if thumbnail is None:
        return _NO_HANDLE
    return Reply(data=thumbnail) if thumbnail else Reply(ResponseCode.NoThumbnailPresent)


def _set_attributes(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return _NO_HANDLE if camera.object_info(parameter(request, 0)) is None else Reply()


def _transfer_complete(
    eos: Eos, camera: Responder, request: OperationRequest, data: bytes
) -> Reply:
    """Free a picture in its memory."""
    handle = parameter(request, 0)
    if handle not in eos.memory:
        return _NO_HANDLE
    eos.memory.discard(handle)
    return Reply() if camera.forget(handle) else _NO_HANDLE


def _set_property(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Set a property; an equal CaptureDestination is answered with DeviceBusy (libgphoto2)."""
    try:
        code, value = parse_setting(data)
    except ProtocolError:
        return Reply(ResponseCode.InvalidDevicePropFormat)
    if code not in eos.values:
        return Reply(ResponseCode.DevicePropNotSupported)
    if code == CanonProperty.CaptureDestination and value == eos.values[code]:
        return _BUSY
    if code not in TEXTS and not eos.offers(code, value):
        return Reply(ResponseCode.InvalidDevicePropValue)
    if code == CanonProperty.ImageFormat:
        camera.properties[COMPRESSION_SETTING].current = IMAGE_FORMATS[value]
    eos.change(code, value)
    return Reply()


def _request_property(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    known = eos.tell(parameter(request, 0))
    return Reply() if known else Reply(ResponseCode.GeneralError)


def _host_room(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if not eos.is_remote:
        return _REFUSED
    eos.make_room()
    return Reply()


def _release_on(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    """Press the button half, fully, or both at once."""
    press = parameter(request, 0)
    if (refusal := _unready(eos, camera)) is not None:
        return refusal
    if press == HALF:
        eos.queue(number_record(CanonEvent.AfResult, 0))
        return Reply(parameters=(0,))
    if press not in (FULL, BOTH):
        return Reply(ResponseCode.InvalidParameter)
    reply = _shoot(eos, camera, request)
    if press == BOTH and reply.code == ResponseCode.OK:
        eos.queue(button_record(PRESSED))
    return reply


def _release_off(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    return Reply() if eos.is_remote else _REFUSED


def _remote_release(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    refusal = _unready(eos, camera)
    return _shoot(eos, camera, request) if refusal is None else refusal


def _unready(eos: Eos, camera: Responder) -> Reply | None:
    """Return the refusal of a release: in another mode, before the first events were taken, while
    a picture is written, or for a computer that has not told of its room."""
    if not eos.is_remote:
        return _REFUSED
    to_host = eos.number(CanonProperty.CaptureDestination) & TO_HOST
    if not eos.is_told or camera.is_busy() or (to_host and not eos.has_room):
        return _BUSY
    return None


def _shoot(eos: Eos, camera: Responder, request: OperationRequest) -> Reply:
    if not eos.shoot(camera, request.transaction_id):
        return Reply(ResponseCode.StoreFull)
    return Reply(parameters=(0,))


def _frame(eos: Eos, camera: Responder, request: OperationRequest, data: bytes) -> Reply:
    if not eos.is_remote:
        return _REFUSED
    if not eos.shows():
        return Reply(CanonResponse.ObjectNotReady)
    return Reply(data=encode_frame(camera.frame()))


_ANSWERS: dict[int, _Answer] = {
    OperationCode.GetPartialObject: _partial_object,
    CanonOperation.SetModeDialDisable: _keep_device_on,
    CanonOperation.GetStorageIDsEx: _storage_ids,
    CanonOperation.GetStorageInfoEx: _storage_info,
    CanonOperation.GetObjectEx: _get_object,
    CanonOperation.GetPartialObjectEOS: _partial_object,
    CanonOperation.GetDeviceInfoEx: _device_info_ex,
    CanonOperation.GetObjectInfoEx: _object_info_ex,
    CanonOperation.GetThumbEx: _get_thumb,
    CanonOperation.SetObjectAttributes: _set_attributes,
    CanonOperation.RemoteRelease: _remote_release,
    CanonOperation.SetDevicePropValueEx: _set_property,
    CanonOperation.SetRemoteMode: _set_remote_mode,
    CanonOperation.SetEventMode: _set_event_mode,
    CanonOperation.GetEvent: _get_event,
    CanonOperation.TransferComplete: _transfer_complete,
    CanonOperation.PCHDDCapacity: _host_room,
    CanonOperation.SetUILock: _keep_device_on,
    CanonOperation.ResetUILock: _keep_device_on,
    CanonOperation.KeepDeviceOn: _keep_device_on,
    CanonOperation.RequestDevicePropValue: _request_property,
    CanonOperation.RemoteReleaseOn: _release_on,
    CanonOperation.RemoteReleaseOff: _release_off,
    CanonOperation.SetRequestOLCInfoGroup: _keep_device_on,
    CanonOperation.GetViewFinderData: _frame,
    CanonOperation.AfCancel: _keep_device_on,
}


def _eos(camera: Responder, profile: Profile) -> Eos:
    eos = camera.state.get("eos")
    if not isinstance(eos, Eos):
        eos = camera.state["eos"] = Eos(profile)
    return eos


def _operation(answer: _Answer, profile: Profile) -> ResponderOperation:
    return lambda camera, request, data: answer(_eos(camera, profile), camera, request, data)


def _admit(camera: Responder, guid: bytes, name: str) -> int | Later | None:
    """Answer the Init of an unknown computer once the owner has pressed OK (an EOS 80D's log)."""
    state = camera.approval.state(guid, name)
    if state == "unknown":
        camera.approval.ask(guid, name)
        return Later.LATER
    return FailReason.REJECTED_INITIATOR if state == "rejected" else None


def make(
    name: str,
    version: str,
    extension: int,
    files: CardFiles,
    reported: Reported,
    profile: Profile,
) -> Model:
    """Return a body that answers as its profile says."""
    return Model(
        manufacturer="Canon.Inc",
        name=name,
        device_version=version,
        vendor_extension_id=extension,
        files=files,
        operations={
            code: _operation(answer, profile)
            for code, answer in _ANSWERS.items()
            if code in reported.operations
        },
        polled_events=True,
        reported=reported,
        habits=Habits(strict_tid=False),
        serial_digits=32,
        # As an EOS 60D describes them (libgphoto2's report): its name, PerceivedDeviceType,
        # SessionInitiatorInfo, and one without a name.
        properties=(
            DevicePropDesc(0xD402, DataType.STR, False, name, name),
            DevicePropDesc(0xD407, DataType.UINT32, False, 1, 1),
            DevicePropDesc(0xD406, DataType.STR, True, _UNKNOWN, _UNKNOWN),
            DevicePropDesc(0xD303, DataType.UINT8, False, 1, 1),
        ),
        manners=Manners(admit=_admit, opened=lambda camera: _eos(camera, profile).begin()),
        announces=announces,
        guid_head=GUID_HEAD,
    )


_R = Profile(
    shows=(TO_PC | TO_DISPLAY,),  # gphoto2 issue 356, an EOS R5
    output=TO_DISPLAY,
    destination=TO_HOST,  # recent R bodies begin with it (indigo)
    most_from_memory=1 * MiB,  # gphoto2 issue 198, an EOS R
)
_M = Profile(
    mode=M_MODE,
    shows=(TO_MOBILE_2, TO_PC),
    outputs=(0, TO_MOBILE_2),  # an EOS M3's and M6's, as the next one (libgphoto2's reports)
    olc_version=8,
)

BODIES = {
    "canon-r6m2": make(
        "Canon EOS R6m2",
        "3-1.4.0",
        0x00000006,
        CardFiles("100CANON", "IMG_", "CR3", CR3),
        R6_MARK_II,
        _R,
    ),
    "canon-m50": make(
        "Canon EOS M50",
        "3-1.0.0",
        0x0000000B,
        CardFiles("100CANON", "IMG_", "CR3", CR3),
        M50,
        _M,
    ),
    "canon-80d": make(
        "Canon EOS 80D",
        "3-1.0.1",
        0x0000000B,
        CardFiles("100CANON", "IMG_", "CR2", CR2),
        EOS_80D,
        Profile(),
    ),
}
MODEL = BODIES["canon-r6m2"]

# An EOS R5 Mark II with the firmware that never ends GetDeviceInfoEx. Its lists are not published:
# they are those of the R6 Mark II. It reports with the records of long names and does not have
# GetObjectInfoEx (libgphoto2 issue 1028).
R5_MARK_II = make(
    "Canon EOS R5m2",
    "3-1.0.1",
    0x00000006,
    CardFiles("100CANON", "IMG_", "CR3", CR3),
    R6_MARK_II,
    replace(
        _R,
        added=CanonEvent.ObjectAddedEx64LongName,
        requested=CanonEvent.RequestObjectTransfer64LongName,
        ends_device_info_ex=False,
        lists=False,
    ),
)
